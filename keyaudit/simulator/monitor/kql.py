"""The part of the Kusto Query Language that the simulated Log Analytics computes; everything else is a syntax error.

A query is a table and stages: `where`, `extend`, `project`, and `summarize` with `count()`, `arg_min` and `arg_max`.
https://learn.microsoft.com/kusto/query/
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from keyaudit.simulator.estate import Row

Value = Callable[[Row], Any]
"""A scalar expression over a row."""
Stage = Callable[[list[Row], frozenset[str]], tuple[list[Row], frozenset[str]]]
"""Rows and the names of their columns, before and after an operator."""

_TOKEN = re.compile(
    r'\s*(?:(datetime)\(([^)]*)\)|("(?:[^"\\]|\\.)*")|(\d+d)\b|(\d+)|(!in~|in~|=~|==|>=|<=|[<>=|(),.\[\]])|(\w+))', re.ASCII
)
_NOTHING, _IF_EXISTS, _EITHER = ("@null",), ("column_ifexists",), ("iff",)
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=~": lambda left, right: str(left).casefold() == str(right).casefold(),
    "==": lambda left, right: bool(left == right),
    ">=": lambda left, right: bool(left >= right),
    "<": lambda left, right: bool(left < right),
}


class QuerySyntaxError(ValueError):
    """A query that this part of the language does not have."""


class UnknownNameError(ValueError):
    """A name that is no column; its text is the name."""


class Query(Struct, frozen=True):
    """A query. `first`, `until`: the bounds of its first filter by time, in seconds since 1970."""

    table: str
    first: float
    until: float
    stages: Sequence[Stage]

    def answer(self, rows: Sequence[Row], columns: frozenset[str]) -> list[Row]:
        """Its result over rows of the table, which has these columns. Raises UnknownNameError."""
        found = list(rows)
        for stage in self.stages:
            found, columns = stage(found, columns)
        return found


def parse(text: str) -> Query:
    """The query in a text. Raises QuerySyntaxError."""
    return _Parser(text).query()


def moment(value: Any) -> datetime:
    """A time of a row, which is ISO text there."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise QuerySyntaxError(text[at : at + 20])
            at = match.end()
            self._tokens.append(f"@{match[2]}" if match[1] else match[0].strip())
        self._at = 0
        self._bounds: dict[str, float] = {}

    def query(self) -> Query:
        table = self._name()
        stages = []
        while self._at < len(self._tokens):
            self._expect("|")
            stages.append(self._stage())
        if self._bounds.keys() != {">=", "<"}:
            raise QuerySyntaxError("no bounds of time")
        return Query(table, self._bounds[">="], self._bounds["<"], stages)

    def _stage(self) -> Stage:
        match self._next():
            case "where":
                return self._where()
            case "extend":
                return self._extend()
            case "project":
                return _project(self._names())
            case "summarize":
                return self._summarize()
        raise QuerySyntaxError("no such operator")

    def _where(self) -> Stage:
        conditions = [self._condition()]
        while self._taken("and"):
            conditions.append(self._condition())

        def where(rows: list[Row], columns: frozenset[str]) -> tuple[list[Row], frozenset[str]]:
            _known({name for name, _ in conditions}, columns)
            return [row for row in rows if all(holds(row) for _, holds in conditions)], columns

        return where

    def _condition(self) -> tuple[str, Callable[[Row], bool]]:
        name, operator = self._name(), self._next()
        if operator in ("in~", "!in~"):
            self._expect("(")
            values = {str(json.loads(self._next())).casefold()}
            while self._taken(","):
                values.add(str(json.loads(self._next())).casefold())
            self._expect(")")
            return name, lambda row: (str(row.get(name) or "").casefold() in values) == (operator == "in~")
        if operator not in _COMPARED:
            raise QuerySyntaxError(operator)
        compare, token = _COMPARED[operator], self._next()
        if not token.startswith("@"):
            text = json.loads(token)
            return name, lambda row: compare(row.get(name) or "", text)
        time = moment(token[1:])
        if name == "TimeGenerated":
            self._bounds.setdefault(operator, time.timestamp())
        return name, lambda row: compare(moment(row[name]), time)

    def _extend(self) -> Stage:
        added = [self._assigned()]
        while self._taken(","):
            added.append(self._assigned())
        names = {name for _, _, used in added for name in used}

        def extend(rows: list[Row], columns: frozenset[str]) -> tuple[list[Row], frozenset[str]]:
            _known(names, columns)
            return [{**row, **{name: value(row) for name, value, _ in added}} for row in rows], columns | {
                name for name, _, _ in added
            }

        return extend

    def _assigned(self) -> tuple[str, Value, frozenset[str]]:
        name = self._name()
        self._expect("=")
        value, used = self._expression()
        return name, value, used

    def _summarize(self) -> Stage:
        counted = self._name()
        for token in ("=", "count", "(", ")"):
            self._expect(token)
        ends: list[tuple[str, Sequence[str], Sequence[str]]] = []
        while self._taken(","):
            self._expect("(")
            names = self._names()
            for token in (")", "="):
                self._expect(token)
            which = self._next()
            self._expect("(")
            of = self._names()
            self._expect(")")
            if which not in ("arg_min", "arg_max") or len(names) != len(of):
                raise QuerySyntaxError(which)
            ends.append((which, names, of))
        self._expect("by")
        day = self._name()
        for token in ("=", "bin", "("):
            self._expect(token)
        time = self._name()
        for token in (",", "1d", ")", ","):
            self._expect(token)
        return _summarized(counted, ends, day, time, self._names())

    def _expression(self) -> tuple[Value, frozenset[str]]:
        token = self._next()
        if token.startswith('"'):
            text = json.loads(token)
            return (lambda _: text), frozenset()
        if token in _NOTHING:
            return (lambda _: None), frozenset()
        if token in _IF_EXISTS:
            return self._column()
        if token in _EITHER:
            return self._if()
        if token.isdecimal():
            return (lambda _: int(token)), frozenset()
        if not token.isidentifier():
            raise QuerySyntaxError(token)
        if self._peek() == "(":
            value, used = self._call(token)
        else:
            value, used = (lambda row: row.get(token)), frozenset({token})
        while self._peek() in (".", "["):
            value = self._member(value)
        return value, used

    def _if(self) -> tuple[Value, frozenset[str]]:
        """One of two values, by a condition."""
        self._expect("(")
        name, holds = self._condition()
        self._expect(",")
        yes, used = self._expression()
        self._expect(",")
        no, besides = self._expression()
        self._expect(")")
        return (lambda row: yes(row) if holds(row) else no(row)), frozenset({name, *used, *besides})

    def _column(self) -> tuple[Value, frozenset[str]]:
        """A column, or a default if the table does not have it."""
        self._expect("(")
        name = json.loads(self._next())
        self._expect(",")
        default, used = self._expression()
        self._expect(")")
        return (lambda row: row[name] if name in row else default(row)), used

    def _member(self, whole: Value) -> Value:
        if self._taken("."):
            key: str | int = self._name()
        else:
            self._expect("[")
            key = json.loads(self._next())
            self._expect("]")
        return lambda row: _inside(whole(row), key)

    def _call(self, name: str) -> tuple[Value, frozenset[str]]:
        self._expect("(")
        given = [self._expression()]
        while self._taken(","):
            given.append(self._expression())
        self._expect(")")
        if name not in _FUNCTIONS:
            raise QuerySyntaxError(name)
        function, values = _FUNCTIONS[name], [value for value, _ in given]
        used = frozenset(each for _, names in given for each in names)
        return (lambda row: function(*(value(row) for value in values))), used

    def _names(self) -> list[str]:
        found = [self._name()]
        while self._taken(","):
            found.append(self._name())
        return found

    def _name(self) -> str:
        token = self._next()
        if not token.isidentifier():
            raise QuerySyntaxError(token)
        return token

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise QuerySyntaxError("the end")
        self._at += 1
        return token

    def _taken(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._at += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._taken(token):
            raise QuerySyntaxError(self._peek())


def _project(names: Sequence[str]) -> Stage:
    def project(rows: list[Row], columns: frozenset[str]) -> tuple[list[Row], frozenset[str]]:
        _known(names, columns)
        return [{name: row.get(name) for name in names} for row in rows], frozenset(names)

    return project


def _summarized(
    counted: str, ends: Sequence[tuple[str, Sequence[str], Sequence[str]]], day: str, time: str, by: Sequence[str]
) -> Stage:
    def summarize(rows: list[Row], columns: frozenset[str]) -> tuple[list[Row], frozenset[str]]:
        _known([*by, time, *(name for _, _, of in ends for name in of)], columns)
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            of_day = moment(row[time]).astimezone(UTC).strftime("%Y-%m-%dT00:00:00Z")
            values = [row.get(name) for name in by]
            if any(isinstance(value, dict | list) for value in values):
                raise QuerySyntaxError("a dynamic value in by")
            groups.setdefault((of_day, *values), []).append(row)
        found: list[Row] = []
        for key, several in groups.items():
            made: dict[str, Any] = {counted: len(several)}
            for which, names, of in ends:
                one = (min if which == "arg_min" else max)(several, key=lambda row: moment(row[of[0]]))
                made |= dict(zip(names, (one.get(name) for name in of), strict=True))
            found.append(made | dict(zip((day, *by), key, strict=True)))
        return found, frozenset(found[0]) if found else frozenset()

    return summarize


def _known(names: Sequence[str] | set[str] | frozenset[str], columns: frozenset[str]) -> None:
    unknown = next((name for name in names if name not in columns), None)
    if unknown is not None:
        raise UnknownNameError(unknown)


def _inside(value: Any, key: str | int) -> Any:
    if isinstance(key, str):
        return value.get(key) if isinstance(value, dict) else None
    return value[key] if isinstance(value, list) and key < len(value) else None


def _to_string(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else str(value)


def _bag(*pairs: Any) -> dict[str, Any]:
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "tostring": _to_string,
    "bag_pack": _bag,
    "split": lambda text, separator: _to_string(text).split(separator),
    "substring": lambda text, start, length: _to_string(text)[start : start + length],
    "coalesce": lambda *values: next((value for value in values if value not in (None, "")), None),
}
