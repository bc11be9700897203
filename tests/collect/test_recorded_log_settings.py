"""Diagnostic settings of subscriptions, as Azure Resource Manager really answers them."""

import json
from typing import Any

import pytest

from keyaudit.simulator.faults import Fault
from tests.collect.estate import SUBSCRIPTION
from tests.collect.logged_estate import LOGGED
from tests.collect.rig import Collected, collect

READS = ("audit logs", "HSM audit logs", "log workspaces", "activity logs")

HOME = f"/subscriptions/{SUBSCRIPTION}"
CATEGORIES = ["Administrative", "Alert", "Autoscale", "Policy", "Recommendation", "ResourceHealth", "Security", "ServiceHealth"]
LOGS = [{"category": name, "enabled": True} for name in reversed(CATEGORIES)]

# The members of azure-cli's recordings of `monitor diagnostic-settings subscription list` and of its update with a workspace:
# a destination that is not set is left out. Ids shortened.
# https://github.com/Azure/azure-cli/blob/07a90e9d46b0154204297178844452bd30db3806/src/azure-cli/azure/cli/command_modules/monitor/
# tests/latest/recordings/test_monitor_diagnostic_settings_subscription.yaml
STORAGE = "/subscriptions/SUB/resourceGroups/clitest.rg000001/providers/Microsoft.Storage/storageAccounts/clitest000002"
WORKSPACE = "/subscriptions/SUB/resourcegroups/clitest.rg000001/providers/microsoft.operationalinsights/workspaces/cliws000004"
RECORDED = {
    "id": "subscriptions/SUB/providers/microsoft.insights/diagnosticSettings/clitest000003",
    "type": None,
    "name": "clitest000003",
    "location": "global",
    "properties": {"storageAccountId": STORAGE, "logs": LOGS},
}
RECORDED_WITH_WORKSPACE = RECORDED | {"properties": {"storageAccountId": STORAGE, "workspaceId": WORKSPACE, "logs": LOGS}}

# The example of 2021-05-01-preview.
# https://github.com/Azure/azure-rest-api-specs/blob/e64eccb4fe9210328f54c7fd6d408a6d8c649020/specification/monitor/
# resource-manager/Microsoft.Insights/Insights/preview/2021-05-01-preview/examples/listSubscriptionDiagnosticSettings.json
DOCUMENTED: dict[str, Any] = {
    "id": "subscriptions/SUB/providers/AzureResourceManager/diagnosticSettings/ds4",
    "type": None,
    "name": "ds4",
    "properties": {
        "storageAccountId": "/subscriptions/SUB/resourceGroups/apptest/providers/Microsoft.Storage/storageAccounts/storage1",
        "workspaceId": "/subscriptions/SUB/resourceGroups/apptest/providers/Microsoft.OperationalInsights/workspaces/test1",
        "eventHubAuthorizationRuleId": "/subscriptions/SUB/resourceGroups/apptest/providers/microsoft.eventhub/namespaces/mine"
        "/authorizationrules/myrule",
        "marketplacePartnerId": "/subscriptions/SUB/resourceGroups/test-rg/providers/Microsoft.Datadog/monitors/dd1",
        "logs": [{"categoryGroup": "allLogs", "enabled": True}],
    },
}


async def answered(*settings: dict[str, Any]) -> Collected:
    """What is collected if a subscription answers with these settings, in its own name."""
    body = json.loads(json.dumps({"value": settings}).replace("SUB/", f"{SUBSCRIPTION}/"))
    return await collect(Fault("activity_log.list", "every", where=SUBSCRIPTION, edit=lambda _body: body), estate=LOGGED)


def sinks(found: Collected) -> dict[str, dict[str, Any]]:
    """The destinations of the activity log, by the end of their ids."""
    prefix = f"{HOME}/diagnosticsettings/"
    return {id_.removeprefix(prefix): row for id_, row in found.rows["log_sink"].items() if id_.startswith(prefix)}


async def test_a_destination_that_a_subscription_leaves_out_is_not_set() -> None:
    found = await answered(RECORDED)
    assert (HOME, "activity_log.list") not in found.gaps()
    [(end, row)] = sinks(found).items()
    assert end == "clitest000003/storage"
    assert (row["categories"], row["audits"], row.get("unknown")) == (CATEGORIES, True, None)


async def test_every_destination_that_a_subscription_names_is_a_row() -> None:
    found = await answered(RECORDED_WITH_WORKSPACE)
    assert set(sinks(found)) == {"clitest000003/storage", "clitest000003/workspace"}
    assert sinks(found)["clitest000003/workspace"]["tables"] == ["AzureActivity"]
    documented = await answered(DOCUMENTED)
    assert (HOME, "activity_log.list") not in documented.gaps()
    assert set(sinks(documented)) == {f"ds4/{kind}" for kind in ("event-hub", "partner", "storage", "workspace")}
    assert {row["audits"] for row in sinks(documented).values()} == {True}


@pytest.mark.parametrize("properties", [{"logs": LOGS}, {"logs": LOGS, "eventHubName": "logs"}])
async def test_a_setting_that_names_no_destination_at_all_is_not_understood(properties: dict[str, Any]) -> None:
    # A setting has at least one destination. https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings
    found = await answered(RECORDED | {"properties": properties}, DOCUMENTED)
    assert found.gaps()[HOME, "activity_log.list"] == "partial bad_body"
    assert len(sinks(found)) == 4


async def test_a_vault_that_leaves_a_destination_out_is_not_understood() -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        del body["value"][0]["properties"]["eventHubAuthorizationRuleId"]
        return body

    found = await collect(Fault("diagnostic_setting.list", "every", where="kv-First", edit=change), estate=LOGGED)
    assert {reason for (_, operation), reason in found.gaps().items() if operation == "diagnostic_setting.list"} == {
        "partial bad_body"
    }
