"""The OData query options that Graph understands here, and one page of a collection."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from keyaudit.simulator.tokens import decoded, encoded
from keyaudit.simulator.wire import Request

T = TypeVar("T")

GRAPH = "https://graph.microsoft.com"
_DEFAULT = 100
_MOST = 999
_EXPANDED = 20
"""The maximum of related objects with $expand, which has no link to the rest."""

_EXPAND = re.compile(r"(?P<relation>\w+)(?:\(\$select=(?P<select>[\w,]+)\))?")
_EQUAL = re.compile(r"(?P<name>\w+)\s+eq\s+'(?P<value>[^']*)'")
_STARTS = re.compile(r"startswith\((?P<name>\w+),\s*'(?P<value>[^']*)'\)")
_NAMED = re.compile(r"(?P<name>servicePrincipalNames)/any\(\w:\w\s+eq\s+'(?P<value>[^']*)'\)")
_FEDERATED = re.compile(r"federatedIdentityCredentials/\$count\s+ne\s+0")


class BadQueryError(Exception):
    """Options that Graph refuses with a 400; `code` is Graph's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Options(Struct, frozen=True):
    """A request's valid query options."""

    select: tuple[str, ...] = ()
    top: int = _DEFAULT
    start: int = 0
    expand: str = ""
    """The relation to expand."""
    expand_select: tuple[str, ...] = ()
    filter: str = ""
    count: bool = False

    @property
    def federated(self) -> bool:
        """Whether it asks for objects that have federated credentials."""
        return _FEDERATED.fullmatch(self.filter) is not None

    @property
    def with_key(self) -> bool:
        """Whether keyCredentials were selected; only then their public part is returned."""
        return "keyCredentials" in self.select


def read(request: Request, kind: str, members: Iterable[str]) -> Options:
    """The options of a request on objects of a kind with these members; raises BadQueryError."""
    query = {name if name.startswith("$") else f"${name}": value for name, value in request.query.items()}
    known = {member.lower(): member for member in members}
    expand = query.get("$expand", "")
    expanded = _EXPAND.fullmatch(expand)
    if expand and (expanded is None or expanded["relation"] not in known.values()):
        raise BadQueryError("BadRequest", f"Parsing OData Select and Expand failed: '{expand}' on type '{kind}'.")
    options = Options(
        select=_select(query.get("$select", ""), kind, known),
        top=_top(query.get("$top")),
        start=_start(query.get("$skiptoken")),
        expand=expanded["relation"] if expanded else "",
        expand_select=tuple((expanded["select"] or "").split(",")) if expanded and expanded["select"] else (),
        filter=query.get("$filter", "").strip(),
        count=query.get("$count", "").lower() == "true",
    )
    eventual = request.headers.get("consistencylevel", "").lower() == "eventual"
    if options.federated and not (eventual and options.count):
        raise BadQueryError(
            "Request_UnsupportedQuery",
            "Unsupported or invalid query filter clause specified for property '$count' of resource 'Application'.",
        )
    if options.count and not eventual:
        raise BadQueryError("Request_BadRequest", "$count is not currently supported.")
    return options


def matching(options: Options, objects: Sequence[T], read_member: Callable[[T, str], object]) -> Sequence[T]:
    """The objects that match the filter; raises BadQueryError for an unknown form of filter."""
    if not options.filter or options.federated:
        return [one for one in objects if read_member(one, "federated")] if options.federated else objects
    for form in (_EQUAL, _NAMED, _STARTS):
        parsed = form.fullmatch(options.filter)
        if parsed is not None:
            break
    else:
        raise BadQueryError("Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: {options.filter}")
    wanted = parsed["value"].lower()
    found = []
    for one in objects:
        value = str(read_member(one, parsed["name"]) or "").lower()
        if value.startswith(wanted) if form is _STARTS else value == wanted:
            found.append(one)
    return found


def entity(options: Options, place: tuple[str, str], body: dict[str, object]) -> dict[str, object]:
    """A single object, as a GET by id gives it."""
    return {"@odata.context": f"{_context(options, place)}/$entity", **shown(options, body)}


def page(
    request: Request,
    options: Options,
    place: tuple[str, str],
    objects: Sequence[T],
    body: Callable[[T], dict[str, object]],
) -> dict[str, object]:
    """One page of a collection; `place` is Graph's version and the collection's name."""
    end = options.start + options.top
    found: dict[str, object] = {"@odata.context": _context(options, place)}
    if options.count:
        found["@odata.count"] = len(objects)
    if end < len(objects):
        token = encoded(f"RFNwdAoAAQ|{end}".encode())
        pieces = [*request.query_without("$skiptoken"), f"$skiptoken={token}"]
        found["@odata.nextLink"] = f"{GRAPH}/{'/'.join(request.segments)}?{'&'.join(pieces)}"
    found["value"] = [shown(options, body(one)) for one in objects[options.start : end]]
    return found


def shown(options: Options, body: dict[str, object]) -> dict[str, object]:
    """The members asked for, in Graph's order, not in that of $select."""
    if not options.select:
        return body
    kept = {*options.select, "@odata.type"} | ({options.expand} if options.expand else set())
    return {name: value for name, value in body.items() if name in kept}


def related(options: Options, objects: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Expanded related objects: at most 20, and nothing says that there are more."""
    kept = {*options.expand_select, "@odata.type"}
    some = objects[:_EXPANDED]
    return [{k: v for k, v in one.items() if k in kept} if options.expand_select else one for one in some]


def _context(options: Options, place: tuple[str, str]) -> str:
    version, name = place
    inner = [*options.select]
    if options.expand:
        inner.append(f"{options.expand}({','.join(options.expand_select)})")
    return f"{GRAPH}/{version}/$metadata#{name}" + (f"({','.join(inner)})" if inner else "")


def _select(text: str, kind: str, known: dict[str, str]) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name.lower() not in known:
            message = f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{kind}'."
            raise BadQueryError("BadRequest", message)
    return tuple(known[name.lower()] for name in names)


def _top(text: str | None) -> int:
    if text is None:
        return _DEFAULT
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        message = f"Invalid page size specified: '{text}'. Must be between 1 and {_MOST} inclusive."
        raise BadQueryError("Request_UnsupportedQuery", message)
    return int(text)


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(decoded(token).partition("|")[2])
    except ValueError as error:
        raise BadQueryError("Directory_ExpiredPageToken", "The specified page token value has expired.") from error
