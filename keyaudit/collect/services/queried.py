"""The resources that a query of Resource Graph returns, for groups of subscriptions."""

import re
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from msgspec import Struct

from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import both
from keyaudit.collect.reading import Reading

PER_QUERY = 299
"""The subscriptions of one query."""


class Identified(Struct):
    """A resource of a query."""

    id: str


R = TypeVar("R", bound=Identified)


async def queried(
    reading: Reading, calls: Calls, query: str, kind: type[R], matched: Callable[[R], re.Match[str]]
) -> AsyncIterator[tuple[R, re.Match[str]]]:
    """Each resource within the confines of the run, with the match of its id; `calls` is told how every list ended.

    `matched` gives the match, whose first group is the subscription, and raises ValueError for what the query cannot return.
    """
    asked = [subscription.id for subscription in reading.found.subscriptions]
    for start in range(0, len(asked), PER_QUERY):
        group = asked[start : start + PER_QUERY]

        def by(item: R, group: frozenset[str] = frozenset(group)) -> str:
            if matched(item)[1].lower() not in group:
                raise ValueError("of another subscription")
            return item.id.lower()

        body = {"subscriptions": group, "query": query}
        listing = reading.connection.gateway.pages(calls.id, kind, by=by, body=body)
        async for item in both(listing):
            if reading.confines.resource(item.id):
                yield item, matched(item)
        calls.ended(listing.end)
