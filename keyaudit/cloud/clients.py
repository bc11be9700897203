"""The official clients, raw: Key Vault's, Graph's and azure-core's pipeline on one session, their retries and redirects off."""

import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import httpx
from azure.core.pipeline import AsyncPipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, AsyncHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.keyvault.keys.aio import KeyClient
from httpx_aiohttp import AiohttpTransport
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgspec import Struct

from keyaudit.cloud.bodies import ACCEPTED, MAX_BODY, unpacked
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.identity.tokens import Tokens
from keyaudit.cloud.session import CONNECT_TIMEOUT, READ_TIMEOUT
from keyaudit.model.operations import Operation, Surface

USER_AGENT = "keyaudit"
_HEADERS = {"Accept": "application/json", "User-Agent": USER_AGENT}
_BLOCK = 65_536

QUERY_TIMEOUT = 115.0
"""Seconds to the first byte of an answer of Log Analytics, which sends nothing before a query is finished."""


class Answer(Struct, frozen=True):
    """An answer of any status: header names compare without case, the body is uncompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def transport_on(
    session: aiohttp.ClientSession, *, connect_timeout: float = CONNECT_TIMEOUT, read_timeout: float = READ_TIMEOUT
) -> AioHttpTransport:
    """azure-core's transport on the one session, which it does not close. Timeouts are in seconds."""
    return AioHttpTransport(
        session=session,
        session_owner=False,
        use_env_settings=False,
        connection_timeout=connect_timeout,
        read_timeout=read_timeout,
        connection_data_block_size=_BLOCK,
    )


class Clients:
    """Sends a request with the client of its surface, which signs it. Closes nothing: the session is not theirs."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        context: ssl.SSLContext,
        environment: Environment,
        tokens: Tokens,
        transport: AioHttpTransport,
    ) -> None:
        arm = AsyncBearerTokenCredentialPolicy(tokens, environment.arm_scope, enable_cae=True)
        self._login: AsyncPipeline[HttpRequest, AsyncHttpResponse] = AsyncPipeline(transport)
        self._arm: AsyncPipeline[HttpRequest, AsyncHttpResponse] = AsyncPipeline(transport, [arm])
        logs = AsyncBearerTokenCredentialPolicy(tokens, environment.logs_scope, enable_cae=True)
        self._logs: AsyncPipeline[HttpRequest, AsyncHttpResponse] = AsyncPipeline(transport, [logs])
        # A client keeps one token for all its hosts: a shared client would send an HSM's token to a vault.
        self._keys = {
            Surface.VAULT: _key_client(environment.vault_suffix, tokens, transport),
            Surface.MANAGED_HSM: _key_client(environment.hsm_suffix, tokens, transport),
        }
        self._graph = GraphRequestAdapter(
            AzureIdentityAuthenticationProvider(tokens, scopes=[environment.graph_scope], allowed_hosts=[environment.graph]),
            client=httpx.AsyncClient(
                transport=_BoundedTransport(verify=context, client=session),
                headers={"Accept-Encoding": ACCEPTED},
                timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT, read=READ_TIMEOUT),
                follow_redirects=False,
                trust_env=False,
            ),
        )
        self._graph.base_url = f"https://{environment.graph}/v1.0"

    async def send(self, operation: Operation, url: str, body: bytes | None) -> Answer:
        """Sends one request. The caller has checked its address. Raises the errors that `failures` knows."""
        surface, method, headers = operation.surface, operation.method, dict(operation.headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        if surface is Surface.GRAPH:
            return await self._send_graph(method, url, headers, body)
        request = _Request(method, url, headers={**_HEADERS, **headers}, content=body)
        if surface in self._keys:
            response = await self._keys[surface].send_request(request, stream=True)
        elif surface is Surface.LOGS:
            response = (await self._logs.run(request, stream=True, read_timeout=QUERY_TIMEOUT)).http_response
        else:
            pipeline = self._arm if surface is Surface.ARM else self._login
            response = (await pipeline.run(request, stream=True)).http_response
        try:
            encoding = response.headers.get("Content-Encoding", "")
            whole = b"".join([piece async for piece in unpacked(response.iter_raw(), encoding, MAX_BODY)])
        finally:
            await response.close()
        return Answer(response.status_code, response.headers, whole)

    async def _send_graph(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        request = RequestInformation(Method(method))
        request.url = url
        request.content = body
        for name, value in {**_HEADERS, **headers}.items():
            request.headers.try_add(name, value)
        request.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
        response: Any = await self._graph.send_primitive_async(request, "bytes", None)
        return Answer(response.status_code, response.headers, response.content)


class _Request(HttpRequest):
    """A request that is sent once, so that the Key Vault client need not copy it before it completes its URL."""

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> "_Request":
        return self


class _Nothing(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """In place of a policy that is not needed. The Key Vault client takes every policy's time for each request."""

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        return await self.next.send(request)


def _key_client(suffix: str, tokens: Tokens, transport: AioHttpTransport) -> KeyClient:
    """The client of all hosts of one kind. Its own URL is not used: every request has an absolute URL.

    It signs requests and answers challenges. It repeats nothing, follows no redirect, and adds no header of its own.
    """
    return KeyClient(
        f"https://unnamed.{suffix}",
        tokens,
        transport=transport,
        auto_request_id=False,
        retry_policy=_Nothing(),
        redirect_policy=_Nothing(),
        headers_policy=_Nothing(),
        user_agent_policy=_Nothing(),
        proxy_policy=_Nothing(),
        custom_hook_policy=_Nothing(),
        logging_policy=_Nothing(),
    )


class _BoundedTransport(AiohttpTransport):
    """Decompresses and bounds bodies, which Graph's client would otherwise read at any size."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - narrows the type that the base class returns
        response.stream = _Bounded(stream, response.headers.pop("Content-Encoding", ""))
        return response

    async def aclose(self) -> None:
        """Does nothing: the session belongs to the connection."""


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, encoding: str) -> None:
        self._stream, self._encoding = stream, encoding

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in unpacked(aiter(self._stream), self._encoding, MAX_BODY):
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
