"""The vault key that a service encrypts with, from its settings; each service has its own format."""

import re
from collections.abc import Iterator

from msgspec import Raw, Struct
from msgspec.structs import replace

from keyaudit.collect.rows import Row
from keyaudit.collect.services.items import NULL, Service, ServiceItem, flag, member, text
from keyaudit.collect.services.settings import VERSION
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.model.coverage import Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key_use import KEY_USE

_KEY = re.compile(r"https://([a-z0-9.-]{1,253})(?::443)?/keys/([a-z0-9-]{1,127})(?:/([a-z0-9]{1,64}))?/?", re.ASCII)
_IDENTITY = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.managedidentity/userassignedidentities/[^/]+", re.ASCII
)
_UNNAMED = Refusal(Reason.BAD_BODY, "a key of a vault, and no name of it")
# https://learn.microsoft.com/rest/api/storagerp/storage-accounts/create#keysource and the same of the other services
_BY_VAULT = "microsoft.keyvault"
# The protector of a SQL server: https://learn.microsoft.com/rest/api/sql/encryption-protectors/get
_SQL_BY_VAULT, _SQL_BY_SERVICE = "azurekeyvault", "servicemanaged"
_OTHERWISE = Refusal(Reason.INCONSISTENT)
PROTECTOR = "protector"
"""Where a SQL server names a key that its own settings lack."""
_BY_SERVICE = frozenset({"microsoft.storage", "microsoft.cognitiveservices"})


class Reference(Struct, frozen=True):
    """A key, possibly with a version, in lower case."""

    vault: str
    name: str
    version: str | None

    @property
    def key_id(self) -> str:
        """The id in the table of keys."""
        return f"https://{self.vault}/keys/{self.name}"


class Use(Struct, frozen=True):
    """One setting that names a key."""

    key: Reference | Refusal
    pinned: bool | Refusal
    in_use: str | Refusal | None = None
    """The version that the service reports as used."""
    rotated: Wire | None = None
    status: str | Refusal | None = None
    """The code of the error with which following the rotation failed."""
    moving: bool | Refusal | None = None
    """Whether the service says that some of its data is still wrapped with an earlier version."""
    where: str = ""
    """What names it in ids, instead of the key."""

    @property
    def named(self) -> str:
        """What distinguishes it among the uses of its service."""
        return self.where or ("unread" if isinstance(self.key, Refusal) else f"{self.key.vault}/{self.key.name}")


def key_uses(service: Service) -> list[Use]:
    """Every key that the service is configured to use; an unreadable setting is a use of an unknown key."""
    item = service.item
    match service.kind:
        case "disk-encryption-set":
            # Its URL has a version even if the service follows rotation.
            follows = flag(item.rotation_to_latest_key_version_enabled, never_set=False)
            pinned = follows if isinstance(follows, Refusal) else not follows
            # This resource exists only for its key.
            found = _of_url(member(item.active_key, "keyUrl")) or [_use(_UNNAMED)]
            return [_of_set(use, item, pinned) for use in found]
        case "cosmos-db":
            in_use = _version(item.key_vault_key_uri_version)
            return [replace(use, in_use=in_use) for use in _of_url(item.key_vault_key_uri)]
        case "sql-server" | "sql-managed-instance":
            return _of_url(item.key_id)
        case "kubernetes":
            enabled = flag(member(item.azure_key_vault_kms, "enabled"), never_set=False)
            # It never says which version it uses, so nothing about that was unreadable.
            return [replace(use, in_use=None) for use in _of_url(member(item.azure_key_vault_kms, "keyId")) if enabled]
        case "storage":
            return [_reported(use) for use in _of_encryption(item.encryption)]
        case _:
            return list(_of_encryption(item.encryption))


def _reported(use: Use) -> Use:
    """The use of a storage account, which says which version it is on where it follows the newest one.

    https://learn.microsoft.com/rest/api/storagerp/storage-accounts/get-properties#storageaccountgetpropertiescmkenabled
    """
    return replace(use, in_use=Refusal(Reason.BAD_BODY)) if use.in_use is None and not use.pinned else use


def _of_set(use: Use, item: ServiceItem, pinned: bool | Refusal) -> Use:
    """The use of a disk encryption set: the active key, on which all disks are once no previous key is left.

    https://learn.microsoft.com/rest/api/compute/disk-encryption-sets/get: previousKeys is empty unless a rotation is running.
    """
    previous = None if is_null(item.previous_keys) else read(item.previous_keys, list[Raw])
    moving = previous if previous is None or isinstance(previous, Refusal) else bool(previous)
    error = text(member(item.auto_key_rotation_error, "code"))
    if error is None and not is_null(item.auto_key_rotation_error):
        error = Refusal(Reason.BAD_BODY)
    return replace(
        use,
        pinned=pinned,
        in_use=use.key.version if isinstance(use.key, Reference) else use.key,
        rotated=item.last_key_rotation_timestamp,
        status=error,
        moving=moving,
    )


def protected(named: list[Use], properties: Wire) -> list[Use]:
    """The uses of a SQL server by the `properties` of its encryption protector. `named`: the use in its own settings, if any,
    which must be of the same key.
    """
    kind = _word(member(properties, "serverKeyType"))
    if kind == _SQL_BY_SERVICE and not named:
        return []
    where = named[0].named if named else PROTECTOR
    return [replace(_by_protector(named, properties, kind), where=where)]


def _by_protector(named: list[Use], properties: Wire, kind: str | Refusal | None) -> Use:
    if isinstance(kind, Refusal):
        return _use(kind)
    if kind == _SQL_BY_SERVICE:
        return _use(_OTHERWISE)
    if kind not in (None, _SQL_BY_VAULT):
        return _use(Refusal(Reason.UNRECOGNISED))
    protector = _of_url(member(properties, "uri"))
    [use] = protector or (named if kind is None else []) or [_use(_UNNAMED)]
    if isinstance(use.key, Refusal):
        return use
    if any(isinstance(other.key, Refusal) or other.key.key_id != use.key.key_id for other in named):
        return _use(_OTHERWISE)
    follows = flag(member(properties, "autoRotationEnabled"), never_set=False)
    pinned = follows if isinstance(follows, Refusal) else not follows and use.key.version is not None
    # The protector is what the server encrypts with, so the version that it names is in use.
    return replace(use, pinned=pinned, in_use=use.key.version if protector else None)


def key_use_row(service: Service, use: Use, named: str, scope: Scope, place: tuple[str, str]) -> dict[str, object]:
    """The row of one use; `named` distinguishes the uses of one service."""
    id_ = f"{service.item.id}/encryption/{named}"
    row = Row(KEY_USE, id=id_, resource_id=service.item.id, scope_id=scope.id, url=place[0], version=place[1])
    service.put_place(row)
    row.put("consumer_id", service.item.id.lower())
    if isinstance(use.key, Refusal):
        row.refuse(("key_id", "version"), use.key.reason)
    else:
        row.put("key_id", use.key.key_id)
        row.put("version", use.key.version)
    row.put_read("identity_ids", identities(service.item.identity_type, service.item.user_assigned_identities))
    row.put_read("pinned", use.pinned)
    row.put_all(version_in_use=use.in_use, moving=use.moving, status=use.status)
    row.put_read("broken", use.status if isinstance(use.status, Refusal) else True if use.status else None)
    row.put("rotated_on", use.rotated)
    return row.finish()


def identities(type_: Wire, raw: Wire) -> list[str] | Refusal:
    """The resource ids of the user-assigned identities that a resource has, from the members of an object.

    Its type says whether it has any: https://learn.microsoft.com/rest/api/compute/disk-encryption-sets/get
    """
    kind, found = _word(type_), {} if is_null(raw) else read(raw, dict[str, Raw])
    if not found and (isinstance(kind, Refusal) or (kind is not None and "userassigned" in kind)):
        return kind if isinstance(kind, Refusal) else _OTHERWISE
    if isinstance(found, Refusal):
        return found
    ids = sorted({id_.lower() for id_ in found})
    return ids if all(_IDENTITY.fullmatch(id_) for id_ in ids) else Refusal(Reason.BAD_VALUE)


def _of_url(url: Wire) -> list[Use]:
    """A setting that is only the key's URL."""
    found = text(url)
    return [] if found is None else [_use(found if isinstance(found, Refusal) else _parsed(found))]


def _word(raw: Wire) -> str | Refusal | None:
    """A value of a closed list, in lower case, because services use different case."""
    found = text(raw)
    return found.lower() if isinstance(found, str) else found


def _of_encryption(raw: Wire) -> Iterator[Use]:
    """The member `encryption` of storage, messaging, Cognitive Services, registries and App Configuration."""
    source, status = (_word(member(raw, name)) for name in ("keySource", "status"))
    if source in _BY_SERVICE or status == "disabled":
        return
    if isinstance(source, str) and source != _BY_VAULT:
        yield _use(Refusal(Reason.UNRECOGNISED))
        return
    properties = member(raw, "keyVaultProperties")
    several = read(properties, list[Raw])
    found = [use for one in ([properties] if isinstance(several, Refusal) else several) if (use := _of_properties(one))]
    if not found and (source == _BY_VAULT or status == "enabled"):
        found = [_use(_UNNAMED)]
    yield from found


def _of_properties(raw: Wire) -> Use | None:
    """One `keyVaultProperties`: a URL, or its parts; None if it names no key, such as an object of nulls."""
    url = text(member(raw, "keyIdentifier"))
    parts = [text(member(raw, name)) for name in ("keyVaultUri", "keyName", "keyVersion")]
    refusals = [part for part in (url, *parts) if isinstance(part, Refusal)]
    if refusals:
        return _use(refusals[0])
    if url is None and parts == [None, None, None]:
        return None
    vault, name, version = parts
    if url is None and None in (vault, name):
        return _use(_UNNAMED)
    use = _use(_parsed(str(url) if url else f"{str(vault).rstrip('/')}/keys/{name}/{version or ''}"))
    in_use = _first(member(raw, "currentVersionedKeyIdentifier"), member(raw, "versionedKeyIdentifier"))
    return replace(use, in_use=_version(in_use), rotated=member(raw, "lastKeyRotationTimestamp"))


def _use(key: Reference | Refusal) -> Use:
    """A use with a version is pinned, one without follows rotation; of an unreadable key the version in use is unknown, too."""
    return Use(key, key, in_use=key) if isinstance(key, Refusal) else Use(key, key.version is not None)


def _first(*raws: Wire) -> Wire:
    return next((raw for raw in raws if not is_null(raw)), NULL)


def _version(url: Wire) -> str | Refusal | None:
    """The version in use, which services give with the key's address or alone."""
    found = text(url)
    if found is None or isinstance(found, Refusal) or VERSION.fullmatch(found.lower()):
        return found.lower() if isinstance(found, str) else found
    parsed = _parsed(found)
    return parsed if isinstance(parsed, Refusal) else parsed.version


def _parsed(url: str) -> Reference | Refusal:
    match = _KEY.fullmatch(url.lower())
    return Reference(match[1], match[2], match[3]) if match else Refusal(Reason.BAD_VALUE)
