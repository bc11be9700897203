"""What is in a table, as keys for what is worked out of it."""

import hashlib
from collections.abc import Mapping, Sequence

from tests.sweep.reads import WHOLE


class Content:
    """What is in a table, in the order of its rows: a digest of each column, and of each key of `unknown`."""

    def __init__(
        self, name: str, rows: int, columns: Mapping[str, object], unknown: Sequence[Mapping[str, str] | None]
    ) -> None:
        self._rows, self._unknown = rows, [each or {} for each in unknown]
        self._columns = {column: repr(hashed) for column, hashed in columns.items()}
        if unknown:
            self._columns[WHOLE] = repr(unknown)
        self.key = digest(name, repr((rows, sorted(self._columns.items()))))
        self._known: dict[frozenset[str], str] = {}

    def of(self, columns: frozenset[str]) -> str:
        """A key for the content of these columns."""
        if columns not in self._known:
            self._known[columns] = digest(str(self._rows), *(self._column(column) for column in sorted(columns)))
        return self._known[columns]

    def _column(self, column: str) -> str:
        if column in self._columns:
            return self._columns[column]
        whole, _, key = column.partition(":")
        if whole == WHOLE and key:
            return repr([(number, row[key]) for number, row in enumerate(self._unknown) if key in row])
        return self.key


def digest(*parts: str | bytes) -> str:
    """Short enough for a name."""
    whole = hashlib.blake2b(digest_size=12)
    for part in parts:
        whole.update(part.encode() if isinstance(part, str) else part)
        whole.update(b"\0")
    return whole.hexdigest()
