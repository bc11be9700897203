"""The access policies of a vault, as grants. They are in the vault's properties, so the vault's unit writes them."""

from collections.abc import Iterator, Mapping

from msgspec import UNSET, Raw, Struct, field

from keyaudit.collect.grants import grant_row
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import AFTER_APPLY, NOT_IN_PLAN, Wire, is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import Allows
from keyaudit.model.values.guid import GUID

_ALL = "all"
# https://learn.microsoft.com/azure/key-vault/general/assign-access-policy and .../keys/about-keys; the closed lists are
# KeyPermissions, SecretPermissions and CertificatePermissions of https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults
_ALLOWS: Mapping[str, Mapping[str, Allows | None]] = {
    "keys": {
        **dict.fromkeys(("encrypt", "get", "getrotationpolicy", "list", "recover", "verify", "wrapkey")),
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
    "secrets": {
        **dict.fromkeys(("backup", "delete", "list", "purge", "recover", "restore", "set")),
        "get": Allows.READ_PRIVATE,
    },
    "certificates": {
        **dict.fromkeys(
            (
                "backup",
                "deleteissuers",
                "get",
                "getissuers",
                "list",
                "listissuers",
                "managecontacts",
                "manageissuers",
                "recover",
                "setissuers",
            )
        ),
        "import": Allows.IMPORT,
        "restore": Allows.IMPORT,
        "create": Allows.MANAGE,
        "update": Allows.MANAGE,
        "delete": Allows.MANAGE,
        "purge": Allows.PURGE,
    },
}
"""By kind of object, every permission in lower case, with what it allows; None: nothing that a grant shows."""


class Permissions(Struct):
    """The permissions of an access policy; permissions that it does not name are not granted."""

    keys: list[str] | None = None
    secrets: list[str] | None = None
    certificates: list[str] | None = None
    storage: Wire = UNSET
    """Those for storage accounts that the vault manages. They allow nothing with keys, so that they are read by themselves."""

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
    """The combined permissions of all entries for one principal, by kind of object, in lower case."""

    names: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in _ALLOWS})

    @property
    def allows(self) -> list[Allows] | Refusal:
        """What they allow; unknown if one of them is in no document, since it may allow anything."""
        found: set[Allows | None] = set()
        for kind, table in _ALLOWS.items():
            names = self.names[kind]
            if _ALL in names:
                found.update(table.values())
            elif names <= table.keys():
                found.update(table[name] for name in names)
            else:
                return Refusal(Reason.UNRECOGNISED)
        return [each for each in Allows if each in found]

    @property
    def wildcard(self) -> bool | Refusal:
        """Whether every operation on keys is among them."""
        names = self.names["keys"]
        if _ALL in names or names <= _ALLOWS["keys"].keys():
            return _ALL in names
        return Refusal(Reason.UNRECOGNISED)


class Policies(Struct, frozen=True):
    """A vault's access policies."""

    found: Mapping[tuple[str, str], Policy]
    """Permissions by principal and application."""
    unread: tuple[Reason, ...]
    """Why each entry that cannot be read was not; one reason where all of it cannot be."""
    count: int | Refusal
    """Their number, or why not all were read."""
    storage: int | Refusal
    """The number of those with a permission for storage accounts, or why one of them may have more."""


_MARKS = {bytes(AFTER_APPLY): Reason.AFTER_APPLY, bytes(NOT_IN_PLAN): Reason.NOT_IN_PLAN}
_GRAVEST = (Reason.BAD_ITEM, Reason.AFTER_APPLY, Reason.NOT_IN_PLAN)
"""Reasons of entries that cannot be read. Of several, the first counts: the last is no gap of a plan."""


def policies_of(raw: Wire) -> Policies:
    """The policies in a vault's `accessPolicies`."""
    items = read(raw, list[Raw])
    if isinstance(items, Refusal):
        return Policies({}, (items.reason,), items, items)
    found: dict[tuple[str, str], Policy] = {}
    unread: list[Reason] = []
    storage: list[bool | Refusal] = []
    for item in items:
        who, permissions = _entry(item)
        if permissions is None:
            unread.append(_MARKS.get(bytes(item), Reason.BAD_ITEM))
            continue
        storage.append(_for_storage(permissions))
        policy = found.setdefault(who, Policy())
        for kind in _ALLOWS:
            policy.names[kind] |= permissions.names(kind)
    count = Refusal(min(unread, key=_GRAVEST.index)) if unread else len(items)
    refused = next((each for each in (count, *storage) if isinstance(each, Refusal)), None)
    return Policies(found, tuple(unread), count, storage.count(True) if refused is None else refused)


def _for_storage(permissions: Permissions) -> bool | Refusal:
    """Whether one of the permissions is for storage accounts. The list is null, empty or left out where none is."""
    if permissions.storage is UNSET or is_null(permissions.storage):
        return False
    names = read(permissions.storage, list[str])
    return names if isinstance(names, Refusal) else bool(names)


def policy_grants(raw: Wire, vault: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The grants of the access policies of that vault row. A policy without relevant permissions is no grant.

    An entry that cannot be decoded is a grant to an unknown principal; so is a list of them that cannot be decoded.
    """
    policies = policies_of(raw)
    for (principal, application), policy in sorted(policies.found.items()):
        allows = policy.allows
        if isinstance(allows, Refusal) or allows:
            row = _begun(vault, principal, "/".join(part for part in (principal, application) if part))
            row.put("application_id", application or None)
            row.put_read("wildcard", policy.wildcard)
            row.put_read("allows", allows)
            yield row.finish()
    for number, reason in enumerate(policies.unread, 1):
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
