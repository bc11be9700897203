"""Unusual uses in a window of logs compared with a baseline, and what these logs cannot show."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from msgspec import Struct

from keyaudit.model.errors import Exit
from keyaudit.model.gating.waivers import Glob
from keyaudit.model.reasons import Reason
from keyaudit.model.severity import Severity
from keyaudit.model.values.text import listed
from keyaudit.model.values.times import DAY, iso_date

NOBODY = ""
"""The application id of a use without one in the log."""
ANY = "(any)"
"""The class that contains all targets of a kind."""
PRIVILEGED = "(privileged)"
"""The class of changes that are reported regardless of who makes them."""


SIGN_IN = "(to sign in)"
"""The class of permissions that only let an application sign users in and read who they are."""
SIGN_IN_SCOPES = ("openid", "profile", "email", "offline_access", "user.read")
"""These permissions, in lower case:
https://learn.microsoft.com/entra/identity/enterprise-apps/configure-permission-classifications
"""


class Window(Struct, frozen=True, kw_only=True):
    """Whole days in UTC, in seconds since 1970: the start of the first day, and the end of the last (exclusive)."""

    since: int
    until: int

    @property
    def days(self) -> range:
        """The start of each day."""
        return range(self.since, self.until, DAY)

    def __str__(self) -> str:
        return f"{iso_date(self.since)} to {iso_date(self.until - DAY)}"


class Facet(StrEnum):
    """The properties of uses that a baseline learns, and in which a use can be unusual."""

    APP = "app"
    CLIENT_APP = "client-app"
    NETWORK = "network"
    CLIENT = "client"
    KEY = "key"
    """The key version, or the credential used to sign in."""
    PRINCIPAL = "principal"
    """The principal for whom the application acted, unless it is the application itself or the owner of the mailbox."""
    API = "api"
    """The API through which the application read or sent mail."""
    HOUR = "hour"
    """All that the application did of a kind in one hour."""


class Kind(StrEnum):
    """Why a use is unusual, the most severe first."""

    MANY_MAILBOXES = "many-mailboxes"
    MAILBOX_OFTEN = "mailbox-read-often"
    """One mailbox was read on one day far more often than this application ever read one."""
    MAILBOXES_FROM_NETWORK = "mailboxes-from-new-network"
    """Several mailboxes were read on one day, or many on all days, from a network that the baseline does not know."""
    MANY_NETWORKS = "many-new-networks"
    """On one day mailboxes were read from far more networks that the baseline does not know than ever came on one day."""
    USERS_FROM_NETWORK = "users-from-new-network"
    """Several users signed in by SAML or WS-Federation on one day from a network that the baseline does not know."""
    RETURNED_KEY = "returned-key"
    """A newer version replaced it long before."""
    MANY_IN_AN_HOUR = "many-in-one-hour"
    """Far more calls in one hour than this application ever made: secrets are read, or the objects of vaults listed."""
    PRIVILEGED = "privileged"
    """A change that gives control of the tenant, or access to all mail or files: reported regardless of who makes it."""
    NEW_OPERATION = "new-operation"
    """Nobody did this with the target before."""
    NEW_APP = "new-app"
    NEW_CLIENT_APP = "new-client-app"
    NEW_PRINCIPAL = "new-principal"
    NEW_API = "new-api"
    MAILBOXES_WITH_PROGRAM = "mailboxes-with-new-program"
    CERTIFICATE_OF_NEW_VAULT = "certificate-of-new-vault"
    """A secret is read of a vault that the application never used; a key or certificate has its name, so it may be the private
    key."""
    READ_OF_NEW_VAULT = "secret-of-new-vault"
    """A secret is read of a vault that the application never used."""
    NEW_TARGET = "new-target"
    """The target is new too, and the application is known for such use of other targets."""
    CREDENTIAL_FROM_NETWORK = "new-credential-from-new-network"
    """An application signs in with a credential that the baseline does not know, from a network that it does not know."""
    NEW_NETWORK = "new-network"
    NEW_CLIENT = "new-client"
    NEW_KEY = "new-key"


OF_NEW_TARGET = (Kind.CERTIFICATE_OF_NEW_VAULT, Kind.READ_OF_NEW_VAULT, Kind.NEW_TARGET)
"""Kinds that say that an application is new to a target, and known for such use of others."""
OF_NEW_APP = (Kind.NEW_OPERATION, Kind.NEW_APP, *OF_NEW_TARGET)
"""Kinds that say that an application is new: to all such uses, or to this target."""
OF_THE_APP = (*OF_NEW_APP, Kind.PRIVILEGED, Kind.MANY_MAILBOXES, Kind.MANY_IN_AN_HOUR)
"""Kinds for which the application itself is the new value."""


class Use(Struct, frozen=True, kw_only=True):
    """One row of `usage`, as evidence; None: not in the log."""

    id: str
    used_on: int
    target_id: str | None
    client_app_id: str | None
    api_app_id: str | None
    principal_id: str | None
    network: str | None
    client: str | None
    granted_to: str | None
    permission: str | None
    issuer: str | None
    succeeded: bool | None
    source: str
    found_in: str
    """The file that contains it."""
    key: str | None
    """The key version, or the credential used to sign in."""


class Why(Struct, frozen=True, kw_only=True):
    """One reason why uses are unusual, with all the uses that it applies to."""

    kind: Kind
    severity: Severity
    count: int
    """The number of new values; for mailboxes, the number read in one day, or how often one was; or the users or networks of
    one day."""
    values: Sequence[str]
    """The first few new values."""
    elsewhere: bool
    """Whether the baseline knows these values from other uses, or they are Microsoft's own."""
    usual: int
    """For mailboxes: the largest number learned for one day; for those from a new network, of networks that were new; for
    networks, how many of them came on one day."""
    uses: int
    refused: int
    days: int
    first_on: int
    last_on: int
    evidence: Sequence[Use]


class Accepted(Struct, frozen=True, kw_only=True):
    """An announced application for one operation, or announced networks, until a day."""

    app_id: str | None
    """None: any, from these networks; so is an operation."""
    operation: str | None
    target: Glob
    owner: str
    reason: str
    since: int = 0
    """The start of the first covered day; 0: that of the logs."""
    ends: int
    """The first second after the last covered day."""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Only uses from these; empty: from any, if it is not the network that is unusual."""
    mailboxes: int = 0
    """How many mailboxes may be read in one day, however few are usual; 0: none more than are usual, and from a new network any
    number."""
    place: str
    """`file:line`, for messages."""

    @property
    def last_day(self) -> str:
        """The last covered day of use."""
        return iso_date(self.ends - DAY)

    @property
    def name(self) -> str:
        """What it names, in words."""
        whom = self.app_id or listed([str(each) for each in self.networks])
        return f"{whom} was announced{f' for {self.operation}' if self.operation else ''}"


class Unusual(Struct, frozen=True, kw_only=True):
    """Unusual uses by one application, in one operation, of one class of targets."""

    target_kind: str
    target: str
    operation: str
    app_id: str
    app_name: str
    """The name of a Microsoft application; otherwise empty."""
    why: Sequence[Why]
    """The most severe first."""
    accepted: Accepted | None = None
    part_of: str = ""
    """The application, or else the operation, of the finding that reports the same event: use from the same new networks."""
    reported_until: int | None = None
    """The end of the days of an earlier check that reported it; it is only counted since."""

    @property
    def open(self) -> bool:
        """Whether it is reported by this check: neither announced, nor part of another, nor reported by an earlier one."""
        return self.accepted is None and not self.part_of and self.reported_until is None

    @property
    def severity(self) -> Severity:
        """The severity of the most severe reason."""
        return self.why[0].severity

    @property
    def first_on(self) -> int:
        """When it was first done."""
        return min(why.first_on for why in self.why)

    @property
    def last_on(self) -> int:
        """When it was last done."""
        return max(why.last_on for why in self.why)


class Blind(StrEnum):
    """The cause of a gap in logs or baseline."""

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
    NOT_READ = "acts-not-read"
    """Operations that may touch keys, credentials or their logs, and that keyaudit does not read."""


class Unseen(Struct, frozen=True, kw_only=True):
    """A gap in the logs or the baseline: never a pass."""

    blind: Blind
    subject: str
    """A source, a mailbox, a file, an operation, or a column of a source; empty for all of them."""
    reason: Reason
    days: tuple[int, ...] = ()
    """The starts of the affected days; empty for the whole window."""
    count: int = 0
    """The number of lines or uses, if it concerns some of them."""


class Learned(Struct, frozen=True, kw_only=True):
    """One window that a baseline was learned from, and its gaps."""

    window: Window
    uses: int
    sources: Mapping[str, int]
    """Events by source."""
    undecided: int
    """Uses that were not learned because the log does not say whether they succeeded."""
    missing: Sequence[Unseen]


class Belonging(Struct, frozen=True):
    """The content of a baseline for one application, operation and class of targets."""

    target_kind: str
    target: str
    operation: str
    app_id: str
    uses: int
    days: int
    first_on: int
    last_on: int
    mailboxes: int
    """The largest number read in one day."""
    client_apps: int
    networks: int
    clients: int
    keys: int
    principals: int
    apis: int


class UsageCheck(Struct, frozen=True, kw_only=True):
    """The result of a check."""

    tenant_id: str | None
    window: Window
    learned: Sequence[Learned]
    """Empty if there was no baseline."""
    uses: int
    findings: Sequence[Unusual]
    """The most severe first; those that are only counted, and announced ones, last."""
    unseen: Sequence[Unseen]
    unused: Sequence[Accepted]
    """Announced applications without a matching use; empty if there are gaps, because then it is unknown."""
    fail_on: Severity

    @property
    def failing(self) -> int:
        """The number of open findings at or above the severity to fail on."""
        return sum(found.open and found.severity.rank >= self.fail_on.rank for found in self.findings)

    @property
    def exit(self) -> Exit:
        """The exit code; findings have precedence over gaps."""
        if self.failing:
            return Exit.FINDINGS
        return Exit.INCOMPLETE if self.unseen else Exit.CLEAN
