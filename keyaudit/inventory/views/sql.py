"""The pieces that the views are written in."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from keyaudit.inventory.load import quoted
from keyaudit.inventory.rows import columns_of, stored_types
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

Sources = Mapping[str, str]
"""Table to the SQL relation that holds its stored rows."""

_IN = "stored_in_"
_SOURCE = re.compile(rf"\b{_IN}(\w+)")


class StoredRows(Mapping[str, str]):
    """Names for the stored rows of every table, for statements to be written with before it is known who reads what."""

    def __getitem__(self, name: str) -> str:
        return _IN + TABLES[name].name

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)

    def resolved(self, statements: Sequence[str], rows: Mapping[str, str], small: Collection[str]) -> Iterator[str]:
        """The statements over `rows`, relations by table, and before them those that make what they read more than once.

        A table that is not in `rows` is read as an empty one, which costs nothing to plan; so is one that is `small`, instead of
        its file again and again.
        """
        read = Counter(name for text in statements for name in _SOURCE.findall(text))
        direct = {}
        for name, times in read.items():
            if name not in rows:
                yield f"CREATE TABLE {_IN}{name} ({columns_of(stored_types(TABLES[name]))})"
            elif name in small and times > 1:
                yield f"CREATE TABLE {_IN}{name} AS FROM {rows[name]}"
            else:
                direct[name] = rows[name]
        for text in statements:
            yield _SOURCE.sub(lambda found: direct.get(found[1], found[0]), text)


def stored(table: str, relation: str) -> str:
    """The stored columns of `table`, out of `relation`."""
    return ", ".join(f"{relation}.{column.name}" for column in TABLES[table].stored)


def tag(relation: str) -> str:
    """The environment that the tags in `relation` name, in lower case."""
    return f"lower(coalesce({relation}.tags['env'], {relation}.tags['environment']))"


def read_to_the_end(operations: Sequence[str]) -> str:
    """Scopes with whether all of `operations` were assessed there, and the reason of the first that was not.

    It reads the table `lists_read`, which `ledger.create` makes for all who ask.
    """
    return f"SELECT scope_id, whole, reason FROM lists_read WHERE operations = {quoted(' '.join(operations))}"


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
