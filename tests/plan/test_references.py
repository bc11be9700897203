"""What a plain reference of a configuration resolves to, and which expressions stay unknown."""

from collections.abc import Sequence
from typing import Any

import pytest

from keyaudit.collect.plan.document import decode
from keyaudit.collect.plan.resources import Resources
from tests.plan.small import Resource, key, plan, references, vault, written


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
