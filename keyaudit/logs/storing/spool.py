"""Uses and tokens on their way into a store: lines of JSON, which become files of Parquet, unsorted.

As Parquet they take a tenth of the room, so that only a limited number of them is kept as JSON.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb
from msgspec import Struct

from keyaudit.inventory.disk.append_only import Growing
from keyaudit.inventory.load import UNSORTED, parquet, part_name, pattern, quoted, write_parquet
from keyaudit.inventory.logs import token as tokens
from keyaudit.inventory.logs.manifest import COLUMNS, USES
from keyaudit.inventory.rows import no_rows

_FLUSH = 512 * 1024
_SHORT = 64 * 1024
# Columns that do not come from a use but from the file, the tenant or the row's identity.
_GIVEN = ("id", "scope_id", "source_url", "source_version")
SPOOLED = {
    "id": "VARCHAR",
    "file": "INTEGER",
    "part": "INTEGER",
    "throttled": "BOOLEAN",
    "records": "BIGINT",
    **{name: type_ for name, type_ in COLUMNS[USES].items() if name not in _GIVEN},
}
"""The columns of spooled uses, with their SQL types. `file`: the number of the file that a use is from."""


class Kind(Struct, frozen=True):
    """What a spool has: its name, the columns of a line, and the query by which lines become rows, of a relation."""

    name: str
    columns: Mapping[str, str]
    query: Callable[[str], str]
    most: int
    """The bytes of lines that become one file."""


def _uses(relation: str) -> str:
    return (
        "SELECT * REPLACE (coalesce(unknown, MAP {}) AS unknown, coalesce(part, 0) AS part, coalesce(uses, 1) AS uses,"
        " coalesce(records, 1) AS records,"
        f" coalesce(throttled, false) AS throttled) FROM {relation}"
    )


OF_USES = Kind("uses", SPOOLED, _uses, 256 * 1024 * 1024)
# Its rows are grouped when they are converted, which takes memory.
OF_TOKENS = Kind("tokens", tokens.SPOOLED, tokens.reduced, 64 * 1024 * 1024)
"""The spools of an import."""


class Spool:
    """Uses or tokens that are added one by one, in a folder."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection, kind: Kind = OF_USES) -> None:
        self._folder, self._connection, self._kind = folder, connection, kind
        self._growing = Growing(folder / f"{kind.name}.jsonl")
        self._lines: list[bytes] = []
        self._held = self._longest = self._grown = 0
        self._converted: list[Path] = []
        self.size = 0
        """The bytes of all lines."""

    def add(self, added: bytes) -> None:
        """Adds a line of JSON."""
        self._lines.append(added)
        self._held += len(added)
        self._longest = max(self._longest, len(added))
        if self._held >= _FLUSH:
            self._flush()
            if self._grown >= self._kind.most:
                self._convert()

    def converted(self) -> Sequence[Path]:
        """All lines as Parquet files. Nothing can be added after that."""
        self._flush()
        if self._grown:
            self._convert()
        return self._converted

    def _flush(self) -> None:
        if self._lines:
            self._growing.add(b"".join(self._lines))
        self.size += self._held
        self._grown += self._held
        self._lines.clear()
        self._held = 0

    def _convert(self) -> None:
        columns = ", ".join(f"{quoted(name)}: {quoted(type_)}" for name, type_ in self._kind.columns.items())
        lines = (
            f"read_json({quoted(pattern(self._growing.path))}, records = true,"
            f" format = 'newline_delimited', compression = 'none', maximum_object_size = {max(self._longest, _SHORT)},"
            f" columns = {{{columns}}})"
        )
        path = self._folder / f"{self._kind.name}-{part_name(len(self._converted))}"
        write_parquet(self._connection, self._kind.query(lines), path, UNSORTED)
        self._converted.append(path)
        self._growing.keep(())
        self._grown = self._longest = 0


def relation(converted: Sequence[Path]) -> str:
    """The uses of several spools, as a relation of DuckDB."""
    return parquet(*converted) if converted else f"({no_rows(SPOOLED)})"
