"""The scheduled query rules of Azure Monitor that policies name, as a template of Azure Resource Manager."""

from collections.abc import Mapping, Sequence

from keyaudit.model.guardrails import ALERTS, GUARDRAILS
from keyaudit.questions.guardrails.documents import Asked, Guarded, classes, least, standing, unsupplied
from keyaudit.questions.guardrails.rules import RULES, Rule

_GROUP = "--subscription SUBSCRIPTION --resource-group GROUP"
_PARAMETERS = "workspaceId=RESOURCE_ID actionGroupId=RESOURCE_ID"
_DEPLOY = (f"az deployment group create {_GROUP} --template-file {{file}} --parameters {_PARAMETERS}",)


def alerts(asked: Sequence[Asked]) -> Guarded:
    """The rules, which notify the action group in the template's parameter. A limit is the lowest of the policies."""
    limits = least(asked, ALERTS)
    covered = standing(asked, ALERTS, [name for name in RULES if GUARDRAILS[ALERTS][name].takes is None or name in limits])
    found = {name for names in covered.values() for name in names}
    return Guarded(
        kind=ALERTS,
        document={
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "parameters": {
                "workspaceId": _parameter("Resource id of the Log Analytics workspace that receives the logs."),
                "actionGroupId": _parameter("Resource id of the action group to notify."),
                "location": {
                    **_parameter("The region of the workspace."),
                    "defaultValue": "[resourceGroup().location]",
                },
            },
            "resources": [_resource(name, rule, limits.get(name)) for name, rule in RULES.items() if name in found],
        },
        deploy=_DEPLOY,
        covered=covered,
        partly={each.text.id: differs for each in asked if (differs := _differences(each, covered))},
        left={
            each.text.id: unsupplied(each.text) or "no alert rule reports it" for each in asked if each.text.id not in covered
        },
    )


def _differences(asked: Asked, covered: Mapping[str, Sequence[str]]) -> str:
    names = covered.get(asked.text.id, ())
    told = [RULES[name].differs for name in names if RULES[name].differs]
    return "; ".join(filter(None, [*dict.fromkeys(told), classes(asked) if names else ""]))


def _parameter(description: str) -> dict[str, object]:
    return {"type": "string", "metadata": {"description": description}}


def _resource(name: str, rule: Rule, limit: int | None) -> dict[str, object]:
    criterion = {
        "query": rule.query if limit is None else rule.query.replace("{limit}", str(limit)),
        "timeAggregation": "Count",
        "operator": "GreaterThan",
        "threshold": 0,
        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
    }
    return {
        "type": "Microsoft.Insights/scheduledQueryRules",
        "apiVersion": "2023-12-01",
        "name": f"keyaudit-{name}",
        "location": "[parameters('location')]",
        "kind": "LogAlert",
        "properties": {
            "displayName": f"keyaudit: {rule.title}",
            "severity": rule.severity,
            "enabled": True,
            "scopes": ["[parameters('workspaceId')]"],
            "evaluationFrequency": rule.every,
            "windowSize": rule.over,
            "criteria": {"allOf": [criterion]},
            "autoMitigate": False,
            # A table is created with its first row, which may be after the rule.
            "skipQueryValidation": True,
            "actions": {"actionGroups": ["[parameters('actionGroupId')]"]},
        },
    }
