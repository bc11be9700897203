"""Deployments of a template of alert rules to a resource group, in Azure Resource Manager.

A template may use its parameters and the region of the group, and no other expression: another is refused, as is a type of
resource that is not deployed here.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace as with_

from keyaudit.simulator.estate import AlertRule, Stored
from keyaudit.simulator.resource_manager import logs as arm_logs
from keyaudit.simulator.resource_manager import other_services
from keyaudit.simulator.resource_manager.answers import answer
from keyaudit.simulator.resource_manager.stored_objects import DEPLOYMENTS
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May, WriteError, body_of, part_of
from tests.simulator.writes.allowed import allowed, keep

_RULES = "Microsoft.Insights/scheduledQueryRules"
_EXPRESSION = re.compile(r"\[(?!\[).*\]", re.DOTALL)
_PARAMETER = re.compile(r"\[parameters\('([^']+)'\)\]")


def writes(directory: Directory, may: May) -> Sequence[Route]:
    """The validation before a deployment, and the deployment."""
    right = "Microsoft.Resources/deployments"
    return (
        Route(
            "deployment.validate",
            f"{DEPLOYMENTS}/validate",
            allowed(directory, may, f"{right}/validate/action", partial(_valid, may)),
            "POST",
        ),
        Route("deployment.put", DEPLOYMENTS, allowed(directory, may, f"{right}/write", partial(_put, may)), "PUT"),
    )


def _valid(may: May, directory: Directory, request: Request, stars: list[str]) -> Answer:
    _rules(may, directory, request, stars)
    asked = _asked(request)
    properties = {"mode": asked.get("mode"), "provisioningState": "Succeeded", "parameters": asked.get("parameters") or {}}
    id_ = f"/{'/'.join(request.segments[:-1])}"
    return answer({"id": id_, "name": stars[2], "type": "Microsoft.Resources/deployments", "properties": properties})


def _put(may: May, directory: Directory, request: Request, stars: list[str]) -> Answer:
    made = _rules(may, directory, request, stars)
    logs, names = directory.estate.logs, {one.name.lower() for one in made}
    kept = tuple(
        one
        for one in logs.alert_rules
        if (one.subscription.lower(), one.resource_group.lower()) != (stars[0].lower(), stars[1].lower())
        or one.name.lower() not in names
    )
    directory.change(with_(directory.estate, logs=with_(logs, alert_rules=(*kept, *made))))
    asked = _asked(request)
    properties = {"mode": asked.get("mode"), "provisioningState": "Succeeded", "parameters": asked.get("parameters") or {}}
    return keep(
        directory,
        Stored(id=f"/{'/'.join(request.segments)}", type="Microsoft.Resources/deployments", properties=properties),
    )


def _asked(request: Request) -> dict[str, Any]:
    """The properties in a body. az leaves the name of the template without quotes, which Azure Resource Manager takes."""
    quoted = request.body.replace(b", template:{", b', "template":{', 1)
    return part_of(body_of(with_(request, body=quoted)), "properties")


def _rules(may: May, directory: Directory, request: Request, stars: list[str]) -> list[AlertRule]:
    """The alert rules that the template describes; raises WriteError if it is not valid."""
    subscription, group = stars[:2]
    region = _region(directory, subscription, group)
    asked = _asked(request)
    template, given = part_of(asked, "template"), part_of(asked, "parameters")
    declared = part_of(template, "parameters")
    if unknown := sorted(given.keys() - declared.keys()):
        # https://github.com/Azure/azure-devtestlab/issues/773
        raise _invalid(
            f"The template parameters '{', '.join(unknown)}' in the parameters file are not valid; they are not present in "
            "the original template and can therefore not be provided at deployment time. The only supported parameters for "
            f"this template are '{', '.join(declared)}'."
        )
    values: dict[str, Any] = {}
    for name, each in declared.items():
        if name not in given and "defaultValue" not in each:
            # https://github.com/Azure/SimuLand/issues/40
            raise _invalid(f"The value for the template parameter '{name}' is not provided.")
        values[name] = part_of(given, name).get("value") if name in given else _evaluated(each["defaultValue"], values, region)
    found = template.get("resources") or []
    return [_rule(may, directory, _evaluated(each, values, region), subscription, group) for each in found]


def _rule(may: May, directory: Directory, asked: Mapping[str, Any], subscription: str, group: str) -> AlertRule:
    if asked.get("type") != _RULES:
        namespace, _, kind = str(asked.get("type")).partition("/")
        version = asked.get("apiVersion")
        message = f"The resource type '{kind}' could not be found in the namespace '{namespace}' for api version '{version}'."
        raise WriteError(404, "InvalidResourceType", message)
    if not may(f"{_RULES}/write"):
        raise WriteError(403, "AuthorizationFailed", f"The client does not have authorization to perform '{_RULES}/write'.")
    properties = part_of(dict(asked), "properties")
    known = {arm_logs.workspace_id(one).lower() for one in directory.estate.logs.workspaces}
    for scope in properties.get("scopes") or ():
        if scope.lower() not in known:
            raise WriteError(404, "ResourceNotFound", f"The Resource '{scope}' was not found.")
    groups = part_of(properties, "actions").get("actionGroups") or [None]
    [criterion] = part_of(properties, "criteria")["allOf"]
    return AlertRule(
        name=str(asked["name"]),
        subscription=subscription,
        resource_group=group,
        query=str(criterion["query"]),
        enabled=properties.get("enabled") is not False,
        action_group=groups[0],
    )


def _evaluated(found: Any, values: Mapping[str, Any], region: str) -> Any:
    """A part of a template with the values of its expressions."""
    if isinstance(found, dict):
        return {name: _evaluated(each, values, region) for name, each in found.items()}
    if isinstance(found, list):
        return [_evaluated(each, values, region) for each in found]
    if not isinstance(found, str) or not _EXPRESSION.fullmatch(found):
        return found
    if found == "[resourceGroup().location]":
        return region
    named = _PARAMETER.fullmatch(found)
    if named is None or named[1] not in values:
        raise _invalid(f"Unable to process template language expressions: '{found}'.")
    return values[named[1]]


def _region(directory: Directory, subscription: str, group: str) -> str:
    """The region of a resource group."""
    wanted = f"/subscriptions/{subscription}/resourceGroups/{group}".lower()
    for row in other_services.group_rows(directory):
        if str(row["id"]).lower() == wanted:
            return str(row["location"])
    for one in directory.estate.logs.workspaces:
        if f"/subscriptions/{one.subscription}/resourceGroups/{one.resource_group}".lower() == wanted:
            return one.location
    raise WriteError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def _invalid(what: str) -> WriteError:
    return WriteError(400, "InvalidTemplate", f"Deployment template validation failed: '{what}'.")
