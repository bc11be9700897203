"""The scopes of role assignments: their kinds, and which scope contains which."""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

_SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f-]{36})(/.*)?", re.ASCII)
_GROUP = re.compile(r"/resourcegroups/[^/]+", re.ASCII)
_MANAGEMENT_GROUP = re.compile(r"/providers/microsoft\.management/managementgroups/[^/]+", re.ASCII)
_VAULT = re.compile(r"(/resourcegroups/[^/]+/providers/microsoft\.keyvault/(vaults|managedhsms)/[^/]+)(/.+)?", re.ASCII)


class Place(Struct, frozen=True, kw_only=True):
    """A scope. `id` is in lower case; `subscription_id` and `vault_id` are empty if the scope is above those."""

    id: str
    kind: str
    """The value of the column `scope_kind`; `other` for a resource that is neither a vault nor in one."""
    subscription_id: str = ""
    vault_id: str = ""


def place_of(scope: str) -> Place:
    """The scope of an id; ValueError for an undocumented form."""
    id_ = scope.lower().rstrip("/") or "/"
    if id_ == "/":
        return Place(id=id_, kind="root")
    if _MANAGEMENT_GROUP.fullmatch(id_):
        return Place(id=id_, kind="management-group")
    match = _SUBSCRIPTION.fullmatch(id_)
    if match is None:
        raise ValueError("not a scope")
    subscription, rest = match[1], match[2] or ""
    if not rest:
        return Place(id=id_, kind="subscription", subscription_id=subscription)
    if _GROUP.fullmatch(rest):
        return Place(id=id_, kind="resource-group", subscription_id=subscription)
    vault = _VAULT.fullmatch(rest)
    if vault is None:
        return Place(id=id_, kind="other", subscription_id=subscription)
    kind = "object" if vault[3] else "hsm" if vault[2] == "managedhsms" else "vault"
    return Place(id=id_, kind=kind, subscription_id=subscription, vault_id=f"/subscriptions/{subscription}{vault[1]}")


def encloses(outer: Place, inner: Place, above: Mapping[str, Sequence[str]]) -> bool:
    """Whether `inner` is `outer`, or certainly in it. `above`: by subscription, the ids of the management groups above it."""
    if outer.kind == "root" or outer.id == inner.id:
        return True
    if outer.kind == "management-group":
        return outer.id in above.get(inner.subscription_id, ())
    return inner.id.startswith(f"{outer.id}/")
