"""By when keys and certificates have to move to another algorithm, by owner and by algorithm."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import duckdb
from msgspec.structs import replace

from keyaudit.inventory.expiring import out_of_use
from keyaudit.inventory.load import quoted
from keyaudit.inventory.owners import called, owner_of, owning
from keyaudit.inventory.part import EVERYTHING, Within
from keyaudit.model.algorithms import BROKEN, DEPRECATED_AFTER, DISALLOWED_AFTER, LONG_ENOUGH, SAFE, SHORTEST, algorithm
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.overview import Migration, Moving, Wave
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import parse_date

_FAMILIES = {"key": "kty", "certificate": "key_type", "credential": "key_type", "signing_certificate": "key_type"}
"""The tables of keys and certificates that somebody here can replace, with the column of the algorithm's family."""
_NARROWER = {"key": "coalesce(it.parameter_set, it.kty)"}
"""Where another column says it more exactly: SQL for both."""
_UNREAD = "algorithm unknown"


def operations_read() -> frozenset[str]:
    """The operations that list these keys and certificates."""
    return frozenset(operation for name in _FAMILIES for operation in TABLES[name].listed_by)


def migration(connection: duckdb.DuckDBPyConnection, as_of: int, *, complete: bool, limits: Within = EVERYTHING) -> Migration:
    """What has not expired at `as_of`, and is not surely out of use. `complete`: all of it was listed. `limits`: only rows
    within."""
    names = called(connection)
    by_owner: dict[Owner, Counter[Wave]] = defaultdict(Counter)
    by_algorithm: dict[str, Counter[Wave]] = defaultdict(Counter)
    for table in _FAMILIES:
        for owner, source, doubt, family, size, curve, wave, count in connection.execute(
            _query(table, as_of, limits)
        ).fetchall():
            # A person named by a tag and by Entra is one owner.
            by_owner[replace(owner_of(names, owner, source, doubt), source="")][Wave(wave)] += count
            by_algorithm[algorithm(family, size, curve).name if family else _UNREAD][Wave(wave)] += count
    return Migration(owners=_sorted(by_owner.items()), algorithms=_sorted(by_algorithm.items()), complete=complete)


def _query(name: str, as_of: int, limits: Within) -> str:
    table, column = TABLES[name], f"it.{_FAMILIES[name]}"
    own = owning(table)
    retired, join = out_of_use(table)
    family = f"regexp_replace({_NARROWER.get(name, column)}, '-HSM$', '')"
    return f"""SELECT {own.names} AS owner, {own.source} AS source, {own.doubt} AS doubt,
            {family} AS family, it.key_size, it.curve, {_wave(family)} AS wave, count(*)
        FROM {limits.rows(table)} AS it {own.joins} {join}
        WHERE NOT ({retired}) AND (it.expires_on IS NULL OR it.expires_on > {as_of})
            AND ({column} IS NOT NULL OR it.unknown[{quoted(_FAMILIES[name])}] IS NOT NULL)
        GROUP BY ALL ORDER BY ALL"""


def _wave(family: str) -> str:
    broken, safe = (", ".join(map(quoted, each)) for each in (BROKEN, SAFE))
    first, second = (parse_date(f"{year + 1}-01-01") for year in (DEPRECATED_AFTER, DISALLOWED_AFTER))
    return f"""CASE
        WHEN {family} IN ({safe}) THEN {quoted(Wave.UNAFFECTED)}
        WHEN {family} = 'RSA' AND it.key_size < {SHORTEST} THEN {quoted(Wave.FIRST)}
        WHEN {family} IS NULL OR {family} NOT IN ({broken}) OR ({family} = 'RSA' AND it.key_size IS NULL)
            OR it.unknown['expires_on'] IS NOT NULL THEN {quoted(Wave.UNKNOWN)}
        WHEN {family} = 'RSA' AND it.key_size < {LONG_ENOUGH} AND (it.expires_on IS NULL OR it.expires_on >= {first})
            THEN {quoted(Wave.FIRST)}
        WHEN (it.expires_on IS NULL OR it.expires_on >= {second}) THEN {quoted(Wave.SECOND)}
        ELSE {quoted(Wave.IN_TIME)} END"""


def _sorted(counted: Iterable[tuple[Owner | str, Mapping[Wave, int]]]) -> list[Moving]:
    def urgency(each: Moving) -> tuple[object, ...]:
        name = each.of if isinstance(each.of, str) else (*each.of.names, each.of.source, str(each.of.reason))
        return (*(-each.counts.get(wave, 0) for wave in Wave), str(name))

    return sorted((Moving(of, dict(counts)) for of, counts in counted), key=urgency)
