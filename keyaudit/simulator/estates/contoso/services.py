"""Contoso's other services: storage, databases, messaging, registries, clusters and disks, and the vault keys they use."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from keyaudit.simulator.estate import Plant, Resource, Subscription, Vault
from keyaudit.simulator.estates.contoso.certificates import DISK_KEY, EDGE_DISK_KEY
from keyaudit.simulator.estates.defects import (
    ACCOUNT_KEY_TOO_OLD,
    CMK_KEY_UNUSABLE,
    CMK_VERSION_PINNED,
    LOCAL_AUTH_ENABLED,
)
from keyaudit.simulator.estates.ids import Ground

STORES_CLUSTER = (
    "https://westeurope.oic.prod-aks.azure.com/f4f6ed4f-09b8-40b4-bbb3-79fe10007fb2/012343f2-3380-4bd7-b388-c2fca7d6cae7/"
)
"""The token issuer of the stores' cluster; the tenant's id stands in it."""

_STORAGE = "Microsoft.Storage/storageAccounts"
_COSMOS = "Microsoft.DocumentDB/databaseAccounts"

_DEVELOPERS = "contoso-developers.azurewebsites.net"
_DATA, _EDGE, _PAYMENTS = "kv-data-prod", "kv-platform-edge", "kv-payments-prod"
_FINDS = (
    (ACCOUNT_KEY_TOO_OLD, "stcontosoarchive", "keys/key1"),
    (ACCOUNT_KEY_TOO_OLD, "stcontosoarchive", "keys/key2"),
    (ACCOUNT_KEY_TOO_OLD, "stcontosoorders", "keys/key1"),
    (ACCOUNT_KEY_TOO_OLD, "stcontosoorders", "keys/key2"),
    (ACCOUNT_KEY_TOO_OLD, "stcontosostatements", "keys/key2"),
    (ACCOUNT_KEY_TOO_OLD, "stcontosodev", "keys/key2"),
    (ACCOUNT_KEY_TOO_OLD, "cosmos-contoso-orders", "keys/primary"),
    (LOCAL_AUTH_ENABLED, "sb-contoso-orders", "keys/keys"),
    (LOCAL_AUTH_ENABLED, "appcs-contoso", "keys/keys"),
    (LOCAL_AUTH_ENABLED, "crcontoso", "keys/admin-user"),
    (LOCAL_AUTH_ENABLED, "ai-contoso-support", "keys/keys"),
    (CMK_VERSION_PINNED, "stcontosostatements", f"encryption/{_DATA}.vault.azure.net/storage-cmk"),
    (CMK_VERSION_PINNED, "des-contoso-analytics", f"encryption/{_DATA}.vault.azure.net/storage-cmk"),
    (CMK_VERSION_PINNED, "crcontoso", f"encryption/{_DATA}.vault.azure.net/reporting-extract-wrap"),
    (CMK_KEY_UNUSABLE, "des-contoso-analytics", f"encryption/{_DATA}.vault.azure.net/storage-cmk"),
    (CMK_KEY_UNUSABLE, "stcontosoarchive", f"encryption/{_DATA}.vault.azure.net/archive-cmk"),
    (CMK_KEY_UNUSABLE, "stcontosodisputes", f"encryption/{_PAYMENTS}.vault.azure.net/merchant-archive"),
)
"""Policy, resource, and the part of the resource that it must find."""


def service_plants(resources: Iterable[Resource]) -> set[Plant]:
    """Their planted defects."""
    ids = {resource.name: resource.id.lower() for resource in resources}
    return {Plant(policy, f"{ids[name]}/{part}") for policy, name, part in _FINDS}


def lay_services(ground: Ground, subscriptions: Sequence[Subscription], vaults: Iterable[Vault]) -> tuple[Resource, ...]:
    """The resources, in the subscriptions `contoso-prod`, `contoso-nonprod` and `contoso-platform`."""
    return _Services(ground, subscriptions, vaults).laid()


class _Services:
    def __init__(self, ground: Ground, subscriptions: Sequence[Subscription], vaults: Iterable[Vault]) -> None:
        self._ground = ground
        self._subscriptions = {subscription.name: subscription.id for subscription in subscriptions}
        keys = [(vault.name, key) for vault in vaults for key in vault.keys]
        self._versions = {(vault, key.name): key.current for vault, key in keys}
        self._secrets = {(vault.name, secret.name): secret.versions[0].version for vault in vaults for secret in vault.secrets}
        self._superseded = {(vault, key.name): key.versions[1].version for vault, key in keys if len(key.versions) > 1}

    def laid(self) -> tuple[Resource, ...]:
        return (*self._accounts(), *self._messaging(), *self._databases(), *self._platform())

    def _accounts(self) -> Iterable[Resource]:
        # Created before storage recorded key dates, and never rotated since. Its encryption key was deleted when its vault was
        # cleaned up.
        yield self._prod(
            _STORAGE,
            "stcontosoarchive",
            "rg-archive",
            {
                "keyCreationTime": {"key1": None, "key2": None},
                "encryption": {
                    "keySource": "Microsoft.Keyvault",
                    "keyvaultproperties": {
                        "keyvaulturi": f"https://{_DATA}.vault.azure.net",
                        "keyname": "archive-cmk",
                        "keyversion": "",
                        "currentVersionedKeyIdentifier": None,
                    },
                },
            },
        )
        yield self._prod(
            _STORAGE,
            "stcontosodisputes",
            "rg-payments-prod",
            {
                "keyCreationTime": self._dates("stcontosodisputes", key1=20, key2=50),
                "encryption": self._by_parts(_PAYMENTS, "merchant-archive", ""),
            },
        )
        yield self._prod(
            _STORAGE,
            "stcontosoorders",
            "rg-orders-prod",
            {
                "keyCreationTime": self._dates("stcontosoorders", key1=1_400, key2=1_400),
                "keyPolicy": {"keyExpirationPeriodInDays": 90},
                "encryption": {"keySource": "Microsoft.Storage"},
            },
        )
        yield self._prod(
            _STORAGE,
            "stcontosolake",
            "rg-data-prod",
            {
                "allowSharedKeyAccess": False,
                "keyCreationTime": self._dates("stcontosolake", key1=820, key2=820),
                "encryption": self._by_parts("kv-data-prod", "lakehouse-cmk", ""),
            },
        )
        # Pinned to a version when the account was created, so rotation has no effect here.
        pinned = self._versions["kv-data-prod", "storage-cmk"]
        yield self._prod(
            _STORAGE,
            "stcontosostatements",
            "rg-data-prod",
            {
                "allowSharedKeyAccess": True,
                "keyCreationTime": self._dates("stcontosostatements", key1=30, key2=210),
                "encryption": self._by_parts("kv-data-prod", "storage-cmk", pinned),
            },
        )
        yield self._nonprod(
            _STORAGE,
            "stcontosodev",
            "rg-orders-nonprod",
            {"keyCreationTime": self._dates("dev", key1=15, key2=45), "keyPolicy": {"keyExpirationPeriodInDays": 30}},
        )

    def _messaging(self) -> Iterable[Resource]:
        yield self._prod("Microsoft.ServiceBus/namespaces", "sb-contoso-orders", "rg-orders-prod", {})
        hubs = self._prod(
            "Microsoft.EventHub/namespaces",
            "evh-contoso-telemetry",
            "rg-data-prod",
            {
                "disableLocalAuth": True,
                "encryption": {
                    "keySource": "Microsoft.KeyVault",
                    "keyVaultProperties": [
                        {"keyName": "lakehouse-cmk", "keyVaultUri": "https://kv-data-prod.vault.azure.net", "keyVersion": ""}
                    ],
                },
            },
        )
        yield replace(hubs, identity=self._identity("contoso-prod", "id-data-loader-prod"))
        settings = {"disableLocalAuth": False, "encryption": {"keyVaultProperties": None}}
        yield self._prod("Microsoft.AppConfiguration/configurationStores", "appcs-contoso", "rg-orders-prod", settings)

    def _databases(self) -> Iterable[Resource]:
        dates = {
            name: {"generationTime": self._date(age, "cosmos", name)}
            for name, age in (
                ("primaryMasterKey", 610),
                ("secondaryMasterKey", 100),
                ("primaryReadonlyMasterKey", 100),
                ("secondaryReadonlyMasterKey", 100),
            )
        }
        yield self._prod(
            _COSMOS,
            "cosmos-contoso-orders",
            "rg-orders-prod",
            {
                "keysMetadata": dates,
                "keyVaultKeyUri": "https://kv-orders-prod.vault.azure.net/keys/order-db-cmk",
            },
        )
        yield self._prod(
            "Microsoft.Sql/servers",
            "sql-contoso-data",
            "rg-data-prod",
            {"keyId": self._url("kv-data-prod", "sql-tde-protector")},
            follows_rotation=True,
        )
        yield self._nonprod("Microsoft.Sql/servers", "sql-contoso-dev", "rg-orders-nonprod", {"keyId": None})

    def _platform(self) -> Iterable[Resource]:
        # Pinned to the version that was current at setup.
        before = (
            f"https://{_DATA}.vault.azure.net/keys/reporting-extract-wrap/{self._superseded[_DATA, 'reporting-extract-wrap']}"
        )
        registry = {
            "adminUserEnabled": True,
            "encryption": {
                "status": "enabled",
                "keyVaultProperties": {"keyIdentifier": before, "versionedKeyIdentifier": before, "keyRotationEnabled": False},
            },
        }
        shared = self._shared("Microsoft.ContainerRegistry/registries", "crcontoso", "rg-platform", registry)
        yield replace(shared, identity=self._identity("contoso-nonprod", "id-orders-api-test"))
        yield self._prod(
            "Microsoft.ContainerService/managedClusters",
            "aks-contoso-stores",
            "rg-stores-prod",
            {
                "disableLocalAccounts": True,
                "oidcIssuerProfile": {
                    "enabled": True,
                    "issuerURL": STORES_CLUSTER,
                },
            },
        )
        yield self._shared("Microsoft.CognitiveServices/accounts", "ai-contoso-support", "rg-platform", {})
        yield self._prod(
            "Microsoft.Compute/diskEncryptionSets",
            "des-contoso-vms",
            "rg-data-prod",
            {
                "activeKey": {"keyUrl": self._url("kv-data-prod", "storage-cmk")},
                "rotationToLatestKeyVersionEnabled": True,
                "lastKeyRotationTimestamp": self._date(87, "des-contoso-vms"),
                "encryptionType": "EncryptionAtRestWithCustomerKey",
            },
        )
        site: dict[str, object] = {"defaultHostName": _DEVELOPERS, "hostNames": [_DEVELOPERS, "developers.contoso.example"]}
        yield self._shared("Microsoft.Web/sites", "contoso-developers", "rg-platform", site)
        for machine, group, vault, secret in (
            ("vm-batch-02", "rg-data-prod", _DATA, DISK_KEY),
            ("vm-edge-01", "rg-platform", _EDGE, EDGE_DISK_KEY),
        ):
            key = {"secretUrl": f"https://{vault}.vault.azure.net/secrets/{secret}/{self._secrets[vault, secret]}"}
            settings = {"osDisk": {"encryptionSettings": {"enabled": True, "diskEncryptionKey": key}}}
            yield self._prod("Microsoft.Compute/virtualMachines", machine, group, {"storageProfile": settings})
        # It still uses the previous version, which was disabled.
        yield self._prod(
            "Microsoft.Compute/diskEncryptionSets",
            "des-contoso-analytics",
            "rg-data-prod",
            {
                "activeKey": {
                    "keyUrl": f"https://{_DATA}.vault.azure.net/keys/storage-cmk/{self._superseded[_DATA, 'storage-cmk']}"
                },
                "rotationToLatestKeyVersionEnabled": False,
                "lastKeyRotationTimestamp": None,
                "encryptionType": "EncryptionAtRestWithCustomerKey",
            },
        )

    def _identity(self, subscription: str, name: str) -> dict[str, object]:
        """A user-assigned identity, as Resource Graph shows it."""
        group = f"/subscriptions/{self._subscriptions[subscription]}/resourceGroups/rg-identities"
        id_ = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        return {"type": "UserAssigned", "userAssignedIdentities": {id_: {}}}

    def _prod(
        self,
        type_: str,
        name: str,
        group: str,
        properties: dict[str, object],
        follows_rotation: bool | None = None,
    ) -> Resource:
        return Resource(
            type=type_,
            name=name,
            subscription=self._subscriptions["contoso-prod"],
            resource_group=group,
            tags={"env": "prod"},
            properties=properties,
            follows_rotation=follows_rotation,
        )

    def _nonprod(self, type_: str, name: str, group: str, properties: dict[str, object]) -> Resource:
        found = self._prod(type_, name, group, properties)
        return replace(found, subscription=self._subscriptions["contoso-nonprod"], tags={"env": "dev"})

    def _shared(self, type_: str, name: str, group: str, properties: dict[str, object]) -> Resource:
        found = self._prod(type_, name, group, properties)
        return replace(found, subscription=self._subscriptions["contoso-platform"], tags={"env": "shared"})

    def _url(self, vault: str, key: str) -> str:
        """A key with its current version."""
        return f"https://{vault}.vault.azure.net/keys/{key}/{self._versions[vault, key]}"

    def _by_parts(self, vault: str, key: str, version: str) -> dict[str, object]:
        """As storage names a key; an empty version follows it."""
        return {
            "keySource": "Microsoft.Keyvault",
            "keyvaultproperties": {
                "keyvaulturi": f"https://{vault}.vault.azure.net",
                "keyname": key,
                "keyversion": version,
                "currentVersionedKeyIdentifier": self._url(vault, key),
            },
        }

    def _dates(self, name: str, **ages: int) -> dict[str, str]:
        return {slot: self._date(age, name) for slot, age in ages.items()}

    def _date(self, age: int, *names: str) -> str:
        return datetime.fromtimestamp(self._ground.moment(age, *names), UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
