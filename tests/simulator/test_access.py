"""Who may read what: tokens, refusing vaults, vaults that are deleted, and Graph's 403s."""

from typing import Any

import aiohttp
import pytest
from msgspec import structs

from keyaudit.simulator.tokens import LIFETIME
from tests.simulator.client import ARM, GRAPH, LOGIN, wire
from tests.simulator.small import APPLICATIONS, AS_OF, OPEN, SMALL, SUBSCRIPTION

VAULT = "https://kv-open.vault.azure.net"
KEYS = f"{VAULT}/keys?api-version=7.5"
SUBSCRIPTIONS = f"{ARM}/subscriptions?api-version=2022-12-01"


def _vault(**changed: Any) -> Any:
    return wire(structs.replace(SMALL, vaults=(structs.replace(OPEN, **changed),)))


@pytest.mark.parametrize(
    ("access", "inner", "says"),
    [
        ("firewall", "ForbiddenByFirewall", "Client address is not authorized"),
        ("private", "ForbiddenByConnection", "Public network access is disabled"),
        ("rbac", "ForbiddenByRbac", "Caller is not authorized to perform action"),
        ("policy", "AccessDenied", "does not have keys list permission"),
    ],
)
async def test_a_vault_refuses_with_its_own_reason(access: str, inner: str, says: str) -> None:
    async with _vault(access=access) as client:
        challenged = await client.send("GET", KEYS)
        reply = await client.get(KEYS)
        control = await client.get(
            f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-main/providers/Microsoft.KeyVault/vaults/kv-open/keys"
            "?api-version=2026-02-01"
        )
    assert challenged.status == 401
    assert reply.status == 403
    error = reply.data["error"]
    assert (error["code"], error["innererror"]) == ("Forbidden", {"code": inner})
    assert error["message"].startswith(says) or says in error["message"]
    # The control plane is behind no firewall and needs no data-plane right.
    assert len(control.data["value"]) == 5


@pytest.mark.parametrize(("rbac", "inner"), [(True, "ForbiddenByRbac"), (None, "AccessDenied")])
async def test_one_operation_refused_leaves_the_others(rbac: bool | None, inner: str) -> None:
    async with _vault(refused=("rotationpolicy",), rbac=rbac) as client:
        listed = await client.get(KEYS)
        policy = await client.get(f"{VAULT}/keys/signing/rotationpolicy?api-version=7.5")
    assert listed.status == 200
    assert (policy.status, policy.data["error"]["innererror"]["code"]) == (403, inner)


async def test_an_authorised_answer_of_an_rbac_vault_names_its_assignment() -> None:
    name = "x-ms-keyvault-rbac-assignment-id"
    async with _vault() as client:
        answered, challenged = await client.get(KEYS), await client.send("GET", KEYS)
    async with _vault(rbac=None) as client:
        policies = await client.get(KEYS)
    assert len(answered.headers[name]) == 32
    assert name not in challenged.headers
    assert name not in policies.headers


async def test_a_deleted_vault_is_gone_for_every_client() -> None:
    vaults = f"{ARM}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults?api-version=2026-02-01"
    async with _vault(vanishes_after=2) as client:
        before = await client.pages(vaults)
        assert [(await client.get(KEYS)).status for _ in range(2)] == [200, 200]
        with pytest.raises(aiohttp.ClientError):
            await client.get(KEYS)
        # The name resolves no more, which a proxy says with a 502; ARM has forgotten it, Resource Graph not yet.
        with pytest.raises(aiohttp.ClientHttpProxyError, match="502"):
            await client.get(KEYS)
        after = await client.pages(vaults)
        one = await client.get(vaults.replace("/providers", "/resourceGroups/rg-main/providers").replace("?", "/kv-open?"))
        query = {"query": "resources | where type =~ 'microsoft.keyvault/vaults' | order by id asc"}
        rows = await client.post(f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01", query)
    assert sum(len(page["value"]) for page in before) == 1
    assert after == [{"value": []}]
    assert (one.status, one.data["error"]["code"]) == (404, "ResourceNotFound")
    assert rows.data["count"] == 1


@pytest.mark.parametrize("url", [KEYS, SUBSCRIPTIONS, f"{GRAPH}/applications"])
async def test_a_token_must_be_for_the_service_and_the_tenant_and_in_time(url: str) -> None:
    resource = {"https://kv": "https://vault.azure.net", "https://ma": ARM}.get(url[:10], "https://graph.microsoft.com")
    times = [float(AS_OF)]
    async with wire(SMALL, now=lambda: times[0]) as client:

        async def status(token: str) -> int:
            reply = await client.send("GET", url, headers={"Authorization": f"Bearer {token}"})
            return reply.status

        token = client.simulator.token
        good = token(resource)
        assert await status(good) == 200
        assert await status(token("https://storage.azure.com")) == 401
        assert await status(token(resource, tenant_id="0f0f0f0f-0000-4000-8000-000000000000")) == 401
        assert await status(good + "x") == 401
        assert (await client.send("GET", url)).status == 401
        times[0] += LIFETIME
        assert await status(good) == 401
    assert client.simulator.calls["challenge"] == 5


async def test_401s_of_arm_and_graph_say_why() -> None:
    async with wire(SMALL) as client:
        arm = await client.send("GET", SUBSCRIPTIONS)
        foreign = await client.send(
            "GET", SUBSCRIPTIONS, headers={"Authorization": f"Bearer {client.simulator.token(ARM, tenant_id='t')}"}
        )
        graph = await client.send("GET", f"{GRAPH}/applications")
    assert arm.data["error"]["code"] == "AuthenticationFailed"
    assert f"{LOGIN}/{SMALL.tenant_id}" in arm.headers["WWW-Authenticate"]
    assert foreign.data["error"]["code"] == "InvalidAuthenticationTokenTenant"
    assert graph.data["error"]["code"] == "InvalidAuthenticationToken"


@pytest.mark.parametrize(
    ("relation", "path"),
    [
        ("organization", "organization"),
        ("domains", "domains"),
        ("applications", "applications"),
        ("owners", "applications?$expand=owners($select=id)"),
        ("owners", f"applications/{APPLICATIONS[0].id}/owners"),
        ("federatedIdentityCredentials", f"applications/{APPLICATIONS[0].id}/federatedIdentityCredentials"),
        ("federatedIdentityCredentials", "servicePrincipals?$filter=federatedIdentityCredentials/$count%20ne%200"),
    ],
)
async def test_graph_refuses_a_relation_and_nothing_else(relation: str, path: str) -> None:
    async with wire(structs.replace(SMALL, graph_refuses=(relation,))) as client:
        refused = await client.get(f"{GRAPH}/{path}")
        other = await client.get(f"{GRAPH}/servicePrincipals?$select=id")
    assert (refused.status, refused.data["error"]["code"]) == (403, "Authorization_RequestDenied")
    assert other.status == 200


async def test_what_is_not_there_and_what_cannot_be_asked() -> None:
    async with wire(SMALL) as client:
        replies = {
            name: await client.get(url)
            for name, url in {
                "no object": f"{GRAPH}/servicePrincipals/0f0f0f0f/owners",
                "no segment": f"{GRAPH}/nothing",
                "no version": "https://graph.microsoft.com/v2.0/applications",
                "no member": f"{GRAPH}/applications?$select=nonsense",
                "no filter": f"{GRAPH}/applications?$filter=notes%20eq%20'x'",
                "no form": f"{GRAPH}/applications?$filter=length(notes)",
                "no expansion": f"{GRAPH}/applications?$expand=policies",
                "no vault version": f"{VAULT}/keys",
                "no arm version": f"{ARM}/subscriptions",
                "no subscription": f"{ARM}/subscriptions/0f0f0f0f/resources?api-version=1",
                "no resource": f"{ARM}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.None/x?api-version=1",
            }.items()
        }
    assert {name: (reply.status, reply.data["error"]["code"]) for name, reply in replies.items()} == {
        "no object": (404, "Request_ResourceNotFound"),
        "no segment": (400, "BadRequest"),
        "no version": (400, "BadRequest"),
        "no member": (400, "BadRequest"),
        "no filter": (400, "Request_UnsupportedQuery"),
        "no form": (400, "Request_UnsupportedQuery"),
        "no expansion": (400, "BadRequest"),
        "no vault version": (400, "BadParameter"),
        "no arm version": (400, "MissingApiVersionParameter"),
        "no subscription": (404, "SubscriptionNotFound"),
        "no resource": (404, "InvalidResourceType"),
    }


async def test_sign_in_metadata_by_tenant_id_and_by_domain() -> None:
    path = "v2.0/.well-known/openid-configuration"
    async with wire(SMALL) as client:
        by_id = await client.send("GET", f"{LOGIN}/{SMALL.tenant_id}/{path}")
        by_name = await client.send("GET", f"{LOGIN}/small.example/{path}")
        common = await client.send("GET", f"{LOGIN}/common/{path}")
        unknown = await client.send("GET", f"{LOGIN}/other.example/{path}")
        keys = await client.send("GET", by_id.data["jwks_uri"])
        instance = await client.send("GET", f"{LOGIN}/common/discovery/instance?api-version=1.1")
    assert by_id.data == by_name.data
    assert by_id.data["issuer"] == f"{LOGIN}/{SMALL.tenant_id}/v2.0"
    assert common.data["issuer"] == f"{LOGIN}/{{tenantid}}/v2.0"
    assert (unknown.status, unknown.data["error_codes"]) == (400, [90002])
    assert keys.data["keys"][0]["kty"] == "RSA"
    assert LOGIN.removeprefix("https://") in instance.data["metadata"][0]["aliases"]


async def test_the_tenant_says_that_it_is_simulated() -> None:
    async with wire(SMALL) as client:
        graph = await client.get(f"{GRAPH}/organization")
        arm = await client.get(f"{ARM}/tenants?api-version=2022-12-01")
        domains = await client.get(f"{GRAPH}/domains?$select=id,authenticationType,isDefault,isVerified")
    assert graph.data["value"][0]["displayName"] == "Small (simulated tenant)"
    assert arm.data["value"][0]["displayName"] == "Small (simulated tenant)"
    assert [one["authenticationType"] for one in domains.data["value"]] == ["Managed", "Managed", "Federated"]
