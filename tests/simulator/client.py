"""A plain client for tests of the wire: signs in by itself and shows status, headers and body as they came."""

import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from keyaudit.simulator.estate import Estate
from keyaudit.simulator.serve import Simulator, serve

ARM = "https://management.azure.com"
GRAPH = "https://graph.microsoft.com/v1.0"
LOGIN = "https://login.microsoftonline.com"


@dataclass
class Reply:
    """One answer; `data` is its decoded JSON, of any type."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


@dataclass
class Wire:
    """Requests to one simulator."""

    simulator: Simulator
    session: aiohttp.ClientSession
    tokens: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, url: str, **options: Any) -> Reply:
        """A request without a token of its own."""
        async with self.session.request(method, URL(url, encoded=True), proxy=self.simulator.proxy, **options) as response:
            return Reply(response.status, response.headers, await response.read())

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """A GET with a token for the host's service."""
        return await self.send("GET", url, headers={**await self.authorization(url), **(headers or {})})

    async def post(self, url: str, body: object) -> Reply:
        """A POST of JSON with a token for the host's service."""
        return await self.send("POST", url, headers=await self.authorization(url), json=body)

    async def pages(self, url: str, link: str = "nextLink") -> list[Any]:
        """Every page's body, by its link to the next."""
        found = []
        following: str | None = url
        while following:
            page = (await self.get(following)).data
            found.append(page)
            following = page.get(link)
        return found

    async def authorization(self, url: str) -> dict[str, str]:
        """The header for a host, with a token from the token endpoint."""
        host = urlsplit(url).hostname or ""
        kind = next((kind for kind in ("vault", "managedhsm") if host.endswith(f".{kind}.azure.net")), "")
        # Log Analytics moved to another host, and its tokens are still for the old one.
        host = host.replace("loganalytics.azure.com", "loganalytics.io")
        resource = f"https://{kind}.azure.net" if kind else f"https://{host}"
        if resource not in self.tokens:
            reply = await self.sign_in(scope=f"{resource}/.default")
            self.tokens[resource] = reply.data["access_token"]
        return {"Authorization": f"Bearer {self.tokens[resource]}"}

    async def sign_in(self, tenant: str = "", **changed: str) -> Reply:
        """The token endpoint's answer to client credentials."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.simulator.client_id,
            "client_secret": self.simulator.client_secret,
            "scope": f"{ARM}/.default",
            **changed,
        }
        tenant = tenant or self.simulator.estate.tenant_id
        return await self.send("POST", f"{LOGIN}/{tenant}/oauth2/v2.0/token", data=form)


@contextlib.asynccontextmanager
async def wire(estate: Estate, **options: Any) -> AsyncIterator[Wire]:
    """Serve an estate and talk to it."""
    async with serve(estate, **options) as simulator:
        context = ssl.create_default_context(cafile=simulator.ca_file)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            yield Wire(simulator, session)
