"""The resources of Microsoft Graph's paths, and how they are rendered."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from keyaudit.simulator.microsoft_graph import odata
from keyaudit.simulator.wire import Request

T = TypeVar("T")

Render = Callable[[Request, odata.Options], dict[str, object]]


class Resource(Struct, frozen=True, kw_only=True):
    """The resource of a path: its operation, the estate's switch that refuses it, the selectable members, and its body."""

    operation: str
    relations: tuple[str, ...]
    type: str
    members: Iterable[str]
    render: Render | None
    """None: there is no such object."""
    listed: bool = False
    """Whether it is a collection of holders, which costs more than other reads."""
    limit: str = "graph"
    """The documented limit for requests to it."""


def collection(version: str, name: str, found: Sequence[T], body: Callable[[T], dict[str, object]]) -> Render:
    """A renderer of pages of a collection."""
    return lambda asked, options: odata.page(asked, options, (version, name), found, body)


def listed(operation: str, version: str, name: str, found: Sequence[T], body: Callable[[T], dict[str, object]]) -> Resource:
    """A whole collection without $select."""
    return Resource(
        operation=operation,
        relations=(name,),
        type=f"microsoft.graph.{name}",
        members=(),
        render=collection(version, name, found, body),
    )
