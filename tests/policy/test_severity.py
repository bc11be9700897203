"""Severity is what is weak times what it opens: one table, and for what was not read a range that holds the truth."""

import itertools
from collections.abc import Mapping
from random import Random
from typing import Any

import duckdb
import pytest

from keyaudit.model.schema.columns import Type
from keyaudit.model.schema.opens import ALWAYS
from keyaudit.model.severity import LEVELS, Opens, Severity, Weakness, severity
from keyaudit.model.tables import TABLES
from keyaudit.policy.conditions.types import columns_read
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.evaluation.queries import OPENED, opens_column, selection
from keyaudit.policy.examples.literals import written_out
from keyaudit.policy.load import load
from keyaudit.policy.reading.schema import opened
from tests.policy.interpreter import Interpreter

NOW = 1_800_000_000
DAY = 86_400
_VALUES: Mapping[Type, tuple[Any, ...]] = {
    Type.BOOLEAN: (True, False),
    Type.INTEGER: (0, 1, 2),
    Type.TIME: (NOW - DAY, NOW - 400 * DAY),
    Type.COUNT: ((0, 0), (1, 1)),
    Type.TEXTS: ([], ["sign"], ["purge-vault"]),
}


@pytest.mark.parametrize("weakness", Weakness)
def test_who_opens_more_is_never_less_severe(weakness: Weakness) -> None:
    ranks = [severity(weakness, opens).rank for opens in Opens]
    assert ranks == sorted(ranks)


def test_only_a_compromise_or_the_tenant_is_critical() -> None:
    critical = [(weakness, opens) for weakness in Weakness for opens in Opens if severity(weakness, opens) == "critical"]
    assert critical == [
        ("compromise", "wide"),
        ("compromise", "tenant"),
        ("open", "tenant"),
        ("flawed", "tenant"),
    ]
    assert {LEVELS[level] for level in Severity} == {(level,) * 4 for level in Severity}


def values(table: str, column: str) -> tuple[Any, ...]:
    declared = TABLES[table].by_name[column]
    of = declared.values or _VALUES.get(declared.type, ("a", "b"))
    if declared.type is Type.TEXTS and declared.values:
        of = ([], *([each] for each in declared.values))
    return (*of, None) if declared.absent else tuple(of)


def opens_of(table: str, row: Mapping[str, Any]) -> Opens:
    """What a row of known values opens, by the text of the rules."""
    for opens, text in TABLES[table].opens.items():
        if text == ALWAYS or Interpreter(row, {}, {}, NOW).holds(text):
            return opens
    return Opens.LITTLE


@pytest.mark.parametrize("table", [name for name, each in TABLES.items() if any(each.opens.values())])
def test_a_range_holds_what_the_row_opens_whatever_was_not_read(table: str) -> None:
    random, columns = Random(table), columns_read(*(tree for _, tree in opened(TABLES[table])))
    rows, truths = [], []
    for _ in range(60):
        unread = {name for name in columns if random.random() < 0.25}
        known = {name: random.choice(values(table, name)) for name in columns}
        ways = itertools.islice(itertools.product(*(values(table, name) for name in unread)), 500)
        truths.append(({opens_of(table, {**known, **dict(zip(unread, way, strict=True))}) for way in ways}, unread))
        cells = {**known, **{name: (None, None) if isinstance(known[name], tuple) else None for name in unread}}
        rows.append((cells, dict.fromkeys(unread, "permission")))
    policy = next(each for each in load() if each.text.table == table and each.text.weakness)
    asked = [name for name in TABLES[table].by_name if name not in columns]
    for cells, _ in rows:
        cells.update({name: (0, 0) if TABLES[table].by_name[name].type is Type.COUNT else None for name in asked})
    source = written_out(TABLES[table], rows)
    conditions = [opens for opens, text in TABLES[table].opens.items() if text != ALWAYS]
    held = ", ".join(map(opens_column, conditions))
    with duckdb.connect(config={"threads": 1}) as connection:
        query = f"SELECT {OPENED}, {held} FROM {selection(bind([policy], 'default', {}), source, NOW)} ORDER BY position"
        found = connection.execute(query).fetchall()
    last = next((opens for opens, text in TABLES[table].opens.items() if text == ALWAYS), Opens.LITTLE)
    for (most, *states), (truth, unread) in zip(found, truths, strict=True):
        least = next((opens for opens, holds in zip(conditions, states, strict=True) if holds), last)
        assert least.rank <= min(each.rank for each in truth)
        assert most >= max(each.rank for each in truth)
        if not unread:
            assert {most, least.rank} == {each.rank for each in truth}
