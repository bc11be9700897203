"""Who uses a key, and whether what they use still works: certain, bounded, or unknown with which reason."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.coverage import Coverage, Scope, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key_use import USES_FOUND
from tests.inventory.sample import AS_OF, TENANT, Found, Row, assessed, key, refused, row, seen, vault, vault_scope

KV = vault_scope("kv")
KEY = "https://kv.vault.azure.net/keys/k"
URI = "https://KV.vault.azure.net/"
READ = {
    TENANT: assessed(TENANT, "subscription.list", "vault.query", *USES_FOUND[1:]),
    KV: assessed(KV, "key.list", "key.versions"),
}
VERSIONS = [key("1", enabled=False), key("2", is_current=True, enabled=True, expires_on=AS_OF + 1)]


def use(name: str, **values: Any) -> Row:
    """A use of the key `k`, which follows it."""
    defaults = {"scope_id": TENANT.id, "key_id": KEY, "consumer_id": name, "pinned": False, "version": None}
    return row("key_use", f"{name}/encryption", **(defaults | values))


def derive(table: str, uses: list[Row], keys: list[Row], coverage: dict[Scope, list[Coverage]]) -> dict[str, Found]:
    """The view's rows by id."""
    rows = {"vault": [vault(vault_uri=URI)], "key": keys, "key_use": uses}
    return {found["id"]: found for found in seen(table, rows, coverage)}


def counts(found: Found) -> tuple[object, ...]:
    """The bounds of `used_by` and `pinned_by`, and why they are no single numbers."""
    bounds = tuple(found[f"{name}_{side}"] for name in ("used_by", "pinned_by") for side in ("min", "max"))
    return (*bounds, found["unknown"].get("used_by"), found["unknown"].get("pinned_by"))


BAD, PERMISSION = Reason.BAD_VALUE, Reason.PERMISSION
PINNED = {"pinned": True, "version": "1"}


@pytest.mark.parametrize(
    ("uses", "first", "second"),
    [
        ([], (0, 0, 0, 0, None, None), (0, 0, 0, 0, None, None)),
        ([use("a")], (1, 1, 0, 0, None, None), (1, 1, 0, 0, None, None)),
        ([use("a", **PINNED), use("b")], (2, 2, 1, 1, None, None), (2, 2, 0, 0, None, None)),
        # One that uses it twice is one.
        ([use("a", **PINNED), use("a/scope", consumer_id="a", **PINNED)], (1, 1, 1, 1, None, None), (1, 1, 0, 0, None, None)),
        # A version that a service which follows the key names: it may stay with it, if nobody can say.
        ([use("a", version="1", pinned=PERMISSION)], (1, 1, 0, 1, None, "permission"), (1, 1, 0, 0, None, None)),
        ([use("a", version="1")], (1, 1, 0, 0, None, None), (1, 1, 0, 0, None, None)),
        (
            [use("a", key_id=BAD, version=BAD, pinned=BAD), use("b", **PINNED)],
            (1, 2, 1, 2, "bad_value", "bad_value"),
            (1, 2, 0, 1, "bad_value", "bad_value"),
        ),
        ([use("a", key_id=KEY + "y")], (0, 0, 0, 0, None, None), (0, 0, 0, 0, None, None)),
    ],
)
def test_uses_are_counted_with_their_bounds(uses: list[Row], first: object, second: object) -> None:
    found = derive("key", uses, VERSIONS, READ)
    assert (counts(found[f"{KEY}/1"]), counts(found[f"{KEY}/2"])) == (first, second)


@pytest.mark.parametrize(
    "tenant",
    [
        [*assessed(TENANT, *(each for each in USES_FOUND if each != missing)), refused(TENANT, missing, PERMISSION)]
        for missing in USES_FOUND
    ],
)
def test_nothing_bounds_the_uses_where_not_every_service_was_seen(tenant: list[Coverage]) -> None:
    found = derive("key", [use("a", **PINNED)], VERSIONS, {**READ, TENANT: tenant})
    assert counts(found[f"{KEY}/1"]) == (1, None, 1, None, "permission", "permission")


def state(found: Found) -> tuple[object, ...]:
    """What a use knows of its key, or why it does not."""
    names = ("key_found", "key_enabled", "key_expires_on")
    return tuple(found["unknown"].get(name, found[name]) for name in names)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Trap 8: a disabled version that a service stays with is a fact about that service.
        (PINNED, (True, False, None)),
        ({"pinned": True, "version": "2"}, (True, True, AS_OF + 1)),
        ({}, (True, True, AS_OF + 1)),
        # It follows the key, whichever version its URL has.
        ({"version": "1"}, (True, True, AS_OF + 1)),
        ({"version": "1", "pinned": PERMISSION}, (True, "permission", "permission")),
        # Without a version it follows the key, and with the key it does not matter which version was set.
        ({"version": None, "pinned": PERMISSION}, (True, True, AS_OF + 1)),
        ({"version": PERMISSION}, (True, True, AS_OF + 1)),
        ({"version": PERMISSION, "pinned": True}, (True, "permission", "permission")),
        ({"pinned": True, "version": "3"}, (True, "not_visible", "not_visible")),
        ({"key_id": BAD, "version": BAD, "pinned": BAD}, ("bad_value",) * 3),
        # Every key of its vault was listed, and it is not among them.
        ({"key_id": KEY + "y"}, (False, None, None)),
        ({"key_id": "https://elsewhere.vault.azure.net/keys/k"}, ("not_visible",) * 3),
    ],
)
def test_a_use_knows_how_its_key_stands(values: dict[str, Any], expected: object) -> None:
    assert state(derive("key_use", [use("a", **values)], VERSIONS, READ)["a/encryption"]) == expected


def test_a_key_is_gone_only_where_its_vault_was_listed() -> None:
    unlisted = {**READ, KV: [refused(KV, each, Reason.FIREWALL) for each in ("key.list", "key.versions")]}
    assert state(derive("key_use", [use("a")], [], unlisted)["a/encryption"]) == ("firewall",) * 3
    # A refusal elsewhere is no reason.
    unlisted[TENANT] = [*READ[TENANT], refused(TENANT, "domain.list", Reason.DNS)]
    elsewhere = use("b", key_id="https://elsewhere.vault.azure.net/keys/k")
    assert state(derive("key_use", [elsewhere], [], unlisted)["b/encryption"]) == ("not_visible",) * 3
    unlisted[TENANT] = [*READ[TENANT][1:], refused(TENANT, "subscription.list", PERMISSION)]
    assert state(derive("key_use", [elsewhere], [], unlisted)["b/encryption"]) == ("permission",) * 3
    silent = {TENANT: READ[TENANT]}
    assert state(derive("key_use", [use("a")], [], silent)["a/encryption"]) == ("parent_not_assessed",) * 3


def test_the_key_of_a_vault_that_was_not_listed_is_unknown_for_that_reason() -> None:
    partial = [
        replace(record, state=State.PARTIAL, reason=Reason.EXCLUDED_BY_CONFIG) if record.operation == "vault.query" else record
        for record in READ[TENANT]
    ]
    elsewhere = use("a", key_id="https://elsewhere.vault.azure.net/keys/k")
    found = derive("key_use", [elsewhere], VERSIONS, {**READ, TENANT: partial})
    assert state(found["a/encryption"]) == ("excluded_by_config",) * 3


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([key("1", is_current=PERMISSION)], (True, "permission", "permission")),
        ([key("1", versions_listed=BAD)], (True, "bad_value", "bad_value")),
        ([key("1", is_current=True, enabled=BAD)], (True, "bad_value", None)),
    ],
)
def test_which_version_is_current_may_be_unknown(keys: list[Row], expected: object) -> None:
    assert state(derive("key_use", [use("a")], keys, READ)["a/encryption"]) == expected
