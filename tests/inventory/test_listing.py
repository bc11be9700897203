"""Rows one after another: all of them, in the order of ids, however many slices they come in."""

import pytest

from keyaudit.inventory.listing import listing
from keyaudit.model.reasons import Reason
from keyaudit.model.results.listing import Unknown
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.vaults.key_use import USES_FOUND
from tests.inventory.sample import TENANT, assessed, in_memory, key, vault


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_every_row_comes_once_in_order_whatever_the_slices(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("keyaudit.inventory.listing._SLICE", size)
    keys = [key(version) for version in ("b", "a", "ä", "Z", "0", "aa", "a'b")]
    with in_memory({"key": keys, "vault": [vault()]}, {TENANT: assessed(TENANT, "key.list")}, "key", alone=True) as c:
        found = listing(c, TABLES["key"], ())
        ids = [str(row["id"]) for row in found.rows()]
        assert ids == sorted(str(each["id"]) for each in keys)
        assert found.count == len(ids)
        assert [row["id"] for row in found.rows()] == ids
        # Two at the same time do not end each other.
        assert [(one["id"], two["id"]) for one, two in zip(found.rows(), found.rows(), strict=True)] == list(
            zip(ids, ids, strict=True)
        )


def test_what_is_unknown_is_counted_by_column_and_reason() -> None:
    keys = [key("1", kty=Reason.FIREWALL), key("2", kty=Reason.FIREWALL), key("3", kty=Reason.BAD_VALUE), key("4")]
    read = assessed(TENANT, "key.list", "role_assignment.query", *USES_FOUND)
    with in_memory({"key": keys, "vault": [vault()]}, {TENANT: read}, "key", alone=True) as c:
        unknown = listing(c, TABLES["key"], ()).unknown
    assert tuple(each for each in unknown if each.column == "kty") == (
        Unknown("kty", Reason.BAD_VALUE, 1),
        Unknown("kty", Reason.FIREWALL, 2),
    )
    assert list(unknown) == sorted(unknown, key=lambda each: (each.column, each.reason))


def test_what_needs_evidence_is_unknown_in_every_row_for_want_of_it() -> None:
    read = {TENANT: assessed(TENANT, "key.list")}
    with in_memory({"key": [key("1"), key("2")], "vault": [vault()]}, read, "key", alone=True) as c:
        found = listing(c, TABLES["key"], ())
        assert {Unknown(name, Reason.NOT_SUPPLIED, 2) for name in ("last_used_on", "signing_apps")} <= set(found.unknown)
        for row in found.rows():
            assert (row["last_used_on"], row["signing_apps"]) == (None, None)
            assert row["unknown"].items() >= {"last_used_on": "not_supplied", "signing_apps": "not_supplied"}.items()  # type: ignore[union-attr]


def test_an_empty_table_has_no_rows() -> None:
    with in_memory({}, {TENANT: assessed(TENANT, "key.list")}, "vault", alone=True) as c:
        found = listing(c, TABLES["vault"], ())
        assert (found.count, list(found.rows()), found.unknown) == (0, [], ())
