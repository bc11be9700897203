"""What may be wrong around the items of a list: members misspelt, added and moved, beside a part of the list or none of it."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.sweep import members

COUNTS = ("count", "totalRecords", "@odata.count")
_LINKS = ("nextLink", "@odata.nextLink", "$skipToken")
_ERROR = {"code": "ServiceUnavailable", "message": "no"}


def with_items(body: Any, found: list[Any]) -> Any:
    """The last page of a list with these items, and the counts that fit."""
    name = members.place(body, 0)[0]
    counts = {count: len(found) for count in COUNTS if isinstance(body.get(count), int)}
    links = {link: None for link in _LINKS if link in body}
    return {**body, **links, **counts, name: found}


def emptied(body: Any) -> Any:
    """The list without items; what is no list stays as it is."""
    return with_items(body, []) if members.is_list(body) else body


def _half(body: Any) -> Any:
    found = members.items(body)
    return with_items(body, found[: len(found) // 2])


def _link(body: Any) -> str:
    """The member with the link to the next page."""
    return "$skipToken" if "totalRecords" in body else "@odata.nextLink" if "@odata.context" in body else "nextLink"


def _misspelt(name: str) -> str:
    return name.removeprefix("@odata.").removeprefix("$").swapcase()


def _items_misspelt(body: Any) -> Any:
    name = members.place(body, 0)[0]
    return {_misspelt(key) if key == name else key: value for key, value in body.items()}


_WRONG: Mapping[str, Callable[[Any], Any]] = {
    "items misspelt": _items_misspelt,
    "items misspelt beside none": lambda body: {**emptied(body), **_items_misspelt(body)},
    "items moved": lambda body: {**emptied(body), "properties": body},
    "link misspelt": lambda body: {**_half(body), _misspelt(_link(body)): "https://elsewhere.example/next"},
    "link moved": lambda body: {**_half(body), "properties": {_link(body): "https://elsewhere.example/next"}},
    "link of another kind added": lambda body: {**_half(body), "continuationToken": "again"},
    "error misspelt": lambda body: {**emptied(body), "Error": _ERROR},
    "errors added": lambda body: {**emptied(body), "errors": [_ERROR]},
    "error moved": lambda body: {**emptied(body), "properties": {"error": _ERROR}},
    "error without its wrapper added": lambda body: {**emptied(body), **_ERROR},
    "sign-in page added": lambda body: {**emptied(body), "page": "<html><body>Sign in</body></html>"},
}
HARMLESS = "harmless member added"
"""The one kind after which everything must be known as before."""

ENVELOPES: Mapping[str, Callable[[Any], Any]] = {
    **{f"envelope: {name}": edit for name, edit in _WRONG.items()},
    f"envelope: {HARMLESS}": lambda body: {**body, "requestId": "0"},
}
"""By kind, what to do with a list."""
