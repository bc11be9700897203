"""A connection: the tenant checked before anything is read, the identity shown, and silence about secrets."""

import logging

import msgspec
import pytest

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.model.coverage import Refusal
from keyaudit.model.errors import AccessError, AuditError, UnavailableError, UnsafeError, UsageError
from keyaudit.model.reasons import Reason
from tests.cloud.azure import ARM, GRAPH, LOGIN, OTHER_TENANT, SECRET, TENANT, VAULTS, Azure, Reply, error, token
from tests.cloud.clock import FakeClock
from tests.cloud.conftest import ENVIRON, Connect

pytestmark = pytest.mark.filterwarnings("error")

GRANTED = {"token_type": "Bearer", "expires_in": 3600}


def _denied(code: str, status: int = 401) -> Reply:
    return Reply({"error": "invalid_client", "error_description": f"{code}: words. Trace ID: 1", "error_codes": [1]}, status)


async def test_who_reads_is_said_and_the_first_token_is_for_resource_manager(azure: Azure, connected: Connect) -> None:
    async with connected() as connection:
        assert connection.identity.tenant_id == TENANT
        assert connection.identity.shown == "application cccccccc-0000-0000-0000-00000000000c (environment)"
        assert connection.environment is ENVIRONMENTS["public"]
        assert connection.requests == 1
        assert connection.skew() is None
    (request,) = azure.requests
    assert "scope=https%3A%2F%2Fmanagement.azure.com%2F.default" in request.body.decode()
    assert request.target == f"/{TENANT}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        ({"upn": "alice@contoso.example"}, "alice@contoso.example"),
        ({"unique_name": "bob@contoso.example"}, "bob@contoso.example"),
        ({"app_displayname": "auditor", "appid": "c"}, "auditor, application c"),
        ({"appid": "", "azp": "d"}, "application d"),
        ({"appid": "", "oid": "e"}, "object e"),
        ({"upn": "a\x1b[31m\n"}, "a\\x1b[31m\\x0a"),
    ],
)
async def test_the_identity_is_shown_from_the_tokens_claims(
    azure: Azure, connected: Connect, claims: dict[str, str], shown: str
) -> None:
    azure.sign_in = lambda request: Reply({**GRANTED, "access_token": token(**claims)})
    async with connected() as connection:
        assert connection.identity.shown == f"{shown} (environment)"


async def test_the_tenant_asked_for_may_be_a_guid_in_any_case(connected: Connect) -> None:
    async with connected(tenant=TENANT.upper()) as connection:
        assert connection.identity.tenant_id == TENANT


async def test_a_domain_is_looked_up_without_a_token(azure: Azure, connected: Connect) -> None:
    azure.script = lambda request: Reply({"issuer": f"https://{LOGIN}/{TENANT}/v2.0"})
    async with connected(tenant="Contoso.onmicrosoft.com") as connection:
        assert connection.identity.tenant_id == TENANT
    first = azure.requests[0]
    assert (first.host, first.target) == (LOGIN, "/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration")
    assert "authorization" not in first.headers


@pytest.mark.parametrize("asked", [OTHER_TENANT, "fabrikam.example"])
async def test_another_tenant_stops_before_anything_is_read(azure: Azure, connected: Connect, asked: str) -> None:
    azure.script = lambda request: Reply({"issuer": f"https://{LOGIN}/{OTHER_TENANT}/v2.0"})
    with pytest.raises(UnsafeError) as stopped:
        async with connected(tenant=asked):
            pytest.fail("connected")
    assert OTHER_TENANT in str(stopped.value)
    assert TENANT in str(stopped.value)
    assert azure.to(ARM) == azure.to(GRAPH) == azure.to(VAULTS) == []


@pytest.mark.parametrize(
    "asked", ["", "common!", "common", "organizations", "a b.example", "..", "https://contoso.example", "x\n.example"]
)
async def test_what_is_neither_a_tenant_id_nor_a_domain_is_a_usage_error(azure: Azure, connected: Connect, asked: str) -> None:
    with pytest.raises(UsageError, match="--tenant: neither a tenant id nor a domain"):
        async with connected(tenant=asked):
            pytest.fail("connected")
    assert azure.requests == []


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (_denied("AADSTS90002", 400), UsageError, "no tenant of this cloud has the domain contoso.example"),
        (Reply({"issuer": "https://login.microsoftonline.com/common/v2.0"}), UsageError, "no tenant was given"),
        (Reply({}), AccessError, "could not be looked up: an empty object"),
        (Reply(b"<html>", type="text/html"), AccessError, "a web page instead"),
        (error(503, "Down"), UnavailableError, "could not be looked up: Down"),
        (error(429, "TooMany", Retry_After="600"), UnavailableError, "could not be looked up: TooMany"),
    ],
)
async def test_a_domain_that_cannot_be_looked_up_is_said(
    azure: Azure, connected: Connect, reply: Reply, kind: type[AuditError], text: str
) -> None:
    azure.script = lambda request: reply
    with pytest.raises(kind, match=text):
        async with connected(tenant="contoso.example"):
            pytest.fail("connected")


@pytest.mark.parametrize("host", ["login.evil.example", "https://login.evil.example/", "https://login.microsoftonline.us"])
async def test_another_authority_than_the_clouds_is_refused(azure: Azure, connected: Connect, host: str) -> None:
    with pytest.raises(UnsafeError, match="AZURE_AUTHORITY_HOST"):
        async with connected(environ={**ENVIRON, "AZURE_AUTHORITY_HOST": host}):
            pytest.fail("connected")
    assert azure.connects == []


async def test_the_clouds_own_authority_may_be_named(connected: Connect) -> None:
    async with connected(environ={**ENVIRON, "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/"}) as connection:
        assert connection.identity.tenant_id == TENANT


@pytest.mark.parametrize(
    "options", [{"share": 0}, {"share": 1.5}, {"concurrency": 0}, {"concurrency": 10**9}, {"auth": "magic"}]
)
async def test_options_that_mean_nothing_are_usage_errors(azure: Azure, connected: Connect, options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        async with connected(**options):
            pytest.fail("connected")
    assert azure.requests == []


async def test_the_skew_of_this_clock_is_measured(azure: Azure, connected: Connect, clock: FakeClock) -> None:
    clock.start = 1_795_521_600 + 42
    azure.script = lambda request: Reply({"value": []}, headers={"Date": "Tue, 24 Nov 2026 12:00:00 GMT"})
    async with connected() as connection:
        listing = connection.gateway.pages("domain.list", dict, by=str)
        assert [item async for item in listing] == []
        assert connection.skew() == 42


# Silence


async def test_no_token_secret_or_body_is_logged_at_any_level(
    azure: Azure, connected: Connect, vault: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    azure.script = lambda request: error(403, "Forbidden", "ForbiddenByFirewall", "Client address: 203.0.113.7")
    with caplog.at_level(logging.DEBUG):
        async with connected() as connection:
            for operation, options in (("subscription.list", {}), ("domain.list", {}), ("key.list", {"host": vault})):
                listing = connection.gateway.pages(operation, msgspec.Raw, by=str, **options)  # type: ignore[arg-type]
                assert [item async for item in listing] == []
                assert isinstance(listing.end.refusal, Refusal)
                assert listing.end.refusal.reason in (Reason.FIREWALL, Reason.PERMISSION)
    printed = caplog.text + "".join(capsys.readouterr())
    for secret in (SECRET, "signature-of-token", "203.0.113.7", "Bearer"):
        assert secret not in printed
