"""Reads a condition: a Python boolean expression becomes a typed tree, or an error with its place. Nothing is evaluated."""

import ast
import warnings
from collections.abc import Mapping

from keyaudit.model.documents.problems import FieldError, nearest, shown
from keyaudit.model.schema.columns import Table
from keyaudit.policy.conditions import regex
from keyaudit.policy.conditions.narrowing import Condition, Facts, freed, freed_by_flag, freed_by_list
from keyaudit.policy.conditions.parameters import Parameter
from keyaudit.policy.conditions.terms import MAX_DEPTH, Terms, a_kind, noun, tag_name, text_of
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
    ParameterValue,
    Read,
    Some,
    Tag,
    Term,
    walk,
)

MAX_LENGTH = 2_000
MAX_WRITTEN = 50_000
"""The maximum length of parameters in a query, counted at every use."""

_ORDER: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_EQUALITY: dict[type[ast.cmpop], str] = {ast.Eq: "==", ast.NotEq: "!="}
_ORDERED = frozenset({Kind.INTEGER, Kind.TIME, Kind.DURATION})
_ITEMS = {Kind.TEXTS: Kind.TEXT, Kind.INTEGERS: Kind.INTEGER}
FUNCTIONS: dict[str, tuple[Kind, Kind]] = {
    "startswith": (Kind.TEXT, Kind.TEXT),
    "endswith": (Kind.TEXT, Kind.TEXT),
    "contains": (Kind.TEXT, Kind.TEXT),
    "matches": (Kind.TEXT, Kind.TEXT),
    "overlaps": (Kind.TEXTS, Kind.TEXTS),
    "covers": (Kind.TEXTS, Kind.TEXTS),
}
"""Boolean functions with their argument kinds. `days(n)` returns a duration."""


def condition(text: str, table: Table, parameters: Mapping[str, Parameter], present: frozenset[str] = frozenset()) -> Condition:
    """The condition in `text`. `present`: the columns that cannot be absent. Raises FieldError."""
    if len(text) > MAX_LENGTH:
        raise FieldError(f"a condition of more than {MAX_LENGTH:,} characters", "split the policy")
    # Block scalars keep line ends, which have no meaning in an expression.
    line = text.replace("\n", " ").strip()
    tree, facts = _Checker(table, parameters, line).boolean(_parse(line), present, 1)
    if written(tree, parameters) > MAX_WRITTEN:
        what = f"its parameters exceed {MAX_WRITTEN:,} characters, counted at each use"
        raise FieldError(what, "shorten them, or use them less often", 0)
    return Condition(line, tree, facts)


def written(tree: Term, parameters: Mapping[str, Parameter]) -> int:
    """The length of the parameters in a condition, counted at every use."""
    read = (parameters[node.parameter] for node in walk(tree) if isinstance(node, ParameterValue | Lookup))
    return sum(parameter.written for parameter in read)


def _parse(line: str) -> ast.expr:
    if not line.isprintable():
        raise FieldError("an invisible character in the condition", "leave it out")
    try:
        with warnings.catch_warnings():
            # "\d" in a plain string is a warning in Python; here it is an error.
            warnings.simplefilter("error")
            return ast.parse(line, mode="eval").body
    except SyntaxError as error:
        # Python returns 0 for the end of the text.
        at = error.offset - 1 if error.offset else len(line)
        remedy = (
            'write patterns as r"..."' if "escape" in error.msg else "write == to compare" if line[at : at + 1] == "=" else ""
        )
        raise FieldError(f"not a condition: {error.msg}", remedy, at) from None
    except (ValueError, RecursionError, MemoryError):
        raise FieldError("not a condition: nested too deep, or not text", at=0) from None


class _Checker:
    """Checks one condition. `present` is the set of columns and tags that cannot be absent at that place."""

    def __init__(self, table: Table, parameters: Mapping[str, Parameter], line: str) -> None:
        self._table = table
        self._terms = Terms(table, parameters, line)

    def boolean(self, node: ast.expr, present: frozenset[str], depth: int) -> tuple[Term, Facts]:
        """A boolean term."""
        if depth > MAX_DEPTH:
            raise self._terms.error(node, f"nested deeper than {MAX_DEPTH} levels", "split the policy")
        match node:
            case ast.BoolOp(op=op, values=values):
                return self._joined(isinstance(op, ast.And), values, present, depth)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                term, facts = self.boolean(operand, present, depth + 1)
                return Not(term), facts.negated()
            case ast.Compare():
                return self._comparisons(node, present, depth)
            case ast.Call():
                return self._call(node, present, depth), Facts()
            case ast.Name() | ast.Constant():
                flag = self._flag(node, present, depth)
                return flag, freed_by_flag(self._table, flag)
            case _:
                raise self._terms.error(
                    node, f"{noun(node)} where a condition belongs", "and, or, not, comparisons, in, is None"
                )

    def _joined(self, every: bool, values: list[ast.expr], present: frozenset[str], depth: int) -> tuple[Term, Facts]:
        terms: list[Term] = []
        facts: Facts | None = None
        for value in values:
            # The later terms of `and` are evaluated if the earlier are true; those of `or` if they are false.
            known = present if facts is None else present | (facts.when_true if every else facts.when_false)
            term, found = self.boolean(value, known, depth + 1)
            terms.append(term)
            facts = found if facts is None else facts.and_(found) if every else facts.or_(found)
        return (Every(tuple(terms)) if every else Some(tuple(terms))), facts or Facts()

    def _flag(self, node: ast.Name | ast.Constant, present: frozenset[str], depth: int) -> Term:
        if isinstance(node, ast.Constant):
            raise self._terms.error(node, f"{node.value!r} where a condition belongs", "it must depend on the row")
        term = self._terms.value(node, present, depth)
        if term.kind is not Kind.BOOLEAN:
            raise self._terms.error(node, f"{node.id} is {a_kind(term.kind)}, not a condition", "compare it with something")
        return term

    def _comparisons(self, node: ast.Compare, present: frozenset[str], depth: int) -> tuple[Term, Facts]:
        if len(node.ops) == 1:
            return self._comparison(node, present, depth)
        # a < b < c is a < b and b < c.
        lefts = [node.left, *node.comparators]
        pairs = [
            ast.copy_location(ast.Compare(left, [operator], [right]), left)
            for left, operator, right in zip(lefts, node.ops, node.comparators, strict=False)
        ]
        return self._joined(True, list[ast.expr](pairs), present, depth)

    def _comparison(self, node: ast.Compare, present: frozenset[str], depth: int) -> tuple[Term, Facts]:
        left, operator, right = node.left, node.ops[0], node.comparators[0]
        if isinstance(operator, ast.Is | ast.IsNot):
            return self._is_none(left, right, negated=isinstance(operator, ast.IsNot))
        for side in (left, right):
            if isinstance(side, ast.Constant) and side.value is None:
                raise self._terms.error(side, "compared with None", "write is None, or is not None")
        if isinstance(operator, ast.In | ast.NotIn):
            membership = self._in(left, right, self._every(left, right), depth)
            found, facts = _unless_absent(membership, self._open(present, membership.item, membership.items))
            facts = facts.and_(freed_by_list(self._table, membership.item, membership.items))
            return (Not(found), facts.negated()) if isinstance(operator, ast.NotIn) else (found, facts)
        if type(operator) in _EQUALITY:
            return self._equality(node, _EQUALITY[type(operator)], present, depth)
        first, second = self._terms.value(left, present, depth), self._terms.value(right, present, depth)
        sign = _ORDER[type(operator)]
        self._comparable(node, sign, first, second)
        self._terms.known_values(left, first, right, second)
        self._terms.known_values(right, second, left, first)
        return Compare(sign, first, second), Facts()

    def _equality(self, node: ast.Compare, sign: str, present: frozenset[str], depth: int) -> tuple[Term, Facts]:
        """`==` or `!=`: an absent value equals nothing, and needs no test."""
        left, right = node.left, node.comparators[0]
        every = self._every(left, right)
        first, second = self._terms.value(left, every, depth), self._terms.value(right, every, depth)
        self._comparable(node, sign, first, second)
        self._terms.known_values(left, first, right, second)
        self._terms.known_values(right, second, left, first)
        found, facts = _unless_absent(Compare("==", first, second), self._open(present, first, second))
        own = freed(self._table, "==", first, second)
        facts = Facts(facts.when_true | own.when_true, facts.when_false)
        if sign == "==":
            return found, facts
        return (Compare("!=", first, second) if isinstance(found, Compare) else Not(found)), facts.negated()

    def _every(self, *nodes: ast.expr) -> frozenset[str]:
        """All columns, and the tags at these places, for a comparison that handles absence."""
        return frozenset(self._table.by_name).union(tag_name(node) for node in nodes)

    def _open(self, present: frozenset[str], *terms: Term) -> list[Read | Tag]:
        """The terms that may be absent, given that `present` cannot be."""
        return [
            term
            for term in terms
            if (isinstance(term, Read) and term.column not in present and self._terms.may_be_absent(term.column))
            or (isinstance(term, Tag) and _name(term) not in present)
        ]

    def _is_none(self, left: ast.expr, right: ast.expr, *, negated: bool) -> tuple[Term, Facts]:
        if not (isinstance(right, ast.Constant) and right.value is None):
            raise self._terms.error(right, "is and is not take None alone", "write == or !=")
        every = frozenset(self._table.by_name) | {tag_name(left)}
        term = self._terms.value(left, every, 1)
        if not isinstance(term, Read | Tag):
            raise self._terms.error(left, "only a column can be None")
        if isinstance(term, Read) and not self._terms.may_be_absent(term.column):
            raise self._terms.error(
                left, f"{term.column} is never absent", "remove the test: unknown values are handled automatically"
            )
        facts = Facts(when_false=frozenset({_name(term)}))
        absent = Absent(term)
        return (Not(absent), facts.negated()) if negated else (absent, facts)

    def _in(self, left: ast.expr, right: ast.expr, present: frozenset[str], depth: int) -> In:
        item, items = self._terms.value(left, present, depth), self._terms.value(right, present, depth)
        if items.kind is Kind.MAP:
            raise self._terms.error(
                right, f"{text_of(right)} has names and values", f"write {text_of(right)}[{text_of(left)}] is not None"
            )
        if items.kind is Kind.TEXT:
            raise self._terms.error(right, f"{text_of(right)} is a text", f"write contains({text_of(right)}, {text_of(left)})")
        wanted = _ITEMS.get(items.kind)
        empty = isinstance(items, Constant) and not items.value
        if wanted is None or (item.kind is not wanted and not empty):
            raise self._terms.error(left, f"{a_kind(item.kind)} cannot be in {a_kind(items.kind)}")
        self._terms.known_values(left, item, right, items)
        self._terms.known_values(right, items, left, item)
        return In(item, items)

    def _comparable(self, node: ast.expr, sign: str, left: Term, right: Term) -> None:
        kinds = {left.kind, right.kind}
        if kinds == {Kind.COUNT, Kind.INTEGER} or (len(kinds) == 1 and kinds <= _ORDERED):
            return
        if kinds == {Kind.TEXT}:
            if sign in ("==", "!="):
                return
            raise self._terms.error(node, f"texts have no order: {sign}")
        remedy = ""
        if Kind.INTEGER in kinds and Kind.DURATION in kinds:
            number = left if left.kind is Kind.INTEGER else right
            named = number.parameter if isinstance(number, ParameterValue | Lookup) else ""
            remedy = f"give {named} whole days, as in P30D" if named else "write days(30) for a number of days"
        elif Kind.BOOLEAN in kinds:
            remedy = "write `enabled`, or `not enabled`"
        elif Kind.TEXTS in kinds and Kind.TEXT in kinds:
            remedy = "write `in`"
        raise self._terms.error(node, f"{a_kind(left.kind)} {sign} {a_kind(right.kind)} cannot be compared", remedy)

    def _call(self, node: ast.Call, present: frozenset[str], depth: int) -> Term:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            raise self._terms.error(node, f"no such function: {shown(text_of(node.func))}", nearest(name, [*FUNCTIONS, "days"]))
        if node.keywords or len(node.args) != 2:
            raise self._terms.error(node, f"{name} takes two arguments")
        left, right = (self._terms.value(argument, present, depth + 1) for argument in node.args)
        for at, term, wanted in zip(node.args, (left, right), FUNCTIONS[name], strict=True):
            if term.kind is not wanted:
                remedy = f"write {text_of(node.args[1])} in {text_of(node.args[0])}" if term.kind is Kind.TEXTS else ""
                raise self._terms.error(at, f"{name} takes {a_kind(wanted)} here, not {a_kind(term.kind)}", remedy)
        if name == "matches":
            self._patterns(node.args[1], right)
        if name in ("overlaps", "covers"):
            self._terms.known_values(node.args[0], left, node.args[1], right)
            self._terms.known_values(node.args[1], right, node.args[0], left)
        return Call(name, left, right)

    def _patterns(self, node: ast.expr, term: Term) -> None:
        if not isinstance(term, Constant | ParameterValue):
            raise self._terms.error(node, "a pattern must be a literal or a parameter")
        for pattern in self._terms.texts(term):
            try:
                regex.portable(pattern)
            except FieldError as error:
                raise self._terms.error(node, error.what, error.remedy) from None


def _unless_absent(term: Term, open_: list[Read | Tag]) -> tuple[Term, Facts]:
    """The term, false if one of these is absent; with its narrowing facts."""
    if not open_:
        return term, Facts()
    tests = tuple(Not(Absent(each)) for each in open_)
    return Every((*tests, term)), Facts(when_true=frozenset(_name(each) for each in open_))


def _name(term: Read | Tag) -> str:
    return term.column if isinstance(term, Read) else f"{term.column}[{term.key}]"
