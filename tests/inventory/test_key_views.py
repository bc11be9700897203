"""What is derived of keys and of deleted ones: versions that can sign, strength, and who could bring a deleted one back."""

from operator import itemgetter
from typing import Any

import pytest

from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key_use import USES_FOUND
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Found, Row, assessed, key, row, seen, vault, vault_scope

KV = vault_scope("kv")
READ = {
    KV: assessed(KV, "key.list", "key.versions"),
    TENANT: assessed(TENANT, "subscription.list", "vault.query", *USES_FOUND[1:]),
}
BAD, PERMISSION = Reason.BAD_VALUE, Reason.PERMISSION


def only(table: str, rows: dict[str, list[Row]]) -> Found:
    """The view's row with the least id."""
    return min(seen(table, {"vault": [vault()], **rows}, READ, reach=table == "deleted"), key=itemgetter("id"))


def signing(version: str, days: int, **values: Any) -> Row:
    """A version made so many days ago that can sign."""
    made: dict[str, Any] = {"key_ops": ["sign"], "created_on": AS_OF - days * DAY}
    return key(version, **(made | values))


SIGNING: list[tuple[list[Row], tuple[int, int | None], int | None, object]] = [
    ([key("1")], (0, 0), None, None),
    ([signing("1", 30, is_current=True)], (1, 1), 30, None),
    ([signing("1", 30, is_current=True), signing("2", 40)], (2, 2), 40, None),
    # Disabled, or narrowed to what does not sign: it cannot any more.
    ([signing("1", 30), signing("2", 40, enabled=False), signing("3", 50, key_ops=["verify"])], (1, 1), 30, None),
    ([signing("1", 30), signing("2", 0, created_on=None)], (2, 2), None, None),
    ([signing("1", 30), signing("2", 0, created_on=BAD)], (2, 2), None, "bad_value"),
    ([signing("1", 30), signing("2", 40, key_ops=PERMISSION)], (1, 2), None, "permission"),
    ([signing("1", 30), signing("2", 20, key_ops=PERMISSION)], (1, 2), 30, None),
    ([signing("1", 30), signing("2", 40, key_ops=PERMISSION, enabled=False)], (1, 1), 30, None),
    ([signing("1", 30, versions_listed=PERMISSION)], (1, None), None, "permission"),
    ([signing("1", 30), signing("2", 40, name="other")], (1, 1), 30, None),
]


@pytest.mark.parametrize(
    ("of_vault", "model", "reason"),
    [
        ({"access_model": "rbac"}, "rbac", None),
        ({"access_model": PERMISSION}, None, "permission"),
        ({"id": "/subscriptions/s/vaults/other"}, None, "parent_not_assessed"),
    ],
)
@pytest.mark.parametrize("table", ["key", "secret", "certificate"])
def test_what_is_in_a_vault_knows_its_permission_model(
    table: str, of_vault: dict[str, Any], model: str | None, reason: str | None
) -> None:
    rows = {
        "vault": [vault(**of_vault)],
        table: [row(table, "https://kv/x/1", scope_id=KV.id, vault_id=KV.id, versions_listed=True)],
    }
    found = only(table, rows)
    assert (found["vault_access_model"], found["unknown"].get("vault_access_model")) == (model, reason)


@pytest.mark.parametrize(("keys", "bounds", "days", "reason"), SIGNING)
def test_versions_that_can_sign_are_counted_and_the_oldest_is_dated(
    keys: list[Row], bounds: tuple[int, int | None], days: int | None, reason: object
) -> None:
    found = only("key", {"key": keys})
    assert (found["signing_enabled_min"], found["signing_enabled_max"]) == bounds
    assert found["oldest_signing_on"] == (None if days is None else AS_OF - days * DAY)
    assert found["unknown"].get("oldest_signing_on") == reason


@pytest.mark.parametrize(
    ("values", "strength", "reason"),
    [
        ({"key_size": 1_023}, 0, None),
        ({"key_size": 1_024}, 80, None),
        ({"key_size": 2_048}, 112, None),
        ({"key_size": 3_072}, 128, None),
        ({"key_size": 4_096}, 128, None),
        ({"key_size": 7_680}, 192, None),
        ({"key_size": 15_360}, 256, None),
        ({"curve": "P-256"}, 128, None),
        ({"curve": "P-256K"}, 128, None),
        ({"curve": "P-384"}, 192, None),
        ({"curve": "P-521"}, 256, None),
        ({"curve": "Ed25519"}, 128, None),
        ({"curve": "P-999"}, None, "unrecognised"),
        ({}, None, None),
        ({"key_size": PERMISSION, "curve": PERMISSION}, None, "permission"),
    ],
)
def test_strength_is_by_size_or_curve(values: dict[str, Any], strength: object, reason: object) -> None:
    found = only("key", {"key": [key("1", **values)]})
    assert (found["strength"], found["unknown"].get("strength")) == (strength, reason)


def test_who_could_bring_back_what_was_deleted_is_known_of_keys_and_asked_of_no_vault() -> None:
    gone = row("deleted", "https://kv.vault.azure.net/deletedkeys/k", kind="key", vault_id=KV.id, enabled=True, managed=False)
    found = only("deleted", {"deleted": [gone]})
    # No list of role assignments was read.
    assert (found["workloads_granting_min"], found["workloads_granting_max"]) == (0, None)
    assert found["unknown"]["workloads_granting"] == "interrupted"
    place = row("deleted", "/deletedvaults/kv2", kind="vault", vault_id=f"{KV.id}2")
    found = only("deleted", {"deleted": [place]})
    assert (found["workloads_granting_min"], found["workloads_granting_max"], found["unknown"]) == (0, 0, {})
