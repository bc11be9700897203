"""What stands around the items of a list: what lets it be refused, what is only named, and that no recorded list is refused."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from keyaudit.cloud.answers.pages import Page, Step, object_of, page_of
from keyaudit.cloud.clients import Answer
from keyaudit.model.coverage import End, Refusal, Scope, ScopeKind
from keyaudit.model.operations import OPERATIONS, Paging, Surface
from keyaudit.model.reasons import Reason
from tests.cloud.azure import Azure, Reply
from tests.cloud.conftest import Connect
from tests.cloud.reading import Bundle, all_of

RECORDED = Path(__file__).parent.parent / "recorded"
FIRST = Step("https://management.azure.com/subscriptions?api-version=x")
NEXT = "https://management.azure.com/subscriptions?api-version=x&$skiptoken=y"
PAGES: Mapping[Paging, Mapping[str, object]] = {
    Paging.NEXT_LINK: {"value": []},
    Paging.NULL_LINK: {"value": [], "nextLink": None},
    Paging.ODATA: {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#domains", "value": []},
    Paging.RESOURCE_GRAPH: {"totalRecords": 0, "count": 0, "data": [], "facets": [], "resultTruncated": "false"},
}


def page(paging: Paging, body: Mapping[str, object]) -> Page | Refusal:
    return page_of(Answer(200, {}, msgspec.json.encode(body)), paging, FIRST)


@pytest.mark.parametrize(
    "member",
    [
        {"NextLink": NEXT},
        {"nextlink": NEXT},
        {"next_link": NEXT},
        {"odata.nextLink": NEXT},
        {"nxtLnk": NEXT},
        {"skipToken": "y"},
        {"continuationToken": "y"},
        {"hasMore": True},
        {"truncated": "true"},
        {"properties": {"nextLink": NEXT}},
        {"page": {"of": {"list": {"url": NEXT}}}},
        {"Error": {"code": "AuthorizationFailed"}},
        {"errors": [{"code": "AuthorizationFailed"}]},
        {"odata.error": {}},
        {"errorCode": 7},
        {"code": "AuthorizationFailed", "message": "no"},
        {"Message": "An error has occurred."},
        {"Value": [{"id": "1"}]},
        {"items": [{"id": "1"}]},
        {"login": "https://portal.example/sign-in"},
        {"page": "<!DOCTYPE html><title>Sign in</title>"},
    ],
)
@pytest.mark.parametrize("paging", PAGES)
def test_a_list_with_a_misspelt_link_or_error_around_it_is_not_empty(paging: Paging, member: Mapping[str, object]) -> None:
    found = page(paging, {**PAGES[paging], **member})
    assert isinstance(found, Refusal)
    assert found.reason is Reason.BAD_BODY


@pytest.mark.parametrize(
    "member",
    [
        {"NextLink": None},
        {"nextlink": ""},
        {"errors": []},
        {"hasMore": False},
        {"requestId": "a"},
        {"summary": {"total": 3, "kind": "Total"}},
        {"warnings": [{"about": "nothing"}]},
    ],
)
@pytest.mark.parametrize("paging", PAGES)
def test_any_other_unknown_member_is_named_and_nothing_else(paging: Paging, member: Mapping[str, object]) -> None:
    known, found = page(paging, PAGES[paging]), page(paging, {**PAGES[paging], **member})
    assert isinstance(known, Page)
    assert isinstance(found, Page)
    assert (known.noted, found.noted) == (frozenset(), frozenset(member))
    assert (found.items, found.next, found.refusal, found.total) == (known.items, known.next, known.refusal, known.total)


def test_annotations_of_odata_are_known() -> None:
    more = {"@odata.deltaLink": NEXT, "@microsoft.graph.tips": "Use $select", "@odata.count": 0}
    assert page(Paging.ODATA, {**PAGES[Paging.ODATA], **more}) == Page([], total=0)


def test_a_foreign_link_comes_before_what_else_is_wrong_with_its_page() -> None:
    found = page(Paging.NEXT_LINK, {"value": [], "nextLink": "https://trap.evil.example/", "Error": {"code": "x"}})
    assert isinstance(found, Page)
    assert found.refusal is not None
    assert found.refusal.reason is Reason.FOREIGN_LINK


def test_a_page_of_a_vault_says_whether_it_is_the_last() -> None:
    assert page(Paging.NULL_LINK, {"value": []}) == Refusal(
        Reason.BAD_BODY, "the response has no list, or an invalid link", 200
    )


@pytest.mark.parametrize("name", ["error", "Error", "errors", "odata.error"])
def test_an_object_with_an_error_is_none(name: str) -> None:
    body = msgspec.json.encode({"key": {"kid": "k"}, name: {"code": "x"}})
    assert object_of(Answer(200, {}, body), Bundle) == Refusal(Reason.BAD_BODY, "an error under status 200", 200)


async def test_unknown_members_of_all_pages_are_in_the_ledger(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: Reply({"value": [{"id": "1"}], "b\x1b": 1, "a": {}})
    async with connected() as connection:
        _, end = await all_of(connection.gateway)
    assert end == End(received=1, kept=1, noted=frozenset({"a", "b\x1b"}))
    record = end.coverage(Scope("/subscriptions/s", "s", ScopeKind.SUBSCRIPTION), "vault.list")
    assert (record.state, record.reason) == ("assessed", None)
    assert record.detail == "unknown members of the answer: a, b\\x1b"


# Recorded lists


def _exchanges(part: Any) -> Iterator[Any]:
    if isinstance(part, dict) and "response" in part:
        yield part
    elif isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _exchanges(inner)


def _paging(host: str) -> Paging:
    if ".vault." in host:
        return Paging.NULL_LINK
    return Paging.ODATA if host.startswith("graph.") else Paging.NEXT_LINK


def _lists() -> list[Any]:
    found = []
    for file in sorted(RECORDED.glob("*.json")):
        for number, exchange in enumerate(_exchanges(json.loads(file.read_text()))):
            body = exchange["response"].get("body")
            if exchange["response"]["status"] == 200 and isinstance(body, dict) and isinstance(body.get("value"), list):
                found.append(pytest.param(exchange["request"]["host"], body, id=f"{file.stem}-{number}"))
    return found


@pytest.mark.parametrize(("host", "body"), _lists())
def test_no_recorded_list_is_refused(host: str, body: Mapping[str, Any]) -> None:
    found = page(_paging(host), {name: None if "nextLink" in name else value for name, value in body.items()})
    assert isinstance(found, Page)
    assert found.refusal is None
    assert found.noted == frozenset()
    assert len(found.items) == len(body["value"])


def test_recorded_lists_are_of_every_kind_of_host() -> None:
    assert len(_lists()) == 50
    assert {_paging(values[0]) for values in (each.values for each in _lists())} == {
        Paging.NULL_LINK,
        Paging.ODATA,
        Paging.NEXT_LINK,
    }


def test_lists_of_vaults_are_declared_so() -> None:
    pagings = {each.paging for each in OPERATIONS.values() if each.surface is Surface.VAULT}
    assert pagings == {Paging.NULL_LINK, Paging.NONE}
