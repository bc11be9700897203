"""DuckDB confined to the files of one folder, regardless of their content."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from keyaudit.inventory.disk import files
from keyaudit.inventory.load import first_line, pattern
from keyaudit.model.errors import OutputError, UnsafeError

TEMPORARY = "tmp-"
"""The prefix of temporary folders of a connection, which a killed process leaves behind."""
_MEMORY = "400MB"
# These errors come from our own SQL, not from the content of files.
_BUGS = (duckdb.BinderException, duckdb.CatalogException, duckdb.InternalException, duckdb.ParserException)


def locked(folder: Path, *others: Path, few: bool = False, **settings: str) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that can only access `folder` and `others`: no network, no extensions, and locked settings.

    Its temporary files are in `folder`. `few`: it has so few rows that a query takes longer to optimize than to run, so none is
    optimized. `settings`: more settings, by name.
    """
    configuration: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        # Each takes its share of that memory. Over few rows a second one finds nothing to do, and costs a tenth of each query.
        "threads": 1 if few else 2,
        # A folder of its own, because two processes may evaluate one snapshot; DuckDB creates it when needed, and removes it.
        "temp_directory": str(folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
    }
    connection = duckdb.connect(":memory:", config=configuration)
    with contextlib.ExitStack() as failed:
        failed.enter_context(connection)
        # DuckDB checks both against the allowed folders: the glob, and the path that it matches.
        connection.execute(
            "SET allowed_directories = ?", [[name for each in (folder, *others) for name in (str(each), pattern(each))]]
        )
        connection.execute("SET enable_external_access = false")
        for name, value in settings.items():
            connection.execute(f"SET {name} = ?", [value])
        if few:
            connection.execute("PRAGMA disable_optimizer")
        connection.execute("SET lock_configuration = true")
        failed.pop_all()
    return connection


@contextlib.contextmanager
def judged(folder: Path, verify: Callable[[], None], remedy: str) -> Iterator[None]:
    """Turns errors of queries in the block into UnsafeError, if files were changed or damaged, and into OutputError if memory
    or disk is short. `verify` raises UnsafeError for changed files.
    """
    try:
        yield
    except duckdb.Error as error:
        try:
            verify()
        except UnsafeError as damaged:
            raise damaged from error
        if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
            what = f"cannot be judged: {first_line(error)}"
            raise OutputError(files.shown(folder), what, "check the memory, and the space there") from error
        if isinstance(error, _BUGS):
            raise
        raise UnsafeError(files.shown(folder), "contains unreadable Parquet", remedy) from error
