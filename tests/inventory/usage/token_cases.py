"""Tokens that somebody planted or that Entra issued, each with the records of its uses and sign-ins, and what is known of it.

The cases were written before the code, from Microsoft's pages on linkable identifiers, sign-in logs, Graph activity logs,
continuous access evaluation and retention. A token that is looked for is named by the record of its use.
"""

import base64

from keyaudit.model.tokens import Doubt, Issue
from keyaudit.model.values.times import DAY
from tests.inventory.usage.token_records import (
    APP,
    EXAMINED,
    GUEST,
    HOUR,
    IDENTITIES,
    IDENTITY,
    INTERACTIVE,
    MICROSOFTS,
    NEW,
    OTHER,
    OUTLOOK,
    PARTNER,
    SILENT,
    START,
    Row,
    arm,
    audit,
    events,
    graph,
    guid,
    of,
    sign_in,
    uti,
)
from tests.inventory.usage.token_records import ARM_API as ARM

AT = EXAMINED + 9 * HOUR
UNTIL = EXAMINED + 5 * DAY
Case = tuple[list[Row], Issue | Doubt]


def silent(seed: str, on: int, **columns: object) -> Row:
    return sign_in(SILENT, uti(seed), on, **columns)


def _old_form(seed: str) -> str:
    """The form of 2022: base64 of the GUID's text."""
    return base64.b64encode(str(guid(seed)).encode()).decode()


FORGED: dict[str, Case] = {
    "mail of a user": ([audit("mail of a user", uti("forged 1"), AT, AT + 60)], Issue.NOT_LISTED),
    "own application at Graph": (
        [graph("own application at Graph", uti("forged 2"), AT, AT + 60, UserId=None, ServicePrincipalId=of(APP))],
        Issue.NOT_LISTED,
    ),
    "ten years": ([arm("ten years", uti("forged 3"), AT, AT + 60, expires=AT + 3_650 * DAY)], Issue.OVER_AGE),
    "used two days later": (
        [silent("old", AT), graph("used two days later", uti("old"), AT, AT + 2 * DAY)],
        Issue.OVER_AGE,
    ),
    "copied, later": (
        [silent("copied 1", AT - 5 * HOUR), graph("copied, later", uti("copied 1"), AT, AT + 60)],
        Issue.DIFFERS,
    ),
    "copied, another user": (
        [silent("copied 2", AT, UserId=OTHER), graph("copied, another user", uti("copied 2"), AT, AT + 60)],
        Issue.DIFFERS,
    ),
    "copied, another application": (
        [silent("copied 3", AT, AppId=OUTLOOK), graph("copied, another application", uti("copied 3"), AT, AT + 60)],
        Issue.DIFFERS,
    ),
    "copied, another resource": (
        [silent("copied 4", AT), arm("copied, another resource", uti("copied 4"), AT, AT + 60)],
        Issue.DIFFERS,
    ),
    "no id": ([graph("no id", None, AT, AT + 60)], Issue.NO_ID),
    "odd form": ([graph("odd form", "unique-token-id-abc123", AT, AT + 60)], Issue.NOT_LISTED),
    "other case": ([silent("case", AT), graph("other case", uti("case").swapcase(), AT, AT + 60)], Issue.NOT_LISTED),
}
LEGITIMATE: dict[str, Case] = {
    "refresh token": ([silent("1", AT), graph("refresh token", uti("1"), AT, AT + 60)], Issue.LISTED),
    "interactive": (
        [sign_in(INTERACTIVE, uti("2"), AT), graph("interactive", uti("2"), AT, AT + 60)],
        Issue.LISTED,
    ),
    "form of 2022": (
        [sign_in(SILENT, _old_form("3"), AT), graph("form of 2022", uti("3"), AT, AT + 60)],
        Issue.LISTED,
    ),
    "padded": ([silent("4", AT), graph("padded", uti("4") + "==", AT, AT + 60)], Issue.LISTED),
    "27 hours": ([silent("5", AT), graph("27 hours", uti("5"), AT, AT + 27 * HOUR)], Issue.LISTED),
    "browser session": (
        [
            silent("6", START + DAY, AppId=OUTLOOK, ResourceIdentity=MICROSOFTS),
            audit("browser session", uti("6"), START + DAY, AT),
        ],
        Issue.LISTED,
    ),
    "session from before the logs": (
        [audit("session from before the logs", uti("7"), START - 9 * DAY, AT)],
        Doubt.NOT_COVERED,
    ),
    "guest": (
        [
            silent("8", AT, UserId=GUEST, CrossTenantAccessType="b2bCollaboration"),
            graph("guest", uti("8"), AT, AT + 60, UserId=GUEST),
        ],
        Issue.LISTED,
    ),
    "guest whose class is small": ([graph("guest whose class is small", uti("9"), AT, AT + 60, UserId=GUEST)], Doubt.CLASS),
    "partner": (
        [
            silent("10", AT, UserId=PARTNER, CrossTenantAccessType="serviceProvider"),
            graph("partner", uti("10"), AT, AT + 60, UserId=PARTNER),
        ],
        Issue.LISTED,
    ),
    "managed identity": (
        [
            sign_in(IDENTITIES, uti("11"), AT, AppId=IDENTITY, ServicePrincipalId=of(IDENTITY)),
            graph("managed identity", uti("11"), AT, AT + 60, AppId=IDENTITY, UserId=None, ServicePrincipalId=of(IDENTITY)),
        ],
        Issue.LISTED,
    ),
    "two records of one sign-in": (
        [silent("12", AT), silent("12", AT), graph("two records of one sign-in", uti("12"), AT, AT + 60)],
        Issue.LISTED,
    ),
    "not logged yet": ([graph("not logged yet", uti("13"), UNTIL - 3 * DAY, UNTIL - 3 * DAY + 60)], Doubt.RECENT),
    "failed sign-in": (
        [silent("14", AT, ResultType="50140"), graph("failed sign-in", uti("14"), AT, AT + 60)],
        Doubt.FAILED,
    ),
    "failed and then not": (
        [silent("15", AT, ResultType="50140"), silent("15", AT), graph("failed and then not", uti("15"), AT, AT + 60)],
        Issue.LISTED,
    ),
    "Microsoft's application": (
        [graph("Microsoft's application", uti("16"), AT, AT + 60, AppId=MICROSOFTS, UserId=None, ServicePrincipalId=of("m"))],
        Doubt.MICROSOFT,
    ),
    "application that is new": ([graph("application that is new", uti("17"), AT, AT + 60, AppId=NEW)], Doubt.CLASS),
    "no time of issue": ([events("no time of issue", uti("18"), AT)], Doubt.NO_TIME),
    "no time of issue, listed": (
        [silent("19", AT), events("no time of issue, listed", uti("19"), AT + 60)],
        Issue.LISTED,
    ),
    "a time of issue that cannot be": (
        [
            audit(
                "a time of issue that cannot be",
                uti("20"),
                None,
                AT,
                AppAccessContext={"UniqueTokenId": uti("20"), "IssuedAtTime": "1601-01-01T00:00:00"},
            )
        ],
        Doubt.NO_TIME,
    ),
    "request that takes two days": (
        [
            silent("22", AT, ResourceIdentity=ARM),
            arm("request that takes two days", uti("22"), AT, AT + 60),
            arm("request that takes two days", uti("22"), AT, AT + 2 * DAY),
        ],
        Issue.LISTED,
    ),
    "ARM": ([silent("21", AT, ResourceIdentity=ARM), arm("ARM", uti("21"), AT, AT + 60)], Issue.LISTED),
    "background of Exchange": (
        [audit("background of Exchange", None, None, AT, AppAccessContext=None, UserId="NT AUTHORITY\\SYSTEM")],
        Issue.NO_ID,
    ),
}
CASES = FORGED | LEGITIMATE
ALL_APPS = {APP, NEW, IDENTITY, MICROSOFTS, OUTLOOK}


def planted() -> list[Row]:
    return [row for rows, _ in CASES.values() for row in rows]
