"""Errors about a path that is no folder, and about a disk without space."""

from pathlib import Path

import duckdb
import pytest

from keyaudit.inventory.disk.files import need_folder
from keyaudit.inventory.load import first_line
from keyaudit.inventory.logs.store import open_logs
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.inventory.spool import Spool
from keyaudit.model.errors import UsageError

FULL = (
    'IO Error: Async write failed for range [offset=0, size=753]: {"exception_type":"IO","exception_message":'
    '"Could not write file \\"/a/00000.parquet\\": No space left on device","errno":"28"}'
)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (FULL, 'Could not write file "/a/00000.parquet": No space left on device'),
        ("Out of Memory Error: no room\n\nLINE 1: SELECT", "Out of Memory Error: no room"),
        (FULL[:-20], FULL[:-20]),
    ],
)
def test_an_error_of_the_database_is_a_line_for_people(message: str, line: str) -> None:
    assert first_line(duckdb.IOException(message)) == line


@pytest.mark.parametrize("name", ["file", "link", "missing"])
def test_what_is_no_folder_is_called_what_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    what = {"file": "not a folder", "link": "a symlink", "missing": "no such folder"}[name]
    for open_ in (open_snapshot, open_logs, Spool.resume, lambda path: need_folder(path, "name another")):
        with pytest.raises(UsageError, match=f"{name}: {what}; "):
            open_(tmp_path / name)
    need_folder(tmp_path, "")
