"""The manifest of a snapshot, with a digest of every file, so that truncated, changed or added files are detected."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import structs

from keyaudit.inventory.disk.files import BROKEN
from keyaudit.inventory.ledger import repeated
from keyaudit.model.coverage import Coverage
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.results.bundle import FAMILY
from keyaudit.model.results.run import Run
from keyaudit.model.tables import TABLES, filled
from keyaudit.model.values.text import one_line

FORMAT = 4
"""Increased when an older keyaudit could misread a newer format."""
MAX_MANIFEST = 512 * 1024 * 1024
_REMEDY = "copy the snapshot from its origin, or collect again"


class File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One file: `path` is below the snapshot's folder."""

    path: str
    size: int
    sha256: str


class TableFiles(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A table's files, in the order of ids, with their total. A table without rows has no file."""

    files: tuple[File, ...]
    rows: int
    columns: dict[str, str]
    """The stored columns with their SQL types."""


class Sealed(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A document with its own SHA-256, computed with an empty digest."""

    digest: str


S = TypeVar("S", bound=Sealed)


class Manifest(Sealed):
    """The content of a snapshot."""

    format: int
    run: Run
    tables: dict[str, TableFiles]
    coverage: tuple[Coverage, ...]


class _Version(msgspec.Struct):
    format: int


class _Schema(msgspec.Struct):
    schema: str


def is_bundle(data: bytes) -> bool:
    """Whether it is the manifest of an evidence bundle, of any version."""
    try:
        return msgspec.json.decode(data, type=_Schema).schema.startswith(FAMILY)
    except BROKEN:
        return False


def encode(run: Run, tables: Mapping[str, TableFiles], coverage: tuple[Coverage, ...]) -> bytes:
    """Encodes a manifest in its canonical form."""
    return sealed(Manifest(format=FORMAT, digest="", run=run, tables=dict(tables), coverage=coverage))


def decode(data: bytes, place: str, columns: Mapping[str, Mapping[str, str]]) -> Manifest:
    """The manifest in `data`. Raises UnsafeError unless it is in canonical form, UsageError for another format version.

    `columns` are those that this version reads, by table.
    """
    manifest = unsealed(data, place, Manifest, reads=FORMAT, again="collect again", remedy=_REMEDY)
    if not manifest.run.tenant_id.isprintable():
        raise UnsafeError(place, "damaged or edited: its tenant id has control characters", _REMEDY)
    if repeated(manifest.coverage):
        raise UnsafeError(place, f"two coverage records for {repeated(manifest.coverage)}", _REMEDY)
    # The columns of a table without rows do not matter.
    supplied = filled(manifest.run.evidence)
    there = {name: table.columns for name, table in manifest.tables.items() if table.rows or name in supplied}
    if there != {name: columns[name] for name in supplied}:
        raise UsageError(
            place, f"keyaudit {manifest.run.tool_version} wrote it, with other columns", "use that version, or collect again"
        )
    manifest.tables = {
        name: manifest.tables.get(name) or TableFiles(files=(), rows=0, columns=dict(columns[name])) for name in columns
    }
    check_files(manifest.tables, place, _REMEDY)
    if disagreement := _disagreement(manifest):
        raise UnsafeError(place, f"damaged or edited: {disagreement}", _REMEDY)
    return manifest


def _disagreement(manifest: Manifest) -> str:
    """A contradiction between its parts, in words; empty if there is none."""
    counted, rows = manifest.run.rows, {name: table.rows for name, table in manifest.tables.items()}
    for name in dict.fromkeys((*rows, *counted)):
        there = name in filled(manifest.run.evidence)
        if counted.get(name) != (rows.get(name) if there else None) or (rows.get(name) and not there):
            told = f"{counted[name]:,}" if name in counted else "no"
            return f"the run has {told} rows of the table {name}, and the table {rows.get(name, 0):,}"
    kept = Counter[str]()
    for record in manifest.coverage:
        kept[record.operation] += record.kept
    for name, table in TABLES.items():
        listed = sum(kept[operation] for operation in table.row_for_each)
        if rows[name] < listed:
            return f"its lists have {listed:,} {table.plural}, and the table {name} {rows[name]:,}"
    return ""


def unsealed(data: bytes, place: str, kind: type[S], *, reads: int, again: str, remedy: str) -> S:
    """The document that `sealed` wrote. Raises UnsafeError if it was changed, UsageError unless its `format` is `reads`.

    `again`: how to create an older one again. `remedy`: what to do about a damaged one.
    """
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version != reads:
            age, then = ("a newer", "update keyaudit") if version > reads else ("an older", again)
            raise UsageError(place, f"written in {age} format ({version}; this keyaudit reads {reads})", then)
        found = msgspec.json.decode(data, type=kind)
    except BROKEN as error:
        raise UnsafeError(place, f"damaged, or not of keyaudit: {one_line(str(error))}", remedy) from error
    # A canonical form detects repeated keys, other number formats and trailing bytes.
    if sealed(found) != data:
        raise UnsafeError(place, "damaged or edited: it does not match its own digest", remedy)
    return found


def check_files(tables: Mapping[str, TableFiles], place: str, remedy: str) -> None:
    """Raises UnsafeError unless each table has its own files, and none if it has no rows."""
    for name, table in tables.items():
        expected = [f"{name}/{n:05}.parquet" for n in range(len(table.files))]
        if bool(table.files) != (table.rows > 0) or [file.path for file in table.files] != expected:
            raise UnsafeError(place, f"names files that are not those of the table {name}", remedy)


def sealed(manifest: Sealed) -> bytes:
    """Encodes the document in its canonical form, with its digest."""
    bare = structs.replace(manifest, digest="")
    digest = hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()
    whole = structs.replace(manifest, digest=digest)
    return msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=1) + b"\n"
