"""Writes typed conditions as three-valued SQL: an unknown value is NULL, and NULL is never a pass."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from keyaudit.inventory.dialect import DuckDB
from keyaudit.model.values.times import MAX_TIME
from keyaudit.policy.conditions import regex
from keyaudit.policy.conditions.parameters import OTHERWISE, Single, Value
from keyaudit.policy.conditions.types import (
    Absent,
    Call,
    Compare,
    Constant,
    Every,
    In,
    Kind,
    Lookup,
    Not,
    Now,
    ParameterValue,
    Read,
    Some,
    Sum,
    Tag,
    Term,
)

UNKNOWN = "unknown"
"""The map of a row's unknown columns to reasons."""

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


NOTHING: Mapping[int, Mapping[str, Value]] = {}

_FEW = 8
"""The number of list items that are compared one by one; above about ten, one call for all is faster."""

_BEGIN, _END = "\x01", "\x02"
"""Before and after the number of a marker of `Shared` in SQL: literals of policies contain no control characters."""

_FITTING = (2**63 - 1) // MAX_TIME
"""The number of times and durations whose sum fits into 64 bits; wider sums take twice as long."""


def read(dialect: DuckDB, column: str) -> str:
    """A column's value; NULL if the row says that it is unknown, regardless of the stored value."""
    return f"(CASE WHEN {is_unknown(dialect, column)} THEN NULL ELSE {dialect.name(column)} END)"


def blanked(dialect: DuckDB, source: str, columns: Iterable[str]) -> str:
    """A query over `source` with unknown values of `columns` set to NULL, as `Writer` expects."""
    values = {column: read(dialect, column) for column in columns}
    return f"SELECT {dialect.replacing(values) if values else '*'} FROM {source}"  # noqa: S608 - declared names only


def is_unknown(dialect: DuckDB, column: str) -> str:
    """Whether the row says that a column is unknown."""
    return dialect.has_entry(dialect.name(UNKNOWN), dialect.text(column))


class Shared:
    """Common subexpressions, each computed once, because the cost of a plan depends on its expressions.

    A writer inserts a marker for each; `resolved` replaces it with a column of `columns`, or with the original SQL.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._times: Counter[int] = Counter()

    def mark(self, condition: str) -> str:
        """The marker of the condition, for `resolved`."""
        number = self._numbers.setdefault(condition, len(self._numbers))
        self._times[number] += 1
        return f"{_BEGIN}{number}{_END}"

    @property
    def columns(self) -> dict[str, str]:
        """The SQL of repeated conditions, by column name."""
        return {f"shared{number}": condition for condition, number in self._numbers.items() if self._times[number] > 1}

    def resolved(self, sql: str) -> str:
        """`sql` without markers."""
        conditions = list(self._numbers)
        before, *marked = sql.split(_BEGIN)
        parts = [before]
        for each in marked:
            number, _, after = each.partition(_END)
            parts += (f"shared{number}" if self._times[int(number)] > 1 else conditions[int(number)], after)
        return "".join(parts)


class Writer:
    """Writes the conditions of one policy for one run: `values` are its parameter values, `now` is the time of evaluation.

    The conditions apply to a relation of `blanked` whose `columns` include all that they read.

    `classes`: values by the number of a row's class in the column `in_class`: 0 for none, with `values`; NULL if unknown, when
    values that differ between classes are unknown.

    `shared`: collects common subexpressions of several writers, whose results it must resolve. `doubted`: the columns that are
    unknown in some row; None: possibly any.
    """

    def __init__(
        self,
        dialect: DuckDB,
        values: Mapping[str, Value],
        now: int,
        classes: Mapping[int, Mapping[str, Value]] = NOTHING,
        in_class: str = "",
        *,
        shared: Shared | None = None,
        doubted: Collection[str] | None = None,
    ) -> None:
        self._dialect = dialect
        self._values = values
        self._now = now
        self._classes = classes
        self._in_class = in_class
        self._shared = shared
        self._doubted = doubted

    def write(self, term: Term) -> str:
        """SQL of any term, in brackets if needed."""
        match term:
            case Not():
                return f"(NOT {self.write(term.term)})"
            case Every():
                return self._joined(term.terms, " AND ", "TRUE")
            case Some():
                return self._joined(term.terms, " OR ", "FALSE")
            case Compare() | Absent() | In() | Call():
                condition = self._condition(term)
                return self._shared.mark(condition) if self._shared else condition
            case _:
                return self._value(term)

    def _condition(self, term: Compare | Absent | In | Call) -> str:
        match term:
            case Compare():
                return self._compare(term)
            case Absent():
                return self._absent(term.term)
            case In():
                return self._in(term)
            case Call():
                return self._call(term)

    def _joined(self, terms: tuple[Term, ...], sign: str, empty: str) -> str:
        return f"({sign.join(self.write(term) for term in terms)})" if terms else empty

    def _value(self, term: Term) -> str:  # noqa: PLR0911 - one line a kind of term
        match term:
            case Read():
                return self._dialect.name(term.column)
            case Tag():
                return self._dialect.entry(self._dialect.name(term.column), self._dialect.text(term.key))
            case Now():
                return str(self._now)
            case Constant():
                return self._literal(term.value)
            case ParameterValue():
                return self._by_class(term.parameter, self._setting)
            case Lookup():
                return self._lookup(term)
            case Sum():
                sides = [self.write(side) for side in (term.left, term.right)]
                if _summands(term) > _FITTING:
                    sides = [self._dialect.wide(side) for side in sides]
                return f"({sides[0]} {term.operator} {sides[1]})"
            case _:
                raise AssertionError(term)

    def _literal(self, value: str | int | tuple[str | int, ...]) -> str:
        match value:
            case str():
                return self._dialect.text(value)
            case int():
                return f"({value})" if value < 0 else str(value)
            case _:
                return self._dialect.texts([str(item) for item in value])

    def _setting(self, value: Value) -> str:
        if isinstance(value, Mapping):
            raise TypeError("a map or schedule is looked up")
        return self._literal(value)

    def _by_class(self, parameter: str, write: Callable[[Value], str]) -> str:
        """The result of `write` for the parameter's value of each class; NULL if the class is unknown."""
        usual = write(self._values[parameter])
        others = {number: write(values[parameter]) for number, values in self._classes.items() if parameter in values}
        if all(other == usual for other in others.values()):
            return usual
        cases = [f"WHEN {number} THEN {others.get(number, usual)}" for number in (0, *self._classes)]
        return f"(CASE {self._dialect.name(self._in_class)} {' '.join(cases)} END)"

    def _compare(self, term: Compare) -> str:
        if isinstance(term.left, Read) and term.left.kind is Kind.COUNT:
            return self._compare_count(term.left.column, term.operator, self.write(term.right))
        if isinstance(term.right, Read) and term.right.kind is Kind.COUNT:
            return self._compare_count(term.right.column, _MIRRORED[term.operator], self.write(term.left))
        # DuckDB and Spark read == and != as they read = and <>.
        return f"({self.write(term.left)} {term.operator} {self.write(term.right)})"

    def _compare_count(self, column: str, sign: str, limit: str) -> str:
        """Compares a count with bounds; certain if a bound decides it. No upper bound is NULL."""
        least, most = self._dialect.name(f"{column}_min"), self._dialect.name(f"{column}_max")
        certain = {
            ">": (f"{least} > {limit}", f"{most} <= {limit}"),
            ">=": (f"{least} >= {limit}", f"{most} < {limit}"),
            "<": (f"{most} < {limit}", f"{least} >= {limit}"),
            "<=": (f"{most} <= {limit}", f"{least} > {limit}"),
            "==": (f"{least} = {limit} AND {most} = {limit}", f"{least} > {limit} OR {most} < {limit}"),
            "!=": (f"{least} > {limit} OR {most} < {limit}", f"{least} = {limit} AND {most} = {limit}"),
        }
        yes, no = certain[sign]
        return f"(CASE WHEN {yes} THEN TRUE WHEN {no} THEN FALSE END)"

    def _absent(self, term: Read | Tag) -> str:
        if self._doubted is not None and term.column not in self._doubted:
            return f"({self.write(term)} IS NULL)"
        # Most rows have a value, and need no lookup.
        unknown = is_unknown(self._dialect, term.column)
        return f"(CASE WHEN {self.write(term)} IS NOT NULL THEN FALSE WHEN {unknown} THEN NULL ELSE TRUE END)"

    def _in(self, term: In) -> str:
        item = self.write(term.item)
        items = self._items(term.items)
        if items is None:
            return _so_far(f"({self._dialect.has(self.write(term.items), item)})", self._more(term.items), "")
        if not items:
            return "FALSE"
        return f"({item} IN ({', '.join(self._literal(value) for value in items)}))"

    def _items(self, term: Term) -> tuple[Single, ...] | None:
        """The items of a list that is the same for every row, otherwise None."""
        match term:
            case Constant(value=tuple() as values):
                return values
            case ParameterValue() if not any(term.parameter in values for values in self._classes.values()):
                value = self._values[term.parameter]
                return value if isinstance(value, tuple) else None
            case _:
                return None

    def _call(self, term: Call) -> str:
        left = self.write(term.left)
        if term.function == "matches":
            return self._matches(left, term.right)
        if term.function in {"overlaps", "covers"}:
            return self._lists(term, left)
        right = self.write(term.right)
        functions = {
            "startswith": self._dialect.startswith,
            "endswith": self._dialect.endswith,
            "contains": self._dialect.contains,
        }
        return f"({functions[term.function](left, right)})"

    def _lists(self, term: Call, left: str) -> str:
        overlaps = term.function == "overlaps"
        compare = self._dialect.overlaps if overlaps else self._dialect.covers
        result = self._short(term) or f"({compare(left, self.write(term.right))})"
        more_left, more_right = self._more(term.left), self._more(term.right)
        if not overlaps:
            return _so_far(result, more_left, more_right)
        # Nothing overlaps with an empty list.
        sides = ((more_left, term.right), (more_right, term.left))
        return _so_far(result, " OR ".join(f"{more} AND {self._some(other)}" for more, other in sides if more), "")

    def _more(self, term: Term) -> str:
        """Whether a list may have items that are not known; empty if it never has."""
        if not isinstance(term, Read) or not term.partial or (self._doubted is not None and term.column not in self._doubted):
            return ""
        return is_unknown(self._dialect, term.column)

    def _some(self, term: Term) -> str:
        """Whether a list may have an item."""
        some = f"coalesce({self._dialect.size(self.write(term))} > 0, TRUE)"
        more = self._more(term)
        return f"({some} OR {more})" if more else some

    def _short(self, term: Call) -> str | None:
        """The same call item by item, five times as fast, if the right list is a short constant; otherwise None."""
        items = self._items(term.right)
        if items is None or not 0 < len(items) <= _FEW:
            return None
        held = self.write(term.left)
        sign = " OR " if term.function == "overlaps" else " AND "
        return f"({sign.join(self._dialect.has(held, self._literal(item)) for item in items)})"

    def _matches(self, text: str, pattern: Term) -> str:
        """Writes a separate call per class, because engines compile a literal pattern only once."""

        def call(value: Value) -> str:
            return f"({self._dialect.matches(text, self._dialect.text(regex.portable(str(value))))})"

        match pattern:
            case Constant(value=str() as written):
                return call(written)
            case ParameterValue():
                return self._by_class(pattern.parameter, call)
            case _:
                raise AssertionError(pattern)

    def _lookup(self, term: Lookup) -> str:
        index = self._dialect.name(term.index.column)
        return self._by_class(term.parameter, lambda entries: self._entry(index, entries))

    def _entry(self, index: str, entries: Value) -> str:
        if not isinstance(entries, Mapping):
            raise TypeError("one value is not looked up")
        # An unknown index gives an unknown entry; without this line it would match the last one.
        cases = [f"WHEN {index} IS NULL THEN NULL"]
        last = "NULL"
        for key, value in sorted(entries.items(), key=str, reverse=True):
            if key == OTHERWISE:
                last = self._literal(value)
            elif isinstance(key, str):
                cases.append(f"WHEN {index} = {self._dialect.text(key)} THEN {self._literal(value)}")
        # A schedule's first entry applies to all times before the second.
        starts = sorted((key for key in entries if isinstance(key, int)), reverse=True)
        cases += [f"WHEN {index} >= {start} THEN {self._literal(entries[start])}" for start in starts[:-1]]
        if starts:
            last = self._literal(entries[starts[-1]])
        return f"(CASE {' '.join(cases)} ELSE {last} END)"


def _summands(term: Term) -> int:
    return _summands(term.left) + _summands(term.right) if isinstance(term, Sum) else 1


def _so_far(result: str, turns_true: str, turns_false: str) -> str:
    """A result for lists that may have more items than are known: unknown where these could change it."""
    changing = ((f"NOT {result}", turns_true), (result, turns_false))
    cases = "".join(f"WHEN {now} AND ({more}) THEN NULL " for now, more in changing if more)
    return f"(CASE {cases}ELSE {result} END)" if cases else result
