"""Vaults and what is in them. Defaults as hashicorp/terraform-provider-azurerm sends them, or as the service documents them."""

import re
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    AccessPolicy,
    Certificate,
    CertificatePolicy,
    CertificateVersion,
    DeletedCertificate,
    DeletedKey,
    DeletedSecret,
    DeletedVault,
    Key,
    KeyVersion,
    RotationPolicy,
    Secret,
    SecretVersion,
    Vault,
)
from keyaudit.simulator.key_vault import certificates
from tests.plan.instances import Instance, Values
from tests.plan.making import Maker, Remover
from tests.plan.terms import UNKNOWN
from tests.plan.world import DAY, World, found, put, vault_id

_CLIENT, _SERVER = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"
_PLATFORM = {True: "2", False: "0"}
"""hsmPlatform of a new key: https://learn.microsoft.com/azure/key-vault/keys/about-keys"""


def seconds(moment: str | None) -> int | None:
    """An RFC 3339 time in seconds since 1970."""
    return None if not moment else int(datetime.fromisoformat(moment).timestamp())


def _vault(world: World, instance: Instance, values: Values) -> Values:
    subscription = world.subscription(instance.resource.provider or "azurerm")
    group = values["resource_group_name"]
    networks = _first(values["network_acls"])
    given = values["access_policy"]
    settings: dict[str, Any] = {
        "location": values["location"],
        "sku": values["sku_name"],
        "tags": values["tags"],
        "rbac": values["rbac_authorization_enabled"],
        # The provider sends purge protection only where it is on: key_vault_resource.go, resourceKeyVaultCreate.
        "purge_protection": True if values["purge_protection_enabled"] else None,
        "retention_days": values["soft_delete_retention_days"],
        "public_network_access": "Enabled" if values["public_network_access_enabled"] else "Disabled",
        "default_action": networks.get("default_action"),
        "ip_rules": tuple(networks.get("ip_rules") or ()),
        "subnet_rules": tuple(networks.get("virtual_network_subnet_ids") or ()),
        "tenant": values["tenant_id"],
    }
    assert re.fullmatch(r"[a-zA-Z0-9-]{3,24}", values["name"]), values["name"]
    here = [each for each in world.estate.vaults if each.name.lower() == values["name"].lower()]
    vault = (
        replace(here[0], **settings)
        if here
        else Vault(name=values["name"], subscription=subscription, resource_group=group, **settings)
    )
    if given is not UNKNOWN:
        vault = replace(vault, access_policies=tuple(_policy(each) for each in given))
    world.put_vault(vault)
    return {
        "id": vault_id(vault),
        "vault_uri": f"https://{values['name'].lower()}.vault.azure.net/",
        "access_policy": [] if given is UNKNOWN else given,
        "network_acls": [] if values["network_acls"] is UNKNOWN else values["network_acls"],
    }


def _remove_vault(world: World, values: Values) -> None:
    vault = world.vault(values["id"])
    world.change(vaults=tuple(each for each in world.estate.vaults if each.name != vault.name))
    # features.key_vault.purge_soft_delete_on_destroy is on by default, and cannot purge what is protected.
    if vault.purge_protection:
        gone = DeletedVault(
            name=vault.name,
            subscription=vault.subscription,
            resource_group=vault.resource_group,
            deleted=world.now,
            purge=world.now + (vault.retention_days or 90) * DAY,
            location=vault.location,
            purge_protection=True,
        )
        world.change(deleted_vaults=(*world.estate.deleted_vaults, gone))


def _policy(values: Values) -> AccessPolicy:
    return AccessPolicy(
        principal=values["object_id"],
        application=values["application_id"],
        keys=tuple(values["key_permissions"] or ()),
        secrets=tuple(values["secret_permissions"] or ()),
        certificates=tuple(values["certificate_permissions"] or ()),
        storage=tuple(values["storage_permissions"]) if values["storage_permissions"] else None,
    )


def _access_policy(world: World, instance: Instance, values: Values) -> Values:
    vault = world.vault(values["key_vault_id"])
    policy = _policy(values)
    kept = put(vault.access_policies, policy, lambda each: f"{each.principal} {each.application}")
    world.put_vault(replace(vault, access_policies=kept))
    return {"id": f"{values['key_vault_id']}/objectId/{policy.principal}"}


def _remove_access_policy(world: World, values: Values) -> None:
    vault = world.vault(values["key_vault_id"])
    kept = tuple(each for each in vault.access_policies if each.principal != values["object_id"])
    world.put_vault(replace(vault, access_policies=kept))


def _key(world: World, instance: Instance, values: Values) -> Values:
    vault = world.vault(values["key_vault_id"])
    name, hsm = values["name"], values["key_type"].endswith("-HSM")
    elliptic = values["key_type"].startswith("EC")
    # The API's default where none is given: website/docs/r/key_vault_key.html.markdown, `curve`.
    curve = "P-256" if values["curve"] is UNKNOWN else values["curve"]
    release = _first(values["release_policy"])
    version = KeyVersion(
        version=world.version("key", instance.address, str(world.made_on)),
        kty=values["key_type"],
        key_ops=tuple(values["key_opts"]),
        created=world.made_on,
        updated=world.now,
        nbf=seconds(values["not_before_date"]),
        exp=seconds(values["expiration_date"]),
        key_size=None if elliptic else values["key_size"],
        crv=curve if elliptic else None,
        exportable=bool(release),
        hsm_platform=_PLATFORM[hsm],
        release_policy_immutable=release["immutable"] if release else None,
        tags=values["tags"],
    )
    key = Key(
        name=name, versions=(version,), current=version.version, rotation=_rotation(_first(values["rotation_policy"]), world)
    )
    world.put_vault(replace(vault, keys=put(vault.keys, key, lambda each: each.name.lower())))
    uri = f"https://{vault.name.lower()}.vault.azure.net/keys/{name}"
    return {**_nested(vault, "keys", uri, name, version.version), "curve": curve if elliptic else ""}


def _nested(vault: Vault, kind: str, uri: str, name: str, version: str) -> Values:
    resource = f"{vault_id(vault)}/{kind}/{name}"
    return {
        "id": f"{uri}/{version}",
        "version": version,
        "versionless_id": uri,
        "resource_id": f"{resource}/versions/{version}",
        "resource_versionless_id": resource,
    }


def _rotation(policy: Values, world: World) -> RotationPolicy | None:
    if not policy:
        return None
    automatic = _first(policy["automatic"])
    return RotationPolicy(
        rotate_after=automatic.get("time_after_creation"),
        rotate_before_expiry=automatic.get("time_before_expiry"),
        notify_before_expiry=policy["notify_before_expiry"],
        expiry_time=policy["expire_after"],
        created=world.now,
    )


def _remove_key(world: World, values: Values) -> None:
    vault = world.vault(values["key_vault_id"])
    key = found(vault.keys, lambda each: each.name == values["name"])
    changed = replace(vault, keys=tuple(each for each in vault.keys if each is not key))
    if vault.purge_protection:
        gone = DeletedKey(key=key, deleted=world.now, purge=world.now + (vault.retention_days or 90) * DAY)
        changed = replace(changed, deleted_keys=(*vault.deleted_keys, gone))
    world.put_vault(changed)


def _secret(world: World, instance: Instance, values: Values) -> Values:
    vault = world.vault(values["key_vault_id"])
    version = SecretVersion(
        version=world.version("secret", instance.address, str(world.made_on)),
        created=world.made_on,
        updated=world.now,
        nbf=seconds(values["not_before_date"]),
        exp=seconds(values["expiration_date"]),
        content_type=values["content_type"],
        tags=values["tags"],
    )
    secret = Secret(name=values["name"], versions=(version,))
    world.put_vault(replace(vault, secrets=put(vault.secrets, secret, lambda each: each.name.lower())))
    uri = f"https://{vault.name.lower()}.vault.azure.net/secrets/{secret.name}"
    return _nested(vault, "secrets", uri, secret.name, version.version)


def _remove_secret(world: World, values: Values) -> None:
    vault = world.vault(values["key_vault_id"])
    secret = found(vault.secrets, lambda each: each.name == values["name"])
    changed = replace(vault, secrets=tuple(each for each in vault.secrets if each is not secret))
    if vault.purge_protection:
        gone = DeletedSecret(secret=secret, deleted=world.now, purge=world.now + (vault.retention_days or 90) * DAY)
        changed = replace(changed, deleted_secrets=(*vault.deleted_secrets, gone))
    world.put_vault(changed)


def _certificate(world: World, instance: Instance, values: Values) -> Values:
    """A certificate that Key Vault generates by a policy, signed by itself; no plan here imports one or asks a CA."""
    vault = world.vault(values["key_vault_id"])
    policy = _first(values["certificate_policy"])
    key, x509 = _first(policy["key_properties"]), _first(policy["x509_certificate_properties"])
    assert _first(policy["issuer_parameters"])["name"] == "Self"
    name = values["name"]
    version = world.version("certificate", instance.address, str(world.made_on))
    begins = world.made_on - 600
    # A month of validity_months is a calendar month; 365 days a year come close enough to no limit of a policy.
    ends = begins + x509["validity_in_months"] * 365 * DAY // 12
    size = 2_048 if key["key_size"] is UNKNOWN else key["key_size"]
    usages = x509["extended_key_usage"]
    certificate = Certificate(
        name=name,
        versions=(
            CertificateVersion(
                version=version, created=world.made_on, updated=world.now, nbf=begins, exp=ends, tags=values["tags"]
            ),
        ),
        current=version,
        subject=x509["subject"].removeprefix("CN="),
        # Where none is given, Key Vault issues for servers and clients:
        # https://learn.microsoft.com/azure/key-vault/certificates/about-certificates
        ekus=(_SERVER, _CLIENT) if usages is UNKNOWN else tuple(usages),
        policy=CertificatePolicy(
            kty=key["key_type"],
            key_size=size,
            exportable=key["exportable"],
            reuse_key=key["reuse_key"],
            issuer="Self",
            validity_months=x509["validity_in_months"],
            content_type=_first(policy["secret_properties"])["content_type"],
            updated=world.now,
            **_renewal(policy["lifetime_action"]),
        ),
    )
    backing = KeyVersion(
        version=version,
        kty=key["key_type"],
        key_ops=("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"),
        created=world.made_on,
        nbf=begins,
        exp=ends,
        key_size=size,
        exportable=key["exportable"],
        hsm_platform=_PLATFORM[key["key_type"].endswith("-HSM")],
        tags=values["tags"],
    )
    content = certificate.policy.content_type
    stored = SecretVersion(
        version=version,
        created=world.made_on,
        updated=world.now,
        nbf=begins,
        exp=ends,
        content_type=content,
        tags=values["tags"],
    )
    vault = replace(
        vault,
        certificates=put(vault.certificates, certificate, lambda each: each.name.lower()),
        keys=put(
            vault.keys, Key(name=name, versions=(backing,), current=version, managed=True), lambda each: each.name.lower()
        ),
        secrets=put(vault.secrets, Secret(name=name, versions=(stored,), managed=True), lambda each: each.name.lower()),
    )
    world.put_vault(vault)
    uri = f"https://{vault.name.lower()}.vault.azure.net/certificates/{name}"
    der = certificates.der(vault, certificate, certificate.versions[0])
    return {
        **_nested(vault, "certificates", uri, name, version),
        "certificate_data": der.hex().upper(),
        "secret_id": uri.replace("/certificates/", "/secrets/") + f"/{version}",
    }


def _renewal(actions: list[Values]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for each in actions:
        trigger, kind = _first(each["trigger"]), _first(each["action"])["action_type"]
        if kind == "AutoRenew":
            found |= {"renew_days": trigger["days_before_expiry"], "renew_percentage": trigger["lifetime_percentage"]}
        else:
            found["mail_percentage"] = trigger["lifetime_percentage"]
    return found


def _remove_certificate(world: World, values: Values) -> None:
    vault = world.vault(values["key_vault_id"])
    certificate = found(vault.certificates, lambda each: each.name == values["name"])
    changed = replace(
        vault,
        certificates=tuple(each for each in vault.certificates if each is not certificate),
        keys=tuple(each for each in vault.keys if each.name != certificate.name),
        secrets=tuple(each for each in vault.secrets if each.name != certificate.name),
    )
    if vault.purge_protection:
        gone = DeletedCertificate(
            certificate=certificate, deleted=world.now, purge=world.now + (vault.retention_days or 90) * DAY
        )
        changed = replace(changed, deleted_certificates=(*vault.deleted_certificates, gone))
    world.put_vault(changed)


def _first(blocks: Any) -> Values:
    """The one block of a list that holds at most one."""
    return dict(blocks[0]) if isinstance(blocks, list) and blocks else {}


MAKERS: dict[str, Maker] = {
    "azurerm_key_vault": _vault,
    "azurerm_key_vault_access_policy": _access_policy,
    "azurerm_key_vault_key": _key,
    "azurerm_key_vault_secret": _secret,
    "azurerm_key_vault_certificate": _certificate,
}
REMOVERS: dict[str, Remover] = {
    "azurerm_key_vault": _remove_vault,
    "azurerm_key_vault_access_policy": _remove_access_policy,
    "azurerm_key_vault_key": _remove_key,
    "azurerm_key_vault_secret": _remove_secret,
    "azurerm_key_vault_certificate": _remove_certificate,
}
