"""How grave it is that a use does not belong."""

from keyaudit.model.findings import Severity
from keyaudit.model.first_party import FIRST_PARTY
from keyaudit.model.usage import Kind

FLOOR = 20
"""Mailboxes read in one day by one application that are many, whatever was learned."""
OF_A_DAY = 3
"""Times the most that was learned of one day: growth and month's end stay below it."""

_MILD = ("verify", "encrypt", "wrap", "sign-in")
"""What opens nothing by itself. All else, and what this version does not know, signs, opens, reads, copies or lets in."""

_SEVERITY: dict[Kind, tuple[Severity, Severity]] = {
    Kind.NEW_APP: (Severity.HIGH, Severity.MEDIUM),
    Kind.NEW_TARGET: (Severity.LOW, Severity.LOW),
    Kind.NEW_CLIENT_APP: (Severity.HIGH, Severity.MEDIUM),
    Kind.NEW_NETWORK: (Severity.LOW, Severity.INFO),
    Kind.NEW_CLIENT: (Severity.INFO, Severity.INFO),
    Kind.NEW_KEY: (Severity.INFO, Severity.INFO),
    Kind.RETURNED_KEY: (Severity.HIGH, Severity.HIGH),
    Kind.MANY_MAILBOXES: (Severity.HIGH, Severity.HIGH),
}
"""By kind: where the new is a stranger, and where it is known of other uses or is Microsoft's own.

An application that is new to a key is a stranger to it, whatever else it does.

Networks and programs change with every failover, holiday and update. What no release and no failover brings is an application
that nobody has seen do this before, and that is what gave the intruders of 2023 away. One of Microsoft's own is no proof of
innocence: forged tokens can name it. But new ones come unannounced too, so that it is listed and fails no pipeline.
"""


def severity(kind: Kind, operation: str, app: str, *, elsewhere: bool, refused: bool) -> Severity:
    """How grave it is. `elsewhere`: the new is known of other uses. `refused`: it was tried, and never let in."""
    stranger, known = _SEVERITY[kind]
    found = known if (app in FIRST_PARTY if kind is Kind.NEW_APP else elsewhere) else stranger
    down = refused + (operation in _MILD and kind in (Kind.NEW_APP, Kind.NEW_CLIENT_APP))
    return list(Severity)[max(0, found.rank - down)]
