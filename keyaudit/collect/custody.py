"""Reads a YAML file of custody records: who keeps which key, where, since when, and the evidence."""

import hashlib
import re
from pathlib import Path
from typing import Annotated

from msgspec import Struct

from keyaudit.collect.rows import Row
from keyaudit.collect.supplied_file import UnreadError, content
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Scope
from keyaudit.model.custody import Custody, CustodyRecord, Kept
from keyaudit.model.documents.nodes import Members
from keyaudit.model.documents.reader import Reader, Version, day
from keyaudit.model.documents.yaml import YAML
from keyaudit.model.errors import UsageError
from keyaudit.model.tables.custody_record import CUSTODY_RECORD
from keyaudit.model.values.text import one_line

PLACE = "--import custody"
_THUMBPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}", re.ASCII)


class _Record(Struct, kw_only=True):
    at: Members
    of: str
    kept_in: Kept
    owner: str
    recorded_on: Annotated[int, day]
    valid_until: Annotated[int, day]
    evidence: str
    hsm: str | None = None


class _File(Struct):
    version: Version
    records: tuple[_Record, ...]


def custody(path: Path) -> Custody:
    """The records of a file. Raises UsageError with every problem of it, each with its place."""
    reader = Reader(f"{PLACE}: {one_line(str(path), 1024)}", YAML)
    try:
        data = content(path)
    except (UnreadError, ValueError) as error:
        what = error.what if isinstance(error, UnreadError) else "not a path"
        raise UsageError(reader.file, what, "name the file") from error
    found = reader.read(reader.parse(data), _File)
    records = [_read(reader, each) for each in found.records] if found else []
    reader.check()
    return Custody(digest=hashlib.sha256(data).hexdigest(), records=records)


def _read(reader: Reader, record: _Record) -> CustodyRecord:
    if record.valid_until < record.recorded_on:
        what = "valid_until is before recorded_on"
        reader.problem(record.at.members["valid_until"], what, "write the last day on which it is valid")
    plain = re.sub(r"[\s:]", "", record.of).upper()
    return CustodyRecord(
        of=plain if _THUMBPRINT.fullmatch(plain) else record.of.strip().lower().rstrip("/"),
        kept_in=record.kept_in,
        owner=record.owner,
        hsm=record.hsm,
        recorded_on=record.recorded_on,
        valid_until=record.valid_until,
        evidence=record.evidence,
    )


def write_custody(unit: Unit, scope: Scope, found: Custody) -> None:
    """Write a row per record."""
    for number, record in enumerate(found.records):
        id_ = f"{scope.id}/custody_record/{number}"
        row = Row(CUSTODY_RECORD, id=id_, resource_id=id_, scope_id=scope.id, url=PLACE, version="")
        row.put_all(
            name=record.of,
            kept_in=str(record.kept_in),
            owner=record.owner,
            hsm=record.hsm,
            recorded_on=record.recorded_on,
            valid_until=record.valid_until,
            evidence=record.evidence,
        )
        unit.row(CUSTODY_RECORD.name, row.finish())
