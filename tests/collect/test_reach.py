"""What other tenants reach, HSMs that no key API shows, and limits of managed identities: every member read, nothing assumed.

Shapes: https://learn.microsoft.com/azure/templates/microsoft.managedservices/registrationdefinitions,
https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner,
https://learn.microsoft.com/azure/templates/microsoft.hardwaresecuritymodules/cloudhsmclusters and
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-isolation-scope
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator import roles
from keyaudit.simulator.estate import Delegation, ManagedIdentity, Posture, Resource
from keyaudit.simulator.estates.contoso.reach import partner
from keyaudit.simulator.estates.log_plans import setting
from keyaudit.simulator.faults import Fault
from tests.collect.estate import EMPTY_SUBSCRIPTION, ESTATE, SUBSCRIPTION, TENANT_ID
from tests.collect.refusals import refused
from tests.collect.rig import Collected, collect

READS = (
    "tenant",
    "cross-tenant access",
    "role assignments",
    "managed identities",
    "Cloud and Dedicated HSMs",
    "service principals",
    "applications",
    "principals",
)

OTHER = "0b000000-0000-4000-8000-000000000001"
PLACE, EMPTY = f"/subscriptions/{SUBSCRIPTION}", f"/subscriptions/{EMPTY_SUBSCRIPTION}"
HSM, DEDICATED = (f"Microsoft.HardwareSecurityModules/{kind}" for kind in ("cloudHsmClusters", "dedicatedHSMs"))
CHSM = f"{PLACE}/resourceGroups/rg-hsm/providers/{HSM}/chsm"


def authorization(role: str, *delegated: str, **approval: object) -> dict[str, object]:
    found: dict[str, object] = {"principalId": OTHER, "roleDefinitionId": role}
    if delegated:
        found["delegatedRoleDefinitionIds"] = list(delegated)
    if approval:
        found["justInTimeAccessPolicy"] = approval
    return found


def delegation(
    name: str, scope: str, *held: dict[str, object], eligible: tuple[dict[str, object], ...] | None = None
) -> Delegation:
    return Delegation(
        id=f"{name:0>8}-1111-4111-8111-111111111111", scope=scope, tenant=OTHER, name=name, roles=held, eligible=eligible
    )


GUARDED = {"multiFactorAuthProvider": "Azure", "managedByTenantApprovers": [{"principalId": OTHER}]}
DELEGATIONS = (
    delegation("1", PLACE, authorization(roles.CONTRIBUTOR), authorization(roles.READER)),
    delegation("2", EMPTY, authorization(roles.CONTRIBUTOR)),
    # It assigns one role alone, and that one reads no key.
    delegation("3", PLACE, authorization(roles.USER_ACCESS_ADMINISTRATOR, roles.READER)),
    delegation("4", PLACE, authorization(roles.USER_ACCESS_ADMINISTRATOR, roles.CRYPTO_USER)),
    delegation("5", PLACE, eligible=(authorization(roles.CONTRIBUTOR, **GUARDED), authorization(roles.READER))),
    delegation(
        "6", f"{PLACE}/resourceGroups/rg-none", eligible=(authorization(roles.CONTRIBUTOR, multiFactorAuthProvider="Azure"),)
    ),
    delegation("7", PLACE, eligible=(authorization(roles.CONTRIBUTOR, multiFactorAuthProvider="Odd"),)),
)
IDENTITIES = (
    ManagedIdentity(name="id-a", subscription=SUBSCRIPTION, resource_group="Rg-A", principal_id=OTHER.upper(), client_id=OTHER),
    ManagedIdentity(
        name="id-b",
        subscription=SUBSCRIPTION,
        resource_group="Rg-A",
        principal_id=OTHER,
        client_id=OTHER,
        isolation="Regional",
        limited_to=("Microsoft.Compute", "Microsoft.App"),
    ),
)


def device(type_: str, name: str, sku: str, properties: dict[str, object], *settings: dict[str, object]) -> Resource:
    return Resource(
        type=type_,
        name=name,
        subscription=SUBSCRIPTION,
        resource_group="rg-hsm",
        sku={"name": sku},
        properties=properties,
        diagnostic_settings=settings,
    )


def cloud(*settings: dict[str, object], **properties: object) -> Resource:
    found = {"activationState": "Active", "publicNetworkAccess": "Disabled", **properties}
    return device(HSM, "chsm", "Standard_B1", found, *settings)


def log(*categories: str) -> dict[str, object]:
    return setting(CHSM.strip("/"), "audit", categories, workspace=f"{PLACE}/resourceGroups/l/providers/a.b/workspaces/w")


WHOLE = replace(
    ESTATE,
    delegations=DELEGATIONS,
    identities=IDENTITIES,
    resources=(
        cloud(log("HsmServiceOperations")),
        device(DEDICATED, "dhsm", "SafeNet Luna Network HSM A790", {"stampId": "stamp1"}),
        device(DEDICATED, "phsm", "payShield10K_LMK1_CPS60", {"stampId": "stamp1"}),
    ),
    posture=Posture(
        partners=(partner(OTHER, syncs=True, provider=True), partner(TENANT_ID.rpartition("/")[2])), mfa_of_others=True
    ),
)


@pytest.fixture(scope="module")
def whole() -> Collected:
    return asyncio.run(collect(estate=WHOLE))


def test_delegations_show_what_their_roles_open(whole: Collected) -> None:
    rows = {row["name"]: row for row in whole.rows["delegation"].values()}
    control, shown = ["purge-vault", "set-policy"], ("roles", "allows", "eligible_roles", "eligible_allows", "guarded")
    assert {key: [row.get(name) for name in (*shown, "vaults_inside")] for key, row in rows.items() if key != "7"} == {
        "1": [["Contributor"], control, [], [], True, True],
        "2": [["Contributor"], control, [], [], True, False],
        "3": [[], [], [], [], True, True],
        "4": [["User Access Administrator"], rows["4"]["allows"], [], [], True, True],
        "5": [[], [], ["Contributor"], control, True, True],
        "6": [[], [], ["Contributor"], control, False, False],
    }
    assert {"sign", "backup"} <= set(rows["4"]["allows"])
    assert "grant" not in rows["4"]["allows"]
    assert rows["7"]["unknown"] == {"guarded": "unrecognised"}
    assert {row["managing_tenant"] for row in rows.values()} == {OTHER}
    assert (rows["6"]["resource_group"], rows["1"].get("resource_group")) == ("rg-none", None)


def test_partners_and_the_default_show_what_is_accepted_of_them(whole: Collected) -> None:
    rows = whole.rows["foreign_tenant"]
    shown = ("kind", "tenant", "mfa_trusted", "creates_users", "multi_tenant_organization", "service_provider", "admin_roles")
    assert [rows[f"{TENANT_ID}/crosstenantaccess/default"].get(name) for name in shown] == [
        "default",
        None,
        True,
        False,
        False,
        False,
        [],
    ]
    provider = rows[f"{TENANT_ID}/crosstenantaccess/{OTHER}"]
    assert [provider.get(name) for name in shown] == ["partner", OTHER, None, True, False, True, None]
    # Only the provider sees its roles here.
    assert provider["unknown"] == {"admin_roles": "publisher_only"}
    plain = rows[f"{TENANT_ID}/crosstenantaccess/{TENANT_ID.rpartition('/')[2]}"]
    assert [plain.get(name) for name in shown[2:]] == [None, False, False, False, []]


def test_hsms_are_rows_by_their_service(whole: Collected) -> None:
    shown = ("kind", "sku", "activation", "public_network_access", "audit_exported")
    rows = {row["name"]: [row.get(name) for name in shown] for row in whole.rows["hsm_device"].values()}
    assert rows == {
        "chsm": ["cloud-hsm", "Standard_B1", "Active", "Disabled", True],
        "dhsm": ["dedicated-hsm", "SafeNet Luna Network HSM A790", None, None, None],
        "phsm": ["payment-hsm", "payShield10K_LMK1_CPS60", None, None, None],
    }


def test_identities_show_what_limits_them(whole: Collected) -> None:
    shown = ("isolation_scope", "limited_to", "principal_id", "resource_group")
    rows = {row["name"]: [row.get(name) for name in shown] for row in whole.rows["managed_identity"].values()}
    assert rows == {
        "id-a": ["None", [], OTHER, "Rg-A"],
        "id-b": ["Regional", ["Microsoft.App", "Microsoft.Compute"], OTHER, "Rg-A"],
    }
    assert whole.calls["managed_identity.list"] == 1
    assert "managed_identity.list_stable" not in whole.calls


def having(
    *logs: dict[str, object], to: str | None = f"{PLACE}/resourceGroups/l/providers/a.b/workspaces/w"
) -> dict[str, object]:
    """A setting with these logs."""
    found = log("x")
    properties = found["properties"]
    assert isinstance(properties, dict)
    return {**found, "properties": {**properties, "logs": list(logs), "workspaceId": to}}


AUDIT: dict[str, object] = {"category": "HsmServiceOperations", "enabled": True}
SETTINGS: list[tuple[tuple[dict[str, object], ...], object]] = [
    ((), False),
    ((log("Other"),), False),
    ((log("Other"), log("HsmServiceOperations")), True),
    ((having({"categoryGroup": "allLogs", "enabled": True}),), True),
    ((having({"categoryGroup": "audit", "enabled": True}),), "unrecognised"),
    ((having({**AUDIT, "enabled": False}),), False),
    ((having(AUDIT, to=None),), False),
]


@pytest.mark.parametrize(("settings", "exported"), SETTINGS)
async def test_a_setting_exports_what_it_names_to_a_destination(settings: tuple[dict[str, Any], ...], exported: object) -> None:
    named = tuple(
        {**each, "id": f"{each['id']}{number}", "name": f"{each['name']}{number}"} for number, each in enumerate(settings)
    )
    found = await collect(estate=replace(ESTATE, resources=(cloud(*named),)))
    [row] = found.rows["hsm_device"].values()
    assert row.get("unknown", {}).get("audit_exported", row.get("audit_exported")) == exported


def _edited(operation: str, edit: Callable[[dict[str, Any]], None]) -> Fault:
    def changed(body: dict[str, Any]) -> dict[str, Any]:
        edit(body)
        return body

    return Fault(operation, "every", edit=changed)


def _no_definitions(body: dict[str, Any]) -> None:
    body["data"] = [each for each in body["data"] if not each["type"].endswith("definitions")]
    body["count"] = body["totalRecords"] = len(body["data"])


def _no_restrictions(body: dict[str, Any]) -> None:
    for each in body["value"]:
        each["properties"].pop("isolationScope")


async def test_what_is_missing_is_unknown_in_its_rows_alone() -> None:
    faults = (
        _edited("delegation.query", _no_definitions),
        _edited("managed_identity.list", _no_restrictions),
        refused("cross_tenant.partners", "permission"),
        refused("hsm_device.diagnostic_setting.list", "permission"),
    )
    found = await collect(*faults, estate=WHOLE)
    for row in found.rows["delegation"].values():
        assert set(row["unknown"].values()) == {"not_visible"}
        assert {"roles", "allows", "managing_tenant", "guarded"} <= set(row["unknown"])
    assert [row["unknown"] for row in found.rows["managed_identity"].values()] == [{"isolation_scope": "bad_body"}] * 2
    assert set(found.rows["foreign_tenant"]) == {f"{TENANT_ID}/crosstenantaccess/default"}
    unknown = {row["name"]: row.get("unknown", {}) for row in found.rows["hsm_device"].values()}
    assert unknown == {"chsm": {"audit_exported": "permission"}, "dhsm": {}, "phsm": {}}
    assert found.gaps() == {
        (TENANT_ID, "cross_tenant.partners"): "not_assessed permission",
        (TENANT_ID, "hsm_device.diagnostic_setting.list"): "not_assessed permission",
    }


def _nobodys(body: dict[str, Any]) -> None:
    for each in body["data"]:
        each["properties"]["principalId"] = "of nobody"


async def test_a_principal_that_can_be_nobodys_id_is_unknown_and_not_one_without_roles() -> None:
    found = await collect(_edited("managed_identity.query", _nobodys), estate=WHOLE)
    assert [row["unknown"] for row in found.rows["managed_identity"].values()] == [{"principal_id": "bad_value"}] * 2


async def test_a_region_without_the_preview_shows_the_isolation_scope() -> None:
    first = replace(IDENTITIES[1], stable_only=True)
    found = await collect(estate=replace(ESTATE, identities=(first,)))
    [row] = found.rows["managed_identity"].values()
    assert (row["isolation_scope"], row["unknown"]) == ("Regional", {"limited_to": "not_in_cloud"})
    assert found.gaps()[TENANT_ID, "managed_identity.list"] == "not_assessed not_in_cloud"


async def test_a_delegation_of_unlisted_vaults_is_unknown() -> None:
    found = await collect(refused("vault.query", "permission"), refused("vault.list", "permission"), estate=WHOLE)
    assert {row.get("unknown", {}).get("vaults_inside") for row in found.rows["delegation"].values()} == {"permission"}
