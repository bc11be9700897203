"""Ways to sign in: each through the official credential, and what goes wrong told without a secret."""

import asyncio
import base64
import datetime
import http.server
import json
import logging
import math
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from keyaudit.cloud.identity import credential as credential_module
from keyaudit.model.errors import AccessError, UnavailableError, UsageError
from tests.cloud.azure import LOGIN, SECRET, TENANT, Azure, Reply, Request, token
from tests.cloud.conftest import ENVIRON, Connect

pytestmark = pytest.mark.filterwarnings("error")

GRANTED = {"token_type": "Bearer", "expires_in": 3600}


def _denied(code: str, status: int = 401) -> Reply:
    return Reply({"error": "invalid_client", "error_description": f"{code}: words. Trace ID: 1", "error_codes": [1]}, status)


def _cli(folder: Path, body: str) -> str:
    """An `az` of our own, in a folder for PATH."""
    script = folder / "az"
    script.write_text(f"#!{sys.executable}\nimport json, sys\n{body}\n")
    script.chmod(0o700)
    return str(folder)


def _cli_gives(given: str) -> str:
    return (
        f"print(json.dumps({{'accessToken': '{given}', 'expiresOn': '2099-01-01 00:00:00.000000', 'expires_on': 4070908800}}))"
    )


async def test_a_wrong_secret_is_told_by_its_code_alone(
    azure: Azure, connected: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    azure.sign_in = lambda request: _denied("AADSTS7000215")
    with caplog.at_level(logging.DEBUG), pytest.raises(AccessError) as stopped:
        async with connected():
            pytest.fail("connected")
    assert str(stopped.value) == (
        "sign-in: no token (environment: AADSTS7000215); check its variables, or choose another way with --auth"
    )
    assert SECRET not in caplog.text
    assert len(azure.to(LOGIN)) == 1


NO_TOKENS: tuple[object, ...] = (True, 1, None, [], {}, "")
NO_ENDS: tuple[object, ...] = (None, [], {}, "x", "1" * 5_000, math.inf, math.nan)


@pytest.mark.parametrize(
    "answer",
    [
        *({**GRANTED, "access_token": odd} for odd in NO_TOKENS),
        *({**GRANTED, "access_token": token(), "expires_in": odd} for odd in NO_ENDS),
        {"token_type": "Bearer", "access_token": token()},
        {"error": {"code": 1}, "error_description": 3},
        [],
        True,
        None,
    ],
    ids=lambda answer: json.dumps(answer)[-40:],
)
async def test_an_answer_without_a_token_is_a_failed_sign_in(azure: Azure, connected: Connect, answer: object) -> None:
    azure.sign_in = lambda request: Reply(json.dumps(answer).encode())
    with pytest.raises(AccessError, match=r"no token \(environment: no token was issued\)"):
        async with connected():
            pytest.fail("connected")


@pytest.mark.parametrize("end", [-5, 10**300, int("1" * 400)], ids=["past", "far", "farther"])
async def test_a_token_is_used_whatever_its_end(azure: Azure, connected: Connect, end: int) -> None:
    azure.sign_in = lambda request: Reply({**GRANTED, "access_token": token(), "expires_in": end})
    async with connected() as connection:
        assert connection.identity.tenant_id == TENANT


async def test_a_sign_in_service_that_is_down_is_not_the_users_fault(azure: Azure, connected: Connect) -> None:
    azure.sign_in = lambda request: _denied("AADSTS90033", 503)
    with pytest.raises(UnavailableError, match=r"AADSTS90033\); try again later"):
        async with connected():
            pytest.fail("connected")
    assert len(azure.to(LOGIN)) == 4


async def test_a_service_principal_may_hold_a_certificate(azure: Azure, connected: Connect, tmp_path: Path) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != "AZURE_CLIENT_SECRET"}
    file = tmp_path / "certificate.pem"
    file.write_bytes(_rsa_certificate())
    async with connected(environ={**environ, "AZURE_CLIENT_CERTIFICATE_PATH": str(file)}) as connection:
        assert connection.identity.shown.endswith("(environment)")
    assert b"client_assertion=" in azure.to(LOGIN)[0].body


async def test_a_certificate_that_cannot_be_read_is_said(connected: Connect, tmp_path: Path) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != "AZURE_CLIENT_SECRET"}
    for path in (tmp_path / "none.pem", tmp_path):
        with pytest.raises(AccessError, match="environment: its credential is unreadable"):
            async with connected(environ={**environ, "AZURE_CLIENT_CERTIFICATE_PATH": str(path)}):
                pytest.fail("connected")


async def test_the_azure_cli_gives_its_token(
    azure: Azure, connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", _cli(tmp_path, _cli_gives(token(upn="alice@contoso.example"))))
    async with connected(auth="auto", environ={}) as connection:
        assert connection.identity.shown == "alice@contoso.example (Azure CLI)"
    assert azure.requests == []


@pytest.mark.parametrize(
    ("body", "told", "remedy"),
    [
        (
            None,
            "Azure CLI: the Azure CLI is not installed",
            "install it (https://learn.microsoft.com/cli/azure/install-azure-cli) and run `az login`",
        ),
        (
            "sys.exit(\"ERROR: Please run 'az login' to setup account.\")",
            "Azure CLI: the Azure CLI is not signed in",
            "run `az login`",
        ),
        ("print('what is this')", "Azure CLI: no token was issued", "run `az login`"),
    ],
)
async def test_auto_says_what_it_tried_and_why_each_failed(
    connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str | None, told: str, remedy: str
) -> None:
    monkeypatch.setattr(credential_module, "PROBE_TIMEOUT", 0.0)
    monkeypatch.setenv("PATH", _cli(tmp_path, body) if body else str(tmp_path))
    with pytest.raises(AccessError) as stopped:
        async with connected(auth="auto", environ={}):
            pytest.fail("connected")
    tried = f"no token ({told}, managed identity: no managed identity endpoint responds)"
    assert str(stopped.value) == f"sign-in: {tried}; {remedy}, or choose another way with --auth"


async def test_auto_does_not_go_on_as_somebody_else(
    azure: Azure, connected: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", _cli(tmp_path, _cli_gives(token())))
    azure.sign_in = lambda request: _denied("AADSTS7000215")
    with pytest.raises(AccessError, match=r"\(environment: AADSTS7000215\)"):
        async with connected(auth="auto"):
            pytest.fail("connected")


@pytest.mark.parametrize("auth", ["env", "workload-identity", "azure-pipelines"])
async def test_a_way_without_its_variables_names_them(azure: Azure, connected: Connect, auth: str) -> None:
    with pytest.raises(UsageError, match=f"--auth {auth}: needs AZURE"):
        async with connected(auth=auth, environ={"AZURE_TENANT_ID": TENANT}):
            pytest.fail("connected")
    assert azure.requests == []


async def test_workload_identity_posts_its_assertion_to_the_clouds_authority(
    azure: Azure, connected: Connect, tmp_path: Path
) -> None:
    file = tmp_path / "assertion"
    file.write_text("the-assertion")
    environ = {
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": ENVIRON["AZURE_CLIENT_ID"],
        "AZURE_FEDERATED_TOKEN_FILE": str(file),
    }
    async with connected(auth="auto", environ=environ) as connection:
        assert connection.identity.shown.endswith("(workload identity)")
    assert b"client_assertion=the-assertion" in azure.to(LOGIN)[0].body
    assert azure.foreign == []


async def test_azure_pipelines_exchanges_its_oidc_token(
    azure: Azure, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", "https://dev.oidc.example/oidc")
    environ = {
        "AZURESUBSCRIPTION_TENANT_ID": TENANT,
        "AZURESUBSCRIPTION_CLIENT_ID": ENVIRON["AZURE_CLIENT_ID"],
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "connection",
        "SYSTEM_ACCESSTOKEN": "pipeline-token",
        "SYSTEM_OIDCREQUESTURI": "https://dev.oidc.example/oidc",
    }
    azure.script = lambda request: Reply({"oidcToken": "the-oidc-token"})
    async with connected(auth="auto", environ=environ) as connection:
        assert connection.identity.shown.endswith("(Azure Pipelines)")
    assert azure.connects[0] == "dev.oidc.example"
    assert b"the-oidc-token" in azure.to(LOGIN)[-1].body


async def test_a_device_code_is_prompted_for(azure: Azure, connected: Connect) -> None:
    told: list[str] = []

    def sign_in(request: Request) -> Reply:
        if request.path.endswith("/devicecode"):
            code = {"device_code": "d", "user_code": "ABCD", "verification_uri": "https://x.example/device", "message": "m"}
            return Reply({**code, "expires_in": 900, "interval": 1})
        who = token(upn="carol@contoso.example")
        client_info = base64.urlsafe_b64encode(json.dumps({"uid": "u", "utid": TENANT}).encode()).decode()
        return Reply({**GRANTED, "access_token": who, "id_token": _id_token(), "client_info": client_info, "scope": "s"})

    azure.sign_in = sign_in
    azure.script = lambda request: Reply(
        {
            "issuer": f"https://{LOGIN}/{TENANT}/v2.0",
            "token_endpoint": f"https://{LOGIN}/{TENANT}/oauth2/v2.0/token",
            "authorization_endpoint": f"https://{LOGIN}/{TENANT}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"https://{LOGIN}/{TENANT}/oauth2/v2.0/devicecode",
        }
    )
    async with connected(auth="device-code", tenant=TENANT, environ={}, prompt=told.append) as connection:
        assert connection.identity.shown == "carol@contoso.example (device code)"
    assert told == ["To sign in, open https://x.example/device in a browser and enter the code ABCD"]
    assert azure.foreign == []


@pytest.fixture
def identity_endpoint() -> Iterator[str]:
    """An App Service identity endpoint on loopback, plain HTTP as it really is."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["X-IDENTITY-HEADER"] == "header"
            body = json.dumps(
                {"access_token": token(), "expires_on": "4070908800", "token_type": "Bearer", "resource": "r"}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/token"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("auth", ["managed-identity", "auto"])
async def test_a_managed_identity_is_asked_without_the_proxy(
    azure: Azure, connected: Connect, identity_endpoint: str, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    environ = {"IDENTITY_ENDPOINT": identity_endpoint, "IDENTITY_HEADER": "header"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    async with connected(auth=auth, environ=environ) as connection:
        assert connection.identity.shown.endswith("(managed identity)")
    assert azure.connects == []


async def test_a_sign_in_that_nobody_finishes_can_be_left(azure: Azure, connected: Connect) -> None:
    azure.sign_in = azure.script = lambda request: Reply(hang=True)

    async def sign_in() -> None:
        async with connected(auth="device-code", tenant=TENANT, environ={}):
            pytest.fail("connected")

    task = asyncio.create_task(sign_in())
    while not azure.requests:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def _id_token() -> str:
    said = {
        "aud": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "iss": f"https://{LOGIN}/{TENANT}/v2.0",
        "sub": "s",
        "exp": "4070908800",
        "preferred_username": "carol@contoso.example",
    }
    return token(**said)


def _rsa_certificate() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "auditor")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + certificate.public_bytes(serialization.Encoding.PEM)
