"""The members of Azure's answers: where each is, and what could stand there instead."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

Path = tuple[str | int, ...]
"""From an answer's root to a member."""

ANY = "*"
"""A step of a path that leads to each item of a list."""

LEFT_OUT = object()
"""Stands for a member that is not there."""

NOWHERE = "nowhere"
"""The absurd path has this one segment."""

_LISTS = ("value", "data")
_IDENTITY = ("id", "kid", "appId", "keyId", "objectId", "principalId", "resourceId")
_PLAIN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|https://[^/]+/.+|/subscriptions/.+", re.IGNORECASE
)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T")
_DURATION = re.compile(r"P(?=\d|T\d)[\dYMWDTHS.]+")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

FREE = frozenset(
    {
        "displayName", "name", "description", "subject", "issuer", "tags", "env", "environment", "owner", "app",
        "contentType", "roleName", "principalDisplayName", "subscriptionName", "location", "resourceGroup", "region", "hint",
        "userPrincipalName", "mail", "notes", "loginUrl", "issuerName", "identifierUris", "replyUrls", "publisherName",
        "keyname", "keyversion", "keyName", "keyVersion", "kid",
    }
)  # fmt: skip
"""Members in which every text is one that somebody may have chosen: none of it is absurd."""

_ENDS = frozenset({"endDateTime", "exp", "notAfter", "expirationDateTime", "endDate"})
_MADE = frozenset({"created", "createdDateTime", "createdOn", "creationTime", "createdTime"})
_BEGINS = frozenset({"startDateTime", "nbf", "notBefore", "startDate"})
LATE = 7_258_118_400
"""2200-01-01."""
EARLY = 315_532_800
"""1980-01-01, before any of this was there."""


class Member(Struct, frozen=True):
    """One member of one answer. `shown` names it the same in every answer of the operation."""

    shown: str
    path: Path


def is_list(body: Any) -> bool:
    """Whether an answer is a page of a list."""
    return isinstance(body, dict) and any(isinstance(body.get(name), list) for name in _LISTS)


def items(body: Any) -> list[Any]:
    """The items of a page; an object by itself is its own one item."""
    if not is_list(body):
        return [body]
    found = next(body[name] for name in _LISTS if isinstance(body.get(name), list))
    assert isinstance(found, list)
    return found


def place(body: Any, number: int) -> Path:
    """Where in an answer that item is."""
    return (next(name for name in _LISTS if isinstance(body.get(name), list)), number) if is_list(body) else ()


def members(body: Any) -> Iterator[Member]:
    """Every member that has a value: of each item, of what is nested in it, and of the page around them."""
    if is_list(body):
        for name, value in body.items():
            if not name.startswith("@odata.context") and value is not None:
                yield Member(f"${name}", (name,))
    for number, item in enumerate(items(body)):
        yield from _within(item, place(body, number), "")


def _within(value: Any, path: Path, shown: str) -> Iterator[Member]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if inner is None or name.startswith("@odata."):
                continue
            label = f"{shown}.{name}" if shown else name
            yield Member(label, (*path, name))
            yield from _within(inner, (*path, name), label)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            if isinstance(inner, dict):
                yield from _within(inner, (*path, number), f"{shown}[]")


def at(body: Any, path: Path) -> Any:
    """What is there."""
    for step in path:
        body = body[step]
    return body


def holders(body: Any, path: Path) -> Iterator[dict[str, Any]]:
    """The objects that are there."""
    if not path:
        if isinstance(body, dict):
            yield body
    elif path[0] == ANY:
        for inner in body if isinstance(body, list) else ():
            yield from holders(inner, path[1:])
    elif isinstance(body, dict):
        yield from holders(body.get(path[0]), path[1:])
    elif isinstance(body, list) and isinstance(path[0], int):
        yield from holders(body[path[0]], path[1:])


def identities(body: Any, path: Path) -> tuple[str, ...]:
    """The name of the object with the member: the nearest enclosing one with a unique name."""
    found: tuple[str, ...] = ()
    for end in range(len(path)):
        holder = at(body, path[:end])
        names = [holder.get(name) for name in _IDENTITY] if isinstance(holder, dict) else []
        held = tuple(dict.fromkeys(name.lower() for name in names if isinstance(name, str) and _PLAIN.fullmatch(name)))
        found = held or found
    return found


def other_type(value: Any) -> Any:
    """Something of another JSON type."""
    if isinstance(value, bool | int | float):
        return {"not": "a value"}
    if isinstance(value, str):
        return 7
    return "not an object" if isinstance(value, dict) else {"not": "a list"}


def absurd(name: str, value: Any) -> Any:
    """Something of the same type that cannot be right; Ellipsis where everything can."""
    if isinstance(value, bool) or name in FREE:
        return ...
    if isinstance(value, int | float):
        if EARLY < value < LATE:
            return EARLY if name in _ENDS else LATE
        return 2**70
    if isinstance(value, str):
        return _absurd_text(name, value)
    return ...


def is_text(name: str, value: Any) -> bool:
    """Whether it is a text that nobody is free to choose."""
    return isinstance(value, str) and bool(value) and name not in FREE


_WIDE = {code: code + 0xFEE0 for code in range(ord("!"), ord("~") + 1)}
"""The full-width forms of ASCII. https://www.unicode.org/charts/PDF/UFF00.pdf"""


def full_width(value: Any) -> Any:
    """The ids in a text with other characters that look the same and are equal once normalized; Ellipsis without an id."""
    if not isinstance(value, str) or not GUID.search(value):
        return ...
    return GUID.sub(lambda found: found[0].translate({code: wide for code, wide in _WIDE.items() if code != ord("-")}), value)


def is_words(value: Any) -> bool:
    """Whether it is a list of texts, with one at least."""
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) for word in value)


def with_words(name: str, value: Any, change: Callable[[str], str], most: int | None = None) -> Any:
    """A list of words with the first `most` of them changed; Ellipsis where there are none, or they are free to choose."""
    if not is_words(value) or name in FREE:
        return ...
    return [change(word) if most is None or number < most else word for number, word in enumerate(value)]


def absurd_word(word: str) -> str:
    """A word that cannot stand in a list with this one."""
    return _absurd_text("", word)


def _absurd_text(name: str, value: str) -> str:
    if _TIME.match(value):
        if name in _ENDS:
            return "1980-01-01T00:00:00Z"
        return "2200-01-01T00:00:00Z"
    if _DURATION.fullmatch(value):
        return "P99999999999Y"
    if GUID.fullmatch(value):
        return "not-a-guid"
    if value.startswith("https://"):
        return "https://elsewhere.example/nothing"
    if value.startswith("/"):
        return f"/{NOWHERE}"
    return "Absurd"


def altered(value: Any) -> Any:
    """The same with every fact in it changed, and every name kept."""
    if isinstance(value, dict):
        return {name: _altered_member(name, inner) for name, inner in value.items()}
    return value


def _altered_member(name: str, value: Any) -> Any:
    if name in _IDENTITY or name in FREE or name.startswith("@"):
        return value
    if isinstance(value, bool):
        return not value
    if isinstance(value, int) and EARLY < value < LATE:
        return value - 86_400 * 30
    if isinstance(value, str) and _TIME.match(value):
        return f"{int(value[:4]) - 1}{value[4:]}"
    if isinstance(value, dict):
        return altered(value)
    if isinstance(value, list):
        return []
    return _other_text(value)


_OTHERS: Mapping[str, str] = {
    "Allow": "Deny", "Deny": "Allow", "Enabled": "Disabled", "Disabled": "Enabled", "RSA": "RSA-HSM", "RSA-HSM": "RSA",
    "EC": "EC-HSM", "EC-HSM": "EC", "Verify": "Sign", "Sign": "Verify",
    "Application": "ManagedIdentity", "ManagedIdentity": "Application",
}  # fmt: skip


def _other_text(value: Any) -> Any:
    return _OTHERS.get(value, value) if isinstance(value, str) else value


def decoded(body: bytes) -> Any:
    """The JSON, or None where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None
