"""Other services' keys and who uses which key of a vault: every row right, every refusal seen, nothing broken believed."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.coverage import State
from keyaudit.model.values.times import parse_time
from keyaudit.simulator.estate import Resource
from keyaudit.simulator.estates import estate as made
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, DAY, ESTATE, SUBSCRIPTION, TENANT_ID, version
from tests.collect.refusals import REASONS, ends_refused
from tests.collect.rig import Collected, collect
from tests.matrices import first_of

READS = ("services", "keys")

VAULT = "https://kv-first.vault.azure.net"
VERSION = version(10).version
DATE = "2021-03-04T05:06:07.0000000Z"


ARO_CLIENT = "0c4f3e2d-1b0a-4998-8877-665544332211"


def resource(type_: str, name: str, properties: dict[str, object], **fields: Any) -> Resource:
    """A resource of the first subscription."""
    group = {"subscription": SUBSCRIPTION, "resource_group": "Rg-Data"} | fields
    return Resource(type=type_, name=name, properties=properties, **group)


STORAGE = "Microsoft.Storage/storageAccounts"
BY_VAULT: dict[str, Any] = {
    "keySource": "Microsoft.Keyvault",
    "keyvaultproperties": {
        "keyvaulturi": f"{VAULT}/",
        "keyname": "Rotated",
        "keyversion": "",
        "currentVersionedKeyIdentifier": f"{VAULT}/keys/Rotated/{VERSION}",
        "lastKeyRotationTimestamp": DATE,
    },
}
RESOURCES = (
    resource(
        STORAGE,
        "stOld",
        {
            "keyCreationTime": {"key1": DATE, "key2": None},
            "keyPolicy": {"keyExpirationPeriodInDays": 90},
            "encryption": {"keySource": "Microsoft.Storage", "services": {}},
        },
        tags={"Env": "prod"},
    ),
    resource(
        STORAGE,
        "stclosed",
        {"allowSharedKeyAccess": False, "keyCreationTime": {"key1": DATE, "key2": DATE}, "encryption": BY_VAULT},
    ),
    resource(
        "Microsoft.DocumentDB/databaseAccounts",
        "cosmos",
        {
            "keysMetadata": {"primaryMasterKey": {"generationTime": DATE}, "secondaryMasterKey": {}},
            "keyVaultKeyUri": f"{VAULT}/keys/Rotated",
        },
    ),
    resource(
        "Microsoft.ServiceBus/namespaces",
        "bus",
        {
            "disableLocalAuth": True,
            "encryption": {
                "keySource": "Microsoft.KeyVault",
                "keyVaultProperties": [{"keyName": "Rotated", "keyVaultUri": VAULT, "keyVersion": VERSION}],
            },
        },
    ),
    resource("Microsoft.EventHub/namespaces", "hubs", {"disableLocalAuth": False}),
    resource("Microsoft.CognitiveServices/accounts", "ai", {}),
    resource(
        "Microsoft.ContainerRegistry/registries",
        "images",
        {
            "adminUserEnabled": True,
            "encryption": {
                "status": "enabled",
                "keyVaultProperties": {
                    "keyIdentifier": f"{VAULT}/keys/curved",
                    "versionedKeyIdentifier": f"{VAULT}/keys/curved/{version(30).version}",
                    "keyRotationEnabled": True,
                    "lastKeyRotationTimestamp": DATE,
                },
            },
        },
    ),
    resource("Microsoft.ContainerRegistry/registries", "quiet", {"encryption": {"status": "disabled"}}),
    resource(
        "Microsoft.AppConfiguration/configurationStores",
        "settings",
        {"encryption": {"keyVaultProperties": {"keyIdentifier": f"{VAULT}/keys/curved/{version(30).version}"}}},
    ),
    resource(
        "Microsoft.ContainerService/managedClusters",
        "aks",
        {
            "disableLocalAccounts": False,
            "oidcIssuerProfile": {"enabled": True, "issuerURL": "https://westeurope.oic.prod-aks.azure.com/t/i/"},
            "securityProfile": {"azureKeyVaultKms": {"enabled": True, "keyId": f"{VAULT}/keys/curved/{version(30).version}"}},
        },
    ),
    # https://learn.microsoft.com/azure/azure-arc/kubernetes/workload-identity
    resource(
        "Microsoft.Kubernetes/connectedClusters",
        "plant",
        {"oidcIssuerProfile": {"enabled": True, "issuerUrl": "https://westeurope.oic.prod-arc.azure.com/t/i/"}},
    ),
    resource(
        "Microsoft.Kubernetes/connectedClusters",
        "own-issuer",
        {"oidcIssuerProfile": {"enabled": True, "selfHostedIssuerUrl": "https://oidc.fabrikam.example/plant"}},
    ),
    # https://learn.microsoft.com/rest/api/openshift/open-shift-clusters/get; the second has managed identities.
    resource("Microsoft.RedHatOpenShift/openShiftClusters", "aro", {"servicePrincipalProfile": {"clientId": ARO_CLIENT}}),
    resource("Microsoft.RedHatOpenShift/openShiftClusters", "aro-identities", {"platformWorkloadIdentityProfile": {}}),
    resource(
        "Microsoft.Compute/diskEncryptionSets",
        "des",
        {
            "activeKey": {"keyUrl": f"{VAULT}:443/keys/Rotated/{VERSION}"},
            "rotationToLatestKeyVersionEnabled": True,
            "lastKeyRotationTimestamp": DATE,
        },
    ),
    resource("Microsoft.Sql/servers", "sql-pinned", {"keyId": f"{VAULT}/keys/Rotated/{VERSION}"}),
    resource("Microsoft.Sql/managedInstances", "mi", {"keyId": f"{VAULT}/keys/Rotated/{VERSION}"}, follows_rotation=True),
    resource("Microsoft.Sql/servers", "sql-own", {}),
    # Servers were recorded with the protector below and without a key in their own properties.
    resource("Microsoft.Sql/servers", "sql-byok", {}, protector=f"{VAULT}/keys/Rotated/{VERSION}"),
)
SERVED = replace(ESTATE, resources=RESOURCES)
PLACE = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-data/providers"
BUS = f"{PLACE}/microsoft.servicebus/namespaces/bus"
OLD = f"{PLACE}/microsoft.storage/storageaccounts/stold"
CLOSED = f"{PLACE}/microsoft.storage/storageaccounts/stclosed"
PINNED = f"{PLACE}/microsoft.sql/servers/sql-pinned/encryption/kv-first.vault.azure.net/rotated"
SQL = f"{PLACE}/microsoft.sql/servers"
BYOK = f"{SQL}/sql-byok/encryption/protector"
MADE = parse_time(DATE)


@pytest.fixture(scope="module")
def served() -> Collected:
    """The estate with other services, as an unhindered run reads it."""
    return asyncio.run(collect(estate=SERVED))


def keys_of(found: Collected) -> dict[str, tuple[object, ...]]:
    """Of each account key: its kind, whether it opens anything, when it was made."""
    return {
        id_.removeprefix(f"{PLACE}/").partition("/")[2]: (
            row["kind"],
            row.get("local_auth_enabled"),
            row.get("created_on"),
        )
        for id_, row in found.rows["account_key"].items()
    }


def test_every_key_of_every_account_is_a_row(served: Collected) -> None:
    assert keys_of(served) == {
        "storageaccounts/stold/keys/key1": ("storage", True, MADE),
        "storageaccounts/stold/keys/key2": ("storage", True, None),
        "storageaccounts/stclosed/keys/key1": ("storage", False, MADE),
        "storageaccounts/stclosed/keys/key2": ("storage", False, MADE),
        "databaseaccounts/cosmos/keys/primary": ("cosmos-db", True, MADE),
        "databaseaccounts/cosmos/keys/secondary": ("cosmos-db", True, None),
        "databaseaccounts/cosmos/keys/primary-readonly": ("cosmos-db", True, None),
        "databaseaccounts/cosmos/keys/secondary-readonly": ("cosmos-db", True, None),
        "namespaces/bus/keys/keys": ("service-bus", False, None),
        "namespaces/hubs/keys/keys": ("event-hubs", True, None),
        "accounts/ai/keys/keys": ("cognitive-services", True, None),
        "registries/images/keys/admin-user": ("container-registry", True, None),
        "registries/quiet/keys/admin-user": ("container-registry", False, None),
        "configurationstores/settings/keys/keys": ("app-configuration", True, None),
        "managedclusters/aks/keys/local-accounts": ("kubernetes", True, None),
        "connectedclusters/plant/keys/none": ("arc-kubernetes", False, None),
        "connectedclusters/own-issuer/keys/none": ("arc-kubernetes", False, None),
        "openshiftclusters/aro/keys/none": ("openshift", None, None),
        "openshiftclusters/aro-identities/keys/none": ("openshift", None, None),
    }
    assert {row["dated"] for row in served.rows["account_key"].values() if row["kind"] in ("storage", "cosmos-db")} == {True}
    assert {row["kind"] for row in served.rows["account_key"].values() if row["dated"]} == {"storage", "cosmos-db"}
    assert {id_ for id_, row in served.rows["account_key"].items() if row["read_only"]} == {
        f"{PLACE}/microsoft.documentdb/databaseaccounts/cosmos/keys/{which}-readonly" for which in ("primary", "secondary")
    }


def test_a_row_says_where_its_account_lies(served: Collected) -> None:
    row = served.rows["account_key"][f"{OLD}/keys/key1"]
    assert (row["resource_group"], row["subscription_name"], row["location"]) == ("Rg-Data", "Production", "westeurope")
    assert (row["account_id"], row["name"], row["tags"]) == (OLD, "stOld", {"env": "prod"})
    assert row["scope_id"] == TENANT_ID
    [cluster] = [row for row in served.rows["account_key"].values() if row["kind"] == "kubernetes"]
    assert cluster["oidc_issuer"] == "https://westeurope.oic.prod-aks.azure.com/t/i/"
    assert "oidc_issuer" not in row
    arc = {row["name"]: row["oidc_issuer"] for row in served.rows["account_key"].values() if row["kind"] == "arc-kubernetes"}
    assert arc == {
        "plant": "https://westeurope.oic.prod-arc.azure.com/t/i/",
        "own-issuer": "https://oidc.fabrikam.example/plant",
    }


def test_an_openshift_cluster_names_the_application_that_it_signs_in_as(served: Collected) -> None:
    found = {row["name"]: row.get("client_id") for row in served.rows["account_key"].values() if row["kind"] == "openshift"}
    assert found == {"aro": ARO_CLIENT, "aro-identities": None}


def test_the_reminder_is_no_age(served: Collected) -> None:
    """Trap 29: the policy is a reminder, the age is in the key's own date, and a closed account's keys open nothing."""
    old, closed = served.rows["account_key"][f"{OLD}/keys/key1"], served.rows["account_key"][f"{CLOSED}/keys/key1"]
    assert (old["expiry_period"], old["created_on"], old["local_auth_enabled"]) == (90 * DAY, MADE, True)
    assert (closed.get("expiry_period"), closed["local_auth_enabled"]) == (None, False)


def test_every_use_of_a_key_is_a_row(served: Collected) -> None:
    found = {
        id_.removeprefix(f"{PLACE}/").partition("/encryption/")[0].rpartition("/")[2]: (
            row["key_id"].removeprefix(f"{VAULT}/keys/"),
            row["pinned"],
            row.get("version"),
            row.get("version_in_use"),
            row.get("rotated_on"),
        )
        for id_, row in served.rows["key_use"].items()
    }
    assert found == {
        "stclosed": ("rotated", False, None, VERSION, MADE),
        "cosmos": ("rotated", False, None, None, None),
        "bus": ("rotated", True, VERSION, None, None),
        "images": ("curved", False, None, version(30).version, MADE),
        "settings": ("curved", True, version(30).version, None, None),
        "aks": ("curved", True, version(30).version, None, None),
        "des": ("rotated", False, VERSION, VERSION, MADE),
        "sql-pinned": ("rotated", True, VERSION, VERSION, None),
        "mi": ("rotated", False, VERSION, VERSION, None),
        "sql-byok": ("rotated", True, VERSION, VERSION, None),
    }
    assert len(served.rows["key_use"]) == len(found)


def test_nothing_is_unknown(served: Collected) -> None:
    rows = [row for table in ("account_key", "key_use") for row in served.rows[table].values()]
    found = {(row["kind"], column) for row in rows for column in row.get("unknown", ())}
    # Whether a cluster of OpenShift lets keys in shows only inside it.
    assert found == {("openshift", "local_auth_enabled")}
    assert served.gaps() == {}
    assert served.coverage[TENANT_ID, "service.query"].kept == len(RESOURCES)
    # One look at the protector of each SQL server, whose own settings may lack the key.
    assert served.calls["sql.protector"] == 4
    assert "arm.write" not in served.calls


def _strange(calls: Iterable[str]) -> list[str]:
    """Requests that write, that ask for a secret, or that the tenant does not know."""
    return [name for name in calls if name.startswith("canary.") or name.endswith((".unknown", ".write"))]


def test_the_demonstration_tenant_has_every_kind() -> None:
    found = asyncio.run(collect(estate=made("contoso", AS_OF)))
    assert found.gaps() == {}
    assert _strange(found.calls) == []
    assert {row["local_auth_enabled"] for row in found.rows["account_key"].values() if row["kind"] == "storage"} == {
        True,
        False,
    }
    assert {row["pinned"] for row in found.rows["key_use"].values()} == {True, False}
    keys = {row["key_id"] for row in found.rows["key"].values()}
    # One was tidied away under the account that encrypts with it.
    gone = {"https://kv-data-prod.vault.azure.net/keys/archive-cmk"}
    assert {row["key_id"] for row in found.rows["key_use"].values()} - keys == gone


# Refusals


@pytest.mark.parametrize("reason", first_of([*REASONS, "auth_failed", "vanished", "intercepted"]))
async def test_a_refused_query_leaves_no_row_and_says_so(served: Collected, reason: str) -> None:
    found = await ends_refused(served, "service.query", reason, estate=SERVED, single=False)
    assert found.rows["account_key"] == found.rows["key_use"] == {}


@pytest.mark.parametrize("reason", first_of([*REASONS, "auth_failed", "vanished"]))
async def test_a_refused_protector_leaves_only_unknown_whether_the_server_follows_and_its_version(
    served: Collected, reason: str
) -> None:
    found = await ends_refused(served, "sql.protector", reason, estate=SERVED, single=True)
    assert found.unknown("key_use", PINNED) == {"pinned": reason, "version_in_use": reason}
    # Whether a server without a key in its own properties uses one is unknown.
    unread = {BYOK, BYOK.replace("sql-byok", "sql-own")}
    assert found.rows["key_use"].keys() == served.rows["key_use"].keys() | unread
    for id_ in unread:
        assert found.unknown("key_use", id_) == dict.fromkeys(("key_id", "version", "pinned", "version_in_use"), reason)


async def test_no_subscription_to_ask_in_is_not_no_service() -> None:
    found = await collect(estate=replace(SERVED, subscriptions=(), vaults=()))
    record = found.coverage[TENANT_ID, "service.query"]
    assert (record.state, record.reason) == (State.NOT_ASSESSED, "parent_not_assessed")


async def test_a_second_page_that_is_refused_keeps_the_first() -> None:
    many = tuple(resource(STORAGE, f"st{number:04}", {}) for number in range(1_200))
    found = await collect(
        Fault("service.query", 2, status=403, body={"error": {"code": "AuthorizationFailed", "message": "no"}}),
        estate=replace(ESTATE, resources=many),
    )
    assert len(found.rows["account_key"]) == 2_000
    assert found.gaps() == {(TENANT_ID, "service.query"): "partial permission"}


_OF_THE_GROUP = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Rg-Data/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (None, []),
        ({"type": "SystemAssigned", "principalId": "p"}, []),
        (
            {"type": "UserAssigned", "userAssignedIdentities": {f"{_OF_THE_GROUP}/Two": {}, f"{_OF_THE_GROUP}/one": {}}},
            [f"{_OF_THE_GROUP}/one".lower(), f"{_OF_THE_GROUP}/two".lower()],
        ),
        ({"userAssignedIdentities": [f"{_OF_THE_GROUP}/one"]}, "bad_value"),
        ({"userAssignedIdentities": {"one": {}}}, "bad_value"),
        ({"type": "SystemAssigned, UserAssigned"}, "inconsistent"),
        ({"type": 1}, "bad_value"),
    ],
)
async def test_the_identities_that_users_assigned_are_those_of_the_resource(identity: Any, expected: object) -> None:
    """https://learn.microsoft.com/rest/api/compute/disk-encryption-sets/get#encryptionsetidentity"""
    found = await collect(
        estate=replace(ESTATE, resources=(resource(STORAGE, "st", {"encryption": BY_VAULT}, identity=identity),))
    )
    [row] = found.rows["key_use"].values()
    assert (row.get("unknown", {}).get("identity_ids") or row["identity_ids"]) == expected


@pytest.mark.parametrize(("version_", "reason"), [("", "bad_body"), (VERSION, None)])
async def test_a_storage_account_that_follows_its_key_and_names_no_version_in_use_is_unknown(
    version_: str, reason: str | None
) -> None:
    """Two answers that were read in
    https://github.com/Azure/azure-rest-api-specs/tree/1aad9e2e0ee465552fcd74dd26e871e3d81ea19e/specification/storage/resource-manager/Microsoft.Storage/stable/2023-01-01/examples
    have an account with a key of a vault, and name it beside an empty version. One that is pinned names its version anyway.
    """
    named = {**BY_VAULT["keyvaultproperties"], "keyversion": version_, "currentVersionedKeyIdentifier": None}
    settings: dict[str, object] = {"encryption": {**BY_VAULT, "keyvaultproperties": named}}
    found = await collect(estate=replace(ESTATE, resources=(resource(STORAGE, "st", settings),)))
    [row] = found.rows["key_use"].values()
    assert row.get("unknown", {}).get("version_in_use") == reason
    assert row.get("version_in_use") is None
