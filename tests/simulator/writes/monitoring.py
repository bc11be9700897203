"""Changes of diagnostic settings, the retention of log tables, and plans of Defender, in Azure Resource Manager."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import LogTable, Subscription, Workspace
from keyaudit.simulator.resource_manager import logs as arm_logs
from keyaudit.simulator.resource_manager import other_services
from keyaudit.simulator.resource_manager.answers import answer, no_resource
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May, WriteError, body_of, part_of
from tests.simulator.writes.allowed import Write, allowed

_GROUP = "subscriptions/*/resourcegroups/*/providers"
_SETTING = "providers/microsoft.insights/diagnosticsettings/*"
_SINKS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "serviceBusRuleId")
_RETENTION = range(4, 731)
_TOTAL = range(4, 4384)
"""https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure."""
_TIERS = ("Free", "Standard")
Settings = tuple[dict[str, object], ...]


def writes(directory: Directory, may: May) -> Sequence[Route]:
    """The settings of vaults, HSMs and subscriptions, the tables of a workspace, and the plans of a subscription."""
    workspace = "microsoft.operationalinsights/workspaces/*"
    setting = "Microsoft.Insights/diagnosticSettings/write"
    places: tuple[tuple[str, str, str, Write], ...] = (
        ("diagnostic_setting.put", f"{_GROUP}/microsoft.keyvault/vaults/*/{_SETTING}", setting, _of_vault),
        ("diagnostic_setting.put", f"{_GROUP}/microsoft.keyvault/managedhsms/*/{_SETTING}", setting, _of_hsm),
        ("diagnostic_setting.put", f"{_GROUP}/{other_services.CLUSTERS}/*/{_SETTING}", setting, _of_cluster),
        ("activity_log.put", f"subscriptions/*/{_SETTING}", setting, _of_subscription),
        (
            "workspace.put_table",
            f"{_GROUP}/{workspace}/tables/*",
            "Microsoft.OperationalInsights/workspaces/tables/write",
            _table,
        ),
        ("defender.put", "subscriptions/*/providers/microsoft.security/pricings/*", "Microsoft.Security/pricings/write", _plan),
    )
    return tuple(Route(name, path, allowed(directory, may, right, write), "PUT") for name, path, right, write in places)


def _of_vault(directory: Directory, request: Request, stars: list[str]) -> Answer:
    found = directory.vaults.get(stars[2].lower())
    if found is None:
        return no_resource("Microsoft.KeyVault/vaults", *stars[1:3])
    made, every = _made(directory, found.diagnostic_settings, request)
    directory.change_vault(replace(found, diagnostic_settings=every))
    return answer(made)


def _of_hsm(directory: Directory, request: Request, stars: list[str]) -> Answer:
    found = directory.hsms.get(stars[2].lower())
    if found is None:
        return no_resource("Microsoft.KeyVault/managedHSMs", *stars[1:3])
    made, every = _made(directory, found.diagnostic_settings, request)
    hsms = tuple(replace(one, diagnostic_settings=every) if one is found else one for one in directory.estate.hsms)
    directory.change(replace(directory.estate, hsms=hsms))
    return answer(made)


def _of_cluster(directory: Directory, request: Request, stars: list[str]) -> Answer:
    found = other_services.cluster(directory, stars[:3])
    if found is None:
        return no_resource("Microsoft.HardwareSecurityModules/cloudHsmClusters", *stars[1:3])
    made, every = _made(directory, found.diagnostic_settings, request)
    others = tuple(replace(one, diagnostic_settings=every) if one is found else one for one in directory.estate.resources)
    directory.change(replace(directory.estate, resources=others))
    return answer(made)


def _of_subscription(directory: Directory, request: Request, stars: list[str]) -> Answer:
    found = directory.subscriptions[stars[0].lower()]
    made, every = _made(directory, found.activity_settings, request)
    _keep(directory, replace(found, activity_settings=every))
    return answer(made)


def _keep(directory: Directory, changed: Subscription) -> None:
    estate = directory.estate
    directory.change(
        replace(estate, subscriptions=tuple(changed if one.id == changed.id else one for one in estate.subscriptions))
    )


def _made(directory: Directory, before: Settings, request: Request) -> tuple[dict[str, object], Settings]:
    """The setting that a request makes, and all settings of the resource then."""
    name, asked = request.segments[-1], part_of(body_of(request), "properties")
    others = tuple(each for each in before if str(each["name"]).lower() != name.lower())
    workspace = str(asked.get("workspaceId") or "").lower()
    there = {arm_logs.workspace_id(each).lower() for each in directory.estate.logs.workspaces}
    if workspace and workspace not in there:
        raise WriteError(404, "ResourceNotFound", f"The Resource '{workspace}' was not found.")
    for each in others:
        _require_own_sinks(asked, each)
    made: dict[str, object] = {
        "id": "/".join(("", *request.segments)),
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": name,
        "location": None,
        "kind": None,
        "tags": None,
        "properties": {
            **dict.fromkeys(_SINKS),
            "metrics": [],
            **asked,
            "logs": [_log(each) for each in asked.get("logs") or ()],
        },
        "identity": None,
    }
    return made, (*others, made)


def _log(asked: Mapping[str, Any]) -> dict[str, object]:
    return {"category": None, "categoryGroup": None, "retentionPolicy": {"enabled": False, "days": 0}, **asked}


def _require_own_sinks(asked: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """https://github.com/Azure/terraform-azurerm-avm-ptn-aiml-landing-zone/issues/19"""
    of_other = other["properties"]
    for sink in _SINKS:
        if asked.get(sink) and str(asked[sink]).lower() == str(of_other.get(sink)).lower():
            for category in sorted(_categories(asked) & _categories(of_other)):
                message = (
                    f"Data sink '{asked[sink]}' is already used in diagnostic setting '{other['name']}' for category "
                    f"'{category}'. "
                    "Data sinks can't be reused in different settings on the same category for the same resource."
                )
                raise WriteError(409, "Conflict", message)


def _categories(properties: Mapping[str, Any]) -> set[str]:
    """The categories and groups that are on."""
    logs = [each for each in properties.get("logs") or () if each.get("enabled")]
    return {str(each.get("category") or each.get("categoryGroup")) for each in logs}


def _table(directory: Directory, request: Request, stars: list[str]) -> Answer:
    """Other retention; -1 is the workspace's."""
    wanted = [star.lower() for star in stars[:3]]
    logs = directory.estate.logs
    found = next(
        (one for one in logs.workspaces if [one.subscription.lower(), one.resource_group.lower(), one.name.lower()] == wanted),
        None,
    )
    if found is None:
        return no_resource("Microsoft.OperationalInsights/workspaces", *stars[1:3])
    asked, before = part_of(body_of(request), "properties"), arm_logs.named(found, stars[3])
    kept, total = (asked.get(name) or was for name, was in _days(before))
    if (kept != -1 and kept not in _RETENTION) or (total != -1 and total not in _TOTAL):
        raise WriteError(400, "InvalidParameter", "Retention must be between 4 and 730 days, and total retention at most 4383.")
    changed = _with_table(found, LogTable(name=before.name, plan=before.plan, retention_days=kept, total_days=total))
    workspaces = tuple(changed if one is found else one for one in logs.workspaces)
    directory.change(replace(directory.estate, logs=replace(logs, workspaces=workspaces)))
    return answer(arm_logs.table_resource(changed, arm_logs.named(changed, stars[3])))


def _days(table: LogTable) -> tuple[tuple[str, int], ...]:
    return ("retentionInDays", table.retention_days), ("totalRetentionInDays", table.total_days)


def _with_table(workspace: Workspace, table: LogTable) -> Workspace:
    others = (one for one in workspace.tables if one.name.lower() != table.name.lower())
    return replace(workspace, tables=(*others, table))


def _plan(directory: Directory, request: Request, stars: list[str]) -> Answer:
    tier = part_of(body_of(request), "properties").get("pricingTier")
    if tier not in _TIERS:
        raise WriteError(400, "InvalidInputJson", f"The pricing tier '{tier}' is not one of {', '.join(_TIERS)}.")
    found = directory.subscriptions[stars[0].lower()]
    _keep(directory, replace(found, defender=tier))
    return answer(arm_logs.plan(stars[0], stars[1], tier))
