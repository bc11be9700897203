"""Reading a list or an object through the gateway, as the tests of cloud/ do it."""

from collections.abc import Callable

import msgspec

from keyaudit.cloud.gateway import Gateway
from keyaudit.model.coverage import End
from tests.cloud.azure import Reply, Request


class Item(msgspec.Struct):
    id: str
    name: str = ""


class Key(msgspec.Struct):
    kid: str


class Bundle(msgspec.Struct):
    key: Key


def name_of(item: Item) -> str:
    if item.id.startswith("foreign"):
        raise ValueError("not an id of this place")
    return item.id.lower()


async def all_of(gateway: Gateway, operation: str = "subscription.list", **options: object) -> tuple[list[str], End]:
    listing = gateway.pages(operation, Item, by=name_of, **options)  # type: ignore[arg-type]
    items = [item.id async for item in listing]
    return items, listing.end


def first_then(*replies: Reply) -> Callable[[Request], Reply]:
    """Answers in turn; the last for ever."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def link_to(request: Request, token: str) -> str:
    return f"https://{request.host}{request.path}?api-version=x&$skiptoken={token}"


def key_of(request: Request) -> Reply:
    """A version of the key that is asked for."""
    return Reply({"key": {"kid": f"https://{request.host}{request.path}".rstrip("/") + "/1" * request.path.endswith("/")}})
