"""Who can use something, and by which way; or what somebody can use: read from the views and from `reach`."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; what people type is a parameter

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from keyaudit.inventory.finding import Target
from keyaudit.inventory.views.reach import KINDS
from keyaudit.model.access import Open, Reach, Way, Who
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import HONOURED, Allows

_OF_A_VAULT = (Allows.PURGE_VAULT,)
_OF_SECRETS = (Allows.READ_PRIVATE,)

_MET = """
    SELECT way.id AS met_id, vault.id AS vault_id, vault.access_model, met.object, met.certain, met.possible, met.doubt
    FROM reach_met AS met JOIN reach_way AS way ON way.way = met.way JOIN reach_vault AS vault ON vault.vault = met.vault"""


Members = Mapping[str, Sequence[tuple[str, Sequence[str]]]]
"""By group, its members, each with the groups in between."""


@dataclass(slots=True)
class Found:
    """What was found out."""

    reaches: list[Reach] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)
    others: list[Way] = field(default_factory=list)
    inert: int = 0
    reasons: set[Reason] = field(default_factory=set)
    """Why something in it is not sure."""


def who_reaches(connection: duckdb.DuckDBPyConnection, target: Target) -> Found:
    """Everybody who can use a vault or a thing in it."""
    objects = [f"{target.vault_id}/{kind}/{target.thing}" for kind in _kinds(target)]
    where, values = "vault.id = ?", [target.vault_id]
    if objects:
        where += f" AND (met.object IS NULL OR met.object IN ({', '.join('?' * len(objects))}))"
        values += objects
    return _Reading(connection, _without(target)).read(f"{_MET} WHERE {where}", values)


def reached_by(connection: duckdb.DuckDBPyConnection, target: Target) -> Found:
    """Everything that a principal holds, through the groups that it is in as well."""
    query = f"""{_MET} JOIN reach_holder AS holder ON holder.holder = way.holder
        WHERE holder.principal_id = ? OR holder.principal_id IN ({_ABOVE})"""
    return _Reading(connection, (), target.id).read(query, [target.id] * 3)


def described(connection: duckdb.DuckDBPyConnection, target: Target) -> str:
    """How a thing's vault decides who may use it, or what kind of principal somebody is; empty where that is not known."""
    query = "SELECT kind FROM principal WHERE object_id = ?"
    if target.vault_id:
        query = "SELECT access_model FROM vault WHERE id = ?"
    row = connection.execute(query, [target.vault_id or target.id]).fetchone()
    return str(row[0]) if row and row[0] else ""


def _kinds(target: Target) -> Sequence[str]:
    """The objects of a role's scope that a thing is: a certificate is a key and a secret too."""
    return {"key": ("keys",), "certificate": ("certificates", "keys", "secrets")}.get(target.noun, ())


def _without(target: Target) -> Sequence[Allows]:
    """What is not about that thing."""
    if target.noun == "key":
        return (*_OF_A_VAULT, *_OF_SECRETS)
    return _OF_A_VAULT if target.noun == "certificate" else ()


_ABOVE = "SELECT group_id FROM membership WHERE member_id = ? OR list_contains(through, ?)"
"""The groups that somebody, or a group, is in."""


class _Reading:
    def __init__(self, connection: duckdb.DuckDBPyConnection, without: Sequence[Allows], alone: str = "") -> None:
        """`alone`: only that principal is asked about, and a group then stands for itself."""
        self._connection, self._without, self._alone = connection, without, alone
        self._found = Found()
        self._people: dict[str, Who] = {}

    def read(self, query: str, values: Sequence[str]) -> Found:
        """The reaches of what the query meets."""
        met = self._rows(
            f"""
            SELECT met.*, {_WAY}, vault.name AS vault_name, given.unknown['allows'] AS unread
            FROM ({query}) AS met JOIN ({_GIVEN}) ON given.id = met.met_id JOIN vault ON vault.id = met.vault_id
            ORDER BY met.met_id, met.vault_id, met.object""",
            values,
        )
        groups = {row["principal_id"] for row in met}
        self._know(groups)
        members = self._members(sorted(groups))
        for row in met:
            self._reach(row, members)
        if self._alone:
            self._others()
        else:
            self._opened(sorted(groups))
        self._found.reaches.sort(key=_order)
        return self._found

    def _reach(self, row: Mapping[str, Any], members: Members) -> None:
        """Everybody whom one grant brings to one vault."""
        honoured = _honoured(row["access_model"], row["kind"])
        unread = row["allows"] is None
        if not honoured or not (unread or honoured.intersection(row["allows"])):
            self._found.inert += 1
            return
        allows = [each for each in row["allows"] or () if each in honoured and each not in self._without]
        if not allows and not unread:
            return
        doubt = Reason(row["unread"]) if unread else Reason(row["doubt"]) if row["doubt"] and not row["certain"] else None
        if doubt:
            self._found.reasons.add(doubt)
        thing = (row["object"] or "").removeprefix(f"{row['vault_id']}/")
        shown = row["vault_name"] or row["vault_id"]
        for who, through in self._holders(row["principal_id"], members):
            way = _way(row, allows, doubt, through)
            self._found.reaches.append(Reach(who=who, vault_id=row["vault_id"], vault_name=shown, thing=thing, way=way))

    def _holders(self, principal_id: str, members: Members) -> Iterator[tuple[Who, Sequence[Who]]]:
        """Who has what was given to a principal, and through which groups."""
        named = self._people[principal_id]
        if named.kind == "group" and principal_id != self._alone:
            for member, through in members.get(principal_id, ()):
                yield self._people[member], (named, *(self._people[each] for each in through))
        elif named.kind not in _NOBODY:
            yield named, ()

    def _members(self, groups: Sequence[str]) -> Members:
        where, values = "list_contains(?, group_id)", [groups]
        if self._alone:
            where += " AND (member_id = ? OR list_contains(through, ?))"
        rows = self._rows(
            f"SELECT group_id, member_id, through FROM membership WHERE {where} ORDER BY group_id, member_id",
            [*values, *([self._alone] * 2 if self._alone else [])],
        )
        found: dict[str, dict[str, Sequence[str]]] = {}
        for row in rows:
            member, through = row["member_id"], row["through"] or []
            if self._alone in through:
                member, through = self._alone, through[: through.index(self._alone)]
            found.setdefault(row["group_id"], {}).setdefault(member, through)
        self._know({each for ways in found.values() for member, through in ways.items() for each in (member, *through)})
        return {
            group: [(member, through) for member, through in ways.items() if self._people[member].kind not in _NOBODY]
            for group, ways in found.items()
        }

    def _opened(self, groups: Sequence[str]) -> None:
        """Those whom grants name and who stand for others that are not known."""
        query = "SELECT principal_id, open FROM reach_holder WHERE open IS NOT NULL AND list_contains(?, principal_id)"
        for row in self._rows(query, [groups]):
            self._found.open.append(Open(self._people[row["principal_id"]], Reason(row["open"])))
            self._found.reasons.add(Reason(row["open"]))
        self._found.open.sort(key=lambda each: (each.who.name or "", each.who.id))

    def _others(self) -> None:
        kinds = ", ".join(f"'{kind}'" for kind in KINDS)
        query = f"""
            SELECT {_WAY} FROM {_GIVEN} WHERE given.kind NOT IN ({kinds})
            AND (given.principal_id = ? OR (given.kind = 'directory-role' AND given.principal_id IN ({_ABOVE})))
            ORDER BY given.kind, given.api, given.name, given.id"""
        for row in self._rows(query, [self._alone] * 3):
            self._know({row["principal_id"]})
            through = () if row["principal_id"] == self._alone else (self._people[row["principal_id"]],)
            self._found.others.append(_way(row, row["allows"] or (), None, through))

    def _know(self, ids: set[str]) -> None:
        missing = sorted(ids - self._people.keys())
        for row in self._rows("SELECT * FROM principal WHERE list_contains(?, object_id)", [missing]) if missing else ():
            sign_in = row["user_principal_name"] or row["app_id"]
            self._people[row["object_id"]] = Who(
                row["object_id"], row["name"], row["kind"], sign_in, row["home"], row["enabled"]
            )
        for id_ in missing:
            self._people.setdefault(id_, Who(id_))

    def _rows(self, query: str, values: Sequence[object]) -> list[dict[str, Any]]:
        answer = self._connection.execute(query, list(values))
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


_NOBODY = ("deleted", "device", "contact")
_COLUMNS = (
    "id", "kind", "name", "custom", "scope", "scope_kind", "principal_id", "allows", "application_id", "condition", "api",
    "standing", "expires_on",
)  # fmt: skip
_WAY = ", ".join(f"given.{name}" for name in _COLUMNS) + ", place.name AS scope_name"
_GIVEN = '"grant" AS given LEFT JOIN subscription AS place ON place.id = given.scope'


def _honoured(model: str | None, kind: str) -> set[str]:
    """What a vault honours of a kind of grant; where its model is not known, what any model would honour."""
    of_model = HONOURED.get(model or "")
    models = list(HONOURED.values()) if of_model is None else [of_model]
    return {each.value for kinds in models for each in kinds.get(kind, ())}


def _way(row: Mapping[str, Any], allows: Sequence[str], doubt: Reason | None, through: Sequence[Who]) -> Way:
    return Way(
        id=row["id"],
        kind=row["kind"],
        role=row["name"],
        custom=row["custom"],
        scope=row["scope"] or "",
        scope_kind=row["scope_kind"] or "",
        scope_name=row["scope_name"] or (row["scope"] or "").rpartition("/")[2],
        allows=tuple(allows),
        doubt=doubt,
        through=tuple(through),
        application_id=row["application_id"],
        condition=row["condition"],
        api=row["api"],
        standing=row["standing"],
        expires_on=row["expires_on"],
    )


def _order(reach: Reach) -> tuple[object, ...]:
    who, way = reach.who, reach.way
    through = [each.id for each in way.through]
    name = (who.name or who.id).lower()
    return (not way.standing, name, who.id, reach.vault_name, reach.vault_id, reach.thing, way.kind, way.scope, way.id, through)
