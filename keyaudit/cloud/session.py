"""The one HTTP session: connector, TLS context and resolver, and a check that allows requests to known hosts only."""

import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp.tracing import Trace

from keyaudit.cloud.bodies import ACCEPTED
from keyaudit.cloud.challenge import claims_refusal, vault_refusal
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.network import Network
from keyaudit.cloud.refusal import Refused
from keyaudit.model.coverage import Refusal
from keyaudit.model.errors import UsageError
from keyaudit.model.reasons import Reason

CONNECT_TIMEOUT = 8.0
"""Seconds to connect, including DNS, proxy and TLS."""

READ_TIMEOUT = 30.0

KEPT_ALIVE = 1.0
"""Seconds for which an idle connection is kept: each has 256 KB of buffers, and there may be thousands of vaults."""

# The hosts that azure-identity contacts for a managed identity; it receives a token there and sends none.
# https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
_LOCAL = frozenset({"169.254.169.254", "localhost", "127.0.0.1"})
_VAULT_NAME = re.compile(r"[a-z0-9-]+")
_ENDPOINT = re.compile(r"https?://([A-Za-z0-9.-]+)(?:[:/]|$)")
_IDENTITY_VARIABLES = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")


class _Connector(aiohttp.TCPConnector):
    """Bounds the time to connect, for all clients alike: they bound its parts, but not a proxy's answer to CONNECT."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        bound = aiohttp.ClientTimeout(
            total=timeout.total, connect=CONNECT_TIMEOUT, sock_read=timeout.sock_read, sock_connect=CONNECT_TIMEOUT
        )
        return await super().connect(req, traces, bound)


class Door:
    """Checks every request that any client sends, and every 401 before a client sees it.

    It is below the official clients, so that they cannot follow a redirect or answer a foreign challenge on their own.
    """

    def __init__(
        self,
        environment: Environment,
        network: Network,
        local: frozenset[str] = frozenset(),
        *,
        only: str | None = None,
    ) -> None:
        """`only`: the one host that may be contacted besides the sign-in service. None: all that is read of the cloud."""
        self.requests = 0
        """Requests sent, sign-in and challenges included."""
        self.tenant = ""
        self._environment, self._network, self._local = environment, network, local
        if only is None:
            self._azure = frozenset({environment.login, environment.arm, environment.graph, environment.logs}) - {""}
            self._scopes = {environment.vault_suffix: environment.vault_scope, environment.hsm_suffix: environment.hsm_scope}
        else:
            self._azure, self._scopes = frozenset({environment.login, only}), {}

    async def __call__(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Send one request, if it may be sent."""
        host = request.url.raw_host or ""
        name, _, suffix = host.partition(".")
        scope = self._scopes.get(suffix) if _VAULT_NAME.fullmatch(name) else None
        if host in self._local:
            request.proxy = None
        elif (host not in self._azure and scope is None) or request.url.scheme != "https" or request.url.port != 443:
            raise Refused(Refusal(Reason.FOREIGN_LINK, "the request would have gone to a host outside Azure"))
        elif not self._network.proxied(host):
            request.proxy = None
        self.requests += 1
        response = await handler(request)
        if response.status == 401 and (refusal := self._challenge(response, scope)):
            response.close()
            raise Refused(refusal)
        return response

    def _challenge(self, response: aiohttp.ClientResponse, scope: str | None) -> Refusal | None:
        """`scope` is the scope that a vault or HSM may request a token for; None for other hosts."""
        header = ", ".join(response.headers.getall("WWW-Authenticate", ()))
        if not header:
            return None
        return vault_refusal(header, self._environment, self.tenant, scope) if scope else claims_refusal(header)


def local_hosts(environ: Mapping[str, str]) -> frozenset[str]:
    """Hosts of the managed identity endpoints on this machine; never reached through a proxy."""
    return _LOCAL | {match[1].lower() for name in _IDENTITY_VARIABLES if (match := _ENDPOINT.match(environ.get(name, "")))}


def tls_context(network: Network) -> ssl.SSLContext:
    """The TLS context of a run. SSLKEYLOGFILE is ignored, so that no session keys are logged. Raises UsageError for a bad CA
    file.
    """
    try:
        context = ssl.create_default_context(cafile=network.ca_file)
    except OSError as error:
        raise UsageError(
            str(network.ca_file), "not a file with CA certificates in PEM format", "set SSL_CERT_FILE to such a file"
        ) from error
    context.keylog_filename = None  # type: ignore[assignment] # None closes it, which typeshed does not know
    return context


@asynccontextmanager
async def open_session(
    network: Network, context: ssl.SSLContext, door: Door, *, connections: int
) -> AsyncIterator[aiohttp.ClientSession]:
    """The session of all official clients, closed only here. It reads nothing from the environment: no NETRC, no cookies."""
    connector = _Connector(ssl=context, limit=connections, ttl_dns_cache=300, keepalive_timeout=KEPT_ALIVE)
    session = aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": ACCEPTED},
        middlewares=(door,),
        proxy=network.proxy,
        trust_env=False,
        requote_redirect_url=False,
    )
    async with session:
        yield session
