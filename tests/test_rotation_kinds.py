"""`keyaudit rotation` for every kind of consumer: on the old version, on the new one, without a version, broken, and unread.

Each kind answers with the members of the example on the page that `keyaudit.model.consumers` names as its `source`; services
with account keys with those of https://learn.microsoft.com/rest/api/storagerp/storage-accounts/get-properties,
https://learn.microsoft.com/rest/api/compute/disk-encryption-sets/get, https://learn.microsoft.com/rest/api/sql/servers/get,
https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/database-accounts/get and so on. Where a service shows no
version, or has no word for being unable to read it, there is nothing to put.
"""

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from keyaudit import ask
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.consumers import DECLARED, SECRET, kinds
from keyaudit.model.tables.services import CONSUMERS
from keyaudit.questions.rotation.answer import Rotation, State
from keyaudit.simulator import x509
from keyaudit.simulator.estate import Certificate, CertificateVersion, Key, Resource, Secret, SecretVersion, Vault
from keyaudit.simulator.key_vault import certificates
from tests.collect.estate import AS_OF, DAY, ESTATE, SUBSCRIPTION, version
from tests.collect.rig import collect, take
from tests.rotated import read_once

MADE = 60
"""How many days ago the new versions were made: longer than any interval."""
OLD, NEW = "a" * 32, "b" * 32
HOST = "https://kv-kinds.vault.azure.net"
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-kinds"
TLS, DATA, UNREADABLE = f"{HOST}/secrets/tls", f"{HOST}/keys/data", f"{HOST}/unread"
VERSIONS = tuple(
    CertificateVersion(version=each, created=AS_OF - days * DAY, nbf=AS_OF - days * DAY, exp=AS_OF + 300 * DAY)
    for each, days in ((NEW, MADE), (OLD, 400))
)
SERVED = Certificate(name="tls", versions=VERSIONS, current=NEW, subject="kinds.example")


def key(name: str, *, managed: bool) -> Key:
    made = ((OLD, 400), (NEW, MADE))
    return Key(
        name=name,
        versions=tuple(replace(version(days), version=each, key_ops=("wrapKey", "unwrapKey")) for each, days in made),
        current=NEW,
        managed=managed,
    )


KINDS = Vault(
    name="kv-kinds",
    subscription=SUBSCRIPTION,
    resource_group="rg",
    keys=(key("data", managed=False), key("tls", managed=True)),
    secrets=(
        Secret(
            name="tls",
            versions=tuple(SecretVersion(version=each.version, created=each.created) for each in VERSIONS),
            managed=True,
        ),
    ),
    certificates=(SERVED,),
)
DER = {each.version: certificates.der(KINDS, SERVED, each) for each in VERSIONS}


def sha1(used: str | None) -> str | None:
    return None if used is None else x509.thumbprint(DER[used])


Properties = dict[str, Any]
Make = Callable[..., Properties]


class Shown(Struct, frozen=True, kw_only=True):
    """How a kind says what it uses. Each function takes the version in use, and an address in the place of the usual one."""

    type: str
    properties: Make
    below: str = ""
    """The list below the resource that has the setting."""
    proves: bool = True
    """Whether it shows the version that it uses; else only the one that it is set to."""
    broken: Properties | None = None
    """The members that say that it cannot read it; None: it has no word for that."""
    always_versioned: bool = False
    """Whether its setting always names a version."""
    never_versioned: bool = False
    """Whether its setting never does."""


def url(base: str, used: str | None) -> str:
    return f"{base}/{used}" if used else base


def by_parts(used: str | None, at: str) -> Properties:
    return {"keyVaultUri": HOST, "keyName": "data" if at == DATA else 5, "keyVersion": used}


_API: Mapping[str, Any] = {"lastStatus": {"code": "Success"}}

SHOWN: Mapping[str, Shown] = {
    "application-gateway": Shown(
        type="Microsoft.Network/applicationGateways",
        properties=lambda used, at=TLS: {
            "sslCertificates": [
                {"properties": {"keyVaultSecretId": at, "publicCertData": used and base64.b64encode(DER[used]).decode()}}
            ]
        },
    ),
    "api-management": Shown(
        type="Microsoft.ApiManagement/service",
        properties=lambda used, at=TLS: {
            "hostnameConfigurations": [
                {
                    "keyVaultId": at,
                    "certificateSource": "KeyVault",
                    "certificate": {"thumbprint": sha1(used)},
                    "certificateStatus": "Completed",
                }
            ]
        },
        broken={
            "hostnameConfigurations": [{"keyVaultId": TLS, "certificateSource": "KeyVault", "certificateStatus": "Failed"}]
        },
    ),
    "api-management-certificate": Shown(
        type="Microsoft.ApiManagement/service",
        below="certificates",
        properties=lambda used, at=TLS: {"keyVault": {"secretIdentifier": at, **_API}, "thumbprint": sha1(used)},
    ),
    "api-management-value": Shown(
        type="Microsoft.ApiManagement/service",
        below="namedValues",
        properties=lambda used, at=TLS: {"keyVault": {"secretIdentifier": url(at, used), **_API}, "secret": True},
        proves=False,
    ),
    "app-service-certificate": Shown(
        type="Microsoft.Web/certificates",
        properties=lambda used, at=TLS: {
            "keyVaultId": VAULT if at == TLS else 5,
            "keyVaultSecretName": "tls",
            "thumbprint": sha1(used),
            "keyVaultSecretStatus": "Succeeded",
        },
        broken={"keyVaultId": VAULT, "keyVaultSecretName": "tls", "keyVaultSecretStatus": "KeyVaultSecretDoesNotExist"},
    ),
    "container-apps-certificate": Shown(
        type="Microsoft.App/managedEnvironments/certificates",
        properties=lambda used, at=TLS: {"certificateKeyVaultProperties": {"keyVaultUrl": at}, "thumbprint": sha1(used)},
    ),
    "front-door": Shown(
        type="Microsoft.Cdn/profiles",
        below="secrets",
        properties=lambda used, at=TLS: {
            "parameters": {
                "type": "CustomerCertificate",
                "secretSource": {"id": f"{VAULT}/secrets/tls" if at == TLS else 5},
                "useLatestVersion": True,
                "thumbprint": sha1(used),
            }
        },
    ),
    "cdn-domain": Shown(
        type="Microsoft.Cdn/profiles/endpoints",
        below="customDomains",
        properties=lambda used, at=TLS: {
            "customHttpsParameters": {
                "certificateSource": "AzureKeyVault",
                "certificateSourceParameters": {
                    "vaultName": "kv-kinds" if at == TLS else 5,
                    "secretName": "tls",
                    "secretVersion": used,
                },
            }
        },
        proves=False,
    ),
    "app-service": Shown(
        type="Microsoft.Web/sites",
        below="config/configreferences/appsettings",
        properties=lambda used, at=TLS: {
            "vaultName": "kv-kinds" if at == TLS else 5,
            "secretName": "tls",
            "status": "Resolved",
            "activeVersion": used,
        },
        broken={"vaultName": "kv-kinds", "secretName": "tls", "status": "AccessToKeyVaultDenied"},
    ),
    **{
        kind: Shown(
            type=f"Microsoft.App/{type_}",
            properties=lambda used, at=TLS: {"configuration": {"secrets": [{"name": "tls", "keyVaultUrl": url(at, used)}]}},
            proves=False,
        )
        for kind, type_ in (("container-app", "containerApps"), ("container-apps-job", "jobs"))
    },
    "firewall-policy": Shown(
        type="Microsoft.Network/firewallPolicies",
        properties=lambda used, at=TLS: {
            "transportSecurity": {"certificateAuthority": {"name": "ca", "keyVaultSecretId": url(at, used)}}
        },
        proves=False,
    ),
    "machine-certificate": Shown(
        type="Microsoft.Compute/virtualMachines",
        properties=lambda used, at=TLS: {
            "osProfile": {"secrets": [{"vaultCertificates": [{"certificateUrl": url(at, used)}]}]}
        },
        proves=False,
        always_versioned=True,
    ),
    "machine-extension": Shown(
        type="Microsoft.Compute/virtualMachines/extensions",
        properties=lambda used, at=TLS: {"settings": {"secretsManagementSettings": {"observedCertificates": [url(at, used)]}}},
        proves=False,
    ),
    "encryption-scope": Shown(
        type="Microsoft.Storage/storageAccounts",
        below="encryptionScopes",
        properties=lambda used, at=DATA: {
            "source": "Microsoft.KeyVault",
            "keyVaultProperties": {"keyUri": at, "currentVersionedKeyIdentifier": used and f"{DATA}/{used}"},
        },
    ),
    "encrypted-machine": Shown(
        type="Microsoft.Compute/virtualMachines",
        properties=lambda used, at=DATA: {
            "storageProfile": {"osDisk": {"encryptionSettings": {"keyEncryptionKey": {"keyUrl": url(at, used)}}}}
        },
        always_versioned=True,
    ),
    "encrypted-disk": Shown(
        type="Microsoft.Compute/disks",
        properties=lambda used, at=DATA: {
            "encryptionSettingsCollection": {"encryptionSettings": [{"keyEncryptionKey": {"keyUrl": url(at, used)}}]}
        },
        always_versioned=True,
    ),
    "sql-database": Shown(
        type="Microsoft.Sql/servers",
        below="databases",
        properties=lambda used, at=DATA: {"encryptionProtector": url(at, used), "encryptionProtectorAutoRotation": True},
        always_versioned=True,
    ),
    "postgresql": Shown(
        type="Microsoft.DBforPostgreSQL/flexibleServers",
        properties=lambda used, at=DATA: {"dataEncryption": {"type": "AzureKeyVault", "primaryKeyURI": url(at, used)}},
        broken={"dataEncryption": {"type": "AzureKeyVault", "primaryKeyURI": DATA, "primaryEncryptionKeyStatus": "Invalid"}},
    ),
    "mysql": Shown(
        type="Microsoft.DBforMySQL/flexibleServers",
        properties=lambda used, at=DATA: {"dataEncryption": {"type": "AzureKeyVault", "primaryKeyURI": url(at, used)}},
        proves=False,
    ),
    "databricks": Shown(
        type="Microsoft.Databricks/workspaces",
        properties=lambda used, at=DATA: {
            "encryption": {
                "entities": {"managedServices": {"keySource": "Microsoft.Keyvault", "keyVaultProperties": by_parts(used, at)}}
            }
        },
        proves=False,
    ),
    "synapse": Shown(
        type="Microsoft.Synapse/workspaces",
        properties=lambda used, at=DATA: {"encryption": {"cmk": {"key": {"name": "default", "keyVaultUrl": url(at, used)}}}},
        proves=False,
    ),
    "machine-learning": Shown(
        type="Microsoft.MachineLearningServices/workspaces",
        properties=lambda used, at=DATA: {
            "encryption": {"status": "Enabled", "keyVaultProperties": {"keyIdentifier": url(at, used)}}
        },
        proves=False,
    ),
    "data-factory": Shown(
        type="Microsoft.DataFactory/factories",
        properties=lambda used, at=DATA: {
            "encryption": {"vaultBaseUrl": HOST, "keyName": "data" if at == DATA else 5, "keyVersion": used or ""}
        },
        proves=False,
    ),
    "recovery-services": Shown(
        type="Microsoft.RecoveryServices/vaults",
        properties=lambda used, at=DATA: {"encryption": {"keyVaultProperties": {"keyUri": url(at, used)}}},
        proves=False,
    ),
    "data-explorer": Shown(
        type="Microsoft.Kusto/clusters",
        properties=lambda used, at=DATA: {"keyVaultProperties": by_parts(used, at)},
        proves=False,
    ),
    "batch": Shown(
        type="Microsoft.Batch/batchAccounts",
        properties=lambda used, at=DATA: {
            "encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": {"keyIdentifier": url(at, used)}}
        },
        proves=False,
    ),
    "automation": Shown(
        type="Microsoft.Automation/automationAccounts",
        properties=lambda used, at=DATA: {
            "encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": by_parts(used, at)}
        },
        proves=False,
    ),
    "netapp": Shown(
        type="Microsoft.NetApp/netAppAccounts",
        properties=lambda used, at=DATA: {
            "encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": by_parts(None, at) | {"status": "InUse"}}
        },
        proves=False,
        never_versioned=True,
        broken={
            "encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": by_parts(None, DATA) | {"status": "Error"}}
        },
    ),
    "storage": Shown(
        type="Microsoft.Storage/storageAccounts",
        properties=lambda used, at=DATA: {
            "encryption": {
                "keySource": "Microsoft.Keyvault",
                "keyvaultproperties": {
                    "keyvaulturi": HOST,
                    "keyname": "data" if at == DATA else 5,
                    "keyversion": "",
                    "currentVersionedKeyIdentifier": used and f"{DATA}/{used}",
                },
            }
        },
    ),
    "disk-encryption-set": Shown(
        type="Microsoft.Compute/diskEncryptionSets",
        properties=lambda used, at=DATA: {
            "activeKey": {"keyUrl": url(at, used)},
            "rotationToLatestKeyVersionEnabled": True,
            "previousKeys": [],
        },
        always_versioned=True,
        broken={
            "activeKey": {"keyUrl": f"{DATA}/{OLD}"},
            "rotationToLatestKeyVersionEnabled": True,
            "previousKeys": [],
            "autoKeyRotationError": {"code": "KeyVaultAccessForbidden", "message": "The identity has no access."},
        },
    ),
    **{
        kind: Shown(
            type=f"Microsoft.Sql/{type_}", properties=lambda used, at=DATA: {"keyId": url(at, used)}, always_versioned=True
        )
        for kind, type_ in (("sql-server", "servers"), ("sql-managed-instance", "managedInstances"))
    },
    "cosmos-db": Shown(
        type="Microsoft.DocumentDB/databaseAccounts",
        properties=lambda used, at=DATA: {"keyVaultKeyUri": at, "keyVaultKeyUriVersion": used},
    ),
    **{
        kind: Shown(
            type=f"Microsoft.{type_}",
            properties=lambda used, at=DATA: {
                "encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": [by_parts(used, at)]}
            },
            proves=False,
        )
        for kind, type_ in (("service-bus", "ServiceBus/namespaces"), ("event-hubs", "EventHub/namespaces"))
    },
    "cognitive-services": Shown(
        type="Microsoft.CognitiveServices/accounts",
        properties=lambda used, at=DATA: {
            "encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": by_parts(used, at)}
        },
        proves=False,
    ),
    "container-registry": Shown(
        type="Microsoft.ContainerRegistry/registries",
        properties=lambda used, at=DATA: {
            "encryption": {
                "status": "enabled",
                "keyVaultProperties": {"keyIdentifier": at, "versionedKeyIdentifier": used and f"{DATA}/{used}"},
            }
        },
    ),
    "app-configuration": Shown(
        type="Microsoft.AppConfiguration/configurationStores",
        properties=lambda used, at=DATA: {"encryption": {"keyVaultProperties": {"keyIdentifier": url(at, used)}}},
        proves=False,
    ),
    "kubernetes": Shown(
        type="Microsoft.ContainerService/managedClusters",
        properties=lambda used, at=DATA: {"securityProfile": {"azureKeyVaultKms": {"enabled": True, "keyId": url(at, used)}}},
    ),
}


def resource(kind: str, state: str, properties: Properties) -> Resource:
    shown, name = SHOWN[kind], f"{kind}-{state}"
    name = f"{name}/part" if shown.type.count("/") > 1 else name
    return Resource(
        type=shown.type,
        name=name,
        subscription=SUBSCRIPTION,
        resource_group="rg",
        properties={} if shown.below else properties,
        children={shown.below: {"own": properties}} if shown.below else {},
    )


def states(kind: str) -> Iterator[tuple[str, Properties, State]]:
    """The states of a kind of consumer, how it shows each, and where it then is."""
    shown = SHOWN[kind]
    if not shown.never_versioned:
        yield "old", shown.properties(OLD), State.NOT_MOVED
        yield "new", shown.properties(NEW), State.MOVED if shown.proves else State.UNKNOWN
    if not shown.always_versioned:
        yield "follows", shown.properties(None), State.UNKNOWN
    if shown.broken is not None:
        yield "broken", shown.broken, State.NOT_MOVED if shown.always_versioned else State.UNKNOWN


TENANT = replace(
    ESTATE,
    vaults=(KINDS,),
    resources=tuple(resource(kind, state, properties) for kind in SHOWN for state, properties, _ in states(kind)),
)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    found = asyncio.run(take(tmp_path_factory.mktemp("kinds") / "read", estate=TENANT))
    with read_once(found):
        yield found


@pytest.fixture(scope="module")
def told(taken: Snapshot) -> Mapping[str, Rotation]:
    return {name: ask.rotation(taken, f"kv-kinds/{name}", as_of=AS_OF) for name in ("tls", "data")}


def test_every_declared_kind_is_here_with_its_source() -> None:
    assert SHOWN.keys() == {*kinds(SECRET), *CONSUMERS}
    assert all(each.source.startswith("https://learn.microsoft.com/") for each in DECLARED)


@pytest.mark.parametrize("kind", SHOWN)
def test_what_is_said_of_a_kind_of_consumer_in_each_of_its_states(told: Mapping[str, Rotation], kind: str) -> None:
    found = {each.id: each for each in told["data" if kind in CONSUMERS else "tls"].consumers if each.what == kind}
    for state, _, expected in states(kind):
        shown = next(each for id_, each in found.items() if f"/{kind}-{state}/" in f"{id_}/")
        assert (state, shown.state) == (state, expected)
        assert bool(shown.broken) is (state == "broken")
    assert len(found) == len(list(states(kind)))


def test_a_kind_is_broken_where_it_has_a_word_for_it() -> None:
    declared = {each.kind for each in DECLARED if each.status is not None and each.status.broken}
    assert {kind for kind in SHOWN if SHOWN[kind].broken is not None} == {*declared, "disk-encryption-set"}


async def test_a_setting_that_cannot_be_read_may_name_anything() -> None:
    unread = tuple(resource(kind, "unread", shown.properties(OLD, at=UNREADABLE)) for kind, shown in SHOWN.items())
    found = await collect(estate=replace(ESTATE, vaults=(), resources=unread))
    for table, column, names in (("secret_use", "secret_id", kinds(SECRET)), ("key_use", "key_id", CONSUMERS)):
        unknown = {row["kind"]: row["unknown"].get(column) for row in found.rows[table].values() if row["kind"] in SHOWN}
        assert unknown == dict.fromkeys(names, "bad_value")
