"""The simulated services answer as the real ones were recorded: members, their order, null against absent, headers."""

from typing import Any

from msgspec import structs

from keyaudit.simulator.estate import Application, Key, RotationPolicy, ServicePrincipal, Vault
from tests.simulator.client import ARM, GRAPH, Wire, wire
from tests.simulator.recorded import bodies, headers, shape
from tests.simulator.small import APPLICATIONS, AS_OF, DAY, ELLIPTIC, OPEN, PRINCIPALS, SMALL, SUBSCRIPTION, key, version

VAULT = "https://kv-open.vault.azure.net"
RECORDED_VAULT = structs.replace(
    OPEN, keys=(key("plain", version(3)), ELLIPTIC), purge_protection=None, retention_days=7, public_network_access=None
)


def _with_vault(vault: Vault) -> Any:
    return wire(structs.replace(SMALL, vaults=(vault,)))


def _holding(*keys: Key) -> Any:
    return _with_vault(structs.replace(RECORDED_VAULT, keys=keys))


async def test_the_challenge_is_the_recorded_one() -> None:
    async with _with_vault(RECORDED_VAULT) as client:
        reply = await client.send("GET", f"{VAULT}/keys?api-version=7.5")
    assert reply.status == 401
    assert reply.data == bodies("keyvault-errors", "/keys/", 401)[0]
    recorded = headers("keyvault-errors", 401)
    assert set(recorded) <= {name.lower() for name in reply.headers}
    expected = recorded["www-authenticate"].replace("72f988bf-86f1-41af-91ab-2d7cd011db47", SMALL.tenant_id)
    assert reply.headers["WWW-Authenticate"] == expected
    assert reply.headers["Content-Length"] == recorded["content-length"]


async def test_an_empty_post_is_challenged_too() -> None:
    async with _with_vault(RECORDED_VAULT) as client:
        reply = await client.send("POST", f"{VAULT}/keys/x/create?api-version=7.5")
    assert (reply.status, reply.data["error"]["code"]) == (401, "Unauthorized")


async def test_a_key_that_does_not_exist() -> None:
    async with _with_vault(RECORDED_VAULT) as client:
        reply = await client.get(f"{VAULT}/keys/key-that-does-not-exist/?api-version=7.5")
        deleted = await client.get(f"{VAULT}/deletedkeys/livekvtestkey-name5d9a3100?api-version=7.5")
    assert reply.status == 404
    assert reply.data == bodies("keyvault-errors", "/keys/", 404)[0]
    assert set(headers("keyvault-errors", 404)) <= {name.lower() for name in reply.headers}
    assert deleted.data == bodies("keyvault-keys-deleted", "/deletedkeys/", 404)[0]


async def test_a_key_and_its_lists() -> None:
    async with _with_vault(RECORDED_VAULT) as client:
        found = await client.get(f"{VAULT}/keys/plain/?api-version=7.5")
        listed = await client.get(f"{VAULT}/keys?api-version=7.5")
        versions = await client.get(f"{VAULT}/keys/plain/versions?api-version=7.5")
        deleted = await client.get(f"{VAULT}/deletedkeys?api-version=7.5")
        whole = await client.get(f"{VAULT}/deletedkeys/gone?api-version=7.5")
    recorded = bodies("keyvault-key-create-rotationpolicy", "/create", method="POST")[0]
    assert shape(found.data) == shape(recorded)
    assert len(found.data["key"]["n"]) == len(recorded["key"]["n"])
    assert found.data["attributes"]["recoveryLevel"] == recorded["attributes"]["recoveryLevel"]
    item = bodies("keyvault-keys-list", "/keys?")[0]["value"][1]
    assert [shape(one) for one in listed.data["value"]] == [shape(item), shape(item)]
    assert shape(versions.data) == shape(bodies("keyvault-keys-versions-list", "skiptoken")[0])
    assert shape(deleted.data["value"]) == shape(bodies("keyvault-keys-deleted", "/deletedkeys?")[0]["value"])
    recorded_whole = bodies("keyvault-keys-deleted", "/deletedkeys/livekvtestkey-name5d9a3100")[0]
    assert [name for name, _ in shape(whole.data)] == [name for name, _ in shape(recorded_whole)]


async def test_tags_and_dates_are_there_only_where_they_were_set() -> None:
    dated = key("dated", version(9, exp=AS_OF, tags={"a": "b"}))
    old = key("old", version(8, created=None, updated=None, hsm_platform=None))
    async with _holding(dated, old) as client:
        listed = (await client.get(f"{VAULT}/keys?api-version=7.5")).data["value"]
    tagged = bodies("keyvault-keys-list", "/keys?")[0]["value"][0]
    rotated = bodies("keyvault-key-create-rotationpolicy", "/rotate", method="POST")[0]
    assert list(listed[0]) == list(tagged)
    assert list(listed[0]["attributes"]) == list(rotated["attributes"])
    assert list(listed[1]) == ["kid", "attributes"]
    assert list(listed[1]["attributes"]) == ["enabled", "recoveryLevel", "recoverableDays", "exportable"]


async def test_rotation_policies() -> None:
    policy = RotationPolicy(rotate_after="P2M", created=AS_OF - DAY)
    set_policy, with_expiry = key("a", rotation=policy), key("b", rotation=RotationPolicy(expiry_time="P90D"))
    async with _holding(set_policy, with_expiry, key("c")) as client:
        replies = [(await client.get(f"{VAULT}/keys/{name}/rotationpolicy?api-version=7.5")).data for name in "abc"]
    rotate, notify = bodies("keyvault-key-create-rotationpolicy", "/rotationpolicy?api-version=7.5")[:2]
    assert shape(replies[0]) == shape(rotate)
    assert replies[0]["lifetimeActions"] == rotate["lifetimeActions"]
    assert shape(replies[1]) == shape(notify)
    # One that was never set: Notify all the same, no id, no dates.
    assert replies[2] == {
        "lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}],
        "attributes": {"created": None, "updated": None},
    }


async def test_token_endpoint() -> None:
    async with wire(SMALL) as client:
        good = await client.sign_in()
        wrong = await client.sign_in(client_secret="wrong")
        unknown = await client.sign_in(client_id="0f0f0f0f-0000-4000-8000-000000000000")
        resource = await client.sign_in(scope="api://not-a-registered-resource/.default")
        grant = await client.sign_in(grant_type="no_such_grant")
    recorded = [bodies("entra-token", "/token", status, "POST") for status in (200, 401, 400)]
    assert shape(good.data) == shape(recorded[0][1])
    errors = [recorded[1][0], *recorded[2]]
    for reply, error in zip((wrong, unknown, resource, grant), errors, strict=True):
        assert shape(reply.data) == shape(error)
        assert (reply.data["error"], reply.data["error_codes"]) == (error["error"], error["error_codes"])
        assert reply.data["error_description"].split(":")[0] == error["error_description"].split(":")[0]
    assert (wrong.status, unknown.status, resource.status, grant.status) == (401, 400, 400, 400)


def _bare(application: Application, principal: ServicePrincipal) -> Any:
    return wire(structs.replace(SMALL, applications=(application,), service_principals=(principal,)))


async def test_applications_and_service_principals() -> None:
    application = structs.replace(APPLICATIONS[0], keys=(), identifier_uris=(), scopes=(), roles=(), federated=())
    principal = structs.replace(PRINCIPALS[0], sso_mode=None, preferred_thumbprint=None, keys=(), passwords=())
    async with _bare(application, principal) as client:
        one = await client.get(f"{GRAPH}/applications/{application.id}")
        several = await client.get(f"{GRAPH}/applications?$filter=appId%20eq%20'{application.app_id}'")
        own = await client.get(f"{GRAPH}/servicePrincipals/{principal.id}")
        nothing = await client.get(f"{GRAPH}/applications?$filter=startswith(displayName,'nobody')")
    recorded_one = bodies("graph-applications", "/applications/765eb0e3")[0]
    recorded_one["passwordCredentials"][0]["displayName"] = "named"
    assert shape(one.data) == shape(recorded_one)
    assert one.data["@odata.context"] == recorded_one["@odata.context"]
    assert shape(several.data) == shape(bodies("graph-applications", "?$filter=appId")[0])
    assert shape(own.data) == shape(bodies("graph-serviceprincipals", "/servicePrincipals/66e30abb")[0])
    assert nothing.data == bodies("graph-applications", "?$filter=startswith")[0]
    recorded = set(headers("graph-applications", 200)) - {"content-length"}
    assert recorded <= {name.lower() for name in one.headers}
    assert one.headers["Content-Type"] == headers("graph-applications", 200)["content-type"]


async def test_credentials_of_holders() -> None:
    async with wire(SMALL) as client:
        application = (await client.get(f"{GRAPH}/applications/{APPLICATIONS[0].id}")).data
        principal = (await client.get(f"{GRAPH}/servicePrincipals/{PRINCIPALS[0].id}")).data
        selected = (await client.get(f"{GRAPH}/applications/{APPLICATIONS[0].id}?$select=keyCredentials")).data
    password = bodies("graph-applications", "?$filter=appId")[0]["value"][0]["passwordCredentials"][0]
    certificate = bodies("graph-applications", "/applications/19287dbc")[0]["keyCredentials"][0]
    own = bodies("graph-serviceprincipals", "?$filter=servicePrincipalNames")[0]["value"][0]["passwordCredentials"][0]
    assert shape(application["passwordCredentials"][0]) == shape(password)
    assert len(application["passwordCredentials"][0]["hint"]) == 3
    assert list(application["keyCredentials"][0]) == list(certificate)
    assert application["keyCredentials"][0]["key"] is None
    assert selected["keyCredentials"][0]["key"].startswith("MEI")
    assert list(principal["passwordCredentials"][0]) == list(own)
    assert principal["passwordCredentials"][0]["hint"] is None


async def test_federated_credentials_and_the_403() -> None:
    beta = GRAPH.replace("v1.0", "beta")
    async with wire(SMALL) as client:
        stable = await client.get(f"{GRAPH}/applications/{APPLICATIONS[0].id}/federatedIdentityCredentials")
        newer = await client.get(f"{beta}/applications/{APPLICATIONS[0].id}/federatedIdentityCredentials")
    recorded = bodies("graph-federatedidentitycredentials", "/federatedIdentityCredentials")[0]
    assert list(stable.data["value"][0]) == list(recorded["value"][0])
    assert newer.data["value"][1]["claimsMatchingExpression"] == {"value": "claims['a'] eq 'b'", "languageVersion": 1}
    async with wire(structs.replace(SMALL, graph_refuses=("applications",))) as client:
        refused = await client.get(f"{GRAPH}/applications")
    recorded = bodies("graph-errors", "/applications", 403)[0]
    assert refused.status == 403
    assert shape(refused.data) == shape(recorded)
    assert refused.data["error"]["code"] == recorded["error"]["code"]
    assert refused.data["error"]["message"] == recorded["error"]["message"]
    assert refused.headers["Content-Type"] == headers("graph-errors", 403)["content-type"]


async def _vault(client: Wire, name: str, api_version: str) -> Any:
    group = f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-main/providers/Microsoft.KeyVault"
    return (await client.get(f"{group}/vaults/{name}?api-version={api_version}")).data


async def test_vaults_by_arm() -> None:
    bare = structs.replace(OPEN, rbac=None, retention_days=None, public_network_access=None, tags=None)
    async with _with_vault(bare) as client:
        old = await _vault(client, "KV-Open", "2019-09-01")
    async with _with_vault(structs.replace(bare, retention_days=7, public_network_access="Enabled")) as client:
        newer = await _vault(client, "kv-open", "2021-06-01-preview")
        listed = await client.get(f"{ARM}/subscriptions/{SUBSCRIPTION}/resources?api-version=2015-11-01")
        missing = await client.get(
            f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v?api-version=1"
        )
    recorded = bodies("arm-vault-lifecycle", "/vaults/myValtZikfikxz?")[0]
    assert list(old) == list(recorded)
    # This vault was never opened to disk encryption or templates; the recorded one was.
    opened = {"enabledForDiskEncryption", "enabledForTemplateDeployment"}
    assert list(old["properties"]) == [name for name in recorded["properties"] if name not in opened]
    recorded = bodies("arm-vault-lifecycle", "/vaults/cli-test-kv-sd-000002?")[0]
    assert shape(newer["systemData"]) == shape(recorded["systemData"])
    assert list(newer) == list(recorded)
    assert list(newer["properties"]) == list(recorded["properties"])
    generic = bodies("arm-vault-lifecycle", "/resources?")[0]
    assert list(listed.data["value"][0]) == list(generic["value"][0])
    assert missing.status == 404
    assert shape(missing.data) == shape(bodies("arm-vault-lifecycle", "/vaults/cli-test-kv-mgmt-000002", 404)[0])
    assert missing.headers["x-ms-failure-cause"] == "gateway"
