"""The services that encrypt with a key, and which of its versions each uses."""

from collections.abc import Iterator, Mapping
from typing import Any

from keyaudit.inventory.blast.graph import rows
from keyaudit.inventory.blast.subject import Subject
from keyaudit.inventory.rotation.versions import Versions
from keyaudit.inventory.rotation.views import Views
from keyaudit.model.reasons import Reason
from keyaudit.model.rotation import Consumer, Follows, Kind, Proof, State, Why
from keyaudit.model.times import DAY

_EXACT = frozenset({"sql-server", "sql-managed-instance", "kubernetes"})
"""The services whose setting, with a version, is the version in use: the protector of a SQL server, and the key of a cluster's
key management service. https://learn.microsoft.com/rest/api/sql/encryption-protectors/get"""
_DISKS = "disk-encryption-set"
_INTERVALS = {"storage": DAY}
"""How long a service takes at most to follow a rotation, where that is documented.
https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview: Azure Storage looks for a new version daily.
"""


def services(views: Views, found: Subject, of: Versions) -> Iterator[Consumer]:
    """Every service that is set to encrypt with the key."""
    query = "SELECT * FROM key_use WHERE list_contains($ids, key_id) ORDER BY consumer_id, id"
    for row in rows(views.connection, query, {"ids": sorted(found.key_ids)}):
        state, why, held, reason = _state(row, of)
        until = _until(row, of) if why is Why.REPORTS_OLD else None
        if until is not None and until > views.as_of:
            state = State.WILL_MOVE
        yield Consumer(
            kind=Kind.SERVICE,
            id=row["consumer_id"],
            name=row["consumer_id"].rpartition("/")[2],
            what=row["kind"],
            state=state,
            follows={True: Follows.BY_HAND, False: Follows.BY_ITSELF, None: Follows.UNKNOWN}[row["pinned"]],
            why=why,
            proof=Proof.SERVICE if why in (Why.REPORTS_NEW, Why.REPORTS_OLD) else Proof.SETTING,
            seen_on=views.read_on,
            held=held or "",
            until=until if state is State.WILL_MOVE else None,
            reason=reason,
            key_id=row["key_id"],
        )


def keeping(views: Views, found: Subject) -> Iterator[Consumer]:
    """Every service that keeps a secret of its own in this one, such as an encrypted disk. None says which version."""
    query = """
        SELECT * FROM secret_use WHERE secret_id = $id AND active IS NOT FALSE ORDER BY consumer_id, id"""
    for row in rows(views.connection, query, {"id": found.id}):
        reason = row["unknown"].get("active")
        yield Consumer(
            kind=Kind.SERVICE,
            id=row["consumer_id"],
            name=row["consumer_id"].rpartition("/")[2],
            what=row["kind"],
            state=State.UNKNOWN,
            follows=Follows.UNKNOWN,
            why=Why.UNREAD if reason else Why.REPORTS_NOTHING,
            proof=Proof.SETTING,
            seen_on=views.read_on,
            reason=Reason(reason) if reason else None,
        )


def _state(row: Mapping[str, Any], of: Versions) -> tuple[State, Why, str | None, Reason | None]:
    """Where it is, why, the version that this is about, and the reason if that could not be read."""
    reasons = [Reason(row["unknown"][name]) for name in ("version_in_use", "pinned", "version") if name in row["unknown"]]
    version, reported = row["version"], row["version_in_use"]
    # The key of a disk encryption set that follows the rotation has a version, too: the one that it uses.
    reported = reported or (version if row["kind"] == _DISKS and of.is_new(version) is False else None)
    if row["pinned"] and version and of.is_new(version) is False:
        return State.NOT_MOVED, Why.NAMES_OLD, version, None
    if reported and of.is_new(reported) is False:
        return State.NOT_MOVED, Why.REPORTS_OLD, reported, None
    if reasons or of.unsure is not None:
        return State.UNKNOWN, Why.UNREAD, reported or version, reasons[0] if reasons else of.unsure
    if reported:
        return State.MOVED, Why.REPORTS_NEW, reported, None
    return *_set(row["kind"], version, pinned=row["pinned"]), version, None


def _set(kind: str, version: str | None, *, pinned: bool) -> tuple[State, Why]:
    """The same of a service that reports no version, and whose setting does not name an old one."""
    if version and kind == _DISKS:
        return State.UNKNOWN, Why.ACTIVE_NEW
    if version and pinned:
        return (State.MOVED, Why.NAMES_NEW) if kind in _EXACT else (State.UNKNOWN, Why.NAMES_NEW_ONLY)
    return State.UNKNOWN, Why.REPORTS_NOTHING


def _until(row: Mapping[str, Any], of: Versions) -> int | None:
    """By when a service that follows the rotation has the new version, where that is documented."""
    interval = _INTERVALS.get(row["kind"])
    if row["pinned"] is not False or interval is None or of.new is None or of.new.created_on is None:
        return None
    return of.new.created_on + interval
