"""Each host refuses a write, and answers an unknown path, as its service does; both are counted."""

from typing import Any

import pytest

from keyaudit.simulator.wire import CANARY
from tests.simulator.client import ARM, GRAPH, LOGIN, wire
from tests.simulator.small import SMALL, SUBSCRIPTION

VAULT, POLICIES = "https://kv-open.vault.azure.net", "https://kv-many.vault.azure.net"
HSM = "https://hsm-open.managedhsm.azure.net"
GROUP = f"{ARM}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-main"
OPEN = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-open"
V, A = "api-version=7.5", "api-version=2026-02-01"


def refused(service: str, error: dict[str, Any]) -> bool:
    """Whether an error is this service's for a caller without the right."""
    code, inner = error["code"], error.get("innererror", {}).get("code")
    expected = {
        "vault": ("Forbidden", "ForbiddenByRbac"),
        "policies": ("Forbidden", "AccessDenied"),
        "hsm": ("AccessDenied", None),
        "graph": ("Authorization_RequestDenied", None),
        "arm": ("AuthorizationFailed", None),
    }
    return (code, inner) == expected[service] and ("innerError" in error) == (service == "graph")


@pytest.mark.parametrize(
    ("service", "method", "url", "what"),
    [
        ("vault", "PUT", f"{VAULT}/keys/signing/rotationpolicy?{V}", "keys/set/action"),
        ("vault", "PUT", f"{VAULT}/secrets/new?{V}", "secrets/set/action"),
        ("vault", "PATCH", f"{VAULT}/keys/signing/0123?{V}", "keys/update/action"),
        ("vault", "DELETE", f"{VAULT}/keys/signing?{V}", "keys/delete/action"),
        ("vault", "POST", f"{VAULT}/keys/new/create?{V}", "keys/create/action"),
        ("vault", "POST", f"{VAULT}/keys/signing/backup?{V}", "keys/backup/action"),
        ("vault", "POST", f"{VAULT}/keys/signing/0123/sign?{V}", "keys/sign/action"),
        ("vault", "POST", f"{VAULT}/keys/signing/0123/release?{V}", "keys/release/action"),
        ("vault", "POST", f"{VAULT}/secrets/password/backup?{V}", "secrets/backup/action"),
        ("vault", "POST", f"{VAULT}/certificates/backing/backup?{V}", "certificates/backup/action"),
        ("policies", "POST", f"{POLICIES}/keys/key-01/0123/sign?{V}", "keys sign permission"),
        ("hsm", "POST", f"{HSM}/keys/signing/sign?{V}", "keys/sign/action on /keys"),
        ("hsm", "POST", f"{HSM}/securitydomain/download?{V}", "securitydomain/download/action on /"),
        ("hsm", "PUT", f"{HSM}/settings/x?{V}", "settings/write/action on /"),
        ("graph", "PATCH", f"{GRAPH}/applications/x", "Insufficient privileges"),
        ("graph", "POST", f"{GRAPH}/applications/x/addPassword", "Insufficient privileges"),
        ("arm", "PUT", f"{OPEN}?{A}", "'Microsoft.KeyVault/vaults/write' over scope '/subscriptions/"),
        ("arm", "DELETE", f"{OPEN}/keys/signing?{A}", "'Microsoft.KeyVault/vaults/keys/delete'"),
        (
            "arm",
            "PUT",
            f"{OPEN}/providers/Microsoft.Authorization/roleAssignments/x?{A}",
            "Microsoft.Authorization/roleAssignments/write",
        ),
        ("arm", "DELETE", f"{GROUP}?{A}", "'Microsoft.Resources/subscriptions/resourceGroups/delete'"),
        (
            "arm",
            "POST",
            f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s/listKeys?{A}",
            "'Microsoft.Storage/storageAccounts/listKeys/action'",
        ),
    ],
)
async def test_a_write_is_refused(service: str, method: str, url: str, what: str) -> None:
    async with wire(SMALL) as client:
        reply = await client.send(method, url, headers=await client.authorization(url), json={})
    assert reply.status == 403
    assert refused(service, reply.data["error"])
    assert what in reply.data["error"]["message"]
    assert CANARY not in reply.body.decode()
    assert client.simulator.calls[f"{service.replace('policies', 'vault')}.write"] == 1


@pytest.mark.parametrize(
    ("service", "url", "status", "code", "message"),
    [
        ("vault", f"{VAULT}/storage/account?{V}", 400, "BadParameter", "Method GET does not allow operation 'account'"),
        ("vault", f"{VAULT}/?{V}", 400, "BadParameter", "Method GET does not allow operation ''"),
        ("vault", f"{VAULT}/keys/signing/0123/attest?{V}", 400, "BadParameter", "does not allow operation 'attest'"),
        ("hsm", f"{HSM}/securitydomain/x?{V}", 400, "BadParameter", "Method GET does not allow operation 'x'"),
        ("graph", f"{GRAPH}/teapots", 400, "BadRequest", "Resource not found for the segment 'teapots'."),
        ("graph", f"{GRAPH}/users/x/teapots", 400, "BadRequest", "Resource not found for the segment 'teapots'."),
        ("graph", GRAPH.replace("v1.0", "v9"), 400, "BadRequest", "Invalid version."),
        ("arm", f"{ARM}/teapots?{A}", 404, "MissingSubscription", "did not have a subscription"),
        (
            "arm",
            f"{GROUP}/providers/Microsoft.Storage/storageAccounts?{A}",
            404,
            "InvalidResourceType",
            "The resource type 'storageAccounts' could not be found in the namespace 'Microsoft.Storage' for api version '2026",
        ),
        ("arm", f"{OPEN}/teapots/x?{A}", 404, "InvalidResourceType", "'vaults/teapots' could not be found in the namespace"),
        ("arm", f"{GROUP}/teapots?{A}", 404, "InvalidResourceType", "'subscriptions/resourceGroups/teapots'"),
    ],
)
async def test_an_unknown_path(service: str, url: str, status: int, code: str, message: str) -> None:
    async with wire(SMALL) as client:
        reply = await client.get(url)
    assert (reply.status, reply.data["error"]["code"]) == (status, code)
    assert message in reply.data["error"]["message"]
    assert set(reply.data["error"]) == {"code", "message", *(["innerError"] if service == "graph" else [])}
    assert client.simulator.calls[f"{service}.unknown"] == 1


async def test_the_retired_graph_refuses_everybody() -> None:
    async with wire(SMALL) as client:
        token = (await client.sign_in(scope="https://graph.windows.net/.default")).data["access_token"]
        url = f"https://graph.windows.net/{SMALL.tenant_id}/getObjectsByObjectIds?api-version=1.6"
        reply = await client.send("POST", url, headers={"Authorization": f"Bearer {token}"}, json={"objectIds": []})
        bare = await client.send("POST", url, json={})
    assert (reply.status, reply.data["odata.error"]["code"]) == (403, "Authentication_Unauthorized")
    assert bare.status == 401


async def test_the_sign_in_host_knows_no_other_path() -> None:
    async with wire(SMALL) as client:
        reply = await client.send("GET", f"{LOGIN}/{SMALL.tenant_id}/teapots")
    assert (reply.status, client.simulator.calls["login.unknown"]) == (404, 1)
