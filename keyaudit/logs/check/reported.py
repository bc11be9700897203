"""The record of new applications that earlier checks reported, so that the same one is reported once and then counted.

Nothing is hidden by it: what is counted is listed with the days of the check that reported it first. It is reported again if it
is more severe than before, if the days are not later than those of that check (which may have been interrupted, or have lacked
logs that came late), and a month later. Changes of access and copies of keys are always reported, since each is a new event;
and so is everything that an announcement does not cover either.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import structs

from keyaudit.inventory.disk import files
from keyaudit.inventory.manifest import Sealed, sealed, unsealed
from keyaudit.model.errors import UnsafeError
from keyaudit.model.severity import Severity
from keyaudit.model.usage import OF_NEW_APP, Unusual, Window
from keyaudit.model.values.times import DAY, iso_date, parse_date

FORMAT = 1
"""Increased when an older keyaudit could misread a newer format."""
LASTS = 30 * DAY
"""After so long, an application that nobody announced is reported again."""
MAX_SIZE = 64 * 1024 * 1024
_AGAIN = "remove it: what it names is then reported again"
_REPEATED = (
    "sign",
    "verify",
    "encrypt",
    "decrypt",
    "wrap",
    "unwrap",
    "read-secret",
    "list",
    "read-mail",
    "send-mail",
    "sign-in",
)
"""Operations that an application at work repeats. Any other one is an event of its own each time."""


class _Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    target_kind: str
    target: str
    operation: str
    app_id: str
    severity: Severity
    until: str
    """The last day of the check that reported it first."""

    @property
    def key(self) -> tuple[str, ...]:
        return self.target_kind, self.target, self.operation, self.app_id

    @property
    def ends(self) -> int:
        return parse_date(self.until) + DAY


class _Head(Sealed):
    format: int
    tenant_id: str | None
    entries: list[_Entry]


class Reported(msgspec.Struct, frozen=True):
    """The record of earlier checks of one tenant; without entries before the first one."""

    tenant_id: str | None = None
    entries: tuple[_Entry, ...] = ()


def read_reported(path: Path) -> Reported:
    """The record in a file, without entries if there is no such file.

    Raises UnsafeError if it was edited or is not such a record, UsageError for another format version.
    """
    if not path.exists():
        return Reported()
    place = files.shown(path)
    head = unsealed(files.read(path, MAX_SIZE), place, _Head, reads=FORMAT, again=_AGAIN, remedy=_AGAIN)
    try:
        _ = [each.ends for each in head.entries]
    except ValueError as error:
        raise UnsafeError(place, "damaged: it has a day that is none", _AGAIN) from error
    return Reported(head.tenant_id, tuple(head.entries))


def write_reported(record: Reported, path: Path) -> None:
    """Replaces the file at once. Raises OutputError where the disk refuses."""
    head = _Head(digest="", format=FORMAT, tenant_id=record.tenant_id, entries=list(record.entries))
    files.replace(path, sealed(head))


def counted(findings: Sequence[Unusual], record: Reported, window: Window) -> list[Unusual]:
    """The findings, each that an earlier check reported with the last day of that check."""
    known = {entry.key: entry for entry in record.entries}
    return [_compared(found, known.get(_key(found)), window) for found in findings]


def added(record: Reported, tenant_id: str | None, findings: Sequence[Unusual], window: Window) -> Reported:
    """The record with the findings that this check reports. Entries that have lapsed are left out."""
    kept = {entry.key: entry for entry in record.entries if window.until < entry.ends + LASTS}
    for found in findings:
        if found.accepted is None and found.reported_until is None and _is_at_work(found):
            before = kept.get(_key(found))
            until = min(window.until, before.ends) if before else window.until
            kept[_key(found)] = _Entry(*_key(found), severity=found.severity, until=iso_date(until - DAY))
    return Reported(tenant_id or record.tenant_id, tuple(kept[key] for key in sorted(kept)))


def _key(found: Unusual) -> tuple[str, str, str, str]:
    return found.target_kind, found.target, found.operation, found.app_id


def _is_at_work(found: Unusual) -> bool:
    return found.operation in _REPEATED and all(why.kind in OF_NEW_APP for why in found.why)


def _compared(found: Unusual, entry: _Entry | None, window: Window) -> Unusual:
    if entry is None or found.accepted is not None or not _is_at_work(found) or found.severity.rank > entry.severity.rank:
        return found
    if entry.ends < window.until < entry.ends + LASTS:
        return structs.replace(found, reported_until=entry.ends)
    return found
