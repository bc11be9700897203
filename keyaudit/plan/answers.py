"""The answers that Azure would give after a plan was applied: lists and objects, by the request that reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from keyaudit.model.coverage import SHOWN_BAD, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.values.text import one_line

Key = tuple[str, str, tuple[tuple[str, str], ...]]


class Origin(Struct, frozen=True):
    """The resource of the plan that a row comes from."""

    address: str
    changes: bool
    """Whether the plan changes it."""
    unknown: tuple[str, ...] = ()
    """Its attributes that are known after apply, and that were asked for."""
    gone: bool = False
    """Whether the plan deletes it."""


class Aside(Struct, frozen=True):
    """Something that a resource of the plan does and that is unknown by itself: no list of the answers lacks it."""

    address: str
    changes: bool
    what: str
    """Completes "ADDRESS ...", for people."""
    tables: frozenset[str] = frozenset()
    """The tables that would have a row of it; empty: any."""
    certain: bool = True
    """Whether it is about Azure or Entra; else it may be."""


class Held(Struct):
    """A list of one request."""

    items: list[Raw] = field(default_factory=list)
    whole: bool = False
    """Whether it has everything that will exist, and not only what the plan has."""
    gone: str = ""
    """The address of a resource of it that the plan deletes, so that perhaps nothing is left."""


class Answers:
    """The answers, and which resource of the plan each object comes from."""

    def __init__(self) -> None:
        self._lists: dict[Key, Held] = {}
        self._objects: dict[Key, bytes] = {}
        self.origins: dict[str, Origin] = {}
        """By id of an object in lower case; rows of what is within have ids that begin with it and a slash."""
        self.decided: dict[str, Mapping[str, object]] = {}
        """By id of a row in lower case, columns that its answer cannot show: the stored value, or a Refusal."""
        self.outside: set[str] = set()
        """Ids in lower case of vaults that the plan only refers to, and has no row of."""
        self.groups: set[str] = set()
        """Ids of groups of the tenant that get members."""
        self.unread: dict[str, list[Origin]] = {}
        """By operation, the resources whose objects its lists lack because nothing reads resources of their kind."""
        self.asides: list[Aside] = []

    def list(self, operation: str, host: str = "", *, whole: bool = False, **segments: str) -> Held:
        """The list of a request, empty at first. `whole`: it has everything that will exist."""
        held = self._lists.setdefault(_key(operation, host, segments), Held())
        held.whole |= whole
        return held

    def add(self, operation: str, item: Mapping[str, Any], host: str = "", **segments: str) -> None:
        """Add an item to the list of a request."""
        self._lists.setdefault(_key(operation, host, segments), Held()).items.append(encoded(item))

    def put(self, operation: str, item: Mapping[str, Any], host: str = "", **segments: str) -> None:
        """Set the object that a request returns."""
        self._objects[_key(operation, host, segments)] = bytes(encoded(item))

    def listed(self, operation: str, host: str, segments: Mapping[str, str]) -> Held | None:
        """The list of a request; None if the plan has no such list."""
        return self._lists.get(_key(operation, host, segments))

    def read(self, operation: str, host: str, segments: Mapping[str, str]) -> bytes | None:
        """The object of a request; None if the plan has none."""
        return self._objects.get(_key(operation, host, segments))

    def lacking(self, operation: str, *, unchanged: bool = True) -> Refusal | None:
        """Why no list of an operation is whole, with the addresses of the resources that it lacks; None if it lacks none.

        `unchanged`: whether resources count that the plan leaves as they are; else it is laid over what is there, and those
        count that it deletes.
        """
        found = self.unread.get(operation, ())
        addresses = [each.address for each in found if (not each.gone if unchanged else each.changes)]
        return Refusal(Reason.UNREAD_RESOURCE, shown_some(addresses)) if addresses else None

    def origin(self, id_: str) -> Origin | None:
        """The resource of the plan that a row with this id comes from."""
        here = id_.lower()
        while here:
            if found := self.origins.get(here):
                return found
            here = here.rpartition("/")[0]
        return None


def shown_some(addresses: Sequence[str]) -> str:
    """The first few addresses, and how many more there are."""
    more = f" and {len(addresses) - SHOWN_BAD:,} more" if len(addresses) > SHOWN_BAD else ""
    return ", ".join(one_line(each, 200) for each in addresses[:SHOWN_BAD]) + more


def encoded(item: Mapping[str, Any]) -> Raw:
    """An answer as JSON. A member whose value is UNSET is left out."""
    return Raw(msgspec.json.encode({name: value for name, value in item.items() if value is not msgspec.UNSET}))


def _key(operation: str, host: str, segments: Mapping[str, str]) -> Key:
    return operation, host.lower(), tuple(sorted((name, value.lower()) for name, value in segments.items()))
