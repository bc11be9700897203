"""Keys as Key Vault's data plane describes them: member order, and members that are omitted if never set."""

import hashlib
from collections.abc import Callable

from keyaudit.simulator.estate import DeletedKey, Key, KeyVersion, ManagedHsm, RotationPolicy, Vault
from keyaudit.simulator.tokens import encoded

_COORDINATE_BYTES = {"P-256": 32, "P-256K": 32, "P-384": 48, "P-521": 66}
_LONGEST_RETENTION = 90

Home = Vault | ManagedHsm
"""A key's container."""


def base_uri(vault: Home) -> str:
    """The URI of a vault or HSM without the slash at its end."""
    kind = "managedhsm" if isinstance(vault, ManagedHsm) else "vault"
    return f"https://{vault.name.lower()}.{kind}.azure.net"


def key_uri(vault: Home, key: Key, version: str = "") -> str:
    """A key's identifier, with a version if one is named."""
    return f"{base_uri(vault)}/keys/{key.name}" + (f"/{version}" if version else "")


def current(key: Key) -> KeyVersion:
    """The version that a request without a version gets."""
    return next(version for version in key.versions if version.version == key.current)


def named(vault: Home, name: str) -> Key | None:
    """A vault's key by its name, in any case."""
    return next((key for key in vault.keys if key.name.lower() == name.lower()), None)


def version(key: Key | None, wanted: str) -> tuple[Key, KeyVersion] | None:
    """A key and the wanted or the current version; None if there is none."""
    for one in key.versions if key else ():
        if key and one.version.lower() == (wanted or key.current).lower():
            return key, one
    return None


def recovery_level(vault: Home) -> str:
    """The recovery level, by the vault's settings."""
    if vault.soft_delete is False:
        return "Purgeable"
    custom = "Customized" if retention_days(vault) < _LONGEST_RETENTION else ""
    return f"{custom}Recoverable" + ("" if vault.purge_protection else "+Purgeable")


def retention_days(vault: Home) -> int:
    """The retention of deleted objects in a vault."""
    return vault.retention_days or _LONGEST_RETENTION


def attributes(vault: Home, version: KeyVersion, *, whole: bool) -> dict[str, object]:
    """A version's attributes; `whole`: as a GET gives them, with key_size."""
    found: dict[str, object] = {"enabled": version.enabled}
    if whole and version.key_size is not None:
        found["key_size"] = version.key_size
    for name in ("nbf", "exp", "created", "updated"):
        value = getattr(version, name)
        if value is not None:
            found[name] = value
    found["recoveryLevel"] = recovery_level(vault)
    if vault.soft_delete is not False:
        found["recoverableDays"] = retention_days(vault)
    found["exportable"] = version.exportable
    if whole and version.external_key is not None:
        found["external_key"] = {"id": version.external_key}
    if version.hsm_platform is not None:
        found["hsmPlatform"] = version.hsm_platform
    return found


def item(vault: Home, key: Key, version: KeyVersion, *, versioned: bool) -> dict[str, object]:
    """An item of a list: of keys (the identifier without a version) or of one key's versions."""
    found: dict[str, object] = {
        "kid": key_uri(vault, key, version.version if versioned else ""),
        "attributes": attributes(vault, version, whole=False),
    }
    return _marked(found, key, version)


def bundle(vault: Home, key: Key, version: KeyVersion) -> dict[str, object]:
    """A key as a GET gives it."""
    found: dict[str, object] = {
        "key": _material(key_uri(vault, key, version.version), version),
        "attributes": attributes(vault, version, whole=True),
    }
    _marked(found, key, version)
    if version.release_policy_immutable is not None:
        found["release_policy"] = {
            "contentType": "application/json; charset=utf-8",
            "data": encoded(b'{"anyOf":[],"version":"1.0.0"}'),
            "immutable": version.release_policy_immutable,
        }
    return found


def deleted_item(vault: Home, deleted: DeletedKey, *, whole: bool) -> dict[str, object]:
    """A soft-deleted key, as an item of their list or whole."""
    version = current(deleted.key)
    rest = bundle(vault, deleted.key, version) if whole else item(vault, deleted.key, version, versioned=False)
    return {
        "recoveryId": f"{base_uri(vault)}/deletedkeys/{deleted.key.name}",
        "deletedDate": deleted.deleted,
        "scheduledPurgeDate": deleted.purge,
        **rest,
    }


def rotation_policy(vault: Home, key: Key) -> dict[str, object]:
    """A key's rotation policy; the default one has no id and no dates, but notifies.

    A Managed HSM names a policy without its host, and its actions in lower case: Azure/azure-sdk-assets,
    test_key_rotation_policy (2026).
    """
    if key.rotation is None:
        return {
            "lifetimeActions": [_action("timeBeforeExpiry", "P30D", "Notify")],
            "attributes": {"created": None, "updated": None},
        }
    times: dict[str, object] = {"created": key.rotation.created, "updated": key.rotation.created}
    if key.rotation.expiry_time is not None:
        times = {"expiryTime": key.rotation.expiry_time, **times}
    if isinstance(vault, ManagedHsm):
        actions = lifetime_actions(key.rotation, str.lower)
        return {"id": f"keys/{key.name}/rotationpolicy", "lifetimeActions": actions, "attributes": times}
    return {
        "id": f"{key_uri(vault, key)}/rotationpolicy",
        "lifetimeActions": lifetime_actions(key.rotation),
        "attributes": times,
    }


def lifetime_actions(policy: RotationPolicy, spelled: Callable[[str], str] = str) -> list[dict[str, object]]:
    """Rotate, then Notify."""
    actions = []
    if policy.rotate_after is not None:
        actions.append(_action("timeAfterCreate", policy.rotate_after, spelled("Rotate")))
    if policy.rotate_before_expiry is not None:
        actions.append(_action("timeBeforeExpiry", policy.rotate_before_expiry, spelled("Rotate")))
    if policy.notify_before_expiry is not None:
        actions.append(_action("timeBeforeExpiry", policy.notify_before_expiry, spelled("Notify")))
    return actions


def _action(trigger: str, time: str, kind: str) -> dict[str, object]:
    return {"trigger": {trigger: time}, "action": {"type": kind}}


def _marked(found: dict[str, object], key: Key, version: KeyVersion) -> dict[str, object]:
    if version.tags:
        found["tags"] = version.tags
    if key.managed:
        found["managed"] = True
    return found


def _material(kid: str, version: KeyVersion) -> dict[str, object]:
    """The public part: numbers of the right size that belong to no real key."""
    found: dict[str, object] = {"kid": kid, "kty": version.kty, "key_ops": list(version.key_ops)}
    if version.kty.startswith("RSA") and version.external_key is None:
        found["n"] = _number(kid, "n", (version.key_size or 2048) // 8)
        found["e"] = "AQAB"
    elif version.kty.startswith("EC") and version.crv is not None:
        size = _COORDINATE_BYTES[version.crv]
        found |= {"crv": version.crv, "x": _number(kid, "x", size), "y": _number(kid, "y", size)}
    elif version.kty.startswith("AKP"):
        found |= {"alg": version.alg, "pub": _number(kid, "pub", 1_312)}
    return found


def _number(kid: str, name: str, size: int) -> str:
    digits = bytearray(hashlib.shake_128(f"{kid}#{name}".encode()).digest(size))
    if name == "n":
        digits[0] |= 0x80
        digits[-1] |= 1
    if size == 66:  # 521 bits: seven of the first byte's are never set
        digits[0] &= 1
    return encoded(bytes(digits))
