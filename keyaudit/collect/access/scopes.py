"""The scopes that roles are assigned at: what kind of thing each is, and which of them cover which."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f-]{36})(/.*)?", re.ASCII)
_GROUP = re.compile(r"/resourcegroups/[^/]+", re.ASCII)
_MANAGEMENT_GROUP = re.compile(r"/providers/microsoft\.management/managementgroups/[^/]+", re.ASCII)
_VAULT = re.compile(r"(/resourcegroups/[^/]+/providers/microsoft\.keyvault/(vaults|managedhsms)/[^/]+)(/.+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A scope. `id` is in lower case; `subscription_id` and `vault_id` are empty where it is above those."""

    id: str
    kind: str
    """As the column `scope_kind` has it; `other` for a resource that is neither a vault nor in one."""
    subscription_id: str = ""
    vault_id: str = ""


def place_of(scope: str) -> Place:
    """The place that a scope's id names; ValueError for what has none of the documented forms."""
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
    """Whether `inner` is `outer`, or surely lies in it. `above`: subscription to the ids of the management groups above it."""
    if outer.kind == "root" or outer.id == inner.id:
        return True
    if outer.kind == "management-group":
        return outer.id in above.get(inner.subscription_id, ())
    return inner.id.startswith(f"{outer.id}/")
