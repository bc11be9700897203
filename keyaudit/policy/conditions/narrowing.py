"""Type narrowing: which columns that may be absent are present where a condition is true or false."""

from msgspec import Struct

from keyaudit.model.schema.columns import Table
from keyaudit.policy.conditions.types import Constant, Read, Term


class Facts(Struct, frozen=True):
    """The columns (and tags) that are present if a condition is true, and if it is false.

    Also valid in three-valued logic: if a column of `when_true` is absent, the condition is false and never unknown.
    """

    when_true: frozenset[str] = frozenset()
    when_false: frozenset[str] = frozenset()

    def negated(self) -> "Facts":
        """The facts of `not`."""
        return Facts(self.when_false, self.when_true)

    def and_(self, later: "Facts") -> "Facts":
        """The facts of `self and later`."""
        return Facts(self.when_true | later.when_true, self.when_false & later.when_false)

    def or_(self, later: "Facts") -> "Facts":
        """The facts of `self or later`."""
        return Facts(self.when_true & later.when_true, self.when_false | later.when_false)


class Condition(Struct, frozen=True):
    """A checked condition, with its narrowing facts."""

    text: str
    tree: Term
    facts: Facts


def freed(table: Table, sign: str, left: Term, right: Term) -> Facts:
    """The facts of a comparison: `kind == "federated"` implies the columns that are always present in such rows."""
    for column, value in ((left, right), (right, left)):
        if isinstance(column, Read) and isinstance(value, Constant):
            names = _present(table, column, value)
            return Facts(when_true=names) if sign == "==" else Facts(when_false=names) if sign == "!=" else Facts()
    return Facts()


def freed_by_list(table: Table, item: Term, items: Term) -> Facts:
    """The facts of `item in items`: the columns that are present for each of the items."""
    if isinstance(item, Read) and isinstance(items, Constant) and isinstance(items.value, tuple) and items.value:
        return Facts(when_true=_present(table, item, items))
    return Facts()


def freed_by_flag(table: Table, flag: Term) -> Facts:
    """The facts of a boolean column used as a condition."""
    if not isinstance(flag, Read):
        return Facts()
    present = {held: {each.name for each in table.columns if each.present_where(flag.column, held)} for held in (True, False)}
    return Facts(when_true=frozenset(present[True]), when_false=frozenset(present[False]))


def _present(table: Table, column: Read, constant: Constant) -> frozenset[str]:
    """The columns that are present in rows in which `column` is the constant, or any of its items."""
    values = constant.value if isinstance(constant.value, tuple) else (constant.value,)
    return frozenset(each.name for each in table.columns if all(each.present_where(column.column, value) for value in values))
