"""The resources that a query of Resource Graph returns, for groups of subscriptions."""

import re
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from msgspec import Struct

from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import both
from keyaudit.collect.queries import Group, Query, ids_of
from keyaudit.collect.reading import Reading


class Identified(Struct):
    """A resource of a query."""

    id: str


R = TypeVar("R", bound=Identified)


async def queried(
    reading: Reading, calls: Calls, query: Query, kind: type[R], matched: Callable[[R], re.Match[str]]
) -> AsyncIterator[tuple[R, re.Match[str]]]:
    """Each resource within the confines of the run, with the match of its id; `calls` is told how every list ended.

    `matched` gives the match, whose first group is the subscription, and raises ValueError for what the query cannot return.
    """

    def by(group: Group) -> Callable[[R], str]:
        asked = ids_of(group)

        def name(item: R) -> str:
            if matched(item)[1].lower() not in asked:
                raise ValueError("of another subscription")
            return item.id.lower()

        return name

    gateway, subscriptions = reading.connection.gateway, reading.found.subscriptions
    for _, listing in reading.graph.queries(gateway, calls, query, kind, subscriptions, by=by):
        async for item in both(listing):
            if reading.confines.resource(item.id):
                yield item, matched(item)
