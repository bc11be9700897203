"""The services that use a key, certificate or secret, and which of its versions each uses."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; ids are parameters

from collections.abc import Iterator, Mapping
from typing import Any

from keyaudit.inventory.owners import owning
from keyaudit.model.consumers import EXACT, INTERVALS, NOUNS
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.vaults.secret_use import KEEPING
from keyaudit.questions.blast_radius.evidence.graph import rows
from keyaudit.questions.blast_radius.evidence.subject import Subject
from keyaudit.questions.rotation.answer import Consumer, Follows, Kind, Proof, State, Unread, Why
from keyaudit.questions.rotation.evidence.versions import Versions
from keyaudit.questions.rotation.evidence.views import Views

_DISKS = "disk-encryption-set"
_FOLLOWS = {True: Follows.BY_HAND, False: Follows.BY_ITSELF, None: Follows.UNKNOWN}
_COLUMNS = ("consumer_id", "id", "name", "kind", "pinned", "version", "version_in_use", "status", "broken", "unknown")
_COMMON = ", ".join(f"it.{each}" for each in _COLUMNS)
_OF_KEY, _OF_SECRET = owning(TABLES["key_use"]), owning(TABLES["secret_use"])
_QUERY = f"""
    SELECT {_COMMON}, it.key_id, it.moving, NULL AS thumbprint_in_use, {_OF_KEY.names} AS owners, {_OF_KEY.source} AS owned_by
    FROM key_use AS it {_OF_KEY.joins} WHERE list_contains($keys, it.key_id)
    UNION ALL
    SELECT {_COMMON}, NULL, NULL, it.thumbprint_in_use, {_OF_SECRET.names}, {_OF_SECRET.source}
    FROM secret_use AS it {_OF_SECRET.joins} WHERE list_contains($secrets, it.secret_id) AND it.active IS NOT FALSE
    ORDER BY consumer_id, id"""


def services(views: Views, found: Subject, of: Versions) -> Iterator[Consumer]:
    """Every service that is set to encrypt with the key, or to use the secret or the certificate."""
    for row in rows(views.connection, _QUERY, {"keys": sorted(found.key_ids), "secrets": sorted(secrets_of(found, of))}):
        state, why, held, reason = _state(row, of)
        until = _until(row, of) if why is Why.REPORTS_OLD else None
        if until is not None and until > views.as_of:
            state = State.WILL_MOVE
        yield Consumer(
            kind=Kind.SERVICE,
            id=row["consumer_id"],
            name=row["name"] if "/" in (row["name"] or "") else row["consumer_id"].rpartition("/")[2],
            what=row["kind"],
            state=state,
            follows=_FOLLOWS[None if row["kind"] in KEEPING else row["pinned"]],
            why=why,
            proof=Proof.SERVICE if why in (Why.REPORTS_NEW, Why.REPORTS_OLD, Why.REPORTS_OTHER, Why.MOVING) else Proof.SETTING,
            seen_on=views.read_on,
            held=held or "",
            until=until if state is State.WILL_MOVE else None,
            reason=reason,
            key_id=row["key_id"] or "",
            owners=row["owners"] or (),
            owned_by=row["owned_by"] or "",
            broken=(row["status"] or "") if row["broken"] else "",
        )


def secrets_of(found: Subject, of: Versions) -> set[str]:
    """The secrets that services read it as. A certificate is read as the secret of its name."""
    if found.noun == "secret":
        return {found.id}
    if found.noun == "certificate" or of.certified:
        return {key_id.replace("/keys/", "/secrets/", 1) for key_id in found.key_ids}
    return set()


def unnamed(views: Views) -> Iterator[Unread]:
    """The services with a setting that may name any secret, because it could not be read."""
    query = "SELECT kind, consumer_id, unknown['secret_id'] AS reason FROM secret_use WHERE secret_id IS NULL ORDER BY ALL"
    for row in rows(views.connection, query, {}):
        if row["reason"] is not None:
            noun = NOUNS.get(row["kind"], row["kind"])
            yield Unread(what=f"setting of {noun} {row['consumer_id'].rpartition('/')[2]}", reason=Reason(row["reason"]))


def _state(row: Mapping[str, Any], of: Versions) -> tuple[State, Why, str | None, Reason | None]:
    """Where it is, why, the version that this is about, and the reason if that could not be read."""
    names = ("version_in_use", "thumbprint_in_use", "moving", "active", "pinned", "version")
    reasons = [Reason(row["unknown"][name]) for name in names if name in row["unknown"]]
    version, in_use, thumbprint = row["version"], row["version_in_use"], row["thumbprint_in_use"]
    reported = in_use or thumbprint
    is_new = of.is_new(in_use) if in_use else of.digests.get(thumbprint or "")
    if row["pinned"] and version and of.is_new(version) is False:
        return State.NOT_MOVED, Why.NAMES_OLD, version, None
    if reported and is_new is False:
        return State.NOT_MOVED, Why.REPORTS_OLD, reported, None
    if reasons or of.unsure is not None:
        return State.UNKNOWN, Why.UNREAD, reported or version, reasons[0] if reasons else of.unsure
    if reported:
        return *_reported(row, is_new), reported, None
    return *_set(row["kind"], version, pinned=row["pinned"]), version, None


def _reported(row: Mapping[str, Any], is_new: bool | None) -> tuple[State, Why]:
    """The same of a service that reports a version which is not an old one."""
    if row["moving"]:
        return State.WILL_MOVE, Why.MOVING
    if not is_new:
        return State.UNKNOWN, Why.REPORTS_OTHER
    # Its disks move one by one.
    silent = row["kind"] == _DISKS and row["moving"] is None
    return (State.UNKNOWN, Why.ACTIVE_NEW) if silent else (State.MOVED, Why.REPORTS_NEW)


def _set(kind: str, version: str | None, *, pinned: bool) -> tuple[State, Why]:
    """The same of a service that reports no version, and whose setting does not name an old one."""
    if version and pinned:
        return (State.MOVED, Why.NAMES_NEW) if kind in EXACT else (State.UNKNOWN, Why.NAMES_NEW_ONLY)
    return State.UNKNOWN, Why.REPORTS_NOTHING


def _until(row: Mapping[str, Any], of: Versions) -> int | None:
    """By when a service that follows the rotation has the new version, where that is documented."""
    interval = INTERVALS.get(row["kind"])
    if row["pinned"] is not False or interval is None or of.new is None or of.new.created_on is None:
        return None
    return of.new.created_on + interval
