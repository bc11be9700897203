"""The stand-in for Terraform prints what Terraform prints: compared with plans that others published."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.plan.configuration import Call, Configuration, Module, Provider, resource
from tests.plan.document import FORMAT_VERSION, plan_document
from tests.plan.examples import EXAMPLES
from tests.plan.plans.staged import every_plan
from tests.plan.schemas import types
from tests.plan.shape import shape
from tests.plan.terms import ref, references

RECORDED = Path(__file__).parent.parent / "recorded" / "plans"
OTHER_FORMAT = "terraform-0.13-storage.json"


def _recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / name).read_text(encoding="utf-8"))
    return found


def test_every_plan_has_the_members_that_terraform_prints() -> None:
    printed: set[str] = set()
    for path in RECORDED.glob("*.json"):
        if path.name != OTHER_FORMAT:
            printed |= shape(_recorded(path.name))
    all_plans = every_plan()
    made = shape(all_plans.every).union(*(shape(each.document) for each in all_plans.plans))
    assert made - printed == set()
    # These are in each plan of this version.
    newest = _recorded("terraform-role-assignment.json")
    assert newest["format_version"] == FORMAT_VERSION
    assert set(newest) - set(all_plans.every) == {"resource_drift", "relevant_attributes"}


def test_a_role_assignment_is_planned_as_terraform_planned_it() -> None:
    published = _recorded("terraform-role-assignment.json")
    (change,) = [each for each in published["resource_changes"] if each["change"]["actions"] == ["create"]]
    principal, scope = (change["change"]["after"][name] for name in ("principal_id", "scope"))
    firewall = resource("azurerm_resource_group.demo", name="rg-firewall-demo", location="germanywestcentral")
    assignment = resource(
        "azurerm_role_assignment.firewall_contributor_current",
        scope=scope,
        role_definition_name="Contributor",
        principal_id=ref("data.azurerm_client_config.current.object_id"),
    )
    config = resource("data.azurerm_client_config.current")
    made = plan_document(
        Configuration(
            root=Module(resources=[firewall, assignment, config]),
            providers=[Provider(name="azurerm", arguments={"features": [{}]})],
        ),
        read={"data.azurerm_client_config.current": {"object_id": principal}},
    )
    mine = next(each for each in made["resource_changes"] if each["type"] == "azurerm_role_assignment")
    assert mine == {**change, "change": {**mine["change"]}}
    assert _names(mine["change"]) == _names(change["change"])
    assert mine["change"]["after"] == change["change"]["after"]
    assert mine["change"]["before_sensitive"] is change["change"]["before_sensitive"]
    # A data source that was read is in the state of before, with the values that it gave.
    (data,) = made["prior_state"]["values"]["root_module"]["resources"]
    (theirs,) = [each for each in published["prior_state"]["values"]["root_module"]["resources"] if each["mode"] == "data"]
    assert {name: data[name] for name in theirs if name not in ("values", "sensitive_values")} == {
        name: theirs[name] for name in theirs if name not in ("values", "sensitive_values")
    }
    expected = next(
        each for each in published["configuration"]["root_module"]["resources"] if each["type"] == "azurerm_role_assignment"
    )
    shown = next(
        each for each in made["configuration"]["root_module"]["resources"] if each["type"] == "azurerm_role_assignment"
    )
    assert shown["expressions"]["principal_id"] == expected["expressions"]["principal_id"]


def _names(change: Mapping[str, Any]) -> dict[str, set[str]]:
    return {name: set(change[name]) for name in ("after", "after_unknown", "after_sensitive")}


PUBLISHED: Mapping[str, tuple[dict[str, Any], set[str], set[str]]] = {
    # indeni/cloudrail-knowledge at cf0044bb, tests/knowledge/context/azure/scenarios/cross_version/
    # storage_account_customer_managed_key/basic/cached_plan.json: Terraform 0.14.6, azurerm 2. Arguments, what is unknown, and
    # what is null; names that azurerm 5 has no more are left out.
    "azurerm_key_vault_key": (
        {"name": "a", "key_vault_id": "b", "key_type": "RSA", "key_size": 2048, "key_opts": ["sign"]},
        {"curve", "e", "id", "n", "public_key_openssh", "public_key_pem", "version", "versionless_id", "x", "y"},
        {"expiration_date", "not_before_date", "tags", "timeouts"},
    ),
    "azurerm_key_vault": (
        {
            "name": "a",
            "location": "westeurope",
            "resource_group_name": "b",
            "tenant_id": "c",
            "sku_name": "standard",
            "rbac_authorization_enabled": False,
            "purge_protection_enabled": True,
            "soft_delete_retention_days": 7,
            "access_policy": [{"tenant_id": "c", "object_id": "d", "key_permissions": ["Get"]}],
        },
        {"id", "network_acls", "vault_uri"},
        {"enabled_for_deployment", "enabled_for_disk_encryption", "enabled_for_template_deployment", "tags", "timeouts"},
    ),
    # The same repository, tests/knowledge/rules/azure/non_context_aware/ensure_managed_disks_encrypted_rule/
    # encrypted_with_disk_encryption_set_resource/cached_plan.json.
    "azurerm_disk_encryption_set": (
        {
            "name": "a",
            "location": "westeurope",
            "resource_group_name": "b",
            "key_vault_key_id": "c",
            "identity": [{"type": "SystemAssigned"}],
        },
        {"id", "identity"},
        {"tags", "timeouts"},
    ),
}


@pytest.mark.parametrize("type_", PUBLISHED)
def test_what_is_unknown_and_what_is_null_is_as_it_was_published(type_: str) -> None:
    arguments, unknown, null = PUBLISHED[type_]
    made = plan_document(Configuration(root=Module(resources=[resource(f"{type_}.a", **arguments)])))
    change = made["resource_changes"][0]["change"]
    shown = {name for name, value in change["after_unknown"].items() if value is True or _holds_true(value)}
    assert unknown <= shown
    assert {name for name, value in change["after"].items() if value is None} >= null
    assert not null & shown


def _holds_true(value: Any) -> bool:
    if isinstance(value, list | dict):
        return any(_holds_true(each) for each in (value if isinstance(value, list) else value.values()))
    return value is True


def test_a_reference_is_listed_with_everything_that_it_goes_through() -> None:
    """As the expressions of published plans list them."""
    published = _recorded("terraform-role-assignment.json")["configuration"]["root_module"]["resources"]
    listed = [
        each["references"]
        for one in published
        for each in one.get("expressions", {}).values()
        if isinstance(each, dict) and "references" in each
    ]
    assert listed
    for names in listed:
        assert references(names[0]) == names
    assert references('azurerm_key_vault_key.each["a"].id') == [
        'azurerm_key_vault_key.each["a"].id',
        'azurerm_key_vault_key.each["a"]',
        "azurerm_key_vault_key.each",
    ]
    assert references("module.keys.id") == ["module.keys.id", "module.keys"]
    assert references("each.value.name") == ["each.value.name", "each.value"]


def test_modules_within_modules_are_told_as_they_were_published() -> None:
    published = _recorded("opentofu-nested-modules.json")
    inner = Module(resources=[resource("azurerm_resource_group.test", name="a", location="b")])
    outer = Module(calls=[Call(name="more", source="./more", module=inner)])
    made = plan_document(Configuration(root=Module(calls=[Call(name="my_module", source="./modules", module=outer)])))
    theirs = published["planned_values"]["root_module"]["child_modules"][0]
    mine = made["planned_values"]["root_module"]["child_modules"][0]
    assert (set(mine), mine["address"]) == (set(theirs), theirs["address"])
    assert [each["address"] for each in mine["child_modules"]] == [each["address"] for each in theirs["child_modules"]]


def test_every_resource_is_in_a_plan() -> None:
    used = {each["type"] for each in every_plan().every["resource_changes"]}
    assert {each for each in types() if not each.startswith("data.")} == used


@pytest.mark.parametrize("type_", [each for each in types() if not each.startswith("data.")])
def test_the_documented_example_of_every_resource_can_be_planned(type_: str) -> None:
    example = EXAMPLES[type_]
    made = plan_document(Configuration(root=Module(resources=example.resources)))
    planned = [each for each in made["resource_changes"] if each["type"] == type_]
    assert planned
    assert all(each["change"]["actions"] == ["create"] for each in planned)
