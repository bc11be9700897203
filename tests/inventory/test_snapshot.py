"""A snapshot is whole and untouched, or it is refused with one line that says where and what to do."""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec
import pytest
from msgspec import structs

from keyaudit.inventory.manifest import FORMAT
from keyaudit.inventory.snapshot import open_snapshot, write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Coverage
from keyaudit.model.errors import AuditError, OutputError, UnsafeError, UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import filled
from tests.inventory.sample import (
    AS_OF,
    KEY_OPERATIONS,
    RUN,
    TENANT,
    assessed,
    key,
    put,
    refused,
    row,
    snapshot,
    vault,
    vault_scope,
)

KV = vault_scope("kv")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "out"
    rows = {
        "key": [key("1"), key("2", enabled=Reason.PERMISSION)],
        "vault": [vault()],
        "tenant": [row("tenant", TENANT.id) | {"name": "Contoso Ltd"}],
    }
    snapshot(folder, rows, {KV: [*assessed(KV, "key.list"), refused(KV, "key.get", Reason.PERMISSION)]})
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def test_what_was_written_is_what_is_opened(whole: Path) -> None:
    opened = open_snapshot(whole)
    counts = {name: {"key": 2, "vault": 1, "tenant": 1}.get(name, 0) for name in filled(())}
    assert opened.run == structs.replace(RUN, tenant_name="Contoso Ltd", rows=counts)
    assert opened.coverage == (refused(KV, "key.get", Reason.PERMISSION), *assessed(KV, "key.list"))


def test_a_tenant_that_was_not_read_has_no_name(tmp_path: Path) -> None:
    assert snapshot(tmp_path / "out", {}, {}).run.tenant_name == ""


def test_only_the_owner_may_read_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        snapshot(tmp_path / "out", {"key": [key("1")]}, {KV: assessed(KV, "key.list")})
    finally:
        os.umask(before)
    for path in (tmp_path / "out", *(tmp_path / "out").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_nothing_but_the_snapshot_is_left(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == {"manifest.json", "tenant", "vault", "key"}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_no_flipped_bit_goes_unseen(copy: Path) -> None:
    # A prime step, and every byte at both ends: where formats keep their magic, lengths and last digits.
    for path in _files(copy):
        data = bytearray(path.read_bytes())
        ends = [*range(12), *range(len(data) - 12, len(data))]
        for place in {*ends, *range(0, len(data), 101)}:
            data[place] ^= 1 << (place % 8)
            path.write_bytes(data)
            with pytest.raises((UnsafeError, UsageError)):
                open_snapshot(copy)
            data[place] ^= 1 << (place % 8)
        path.write_bytes(data)
    open_snapshot(copy)


def test_no_cut_or_addition_goes_unseen(copy: Path) -> None:
    for path in _files(copy):
        whole = path.read_bytes()
        for changed in (b"", whole[:1], whole[: len(whole) // 2], whole[:-1], whole + b"\n", whole + b"\x00", whole * 2):
            path.write_bytes(changed)
            with pytest.raises(UnsafeError, match="; "):
                open_snapshot(copy)
        path.unlink()
        with pytest.raises((UnsafeError, UsageError)):
            open_snapshot(copy)
        path.write_bytes(whole)
    open_snapshot(copy)


@pytest.mark.parametrize("extra", ["notes.txt", "key/00001.parquet", "key/.hidden", "other/x"])
def test_what_does_not_belong_is_refused(copy: Path, extra: str) -> None:
    (copy / extra).parent.mkdir(exist_ok=True)
    (copy / extra).write_text("")
    with pytest.raises(UnsafeError, match=r"does not belong to this snapshot; remove it, or collect again"):
        open_snapshot(copy)


@pytest.mark.parametrize("name", ["manifest.json", "key/00000.parquet", "key"])
def test_a_symlink_is_refused(copy: Path, tmp_path: Path, name: str) -> None:
    (copy / name).rename(tmp_path / "elsewhere")
    (copy / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeError):
        open_snapshot(copy)


def test_the_folder_itself_is_named(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(copy)
    for path, what in (
        (tmp_path / "link", "a symlink"),
        (tmp_path / "nowhere", "no such folder"),
        (copy / "manifest.json", "not a folder"),
    ):
        with pytest.raises(UsageError, match=f"{what}; name the folder that collect wrote to"):
            open_snapshot(path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
@pytest.mark.parametrize("name", ["manifest.json", "key/00000.parquet"])
def test_only_regular_files_are_read(copy: Path, name: str, make: Callable[[Path], None]) -> None:
    (copy / name).unlink()
    make(copy / name)
    with pytest.raises(UnsafeError, match="not a regular file"):
        open_snapshot(copy)


def test_a_table_that_is_a_file_is_refused(copy: Path) -> None:
    shutil.rmtree(copy / "vault")
    (copy / "vault").write_text("")
    with pytest.raises(UnsafeError, match="vault: missing, or not a folder"):
        open_snapshot(copy)


def test_an_unfinished_or_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with Spool.create(tmp_path / "out", RUN) as spool:
        put(spool, "keys", KV, {}, assessed(KV, *KEY_OPERATIONS))
    with pytest.raises(UsageError, match="this collection was not finished; continue with collect --resume"):
        open_snapshot(tmp_path / "out")
    with pytest.raises(UsageError, match="holds no snapshot; name the folder that collect wrote to"):
        open_snapshot(tmp_path)


def test_what_a_kill_after_the_last_step_leaves_does_no_harm(copy: Path) -> None:
    (copy / "spool").mkdir()
    (copy / "spool" / "key.jsonl").write_text("{}")
    (copy / "lock").write_text("1\n")
    (copy / "tmp-1-ab").mkdir()
    open_snapshot(copy)
    with pytest.raises(UsageError, match="this collection is complete"):
        Spool.resume(copy)
    assert not (copy / "spool").exists()
    assert not (copy / "lock").exists()


def _sealed(value: dict[str, object]) -> bytes:
    """A forged manifest: its own digest is right."""
    value["digest"] = ""
    value["digest"] = hashlib.sha256(msgspec.json.encode(value)).hexdigest()
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _version(number: object) -> Callable[[dict[str, object]], dict[str, object]]:
    return lambda manifest: manifest | {"format": number}


def _first_column_gone(manifest: dict[str, object]) -> dict[str, object]:
    tables = json.loads(json.dumps(manifest["tables"]))
    tables["key"]["columns"].pop("key_ops")
    return manifest | {"tables": tables}


def _path(path: str) -> Callable[[dict[str, object]], dict[str, object]]:
    def change(manifest: dict[str, object]) -> dict[str, object]:
        tables = json.loads(json.dumps(manifest["tables"]))
        tables["key"]["files"][0]["path"] = path
        return manifest | {"tables": tables}

    return change


def _no_files(manifest: dict[str, object]) -> dict[str, object]:
    tables = json.loads(json.dumps(manifest["tables"]))
    tables["key"]["files"] = []
    return manifest | {"tables": tables}


def _coverage(change: dict[str, object]) -> Callable[[dict[str, object]], dict[str, object]]:
    def changed(manifest: dict[str, object]) -> dict[str, object]:
        records = json.loads(json.dumps(manifest["coverage"]))
        records[0] |= change
        return manifest | {"coverage": records}

    return changed


def _rows(change: dict[str, object]) -> Callable[[dict[str, object]], dict[str, object]]:
    def changed(manifest: dict[str, object]) -> dict[str, object]:
        run = json.loads(json.dumps(manifest["run"]))
        return manifest | {"run": run | {"rows": run["rows"] | change}}

    return changed


def _kept(number: int) -> Callable[[dict[str, object]], dict[str, object]]:
    """The list of keys says that it kept so many."""

    def changed(manifest: dict[str, object]) -> dict[str, object]:
        records = json.loads(json.dumps(manifest["coverage"]))
        [listed] = [record for record in records if record["operation"] == "key.list"]
        listed |= {"received": number, "kept": number}
        return manifest | {"coverage": records}

    return changed


def _of_tenant(id_: str) -> Callable[[dict[str, object]], dict[str, object]]:
    def changed(manifest: dict[str, object]) -> dict[str, object]:
        return manifest | {"run": json.loads(json.dumps(manifest["run"])) | {"tenant_id": id_}}

    return changed


def _twice(manifest: dict[str, object]) -> dict[str, object]:
    records = json.loads(json.dumps(manifest["coverage"]))
    return manifest | {"coverage": [*records, records[0]]}


FORGED: list[tuple[Callable[[dict[str, object]], dict[str, object]], type[AuditError], str]] = [
    (_version(FORMAT + 1), UsageError, "newer format .*; update keyaudit"),
    (_version(0), UsageError, "older format .*; collect again"),
    (_version("1"), UnsafeError, "Expected `int`, got `str`"),
    (_version(None), UnsafeError, "damaged, or not of keyaudit"),
    (_first_column_gone, UsageError, r"keyaudit 0\.1\.0 wrote it, with other columns; use that version"),
    (_path("../../etc/passwd"), UnsafeError, "names files that are not those of the table key"),
    (_path("/etc/passwd"), UnsafeError, "names files"),
    (_path("vault/00000.parquet"), UnsafeError, "names files"),
    (_no_files, UnsafeError, "names files"),
    (_coverage({"state": "assessed"}), UnsafeError, "assessed with reason permission"),
    (_coverage({"received": 5}), UnsafeError, "items do not add up"),
    (_coverage({"reason": "bored"}), UnsafeError, "Invalid enum value 'bored'"),
    (_coverage({"kept": "5"}), UnsafeError, "Expected `int`"),
    (_rows({"key": 3}), UnsafeError, "damaged or edited: the run has 3 rows of the table key, and the table 2"),
    (_rows({"secret": 1}), UnsafeError, "the run has 1 rows of the table secret, and the table 0"),
    (_kept(3), UnsafeError, "damaged or edited: its lists have 3 key versions, and the table key 2; copy the snapshot"),
    (_twice, UnsafeError, "two coverage records for key.get on "),
    (_of_tenant("a\x01vault\x01"), UnsafeError, "its tenant id has control characters"),
    (lambda manifest: manifest | {"extra": 1}, UnsafeError, "unknown field `extra`"),
    (lambda manifest: {name: value for name, value in manifest.items() if name != "run"}, UnsafeError, "required field `run`"),
]


@pytest.mark.parametrize(("change", "error", "message"), FORGED)
def test_a_manifest_with_a_right_digest_is_still_held_to_its_form(
    copy: Path, change: Callable[[dict[str, object]], dict[str, object]], error: type[AuditError], message: str
) -> None:
    path = copy / "manifest.json"
    path.write_bytes(_sealed(change(json.loads(path.read_bytes()))))
    with pytest.raises(error, match=message):
        open_snapshot(copy)


def test_a_list_may_have_kept_fewer_keys_than_there_are_versions(copy: Path) -> None:
    path = copy / "manifest.json"
    path.write_bytes(_sealed(_kept(2)(json.loads(path.read_bytes()))))
    open_snapshot(copy)


HOSTILE = {
    "empty": b"",
    "null": b"null",
    "a list": b"[]",
    "nesting": b"[" * 200_000,
    "nesting where the format stands": b'{"format":' + b"[" * 200_000,
    "nesting in an unknown member": b'{"x":' + b"[" * 200_000,
    "a number of 5,000 digits": b'{"format":' + b"9" * 5000 + b"}",
    "NaN": b'{"format":NaN}',
    "not UTF-8": b'{"format":%d,"\xff":1}' % FORMAT,
    "a lone surrogate": b'{"format":%d,"\\ud800":1}' % FORMAT,
    "spaces": b" " * 1_000_000,
    "UTF-16": "{}".encode("utf-16"),
    "pickle": b"\x80\x04\x95\x00\x00\x00\x00.",
    "zip": b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_manifest_is_one_line_of_error(copy: Path, data: bytes) -> None:
    (copy / "manifest.json").write_bytes(data)
    with pytest.raises(UnsafeError) as caught:
        open_snapshot(copy)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_doubled_key_does_not_hide_the_first(copy: Path) -> None:
    path = copy / "manifest.json"
    data = path.read_bytes()
    version = b'"format": %d' % FORMAT
    for name, value in ((b'"state": "not_assessed"', b'"state": "assessed"'), (version, version)):
        assert name in data
        path.write_bytes(data.replace(name, value + b",\n " + name, 1))
        with pytest.raises(UnsafeError, match="does not match its own digest"):
            open_snapshot(copy)


def test_a_manifest_too_large_to_be_one_is_not_read(copy: Path) -> None:
    with (copy / "manifest.json").open("r+b") as file:
        file.truncate(10 * 1024**3)
    with pytest.raises(UnsafeError, match="10,737,418,240 bytes, where"):
        open_snapshot(copy)


def _forge(folder: Path, name: str, data: bytes, rows: int | None = None) -> None:
    """Puts `data` in a file's place and makes the manifest agree."""
    (folder / name).write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    table = manifest["tables"][name.partition("/")[0]]
    table["files"][0] |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest["run"]["rows"][name.partition("/")[0]] = table["rows"] = table["rows"] if rows is None else rows
    (folder / "manifest.json").write_bytes(_sealed(manifest))


def test_a_forged_file_must_still_hold_what_the_manifest_says(copy: Path) -> None:
    vaults, keys = (copy / "vault/00000.parquet").read_bytes(), (copy / "key/00000.parquet").read_bytes()
    for data, rows in ((b"PAR1" + bytes(50) + b"PAR1", None), (b"id,name\n1,2\n", None), (vaults, None), (keys, 3)):
        _forge(copy, "key/00000.parquet", data, rows)
        opened = open_snapshot(copy)
        with pytest.raises(UnsafeError, match=r"key: (not readable Parquet|does not hold the columns and rows)"):
            opened.connect(AS_OF)
    _forge(copy, "key/00000.parquet", keys, 2)
    open_snapshot(copy).connect(AS_OF).close()


def _spoil_and_read(connection: duckdb.DuckDBPyConnection, path: Path, damage: str) -> None:
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"PAR1" + bytes(len(whole) - 4))
    connection.execute("SELECT * FROM key").fetchall()


@pytest.fixture
def _read_from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is as one that is too large to be read once and for all."""
    monkeypatch.setattr("keyaudit.inventory.views.SMALL", 0)
    monkeypatch.setattr("keyaudit.inventory.engine_choice.FEW", 0)


@pytest.mark.usefixtures("_read_from_files")
@pytest.mark.parametrize("damage", ["gone", "cut", "overwritten"])
def test_a_file_damaged_while_it_is_judged_is_not_taken_for_a_bug(copy: Path, damage: str) -> None:
    refused = pytest.raises(UnsafeError, match=r"key/00000\.parquet: (cannot be read|damaged or edited)")
    with refused, open_snapshot(copy).judging(AS_OF) as connection:
        _spoil_and_read(connection, copy / "key/00000.parquet", damage)


@pytest.mark.usefixtures("_read_from_files")
def test_forged_pages_behind_a_sound_description_are_refused_and_our_own_mistakes_are_not(copy: Path) -> None:
    whole = (copy / "key/00000.parquet").read_bytes()
    _forge(copy, "key/00000.parquet", whole[:4] + b"\xff" * 60 + whole[64:])
    refused = pytest.raises(UnsafeError, match="contains unreadable Parquet")
    with refused, open_snapshot(copy).judging(AS_OF) as connection:
        connection.execute("SELECT * FROM key").fetchall()
    with pytest.raises(duckdb.Error, match="nowhere"), open_snapshot(copy).judging(AS_OF) as connection:
        connection.execute("SELECT * FROM nowhere")


def test_a_disk_that_fills_up_at_the_last_step_leaves_a_collection_to_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).name == "manifest.json":
            raise OSError(28, "No space left on device")
        real(source, target)

    with Spool.create(tmp_path / "out", RUN) as spool:
        put(spool, "keys", KV, {"key": [key("1")]}, assessed(KV, *KEY_OPERATIONS))
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", full)
            with pytest.raises(OutputError, match=r"manifest\.json: cannot be written: No space left on device"):
                write(spool, RUN)
    with pytest.raises(UsageError, match="not finished"):
        open_snapshot(tmp_path / "out")
    with Spool.resume(tmp_path / "out") as spool:
        assert spool.done("keys", KV)
        assert write(spool, spool.run).run.rows["key"] == 1
    open_snapshot(tmp_path / "out")


def test_leftovers_of_an_attempt_to_write_do_not_get_in(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Spool.create(out, RUN) as spool:
        put(spool, "keys", KV, {"key": [key("1")]}, assessed(KV, *KEY_OPERATIONS))
        (out / "key").mkdir()
        (out / "key" / "00007.parquet").write_text("old")
        (tmp_path / "elsewhere").mkdir()
        (out / "vault").symlink_to(tmp_path / "elsewhere")
        write(spool, RUN)
    assert open_snapshot(out).run.rows["key"] == 1
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_hostile_name_in_coverage_survives_as_text(tmp_path: Path) -> None:
    scope = vault_scope("kv")
    record = Coverage(
        scope=type(scope)(scope.id, "\x1b[2J'\"\x00\u202e##vso[x]", scope.kind),
        operation="key.list",
        state=assessed(KV, "key.list")[0].state,
        detail="\n::error::",
    )
    snapshot(tmp_path / "out", {}, {record.scope: [record]})
    opened = open_snapshot(tmp_path / "out")
    assert opened.coverage == (record,)
    with opened.connect(0) as connection:
        assert connection.execute("SELECT scope_name, detail FROM coverage").fetchall() == [(record.scope.name, record.detail)]
    assert TENANT.id not in str(opened.coverage)
