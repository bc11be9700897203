"""Loading and judging, with each statement worked out once for each content of what it reads.

A fault changes a table or two, and planning the SQL of all others again would be most of the work of a run. So one DuckDB
stays open; what a `CREATE ... AS` or a SELECT of the program comes to is kept under a digest of its text and of what it reads.
`test_what_is_remembered_is_what_is_worked_out` holds this against the program itself.
"""

import contextlib
import hashlib
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest import mock

import duckdb

from keyaudit.inventory import snapshot
from keyaudit.inventory.load import Loaded, load, parquet
from keyaudit.model.columns import Table

_CREATES = re.compile(r'\s*CREATE (TABLE|VIEW) "?(\w+)"? AS\b(.*)', re.DOTALL)
_MACRO = re.compile(r"\s*CREATE MACRO (\w+)")
_FILES = re.compile(r"read_parquet\(\[('[^']*'(?:, '[^']*')*)\]\)")
_READS = re.compile(r'\b(?:FROM|JOIN)\s+"?(\w+)"?', re.IGNORECASE)
_OPERATION = re.compile(r"'([a-z0-9_]+(?:\.[a-z0-9_]+)+)'")
_OF_LEDGER = 3
"""Which column of the table `coverage` is the operation."""


def digest(*parts: str | bytes) -> str:
    """Short enough for a name."""
    whole = hashlib.blake2b(digest_size=12)
    for part in parts:
        whole.update(part.encode() if isinstance(part, str) else part)
        whole.update(b"\0")
    return whole.hexdigest()


class RowsAskedForError(Exception):
    """Findings of rows were asked for, which the memo does not give one by one."""


class Rows:
    """The answer to a query, read already."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows, self._at = rows, 0

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All that is left."""
        return self.fetchmany(len(self._rows))

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next one."""
        found = self.fetchmany(1)
        return found[0] if found else None

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """The next few."""
        found = list(self._rows[self._at : self._at + size])
        self._at += len(found)
        return found


class Memo:
    """What has been loaded and worked out. `keep` from the first run on: what that one needed is never dropped."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._db = duckdb.connect(":memory:", config={"threads": 1})
        self._loaded: dict[str, Loaded] = {}
        self._made: set[str] = set()
        self._same: dict[str, str] = {}
        self._contents: dict[tuple[Any, ...], str] = {}
        self._answers: dict[str, list[tuple[Any, ...]]] = {}
        self._bound: dict[str, str] = {}
        self._macros: dict[str, str] = {}
        self._kept: tuple[set[str], set[str]] = (set(), set())

    def keep(self) -> None:
        """Hold on to what there is; what comes after is dropped by `drop`."""
        self._kept = (set(self._made), set(self._answers))

    def drop(self) -> None:
        """Let go of what only the last run needed."""
        made, answers = self._kept
        for name in self._made - made:
            self._db.execute(f"DROP TABLE {name}")
        self._made &= made
        self._same = {key: name for key, name in self._same.items() if name in made}
        self._contents = {content: name for content, name in self._contents.items() if name in made}
        self._answers = {key: rows for key, rows in self._answers.items() if key in answers}

    @contextlib.contextmanager
    def patched(self) -> Iterator[Callable[[], "Session"]]:
        """Snapshots are written and judged through the memo. Gives what gives the session of the last judgement."""
        sessions: list[Session] = []

        def locked(*_: object, **__: object) -> Session:
            sessions.append(Session(self))
            return sessions[-1]

        with mock.patch.object(snapshot, "load", self._load), mock.patch.object(snapshot, "locked", locked):
            yield lambda: sessions[-1]

    def _load(
        self,
        connection: Any,
        table: Table,
        spooled: Path,
        longest: int,
        *,
        target: Path,
        aside: Path,
        torn: Collection[tuple[str, str]] = (),
    ) -> Loaded:
        key = digest(table.name, repr(sorted(torn)).encode(), *sorted(spooled.read_bytes().splitlines()))
        found = self._loaded.get(key)
        if found is None:
            made = load(connection, table, spooled, longest, target=target, aside=aside, torn=torn)
            kept = self._folder / key
            shutil.copytree(target, kept)
            found = Loaded(tuple(kept / path.name for path in made.files), made.rows, made.repeated)
            self._loaded[key] = found
            return made
        for path in found.files:
            shutil.copyfile(path, target / path.name)
        return Loaded(tuple(target / path.name for path in found.files), found.rows, found.repeated)

    def source(self, paths: str) -> str:
        """The name of a table with what is in these Parquet files, and nothing else of them."""
        files = [Path(path) for path in re.findall(r"'([^']*)'", paths)]
        name = f"s_{digest(*(file.read_bytes() for file in files))}"
        if name not in self._made:
            self._db.execute(f"CREATE TABLE {name} AS FROM {parquet(*files)}")
            self._made.add(name)
        return name

    def macro(self, name: str, sql: str) -> None:
        """A macro, which is the same in every run."""
        if self._macros.setdefault(name, sql) != sql:
            raise AssertionError(f"{name} differs from run to run")
        self._db.execute(sql.replace("CREATE MACRO", "CREATE OR REPLACE MACRO"))

    def table(self, logical: str, query: str, key: str, bound: dict[str, str]) -> str:
        """The table that the query comes to, worked out unless it was. One of the same content stands for another."""
        if key not in self._same:
            self._bind(bound)
            name = f"t_{key}"
            self._db.execute(f"CREATE TABLE {name} AS {query}")
            rows = f"(SELECT hash(stored) AS row FROM {name} AS stored)"
            [content] = self._db.execute(f"SELECT count(*), sum(row::HUGEINT), bit_xor(row) FROM {rows}").fetchall()
            known = self._contents.setdefault((logical, *content), name)
            if known == name:
                self._made.add(name)
            else:
                self._db.execute(f"DROP TABLE {name}")
            self._same[key] = known
        return self._same[key]

    def rows(self, key: str, query: str, bound: dict[str, str]) -> Rows:
        """The answer to the query, asked unless it was."""
        if key not in self._answers:
            self._bind(bound)
            self._answers[key] = self._db.execute(query).fetchall()
        return Rows(self._answers[key])

    def ledger(self, declared: str, columns: Sequence[Sequence[Any]]) -> str:
        """The table `coverage` as the program declares it, with these columns in it."""
        name = f"t_{digest(declared, repr(columns))}"
        if name not in self._made:
            self._db.execute(declared.replace("CREATE TABLE coverage", f"CREATE TABLE {name}"))
            if columns:
                self._db.execute(f"INSERT INTO {name} SELECT {', '.join(['unnest(?)'] * len(columns))}", list(columns))
            self._made.add(name)
        return name

    def raw(self, sql: str) -> Any:
        """A query about files."""
        return self._db.execute(sql)

    def _bind(self, bound: dict[str, str]) -> None:
        for logical, physical in bound.items():
            if self._bound.get(logical) != physical:
                self._db.execute(f'CREATE OR REPLACE VIEW "{logical}" AS FROM {physical}')
                self._bound[logical] = physical


class Session:
    """One judgement's connection."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo
        self._tables: dict[str, str] = {}
        """Physical by logical name."""
        self._coverage: list[tuple[Any, ...]] = []
        self._sources: dict[str, str] = {}
        self._declared = ""

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> Any:
        """One statement of the program."""
        if sql.lstrip().startswith("CREATE TABLE coverage ("):
            self._declared = sql
            self._tables["coverage"] = self._memo.ledger(sql, ())
            return Rows([])
        if sql.startswith("INSERT INTO coverage"):
            columns = list(parameters or ())
            self._coverage = list(zip(*columns, strict=True))
            self._tables["coverage"] = self._memo.ledger(self._declared, columns)
            return Rows([])
        if parameters is not None:
            raise AssertionError(f"a statement with parameters: {sql[:80]}")
        if macro := _MACRO.match(sql):
            self._memo.macro(macro[1], sql)
            return Rows([])
        if "parquet_file_metadata" in sql:
            return self._memo.raw(sql)
        sql = _FILES.sub(lambda match: self._source(match[1]), sql)
        bound = {name: self._tables[name] for name in dict.fromkeys(_READS.findall(sql)) if name in self._tables}
        if created := _CREATES.match(sql):
            _, name, query = created.groups()
            self._tables[name] = self._memo.table(name, query, self._key(query, bound), bound)
            return Rows([])
        if sql.lstrip().startswith("CREATE"):
            raise AssertionError(f"not known how to remember: {sql[:80]}")
        return self._memo.rows(self._key(sql, bound), sql, bound)

    def _source(self, paths: str) -> str:
        if paths not in self._sources:
            self._sources[paths] = self._memo.source(paths)
        return self._sources[paths]

    def _key(self, sql: str, bound: dict[str, str]) -> str:
        parts = [sql]
        for name, physical in sorted(bound.items()):
            if name == "coverage":
                asked = set(_OPERATION.findall(sql))
                parts += [repr([row for row in self._coverage if row[_OF_LEDGER] in asked])]
            else:
                parts += [name, physical]
        return digest(*parts)

    def judged(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        """Columns of a table with its verdicts; no row where the table has none."""
        name = f"judged_{table}"
        return self.execute(f"SELECT {columns} FROM {name}").fetchall() if name in self._tables else []

    def cursor(self) -> "Session":
        """For rows one by one."""
        raise RowsAskedForError

    def close(self) -> None:
        """Nothing: the memo's connection stays."""

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
