"""One log in one place of Azure, while it is read: its records as uses, and at the end what was read of it."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from keyaudit.collect.usage.documents import Found
from keyaudit.collect.usage.read import THROTTLING_UNTOLD, Counted
from keyaudit.inventory.logs.use import FileRead, SourceRead, Use
from keyaudit.inventory.logs.write import Import
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.text import one_line

Batch = Sequence[Use | FileRead]
"""What one answer came to, or a part of it."""
AT_ONCE = 1_000
"""Uses of an answer that are handed on together: a whole one may hold half a million."""

_ANOTHER_TENANT = "find out whose logs are sent there, and read other places with --source"


@dataclass(slots=True)
class Outcome:
    """What a whole reading came to, besides its records."""

    answered: bool = False
    """Something was read, if only that there is nothing."""
    reasons: set[Reason] = field(default_factory=set)
    """Why something was not."""


class Place:
    """Its name stands where that of an exported file stands."""

    def __init__(self, name: str, form: str, logs: Collection[str], known: Import, outcome: Outcome) -> None:
        """`form` says what it was read as, `logs` whose records it may hold. The outcome is told what becomes of it."""
        self._name, self._form, self._logs, self._outcome = one_line(name, 1024), form, logs, outcome
        self._counted = Counted(self._name, known, _ANOTHER_TENANT)
        self._sha256 = hashlib.sha256()
        self._size = self._records = 0
        self._lacking: list[str] = []
        self._lacks_before: int | None = None
        self._lacks_later = False

    def answered(self) -> None:
        """It was asked, and gave an answer, if only an empty one."""
        self._outcome.answered = True

    def uses(self, text: bytes, found: Found) -> Sequence[Use]:
        """What its next record comes to. `text` is the record as it came, `found` the record. Raises UnsafeError."""
        self._sha256.update(text + b"\n")
        self._size += len(text) + 1
        self._records += 1
        return self._counted.uses(self._records, found)

    def refused(self, refusal: Refusal, operation: str) -> None:
        """It was not read, or no further."""
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
        """Something of it was not read; only of days before midnight UTC of `before`, where that is given."""
        self._lacking.append(one_line(why, 1024))
        if before is None:
            self._lacks_later = True
        else:
            self._lacks_before = before

    def read(self) -> FileRead:
        """What was read of it, as of a file: `size` and `sha256` are over its records, one a line, as they came."""
        if self._counted.throttling_untold:
            self.lacks(THROTTLING_UNTOLD)
        return FileRead(
            file=self._name,
            size=self._size,
            sha256=self._sha256.hexdigest(),
            form=self._form,
            complete=not self._lacking,
            lacks_before=None if self._lacks_later else self._lacks_before,
            unread=bool(self._lacking) and not self._records,
            # Where none was read, it is known all the same of which logs there would have been some.
            sources=self._counted.settled() or {log: SourceRead() for log in sorted(self._logs)},
            trouble=(*self._lacking, *self._counted.trouble),
        )
