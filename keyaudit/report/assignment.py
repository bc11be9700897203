"""Names a grant by kind, principal and scope: "access policy: Sofia Rossi on kv-prod"."""

import re
from collections.abc import Mapping

from keyaudit.report.facts import Facts

COLUMNS = frozenset(
    {
        "api", "api_id", "kind", "principal_id", "principal_kind", "principal_name", "principal_type", "resource_id", "role_id",
        "scope", "scope_kind", "scope_name", "standing",
    }
)  # fmt: skip
"""The columns that `assignment` reads, besides the name."""
_KINDS: Mapping[str, str] = {
    "azure-role": "role assignment",
    "hsm-role": "local role assignment",
    "access-policy": "access policy",
    "app-role": "application permission",
    "delegated": "delegated permission",
    "directory-role": "Entra role assignment",
}
_SCOPES: Mapping[str, str] = {
    "management-group": "management group",
    "subscription": "subscription",
    "resource-group": "resource group",
    "administrative-unit": "administrative unit",
    "directory-object": "directory object",
}
"""Kinds of scopes that are named before the scope's name; vaults and HSMs need no kind."""
_EVERYTHING = {"root": "the whole tenant", "tenant": "the whole tenant"}
# An object in a vault or HSM, with the name of the vault.
_PART = re.compile(r"/(?:vaults|managedhsms)/([^/]+)/((?:keys|secrets|certificates)(?:/[^/]+)?)$", re.IGNORECASE)


def assignment(facts: Facts) -> str:
    """A row of the table `grant` in words. Text of the tenant, not safe to print."""
    kind = facts.text("kind") or ""
    what = _KINDS.get(kind, "access")
    if facts.row.get("standing") is False:
        what = f"eligible {what}"
    role = facts.text("name") or facts.text("role_id")
    named = f"{what} {role}" if role and kind != "access-policy" else what
    return f"{named}: {who_and_where(facts)}"


def who_and_where(facts: Facts) -> str:
    """The same in short: "Sofia Rossi on kv-prod"."""
    return f"{_principal(facts)} on {_place(facts)}"


def _principal(facts: Facts) -> str:
    """The name, or the object id if there is no name."""
    name = facts.text("principal_name")
    if name:
        return name
    kind = facts.text("principal_kind") or facts.text("principal_type")
    if kind == "everyone":
        return kind
    who = {None: "principal", "deleted": "deleted principal"}.get(kind) or str(kind).replace("-", " ")
    return f"{who} {facts.text('principal_id') or 'of unknown id'}"


def _place(facts: Facts) -> str:
    scope, kind = facts.text("scope"), facts.text("scope_kind") or ""
    if kind in _EVERYTHING:
        return _EVERYTHING[kind]
    if kind == "api":
        return facts.text("api") or f"the API {facts.text('api_id') or 'of unknown name'}"
    if not scope:
        return "a scope that was not read"
    # The id of an assignment begins with its scope in its original spelling.
    id_ = facts.text("resource_id") or ""
    scope = id_[: len(scope)] if id_.lower().startswith(scope) else scope
    part = _PART.search(scope)
    if part:
        return f"all keys of {part[1]}" if part[2].lower() == "keys" else f"{part[1]}/{part[2]}"
    name = facts.text("scope_name") or scope.rpartition("/")[2] or scope
    return f"{_SCOPES[kind]} {name}" if kind in _SCOPES else name
