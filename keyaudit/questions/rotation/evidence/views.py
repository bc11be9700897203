"""The sources of the answer about a rotation."""

import duckdb
from msgspec import Struct


class Views(Struct, frozen=True):
    """The views of a snapshot, and its logs."""

    connection: duckdb.DuckDBPyConnection
    uses: str | None
    """The stored rows of `usage`, as an SQL relation; None without logs. Its view has rows for gaps in other logs, too."""
    read_on: int
    """When the tenant was read."""
    as_of: int
