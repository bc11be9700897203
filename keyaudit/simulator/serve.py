"""Serves a simulated tenant on loopback, inside a context."""

import asyncio
import contextlib
import tempfile
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path

from keyaudit.simulator import login
from keyaudit.simulator.authority import tls_context
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.key_vault import managed_hsms, vaults
from keyaudit.simulator.microsoft_graph import retired_graph
from keyaudit.simulator.microsoft_graph import service as graph
from keyaudit.simulator.monitor import ingestion, log_analytics
from keyaudit.simulator.proxy import Listener
from keyaudit.simulator.resource_manager import service as arm
from keyaudit.simulator.service import Writes
from keyaudit.simulator.tenant import Tenant, Trapped
from keyaudit.simulator.throttle import Throttle, Total


class Simulator:
    """A running simulated tenant: its address, how to sign in, and the received requests."""

    def __init__(self, tenant: Tenant, proxy: str, ca_file: Path) -> None:
        self._tenant = tenant
        self.proxy = proxy
        """The HTTP CONNECT proxy, `http://127.0.0.1:PORT`."""
        self.ca_file = ca_file
        """The CA file that its clients must trust, in PEM; removed at the end."""

    @property
    def estate(self) -> Estate:
        """The served estate, as it is now."""
        return self._tenant.directory.estate

    def restore(self, estate: Estate) -> None:
        """Serve what `estate` was, which a client has changed since."""
        self._tenant.directory.change(estate)

    @property
    def client_id(self) -> str:
        """The application id to sign in with."""
        return self._tenant.directory.client_id

    @property
    def client_secret(self) -> str:
        """The application's secret."""
        return self._tenant.directory.client_secret

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that connect an unmodified client, signed in as the application."""
        return {
            "HTTPS_PROXY": self.proxy,
            "SSL_CERT_FILE": str(self.ca_file),
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
            "AZURE_TENANT_ID": self.estate.tenant_id,
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_CLIENT_SECRET": self.client_secret,
        }

    @property
    def requests(self) -> deque[tuple[str, str, str]]:
        """Method, host and target of every request, oldest first; the last 200,000."""
        return self._tenant.requests

    @property
    def calls(self) -> Counter[str]:
        """The number of requests by operation; `challenge` counts the 401s."""
        return self._tenant.calls

    @property
    def audiences(self) -> set[tuple[str, str]]:
        """Each host that received a token, with the token's audience; empty for a token that was not issued here."""
        return self._tenant.audiences

    @property
    def refused(self) -> list[str]:
        """`host:port` of every CONNECT to an unknown name."""
        return self._tenant.refused

    @property
    def trapped(self) -> list[Trapped]:
        """The requests to the trap hosts."""
        return self._tenant.trapped

    @property
    def ingested(self) -> list[dict[str, object]]:
        """The rows that the ingestion endpoint accepted, in order."""
        return self._tenant.ingestion.rows

    @property
    def throttled(self) -> int:
        """The number of throttled requests."""
        return self._tenant.meter.refused if self._tenant.meter else 0

    @property
    def charged(self) -> Mapping[tuple[str, str], Total]:
        """All that was charged to each limit, by its name and domain; empty without throttles."""
        return self._tenant.meter.charged if self._tenant.meter else {}

    def token(self, audience: str, *, tenant_id: str | None = None, **claims: object) -> str:
        """An access token of the audited identity, as from another kind of sign-in.

        `tenant_id` and `claims` replace what it says: a token of another tenant, of a user.
        """
        directory = self._tenant.directory
        changed = {"tid": tenant_id, "iss": f"https://sts.windows.net/{tenant_id}/"} if tenant_id else {}
        return directory.tokens.issue({"aud": audience, **directory.app_claims, **changed, **claims}, self._tenant.now())


@contextlib.asynccontextmanager
async def serve(
    estate: Estate,
    *,
    latency: float = 0.0,
    throttle: Throttle | None = None,
    faults: Sequence[Fault] = (),
    traps: Collection[str] = (),
    port: int = 0,
    now: Callable[[], float] | None = None,
    others: Sequence[Estate] = (),
    folder: Path | None = None,
    writes: Writes | None = None,
) -> AsyncIterator[Simulator]:
    """Serve an estate on 127.0.0.1; `port` 0 takes a free one.

    `latency` is seconds before each answer. `now` gives unix seconds for dates, token lifetimes and throttles;
    without it time starts at the estate's as_of and runs on. `traps` are foreign hosts that answer instead of being
    refused, and note what they are sent. `others` are further tenants, which let the same application in.
    `folder` takes its certificates; without one it makes a temporary folder. `writes` answers requests that change the
    estate; without it they are refused.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    clock = now or (lambda: estate.as_of + loop.time() - start)
    more = [Tenant(other, clock, throttle=throttle, faults=(), traps=()) for other in others]
    tenant = Tenant(estate, clock, throttle=throttle, faults=faults, traps=traps, others=more, writes=writes)
    with contextlib.nullcontext(folder) if folder else tempfile.TemporaryDirectory(prefix="keyaudit-simulated-") as place:
        services = [login.HOST, arm.HOST, graph.HOST, retired_graph.HOST, log_analytics.HOST, ingestion.HOST]
        names = [*services, f"*{vaults.SUFFIX}", f"*{managed_hsms.SUFFIX}", *traps]
        context, ca_file = tls_context(names, Path(place))
        listener = Listener(tenant, context, latency)
        server = await loop.create_server(listener, "127.0.0.1", port, backlog=1024)
        try:
            address = server.sockets[0].getsockname()
            yield Simulator(tenant, f"http://127.0.0.1:{address[1]}", ca_file)
        finally:
            server.close()
            listener.close()
            await server.wait_closed()
