"""Strict decoding of answers: a list must be in its declared member, and a link is checked before it is followed.

`envelope` judges the other members of such an answer.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from keyaudit.cloud.addresses import MAX_LINK, follow
from keyaudit.cloud.answers.envelope import HARMLESS, has_error, objection, unknown_members
from keyaudit.cloud.clients import Answer
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import Paging
from keyaudit.model.reasons import Reason

T = TypeVar("T")

RESOURCE_GRAPH_PAGE = 1_000


class Step(Struct, frozen=True):
    """The request for one page: its address, and for Resource Graph the posted body."""

    url: str
    body: bytes | None = None


class Page(Struct, frozen=True):
    """One page of a list, its items unread."""

    items: list[msgspec.Raw]
    next: Step | None = None
    total: int | None = None
    """The total number of items, if Azure returns it."""
    refusal: Refusal | None = None
    """Why the list cannot be continued, although this page is valid."""
    noted: frozenset[str] = frozenset()
    """Members around the items that nobody knows, and that have no effect."""


class _Links(msgspec.Struct, rename="camel"):
    value: list[msgspec.Raw]
    next_link: str | None = None
    error: msgspec.Raw = msgspec.Raw()
    # ARM's list of subscriptions has it: https://learn.microsoft.com/rest/api/resources/subscriptions/list
    count: msgspec.Raw = msgspec.Raw()


class _VaultLinks(_Links, rename="camel"):
    next_link: str | None


class _Graph(msgspec.Struct):
    value: list[msgspec.Raw]
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")
    count: int | None = msgspec.field(default=None, name="@odata.count")
    error: msgspec.Raw = msgspec.Raw()


class _ResourceGraph(msgspec.Struct, rename="camel"):
    data: list[msgspec.Raw]
    count: int
    total_records: int
    result_truncated: str | bool
    skip_token: str | None = msgspec.field(default=None, name="$skipToken")
    error: msgspec.Raw = msgspec.Raw()
    facets: msgspec.Raw = msgspec.Raw()


_LINKS = msgspec.json.Decoder(_Links)
_GRAPH = msgspec.json.Decoder(_Graph)
_RESOURCE_GRAPH = msgspec.json.Decoder(_ResourceGraph)
_VAULT_LINKS = msgspec.json.Decoder(_VaultLinks)
_KNOWN = {
    paging: frozenset(page.__struct_encode_fields__)
    for paging, page in {
        Paging.NONE: _Links,
        Paging.NEXT_LINK: _Links,
        Paging.NULL_LINK: _VaultLinks,
        Paging.ODATA: _Graph,
        Paging.RESOURCE_GRAPH: _ResourceGraph,
    }.items()
}
"""The members of a page that are read."""
ENVELOPE = HARMLESS.union(*_KNOWN.values())
"""Every known member around the items of a list."""


def object_of(answer: Answer, item: type[T]) -> T | Refusal:
    """The object in an answer (status 201 if created). An error, an empty object or another form is a refusal."""
    if refusal := foreign(answer):
        return refusal
    try:
        if has_error(answer.body):
            return Refusal(Reason.BAD_BODY, "an error under status 200", answer.status)
        if answer.body.strip()[1:-1].strip() == b"":
            return Refusal(Reason.BAD_BODY, "an empty object", answer.status)
        return msgspec.json.decode(answer.body, type=item)
    except msgspec.ValidationError:
        return Refusal(Reason.BAD_ITEM, "a member is missing or has the wrong type", answer.status)
    except (msgspec.MsgspecError, RecursionError):
        return Refusal(Reason.BAD_BODY, "not JSON", answer.status)


def page_of(answer: Answer, paging: Paging, first: Step) -> Page | Refusal:
    """The page in an answer of status 200. An answer without a list is a refusal, never an empty page, and so is one with a
    member that does not let the list be complete.
    """
    if refusal := foreign(answer):
        return refusal
    try:
        page = _page(answer, paging, first)
        if isinstance(page, Refusal) or page.refusal:
            return page
        unknown = unknown_members(answer.body, _KNOWN[paging])
        against = objection(unknown)
        return Refusal(Reason.BAD_BODY, against, answer.status) if against else replace(page, noted=frozenset(unknown))
    except msgspec.ValidationError:
        return Refusal(Reason.BAD_BODY, "the response has no list, or an invalid link", answer.status)
    except (msgspec.MsgspecError, RecursionError):
        return Refusal(Reason.BAD_BODY, "not JSON", answer.status)


def _page(answer: Answer, paging: Paging, first: Step) -> Page | Refusal:
    match paging:
        case Paging.RESOURCE_GRAPH:
            return _resource_graph(_RESOURCE_GRAPH.decode(answer.body), answer.headers, first)
        case Paging.ODATA:
            graph = _GRAPH.decode(answer.body)
            return _linked(graph.value, graph.next, graph.error, graph.count, first)
        case _:
            links = (_VAULT_LINKS if paging is Paging.NULL_LINK else _LINKS).decode(answer.body)
            return _linked(links.value, links.next_link, links.error, None, first)


def query(body: Mapping[str, object], skip_token: str | None = None) -> bytes:
    """The body of a Resource Graph request, with the caller's own options.

    Raises ValueError for a query without an order, whose pages would overlap.
    """
    text = body.get("query")
    if not isinstance(text, str) or "order by id" not in text:
        raise ValueError("a Resource Graph query is paged only with `order by id`")
    given = body.get("options")
    options: dict[str, object] = dict(given) if isinstance(given, Mapping) else {}
    options |= {"$top": RESOURCE_GRAPH_PAGE, "resultFormat": "objectArray"}
    if skip_token is not None:
        options["$skipToken"] = skip_token
    return msgspec.json.encode({**body, "options": options})


def is_set(error: msgspec.Raw) -> bool:
    """Whether an answer's `error` member is set."""
    return bytes(error) not in (b"", b"null")


def foreign(answer: Answer) -> Refusal | None:
    """The refusal for an answer that is not from Azure, or None."""
    if answer.status not in (200, 201):
        return Refusal(Reason.BAD_BODY, f"status {answer.status} where 200 is documented", answer.status)
    if "text/html" in answer.headers.get("content-type", "").lower():
        return Refusal(Reason.INTERCEPTED, "a web page instead of Azure's response", answer.status)
    return None


def _linked(items: list[msgspec.Raw], link: str | None, error: msgspec.Raw, total: int | None, first: Step) -> Page | Refusal:
    if is_set(error):
        return Refusal(Reason.BAD_BODY, "an error under status 200", 200)
    if not link:
        return Page(items, total=total)
    try:
        return Page(items, next=Step(follow(link, first.url)), total=total)
    except ValueError as problem:
        return Page(items, total=total, refusal=Refusal(Reason.FOREIGN_LINK, str(problem), 200))


def _resource_graph(answer: _ResourceGraph, headers: Mapping[str, str], first: Step) -> Page | Refusal:
    if is_set(answer.error):
        return Refusal(Reason.BAD_BODY, "an error under status 200", 200)
    token = answer.skip_token
    following, refusal = None, None
    if headers.get("x-ms-tenant-subscription-limit-hit", "").strip().lower() == "true":
        refusal = Refusal(Reason.SUBSCRIPTION_LIMIT, "x-ms-tenant-subscription-limit-hit", 200)
    elif answer.count != len(answer.data):
        refusal = Refusal(Reason.INCONSISTENT_PAGES, f"{len(answer.data):,} rows where {answer.count:,} were announced", 200)
    elif token and len(token) > MAX_LINK:
        refusal = Refusal(Reason.BAD_BODY, "too long a $skipToken", 200)
    elif token:
        following = Step(first.url, query(msgspec.json.decode(first.body or b"{}"), token))
    elif str(answer.result_truncated).lower() != "false":
        refusal = Refusal(Reason.TRUNCATED, f"{answer.total_records:,} rows exist, and no $skipToken leads to the rest", 200)
    return Page(answer.data, next=following, total=answer.total_records, refusal=refusal)
