"""Changes of the keys of a vault, or of a Managed HSM, on its data plane: create, rotate, attributes, rotation policy.

Operations and limits: https://learn.microsoft.com/rest/api/keyvault/keys. Where a refusal's words are from, stands beside it.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import Key, KeyVersion, ManagedHsm, RotationPolicy, Vault
from keyaudit.simulator.key_vault import keys
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import Request
from tests.simulator.writes import WriteError, body_of, part_of

_OPERATIONS = {"RSA": ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"), "EC": ("sign", "verify")}
"""The operations of a type of key; a new key has all of them unless the request names some."""
_SIZES = (2048, 3072, 4096)
_CURVES = ("P-256", "P-384", "P-521", "P-256K")
_DURATION = re.compile(r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?")
_DAY = 86_400
_SOFTWARE, _CURRENT_HSM = "0", "2"


def create(directory: Directory, vault: Vault, request: Request, stars: list[str]) -> dict[str, object]:
    """A new key, or a new version of one."""
    body = body_of(request)
    attributes = part_of(body, "attributes")
    kty = str(body.get("kty") or "")
    kind = kty.removesuffix("-HSM")
    if kind not in _OPERATIONS:
        raise WriteError(400, "BadParameter", f"Invalid kty value: {kty}")
    known = keys.named(vault, stars[0])
    if known is not None and known.managed:
        raise managed_by_vault("create", "Key")
    if any(one.key.name.lower() == stars[0].lower() for one in vault.deleted_keys):
        raise deleted("Key", stars[0])
    version = KeyVersion(
        version=new_version(directory, "key", vault.name, stars[0], str(len(known.versions) if known else 0)),
        kty=kty,
        key_ops=_operations(body.get("key_ops"), kind),
        created=int(request.now),
        updated=int(request.now),
        enabled=attributes.get("enabled") is not False,
        nbf=attributes.get("nbf"),
        exp=attributes.get("exp"),
        key_size=_one_of(body.get("key_size") or _SIZES[0], _SIZES, "key_size") if kind == "RSA" else None,
        crv=_one_of(body.get("crv") or _CURVES[0], _CURVES, "crv") if kind == "EC" else None,
        exportable=bool(attributes.get("exportable")),
        hsm_platform=_platform(vault, kty),
        release_policy_immutable=_release(vault, body, bool(attributes.get("exportable"))),
        tags=body.get("tags"),
    )
    made = Key(name=stars[0], versions=(version,), current=version.version)
    key = made if known is None else replace(known, versions=(*known.versions, version), current=version.version)
    return _kept(directory, vault, key, version)


def rotate(directory: Directory, vault: keys.Home, request: Request, stars: list[str]) -> dict[str, object]:
    """A new version like the current one. Its expiration date is that of the rotation policy; without one it has none."""
    key = _named(vault, stars[0], "rotate")
    now, policy = int(request.now), key.rotation
    version = replace(
        keys.current(key),
        version=new_version(directory, "key", vault.name, key.name, str(len(key.versions))),
        created=now,
        updated=now,
        enabled=True,
        nbf=None,
        exp=now + _seconds(policy.expiry_time) if policy and policy.expiry_time else None,
        hsm_platform=_platform(vault, keys.current(key).kty),
    )
    return _kept(directory, vault, replace(key, versions=(*key.versions, version), current=version.version), version)


def update(directory: Directory, vault: keys.Home, request: Request, stars: list[str]) -> dict[str, object]:
    """Other attributes, operations or tags of one version; without one in the address, of the current one."""
    name, wanted = (*stars, "")[:2]
    key = _named(vault, name, "update")
    found = keys.version(key, wanted)
    if found is None:
        raise not_found("key", "/".join(stars))
    body = body_of(request)
    attributes = part_of(body, "attributes")
    if attributes.get("exportable") not in (None, found[1].exportable):
        # https://github.com/Azure/azure-sdk-for-python/issues/21174
        raise WriteError(400, "BadParameter", "AKV.SKR.1014: Cannot modify the exportable state of a key.")
    changed: dict[str, Any] = {name: attributes[name] for name in ("enabled", "nbf", "exp") if attributes.get(name) is not None}
    if body.get("key_ops") is not None:
        changed["key_ops"] = _operations(body["key_ops"], found[1].kty.removesuffix("-HSM"))
    if body.get("tags") is not None:
        changed["tags"] = body["tags"]
    version = replace(found[1], updated=int(request.now), **changed)
    versions = tuple(version if one.version == version.version else one for one in key.versions)
    return _kept(directory, vault, replace(key, versions=versions), version)


def set_rotation(directory: Directory, vault: keys.Home, request: Request, stars: list[str]) -> dict[str, object]:
    """Another rotation policy. The limits are those of https://learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation."""
    key = _named(vault, stars[0], "setrotationpolicy")
    body = body_of(request)
    expiry = part_of(body, "attributes").get("expiryTime")
    if expiry is not None and _seconds(expiry) < 28 * _DAY:
        raise WriteError(400, "BadParameter", "The expiryTime of a key rotation policy must be at least 28 days.")
    triggers: dict[tuple[str, str], str] = {}
    for action in body.get("lifetimeActions") or ():
        for trigger, time in part_of(action, "trigger").items():
            if time is None:
                continue
            if trigger == "timeBeforeExpiry" and expiry is None and keys.current(key).exp is None:
                raise WriteError(400, "BadParameter", "A trigger of timeBeforeExpiry needs a key with an expiration date.")
            if _seconds(time) < 7 * _DAY:
                raise WriteError(400, "BadParameter", "The trigger of a lifetime action must be at least 7 days.")
            triggers[str(part_of(action, "action").get("type")).lower(), trigger] = time
    policy = RotationPolicy(
        rotate_after=triggers.get(("rotate", "timeAfterCreate")),
        rotate_before_expiry=triggers.get(("rotate", "timeBeforeExpiry")),
        notify_before_expiry=triggers.get(("notify", "timeBeforeExpiry")),
        expiry_time=expiry,
        created=int(request.now),
    )
    made = replace(key, rotation=policy)
    _kept(directory, vault, made, keys.current(made))
    return keys.rotation_policy(vault, made)


def new_version(directory: Directory, *of: str) -> str:
    """The id of a new version: 32 hex digits, the same in every run."""
    return directory.guid("version", *of).replace("-", "")


def not_found(noun: str, name: str) -> WriteError:
    """The 404 for an object of that noun; the vault words it."""
    return WriteError(404, f"{noun.title()}NotFound", name)


def deleted(noun: str, name: str) -> WriteError:
    """The 409 for the name of an object that is deleted and can be recovered, as tests of public clients record it:
    https://github.com/external-secrets/external-secrets/issues/3519.
    """
    message = (
        f"{noun} {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the "
        f"{noun.lower()} can only be recovered or purged."
    )
    return WriteError(409, "Conflict", message, "ObjectIsDeletedButRecoverable")


def managed_by_vault(operation: str, noun: str) -> WriteError:
    """The 403 for a key or secret that belongs to a certificate: https://github.com/hashicorp/terraform-provider-azurerm/issues/5659."""
    message = f'Operation "{operation}" is not allowed as this object\'s lifetime is managed by Key Vault.'
    return WriteError(403, "Forbidden", message, f"{noun}ManagedByKeyVault")


def _named(vault: keys.Home, name: str, operation: str) -> Key:
    key = keys.named(vault, name)
    if key is None:
        raise not_found("key", name)
    if key.managed:
        raise managed_by_vault(operation, "Key")
    return key


def _kept(directory: Directory, vault: keys.Home, key: Key, version: KeyVersion) -> dict[str, object]:
    every = (*(one for one in vault.keys if one.name.lower() != key.name.lower()), key)
    if isinstance(vault, ManagedHsm):
        hsms = tuple(replace(one, keys=every) if one is vault else one for one in directory.estate.hsms)
        directory.change(replace(directory.estate, hsms=hsms))
    else:
        directory.change_vault(replace(vault, keys=every))
    return keys.bundle(vault, key, version)


def _operations(asked: object, kind: str) -> tuple[str, ...]:
    allowed = _OPERATIONS.get(kind, ())
    found = tuple(str(one) for one in asked) if isinstance(asked, list) else allowed
    wrong = [one for one in found if one not in allowed]
    if wrong:
        # https://github.com/Azure/AzureKeyVault/issues/22
        names = ", ".join(f'"{one}"' for one in wrong)
        supported = ", ".join(f'"{one}"' for one in allowed)
        raise WriteError(400, "BadParameter", f"Unsupported key operation(s): {names}. Supported values are {supported}.")
    return found


def _one_of(value: Any, allowed: tuple[Any, ...], name: str) -> Any:
    if value not in allowed:
        raise WriteError(400, "BadParameter", f"Invalid {name} value: {value}")
    return value


def _platform(vault: keys.Home, kty: str) -> str:
    """Where the service makes a key today. A standard vault has no HSM: https://github.com/Azure/azure-sdk-for-net/issues/6551."""
    if not kty.endswith("-HSM"):
        return _SOFTWARE
    if isinstance(vault, Vault) and vault.sku.lower() != "premium":
        raise WriteError(400, "BadParameter", "Hardware key operation not allowed on standard vault")
    return _CURRENT_HSM


def _release(vault: Vault, body: Mapping[str, Any], exportable: bool) -> bool | None:
    """Whether the release policy is immutable; None: there is none."""
    policy = body.get("release_policy")
    if exportable and vault.sku.lower() != "premium":
        # https://github.com/Azure/azure-sdk-for-java/pull/23276
        message = (
            "AKV.SKR.1001: The exportable attribute is only supported with premium vaults and API version >= '7.3-preview'."
        )
        raise WriteError(400, "BadParameter", message)
    if exportable and not policy:
        # https://github.com/Azure/azure-sdk-for-python/issues/29945
        raise WriteError(400, "BadParameter", "Exportable keys must have release policy")
    if policy and not exportable:
        # https://github.com/Azure/azure-cli/issues/28288
        raise WriteError(400, "BadParameter", "AKV.SKR.1005: Non-exportable keys must not have release policy.")
    return bool(part_of(body, "release_policy").get("immutable")) if policy else None


def _seconds(duration: object) -> int:
    """An ISO 8601 duration; a year is 365 days and a month 30."""
    match = _DURATION.fullmatch(str(duration))
    if match is None or not any(match.groups()):
        raise WriteError(400, "BadParameter", f"Invalid duration: {duration}")
    years, months, days = (int(match[part] or 0) for part in ("years", "months", "days"))
    return (years * 365 + months * 30 + days) * _DAY
