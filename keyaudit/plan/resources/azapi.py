"""Resources of the provider azapi, whose `body` is what Resource Manager is sent.

docs/resources/resource.md of Azure/terraform-provider-azapi; its versions before 2 have `body` as a text of JSON.
"""

from typing import Any

import msgspec
from msgspec import Raw

from keyaudit.collect.services.items import KINDS
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, View, wire
from keyaudit.plan.scopes import Ground

RESOURCE = "azapi_resource"
_GROUP = "azurerm_resource_group"
_OWN_READS = frozenset({"arc-kubernetes", "openshift"})
"""Kinds of services that more than their own answer tells of."""
_NESTED = {"azureKeyVaultKms": ("securityProfile", "azureKeyVaultKms"), "clientId": ("servicePrincipalProfile", "clientId")}
"""Members of the query that are within an object of the properties."""
SERVICES = frozenset(type_ for type_, kind in KINDS.items() if kind not in _OWN_READS)
"""The types of services that a body describes, in lower case."""


def type_of(planned: Planned) -> str:
    """The type of a resource in lower case, without its API version; empty if it is known after apply."""
    return (planned.text("type") or "").partition("@")[0].lower()


def version_of(planned: Planned) -> str:
    """The API version of a resource; empty if it is known after apply."""
    return (planned.text("type") or "").partition("@")[2]


def body_of(planned: Planned) -> dict[str, Any] | None:
    """What is sent, with marks for what is known after apply; None if it is not known at all, or partly a secret."""
    if planned.is_set("sensitive_body"):
        return None
    found = planned.marked("body")
    if isinstance(found, str):
        try:
            found = msgspec.json.decode(found)
        except (msgspec.MsgspecError, RecursionError):
            return None
    return found if isinstance(found, dict) else {} if found is None else None


def member(body: dict[str, Any], name: str) -> Value:
    """An object of the body, by its name; the mark if it is known after apply."""
    found = body.get(name)
    return found if isinstance(found, Raw | dict) else {}


def id_of(ground: Ground, planned: Planned) -> str:
    """The resource id of one in a resource group."""
    if known := planned.text("id"):
        ground.seen(known)
        return known
    parent = planned.text("parent_id") or ""
    target = None if parent else ground.resources.target(planned, "parent_id")
    if target and target[0].type == _GROUP and target[1] in ("", "id"):
        parent = f"/subscriptions/{ground.subscription(target[0])}/resourceGroups/{ground.named(target[0])}"
    if not parent:
        parent = f"/subscriptions/{ground.subscription(planned)}/resourceGroups/after-apply"
    ground.seen(parent)
    type_ = (planned.text("type") or "").partition("@")[0]
    return f"{parent.rstrip('/')}/providers/{type_}/{ground.named(planned)}"


def service(ground: Ground, planned: Planned, members: tuple[str, ...], key: Value) -> dict[str, Any] | None:
    """A service as Resource Graph answers, with these members of its properties; None if its body is not known.

    `key`: the key that the body refers to, if it refers to one thing and that is a key.
    """
    body = body_of(planned)
    if body is not None and _unknown_parts(body) == 1:
        body = _with_known(body, key)
    properties = None if body is None else member(body, "properties")
    if body is None or not isinstance(properties, dict):
        return None
    # A member that was never set is null; a body has only the members that it changes of a resource that exists.
    absent = None if planned.is_new else NOT_IN_PLAN
    found = {name: within(properties, *_NESTED.get(name, (name,)), absent=absent) for name in members}
    issuer = found.get("oidcIssuerProfile")
    if isinstance(issuer, dict):
        made = {"issuerURL": ground.cluster_issuer(planned)} if issuer.get("enabled") is not False else {}
        found["oidcIssuerProfile"] = {**made, **issuer}
    return {
        "id": id_of(ground, planned),
        "type": (planned.text("type") or "").partition("@")[0],
        "name": planned.value("name"),
        "location": planned.value("location"),
        "tags": tags_of(planned, body),
        **found,
        "keyCreationTime": NOT_IN_PLAN,
        "keysMetadata": NOT_IN_PLAN,
        **_identity(planned, body),
    }


def within(found: Value, *path: str, absent: Value) -> Value:
    """A member at a path, ignoring the case of names; the mark if it is known after apply, `absent` if it is left out."""
    for name in path:
        if isinstance(found, Raw):
            return found
        members = {each.lower(): value for each, value in found.items()} if isinstance(found, dict) else {}
        if name.lower() not in members:
            return absent
        found = members[name.lower()]
    return found


def _unknown_parts(found: Value) -> int:
    if isinstance(found, dict):
        return sum(map(_unknown_parts, found.values()))
    return sum(map(_unknown_parts, found)) if isinstance(found, list) else isinstance(found, Raw)


def _with_known(found: Value, value: Value) -> Value:
    if isinstance(found, dict):
        return {name: _with_known(each, value) for name, each in found.items()}
    if isinstance(found, list):
        return [_with_known(each, value) for each in found]
    return value if isinstance(found, Raw) else found


def tags_of(planned: Planned, body: dict[str, Any]) -> Value:
    """The tags. Computed where they are not set, and then those of the body."""
    found = planned.value("tags")
    if isinstance(found, Raw) and not planned.is_set("tags"):
        found = None
    return wire(found, body.get("tags") or ({} if planned.is_new else NOT_IN_PLAN))


def _identity(planned: Planned, body: dict[str, Any]) -> dict[str, Value]:
    block = planned.block("identity")
    if isinstance(block, Raw) or (block is None and not planned.is_new):
        return dict.fromkeys(("identityType", "userAssignedIdentities"), AFTER_APPLY if block else NOT_IN_PLAN)
    if isinstance(block, View):
        ids = block.value("identity_ids")
        held: Value = ids if isinstance(ids, Raw) else {str(each): {} for each in ids or ()} or None
        return {"identityType": block.value("type"), "userAssignedIdentities": held}
    inline = member(body, "identity")
    if isinstance(inline, Raw):
        return {"identityType": inline, "userAssignedIdentities": inline}
    return {"identityType": inline.get("type"), "userAssignedIdentities": inline.get("userAssignedIdentities")}
