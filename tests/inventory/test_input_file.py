"""A file is read, or the reason why not is said: never waited for, and never taken for one that is not there."""

import os
from pathlib import Path

import pytest

from keyaudit.inventory.disk.input_file import is_there, read
from keyaudit.model.errors import UsageError
from tests.obstacles import OBSTACLES


def test_what_is_no_file_is_there_and_cannot_be_read(tmp_path: Path) -> None:
    for name, (make, what) in OBSTACLES.items():
        path = tmp_path / name
        make(path)
        assert is_there(path), name
        with pytest.raises(UsageError, match=what):
            read(path, 10)


def test_a_file_and_a_link_to_one_are_read_up_to_the_limit_and_one_byte_more(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    (tmp_path / "link").symlink_to(file)
    for path in (file, tmp_path / "link"):
        assert is_there(path)
        assert (read(path, 10), read(path, 4)) == (b"0123456789", b"01234")


def test_what_is_missing_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "none", tmp_path / "none" / "below", tmp_path / "file" / "below"):
        assert not is_there(path)
        with pytest.raises(UsageError, match="cannot be read: "):
            read(path, 10)


def test_a_file_in_a_folder_that_must_not_be_searched_may_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "lstat", refuse)
    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(Path, "lstat", refuse)
    monkeypatch.setattr(Path, "stat", refuse)
    there = is_there(tmp_path / "file")
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        read(tmp_path / "file", 10)
    monkeypatch.undo()
    assert there
