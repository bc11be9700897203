"""Where facts are read: the rows of a table, the row that another row names, lists that must have been read to their end."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from keyaudit.inventory.facts.fact import CERTAIN, Count, Doubt, Fact, Items, Truth
from keyaudit.inventory.facts.joins import NOTHING, Cell, Join, Listed, Part, Reads, cells, if_missing, inside, joined
from keyaudit.inventory.facts.sql import Sources, read_to_the_end
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Type
from keyaudit.model.tables import TABLES

_KEY = "key_of_row"


class Relation(Protocol):
    """Rows whose columns are facts, under an alias."""

    @property
    def sources(self) -> Sources:
        """Where rows are stored, and the dialect."""

    @property
    def alias(self) -> str:
        """The alias."""

    @property
    def sql(self) -> str:
        """SQL of the rows, under the alias."""

    def __getitem__(self, column: str) -> Fact:
        """The fact in a column."""

    def flag(self, column: str) -> Truth:
        """The fact in a column that is true or false in every row."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table, under an alias."""

    sources: Sources
    table: str
    alias: str = "stored"
    relation: str = ""
    """SQL of the rows, if they are not all stored rows of the table: of its view, or some columns of several tables."""

    def __getitem__(self, column: str) -> Fact:
        """The fact in a column, which may be absent or unknown as the table declares."""
        declared = TABLES[self.table].by_name[column]
        reads: Reads = frozenset({Cell(self.table, column)})
        doubt = Doubt((f"{self.alias}.unknown[{quoted(column)}]",), reads) if declared.can_be_unknown else CERTAIN
        value = f"{self.alias}.{column}"
        if declared.type is Type.BOOLEAN and not declared.absent:
            return Truth(value, doubt, reads=reads)
        return Fact(value, doubt, absent=bool(declared.absent), reads=reads)

    def flag(self, column: str) -> Truth:
        """The fact in a column that is true or false in every row."""
        fact = self[column]
        if not isinstance(fact, Truth):
            raise TypeError(f"{self.table}.{column} is not true or false in every row")
        return fact

    @property
    def listed(self) -> Reads:
        """The operations that list the rows of the table."""
        return frozenset({Listed(table=self.table)})

    @property
    def sql(self) -> str:
        """SQL of the relation, under its alias."""
        return f"{self.relation or self.sources[self.table]} AS {self.alias}"


@dataclass(frozen=True, slots=True)
class One:
    """At most one row of a relation: the one that a row of the view names. Make it with `one`."""

    join: Join
    rows: Relation
    derived: Mapping[str, Fact]
    key: Fact
    missing: Doubt

    @property
    def found(self) -> Truth:
        """Whether such a row was read."""
        return Truth(f"({self._row} IS NOT NULL)", reads=frozenset({(self.join, Part("found"))}))

    @property
    def _row(self) -> str:
        return f"{self.join.alias}.{_KEY}"

    def __getitem__(self, name: str) -> Fact:
        """A fact of the row. Without a row it is unknown if there may be one, and otherwise absent."""
        fact = self.derived[name] if name in self.derived else self.rows[name]
        value, reason = f"{self.join.alias}.{name}", f"{self.join.alias}.{name}_why"
        columns = [(name, fact.value)]
        if fact.doubt:
            # A reason is looked up only where there is no value.
            columns.append((f"{name}_why", f"CASE WHEN {fact.value} IS NULL THEN {fact.doubt.sql} END"))
        reads: Reads = frozenset({(self.join, Part(name, tuple(columns), reads=fact.everything))})
        inside = Doubt((reason,), reads) if fact.doubt else CERTAIN
        if self.missing.always and not fact.absent:
            # Without a value there is a reason.
            return Fact(value, self.key.why | inside | self.missing, exact=False, reads=reads)
        if self.missing:
            gone = f"CASE WHEN {self._row} IS NULL THEN {self.missing.sql} ELSE {inside.sql} END"
            inside = Doubt((gone,), reads | self.missing.reads)
        return Fact(value, self.key.why | inside, absent=True, reads=reads)

    def flag(self, name: str) -> Truth:
        """A fact of the row that is true or false; false without a row if there is certainly none."""
        return self[name].truth()

    def count(self, name: str, of: Count) -> Count:
        """A count of the row, over `rows`; 0 without a row if there is certainly none."""
        columns = [(f"{name}_min", of.least), (f"{name}_max", of.most)]
        if of.doubt:
            columns.append((f"{name}_why", of.doubt.sql))
        reads: Reads = frozenset({(self.join, Part(name, tuple(columns), reads=of.everything))})
        gone = self.key.why | self.missing
        none = f"CASE WHEN {gone.sql} IS NULL THEN 0 END" if gone else "0"
        alias = self.join.alias
        most = f"CASE WHEN {self._row} IS NULL THEN {none} ELSE {alias}.{name}_max END"
        doubt = self.key.why | (Doubt((f"{alias}.{name}_why",), reads) if of.doubt else CERTAIN) | self.missing
        return Count(f"coalesce({alias}.{name}_min, 0)", most, doubt, reads | doubt.reads)

    def items(self, name: str, of: Items) -> Items:
        """A list of the row, over `rows`; empty without a row if there is certainly none."""
        columns = [(name, of.known)]
        if of.doubt:
            columns.append((f"{name}_why", of.doubt.sql))
        reads: Reads = frozenset({(self.join, Part(name, tuple(columns), reads=of.everything))})
        doubt = self.key.why | (Doubt((f"{self.join.alias}.{name}_why",), reads) if of.doubt else CERTAIN)
        if self.missing:
            gone = f"CASE WHEN {self._row} IS NULL THEN {self.missing.sql} END"
            doubt |= Doubt((gone,), reads | self.missing.reads)
        none = self.rows.sources.sql.texts(())
        gone = f"WHEN {self._row} IS NULL AND {doubt.sql} IS NULL" if doubt else f"WHEN {self._row} IS NULL"
        return Items(f"CASE {gone} THEN {none} ELSE {self.join.alias}.{name} END", doubt, reads | doubt.reads)


def one(
    rows: Relation,
    *,
    key: Fact,
    missing: Doubt = CERTAIN,
    by: Fact | None = None,
    facts: Mapping[str, Fact] | None = None,
) -> One:
    """The row of `rows` whose `by`, by default its id, is `key`: no two rows have the same. A row with an unknown one may be it
    if no other is.

    `missing`: why a row may exist that was not read. `facts`: what can be read of it besides its columns, over `rows`.
    """
    own = by or rows["id"]
    strays = f"{rows.alias}_stray"

    def clause(parts: Sequence[Part]) -> str:
        shown = [f"{own.value} AS {_KEY}", *(f"{sql} AS {name}" for part in parts for name, sql in part.columns)]
        inside = joined({*own.reads, *(read for part in parts for read in part.reads)})
        query = f"SELECT {', '.join(dict.fromkeys(shown))} FROM {rows.sql} {inside}"
        return f"LEFT JOIN ({query}) AS {rows.alias} ON {rows.alias}.{_KEY} = {key.value}"

    def stray(_: Sequence[Part]) -> str:
        query = f"SELECT min({own.why.sql}) AS reason FROM {rows.sql} {joined(own.everything)}"
        return f"CROSS JOIN ({query}) AS {strays}"

    if own.doubt:
        missing |= Doubt((f"{strays}.reason",), frozenset({(Join(strays, stray), Part("reason"))}))
    # Without a list of its own that must have been read, it is as certain as its table.
    every = rows.listed if isinstance(rows, Rows) and not any(isinstance(read, Listed) for read in missing.reads) else NOTHING
    missing = replace(missing, reads=if_missing(missing.reads))
    return One(Join(rows.alias, clause, key.reads, own.everything | if_missing(every)), rows, facts or {}, key, missing)


def unread(
    alias: str, *lists: Sequence[str], scope: str = "", needs: Reads = NOTHING, unbegun: Reason = Reason.INTERRUPTED
) -> Doubt:
    """Why rows may be missing: lists that were not read to their end in a scope, which has one of these `lists` of operations.

    `scope`: SQL over the rows of the view, and what they need; empty if there is only one. `unbegun`: the reason of lists
    without a record.
    """
    query = " UNION ALL ".join(map(read_to_the_end, lists))
    reads = frozenset(map(Listed, map(tuple, lists))) | by_hand(
        alias, f"LEFT JOIN ({query}) AS {alias} ON {f'{alias}.scope_id = {scope}' if scope else 'true'}", needs
    )
    return Doubt((f"CASE WHEN {alias}.whole THEN NULL ELSE coalesce({alias}.reason, '{unbegun}') END",), reads)


def by_hand(alias: str, clause: str, *needs: Reads) -> Reads:
    """A read of a relation whose join is written by hand, and joined after what it needs."""
    return frozenset({(Join(alias, lambda _: clause, NOTHING.union(*needs)), Part("all"))})


def rows_read(table: str, *columns: str, of: Sequence[str] = ()) -> Reads:
    """What SQL written by hand reads of the rows of a table: some columns, and that there are no others.

    `of`: the operations whose rows alone count; empty: all that list rows of the table.
    """
    read = cells(*(f"{table}.{column}" for column in columns)) | {Listed(table=table)}
    return inside(read, **({table: of} if of else {}))


def because(reason: Reason) -> Doubt:
    """That reason, wherever it is asked for."""
    return Doubt((quoted(reason),), always=True)
