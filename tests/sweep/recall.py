"""A DuckDB that works nothing out twice: what was asked of the same rows before is known.

Planning queries takes most of the time of an audit of a small tenant, and a fault changes the data of only a few of them. So
each statement is identified by its text and by the contents of the columns that it reads. A table with unchanged contents is
replaced by the earlier one, so that nothing that depends on it is computed again.
"""

import contextlib
import functools
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from unittest import mock

import duckdb
from msgspec import Struct

from keyaudit.collect import supplied_rows
from keyaudit.collect.supplied_rows import write_usage
from keyaudit.inventory import load as loader
from keyaudit.inventory import snapshot
from keyaudit.inventory.dialect import DUCKDB
from keyaudit.inventory.disk import files
from keyaudit.inventory.load import Loaded
from keyaudit.inventory.owners import UNREAD
from keyaudit.inventory.reader import Reader
from keyaudit.inventory.views import ledger
from keyaudit.model.results.expiring import Owner
from keyaudit.model.schema.columns import Table
from keyaudit.policy.evaluation import judge
from keyaudit.policy.evaluation.findings import NO_CAUSES
from keyaudit.policy.evaluation.row_order import Evaluated
from keyaudit.policy.evaluation.verdict import PASS, outcome_of
from tests.sweep.contents import Content, digest
from tests.sweep.reads import WHOLE, Reads, Types

_CREATE = re.compile(r'\s*CREATE (?:TEMP )?(TABLE|VIEW|MACRO) "?(\w+)"?(.*)', re.DOTALL)
_AS = re.compile(r"\s*AS\s")
_PARQUET = re.compile(r"'(/[^']+\.parquet)'")
_WORD = re.compile(r"\w+")
_OPERATIONS = re.compile(r"operations = '([^']*)'")
_OPERATION = re.compile(r"'(\w+(?:\.\w+)+)'")
_OF_OPERATIONS = re.compile(r"\bcoverage\s+WHERE operation (?:IN|=) ")
_MOST = 4_000
"""Tables beside those of the run without a fault that are kept."""


class _Named(Struct, frozen=True):
    """What a name stands for: its content, or what it is worked out of, and how it is made where a query reads it."""

    key: str
    make: Callable[[str], None]
    """Makes it under that name."""
    shape: str
    """Its statement and the columns of its tables, without their content."""
    content: Content | None = None
    """None: it is no table, or one of the ledger."""
    view: str = ""
    """What creates the view or the macro."""
    types: Types | None = None
    """Of a table."""


class Recall:
    """What was ever worked out. Its folder has files that outlive the audits that wrote them. Use it in `with`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("CREATE SCHEMA made")
        self._made: dict[str, tuple[str, Content]] = {}
        self._types: dict[str, Types] = {}
        self.reads = Reads()
        self._tables: dict[str, str] = {}
        self._answers: dict[str, list[tuple[Any, ...]]] = {}
        self._loaded: dict[str, tuple[tuple[Path, ...], int, frozenset[tuple[str, str]]]] = {}
        self._shown: dict[str, str] = {}
        self._uses: list[tuple[str, Mapping[str, object]]] | None = None
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self.reads.close()

    @contextlib.contextmanager
    def recalling(self) -> Iterator[None]:
        """Meanwhile audits ask here before they work anything out, and their findings have an outcome and no text."""
        if self._number > _MOST:
            self._forget()
        with contextlib.ExitStack() as patched:
            for place, name, instead in (
                (snapshot, "fits_sqlite", lambda *_: False),
                (snapshot, "locked", lambda folder, **settings: Recalled(self)),
                (snapshot, "loading", lambda temporary: Recalled(self)),
                (snapshot, "load", self._load),
                (snapshot.Snapshot, "_check", lambda of, connection: None),
                (ledger, "_fill", lambda connection, *filled: connection.fill(*filled)),
                (judge, "stream", _outcomes),
                (judge.Judgement, "findings", _without_causes),
                (supplied_rows, "write_usage", functools.partial(self._write_usage, write_usage)),
            ):
                patched.enter_context(mock.patch.object(place, name, instead))
            yield

    def answer(self, key: str, query: str, ready: Callable[[], None]) -> list[tuple[Any, ...]]:
        """What the query gives. `ready` makes what it names."""
        if key not in self._answers:
            ready()
            self._answers[key] = self._connection.execute(query).fetchall()
        return self._answers[key]

    def made(self, key: str, shape: str, name: str, body: str, ready: Callable[[], None]) -> _Named:
        """The table that a CREATE makes. `shape`: the same for the same columns."""
        if key not in self._made:
            ready()
            table = self._next()
            self._connection.execute(f"CREATE TABLE {table}{body}")
            if shape not in self._types:
                self._types[shape] = dict(self._connection.execute(_TYPES.format(table)).fetchall())
            content = self._content(name, table, self._types[shape])
            if content.key in self._tables:
                self._connection.execute(f"DROP TABLE {table}")
            self._made[key] = self._tables.setdefault(content.key, table), content
        table, content = self._made[key]
        # A statement that gives the same rows may have another shape, where what it reads has more columns.
        if shape not in self._types:
            self._types[shape] = dict(self._connection.execute(_TYPES.format(table)).fetchall())
        make = functools.partial(self._stand, table)
        return _Named(content.key, make, repr(self._types[shape]), content, types=self._types[shape])

    def _content(self, name: str, table: str, types: Types) -> Content:
        columns = [column for column in types if column != WHOLE]
        # Of JSON, because DuckDB has one hash for an empty list and for NULL.
        hashed = ", ".join(f'hash(CAST(to_json(list("{column}")) AS VARCHAR))' for column in columns)
        unknown = f"list({WHOLE})" if WHOLE in types else "NULL"
        [(rows, maps, *found)] = self._connection.execute(f"SELECT count(*), {unknown}, {hashed} FROM {table}").fetchall()
        return Content(name, rows, dict(zip(columns, found, strict=True)), maps or ())

    def filled(self, key: str, name: str, types: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> _Named:
        """A table of the ledger."""

        def make(name: str) -> None:
            if key not in self._tables:
                self._tables[key] = self._next()
                _fill(self._connection, self._tables[key], types, rows)
            self._stand(self._tables[key], name)

        return _Named(key, make, repr(types), types=types)

    def show(self, name: str, named: _Named) -> None:
        """Makes the name stand for that, if it does not yet."""
        if self._shown.get(name) != named.key:
            named.make(name)
            self._shown[name] = named.key

    def run(self, statement: str) -> None:
        """Run it, without cached results."""
        self._connection.execute(statement)

    @functools.lru_cache(maxsize=4_096)  # noqa: B019 - there is one for a process
    def kept(self, path: str) -> str:
        """A file of the same content that stays, with a name that says what is in it."""
        stays = self.folder / f"{digest(Path(path).read_bytes())}.parquet"
        if not stays.exists():
            files.link(Path(path), stays)
        return str(stays)

    def _stand(self, table: str, name: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS FROM {table}")

    def _next(self) -> str:
        self._number += 1
        return f"made.t{self._number}"

    def _forget(self) -> None:
        self._connection.execute("DROP SCHEMA made CASCADE")
        self._connection.execute("CREATE SCHEMA made")
        for known in (self._made, self._tables, self._answers, self._shown):
            known.clear()
        self._number = 0

    def _load(
        self,
        connection: "Recalled",
        table: Table,
        spooled: Path,
        longest: int,
        *,
        target: Path,
        aside: Path,
        torn: Collection[tuple[str, str]] = (),
    ) -> Loaded:
        lines = sorted(spooled.read_bytes().splitlines())
        key = digest(table.name, b"\n".join(lines), repr(sorted(torn)) if table.part_of else "")
        if key not in self._loaded:
            loaded = loader.load(self._connection, table, spooled, longest, target=target, aside=aside, torn=torn)
            self._loaded[key] = tuple(Path(self.kept(str(path))) for path in loaded.files), loaded.rows, loaded.repeated
            return loaded
        paths, rows, repeated = self._loaded[key]
        names = tuple(target / loader.part_name(number) for number in range(len(paths)))
        for path, name in zip(paths, names, strict=True):
            os.link(path, name)
        return Loaded(names, rows, repeated)

    def _write_usage(self, write: Callable[..., None], unit: Any, scope: Any, logs: Any, baseline: Any) -> None:
        """The logs are the same in every run."""
        if self._uses is None:
            written: list[tuple[str, Mapping[str, object]]] = []
            write(SimpleNamespace(row=lambda table, row: written.append((table, row))), scope, logs, baseline)
            self._uses = written
        for table, row in self._uses:
            unit.row(table, row)


class Recalled:
    """Stands where a connection stands, for one audit."""

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        self._names: dict[str, _Named] = {}
        self._ledger: dict[str, Sequence[tuple[Any, ...]]] = {}
        self._rows: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cursor(self) -> Self:
        """Itself: no two answers are read at once here."""
        return self

    def close(self) -> None:
        """There is nothing to close."""

    def execute(self, statement: str, _: Sequence[object] = ()) -> Self:
        """Notes what is made, and answers what is asked."""
        statement = _PARQUET.sub(lambda found: f"'{self._recall.kept(found[1])}'", statement)
        read = [name for name in _words(statement) if name in self._names]
        ready = functools.partial(self._show, read)
        shape = digest(statement, *(self._names[name].shape for name in read))
        created = _CREATE.fullmatch(statement)
        if not created:
            key = self._key(shape, statement, statement, read)
            self._rows = self._recall.answer(key, statement, ready)
            return self
        self._rows = []
        kind, name, rest = created.groups()
        if kind == "TABLE":
            as_query = _AS.match(rest)
            key = self._key(shape, statement, rest[as_query.end() :], read) if as_query else digest(statement)
            self._names[name] = self._recall.made(key, shape, name, rest, ready)
        else:
            again = f"CREATE OR REPLACE {kind} {name}{rest}"

            def make(name: str) -> None:
                ready()
                self._recall.run(again)

            key = digest(statement, *(self._part(each, statement) for each in read))
            self._names[name] = _Named(key, make, shape, view=again)
        return self

    def fill(self, name: str, types: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
        """A table of the ledger."""
        self._ledger[name] = list(rows)
        self._names[name] = self._recall.filled(digest(name, repr(self._ledger[name])), name, types, self._ledger[name])

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rest of the last answer."""
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, most: int) -> list[tuple[Any, ...]]:
        """So many of it."""
        rows, self._rows = self._rows[:most], self._rows[most:]
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """One of it."""
        return next(iter(self.fetchmany(1)), None)

    def _key(self, shape: str, statement: str, query: str, read: Sequence[str]) -> str:
        """What tells a statement, and what it reads, apart from all others."""
        if not read:
            return digest(statement)
        for name in read:
            self._declare(name)
        columns = self._recall.reads.of(shape, query)
        text = " ".join((statement, *self._views(read)))
        return digest(shape, *(f"{name} {self._column_part(name, columns[name], text)}" for name in sorted(columns)))

    def _declare(self, name: str) -> None:
        """Where it is found out what is read, there is something of this name."""
        named = self._names[name]
        if named.types is not None:
            self._recall.reads.table(name, named.types)
        else:
            for other in self._others(name):
                self._declare(other)
            self._recall.reads.create(name, named.view)

    def _others(self, name: str) -> list[str]:
        return [other for other in _words(self._names[name].view) if other != name and other in self._names]

    def _views(self, read: Iterable[str]) -> Iterator[str]:
        """The texts of the views among these names, and of those that they read."""
        for name in read:
            if view := self._names[name].view:
                yield view
                yield from self._views(self._others(name))

    def _column_part(self, name: str, columns: frozenset[str], text: str) -> str:
        named = self._names[name]
        if named.content is not None:
            return named.content.of(columns)
        places = [number for number, column in enumerate(named.types or ()) if column in columns]
        return digest(*(repr([row[place] for place in places]) for row in self._rows_of(name, text)))

    def _part(self, name: str, statement: str) -> str:
        """The content of what is named; of the ledger, no more than what the statement looks at."""
        if name not in self._ledger:
            return self._names[name].key
        return digest(name, repr(self._rows_of(name, statement)))

    def _rows_of(self, name: str, statement: str) -> Sequence[tuple[Any, ...]]:
        """The rows of the ledger that the statement looks at, with the views in it."""
        rows = self._ledger[name]
        if name == "lists_read" and (wanted := _OPERATIONS.findall(statement)):
            return [row for row in rows if row[0] in wanted]
        of_operations = len(_OF_OPERATIONS.findall(statement))
        if name == "coverage" and of_operations and of_operations == len(re.findall(r"\bcoverage\b", statement)):
            wanted = _OPERATION.findall(statement)
            return [row for row in rows if row[3] in wanted]
        return rows

    def _show(self, names: Iterable[str]) -> None:
        for name in names:
            self._recall.show(name, self._names[name])


def _without_causes(of: judge.Judgement, passes: bool = False) -> Iterator[Any]:
    """In place of `Judgement.findings`: causes group what people read, and no result depends on them."""
    return (finding for _, finding in of._in_order(passes, None, NO_CAUSES))


def _outcomes(reader: Reader, tables: Iterable[Evaluated], **_: object) -> Iterator[tuple[Owner, SimpleNamespace]]:
    """In place of `policy.findings.stream`: as many findings, each with what it is about, its subject and its outcome."""
    for evaluated in tables:
        subjects = list(dict.fromkeys(bound.policy.subject for bound in evaluated.bounds))
        columns = ", ".join(f"code{number}" for number in range(len(evaluated.bounds)))
        columns = f"{columns}, {', '.join(map(DUCKDB.name, subjects))}"
        for id_, *found in reader.rows(f"SELECT id, {columns} FROM {evaluated.relation}"):
            own = dict(zip(subjects, found[len(evaluated.bounds) :], strict=True))
            for bound, code in zip(evaluated.bounds, found, strict=False):
                if code >= PASS:
                    text = bound.policy
                    about = SimpleNamespace(
                        policy=text.text, outcome=outcome_of(code), row={"id": id_}, scope=None, subject=own[text.subject]
                    )
                    yield UNREAD, about


_TYPES = "SELECT column_name, column_type FROM (DESCRIBE {})"
_fill = ledger._fill


@functools.lru_cache(maxsize=2_048)
def _words(statement: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_WORD.findall(statement)))
