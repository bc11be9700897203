"""Type-checks the value terms of a condition: columns, parameters, constants, tags and sums."""

import ast
import unicodedata
from collections.abc import Mapping

from keyaudit.model.documents.problems import FieldError, nearest, shown
from keyaudit.model.schema.columns import Table
from keyaudit.model.values.times import DAY, MAX_TIME
from keyaudit.policy.conditions.parameters import NOW, OTHERWISE, Parameter, Shape
from keyaudit.policy.conditions.types import Constant, Kind, Lookup, Now, ParameterValue, Read, Sum, Tag, Term

MAX_DEPTH = 32


class Terms:
    """Types the value terms of one condition; `line` is its text. Every method raises FieldError with the place.

    `present` is the set of columns and tags that cannot be absent at that place.
    """

    def __init__(self, table: Table, parameters: Mapping[str, Parameter], line: str) -> None:
        self._table = table
        self._parameters = parameters
        self._line = line

    def error(self, node: ast.AST, what: str, remedy: str = "") -> FieldError:
        """An error at a node's place."""
        # Python counts UTF-8 bytes.
        before = self._line.encode()[: getattr(node, "col_offset", 0)]
        return FieldError(what, remedy, len(before.decode(errors="ignore")))

    def may_be_absent(self, name: str) -> bool:
        """Whether a column can be NULL without being unknown."""
        return bool(self._table.by_name[name].absent)

    def known_values(self, column_at: ast.expr, column: Term, other_at: ast.expr, other: Term) -> None:
        """Refuses a text that is not a value of the enumeration on the other side, because it could never be equal."""
        if not isinstance(column, Read) or not self._table.by_name[column.column].values:
            return
        values = self._table.by_name[column.column].values
        for text in self.texts(other):
            if text not in values:
                what = f"{text_of(column_at)} is never {shown(text)}"
                raise self.error(other_at, what, nearest(text, values))

    def texts(self, term: Term) -> tuple[str, ...]:
        if isinstance(term, Constant):
            values = term.value if isinstance(term.value, tuple) else (term.value,)
            return tuple(value for value in values if isinstance(value, str))
        if isinstance(term, ParameterValue | Lookup):
            return tuple(value for value in self._parameters[term.parameter].singles() if isinstance(value, str))
        return ()

    def value(self, node: ast.expr, present: frozenset[str], depth: int) -> Term:  # noqa: PLR0911 - one line a kind of term
        """A value term: a column, a parameter, a constant or a sum."""
        if depth > MAX_DEPTH:
            raise self.error(node, f"nested deeper than {MAX_DEPTH} levels", "split the policy")
        match node:
            case ast.Name():
                return self._name(node, present)
            case ast.Constant():
                return self._constant(node)
            case ast.List(elts=items):
                return self._list(node, items)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)) if not isinstance(number, bool):
                return Constant(-self._number(node, number), Kind.INTEGER)
            case ast.Subscript():
                return self._subscript(node, present, depth)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self._sum(node, present, depth)
            case ast.Call(func=ast.Name(id="days")):
                return self._days(node)
            case _:
                raise self.error(node, f"{noun(node)} where a value belongs")

    def _name(self, node: ast.Name, present: frozenset[str]) -> Term:
        name = node.id
        if name == NOW:
            return Now()
        if name in self._table.by_name:
            column = self._table.by_name[name]
            if name not in present and self.may_be_absent(name):
                raise self.error(node, f"{name} may be absent ({column.absent})", f"test `{name} is not None and ...` first")
            return Read(name, Kind(column.type.value), column.partial)
        if name in self._parameters:
            parameter = self._parameters[name]
            if parameter.shape is not Shape.ONE:
                raise self.error(node, f"{name} is a {parameter.shape}", f"write {name}[column]")
            return ParameterValue(name, parameter.kind)
        known = [*self._table.by_name, *self._parameters, NOW]
        raise self.error(node, f"no such column or parameter: {shown(name)}", nearest(name, known))

    def _constant(self, node: ast.Constant) -> Constant:
        value = node.value
        if isinstance(value, str):
            # The SQL parser ends a statement at NUL, and control characters in names are never intended.
            if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
                raise self.error(node, "a control character in a text")
            return Constant(value, Kind.TEXT)
        if isinstance(value, int) and not isinstance(value, bool):
            return Constant(self._number(node, value), Kind.INTEGER)
        raise self.error(node, f"{type(value).__name__} instead of a text or a whole number")

    def _number(self, node: ast.expr, value: int) -> int:
        if abs(value) > MAX_TIME:
            raise self.error(node, "a number larger than any column can hold")
        return value

    def _list(self, node: ast.List, items: list[ast.expr]) -> Constant:
        values = [self._constant(item) for item in items if isinstance(item, ast.Constant)]
        if len(values) < len(items):
            raise self.error(node, "a list with items other than constants")
        kinds = {value.kind for value in values}
        if len(kinds) > 1:
            raise self.error(node, "a list of texts and numbers")
        kind = Kind.INTEGERS if kinds == {Kind.INTEGER} else Kind.TEXTS
        return Constant(tuple(each for each in (value.value for value in values) if isinstance(each, str | int)), kind)

    def _subscript(self, node: ast.Subscript, present: frozenset[str], depth: int) -> Term:
        if not isinstance(node.value, ast.Name):
            raise self.error(node, "[...] after something other than a name")
        name = node.value.id
        if name in self._parameters and name not in self._table.by_name:
            return self._lookup(node, self._parameters[name], self.value(node.slice, present, depth + 1))
        column = self.value(node.value, frozenset(self._table.by_name), depth)
        if not isinstance(column, Read) or column.kind is not Kind.MAP:
            raise self.error(node, f"{name} has no entries", "only tags, maps and schedules have")
        if not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, str):
            raise self.error(node.slice, "a tag's name must be a literal", f'as in {name}["environment"]')
        if tag_name(node) not in present:
            raise self.error(node, f"{text_of(node)} may be absent", f"test `{text_of(node)} is not None and ...` first")
        key = self._constant(node.slice).value
        if key != str(key).lower():
            raise self.error(node.slice, "tag names are stored in lower case", f'write "{str(key).lower()}"')
        return Tag(name, str(key))

    def _lookup(self, node: ast.Subscript, parameter: Parameter, index: Term) -> Term:
        if not isinstance(index, Read):
            raise self.error(node.slice, "a parameter must be looked up by a column")
        if parameter.shape is Shape.ONE:
            raise self.error(node, f"{parameter.name} is one value", f"write {parameter.name}")
        if parameter.shape is Shape.SCHEDULE:
            if index.kind is not Kind.TIME:
                raise self.error(node.slice, f"a schedule must be looked up by a time; {index.column} is {a_kind(index.kind)}")
            return Lookup(parameter.name, index, parameter.kind)
        values = self._table.by_name[index.column].values
        if not values or index.kind is not Kind.TEXT:
            raise self.error(node.slice, f"a map must be looked up by an enumeration; {index.column} is none")
        for entries in parameter.profiles.values():
            keys = {str(key) for key in entries} if isinstance(entries, Mapping) else set()
            for key in sorted(keys - {*values, OTHERWISE}):
                raise self.error(node, f"{index.column} is never {shown(key)}", nearest(key, values))
            missing = [value for value in values if value not in keys]
            if missing and OTHERWISE not in keys:
                raise self.error(node, f"{parameter.name} has no entry for {', '.join(missing)}", "add it, or `otherwise`")
        return Lookup(parameter.name, index, parameter.kind)

    def _sum(self, node: ast.BinOp, present: frozenset[str], depth: int) -> Term:
        left = self.value(node.left, present, depth + 1)
        right = self.value(node.right, present, depth + 1)
        plus = isinstance(node.op, ast.Add)
        match left.kind, right.kind, plus:
            case (Kind.TIME, Kind.TIME, False) | (Kind.DURATION, Kind.DURATION, _):
                kind = Kind.DURATION
            case (Kind.TIME, Kind.DURATION, _) | (Kind.DURATION, Kind.TIME, True):
                kind = Kind.TIME
            case _:
                remedy = "write days(30) for a number of days" if Kind.INTEGER in (left.kind, right.kind) else ""
                raise self.error(
                    node, f"{a_kind(left.kind)} {'+' if plus else '-'} {a_kind(right.kind)} has no meaning", remedy
                )
        return Sum("+" if plus else "-", left, right, kind)

    def _days(self, node: ast.Call) -> Term:
        match node:
            case ast.Call(args=[ast.Constant(value=int() as number)], keywords=[]) if not isinstance(number, bool):
                return Constant(self._number(node, number * DAY), Kind.DURATION)
            case _:
                raise self.error(node, "days takes one whole number", "as in days(30)")


def tag_name(node: ast.expr) -> str:
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
            return f"{name}[{key}]"
        case _:
            return ""


def a_kind(kind: Kind) -> str:
    return f"an {kind}" if kind is Kind.INTEGER else "a list of texts" if kind is Kind.TEXTS else f"a {kind}"


def text_of(node: ast.AST) -> str:
    return ast.unparse(node)


def noun(node: ast.AST) -> str:
    match node:
        case ast.BinOp(op=op):
            return f"{type(op).__name__.lower()} of two values"
        case ast.Compare() | ast.BoolOp():
            return "a condition"
        case ast.Call():
            return "a function's answer"
        case _:
            return type(node).__name__.lower()
