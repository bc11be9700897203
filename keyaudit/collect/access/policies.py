"""The access policies of a vault, as grants. They are in the vault's properties, so the vault's unit writes them."""

from collections.abc import Iterator, Mapping

from msgspec import UNSET, Raw, Struct, field

from keyaudit.collect.grants import grant_row
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.guid import GUID
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import Allows

# https://learn.microsoft.com/azure/key-vault/general/assign-access-policy and .../keys/about-keys
_ALLOWS: Mapping[str, Mapping[str, Allows]] = {
    "keys": {
        "sign": Allows.SIGN,
        "decrypt": Allows.DECRYPT,
        "unwrapkey": Allows.WRAP,
        "backup": Allows.BACKUP,
        "release": Allows.RELEASE,
        "import": Allows.IMPORT,
        "restore": Allows.IMPORT,
        "create": Allows.MANAGE,
        "update": Allows.MANAGE,
        "delete": Allows.MANAGE,
        "rotate": Allows.MANAGE,
        "setrotationpolicy": Allows.MANAGE,
        "purge": Allows.PURGE,
    },
    "secrets": {"get": Allows.READ_PRIVATE},
    "certificates": {
        "import": Allows.IMPORT,
        "restore": Allows.IMPORT,
        "create": Allows.MANAGE,
        "update": Allows.MANAGE,
        "delete": Allows.MANAGE,
        "purge": Allows.PURGE,
    },
}


class Permissions(Struct):
    """The permissions of an access policy; permissions that it does not name are not granted."""

    keys: list[str] | None = None
    secrets: list[str] | None = None
    certificates: list[str] | None = None

    def names(self, kind: str) -> set[str]:
        """The permissions for keys, secrets or certificates, in lower case."""
        found = {"keys": self.keys, "secrets": self.secrets, "certificates": self.certificates}[kind]
        return {name.lower() for name in found or ()}


class PolicyItem(Struct, rename="camel"):
    """An access policy. `applicationId` limits it to the principal through that application."""

    object_id: str
    permissions: Permissions
    application_id: Wire = UNSET


class Policy(Struct):
    """The combined permissions of all entries for one principal."""

    allows: set[Allows] = field(default_factory=set)
    wildcard: bool = False


class Policies(Struct, frozen=True):
    """A vault's access policies."""

    found: Mapping[tuple[str, str], Policy]
    """Permissions by principal and application."""
    unread: int
    """Entries that cannot be read; 1 where all of it cannot be."""
    count: int | Refusal
    """Their number, or why not all were read."""


def policies_of(raw: Wire) -> Policies:
    """The policies in a vault's `accessPolicies`."""
    items = read(raw, list[Raw])
    if isinstance(items, Refusal):
        return Policies({}, 1, items)
    found: dict[tuple[str, str], Policy] = {}
    unread = 0
    for item in items:
        who, permissions = _entry(item)
        if permissions is None:
            unread += 1
            continue
        policy = found.setdefault(who, Policy())
        policy.allows |= _allows(permissions)
        policy.wildcard |= "all" in permissions.names("keys")
    return Policies(found, unread, Refusal(Reason.BAD_ITEM) if unread else len(items))


def policy_grants(raw: Wire, vault: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The grants of the access policies of that vault row. A policy without relevant permissions is no grant.

    An entry that cannot be decoded is a grant to an unknown principal; so is a list of them that cannot be decoded.
    """
    policies = policies_of(raw)
    for (principal, application), policy in sorted(policies.found.items()):
        if policy.allows:
            row = _begun(vault, principal, "/".join(part for part in (principal, application) if part))
            row.put("application_id", application or None)
            row.put("wildcard", policy.wildcard)
            row.put("allows", [str(each) for each in Allows if each in policy.allows])
            yield row.finish()
    reason = policies.count.reason if isinstance(policies.count, Refusal) else Reason.BAD_ITEM
    for number in range(1, policies.unread + 1):
        row = _begun(vault, "", f"unread/{number}" if number > 1 else "unread")
        row.refuse(("principal_id", "application_id", "wildcard", "allows"), reason)
        yield row.finish()


def _begun(vault: Mapping[str, object], principal: str, named: str) -> Row:
    resource_id = str(vault["resource_id"])
    row = grant_row(
        "access-policy",
        resource_id=f"{resource_id}/accessPolicies/{named}",
        scope_id=str(vault["scope_id"]),
        url=str(vault["source_url"]),
        version=str(vault["source_version"]),
        principal_id=principal,
    )
    row.put("name", None)
    row.put("principal_type", None)
    row.put("scope", resource_id.lower())
    row.put("scope_kind", "vault")
    row.put("vault_id", resource_id.lower())
    return row


def _entry(raw: Raw) -> tuple[tuple[str, str], Permissions | None]:
    """The principal and permissions of a policy; None if it cannot be decoded."""
    item = read(raw, PolicyItem)
    if isinstance(item, Refusal):
        return ("", ""), None
    application = "" if item.application_id is UNSET or is_null(item.application_id) else read(item.application_id, str)
    if isinstance(application, Refusal):
        return ("", ""), None
    who = (item.object_id.lower(), application.lower())
    if not GUID.fullmatch(who[0]) or (who[1] and not GUID.fullmatch(who[1])):
        return ("", ""), None
    return who, item.permissions


def _allows(permissions: Permissions) -> set[Allows]:
    found: set[Allows] = set()
    for kind, table in _ALLOWS.items():
        names = permissions.names(kind)
        found.update(table.values() if "all" in names else (table[name] for name in names if name in table))
    return found
