"""What is unusual in a window of logs, held against what a baseline learned; and what nobody can tell from these logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from keyaudit.model.errors import Exit
from keyaudit.model.findings import Severity
from keyaudit.model.reasons import Reason
from keyaudit.model.times import DAY, iso_date
from keyaudit.model.waivers import Glob

NOBODY = ""
"""The application id of a use that the log ties to none."""
ANY = "(any)"
"""The class of targets that all of a kind are in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Whole days in UTC, in seconds since 1970: from the start of the first to the end of the last, which is not in it."""

    since: int
    until: int

    @property
    def days(self) -> range:
        """The start of each day."""
        return range(self.since, self.until, DAY)

    def __str__(self) -> str:
        return f"{iso_date(self.since)} to {iso_date(self.until - DAY)}"


class Facet(StrEnum):
    """What is learned of a kind of use, and in what a use can be unusual."""

    APP = "app"
    CLIENT_APP = "client-app"
    NETWORK = "network"
    CLIENT = "client"
    KEY = "key"
    """The version of the key, or the credential signed in with."""
    PRINCIPAL = "principal"
    """For whom the application did it, where that is neither the application itself nor the owner of the mailbox."""


class Kind(StrEnum):
    """Why a use does not belong, the gravest first."""

    MANY_MAILBOXES = "many-mailboxes"
    RETURNED_KEY = "returned-key"
    """A newer one had taken its place long before."""
    NEW_OPERATION = "new-operation"
    """Nobody did this with the target before, or at all."""
    NEW_APP = "new-app"
    NEW_CLIENT_APP = "new-client-app"
    NEW_PRINCIPAL = "new-principal"
    NEW_TARGET = "new-target"
    """The target is new as well, and the application known for such a use of others."""
    NEW_NETWORK = "new-network"
    NEW_CLIENT = "new-client"
    NEW_KEY = "new-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One row of `usage`, as evidence; None is what the log does not say."""

    id: str
    used_on: int
    target_id: str | None
    client_app_id: str | None
    principal_id: str | None
    network: str | None
    client: str | None
    succeeded: bool | None
    source: str
    found_in: str
    """The file that holds it."""
    key: str | None
    """The version of the key, or the credential signed in with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One reason why uses do not belong, with all the uses that it holds of."""

    kind: Kind
    severity: Severity
    count: int
    """How many values are new; of mailboxes, how many were read in one day."""
    values: Sequence[str]
    """The first few of them."""
    elsewhere: bool
    """The baseline knows them of other uses, or they are Microsoft's own."""
    usual: int
    """Of mailboxes: the most that it learned of one day."""
    uses: int
    refused: int
    days: int
    first_on: int
    last_on: int
    evidence: Sequence[Use]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An application that somebody announced, for one operation, until a day."""

    app_id: str
    operation: str
    target: Glob
    owner: str
    reason: str
    ends: int
    """The first second after the last day of use that it covers."""
    place: str
    """`file:line`, for messages."""

    @property
    def last_day(self) -> str:
        """The last day of use that it covers."""
        return iso_date(self.ends - DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """What one application did in one operation with one class of targets, and that does not belong."""

    target_kind: str
    target: str
    operation: str
    app_id: str
    app_name: str
    """Of Microsoft's own applications; else empty."""
    why: Sequence[Why]
    """The gravest first."""
    accepted: Accepted | None = None

    @property
    def severity(self) -> Severity:
        """That of the gravest reason."""
        return self.why[0].severity

    @property
    def last_on(self) -> int:
        """When it was last done."""
        return max(why.last_on for why in self.why)


class Blind(StrEnum):
    """What cannot be told, by its cause."""

    NO_BASELINE = "no-baseline"
    TOO_MANY = "too-many-findings"
    NEW_SOURCE = "source-not-learned"
    NO_RHYTHM = "learned-too-short"
    ABSENT_SOURCE = "source-absent"
    MISSING_DAYS = "missing-days"
    NOT_TOLD = "column-not-told"
    THROTTLED = "mailbox-throttled"
    INCOMPLETE_FILE = "incomplete-file"
    BAD_LINES = "unreadable-lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Something that the logs or the baseline do not show: never a pass."""

    blind: Blind
    subject: str
    """A source, a mailbox, a file, an operation, or a column of a source; empty where it is all of them."""
    reason: Reason
    days: tuple[int, ...] = ()
    """The starts of the days that it is about; empty where it is the whole window."""
    count: int = 0
    """Of lines or uses, where it is about some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """One window that a baseline was learned from, and what was missing then."""

    window: Window
    uses: int
    sources: Mapping[str, int]
    """Events by source."""
    undecided: int
    """Uses that were not learned, since the log does not say whether they were let in."""
    missing: Sequence[Unseen]


@dataclass(frozen=True, slots=True)
class Belonging:
    """What a baseline holds of one application, operation and class of targets."""

    target_kind: str
    target: str
    operation: str
    app_id: str
    uses: int
    days: int
    first_on: int
    last_on: int
    mailboxes: int
    """The most that it read in one day."""
    client_apps: int
    networks: int
    clients: int
    keys: int
    principals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageCheck:
    """What a check found."""

    tenant_id: str | None
    window: Window
    learned: Sequence[Learned]
    """Empty: there was no baseline."""
    uses: int
    findings: Sequence[Unusual]
    """The gravest first, and last what was announced."""
    unseen: Sequence[Unseen]
    unused: Sequence[Accepted]
    """What was announced and covers nothing here; empty where something is unseen: then nobody knows."""
    fail_on: Severity

    @property
    def failing(self) -> int:
        """How many findings nobody accepted reach the severity to fail on."""
        return sum(not found.accepted and found.severity.rank >= self.fail_on.rank for found in self.findings)

    @property
    def exit(self) -> Exit:
        """Findings before gaps, as for every command."""
        if self.failing:
            return Exit.FINDINGS
        return Exit.INCOMPLETE if self.unseen else Exit.CLEAN
