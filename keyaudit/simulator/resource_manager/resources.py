"""Vaults, subscriptions and keys as Azure Resource Manager describes them."""

from collections.abc import Sequence

from keyaudit.simulator.estate import AccessPolicy, Key, KeyVersion, Secret, SecretVersion, Subscription, Vault
from keyaudit.simulator.key_vault import keys
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import iso

# From this version on resources carry systemData.
_SYSTEM_DATA_FROM = "2021-04"


def vault_id(vault: Vault) -> str:
    """A vault's resource id, as Azure spells it."""
    group = f"/subscriptions/{vault.subscription}/resourceGroups/{vault.resource_group}"
    return f"{group}/providers/Microsoft.KeyVault/vaults/{vault.name}"


def tracked(vault: Vault) -> dict[str, object]:
    """A vault as the generic resource list shows it: without properties."""
    return {
        "id": vault_id(vault),
        "name": vault.name,
        "type": "Microsoft.KeyVault/vaults",
        "location": vault.location,
        "tags": vault.tags or {},
    }


def vault_resource(directory: Directory, vault: Vault, api_version: str) -> dict[str, object]:
    """A vault with its properties."""
    found = tracked(vault)
    if api_version >= _SYSTEM_DATA_FROM:
        found["systemData"] = system_data(directory)
    found["properties"] = properties(directory, vault)
    return found


def properties(directory: Directory, vault: Vault) -> dict[str, object]:
    """A vault's properties, without those that were never set."""
    found: dict[str, object] = {
        "sku": {"family": "A", "name": vault.sku},
        "tenantId": vault.tenant or directory.tenant_id,
    }
    if vault.default_action is not None:
        found["networkAcls"] = network_rules(vault.default_action, vault.ip_rules, vault.subnet_rules)
    if vault.endpoints:
        found["privateEndpointConnections"] = endpoint_connections(vault_id(vault), vault.endpoints)
    own = () if vault.rbac else (_OWN_POLICY,)
    found["accessPolicies"] = [_access_policy(directory, one) for one in (*own, *vault.access_policies)]
    found["enabledForDeployment"] = False
    optional = {
        "enableSoftDelete": vault.soft_delete,
        "softDeleteRetentionInDays": vault.retention_days,
        "enableRbacAuthorization": vault.rbac,
        "enablePurgeProtection": vault.purge_protection,
        "createMode": vault.create_mode,
    }
    found |= {name: value for name, value in optional.items() if value is not None}
    found["vaultUri"] = f"{keys.base_uri(vault)}/"
    found["provisioningState"] = "Succeeded"
    if vault.public_network_access is not None:
        found["publicNetworkAccess"] = vault.public_network_access
    return found


_OWN_POLICY = AccessPolicy(principal="", keys=("get", "list", "getrotationpolicy"))
"""The access policy of the audited identity."""


def _access_policy(directory: Directory, policy: AccessPolicy) -> dict[str, object]:
    found: dict[str, object] = {"tenantId": directory.tenant_id, "objectId": policy.principal or directory.object_id}
    if policy.application is not None:
        found["applicationId"] = policy.application
    kinds = {"keys": policy.keys, "secrets": policy.secrets, "certificates": policy.certificates}
    if policy.storage is not None:
        kinds["storage"] = policy.storage
    return {**found, "permissions": {kind: list(names) for kind, names in kinds.items()}}


def network_rules(default_action: str, ranges: Sequence[str], subnets: Sequence[str] = ()) -> dict[str, object]:
    """The networkAcls of a vault or HSM."""
    return {
        "bypass": "AzureServices",
        "defaultAction": default_action,
        "ipRules": [{"value": each} for each in ranges],
        "virtualNetworkRules": [{"id": each, "ignoreMissingVnetServiceEndpoint": False} for each in subnets],
    }


def endpoint_connections(resource_id: str, states: Sequence[str]) -> list[dict[str, object]]:
    """The private endpoint connections of a vault or HSM; those that are not approved are listed like the others."""
    return [
        {
            "id": f"{resource_id}/privateEndpointConnections/connection-{number}",
            "properties": {
                "provisioningState": "Succeeded",
                "privateLinkServiceConnectionState": {"status": state, "actionsRequired": "None"},
            },
        }
        for number, state in enumerate(states)
    ]


def system_data(directory: Directory, created: int | None = None) -> dict[str, object]:
    """The creator of a resource, and the time; None: as old as the tenant."""
    made = iso(directory.estate.tenant_created if created is None else created).replace("Z", ".000Z")
    who = {"By": f"admin@{directory.default_domain}", "ByType": "User", "At": made}
    return {f"{verb}{what}": value for verb in ("created", "lastModified") for what, value in who.items()}


def key_resource(vault: Vault, key: Key, version: KeyVersion, *, whole: bool, versioned: bool) -> dict[str, object]:
    """A key or one version of it: `whole` with type, operations and size; in lists without.

    The control plane has no public key, hsmPlatform, managed or recoverableDays.
    """
    path = f"{vault_id(vault)}/keys/{key.name}" + (f"/versions/{version.version}" if versioned else "")
    attributes = keys.attributes(vault, version, whole=False)
    for name in ("recoverableDays", "hsmPlatform"):
        attributes.pop(name, None)
    found: dict[str, object] = {"attributes": attributes}
    if whole:
        found |= {"kty": version.kty, "keyOps": list(version.key_ops)}
        if version.key_size is not None:
            found["keySize"] = version.key_size
        if version.crv is not None:
            found["curveName"] = version.crv
    found["keyUri"] = keys.key_uri(vault, key)
    if whole or versioned:
        found["keyUriWithVersion"] = keys.key_uri(vault, key, version.version)
    if whole and not versioned and key.rotation is not None:
        times: dict[str, object] = {"created": key.rotation.created, "updated": key.rotation.created}
        if key.rotation.expiry_time is not None:
            times["expiryTime"] = key.rotation.expiry_time
        found["rotationPolicy"] = {"attributes": times, "lifetimeActions": keys.lifetime_actions(key.rotation)}
    kind = "Microsoft.KeyVault/vaults/keys" + ("/versions" if versioned else "")
    return {
        "id": path,
        "name": version.version if versioned else key.name,
        "type": kind,
        "location": vault.location,
        "tags": version.tags or {},
        "properties": found,
    }


def secret_resource(vault: Vault, secret: Secret, version: SecretVersion) -> dict[str, object]:
    """A secret, which the control plane shows without its value."""
    attributes = {name: getattr(version, name) for name in ("enabled", "nbf", "exp", "created", "updated")}
    uri = f"{keys.base_uri(vault)}/secrets/{secret.name}"
    found: dict[str, object] = {"attributes": {name: value for name, value in attributes.items() if value is not None}}
    if version.content_type is not None:
        found["contentType"] = version.content_type
    found |= {"secretUri": uri, "secretUriWithVersion": f"{uri}/{version.version}"}
    return {
        "id": f"{vault_id(vault)}/secrets/{secret.name}",
        "name": secret.name,
        "type": "Microsoft.KeyVault/vaults/secrets",
        "location": vault.location,
        "tags": version.tags or {},
        "properties": found,
    }


def subscription_resource(directory: Directory, subscription: Subscription) -> dict[str, object]:
    """A subscription."""
    return {
        "id": f"/subscriptions/{subscription.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": directory.tenant_id,
        "displayName": subscription.name,
        "state": subscription.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def tenant_resource(directory: Directory) -> dict[str, object]:
    """The tenant as ARM lists it."""
    return {
        "id": f"/tenants/{directory.tenant_id}",
        "tenantId": directory.tenant_id,
        "countryCode": "NL",
        "displayName": directory.shown_name,
        "domains": [domain.name for domain in directory.estate.domains],
        "tenantCategory": "Home",
        "defaultDomain": directory.default_domain,
        "tenantType": "AAD",
    }
