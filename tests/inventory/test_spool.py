"""What is on disk when a collection stops anywhere, and what the next run makes of it."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyaudit.inventory.collection_state import check_new
from keyaudit.inventory.ledger import BreachError
from keyaudit.inventory.snapshot import write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import State
from keyaudit.model.errors import OutputError, UnsafeError, UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import MAX_SKEW
from tests.inventory.sample import (
    KEY_OPERATIONS,
    RUN,
    TENANT,
    application,
    assessed,
    key,
    put,
    refused,
    vault,
    vault_scope,
)

KV, OTHER = vault_scope("kv"), vault_scope("other")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def begun(out: Path) -> None:
    """A collection in which one vault was read and another was not read completely."""
    with Spool.create(out, RUN) as spool:
        put(spool, "keys", KV, {"key": [key("1"), key("2")]}, assessed(KV, *KEY_OPERATIONS))
        unit = spool.unit("keys", OTHER, KEY_OPERATIONS)
        unit.row("key", key("1", vault="other"))


def test_a_closed_unit_is_kept_and_an_open_one_is_read_again(out: Path) -> None:
    begun(out)
    with Spool.resume(out) as spool:
        assert spool.run == RUN
        assert spool.done("keys", KV)
        assert not spool.done("keys", OTHER)
        assert not spool.done("other surface", KV)
        put(spool, "keys", OTHER, {"key": [key("1", vault="other")]}, assessed(OTHER, *KEY_OPERATIONS))
        made = write(spool, spool.run)
    assert made.run.rows["key"] == 3
    assert {record.state for record in made.coverage} == {State.ASSESSED}


def test_what_no_run_ever_closed_is_in_the_ledger_and_its_rows_are_nowhere(out: Path) -> None:
    begun(out)
    with Spool.resume(out) as spool:
        made = write(spool, spool.run)
    assert made.run.rows["key"] == 2
    open_ = [record for record in made.coverage if record.scope == OTHER]
    assert [record.operation for record in open_] == sorted(KEY_OPERATIONS)
    assert {(record.state, record.reason) for record in open_} == {(State.NOT_ASSESSED, Reason.INTERRUPTED)}


def test_rows_that_were_flushed_before_the_stop_are_dropped(out: Path) -> None:
    with Spool.create(out, RUN) as spool:
        unit = spool.unit("applications", TENANT, ["application.list"])
        for number in range(40):
            unit.row("application", application(str(number), identifier_uris=["x" * 10_000]))
        put(spool, "keys", KV, {"application": [application("last")]}, assessed(KV, *KEY_OPERATIONS))
        assert spool.file("application").stat().st_size > 250_000
    with Spool.resume(out) as spool:
        assert len(list(spool.lines("application"))) == 1
        made = write(spool, spool.run)
    assert made.run.rows["application"] == 1


def test_units_write_between_each_other(out: Path) -> None:
    with Spool.create(out, RUN) as spool:
        units = [spool.unit("keys", scope, KEY_OPERATIONS) for scope in (KV, OTHER)]
        for number in range(40):
            for unit, name in zip(units, ("kv", "other"), strict=True):
                unit.row("key", key(str(number), vault=name, source_url="x" * 20_000))
        for unit, scope in zip(units, (KV, OTHER), strict=True):
            unit.close(assessed(scope, *KEY_OPERATIONS))
        assert len(spool.segments("key")) > 4
        assert write(spool, RUN).run.rows["key"] == 80


@pytest.mark.parametrize("reason", [Reason.INTERRUPTED, Reason.BUDGET])
def test_a_unit_that_was_closed_for_lack_of_time_is_read_again(out: Path, reason: Reason) -> None:
    with Spool.create(out, RUN) as spool:
        put(spool, "keys", KV, {"key": [key("1")]}, [refused(KV, "key.list", reason, State.PARTIAL)])
    with Spool.resume(out) as spool:
        assert not spool.done("keys", KV)
        assert list(spool.lines("key")) == []
        put(spool, "keys", KV, {"key": [key("1")]}, assessed(KV, "key.list"))
        assert write(spool, RUN).coverage == tuple(assessed(KV, "key.list"))


def test_a_refused_unit_is_not_asked_again(out: Path) -> None:
    with Spool.create(out, RUN) as spool:
        put(spool, "keys", KV, {}, [refused(KV, "key.list", Reason.PERMISSION)])
    with Spool.resume(out) as spool:
        assert spool.done("keys", KV)


def test_what_the_disk_lost_of_a_closed_unit_is_read_again(out: Path) -> None:
    begun(out)
    rows = out / "spool" / "key.jsonl"
    whole = rows.read_bytes()
    for damaged in (b"", whole[:-1], bytes(len(whole)), whole.replace(b'"1"', b'"3"')):
        rows.write_bytes(damaged)
        with Spool.resume(out) as spool:
            assert not spool.done("keys", KV)
            assert {record.reason for record in spool.coverage()} == {Reason.INTERRUPTED}
    rows.unlink()
    with Spool.resume(out) as spool:
        assert not spool.done("keys", KV)


def test_a_journal_cut_anywhere_gives_up_units_and_never_invents_one(out: Path) -> None:
    begun(out)
    journal = out / "spool" / "journal.jsonl"
    rows = out / "spool" / "key.jsonl"
    whole, stored = journal.read_bytes(), rows.read_bytes()
    first_close = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    around = {*range(first_close - 3, first_close + 4), *range(len(whole) - 3, len(whole) + 1)}
    for length in sorted({*range(0, len(whole), 13), *around}):
        journal.write_bytes(whole[:length])
        rows.write_bytes(stored)
        with Spool.resume(out) as spool:
            assert spool.done("keys", KV) == (length >= first_close)
            assert len(list(spool.lines("key"))) == (2 if length >= first_close else 0)


def test_a_line_that_cannot_be_read_takes_nothing_else_with_it(out: Path) -> None:
    begun(out)
    journal = out / "spool" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    for garbage in (b"\x00" * 50 + b"\n", b"{}\n", b'{"type":"\xff"}\n', b"[" * 100_000 + b"\n"):
        journal.write_bytes(garbage.join([b"", *lines, b""]))
        with Spool.resume(out) as spool:
            assert spool.done("keys", KV)
            assert {record.scope for record in spool.coverage()} == {KV, OTHER}


def test_the_last_word_on_a_unit_counts(out: Path) -> None:
    begun(out)
    journal = out / "spool" / "journal.jsonl"
    opened = journal.read_bytes().splitlines(keepends=True)[0]
    journal.write_bytes(journal.read_bytes() + opened)
    with Spool.resume(out) as spool:
        assert not spool.done("keys", KV)
        assert list(spool.lines("key")) == []


def test_a_new_line_is_not_glued_to_half_a_line(out: Path) -> None:
    begun(out)
    journal = out / "spool" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-5])
    with Spool.resume(out) as spool:
        put(spool, "keys", OTHER, {}, assessed(OTHER, *KEY_OPERATIONS))
    with Spool.resume(out) as spool:
        assert spool.done("keys", OTHER)
        assert spool.done("keys", KV)


def test_a_write_that_failed_half_way_leaves_nothing_behind(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 100:
            real(descriptor, data[:50])
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    with Spool.create(out, RUN) as spool:
        unit = spool.unit("keys", KV, KEY_OPERATIONS)
        unit.row("key", key("1"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(OutputError, match=r"key\.jsonl: cannot be written: No space left on device; check the space"):
                unit.close(assessed(KV, *KEY_OPERATIONS))
        assert {record.reason for record in spool.coverage()} == {Reason.INTERRUPTED}
        put(spool, "tenant", TENANT, {"key": [key("2")]}, assessed(TENANT, "organization.get"))
        assert [b"/2" in line for line in spool.lines("key")] == [True]
        assert write(spool, RUN).run.rows["key"] == 1


@pytest.mark.usefixtures("no_umask")
def test_only_the_owner_may_read_whatever_the_umask(out: Path) -> None:
    begun(out)
    for path in (out, *out.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_an_empty_folder_with_wider_access_is_narrowed(out: Path) -> None:
    out.mkdir(mode=0o755)
    Spool.create(out, RUN).close()
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_missing_parents_are_made(out: Path) -> None:
    Spool.create(out / "a" / "b", RUN).close()
    assert (out / "a" / "b" / "spool" / "run.json").exists()


def test_a_folder_in_use_for_something_else_is_refused(out: Path) -> None:
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="not an empty folder; collect into another folder"):
        Spool.create(out, RUN)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    with pytest.raises(UsageError, match="nothing was collected here yet; run collect without --resume"):
        Spool.resume(out)


def test_a_file_is_not_a_folder(out: Path) -> None:
    out.write_text("")
    with pytest.raises(UsageError, match="not an empty folder"):
        Spool.create(out, RUN)
    with pytest.raises(UsageError, match="not a folder"):
        Spool.resume(out)


def test_an_unfinished_collection_is_not_begun_again(out: Path) -> None:
    begun(out)
    with pytest.raises(UsageError, match="unfinished collection; continue with collect --resume"):
        Spool.create(out, RUN)


def test_a_folder_that_another_run_writes_to_says_so_before_anything_is_read(out: Path) -> None:
    with Spool.create(out, RUN):
        for begin in (check_new, lambda folder: Spool.create(folder, RUN), Spool.resume):
            with pytest.raises(UsageError, match=rf"another run \(pid {os.getpid()}\) is writing here; wait for it to end"):
                begin(out)
    with pytest.raises(UsageError, match="unfinished collection"):
        check_new(out)


def test_a_lock_of_somebody_else_is_left_alone(out: Path) -> None:
    out.mkdir()
    (out / "lock").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        check_new(out.parent)
    check_new(out)
    assert (out / "lock").read_text() == "mine"


def test_a_finished_collection_is_neither_begun_again_nor_resumed(out: Path) -> None:
    with Spool.create(out, RUN) as spool:
        write(spool, RUN)
    with pytest.raises(UsageError, match="finished collection"):
        Spool.create(out, RUN)
    with pytest.raises(UsageError, match="this collection is complete; read it with report --from"):
        Spool.resume(out)


def test_a_run_stopped_before_it_read_anything_is_begun_again(out: Path) -> None:
    Spool.create(out, RUN).close()
    (out / "spool" / "run.json").unlink()
    (out / "spool" / "run.json.part").write_bytes(b"{")
    with pytest.raises(UsageError, match="nothing was collected here yet"):
        Spool.resume(out)
    with Spool.create(out, RUN) as spool:
        assert spool.coverage() == ()


def test_a_run_stopped_before_its_first_request_is_gone_on_with(out: Path) -> None:
    Spool.create(out, RUN).close()
    with Spool.resume(out) as spool:
        assert spool.coverage() == ()
        put(spool, "keys", KV, {"key": [key("1")]}, assessed(KV, *KEY_OPERATIONS))
        assert write(spool, RUN).run.rows["key"] == 1


def test_rows_of_what_proved_to_be_gone_are_dropped(out: Path) -> None:
    with Spool.create(out, RUN) as spool:
        unit = spool.unit("keys", KV, KEY_OPERATIONS)
        for number in range(40):
            unit.row("key", key(str(number), source_url="x" * 20_000))
        unit.discard()
        unit.row("key", key("kept"))
        unit.close(assessed(KV, *KEY_OPERATIONS))
        assert write(spool, RUN).run.rows["key"] == 1


def test_a_folder_that_cannot_be_made_is_an_output_error(out: Path) -> None:
    out.write_text("")
    with pytest.raises(OutputError, match=r"cannot be written: .*; check the space and permissions"):
        Spool.create(out / "inner", RUN)


@pytest.mark.parametrize("name", ["", "lock", "spool"])
def test_nothing_is_written_through_a_symlink(out: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "precious").write_text("x")
    if name:
        out.mkdir()
    (out / name).symlink_to(target / "precious" if name == "lock" else target)
    with pytest.raises((UsageError, OutputError)):
        Spool.create(out, RUN)
    assert [path.name for path in target.iterdir()] == ["precious"]
    assert (target / "precious").read_text() == "x"


@pytest.mark.parametrize("name", ["spool", "spool/journal.jsonl", "spool/run.json", "spool/key.jsonl", "lock"])
def test_nothing_is_resumed_through_a_symlink(out: Path, tmp_path: Path, name: str) -> None:
    begun(out)
    (out / name).rename(tmp_path / "elsewhere")
    (out / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises((UnsafeError, OutputError)):
        Spool.resume(out)


def test_another_versions_collection_is_not_gone_on_with(out: Path) -> None:
    begun(out)
    path = out / "spool" / "run.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"key_ops":"VARCHAR[]"', b'"key_ops":"VARCHAR"'))
    with pytest.raises(
        UsageError, match=r"started by keyaudit 0\.1\.0, which stores other columns; collect into another folder"
    ):
        Spool.resume(out)
    path.write_bytes(whole[:-1])
    with pytest.raises(UnsafeError, match=r"run\.json: damaged"):
        Spool.resume(out)


def test_a_unit_ends_once(out: Path) -> None:
    with Spool.create(out, RUN) as spool:
        unit = spool.unit("keys", KV, KEY_OPERATIONS)
        with pytest.raises(BreachError, match="no record closes it"):
            unit.close(assessed(KV, "key.list"))
        unit.close(assessed(KV, *KEY_OPERATIONS))
        with pytest.raises(BreachError, match="closed twice"):
            unit.close(assessed(KV, *KEY_OPERATIONS))
        with pytest.raises(BreachError, match="after its unit was closed"):
            unit.row("key", key("1"))
        with pytest.raises(BreachError, match="recorded twice"):
            spool.unit("keys", KV, KEY_OPERATIONS)


def test_hostile_text_gets_into_rows_and_never_into_a_path(out: Path) -> None:
    hostile = "../../\x00\x1b[2J'; DROP TABLE key; --\n\u202e"
    with Spool.create(out, RUN) as spool:
        put(spool, hostile, KV, {"vault": [vault(tags={hostile: hostile}) | {"name": hostile}]}, assessed(KV, *KEY_OPERATIONS))
        made = write(spool, RUN)
    with made.connect(0) as connection:
        assert connection.execute("SELECT name, tags FROM vault").fetchall() == [(hostile, {hostile: hostile})]
    assert {path.name for path in out.iterdir()} == {"manifest.json", "vault"}


def test_a_time_that_cannot_be_right_is_unknown_in_whatever_row_it_came(tmp_path: Path) -> None:
    later = RUN.as_of + MAX_SKEW
    rows = [
        key("skewed", created_on=later),
        key("ahead", created_on=later + 1, updated_on=Reason.PERMISSION),
        key("backwards", activates_on=5, expires_on=4),
    ]
    with Spool.create(tmp_path / "out", RUN) as spool:
        put(spool, "keys", KV, {"key": rows}, assessed(KV, *KEY_OPERATIONS))
        made = {row["version"]: row for row in map(json.loads, spool.lines("key"))}
    assert made["skewed"]["created_on"] == later
    assert "unknown" not in made["skewed"]
    assert "created_on" not in made["ahead"]
    assert made["ahead"]["unknown"] == {"created_on": "bad_value", "updated_on": "permission"}
    assert made["backwards"]["unknown"] == {"activates_on": "bad_value", "expires_on": "bad_value"}


def test_what_happened_while_it_was_read_is_no_contradiction(tmp_path: Path) -> None:
    made_meanwhile = key("1", created_on=RUN.as_of + 3_600)
    with Spool.create(tmp_path / "out", RUN) as spool:
        spool.now = lambda: RUN.as_of + 3_600
        put(spool, "keys", KV, {"key": [made_meanwhile]}, assessed(KV, *KEY_OPERATIONS))
        [row] = map(json.loads, spool.lines("key"))
    assert row["created_on"] == RUN.as_of + 3_600


def test_rows_that_are_put_off_count_until_a_unit_has_settled_them(out: Path) -> None:
    late, never = (application(name, name=Reason.INTERNAL_ERROR) for name in ("late", "never"))
    read = application("late", name="read")
    with Spool.create(out, RUN) as spool:
        unit = spool.unit("applications", TENANT, ("application.list",))
        unit.row("application", application("whole", name="whole"))
        unit.put_off("late", b"1", [("application", late)])
        unit.put_off("never", b"2", [("application", never)])
        unit.close(assessed(TENANT, "application.list"))
        assert _names(spool) == {"whole": "whole", "late": None, "never": None}
        # A part that is not closed settles nothing.
        spool.unit("part 1", TENANT, ()).settle("late", b"3", [("application", read)])
    with Spool.resume(out) as spool:
        assert not spool.settled("late")
        assert _names(spool) == {"whole": "whole", "late": None, "never": None}
        part = spool.unit("part 1", TENANT, ())
        part.settle("late", b"3", [("application", read)])
        part.close(())
        assert spool.settled("late")
        assert not spool.settled("never")
    with Spool.resume(out) as spool:
        assert _names(spool) == {"whole": "whole", "late": "read", "never": None}
        assert [list(spool.lines(notes)) for notes in ("put_off", "read_later")] == [[b"1", b"2"], [b"3"]]


def _names(spool: Spool) -> dict[str, str | None]:
    """By its own name, the name in the row of each application that counts."""
    rows = (json.loads(line) for line in spool.lines("application"))
    return {row["id"].rpartition("/")[2]: row.get("name") for row in rows}
