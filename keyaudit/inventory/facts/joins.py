"""Relations joined to the rows of a view, each with no more columns than are read of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Reads = frozenset[tuple["Join", "Part"]]
"""The parts of joined relations that an expression reads."""
NOTHING: Reads = frozenset()


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


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """A relation that is joined to the rows of a view. It neither adds rows nor removes any."""

    alias: str
    clause: Callable[[Sequence[Part]], str]
    """SQL of the join with these parts, in order by name."""
    needs: Reads = NOTHING
    """What its condition reads of other relations."""


def joined(reads: Iterable[tuple[Join, Part]]) -> str:
    """SQL of the joins that these reads need, each after those that it needs itself. Raises ValueError if two relations have
    one alias, or two parts one name: they would be taken for each other.
    """
    parts: dict[Join, dict[str, Part]] = {}
    waiting = list(reads)
    while waiting:
        join, part = waiting.pop()
        known = parts.setdefault(join, {})
        if part.name not in known:
            known[part.name] = part
            waiting.extend(join.needs)
        elif known[part.name] != part:
            raise ValueError(f"{join.alias} has two parts that are named {part.name}")
    aliases = [join.alias for join in parts]
    if len(set(aliases)) < len(aliases):
        raise ValueError(f"two relations with one alias: {sorted(aliases)}")
    clauses = []
    left = dict(sorted(parts.items(), key=lambda item: item[0].alias))
    while left:
        ready = next(join for join in left if not any(other in left for other, _ in join.needs))
        clauses.append(ready.clause([part for _, part in sorted(left.pop(ready).items())]))
    return " ".join(clauses)
