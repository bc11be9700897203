"""Graph's users, groups, activated roles, sign-ins and changes, and ARM's alert rules, as other auditors list them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import AlertRule, Estate, Logs, Posture, Row
from tests.collect.access import ACCESS, ALICE, BOB, DAVE, GLOBAL_ADMINISTRATOR, GUEST, HOME, INNER, OUTER
from tests.collect.estate import AS_OF, DAY, SUBSCRIPTION
from tests.simulator.client import ARM, GRAPH, wire

BETA = GRAPH.replace("v1.0", "beta")


class Spoken:
    """Events that say which collection was asked for, and between which moments."""

    def table(self, workspace: str, table: str, first: float, until: float) -> list[Row] | None:
        return None

    def graph(self, collection: str, first: float, until: float) -> list[Row]:
        return [{"id": collection, "days": [round((moment - AS_OF) / DAY) for moment in (first, until)]}]


TENANT = replace(
    ACCESS,
    logs=Logs(
        events=Spoken(),
        alert_rules=(
            AlertRule(
                name="deleted",
                subscription=SUBSCRIPTION,
                resource_group="Rg-Main",
                operation="Microsoft.KeyVault/vaults/delete",
                action_group=f"{HOME}/resourceGroups/Rg-Main/providers/microsoft.insights/actionGroups/ops",
            ),
            AlertRule(name="query", subscription=SUBSCRIPTION, resource_group="Rg-Main", query="AuditLogs"),
        ),
    ),
    posture=Posture(security_defaults=False, conditional_access=({"id": "c1", "displayName": "MFA", "state": "enabled"},)),
)


async def asked(url: str, estate: Estate = TENANT) -> Any:
    async with wire(estate, now=lambda: float(AS_OF)) as client:
        return await client.get(url)


async def test_users_have_few_members_unless_more_are_selected() -> None:
    plain = (await asked(f"{GRAPH}/users")).data["value"]
    chosen = (await asked(f"{GRAPH}/users?$select=id,userType,accountEnabled,signInActivity&$top=999")).data["value"]
    assert {ALICE.id, GUEST.id} <= {user["id"] for user in plain}
    assert (list(plain[0])[:2], list(plain[0])[-1]) == (["businessPhones", "displayName"], "id")
    assert {user["id"]: user["userType"] for user in chosen}[GUEST.id] == "Guest"
    assert set(chosen[0]) == {"id", "userType", "accountEnabled"}


@pytest.mark.parametrize("name", [BOB.id, BOB.upn.upper()])
async def test_one_user_by_either_name(name: str) -> None:
    assert (await asked(f"{GRAPH}/users/{name}")).data["displayName"] == "bob"
    filtered = (await asked(f"{GRAPH}/users?$filter=userPrincipalName%20eq%20'{BOB.upn}'")).data["value"]
    assert [user["id"] for user in filtered] == [BOB.id]


async def test_who_is_not_there_and_what_may_not_be_read() -> None:
    missing = await asked(f"{GRAPH}/users/nobody")
    refused = await asked(f"{GRAPH}/users", replace(TENANT, graph_refuses=("users",)))
    assert (missing.status, missing.data["error"]["code"]) == (404, "Request_ResourceNotFound")
    assert (refused.status, refused.data["error"]["code"]) == (403, "Authorization_RequestDenied")


async def test_groups() -> None:
    listed = (await asked(f"{GRAPH}/groups?$select=id,displayName,securityEnabled")).data["value"]
    one = (await asked(f"{GRAPH}/groups/{OUTER.id}")).data
    assert [(group["id"], group["securityEnabled"]) for group in listed] == [(OUTER.id, True), (INNER.id, True)]
    assert one["displayName"] == "Outer"


async def test_the_roles_that_are_assigned_are_activated() -> None:
    [role] = (await asked(f"{GRAPH}/directoryRoles")).data["value"]
    members = (await asked(f"{GRAPH}/directoryRoles/{role['id']}/members")).data["value"]
    assert (role["roleTemplateId"], role["displayName"]) == (GLOBAL_ADMINISTRATOR, "Global Administrator")
    assert role["id"] != GLOBAL_ADMINISTRATOR
    assert [member["id"] for member in members] == [DAVE.id]
    assert (await asked(f"{GRAPH}/directoryRoles/{GLOBAL_ADMINISTRATOR}/members")).status == 404


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("identity/conditionalAccess/policies", ["MFA"]),
        ("identity/conditionalAccess/namedLocations", []),
        ("groupSettings", []),
    ],
)
async def test_settings(path: str, names: list[str]) -> None:
    reply = await asked(f"{GRAPH}/{path}")
    assert [one["displayName"] for one in reply.data["value"]] == names


SIGN_INS, AUDITS = "auditLogs/signIns", "auditLogs/directoryAudits"
SINCE = "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    ("url", "collection", "days"),
    [
        (f"{GRAPH}/{SIGN_INS}", "interactiveUser", [-30, 0]),
        (f"{BETA}/{SIGN_INS}?$top=5", "interactiveUser", [-30, 0]),
        (f"{BETA}/{SIGN_INS}?$filter=signInEventTypes/any(t:t%20eq%20'servicePrincipal')", "servicePrincipal", [-30, 0]),
        (f"{GRAPH}/{AUDITS}", "directoryAudits", [-30, 0]),
        (f"{GRAPH}/{AUDITS}?$filter=activityDateTime%20ge%20{{since}}", "directoryAudits", [-2, 0]),
        (f"{GRAPH}/{AUDITS}?$filter=activityDateTime%20le%20{{since}}", "directoryAudits", [-30, -2]),
    ],
)
async def test_logs_with_and_without_a_filter(url: str, collection: str, days: list[int]) -> None:
    since = datetime.fromtimestamp(AS_OF - 2 * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    [event] = (await asked(url.format(since=since))).data["value"]
    assert (event["id"], event["days"]) == (collection, days)


@pytest.mark.parametrize(
    "url",
    [
        f"{GRAPH}/{SIGN_INS}?$filter=signInEventTypes/any(t:t%20eq%20'servicePrincipal')",
        f"{GRAPH}/{AUDITS}?$filter=createdDateTime%20ge%20{SINCE}",
        f"{GRAPH}/{AUDITS}?$filter=activityDateTime%20ge%20yesterday",
    ],
)
async def test_a_filter_that_a_log_does_not_take(url: str) -> None:
    reply = await asked(url)
    assert (reply.status, reply.data["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize("scope", [HOME, f"{HOME}/resourceGroups/rg-main"])
async def test_alert_rules_on_the_activity_log(scope: str) -> None:
    reply = await asked(f"{ARM}{scope}/providers/Microsoft.Insights/activityLogAlerts?api-version=2020-10-01")
    [rule] = reply.data["value"]
    assert (rule["name"], rule["properties"]["enabled"]) == ("deleted", True)
    fields = {one["field"]: one["equals"] for one in rule["properties"]["condition"]["allOf"]}
    assert fields["operationName"] == "Microsoft.KeyVault/vaults/delete"
    elsewhere = f"{ARM}{HOME}/resourceGroups/other/providers/Microsoft.Insights/activityLogAlerts?api-version=2020-10-01"
    assert (await asked(elsewhere)).data["value"] == []
