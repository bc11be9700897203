"""What the loader refuses, what it unites, and what it makes of any order of rows."""

import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from keyaudit.inventory import load as load_module
from keyaudit.inventory.ledger import BreachError
from keyaudit.inventory.load import Loaded, load, loading, parquet
from keyaudit.inventory.rows import declared
from keyaudit.inventory.snapshot import write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import State
from keyaudit.model.errors import OutputError
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES, filled
from tests.inventory.sample import (
    KEY_OPERATIONS,
    RUN,
    TENANT,
    Row,
    application,
    assessed,
    credential,
    fetch,
    key,
    put,
    refused,
    row,
    vault,
    vault_scope,
)

KV = vault_scope("kv")


def run_load(tmp_path: Path, table: str, *rows: Row) -> tuple[Loaded, list[tuple[object, ...]]]:
    """Loads rows as a spool file would hold them, even such as no unit would write; and what was loaded, by column."""
    spooled, target = tmp_path / "spooled.jsonl", tmp_path / "target"
    target.mkdir(exist_ok=True)
    spooled.write_text("".join(json.dumps(each) + "\n" for each in rows))
    with loading(tmp_path / "tmp") as connection:
        loaded = load(connection, TABLES[table], spooled, 1000, target=target, aside=tmp_path / "aside")
        return loaded, connection.execute(f"SELECT * FROM {parquet(*loaded.files)}").fetchall()


@pytest.mark.parametrize(
    ("table", "wrong", "message"),
    [
        ("key", key("1", enabled=None), r"^key https://kv\.vault\.azure\.net/keys/k/1: enabled: neither a value nor a reason"),
        ("key", key("1", tags=None, key_id=None), "key_id: neither a value nor a reason"),
        ("key", key("1") | {"unknown": {"enabled": "permission"}}, "enabled: a value and a reason"),
        ("key", key("1", created_on=5) | {"unknown": {"created_on": "permission"}}, "created_on: a value and a reason"),
        ("key", key("1", key_ops=["sign", None]), "key_ops: a list with NULL in it"),
        ("key", key("1", enabled=None) | {"unknown": {"enabled": "no idea"}}, "unknown: a reason that is not in the list"),
        ("key", key("1") | {"unknown": {"purpose": "permission"}}, "unknown: a column that is never unknown"),
        ("key", key("1") | {"unknown": {"vault_name": "permission"}}, "vault_name: a value and a reason"),
        ("credential", credential("1", kind="federated", issuer=None), "issuer: neither a value nor a reason"),
        ("key", key("1") | {"created_on": "long ago"}, "^key: .*in line 2: Failed to cast value"),
        ("key", key("1") | {"id": None}, "id: neither a value nor a reason"),
    ],
)
def test_a_row_that_breaks_the_declaration_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, wrong: Row, message: str
) -> None:
    """In a small table as in a large one, which SQL checks."""
    good = {"key": key("0"), "credential": credential("0")}[table]
    with pytest.raises(BreachError, match=rf"^{table}\b"):
        run_load(tmp_path, table, good, wrong)
    monkeypatch.setattr(load_module, "_SMALL", 0)
    with pytest.raises(BreachError, match=message):
        run_load(tmp_path, table, good, wrong)


@pytest.mark.parametrize(
    ("table", "right"),
    [
        ("key", key("1", created_on=None, tags=None)),
        ("key", key("1", created_on=Reason.PERMISSION, enabled=Reason.BAD_VALUE)),
        ("key", key("1", key_ops=[], tags={})),
        ("credential", credential("1", kind="password")),
        ("credential", credential("1", kind=Reason.UNRECOGNISED)),
        ("credential", credential("1", kind="federated", issuer="i", audiences=Reason.PERMISSION)),
        ("key", key("1", created_on=2**60, expires_on=-(2**60))),
    ],
)
def test_a_row_that_keeps_the_declaration_is_loaded(tmp_path: Path, table: str, right: Row) -> None:
    loaded, rows = run_load(tmp_path, table, right)
    assert loaded.rows == 1
    kept = dict(zip(declared()[table], rows[0], strict=True))
    assert kept == {name: right.get(name) for name in kept}


@pytest.fixture(params=[0, 1024 * 1024], ids=["disk", "memory"])
def through_memory_and_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of a table: a large one is converted on disk before it is sorted."""
    monkeypatch.setattr(load_module, "_SMALL", request.param)


@pytest.mark.usefixtures("through_memory_and_disk")
def test_half_a_line_is_a_bug_and_not_a_row(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "spooled").write_text(json.dumps(key("1"))[:-9] + "\n")
    with loading(tmp_path / "tmp") as connection, pytest.raises(BreachError, match="key: "):
        load(connection, TABLES["key"], tmp_path / "spooled", 0, target=tmp_path / "target", aside=tmp_path / "aside")


def test_a_table_without_rows_has_its_columns_and_no_file(tmp_path: Path) -> None:
    with Spool.create(tmp_path / "out", RUN) as spool:
        made = write(spool, RUN)
    assert made.run.rows == dict.fromkeys(filled(()), 0)
    assert [path.name for path in made.folder.iterdir()] == ["manifest.json"]
    assert {name: table.columns for name, table in made.tables.items()} == declared()
    with made.connect(RUN.as_of) as connection:
        for name in TABLES:
            assert connection.execute(f"FROM {name}").fetchall() == []


def _spread(folder: Path, rows: list[Row], scopes: list[str]) -> dict[str, bytes]:
    """The same rows, spread over units; the files of the snapshot by their paths."""
    with Spool.create(folder, RUN) as spool:
        for number, name in enumerate(scopes):
            scope = vault_scope(name)
            of_unit = rows[number :: len(scopes)]
            put(spool, "keys", scope, {"key": of_unit}, assessed(scope, *KEY_OPERATIONS))
        write(spool, RUN)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_order_in_which_rows_came_leaves_no_trace(tmp_path: Path) -> None:
    rows = [key(str(number), tags={"b": "1", "a": "2"}) for number in range(50)]
    shuffled = [{**each, "tags": {"a": "2", "b": "1"}} for each in rows[::-1]]
    assert _spread(tmp_path / "a", rows, ["kv", "other"]) == _spread(tmp_path / "b", shuffled, ["other", "kv"])


def test_a_large_table_is_cut_into_ascending_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_module, "_SMALL", 0)
    monkeypatch.setattr(load_module, "_PIECE", 20_000)
    rows = [key(f"{number:04}") for number in range(400)]
    loaded, found = run_load(tmp_path, "key", *rows[::3], *rows[1::3], *rows[2::3], *rows[:40])
    assert len(loaded.files) > 10
    assert [path.name for path in loaded.files] == [f"{number:05}.parquet" for number in range(len(loaded.files))]
    assert [each[0] for each in found] == [each["id"] for each in rows]
    assert loaded.rows == len(rows)
    counts = [duckdb.execute(f"SELECT count(*) FROM '{path}'").fetchall()[0][0] for path in loaded.files]
    assert min(counts) > 0
    assert max(counts) < 100


def test_ids_that_cannot_be_cut_stay_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_module, "_SMALL", 0)
    monkeypatch.setattr(load_module, "_PIECE", 100)
    monkeypatch.setattr(load_module, "_SAMPLES", 1)
    loaded, found = run_load(tmp_path, "key", *[key("1")] * 50)
    assert (loaded.rows, len(found)) == (1, 1)


@pytest.mark.usefixtures("through_memory_and_disk")
def test_a_row_that_came_twice_is_kept_once(tmp_path: Path) -> None:
    loaded, found = run_load(tmp_path, "key", key("1"), key("2"), key("1", source_url="elsewhere", scope_id="/other"))
    assert len(found) == loaded.rows == 2
    _, again = run_load(tmp_path, "key", key("1", source_url="elsewhere", scope_id="/other"), key("2"), key("1"))
    assert found == again


DISPUTES: list[tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = [
    ({"enabled": True}, {"enabled": False}, {"enabled": "inconsistent"}),
    ({"enabled": True}, {"enabled": Reason.PERMISSION}, {"enabled": "inconsistent"}),
    ({"enabled": Reason.PERMISSION}, {"enabled": Reason.THROTTLED}, {"enabled": "inconsistent"}),
    ({"expires_on": 5}, {"expires_on": None}, {"expires_on": "inconsistent"}),
    ({"expires_on": None}, {"expires_on": Reason.PERMISSION}, {"expires_on": "inconsistent"}),
    ({"key_ops": ["sign"]}, {"key_ops": []}, {"key_ops": "inconsistent"}),
    ({"tags": {"a": "1"}}, {"tags": {"a": "2"}}, {"tags": "inconsistent"}),
    ({"tags": {}}, {"tags": None}, {"tags": "inconsistent"}),
    ({"enabled": True, "kty": Reason.PERMISSION}, {"enabled": False, "kty": Reason.PERMISSION},
     {"enabled": "inconsistent", "kty": "permission"}),
]  # fmt: skip


@pytest.mark.usefixtures("through_memory_and_disk")
def test_what_two_answers_disagree_on_is_unknown(tmp_path: Path) -> None:
    rows = [(key(str(number), **one), key(str(number), **other)) for number, (one, other, _) in enumerate(DISPUTES)]
    with Spool.create(tmp_path / "out", RUN) as spool:
        first = [*(one for one, _ in rows), key("undisputed")]
        put(spool, "keys", KV, {"key": first}, assessed(KV, "key.list", "key.versions", "key.get"))
        partial = refused(TENANT, "key.list", Reason.PERMISSION, State.PARTIAL)
        put(spool, "again", TENANT, {"key": [other for _, other in rows]}, [partial])
        made = write(spool, RUN)
    with made.connect(0) as connection:
        found = {row["version"]: row for row in fetch(connection, "SELECT * FROM key")}
    assert len(found) == len(DISPUTES) + 1
    for number, (_, _, unknown) in enumerate(DISPUTES):
        row = found[str(number)]
        assert row["unknown"].items() >= unknown.items()  # type: ignore[attr-defined]
        assert {row[name] for name in unknown} == {None}
        assert row["recovery_level"] == "text"
    assert found["undisputed"]["enabled"] is True
    assert "enabled" not in found["undisputed"]["unknown"]  # type: ignore[operator]
    states = {record.operation: (record.state, record.reason) for record in made.coverage if record.scope == KV}
    # The doubt is about the objects that came twice, and not about the lists that they came in.
    assert set(states.values()) == {(State.ASSESSED, None)}
    assert partial in made.coverage


def test_what_only_one_copy_of_an_object_has_keeps_its_row_and_nothing_of_it_is_known(tmp_path: Path) -> None:
    both = credential("both")
    changed = (credential("changed", expires_on=RUN.as_of), credential("changed", expires_on=RUN.as_of + 1))
    other_answer = credential("federated", kind="federated", issuer="i", source_url="elsewhere")
    first = [both, changed[0], credential("first"), other_answer, credential("neighbour", holder="b")]
    with Spool.create(tmp_path / "out", RUN) as spool:
        applications = [application("a"), application("b"), application("a")]
        rows = {"application": applications, "credential": [*first, both, changed[1], credential("second")]}
        put(spool, "applications", TENANT, rows, assessed(TENANT, "application.list"))
        made = write(spool, RUN)
    with made.reading() as connection:
        found = fetch(connection, f"SELECT id, unknown FROM {made.stored('credential')}")
    unknown = {str(each["id"]).removeprefix(f"{TENANT.id}/applications/"): each["unknown"] for each in found}
    every = {column.name: "inconsistent" for column in TABLES["credential"].stored if column.can_be_unknown}
    assert unknown == {
        "a/credentials/both": {},
        "a/credentials/changed": {"expires_on": "inconsistent"},
        "a/credentials/federated": {},
        "a/credentials/first": every,
        "a/credentials/second": every,
        "b/credentials/neighbour": {},
    }


def test_an_absence_does_not_outlive_the_kind_of_row_that_it_rests_on(tmp_path: Path) -> None:
    copies = [
        row("service_principal", "/sp", principal_type=kind, home=home, home_tenant=None)
        for kind, home in (("ManagedIdentity", "none"), ("Legacy", "none"))
    ]
    loaded, [found] = run_load(tmp_path, "service_principal", *copies)
    unknown = dict(zip(declared()["service_principal"], found, strict=True))["unknown"]
    assert loaded.rows == 1
    assert unknown == {"principal_type": "inconsistent", "home_tenant": "inconsistent"}


def test_a_disk_that_is_full_while_parquet_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "target"
    target.mkdir()
    spooled = tmp_path / "spooled"
    spooled.write_text(json.dumps(vault()) + "\n")
    real = os.open

    def a_full_device(path: Path, flags: int, mode: int = 0o777, **options: Any) -> int:
        if Path(path).name == "00000.parquet" and flags & os.O_CREAT:
            Path(path).symlink_to("/dev/full")
            return real("/dev/null", os.O_WRONLY)
        return real(path, flags, mode, **options)

    monkeypatch.setattr(os, "open", a_full_device)
    with (
        loading(tmp_path / "tmp") as connection,
        pytest.raises(OutputError, match=r"target: cannot be written: .*check the space"),
    ):
        load(connection, TABLES["vault"], spooled, 0, target=target, aside=tmp_path / "aside")


def test_paths_that_look_like_patterns_are_only_paths(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]*?'x"
    with Spool.create(folder, RUN) as spool:
        put(spool, "vaults", KV, {"vault": [vault()], "tenant": [row("tenant", TENANT.id)]}, assessed(KV, "key.list"))
        made = write(spool, RUN)
    with made.connect(0) as connection:
        assert connection.execute("SELECT count(*) FROM vault").fetchall() == [(1,)]
