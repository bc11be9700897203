"""The effects of a federated domain's signing certificate: whether its MFA claims are accepted, and whom it signs in."""

from keyaudit.inventory.facts.fact import FALSE, Doubt, Truth
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import One, Rows, because, by_hand, one, unread
from keyaudit.inventory.facts.sql import no_rows
from keyaudit.inventory.views.entra.privileges import IN_GROUPS, UNSEEN, given
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.entra.privileges import DIRECTORY_ROLES

_REJECTS = "rejectMfaByFederatedIdp"
_SCOPE = "stored.scope_id"


def of_domain(rows: Rows) -> Truth:
    """Whether a domain's identity provider signs with a certificate. That of an application is none, of whichever kind."""
    return rows["kind"].eq("federated-domain") & ~rows["app_id"].present


def domain(rows: Rows) -> One:
    """The domain that a certificate is of."""
    unlisted = unread("federated", TABLES["federated_domain"].listed_by, scope=_SCOPE)
    domains = Rows(rows.sources, "federated_domain", "domain")
    return one(domains, key=rows["holder_id"], missing=unlisted | because(Reason.NOT_VISIBLE))


def signs_for_administrators(rows: Rows) -> Truth:
    """Whether it signs in somebody with a directory role that controls the tenant, directly or through a group."""
    lower = rows.sources.sql.lower
    users = Rows(rows.sources, "principal", "named")
    unseen = Doubt(("unseen.tier0_doubt",), by_hand("unseen", f"CROSS JOIN {UNSEEN} AS unseen") | IN_GROUPS)
    administrators = groups(
        users,
        "administrators",
        by=users["user_principal_name"].map(lambda name: lower(f"split_part({name}, '@', -1)")),
        key=rows["holder_name"].map(lower),
        missing=unread("assigned", ("directory_role.assignments",), scope=_SCOPE) | unseen,
    )
    return of_domain(rows) & administrators.any_of("administrators", _administrates(users))


def _administrates(users: Rows) -> Truth:
    if no_rows(users.sources, "grant"):
        return FALSE
    roles = given(users.sources).under("role")
    held = groups(roles, "held", by=roles["given_to"], key=users["object_id"], each=roles.flag("certain"))
    held = held.counting("grant", *DIRECTORY_ROLES)
    return held.any_of("controlling", roles.flag("directory_role") & roles.flag("controls"))


def mfa_trusted(rows: Rows, domain: One) -> Truth:
    """Whether Entra accepts a second factor that it claims."""
    return of_domain(rows) & ~domain["mfa_behavior"].eq(_REJECTS)
