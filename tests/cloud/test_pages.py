"""Lists over their pages: to the proved end, or to a refusal; links that lead elsewhere are not followed."""

import uuid

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


async def test_status_200_without_a_list_is_never_an_empty_list(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: Reply({"error": {"code": "AuthorizationFailed", "message": "m"}})
    async with connected() as connection:
        for operation in ("subscription.list", "domain.list"):
            items, end = await all_of(connection.gateway, operation)
            assert items == []
            assert end.refusal is not None
            assert end.refusal.reason is Reason.BAD_BODY


async def test_foreign_links_are_not_contacted(azure: Azure, connected: Connect, vault: str) -> None:
    async with connected() as connection:
        for operation, member, link, host in (
            ("subscription.list", "nextLink", "https://management.azure.com@trap.evil.example/p", ""),
            ("key.list", "nextLink", "https://trap.evil.example/keys", vault),
            ("key.list", "nextLink", f"https://kv-{uuid.uuid4().hex[:8]}.vault.azure.net/keys", vault),
            ("key.list", "nextLink", f"{vault}secrets?api-version=7.4", vault),
            ("domain.list", "@odata.nextLink", "https://trap.evil.example/v1.0/domains", ""),
            ("domain.list", "@odata.nextLink", "https://graph.microsoft.com/v1.0/users?$skiptoken=x", ""),
        ):
            azure.script = lambda request, member=member, link=link: Reply({"value": [], member: link})  # type: ignore[misc]
            _, end = await all_of(connection.gateway, operation, **({"host": host} if host else {}))
            assert end.refusal is not None
            assert end.refusal.reason is Reason.FOREIGN_LINK, link
    assert azure.foreign == []
    assert len(azure.to(VAULTS)) == 4  # one challenge, three lists
    assert len(azure.to(GRAPH)) == 2
    assert len(azure.to(ARM)) == 1


@pytest.mark.parametrize(
    ("operation", "status"),
    [("subscription.list", 301), ("subscription.list", 303), ("domain.list", 302), ("domain.list", 308), ("key.list", 307)],
)
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


# Items


async def test_a_bad_item_is_named_by_its_place_and_name(azure: Azure, connected: Connect) -> None:
    long = "x" * 500
    bad: list[object] = [{"id": "foreign-\x1b[2J"}, {"id": 7, "name": "Alpine"}, {"id": 7, "name": long}, 5]
    azure.script = lambda request: Reply({"value": [{"id": "1"}, *bad]})
    async with connected() as connection:
        _, end = await all_of(connection.gateway)
    assert end.bad[:2] == ("number 2 (foreign-\\x1b[2J)", "number 3 (Alpine)")
    record = end.coverage(Scope("/subscriptions/s", "s", ScopeKind.SUBSCRIPTION), "subscription.list")
    assert record.detail.startswith("4 of 5 items: number 2 (foreign-\\x1b[2J), number 3 (Alpine), number 4 (xxx")
    assert len(record.detail) <= 200


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


async def test_a_query_without_an_order_is_not_sent(connected: Connect) -> None:
    async with connected() as connection:
        with pytest.raises(ValueError, match="order by id"):
            connection.gateway.pages("vault.query", Item, by=name_of, body={"query": "resources"})
