"""Answers queries about an inventory, in the dialect of the engine that has it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType
from typing import Any, Protocol

import duckdb

from keyaudit.inventory.dialect import DUCKDB, DuckDB

_BATCH = 1_024
NOTHING: Mapping[str, str] = MappingProxyType({})


class Reader(Protocol):
    """Queries of one dialect, one at a time."""

    @property
    def sql(self) -> DuckDB:
        """The dialect."""

    def rows(
        self, query: str, parameters: Sequence[object] = (), types: Mapping[str, str] = NOTHING
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of the answer, fetched in batches; a further query ends them.

        `types`: by column of the answer, as DuckDB writes them, those of lists, maps and truths.
        """

    def keep(self, name: str, query: str) -> str:
        """A temporary relation that holds the rows of a query."""

    def apart(self) -> AbstractContextManager["Reader"]:
        """A further reader, whose queries do not end those of this one, with temporary relations of its own."""


class Connection:
    """The reader of a connection of DuckDB."""

    sql = DUCKDB

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(
        self,
        query: str,
        parameters: Sequence[object] = (),
        types: Mapping[str, str] = NOTHING,  # noqa: ARG002 - DuckDB knows them
    ) -> Iterator[tuple[Any, ...]]:
        answer = self._connection.execute(query, parameters)
        while found := answer.fetchmany(_BATCH):
            yield from found

    def keep(self, name: str, query: str) -> str:
        self._connection.execute(f"CREATE TEMP TABLE {name} AS {query}")
        return name

    @contextmanager
    def apart(self) -> Iterator["Connection"]:
        with self._connection.cursor() as cursor:
            yield Connection(cursor)
