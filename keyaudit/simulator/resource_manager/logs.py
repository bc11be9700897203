"""Destinations and retention of logs, as Azure Resource Manager shows them."""

import json
from collections.abc import Iterator, Sequence

from keyaudit.simulator.estate import AlertRule, LogTable, SentinelRule, Workspace
from keyaudit.simulator.resource_manager.answers import HEADERS, answer, denied, error, no_resource
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request

_HSM = "subscriptions/*/resourcegroups/*/providers/microsoft.keyvault/managedhsms/*"
_ALERTS = "providers/microsoft.insights/activitylogalerts"
_WORKSPACE = "subscriptions/*/resourcegroups/*/providers/microsoft.operationalinsights/workspaces/*"


def routes(directory: Directory) -> Sequence[Route]:
    """The routes."""
    served = _Logs(directory)
    return (
        Route("hsm.diagnostic_setting.list", f"{_HSM}/providers/microsoft.insights/diagnosticsettings", served.hsm),
        Route(
            "activity_log.list",
            "subscriptions/*/providers/microsoft.insights/diagnosticsettings",
            served.activity_log,
        ),
        Route("entra_log.list", "providers/microsoft.aadiam/diagnosticsettings", served.entra),
        Route("workspace.get", _WORKSPACE, served.workspace),
        Route("workspace.table", f"{_WORKSPACE}/tables/*", served.table),
        Route("sentinel_rule.list", f"{_WORKSPACE}/providers/microsoft.securityinsights/alertrules", served.sentinel),
        Route("alert_rule.list", f"subscriptions/*/{_ALERTS}", served.alerts),
        Route("alert_rule.list", f"subscriptions/*/resourcegroups/*/{_ALERTS}", served.alerts),
        Route("defender.plan", "subscriptions/*/providers/microsoft.security/pricings/*", served.plan),
    )


class _Logs:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def hsm(self, _request: Request, stars: list[str]) -> Answer:
        wanted = [star.lower() for star in stars]
        for hsm in self._directory.estate.hsms:
            if [hsm.subscription.lower(), hsm.resource_group.lower(), hsm.name.lower()] == wanted:
                return answer({"value": list(hsm.diagnostic_settings)})
        return no_resource("Microsoft.KeyVault/managedHSMs", *stars[1:])

    def activity_log(self, _request: Request, stars: list[str]) -> Answer:
        return answer({"value": list(self._directory.subscriptions[stars[0].lower()].activity_settings)})

    def entra(self, _request: Request, _stars: list[str]) -> Answer:
        """Rights on subscriptions do not apply here, so a 403 is the usual answer."""
        logs = self._directory.estate.logs
        if logs.entra_refused:
            return denied(self._directory, "microsoft.aadiam/diagnosticSettings/read", "/providers/microsoft.aadiam")
        return answer({"value": list(logs.entra_settings)})

    def alerts(self, _request: Request, stars: list[str]) -> Answer:
        """The alert rules on the activity log of a subscription, or of a resource group in it."""
        wanted = [star.lower() for star in stars]
        found = []
        for rule in self._directory.estate.logs.alert_rules:
            if rule.operation and [rule.subscription.lower(), rule.resource_group.lower()][: len(wanted)] == wanted:
                kind, properties = _on_activity(rule, rule.operation)
                name = {"id": _rule_id(rule, kind), "type": "Microsoft.Insights/ActivityLogAlerts", "name": rule.name}
                found.append({**name, "location": "global", "tags": {}, "properties": properties})
        return answer({"value": found})

    def workspace(self, _request: Request, stars: list[str]) -> Answer:
        found = self._found(stars)
        return found if isinstance(found, Answer) else answer(_workspace(self._directory, found))

    def table(self, _request: Request, stars: list[str]) -> Answer:
        found = self._found(stars)
        if isinstance(found, Answer):
            return found
        return answer(table_resource(found, named(found, stars[3])))

    def sentinel(self, _request: Request, stars: list[str]) -> Answer:
        """The analytics rules of a workspace. The error for one without Sentinel is text in the message of another."""
        found = self._found(stars)
        if isinstance(found, Answer):
            return found
        if found.sentinel is None:
            message = f"Workspace '{found.name}' is not onboarded to Microsoft Sentinel."
            inner = json.dumps({"error": {"code": "BadRequest", "message": message}})
            return error(400, "BadRequest", inner, HEADERS)
        return answer({"value": [_analytics(found, rule) for rule in found.sentinel]})

    def plan(self, _request: Request, stars: list[str]) -> Answer:
        subscription, name = stars
        tier = self._directory.subscriptions[subscription.lower()].defender
        if tier is None:
            message = "Please register to Microsoft.Security in order to view your security status"
            return error(404, "Subscription Not Registered", message, HEADERS)
        return answer(plan(subscription, name, tier))

    def _found(self, stars: list[str]) -> Workspace | Answer:
        wanted = [star.lower() for star in stars[:3]]
        for found in self._directory.estate.logs.workspaces:
            if [found.subscription.lower(), found.resource_group.lower(), found.name.lower()] == wanted:
                if found.refused:
                    return denied(self._directory, "Microsoft.OperationalInsights/workspaces/read", workspace_id(found))
                return found
        return no_resource("Microsoft.OperationalInsights/workspaces", *stars[1:3])


def plan(subscription: str, name: str, tier: str) -> dict[str, object]:
    """A plan of Microsoft Defender for Cloud."""
    return {
        "properties": {"pricingTier": tier, "freeTrialRemainingTime": "P30D" if tier == "Free" else "PT0S"},
        "id": f"/subscriptions/{subscription}/providers/Microsoft.Security/pricings/{name}",
        "name": name,
        "type": "Microsoft.Security/pricings",
    }


def workspace_id(workspace: Workspace) -> str:
    """A workspace's resource id, as Azure spells it."""
    group = f"/subscriptions/{workspace.subscription}/resourceGroups/{workspace.resource_group}"
    return f"{group}/providers/Microsoft.OperationalInsights/workspaces/{workspace.name}"


def customer_id(directory: Directory, workspace: Workspace) -> str:
    """The GUID of a workspace in Log Analytics."""
    return directory.guid("workspace", workspace_id(workspace))


def _workspace(directory: Directory, found: Workspace) -> dict[str, object]:
    return {
        "properties": {
            "provisioningState": "Succeeded",
            "customerId": customer_id(directory, found),
            "sku": {"name": "PerGB2018"},
            "retentionInDays": found.retention_days,
            "features": {"enableLogAccessUsingOnlyResourcePermissions": True},
            "workspaceCapping": {"dailyQuotaGb": -1.0, "dataIngestionStatus": "RespectQuota"},
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
        },
        "location": found.location,
        "id": workspace_id(found),
        "name": found.name,
        "type": "Microsoft.OperationalInsights/workspaces",
    }


def _analytics(workspace: Workspace, rule: SentinelRule) -> dict[str, object]:
    properties: dict[str, object] = {"displayName": rule.name, "enabled": rule.enabled, "alertRuleTemplateName": None}
    if rule.query is not None:
        properties |= {
            "query": rule.query,
            "queryFrequency": "PT1H",
            "queryPeriod": "PT1H",
            "severity": "High",
            "suppressionEnabled": False,
            "triggerOperator": "GreaterThan",
            "triggerThreshold": 0,
            "incidentConfiguration": {"createIncident": rule.incident},
        }
    return {
        "id": f"{workspace_id(workspace)}/providers/Microsoft.SecurityInsights/alertRules/{rule.id}",
        "name": rule.id,
        "type": "Microsoft.SecurityInsights/alertRules",
        "kind": rule.kind,
        "properties": properties,
    }


def named(workspace: Workspace, name: str) -> LogTable:
    """The settings of a table."""
    named = [table for table in workspace.tables if table.name.lower() == name.lower()]
    return named[0] if named else LogTable(name=name)


def retention_days(workspace: Workspace, table: str) -> int:
    """How long a table's rows can be queried."""
    days = named(workspace, table).retention_days
    return workspace.retention_days if days == -1 else days


def table_resource(workspace: Workspace, table: LogTable) -> dict[str, object]:
    """If the table uses the workspace's retention, the answer has that number, and a flag."""
    retention = retention_days(workspace, table.name)
    total = retention if table.total_days == -1 else table.total_days
    return {
        "properties": {
            "totalRetentionInDays": total,
            "archiveRetentionInDays": total - retention,
            "plan": table.plan,
            "retentionInDaysAsDefault": table.retention_days == -1,
            "totalRetentionInDaysAsDefault": table.total_days == -1,
            "schema": {"tableSubType": "Any", "name": table.name, "tableType": "Microsoft", "standardColumns": []},
            "provisioningState": "Succeeded",
            "retentionInDays": retention,
        },
        "id": f"{workspace_id(workspace)}/tables/{table.name}",
        "name": table.name,
    }


def rows(directory: Directory) -> Iterator[dict[str, object]]:
    """The alert rules as Resource Graph's resources table has them: type and resource group in lower case."""
    for rule in directory.estate.logs.alert_rules:
        kind, properties = _on_activity(rule, rule.operation) if rule.operation else _on_logs(rule)
        yield {
            "id": _rule_id(rule, kind),
            "name": rule.name,
            "type": f"microsoft.insights/{kind}".lower(),
            "tenantId": directory.tenant_id,
            "kind": "",
            "location": "global" if rule.operation else "westeurope",
            "resourceGroup": rule.resource_group.lower(),
            "subscriptionId": rule.subscription.lower(),
            "managedBy": "",
            "sku": None,
            "plan": None,
            "properties": properties,
            "tags": None,
            "identity": None,
            "zones": None,
            "extendedLocation": None,
        }


def _rule_id(rule: AlertRule, kind: str) -> str:
    group = f"/subscriptions/{rule.subscription}/resourceGroups/{rule.resource_group}"
    return f"{group}/providers/microsoft.insights/{kind}/{rule.name}"


def workspaces(directory: Directory) -> Iterator[dict[str, object]]:
    """The workspaces as Resource Graph's resources table has them."""
    for found in directory.estate.logs.workspaces:
        if not found.refused:
            yield {
                **_workspace(directory, found),
                "type": "microsoft.operationalinsights/workspaces",
                "tenantId": directory.tenant_id,
                "resourceGroup": found.resource_group.lower(),
                "subscriptionId": found.subscription.lower(),
            }


def _on_activity(rule: AlertRule, operation: str) -> tuple[str, dict[str, object]]:
    actions = [{"actionGroupId": rule.action_group, "webhookProperties": {}}] if rule.action_group else []
    fields = {"category": "Administrative", "operationName": operation}
    return "activityLogAlerts", {
        "scopes": [f"/subscriptions/{rule.subscription}"],
        "condition": {"allOf": [{"field": name, "equals": value} for name, value in fields.items()]},
        "actions": {"actionGroups": actions},
        "enabled": rule.enabled,
        "description": "",
    }


def _on_logs(rule: AlertRule) -> tuple[str, dict[str, object]]:
    criterion = {"query": rule.query, "timeAggregation": "Count", "operator": "GreaterThan", "threshold": 0.0}
    return "scheduledQueryRules", {
        "displayName": rule.name,
        "severity": 1,
        "enabled": rule.enabled,
        "evaluationFrequency": "PT5M",
        "scopes": [f"/subscriptions/{rule.subscription}"],
        "windowSize": "PT5M",
        "criteria": {"allOf": [criterion]},
        "autoMitigate": False,
        "actions": {"actionGroups": [rule.action_group] if rule.action_group else [], "customProperties": {}},
    }
