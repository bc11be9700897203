"""What stands around the items of a list: an error or a link in another spelling, and members that nobody knows.

A list is complete only if nothing around its items says otherwise: a member that looks like an error, like a link to more, or
like another service's answer lets it be refused. Any other unknown member is named, and has no effect.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from keyaudit.model.values.text import one_line

_DEPTH = 4
"""How many objects within each other are looked into."""
_NOT_A_LETTER = re.compile(r"[^a-z]")

# Parts of names in lower case, without other signs.
_LINKS = ("link", "next", "skiptoken", "continu", "cursor", "more", "truncat", "partial", "incomplete")
_ERRORS = ("error", "fault", "exception", "fail", "denied")
# Whole names: of the list in other APIs, and of the parts of an error without its wrapper.
_ITEMS = frozenset({"value", "values", "data", "items", "results"})
_ERROR_PARTS = frozenset({"code", "message"})

# OData's annotations of a list, and Graph's hints for those who write requests.
# https://docs.oasis-open.org/odata/odata-json-format/v4.01 and https://learn.microsoft.com/graph/delta-query-overview
HARMLESS = frozenset(
    {"@odata.context", "@odata.count", "@odata.deltaLink", "@odata.etag", "@odata.id", "@odata.type", "@microsoft.graph.tips"}
)

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder()


def unknown_members(body: bytes, known: frozenset[str]) -> Mapping[str, msgspec.Raw]:
    """The members of an object that are neither `known` nor harmless."""
    return {name: raw for name, raw in _MEMBERS.decode(body).items() if name not in known and name not in HARMLESS}


def has_error(body: bytes) -> bool:
    """Whether an object has an error in one of the services' spellings: `error`, `Error`, `errors`, `odata.error`."""
    return any(_is_error(name) and _is_set(raw) for name, raw in _MEMBERS.decode(body).items())


def objection(unknown: Mapping[str, msgspec.Raw]) -> str:
    """Why a list with these members cannot be taken for complete; empty if nothing says so."""
    return next(_objections(unknown, 1), "")


def _objections(members: Mapping[str, msgspec.Raw], depth: int) -> Iterator[str]:
    for name, raw in members.items():
        if not _is_set(raw):
            continue
        shown, plain = one_line(name, 40), _NOT_A_LETTER.sub("", name.lower())
        if plain in _ERROR_PARTS or any(part in plain for part in _ERRORS):
            yield f"an error under status 200, in {shown}"
        elif any(part in plain for part in _LINKS):
            yield f"a link or a remark in {shown} that says the list goes on"
        first = bytes(raw).lstrip()[:1]
        if first == b"[" and plain in _ITEMS:
            yield f"more items in {shown}"
        elif first == b'"' and _ANY.decode(raw).lstrip().lower().startswith(("http:", "https:", "<")):
            yield f"an address or a web page in {shown}"
        elif first == b"{":
            yield from _objections(_MEMBERS.decode(raw), depth + 1) if depth < _DEPTH else ("objects within objects",)


def _is_error(name: str) -> bool:
    return name.lower() in ("error", "errors", "odata.error")


def _is_set(raw: msgspec.Raw) -> bool:
    return bytes(raw).strip() not in (b"null", b"false", b'""', b"[]")
