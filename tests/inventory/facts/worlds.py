"""Rows with unknown cells, and every row that each may be: what a fact says of the one must be true of all of the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from random import Random

import duckdb

from keyaudit.inventory.facts.extremes import least_of
from keyaudit.inventory.facts.fact import (
    ABSENT,
    FALSE,
    TRUE,
    Count,
    Derived,
    Doubt,
    Fact,
    Items,
    Truth,
    case,
    choice,
    known,
    possible,
    strict,
)

UNKNOWN = "unknown"
DOMAINS: Mapping[str, Sequence[object]] = {
    "flag": (True, False),
    "other": (True, False),
    "text": ("a", "b", None),
    "word": ("a", "c"),
    "number": (1, 3, None),
    "time": (2, 3),
}
"""By column what it may hold; None: it may be absent."""
_TYPES = {"flag": "BOOLEAN", "other": "BOOLEAN", "text": "VARCHAR", "word": "VARCHAR", "number": "BIGINT", "time": "BIGINT"}

Row = tuple[object, ...]


def rows() -> list[Row]:
    """Every row, of values and unknown cells."""
    return list(product(*((*domain, UNKNOWN) for domain in DOMAINS.values())))


def completions(row: Row) -> Iterator[Row]:
    """Every row that it may be."""
    return product(*(domain if cell == UNKNOWN else (cell,) for cell, domain in zip(row, DOMAINS.values(), strict=True)))


WORLD = "(things.row_number // 100)"
"""SQL of the number of the world that a row of `create_worlds` is in."""


def create_worlds(connection: duckdb.DuckDBPyConnection, worlds: Sequence[Sequence[Row]]) -> None:
    """The table of things, each in its world: what is asked of several worlds is planned once."""
    numbered = [(100 * world + number, row) for world, things in enumerate(worlds) for number, row in enumerate(things)]
    create(connection, "things", [row for _, row in numbered], [number for number, _ in numbered])


def create(connection: duckdb.DuckDBPyConnection, name: str, made: Sequence[Row], numbers: Sequence[int] | None = None) -> None:
    """A table of these rows, numbered, as stored rows are: unknown cells are NULL, and have a reason."""
    numbers = numbers or range(len(made))
    columns = ", ".join(f"{column} {type_}" for column, type_ in _TYPES.items())
    connection.execute(f"CREATE OR REPLACE TABLE {name} (row_number BIGINT, {columns}, unknown MAP(VARCHAR, VARCHAR))")
    for start in range(0, len(made), 500):
        part = slice(start, start + 500)
        values = [_literal(number, row) for number, row in zip(numbers[part], made[part], strict=True)]
        connection.execute(f"INSERT INTO {name} VALUES {', '.join(values)}")


def _literal(number: int, row: Row) -> str:
    cells = ["NULL" if cell in (UNKNOWN, None) else repr(cell) for cell in row]
    names = [name for name, cell in zip(DOMAINS, row, strict=True) if cell == UNKNOWN]
    reasons = f"MAP([{', '.join(map(repr, names))}]::VARCHAR[], [{', '.join(map(repr, names))}]::VARCHAR[])"
    return f"({number}, {', '.join(cells)}, {reasons})"


def cell(column: str, alias: str = "stored") -> Fact:
    """The fact in a column."""
    domain, doubt = DOMAINS[column], Doubt((f"{alias}.unknown['{column}']",))
    if _TYPES[column] == "BOOLEAN":
        return Truth(f"{alias}.{column}", doubt)
    return Fact(f"{alias}.{column}", doubt, absent=None in domain)


def _between(column: str, alias: str) -> Count:
    """The bounds of the number in a column that is never absent."""
    of, (least, most) = cell(column, alias), DOMAINS[column]
    return Count(f"coalesce({of.value}, {least})", f"coalesce({of.value}, {most})", of.doubt)


class Expressions:
    """Random expressions over the columns of a row."""

    def __init__(self, seed: int, alias: str = "stored") -> None:
        self._random = Random(seed)
        self._alias = alias

    def _one(self, *makers: Callable[[], Fact]) -> Fact:
        return self._random.choice(makers)()

    def truth(self, depth: int) -> Truth:
        """Something that is true or false."""
        if depth == 0:
            name = self._random.choice(("flag", "other"))
            doubtful = possible(self._cell("word").doubt)
            return self._random.choice((self._cell(name), self._cell(name), TRUE, FALSE, doubtful))  # type: ignore[return-value]
        pick = self._random.randrange(13)
        if pick < 5:
            left, right = self.truth(depth - 1), self.truth(self._random.randrange(depth))
            return left & right if pick < 3 else left | right
        if pick == 5:
            return ~self.truth(depth - 1)
        text = self.text(depth - 1)
        if pick == 6:
            return text.eq("a")
        if pick == 7:
            return text.among(("a", "c"))
        if pick == 8:
            return text.present
        if pick == 9:
            return text.satisfies(lambda sql: f"{sql} > 'a'", absent=True)
        if pick == 10:
            return self.number(depth - 1).satisfies(lambda sql: f"{sql} > 2")
        if pick == 11:
            return _between("time", self._alias).exceeds(self.number(depth - 1))
        return case((self.truth(depth - 1), self.truth(depth - 1)), otherwise=self.truth(0)).truth()

    def _cell(self, column: str) -> Fact:
        return cell(column, self._alias)

    def text(self, depth: int) -> Fact:
        """A text, which may be absent."""
        if depth == 0:
            return self._random.choice((self._cell("text"), self._cell("word"), known("b"), ABSENT))
        if self._random.random() < 0.2:
            return self._cell("word").recognised(lambda sql: f"CASE {sql} WHEN 'a' THEN 'b' END")
        if self._random.random() < 0.2:
            return self.text(depth - 1).recognised(lambda sql: f"CASE WHEN {sql} <> 'c' THEN {sql} END")
        return self._combined(self.text, depth, lambda fact: fact.map(lambda sql: f"upper({sql})"))

    def number(self, depth: int) -> Fact:
        """A number, which may be absent."""
        if depth == 0:
            return self._random.choice((self._cell("number"), self._cell("time"), known(2)))
        if self._random.random() < 0.2:
            return least_of(self.number(depth - 1), self.number(0), self.number(0))
        if self._random.random() < 0.1:
            return self._cell("time").unless_known(self._cell("time"))
        if self._random.random() < 0.2:
            return strict(lambda left, right: f"({left} + {right})", self.number(depth - 1), self.number(0))
        return self._combined(self.number, depth, lambda fact: fact.map(lambda sql: f"({sql} + 1)"))

    def _combined(self, make: Callable[[int], Fact], depth: int, mapped: Callable[[Fact], Fact]) -> Fact:
        pick = self._random.randrange(6)
        if pick == 0:
            return mapped(make(depth - 1))
        if pick == 1:
            return make(depth - 1).or_else(make(self._random.randrange(depth)))
        if pick == 2:
            return make(depth - 1).where(self.truth(depth - 1))
        if pick == 3:
            first = self.truth(depth - 1)
            return choice((first, make(depth - 1)), (~first & self.truth(0), make(0)), otherwise=make(0))
        branches = [(self.truth(depth - 1), make(self._random.randrange(depth))) for _ in range(self._random.randrange(1, 3))]
        return case(*branches, otherwise=make(0))


def columns(fact: Derived) -> str:
    """SQL of its value, or bounds, and of its reason."""
    if isinstance(fact, Count):
        differ = f"{fact.least} IS DISTINCT FROM {fact.most}"
        return f"{fact.least}, {fact.most}, CASE WHEN {differ} THEN {fact.doubt.sql} END"
    if isinstance(fact, Items):
        return f"{fact.known}, {fact.doubt.sql}"
    return f"{fact.value}, {fact.why.sql}"
