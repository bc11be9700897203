"""The log store: written whole or not at all, verified when it is opened, and asked without a way out of its folder."""

import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from msgspec import structs

from keyaudit.inventory.logs import FileRead, LogStore, SourceRead, Use, open_logs
from keyaudit.inventory.logs.manifest import COLUMNS, FORMAT, WHOLE
from keyaudit.inventory.logs.use import line
from keyaudit.inventory.manifest import sealed
from keyaudit.logs.storing import days, spool, write
from keyaudit.logs.storing.write import Import, write_logs
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.tables.usage import USAGE
from keyaudit.model.values.times import DAY

DAY_ONE = 1_795_500_000 - 1_795_500_000 % DAY
TENANT = "11111111-1111-4111-8111-111111111111"


def use(number: int, **values: object) -> Use:
    given: dict[str, object] = {
        "source": "AZKVAuditLogs",
        "used_on": DAY_ONE + number,
        "operation": "sign",
        "target_kind": "key",
        "succeeded": True,
        "target_id": "https://v.vault.azure.net/keys/k/1",
        "mark": f"{number}",
    }
    return Use(**{**given, **values})  # type: ignore[arg-type]


def read(name: str, **counts: int) -> FileRead:
    whole = SourceRead(received=sum(counts.values()), first_on=DAY_ONE, last_on=DAY_ONE + 9)
    source = structs.replace(whole, **counts)
    return FileRead(file=name, size=1, sha256="0" * 64, form="JSON", complete=True, sources={"AZKVAuditLogs": source})


def records() -> Iterator[Use | FileRead]:
    yield from (use(number) for number in (5, 3, 4))
    yield read("a", kept=3)
    yield use(3)
    yield use(1, target_id=None, unknown={"target_id": "not_supplied"}, throttled=True, resource_id="/Subscriptions/X")
    yield read("b", kept=2, quarantined=1)


def made(folder: Path) -> LogStore:
    return write_logs(
        folder, records(), Import(TENANT, {"AZKVAuditLogs": {"/vaults/v": {DAY_ONE}, "": {DAY_ONE, DAY_ONE + DAY}}})
    )


@pytest.fixture
def store(tmp_path: Path) -> LogStore:
    return made(tmp_path / "logs")


def test_a_use_has_the_columns_of_its_table() -> None:
    given = {"id", "scope_id", "source_url", "source_version"}
    assert {column.name for column in USAGE.stored} - given == set(Use.__struct_fields__) - {
        "unknown",
        "part",
        "mark",
        "throttled",
        "records",
    }


def test_what_is_in_it(store: LogStore) -> None:
    assert (store.tenant_id, open_logs(store.folder).tenant_id) == (TENANT, TENANT)
    with store.connect() as connection:
        described = {name: kind for name, kind, *_ in connection.execute("DESCRIBE usage").fetchall()}
        assert described == COLUMNS["usage"]
        found = connection.execute(
            f"SELECT used_on - {DAY_ONE}, target_id, scope_id, resource_id, source_url, unknown FROM usage"
        ).fetchall()
        key, tenant = "https://v.vault.azure.net/keys/k/1", f"/tenants/{TENANT}"
        assert found == [
            (1, None, "/subscriptions/x", "/Subscriptions/X", "b", {"target_id": "not_supplied"}),
            *((second, key, tenant, tenant, "a", {}) for second in (3, 4, 5)),
        ]
        assert connection.execute("FROM log_day").fetchall() == [
            ("AZKVAuditLogs", DAY_ONE, 4),
            ("AZKVAuditLogs", DAY_ONE + DAY, 0),
        ]
        assert connection.execute("FROM log_file").fetchall() == [
            (0, "a", "AZKVAuditLogs", DAY_ONE, DAY_ONE + 9, 3, 0, 0, True, None, False, None, None),
            (1, "b", "AZKVAuditLogs", DAY_ONE, DAY_ONE + 9, 1, 1, 1, True, None, False, None, None),
        ]
        assert connection.execute("FROM throttled").fetchall() == [(None, DAY_ONE)]
        assert connection.execute("FROM written").fetchall() == [
            ("AZKVAuditLogs", "", DAY_ONE),
            ("AZKVAuditLogs", "", DAY_ONE + DAY),
            ("AZKVAuditLogs", "/vaults/v", DAY_ONE),
        ]


def test_nobody_else_may_read_it(store: LogStore) -> None:
    for path in [store.folder, *store.folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    tables = ["groups", "hours", "mailboxes", "manifest.json", "throttled", "tokens", "usage", "written"]
    assert sorted(path.name for path in store.folder.iterdir()) == tables
    assert [path.name for path in store.folder.parent.iterdir()] == ["logs"]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "SET enable_external_access = true",
        "SET memory_limit = '9GB'",
        "INSTALL httpfs",
        "ATTACH '/tmp/x.db'",
    ],
)
def test_a_query_cannot_leave_the_folder(store: LogStore, statement: str) -> None:
    with store.connect() as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)


def test_every_byte_is_verified(store: LogStore) -> None:
    for path in [path for path in store.folder.rglob("*") if path.is_file()]:
        data = path.read_bytes()
        for place in (0, len(data) // 2, len(data) - 2):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises((UnsafeError, UsageError)):
                open_logs(store.folder).connect().__enter__()
        path.write_bytes(data)
    with open_logs(store.folder).connect():
        pass


@pytest.mark.parametrize(
    ("version", "what"),
    [
        (FORMAT + 1, "a newer format .*; update keyaudit"),
        (FORMAT - 1, "manifest.json: written in an older format .*; import or collect the logs again"),
    ],
)
def test_logs_of_another_format_are_refused(store: LogStore, version: int, what: str) -> None:
    other = structs.replace(store.manifest, format=version)
    (store.folder / "manifest.json").write_bytes(sealed(other))
    with pytest.raises(UsageError, match=what):
        open_logs(store.folder)


def test_what_does_not_belong_to_it_is_refused(store: LogStore) -> None:
    for place in ("x", "usage/00001.parquet", "groups/2026-12.parquet"):
        (store.folder / place).write_bytes(b"")
        with pytest.raises(UnsafeError, match="does not belong"):
            open_logs(store.folder)
        (store.folder / place).unlink()
    (store.folder / "usage" / "2026-11.AZKVAuditLogs.00000.parquet").unlink()
    with pytest.raises(UnsafeError, match="cannot be read: No such file"):
        open_logs(store.folder)


def test_a_file_that_changes_while_it_is_open_is_said(store: LogStore) -> None:
    path = store.folder / "usage" / "2026-11.AZKVAuditLogs.00000.parquet"

    def asked() -> None:
        with store.connect() as connection:
            path.write_bytes(b"PAR1" + bytes(99))
            connection.execute("SELECT max(client) FROM usage").fetchall()

    with pytest.raises(UnsafeError, match="digest differs"):
        asked()


def test_nothing_is_left_of_what_fails(tmp_path: Path) -> None:
    def failing() -> Iterator[Use | FileRead]:
        yield use(1)
        raise UsageError("x", "fails")

    with pytest.raises(UsageError, match="fails"):
        write_logs(tmp_path / "logs", failing(), Import())
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert made(tmp_path / "empty").files
    with pytest.raises(UsageError, match="not empty"):
        made(tmp_path / "empty")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(UsageError, match="not a folder"):
            made(tmp_path / name)
    for name in ("file", "link", "none"):
        with pytest.raises(UsageError):
            open_logs(tmp_path / name)


def test_a_folder_whose_name_is_a_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]*?'"
    with made(folder).connect() as connection:
        assert connection.execute("SELECT count(*) FROM usage").fetchone() == (4,)


def test_no_uses_at_all(tmp_path: Path) -> None:
    store = write_logs(tmp_path / "logs", iter([read("a", ignored=2)]), Import())
    with store.connect() as connection:
        assert connection.execute("SELECT count(*) FROM usage").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM throttled").fetchone() == (0,)
    assert store.tenant_id is None


def test_many_uses_make_the_same_store_and_only_some_wait_as_json(
    store: LogStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 2 * len(line(use(3), 0))
    monkeypatch.setattr(spool, "_FLUSH", 1)
    monkeypatch.setattr(write, "OF_USES", structs.replace(spool.OF_USES, most=most))
    waiting: list[int] = []

    def watched() -> Iterator[Use | FileRead]:
        for record in records():
            yield record
            waiting.extend(path.stat().st_size for path in tmp_path.glob(".many.*.part/spool/uses.jsonl"))

    known = Import(TENANT, {"AZKVAuditLogs": {"/vaults/v": {DAY_ONE}, "": {DAY_ONE, DAY_ONE + DAY}}})
    many = write_logs(tmp_path / "many", watched(), known)
    assert 0 < max(waiting) < most
    # How a table is encoded depends on what DuckDB knows of its source.
    found, expected = (structs.replace(each.manifest, digest="", tables={}) for each in (many, store))
    assert found == expected
    for table in WHOLE:
        with many.connect(tokens=True) as one, store.connect(tokens=True) as other:
            assert one.execute(f"FROM {table}").fetchall() == other.execute(f"FROM {table}").fetchall()


def test_uses_of_any_order_are_found_in_each_of_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spread() -> Iterator[Use | FileRead]:
        for number in range(600):
            yield use(number * 7_919 % 500 * DAY // 4, mark=str(number % 500))
        yield read("a", kept=600)

    def written(name: str) -> LogStore:
        known = Import(TENANT, {"AZKVAuditLogs": {"": {DAY_ONE + day * DAY for day in range(125)}}})
        return write_logs(tmp_path / name, spread(), known)

    # Several periods at a time, of uses that are in one file, or in several.
    monkeypatch.setattr(days, "_PIECE", 10_000)
    one = written("one")
    monkeypatch.setattr(spool, "_FLUSH", 1)
    monkeypatch.setattr(write, "OF_USES", structs.replace(spool.OF_USES, most=10_000))
    many = written("many")
    assert len(one.manifest.parts) > 3
    assert [file.sources["AZKVAuditLogs"].kept for file in many.files] == [500]
    assert one.manifest == many.manifest


def test_rows_of_many_pieces_are_in_the_order_of_time_even_if_most_are_of_one_second(tmp_path: Path) -> None:
    def many() -> Iterator[Use | FileRead]:
        for number in range(90_000):
            # A third of them in one second.
            yield use(max(30_000, number * 7_919 % 90_000), client="x" * 900, mark=str(number))
        yield read("a", kept=90_000)
        yield from (use(30_000, client="x" * 900, mark=str(number)) for number in range(30))
        yield read("b", kept=30)

    known = Import(days={"AZKVAuditLogs": {"": {DAY_ONE, DAY_ONE + DAY}}})
    store = write_logs(tmp_path / "logs", many(), known)
    assert len(list((store.folder / "usage").glob("*.AZKVAuditLogs.*"))) > 1
    first, second = (file.sources["AZKVAuditLogs"] for file in store.files)
    assert (first.duplicate, second.kept + second.duplicate) == (0, 30)
    with store.connect() as connection:
        found = [row for (row,) in connection.execute(f"SELECT used_on - {DAY_ONE} FROM usage").fetchall()]
    assert found == sorted(found)
    assert len(found) == first.kept + second.kept
    assert set(found) == set(range(30_000, 90_000))
