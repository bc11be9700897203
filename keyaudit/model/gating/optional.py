"""Which gaps a run may have: those that no required policy or evidence needs."""

from collections.abc import Collection

from msgspec import Struct

from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import OPTIONAL, Reason


class MayLack(Struct, frozen=True):
    """The gaps that do not make a run incomplete."""

    reasons: frozenset[Reason] = OPTIONAL
    rights: frozenset[str] = frozenset()
    """Evidence that was required by its name, though it needs an optional right: a gap in it counts as any other does."""

    def wants(self, operation: str) -> bool:
        """Whether the operation reads evidence that needs an optional right and is required."""
        return OPERATIONS[operation].evidence in self.rights

    def covers(self, operation: str, reason: Reason) -> bool:
        """Whether an operation may be incomplete for this reason."""
        return reason in self.reasons and not (reason is Reason.OPTIONAL_RIGHT and self.wants(operation))

    def cover(self, reasons: Collection[Reason]) -> bool:
        """Whether all these reasons may make a value unknown."""
        return self.reasons.issuperset(reasons)


MAY_LACK = MayLack()
"""Without --require."""
