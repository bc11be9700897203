"""Reading through the official clients: hostile answers end as values, and no token is sent astray."""

import gzip
import json

import pytest
from msgspec import structs

from keyaudit.cloud import sender
from keyaudit.model.coverage import End, Refusal
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason
from tests.cloud.azure import ARM, GRAPH, LOGIN, OTHER_TENANT, VAULTS, Azure, Reply, Request, challenge, error
from tests.cloud.conftest import Connect
from tests.cloud.reading import Bundle, Item, Key, all_of, first_then, name_of

# One object


async def test_an_object_is_read_and_an_incomplete_one_refused(azure: Azure, connected: Connect, vault: str) -> None:
    async with connected() as connection:

        async def get() -> Bundle | Refusal:
            return await connection.gateway.get("key.get", Bundle, host=vault, key="sign", version="")

        kid = f"{vault}keys/sign/1"
        azure.script = lambda request: Reply({"key": {"kid": kid}, "attributes": {}})
        assert await get() == Bundle(Key(kid))
        for body, reason in (
            (b"{}", Reason.BAD_BODY),
            (b" { } ", Reason.BAD_BODY),
            (b'{"error":{"code":"Forbidden","message":"m"}}', Reason.BAD_BODY),
            (b'{"key":{"kid":"k"}', Reason.BAD_BODY),
            (b"[]", Reason.BAD_ITEM),
            (b'{"key":{}}', Reason.BAD_ITEM),
        ):
            azure.script = lambda request, body=body: Reply(body)  # type: ignore[misc]
            found = await get()
            assert isinstance(found, Refusal)
            assert found.reason is reason, body
    assert azure.to(VAULTS)[-1].target == "/keys/sign/?api-version=2025-07-01"


async def test_what_is_not_declared_cannot_be_sent(azure: Azure, connected: Connect, vault: str) -> None:
    async with connected() as connection:
        gateway = connection.gateway
        for name in ("", "..", "sign/backup", "../secrets/password"):
            found = await gateway.get("key.get", Bundle, host=vault, key=name, version="")
            assert isinstance(found, Refusal)
            assert found.reason is Reason.BAD_VALUE
        with pytest.raises(KeyError):
            await gateway.get("secret.get", Bundle, host=vault, secret="s")
        with pytest.raises(ValueError, match="no list"):
            gateway.pages("key.get", Item, by=name_of, host=vault)
    assert azure.to(VAULTS) == []


async def test_what_the_cloud_lacks_is_not_asked_for(azure: Azure, connected: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = structs.replace(OPERATIONS["domain.list"], not_in=("china", "public"))
    monkeypatch.setitem(OPERATIONS, "domain.list", lacking)
    async with connected() as connection:
        items, end = await all_of(connection.gateway, "domain.list")
    assert (items, end) == ([], End(refusal=Refusal(Reason.NOT_IN_CLOUD, "public")))
    assert azure.to(GRAPH) == []


@pytest.mark.parametrize(
    "uri", ["https://trap.evil.example/", "https://kv.vault.azure.net.evil.example/", "http://kv-sign.vault.azure.net/", ""]
)
async def test_a_vault_uri_of_elsewhere_is_not_contacted(azure: Azure, connected: Connect, uri: str) -> None:
    async with connected() as connection:
        found = await connection.gateway.get("key.get", Bundle, host=uri, key="k", version="")
        _, end = await all_of(connection.gateway, "key.list", host=uri)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.BAD_VAULT_URI
    assert end.refusal == found
    assert azure.foreign == []
    assert azure.to(VAULTS) == []


# Challenges


async def test_a_vault_gets_its_token_after_its_challenge_and_only_then(azure: Azure, connected: Connect, vault: str) -> None:
    azure.script = lambda request: Reply({"value": [], "nextLink": None})
    async with connected() as connection:
        assert (await all_of(connection.gateway, "key.list", host=vault))[1] == End()
        assert (await all_of(connection.gateway, "key.list", host=vault))[1] == End()
    assert ["authorization" in request.headers for request in azure.to(VAULTS)] == [False, True, True]
    scopes = [request.body.decode() for request in azure.to(LOGIN)]
    assert len(scopes) == 2
    assert "scope=https%3A%2F%2Fvault.azure.net%2F.default" in scopes[1]


async def test_an_alias_in_a_challenge_is_answered_with_a_token_of_the_environments_own_authority(
    azure: Azure, connected: Connect, vault: str
) -> None:
    azure.script = lambda request: Reply({"value": [], "nextLink": None})
    azure.challenge = lambda request: challenge(authority="https://login.windows.net")
    async with connected() as connection:
        assert (await all_of(connection.gateway, "key.list", host=vault))[1] == End()
    assert ["authorization" in request.headers for request in azure.to(VAULTS)] == [False, True]
    assert "scope=https%3A%2F%2Fvault.azure.net%2F.default" in azure.to(LOGIN)[-1].body.decode()
    assert azure.foreign == []


@pytest.mark.parametrize(
    "reply",
    [
        challenge(OTHER_TENANT),
        challenge(authority="https://login.windows.net.evil.example"),
        challenge(authority="https://login.microsoftonline.us"),
        challenge(authority="https://login.evil.example"),
        Reply(b"", 401, {"WWW-Authenticate": 'Bearer realm="'}),
    ],
)
async def test_a_challenge_for_anything_else_gets_no_token(azure: Azure, connected: Connect, vault: str, reply: Reply) -> None:
    azure.challenge = lambda request: reply
    async with connected() as connection:
        signed_in = len(azure.to(LOGIN))
        _, end = await all_of(connection.gateway, "key.list", host=vault)
    assert end.refusal is not None
    assert end.refusal.reason is Reason.BAD_CHALLENGE
    assert len(azure.to(LOGIN)) == signed_in
    assert [request for request in azure.to(VAULTS) if "authorization" in request.headers] == []
    assert azure.foreign == []


async def test_a_401_without_a_challenge_is_a_failed_sign_in(azure: Azure, connected: Connect, vault: str) -> None:
    azure.challenge = lambda request: error(401, "Unauthorized")
    async with connected() as connection:
        _, end = await all_of(connection.gateway, "key.list", host=vault)
    assert end.refusal == Refusal(Reason.AUTH_FAILED, "Unauthorized", 401)


async def test_a_header_larger_than_any_gets_no_token(azure: Azure, connected: Connect, vault: str) -> None:
    azure.challenge = lambda request: Reply(b"", 401, {"WWW-Authenticate": "Bearer " + "x" * 70_000})
    async with connected() as connection:
        _, end = await all_of(connection.gateway, "key.list", host=vault)
    assert end.refusal == Refusal(Reason.BAD_BODY, "not an HTTP answer")
    assert [request for request in azure.to(VAULTS) if "authorization" in request.headers] == []


# Bodies


async def test_a_web_page_is_someone_elses_answer(azure: Azure, connected: Connect, vault: str) -> None:
    page = Reply(b"<html>sign in to the network</html>", type="text/html; charset=utf-8")
    azure.script = lambda request: page
    async with connected() as connection:
        _, end = await all_of(connection.gateway)
        found = await connection.gateway.get("key.get", Bundle, host=vault, key="k", version="")
    assert end.refusal is not None
    assert end.refusal.reason is Reason.INTERCEPTED
    assert isinstance(found, Refusal)
    assert found.reason is Reason.INTERCEPTED


@pytest.mark.parametrize("operation", ["subscription.list", "domain.list"])
async def test_packed_answers_are_unpacked(azure: Azure, connected: Connect, operation: str) -> None:
    packed = gzip.compress(json.dumps({"value": [{"id": "1"}]}).encode())
    azure.script = lambda request: Reply(packed, headers={"Content-Encoding": "gzip"})
    async with connected() as connection:
        assert await all_of(connection.gateway, operation) == (["1"], End(received=1, kept=1))


@pytest.mark.parametrize("operation", ["subscription.list", "domain.list"])
@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (gzip.compress(b" " * (65 * 1024 * 1024), 1, mtime=0), "gzip", Reason.TOO_LARGE),
        (b" " * (65 * 1024 * 1024), "", Reason.TOO_LARGE),
        (b"not gzip at all", "gzip", Reason.BAD_BODY),
        (gzip.compress(b'{"value":[]}', mtime=0)[:-9], "gzip", Reason.BAD_BODY),
        (b'{"value":[]}', "br", Reason.BAD_BODY),
    ],
)
async def test_bodies_that_are_bombs_or_damaged_are_refused(
    azure: Azure, connected: Connect, operation: str, body: bytes, encoding: str, reason: Reason
) -> None:
    azure.script = lambda request: Reply(body, headers={"Content-Encoding": encoding})
    async with connected() as connection:
        _, end = await all_of(connection.gateway, operation)
    assert end.refusal is not None
    assert end.refusal.reason is reason
    assert [request.host for request in azure.requests if request.host != LOGIN] == [
        ARM if operation == "subscription.list" else GRAPH
    ]


@pytest.mark.parametrize("operation", ["subscription.list", "domain.list"])
async def test_an_answer_that_breaks_off_is_asked_for_again(azure: Azure, connected: Connect, operation: str) -> None:
    azure.script = first_then(Reply({"value": []}, cut=True), Reply({"value": [{"id": "1"}]}))
    async with connected() as connection:
        assert await all_of(connection.gateway, operation) == (["1"], End(received=1, kept=1))
        assert connection.retries == 1
        azure.script = lambda request: Reply({"value": []}, cut=True)
        _, end = await all_of(connection.gateway, operation)
    assert end.refusal == Refusal(Reason.BAD_BODY, "the connection broke while the response arrived")


async def test_no_answer_in_time_is_a_timeout(azure: Azure, connected: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "ATTEMPT_TIMEOUT", 0.03)
    azure.script = lambda request: Reply(hang=True)
    async with connected() as connection:
        _, end = await all_of(connection.gateway)
        assert end.refusal == Refusal(Reason.TIMEOUT, "the request timed out")
        assert connection.retries == sender.BROKEN_ALIKE - 1


async def test_cookies_are_not_kept(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: Reply({"value": []}, headers={"Set-Cookie": "a=b"})
    async with connected() as connection:
        await all_of(connection.gateway)
        await all_of(connection.gateway)
    assert all("cookie" not in request.headers for request in azure.requests)


async def test_a_list_that_a_batch_began_is_read_again_from_its_own_first_page(azure: Azure, connected: Connect) -> None:
    groups = ("60000000-0000-4000-8000-000000000001", "60000000-0000-4000-8000-000000000002")
    pages = {"batch": "ab", "first": "ad", "second": "bc"}

    def answer(request: Request) -> Reply:
        def page(name: str) -> dict[str, object]:
            link = (
                {}
                if name == "second"
                else {"@odata.nextLink": f"https://{GRAPH}/beta/groups/{groups[0]}/transitiveMembers?$skiptoken=2"}
            )
            return {"value": [{"id": item} for item in pages[name]], **link}

        if request.path.endswith("/$batch"):
            parts = json.loads(request.body)["requests"]
            return Reply({"responses": [{"id": part["id"], "status": 200, "body": page("batch")} for part in parts]})
        return Reply(page("second" if "skiptoken" in request.target else "first"))

    azure.script = answer
    async with connected() as connection:
        places = [{"id": group} for group in groups]
        listing, _ = await connection.gateway.lists("group.members", Item, by=name_of, places=places)
        assert [item.id async for item in listing] == ["a", "b", "c"]
    refusal = listing.end.refusal
    assert refusal is not None
    assert refusal.detail == "one item was returned twice, and a second read returned different items"
