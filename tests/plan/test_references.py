"""What a plain reference of a configuration resolves to, and which expressions stay unknown."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from keyaudit.plan.document.references import References, Target
from keyaudit.plan.document.resources import Resources
from keyaudit.plan.document.terraform import decode
from tests.plan.small import Resource, key, plan, references, vault, written
from tests.plan.test_terraform import RECORDED


def target(found: dict[str, Any], address: str, attribute: str = "key_vault_id") -> tuple[str, str] | None:
    resources = Resources(decode(written(found), "plan.json"))
    planned = resources.at(address)
    assert planned
    there = resources.target(planned, attribute)
    return there and (there[0].address, there[1])


@pytest.mark.parametrize(
    ("address", "refers", "expected"),
    [
        ("azurerm_key_vault_key.k", "azurerm_key_vault.example.id", ("azurerm_key_vault.example", "id")),
        ("azurerm_key_vault_key.k", "azurerm_key_vault.example", ("azurerm_key_vault.example", "")),
        ("azurerm_key_vault_key.k", ["azurerm_key_vault.many[0].id", "azurerm_key_vault.many[0]", "azurerm_key_vault.many"],
            ("azurerm_key_vault.many[0]", "id")),
        ("azurerm_key_vault_key.k",
            ['azurerm_key_vault.each["a.b"].id', 'azurerm_key_vault.each["a.b"]', "azurerm_key_vault.each"],
            ('azurerm_key_vault.each["a.b"]', "id")),
        ('azurerm_key_vault_key.k["a.b"]', ["azurerm_key_vault.each", "each.key"], ('azurerm_key_vault.each["a.b"]', "")),
        ("azurerm_key_vault_key.k[0]", ["azurerm_key_vault.many", "count.index"], ("azurerm_key_vault.many[0]", "")),
        # Another instance than its own, which no reference tells.
        ("azurerm_key_vault_key.k[7]", ["azurerm_key_vault.many", "count.index"], None),
        # A choice whose other values are known, or cannot be: what is not known comes from the only thing left.
        ("azurerm_key_vault_key.k",
            ["var.create", *references("azurerm_key_vault.many[0].id"), "azurerm_key_vault.many", "var.existing"],
            ("azurerm_key_vault.many[0]", "id")),
        ("azurerm_key_vault_key.k",
            [*references("azurerm_key_vault.example.id"), *references("azurerm_key_vault.without_instances.id")],
            ("azurerm_key_vault.example", "id")),
        ("azurerm_key_vault_key.k",
            [*references("azurerm_key_vault.example.id"), *references("data.azurerm_key_vault.read.id")],
            ("azurerm_key_vault.example", "id")),
        ("azurerm_key_vault_key.k", [*references("azurerm_key_vault.example.id"), "local.existing"], None),
        ("azurerm_key_vault_key.k", [*references("azurerm_key_vault.example.id"), "module.other.id", "module.other"], None),
        # Several things, and one of them is meant.
        ("azurerm_key_vault_key.k",
            [*references("azurerm_key_vault.example.id"), *references("azurerm_key_vault.other.id")], None),
        ("azurerm_key_vault_key.k", ["local.vault_id"], None),
        ("azurerm_key_vault_key.k", ["each.value.vault_id", "each.value"], None),
        ("azurerm_key_vault_key.k", ["azurerm_key_vault.gone.id", "azurerm_key_vault.gone"], None),
        ("azurerm_key_vault_key.k", [], None),
    ],
)  # fmt: skip
def test_an_attribute_refers_to_an_instance(
    address: str, refers: str | Sequence[str], expected: tuple[str, str] | None
) -> None:
    vaults = (
        vault(),
        vault(address="azurerm_key_vault.other"),
        vault(address="azurerm_key_vault.many[0]"),
        vault(address="azurerm_key_vault.many[1]"),
        vault(address='azurerm_key_vault.each["a.b"]'),
        vault(address='azurerm_key_vault.each["c"]'),
    )
    assert target(plan(*vaults, Resource(address, {}, {"key_vault_id": refers})), address) == expected


def test_a_reference_goes_through_the_inputs_and_outputs_of_modules() -> None:
    inner = vault(address='module.vaults["eu"].azurerm_key_vault.this')
    outer = Resource("module.keys.azurerm_key_vault_key.k", {}, {"key_vault_id": "var.vault_id"})
    output = {"expression": {"references": references("azurerm_key_vault.this.id")}}
    calls = {
        "vaults": {"module": {"resources": [inner.configured], "outputs": {"id": output}}},
        "keys": {
            "expressions": {"vault_id": {"references": ['module.vaults["eu"].id', 'module.vaults["eu"]', "module.vaults"]}},
            "module": {"resources": [outer.configured]},
        },
    }
    found = plan(inner, outer, module_calls=calls)
    assert target(found, outer.address) == (inner.address, "id")


CHAIN = {"references": ["azurerm_key_vault.each"]}


@pytest.mark.parametrize(
    ("for_each", "keys", "expected"),
    [
        (CHAIN, ["a", "b"], 'azurerm_key_vault.each["a"]'),
        # Its own keys, by which it is not joined to the vaults.
        (CHAIN, ["a", "c"], None),
        ({"references": ["azurerm_key_vault.each", "var.more"]}, ["a", "b"], None),
        ({"references": ["local.vaults"]}, ["a", "b"], None),
        ({"references": ['azurerm_key_vault.each["a"].tags', 'azurerm_key_vault.each["a"]']}, ["a", "b"], None),
        ({"constant_value": ["a", "b"]}, ["a", "b"], None),
    ],
)
def test_a_resource_for_each_instance_of_another_refers_to_its_own(
    for_each: Any, keys: list[str], expected: str | None
) -> None:
    """https://developer.hashicorp.com/terraform/language/meta-arguments/for_each#chaining-for_each-between-resources"""
    vaults = [vault(address=f'azurerm_key_vault.each["{name}"]') for name in "ab"]
    of_value = {"key_vault_id": ["each.value.id", "each.value"]}
    keys_ = [Resource(f'azurerm_key_vault_key.k["{name}"]', {}, of_value) for name in keys]
    found = plan(*vaults, *keys_)
    for configured in found["configuration"]["root_module"]["resources"]:
        if configured["address"] == "azurerm_key_vault_key.k":
            configured["for_each_expression"] = for_each
    assert target(found, 'azurerm_key_vault_key.k["a"]') == (expected and (expected, "id"))


@pytest.mark.parametrize("chained", ["azurerm_key_vault.each", "module.vaults"])
def test_a_module_for_each_instance_of_another_refers_to_its_own(chained: str) -> None:
    direct = chained.startswith("azurerm")
    at = "azurerm_key_vault.each[{}]" if direct else "module.vaults[{}].azurerm_key_vault.this"
    vaults = [vault(address=at.format(f'"{name}"')) for name in ("eu", "us")]
    keys = [
        Resource(f'module.keys["{name}"].azurerm_key_vault_key.k', {}, {"key_vault_id": "var.vault"}) for name in ("eu", "us")
    ]
    output = {"expression": {"references": references("azurerm_key_vault.this.id")}}
    calls = {
        "vaults": {"module": {"resources": [vaults[0].configured], "outputs": {"id": output}}},
        "keys": {
            "for_each_expression": {"references": [chained]},
            "expressions": {"vault": {"references": ["each.value.id", "each.value"]}},
            "module": {"resources": [keys[0].configured]},
        },
    }
    found = plan(*vaults, *keys, module_calls=calls)
    assert target(found, keys[0].address) == (vaults[0].address, "id")


def test_an_input_that_is_known_is_not_what_is_unknown() -> None:
    vaults = (vault(), vault(address="azurerm_key_vault.other"))
    choice = ["var.existing", *references("azurerm_key_vault.this.id")]
    inner = vault(address="module.m.azurerm_key_vault.this")
    own = Resource("module.m.azurerm_key_vault_key.k", {}, {"key_vault_id": choice})
    for given, expected in (
        ({}, (inner.address, "id")),
        ({"existing": {"constant_value": "/subscriptions/x"}}, (inner.address, "id")),
        ({"existing": {"references": ["var.of_root"]}}, (inner.address, "id")),
        ({"existing": {"references": references("azurerm_key_vault.other.id")}}, None),
        ({"existing": {"references": ["local.existing"]}}, None),
    ):
        call = {"expressions": given, "module": {"resources": [inner.configured, own.configured]}}
        assert target(plan(*vaults, inner, own, module_calls={"m": call}), own.address) == expected


@pytest.mark.parametrize(
    ("address", "attribute", "expected"),
    [
        ("terraform_data.of_plain", "input", ("terraform_data.plain", "id")),
        ("terraform_data.of_splat", "input", ("terraform_data.plain", "")),
        ("terraform_data.of_choice", "input", ("terraform_data.plain", "id")),
        ("terraform_data.of_none", "input", ("terraform_data.counted[0]", "id")),
        ("terraform_data.of_index[1]", "input", ("terraform_data.counted[1]", "")),
        ('terraform_data.of_key["eu"]', "input", ('terraform_data.each["eu"]', "")),
        ('terraform_data.chained["us"]', "input", ('terraform_data.each["us"]', "id")),
        ("module.key.terraform_data.this", "input", ("module.vault.terraform_data.this", "id")),
        ("module.key.terraform_data.chosen", "input", ("module.key.terraform_data.own", "id")),
        ('module.keys["eu"].terraform_data.this', "input", ('module.vaults["eu"].terraform_data.this', "id")),
        ('module.of_each["us"].terraform_data.this', "input", ('terraform_data.each["us"]', "id")),
        # What the document does not tell.
        ("terraform_data.of_local", "input", None),
        ("terraform_data.of_two", "input", None),
        ('terraform_data.rekeyed["eu-x"]', "input", None),
        ('terraform_data.chosen["a"]', "input", None),
    ],
)
def test_a_plan_that_terraform_made_is_followed(address: str, attribute: str, expected: tuple[str, str] | None) -> None:
    found = json.loads((RECORDED / "terraform-references.json").read_text(encoding="utf-8"))
    assert target(found, address, attribute) == expected


def test_modules_that_refer_to_each_other_end() -> None:
    inner = Resource("module.a.azurerm_key_vault_key.k", {}, {"key_vault_id": "var.id"})
    calls = {
        "a": {
            "expressions": {"id": {"references": ["module.a.id", "module.a"]}},
            "module": {"resources": [inner.configured], "outputs": {"id": {"expression": {"references": ["var.id"]}}}},
        }
    }
    assert target(plan(inner, module_calls=calls), inner.address) is None


def test_what_is_deleted_is_no_target() -> None:
    found = plan(vault(actions=("delete",)), key())
    assert target(found, "azurerm_key_vault_key.generated") is None


class _Counting(References):
    """Counts how often it asks whether the value of an expression is known."""

    asked = 0

    def _are_known(self, *arguments: Any) -> bool:
        self.asked += 1
        return super()._are_known(*arguments)


@pytest.mark.parametrize("depth", [4, 16, 40])
def test_each_input_of_a_module_is_resolved_once(depth: int) -> None:
    """Each module gives the next one two inputs, and each of them is made of both of its own."""
    both = {"references": ["var.a", "var.b"]}
    own = Resource("azurerm_key_vault_key.k", {}, {"key_vault_id": ["var.a", "var.b", *references("azurerm_key_vault.v.id")]})
    address = f"{'module.m.' * depth}azurerm_key_vault"
    module: dict[str, Any] = {"resources": [own.configured]}
    for level in range(depth):
        given = {"constant_value": 1} if level == depth - 1 else both
        module = {"module_calls": {"m": {"expressions": {"a": given, "b": given}, "module": module}}}
    found = plan(Resource(f"{address}.v", {}), Resource(f"{address}_key.k", {}))
    found["configuration"]["root_module"] = module
    counting = _Counting(decode(written(found), "plan.json").configuration, [f"{address}.v", f"{address}_key.k"])
    resolved = counting.target("module.m" + ".module.m" * (depth - 1), own.address, "", ["key_vault_id"])
    assert resolved == Target(f"{address}.v", "id")
    assert counting.asked == 2 * depth
