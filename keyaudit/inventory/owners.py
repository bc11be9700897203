"""The owners of rows, from their own tag or Entra owners, their vault, their holder, or the holder's application."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Mapping, Sequence

import duckdb
from msgspec import Struct

from keyaudit.inventory.load import quoted
from keyaudit.model.columns import Table
from keyaudit.model.expiring import Owner
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

OWNED = tuple(name for name, table in TABLES.items() if "owner_ids" in table.by_name)
"""Tables whose rows have owners in Entra."""
OWNERS_ASKED = (*OWNED, "vault", "principal")
"""The views that owners are looked up in, besides the table itself."""
_KNOWN = {str(reason): reason for reason in Reason}
_NONE = "NULL::VARCHAR[]"
_READ = ("tags", "owner_ids", "vault_id", "holder_id", "app_id", "home")
_ENTRA = "Entra owners"
UNREAD = Owner((), "", Reason.PARENT_NOT_ASSESSED)
"""The owner of a scope without rows."""


_APPLICATION = """LEFT JOIN (
    SELECT app_id, flatten(list(owner_ids)) AS owner_ids, min(unknown['owner_ids']) AS doubt
    FROM application WHERE app_id IS NOT NULL GROUP BY app_id
) AS app ON app.app_id = it.app_id"""
"""The owners of the application of a row `it`."""
_UNLISTED = f"SELECT min(reason) FROM coverage WHERE operation IN ({', '.join(map(quoted, TABLES['application'].listed_by))})"
_APPLICATION_DOUBT = f"""coalesce(it.unknown['app_id'],
    CASE WHEN it.app_id IS NULL OR app.app_id IS NOT NULL THEN app.doubt ELSE ({_UNLISTED}) END)"""
"""Why they are unknown."""


class Owning(Struct, frozen=True):
    """SQL over a table `it` with `joins`: names or NULL, their source, and why they are unknown or NULL.

    `reads`: the columns of the table that this reads, besides `unknown`.
    """

    names: str
    source: str
    doubt: str
    joins: str
    reads: tuple[str, ...]


class _Way(Struct, frozen=True):
    """One source of owners: names or NULL, why they are unknown or NULL, the name of the source, and the required join."""

    names: str
    doubt: str
    source: str
    join: str = ""


def called(connection: duckdb.DuckDBPyConnection) -> Mapping[str, str]:
    """Object id to name, of the owners in Entra whose name was read.

    Users have their sign-in name; others have their display name and id, since display names repeat.
    """
    held = " UNION ".join(f"SELECT unnest(owner_ids) AS id FROM {name}" for name in OWNED)
    with connection.cursor() as cursor:
        rows = cursor.execute(
            f"""SELECT object_id, coalesce(user_principal_name, name || ' ' || object_id) AS called
            FROM principal WHERE object_id IN ({held}) AND called IS NOT NULL"""
        ).fetchall()
    return dict(rows)


def owner_of(called: Mapping[str, str], ids: Sequence[str] | None, source: str | None, doubt: str | None) -> Owner:
    """The owner from the columns of `owning`, with Entra owners by name."""
    names = [called.get(id_, id_) for id_ in ids or ()] if source and source.startswith(_ENTRA) else ids or ()
    return Owner(tuple(names), source or "", _KNOWN.get(doubt, Reason.UNRECOGNISED) if doubt else None)


def owning(table: Table) -> Owning:
    """The SQL for the owners of a table's rows."""
    ways = _ways(table)
    if not ways:
        return Owning(_NONE, "''", "NULL", "", ())
    names = [f"WHEN {way.names} IS NOT NULL THEN {way.names} WHEN {way.doubt} IS NOT NULL THEN {_NONE}" for way in ways]
    source = [f"WHEN {way.names} IS NOT NULL THEN {quoted(way.source)} WHEN {way.doubt} IS NOT NULL THEN ''" for way in ways]
    doubt = [f"WHEN {way.names} IS NOT NULL THEN NULL WHEN {way.doubt} IS NOT NULL THEN {way.doubt}" for way in ways]
    return Owning(
        names=f"CASE {' '.join(names)} ELSE {_NONE} END",
        source=f"CASE {' '.join(source)} ELSE '' END",
        doubt=f"CASE {' '.join(doubt)} ELSE NULL END",
        joins=" ".join(dict.fromkeys(way.join for way in ways)),
        reads=tuple(name for name in _READ if name in table.by_name),
    )


def _ways(table: Table) -> list[_Way]:
    """The sources of owners, the nearest first: the row itself, its vault, its holder, the holder's application."""
    ways: list[_Way] = []
    if "tags" in table.by_name:
        ways.append(_Way(_tagged("it"), "it.unknown['tags']", "tag owner"))
    if table.name == "service_principal":
        # The owners of its application can become it as well as its own. An external application is not in this tenant.
        both = "list_concat(coalesce(it.owner_ids, []), coalesce(app.owner_ids, []))"
        missing = f"CASE WHEN it.home IS NULL OR it.home = 'own' THEN {_APPLICATION_DOUBT} END"
        ways.append(_Way(_some(both), f"coalesce(it.unknown['owner_ids'], {missing})", _ENTRA, _APPLICATION))
    elif "owner_ids" in table.by_name:
        ways.append(_Way(_some("it.owner_ids"), "it.unknown['owner_ids']", _ENTRA))
    if "vault_id" in table.by_name:
        doubt = (
            "CASE WHEN it.vault_id IS NULL THEN it.unknown['vault_id']"
            f" WHEN vault.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE vault.unknown['tags'] END"
        )
        ways.append(_Way(_tagged("vault"), doubt, "tag owner of the vault", "LEFT JOIN vault ON vault.id = it.vault_id"))
    if "holder_id" in table.by_name:
        holders = " UNION ALL ".join(f"SELECT id, owner_ids, unknown['owner_ids'] AS doubt FROM {name}" for name in OWNED)
        join = f"LEFT JOIN ({holders}) AS holder ON holder.id = it.holder_id"
        ways.append(_Way(_some("holder.owner_ids"), "holder.doubt", _ENTRA, join))
    if {"holder_id", "app_id"} <= set(table.by_name):
        ways.append(_Way(_some("app.owner_ids"), _APPLICATION_DOUBT, f"{_ENTRA} of the application", _APPLICATION))
    return ways


def _tagged(relation: str) -> str:
    return f"CASE WHEN trim({relation}.tags['owner']) <> '' THEN [{relation}.tags['owner']] END"


def _some(names: str) -> str:
    return f"CASE WHEN len({names}) > 0 THEN list_sort(list_distinct({names})) END"
