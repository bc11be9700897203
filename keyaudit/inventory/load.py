"""Loads the spool into Parquet: sorted by id, each id once, and every NULL either absent or unknown.

DuckDB's sort of wide rows exceeds any small memory limit. So a large table is first converted to Parquet unsorted, and then
sorted in pieces, each a range of ids that fits into memory. A small one is first read into memory.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import msgspec
from msgspec import Struct

from keyaudit.inventory.disk import files
from keyaudit.inventory.ledger import BreachError
from keyaudit.inventory.rows import check, stored_types
from keyaudit.model.errors import OutputError
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Column, Table, Type

_MEMORY = "200MB"
_PIECE = 64 * 1024 * 1024
"""Bytes of spooled rows that are sorted at once."""
_SMALL = 1024 * 1024
"""Bytes of spooled rows that are read into memory."""
_SAMPLES = 200
"""The number of sampled ids per piece, to make pieces of similar size."""
_SHORT = 64 * 1024
UNSORTED = "COMPRESSION lz4, ROW_GROUP_SIZE 10240"
_SORTED = "COMPRESSION zstd"


class Loaded(Struct, frozen=True):
    """A table on disk: its files in the order of ids, its row count, and the objects with several rows."""

    files: tuple[Path, ...]
    rows: int
    repeated: frozenset[tuple[str, str]]
    """Each with its id and the request that returned it."""


@contextmanager
def loading(temporary: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection for `load`, bounded in memory, which spills to `temporary`."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        # One thread: a second needs its own buffers and saves nothing.
        "threads": 1,
        "temp_directory": str(temporary),
        "preserve_insertion_order": True,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        yield connection


def load(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    spooled: Path,
    longest: int,
    *,
    target: Path,
    aside: Path,
    torn: Collection[tuple[str, str]] = (),
) -> Loaded:
    """Writes the rows of `spooled`, JSON lines of at most `longest` bytes, to files in `target` (mode 0600, Parquet).

    Equal copies of an id are kept once. In differing copies, the columns that differ become unknown (`inconsistent`). `torn`:
    objects with differing copies, as in `Loaded.repeated`. A part (`Table.part_of`) of such an object, from the same request
    and in one copy only, keeps its row, with all columns unknown. `aside`: a path for a temporary file. Raises BreachError,
    with table, column and row, for a row that violates the table's declaration, and OutputError if it cannot be written.
    """
    try:
        size = spooled.stat().st_size
        if size <= _SMALL:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE unsorted AS {_spooled(table, spooled, longest)}")
            every = "unsorted"
            # Of few rows, planning the same checks in SQL takes longer than reading them again.
            check(table.name, spooled.read_bytes())
        else:
            write_parquet(connection, _spooled(table, spooled, longest), aside, UNSORTED)
            every = parquet(aside)
            _refuse(connection, table, every)
        if torn:
            _name_torn(connection, torn)
        paths, count, repeated = [], 0, set[tuple[str, str]]()
        for number, where in enumerate(pieces(connection, every, size)):
            rows = f"(SELECT * FROM {every} WHERE {where})"
            if one(connection, f"SELECT count(*) - count(DISTINCT id) FROM {rows}"):
                rows = _united(connection, table, rows)
                repeated.update(connection.execute("SELECT id, source_url FROM repeated").fetchall())
            if torn and table.part_of:
                rows = _without_torn(table, rows)
            paths.append(target / part_name(number))
            count += write_parquet(connection, f"FROM {rows} ORDER BY id", paths[-1])
        return Loaded(tuple(paths), count, frozenset(repeated))
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise OutputError(files.shown(target), f"cannot be written: {first_line(error)}", files.REMEDY) from error
    except duckdb.Error as error:
        raise BreachError(f"{table.name}: {first_line(error)}") from error


def described(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """The columns of a Parquet file with their SQL types."""
    columns = connection.execute(f"DESCRIBE SELECT * FROM {parquet(path)}").fetchall()
    return {name: type_ for name, type_, *_ in columns}


def counted(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> dict[str, int]:
    """The number of rows of Parquet files, by path."""
    if not paths:
        return {}
    files_ = ", ".join(map(_literal, paths))
    return dict(connection.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata([{files_}])").fetchall())


def quoted(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def parquet(*paths: Path) -> str:
    """Parquet files as one SQL relation."""
    return f"read_parquet([{', '.join(map(_literal, paths))}])"


def pattern(path: Path) -> str:
    """A glob that matches only `path`, because DuckDB reads every path as a glob."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))


def _literal(path: Path) -> str:
    return quoted(pattern(path))


def part_name(number: int) -> str:
    """The name of a table's file of that number."""
    return f"{number:05}.parquet"


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, target: Path, options: str = _SORTED) -> int:
    """Writes the result of the query to `target` (mode 0600), replacing an existing file, and returns the number of rows."""
    with files.writing(target):
        target.unlink(missing_ok=True)
    # Created here first, because DuckDB would use the mode of the umask.
    files.create(target)
    count = one(connection, f"COPY ({query}) TO {quoted(str(target))} (FORMAT parquet, USE_TMP_FILE false, {options})")
    files.sync(target)
    return count


def _spooled(table: Table, spooled: Path, longest: int) -> str:
    types = stored_types(table)
    names = ", ".join(name for name in types if name != "unknown")
    columns = ", ".join(f"{name}: {quoted(type_)}" for name, type_ in types.items())
    return (
        f"SELECT {names}, coalesce(unknown, MAP {{}}) AS unknown FROM read_json([{_literal(spooled)}], records = true,"
        f" format = 'newline_delimited', compression = 'none', maximum_object_size = {max(longest, _SHORT)},"
        f" columns = {{{columns}}})"
    )


def pieces(connection: duckdb.DuckDBPyConnection, rows: str, size: int, key: str = "id", most: int | None = None) -> list[str]:
    """Conditions on `key` that divide a relation (`size` bytes of JSON) into ascending ranges of about `most` bytes."""
    number = -(-size // (most or _PIECE))
    if number <= 1:
        return ["true"]
    every = max(1, one(connection, f"SELECT count(*) FROM {rows}") // (number * _SAMPLES))
    # Sampled by digest of the id, so that the ranges depend on the rows and not on their order.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE cut AS SELECT row_number() OVER (ORDER BY low) AS number, low FROM ("
        f" SELECT DISTINCT min({key}) AS low FROM (SELECT {key}, ntile({number}) OVER (ORDER BY {key}) AS tile FROM"
        f" (SELECT DISTINCT id, {key} FROM {rows} WHERE hash(id) % {every} = 0)) GROUP BY tile)"
    )
    lows = [low for (low,) in connection.execute("SELECT low FROM cut WHERE number > 1 ORDER BY number").fetchall()]
    # Numbers are literals, so that DuckDB can skip row groups. No text from the tenant goes into SQL.
    cuts = [str(low) if isinstance(low, int) else f"(SELECT low FROM cut WHERE number = {n})" for n, low in enumerate(lows, 2)]
    above = ["true", *(f"{key} >= {cut}" for cut in cuts)]
    below = [*(f"{key} < {cut}" for cut in cuts), "true"]
    return [" AND ".join(pair) for pair in zip(above, below, strict=True)]


def _refuse(connection: duckdb.DuckDBPyConnection, table: Table, rows: str) -> None:
    """Raises BreachError for the first row that violates the declaration."""
    known = ", ".join(quoted(reason) for reason in Reason)
    wrong = [_contradiction(table, column) for column in table.stored]
    wrong += [
        f"WHEN list_contains({column.name}, NULL) OR len(list_filter({column.name}, lambda text: text IS NULL)) > 0"
        f" THEN '{column.name}: a list with NULL in it'"
        for column in table.stored
        if column.type is Type.TEXTS
    ]
    names = ", ".join(quoted(column.name) for column in table.stored if column.can_be_unknown)
    wrong.append(f"WHEN NOT list_has_all([{names}], map_keys(unknown)) THEN 'unknown: a column that is never unknown'")
    wrong.append(f"WHEN NOT list_has_all([{known}], map_values(unknown)) THEN 'unknown: a reason that is not in the list'")
    row = connection.execute(
        f"SELECT id, wrong FROM (SELECT id, CASE {' '.join(wrong)} END AS wrong FROM {rows})"
        " WHERE wrong IS NOT NULL ORDER BY id LIMIT 1"
    ).fetchone()
    if row:
        raise BreachError(f"{table.name} {row[0]}: {row[1]}")


def _constant(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else quoted(value)


def _contradiction(table: Table, column: Column) -> str:
    name = column.name
    unsaid = f"{name} IS NULL AND unknown[{quoted(name)}] IS NULL"
    where = table.never_absent(column)
    for decides, values in where:
        unsaid += f" AND list_contains([{', '.join(map(_constant, values))}], {decides})"
    missing = f"WHEN {unsaid} THEN '{name}: neither a value nor a reason'"
    both = f"WHEN {name} IS NOT NULL AND unknown[{quoted(name)}] IS NOT NULL THEN '{name}: a value and a reason'"
    always = bool(column.absent) and not (where and all(values for _, values in where))
    return both if always else f"{missing} {both}"


def _name_torn(connection: duckdb.DuckDBPyConnection, torn: Collection[tuple[str, str]]) -> None:
    """Creates tables of the objects with differing copies, and of repeated ids of a piece."""
    connection.execute("CREATE OR REPLACE TEMP TABLE torn (id VARCHAR, source_url VARCHAR)")
    connection.execute("CREATE OR REPLACE TEMP TABLE repeated (id VARCHAR)")
    connection.executemany("INSERT INTO torn VALUES (?, ?)", sorted(torn))


def _without_torn(table: Table, rows: str) -> str:
    """`rows` as a relation, in which all columns of rows that belong to a torn object and appear once are unknown."""
    data = [column.name for column in table.stored if column.can_be_unknown]
    whole = f"({table.part_of}, source_url) IN (SELECT (id, source_url) FROM torn)"
    torn = f"{whole} AND id NOT IN (SELECT id FROM repeated)"
    reasons = ", ".join(f"{quoted(name)}: '{Reason.INCONSISTENT}'" for name in data)
    values = ", ".join(f"CASE WHEN NOT ({torn}) THEN {name} END AS {name}" for name in data)
    return f"(SELECT * REPLACE ({values}, CASE WHEN {torn} THEN MAP {{{reasons}}} ELSE unknown END AS unknown) FROM {rows})"


def _united(connection: duckdb.DuckDBPyConnection, table: Table, rows: str) -> str:
    """`rows` with each id once, as a relation; repeated ids are in the table `repeated`."""
    data = [column.name for column in table.stored if column.can_be_unknown]
    place = [column.name for column in table.stored if not column.can_be_unknown and column.name != "id"]
    kinds = [case.column for column in table.stored for case in column.absent_where]
    columns = [f"{_agreement(name)} AS same_{name}" for name in dict.fromkeys((*data, *kinds))]
    columns += [f"any_value({name}) AS {name}" for name in data] + [f"min({name}) AS {name}" for name in place]
    columns += [f"min(unknown[{quoted(name)}]) AS why_{name}" for name in data]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT id, {', '.join(columns)} FROM {rows} GROUP BY id HAVING count(*) > 1"
    )
    stands = {name: _standing(table.by_name[name]) for name in data}
    reasons = ", ".join(
        f"{{'key': {quoted(name)}, 'value': CASE WHEN {stands[name]} THEN why_{name} ELSE '{Reason.INCONSISTENT}' END}}"
        for name in data
    )
    values = [f"CASE WHEN {stands[name]} THEN {name} END AS {name}" for name in data]
    values.append(f"map_from_entries(list_filter([{reasons}], lambda entry: entry.value IS NOT NULL)) AS unknown")
    return (
        f"(SELECT * FROM {rows} WHERE id NOT IN (SELECT id FROM repeated)"
        f" UNION ALL BY NAME SELECT id, {', '.join(place + values)} FROM repeated)"
    )


def _standing(column: Column) -> str:
    """Whether the copies of a row agree on a column; an absence also requires agreement on the columns that decide it."""
    kinds = " AND ".join(dict.fromkeys(f"same_{case.column}" for case in column.absent_where))
    same = f"same_{column.name}"
    return f"{same} AND ({column.name} IS NOT NULL OR ({kinds}))" if kinds else same


def _agreement(name: str) -> str:
    """Whether the copies of an id agree on value and reason of a column. By min and max: DISTINCT takes more memory."""
    why = f"unknown[{quoted(name)}]"
    return " AND ".join(
        f"count({each}) IN (0, count(*)) AND min({each}::VARCHAR) IS NOT DISTINCT FROM max({each}::VARCHAR)"
        for each in (name, why)
    )


def one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The single number that the query returns."""
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def first_line(error: duckdb.Error) -> str:
    """The error message without the SQL that DuckDB quotes; of an error within it, which is JSON, the message alone."""
    line = str(error).partition("\n")[0]
    try:
        return msgspec.json.decode(line[line.index(_NESTED) :], type=_Nested).exception_message
    except ValueError:
        return line


_NESTED = '{"exception_type"'


class _Nested(Struct):
    exception_message: str
