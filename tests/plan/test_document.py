"""What is read as a plan, and what each other file is told."""

import json

import pytest

from keyaudit.collect.plan.document import decode
from keyaudit.collect.plan.resources import Resources
from keyaudit.model.errors import UsageError
from tests.plan.small import key, plan, vault, written


def test_a_plan_is_read() -> None:
    found = decode(written(plan(vault(), key())), "plan.json")
    assert [each.address for each in found.resource_changes] == ["azurerm_key_vault.example", "azurerm_key_vault_key.generated"]


def test_windows_powershell_writes_utf_16() -> None:
    assert decode(json.dumps(plan(vault())).encode("utf-16"), "plan.json").resource_changes


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (b"PK\x03\x04rest", "a saved plan, which is binary", "terraform show -json"),
        (b'resource "azurerm_key_vault" "example" {}', "not a plan as JSON", "terraform show -json"),
        (b"", "not a plan as JSON", "terraform show -json"),
        (b"\xff\xfe{", "not a plan as JSON", "terraform show -json"),
        (b'{"format_version": "1.2", "resource_changes": [', "not JSON", "terraform show -json"),
        (b'{"format_version": ' + b"[" * 100_000, "not JSON", "terraform show -json"),
        (b"{}", "no format_version", "terraform show -json"),
        (b'{"format_version": 1.2}', "no format_version", "terraform show -json"),
        (b'{"format_version": "2.0"}', "format version 2.0 is not known", "update keyaudit"),
        (b'{"format_version": "0.1"}', "format version 0.1 is not known", "plan with a newer terraform"),
        (b'{"format_version": "1.0", "values": {}}', "a state, or an empty plan", "terraform plan -out"),
        (written(plan(vault(), errored=True)), "stopped at an error", "plan again"),
        (written({**plan(), "resource_changes": [{"address": 7}]}), "not a plan as terraform show", "terraform show -json"),
        (written({**plan(), "resource_changes": {}}), "not a plan as terraform show", "terraform show -json"),
    ],
)
def test_anything_else_is_refused_with_its_fix(data: bytes, what: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        decode(data, "plan.json")
    assert refused.value.place == "plan.json"
    assert what in refused.value.what
    assert remedy in refused.value.remedy


def test_values_of_another_type_are_refused_with_their_address() -> None:
    found = Resources(decode(written(plan(vault(name=["a", "list"]))), "plan.json"))
    [planned] = found.of("azurerm_key_vault")
    with pytest.raises(UsageError) as refused:
        planned.text("name")
    assert refused.value.place == "azurerm_key_vault.example.name"


def test_values_that_nest_too_deeply_are_refused_with_their_address() -> None:
    deep = "[" * 50_000 + "]" * 50_000
    data = written(plan(vault())).replace(b'"name": "kv-example"', f'"name": {deep}'.encode(), 1)
    with pytest.raises(UsageError):
        list(Resources(decode(data, "plan.json")).of("azurerm_key_vault"))
