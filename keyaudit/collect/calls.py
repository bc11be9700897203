"""Collects the results of all calls of one operation in one scope, for its coverage record."""

from collections import Counter

from keyaudit.model.coverage import SHOWN_BAD, Coverage, End, Refusal, Scope, State, bad_items, unknown_members
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import UNSAFE, Reason


class Calls:
    """The calls of one operation in one scope, for the coverage record.

    `per_object`: it is sent once per object, so refusals are counted as objects.
    """

    def __init__(self, scope: Scope, operation: str, *, per_object: bool = False) -> None:
        self.scope, self.id = scope, operation
        self._per_object = per_object
        self._received = self._kept = self._duplicate = self._quarantined = self._answered = 0
        self._refused: Counter[Reason] = Counter()
        self._details: dict[Reason, str] = {}
        self._bad: list[str] = []
        self._noted: frozenset[str] = frozenset()
        self.odd = ""
        """What was odd about a list that was read in full."""

    @property
    def reasons(self) -> frozenset[Reason]:
        """Why calls were refused so far."""
        return frozenset(self._refused)

    @property
    def used(self) -> bool:
        """Whether any request was sent."""
        return bool(self._received or self._refused or self._answered)

    def got(self, found: object) -> None:
        """Record what a request for one object returned: the object, or a refusal."""
        if isinstance(found, Refusal):
            self.refused(found)
        else:
            self.answered()

    def answered(self) -> None:
        """Record a request that returned its object."""
        self._received += 1
        self._kept += 1
        self._answered += 1

    def refused(self, refusal: Refusal) -> None:
        """Record a refusal of one object, or of the whole list."""
        lacking = refusal.reason in (Reason.PERMISSION, Reason.NOT_LICENSED) and OPERATIONS[self.id].evidence
        reason = Reason.OPTIONAL_RIGHT if lacking else refusal.reason
        self._refused[reason] += 1
        self._details.setdefault(reason, refusal.detail)

    def ended(self, end: End) -> None:
        """Record the end of a list."""
        self._received += end.received
        self._kept += end.kept
        self._duplicate += end.duplicate
        self._quarantined += end.quarantined
        self._bad += end.bad[: SHOWN_BAD - len(self._bad)]
        self._noted |= end.noted
        if end.refusal is not None:
            self.refused(end.refusal)
        elif end.kept or not end.quarantined:
            self._answered += 1

    def coverage(self, parent: Coverage | None = None) -> Coverage:
        """The record. If the parent list is incomplete, an operation that is sent for its objects is incomplete too."""
        reason, detail = None, "; ".join(filter(None, (unknown_members(self._noted), self.odd)))
        if self._refused:
            # A refusal for safety has precedence, then the most frequent reason; the name decides a tie, so that the result
            # does not depend on the order of answers.
            reason = min(self._refused, key=lambda reason: (reason not in UNSAFE, -self._refused[reason], reason))
            detail = self._details[reason]
        elif self._quarantined:
            reason, detail = Reason.BAD_ITEM, bad_items(self._quarantined, self._received, self._bad)
        elif parent is not None and parent.state is not State.ASSESSED:
            reason, detail = Reason.PARENT_NOT_ASSESSED, ""
        state = State.ASSESSED if reason is None else State.PARTIAL if self._kept or self._answered else State.NOT_ASSESSED
        return Coverage(
            scope=self.scope,
            operation=self.id,
            state=state,
            reason=reason,
            detail=detail,
            received=self._received,
            kept=self._kept,
            duplicate=self._duplicate,
            quarantined=self._quarantined,
            refused=self._refused.total() if self._per_object else 0,
        )


def not_assessed(scope: Scope, operations: tuple[str, ...], reason: Reason, detail: str = "") -> tuple[Coverage, ...]:
    """Records of operations that were not assessed."""
    return tuple(
        Coverage(scope=scope, operation=operation, state=State.NOT_ASSESSED, reason=reason, detail=detail)
        for operation in operations
    )


def why_incomplete(end: End) -> Reason | None:
    """Why a list is incomplete; None if it is complete."""
    return end.refusal.reason if end.refusal else Reason.BAD_ITEM if end.quarantined else None
