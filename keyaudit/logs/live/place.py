"""Reads one log in one place of Azure: its records as uses, and at the end its reading result."""

import hashlib
from collections.abc import Collection, Sequence

from msgspec import Struct, field

from keyaudit.inventory.logs.token import Token
from keyaudit.inventory.logs.use import FileRead, SourceRead, Use
from keyaudit.logs.files.documents import RawRecord
from keyaudit.logs.files.read import THROTTLING_UNTOLD, Counted
from keyaudit.logs.storing.write import Import
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.usage import Window
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY, iso_date

Batch = Sequence[Use | Token | FileRead]
"""A batch of uses and tokens of an answer."""
AT_ONCE = 1_000
"""The batch size: an answer may have half a million uses."""

_ANOTHER_TENANT = "find out whose logs are sent there, and read other places with --source"


class Outcome(Struct):
    """The result of a complete reading, besides its records."""

    answered: bool = False
    """Whether anything was read, even if it was empty."""
    reasons: set[Reason] = field(default_factory=set)
    """Why something was not read."""


class Place:
    """A place; its name is used like that of an exported file."""

    def __init__(self, name: str, form: str, logs: Collection[str], window: Window, *, known: Import, outcome: Outcome) -> None:
        """`form`: the format. `logs`: those whose records it may contain. `window`: the days that are asked for.

        Its result is added to the outcome.
        """
        self._name, self._form, self._logs, self._outcome = one_line(name, 1024), form, logs, outcome
        self._counted = Counted(self._name, known, _ANOTHER_TENANT)
        self._sha256 = hashlib.sha256()
        self._size = self._records = 0
        self._lacking: list[str] = []
        self._lacks_before: int | None = None
        self._lacks_later = False
        self._window = window

    def answered(self) -> None:
        """Record an answer, even an empty one."""
        self._outcome.answered = True

    def uses(self, text: bytes, found: RawRecord) -> Sequence[Use | Token]:
        """The uses of its next record. `text` is the raw record, `found` the decoded one. Raises UnsafeError."""
        return self.equal(text, [(found, 1)])

    def equal(self, text: bytes, found: Sequence[tuple[RawRecord, int]]) -> Sequence[Use | Token]:
        """The uses of its next row. Each of its decoded records stands for a number of equal ones. Raises UnsafeError."""
        self._sha256.update(text + b"\n")
        self._size += len(text) + 1
        self._records += 1
        return [use for record, times in found for use in self._counted.uses(self._records, record, times)]

    def refused(self, refusal: Refusal, operation: str) -> None:
        """Record a refusal."""
        self._outcome.reasons.add(refusal.reason)
        advice = ADVICE[refusal.reason]
        remedy = {
            Reason.PERMISSION: f"grant {OPERATIONS[operation].permission}",
            Reason.NOT_LICENSED: "license the tenant, or read the log elsewhere",
        }.get(refusal.reason, advice.remedy)
        detail = f" ({refusal.detail})" if refusal.detail else ""
        after = f"after record {self._records}: " if self._records else ""
        self.lacks(f"{after}{refusal.reason}{detail}: {advice.meaning}; {remedy}")

    def lacks(self, why: str, before: int | None = None) -> None:
        """Record a gap, limited to days before midnight UTC of `before` if given."""
        self._lacking.append(one_line(why, 1024))
        if before is None:
            self._lacks_later = True
        else:
            self._lacks_before = before

    def kept(self, days: int, as_of: int) -> None:
        """Record the days before those that the place keeps as not read, although the answer was complete."""
        since = as_of - days * DAY
        if self._window.since < since - since % DAY:
            what = f"kept for {days:,} days: what was logged before {iso_date(since)} no longer exists"
            self.lacks(what, before=since - since % DAY)

    def read(self) -> FileRead:
        """Its reading result, like that of a file: `size` and `sha256` are over its raw records, one per line."""
        if self._counted.throttling_untold:
            self.lacks(THROTTLING_UNTOLD)
        return FileRead(
            file=self._name,
            size=self._size,
            sha256=self._sha256.hexdigest(),
            form=self._form,
            complete=not self._lacking,
            lacks_before=None if self._lacks_later else self._lacks_before,
            asked=(self._window.since, self._window.until),
            unread=bool(self._lacking) and not self._records,
            # Even if nothing was read, it is known which logs it would have contained.
            sources=self._counted.settled() or {log: SourceRead() for log in sorted(self._logs)},
            trouble=(*self._lacking, *self._counted.trouble),
        )
