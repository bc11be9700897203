"""Writes an evidence bundle: findings, controls, inventory, coverage, waivers, policies, and the manifest over them."""

import csv
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from msgspec import Struct

from keyaudit.model.errors import OutputError
from keyaudit.model.results.bundle import MANIFEST
from keyaudit.model.results.run import Inventory, Report
from keyaudit.model.tables import TABLES
from keyaudit.report import json, markdown
from keyaudit.report.bundle import coverage, policies, waivers
from keyaudit.report.bundle.manifest import (
    CONTROL_FINDINGS,
    CONTROLS,
    COVERAGE,
    FINDINGS,
    INVENTORY,
    POLICIES,
    REPORT,
    SUMMARY,
    WAIVERS,
    File,
)
from keyaudit.report.bundle.manifest import written as manifest
from keyaudit.report.controls import controls, mapped_frameworks
from keyaudit.report.files import as_text, new_file, output_tree
from keyaudit.report.frameworks import control_files
from keyaudit.report.frameworks.control_findings import count_of_profiles
from keyaudit.report.tabular import csv as findings
from keyaudit.report.tabular import listings as inventory


class _Part(Struct, frozen=True):
    """A file of the bundle. `rows`: the required number of rows of a CSV file."""

    path: str
    write: Callable[[BinaryIO], object]
    rows: int | None = None


def write(report: Report, path: Path) -> None:
    """Write it. Raises OutputError if `path` exists, cannot be written, or would be incomplete."""
    with output_tree(path) as folder:
        for name in (INVENTORY, POLICIES):
            (folder / name).mkdir(mode=0o700)
        files = []
        for part in _parts(report):
            with new_file(folder / part.path) as out:
                part.write(out)
            files.append(_described(folder, part, path))
        with new_file(folder / MANIFEST) as out:
            out.write(manifest(report, files))


def _parts(report: Report) -> Iterator[_Part]:
    verdict = report.verdict
    judged = sum(tally.rows for tally in report.tallies) + len(verdict.not_judged)
    yield _text(FINDINGS, lambda out: findings.render(report, out), judged)
    of_controls = sum(len(controls(framework, report)) for framework in mapped_frameworks(report))
    yield _Part(CONTROLS, lambda out: control_files.write_controls(report, out), of_controls)
    yield _Part(CONTROL_FINDINGS, lambda out: control_files.write_findings(report, out), count_of_profiles(report))
    for name in TABLES:
        if report.run.rows.get(name):
            yield _table(report, name)
    yield _text(COVERAGE, lambda out: coverage.render(report, out), len(verdict.coverage) + len(verdict.gaps))
    yield _text(WAIVERS, lambda out: waivers.render(report, out), len(verdict.waivers))
    for policy in report.policies:
        if policy.source:
            yield _bytes(f"{POLICIES}/{policy.text.id}.yaml", policy.source.encode())
    yield _text(f"{POLICIES}/policies.json", lambda out: policies.render(report, out))
    yield _Part(SUMMARY, lambda out: markdown.write(report, out))
    yield _text(REPORT, lambda out: json.render(report, out, passes=True))


def _table(report: Report, name: str) -> _Part:
    def render(out: TextIO) -> None:
        inventory.render(Inventory(report.run, report.verdict, (report.listing(name),)), out, gaps=False)

    return _text(f"{INVENTORY}/{name}.csv", render, report.run.rows[name])


def _text(path: str, render: Callable[[TextIO], object], rows: int | None = None) -> _Part:
    def write(out: BinaryIO) -> None:
        with as_text(out) as text:
            render(text)

    return _Part(path, write, rows)


def _bytes(path: str, data: bytes) -> _Part:
    return _Part(path, lambda out: out.write(data))


def _described(folder: Path, part: _Part, path: Path) -> File:
    """Its entry in the manifest, from the content on disk."""
    with (folder / part.path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    if part.rows is None:
        return File(part.path, size, digest)
    rows, escaped = _counted(folder / part.path)
    if rows != part.rows:
        what = f"would hold {rows:,} rows in {part.path}, where there are {part.rows:,}"
        raise OutputError(str(path), what, "this is a bug in keyaudit, and nothing was written: please report it")
    return File(part.path, size, digest, rows, escaped)


def _counted(path: Path) -> tuple[int, Counter[str]]:
    """The rows of a CSV file, and the number of altered cells by column (`report.cells`)."""
    rows, escaped = 0, Counter[str]()
    with path.open(encoding="utf-8", newline="") as file, _endless_cells():
        lines = csv.reader(file, strict=True)
        names = next(lines)
        for cells in lines:
            rows += 1
            escaped.update(name for name, cell in zip(names, cells, strict=True) if cell[:1] == "'" or "\\" in cell)
    return rows, escaped


@contextmanager
def _endless_cells() -> Iterator[None]:
    """Raises the limit of Python's CSV reader, which is 128 KB per cell."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)
