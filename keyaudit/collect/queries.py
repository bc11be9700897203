"""Queries of Resource Graph over all subscriptions, a group of them at a time, because its quota counts queries."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from keyaudit.cloud.gateway import Gateway
from keyaudit.cloud.listing import Listing
from keyaudit.collect.calls import Calls
from keyaudit.collect.places import Subscription

PER_QUERY = 299
"""The subscriptions of one query.

https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
"""

T = TypeVar("T")
Group = Sequence[Subscription]


def queries(
    gateway: Gateway,
    calls: Calls,
    query: str,
    kind: type[T],
    subscriptions: Group,
    *,
    by: Callable[[Group], Callable[[T], str]],
) -> Iterator[tuple[Group, Listing[T]]]:
    """Each group of subscriptions with its list, which the caller reads to its end before the next; `calls` is told of the end.

    `by`: for a group, what names an item, and raises ValueError for one that the query cannot return.
    """
    for start in range(0, len(subscriptions), PER_QUERY):
        group = subscriptions[start : start + PER_QUERY]
        body = {"subscriptions": [subscription.id for subscription in group], "query": query}
        listing = gateway.pages(calls.id, kind, by=by(group), body=body)
        yield group, listing
        calls.ended(listing.end)


def ids_of(group: Group) -> frozenset[str]:
    """The ids of these subscriptions."""
    return frozenset(subscription.id for subscription in group)
