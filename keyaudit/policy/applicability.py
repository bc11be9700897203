"""Whether a policy may apply to rows with only a few known values: those that an unread list would have added."""

from keyaudit.model.schema.columns import Sure, Table
from keyaudit.policy.conditions.types import Absent, Compare, Constant, Every, In, Not, Read, Some, Term

_UNSURE = object()


def may_apply(term: Term, sure: Sure) -> bool:
    """Whether the condition may be true for a row with these known columns."""
    return _holds(term, sure) is not False


def part_may_apply(term: Term, table: Table, operation: str) -> bool:
    """Whether the condition may be true for a row that is missing without this list operation."""
    return any(may_apply(term, sure) for sure in table.rows_after(operation))


def needless(term: Term, table: Table, columns: tuple[str, ...]) -> frozenset[str]:
    """The list operations whose rows can never match the condition, unless the columns depend on them in another way."""
    from keyaudit.inventory.reads import operations_elsewhere  # noqa: PLC0415 - slow to import, and compiled policies have the answer

    elsewhere = {operation for column in columns for operation in operations_elsewhere(table.name, column)}
    unfit = {operation for operation in table.listed_by if not part_may_apply(term, table, operation)}
    return frozenset(unfit - elsewhere)


def _holds(term: Term, sure: Sure) -> bool | None:
    match term:
        case Every() | Some():
            settles = isinstance(term, Some)
            found = [_holds(part, sure) for part in term.terms]
            return settles if settles in found else None if None in found else not settles
        case Not():
            inner = _holds(term.term, sure)
            return None if inner is None else not inner
        case Absent(term=Read(column=column)) | Read(column=column) if column in sure:
            return sure[column] is (None if isinstance(term, Absent) else True)
        case Compare(operator="==" | "!=" as operator):
            left, right = _value(term.left, sure), _value(term.right, sure)
            return None if _UNSURE in (left, right) else (left == right) == (operator == "==")
        case In(items=Constant(value=tuple() as items)):
            item = _value(term.item, sure)
            return None if item is _UNSURE else item in items
        case _:
            return None


def _value(term: Term, sure: Sure) -> object:
    """A known, present value."""
    match term:
        case Constant(value=value):
            return value
        case Read(column=column) if sure.get(column) is not None:
            return sure[column]
        case _:
            return _UNSURE
