"""Tokens in logs, and whether a sign-in log has the record of their issue."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.tables.usage import SIGN_IN_LOGS, USER_SIGN_IN_LOG
from keyaudit.model.values.times import DAY

GRAPH_LOG, GRAPH_EVENTS = "MicrosoftGraphActivityLogs", "GraphAPIAuditEvents"
"""The logs of requests to Microsoft Graph: of a diagnostic setting, and of Microsoft Defender."""
OLD_GRAPH_LOG = "AADGraphActivityLogs"
"""The log of requests to Azure AD Graph, which came before Microsoft Graph, and which intruders' tools still use."""
USER_LOGS = (USER_SIGN_IN_LOG, "AADNonInteractiveUserSignInLogs")
APP_LOGS = SIGN_IN_LOGS
MICROSOFT_LOG = "MicrosoftServicePrincipalSignInLogs"
"""The logs of sign-ins: of users, of applications, and of Microsoft's own applications."""
ISSUED = (*USER_LOGS, *APP_LOGS, MICROSOFT_LOG)

OLD_GRAPH = "Azure AD Graph"
GRAPH, ARM = "Microsoft Graph", "Azure Resource Manager"
"""The services that log the age of each token, and for which its longest is documented."""
USER, APP = "user", "application"

SIGNED_IN = 300
"""A token's time of issue is so many seconds before the time of its sign-in, in the tokens that were seen."""
NEAR = 600
"""Both times may differ by so many seconds more."""
LONGEST = 28 * 3600 + 600
"""No access token for Graph or Azure Resource Manager is valid for longer.

https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation
"""
LATE = 4 * DAY
"""Sign-ins are logged within so many seconds: https://learn.microsoft.com/entra/identity/monitoring-health/reference-log-latency"""
LEAST = 1_000
"""The number of tokens of a class from which its share with a sign-in record says something."""
MISSING = 1_000
"""One token in so many of a class may lack a sign-in record."""


class Issue(StrEnum):
    """What the sign-in logs say of a token."""

    DIFFERS = "differs"
    """Its id is that of a sign-in of another user or application, for another resource, or at another time."""
    OVER_AGE = "over-age"
    """It was used longer after its issue than any token is valid, or says that it is valid for longer."""
    NOT_LISTED = "not-listed"
    """No sign-in log has its id, where the logs have the ids of all other tokens like it."""
    LISTED = "listed"
    NO_ID = "no-id"
    """The record names no token."""
    UNKNOWN = "unknown"


class Doubt(StrEnum):
    """Why it is unknown whether a token was issued."""

    NO_TIME = "no-issue-time"
    NO_TABLE = "table-missing"
    MICROSOFT = "microsoft-application"
    NO_IDS = "table-without-token-ids"
    NOT_COVERED = "not-covered-at-issue"
    GAP = "hour-without-sign-ins"
    RECENT = "too-recent"
    FAILED = "failed-sign-in-only"
    NO_BASELINE = "no-baseline"
    CLASS = "class-not-calibrated"


class Rate(Struct, frozen=True, kw_only=True):
    """The tokens of one class in the days that a baseline was learned from."""

    ids: int
    listed: int


class Token(Struct, frozen=True, kw_only=True):
    """A token that was used, and what the sign-in logs say of it."""

    log: str
    service: str
    kind: str | None
    """USER or APP; None: the log does not say."""
    external: bool
    """Whether the user is of another tenant."""
    app_id: str | None
    principal_id: str | None
    issued_on: int | None
    first_on: int
    last_on: int
    record: str | None
    """The id of the record of its first use."""
    odd: bool
    """Whether its id has another form than those of Entra."""
    issue: Issue
    rate: Rate
    """Of its class."""
    name: str = ""
    """The name of the application in the inventory; empty if the inventory does not have it."""


class Uncalibrated(Struct, frozen=True, kw_only=True):
    """A class of tokens whose missing sign-in records say nothing, by its rate."""

    service: str
    kind: str | None
    """As of `Token`, like `external` and `name`."""
    external: bool
    app_id: str | None
    tokens: int
    """The number of its tokens that are unknown for this."""
    rate: Rate
    name: str = ""


class Tokens(Struct, frozen=True, kw_only=True):
    """The tokens of some applications and principals."""

    found: Sequence[Token]
    """Those that differ, are over age or are not listed, once for each log: the first, in the order of their first use."""
    counts: Mapping[Issue, int]
    """The number of tokens; for NO_ID that of pairs of application and user."""
    doubts: Mapping[Doubt, int]
    """The number of unknown tokens by reason."""
    uncalibrated: Sequence[Uncalibrated] = ()
    """The classes of those that are unknown for `Doubt.CLASS`: those with most tokens first."""

    @property
    def apps(self) -> set[str]:
        """The ids of the applications of tokens and classes that are listed."""
        return {each.app_id for of in (self.found, self.uncalibrated) for each in of if each.app_id}
