"""Logs written to files, imported, and looked at."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct, json

from keyaudit.inventory.logs import FileRead, LogStore, Use
from keyaudit.inventory.logs.use import line
from keyaudit.logs.files.read import read_logs
from keyaudit.logs.storing.write import Import, write_logs
from tests.collect.usage.forms import FORMS

ENCODED: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip in members": lambda text: gzip.compress(text[:999].encode()) + gzip.compress(text[999:].encode()) + b"\0" * 9,
    "gzip of utf-16": lambda text: gzip.compress(b"\xff\xfe" + text.encode("utf-16-le")),
}

_ABSENT: dict[str, Any] = {**dict.fromkeys(Use.__struct_fields__), "unknown": {}, "uses": 1}


def imported(folder: Path, *paths: Path) -> LogStore:
    known = Import()
    return write_logs(folder, read_logs(paths, known), known)


class Read(Struct):
    """What was read of some files: the records as a store would be given them, and what is said of each file."""

    known: Import
    uses: list[Use]
    files: list[FileRead]


def read(*paths: Path) -> Read:
    """The files as they are read, without a store, which takes most of the time of a small import."""
    known = Import()
    records = list(read_logs(paths, known))
    return Read(
        known, [each for each in records if isinstance(each, Use)], [each for each in records if isinstance(each, FileRead)]
    )


def written(folder: Path, form: str, encoded: Callable[[str], bytes] = ENCODED["utf-8"]) -> Path:
    folder.mkdir()
    for name, text in FORMS[form].items():
        (folder / name).write_bytes(encoded(text))
    return folder


def rows(store: LogStore | Read, *, ids: bool = True) -> list[dict[str, Any]]:
    """The rows without what says which file they came from; before they are stored, without those of the tenant either."""
    if isinstance(store, Read):
        return [_ABSENT | json.decode(line(use, 0)) for use in store.uses]
    with store.connect() as connection:
        excluded = "source_url, source_version" + ("" if ids else ", id")
        found = connection.execute(f"SELECT * EXCLUDE ({excluded}) FROM usage ORDER BY ALL")
        names = [name for name, *_ in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def counts(store: LogStore | Read) -> dict[str, int]:
    names = ("received", "kept", "duplicate", "quarantined", "ignored")
    reads = [read for file in store.files for read in file.sources.values()]
    for read in reads:
        assert read.received == read.kept + read.duplicate + read.quarantined + read.ignored
    return {name: sum(getattr(read, name) for read in reads) for name in names}
