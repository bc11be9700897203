"""The uses of a log store in a snapshot: taken over byte for byte, and only as they were when the store was opened."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from keyaudit.inventory.collection_state import same_collection
from keyaudit.inventory.logs import LogStore
from keyaudit.inventory.snapshot import Snapshot, open_snapshot, write
from keyaudit.inventory.spool import Spool
from keyaudit.model.errors import UnsafeError, UsageError
from tests.inventory.sample import AS_OF, RUN, TENANT, assessed, put, row
from tests.logs import store, use

SUPPLIED = structs.replace(RUN, evidence={"logs": "0" * 64})


@pytest.fixture
def logs(tmp_path: Path) -> LogStore:
    return store(tmp_path / "logs", [use(day) for day in range(9)])


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool.create(tmp_path / "out", SUPPLIED) as spool:
        put(spool, "all", TENANT, {"tenant": [row("tenant", TENANT.id)]}, assessed(TENANT, "subscription.list"))
        yield spool


def _uses(snapshot: Snapshot) -> list[tuple[object, ...]]:
    with snapshot.connect(AS_OF) as connection:
        query = "SELECT id, used_on, actor_app_id, target_id FROM usage WHERE succeeded IS NOT NULL ORDER BY used_on"
        return connection.execute(query).fetchall()


def test_they_are_those_of_the_store_and_need_it_no_more(spool: Spool, logs: LogStore) -> None:
    with logs.connect() as connection:
        there = connection.execute("SELECT id, used_on, actor_app_id, target_id FROM usage ORDER BY used_on").fetchall()
    taken = write(spool, SUPPLIED, logs)
    [copy], [original] = (list((folder / "usage").iterdir()) for folder in (taken.folder, logs.folder))
    assert copy.read_bytes() == original.read_bytes()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    original.unlink()
    opened = open_snapshot(taken.folder)
    assert (len(there), _uses(opened), opened.run.rows["usage"]) == (9, there, 9)


def test_a_store_that_changed_since_it_was_opened_is_refused_and_the_collection_can_go_on(
    spool: Spool, logs: LogStore, tmp_path: Path
) -> None:
    [part] = (logs.folder / "usage").iterdir()
    right = part.read_bytes()
    part.write_bytes(right[:-1] + b"x")
    with pytest.raises(UnsafeError, match="changed while it was read"):
        write(spool, SUPPLIED, logs)
    assert not (spool.folder / "manifest.json").exists()
    spool.close()
    part.write_bytes(right)
    with Spool.resume(tmp_path / "out") as again:
        assert len(_uses(write(again, SUPPLIED, logs))) == 9


def test_a_resumed_collection_has_the_same_logs() -> None:
    same_collection(SUPPLIED, SUPPLIED)
    with pytest.raises(UsageError, match="not the file that this collection started with"):
        same_collection(SUPPLIED, structs.replace(RUN, evidence={"logs": "1" * 64}))


def test_a_store_without_a_use_gives_none(spool: Spool, tmp_path: Path) -> None:
    taken = write(spool, SUPPLIED, store(tmp_path / "none", []))
    assert (_uses(taken), open_snapshot(taken.folder).run.rows["usage"]) == ([], 0)
