"""What is read as a plan, and what each other file is told."""

import json
from typing import Any

import pytest

from keyaudit.model.errors import UsageError
from keyaudit.plan.document.resources import Resources
from keyaudit.plan.document.terraform import decode
from tests.plan.small import Resource, key, plan, vault, written


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


PLAIN = plan(vault())
OTHER = {"address": "azurerm_key_vault.other", "mode": "managed", "type": "azurerm_key_vault", "values": {}}
GONE = vault(actions=("delete",))


def _with(**members: Any) -> bytes:
    return written({name: value for name, value in {**PLAIN, **members}.items() if value is not None})


def _acting(*actions: str) -> list[dict[str, Any]]:
    [change] = PLAIN["resource_changes"]
    return [{**change, "change": {**change["change"], "actions": list(actions)}}]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (_with(resource_changes=_acting()), "azurerm_key_vault.example has no actions"),
        (_with(resource_changes=[*PLAIN["resource_changes"]] * 2), "has azurerm_key_vault.example twice"),
        (_with(planned_values={"root_module": {"resources": [OTHER, OTHER]}}), "has azurerm_key_vault.other twice"),
        (_with(planned_values={"root_module": {"child_modules": [{"resources": [OTHER]}]}}), "lack azurerm_key_vault.other"),
        (_with(planned_values={"root_module": {}}), "its planned_values lack azurerm_key_vault.example"),
        (_with(configuration={"root_module": {"module_calls": {"m": {"module": {"resources": [{"address": "a.b"}] * 2}}}}}),
            "configuration has a.b twice"),
        (_with(planned_values=None), "its planned_values lack azurerm_key_vault.example"),
        (_with(resource_changes=_acting("delete")), "its resource_changes lack azurerm_key_vault.example"),
        (_with(resource_changes=None), "its resource_changes lack azurerm_key_vault.example"),
        (
            _with(resource_changes=None, planned_values={"root_module": {}},
                prior_state={"values": {"root_module": {"resources": [OTHER]}}}),
            "its resource_changes lack azurerm_key_vault.other",
        ),
        (
            _with().replace(b'"sku_name": "standard"', b'"sku_name": "premium", "sku_name": "standard"'),
            "'sku_name' appears twice",
        ),
        (
            _with().replace(b'{"format_version"', b'{"resource_changes": [], "format_version"'),
            "'resource_changes' appears twice",
        ),
    ],
)  # fmt: skip
def test_a_plan_that_tells_something_in_two_ways_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        decode(data, "plan.json")
    assert refused.value.place == "plan.json"
    assert what in refused.value.what
    assert "create the plan again" in refused.value.remedy


@pytest.mark.parametrize(
    "found",
    [
        plan(GONE),
        plan(vault(actions=("forget",))),
        {**plan(vault(actions=("forget",))), "planned_values": PLAIN["planned_values"]},
        plan(Resource("data.azurerm_key_vault.x", {"name": "x"}, actions=("read",))),
        {**plan(), "resource_changes": [], "planned_values": {"root_module": {}}},
        {**plan(vault()), "resource_changes": [*plan(vault())["resource_changes"], {**GONE.change, "deposed": "12345678"}]},
        {name: value for name, value in plan().items() if name != "resource_changes"},
    ],
    ids=("delete", "forget", "forget in earlier versions", "read", "empty", "deposed", "nothing"),
)
def test_what_will_not_be_there_needs_no_planned_values(found: dict[str, Any]) -> None:
    assert decode(written(found), "plan.json").format_version == "1.2"
