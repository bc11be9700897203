"""The manifest of a log store: its source files, the result of each, and the digests of its own files."""

from keyaudit.inventory.logs.use import FileRead
from keyaudit.inventory.manifest import Sealed, TableFiles, check_files, unsealed
from keyaudit.inventory.rows import stored_types
from keyaudit.model.errors import UsageError
from keyaudit.model.tables.usage import USAGE

FORMAT = 3
"""Increased when an older keyaudit could misread a newer format."""
USES = "usage"
THROTTLED = "throttled"
WRITTEN = "written"
COLUMNS: dict[str, dict[str, str]] = {
    USES: stored_types(USAGE),
    THROTTLED: {"mailbox": "VARCHAR", "day": "BIGINT"},
    WRITTEN: {"source": "VARCHAR", "resource_id": "VARCHAR", "day": "BIGINT"},
}
"""The columns of each table in a store, with their SQL types."""
_AGAIN = "import the logs again"
DAMAGED = f"take the folder from where it was made, or {_AGAIN}"


class LogManifest(Sealed):
    """The content of a log store."""

    format: int
    tenant_id: str | None
    """The tenant of the records; None if no record names one."""
    files: tuple[FileRead, ...]
    days: dict[str, list[tuple[int, int]]]
    """By log, each day with an event of any kind, and the number of kept uses of that day."""
    tables: dict[str, TableFiles]


def decode(data: bytes, place: str) -> LogManifest:
    """The manifest in `data`. Raises UnsafeError if keyaudit did not write it, UsageError for another format version."""
    manifest = unsealed(data, place, LogManifest, reads=FORMAT, again=_AGAIN, remedy=DAMAGED)
    if {name: table.columns for name, table in manifest.tables.items()} != COLUMNS:
        raise UsageError(place, "written with other columns", _AGAIN)
    check_files(manifest.tables, place, DAMAGED)
    return manifest
