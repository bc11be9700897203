"""The view of user-assigned managed identities."""

from keyaudit.inventory.facts.fact import Derived
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra.privileges import applications
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.privileges import AZURE_ROLES

_ASSIGNED = ("subscription.list", "role_assignment.query")


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows, granted = Rows(sources, "managed_identity"), applications(sources)
    app_id = rows["app_id"].map(sources.sql.lower)
    holder = one(granted, key=app_id, by=granted["app_id"], missing=because(Reason.NOT_VISIBLE))
    grant = Rows(sources, "grant", "given")
    unlisted = unread("assigned", _ASSIGNED, scope=f"{rows.alias}.scope_id")
    azure = grant["kind"].eq("azure-role")
    its = groups(grant, "grants", by=grant["principal_id"], key=rows["principal_id"], missing=unlisted, each=azure)
    its = its.counting("grant", *AZURE_ROLES)
    return {
        **{name: holder.flag(name) for name in ("tier0", "tenant_wide")},
        "signs": its.any_of("signs", grant["allows"].has("sign")),
    }
