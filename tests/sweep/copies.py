"""Faults in one copy of what is read twice: a member that another copy says otherwise, or an item that a list leaves out."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from keyaudit.model.values.times import DAY
from tests.sweep import members
from tests.sweep.estate import AS_OF
from tests.sweep.tenant import Call

_KINDS = ("key", "hsm.key", "certificate", "secret")
_PLACES = ("vault", "hsm")
READ_TWICE = frozenset(
    (
        *(f"{kind}.{read}" for kind in _KINDS for read in ("list", "versions", "get") if (kind, read) != ("secret", "get")),
        *(f"{place}.{read}" for place in _PLACES for read in ("list", "query")),
    )
)
"""Operations whose answers have a second copy: of a version lists, lists of versions, and a GET of each; of a vault ARM's list
and Resource Graph.
"""

LOOK_UPS = frozenset({"principal.lookup"})
"""Operations that are asked for certain ids, and leave out what they do not find."""

LISTED_TWICE = frozenset(
    {
        *(f"{kind}.{part}" for kind in ("application", "service_principal") for part in ("list", "owners")),
        *("service_principal.app_roles", "agent.list", "agent.sponsors"),
        # A key, a secret and a certificate of one name are one certificate.
        *("certificate.list", "key.list", "secret.list", "key.versions", "certificate.versions"),
    }
)
"""Lists whose items other lists name too, all of them or some."""

LEFT_OUT = "left out"
"""The kind of a list or look-up without one of its items."""

_OTHERS: Mapping[str, Callable[[Any], Any]] = {
    "attributes.enabled": lambda value: not value,
    "attributes.exp": lambda _: AS_OF + 90 * DAY,
    "attributes.nbf": lambda _: AS_OF - 90 * DAY,
    "attributes.created": lambda _: AS_OF - 90 * DAY,
    "attributes.exportable": lambda value: not value,
    "attributes.hsmPlatform": lambda value: "0" if value == "2" else "2",
    "managed": lambda value: not value,
    "tags": lambda _: {"env": "elsewhere"},
    "x5t": lambda _: "AAECAwQFBgcICQoLDA0ODxAREhM",
    "properties.enablePurgeProtection": lambda value: not value,
    "properties.enableSoftDelete": lambda value: not value,
    "properties.enableRbacAuthorization": lambda value: not value,
    "properties.publicNetworkAccess": lambda value: "Disabled" if value == "Enabled" else "Enabled",
}
"""By member, another value that is as good; it is told the value, or None where the member is left out."""

_OF = {"x5t": ("certificate",), "managed": ("key", "hsm.key", "secret"), "attributes.exportable": ("key", "hsm.key")}
_OF["attributes.hsmPlatform"] = ("key",)
_OF |= {
    "properties.enablePurgeProtection": _PLACES,
    "properties.enableSoftDelete": _PLACES,
    "properties.enableRbacAuthorization": ("vault",),
    "properties.publicNetworkAccess": _PLACES,
}
"""The kinds of objects that have a member, if not all do."""


class Lie(Struct, frozen=True):
    """One object in one answer, and what is said of it."""

    call: Call
    anywhere: bool
    """Whether it is said at every address: a version has one of its own, and that of the current version."""
    path: members.Path
    about: tuple[str, ...]
    name: str
    edit: Callable[[Any, Call], Any]


def lies(operation: str, calls: Mapping[Call, Any]) -> Iterator[Lie]:
    """Every object left out, and with another value of each member. `calls`: the decoded answers of the operation."""
    if operation in LOOK_UPS | LISTED_TWICE:
        yield from _left_out(operation, calls)
    if operation in READ_TWICE:
        yield from _said_otherwise(operation, calls)


def _left_out(operation: str, calls: Mapping[Call, Any]) -> Iterator[Lie]:
    for call, body in calls.items():
        for number, item in enumerate(members.items(body)):
            if operation == "secret.list" and not item.get("managed"):
                # Of a secret that is no certificate there is no other list.
                continue
            path = members.place(body, number)
            yield Lie(call, False, path, members.identities(body, (*path, "")), LEFT_OUT, without(path))


def _said_otherwise(operation: str, calls: Mapping[Call, Any]) -> Iterator[Lie]:
    for call, body in calls.items():
        for number, item in enumerate(members.items(body)):
            if operation == "secret.versions" and not _newest(item, members.items(body)):
                # Of an older version of a secret there is no other copy.
                continue
            path = members.place(body, number)
            about = members.identities(body, (*path, *(("key", "") if "key" in item else ("",))))
            for member, other in _OTHERS.items():
                if operation.rpartition(".")[0] in _OF.get(member, _KINDS):
                    edit = _saying(path, member, other, _id(item))
                    yield Lie(call, operation.endswith(".get"), path, about, f"says otherwise {member}", edit)


def _newest(item: Any, items: list[Any]) -> bool:
    return bool(item["attributes"]["created"] == max(each["attributes"]["created"] for each in items))


def _id(item: Any) -> Any:
    return item.get("kid") or item.get("id") or item["key"]["kid"]


def _saying(path: members.Path, member: str, other: Callable[[Any], Any], id_: Any) -> Callable[[Any, Call], Any]:
    *parents, last = member.split(".")

    def edit(body: Any, call: Call) -> Any:
        if not path and _id(body) != id_:
            return body
        copy = json.loads(json.dumps(body))
        holder = members.at(copy, (*path, *parents))
        holder[last] = other(holder.get(last))
        return copy

    return edit


def without(path: members.Path) -> Callable[[Any, Call], Any]:
    """The list without that item."""
    name, at = path
    return lambda body, call: {**body, name: [item for number, item in enumerate(body[name]) if number != at]}
