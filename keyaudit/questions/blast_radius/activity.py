"""Evidence of who and what is at work: whom a step that removes access would cut off."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.usage import Window


class Source(StrEnum):
    """The kinds of evidence that something is in use."""

    LOGS = "logs"
    BASELINE = "baseline"
    SIGN_INS = "sign-in report"
    """Entra's report of the last sign-in of each application."""
    CREDENTIALS = "credential report"
    """Entra's report of the last use of each credential."""


class Used(Struct, frozen=True, kw_only=True):
    """The uses that one source shows."""

    source: Source
    last_on: int
    count: int | None = None
    """None: the source has only the last use."""
    outside: int = 0
    """The number of these that are outside the baseline; without a baseline, none is known to be."""
    usual_on: int | None = None
    """The last of the others, or later; None: there is none, or the source does not say."""

    @property
    def usual(self) -> bool:
        """Whether some of these are not known to be outside the baseline."""
        return self.count is None or self.count > self.outside


class Work(Struct, frozen=True, kw_only=True):
    """Whether one principal, key version, credential or application is in use."""

    used: Sequence[Used] = ()
    covered: Window | None = None
    """The days whose logs are complete and long enough to show that it is not in use; None: no such days."""

    @property
    def at_work(self) -> bool:
        """Some use is shown that is not known to be outside the baseline."""
        return any(each.usual for each in self.used)

    @property
    def outside(self) -> bool:
        """Every use that is shown is outside the baseline, and there is one."""
        return bool(self.used) and not self.at_work

    @property
    def may_end(self) -> bool:
        """Complete logs show no use at all."""
        return self.covered is not None and not self.used

    @property
    def only_outside(self) -> bool:
        """Complete logs show uses, and each of them is outside the baseline."""
        return self.covered is not None and self.outside


UNKNOWN = Work()
"""Of what nothing is known: never taken for not in use."""


def credential(key_id: str) -> str:
    """The name in `BlastRadius.work` of a credential. Its key id alone could be the id of an application, too."""
    return f"credential {key_id}".lower()


def in_vault(vault_id: str, principal_id: str) -> str:
    """The name in `BlastRadius.work` of what a principal does in a vault."""
    return f"{vault_id} {principal_id}".lower()
