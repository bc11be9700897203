"""A sentence with its basis, and what the gaps of a log mean for one."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from keyaudit.model.tables.usage import (
    ACTIVITY_LOG,
    DIRECTORY_LOG,
    KEY_VAULT_LOG,
    MAIL_LOG,
    SIGN_IN_LOGS,
    USER_SIGN_IN_LOG,
)
from keyaudit.questions.incident.answer import Confidence, Observed, about_log
from keyaudit.report.log_gaps import unseen

SHOWS = {
    KEY_VAULT_LOG: "uses of keys, secrets and certificates",
    MAIL_LOG: "mail that was read, and auditing that was turned off",
    SIGN_IN_LOGS[0]: "sign-ins of applications",
    SIGN_IN_LOGS[1]: "sign-ins of managed identities",
    USER_SIGN_IN_LOG: "sign-ins of users by SAML or WS-Federation",
    DIRECTORY_LOG: "changes of credentials, permissions and federation",
    ACTIVITY_LOG: "changes of role assignments and of logging",
}


class Statement(Struct, frozen=True, kw_only=True):
    """A sentence with its basis: ids of records or objects, or what is missing."""

    text: str
    confidence: Confidence
    rests_on: Sequence[str] = ()
    depth: int = 0


class Section(Struct, frozen=True, kw_only=True):
    """A section of the page."""

    id: str
    title: str
    statements: Sequence[Statement]


NO_LOGS = "No logs were supplied: give a folder of usage import or usage collect with --logs."


def holes(seen: Observed, log: str) -> list[str]:
    """The gaps of a log in words."""
    found = (
        [f"{log} is not among these logs at all: {SHOWS.get(log, 'what it records')} do not show"] if log in seen.absent else []
    )
    return [*found, *(unseen(each) for each in seen.unseen if about_log(each, log))]


def doubts(seen: Observed, log: str) -> Iterator[Statement]:
    """A statement for each gap of a log."""
    for hole in holes(seen, log):
        yield Statement(text=f"This may not be all ({hole}).", confidence=Confidence.NOT_KNOWABLE, rests_on=[log])
