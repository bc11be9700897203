"""DuckDB over the files of one folder, which whatever those files hold cannot lead anywhere else."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from keyaudit.inventory import files
from keyaudit.inventory.load import first_line, pattern
from keyaudit.model.errors import OutputError, UnsafeError

TEMPORARY = "tmp-"
"""What the names of folders begin with that a connection makes in its folder, and a killed process leaves there."""
_MEMORY = "400MB"
# Whatever the files hold, these come from our own SQL.
_BUGS = (duckdb.BinderException, duckdb.CatalogException, duckdb.InternalException, duckdb.ParserException)


def locked(folder: Path, **settings: str) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that can read `folder` and nothing else: no network, no extension, and no setting can be changed.

    `settings`: more of them, by name.
    """
    configuration: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        # Each thread takes its part of that memory, whatever the machine has.
        "threads": 2,
        # Of its own, since two processes may judge one folder; DuckDB makes it on need, and removes it.
        "temp_directory": str(folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
    }
    connection = duckdb.connect(":memory:", config=configuration)
    with contextlib.ExitStack() as failed:
        failed.enter_context(connection)
        # DuckDB holds both against it: the pattern that it is asked to read, and the path that it then finds.
        connection.execute("SET allowed_directories = ?", [[str(folder), pattern(folder)]])
        connection.execute("SET enable_external_access = false")
        for name, value in settings.items():
            connection.execute(f"SET {name} = ?", [value])
        connection.execute("SET lock_configuration = true")
        failed.pop_all()
    return connection


@contextlib.contextmanager
def judged(folder: Path, verify: Callable[[], None], remedy: str) -> Iterator[None]:
    """What a query inside fails of becomes UnsafeError where the files are not what was verified, or never were what they
    should be, and OutputError where memory or disk is short. `verify` raises UnsafeError for files that were changed.
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
        raise UnsafeError(files.shown(folder), "holds Parquet that cannot be read", remedy) from error
