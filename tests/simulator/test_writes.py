"""A tenant that may be written to: a change shows in the next read, and is refused as its service refuses it."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estate.access import Delegation
from keyaudit.simulator.wire import CANARY
from tests.simulator.client import ARM, GRAPH, Reply, Wire, wire
from tests.simulator.small import APPLICATIONS, AS_OF, PRINCIPALS, SIGNING, SMALL
from tests.simulator.writes.served import EVERY_RIGHT, permit

VAULT = "https://kv-open.vault.azure.net"
V, A = "api-version=7.5", "api-version=2024-11-30"
ALL = permit(EVERY_RIGHT)
APPLICATION = next(one for one in APPLICATIONS if one.passwords and one.keys)
FEDERATED = next(one for one in APPLICATIONS if one.federated)
AS_HSM: dict[str, Any] = {"kty": "RSA-HSM"}


async def send(client: Wire, method: str, url: str, body: object = None) -> Reply:
    return await client.send(method, url, headers=await client.authorization(url), json=body)


def premium(estate: Estate) -> Estate:
    return replace(estate, vaults=tuple(replace(one, sku="premium") for one in estate.vaults))


async def test_each_right_is_needed_by_its_own_name() -> None:
    """https://learn.microsoft.com/azure/role-based-access-control/permissions/security: the data actions of Key Vault."""
    async with wire(SMALL, writes=permit("keys update")) as client:
        allowed = await send(client, "PATCH", f"{VAULT}/keys/signing?{V}", {"attributes": {"enabled": False}})
        refused = [
            await send(client, "POST", f"{VAULT}/keys/signing/rotate?{V}"),
            await send(client, "PUT", f"{VAULT}/keys/signing/rotationpolicy?{V}", {}),
            await send(client, "PUT", f"{VAULT}/secrets/new?{V}", {"value": "x"}),
        ]
        graph = await send(client, "POST", f"{GRAPH}/applications/{APPLICATION.id}/removePassword", {"keyId": "x"})
    assert allowed.status == 200
    assert [reply.status for reply in (*refused, graph)] == [403] * 4
    actions = ("keys/rotate/action", "keyrotationpolicies/write", "secrets/setSecret/action")
    for reply, action in zip(refused, actions, strict=True):
        assert f"Action: 'Microsoft.KeyVault/vaults/{action}" in reply.data["error"]["message"]
    assert graph.data["error"]["code"] == "Authorization_RequestDenied"


async def test_a_closed_vault_stays_closed() -> None:
    estate = replace(SMALL, vaults=tuple(replace(one, access="firewall") for one in SMALL.vaults))
    async with wire(estate, writes=ALL) as client:
        reply = await send(client, "POST", f"{VAULT}/keys/signing/rotate?{V}")
    assert (reply.status, reply.data["error"]["innererror"]["code"]) == (403, "ForbiddenByFirewall")


async def test_a_rotated_key_has_a_new_version_that_expires_by_its_policy() -> None:
    async with wire(SMALL, writes=ALL) as client:
        before = (await client.get(f"{VAULT}/keys/signing?{V}")).data
        made = (await send(client, "POST", f"{VAULT}/keys/signing/rotate?{V}")).data
        after = (await client.get(f"{VAULT}/keys/signing?{V}")).data
        versions = (await client.get(f"{VAULT}/keys/signing/versions?{V}")).data["value"]
        old = (await client.get(f"{before['key']['kid']}?{V}")).data
    assert made == after
    assert after["key"]["kid"] != before["key"]["kid"]
    assert (after["key"]["kty"], after["key"]["key_ops"]) == (before["key"]["kty"], before["key"]["key_ops"])
    assert AS_OF <= after["attributes"]["created"] <= AS_OF + 60
    assert after["attributes"]["exp"] - after["attributes"]["created"] == 365 * 86_400
    assert len(versions) == len(SIGNING.versions) + 1
    assert old == before


async def test_a_key_created_with_its_type_alone_is_a_key_for_everything() -> None:
    """`kty` alone makes RSA of 2048 bits, with every operation and without an end: az passes nothing else."""
    async with wire(SMALL, writes=ALL) as client:
        plain = (await send(client, "POST", f"{VAULT}/keys/new/create?{V}", {"kty": "RSA"})).data
        body = {"kty": "RSA", "key_size": 3072, "key_ops": ["sign", "verify"], "attributes": {"exp": AS_OF + 86_400}}
        chosen = (await send(client, "POST", f"{VAULT}/keys/new/create?{V}", body)).data
        listed = (await client.get(f"{VAULT}/keys/new/versions?{V}")).data["value"]
    assert (plain["attributes"]["key_size"], len(plain["key"]["key_ops"])) == (2048, 6)
    assert "exp" not in plain["attributes"]
    assert (chosen["attributes"]["key_size"], chosen["key"]["key_ops"]) == (3072, ["sign", "verify"])
    assert {item["kid"] for item in listed} == {plain["key"]["kid"], chosen["key"]["kid"]}


@pytest.mark.parametrize(
    ("path", "body", "status", "inner", "says"),
    [
        ("keys/signing/create", AS_HSM, 400, None, "Hardware key operation not allowed on standard vault"),
        ("keys/new/create", {"kty": "EC", "key_ops": ["wrapKey"]}, 400, None, 'Unsupported key operation(s): "wrapKey"'),
        ("keys/new/create", {"kty": "RSA", "attributes": {"exportable": True}}, 400, None, "AKV.SKR.1001"),
        ("keys/new/create", {"kty": "RSA", "release_policy": {"data": "e30"}}, 400, None, "AKV.SKR.1005"),
        ("keys/backing/create", {"kty": "RSA"}, 403, "KeyManagedByKeyVault", "lifetime is managed by Key Vault"),
        ("keys/gone/create", {"kty": "RSA"}, 409, "ObjectIsDeletedButRecoverable", "deleted but recoverable state"),
        ("keys/teapot/rotate", {}, 404, None, "A key with (name/id) teapot was not found"),
    ],
)
async def test_a_key_is_refused_as_the_vault_words_it(
    path: str, body: dict[str, Any], status: int, inner: str | None, says: str
) -> None:
    async with wire(SMALL, writes=ALL) as client:
        before = client.simulator.estate
        reply = await send(client, "POST", f"{VAULT}/{path}?{V}", body)
        assert client.simulator.estate is before
    error = reply.data["error"]
    assert (reply.status, error.get("innererror", {}).get("code")) == (status, inner)
    assert says in error["message"]


async def test_a_premium_vault_makes_hsm_keys_on_the_current_platform() -> None:
    async with wire(premium(SMALL), writes=ALL) as client:
        made = (await send(client, "POST", f"{VAULT}/keys/signing/create?{V}", AS_HSM)).data
    assert (made["key"]["kty"], made["attributes"]["hsmPlatform"]) == ("RSA-HSM", "2")


async def test_attributes_of_one_version_leave_the_others() -> None:
    first = SIGNING.versions[1]
    async with wire(SMALL, writes=ALL) as client:
        body = {"attributes": {"enabled": False}, "key_ops": ["verify"]}
        changed = (await send(client, "PATCH", f"{VAULT}/keys/signing/{first.version}?{V}", body)).data
        current = (await client.get(f"{VAULT}/keys/signing?{V}")).data
    assert (changed["attributes"]["enabled"], changed["key"]["key_ops"]) == (False, ["verify"])
    assert current["attributes"]["enabled"] is True


@pytest.mark.parametrize(
    ("trigger", "expiry", "status"),
    [("P90D", "P1Y", 200), ("P6D", "P1Y", 400), ("P90D", "P27D", 400)],
)
async def test_a_rotation_policy_has_limits(trigger: str, expiry: str, status: int) -> None:
    """https://learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation: 28 days to expiry, 7 for a trigger."""
    action = {"trigger": {"timeAfterCreate": trigger}, "action": {"type": "Rotate"}}
    async with wire(SMALL, writes=ALL) as client:
        body = {"lifetimeActions": [action], "attributes": {"expiryTime": expiry}}
        reply = await send(client, "PUT", f"{VAULT}/keys/elliptic/rotationpolicy?{V}", body)
        after = (await client.get(f"{VAULT}/keys/elliptic/rotationpolicy?{V}")).data
    assert reply.status == status
    assert (after["attributes"].get("expiryTime") == expiry) is (status == 200)


async def test_a_certificate_is_renewed_by_a_new_policy_and_the_old_one_stays_as_it_was() -> None:
    name = "backing"
    async with wire(SMALL, writes=ALL) as client:
        before = (await client.get(f"{VAULT}/certificates/{name}?{V}")).data
        policy = {**before["policy"], "key_props": {**before["policy"]["key_props"], "key_size": 3072, "exportable": False}}
        asked = await send(client, "POST", f"{VAULT}/certificates/{name}/create?{V}", {"policy": policy})
        pending = (await client.get(f"{VAULT}/certificates/{name}/pending?{V}")).data
        after = (await client.get(f"{VAULT}/certificates/{name}?{V}")).data
        old = (await client.get(f"{before['id']}?{V}")).data
        partial = await send(client, "POST", f"{VAULT}/certificates/{name}/create?{V}", {"policy": {"key_props": {}}})
    assert (asked.status, pending["status"], partial.status) == (202, "completed", 400)
    assert after["id"] != before["id"]
    assert after["policy"]["key_props"]["exportable"] is False
    assert (old["cer"], old["x5t"]) == (before["cer"], before["x5t"])
    assert len(after["cer"]) > len(before["cer"])


async def test_a_request_of_issuer_unknown_waits_and_blocks_the_next() -> None:
    """https://learn.microsoft.com/azure/key-vault/certificates/create-certificate-scenarios: 409 with the code Forbidden."""
    async with wire(SMALL, writes=ALL) as client:
        before = (await client.get(f"{VAULT}/certificates/backing?{V}")).data
        policy = {**before["policy"], "issuer": {"name": "Unknown"}}
        first = await send(client, "POST", f"{VAULT}/certificates/backing/create?{V}", {"policy": policy})
        second = await send(client, "POST", f"{VAULT}/certificates/backing/create?{V}", {"policy": policy})
        after = (await client.get(f"{VAULT}/certificates/backing?{V}")).data
    assert (first.status, first.data["status"]) == (202, "inProgress")
    assert (second.status, second.data["error"]["code"]) == (409, "Forbidden")
    assert after["id"] == before["id"]


async def test_a_new_certificate_comes_with_its_key_and_its_secret() -> None:
    async with wire(SMALL, writes=ALL) as client:
        policy = (await client.get(f"{VAULT}/certificates/backing/policy?{V}")).data
        await send(client, "POST", f"{VAULT}/certificates/second/create?{V}", {"policy": policy})
        made = (await client.get(f"{VAULT}/certificates/second?{V}")).data
        key = (await client.get(f"{made['kid']}?{V}")).data
        secrets = await client.pages(f"{VAULT}/secrets?{V}")
    assert key["managed"] is True
    assert f"{VAULT}/secrets/second" in {item["id"] for page in secrets for item in page["value"]}


async def test_a_secret_gets_a_version_and_its_value_is_not_kept() -> None:
    async with wire(SMALL, writes=ALL) as client:
        made = (await send(client, "PUT", f"{VAULT}/secrets/new?{V}", {"value": "hunter2"})).data
        body = {"attributes": {"exp": AS_OF + 86_400}}
        changed = (await send(client, "PATCH", f"{VAULT}/secrets/new?{V}", body)).data
        read = (await client.get(f"{VAULT}/secrets/new?{V}")).data
        backing = await send(client, "PUT", f"{VAULT}/secrets/backing?{V}", {"value": "x"})
    assert made["value"] == "hunter2"
    assert (read["value"], read["id"], read["attributes"]["exp"]) == (CANARY, made["id"], AS_OF + 86_400)
    assert "value" not in changed
    assert (backing.status, backing.data["error"]["innererror"]["code"]) == (403, "SecretManagedByKeyVault")


async def test_credentials_of_an_application_are_removed_one_by_one() -> None:
    place = f"{GRAPH}/applications/{APPLICATION.id}"
    secret, certificate = APPLICATION.passwords[0], APPLICATION.keys[0]
    async with wire(SMALL, writes=ALL) as client:
        found = (await client.get(place)).data
        kept = [one for one in found["keyCredentials"] if one["keyId"] != certificate.key_id]
        replies = [
            await send(client, "POST", f"{place}/removePassword", {"keyId": secret.key_id}),
            await send(client, "POST", f"{place}/removePassword", {"keyId": secret.key_id}),
            await send(client, "PATCH", place, {"keyCredentials": kept}),
            await send(client, "PATCH", place, {"keyCredentials": [{**one, "key": "AAAA"} for one in kept]}),
            await send(client, "PATCH", place, {"teapot": True}),
            await send(client, "POST", f"{GRAPH}/applications/{PRINCIPALS[0].id}/removePassword", {"keyId": "x"}),
        ]
        after = (await client.get(place)).data
    assert [reply.status for reply in replies] == [204, 400, 204, 400 if kept else 204, 400, 404]
    assert "No password credential found with keyId" in replies[1].data["error"]["message"]
    assert len(after["passwordCredentials"]) == len(APPLICATION.passwords) - 1
    assert [one["keyId"] for one in after["keyCredentials"]] == [one["keyId"] for one in kept]


async def test_a_principal_is_disabled_and_an_audience_narrowed() -> None:
    principal, application = f"{GRAPH}/servicePrincipals/{PRINCIPALS[0].id}", f"{GRAPH}/applications/{APPLICATION.id}"
    async with wire(SMALL, writes=ALL) as client:
        wrong = await send(client, "PATCH", principal, {"accountEnabled": "false"})
        right = await send(client, "PATCH", principal, {"accountEnabled": False, "appRoleAssignmentRequired": True})
        narrowed = await send(client, "PATCH", application, {"signInAudience": "AzureADMyOrg"})
        unknown = await send(client, "PATCH", application, {"signInAudience": "Everybody"})
        shown = [(await client.get(place)).data for place in (principal, application)]
    assert [reply.status for reply in (wrong, right, narrowed, unknown)] == [400, 204, 204, 400]
    assert (shown[0]["accountEnabled"], shown[0]["appRoleAssignmentRequired"]) == (False, True)
    assert shown[1]["signInAudience"] == "AzureADMyOrg"


async def test_federated_credentials_have_unique_names_and_subjects() -> None:
    place, first = f"{GRAPH}/applications/{FEDERATED.id}/federatedIdentityCredentials", FEDERATED.federated[0]
    new = {"name": "new", "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:a/b:ref:refs/heads/main"}
    new |= {"audiences": ["api://AzureADTokenExchange"]}  # type: ignore[dict-item]
    async with wire(SMALL, writes=ALL) as client:
        made = await send(client, "POST", place, new)
        named = await send(client, "POST", place, {**new, "subject": "repo:a/b:pull_request"})
        twin = await send(client, "POST", place, {**new, "name": "twin"})
        moved = await send(client, "PATCH", f"{place}/new", {"subject": "repo:a/b:environment:production"})
        deleted = await send(client, "DELETE", f"{place}/{first.id}")
        gone = await send(client, "DELETE", f"{place}/{first.id}")
        listed = (await client.get(place)).data["value"]
    assert [reply.status for reply in (made, named, twin, moved, deleted, gone)] == [201, 409, 400, 204, 204, 404]
    assert named.data["error"]["code"] == "Request_MultipleObjectsWithSameKeyValue"
    assert twin.data["error"]["code"] == "InvalidFederatedIdentityCredentialValue"
    assert {one["name"] for one in listed} == {"new", *(one.name for one in FEDERATED.federated[1:])}
    assert "repo:a/b:environment:production" in {one["subject"] for one in listed}


async def test_an_owner_is_added_once() -> None:
    place = f"{GRAPH}/applications/{APPLICATION.id}/owners"
    body = {"@odata.id": f"{GRAPH}/directoryObjects/{PRINCIPALS[0].id}"}
    async with wire(SMALL, writes=ALL) as client:
        replies = [await send(client, "POST", f"{place}/$ref", body) for _ in range(2)]
        nobody = await send(client, "POST", f"{place}/$ref", {"@odata.id": f"{GRAPH}/directoryObjects/OWNER"})
        listed = (await client.get(place)).data["value"]
        removed = await send(client, "DELETE", f"{place}/{PRINCIPALS[0].id}/$ref")
    assert [reply.status for reply in (*replies, nobody, removed)] == [204, 400, 404, 204]
    assert "already exist for the following modified properties: 'owners'" in replies[1].data["error"]["message"]
    assert PRINCIPALS[0].id in {one["id"] for one in listed}


async def test_a_managed_identity_loses_a_federated_credential() -> None:
    identity = replace(SMALL.identities[0], federated=FEDERATED.federated)
    estate = replace(SMALL, identities=(identity,))
    group = f"{ARM}/subscriptions/{identity.subscription}/resourceGroups/{identity.resource_group}"
    place = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity.name}/federatedIdentityCredentials"
    name = identity.federated[0].name
    async with wire(estate, writes=ALL) as client:
        replies = [await send(client, "DELETE", f"{place}/{name}?{A}") for _ in range(2)]
        listed = (await client.get(f"{place}?{A}")).data["value"]
    async with wire(estate, writes=permit("keys update")) as client:
        refused = await send(client, "DELETE", f"{place}/{name}?{A}")
    assert [reply.status for reply in replies] == [200, 204]
    assert name not in {one["name"] for one in listed}
    assert refused.data["error"]["code"] == "AuthorizationFailed"
    assert "federatedIdentityCredentials/delete'" in refused.data["error"]["message"]


async def test_a_delegation_of_a_subscription_or_a_resource_group_is_removed() -> None:
    subscription = f"/subscriptions/{SMALL.subscriptions[0].id}"
    scopes = (subscription, f"{subscription}/resourceGroups/rg-One")
    estate = replace(SMALL, delegations=tuple(Delegation(id="d-1", scope=each, tenant="t", name="n") for each in scopes))
    version = "api-version=2019-06-01"
    places = [f"{ARM}{each}/providers/Microsoft.ManagedServices/registrationAssignments/d-1?{version}" for each in scopes]
    async with wire(estate, writes=permit("keys update")) as client:
        refused = await send(client, "DELETE", places[0])
    assert refused.data["error"]["code"] == "AuthorizationFailed"
    assert "Microsoft.ManagedServices/registrationAssignments/delete'" in refused.data["error"]["message"]
    async with wire(estate, writes=ALL) as client:
        for place, left in zip(places, (scopes[1:], ()), strict=True):
            replies = [await send(client, "DELETE", place) for _ in range(2)]
            assert [reply.status for reply in replies] == [200, 204]
            assert tuple(one.scope for one in client.simulator.estate.delegations) == left


async def test_what_was_changed_can_be_restored() -> None:
    async with wire(SMALL, writes=ALL) as client:
        estate = client.simulator.estate
        before = (await client.get(f"{VAULT}/keys/signing?{V}")).data
        await send(client, "POST", f"{VAULT}/keys/signing/rotate?{V}")
        client.simulator.restore(estate)
        assert (await client.get(f"{VAULT}/keys/signing?{V}")).data == before
