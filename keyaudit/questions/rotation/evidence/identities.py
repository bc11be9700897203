"""The applications that sign in with an old or the new credential."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; digests and ids are parameters

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from keyaudit.inventory.owners import called, owner_of, owning
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.tables import TABLES
from keyaudit.questions.blast_radius.evidence.graph import rows
from keyaudit.questions.blast_radius.evidence.subject import DOUBT, SAME, Subject
from keyaudit.questions.rotation.answer import Consumer, Follows, Kind, Logged, Proof, State, Version, Why
from keyaudit.questions.rotation.evidence.logs import judged, recent, sign_ins
from keyaudit.questions.rotation.evidence.versions import Versions
from keyaudit.questions.rotation.evidence.views import Views

_HOLDERS = {"application": "app", "service_principal": "sp"}
_DIGESTS = ("thumbprint_sha256", "public_key_sha256")
_KINDS = {"password": "client secret", "certificate": "certificate", "symmetric-key": "symmetric key"}


class Held(Struct, frozen=True, kw_only=True):
    """The active credentials of one application or service principal that take part in the rotation."""

    app: str
    name: str
    new: Sequence[Mapping[str, Any]]
    old: Sequence[Mapping[str, Any]]
    reason: Reason | None
    """Why it is unknown which are which."""


def held(views: Views, found: Subject, of: Versions) -> list[Held]:
    """The applications with a credential of the subject, in the order of their names.

    In a vault the versions say which credential is new. Elsewhere the newest credential of an application replaces those that
    were asked for; if that is the one that was asked for, it replaces all others.
    """
    query = f"""
        SELECT id, kind, key_id, holder_kind, holder_type, holder_id, holder_name, app_id, starts_on, thumbprint_sha256,
            public_key_sha256, (list_contains($ids, id) OR {SAME}) AS asked,
            lower(app_id) IN (SELECT app_id FROM blueprint) AS blueprint,
            coalesce(CASE WHEN list_contains($ids, id) THEN NULL ELSE {DOUBT} END,
                CASE WHEN expires_on IS NULL THEN unknown['expires_on'] END, unknown['usage'], unknown['app_id'],
                unknown['key_id'], unknown['kind']) AS doubt
        FROM held_credential
        WHERE kind IS DISTINCT FROM 'federated' AND usage IS DISTINCT FROM 'Sign'
            AND (expires_on IS NULL OR expires_on > $as_of)
        ORDER BY holder_name, starts_on DESC, id"""
    by_app: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows(views.connection, query, found.digests(ids=found.credentials) | {"as_of": views.as_of}):
        by_app.setdefault((row["app_id"] or row["holder_id"]).lower(), []).append(row)
    if found.noun == "application":
        # Another application with the same certificate is not affected by what this one registers.
        by_app = {app: each for app, each in by_app.items() if app == found.id}
    divided = _by_version if found.key_ids else _by_age
    return [divided(app, each, of) for app, each in by_app.items() if any(row["asked"] for row in each)]


def _by_version(app: str, found: Sequence[Mapping[str, Any]], of: Versions) -> Held:
    taking_part = [row for row in found if row["asked"]]
    is_new = [_is_new(row, of) for row in taking_part]
    reasons = [row["doubt"] for row in taking_part if row["doubt"]]
    if of.unsure is not None:
        reasons.append(of.unsure)
    elif of.new is not None and None in is_new:
        # The same certificate, or another one on a key that both versions have.
        reasons.append(Reason.NOT_STATED)
    return Held(
        app=app,
        name=found[0]["holder_name"] or app,
        new=[row for row, new in zip(taking_part, is_new, strict=True) if new],
        old=[row for row, new in zip(taking_part, is_new, strict=True) if not new],
        reason=Reason(reasons[0]) if reasons else None,
    )


def _is_new(row: Mapping[str, Any], of: Versions) -> bool | None:
    exact = of.digests.get(row["thumbprint_sha256"])
    return of.digests.get(row["public_key_sha256"]) if exact is None else exact


def digests(found: Sequence[Held]) -> dict[str, bool]:
    """As in `Versions.digests`, for credentials that no vault has."""
    new = {row[name] for each in found for row in each.new for name in _DIGESTS if row[name]}
    old = {row[name] for each in found for row in each.old for name in _DIGESTS if row[name]}
    return {digest: digest in new for digest in new ^ old}


def _by_age(app: str, found: Sequence[Mapping[str, Any]], _: Versions) -> Held:
    reasons = [row["doubt"] for row in found if row["doubt"]]
    newest = [row for row in found if row["starts_on"] == max((each["starts_on"] or 0) for each in found)]
    if len(found) > 1 and (len(newest) != 1 or any(row["starts_on"] is None for row in found)):
        reasons.append(Reason.NOT_STATED)
    if len(found) == 1 or newest[0]["asked"]:
        new, old = newest[:1], [row for row in found if row is not newest[0]]
    else:
        new, old = newest[:1], [row for row in found if row["asked"]]
    alone = not old
    return Held(
        app=app,
        name=found[0]["holder_name"] or app,
        new=[] if alone else new,
        old=new if alone else old,
        reason=Reason(reasons[0]) if reasons else None,
    )


def version_of(row: Mapping[str, Any]) -> Version:
    """A credential as a version."""
    kind = _KINDS.get(row["kind"], "credential")
    return Version(id=row["id"], name=f"{kind} {row['key_id'] or row['id']}", created_on=row["starts_on"], enabled=True)


def identities(views: Views, found: Sequence[Held], logged: Logged | None, *, begun: bool) -> Iterator[Consumer]:
    """Each application with its state. `begun`: there is a new version, or some application has a newer credential."""
    keys = {row["key_id"].lower() for each in found for row in (*each.new, *each.old) if row["key_id"]}
    used = _Used(_reported(views, keys), sign_ins(views, keys))
    owned = _owned(views, {each.app for each in found})
    for each in found:
        owner = owned.get(each.app)
        consumer = _identity(views, each, used, logged, begun=begun)
        yield structs.replace(consumer, owners=owner.names, owned_by=owner.source) if owner else consumer


def _owned(views: Views, apps: set[str]) -> dict[str, Owner]:
    """The owners of applications, by their app id; of one from another tenant, those of its service principal."""
    if not apps:
        return {}
    found: dict[str, Owner] = {}
    names = called(views.connection)
    for table in ("service_principal", "application"):
        own = owning(TABLES[table])
        query = f"""
            SELECT lower(it.app_id) AS app, {own.names} AS names, {own.source} AS source, {own.doubt} AS doubt
            FROM {table} AS it {own.joins} WHERE list_contains($apps, lower(it.app_id)) ORDER BY ALL"""
        for row in rows(views.connection, query, {"apps": sorted(apps)}):
            owner = owner_of(names, row["names"], row["source"], row["doubt"])
            if owner.names:
                found[row["app"]] = owner
    return found


class _Used(Struct, frozen=True):
    """The last use of credentials, by key id."""

    reported: Mapping[str, int]
    logged: Mapping[str, int]

    def last(self, of: Sequence[Mapping[str, Any]]) -> tuple[int | None, Proof]:
        """The last use of any of these, and what shows it."""
        keys = [row["key_id"].lower() for row in of if row["key_id"]]
        logged, reported = (max((each[key] for key in keys if key in each), default=0) for each in (self.logged, self.reported))
        return max(logged, reported) or None, Proof.LOGS if logged >= reported else Proof.REPORT


def _reported(views: Views, keys: set[str]) -> dict[str, int]:
    query = """
        SELECT lower(key_id) AS key, max(last_used_on) AS last_on FROM credential_activity
        WHERE list_contains($keys, lower(key_id)) AND last_used_on IS NOT NULL GROUP BY ALL"""
    return {row["key"]: row["last_on"] for row in rows(views.connection, query, {"keys": sorted(keys)})}


def _identity(views: Views, each: Held, used: _Used, logged: Logged | None, *, begun: bool) -> Consumer:
    row = (each.old or each.new)[0]
    begun_on = max((new["starts_on"] for new in each.new if new["starts_on"] is not None), default=None)
    last_old, shown_by = used.last(each.old)
    by_use = judged(last_old, used.last(each.new)[0], recent(logged, begun_on, views.as_of)) if each.new else None
    seen_on, proof = views.read_on, Proof.DIRECTORY
    if each.reason is not None:
        state, why = State.UNKNOWN, Why.UNREAD
    elif not each.old:
        state, why = State.MOVED, Why.HOLDS_NEW
    elif not each.new:
        state, why = (State.NOT_MOVED if begun else State.UNKNOWN), Why.HOLDS_OLD
    elif by_use is not None:
        (state, why), seen_on, proof = by_use, last_old or views.read_on, shown_by
    elif logged is not None and logged.enough and logged.covered is not None:
        state, why, seen_on, proof = State.MOVED, Why.IDLE, logged.covered.until, Proof.LOGS
    else:
        state, why = State.UNKNOWN, Why.HOLDS_BOTH
    managed = row["holder_type"] == "ManagedIdentity"
    what = "managed identity" if managed else "agent identity blueprint" if row["blueprint"] else "application"
    return Consumer(
        kind=Kind.IDENTITY,
        id=each.app,
        name=each.name,
        what=what,
        state=state,
        follows=Follows.BY_ITSELF if managed else Follows.BY_HAND,
        why=why,
        proof=proof,
        seen_on=seen_on,
        held=version_of(row).name,
        reason=each.reason,
        key_id=row["key_id"] or "",
        holder=_HOLDERS.get(row["holder_kind"], "") if what == "application" else "",
    )
