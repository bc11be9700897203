"""An Azure Resource Manager template: the table, the data collection rule that fills it, and the workbook over it.

Shapes: https://learn.microsoft.com/azure/templates/microsoft.operationalinsights/workspaces/tables,
.../microsoft.insights/datacollectionrules and .../microsoft.insights/workbooks. A rule of the kind Direct has an endpoint of
its own.
"""

from collections.abc import Mapping

from keyaudit.report.members import inert
from keyaudit.send.log_analytics.rows import COLUMNS, STREAM, TABLE
from keyaudit.send.log_analytics.workbook import workbook

_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_WORKSPACE = "resourceId('Microsoft.OperationalInsights/workspaces', parameters('workspace'))"
_RULE = "resourceId('Microsoft.Insights/dataCollectionRules', parameters('rule'))"
_DESTINATION = "workspace"
# A table spells one type otherwise than a rule.
_TABLE_TYPES = {"datetime": "dateTime"}


def template() -> dict[str, object]:
    """The template. It is deployed to the resource group of the workspace."""
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            "workspace": _parameter("The name of the Log Analytics workspace, which is in this resource group."),
            "rule": _parameter("The name of the data collection rule to create.", "dcr-keyaudit"),
            "location": _parameter("The region of the workspace.", "[resourceGroup().location]"),
        },
        "resources": [_table(), _rule(), _workbook()],
        "outputs": {
            "endpoint": _output(f"reference({_RULE}, '2023-03-11').endpoints.logsIngestion"),
            "rule": _output(f"reference({_RULE}, '2023-03-11').immutableId"),
            "ruleResourceId": _output(_RULE),
            "stream": {"type": "string", "value": STREAM},
        },
    }


def _parameter(description: str, default: str | None = None) -> dict[str, object]:
    given = {} if default is None else {"defaultValue": default}
    return {"type": "string", **given, "metadata": {"description": description}}


def _output(expression: str) -> dict[str, object]:
    return {"type": "string", "value": f"[{expression}]"}


def _table() -> dict[str, object]:
    return {
        "type": "Microsoft.OperationalInsights/workspaces/tables",
        "apiVersion": "2022-10-01",
        "name": f"[format('{{0}}/{TABLE}', parameters('workspace'))]",
        "properties": {"schema": {"name": TABLE, "columns": _columns(_TABLE_TYPES)}},
    }


def _rule() -> dict[str, object]:
    return {
        "type": "Microsoft.Insights/dataCollectionRules",
        "apiVersion": "2023-03-11",
        "name": "[parameters('rule')]",
        "location": "[parameters('location')]",
        "kind": "Direct",
        "dependsOn": [f"[resourceId('Microsoft.OperationalInsights/workspaces/tables', parameters('workspace'), '{TABLE}')]"],
        "properties": {
            "description": "Receives findings and verdicts from keyaudit send",
            "streamDeclarations": {STREAM: {"columns": _columns({})}},
            "destinations": {"logAnalytics": [{"workspaceResourceId": f"[{_WORKSPACE}]", "name": _DESTINATION}]},
            "dataFlows": [
                {"streams": [STREAM], "destinations": [_DESTINATION], "transformKql": "source", "outputStream": STREAM}
            ],
        },
    }


def _workbook() -> dict[str, object]:
    return {
        "type": "Microsoft.Insights/workbooks",
        "apiVersion": "2022-04-01",
        "name": f"[guid({_WORKSPACE}, 'keyaudit')]",
        "location": "[parameters('location')]",
        "kind": "shared",
        "properties": {
            "displayName": "keyaudit",
            "serializedData": inert(workbook()),
            "version": "1.0",
            "category": "sentinel",
            "sourceId": f"[{_WORKSPACE}]",
        },
    }


def _columns(types: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": types.get(type_, type_)} for name, type_ in COLUMNS.items()]
