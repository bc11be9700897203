"""Lists over their pages: to the proved end, or to a refusal; links that lead elsewhere are not followed."""

import uuid
from typing import Any

import pytest

from keyaudit.model.coverage import End, Refusal, Scope, ScopeKind
from keyaudit.model.reasons import Reason
from tests.cloud.azure import ARM, GRAPH, SUBSCRIPTION, VAULTS, Azure, Reply, Request
from tests.cloud.conftest import Connect
from tests.cloud.reading import Item, all_of, first_then, link_to, name_of

QUERY = {"subscriptions": [SUBSCRIPTION], "query": "resources | project id | order by id asc"}


# Pages


async def test_pages_are_read_to_the_end_through_empty_ones_by_the_link_as_it_came(azure: Azure, connected: Connect) -> None:
    def script(request: Request) -> Reply:
        page = request.query.get("$skiptoken", ["0"])[0]
        items: dict[str, list[object]] = {"0": [], "a,b==": [{"id": "1"}, {"id": "2"}], "c": [], "d": [{"id": "3"}]}
        following = {"0": "a,b==", "a,b==": "c", "c": "d"}
        body: dict[str, object] = {"value": items[page]}
        if page in following:
            body["nextLink"] = link_to(request, following[page])
        return Reply(body)

    azure.script = script
    async with connected() as connection:
        assert await all_of(connection.gateway) == (["1", "2", "3"], End(received=3, kept=3))
    assert [request.target.partition("?")[2] for request in azure.to(ARM)[1:]] == [
        f"api-version=x&$skiptoken={token}" for token in ("a,b==", "c", "d")
    ]


@pytest.mark.parametrize("last", [{}, {"nextLink": None}, {"nextLink": ""}])
async def test_a_list_with_a_value_array_and_no_link_is_proved_empty(
    azure: Azure, connected: Connect, last: dict[str, object]
) -> None:
    azure.script = lambda request: Reply({"value": [], **last})
    async with connected() as connection:
        assert await all_of(connection.gateway) == ([], End())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b'{"value":null}',
        b'{"value":{}}',
        b'{"error":{"code":"AuthorizationFailed","message":"m"}}',
        b'{"value":[],"error":{"code":"AuthorizationFailed","message":"m"}}',
        b'{"value":[]',
        b'{"value":[NaN]}',
        b'{"value":[],"nextLink":0}',
        b'{"value":[],"nextLink":{}}',
        '{"value":[]}'.encode("utf-16"),
        b'{"value":' + b"[" * 200_000,
    ],
)
@pytest.mark.parametrize("operation", ["vault.list", "domain.list"])
async def test_status_200_without_a_list_is_never_an_empty_list(
    azure: Azure, connected: Connect, body: bytes, operation: str
) -> None:
    body = body.replace(b"nextLink", b"@odata.nextLink") if operation == "domain.list" else body
    azure.script = lambda request: Reply(body)
    async with connected() as connection:
        items, end = await all_of(connection.gateway, operation)
    assert items == []
    assert end.refusal is not None
    assert end.refusal.reason is Reason.BAD_BODY


async def test_another_success_than_200_is_not_a_list(azure: Azure, connected: Connect) -> None:
    for status in (201, 202, 204, 206):
        azure.script = lambda request, status=status: Reply(b"" if status == 204 else {"value": []}, status)  # type: ignore[misc]
        async with connected() as connection:
            _, end = await all_of(connection.gateway)
        assert end.refusal is not None
        assert end.refusal.reason is Reason.BAD_BODY, status


@pytest.mark.parametrize(
    "link",
    [
        "https://trap.evil.example/next",
        "https://management.azure.com.evil.example/p",
        "https://management.azure.com@trap.evil.example/p",
        "https://169.254.169.254/metadata",
        "http://management.azure.com/p",
        "https://management.azure.com:8443/p",
        "https://management.azure.com/subscriptions/other/providers/Microsoft.KeyVault/vaults",
    ],
)
async def test_a_foreign_link_of_resource_manager_is_not_contacted(azure: Azure, connected: Connect, link: str) -> None:
    azure.script = lambda request: Reply({"value": [{"id": "1"}], "nextLink": link})
    async with connected() as connection:
        items, end = await all_of(connection.gateway)
    assert items == ["1"]
    assert end.refusal is not None
    assert end.refusal.reason is Reason.FOREIGN_LINK
    assert azure.foreign == []
    assert len(azure.to(ARM)) == 1


async def test_foreign_links_of_vaults_graph_and_other_vaults_are_not_contacted(
    azure: Azure, connected: Connect, vault: str
) -> None:
    async with connected() as connection:
        for operation, member, link, host in (
            ("key.list", "nextLink", "https://trap.evil.example/keys", vault),
            ("key.list", "nextLink", f"https://kv-{uuid.uuid4().hex[:8]}.vault.azure.net/keys", vault),
            ("key.list", "nextLink", f"{vault}secrets?api-version=7.4", vault),
            ("domain.list", "@odata.nextLink", "https://trap.evil.example/v1.0/domains", ""),
            ("domain.list", "@odata.nextLink", "https://graph.microsoft.com/v1.0/users?$skiptoken=x", ""),
        ):
            azure.script = lambda request, member=member, link=link: Reply({"value": [], member: link})  # type: ignore[misc]
            _, end = await all_of(connection.gateway, operation, host=host)
            assert end.refusal is not None
            assert end.refusal.reason is Reason.FOREIGN_LINK, link
    assert azure.foreign == []
    assert len(azure.to(VAULTS)) == 4  # one challenge, three lists
    assert len(azure.to(GRAPH)) == 2


@pytest.mark.parametrize("operation", ["vault.list", "domain.list", "key.list"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_never_followed(azure: Azure, connected: Connect, operation: str, status: int, vault: str) -> None:
    azure.script = lambda request: Reply(b"", status, {"Location": "https://trap.evil.example/"})
    async with connected() as connection:
        _, end = await all_of(connection.gateway, operation, **({"host": vault} if operation == "key.list" else {}))
    assert end.refusal == Refusal(Reason.REDIRECTED, f"{status}, not followed", status)
    assert azure.foreign == []


async def test_page_loops_end(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: Reply({"value": [{"id": request.target}], "nextLink": f"https://{ARM}{request.target}"})
    async with connected() as connection:
        items, end = await all_of(connection.gateway)
        assert len(items) == 1
        assert end.refusal is not None
        assert end.refusal.reason is Reason.PAGE_LOOP

        turns = {"a": "b", "b": "a"}
        azure.script = lambda request: Reply(
            {"value": [], "nextLink": link_to(request, turns.get(request.query.get("$skiptoken", [""])[0], "a"))}
        )
        sent = len(azure.to(ARM))
        _, end = await all_of(connection.gateway)
    assert end.refusal is not None
    assert end.refusal.reason is Reason.PAGE_LOOP
    assert len(azure.to(ARM)) - sent == 3


@pytest.mark.parametrize("items", [[], [{"id": "same"}]])
async def test_endless_pages_that_bring_nothing_new_end(azure: Azure, connected: Connect, items: list[dict[str, str]]) -> None:
    azure.script = lambda request: Reply({"value": items, "nextLink": link_to(request, uuid.uuid4().hex)})
    async with connected() as connection:
        kept, end = await all_of(connection.gateway)
    assert len(kept) == len(items)
    assert end.refusal is not None
    assert end.refusal.reason is Reason.PAGE_LOOP
    assert len(azure.to(ARM)) <= 52


async def test_a_list_that_is_left_early_is_not_complete(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: Reply({"value": [{"id": "1"}, {"id": "2"}]})
    async with connected() as connection:
        listing = connection.gateway.pages("vault.list", Item, by=name_of, subscription=SUBSCRIPTION)
        async for _ in listing:
            break
        assert listing.end.refusal is not None
        assert listing.end.refusal.reason is Reason.INTERRUPTED
        with pytest.raises(RuntimeError, match="once"):
            aiter(listing)


# Items


async def test_bad_items_are_quarantined_and_the_page_is_kept(azure: Azure, connected: Connect) -> None:
    bad: list[object] = [None, "text", 7, {}, {"id": 7}, {"id": None}, [], {"id": "foreign-1"}]
    azure.script = lambda request: Reply({"value": [{"id": "1"}, *bad, {"id": "2"}]})
    async with connected() as connection:
        items, end = await all_of(connection.gateway)
    assert items == ["1", "2"]
    assert end == End(received=10, kept=2, quarantined=8, bad=("number 2", "number 3", "number 4"))


async def test_a_bad_item_is_named_by_its_place_and_name(azure: Azure, connected: Connect) -> None:
    long = "x" * 500
    bad: list[object] = [{"id": "foreign-\x1b[2J"}, {"id": 7, "name": "Alpine"}, {"id": 7, "name": long}, 5]
    azure.script = lambda request: Reply({"value": [{"id": "1"}, *bad]})
    async with connected() as connection:
        _, end = await all_of(connection.gateway)
    assert end.bad[:2] == ("number 2 (foreign-\\x1b[2J)", "number 3 (Alpine)")
    record = end.coverage(Scope("/subscriptions/s", "s", ScopeKind.SUBSCRIPTION), "vault.list")
    assert record.detail.startswith("4 of 5 items: number 2 (foreign-\\x1b[2J), number 3 (Alpine), number 4 (xxx")
    assert len(record.detail) <= 200


async def test_repeated_items_are_counted_and_a_contradiction_is_a_gap(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: Reply({"value": [{"id": "A"}, {"id": "A"}]})
    async with connected() as connection:
        assert await all_of(connection.gateway) == (["A"], End(received=2, kept=1, duplicate=1))
        azure.script = lambda request: Reply({"value": [{"id": "A", "name": "x"}, {"id": "a", "name": "y"}, {"id": "b"}]})
        items, end = await all_of(connection.gateway)
    assert items == ["A", "b"]
    assert (end.received, end.kept, end.duplicate) == (3, 2, 1)
    assert end.refusal is not None
    assert end.refusal.reason is Reason.INCONSISTENT_PAGES


async def test_copies_that_are_taken_do_not_count_against_the_list(azure: Azure, connected: Connect) -> None:
    pages: list[dict[str, Any]] = [{"id": "A", "name": "x"}, {"id": "a", "name": "y"}, {"id": "A", "name": "x"}, {"id": "b"}]
    azure.script = lambda request: Reply({"value": pages})
    async with connected() as connection:
        listing = connection.gateway.pages("vault.list", Item, by=name_of, subscription=SUBSCRIPTION)
        assert [item.id async for item in listing] == ["A", "b"]
        assert [copy.id for copy in listing.copies()] == ["a"]
        assert listing.end == End(received=4, kept=2, duplicate=2)


async def test_a_list_that_was_not_read_to_its_end_is_no_whole_one_for_its_copies(azure: Azure, connected: Connect) -> None:
    def answer(request: Request) -> Reply:
        if "token" in request.target:
            return Reply({}, status=403)
        return Reply({"value": [{"id": "A"}, {"id": "a"}], "nextLink": link_to(request, "token")})

    azure.script = answer
    async with connected() as connection:
        listing = connection.gateway.pages("vault.list", Item, by=name_of, subscription=SUBSCRIPTION)
        assert [item.id async for item in listing] == ["A"]
        assert len(listing.copies()) == 1
        assert listing.end.refusal is not None
        assert listing.end.refusal.reason is not Reason.INCONSISTENT_PAGES


async def test_graphs_own_count_is_held_against_what_came(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: Reply({"@odata.count": 2, "value": [{"id": "1"}]})
    async with connected() as connection:
        items, end = await all_of(connection.gateway, "application.federated")
    assert items == ["1"]
    assert end.refusal is not None
    assert end.refusal.reason is Reason.INCONSISTENT_PAGES
    assert azure.to(GRAPH)[0].headers["consistencylevel"] == "eventual"


async def test_a_list_that_holds_something_in_every_tenant_is_not_believed_where_it_is_empty(
    azure: Azure, connected: Connect
) -> None:
    azure.script = lambda request: Reply({"value": []})
    async with connected() as connection:
        for operation in ("organization.get", "domain.list", "service_principal.list", "directory_role.assignments"):
            _, end = await all_of(connection.gateway, operation)
            assert end.refusal is not None
            assert (end.refusal.reason, end.refusal.detail[:17]) == (Reason.INCONSISTENT, "it is empty, but ")
        assert await all_of(connection.gateway, "application.list") == ([], End())
    azure.script = lambda request: Reply({"value": [{"id": "1"}]})
    async with connected() as connection:
        assert await all_of(connection.gateway, "domain.list") == (["1"], End(received=1, kept=1))


# Resource Graph


def _rows(count: int, total: int, token: str | None = None, truncated: str = "false", **headers: str) -> Reply:
    body: dict[str, object] = {
        "totalRecords": total,
        "count": count,
        "resultTruncated": truncated,
        "data": [{"id": f"{token}-{number}"} for number in range(count)],
    }
    if token:
        body["$skipToken"] = token
    return Reply(body, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_resource_graph_is_paged_by_the_token_in_its_body(azure: Azure, connected: Connect) -> None:
    azure.script = first_then(_rows(2, 3, "more"), _rows(1, 3))
    async with connected() as connection:
        items, end = await all_of(connection.gateway, "vault.query", body=QUERY)
    assert len(items) == 3
    assert end == End(received=3, kept=3)
    first, second = (request.json() for request in azure.to(ARM))
    assert first == {**QUERY, "options": {"$top": 1000, "resultFormat": "objectArray"}}
    assert second == {**QUERY, "options": {"$top": 1000, "resultFormat": "objectArray", "$skipToken": "more"}}
    assert len({request.target for request in azure.to(ARM)}) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (_rows(1, 5, truncated="true"), Reason.TRUNCATED),
        (_rows(1, 5), Reason.INCONSISTENT_PAGES),
        (_rows(1, 1, x_ms_tenant_subscription_limit_hit="true"), Reason.SUBSCRIPTION_LIMIT),
        (_rows(1, 2, "same"), Reason.PAGE_LOOP),
        (_rows(1, 2, "x" * 40_000), Reason.BAD_BODY),
        (Reply({"totalRecords": 1, "count": 2, "resultTruncated": "false", "data": [{"id": "1"}]}), Reason.INCONSISTENT_PAGES),
        (Reply({"totalRecords": 0, "count": 0, "data": []}), Reason.BAD_BODY),
        (Reply({"count": 0, "resultTruncated": "false", "data": []}), Reason.BAD_BODY),
        (Reply({"totalRecords": 0, "count": 0, "resultTruncated": "false", "data": None}), Reason.BAD_BODY),
        (Reply({"totalRecords": 0, "count": 0, "resultTruncated": "false", "data": [], "error": {}}), Reason.BAD_BODY),
    ],
)
async def test_resource_graph_that_cut_something_short_is_not_complete(
    azure: Azure, connected: Connect, reply: Reply, reason: Reason
) -> None:
    azure.script = lambda request: reply
    async with connected() as connection:
        _, end = await all_of(connection.gateway, "vault.query", body=QUERY)
    assert end.refusal is not None
    assert end.refusal.reason is reason


async def test_a_query_without_an_order_is_not_sent(connected: Connect) -> None:
    async with connected() as connection:
        with pytest.raises(ValueError, match="order by id"):
            connection.gateway.pages("vault.query", Item, by=name_of, body={"query": "resources"})
