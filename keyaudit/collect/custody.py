"""Reads a YAML file of custody records: who keeps which key, where, since when, and the evidence."""

import datetime
import hashlib
import re
from pathlib import Path

import msgspec

from keyaudit.collect.rows import Row
from keyaudit.collect.supplied_file import UnreadError, content
from keyaudit.inventory.files import BROKEN
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Scope
from keyaudit.model.custody import Custody, CustodyRecord, Kept
from keyaudit.model.errors import UsageError
from keyaudit.model.tables.custody_record import CUSTODY_RECORD
from keyaudit.model.text import one_line
from keyaudit.model.times import parse_date

PLACE = "--import custody"
_REMEDY = "write it as keyaudit init --custody begins it"
_MOST = 1024 * 1024
_THUMBPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}", re.ASCII)


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    of: str
    kept_in: Kept
    owner: str
    recorded_on: datetime.date
    valid_until: datetime.date
    evidence: str
    hsm: str | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    records: list[_Record]


def custody(path: Path) -> Custody:
    """The records of a file. Raises UsageError with its place for a record that is not in the form of `init --custody`."""
    place = f"{PLACE}: {one_line(str(path), 1024)}"
    try:
        data = content(path)
    except (UnreadError, ValueError) as error:
        raise UsageError(place, error.what if isinstance(error, UnreadError) else "not a path", "name the file") from error
    if len(data) > _MOST:
        raise UsageError(place, f"more than {_MOST:,} bytes", _REMEDY)
    try:
        found = msgspec.yaml.decode(data, type=_File)
    except BROKEN as error:
        raise UsageError(place, f"not a file of custody records: {one_line(str(error), 300)}", _REMEDY) from error
    if found.version != 1:
        raise UsageError(place, f"version {found.version}", "this is version 1")
    records = [_read(each, f"{place}: record {number}") for number, each in enumerate(found.records, 1)]
    return Custody(digest=hashlib.sha256(data).hexdigest(), records=records)


def _read(record: _Record, place: str) -> CustodyRecord:
    for name in ("of", "owner", "evidence"):
        if not getattr(record, name).strip():
            raise UsageError(place, f"{name} is empty", "say it, or leave the record out")
    if record.valid_until < record.recorded_on:
        raise UsageError(place, "valid_until is before recorded_on", "write the last day on which it counts")
    plain = re.sub(r"[\s:]", "", record.of).upper()
    return CustodyRecord(
        of=plain if _THUMBPRINT.fullmatch(plain) else record.of.strip().lower().rstrip("/"),
        kept_in=record.kept_in,
        owner=record.owner,
        hsm=record.hsm,
        recorded_on=parse_date(record.recorded_on.isoformat()),
        valid_until=parse_date(record.valid_until.isoformat()),
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
