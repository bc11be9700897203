"""The owners of rows: from their own tag or Entra owners, their vault, holder or application, or else by [owners] rules."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator, Mapping, Sequence

import duckdb
from msgspec import Struct

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.inventory.load import quoted
from keyaudit.inventory.reader import Connection, Reader
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.schema.columns import Table
from keyaudit.model.scope.owners import OwnerRule, OwnerRules
from keyaudit.model.tables import TABLES

OWNED = tuple(name for name, table in TABLES.items() if "owner_ids" in table.by_name)
"""Tables whose rows have owners in Entra."""
OWNERS_ASKED = (*OWNED, "vault", "principal")
"""The views that owners are looked up in, besides the table itself."""
_KNOWN = {str(reason): reason for reason in Reason}
_NONE = DUCKDB.typed("NULL", "VARCHAR[]")
_OWN = ("tags", "owner_ids", "vault_id", "holder_id", "app_id", "home")
_RULED = ("id", "resource_id", "name", "subscription_id", "subscription_name", "resource_group", "vault_name", "holder_name")
_READ = (*_OWN, *_RULED)
_APPLICATIONS = frozenset({"application", "service_principal", "blueprint", "agent"})
"""Tables whose rows are applications."""
_ENTRA = "Entra owners"
UNREAD = Owner((), "", Reason.PARENT_NOT_ASSESSED)
"""The owner of a scope without rows."""

_VAULT = "LEFT JOIN vault ON vault.id = it.vault_id"
_VAULTS_TAGS = (
    "CASE WHEN it.vault_id IS NULL THEN it.unknown['vault_id']"
    f" WHEN vault.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE vault.unknown['tags'] END"
)
"""SQL: why the tags of the vault are unknown."""
BY_RULE, FALLBACK = "[owners] rule ", "[owners] fallback"
"""The sources of owners by rules, the first with the number of the rule."""
_UNLISTED = f"SELECT min(reason) FROM coverage WHERE operation IN ({', '.join(map(quoted, TABLES['application'].listed_by))})"
_APPLICATION_DOUBT = f"""coalesce(it.unknown['app_id'],
    CASE WHEN it.app_id IS NULL OR app.app_id IS NOT NULL THEN app.doubt ELSE ({_UNLISTED}) END)"""
"""Why they are unknown."""


def _application(sql: DuckDB) -> str:
    """The owners of the application of a row `it`."""
    return f"""LEFT JOIN (
        SELECT app_id, flatten({sql.collected("owner_ids")}) AS owner_ids, min(unknown['owner_ids']) AS doubt
        FROM application WHERE app_id IS NOT NULL GROUP BY app_id
    ) AS app ON app.app_id = it.app_id"""


class Owning(Struct, frozen=True):
    """SQL over a table `it` with `joins`: names or NULL, their source, and why they are unknown or NULL.

    `reads`: the columns of the table that this reads, besides `unknown`.
    """

    names: str
    source: str
    doubt: str
    joins: str
    reads: tuple[str, ...]


NOBODY = Owning(_NONE, "NULL", "NULL", "", ())
"""Where owners are not asked for."""


class _Way(Struct, frozen=True):
    """One source of owners in SQL: names or NULL, why they are unknown or NULL, the source in words, and the required join."""

    names: str
    doubt: str
    source: str
    join: str = ""


def called(connection: duckdb.DuckDBPyConnection) -> Mapping[str, str]:
    """As `names_called`, of the views of a connection."""
    with connection.cursor() as cursor:
        return names_called(Connection(cursor))


def names_called(reader: Reader) -> Mapping[str, str]:
    """Object id to name, of the owners in Entra whose name was read.

    Users have their sign-in name; others have their display name and id, since display names repeat.
    """
    held = " UNION ".join(f"SELECT {reader.sql.each(f'{name}.owner_ids')} AS id FROM {name}" for name in OWNED)
    called = "coalesce(user_principal_name, name || ' ' || object_id)"
    return dict(reader.rows(f"SELECT object_id, {called} FROM principal WHERE object_id IN ({held}) AND {called} IS NOT NULL"))


def owner_of(called: Mapping[str, str], ids: Sequence[str] | None, source: str | None, doubt: str | None) -> Owner:
    """The owner from the columns of `owning`, with Entra owners by name."""
    names = [called.get(id_, id_) for id_ in ids or ()] if source and source.startswith(_ENTRA) else ids or ()
    return Owner(tuple(names), source or "", _KNOWN.get(doubt, Reason.UNRECOGNISED) if doubt else None)


def owning(table: Table, sql: DuckDB = DUCKDB) -> Owning:
    """The SQL for the owners of a table's rows."""
    ways, rule, none = _ways(table, sql), _by_rule(table, sql), sql.typed("NULL", "VARCHAR[]")
    names = [f"WHEN {way.names} IS NOT NULL THEN {way.names} WHEN {way.doubt} IS NOT NULL THEN {none}" for way in ways]
    source = [f"WHEN {way.names} IS NOT NULL THEN {way.source} WHEN {way.doubt} IS NOT NULL THEN ''" for way in ways]
    doubt = [f"WHEN {way.names} IS NOT NULL THEN NULL WHEN {way.doubt} IS NOT NULL THEN {way.doubt}" for way in ways]
    joins = dict.fromkeys(way.join for way in (*ways, rule))
    return Owning(
        names=_otherwise(names, rule.names),
        source=_otherwise(source, rule.source),
        doubt=_otherwise(doubt, rule.doubt),
        joins=" ".join(joins),
        reads=tuple(name for name in _READ if name in table.by_name),
    )


def _otherwise(ways: Sequence[str], by_rule: str) -> str:
    # The rules are told apart once for each of the three: they are most of the query, which is planned for every table.
    return f"CASE {' '.join(ways)} ELSE {by_rule} END" if ways else by_rule


def _ways(table: Table, sql: DuckDB) -> list[_Way]:
    """The sources of owners, the nearest first: the row itself, its vault, its holder, the holder's application."""
    ways: list[_Way] = []
    if "tags" in table.by_name:
        ways.append(_Way(_tagged(sql, "it"), "it.unknown['tags']", quoted("tag owner")))
    if table.name == "service_principal":
        # The owners of its application can become it as well as its own. An external application is not in this tenant.
        both = sql.concatenated(*(f"coalesce({each}.owner_ids, {sql.texts(())})" for each in ("it", "app")))
        missing = f"CASE WHEN it.home IS NULL OR it.home = 'own' THEN {_APPLICATION_DOUBT} END"
        ways.append(_Way(_some(sql, both), f"coalesce(it.unknown['owner_ids'], {missing})", quoted(_ENTRA), _application(sql)))
    elif "owner_ids" in table.by_name:
        ways.append(_Way(_some(sql, "it.owner_ids"), "it.unknown['owner_ids']", quoted(_ENTRA)))
    if "vault_id" in table.by_name:
        ways.append(_Way(_tagged(sql, "vault"), _VAULTS_TAGS, quoted("tag owner of the vault"), _VAULT))
    if "holder_id" in table.by_name:
        holders = " UNION ALL ".join(f"SELECT id, owner_ids, unknown['owner_ids'] AS doubt FROM {name}" for name in OWNED)
        join = f"LEFT JOIN ({holders}) AS holder ON holder.id = it.holder_id"
        ways.append(_Way(_some(sql, "holder.owner_ids"), "holder.doubt", quoted(_ENTRA), join))
    if {"holder_id", "app_id"} <= set(table.by_name):
        told = quoted(f"{_ENTRA} of the application")
        ways.append(_Way(_some(sql, "app.owner_ids"), _APPLICATION_DOUBT, told, _application(sql)))
    return ways


def _by_rule(table: Table, sql: DuckDB) -> _Way:
    """The owners by the rule that fits a row. Of a rule that reads an unknown column nobody knows whether it fits."""
    no_text, no_map = (sql.typed("NULL", type_) for type_ in ("VARCHAR", "MAP(VARCHAR, VARCHAR)"))

    def own(name: str, otherwise: str = no_text) -> str:
        return f"it.{name}" if name in table.by_name else otherwise

    def in_path(pattern: str) -> str:
        return f"nullif({sql.extracted(sql.lower(path), pattern)}, '')"

    in_vault = "vault_id" in table.by_name
    path = "coalesce(it.vault_id, it.resource_id)" if in_vault else "it.resource_id"
    arguments = {
        "tags": own("tags", no_map),
        "vault_tags": "vault.tags" if in_vault else no_map,
        "vault_doubt": _VAULTS_TAGS if in_vault else no_text,
        "subscription_id": own("subscription_id", in_path("^/subscriptions/([^/]+)")),
        "subscription_name": own("subscription_name", "vault.subscription_name" if in_vault else no_text),
        "resource_group": own("resource_group", in_path("/resourcegroups/([^/]+)")),
        "vault_name": "it.name" if table.name == "vault" else own("vault_name", "vault.name" if in_vault else no_text),
        "vault_id": "it.id" if table.name == "vault" else own("vault_id"),
        "own_name": "it.name",
        "app_id": own("app_id"),
        "app_name": "it.name" if table.name in _APPLICATIONS else own("holder_name"),
        "unknown": "it.unknown",
    }
    number = f"owner_rule({', '.join(arguments[name] for name in _ARGUMENTS)})"
    reasons = [f"it.unknown['{name}']" for name in _READ if name in table.by_name and table.by_name[name].can_be_unknown]
    doubt = f"coalesce({', '.join((*reasons, _VAULTS_TAGS if in_vault else 'NULL', quoted(Reason.PARENT_NOT_ASSESSED)))})"
    return _Way(
        names=f"owner_named({number})",
        doubt=f"CASE WHEN {number} = {_OPEN} THEN {doubt} END",
        source=f"owner_source({number})",
        join=_VAULT if in_vault else "",
    )


_ARGUMENTS = (
    *("tags", "vault_tags", "vault_doubt", "subscription_id", "subscription_name", "resource_group", "vault_name", "vault_id"),
    *("own_name", "app_id", "app_name", "unknown"),
)
_FALLBACK, _OPEN = 0, -1
"""In place of the number of a rule: none fits, and it is unknown which one fits. They precede the rules in lists, too."""


def functions(rules: OwnerRules, sql: DuckDB = DUCKDB) -> Iterator[str]:
    """The statements that create what `owning` calls: the number of the rule that fits a row, its owners, and their source."""
    fitting = [
        sql.item(sql.items("NULL", str(_OPEN), str(number)), f"1 + {_fits(rule, sql)}")
        for number, rule in enumerate(rules.rules, 1)
    ]
    number = f"CAST(coalesce({', '.join(fitting)}, {_FALLBACK}) AS INTEGER)" if fitting else str(_FALLBACK)
    yield sql.function("owner_rule", _ARGUMENTS, "INTEGER", number)
    # A list, since CASE would repeat the number for each of its branches, and with it all rules.
    owners = [(), rules.fallback, *(rule.owners for rule in rules.rules)]
    sources = ["", FALLBACK, *(f"{BY_RULE}{number}" for number in range(1, len(rules.rules) + 1))]
    named = sql.items(*(sql.texts(names) if names else sql.typed("NULL", "VARCHAR[]") for names in owners))
    told = sql.items(*(quoted(source if names else "") for source, names in zip(sources, owners, strict=True)))
    yield sql.function("owner_named", ["number"], "VARCHAR[]", sql.item(named, f"number + {1 - _OPEN}"))
    yield sql.function("owner_source", ["number"], "VARCHAR", sql.item(told, f"number + {1 - _OPEN}"))


def _fits(rule: OwnerRule, sql: DuckDB) -> str:
    """Whether a rule fits a row: 2, 0 if not, 1 if that is unknown."""
    looks = {
        "subscription": ("subscription_id", "subscription_name"),
        "resource_group": ("resource_group",),
        "vault": ("vault_name", "vault_id"),
        "name": ("own_name",),
        "application": ("app_id", "app_name"),
    }
    terms = []
    for criterion, columns in looks.items():
        if glob := getattr(rule, criterion):
            found = " OR ".join(f"coalesce({sql.like(sql.lower(column), glob)}, false)" for column in columns)
            doubts = " OR ".join(f"unknown['{_STORED.get(column, column)}'] IS NOT NULL" for column in columns)
            terms.append(f"CASE WHEN {found} THEN 2 WHEN {doubts} THEN 1 ELSE 0 END")
    for name, glob in rule.tags.items():
        tag, tagged = sql.entry("tags", sql.text(name)), sql.entry("vault_tags", sql.text(name))
        own, of_vault = (sql.like(sql.lower(each), glob) for each in (tag, tagged))
        terms.append(
            f"CASE WHEN coalesce({own}, {tag} IS NULL AND {of_vault}, false) THEN 2"
            " WHEN unknown['tags'] IS NOT NULL OR vault_doubt IS NOT NULL THEN 1 ELSE 0 END"
        )
    return f"least({', '.join(terms)}, 2)"


_STORED = {"own_name": "name", "app_name": "holder_name"}


def _tagged(sql: DuckDB, relation: str) -> str:
    tag = f"{relation}.tags['owner']"
    return f"CASE WHEN {sql.trimmed(tag)} <> '' THEN {sql.items(tag)} END"


def _some(sql: DuckDB, names: str) -> str:
    return f"CASE WHEN {sql.size(names)} > 0 THEN array_sort(array_distinct({names})) END"
