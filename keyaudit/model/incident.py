"""One stolen key on one page: what it is, who trusts it, who used it, what they did next, and what nobody can know."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from keyaudit.model.blast_radius import BlastRadius
from keyaudit.model.errors import Exit
from keyaudit.model.run import Verdict
from keyaudit.model.tables.usage import MAIL_LOG, SHOWN_BY
from keyaudit.model.usage import Blind, Unseen, Window

LOGS = frozenset((*SHOWN_BY.values(), "AADManagedIdentitySignInLogs", "AzureDiagnostics"))
"""Names of logs, as what is not seen names them."""


class Confidence(StrEnum):
    """What a sentence rests on."""

    OBSERVED = "observed"
    """A record of a log, or an object that Azure showed, says so."""
    INFERRED = "inferred"
    """It follows from several of these; something else could explain them."""
    NOT_KNOWABLE = "not knowable"
    """What would say so was not recorded, not supplied, or is recorded nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """A version of the key in a vault, as the inventory has it. None: unknown where `unknown` names it, else absent."""

    id: str
    version: str | None
    kind: str | None
    custody: str | None
    enabled: bool | None
    exportable: bool | None
    created_on: int | None
    expires_on: int | None
    unknown: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An application or principal, as far as the log names it."""

    app_id: str | None
    principal_id: str | None
    name: str
    """As the inventory has it; empty where that does not know it."""

    @property
    def shown(self) -> str:
        """Its name, else its id."""
        return self.name or self.app_id or self.principal_id or "nobody that the log names"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Uses by one actor of one operation on one class of targets, with one credential and one caller."""

    actor: Actor
    operation: str
    target_kind: str
    target: str
    """The class of targets, as a baseline has it."""
    caller: str | None
    credential: str | None
    networks: Sequence[str]
    clients: Sequence[str]
    objects: Sequence[str]
    """The first few of what it was done to."""
    objects_count: int
    first_on: int
    last_on: int
    count: int
    refused: int
    outside: Sequence[str] | None
    """The reasons for which it is outside the baseline; empty: it is inside. None: nobody knows, for want of a baseline."""
    because: str
    """Why this actor is followed, in words; empty for an actor that used the key itself."""
    records: Sequence[str]
    """The records' own ids, the first hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """At least so many, and at most; None: nothing bounds it."""

    least: int
    most: int | None


def about_log(unseen: Unseen, log: str) -> bool:
    """Whether what is not seen is of that log, as far as its subject names one: a file may be of any."""
    if unseen.blind is Blind.THROTTLED:
        return log == MAIL_LOG
    name = unseen.subject.rpartition("/")[2].rpartition(" of ")[2]
    return name == log or name not in LOGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the logs show."""

    window: Window
    learned_until: int | None
    """None: there is no baseline."""
    uses: Sequence[Act]
    """Who used the key."""
    timeline: Sequence[Act]
    """What those did who are outside the baseline, or without one all of them, in the order of their first acts."""
    mailboxes: Count
    """Read by these."""
    unseen: Sequence[Unseen]
    absent: Sequence[str]
    """Logs of which nothing at all was supplied."""
    vault_logged: bool | None
    """The log of the key's own vault is there; None: it is in no vault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """The page."""

    radius: BlastRadius
    keys: Sequence[KeyFacts]
    observed: Observed | None
    """None: no logs were supplied."""
    extractable: bool | None
    """Its private half may be outside of a vault: it is exportable, external, or known stolen. None: unknown."""

    @property
    def verdict(self) -> Verdict:
        """That of the walk; what logs do not show makes it incomplete."""
        return self.radius.verdict

    @property
    def held(self) -> set[Exit]:
        """What the logs say of the run: something of them is missing."""
        if self.observed is None or self.observed.unseen or self.observed.absent or self.observed.vault_logged is False:
            return {Exit.INCOMPLETE}
        return set()
