"""Queries of Resource Graph over all subscriptions, a group of them at a time, because its quota counts queries.

One query stands for several operations that ask the same table. Unless its answer proves to be whole, each sends its own.
"""

import asyncio
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from keyaudit.cloud.answers.listing import Listing
from keyaudit.cloud.answers.pages import RESOURCE_GRAPH_PAGE, Page, Step
from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls
from keyaudit.collect.places import Subscription
from keyaudit.collect.wire import is_null
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations.kinds import TOGETHER
from keyaudit.model.reasons import Reason

_PER_QUERY = 299
"""The subscriptions of one query.

https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
"""

# Without this option, objects at management groups and the root are left out.
# https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources
_ABOVE = {"authorizationScopeFilter": "AtScopeAboveAndBelow"}

T = TypeVar("T")
Group = Sequence[Subscription]


class Query(Struct, frozen=True, kw_only=True):
    """What one operation asks of a table: columns of the resources of some types."""

    operation: str
    table: str = "resources"
    types: tuple[str, ...]
    """In lower case."""
    own: tuple[str, ...]
    """Columns of the table."""
    paths: Mapping[str, str] = {}
    """Members of such columns, by the name that each gets. One that a resource lacks is null."""
    given: tuple[str, ...] = ()
    """Only resources in which one of these is not null, and those of the types `always`; empty: all."""
    always: tuple[str, ...] = ()
    only: tuple[str, str] | None = None
    """Only resources with a text, in lower case, in a column."""
    above: bool = False
    """Whether it is about the scopes above subscriptions, too."""

    @property
    def columns(self) -> dict[str, str]:
        """The path of each column by its name."""
        return {**{name: name for name in self.own}, **self.paths}

    @property
    def conditions(self) -> list[str]:
        """What makes a resource of the query; empty: its type alone."""
        if self.only:
            return ["{} =~ '{}'".format(*self.only)]
        return [f"isnotnull({name})" for name in self.given]

    @property
    def text(self) -> str:
        """The query for this operation alone."""
        columns = [_column(name, path) for name, path in self.columns.items()]
        return _query(self.table, _typed(self.types), columns, self.conditions, self.always)

    def takes(self, type_: str, row: Mapping[str, Raw]) -> bool:
        """Whether the query returns a row with these columns."""
        if self.only:
            name, text = self.only
            return type_ in self.types and bytes(row[name]).lower() == f'"{text}"'.encode()
        given = not self.given or type_ in self.always or not all(is_null(row[name]) for name in self.given)
        return type_ in self.types and given


def together(queries: Sequence[Query]) -> str:
    """One query for several of one table: a resource has the columns that they ask of its type, and nothing in the others."""
    marks = {query.operation: query.operation.replace(".", "_") for query in queries}
    askers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for query in queries:
        for column in query.columns.items():
            askers[column].append(marks[query.operation])
    columns = ["id", "type"]
    for (name, path), asking in sorted(askers.items()):
        if name not in columns[:2]:
            every = len(asking) == len(queries)
            columns.append(_column(name, path if every else f"iff({' or '.join(asking)}, {path}, {_nothing(path)})"))
    marked = ", ".join(f"{marks[query.operation]} = {_typed(query.types)}" for query in queries)
    where = f"{_typed(_once(query.types for query in queries))} | extend {marked}"
    conditions = [condition for query in queries for condition in query.conditions]
    always = _once(query.always if query.conditions else query.types for query in queries)
    return _query(queries[0].table, where, columns, conditions, always)


def _once(types: Iterable[Sequence[str]]) -> Sequence[str]:
    return tuple(dict.fromkeys(chain.from_iterable(types)))


def _query(table: str, where: str, columns: Sequence[str], conditions: Sequence[str], always: Sequence[str]) -> str:
    """Ordered by a unique column: without an order, pages drop and repeat rows.

    https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data
    """
    either = " or ".join([*conditions, *([_typed(always)] if always else [])])
    kept = f" | where {either}" if conditions else ""
    return f"{table} | where {where} | project {', '.join(columns)}{kept} | order by id asc"


def _typed(types: Sequence[str]) -> str:
    return f"type =~ '{types[0]}'" if len(types) == 1 else f"type in~ ({', '.join(map(repr, types))})"


def _column(name: str, path: str) -> str:
    return name if name == path else f"{name} = {path}"


def _nothing(path: str) -> str:
    """What a column has of other types: those of the table are texts, or dynamic as all members are."""
    return "''" if path in ("name", "location", "subscriptionId", "resourceGroup") else "dynamic(null)"


class Graph:
    """Asks Resource Graph. Those of `sets` that have several queries are each sent as one, for all of their operations."""

    def __init__(self, *sets: Sequence[Query]) -> None:
        self._sets = {query.operation: queries for queries in sets if len(queries) > 1 for query in queries}
        self._read: dict[tuple[str, str], _Rows | Refusal | None] = {}
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def queries(
        self,
        gateway: Gateway,
        calls: Calls,
        query: Query,
        kind: type[T],
        subscriptions: Group,
        *,
        by: Callable[[Group], Callable[[T], str]],
    ) -> Iterator[tuple[Group, Listing[T]]]:
        """Each group of subscriptions with its list, which the caller reads to its end before the next; `calls` is told of the
        end.

        `by`: for a group, what names an item, and raises ValueError for one that the query cannot return.
        """
        for start in range(0, len(subscriptions), _PER_QUERY):
            group = subscriptions[start : start + _PER_QUERY]
            instead = partial(self._page, gateway, query, group) if query.operation in self._sets else None
            body = _body(query.text, query, group)
            listing = gateway.rows(calls.id, kind, by=by(group), body=body, instead=instead)
            yield group, listing
            calls.ended(listing.end)

    async def _page(self, gateway: Gateway, query: Query, group: Group, step: Step) -> Page | Refusal | None:
        """A page of what was asked for together; None where the query has to be sent by itself."""
        queries = self._sets[query.operation]
        place = queries[0].operation, group[0].id
        async with self._turns[place]:
            if place not in self._read:
                self._read[place] = await _read(gateway, queries, group)
        found = self._read[place]
        return found.page(query.operation, step) if isinstance(found, _Rows) else found


async def _read(gateway: Gateway, queries: Sequence[Query], group: Group) -> "_Rows | Refusal | None":
    """The rows of all the queries; None if the answer is not proven to be whole."""
    rows = _Rows(queries)
    listing = gateway.rows(TOGETHER, dict[str, Raw], by=rows.name, body=_body(together(queries), queries[0], group))
    async for row in listing:
        rows.add(row)
    end = listing.end
    if end.refusal and end.refusal.reason is Reason.THROTTLED:
        # More queries would be throttled, too.
        return end.refusal
    rows.noted = end.noted
    return None if end.refusal or end.duplicate or end.quarantined else rows


def _body(text: str, query: Query, group: Group) -> dict[str, object]:
    subscriptions = [subscription.id for subscription in group]
    return {"subscriptions": subscriptions, "query": text, **({"options": _ABOVE} if query.above else {})}


class _Rows:
    """The rows of an answer for each operation, packed: a large tenant has a hundred thousand role assignments."""

    def __init__(self, queries: Sequence[Query]) -> None:
        self.noted: frozenset[str] = frozenset()
        self._queries = queries
        self._columns = {"id", "type"}.union(*(query.columns for query in queries))
        self._packed: dict[str, list[bytes]] = {query.operation: [] for query in queries}
        self._loose: dict[str, list[bytes]] = {query.operation: [] for query in queries}
        self._total = Counter[str]()

    def name(self, row: Mapping[str, Raw]) -> str:
        """The id in lower case. Raises ValueError for a row that none of the queries returns."""
        if row.keys() != self._columns or not any(self._takers(row)):
            raise ValueError("no row of any of the queries")
        return msgspec.json.decode(row["id"], type=str).lower()

    def add(self, row: Mapping[str, Raw]) -> None:
        """Adds a row to the operations that it is for."""
        for query in self._takers(row):
            loose = self._loose[query.operation]
            loose.append(msgspec.json.encode({name: row[name] for name in query.columns}))
            self._total[query.operation] += 1
            if len(loose) == RESOURCE_GRAPH_PAGE:
                self._pack(query.operation)

    def page(self, operation: str, step: Step) -> Page:
        """A page of an operation's rows; the first for a step that does not come from here."""
        if self._loose[operation]:
            self._pack(operation)
        packed = self._packed[operation]
        number = int(step.url) if step.url.isdigit() else 0
        items = msgspec.json.decode(zlib.decompress(packed[number]), type=list[Raw]) if packed else []
        following = Step(str(number + 1)) if number + 1 < len(packed) else None
        return Page(items, next=following, total=self._total[operation], noted=self.noted)

    def _pack(self, operation: str) -> None:
        rows = self._loose[operation]
        self._packed[operation].append(zlib.compress(b"[" + b",".join(rows) + b"]", 1))
        rows.clear()

    def _takers(self, row: Mapping[str, Raw]) -> Iterator[Query]:
        type_ = msgspec.json.decode(row["type"], type=str).lower()
        if type_ == _type_of(msgspec.json.decode(row["id"], type=str)):
            yield from (query for query in self._queries if query.takes(type_, row))


def _type_of(id_: str) -> str:
    """The type of the resource with that id, in lower case."""
    namespace, *parts = id_.lower().rpartition("/providers/")[2].split("/")
    return "/".join((namespace, *parts[::2]))


def ids_of(group: Group) -> frozenset[str]:
    """The ids of these subscriptions."""
    return frozenset(subscription.id for subscription in group)
