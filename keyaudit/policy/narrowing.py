"""What a condition's outcome says of columns that may be absent, so that they can be compared where they cannot be."""

from dataclasses import dataclass

from keyaudit.model.columns import Table
from keyaudit.policy.types import Constant, Read, Term


@dataclass(frozen=True, slots=True)
class Facts:
    """The columns (and tags) that are present where a condition is true, and where it is false.

    Sound in three-valued logic too: where a column of `when_true` is absent, the condition is false and never unknown.
    """

    when_true: frozenset[str] = frozenset()
    when_false: frozenset[str] = frozenset()

    def negated(self) -> "Facts":
        """Those of `not`."""
        return Facts(self.when_false, self.when_true)

    def and_(self, later: "Facts") -> "Facts":
        """Those of `self and later`."""
        return Facts(self.when_true | later.when_true, self.when_false & later.when_false)

    def or_(self, later: "Facts") -> "Facts":
        """Those of `self or later`."""
        return Facts(self.when_true & later.when_true, self.when_false | later.when_false)


def freed(table: Table, sign: str, left: Term, right: Term) -> Facts:
    """The facts of a comparison: `kind == "federated"` frees the columns that only such rows have."""
    for column, value in ((left, right), (right, left)):
        if isinstance(column, Read) and isinstance(value, Constant):
            names = frozenset(other.name for other in table.columns if other.present_where(column.column, value.value))
            return Facts(when_true=names) if sign == "==" else Facts(when_false=names) if sign == "!=" else Facts()
    return Facts()
