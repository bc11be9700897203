"""A simulated Managed HSM answers as the real ones were recorded, takes its own tokens alone, and gives nothing away."""

from typing import Any

import pytest
from msgspec import structs

from keyaudit.simulator.estate import HsmAssignment, HsmRole
from keyaudit.simulator.key_vault.hsm_roles import EKM_ADMINISTRATOR
from tests.simulator.client import ARM, wire
from tests.simulator.recorded import bodies, headers, shape
from tests.simulator.small import HSM, SMALL, SUBSCRIPTION

URL = "https://hsm-open.managedhsm.azure.net"
VERSION = "api-version=2025-07-01"
ROLES = "providers/Microsoft.Authorization"


def with_hsm(**changed: Any) -> Any:
    return wire(structs.replace(SMALL, hsms=(structs.replace(HSM, **changed),)))


async def test_the_challenge_is_the_recorded_one() -> None:
    async with wire(SMALL) as client:
        reply = await client.send("GET", f"{URL}/keys?{VERSION}")
    recorded = headers("mhsm-keys", 401)
    assert (reply.status, reply.body) == (401, b"")
    assert set(recorded) <= {name.lower() for name in reply.headers}
    assert reply.headers["WWW-Authenticate"] == recorded["www-authenticate"].replace(
        "00000000-0000-0000-0000-000000000000", SMALL.tenant_id
    )


async def test_a_key_has_the_recorded_shape() -> None:
    elliptic = next(version for version in HSM.keys[0].versions if version.crv)
    async with wire(SMALL) as client:
        reply = await client.get(f"{URL}/keys/{HSM.keys[0].name}/{elliptic.version}?{VERSION}")
    [recorded] = bodies("mhsm-keys", "/keys/livekvtesteckey94232aa4/fcb3d9bf")
    assert [name for name, _ in shape(reply.data)] == [name for name, _ in shape(recorded)]
    assert [name for name, _ in shape(reply.data["key"])] == [name for name, _ in shape(recorded["key"])]
    # key_size came into attributes by 2026, for RSA keys.
    assert [name for name, _ in shape(reply.data["attributes"])] == [name for name, _ in shape(recorded["attributes"])]


async def test_roles_and_assignments_have_the_recorded_shape() -> None:
    role = HsmRole(id="c5700000-0000-4000-8000-000000000001", name="Mine", data_actions=("keys/read/action",))
    assigned = HsmAssignment(id="a5500000-0000-4000-8000-000000000001", role=role.id, principal=SUBSCRIPTION, scope="/keys")
    async with with_hsm(roles=(role,), assignments=(assigned,)) as client:
        definitions = await client.get(f"{URL}/{ROLES}/roleDefinitions?{VERSION}")
        at_root = await client.get(f"{URL}/{ROLES}/roleAssignments?{VERSION}")
        at_keys = await client.get(f"{URL}/keys/{ROLES}/roleAssignments?{VERSION}")
        at_key = await client.get(f"{URL}/keys/signing/{ROLES}/roleAssignments?{VERSION}")
    [recorded] = bodies("mhsm-rbac", "roleDefinitions")
    # A role of 2026 came after the recording.
    built_in = [role for role in definitions.data["value"][:-1] if role["name"] != EKM_ADMINISTRATOR]
    assert built_in == recorded["value"]
    assert definitions.data["value"][-1]["properties"]["type"] == "CustomRole"
    assert shape(definitions.data["value"][-1])[:2] == shape(recorded["value"][0])[:2]
    lists = bodies("mhsm-rbac", "roleAssignments?")
    assert shape(at_keys.data) == shape(lists[0])
    # The identity that reads the list has a role at the root, and what is assigned below does not show there.
    assert [role["name"] for role in at_keys.data["value"] if role not in at_root.data["value"]] == [assigned.id]
    assert len(at_root.data["value"]) == 1
    assert at_key.data == at_keys.data


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ("keys/read/action", "keys"),
        ("keys/read/action", "keys/signing/versions"),
        ("roleDefinitions/read/action", f"{ROLES}/roleDefinitions"),
        ("roleAssignments/read/action", f"{ROLES}/roleAssignments"),
        ("settings/read/action", "settings"),
    ],
)
async def test_a_local_role_that_is_lacking_is_named(action: str, path: str) -> None:
    async with with_hsm(refused=(action,)) as client:
        denied = await client.get(f"{URL}/{path}?{VERSION}")
    assert (denied.status, denied.data["error"]["code"]) == (403, "AccessDenied")
    assert denied.data["error"]["message"].startswith(f"Not authorized to access Microsoft.KeyVault/managedHsm/{action} on /")
    async with with_hsm(access="local") as client:
        assert (await client.get(f"{URL}/{path}?{VERSION}")).status == 403


async def test_a_vaults_token_opens_no_hsm_and_the_reverse() -> None:
    async with wire(SMALL) as client:
        of_hsm = await client.authorization(URL)
        of_vault = await client.authorization("https://kv-open.vault.azure.net")
        assert (await client.send("GET", f"{URL}/keys?{VERSION}", headers=of_vault)).status == 401
        assert (await client.send("GET", f"https://kv-open.vault.azure.net/keys?{VERSION}", headers=of_hsm)).status == 401
        assert (await client.send("GET", f"{URL}/keys?{VERSION}", headers=of_hsm)).status == 200
    hosts = {host: audience for host, audience in client.simulator.audiences if "open" in host}
    assert set(hosts) == {"hsm-open.managedhsm.azure.net", "kv-open.vault.azure.net"}


async def test_arm_describes_an_hsm_by_what_azure_documents() -> None:
    async with with_hsm(activation="NotActivated", endpoints=("Pending",)) as client:
        url = f"{ARM}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault/managedHSMs?api-version=2026-02-01"
        [page] = await client.pages(url)
        one = await client.get(url.replace("/providers", "/resourceGroups/rg-main/providers").replace("?", "/hsm-open?"))
        none = await client.get(url.replace("/providers", "/resourceGroups/rg-main/providers").replace("?", "/gone?"))
    [item] = page["value"]
    assert item == one.data
    assert item["sku"] == {"family": "B", "name": "Standard_B1"}
    assert item["properties"]["hsmUri"] == f"{URL}/"
    assert item["properties"]["securityDomainProperties"]["activationStatus"] == "NotActivated"
    assert none.status == 404
