"""Documents of guardrails are what the services' published models know; definitions get the parameters that they declare."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.mgmt.monitor import models as monitor
from azure.mgmt.resource.policy import models as policy
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from msgraph.generated.models.app_management_restriction_state import AppManagementRestrictionState
from msgraph.generated.models.tenant_app_management_policy import TenantAppManagementPolicy

from keyaudit.model.frameworks import FRAMEWORKS
from keyaudit.model.guardrails import ALERTS, APP_MANAGEMENT_POLICY, GUARDRAILS
from keyaudit.policy.load import load
from keyaudit.questions.guardrails.built_ins import BUILT_INS
from keyaudit.questions.guardrails.rules import RULES
from tests.cli.conftest import Keyaudit
from tests.simulator.writes.policy_definitions import DEFINITIONS

URIS = "uriAdditionWithoutUniqueTenantIdentifier"
PYTHON = {"String": str, "Integer": int, "Array": list}


def test_every_definition_that_a_policy_maps_to_is_known() -> None:
    mapped = {id_ for each in load() for id_ in each.text.frameworks.get("azure-policy", ())}
    assert mapped == BUILT_INS.keys()
    assert mapped >= FRAMEWORKS["azure-policy"].controls.keys()
    assert mapped == DEFINITIONS.keys()


@pytest.mark.parametrize("profile", ["default", "strict"])
def test_definitions_get_the_parameters_that_they_declare(keyaudit: Keyaudit, profile: str) -> None:
    properties = keyaudit("guardrails", "--as", "azure-policy", "--profile", profile).json["properties"]
    for each in properties["policyDefinitions"]:
        declared = DEFINITIONS[each["policyDefinitionId"].rpartition("/")[2]]
        given = {name: value["value"] for name, value in each["parameters"].items()}
        assert {name for name, one in declared.items() if one.required} <= given.keys() <= declared.keys()
        for name, value in given.items():
            if name == "effect":
                parameter = properties["parameters"][value.removeprefix("[parameters('").removesuffix("')]")]
                assert tuple(parameter["allowedValues"]) == declared[name].allowed, each
                assert parameter["defaultValue"] in ("Audit", "AuditIfNotExists")
                continue
            assert type(value) is PYTHON[declared[name].type], each
            values = value if isinstance(value, list) else [value]
            assert not declared[name].allowed or set(values) <= set(declared[name].allowed), each


def test_each_reference_has_a_name_of_its_own_and_a_group_that_is_there(keyaudit: Keyaudit) -> None:
    properties = keyaudit("guardrails", "--as", "azure-policy").json["properties"]
    names = [each["policyDefinitionReferenceId"] for each in properties["policyDefinitions"]]
    groups = [each["name"] for each in properties["policyDefinitionGroups"]]
    assert len(set(names)) == len(names)
    assert len(set(groups)) == len(groups)
    assert all(len(each["displayName"]) <= 128 for each in properties["policyDefinitionGroups"])


def unknown_members(model: Any, where: str = "") -> Iterator[str]:
    """Members that Azure's published model of a resource does not have."""
    if hasattr(model, "_attr_to_rest_field"):
        known = {field._rest_name for field in model._attr_to_rest_field.values()}
        yield from (f"{where}.{name}" for name in model if name not in known)
        for attribute, field in model._attr_to_rest_field.items():
            yield from unknown_members(getattr(model, attribute), f"{where}.{field._rest_name}")
    elif isinstance(model, list | dict):
        for key, each in model.items() if isinstance(model, dict) else enumerate(model):
            yield from unknown_members(each, f"{where}.{key}")


def test_the_initiative_is_what_azure_policy_takes(keyaudit: Keyaudit) -> None:
    document = keyaudit("guardrails", "--as", "azure-policy").json
    found: Any = policy.PolicySetDefinition(document)
    assert list(unknown_members(found)) == []
    assert found.properties.policy_type == policy.PolicyType.CUSTOM
    assert {each.type for each in found.properties.parameters.values()} == {policy.ParameterType.STRING}
    assert len(found.properties.policy_definitions) > 20
    document["properties"]["policyDefinitions"][0]["parameter"] = {}
    assert list(unknown_members(policy.PolicySetDefinition(document))) == [".properties.policyDefinitions.0.parameter"]


def test_alert_rules_are_what_azure_monitor_takes(keyaudit: Keyaudit) -> None:
    document = keyaudit("guardrails", "--as", "alerts").json
    assert {name[1:-1].partition("'")[2].partition("'")[0] for name in scopes(document)} <= document["parameters"].keys()
    assert [each["name"] for each in document["resources"]] == [f"keyaudit-{name}" for name in RULES]
    for each in document["resources"]:
        type_, name, version = each.pop("type"), each.pop("name"), each.pop("apiVersion")
        assert (type_, version) == ("Microsoft.Insights/scheduledQueryRules", "2023-12-01")
        # What the model does not know, or holds to be of another type, does not come back.
        assert monitor.ScheduledQueryRuleResource.deserialize(each).serialize() == each, name
        [criterion] = each["properties"]["criteria"]["allOf"]
        assert each["kind"] in set(monitor.Kind)
        assert criterion["operator"] in set(monitor.ConditionOperator)
        assert criterion["timeAggregation"] in set(monitor.TimeAggregation)
        assert each["properties"]["severity"] in range(5)
        assert "{limit}" not in criterion["query"]


def scopes(document: Any) -> set[str]:
    """Every parameter that the rules name."""
    found = [each["properties"]["scopes"] + each["properties"]["actions"]["actionGroups"] for each in document["resources"]]
    return {name for names in found for name in names}


def test_the_app_management_policy_is_what_graph_takes(keyaudit: Keyaudit) -> None:
    ran = keyaudit("guardrails", "--as", "app-management-policy", "--profile", "scuba")
    root = JsonParseNodeFactory().get_root_parse_node("application/json", ran.out.encode())
    found: Any = root.get_object_value(TenantAppManagementPolicy)
    assert found.is_enabled
    for part in (found.application_restrictions, found.service_principal_restrictions):
        restrictions = [*part.password_credentials, *part.key_credentials]
        known = [name for name, each in GUARDRAILS[APP_MANAGEMENT_POLICY].items() if not each.beta]
        assert [*(each.restriction_type.value for each in restrictions), URIS] == known
        for each in (part, *restrictions):
            assert each.additional_data == {}
        assert {each.state for each in restrictions} == {AppManagementRestrictionState.Enabled}
        assert [each.max_lifetime.days for each in restrictions if each.max_lifetime] == [181, 366]


def test_every_rule_is_a_guardrail_that_some_policy_names() -> None:
    assert RULES.keys() == GUARDRAILS[ALERTS].keys()
    for kind, known in GUARDRAILS.items():
        named = {name for each in load() for name in each.text.guardrails.get(kind, {})}
        assert named == known.keys()
    assert {name for name, each in GUARDRAILS[ALERTS].items() if each.takes} == {
        name for name, rule in RULES.items() if "{limit}" in rule.query
    }
