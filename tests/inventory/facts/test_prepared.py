"""What is said of a prepared table, of the one row that is named, and of groups with a single row, is true in every way to know
more.
"""

from itertools import islice
from random import Random
from typing import Any

import duckdb
import pytest

from keyaudit.inventory.facts.fact import CERTAIN, Count, Derived, Doubt, Fact, Items, Truth
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import joined
from keyaudit.inventory.facts.prepared import Prepared
from keyaudit.inventory.facts.relation import single_row
from keyaudit.inventory.facts.sql import Sources
from tests.inventory.facts import worlds
from tests.inventory.facts.worlds import UNKNOWN, WORLD, Expressions, Row

_UNREAD = "truncated"
_KEY = "a"
_WORD = list(worlds.DOMAINS).index("word")
_SCENARIOS, _WAYS = 30, 6
_TRUTHS = ("is", "any", "some")


def _made(seed: int) -> Prepared:
    """The things with random facts beside their cells."""
    cells: dict[str, Derived] = {name: worlds.cell(name, "things") for name in worlds.DOMAINS}
    more = Expressions(seed, "things")
    time = worlds.cell("time", "things")
    bounds = Count(f"coalesce({time.value}, 2)", f"coalesce({time.value}, 3)", time.doubt)
    text = worlds.cell("text", "things")
    none = f"CASE WHEN {text.doubt.sql} IS NULL THEN CAST([] AS VARCHAR[]) END"
    items = Items(f"CASE WHEN {text.value} IS NULL THEN {none} ELSE [{text.value}] END", text.doubt)
    key = Fact(f"things.word || '/' || {WORLD}", cells["word"].doubt)
    facts = cells | {"truth": more.truth(2), "words": more.text(2), "sum": more.number(2), "bounds": bounds, "listed": items}
    facts["key"] = key
    return Prepared(
        Sources({}), "made", facts, "things", "thing", types={"number": "BIGINT", "time": "BIGINT", "sum": "BIGINT"}
    )


def _facts(made: Prepared, *, read: bool) -> dict[str, Derived]:
    missing = CERTAIN if read else Doubt((f"'{_UNREAD}'",))
    key = Fact("stored.key")
    things, others = made.under("thing"), made.under("other")
    row = single_row(things, key=key, by=things["key"], missing=missing)
    of = groups(others, "of", by=others["key"], key=key, missing=missing, single=True)
    flag = others.flag("flag")
    untold = of.doubt_of("untold", others["text"], flag)
    return {
        **{name: row[name] for name in ("flag", "text", "number", "truth", "words", "sum")},
        "is": row.flag("flag"),
        "bounds": row.count("bounds", things.count("bounds")),
        "any": of.any_of("any_flag", flag),
        "some": of.any_of("some"),
        "how many": of.count_of("many", others.flag("truth")),
        "latest": of.latest("latest", others["number"], flag),
        "endless": of.latest("endless", others["number"], flag, absent_last=True),
        "texts": of.texts_of("texts", others["text"], flag),
        "items": of.items_of("items", others["text"], flag),
        "of row": row.items("listed", things.items("listed")),
        "told": Truth(f"CASE WHEN {untold.sql} IS NULL THEN true END", untold, reads=untold.reads),
    }


def _results(
    connection: duckdb.DuckDBPyConnection, made: Prepared, *things: list[Row], read: bool
) -> list[dict[str, tuple[Any, ...]]]:
    """For each world with these things, what is said of the row that is named. Of several, all cells must be known."""
    worlds.create_worlds(connection, things)
    connection.execute("DROP TABLE IF EXISTS made")
    connection.execute(made.created)
    facts = _facts(made, read=read)
    joins = joined({each for fact in facts.values() for each in fact.everything})
    columns = ", ".join(map(worlds.columns, facts.values()))
    stored = f"(SELECT '{_KEY}/' || range AS key, range AS world FROM range({len(things)})) AS stored"
    said = []
    for found in connection.execute(f"SELECT {columns} FROM {stored} {joins} ORDER BY stored.world").fetchall():
        cells = iter(found)
        said.append({name: tuple(islice(cells, 3 if isinstance(fact, Count) else 2)) for name, fact in facts.items()})
    assert len(said) == len(things)
    return said


def _single(things: list[Row]) -> bool:
    return [row[_WORD] for row in things].count(_KEY) < 2


def _row(random: Random, unknown: float) -> Row:
    return tuple(UNKNOWN if random.random() < unknown else random.choice(domain) for domain in worlds.DOMAINS.values())


@pytest.mark.parametrize("read", [True, False])
def test_what_is_known_of_one_row_is_true_in_every_way_to_know_more(read: bool) -> None:
    random = Random(f"one {read}")
    connection = duckdb.connect(config={"threads": 1})
    known: set[str] = set()
    unknown: set[str] = set()
    names = set(_facts(_made(0), read=read))
    for seed in range(_SCENARIOS):
        made = _made(seed)
        things = [_row(random, 0.3) for _ in range(random.randrange(4))]
        if not _single(things):
            continue
        [said] = _results(connection, made, things, read=read)
        ways = []
        for _ in range(_WAYS):
            more = [] if read else [_row(random, 0) for _ in range(random.randrange(2))]
            ways.append([random.choice(list(worlds.completions(row))) for row in (*things, *more)])
        for true in _results(connection, made, *filter(_single, ways), read=True):
            for name, (*found, reason) in said.items():
                *value, _none = true[name]
                if len(found) > 1:
                    assert found[0] <= value[0], (name, things)
                    assert found[1] is None or found[1] >= value[0], (name, things)
                    assert (found[0] == found[1]) == (reason is None), (name, things)
                elif reason and isinstance(found[0], list):
                    assert set(found[0]) <= set(value[0]), (name, things)
                elif reason is None:
                    assert found == value, (name, things)
                    assert found != [None] or name not in _TRUTHS, (name, things)
                else:
                    assert found == [None], (name, things)
                (unknown if reason else known).add(name)
    # Otherwise nothing was compared.
    assert known == unknown == names


def test_a_table_without_rows_has_the_columns_of_one_with_rows() -> None:
    connection = duckdb.connect(config={"threads": 1})
    made = _made(1)
    worlds.create(connection, "things", [])
    connection.execute(made.created)
    full = connection.execute("DESCRIBE made").fetchall()
    connection.execute("DROP TABLE made")
    connection.execute(made.empty)
    assert connection.execute("DESCRIBE made").fetchall() == full
