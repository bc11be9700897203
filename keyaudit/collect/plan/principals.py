"""The principals that resources of a plan name."""

from collections.abc import Mapping, Sequence

from keyaudit.collect.plan.ground import Ground
from keyaudit.collect.plan.resources import Planned
from keyaudit.model.guid import GUID

NAMING: Mapping[str, Sequence[str]] = {
    "azurerm_user_assigned_identity": ("principal_id",),
    "azuread_service_principal": ("object_id", "id"),
}
"""Resources that are service principals, with the attributes that name them."""


def principal_of(ground: Ground, planned: Planned, attribute: str) -> str | None:
    """The object id of a principal, in lower case, or what stands for that of one that the plan creates; None: not known."""
    known = planned.text(attribute)
    if known:
        return known.lower()
    target = ground.resources.target(planned, attribute)
    if target and target[1] in ("", *NAMING.get(target[0].type, ())) and target[0].type in NAMING:
        there = target[0]
        found = (there.text(NAMING[there.type][0]) or "").lower()
        return found if GUID.fullmatch(found) else there.guid
    return None
