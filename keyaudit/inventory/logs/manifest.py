"""The manifest of a log store: which files it was made of, what each gave, and the digest of all that is beside it."""

import msgspec

from keyaudit.inventory.files import BROKEN
from keyaudit.inventory.logs.use import FileRead
from keyaudit.inventory.manifest import Sealed, TableFiles, sealed
from keyaudit.inventory.rows import stored_types
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.tables.usage import USAGE
from keyaudit.model.text import one_line

FORMAT = 1
"""Raised when an older keyaudit could misread what a newer one writes."""
USES = "usage"
THROTTLED = "throttled"
COLUMNS: dict[str, dict[str, str]] = {
    USES: stored_types(USAGE),
    THROTTLED: {"mailbox": "VARCHAR", "day": "BIGINT"},
}
"""The columns of each table in a store, with their SQL types."""
_REMEDY = "take the folder from where it was made, or import the logs again"


class LogManifest(Sealed):
    """What a log store holds."""

    format: int
    tenant_id: str | None
    """The tenant that the records name; None where none names one."""
    files: tuple[FileRead, ...]
    days: dict[str, list[tuple[int, int]]]
    """By log each day that has an event of whatever kind, and how many uses of that day were kept."""
    tables: dict[str, TableFiles]


class _Version(msgspec.Struct):
    format: int


def decode(data: bytes, place: str) -> LogManifest:
    """The manifest in `data`. Raises UnsafeError unless keyaudit wrote it so, UsageError for another version's."""
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version != FORMAT:
            age, remedy = ("newer", "update keyaudit") if version > FORMAT else ("older", "import the logs again")
            raise UsageError(place, f"written in a {age} format ({version}; this keyaudit reads {FORMAT})", remedy)
        manifest = msgspec.json.decode(data, type=LogManifest)
    except BROKEN as error:
        raise UnsafeError(place, f"damaged, or not of keyaudit: {one_line(str(error))}", _REMEDY) from error
    if sealed(manifest) != data:
        raise UnsafeError(place, "damaged or edited: it does not match its own digest", _REMEDY)
    if {name: table.columns for name, table in manifest.tables.items()} != COLUMNS:
        raise UsageError(place, "written with other columns", "import the logs again")
    for name, table in manifest.tables.items():
        if [file.path for file in table.files] != [f"{name}/{n:05}.parquet" for n in range(len(table.files))]:
            raise UnsafeError(place, f"names files that are not those of the table {name}", _REMEDY)
    return manifest
