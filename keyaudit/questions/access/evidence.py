"""Who can use a resource, and through which grants; or what a principal can use. Read from the views and from `reach`."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; what people type is a parameter

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
from msgspec import Struct, field

from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.naming import Named, Noun
from keyaudit.inventory.views.access.reach import KINDS
from keyaudit.inventory.views.entra import agents
from keyaudit.model.conditions import GET_SECRET, lets_through
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import GRANT, HONOURED, Allows
from keyaudit.questions.access.answer import Open, Reach, Way, Who

TABLES_ASKED = ("vault", "key", "certificate", "grant", "principal", "service_principal", "membership", "subscription")
"""The views that this module queries."""

_OF_A_VAULT = (Allows.PURGE_VAULT,)
_OF_SECRETS = (Allows.READ_PRIVATE,)

_BESIDE = {operation: rows for operation, rows in GRANT.parts.items() if all(row["kind"] not in KINDS for row in rows)}
BESIDE_ELIGIBLE = tuple(operation for operation, rows in _BESIDE.items() if all(row["standing"] is False for row in rows))
"""The operations that list what principals could activate, beside access to vaults."""
BESIDE = (
    *(operation for operation in _BESIDE if operation not in BESIDE_ELIGIBLE),
    *("agent.list", "blueprint.inheritable_of"),
)
"""The operations that list what principals hold now, beside access to vaults, and what agents inherit."""

_VIEWS = Sources({name: name for name in ("agent", "blueprint", "service_principal")})
"""The views in place of the stored rows, for the SQL of agents."""

MET = """
    SELECT way.id AS met_id, vault.id AS vault_id, vault.access_model, met.object, met.certain, met.possible, met.doubt
    FROM reach_met AS met JOIN reach_way AS way ON way.way = met.way JOIN reach_vault AS vault ON vault.vault = met.vault"""
"""Each grant at each vault in its scope."""


Members = Mapping[str, Sequence[tuple[str, Sequence[str], Reason | None]]]
"""By group, its members, each with the intermediate groups, or why these are unknown."""


class Reaches(Struct):
    """The result."""

    reaches: list[Reach] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)
    others: list[Way] = field(default_factory=list)
    inert: int = 0
    reasons: set[Reason] = field(default_factory=set)
    """Why the result is uncertain."""


def who_reaches(connection: duckdb.DuckDBPyConnection, target: Named) -> Reaches:
    """All principals that can use a vault or an object in it."""
    objects = [f"{target.vault_id}/{kind}/{target.own_name}" for kind in _kinds(target)]
    where, values = "vault.id = ?", [target.vault_id]
    if objects:
        where += f" AND (met.object IS NULL OR met.object IN ({', '.join('?' * len(objects))}))"
        values += objects
    # A role's condition can name the secrets that it opens, and with them the private keys of certificates.
    secret = target.name.rpartition("/")[2] if target.noun in (Noun.CERTIFICATE, Noun.SECRET) else ""
    return _Reading(connection, _without(target), secret=secret).read(f"{MET} WHERE {where}", values)


def reached_by(connection: duckdb.DuckDBPyConnection, target: Named) -> Reaches:
    """All grants of a principal, including those through groups."""
    query = f"""{MET} JOIN reach_holder AS holder ON holder.holder = way.holder
        WHERE holder.principal_id = ? OR holder.principal_id IN ({_ABOVE})"""
    return _Reading(connection, (), target.id).read(query, [target.id] * 3)


def described(connection: duckdb.DuckDBPyConnection, target: Named) -> str:
    """The access model of the target's vault, or the kind of the principal; empty if unknown."""
    if target.vault_id:
        row = connection.execute("SELECT access_model FROM vault WHERE id = ?", [target.vault_id]).fetchone()
    else:
        row = connection.execute(f"SELECT kind FROM ({PEOPLE})", [[target.id]]).fetchone()
    return str(row[0]) if row and row[0] else ""


def _kinds(target: Named) -> Sequence[str]:
    """The object kinds of a target in a role's scope: a certificate is also a key and a secret."""
    if target.noun == Noun.CERTIFICATE:
        return ("certificates", "keys", "secrets")
    return (f"{target.noun}s",) if target.noun in (Noun.KEY, Noun.SECRET) else ()


def _without(target: Named) -> Sequence[Allows]:
    """The permissions that do not apply to the target."""
    if target.noun == Noun.SECRET:
        return tuple(set(Allows) - {*_OF_SECRETS, Allows.GRANT, Allows.SET_POLICY})
    if target.noun == Noun.KEY:
        # A Managed HSM has no secrets: read-private there means export of the key.
        return (*_OF_A_VAULT, *(() if "/managedhsms/" in target.vault_id else _OF_SECRETS))
    return _OF_A_VAULT if target.noun == Noun.CERTIFICATE else ()


_ABOVE = "SELECT group_id FROM membership WHERE member_id = ? OR list_contains(through, ?)"
"""The groups that a principal or group is a member of."""


class _Reading:
    def __init__(
        self, connection: duckdb.DuckDBPyConnection, without: Sequence[Allows], alone: str = "", *, secret: str = ""
    ) -> None:
        """`alone`: the question is about this principal only, and a group is not expanded. `secret`: the name of the only
        secret that it is about.
        """
        self._connection, self._without, self._alone, self._secret = connection, without, alone, secret
        self._found = Reaches()
        self._people: dict[str, Who] = {}

    def read(self, query: str, values: Sequence[str]) -> Reaches:
        """The reaches of the rows of a query."""
        met = self._rows(
            f"""
            SELECT met.*, {WAY}, vault.name AS vault_name, given.unknown['allows'] AS unread,
                given.unknown['principal_id'] AS unnamed
            FROM ({query}) AS met JOIN ({GIVEN}) ON given.id = met.met_id JOIN vault ON vault.id = met.vault_id
            ORDER BY met.met_id, met.vault_id, met.object""",
            values,
        )
        # The principal is unknown, so its members are too.
        self._found.reasons.update(Reason(row["unnamed"]) for row in met if row["unnamed"])
        met = [row for row in met if not row["unnamed"]]
        named = {row["principal_id"] for row in met}
        self._know(named)
        members = self._members(sorted(named))
        let_in = {row["principal_id"] for row in met if self._reach(row, members)}
        if self._alone:
            self._others()
        else:
            self._opened(sorted(let_in))
        self._found.reaches.sort(key=_order)
        return self._found

    def _reach(self, row: Mapping[str, Any], members: Members) -> bool:
        """The principals that one grant gives access to one vault, if the vault honours it."""
        kept = honoured(row["access_model"], row["kind"])
        unread = row["allows"] is None
        if not kept or not (unread or kept.intersection(row["allows"])):
            self._found.inert += 1
            return False
        allows = [each for each in row["allows"] or () if each in kept and each not in self._without]
        if Allows.READ_PRIVATE in allows and self._kept_from(row):
            allows.remove(Allows.READ_PRIVATE)
        if not allows and not unread:
            return False
        unsure = row["doubt"] and (not row["certain"] or row["certain"] != row["possible"])
        doubt = Reason(row["unread"]) if unread else Reason(row["doubt"]) if unsure else None
        if doubt:
            self._found.reasons.add(doubt)
        thing = (row["object"] or "").removeprefix(f"{row['vault_id']}/")
        shown = row["vault_name"] or row["vault_id"]
        for who, through, unplaced in self._holders(row["principal_id"], members):
            way = way_of(row, allows, doubt, through, unplaced)
            self._found.reaches.append(Reach(who=who, vault_id=row["vault_id"], vault_name=shown, thing=thing, way=way))
            if unplaced:
                self._found.reasons.add(unplaced)
        return True

    def _kept_from(self, row: Mapping[str, Any]) -> bool:
        """Whether the condition of the grant certainly leaves out the secret."""
        if not (self._secret and row["condition"]):
            return False
        return lets_through(row["condition"], GET_SECRET, vault=row["vault_name"], secret=self._secret) is False

    def _holders(self, principal_id: str, members: Members) -> Iterator[tuple[Who, Sequence[Who], Reason | None]]:
        """The holders of a grant to a principal, with the groups in between, and why further groups may be missing."""
        named = self._people[principal_id]
        if named.kind == "group" and principal_id != self._alone:
            for member, through, unplaced in members.get(principal_id, ()):
                yield self._people[member], (named, *(self._people[each] for each in through)), unplaced
        elif named.kind not in _NOBODY:
            yield named, (), None

    def _members(self, groups: Sequence[str]) -> Members:
        where, values = "list_contains(?, group_id)", [groups]
        if self._alone:
            where += " AND (member_id = ? OR list_contains(through, ?))"
        rows = self._rows(
            f"""
            SELECT group_id, member_id, through, unknown['through'] AS unplaced
            FROM membership WHERE {where} ORDER BY group_id, member_id""",
            [*values, *([self._alone] * 2 if self._alone else [])],
        )
        found: dict[str, dict[str, tuple[Sequence[str], Reason | None]]] = {}
        for row in rows:
            member, through = row["member_id"], row["through"] or []
            if self._alone in through:
                member, through = self._alone, through[: through.index(self._alone)]
            unplaced = Reason(row["unplaced"]) if row["unplaced"] else None
            found.setdefault(row["group_id"], {}).setdefault(member, (through, unplaced))
        self._know({each for ways in found.values() for member, (through, _) in ways.items() for each in (member, *through)})
        return {
            group: [(member, *way) for member, way in ways.items() if self._people[member].kind not in _NOBODY]
            for group, ways in found.items()
        }

    def _opened(self, groups: Sequence[str]) -> None:
        """The principals in grants whose members are not all known."""
        # Counts take another tenant's group for one principal. Here its members are asked for.
        query = f"""SELECT principal_id, CASE WHEN kind = 'foreign-group' THEN '{Reason.NOT_VISIBLE}' ELSE open END AS open
            FROM reach_holder WHERE (open IS NOT NULL OR kind = 'foreign-group') AND list_contains(?, principal_id)"""
        for row in self._rows(query, [groups]):
            self._found.open.append(Open(self._people[row["principal_id"]], Reason(row["open"])))
            self._found.reasons.add(Reason(row["open"]))
        self._found.open.sort(key=lambda each: (each.who.name or "", each.who.id))

    def _others(self) -> None:
        kinds = ", ".join(f"'{kind}'" for kind in KINDS)
        query = f"""
            SELECT {WAY}, given.unknown['name'] AS nameless FROM {GIVEN} WHERE given.kind NOT IN ({kinds})
            AND (given.principal_id = ? OR (given.kind = 'directory-role' AND given.principal_id IN ({_ABOVE})))
            ORDER BY given.kind, given.api, given.name, given.id"""
        for row in self._rows(query, [self._alone] * 3):
            self._know({row["principal_id"]})
            if row["nameless"]:
                self._found.reasons.add(Reason(row["nameless"]))
            through = () if row["principal_id"] == self._alone else (self._people[row["principal_id"]],)
            self._found.others.append(way_of(row, row["allows"] or (), None, through))
        inherited = f"""
            SELECT {WAY}, given.why FROM {INHERITED} WHERE given.given_to = ?
            ORDER BY given.kind, given.api, given.name, given.id"""
        for row in self._rows(inherited, [self._alone]):
            self._know({row["principal_id"]})
            doubt = Reason(row["why"]) if row["why"] else None
            self._found.reasons.update({doubt} if doubt else ())
            self._found.others.append(way_of(row, row["allows"] or (), doubt, (self._people[row["principal_id"]],)))

    def _know(self, ids: set[str]) -> None:
        missing = sorted(ids - self._people.keys())
        for row in self._rows(PEOPLE, [missing]):
            sign_in = row["user_principal_name"] or row["app_id"]
            self._people[row["id"]] = Who(row["id"], row["name"], row["kind"], sign_in, row["home"], row["enabled"])

    def _rows(self, query: str, values: Sequence[object]) -> list[dict[str, Any]]:
        answer = self._connection.execute(query, list(values))
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


# If the directory did not return the kind, the grant may state it.
PEOPLE = """
    SELECT asked.id, principal.* EXCLUDE (id, kind), coalesce(principal.kind, holder.kind) AS kind
    FROM (SELECT unnest(?::VARCHAR[]) AS id) AS asked
    LEFT JOIN principal ON principal.object_id = asked.id LEFT JOIN reach_holder AS holder ON holder.principal_id = asked.id"""
_NOBODY = ("deleted", "device", "contact")
_COLUMNS = (
    "id", "kind", "name", "custom", "scope", "scope_kind", "principal_id", "allows", "application_id", "condition", "api",
    "standing", "expires_on",
)  # fmt: skip
WAY = ", ".join(f"given.{name}" for name in _COLUMNS) + ", place.name AS scope_name"
GIVEN = '"grant" AS given LEFT JOIN subscription AS place ON place.id = given.scope'
"""The columns of a grant that `way_of` reads, with their sources."""
INHERITED = f"""({agents.inherited(_VIEWS, 'SELECT * FROM "grant"')}) AS given
    LEFT JOIN subscription AS place ON place.id = given.scope"""
"""The same of what an agent has because its blueprint's principal was granted it, with `given_to`, the agent, and `why`: the
reason if that is uncertain.
"""


def honoured(model: str | None, kind: str) -> set[str]:
    """The permissions of a kind of grant that a vault honours; if its model is unknown, those that any model would honour."""
    of_model = HONOURED.get(model or "")
    models = list(HONOURED.values()) if of_model is None else [of_model]
    return {each.value for kinds in models for each in kinds.get(kind, ())}


def way_of(
    row: Mapping[str, Any],
    allows: Sequence[str],
    doubt: Reason | None,
    through: Sequence[Who],
    unplaced: Reason | None = None,
) -> Way:
    """The `Way` of a row, with these permissions and groups."""
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
        unplaced=unplaced,
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
