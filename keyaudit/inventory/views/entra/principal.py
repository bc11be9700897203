"""The view of principals, with their environment."""

from keyaudit.inventory.facts.fact import Derived
from keyaudit.inventory.facts.relation import Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra.service_principal import environments
from keyaudit.model.reasons import Reason


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows, homes = Rows(sources, "principal"), environments(sources)
    # Only service principals have one.
    workload = rows["kind"].among(("service-principal", "managed-identity"))
    unlisted = unread("listed", ("service_principal.list",), scope=f"{rows.alias}.scope_id")
    missing = (unlisted | because(Reason.NOT_VISIBLE).where(workload.certainly)).where(workload)
    home = one(homes, key=rows["object_id"], by=homes["object_id"], missing=missing)
    return {"environment": home["environment"]}
