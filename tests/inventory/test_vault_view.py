"""Derived columns of vaults and HSMs: reachable from any network, its keys managed through Resource Manager."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.vault import VAULT
from tests.inventory.sample import Found, Row, assessed, key, refused, row, seen, vault, vault_scope

KV = vault_scope("kv")
HSM = Scope(KV.id.replace("/vaults/kv", "/managedhsms/hsm"), "hsm", ScopeKind.MANAGED_HSM)
PERMISSION, BAD = Reason.PERMISSION, Reason.BAD_VALUE
OPEN = {"public_network_access": "Enabled", "network_default_action": "Allow", "every_address_let_in": False}
SHUT = OPEN | {"network_default_action": "Deny"}


def view(rows: dict[str, list[Row]], coverage: dict[Scope, list[Coverage]]) -> Found:
    [found] = seen("vault", rows, coverage)
    return found


NETWORK: list[tuple[dict[str, Any], object, object]] = [
    (OPEN, True, None),
    (SHUT, False, None),
    # Trap 16: two switches. Neither alone says it.
    (OPEN | {"public_network_access": "Disabled"}, False, None),
    (SHUT | {"public_network_access": "Disabled"}, False, None),
    # Never set: public, and no firewall.
    ({**OPEN, "public_network_access": None}, True, None),
    ({**OPEN, "network_default_action": None}, True, None),
    ({**SHUT, "public_network_access": None}, False, None),
    # A leftover rule lets nobody in who is not let in anyway; one for every address lets in all.
    ({**OPEN, "ip_rules": 3}, True, None),
    ({**SHUT, "every_address_let_in": True}, True, None),
    ({**SHUT, "every_address_let_in": BAD}, None, "bad_value"),
    ({**OPEN, "every_address_let_in": BAD}, True, None),
    ({**OPEN, "public_network_access": PERMISSION}, None, "permission"),
    ({**SHUT, "public_network_access": PERMISSION}, None, "permission"),
    ({**OPEN, "network_default_action": BAD}, None, "bad_value"),
    # Closed by the first setting, with any value of the second.
    ({**OPEN, "public_network_access": "Disabled", "network_default_action": BAD}, False, None),
    # A perimeter's own rules decide, and are not read; nor is a new word known.
    (OPEN | {"public_network_access": "SecuredByPerimeter"}, None, "unrecognised"),
    (SHUT | {"public_network_access": "SecuredByPerimeter"}, None, "unrecognised"),
    (OPEN | {"network_default_action": "Ask"}, None, "unrecognised"),
    (OPEN | {"public_network_access": "Sometimes"}, None, "unrecognised"),
]


@pytest.mark.parametrize(("columns", "is_open", "reason"), NETWORK)
def test_a_vault_is_open_to_any_network_by_both_switches(columns: dict[str, Any], is_open: object, reason: object) -> None:
    found = view({"vault": [vault(**columns)]}, {KV: []})
    assert (found["network_open"], found["unknown"].get("network_open")) == (is_open, reason)


@pytest.mark.parametrize(
    ("columns", "source"),
    [
        (OPEN, "any-network"),
        (SHUT, "chosen-networks"),
        (OPEN | {"public_network_access": "Disabled"}, "private-endpoints"),
        (SHUT | {"every_address_let_in": True}, "any-network"),
        ({**SHUT, "public_network_access": None}, "chosen-networks"),
        ({**OPEN, "network_default_action": None}, "any-network"),
        (OPEN | {"public_network_access": "Disabled", "network_default_action": BAD}, "private-endpoints"),
        (OPEN | {"public_network_access": "SecuredByPerimeter"}, "unrecognised"),
        ({**SHUT, "public_network_access": PERMISSION}, "permission"),
        ({**SHUT, "every_address_let_in": BAD}, "bad_value"),
    ],
)
def test_from_where_a_vault_is_reached(columns: dict[str, Any], source: str) -> None:
    found = view({"vault": [vault(**columns)]}, {KV: []})
    assert found["unknown"].get("reached_from", found["reached_from"]) == source


def hsm(**values: Any) -> Row:
    own = {"security_domain": "Active", "initial_admins": [], "regions": []}
    return row("vault", HSM.id, kind="managed-hsm", **(own | values))


def setting(value: object, name: str = "AllowKeyManagementOperationsThroughARM") -> Row:
    return row("hsm_setting", f"{HSM.id}/settings/{name}".lower(), name=name, vault_id=HSM.id, value=value)


SETTINGS = assessed(HSM, "hsm.setting.list")
THROUGH_ARM: list[tuple[list[Row], list[Coverage], object, object]] = [
    ([setting("false")], SETTINGS, False, None),
    ([setting("True")], SETTINGS, True, None),
    ([setting("true", "Another"), setting("false")], SETTINGS, False, None),
    ([setting("perhaps")], SETTINGS, None, "unrecognised"),
    ([setting(BAD)], SETTINGS, None, "bad_value"),
    # The HSM does not say: no document says what that means.
    ([], SETTINGS, None, "unrecognised"),
    ([], [refused(HSM, "hsm.setting.list", PERMISSION)], None, "permission"),
    ([], [], None, "interrupted"),
]


@pytest.mark.parametrize(("settings", "coverage", "through", "reason"), THROUGH_ARM)
def test_an_hsm_says_whether_its_keys_are_managed_through_resource_manager(
    settings: list[Row], coverage: list[Coverage], through: object, reason: object
) -> None:
    found = view({"vault": [hsm()], "hsm_setting": settings}, {HSM: coverage})
    assert (found["keys_through_arm"], found["unknown"].get("keys_through_arm")) == (through, reason)


def test_of_a_vault_that_is_not_asked() -> None:
    own: dict[str, Any] = {column.name: False for column in VAULT.stored if column.present_where("kind", "key-vault")}
    own |= dict.fromkeys(("access_policies", "storage_policies"), 0)
    found = view({"vault": [vault(kind="key-vault", **own)], "hsm_setting": [setting("true")]}, {KV: []})
    assert found["keys_through_arm"] is None
    assert "keys_through_arm" not in found["unknown"]


LISTED = assessed(HSM, "hsm.key.list", "hsm.key.versions")


@pytest.mark.parametrize(
    ("ops", "coverage", "holds", "reason"),
    [
        (["sign"], LISTED, True, None),
        (["unwrapKey"], LISTED, False, None),
        (["unwrapKey"], [refused(HSM, "hsm.key.list", PERMISSION), *assessed(HSM, "hsm.key.versions")], None, "permission"),
        (["unwrapKey"], [], None, "interrupted"),
    ],
)
def test_an_hsm_holds_no_signing_key_only_if_all_its_own_lists_were_read(
    ops: list[str], coverage: list[Coverage], holds: object, reason: object
) -> None:
    keys = [key("1", vault_id=HSM.id, key_ops=ops)]
    found = view({"vault": [hsm()], "key": keys}, {HSM: coverage})
    assert (found["holds_signing_key"], found["unknown"].get("holds_signing_key")) == (holds, reason)
