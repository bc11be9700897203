"""Generates mutants of a policy, which its examples must detect."""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.model.severity import place
from keyaudit.model.values.times import DAY
from keyaudit.policy.conditions.parameters import Single, Value
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
    columns_read,
)
from keyaudit.policy.definition import Trees
from keyaudit.policy.evaluation.binding import Bound

_UNITS = {Kind.DURATION: DAY, Kind.INTEGER: 1}
_MOVED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


class Mutant(Struct, frozen=True):
    """A policy with one change, which is not type-checked."""

    what: str
    trees: Trees
    values: Mapping[str, Value]


def mutants(bound: Bound) -> Iterator[Mutant]:
    """Every mutant: a term of and/or or a weakness removed, a comparison moved over its boundary, a limit moved by one."""
    trees, values = bound.policy.trees, bound.values
    for what, term in _variants(trees.applies_to):
        yield Mutant(f"applies_to {what}", replace(trees, applies_to=term), values)
    for what, term in _variants(trees.violated_when):
        yield Mutant(f"violated_when {what}", replace(trees, violated_when=term), values)
    for number, (weakness, tree) in enumerate(trees.rungs):
        before, after = trees.rungs[:number], trees.rungs[number + 1 :]
        yield Mutant(f"weakness_when without {weakness}", replace(trees, rungs=(*before, *after)), values)
        # Without its guard a rung is unknown if the column is absent, so its weakness stays possible beside the last one. If
        # that one comes first, no example can detect it, but the type checker does.
        for what, term in _variants(tree, guards=place(weakness) < place(trees.weakness)):
            changed = replace(trees, rungs=(*before, (weakness, term), *after))
            yield Mutant(f"{weakness} in weakness_when {what}", changed, values)
    for name in bound.policy.parameters_read:
        unit = _UNITS.get(bound.policy.parameters[name].kind)
        if unit is not None:
            for what, value in _moved(name, values[name], unit):
                yield Mutant(what, trees, {**values, name: value})


def _moved(name: str, value: Value, unit: int) -> Iterator[tuple[str, Value]]:
    for step, word in ((unit, "raised"), (-unit, "lowered")):
        if isinstance(value, int):
            yield f"with {name} {word} by one", value + step
        elif isinstance(value, Mapping):
            for key, entry in value.items():
                if isinstance(entry, int):
                    moved: dict[str | int, Single] = {**value, key: entry + step}
                    yield f"with the entry {key} of {name} {word} by one", moved


def _variants(term: Term, *, guards: bool = True) -> Iterator[tuple[str, Term]]:
    """The terms that differ from `term` in one place; `guards`: also those without an `x is not None` before a use of x."""
    match term:
        case Every() | Some():
            yield from _joined(term, guards=guards)
        case Not(part):
            for what, other in _variants(part, guards=guards):
                yield what, Not(other)
        case Compare(operator, left, right):
            if operator in _MOVED:
                yield f"with `{wording(term)}` moved to {_MOVED[operator]}", replace(term, operator=_MOVED[operator])
            yield from _sides(term, left, right)
        case Sum(_, left, right) | Call(_, left, right):
            yield from _sides(term, left, right)
        case Constant(int() as value, kind) if kind in _UNITS:
            for step, word in ((_UNITS[kind], "raised"), (-_UNITS[kind], "lowered")):
                yield f"with {wording(term)} {word} by one", Constant(value + step, kind)
        case _:
            return


def _joined(term: Every | Some, *, guards: bool) -> Iterator[tuple[str, Term]]:
    for number, part in enumerate(term.terms):
        before, after = term.terms[:number], term.terms[number + 1 :]
        if (before or after) and (guards or not _guards(part, after)):
            yield f"without `{wording(part)}`", replace(term, terms=(*before, *after))
        for what, other in _variants(part, guards=guards):
            yield what, replace(term, terms=(*before, other, *after))


def _guards(term: Term, others: tuple[Term, ...]) -> bool:
    match term:
        case Not(Absent(Read(column) | Tag(column))):
            return column in columns_read(*others)
        case _:
            return False


def _sides(term: Compare | Sum | Call, left: Term, right: Term) -> Iterator[tuple[str, Term]]:
    for what, other in _variants(left):
        yield what, replace(term, left=other)
    for what, other in _variants(right):
        yield what, replace(term, right=other)


def wording(term: Term) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a kind of term
    """A term as source text."""
    match term:
        case Read(column):
            return column
        case Tag(column, key):
            return f'{column}["{key}"]'
        case Now():
            return "now"
        case ParameterValue(parameter):
            return parameter
        case Lookup(parameter, index):
            return f"{parameter}[{index.column}]"
        case Constant(value, kind):
            if isinstance(value, tuple):
                return f"[{', '.join(repr(item) for item in value)}]"
            return f"days({int(value) // DAY})" if kind is Kind.DURATION else repr(value)
        case Sum(operator, left, right) | Compare(operator, left, right):
            return f"{wording(left)} {operator} {wording(right)}"
        case Absent(part):
            return f"{wording(part)} is None"
        case Not(Absent(part)):
            return f"{wording(part)} is not None"
        case Not(In(item, items)):
            return f"{wording(item)} not in {wording(items)}"
        case In(item, items):
            return f"{wording(item)} in {wording(items)}"
        case Call(function, left, right):
            return f"{function}({wording(left)}, {wording(right)})"
        case Not(part):
            return f"not ({wording(part)})" if isinstance(part, Every | Some | Compare) else f"not {wording(part)}"
        case Every(terms):
            return " and ".join(f"({wording(part)})" if isinstance(part, Some) else wording(part) for part in terms)
        case Some(terms):
            return " or ".join(wording(part) for part in terms)
