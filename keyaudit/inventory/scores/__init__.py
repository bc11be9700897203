"""Scores: blast radius x exposure x age of every key and credential. Each factor is a ladder of rungs, declared once.

`scored` returns rows of a table with the state of each rung, and with the resulting bounds, by which findings are sorted. It is
computed only on request. Tables that are not in `SCALES` have no score: a score is for an object that can be copied, or used in
place of its owner.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from collections.abc import Iterable, Mapping

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.inventory.scores.account_key import ACCOUNT_KEY
from keyaudit.inventory.scores.certificate import CERTIFICATE, prepare
from keyaudit.inventory.scores.credential import CREDENTIAL
from keyaudit.inventory.scores.key import KEY
from keyaudit.inventory.scores.ladder import Scale
from keyaudit.inventory.scores.signing_certificate import SIGNING_CERTIFICATE
from keyaudit.model.tables import TABLES

_FLAGS = ("blast_radius_rungs", "exposure_rungs", "age_rungs", "override_flags")
_NAMES = ("blast_radius", "exposure", "age")


def _scored(sql: DuckDB, source: str, scale: Scale, as_of: int) -> str:
    flags = [f"{ladder.flags(sql)} AS {name}" for ladder, name in zip(scale.ladders, _FLAGS, strict=False)]
    overrides = sql.typed(sql.items(*(override.holds for override in scale.overrides)), "BOOLEAN[]")
    bounds = [
        f"{bound} AS {name}_{end}"
        for ladder, name, column in zip(scale.ladders, _NAMES, _FLAGS, strict=False)
        for bound, end in zip(
            ladder.bounds([sql.item(column, nth) for nth in range(1, len(ladder.rungs) + 1)]), ("low", "high"), strict=True
        )
    ]
    products = (f"{' * '.join(f'{name}_{end}' for name in _NAMES)} AS score_{end}" for end in ("high", "low"))
    shown = sql.map({name: name for name in scale.shown})
    held = f"{sql.struct({'flags': sql.items(*_FLAGS), 'facts': shown, 'unknown': 'fact_unknown'})} AS score"
    judged = f"SELECT *, CAST({as_of} AS BIGINT) AS fact_as_of FROM {source}"
    # The facts are joined to `judged`; each level reads the columns of the one below.
    return f"""
        WITH {sql.inlined("judged", judged)}
        SELECT *, {", ".join(products)}, {held} FROM (
            SELECT *, {", ".join(bounds)} FROM (
                SELECT *, {", ".join(flags)}, {overrides} AS {_FLAGS[-1]} FROM (
                    SELECT *, {scale.ages(sql)} FROM ({scale.facts.query(sql)})
                )
            )
        )"""


SCALES: Mapping[str, Scale] = {
    "key": KEY,
    "certificate": CERTIFICATE,
    "credential": CREDENTIAL,
    "signing_certificate": SIGNING_CERTIFICATE,
    "account_key": ACCOUNT_KEY,
}
"""The scales by table name."""


def prepared(table: str, as_of: int, sql: DuckDB = DUCKDB) -> tuple[str, ...]:
    """The statements that create the lookup tables for scoring that table; execute them once before reading `scored`."""
    return (prepare(sql, as_of),) if table == "certificate" else ()


def read(tables: Iterable[str]) -> dict[str, frozenset[str]]:
    """By table, the derived columns that the scores of some tables read. A table is there, too, if only stored ones are."""
    found: dict[str, frozenset[str]] = {}
    for name in tables:
        if scale := SCALES.get(name):
            for table, columns in ((name, scale.reads), *scale.facts.reads.items()):
                derived = columns & {column.name for column in TABLES[table].derived}
                found[table] = found.get(table, frozenset()) | derived
    return found


def scored(relation: str, table: str, as_of: int, sql: DuckDB = DUCKDB) -> str:
    """SQL of a relation's rows, each with `score_high`, `score_low`, and `score` with their explanation.

    That is a struct of `flags` (for each ladder and for the overrides, whether each of them holds), `facts` that reasons show,
    and `unknown`, why facts of other tables are not known. `relation` has all columns of the view of `table`, or more.
    """
    if table not in SCALES:
        return unscored(relation)
    return _scored(sql, relation, SCALES[table], as_of)


def unscored(relation: str) -> str:
    """The same columns for rows without a score: NULL, 0 and 0."""
    return f"SELECT *, NULL AS score, 0 AS score_high, 0 AS score_low FROM {relation}"
