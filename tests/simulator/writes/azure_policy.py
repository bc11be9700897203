"""Changes of Azure Policy: initiatives of built-in definitions, and their assignments to a subscription.

Where an issue shows the words of a refusal, its address stands beside it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from keyaudit.simulator.estate import Stored
from keyaudit.simulator.resource_manager.stored_objects import ASSIGNMENTS, SETS, named
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May, WriteError, body_of, part_of
from tests.simulator.writes.allowed import allowed, keep
from tests.simulator.writes.policy_definitions import DEFINITIONS, Declared

_DEFINITION = re.compile(r"/providers/microsoft\.authorization/policydefinitions/([^/]+)", re.IGNORECASE)
_PARAMETER = re.compile(r"\[parameters\('([^']+)'\)\]")


def writes(directory: Directory, may: May) -> Sequence[Route]:
    """An initiative of a subscription, and the assignment of one to a subscription or a resource group."""
    of = "Microsoft.Authorization"
    initiative = allowed(directory, may, f"{of}/policySetDefinitions/write", _initiative)
    assignment = allowed(directory, may, f"{of}/policyAssignments/write", _assignment)
    return (
        Route("policy_set.put", SETS, initiative, "PUT"),
        *(Route("policy_assignment.put", path, assignment, "PUT") for path in ASSIGNMENTS[:2]),
    )


def _initiative(directory: Directory, request: Request, stars: list[str]) -> Answer:
    _require_subscription(directory, stars[0])
    name, asked = stars[1], part_of(body_of(request), "properties")
    definitions = asked.get("policyDefinitions")
    if not isinstance(definitions, list) or not definitions:
        raise _invalid(name, "At least one policy definition must be referenced.")
    declared = part_of(asked, "parameters")
    for parameter, each in declared.items():
        if unknown := each.keys() - {"type", "metadata", "allowedValues", "defaultValue", "schema"}:
            # https://github.com/Azure/azure-powershell/issues/9012
            what = f"Could not find member '{min(unknown)}' on object of type 'PolicyParameterDefinition'. "
            place = f"Path 'properties.parameters.{parameter}.{min(unknown)}'."
            raise WriteError(400, "InvalidRequestContent", f"The request content was invalid: '{what}{place}'")
    for each in definitions:
        _require_values(name, each, declared)
    id_ = f"/subscriptions/{stars[0]}/providers/Microsoft.Authorization/policySetDefinitions/{name}"
    return keep(directory, Stored(id=id_, type="Microsoft.Authorization/policySetDefinitions", properties=asked))


def _require_values(initiative: str, reference: Mapping[str, Any], declared: Mapping[str, Any]) -> None:
    """Raises WriteError unless the definition is there, and is given its parameters alone, with values that it allows."""
    id_ = _DEFINITION.fullmatch(str(reference.get("policyDefinitionId")))
    if id_ is None:
        # https://github.com/hashicorp/terraform-provider-azurerm/pull/19929
        what = "Referenced policy definitions must be of type 'Microsoft.Authorization/policyDefinitions'."
        raise _invalid(initiative, what)
    parameters = DEFINITIONS.get(id_[1].lower())
    if parameters is None:
        # https://github.com/Azure/Azure-Landing-Zones/issues/3865
        raise WriteError(404, "PolicyDefinitionNotFound", f"The policy definition '{id_[1]}' could not be found.")
    given = part_of(dict(reference), "parameters")
    if unknown := sorted(given.keys() - parameters.keys()):
        # https://github.com/gettek/terraform-azurerm-policy-as-code/issues/47
        what = f"is attempting to assign the parameter(s) '{','.join(unknown)}' which are not defined in the policy definition"
        message = f"The policy set definition '{initiative}' {what} '{id_[1]}'."
        raise WriteError(400, "UndefinedPolicyParameter", message)
    if missing := sorted(name for name, one in parameters.items() if one.required and name not in given):
        what = f"is missing the parameter(s) '{','.join(missing)}' as defined in the policy definition '{id_[1]}'."
        raise WriteError(400, "MissingPolicyParameter", f"The policy set definition '{initiative}' {what}")
    for name, value in given.items():
        for each in _values(part_of({name: value}, name).get("value"), declared):
            _require_allowed(id_[1], name, parameters[name], each)


def _values(value: object, declared: Mapping[str, Any]) -> Iterator[object]:
    """The value, or the values that a parameter of the initiative may have."""
    named_ = _PARAMETER.fullmatch(value) if isinstance(value, str) else None
    if named_ is None:
        yield value
    elif named_[1] not in declared:
        message = f"The policy set parameter '{named_[1]}' is used and not defined."
        raise WriteError(400, "UndefinedPolicyParameter", message)
    else:
        one = declared[named_[1]]
        yield from one.get("allowedValues") or ([one["defaultValue"]] if "defaultValue" in one else [])


def _require_allowed(definition: str, name: str, declared: Declared, value: object) -> None:
    """https://github.com/salesforce/cloud-guardrails/issues/53"""
    if not isinstance(value, {"String": str, "Integer": int, "Array": list}[declared.type]):
        message = f"The value of policy parameter '{name}' in policy definition '{definition}' is not of type {declared.type}."
        raise WriteError(400, "InvalidPolicyParameters", message)
    for each in value if isinstance(value, list) else [value]:
        if declared.allowed and each not in declared.allowed:
            message = (
                f"The value '{each}' is not allowed for policy parameter '{name}' in policy definition '{definition}'. "
                f"The allowed values are '{', '.join(map(str, declared.allowed))}'."
            )
            raise WriteError(400, "PolicyParameterValueNotAllowed", message)


def _assignment(directory: Directory, request: Request, stars: list[str]) -> Answer:
    """One of an initiative that the tenant has."""
    _require_subscription(directory, stars[0])
    asked = part_of(body_of(request), "properties")
    wanted = str(asked.get("policyDefinitionId") or "")
    initiative = named(directory, wanted)
    if initiative is None:
        name = wanted.rpartition("/")[2]
        raise WriteError(404, "PolicySetDefinitionNotFound", f"The policy set definition '{name}' could not be found.")
    parameters = part_of(dict(initiative.properties), "parameters")
    if unknown := sorted(part_of(asked, "parameters").keys() - parameters.keys()):
        what = f"is attempting to assign the parameter(s) '{','.join(unknown)}' which are not defined in the policy definition"
        raise WriteError(400, "UndefinedPolicyParameter", f"The policy assignment '{stars[-1]}' {what} '{wanted}'.")
    scope = f"/{'/'.join(request.segments[:-4])}"
    id_ = f"{scope}/providers/Microsoft.Authorization/policyAssignments/{stars[-1]}"
    properties = {"enforcementMode": "Default", **asked, "scope": scope}
    return keep(directory, Stored(id=id_, type="Microsoft.Authorization/policyAssignments", properties=properties))


def _require_subscription(directory: Directory, id_: str) -> None:
    if id_.lower() not in directory.subscriptions:
        raise WriteError(404, "SubscriptionNotFound", f"The subscription '{id_}' could not be found.")


def _invalid(initiative: str, what: str) -> WriteError:
    message = f"The policy set definition '{initiative}' request is invalid. {what}"
    return WriteError(400, "InvalidCreatePolicySetDefinitionRequest", message)
