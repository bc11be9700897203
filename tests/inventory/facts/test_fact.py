"""A fact about a row with unknown cells is true of every row that it may be, and a Truth is NULL only with a reason."""

import re
from dataclasses import replace

import duckdb
import pytest

from keyaudit.inventory.facts.fact import (
    CERTAIN,
    Count,
    Derived,
    Fact,
    Items,
    Truth,
    case,
    choice,
    known,
    possible,
    sized,
    strict,
    unless,
)
from keyaudit.inventory.facts.joins import Join, Part, Reads, cells, joined, relations
from keyaudit.inventory.facts.relation import by_hand, unread
from keyaudit.model.reasons import Reason
from tests.inventory.facts import worlds
from tests.inventory.facts.worlds import Expressions

_SEEDS = range(6)
_EACH = 40
_ROWS = worlds.rows()
_NUMBER = {row: number for number, row in enumerate(_ROWS)}
_MAY_BE = {row: [_NUMBER[whole] for whole in worlds.completions(row)] for row in _ROWS}


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    """With a row for each combination of values and unknown cells."""
    made = duckdb.connect(config={"threads": 1})
    worlds.create(made, "stored", _ROWS)
    return made


Said = list[tuple[Fact, list[tuple[object, object]]]]


def _results(connection: duckdb.DuckDBPyConnection, fact: Fact) -> list[tuple[object, object]]:
    return connection.execute(f"SELECT {worlds.columns(fact)} FROM stored ORDER BY row_number").fetchall()


def _expressions(seed: int) -> list[Fact]:
    made = Expressions(seed)
    depths = [1 + number % 3 for number in range(_EACH)]
    return [make(depth) for depth in depths for make in (made.truth, made.text, made.number)]


@pytest.fixture(scope="module", params=_SEEDS)
def said(request: pytest.FixtureRequest, connection: duckdb.DuckDBPyConnection) -> Said:
    """What random facts say of each row."""
    return [(fact, _results(connection, fact)) for fact in _expressions(request.param)]


def test_without_a_reason_every_way_to_fill_the_unknown_cells_gives_the_same_value(said: Said) -> None:
    for fact, results in said:
        for row, (value, reason) in zip(_ROWS, results, strict=True):
            if reason is None:
                assert {results[number] for number in _MAY_BE[row]} == {(value, None)}, (row, fact.value)


def test_what_is_unknown_has_the_reason_of_an_unknown_cell_and_no_value(said: Said) -> None:
    for fact, results in said:
        for row, (value, reason) in zip(_ROWS, results, strict=True):
            unknown = {name for name, cell in zip(worlds.DOMAINS, row, strict=True) if cell == worlds.UNKNOWN} | {
                Reason.UNRECOGNISED
            }
            assert reason is None or (value is None and reason in unknown), (row, fact.value)


def test_a_truth_is_null_exactly_where_it_has_a_reason(said: Said) -> None:
    truths = [(fact, results) for fact, results in said if isinstance(fact, Truth)]
    assert len(truths) == _EACH
    for fact, results in truths:
        assert all((value is None) == (reason is not None) for value, reason in results), fact.value


def _one(connection: duckdb.DuckDBPyConnection, fact: Fact, **cells: object) -> tuple[object, object]:
    """Its value and reason in a row with these cells, where all others are unknown."""
    row = tuple(cells.get(name, worlds.UNKNOWN) for name in worlds.DOMAINS)
    return _results(connection, fact)[_NUMBER[row]]


def test_a_reason_is_that_of_a_cell_that_decides(connection: duckdb.DuckDBPyConnection) -> None:
    flag, other, word, time = (worlds.cell(name) for name in ("flag", "other", "word", "time"))
    assert isinstance(flag, Truth)
    assert isinstance(other, Truth)
    either = (flag & other) | word.eq("a")
    assert _one(connection, either, other=False) == (None, "word")
    assert _one(connection, either, other=True, word="c") == (None, "flag")
    assert _one(connection, either, word="a") == (True, None)
    assert _one(connection, case((flag, time), (other, known(7)), otherwise=known(8)), flag=False) == (None, "other")
    assert _one(connection, case((flag, known(7)), otherwise=known(8)), flag=False) == (8, None)


def test_what_is_certainly_absent_decides(connection: duckdb.DuckDBPyConnection) -> None:
    later = strict(lambda number, time: f"({number} + {time})", worlds.cell("number"), worlds.cell("time"))
    assert _one(connection, later, number=None) == (None, None)
    assert _one(connection, later, number=1) == (None, "time")
    assert _one(connection, later, number=1, time=2) == (3, None)


def test_at_most_one_of_exclusive_conditions_need_be_known(connection: duckdb.DuckDBPyConnection) -> None:
    flag, word = worlds.cell("flag"), worlds.cell("word")
    assert isinstance(flag, Truth)
    chosen = choice((flag, known("first")), (word.eq("a"), known("second")), otherwise=known("none"))
    assert _one(connection, chosen, word="a") == ("second", None)
    assert _one(connection, chosen, word="c") == (None, "flag")
    assert _one(connection, chosen, word="c", flag=False) == ("none", None)


def test_a_list_has_no_item_that_is_absent(connection: duckdb.DuckDBPyConnection) -> None:
    word, text = worlds.cell("word"), worlds.cell("text")
    for listed in (Items("['a']"), Items("['a']", word.doubt, word.reads)):
        assert _one(connection, listed.has(text), text=None, word="a") == (False, None)
        assert _one(connection, listed.has(text), text="b", word="a") == (False, None)
        assert _one(connection, listed.has(text), text="a") == (True, None)
        assert _one(connection, listed.has(text), word="a") == (None, "text")


_NAMED = re.compile(r"\b(sure|some)\.")
_READ: dict[str, Reads] = {alias: frozenset({(Join(alias, str), Part("cells"))}) for alias in ("sure", "some")}
"""By the alias of a joined relation, what reads it."""


class _Joined(Expressions):
    """Random expressions over the columns of two joined relations: those of `sure` are never unknown."""

    def _cell(self, column: str) -> Fact:
        alias = self._random.choice(list(_READ))
        made = worlds.cell(column, alias)
        doubt = CERTAIN if alias == "sure" else replace(made.doubt, reads=_READ[alias])
        return replace(made, doubt=doubt, reads=_READ[alias])

    def number(self, depth: int) -> Fact:
        return self._cell(self._random.choice(("number", "time"))) if depth == 0 else super().number(depth)

    def others(self) -> list[Derived]:
        """What the random expressions leave out."""
        time, number, text, flag = (self._cell(column) for column in ("time", "number", "text", "flag"))
        assert isinstance(flag, Truth)
        bounds = Count(f"{time.value}", f"{time.value}", time.doubt, time.reads)
        words = Items(f"[{text.value}]", text.doubt, text.reads)
        return [
            text.total(lambda sql: f"coalesce({sql}, 'none')"), text.present, flag.certainly, flag.possibly,
            strict(lambda one, two: f"({one} + {two})", time, self._cell("time")), text.unless_known(self._cell("word")),
            unless(text.doubt), possible(text.doubt), bounds.exceeds(number), bounds.lacking(flag.doubt), words.has(text),
            bounds.where(flag), bounds + bounds.lacking(flag.doubt),
            words.where(flag), sized(text, lambda sql: f"len({sql})"),
        ]  # fmt: skip


def _aliases(reads: Reads) -> set[str]:
    return {join.alias for join, _ in relations(reads)}


@pytest.mark.parametrize("seed", _SEEDS)
def test_what_is_made_of_joined_relations_reads_each_that_its_sql_names(seed: int) -> None:
    made = _Joined(seed)
    depths = [1 + number % 3 for number in range(_EACH)]
    facts: list[Derived] = [make(depth) for depth in depths for make in (made.truth, made.text, made.number)]
    facts += [fact for _ in range(_EACH) for fact in made.others()]
    for fact in facts:
        value = fact.value if isinstance(fact, Fact) else fact.known if isinstance(fact, Items) else f"{fact.least} {fact.most}"
        assert set(_NAMED.findall(value)) <= _aliases(fact.reads), value
        assert fact.reads <= fact.everything, value
        assert set(_NAMED.findall(fact.doubt.sql)) <= _aliases(fact.everything), fact.doubt.sql
        if isinstance(fact, Fact):
            assert set(_NAMED.findall(fact.is_known.value)) <= _aliases(fact.is_known.reads), fact.is_known.value


def test_a_list_is_joined_after_what_its_scope_is_read_from() -> None:
    named = by_hand("named", "LEFT JOIN vault AS named ON named.name = stored.vault_name")
    doubt = unread("keys", ("key.list",), scope="named.id", needs=named)
    sql = joined(doubt.reads)
    assert 0 <= sql.index("AS named") < sql.index("AS keys")


def test_whether_a_list_has_an_item_reads_both() -> None:
    item, listed = (Fact(f"stored.{name}", reads=cells(f"key.{name}")) for name in ("name", "key_ops"))
    assert Items(listed.value, reads=listed.reads).has(item).reads == item.reads | listed.reads
