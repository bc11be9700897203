"""An output file is complete or absent, private, and never written through a link."""

import errno
import io
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from keyaudit.model.errors import Exit, OutputError
from keyaudit.report import files
from keyaudit.report.files import output_bytes, output_file
from keyaudit.report.formats import FILES, FORMATS
from keyaudit.report.options import Options
from tests.report.example import REPORT


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes: the kernel refuses the write, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_file_is_private_from_the_start(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "out.csv"
    before = os.umask(umask)
    try:
        with output_file(path) as out:
            assert [mode(each) for each in tmp_path.iterdir()] == [0o600]
            out.write("a\r\nb\n")
    finally:
        os.umask(before)
    assert (path.read_bytes(), mode(path)) == (b"a\r\nb\n", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_file_is_replaced_whatever_its_mode_was(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    path.chmod(0o644)
    with output_file(path) as out:
        out.write("new")
        assert path.read_text() == "old"
    assert (path.read_text(), mode(path)) == ("new", 0o600)


@pytest.mark.parametrize("name", FORMATS)
def test_a_disk_that_fills_up_at_any_write_leaves_nothing(tmp_path: Path, name: str) -> None:
    whole = tmp_path / "whole"
    with output_file(whole) as out:
        FORMATS[name](REPORT, out, Options(passes=True))
    size = whole.stat().st_size
    whole.unlink()
    old = tmp_path / "old"
    for room in range(0, size, max(1, size // 12)):
        old.write_text("")
        for path in (tmp_path / "out", old):
            with pytest.raises(OutputError) as raised, room_for(room), output_file(path) as out:
                FORMATS[name](REPORT, out, Options(passes=True))
            assert raised.value.exit is Exit.BUG
            assert str(path) in str(raised.value)
        assert list(tmp_path.iterdir()) == [old]
        assert old.read_text() == ""


_BLOCK = 512


class Filling(io.FileIO):
    """A file on a disk that has room for so many writes."""

    def __init__(self, descriptor: int, room: int) -> None:
        super().__init__(descriptor, "w+b")
        self.room = room

    def write(self, data: Any) -> int:
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(memoryview(data)[:_BLOCK])


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.exhaustive) if each == "html" else each for each in FILES]
)
def test_a_disk_that_fills_up_at_the_nth_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write, opened = FILES[name].writer(name), files._opened

    def failure(room: int) -> OutputError | None:
        def small(path: Path) -> BinaryIO:
            with opened(path) as made:
                return io.BufferedRandom(Filling(os.dup(made.fileno()), room), _BLOCK)

        monkeypatch.setattr(files, "_opened", small)
        try:
            with output_bytes(tmp_path / "out") as out:
                write(REPORT, out)
        except OutputError as error:
            return error
        return None

    room = 0
    while error := failure(room):
        assert (error.exit, "No space left on device" in str(error)) == (Exit.BUG, True)
        assert list(tmp_path.iterdir()) == []
        room += 1
    assert room >= (tmp_path / "out").stat().st_size / _BLOCK > 1


def test_a_disk_without_room_for_what_a_workbook_is_made_of_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "made"))
    (tmp_path / "made").mkdir()
    for room in (0, 2_000, 8_000):
        with pytest.raises(OutputError), room_for(room), output_bytes(tmp_path / "out") as out:
            FILES["xlsx"].writer("xlsx")(REPORT, out)
        assert list(tmp_path.rglob("*")) == [tmp_path / "made"]


def test_whatever_else_goes_wrong_leaves_nothing_either(tmp_path: Path) -> None:
    def interrupted() -> None:
        with output_file(tmp_path / "out") as out:
            out.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_error_of_the_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "out"
    path.write_text("old")

    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, call, broken)
    with pytest.raises(OutputError, match="Input/output error"), output_file(path) as out:
        out.write("new")
    assert (list(tmp_path.iterdir()), path.read_text()) == ([path], "old")


def test_a_folder_that_cannot_be_synced_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, iter((True, False))

    def second_fails(descriptor: int) -> None:
        if not next(calls):
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", second_fails)
    with pytest.raises(OutputError, match="may not be safe on the disk"), output_file(tmp_path / "out") as out:
        out.write("new")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    for link in (tmp_path / "link", tmp_path / "dangling"):
        link.symlink_to(target if link.name == "link" else tmp_path / "nowhere")
        with pytest.raises(OutputError, match="is a link"), output_file(link) as out:
            out.write("x")
        assert link.is_symlink()
    assert (target.read_text(), (tmp_path / "nowhere").exists()) == ("precious", False)


def test_folders_devices_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, Path(os.devnull), tmp_path / "pipe"):
        with pytest.raises(OutputError, match="is not written to"), output_file(path) as out:
            out.write("x")


def test_a_place_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "no" / "out", tmp_path / "file" / "out"):
        with pytest.raises(OutputError, match=r"does not exist|is not a folder"), output_file(path) as out:
            out.write("x")
