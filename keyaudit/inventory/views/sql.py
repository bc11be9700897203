"""The pieces that the views are written in."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Mapping, Sequence

from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

Sources = Mapping[str, str]
"""Table to the SQL relation that holds its stored rows."""


def stored(table: str, relation: str) -> str:
    """The stored columns of `table`, out of `relation`."""
    return ", ".join(f"{relation}.{column.name}" for column in TABLES[table].stored)


def tag(relation: str) -> str:
    """The environment that the tags in `relation` name, in lower case."""
    return f"lower(coalesce({relation}.tags['env'], {relation}.tags['environment']))"


def read_to_the_end(operations: Sequence[str]) -> str:
    """Scopes with whether all of `operations` were assessed there, and the reason of the first that was not."""
    names = ", ".join(map(quoted, operations))
    return f"""
        SELECT scope_id, count(*) FILTER (state = 'assessed') = {len(operations)} AS whole,
            arg_min(reason, list_position([{names}], operation)) FILTER (state <> 'assessed') AS reason
        FROM coverage WHERE operation IN ({names}) GROUP BY scope_id"""


def gap(relation: str) -> str:
    """NULL where everything was read. An operation that has no record was never begun."""
    return f"CASE WHEN {relation}.whole THEN NULL ELSE coalesce({relation}.reason, '{Reason.INTERRUPTED}') END"


def united(*maps: str) -> str:
    """A map with the entries of maps that share no key, NULL ones left out.

    `map_concat` looks for keys that they share, which takes four times as long.
    """
    return f"map_from_entries(list_concat({', '.join(f'map_entries({each})' for each in maps)}))"


def extended(reasons: Mapping[str, str]) -> str:
    """`unknown` with the reasons of derived columns; the test saves building a map for the many rows that need none."""
    none = " AND ".join(f"({reason}) IS NULL" for reason in reasons.values())
    entries = ", ".join(f"{{'key': {quoted(name)}, 'value': {reason}}}" for name, reason in reasons.items())
    own = f"list_filter([{entries}], lambda entry: entry.value IS NOT NULL)"
    both = f"map_from_entries(list_concat(map_entries(stored.unknown), {own}))"
    return f"CASE WHEN {none} THEN stored.unknown ELSE {both} END AS unknown"
