"""What the paths of Microsoft Graph name, and how it is rendered."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from keyaudit.simulator import odata
from keyaudit.simulator.wire import Request

T = TypeVar("T")

Render = Callable[[Request, odata.Options], dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a path names: its operation, what it is refused by, the members that can be selected, and its body."""

    operation: str
    relations: tuple[str, ...]
    type: str
    members: Iterable[str]
    render: Render | None
    """None: there is no such object."""
    listed: bool = False
    """A collection of holders, which weighs more than other reads."""
    limit: str = "graph"
    """The documented limit that requests for it count against."""


def collection(version: str, name: str, found: Sequence[T], body: Callable[[T], dict[str, object]]) -> Render:
    """A renderer of pages of a collection."""
    return lambda asked, options: odata.page(asked, options, (version, name), found, body)


def listed(operation: str, version: str, name: str, found: Sequence[T], body: Callable[[T], dict[str, object]]) -> Resource:
    """A whole collection of which nothing can be selected."""
    return Resource(
        operation=operation,
        relations=(name,),
        type=f"microsoft.graph.{name}",
        members=(),
        render=collection(version, name, found, body),
    )
