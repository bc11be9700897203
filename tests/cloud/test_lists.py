"""One page of a list, and a list over its pages, without a connection: what is complete, and why the rest is not."""

from collections.abc import Mapping

import msgspec
import pytest

from keyaudit.cloud.addresses import MAX_LINK
from keyaudit.cloud.answers import listing
from keyaudit.cloud.answers.listing import MAX_BARREN, Listing
from keyaudit.cloud.answers.pages import Page, Step, object_of, page_of, query
from keyaudit.cloud.clients import Answer
from keyaudit.model.coverage import End, Refusal
from keyaudit.model.operations import Paging
from keyaudit.model.reasons import Reason
from tests.cloud.reading import Bundle, Item, Key, name_of

VAULTS = "https://management.azure.com/subscriptions/s/providers/Microsoft.KeyVault/vaults"
FIRST = Step(f"{VAULTS}?api-version=x", b'{"query":"resources | order by id asc","options":{"$skip":0}}')
NOT_JSON, NO_LIST = "not JSON", "the response has no list, or an invalid link"
ERROR = "an error under status 200"


def _answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, body if isinstance(body, bytes) else msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", NOT_JSON),
        (b'{"value":[]', NOT_JSON),
        (b'{"value":[NaN]}', NOT_JSON),
        ('{"value":[]}'.encode("utf-16"), NOT_JSON),
        (b'{"value":' + b"[" * 200_000, NOT_JSON),
        (b"{}", NO_LIST),
        (b"[]", NO_LIST),
        (b"null", NO_LIST),
        (b'"text"', NO_LIST),
        (b'{"value":null}', NO_LIST),
        (b'{"value":{}}', NO_LIST),
        (b'{"error":{"code":"AuthorizationFailed"}}', NO_LIST),
        (b'{"value":[],"nextLink":0}', NO_LIST),
        (b'{"value":[],"nextLink":{}}', NO_LIST),
        (b'{"value":[],"error":{"code":"AuthorizationFailed"}}', ERROR),
        (b'{"value":[],"error":{}}', ERROR),
    ],
)
@pytest.mark.parametrize("paging", [Paging.NONE, Paging.NEXT_LINK, Paging.ODATA])
def test_status_200_without_a_list_is_never_an_empty_list(body: bytes, told: str, paging: Paging) -> None:
    body = body.replace(b"nextLink", b"@odata.nextLink") if paging is Paging.ODATA else body
    assert page_of(_answer(body), paging, FIRST) == Refusal(Reason.BAD_BODY, told, 200)


@pytest.mark.parametrize(
    ("answer", "reason", "told"),
    [
        (_answer({"value": []}, 202), Reason.BAD_BODY, "status 202 where 200 is documented"),
        (_answer({"value": []}, 206), Reason.BAD_BODY, "status 206 where 200 is documented"),
        (
            _answer({"value": []}, headers={"content-type": "Text/HTML; charset=utf-8"}),
            Reason.INTERCEPTED,
            "a web page instead of Azure's response",
        ),
    ],
)
def test_what_is_not_azures_answer_is_neither_a_list_nor_an_object(answer: Answer, reason: Reason, told: str) -> None:
    refusal = Refusal(reason, told, answer.status)
    assert page_of(answer, Paging.NEXT_LINK, FIRST) == refusal
    assert object_of(answer, Bundle) == refusal


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"key": {"kid": "k"}, "error": None}, Bundle(Key("k"))),
        (b" { } ", Refusal(Reason.BAD_BODY, "an empty object", 201)),
        (b'{"error":{}}', Refusal(Reason.BAD_BODY, ERROR, 201)),
        (b'{"key":{"kid":"k"}', Refusal(Reason.BAD_BODY, NOT_JSON, 201)),
        (b"[]", Refusal(Reason.BAD_ITEM, "a member is missing or has the wrong type", 201)),
        (b'{"key":{}}', Refusal(Reason.BAD_ITEM, "a member is missing or has the wrong type", 201)),
    ],
)
def test_an_object_is_whole_or_refused(body: object, found: object) -> None:
    assert object_of(_answer(body, 201), Bundle) == found


@pytest.mark.parametrize(
    ("more", "page"),
    [
        ({}, Page([])),
        ({"nextLink": None, "error": None}, Page([])),
        ({"nextLink": ""}, Page([])),
        ({"nextLink": f"{VAULTS}?$skiptoken=a,b=="}, Page([], next=Step(f"{VAULTS}?$skiptoken=a,b=="))),
        (
            {"nextLink": "https://trap.evil.example/next"},
            Page([], refusal=Refusal(Reason.FOREIGN_LINK, "another host", 200)),
        ),
    ],
)
def test_a_page_leads_to_the_next_one_of_its_list_or_is_the_last(more: Mapping[str, object], page: Page) -> None:
    assert page_of(_answer({"value": [], **more}), Paging.NEXT_LINK, FIRST) == page
    graph = {"@odata.nextLink" if name == "nextLink" else name: value for name, value in more.items()}
    counted = page_of(_answer({"value": [], "@odata.count": 7, **graph}), Paging.ODATA, FIRST)
    assert counted == Page([], next=page.next, total=7, refusal=page.refusal)


LIMITED = {"x-ms-tenant-subscription-limit-hit": " True "}


def _resource_graph(count: int, total: int, token: str | None = None, truncated: object = "false") -> dict[str, object]:
    body = {"totalRecords": total, "count": count, "resultTruncated": truncated, "data": [{"id": "1"}]}
    return {**body, "$skipToken": token}


@pytest.mark.parametrize(
    ("body", "headers", "reason", "told"),
    [
        (_resource_graph(1, 5), {}, None, ""),
        (_resource_graph(1, 5, truncated=False), {"x-ms-tenant-subscription-limit-hit": "false"}, None, ""),
        (_resource_graph(1, 5, truncated="true"), {}, Reason.TRUNCATED, "5 rows exist, and no $skipToken leads to the rest"),
        (_resource_graph(1, 5, "", truncated=True), {}, Reason.TRUNCATED, "5 rows exist, and no $skipToken leads to the rest"),
        (_resource_graph(2_000, 5, "t"), {}, Reason.INCONSISTENT_PAGES, "1 rows where 2,000 were announced"),
        (_resource_graph(1, 5, "t"), LIMITED, Reason.SUBSCRIPTION_LIMIT, "x-ms-tenant-subscription-limit-hit"),
        (_resource_graph(1, 5, "t" * (MAX_LINK + 1)), {}, Reason.BAD_BODY, "too long a $skipToken"),
    ],
)
def test_resource_graph_that_cut_something_short_is_not_complete(
    body: dict[str, object], headers: Mapping[str, str], reason: Reason | None, told: str
) -> None:
    refusal = None if reason is None else Refusal(reason, told, 200)
    page = page_of(_answer(body, headers=headers), Paging.RESOURCE_GRAPH, FIRST)
    assert page == Page([msgspec.Raw(b'{"id":"1"}')], total=5, refusal=refusal)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"totalRecords": 0, "count": 0, "data": []}, NO_LIST),
        ({"count": 0, "resultTruncated": "false", "data": []}, NO_LIST),
        ({"totalRecords": 0, "count": 0, "resultTruncated": "false", "data": None}, NO_LIST),
        ({**_resource_graph(1, 1), "error": {}}, ERROR),
    ],
)
def test_resource_graph_without_its_members_is_no_answer(body: object, told: str) -> None:
    assert page_of(_answer(body), Paging.RESOURCE_GRAPH, FIRST) == Refusal(Reason.BAD_BODY, told, 200)


def test_resource_graph_continues_with_its_token_in_the_same_request() -> None:
    token = "t" * MAX_LINK
    page = page_of(_answer(_resource_graph(1, 5, token, truncated="true")), Paging.RESOURCE_GRAPH, FIRST)
    assert isinstance(page, Page)
    assert page.next is not None
    assert page.next.url == FIRST.url
    assert msgspec.json.decode(page.next.body or b"") == {
        "query": "resources | order by id asc",
        "options": {"$skip": 0, "$top": 1000, "resultFormat": "objectArray", "$skipToken": token},
    }
    for body in ({}, {"query": 7}, {"query": "resources"}):
        with pytest.raises(ValueError, match="order by id"):
            query(body)


def _listing(*pages: Page | Refusal, never_empty: str = "", by: bool = True) -> Listing[Item]:
    left = list(pages)

    async def fetch(step: Step) -> Page | Refusal:
        return left.pop(0) if len(left) > 1 else left[0]

    return Listing(fetch, Step("0"), Item, name_of if by else None, never_empty=never_empty)


def _page(*items: object, to: str | None = None, total: int | None = None) -> Page:
    return Page([msgspec.Raw(msgspec.json.encode(item)) for item in items], next=Step(to) if to else None, total=total)


async def _read(found: Listing[Item]) -> tuple[list[str], End]:
    return [item.id async for item in found], found.end


REFUSED = Refusal(Reason.THROTTLED, "429", 429)
TWICE = Refusal(Reason.INCONSISTENT_PAGES, "one item was returned twice with different content")


@pytest.mark.parametrize(
    ("pages", "items", "end"),
    [
        ([_page()], "", End()),
        ([_page({"id": "a"}, to="1"), _page(to="2"), _page({"id": "b"})], "ab", End(received=2, kept=2)),
        ([REFUSED], "", End(refusal=REFUSED)),
        ([_page({"id": "a"}, to="1"), REFUSED], "a", End(received=1, kept=1, refusal=REFUSED)),
        ([Page([], refusal=REFUSED, next=Step("1")), _page()], "", End(refusal=REFUSED)),
        ([_page({"id": "a"}, {"id": "A"})], "a", End(received=2, kept=1, duplicate=1, refusal=TWICE)),
        ([_page({"id": "a"}, {"id": "a"}, {"id": "b"})], "ab", End(received=3, kept=2, duplicate=1)),
        ([_page({"id": "a"}, 5)], "a", End(received=2, kept=1, quarantined=1, bad=("number 2",))),
        ([_page({"id": "a"}, total=1)], "a", End(received=1, kept=1)),
        (
            [_page({"id": "a"}, to="1", total=1), _page({"id": "b"}, total=3_000)],
            "ab",
            End(
                received=2,
                kept=2,
                refusal=Refusal(Reason.INCONSISTENT_PAGES, "2 different items came, 1 or 3,000 were announced"),
            ),
        ),
        (
            [_page({"id": "a"}, to="1"), _page(to="0")],
            "a",
            End(received=1, kept=1, refusal=Refusal(Reason.PAGE_LOOP, "page 2 leads back to an earlier one")),
        ),
    ],
)
async def test_a_list_ends_complete_or_with_its_reason(pages: list[Page | Refusal], items: str, end: End) -> None:
    assert await _read(_listing(*pages)) == (list(items), end)


A, B, C = ({"id": name} for name in "abc")
OTHERS = Refusal(Reason.INCONSISTENT_PAGES, "one item was returned twice, and a second read returned different items")
AGAIN = [_page(A, B, to="1"), _page(B, C)]


@pytest.mark.parametrize(
    ("second", "refusal"),
    [
        # The item that moved was the only one, or Azure lists it twice.
        ([_page(A, B, to="1"), _page(C)], None),
        (AGAIN, None),
        ([_page(A, to="1"), _page(B, to="2"), _page({"id": "C"})], None),
        # Another item moved to the first page after that was read.
        ([_page(A, {"id": "d"}, to="1"), _page(B, C)], OTHERS),
        ([_page(A, B)], OTHERS),
        (
            [_page(A, B, to="1"), _page(C, total=4)],
            Refusal(Reason.INCONSISTENT_PAGES, "3 different items came, 4 were announced"),
        ),
        ([_page(A, B, to="1"), REFUSED], REFUSED),
        ([REFUSED], REFUSED),
    ],
)
async def test_an_item_that_moved_between_pages_has_the_list_read_once_more(
    second: list[Page | Refusal], refusal: Refusal | None
) -> None:
    found = await _read(_listing(*AGAIN, *second, Refusal(Reason.PAGE_LOOP, "a third reading")))
    assert found == (list("abc"), End(received=4, kept=3, duplicate=1, refusal=refusal))


async def test_a_list_of_one_page_is_read_once() -> None:
    found = await _read(_listing(_page(A, A, B), Refusal(Reason.PAGE_LOOP, "a second reading")))
    assert found == (["a", "b"], End(received=3, kept=2, duplicate=1))


@pytest.mark.parametrize("pages", [[_page(A, A, total=2)], [_page(A, B, to="1", total=3), _page(A, total=3)]])
async def test_an_announced_total_counts_different_items(pages: list[Page | Refusal]) -> None:
    _, end = await _read(_listing(*pages))
    different = end.received - 1
    assert end.refusal == Refusal(Reason.INCONSISTENT_PAGES, f"{different} different items came, {end.received} were announced")


@pytest.mark.parametrize("by", [True, False])
async def test_a_page_that_repeats_an_earlier_one_hides_what_should_be_there(by: bool) -> None:
    _, end = await _read(_listing(_page(A, B, to="1"), _page(A, B), by=by))
    assert end == End(received=2, kept=2, refusal=Refusal(Reason.PAGE_LOOP, "page 2 repeats an earlier one"))


async def test_items_without_names_are_all_new() -> None:
    assert await _read(_listing(_page({"id": "a"}, {"id": "a"}), by=False)) == (["a", "a"], End(received=2, kept=2))


async def test_an_empty_list_that_cannot_be_empty_is_not_believed() -> None:
    why = "every tenant has a domain"
    empty = Refusal(Reason.INCONSISTENT, f"it is empty, but {why}", 200)
    assert await _read(_listing(_page(), never_empty=why)) == ([], End(refusal=empty))
    assert await _read(_listing(_page({"id": "a"}), never_empty=why)) == (["a"], End(received=1, kept=1))
    assert await _read(_listing(REFUSED, never_empty=why)) == ([], End(refusal=REFUSED))


async def test_pages_that_bring_nothing_new_end_and_a_new_item_starts_the_count_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(number: int) -> Refusal:
        return Refusal(Reason.PAGE_LOOP, f"no end after {number:,} pages")

    barren = [_page(to=str(number + 1)) for number in range(MAX_BARREN - 1)]
    assert await _read(_listing(*barren, _page())) == ([], End())
    assert (await _read(_listing(*barren, _page(to="x"), _page())))[1].refusal == endless(MAX_BARREN)
    again = [_page(to=f"again {number}") for number in range(MAX_BARREN - 1)]
    found = await _read(_listing(*barren, _page({"id": "a"}, to="a"), *again, _page({"id": "b"})))
    assert found == (["a", "b"], End(received=2, kept=2))
    monkeypatch.setattr(listing, "MAX_PAGES", 3)
    many = [_page({"id": str(number)}, to=str(number + 1)) for number in range(4)]
    assert (await _read(_listing(*many[:2], _page({"id": "2"}))))[1] == End(received=3, kept=3)
    assert (await _read(_listing(*many)))[1] == End(received=3, kept=3, refusal=endless(3))


async def test_copies_that_are_taken_do_not_count_unless_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_COPIES", 2)
    for number, taken in ((1, 1), (2, 2), (3, 0), (9, 0)):
        found = _listing(_page({"id": "a"}, *({"id": "a", "name": str(copy)} for copy in range(number))))
        await _read(found)
        assert len(found.unsettled) == min(number, 3)
        assert len(found.copies()) == taken
        assert found.end == End(received=number + 1, kept=1, duplicate=number, refusal=None if taken else TWICE)
    refused = _listing(_page({"id": "a"}, {"id": "A"}, to="1"), REFUSED)
    await _read(refused)
    assert len(refused.copies()) == 1
    assert refused.end.refusal == REFUSED


async def test_a_list_that_is_left_early_is_not_complete() -> None:
    found = _listing(_page({"id": "a"}, {"id": "b"}))
    async for _ in found:
        break
    assert found.end.refusal == Refusal(Reason.INTERRUPTED, "not read completely")
    with pytest.raises(RuntimeError, match="once"):
        aiter(found)


async def test_the_first_bad_items_are_named_by_place_and_name() -> None:
    bad = [{"id": "foreign-\x1b[2J"}, {"id": 7, "name": "Alpine", "kid": ""}, {"displayName": "x" * 500}, None]
    _, end = await _read(_listing(_page(*bad)))
    assert end.quarantined == len(bad)
    assert end.bad == ("number 1 (foreign-\\x1b[2J)", "number 2 (Alpine)", f"number 3 ({'x' * 100}... (500 characters))")
