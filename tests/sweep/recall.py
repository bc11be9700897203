"""A DuckDB that works nothing out twice: what was asked of the same rows before is known.

Planning queries takes most of the time of an audit of a small tenant, and a fault changes the data of only a few of them. So
each statement is identified by its text and by the contents of its tables. A table with unchanged contents is replaced by the
earlier one, so that nothing that depends on it is computed again.
"""

import contextlib
import functools
import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from unittest import mock

import duckdb
from msgspec import Struct

from keyaudit.collect import supplied
from keyaudit.collect.usage.rows import write_usage
from keyaudit.inventory import files, snapshot
from keyaudit.inventory import load as loader
from keyaudit.inventory.dialect import DUCKDB
from keyaudit.inventory.load import Loaded
from keyaudit.inventory.owners import UNREAD
from keyaudit.inventory.views import ledger
from keyaudit.model.columns import Table
from keyaudit.model.expiring import Owner
from keyaudit.policy import judge
from keyaudit.policy.ordered import Evaluated
from keyaudit.policy.verdict import PASS, outcome_of

_CREATE = re.compile(r'\s*CREATE (?:TEMP )?(TABLE|VIEW|MACRO) "?(\w+)"?(.*)', re.DOTALL)
_PARQUET = re.compile(r"'(/[^']+\.parquet)'")
_WORD = re.compile(r"\w+")
_OPERATIONS = re.compile(r"operations = '([^']*)'")
_OPERATION = re.compile(r"'(\w+(?:\.\w+)+)'")
_OF_OPERATIONS = re.compile(r"\bcoverage WHERE operation (?:IN|=) ")
_MOST = 4_000
"""Tables beside those of the run without a fault that are kept."""


class _Named(Struct, frozen=True):
    """What a name stands for: its content, or what it is worked out of, and how it is made where a query reads it."""

    key: str
    make: Callable[[str], None]
    """Makes it under that name."""


class Recall:
    """What was ever worked out. Its folder has files that outlive the audits that wrote them. Use it in `with`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("CREATE SCHEMA made")
        self._made: dict[str, tuple[str, str]] = {}
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

    @contextlib.contextmanager
    def recalling(self) -> Iterator[None]:
        """Meanwhile audits ask here before they work anything out, and their findings have an outcome and no text."""
        if self._number > _MOST:
            self._forget()
        with contextlib.ExitStack() as patched:
            for place, name, instead in (
                (snapshot, "locked", lambda folder, **settings: Recalled(self)),
                (snapshot, "loading", lambda temporary: Recalled(self)),
                (snapshot, "load", self._load),
                (snapshot.Snapshot, "_check", lambda of, connection: None),
                (ledger, "_fill", lambda connection, *filled: connection.fill(*filled)),
                (judge, "stream", _outcomes),
                (supplied, "write_usage", functools.partial(self._write_usage, write_usage)),
            ):
                patched.enter_context(mock.patch.object(place, name, instead))
            yield

    def answer(self, key: str, query: str, ready: Callable[[], None]) -> list[tuple[Any, ...]]:
        """What the query gives. `ready` makes what it names."""
        if key not in self._answers:
            ready()
            self._answers[key] = self._connection.execute(query).fetchall()
        return self._answers[key]

    def made(self, key: str, name: str, body: str, ready: Callable[[], None]) -> _Named:
        """The table that a CREATE makes."""
        if key not in self._made:
            ready()
            table = self._next()
            self._connection.execute(f"CREATE TABLE {table}{body}")
            content = digest(name, repr(self._connection.execute(_CONTENT.format(table)).fetchall()))
            if content in self._tables:
                self._connection.execute(f"DROP TABLE {table}")
            self._made[key] = self._tables.setdefault(content, table), content
        table, content = self._made[key]
        return _Named(content, functools.partial(self._stand, table))

    def filled(self, key: str, name: str, types: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> _Named:
        """A table of the ledger."""

        def make(name: str) -> None:
            if key not in self._tables:
                self._tables[key] = self._next()
                _fill(self._connection, self._tables[key], types, rows)
            self._stand(self._tables[key], name)

        return _Named(key, make)

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

    def execute(self, statement: str) -> Self:
        """Notes what is made, and answers what is asked."""
        statement = _PARQUET.sub(lambda found: f"'{self._recall.kept(found[1])}'", statement)
        key, read = self._key(statement)
        ready = functools.partial(self._show, read)
        created = _CREATE.fullmatch(statement)
        self._rows = [] if created else self._recall.answer(key, statement, ready)
        if created:
            kind, name, rest = created.groups()
            if kind == "TABLE":
                self._names[name] = self._recall.made(key, name, rest, ready)
            else:

                def make(name: str) -> None:
                    ready()
                    self._recall.run(f"CREATE OR REPLACE {kind} {name}{rest}")

                self._names[name] = _Named(key, make)
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

    def _key(self, statement: str) -> tuple[str, list[str]]:
        """What tells the statement apart from all others, and the names in it."""
        read = [name for name in _words(statement) if name in self._names]
        contents = [self._part(name, statement) for name in read]
        return digest(statement, *contents), read

    def _part(self, name: str, statement: str) -> str:
        """The content of what is named; of the ledger, no more than what the statement looks at."""
        wanted: Collection[str] = ()
        column = 0
        if name == "lists_read":
            wanted = _OPERATIONS.findall(statement)
        elif name == "coverage" and len(_OF_OPERATIONS.findall(statement)) == len(re.findall(r"\bcoverage\b", statement)):
            wanted, column = _OPERATION.findall(statement), 3
        if not wanted:
            return self._names[name].key
        return digest(name, repr([row for row in self._ledger[name] if row[column] in wanted]))

    def _show(self, names: Iterable[str]) -> None:
        for name in names:
            self._recall.show(name, self._names[name])


def _outcomes(connection: Recalled, tables: Iterable[Evaluated], **_: object) -> Iterator[tuple[Owner, SimpleNamespace]]:
    """In place of `policy.findings.stream`: as many findings, each with what it is about, its subject and its outcome."""
    for evaluated in tables:
        subjects = list(dict.fromkeys(bound.policy.subject for bound in evaluated.bounds))
        columns = ", ".join(f"code{number}" for number in range(len(evaluated.bounds)))
        columns = f"{columns}, {', '.join(map(DUCKDB.name, subjects))}"
        for id_, *found in connection.execute(f"SELECT id, {columns} FROM {evaluated.relation}").fetchall():
            own = dict(zip(subjects, found[len(evaluated.bounds) :], strict=True))
            for bound, code in zip(evaluated.bounds, found, strict=False):
                if code >= PASS:
                    text = bound.policy
                    about = SimpleNamespace(
                        policy=text.text, outcome=outcome_of(code), row={"id": id_}, scope=None, subject=own[text.subject]
                    )
                    yield UNREAD, about


_CONTENT = "SELECT count(*), sum(hash(t)::HUGEINT) FROM {} AS t"
_fill = ledger._fill


@functools.lru_cache(maxsize=2_048)
def _words(statement: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_WORD.findall(statement)))


def digest(*parts: str | bytes) -> str:
    """Short enough for a name."""
    whole = hashlib.blake2b(digest_size=12)
    for part in parts:
        whole.update(part.encode() if isinstance(part, str) else part)
        whole.update(b"\0")
    return whole.hexdigest()
