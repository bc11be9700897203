"""Keys, certificates and secrets of a plan, as the data plane of a vault answers. A secret's value is never looked at.

Defaults: website/docs/r/key_vault_key.html.markdown, key_vault_certificate and key_vault_secret of
hashicorp/terraform-provider-azurerm, and https://learn.microsoft.com/azure/key-vault/keys/about-keys-details.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Raw, Struct, structs

from keyaudit.model.values.times import parse_time
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, View, wire
from keyaudit.plan.resources.certificates import decided_of, is_imported, policy_of, wired
from keyaudit.plan.resources.offsets import moment
from keyaudit.plan.resources.vaults import VaultPlace, Vaults
from keyaudit.plan.scopes import Ground, stand_in

KEY, CERTIFICATE, SECRET = "azurerm_key_vault_key", "azurerm_key_vault_certificate", "azurerm_key_vault_secret"
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}", re.ASCII)
_VERSION = "0" * 32
"""Stands for the version of what the plan creates. It is the same in every plan."""


class _Object(Struct, frozen=True):
    """An object of a vault: its address without and with a version."""

    planned: Planned
    vault: VaultPlace
    name: str
    version: str
    collection: str

    @property
    def id(self) -> str:
        return f"{self.vault.uri}{self.collection}/{self.name}"

    @property
    def version_id(self) -> str:
        return f"{self.id}/{self.version}"


class Objects:
    """Adds the objects of vaults to the answers."""

    def __init__(self, ground: Ground, vaults: Vaults) -> None:
        self._ground, self._vaults, self._answers = ground, vaults, ground.answers
        self._keys = {planned.address: self._object(planned, "keys") for planned in ground.resources.of(KEY)}
        self.issued: dict[str, Mapping[str, object]] = {}
        """By address of a new certificate, what its policy decides of it: see `certificates.decided_of`."""

    def answer(self) -> None:
        """Add everything that is in vaults."""
        for vault in self._vaults.new():
            self._list(vault)
        for key in self._keys.values():
            self._key(key)
        for planned in self._ground.resources.of(CERTIFICATE):
            self._certificate(planned)
        for planned in self._ground.resources.of(SECRET):
            self._secret(self._object(planned, "secrets"), planned.value("content_type"))

    def _object(self, planned: Planned, collection: str) -> _Object:
        vault, name = self._vaults.of(planned), planned.text("name") or ""
        version = planned.text("version") or ""
        found = _Object(
            planned,
            vault,
            name if _NAME.fullmatch(name) else stand_in(planned.address),
            version.lower() if _NAME.fullmatch(version) else _VERSION,
            collection,
        )
        self._ground.origin(found.id, planned, *_ATTRIBUTES[planned.type])
        self._list(vault)
        return found

    def _list(self, vault: VaultPlace) -> None:
        """Begin the lists of a vault. Those of a new one have everything that will be in it."""
        for noun in ("key", "certificate", "secret"):
            self._answers.list(f"{noun}.list", vault.uri, whole=vault.new)

    def _listed(self, noun: str, found: _Object, id_: str, members: dict[str, Any]) -> None:
        """Add an object with one version to both lists. The versions of what exists are only partly known."""
        host, segments = found.vault.uri, {noun: found.name}
        self._answers.add(f"{noun}.list", {id_: found.id, **members}, host)
        self._answers.list(f"{noun}.versions", host, whole=found.planned.is_new, **segments)
        self._answers.add(f"{noun}.versions", {id_: found.version_id, **members}, host, **segments)
        if noun == "secret" and found.planned.is_new:
            # No request names a secret's current version, and a plan has no dates of creation; it makes one version.
            self._answers.decided[found.version_id.lower()] = {"is_current": True}

    def _key(self, found: _Object) -> None:
        planned = found.planned
        attributes = key_attributes(self._ground, planned)
        self._listed("key", found, "kid", {"attributes": attributes, "tags": _tags(planned)})
        bundle = key_bundle(planned, found.version_id, attributes)
        for version in ("", found.version):
            self._answers.put("key.get", bundle, found.vault.uri, key=found.name, version=version)
        self._answers.put("key.rotation_policy", _rotation(planned), found.vault.uri, key=found.name)

    def url(self, planned: Planned, attribute: str) -> Value:
        """The address of a key that an attribute names, with a version if it names one."""
        found = planned.value(attribute)
        return self._refers(planned, attribute) if isinstance(found, Raw) else found

    def url_within(self, planned: Planned, *path: str) -> Value:
        """The same of an attribute in a block, or of all that an attribute refers to, whose value is known after apply."""
        return self._refers(planned, *path)

    def _refers(self, planned: Planned, *path: str) -> Value:
        target = self._ground.resources.target(planned, *path)
        key = self._keys.get(target[0].address) if target else None
        if key is None or target is None or target[1] not in ("id", "versionless_id"):
            return AFTER_APPLY
        return key.version_id if target[1] == "id" else key.id

    def _certificate(self, planned: Planned) -> None:
        found = self._object(planned, "certificates")
        policy = planned.block("certificate_policy")
        unseen = dict.fromkeys(("created", "updated", "recoveryLevel"), NOT_IN_PLAN)
        dates = dict.fromkeys(("nbf", "exp"), NOT_IN_PLAN)
        if planned.is_new:
            decided = self.issued[planned.address] = decided_of(planned, policy, self._ground.now)
            self._answers.decided[found.version_id.lower()] = decided
            dates = {member: wired(decided[column]) for member, column in (("nbf", "not_before"), ("exp", "not_after"))}
        members = {"attributes": {**unseen, **dates, "enabled": True}, "tags": _tags(planned), "x5t": NOT_IN_PLAN}
        self._listed("certificate", found, "id", members)
        bundle = {
            "id": found.version_id,
            "kid": f"{found.vault.uri}keys/{found.name}/{found.version}",
            "cer": NOT_IN_PLAN,
            "policy": policy_of(planned, policy),
            **members,
        }
        for version in ("", found.version):
            self._answers.put("certificate.get", bundle, found.vault.uri, certificate=found.name, version=version)
        self._back(found, policy if isinstance(policy, View) else None)

    def _back(self, found: _Object, policy: View | None) -> None:
        """Add the key and the secret of a certificate, which have its name and are judged with it."""
        planned, uri = found.planned, found.vault.uri
        attributes = dict.fromkeys(("created", "updated", "nbf", "exp", "recoveryLevel"), NOT_IN_PLAN) | {"enabled": True}
        common = {"tags": _tags(planned), "managed": True}
        key = structs.replace(found, collection="keys")
        properties = policy.block("key_properties") if policy else None
        if isinstance(properties, View):
            kty = properties.value("key_type")
        else:
            kty = NOT_IN_PLAN if is_imported(planned) and not policy else AFTER_APPLY
        of_key = {**attributes, "exportable": False, "hsmPlatform": _platform(kty)}
        self._listed("key", key, "kid", {"attributes": of_key, **common})
        bundle_attributes = {**of_key, "key_size": NOT_IN_PLAN}
        material = {"kid": key.version_id, "kty": kty, "key_ops": NOT_IN_PLAN, "crv": NOT_IN_PLAN}
        bundle = {"key": material, "attributes": bundle_attributes, **common}
        for version in ("", found.version):
            self._answers.put("key.get", bundle, uri, key=found.name, version=version)
        secret = structs.replace(found, collection="secrets")
        self._listed("secret", secret, "id", {"attributes": attributes, "contentType": NOT_IN_PLAN, **common})
        for each in (key, secret):
            self._ground.origin(each.id, planned, *_ATTRIBUTES[CERTIFICATE])

    def _secret(self, found: _Object, content_type: Value) -> None:
        planned = found.planned
        attributes = {
            "enabled": True,
            "created": NOT_IN_PLAN,
            "updated": NOT_IN_PLAN,
            "recoveryLevel": NOT_IN_PLAN,
            "nbf": _time(moment(self._ground, planned, "not_before_date")),
            "exp": _time(moment(self._ground, planned, "expiration_date")),
        }
        members = {"attributes": _left_out(attributes), "tags": _tags(planned), "contentType": content_type or UNSET}
        self._listed("secret", found, "id", _left_out(members))


_DATES = ("expiration_date", "not_before_date", "tags")
_ATTRIBUTES = {
    KEY: ("name", "key_vault_id", "key_type", "key_size", "curve", "key_opts", "rotation_policy", "release_policy", *_DATES),
    # Much within its policy is computed, and no reason why a result is unknown.
    CERTIFICATE: ("name", "key_vault_id", "tags"),
    SECRET: ("name", "key_vault_id", "content_type", *_DATES),
}


def key_attributes(ground: Ground, planned: Planned) -> dict[str, Any]:
    """The attributes of a planned key, in a vault or a Managed HSM."""
    release = planned.block("release_policy")
    return _left_out(
        {
            "enabled": True,
            "created": NOT_IN_PLAN,
            "updated": NOT_IN_PLAN,
            "recoveryLevel": NOT_IN_PLAN,
            "nbf": _time(moment(ground, planned, "not_before_date")),
            "exp": _time(moment(ground, planned, "expiration_date")),
            # The provider makes a key with a release policy exportable, and no other.
            "exportable": AFTER_APPLY if isinstance(release, Raw) else release is not None,
            "hsmPlatform": _platform(planned.value("key_type")),
        }
    )


def key_bundle(planned: Planned, kid: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """A planned key as a GET returns it."""
    material = {"kid": kid, "kty": planned.value("key_type"), "crv": _curve(planned), "key_ops": planned.value("key_opts")}
    return _left_out(
        {
            "key": _left_out(material),
            "attributes": {**attributes, "key_size": planned.value("key_size")},
            "tags": _tags(planned),
            "release_policy": _release(planned.block("release_policy")),
        }
    )


def _left_out(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not UNSET}


def _time(value: Value) -> Value:
    """A time as a number of seconds; left out if none is set."""
    if value is None or value == "":
        return UNSET
    if not isinstance(value, str):
        return value
    try:
        return parse_time(value)
    except ValueError:
        return value


def _tags(planned: Planned) -> Value:
    return wire(planned.value("tags"), {})


def _platform(kty: Value) -> Value:
    """The HSM platform: all new HSM keys are on the current one.

    https://learn.microsoft.com/azure/key-vault/keys/about-keys
    """
    if not isinstance(kty, str):
        return kty
    return "2" if kty.upper().endswith("-HSM") else "0"


def _curve(planned: Planned) -> Value:
    """The curve of an EC key: P-256 if none is set."""
    kty, curve = planned.value("key_type"), planned.value("curve")
    if isinstance(kty, Raw):
        return kty
    if not isinstance(kty, str) or not kty.upper().startswith("EC"):
        return UNSET
    if isinstance(curve, Raw) and not planned.is_set("curve"):
        return "P-256"
    return wire(curve, "P-256")


def _release(found: object) -> Value:
    if isinstance(found, Raw):
        return found
    return UNSET if found is None else {"immutable": wire(found.value("immutable"), default=False)}  # type: ignore[attr-defined]


def _rotation(planned: Planned) -> dict[str, Any]:
    policy = planned.block("rotation_policy")
    if isinstance(policy, Raw):
        return {"lifetimeActions": policy, "attributes": policy}
    if policy is None:
        # The provider sets none. A new key has the default policy, which only notifies:
        # https://learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation
        return {"lifetimeActions": [] if planned.is_new else NOT_IN_PLAN, "attributes": None if planned.is_new else NOT_IN_PLAN}
    automatic = policy.block("automatic")
    return rotation_of(policy, automatic)


def rotation_of(policy: View, automatic: "View | Raw | None") -> dict[str, Any]:
    """A rotation policy; `automatic` has the times at which it rotates."""
    expiry = policy.value("expire_after")
    if isinstance(automatic, Raw):
        actions: Value = automatic
    elif automatic is None:
        actions = []
    else:
        trigger = {
            "timeAfterCreate": automatic.value("time_after_creation") or None,
            "timeBeforeExpiry": automatic.value("time_before_expiry") or None,
        }
        actions = [{"trigger": trigger, "action": {"type": "Rotate"}}]
    return {"lifetimeActions": actions, "attributes": {"expiryTime": expiry or None}}
