"""Pages in which one item, or each, comes twice."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.sweep import members
from tests.sweep.envelopes import COUNTS
from tests.sweep.tenant import Call

PAIRS: Mapping[str, Callable[[Any], list[Any]]] = {
    "twice": lambda item: [item, item],
    "twice, first differs": lambda item: [members.altered(item), item],
    "twice, second differs": lambda item: [item, members.altered(item)],
}


def twice(path: members.Path, pairs: Callable[[Any], list[Any]]) -> Callable[[Any, Call], Any]:
    """The page with two items in the place of one."""
    name, at = path

    def edit(body: Any, call: Call) -> Any:
        found = [pairs(item) if number == at else [item] for number, item in enumerate(body[name])]
        return _counted(body, name, [item for pair in found for item in pair])

    return edit


def all_twice(pairs: Callable[[Any], list[Any]]) -> Callable[[Any, Call], Any]:
    """The page with two items in the place of each."""

    def edit(body: Any, call: Call) -> Any:
        if not members.is_list(body):
            return body
        return _counted(body, members.place(body, 0)[0], [item for each in members.items(body) for item in pairs(each)])

    return edit


def _counted(body: Any, name: str | int, found: list[Any]) -> Any:
    """The page with these items, and the counts that fit."""
    more = len(found) - len(body[name])
    counts = {count: body[count] + more for count in COUNTS if isinstance(body.get(count), int)}
    return {**body, **counts, name: found}
