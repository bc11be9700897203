"""Proxy and CA: what the environment says, what is not read, what is shown."""

import ssl
from pathlib import Path

import pytest

from keyaudit.cloud.network import Network
from keyaudit.cloud.session import local_hosts, tls_context
from keyaudit.model.errors import UsageError
from tests.cloud.authority import Authority
from tests.cloud.azure import ARM, GRAPH, LOGIN, Azure, Reply
from tests.cloud.conftest import Connect


def test_nothing_set_is_nothing_used() -> None:
    found = Network.from_environ(
        {"HTTPS_PROXY": "", "SSL_CERT_FILE": " ", "NO_PROXY": "", "HTTP_PROXY": "http://x:1", "ALL_PROXY": "y"}
    )
    assert found == Network()
    assert found.shown() == {}
    assert not found.proxied(ARM)


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({"HTTPS_PROXY": "http://proxy.example:8080"}, "http://proxy.example:8080"),
        ({"https_proxy": "http://proxy.example:8080/"}, "http://proxy.example:8080"),
        ({"HTTPS_PROXY": "proxy.example:8080"}, "http://proxy.example:8080"),
        ({"HTTPS_PROXY": "https://proxy.example", "https_proxy": "http://other.example"}, "https://proxy.example"),
        ({"HTTPS_PROXY": "http://user:p%40ss@[::1]:3128"}, "http://user:p%40ss@[::1]:3128"),
    ],
)
def test_the_proxy_is_read(environ: dict[str, str], proxy: str) -> None:
    assert Network.from_environ(environ).proxy == proxy


@pytest.mark.parametrize(
    "proxy", ["socks5://p:1", "http://", "http://p:99999", "http://p:0", "http://p:x", "http:// p", "http://["]
)
def test_what_is_no_proxy_is_an_error_that_does_not_repeat_it(proxy: str) -> None:
    with pytest.raises(UsageError, match=r"^HTTPS_PROXY: not the address of an HTTP proxy; set it like"):
        Network.from_environ({"HTTPS_PROXY": proxy})


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("x")
    found = Network.from_environ(
        {"HTTPS_PROXY": "http://user:secret@proxy.example:1", "SSL_CERT_FILE": str(ca), "NO_PROXY": "a.example"}
    )
    assert found.shown() == {"proxy": "http://proxy.example:1", "no_proxy": "a.example", "ca_file": str(ca)}


def test_the_first_ca_variable_that_is_set_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "a.pem", tmp_path / "b.pem"
    first.write_text("x")
    second.write_text("x")
    both = {"REQUESTS_CA_BUNDLE": str(second), "SSL_CERT_FILE": str(first)}
    assert Network.from_environ(both).ca_file == first
    assert Network.from_environ({"REQUESTS_CA_BUNDLE": str(second)}).ca_file == second
    with pytest.raises(UsageError, match="SSL_CERT_FILE: no such file"):
        Network.from_environ({**both, "SSL_CERT_FILE": str(tmp_path / "none.pem")})


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("", []),
        ("*", ["kv.vault.azure.net", ARM, GRAPH]),
        ("vault.azure.net", ["kv.vault.azure.net"]),
        (".vault.azure.net , GRAPH.microsoft.com", ["kv.vault.azure.net", GRAPH]),
        ("*.vault.azure.net", ["kv.vault.azure.net"]),
        ("azure.com", [ARM]),
        ("zure.com,net.example", []),
    ],
)
def test_no_proxy_names_a_host_and_all_below_it(no_proxy: str, direct: list[str]) -> None:
    network = Network.from_environ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": no_proxy})
    assert [host for host in ("kv.vault.azure.net", ARM, GRAPH) if not network.proxied(host)] == direct


def test_a_file_that_holds_no_certificates_is_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("not a certificate")
    with pytest.raises(UsageError, match="not a file with CA certificates"):
        tls_context(Network(ca_file=bad))


def test_session_keys_are_not_logged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: Authority) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = tls_context(Network(ca_file=authority.file))
    assert not context.keylog_filename
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_identity_endpoints_are_local() -> None:
    found = local_hosts({"IDENTITY_ENDPOINT": "http://10.1.2.3:42/token", "MSI_ENDPOINT": "nonsense"})
    assert found == {"169.254.169.254", "localhost", "127.0.0.1", "10.1.2.3"}


async def test_a_proxy_with_a_password_is_signed_in_to_and_the_environment_is_ignored(
    azure: Azure, connected: Connect, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {ARM} login alice password netrc-password\nmachine {LOGIN} login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
    azure.script = lambda request: Reply({"value": []})
    network = Network(proxy=f"http://user:p%40ss@127.0.0.1:{azure.port}", ca_file=authority.file)
    async with connected(network=network) as connection:
        for operation in ("subscription.list", "application.list"):
            listing = connection.gateway.pages(operation, dict, by=str)
            assert [item async for item in listing] == []
            assert listing.end.refusal is None
    assert {headers["proxy-authorization"] for headers in azure.proxy_headers} == {"Basic dXNlcjpwQHNz"}
    assert [request.headers["authorization"][:7] for request in azure.requests if request.host != LOGIN] == ["Bearer "] * 2
    assert "authorization" not in azure.to(LOGIN)[0].headers
