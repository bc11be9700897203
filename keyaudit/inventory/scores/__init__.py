"""Scores: blast radius x exposure x age of every key and credential. Each factor is a ladder of rungs, declared once.

`scored` returns rows of a table with the state of each rung, and with the resulting bounds, by which findings are sorted. It is
computed only on request. Tables that are not in `SCALES` have no score: a score is for an object that can be copied, or used in
place of its owner.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

import re
from collections.abc import Iterable, Mapping

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.inventory.scores.account_key import ACCOUNT_KEY
from keyaudit.inventory.scores.certificate import CERTIFICATE, prepare
from keyaudit.inventory.scores.credential import CREDENTIAL
from keyaudit.inventory.scores.key import KEY
from keyaudit.inventory.scores.ladder import Override, Rung, Scale
from keyaudit.inventory.scores.signing_certificate import SIGNING_CERTIFICATE
from keyaudit.model.tables import TABLES

_WORD = re.compile(r"\w+")
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
                    SELECT *, {scale.ages(sql)} FROM ({scale.facts(sql)})
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
    return (prepare(sql, CREDENTIAL, as_of),) if table == "certificate" else ()


def read(tables: Iterable[str]) -> dict[str, frozenset[str]]:
    """By table, the columns that the scores of some tables may depend on or explain: every one that is named.

    A table is there if its name is in their SQL.
    """
    scales = {name: SCALES[name] for name in tables if name in SCALES}
    sql = " ".join(text for name in scales for text in (scored(name, name, 0), *prepared(name, 0)))
    reasons = [ladder.because for scale in scales.values() for ladder in scale.ladders]
    for scale in scales.values():
        explained: list[Rung | Override] = [*(rung for ladder in scale.ladders for rung in ladder.rungs), *scale.overrides]
        reasons += [text for each in explained for text in (each.because, *each.reads)]
    words = {word.removesuffix(end) for word in _WORD.findall(" ".join((sql, *reasons))) for end in ("", "_min", "_max")}
    return {name: frozenset(words & TABLES[name].by_name.keys()) for name in TABLES.keys() & set(_WORD.findall(sql))}


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
