"""Rows one after another: all of them, in the order of ids, however many slices they come in."""

from pathlib import Path

import pytest

from keyaudit.inventory.listing import listing
from keyaudit.model.listing import Unknown
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from tests.inventory.sample import AS_OF, TENANT, assessed, key, snapshot, vault


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_every_row_comes_once_in_order_whatever_the_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("keyaudit.inventory.listing._SLICE", size)
    keys = [key(version) for version in ("b", "a", "ä", "Z", "0", "aa", "a'b")]
    with snapshot(tmp_path / "out", {"key": keys, "vault": [vault()]}, {TENANT: assessed(TENANT, "key.list")}).judging(
        AS_OF
    ) as c:
        found = listing(c, TABLES["key"])
        ids = [str(row["id"]) for row in found.rows()]
        assert ids == sorted(str(each["id"]) for each in keys)
        assert found.count == len(ids)
        assert [row["id"] for row in found.rows()] == ids
        # Two at the same time do not end each other.
        assert [(one["id"], two["id"]) for one, two in zip(found.rows(), found.rows(), strict=True)] == list(
            zip(ids, ids, strict=True)
        )


def test_what_is_unknown_is_counted_by_column_and_reason(tmp_path: Path) -> None:
    keys = [key("1", kty=Reason.FIREWALL), key("2", kty=Reason.FIREWALL), key("3", kty=Reason.BAD_VALUE), key("4")]
    read = assessed(TENANT, "key.list", "role_assignment.query", "subscription.list", "service.query")
    with snapshot(tmp_path / "out", {"key": keys, "vault": [vault()]}, {TENANT: read}).judging(AS_OF) as c:
        unknown = listing(c, TABLES["key"]).unknown
    assert tuple(each for each in unknown if each.column == "kty") == (
        Unknown("kty", Reason.BAD_VALUE, 1),
        Unknown("kty", Reason.FIREWALL, 2),
    )


def test_an_empty_table_has_no_rows(tmp_path: Path) -> None:
    with snapshot(tmp_path / "out", {}, {TENANT: assessed(TENANT, "key.list")}).judging(AS_OF) as c:
        found = listing(c, TABLES["vault"])
        assert (found.count, list(found.rows()), found.unknown) == (0, [], ())
