"""The manifest of a log store: which files it was made of, what each gave, and the digest of all that is beside it."""

from keyaudit.inventory.logs.use import FileRead
from keyaudit.inventory.manifest import Sealed, TableFiles, check_files, unsealed
from keyaudit.inventory.rows import stored_types
from keyaudit.model.errors import UsageError
from keyaudit.model.tables.usage import USAGE

FORMAT = 3
"""Raised when an older keyaudit could misread what a newer one writes."""
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
    """What a log store holds."""

    format: int
    tenant_id: str | None
    """The tenant that the records name; None where none names one."""
    files: tuple[FileRead, ...]
    days: dict[str, list[tuple[int, int]]]
    """By log each day that has an event of whatever kind, and how many uses of that day were kept."""
    tables: dict[str, TableFiles]


def decode(data: bytes, place: str) -> LogManifest:
    """The manifest in `data`. Raises UnsafeError unless keyaudit wrote it so, UsageError for another version's."""
    manifest = unsealed(data, place, LogManifest, reads=FORMAT, again=_AGAIN, remedy=DAMAGED)
    if {name: table.columns for name, table in manifest.tables.items()} != COLUMNS:
        raise UsageError(place, "written with other columns", _AGAIN)
    check_files(manifest.tables, place, DAMAGED)
    return manifest
