"""A fact about a group is true in each way to fill unknown cells, to place rows with an unknown key, and to complete a
list that was not read to its end.
"""

from itertools import islice
from random import Random
from typing import Any

import duckdb
import pytest

from keyaudit.inventory.facts.extremes import greatest_of
from keyaudit.inventory.facts.fact import CERTAIN, Count, Doubt, Fact, Truth, strict
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import joined
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources
from tests.inventory.facts import worlds
from tests.inventory.facts.worlds import UNKNOWN, WORLD, Row
from tests.matrices import each_with_each

_UNREAD = "truncated"
_THE_ONE = "the one"
"""It is asked for only where there is at most one."""
_SCENARIOS = 12
_WAYS = 8
_WORD = Doubt(("things.unknown['word']",))
_KEYS = {
    "certain": Fact(f"things.time || '/' || {WORLD}"),
    "unknown": Fact(f"things.word || '/' || {WORLD}", _WORD),
    "in a list": Fact(
        f"CASE things.word WHEN 'a' THEN ['a/' || {WORLD}, 'b/' || {WORLD}] WHEN 'c' THEN ['c/' || {WORLD}] END", _WORD
    ),
}
"""By name, a fact to group rows by."""
_OF = {"certain": "2", "unknown": "a", "in a list": "b"}
"""The group that is looked at."""


def _facts(key: str, *, read: bool) -> dict[str, Fact | Count]:
    def thing(name: str) -> Fact:
        return worlds.cell(name, "things")

    rows = Rows(Sources({"things": "things"}), "things", "things")
    missing = CERTAIN if read else Doubt((f"'{_UNREAD}'",))
    of = groups(rows, "of", by=_KEYS[key], key=Fact("stored.key"), missing=missing, in_list=key == "in a list")
    flag, other = thing("flag"), thing("other")
    assert isinstance(flag, Truth)
    assert isinstance(other, Truth)
    both = flag & other
    return {
        "any": of.any_of("any_both", both),
        "every": ~of.any_of("any_other", ~(flag | other)),
        "some": of.any_of("any_row"),
        "the only": of.only("many", Fact("things.time"), both),
        "how many": of.count_of("many", both),
        "rows": of.count_of("all_rows"),
        "numbers": of.count_of("numbers", flag, different=Fact("things.time")),
        "latest": of.latest("latest", thing("number"), both),
        "latest of all": of.latest("endless", thing("number"), flag, absent_last=True),
        "latest time": of.latest("latest_time", thing("time"), flag),
        "words": of.count_of("words", both, different=thing("text")),
        "least": of.least("least", thing("number"), both),
        "oldest": of.least("oldest", thing("number"), both, absent_first=True),
        "least of all": of.least("least_time", thing("time"), flag),
        "sum": of.least("sum", strict(lambda a, b: f"({a} + {b})", thing("number"), thing("time"))),
        "texts": of.texts_of("texts", thing("text"), both),
        "greatest": of.greatest("greatest", thing("number"), both),
        "greatest or none": of.greatest("endless", thing("number"), flag, absent_last=True),
        "later": of.greatest("latest_time", thing("time"), flag).exceeds(Fact("2")),
        "endless": of.greatest("latest_of_all", thing("number"), absent_last=True).exceeds(Fact("2")),
        "than none": of.greatest("none", thing("time")).exceeds(Fact("CAST(NULL AS BIGINT)", absent=True)),
        _THE_ONE: of.the_one("one", Fact("things.time"), both),
    }


def _results(
    connection: duckdb.DuckDBPyConnection, key: str, *things: list[Row], read: bool
) -> list[dict[str, tuple[Any, ...]]]:
    """For each world with these things, what is said of the group. Of several, all cells must be known."""
    facts = _facts(key, read=read)
    worlds.create_worlds(connection, things)
    joins = joined({each for fact in facts.values() for each in fact.everything})
    columns = ", ".join(map(worlds.columns, facts.values()))
    stored = f"(SELECT '{_OF[key]}/' || range AS key, range AS world FROM range({len(things)})) AS stored"
    said = []
    for found in connection.execute(f"SELECT {columns} FROM {stored} {joins} ORDER BY stored.world").fetchall():
        cells = iter(found)
        said.append({name: tuple(islice(cells, 3 if isinstance(fact, Count) else 2)) for name, fact in facts.items()})
    assert len(said) == len(things)
    return said


def _row(random: Random, key: str, unknown: float) -> Row:
    never = "time"  # counted as different values, and the key of one kind of groups
    return tuple(
        UNKNOWN if name != never and random.random() < unknown and not (key == "certain" and name == "word")
        else random.choice(domain)
        for name, domain in worlds.DOMAINS.items()
    )  # fmt: skip


def _filled(random: Random, row: Row) -> Row:
    return random.choice(list(worlds.completions(row)))


@pytest.mark.parametrize(("key", "read"), each_with_each(_KEYS, [True, False]))
def test_what_is_known_of_a_group_is_true_in_every_way_to_know_more(key: str, read: bool) -> None:
    random = Random(f"{key} {read}")
    connection = duckdb.connect(config={"threads": 1})
    known, total = 0, 0
    for _ in range(_SCENARIOS):
        things = [_row(random, key, 0.3) for _ in range(random.randrange(4))]
        [said] = _results(connection, key, things, read=read)
        ways = []
        for _ in range(_WAYS):
            more = [] if read else [_row(random, key, 0) for _ in range(random.randrange(3))]
            ways.append([_filled(random, row) for row in (*things, *more)])
        for true in _results(connection, key, *ways, read=True):
            several = true["how many"][0] > 1
            for name, (*found, reason) in said.items():
                *whole, _none = true[name]
                if several and name == _THE_ONE:
                    continue
                if len(found) > 1:
                    assert found[0] <= whole[0], (name, things)
                    assert found[1] is None or found[1] >= whole[0], (name, things)
                    assert (found[0] == found[1]) == (reason is None), (name, things)
                elif reason is None:
                    assert found == whole, (name, things)
                    known += 1
                else:
                    assert found == [None], (name, things)
                total += 1
    # Otherwise nothing was compared.
    assert known > total / 25


def test_the_greatest_of_several_has_no_upper_bound_where_one_has_none() -> None:
    whole, open_ = Count("1", "5", Doubt(("NULL",))), Count("2", "NULL", Doubt(("'truncated'",)))
    bounds = [greatest_of(*each) for each in ((whole, whole), (whole, open_), (open_, open_))]
    query = f"SELECT {', '.join(f'{each.least}, {each.most}' for each in bounds)}"
    assert duckdb.execute(query).fetchall() == [(1, 5, 2, None, 2, None)]


@pytest.mark.parametrize("key", _KEYS)
def test_nothing_is_true_of_any_of_no_rows(key: str) -> None:
    connection = duckdb.connect(config={"threads": 1})
    [said] = _results(connection, key, [], read=True)
    assert [said[name] for name in ("any", "some", "every")] == [(False, None), (False, None), (True, None)]
    assert [said[name] for name in ("how many", "rows")] == [(0, 0, None), (0, 0, None)]
    [unread] = _results(connection, key, [], read=False)
    assert [unread[name][0] for name in ("any", "some", "every")] == [None, None, None]
