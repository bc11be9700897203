"""The rows of a table that lie within a part of the tenant, and those that may lie within as far as is known."""

# ruff: noqa: S608 - every name in this SQL is declared in this program, and each literal is quoted

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import duckdb
from msgspec import Struct, structs

from keyaudit.inventory.dialect import DUCKDB
from keyaudit.inventory.load import quoted
from keyaudit.inventory.owners import OWNERS_ASKED, called, owning
from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.errors import UsageError
from keyaudit.model.results.run import Run
from keyaudit.model.schema.columns import Area, Table
from keyaudit.model.scope.environments import other_names
from keyaudit.model.scope.filters import close_to, did_you_mean, matching
from keyaudit.model.scope.part import KINDS, WHOLE, Part, names_of
from keyaudit.model.tables import TABLES
from keyaudit.model.values.guid import GUID
from keyaudit.model.values.text import one_line

VIEWS = tuple(
    dict.fromkeys((*OWNERS_ASKED, "subscription", *(name for name, table in TABLES.items() if "environment" in table.by_name)))
)
"""The views that are looked at to see what a filter may match, besides the table itself."""
_IN_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)")
_WILD = frozenset("*?[")
_COLLECTIONS = {"key": "keys", "certificate": "certificates", "secret": "secrets"}


class Within(Struct, frozen=True):
    """A part of the tenant, with what its patterns match there."""

    part: Part
    vaults: frozenset[str]
    subscriptions: frozenset[str]
    owners: frozenset[str]
    """The owners whom the patterns match, as rows have them: ids in Entra, addresses, teams."""
    environments: frozenset[str]
    """The environments that the patterns match by any of their names, as rows have them."""
    held: Mapping[str, int]
    """The number of rows within, by table; without patterns it is empty."""

    def run(self, run: Run) -> Run:
        """The run as if nothing else had been found, with the filters of the part."""
        if not self.part:
            return run
        filters = structs.replace(self.part, read=run.filters, sources=run.filters.sources)
        return structs.replace(run, filters=filters, rows={name: self.held.get(name, 0) for name in run.rows})

    def may_hold(self, table: Table) -> bool:
        """Whether rows of a table can lie within at all."""
        part, columns = self.part, table.by_name
        in_vaults = "vault_id" in columns or table.name in ("vault", "log_sink")
        return (
            part.of_area(table)
            and (in_vaults or not part.vaults)
            and (in_vaults or "subscription_id" in columns or table.name == "log_table" or not part.subscriptions)
            and (_environment(table) is not None or not part.environments)
        )

    def covers(self, scope: Scope) -> bool:
        """Whether what was not read in a scope may lie within."""
        if scope.kind is ScopeKind.TENANT:
            return True
        subscription = _subscription(scope.id)
        if self.part.subscriptions and subscription not in self.subscriptions:
            return False
        if not self.part.vaults:
            return True
        if scope.kind is ScopeKind.SUBSCRIPTION:
            # A pattern may match vaults there that were not read; an exact name has matched the one vault that has it.
            wide = any(_WILD & set(pattern) for pattern in self.part.vaults)
            return wide or any(_subscription(vault) == subscription for vault in self.vaults)
        return scope.id in self.vaults or bool(matching(self.part.vaults, (scope.id, scope.name)))

    def coverage(self, records: Sequence[Coverage]) -> Sequence[Coverage]:
        """The records about what may lie within."""
        return [record for record in records if self.covers(record.scope)]

    def rows(self, table: Table) -> str:
        """The relation of those rows of a table's view."""
        if not self.part:
            return DUCKDB.name(table.name)
        if not self.may_hold(table):
            return f"(SELECT * FROM {table.name} WHERE false)"
        found = list(self._conditions(table))
        joins = " ".join(dict.fromkeys(join for _, join in found if join))
        outside = " OR ".join(f"({condition}) IS FALSE" for condition, _ in found) or "false"
        return f"(SELECT it.* FROM {DUCKDB.name(table.name)} AS it {joins} WHERE NOT ({outside}))"

    def _conditions(self, table: Table) -> Iterator[tuple[str, str]]:
        """SQL over `it`, NULL where it is unknown, with the join that it needs."""
        part = self.part
        if part.vaults:
            yield _some_place(table, _in_vault(self.vaults)), ""
        if part.subscriptions:
            yield _some_place(table, _in_subscription(self.subscriptions)), ""
        if part.environments and (found := _environment(table)):
            column, doubt, join = found
            listed = ", ".join(map(quoted, sorted(self.environments)))
            yield _case(doubt, f"coalesce({column} IN ({listed}), false)"), join
        if part.owners:
            own = owning(table)
            held = f"list_has_any({own.names}, [{', '.join(map(quoted, sorted(self.owners)))}]::VARCHAR[])"
            yield _case(own.doubt, f"coalesce({held}, false)"), own.joins
        if part.resources:
            names = [f"it.{name}" for name in dict.fromkeys(("id", table.subject, "name"))]
            if table.name in _COLLECTIONS:
                names.append(f"it.vault_name || '/{_COLLECTIONS[table.name]}/' || it.name")
                names.append("it.vault_name || '/' || it.name")
            either = " OR ".join(f"coalesce({_like(name, part.resources)}, false)" for name in names)
            yield f"CASE WHEN {either} THEN true WHEN it.unknown['name'] IS NULL THEN false END", ""


EVERYTHING = Within(WHOLE, frozenset(), frozenset(), frozenset(), frozenset(), {})


def bounded(connection: duckdb.DuckDBPyConnection, part: Part, run: Run) -> Within:
    """What the patterns match. Raises UsageError with the nearest names if one matches nothing that was read, or all together
    match nothing. Reads the views `VIEWS`, where there are patterns. `run` has the names of environments."""
    if not part:
        return EVERYTHING
    vaults = _column(connection, "SELECT id, name FROM vault")
    subscriptions = _column(connection, "SELECT lower(subscription_id), name FROM subscription")
    owners = _owners(connection) if part.owners else {}
    others = other_names(run.environment_rules)
    environments = {
        value: (value, value, *(other for other, shown in others.items() if shown == value))
        for name, table in TABLES.items()
        if "environment" in table.by_name
        for (value,) in connection.execute(f"SELECT DISTINCT environment FROM {name}").fetchall()
        if value
    }
    _check("--vault", part.vaults, [name for names in vaults.values() for name in names])
    _check("--subscription", part.subscriptions, [name for names in subscriptions.values() for name in names])
    known_as = [other for other, shown in others.items() if shown in environments]
    _check("--environment", [each for each in part.environments if not matching((each,), known_as)], environments)
    _check("--owner", part.owners, [name for names in owners.values() for name in names])
    _check("--area", part.areas, [name for area in Area for name in names_of(area)])
    found = Within(
        part=part,
        vaults=_matched(part.vaults, vaults),
        subscriptions=_matched(part.subscriptions, subscriptions),
        owners=_matched(part.owners, owners),
        environments=_matched(part.environments, environments),
        held={},
    )
    held = {}
    for table in filter(found.may_hold, _seen(connection)):
        ((held[table.name],),) = connection.execute(f"SELECT count(*) FROM {found.rows(table)}").fetchall()
    if not any(held.values()):
        flags = [f"--{kind.removesuffix('s')}" for kind in KINDS if getattr(part, kind)]
        what = "no resource in the data matches all of them" if len(flags) > 1 else "nothing that was read matches"
        raise UsageError(", ".join(flags), what, "keyaudit inventory lists what was read")
    left_out = _left_out(connection, found) if part.environments else {}
    return structs.replace(found, held=held, part=structs.replace(part, left_out=left_out))


def _left_out(connection: duckdb.DuckDBPyConnection, within: Within) -> Mapping[str, int]:
    """The number of rows that only the environment leaves out, by environment, the nearest name first; empty: without one."""
    wider = structs.replace(within, part=structs.replace(within.part, environments=()))
    found: Counter[str] = Counter()
    for table in filter(wider.may_hold, _seen(connection)):
        if (environment := _environment(table)) is None:
            continue
        column, doubt, join = environment
        query = (
            f"SELECT coalesce({column}, ''), count(*) FROM {wider.rows(table)} AS it {join} WHERE ({doubt}) IS NULL GROUP BY 1"
        )
        found.update({name: count for name, count in connection.execute(query).fetchall() if name not in within.environments})
    near = [name for asked in sorted(within.environments) for name in close_to(asked, filter(None, found))]
    return {name: found[name] for name in dict.fromkeys((*near, *(name for name, _ in found.most_common())))}


def _owners(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Sequence[str]]:
    """Who owns a row, as the row has it; an id in Entra with its name."""
    people = called(connection)
    found: set[str] = set()
    for table in _seen(connection):
        own = owning(table)
        query = f"SELECT DISTINCT unnest({own.names}) FROM {DUCKDB.name(table.name)} AS it {own.joins}"
        found.update(name for (name,) in connection.execute(query).fetchall() if name)
    # The name behind an id of Entra may not have been read.
    return {
        name: (name, people[name]) if name in people else (name,) if GUID.fullmatch(name) else (name, name) for name in found
    }


def _seen(connection: duckdb.DuckDBPyConnection) -> Iterator[Table]:
    """The tables that have a view here."""
    views = {name for (name,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    return (table for name, table in TABLES.items() if name in views)


def _column(connection: duckdb.DuckDBPyConnection, query: str) -> Mapping[str, Sequence[str]]:
    return {id_: (id_, name) if name else (id_,) for id_, name in connection.execute(query).fetchall() if id_}


def _matched(patterns: Sequence[str], named: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """What one of the patterns matches, or may match, since its name was not read."""
    return frozenset(id_ for id_, names in named.items() if matching(patterns, names) or len(names) == 1)


def _check(flag: str, patterns: Sequence[str], names: Collection[str]) -> None:
    for pattern in patterns:
        if not matching((pattern,), tuple(names)):
            few = sorted(set(names))
            there = f"there are {', '.join(map(one_line, few))}" if 0 < len(few) <= _FEW else "leave it out"
            what = f"nothing that was read matches {one_line(pattern)!r}"
            raise UsageError(flag, what, did_you_mean(pattern, names) or there)


_FEW = 8
"""So many names are listed where none is near."""


def _like(text: str, patterns: Sequence[str]) -> str:
    return "(" + " OR ".join(DUCKDB.like(DUCKDB.lower(text), pattern.strip()) for pattern in patterns) + ")"


def _case(doubt: str, known: str) -> str:
    return f"CASE WHEN {doubt} IS NOT NULL THEN NULL ELSE {known} END"


def _some_place(table: Table, of_place: Callable[[str], str]) -> str:
    """Whether a row's id, its scope or its vault is such a place; NULL where its vault is unknown."""
    places = [f"it.{name}" for name in ("id", "scope_id", "vault_id") if name in table.by_name]
    either = " OR ".join(f"coalesce({of_place(place)}, false)" for place in places)
    doubt = "it.vault_id IS NULL AND it.unknown['vault_id'] IS NOT NULL" if "vault_id" in table.by_name else "false"
    return f"CASE WHEN {either} THEN true WHEN {doubt} THEN NULL ELSE false END"


def _in_vault(vaults: Collection[str]) -> Callable[[str], str]:
    def of(place: str) -> str:
        return " OR ".join(f"{place} = {quoted(each)} OR starts_with({place}, {quoted(f'{each}/')})" for each in sorted(vaults))

    return of


def _in_subscription(subscriptions: Collection[str]) -> Callable[[str], str]:
    listed = ", ".join(map(quoted, sorted(subscriptions)))
    return lambda place: f"starts_with({place}, '/subscriptions/') AND split_part({place}, '/', 3) IN ({listed})"


def _environment(table: Table) -> tuple[str, str, str] | None:
    """A row's environment or that of its vault, why it is unknown, and the join that it needs."""
    if "environment" in table.by_name:
        return "it.environment", "it.unknown['environment']", ""
    if "vault_id" in table.by_name:
        doubt = "CASE WHEN it.vault_id IS NULL THEN it.unknown['vault_id'] ELSE beside.unknown['environment'] END"
        return "beside.environment", doubt, "LEFT JOIN vault AS beside ON beside.id = it.vault_id"
    return None


def _subscription(place: str) -> str | None:
    found = _IN_SUBSCRIPTION.match(place)
    return found[1] if found else None
