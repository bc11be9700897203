"""Services that use a key, certificate or secret: what each says of the version in use, and nothing broken believed.

The members are those of the examples on the page that `keyaudit.model.consumers` names as the source of each kind. The answer
of App Service is that of a recorded read with Reader alone: manukyanv07/parity-scanner, azure/vaultrefs_test.go.
"""

import asyncio
import base64
import re
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from msgspec.structs import replace

from keyaudit.model.consumers import CHILDREN, DECLARED, NOUNS
from keyaudit.model.operations import OPERATIONS
from keyaudit.simulator.estate import Resource
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.x509 import certificate, thumbprint
from tests.collect.estate import AS_OF, ESTATE, SUBSCRIPTION, TENANT_ID
from tests.collect.refusals import ends_refused
from tests.collect.rig import Collected, collect

READS = ("services", "secrets of services", "consumers")

HOST = "https://kv-first.vault.azure.net"
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Rg/providers/Microsoft.KeyVault/vaults/kv-first"
SHOP, DATA = f"{HOST}/secrets/Shop", f"{HOST}/keys/Data"
OLD, NEW = "a" * 32, "b" * 32
LEAF = certificate("CN=shop", key_name="shop", start=AS_OF - 100, end=AS_OF + 100, issuer="CN=ca")
AUTHORITY = certificate("CN=ca", key_name="ca", start=AS_OF - 100, end=AS_OF + 100)
SHA1 = thumbprint(LEAF)
CHAIN = pkcs7.serialize_certificates([x509.load_der_x509_certificate(each) for each in (AUTHORITY, LEAF)], Encoding.DER)
GATEWAY, API, SITE, SLOT, STORAGE = (
    "Microsoft.Network/applicationGateways",
    "Microsoft.ApiManagement/service",
    "Microsoft.Web/sites",
    "Microsoft.Web/sites/slots",
    "Microsoft.Storage/storageAccounts",
)
ENDPOINT = "Microsoft.Cdn/profiles/endpoints"
WEB, APPS = "Microsoft.Web/certificates", "Microsoft.App/managedEnvironments/certificates"


def resource(
    type_: str, name: str, properties: dict[str, Any] | None = None, **children: dict[str, dict[str, Any]]
) -> Resource:
    """A resource of the first subscription; `__` in the name of a list below it stands for a slash."""
    below = {path.replace("__", "/"): items for path, items in children.items()}
    return Resource(
        type=type_,
        name=name,
        properties=properties or {},
        children=below,
        subscription=SUBSCRIPTION,
        resource_group="Rg-Web",
    )


def gateway(name: str, url: object, public: object = None) -> Resource:
    properties = {"provisioningState": "Succeeded", "publicCertData": public, "keyVaultSecretId": url}
    return resource(GATEWAY, name, {"sslCertificates": [{"name": "tls", "properties": properties}]})


def host(name: str, **members: object) -> Resource:
    return resource(API, name, {"hostnameConfigurations": [{"type": "Proxy", "hostName": "api.example", **members}]})


def managed(name: str, path: str, **members: object) -> Resource:
    """An API Management service with a certificate or a named value of a vault.

    https://github.com/Azure/azure-rest-api-specs/blob/main/specification/apimanagement/resource-manager/Microsoft.ApiManagement/stable/2024-05-01/examples/ApiManagementListNamedValues.json
    """
    code = members.pop("code", "Success")
    named = {"secretIdentifier": members.pop("url", SHOP), "lastStatus": {"code": code, "timeStampUtc": "2026-09-11T00:54:31Z"}}
    return resource(API, name, **{path: {"shop": {"keyVault": named, **members}}})


def domain(name: str, source: object = "AzureKeyVault", **members: object) -> Resource:
    """A domain of Azure CDN: https://learn.microsoft.com/rest/api/cdn/custom-domains/enable-custom-https"""
    parameters = {"vaultName": "kv-first", "secretName": "Shop", "deleteRule": "NoAction", "updateRule": "NoAction", **members}
    https = {"certificateSource": source, "protocolType": "ServerNameIndication", "certificateSourceParameters": parameters}
    return resource(ENDPOINT, f"cdn/{name}", customDomains={"www": {"customHttpsParameters": https if source else None}})


def bought(name: str, **members: object) -> Resource:
    return resource(WEB, name, {"keyVaultId": VAULT, "keyVaultSecretName": "Shop", "thumbprint": SHA1.lower(), **members})


def site(name: str, *, slot: bool = False, **members: object) -> Resource:
    reference = {
        "reference": f"@Microsoft.KeyVault(SecretUri={SHOP}/)",
        "vaultName": "kv-first",
        "secretName": "Shop",
        "identityType": "UserAssigned",
        "status": "Resolved",
        **members,
    }
    return resource(SLOT if slot else SITE, name, config__configreferences__appsettings={"DB_PASSWORD": reference})


def front(name: str, **members: object) -> Resource:
    parameters = {"type": "CustomerCertificate", "secretSource": {"id": f"{VAULT}/secrets/Shop"}, **members}
    return resource("Microsoft.Cdn/profiles", name, secrets={"shop-tls": {"parameters": parameters}})


def encoded(der: bytes) -> str:
    return base64.b64encode(der).decode()


SECRETS = {
    # name: resource, then pinned, version, version in use, thumbprint in use, broken
    "gw-follows": (gateway("gw-follows", f"{SHOP}/", encoded(CHAIN)), (False, None, None, SHA1, None)),
    "gw-pinned": (gateway("gw-pinned", f"{SHOP}/{OLD}", encoded(LEAF)), (True, OLD, None, SHA1, None)),
    "gw-silent": (gateway("gw-silent", SHOP), (False, None, None, None, None)),
    "api-follows": (
        host("api-follows", keyVaultId=SHOP, certificateStatus="Completed", certificate={"thumbprint": SHA1}),
        (False, None, None, SHA1, False),
    ),
    "api-failed": (host("api-failed", keyVaultId=SHOP, certificateStatus="Failed"), (False, None, None, None, True)),
    "api-certificate": (managed("api-certificate", "certificates", thumbprint=SHA1.lower()), (False, None, None, SHA1, False)),
    "api-certificate-pinned": (
        managed("api-certificate-pinned", "certificates", url=f"{SHOP}/{OLD}", thumbprint=SHA1),
        (True, OLD, None, SHA1, False),
    ),
    "api-value": (managed("api-value", "namedValues", secret=True), (False, None, None, None, False)),
    "cdn/latest": (domain("latest", secretVersion=None), (False, None, None, None, None)),
    "cdn/pinned": (domain("pinned", secretVersion=OLD), (True, OLD, None, None, None)),
    "web-stored": (bought("web-stored", keyVaultSecretStatus="Succeeded"), (False, None, None, SHA1, False)),
    "web-gone": (bought("web-gone", keyVaultSecretStatus="KeyVaultSecretDoesNotExist"), (False, None, None, SHA1, True)),
    "env/tls": (
        resource(APPS, "env/tls", {"certificateKeyVaultProperties": {"keyVaultUrl": SHOP}, "thumbprint": SHA1}),
        (False, None, None, SHA1, None),
    ),
    "afd-follows": (front("afd-follows", useLatestVersion=True, secretVersion=OLD, thumbprint=SHA1),
        (False, OLD, None, SHA1, None)),
    "afd-pinned": (front("afd-pinned", useLatestVersion=False, secretVersion=OLD), (True, OLD, None, None, None)),
    "app-new": (site("app-new", activeVersion=NEW), (False, None, NEW, None, False)),
    "app-recorded": (site("app-recorded"), (False, None, None, None, False)),
    "app-denied": (
        site("app-denied", status="AccessToKeyVaultDenied", secretVersion=OLD, activeVersion=OLD),
        (True, OLD, OLD, None, True),
    ),
    "app/stage": (site("app/stage", slot=True, activeVersion=OLD), (False, None, OLD, None, False)),
    "container": (
        resource("Microsoft.App/containerApps", "container", {"configuration": {"secrets": [
            {"name": "plain"}, {"name": "db", "keyVaultUrl": SHOP, "identity": "system"}]}}),
        (False, None, None, None, None),
    ),
    "job": (
        resource("Microsoft.App/jobs", "job", {"configuration": {"secrets": [{"name": "db", "keyVaultUrl": SHOP}]}}),
        (False, None, None, None, None),
    ),
    "firewall": (
        resource("Microsoft.Network/firewallPolicies", "firewall",
            {"transportSecurity": {"certificateAuthority": {"name": "ca", "keyVaultSecretId": SHOP}}}),
        (False, None, None, None, None),
    ),
    "machine": (
        resource("Microsoft.Compute/virtualMachines", "machine", {"osProfile": {"secrets": [{"sourceVault": {"id": VAULT},
            "vaultCertificates": [{"certificateUrl": f"{SHOP}/{OLD}", "certificateStore": "My"}]}]}}),
        (True, OLD, None, None, None),
    ),
    "machine/agent": (
        resource("Microsoft.Compute/virtualMachines/extensions", "machine/agent", {"publisher": "Microsoft.Azure.KeyVault",
            "settings": {"secretsManagementSettings": {"observedCertificates": [SHOP]}}}),
        (False, None, None, None, None),
    ),
}  # fmt: skip
NOTHING = (
    # These use nothing of a vault.
    gateway("gw-uploaded", None, encoded(LEAF)),
    resource(GATEWAY, "gw-http", {"sslCertificates": []}),
    host("api-managed", certificateSource="BuiltIn", certificate={"thumbprint": SHA1}),
    resource(WEB, "web-uploaded", {"thumbprint": SHA1, "keyVaultId": None, "keyVaultSecretName": None}),
    resource(APPS, "env/own", {"thumbprint": SHA1}),
    resource("Microsoft.Compute/virtualMachines", "plain", {"osProfile": {"secrets": []}}),
    resource("Microsoft.Cdn/profiles", "cdn", secrets={"managed": {"parameters": {"type": "ManagedCertificate"}}}),
    domain("managed", "Cdn"),
    domain("plain", None),
    resource(API, "api-plain", namedValues={"url": {"displayName": "url", "value": "https://api.example", "secret": False}}),
    resource(SITE, "without", config__configreferences__appsettings={}),
)


def parts(**members: object) -> dict[str, object]:
    return {"keyVaultUri": HOST, "keyName": "Data", **members}


def scope(name: str, source: str = "Microsoft.KeyVault", **members: object) -> Resource:
    return resource(STORAGE, name, encryptionScopes={"scope": {"source": source, "keyVaultProperties": members or None}})


def encrypted(type_: str, name: str, properties: object) -> Resource:
    return resource(type_, name, {"encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": properties}})


def database(name: str, protector: object, **members: object) -> Resource:
    return resource("Microsoft.Sql/servers", name, databases={"orders": {"encryptionProtector": protector, **members}})


KEYS = {
    # name: resource, then pinned, version, version in use, broken
    "scope-new": (
        scope("scope-new", keyUri=DATA, currentVersionedKeyIdentifier=f"{DATA}/{NEW}"),
        (False, None, NEW, None),
    ),
    "scope-pinned": (scope("scope-pinned", keyUri=f"{DATA}/{OLD}"), (True, OLD, None, None)),
    "sql-follows": (database("sql-follows", f"{DATA}/{NEW}", encryptionProtectorAutoRotation=True), (False, NEW, NEW, None)),
    "sql-pinned": (database("sql-pinned", f"{DATA}/{OLD}"), (True, OLD, OLD, None)),
    "pg-valid": (
        resource("Microsoft.DBforPostgreSQL/flexibleServers", "pg-valid", {"dataEncryption": {
            "type": "AzureKeyVault", "primaryKeyURI": f"{DATA}/{NEW}", "primaryEncryptionKeyStatus": "Valid"}}),
        (True, NEW, None, False),
    ),
    "pg-invalid": (
        resource("Microsoft.DBforPostgreSQL/flexibleServers", "pg-invalid", {"dataEncryption": {
            "type": "AzureKeyVault", "primaryKeyURI": DATA, "primaryEncryptionKeyStatus": "Invalid"}}),
        (False, None, None, True),
    ),
    "mysql": (
        resource("Microsoft.DBforMySQL/flexibleServers", "mysql", {"dataEncryption": {"primaryKeyURI": f"{DATA}/{OLD}"}}),
        (True, OLD, None, None),
    ),
    "bricks": (
        resource("Microsoft.Databricks/workspaces", "bricks", {"encryption": {"entities": {
            "managedServices": {"keySource": "Microsoft.Keyvault", "keyVaultProperties": parts(keyVersion=OLD)}}}}),
        (True, OLD, None, None),
    ),
    "bricks-disks": (
        resource("Microsoft.Databricks/workspaces", "bricks-disks", {"encryption": {"entities": {"managedDisk": {
            "keyVaultProperties": parts(keyVersion=OLD), "rotationToLatestKeyVersionEnabled": True}}}}),
        (False, OLD, None, None),
    ),
    "synapse": (
        resource("Microsoft.Synapse/workspaces", "synapse",
            {"encryption": {"cmk": {"key": {"name": "default", "keyVaultUrl": DATA}}}}),
        (False, None, None, None),
    ),
    "learning": (
        encrypted("Microsoft.MachineLearningServices/workspaces", "learning", {"keyIdentifier": f"{DATA}/{OLD}"}),
        (True, OLD, None, None),
    ),
    "factory": (
        resource("Microsoft.DataFactory/factories", "factory",
            {"encryption": {"vaultBaseUrl": HOST, "keyName": "Data", "keyVersion": ""}}),
        (False, None, None, None),
    ),
    "backup": (encrypted("Microsoft.RecoveryServices/vaults", "backup", {"keyUri": f"{DATA}/{OLD}"}), (True, OLD, None, None)),
    "kusto": (
        resource("Microsoft.Kusto/clusters", "kusto", {"keyVaultProperties": parts(keyVersion=None)}),
        (False, None, None, None),
    ),
    "batch": (encrypted("Microsoft.Batch/batchAccounts", "batch", {"keyIdentifier": DATA}), (False, None, None, None)),
    "automation": (
        encrypted("Microsoft.Automation/automationAccounts", "automation",
            {"keyvaultUri": HOST, "keyName": "Data", "keyVersion": OLD}),
        (True, OLD, None, None),
    ),
    "encrypted": (
        resource("Microsoft.Compute/virtualMachines", "encrypted", {"storageProfile": {"osDisk": {"encryptionSettings": {
            "enabled": True,
            "keyEncryptionKey": {"keyUrl": f"{DATA}/{OLD}"}}}}}),
        (True, OLD, None, None),
    ),
    "volume": (
        resource("Microsoft.Compute/disks", "volume", {"encryptionSettingsCollection": {"enabled": True,
            "encryptionSettings": [{"keyEncryptionKey": {"keyUrl": f"{DATA}/{NEW}"}}]}}),
        (True, NEW, None, None),
    ),
    "netapp": (
        encrypted("Microsoft.NetApp/netAppAccounts", "netapp", parts(status="Error")),
        (False, None, None, True),
    ),
}  # fmt: skip
NO_KEY = (
    scope("scope-own", "Microsoft.Storage"),
    database("sql-server-key", None),
    resource("Microsoft.DBforPostgreSQL/flexibleServers", "pg-own", {"dataEncryption": {"type": "SystemManaged"}}),
    resource(
        "Microsoft.Compute/disks",
        "volume-own",
        {
            "encryptionSettingsCollection": {
                "enabled": True,
                "encryptionSettings": [{"keyEncryptionKey": None}],
            }
        },
    ),
    resource("Microsoft.Batch/batchAccounts", "batch-own", {"encryption": {"keySource": "Microsoft.Batch"}}),
)
EVERY = tuple(each for each, _ in (*SECRETS.values(), *KEYS.values()))
SERVED = replace(ESTATE, resources=(*EVERY, *NOTHING, *NO_KEY))


@pytest.fixture(scope="module")
def served() -> Collected:
    return asyncio.run(collect(estate=SERVED))


def told(found: Collected, table: str, *columns: str) -> dict[str, tuple[object, ...]]:
    """The values of the declared kinds, by the name of the resource that they are of or below."""
    kinds = {each.kind for each in DECLARED}
    names = {each.id.lower(): each.name for each in SERVED.resources}
    rows = [row for row in found.rows[table].values() if row["kind"] in kinds]
    above = [max((id_ for id_ in names if f"{row['consumer_id']}/".startswith(f"{id_}/")), key=len) for row in rows]
    assert len(set(above)) == len(rows)
    return {names[id_]: tuple(row.get(column) for column in columns) for id_, row in zip(above, rows, strict=True)}


def test_what_each_service_says_of_the_secret_or_certificate_that_it_uses(served: Collected) -> None:
    columns = ("pinned", "version", "version_in_use", "thumbprint_in_use", "broken")
    assert told(served, "secret_use", *columns) == {name: expected for name, (_, expected) in SECRETS.items()}
    assert {row["secret_id"] for row in served.rows["secret_use"].values()} == {SHOP.lower()}
    assert all(row["active"] for row in served.rows["secret_use"].values())


def test_what_each_service_says_of_the_key_that_it_encrypts_with(served: Collected) -> None:
    columns = ("pinned", "version", "version_in_use", "broken")
    assert told(served, "key_use", *columns) == {name: expected for name, (_, expected) in KEYS.items()}
    assert {row["key_id"] for row in served.rows["key_use"].values()} == {DATA.lower()}


def test_every_declared_kind_has_an_example_and_a_name() -> None:
    kinds = {row[0].type for row in (*SECRETS.values(), *KEYS.values())}
    assert {each.type for each in DECLARED} <= kinds
    assert {each.kind for each in DECLARED} <= NOUNS.keys()


def test_one_query_and_one_list_below_each_resource_that_has_one(served: Collected) -> None:
    assert served.gaps() == {}
    assert not any(row.get("unknown") for table in ("secret_use", "key_use") for row in served.rows[table].values())
    above = {each.operation: sum(one.type == each.type for one in SERVED.resources) for each in CHILDREN}
    assert {each: served.calls[each] for each in above} == above
    assert "consumer.query" not in served.calls
    assert not [name for name in served.calls if name.startswith("canary.") or name.endswith((".unknown", ".write"))]


_UNNAMED = {"secret_id", "version", "pinned"}


@pytest.mark.parametrize(
    ("broken", "unknown"),
    [
        (gateway("x", "http://kv-first/secrets/shop"), _UNNAMED),
        (gateway("x", 1), _UNNAMED),
        (gateway("x", f"{HOST}/keys/shop"), _UNNAMED),
        (resource(GATEWAY, "x", {"sslCertificates": {"tls": 1}}), {*_UNNAMED, "thumbprint_in_use"}),
        (gateway("x", SHOP, "no base64!"), {"thumbprint_in_use"}),
        (gateway("x", SHOP, encoded(b"0" * 200)), {"thumbprint_in_use"}),
        # Two certificates that did not issue one another: either may be the one in use.
        (
            gateway("x", SHOP, encoded(pkcs7.serialize_certificates(
                [x509.load_der_x509_certificate(certificate(f"CN={each}", key_name=each, start=0, end=AS_OF, issuer="CN=ca"))
                    for each in ("one", "two")], Encoding.DER))),
            {"thumbprint_in_use"},
        ),
        (host("x", keyVaultId=SHOP, certificate={"thumbprint": "short"}), {"thumbprint_in_use"}),
        (host("x", keyVaultId=SHOP, certificateStatus="Sleeping"), {"broken"}),
        (bought("x", keyVaultId=f"/subscriptions/{SUBSCRIPTION}"), _UNNAMED),
        (bought("x", keyVaultSecretName=None), _UNNAMED),
        (site("x", vaultName=None), _UNNAMED),
        (site("x", activeVersion=5), {"version_in_use"}),
        (site("x", status=None, secretVersion=[]), {*_UNNAMED, "status", "broken"}),
        (front("x", useLatestVersion="yes", secretVersion=OLD), {"pinned"}),
        # Its word says that a vault's secret is used, and its name is not there.
        (host("x", certificateSource="KeyVault", keyVaultId=None), _UNNAMED),
        (host("x", certificateSource="keyvault"), _UNNAMED),
        (host("x", certificateSource=1, keyVaultId=SHOP), _UNNAMED),
        (host("x", certificateSource="Vault", keyVaultId=SHOP), _UNNAMED),
        (host("x", certificateSource="Vault"), _UNNAMED),
        (host("x", certificateSource="Custom"), set()),
        (host("x", certificateSource="Managed"), set()),
        (host("x"), set()),
        (front("x", secretSource=None, secretVersion=OLD), _UNNAMED),
        (front("x", type="MtlsCertificateChain", secretSource={}), _UNNAMED),
        (front("x", type="AzureFirstPartyManagedCertificate"), set()),
        (front("x", type="Passkey"), _UNNAMED),
        (managed("x", "namedValues", code="KeyVaultAccessDenied"), {"broken"}),
        (managed("x", "certificates", url=f"{HOST}/secrets"), {*_UNNAMED}),
        (managed("x", "namedValues", url=None), _UNNAMED),
        (domain("x", "Vault"), _UNNAMED),
        (domain("x", vaultName=None, secretName=None), _UNNAMED),
        # A list answers with what it has, and null is none of it.
        (resource("Microsoft.Cdn/profiles", "x", secrets={"tls": {"parameters": None}}), {*_UNNAMED, "thumbprint_in_use"}),
        (
            resource(SITE, "x", config__configreferences__appsettings={"DB": cast("Any", None)}),
            {*_UNNAMED, "version_in_use", "status", "broken"},
        ),
        (site("x", activeVersion="absurd"), {"version_in_use"}),
        # A reference that cannot be read names neither, and is one all the same.
        (site("x", vaultName=None, secretName=None, status="InvalidSyntax"), _UNNAMED),
    ],
)  # fmt: skip
async def test_a_member_that_cannot_be_read_is_unknown_and_no_answer(broken: Resource, unknown: set[str]) -> None:
    found = await collect(estate=replace(ESTATE, resources=(broken,)))
    rows = list(found.rows["secret_use"].values())
    if not unknown:
        assert rows == []
        return
    [row] = rows
    assert set(row["unknown"]) == unknown


POSTGRES, MYSQL = "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.DBforMySQL/flexibleServers"
BRICKS, LEARNING = "Microsoft.Databricks/workspaces", "Microsoft.MachineLearningServices/workspaces"
BATCH, AUTOMATION, NETAPP = (
    "Microsoft.Batch/batchAccounts",
    "Microsoft.Automation/automationAccounts",
    "Microsoft.NetApp/netAppAccounts",
)


def bricks(part: str, **members: object) -> Resource:
    return resource(BRICKS, "x", {"encryption": {"entities": {part: members}}})


def unnamed(reason: str, **others: str) -> dict[str, str]:
    return {**dict.fromkeys(("key_id", "version", "pinned"), reason), **others}


_SILENT = {"version_in_use": "bad_body"}


@pytest.mark.parametrize(
    ("given", "unknown"),
    [
        (scope("x"), unnamed("bad_body", **_SILENT)),
        (scope("x", keyUri=None, currentVersionedKeyIdentifier=f"{DATA}/{NEW}"), unnamed("bad_body")),
        (scope("x", keyUri=5), unnamed("bad_value", **_SILENT)),
        (scope("x", "Microsoft.Vaults", keyUri=DATA), unnamed("unrecognised", **_SILENT)),
        (scope("x", "microsoft.storage", keyUri=DATA), None),
        (scope("x", "", keyUri=f"{DATA}/{OLD}"), {}),
        # A scope that follows its key tells the version in use; one that is pinned need not.
        (scope("x", keyUri=DATA), _SILENT),
        (scope("x", keyUri=f"{DATA}/{OLD}"), {}),
        (resource(POSTGRES, "x", {"dataEncryption": {"type": "AzureKeyVault"}}), unnamed("bad_body")),
        (resource(POSTGRES, "x", {"dataEncryption": {"type": "Elsewhere"}}), unnamed("unrecognised")),
        (resource(POSTGRES, "x", {"dataEncryption": {"type": None}}), None),
        (resource(MYSQL, "x", {"dataEncryption": {"type": "AzureKeyVault", "primaryKeyURI": None}}), unnamed("bad_body")),
        (resource(MYSQL, "x", {"dataEncryption": {"type": "SystemManaged"}}), None),
        (bricks("managedServices", keySource="Microsoft.Keyvault"), unnamed("bad_body")),
        (bricks("managedDisk", keySource="Microsoft.Keyvault", keyVaultProperties={}), unnamed("bad_body")),
        (bricks("managedDisk", keySource="Default", keyVaultProperties=parts()), unnamed("unrecognised")),
        (resource(LEARNING, "x", {"encryption": {"status": "Enabled"}}), unnamed("bad_body")),
        (resource(LEARNING, "x", {"encryption": {"status": "Disabled"}}), None),
        (encrypted(BATCH, "x", None), unnamed("bad_body")),
        (encrypted(AUTOMATION, "x", {"keyName": None}), unnamed("bad_body")),
        (resource(AUTOMATION, "x", {"encryption": {"keySource": "Microsoft.Automation"}}), None),
        (encrypted(NETAPP, "x", {"status": "InUse"}), unnamed("bad_body")),
        (resource(NETAPP, "x", {"encryption": {"keySource": "Microsoft.NetApp"}}), None),
    ],
)
async def test_a_service_that_says_that_it_uses_a_key_of_a_vault_is_never_left_out(
    given: Resource, unknown: dict[str, str] | None
) -> None:
    found = await collect(estate=replace(ESTATE, resources=(given,)))
    kinds = {each.kind for each in DECLARED}
    rows = [row for row in found.rows["key_use"].values() if row["kind"] in kinds]
    assert [row.get("unknown", {}) for row in rows] == ([] if unknown is None else [unknown])


async def test_an_item_of_another_type_or_subscription_is_quarantined() -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["data"][0]["id"] = body["data"][0]["id"].replace(SUBSCRIPTION, SUBSCRIPTION.replace("1", "2"))
        body["data"][1]["type"] = "microsoft.web/certificates"
        return body

    found = await collect(Fault("consumer.query", "every", edit=spoil), estate=SERVED)
    assert found.coverage[TENANT_ID, "consumer.query"].quarantined == 2


def rows_of(found: Collected, operation: str) -> set[str]:
    """The ids of the rows that the answers of an operation gave."""
    path = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(OPERATIONS[operation].path)))
    rows = [row for table in ("secret_use", "key_use") for row in found.rows[table].values()]
    return {row["id"] for row in rows if path.fullmatch(urlsplit(row["source_url"]).path) and row["kind"] in NOUNS}


@pytest.mark.parametrize("operation", ["consumer.query", *(each.operation for each in CHILDREN)])
async def test_a_refused_read_leaves_no_row_of_it_and_says_so(served: Collected, operation: str) -> None:
    below = () if operation != "consumer.query" else tuple(each.operation for each in CHILDREN)
    found = await ends_refused(served, operation, "permission", children=below, estate=SERVED, single=not below)
    whole, left = (rows_of(each, operation) for each in (served, found))
    # No example has a connection string, which is read like a setting.
    assert (bool(whole), left) == (not operation.endswith("connection_references"), set())
    assert found.gaps()[TENANT_ID, operation] == "not_assessed permission"
