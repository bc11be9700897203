"""Writes of vaults, HSMs, logs, roles and policies: a change shows in the next read, or is refused as by its service."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import HsmAssignment, RoleAssignment, Workspace
from keyaudit.simulator.resource_manager.logs import workspace_id
from tests.simulator.client import ARM, GRAPH, Reply, Wire, wire
from tests.simulator.small import APPLICATIONS, HSM, SMALL
from tests.simulator.writes.served import EVERY_RIGHT, permit

ALL = permit(EVERY_RIGHT)
A, L = "api-version=2024-11-01", "api-version=7.4"
SUBSCRIPTION = f"/subscriptions/{SMALL.subscriptions[0].id}"
OPEN = next(one for one in SMALL.vaults if one.name == "kv-open")
PLACE = f"{ARM}{SUBSCRIPTION}/resourceGroups/{OPEN.resource_group}/providers/Microsoft.KeyVault/vaults/{OPEN.name}"
SETTING = f"{PLACE}/providers/Microsoft.Insights/diagnosticSettings"
LOCAL = f"https://{HSM.name}.managedhsm.azure.net"
KEPT = Workspace(name="log-kept", subscription=SMALL.subscriptions[0].id, resource_group="rg-main")
LOGGED = replace(SMALL, logs=replace(SMALL.logs, workspaces=(*SMALL.logs.workspaces, KEPT)))


async def send(client: Wire, method: str, url: str, body: object = None) -> Reply:
    return await client.send(method, url, headers=await client.authorization(url), json=body)


async def test_a_vault_is_put_with_what_changed_and_purge_protection_is_never_switched_off() -> None:
    """https://github.com/Azure/azure-cli/issues/29115"""
    async with wire(SMALL, writes=ALL) as client:
        before = (await client.get(f"{PLACE}?{A}")).data
        closed = {**before["properties"], "networkAcls": {"defaultAction": "Deny"}, "enableRbacAuthorization": True}
        made = await send(client, "PUT", f"{PLACE}?{A}", {**before, "properties": closed})
        after = (await client.get(f"{PLACE}?{A}")).data["properties"]
        off = {**before, "properties": {**before["properties"], "enablePurgeProtection": False}}
        refused = await send(client, "PUT", f"{PLACE}?{A}", off)
        missing = await send(client, "PUT", f"{PLACE}x?{A}", before)
    async with wire(SMALL, writes=permit("keys update")) as client:
        denied = await send(client, "PUT", f"{PLACE}?{A}", before)
    assert (made.status, after["networkAcls"]["defaultAction"], after["enableRbacAuthorization"]) == (200, "Deny", True)
    assert after["vaultUri"] == before["properties"]["vaultUri"]
    assert (refused.status, missing.status, denied.status) == (400, 404, 403)
    assert "irreversible" in refused.data["error"]["message"]
    assert "'Microsoft.KeyVault/vaults/write'" in denied.data["error"]["message"]


async def test_the_entry_that_a_command_leaves_out_is_gone_from_a_vaults_access_policies() -> None:
    """az keyvault delete-policy reads the vault and puts it without the entry; the caller's own is not one of the estate's."""
    estate = replace(SMALL, vaults=tuple(replace(one, rbac=False) for one in SMALL.vaults))
    async with wire(estate, writes=ALL) as client:
        before = (await client.get(f"{PLACE}?{A}")).data
        entry = {"tenantId": SMALL.tenant_id, "objectId": "o-1", "permissions": {"keys": ["all"], "secrets": []}}
        both = [*before["properties"]["accessPolicies"], entry]
        for policies in (both, before["properties"]["accessPolicies"]):
            body = {**before, "properties": {**before["properties"], "accessPolicies": policies}}
            assert (await send(client, "PUT", f"{PLACE}?{A}", body)).data["properties"]["accessPolicies"] == [
                {**each, "permissions": {"keys": [], "secrets": [], "certificates": [], **each["permissions"]}}
                for each in policies
            ]


async def test_two_settings_of_a_resource_send_no_category_to_one_workspace() -> None:
    """https://github.com/Azure/terraform-azurerm-avm-ptn-aiml-landing-zone/issues/19"""
    to = {"workspaceId": workspace_id(KEPT), "logs": [{"categoryGroup": "audit", "enabled": True}]}
    async with wire(LOGGED, writes=ALL) as client:
        made = await send(client, "PUT", f"{SETTING}/one?{A}", {"properties": to})
        again = await send(client, "PUT", f"{SETTING}/one?{A}", {"properties": to})
        second = await send(client, "PUT", f"{SETTING}/two?{A}", {"properties": to})
        elsewhere = await send(
            client, "PUT", f"{SETTING}/two?{A}", {"properties": {**to, "workspaceId": f"{SUBSCRIPTION}/none"}}
        )
        listed = (await client.get(f"{SETTING}?{A}")).data["value"]
    async with wire(LOGGED, writes=permit("keys update")) as client:
        denied = await send(client, "PUT", f"{SETTING}/one?{A}", {"properties": to})
    assert [reply.status for reply in (made, again, second, elsewhere, denied)] == [200, 200, 409, 404, 403]
    assert "is already used in diagnostic setting 'one' for category 'audit'" in second.data["error"]["message"]
    assert [one["name"] for one in listed if one["properties"].get("workspaceId") == workspace_id(KEPT)] == ["one"]


async def test_a_subscription_sends_its_log_and_a_table_keeps_it_and_a_plan_is_bought() -> None:
    """https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure: at most 730 days can be searched."""
    of = f"{ARM}{SUBSCRIPTION}/providers"
    setting = f"{of}/Microsoft.Insights/diagnosticSettings/activity?{A}"
    table, plan = f"{ARM}{workspace_id(KEPT)}/tables/AzureActivity?{A}", f"{of}/Microsoft.Security/pricings/KeyVaults?{A}"
    logs = [{"category": "Administrative", "enabled": True}]
    async with wire(LOGGED, writes=ALL) as client:
        replies = [
            await send(client, "PUT", setting, {"properties": {"workspaceId": workspace_id(KEPT), "logs": logs}}),
            await send(client, "PUT", table, {"properties": {"totalRetentionInDays": 730}}),
            await send(client, "PUT", plan, {"properties": {"pricingTier": "Standard"}}),
        ]
        wrong = [
            await send(client, "PUT", table, {"properties": {"retentionInDays": 731}}),
            await send(client, "PUT", plan, {"properties": {"pricingTier": "Gold"}}),
        ]
        kept = (await client.get(table)).data["properties"]
        tier = (await client.get(plan)).data["properties"]["pricingTier"]
    assert [reply.status for reply in (*replies, *wrong)] == [200, 200, 200, 400, 400]
    assert (kept["retentionInDays"], kept["totalRetentionInDays"], tier) == (90, 730, "Standard")


async def test_a_role_assignment_is_deleted_at_its_own_scope_alone() -> None:
    one = RoleAssignment(id="a-1", scope=SUBSCRIPTION, role="r", principal="p")
    estate = replace(SMALL, role_assignments=(*SMALL.role_assignments, one))
    path = "providers/Microsoft.Authorization/roleAssignments/a-1"
    async with wire(estate, writes=permit("keys update")) as client:
        denied = await send(client, "DELETE", f"{ARM}{SUBSCRIPTION}/{path}?{A}")
    async with wire(estate, writes=ALL) as client:
        below = await send(client, "DELETE", f"{ARM}{SUBSCRIPTION}/resourceGroups/rg-main/{path}?{A}")
        replies = [await send(client, "DELETE", f"{ARM}{SUBSCRIPTION}/{path}?{A}") for _ in range(2)]
    assert [reply.status for reply in (denied, below, *replies)] == [403, 204, 200, 204]


async def test_an_hsm_takes_assignments_settings_and_its_network_from_who_may() -> None:
    assigned = HsmAssignment(id="a-1", role="r", principal="p", scope="/keys")
    estate = replace(SMALL, hsms=(replace(HSM, assignments=(*HSM.assignments, assigned)),))
    path, setting = "providers/Microsoft.Authorization/roleAssignments/a-1", "settings/AllowKeyManagementOperationsThroughARM"
    place = f"{ARM}{SUBSCRIPTION}/resourceGroups/{HSM.resource_group}/providers/Microsoft.KeyVault/managedHSMs/{HSM.name}"
    async with wire(estate, writes=permit("settings/write/action")) as client:
        denied = await send(client, "DELETE", f"{LOCAL}/keys/{path}?{L}")
        changed = await send(client, "PATCH", f"{LOCAL}/{setting}?{L}", {"value": "true"})
        shown = (await client.get(f"{LOCAL}/{setting}?{L}")).data
        wrong = await send(client, "PATCH", f"{LOCAL}/{setting}?{L}", {"value": "perhaps"})
    async with wire(estate, writes=ALL) as client:
        other = await send(client, "DELETE", f"{LOCAL}/{path}?{L}")
        gone = [await send(client, "DELETE", f"{LOCAL}/keys/{path}?{L}") for _ in range(2)]
        before = (await client.get(f"{place}?{A}")).data
        body = {**before, "properties": {**before["properties"], "publicNetworkAccess": "Disabled"}}
        closed = await send(client, "PUT", f"{place}?{A}", body)
    assert [reply.status for reply in (denied, changed, wrong, other, *gone)] == [403, 200, 400, 404, 200, 404]
    assert shown["value"] == "true"
    assert closed.data["properties"]["publicNetworkAccess"] == "Disabled"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"defaultUserRolePermissions": {"allowedToCreateApps": False}}, 204),
        ({"defaultUserRolePermissions": {"allowedToFly": True}}, 400),
    ],
)
async def test_users_may_register_nothing_more_once_the_policy_says_so(body: dict[str, Any], status: int) -> None:
    url = f"{GRAPH}/policies/authorizationPolicy"
    async with wire(SMALL, writes=permit("Policy.ReadWrite.Authorization")) as client:
        before = (await client.get(url)).data["defaultUserRolePermissions"]
        reply = await send(client, "PATCH", url, body)
        after = (await client.get(url)).data["defaultUserRolePermissions"]
        denied = await send(client, "PATCH", f"{GRAPH}/policies/defaultAppManagementPolicy", {"isEnabled": True})
    assert (reply.status, denied.status) == (status, 403)
    assert after == {**before, "allowedToCreateApps": before["allowedToCreateApps"] and status != 204}


async def test_the_default_app_management_policy_keeps_what_a_change_leaves_out() -> None:
    url = f"{GRAPH}/policies/defaultAppManagementPolicy"
    limit = {"restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": "P90D"}
    async with wire(SMALL, writes=ALL) as client:
        before = (await client.get(url)).data
        reply = await send(
            client, "PATCH", url, {"isEnabled": True, "applicationRestrictions": {"passwordCredentials": [limit]}}
        )
        after = (await client.get(url)).data
    assert (reply.status, after["isEnabled"]) == (204, True)
    [shown] = after["applicationRestrictions"]["passwordCredentials"]
    assert limit.items() <= shown.items()
    assert after["servicePrincipalRestrictions"] == before["servicePrincipalRestrictions"]


async def test_an_application_accepts_mapped_claims_no_more() -> None:
    url = f"{GRAPH}/applications/{APPLICATIONS[0].id}"
    async with wire(SMALL, writes=ALL) as client:
        reply = await send(client, "PATCH", url, {"api": {"acceptMappedClaims": False}})
        after = (await client.get(url)).data["api"]
        unknown = await send(client, "PATCH", url, {"api": {"acceptAnything": False}})
    assert (reply.status, after["acceptMappedClaims"], unknown.status) == (204, False, 400)


async def test_an_identity_is_kept_to_its_region() -> None:
    identity = SMALL.identities[0]
    group = f"{ARM}/subscriptions/{identity.subscription}/resourceGroups/{identity.resource_group}"
    url = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity.name}?{A}"
    async with wire(SMALL, writes=ALL) as client:
        replies = [await send(client, "PATCH", url, {"properties": {"isolationScope": each}}) for each in ("Regional", "Lunar")]
        after = (await client.get(url)).data["properties"]["isolationScope"]
    async with wire(SMALL, writes=permit("keys update")) as client:
        denied = await send(client, "PATCH", url, {})
    assert [reply.status for reply in (*replies, denied)] == [200, 400, 403]
    assert after == "Regional"
