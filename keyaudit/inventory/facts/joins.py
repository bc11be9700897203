"""What an expression reads: relations joined to the rows of a view, each with no more columns than are read of it, and what
decides whether it is known.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

Reads = frozenset["tuple[Join, Part] | Cell | Listed | Inside"]
NOTHING: Reads = frozenset()


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of the rows of a table. Of rows that are joined by SQL it need not be stored."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Operations without which rows may be missing, or a table, for those that list its rows."""

    operations: tuple[str, ...] = ()
    table: str = ""


@dataclass(frozen=True, slots=True)
class Inside:
    """What is read of other rows, by SQL that has its own joins. `listed`: by table, the operations whose rows alone count."""

    reads: Reads
    listed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    own: bool = False
    """Without it the row itself would not be there."""
    if_missing: bool = False
    """It matters only where the row that is named was not read."""
    apart: bool = False
    """Which operations matter for these columns is declared apart."""


def cells(*columns: str) -> Reads:
    """The columns that SQL written by hand reads, each as `table.column`."""
    return frozenset(Cell(*column.split(".")) for column in columns)


def cells_apart(*columns: str) -> Reads:
    """The same, where not all operations that fill the columns matter: those that do are declared beside."""
    return frozenset({Inside(cells(*columns), apart=True)})


def lists(*operations: str) -> Reads:
    """The operations that it rests on."""
    return frozenset({Listed(operations)})


def inside(*reads: Reads, **listed: Sequence[str]) -> Reads:
    """What is read of other rows. `listed`: by table, the operations whose rows alone count."""
    return frozenset({Inside(NOTHING.union(*reads), tuple((table, tuple(names)) for table, names in listed.items()))})


@dataclass(frozen=True, slots=True)
class Part:
    """Columns that are read together of one relation."""

    name: str
    columns: tuple[tuple[str, str], ...] = ()
    """By name, SQL over the rows of the relation; over their groups, if it has groups."""
    of_row: tuple[tuple[str, str], ...] = ()
    """By name, SQL over the rows that are grouped, for `columns`."""
    reads: Reads = NOTHING
    """What that SQL reads of other relations, which are joined inside."""
    listed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By table, the operations whose rows alone count."""
    own: bool = False
    """Without it the row itself would not be there."""


def if_missing(reads: Reads) -> Reads:
    """The same, where the lists matter only if the row that is named was not read."""
    return frozenset(Inside(frozenset({each}), if_missing=True) if isinstance(each, Listed) else each for each in reads)


def of_own_row(reads: Reads) -> Reads:
    """What is read only in rows that would not be there without it."""
    return frozenset(
        (each[0], replace(each[1], own=True)) if isinstance(each, tuple) else Inside(frozenset({each}), own=True)
        for each in reads
    )


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """A relation that is joined to the rows of a view. It neither adds rows nor removes any."""

    alias: str
    clause: Callable[[Sequence[Part]], str]
    """SQL of the join with these parts, in order by name."""
    needs: Reads = NOTHING
    """What its condition reads of other relations."""
    choosing: Reads = NOTHING
    """The columns and lists that decide about its rows."""


def relations(reads: Iterable["tuple[Join, Part] | Cell | Listed | Inside"]) -> "Iterator[tuple[Join, Part]]":
    """The parts of joined relations among these reads."""
    return (each for each in reads if isinstance(each, tuple))


def joined(reads: Iterable["tuple[Join, Part] | Cell | Listed | Inside"]) -> str:
    """SQL of the joins that these reads need, each after those that it needs itself. Raises ValueError if two relations have
    one alias, or two parts one name: they would be taken for each other.
    """
    parts: dict[Join, dict[str, Part]] = {}
    waiting = list(relations(reads))
    while waiting:
        join, part = waiting.pop()
        known = parts.setdefault(join, {})
        if part.name not in known:
            known[part.name] = part
            waiting.extend(relations(join.needs))
        elif (known[part.name].columns, known[part.name].of_row) != (part.columns, part.of_row):
            raise ValueError(f"{join.alias} has two parts that are named {part.name}")
    aliases = [join.alias for join in parts]
    if len(set(aliases)) < len(aliases):
        raise ValueError(f"two relations with one alias: {sorted(aliases)}")
    clauses = []
    left = dict(sorted(parts.items(), key=lambda item: item[0].alias))
    while left:
        ready = next(join for join in left if not any(other in left for other, _ in relations(join.needs)))
        clauses.append(ready.clause([part for _, part in sorted(left.pop(ready).items())]))
    return " ".join(clauses)
