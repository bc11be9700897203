"""The view of principals, with their environment."""

from keyaudit.inventory.facts.relation import Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources, Wanted
from keyaudit.inventory.facts.view import view as view_of
from keyaudit.inventory.views.service_principal import environments
from keyaudit.model.reasons import Reason


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    rows, homes = Rows(sources, "principal"), environments(sources)
    # Only service principals have one.
    workload = rows["kind"].among(("service-principal", "managed-identity"))
    unlisted = unread("listed", ("service_principal.list",), scope=f"{rows.alias}.scope_id")
    missing = (unlisted | because(Reason.NOT_VISIBLE).where(workload.certainly)).where(workload)
    home = one(homes, key=rows["object_id"], by=homes["object_id"], missing=missing)
    return view_of("principal", sources, {"environment": home["environment"]}, wanted)
