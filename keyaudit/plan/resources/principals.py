"""The principals that resources of a plan name."""

import re
from collections.abc import Mapping, Sequence

from keyaudit.model.values.guid import GUID
from keyaudit.plan.document.resources import Planned, View
from keyaudit.plan.scopes import Ground

GROUPS = ("azuread_group", "azuread_group_without_members")
NAMING: Mapping[str, Sequence[str]] = {
    "azurerm_user_assigned_identity": ("principal_id",),
    **dict.fromkeys(("azuread_service_principal", *GROUPS), ("object_id", "id")),
}
"""Resources that are service principals or groups, with the attributes that name them."""


_OWN = re.compile(r"identity(?:\[0\])?\.principal_id", re.ASCII)
"""The attribute of a resource that names its own managed identity."""


def principal_of(ground: Ground, planned: Planned, attribute: str) -> str | None:
    """The object id of a principal, in lower case, or what stands for that of one that the plan creates; None: not known."""
    known = planned.text(attribute)
    if known:
        return known.lower()
    target = ground.resources.target(planned, attribute)
    return principal_at(ground, *target) if target else None


def principal_at(ground: Ground, there: Planned, attribute: str) -> str | None:
    """The same of the principal that an attribute of a resource names."""
    if there.type in NAMING and attribute in ("", *NAMING[there.type]):
        return object_id_of(there)
    if _OWN.fullmatch(attribute) and there.type.startswith(("azurerm_", "azapi_")):
        return own_identity(ground, there)
    return None


def object_id_of(planned: Planned) -> str:
    """The object id of a resource of `NAMING`, or what stands for it."""
    found = (planned.text(NAMING[planned.type][0]) or "").lower()
    return found if GUID.fullmatch(found) else planned.guid


def own_identity(ground: Ground, planned: Planned) -> str:
    """The object id of a resource's own managed identity, or what stands for it. Its service principal is then of the plan."""
    block = planned.block("identity")
    known = (block.text("principal_id") or "").lower() if isinstance(block, View) else ""
    found = known if GUID.fullmatch(known) else planned.stands_for("identity.principal_id")
    ground.own_identities[found] = planned
    return found
