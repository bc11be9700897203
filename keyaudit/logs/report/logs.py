"""The result of an import of logs, as text."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TextIO

from msgspec import Struct
from msgspec.structs import fields
from tabulate import tabulate

from keyaudit.inventory.logs.store import LogStore
from keyaudit.inventory.logs.use import FileRead, SourceRead
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY, iso_date
from keyaudit.report.lines import plural

_UNTOLD = "(no known log)"
_GAPS = 5
"""The maximum number of listed gaps and files; others are counted."""
_FILES = 20
_NAMES = 15
"""The maximum number of named operations of a log."""


class _Counts(Struct):
    received: int = 0
    kept: int = 0
    duplicate: int = 0
    quarantined: int = 0
    ignored: int = 0
    tokens: int = 0

    def add(self, read: SourceRead) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(read, each.name))


def complete(store: LogStore) -> bool:
    """Whether the files were read completely."""
    return all(file.complete and not any(read.quarantined for read in file.sources.values()) for file in store.files)


def render(store: LogStore, place: str, out: TextIO) -> None:
    """Write the kept records by log, days without any, and unreadable places."""
    tenant = f"tenant {store.tenant_id}" if store.tenant_id else "a tenant that no record names"
    out.write(f"{one_line(place)}: {plural(len(store.files), 'file')}, {tenant}\n\n")
    counts: dict[str, _Counts] = {}
    for file in store.files:
        for source, read in file.sources.items():
            counts.setdefault(source, _Counts()).add(read)
    out.write(tabulate(list(_rows(store, counts)), headers=_HEADERS, disable_numparse=True) + "\n")
    gaps = [line for source, days in store.manifest.days.items() for line in _gaps(source, [day for day, _ in days])]
    _section(out, "Days without any event between the first and the last", gaps, _GAPS)
    of_tokens = [f"{source}: {count.tokens:,}" for source, count in sorted(counts.items()) if count.tokens]
    _section(out, "Records with the id of a token", of_tokens, _FILES)
    _section(out, "Other operations, which are not stored", list(_others(store)), _FILES)
    _section(out, "Not read", [line for file in store.files for line in _trouble(file)], _FILES)
    if not complete(store):
        out.write("\nThe import is incomplete: the part that was not read may hide activity.\n")


_HEADERS = ("Log", "From", "To", "Days", "Received", "Kept", "Duplicate", "Other kinds", "Not read")


def _rows(store: LogStore, counts: dict[str, _Counts]) -> Iterator[tuple[str, ...]]:
    for source, count in sorted(counts.items(), key=lambda each: (not each[0], each[0])):
        days = store.manifest.days.get(source, [])
        first, last = (iso_date(days[0][0]), iso_date(days[-1][0])) if days else ("", "")
        numbers = (count.received, count.kept, count.duplicate, count.ignored, count.quarantined)
        yield source or _UNTOLD, first, last, f"{len(days):,}", *(f"{number:,}" for number in numbers)


def _gaps(source: str, days: Sequence[int]) -> Iterator[str]:
    for before, after in itertools.pairwise(days):
        missing = (after - before) // DAY - 1
        if missing == 1:
            yield f"{source}: {iso_date(before + DAY)}"
        elif missing:
            yield f"{source}: {iso_date(before + DAY)} to {iso_date(after - DAY)}, {missing:,} days"


def _others(store: LogStore) -> Iterator[str]:
    """By log, the other operations, the most frequent first."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for file in store.files:
        for source, read in file.sources.items():
            found[source].update(read.others)
    for source, names in sorted(found.items()):
        if names:
            said = ", ".join(f"{one_line(name)} {count:,}" for name, count in names.most_common(_NAMES))
            more = f" and {plural(len(names) - _NAMES, 'more name')}" if len(names) > _NAMES else ""
            yield f"{source}: {said}{more}"


def _trouble(file: FileRead) -> Iterator[str]:
    for each in file.trouble:
        yield f"{one_line(file.file, 1024)}: {one_line(each)}"
    quarantined = sum(read.quarantined for read in file.sources.values())
    shown = len(file.trouble) - (not file.complete)
    if quarantined > shown:
        yield f"{one_line(file.file, 1024)}: and {plural(quarantined - shown, 'more record')}"


def _section(out: TextIO, title: str, lines: Sequence[str], most: int) -> None:
    if not lines:
        return
    out.write(f"\n{title}:\n")
    out.writelines(f"  {line}\n" for line in lines[:most])
    if len(lines) > most:
        out.write(f"  and {plural(len(lines) - most, 'more line')}\n")
