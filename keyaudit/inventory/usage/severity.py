"""The severity of a use outside the baseline, as SQL: `usage check` and the policies both take it from here."""

from keyaudit.inventory.load import quoted
from keyaudit.model.directory.first_party import FIRST_PARTY, TOOLS
from keyaudit.model.severity import Severity
from keyaudit.model.usage import SIGN_IN, Kind

FLOOR = 20
"""The number of mailboxes read in one day by one application, or of new networks from which they are read, that is compared
with the baseline.
"""
OFTEN = 300
"""How often one application reads one mailbox in one day before it is compared with what was learned. From 1,000 times on, the
log stops for that mailbox: https://learn.microsoft.com/purview/audit-log-investigate-accounts
"""
OF_A_DAY = 3
"""A multiple of the largest learned number of one day, above growth and month's end."""
BURST = "CASE operation WHEN 'list' THEN 50 ELSE 60 END"
"""SQL: how often one application lists, or reads secrets, in one hour before it is compared with what was learned."""
FEW = 3
"""The number of mailboxes read in one day from one new network, or with one new program, that is more than a person's own and
that of somebody who travels along; and the number of users who sign in from one.
"""
SLOW = 10
"""The number of mailboxes that are read from one new network in all days of a window, if too few of them are on any one day."""

_MILD = (
    *("verify", "encrypt", "wrap", "sign-in", "rotate", "change-rotation-policy", "write-secret", "remove-credential"),
    *("write-vault", "send-mail", "list", "saml-sign-in"),
)
"""Operations that do not open, copy or destroy anything and grant no access. Any other operation, including an unrecognised
one, counts as severe.
"""

_SEVERITY: dict[Kind, tuple[Severity, Severity]] = {
    Kind.MANY_IN_AN_HOUR: (Severity.HIGH, Severity.HIGH),
    Kind.PRIVILEGED: (Severity.HIGH, Severity.HIGH),
    Kind.NEW_OPERATION: (Severity.HIGH, Severity.MEDIUM),
    Kind.NEW_APP: (Severity.HIGH, Severity.MEDIUM),
    Kind.CERTIFICATE_OF_NEW_VAULT: (Severity.HIGH, Severity.HIGH),
    Kind.READ_OF_NEW_VAULT: (Severity.MEDIUM, Severity.MEDIUM),
    Kind.NEW_TARGET: (Severity.LOW, Severity.LOW),
    Kind.NEW_CLIENT_APP: (Severity.HIGH, Severity.MEDIUM),
    Kind.NEW_PRINCIPAL: (Severity.HIGH, Severity.MEDIUM),
    Kind.NEW_API: (Severity.MEDIUM, Severity.LOW),
    Kind.CREDENTIAL_FROM_NETWORK: (Severity.HIGH, Severity.HIGH),
    Kind.NEW_NETWORK: (Severity.LOW, Severity.INFO),
    Kind.NEW_CLIENT: (Severity.INFO, Severity.INFO),
    Kind.NEW_KEY: (Severity.INFO, Severity.INFO),
    Kind.RETURNED_KEY: (Severity.HIGH, Severity.HIGH),
    Kind.MANY_MAILBOXES: (Severity.HIGH, Severity.HIGH),
    Kind.MAILBOX_OFTEN: (Severity.HIGH, Severity.HIGH),
    Kind.MAILBOXES_FROM_NETWORK: (Severity.HIGH, Severity.HIGH),
    Kind.MAILBOXES_WITH_PROGRAM: (Severity.MEDIUM, Severity.MEDIUM),
    Kind.MANY_NETWORKS: (Severity.HIGH, Severity.HIGH),
    Kind.USERS_FROM_NETWORK: (Severity.HIGH, Severity.HIGH),
}
"""By kind: the severity of a value never seen before, and of one known from other uses or Microsoft's own services. For a new
application or operation, uses of other keys do not count as known.

Networks and programs change with every failover, holiday and update, so that a new one is high only for an application that has
always had few (`steady`), or for users who always signed in from few. Applications move from one API of mail to another when
Microsoft retires one, and their caller is known; Microsoft also renames the programs that read mail. A new application does not
come with a release or a failover, and it is how the intruders of 2023 were noticed. Microsoft's own application ids prove
nothing, because forged tokens can name them. But Microsoft adds services without notice, so these are listed and do not fail a
pipeline, unless they read several mailboxes from a network that is new and not Microsoft's. Microsoft's interactive tools are
not such services: their actor is the user. Users consent every day to applications that sign them in, and a log does not say
who published these: what is unusual in that is low.
"""
_BY_WHOM = (Kind.NEW_APP, Kind.NEW_OPERATION)
"""Kinds for which only Microsoft's own services count as known."""
_OF_FEW = (Kind.NEW_NETWORK, Kind.NEW_CLIENT)
"""Kinds that are severe where an application has always had few values. A new class of added credentials is a new issuer of
federated ones, which is as severe.
"""
_ASKED = (*_BY_WHOM, Kind.NEW_CLIENT_APP, Kind.NEW_PRINCIPAL, Kind.NEW_API)
"""Kinds for which an operation in `_MILD` lowers the severity."""


def severity(kind: str, operation: str, app: str, *, target: str, elsewhere: str, steady: str, refused: str) -> str:
    """SQL for the rank of the severity, 0 for info. All are SQL: `target`: its class; `elsewhere`: the new is known of other
    uses; `steady`: the application has always had few of the kind; `refused`: it was tried, and never let in."""
    services = ", ".join(quoted(app_id) for app_id in FIRST_PARTY if app_id not in TOOLS)
    # A program that asks for a device code chooses the application: Microsoft's own are no more trusted.
    own = f"{app} IN ({services}) AND {operation} <> 'device-code-sign-in'"
    known = (
        f"CASE WHEN {kind} IN ({_listed(_BY_WHOM)}) THEN {own}"
        f" ELSE {elsewhere} OR {kind} = {quoted(Kind.NEW_PRINCIPAL)} AND {own} END"
    )
    ranks = (
        " ".join(f"WHEN {quoted(each)} THEN {ranked[number].rank}" for each, ranked in _SEVERITY.items()) for number in (0, 1)
    )
    unseen, familiar = (f"CASE {kind} {cases} END" for cases in ranks)
    mild = f"{operation} IN ({_listed(_MILD)}) AND {kind} IN ({_listed(_ASKED)})"
    less = " - ".join(f"CAST({condition} AS INTEGER)" for condition in (refused, f"({mild})"))
    settled = (
        f"({steady} AND {kind} IN ({_listed(_OF_FEW)}) AND NOT {elsewhere}"
        f" OR {kind} = {quoted(Kind.NEW_TARGET)} AND {operation} = 'add-credential')"
    )
    travel = f"{kind} = {quoted(Kind.NEW_NETWORK)} AND {operation} = 'saml-sign-in'"
    signs_in = f"{target} = {quoted(SIGN_IN)}"
    ranked = (
        f"WHEN {settled} THEN {Severity.HIGH.rank} WHEN {travel} THEN {Severity.INFO.rank}"
        f" WHEN {signs_in} THEN least({Severity.LOW.rank}, {unseen})"
    )
    return f"greatest(0, CASE {ranked} WHEN {known} THEN {familiar} ELSE {unseen} END - {less})"


def _listed(texts: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, texts))
