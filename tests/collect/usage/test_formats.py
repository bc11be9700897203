"""The same events, whichever system exported them and however the file is written, are the same rows."""

from pathlib import Path

import pytest

from keyaudit.inventory.logs import LogStore
from tests.collect.usage.forms import EVENTS, FORMS
from tests.collect.usage.made import TENANT, at
from tests.collect.usage.rig import ENCODED, Read, counts, imported, read, rows, written


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> LogStore:
    folder = tmp_path_factory.mktemp("reference")
    return imported(folder / "store", written(folder / "logs", "storage"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """The same files, read and not stored."""
    return read(written(tmp_path_factory.mktemp("plain") / "logs", "storage"))


def test_what_the_events_come_to(reference: LogStore) -> None:
    assert reference.tenant_id == TENANT
    found = rows(reference)
    by = {operation: [row for row in found if row["operation"] == operation] for operation in {r["operation"] for r in found}}
    assert {operation: len(some) for operation, some in by.items()} == {
        "sign": 18,
        "decrypt": 18,
        "read-secret": 18,
        "sign-in": 40,
        "read-mail": 50,
        "send-mail": 10,
        "add-credential": 14,
        "remove-credential": 7,
        "add-service-principal": 7,
        "change-federation": 6,
    }
    assert counts(reference) == {"received": EVENTS, "kept": 188, "duplicate": 0, "quarantined": 0, "ignored": 12}
    assert all(file.complete and not file.trouble for file in reference.files)
    [sign] = [row for row in by["sign"] if row["used_on"] == int(at(3).timestamp())]
    assert sign["target_id"] == "https://kv-pay.vault.azure.net/keys/name-3/00000000000000000000000000000003"
    assert sign["actor_app_id"] == sign["actor_app_id"].lower()
    assert sign["client"] == 'azsdk-python-keys/4.11 "quoted", and, commas'
    assert (sign["target_kind"], sign["succeeded"], sign["unknown"]) == ("key", True, {})
    assert sum(not row["succeeded"] for row in by["sign-in"]) == 5
    assert {row["source"] for row in found} == {
        "AZKVAuditLogs",
        "AADServicePrincipalSignInLogs",
        "AuditLogs",
        "OfficeActivity",
    }
    assert all(row["credential_key_id"] for row in by["add-credential"])
    with reference.connect() as connection:
        [(mailbox, day)] = connection.execute("SELECT * FROM throttled").fetchall()
        assert (mailbox, day % 86_400) == ("user1@contoso.example", 0)
        days = connection.execute("SELECT source, count(*), sum(events) FROM log_day GROUP BY source").fetchall()
        assert sum(events for _, _, events in days) == len(found)
        assert connection.execute("SELECT count(*) FROM log_file WHERE complete").fetchone() == (4,)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "storage"])
def test_each_export_gives_the_same_rows(tmp_path: Path, reference: LogStore, form: str) -> None:
    store = imported(tmp_path / "store", written(tmp_path / "logs", form))
    assert rows(store) == rows(reference)
    assert counts(store) == counts(reference)
    assert store.manifest.days == reference.manifest.days


@pytest.mark.parametrize("encoding", [name for name in ENCODED if name != "utf-8"])
@pytest.mark.parametrize("form", ["storage", "portal", "query"])
def test_each_encoding_gives_the_same_rows(tmp_path: Path, plain: Read, form: str, encoding: str) -> None:
    found = read(written(tmp_path / "logs", form, ENCODED[encoding]))
    assert sorted(rows(found), key=str) == sorted(rows(plain), key=str)
    assert counts(found) == counts(plain)


def test_what_was_read_is_what_is_stored(reference: LogStore, plain: Read) -> None:
    stored = {row["id"]: row for row in rows(reference)}
    assert len(stored) == len(plain.uses)
    for row in rows(plain):
        kept = {name: value for name, value in row.items() if name in stored[row["id"]] and name != "resource_id"}
        assert len(kept) > 12
        assert kept == {name: stored[row["id"]][name] for name in kept}
    assert counts(reference) == counts(plain)
    assert {source: [day for day, _ in days] for source, days in reference.manifest.days.items()} == {
        source: sorted(set().union(*of.values())) for source, of in plain.known.days.items()
    }


def test_several_exports_of_the_same_events_are_counted_once(tmp_path: Path, reference: LogStore) -> None:
    folders = [written(tmp_path / form.replace(" ", "-"), form) for form in FORMS]
    store = imported(tmp_path / "store", *folders)
    assert rows(store) == rows(reference)
    assert counts(store) == {
        "received": len(FORMS) * EVENTS,
        "kept": 188,
        "duplicate": (len(FORMS) - 1) * 188,
        "quarantined": 0,
        "ignored": len(FORMS) * 12,
    }
    assert store.manifest.days == reference.manifest.days
