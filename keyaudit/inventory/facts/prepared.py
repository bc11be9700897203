"""Tables whose columns are facts: computed once, and read by several views like stored rows."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from keyaudit.inventory.facts.fact import CERTAIN, Count, Derived, Doubt, Fact, Items, Truth
from keyaudit.inventory.facts.joins import NOTHING, Reads, inside, joined
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.rows import columns_of


@dataclass(frozen=True, slots=True)
class Prepared:
    """The rows of a table of facts, under an alias. Each fact has its columns: value or bounds, and why it is unknown."""

    sources: Sources
    name: str
    facts: Mapping[str, Derived]
    """By column, over the rows of `origin`."""
    origin: str
    """SQL of the rows that the table is made from, with their alias."""
    alias: str
    relation: str = ""
    """SQL of other rows that have the columns of the table, and may have more; empty: the rows of the table."""
    types: Mapping[str, str] = field(default_factory=dict)
    """The SQL types of facts that are neither texts nor truths."""
    rests: Reads = NOTHING
    """What SQL written by hand in `origin` reads."""

    def __getitem__(self, column: str) -> Fact:
        """The fact in a column."""
        fact = self.facts[column]
        if not isinstance(fact, Fact):
            raise TypeError(f"{self.name}.{column} has no single value")
        value, doubt, reads = f"{self.alias}.{column}", self._doubt(column, fact), self._reads(fact)
        if isinstance(fact, Truth):
            return Truth(value, doubt, fact.exact, reads=reads)
        return Fact(value, doubt, fact.exact, fact.absent, reads)

    def flag(self, column: str) -> Truth:
        """The fact in a column that is true or false."""
        fact = self[column]
        if not isinstance(fact, Truth):
            raise TypeError(f"{self.name}.{column} is neither true nor false")
        return fact

    def count(self, column: str) -> Count:
        """The bounds in the columns of a count."""
        count = self.facts[column]
        if not isinstance(count, Count):
            raise TypeError(f"{self.name}.{column} has no bounds")
        least, most = (f"{self.alias}.{column}_{bound}" for bound in ("min", "max"))
        return Count(least, most, self._doubt(column, count), self._reads(count))

    def items(self, column: str) -> Items:
        """The list in a column, as far as it is known."""
        items = self.facts[column]
        if not isinstance(items, Items):
            raise TypeError(f"{self.name}.{column} is no list of items")
        return Items(f"{self.alias}.{column}", self._doubt(column, items), self._reads(items))

    def _doubt(self, column: str, made: Derived) -> Doubt:
        return Doubt((f"{self.alias}.{column}_why",), self._reads(made)) if made.doubt else CERTAIN

    def _reads(self, made: Derived) -> Reads:
        return inside(made.everything, self.rests)

    def under(self, alias: str, relation: str = "") -> "Prepared":
        """The same rows, or those of a relation that has their columns, under another alias."""
        return replace(self, alias=alias, relation=relation)

    @property
    def sql(self) -> str:
        """SQL of the rows, under their alias."""
        return f"{self.relation or self.name} AS {self.alias}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of the table, in order."""
        return tuple(name for name, _ in self._columns())

    @property
    def query(self) -> str:
        """SQL of the rows of the table, which may be read without it."""
        joins = joined({each for fact in self.facts.values() for each in fact.everything})
        columns = ", ".join(f"{sql} AS {name}" for name, sql in self._columns())
        return f"SELECT {columns} FROM {self.origin} {joins}"

    @property
    def created(self) -> str:
        """The statement that creates the table."""
        return f"CREATE TABLE {self.name} AS {self.query}"

    @property
    def empty(self) -> str:
        """The statement that creates it without rows, which plans nothing."""
        types = dict.fromkeys((name for name, _ in self._columns()), "VARCHAR")
        for name, fact in self.facts.items():
            if isinstance(fact, Count):
                types |= {f"{name}_min": "BIGINT", f"{name}_max": "BIGINT"}
            elif isinstance(fact, Items):
                types[name] = "VARCHAR[]"
            elif isinstance(fact, Truth):
                types[name] = "BOOLEAN"
        return f"CREATE TABLE {self.name} ({columns_of({**types, **self.types}, self.sources.sql)})"

    def _columns(self) -> Iterator[tuple[str, str]]:
        for name, fact in self.facts.items():
            if isinstance(fact, Count):
                yield f"{name}_min", fact.least
                yield f"{name}_max", fact.most
            else:
                yield name, fact.known if isinstance(fact, Items) else fact.value
            if fact.doubt:
                yield f"{name}_why", fact.doubt.sql


def shared(sources: Sources, facts: Mapping[str, Derived], origin: str, alias: str) -> Prepared:
    """Rows with these facts, without a table: for other facts over them that use each of these often."""
    made = Prepared(sources, "", facts, origin, alias)
    return made.under(alias, f"({made.query})")
