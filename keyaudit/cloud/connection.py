"""A signed-in connection to one tenant in one cloud, checked before anything is read."""

import asyncio
import logging
import math
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
from azure.core.pipeline.transport import AioHttpTransport
from msgspec import Struct

from keyaudit.cloud.clients import Clients, transport_on
from keyaudit.cloud.clock import Clock
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.gateway import Gateway
from keyaudit.cloud.identity.credential import Surroundings, Way, ways
from keyaudit.cloud.identity.sign_in import SignIn
from keyaudit.cloud.identity.tokens import NO_ANSWER, Claims, Tokens
from keyaudit.cloud.limits.pacing import LIMITS
from keyaudit.cloud.refusal import NO_CLI, RETRIED, Refused
from keyaudit.cloud.replay import Memory
from keyaudit.cloud.sender import Sender
from keyaudit.cloud.session import Door, local_hosts, open_session, tls_context
from keyaudit.model.coverage import Refusal
from keyaudit.model.errors import AccessError, UnavailableError, UnsafeError, UsageError
from keyaudit.model.forecast import Forecast
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.values.guid import GUID
from keyaudit.model.values.text import one_line

__all__ = ["Clock", "Connection", "Identity", "connect"]

_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_ISSUER = re.compile(rf"https://[^/]+/({GUID.pattern})(/.*)?")

# These loggers print answers with ids; a run reports its own errors.
_LOGGERS = ("azure", "msal", "aiohttp", "httpx", "urllib3", "msgraph", "kiota_http")

# Variables that stop `auto`: they were set on purpose, and another identity could see another tenant.
_INSTALL = "https://learn.microsoft.com/cli/azure/install-azure-cli"
_DECISIVE = frozenset({"env", "workload-identity", "azure-pipelines"})


class _Metadata(msgspec.Struct):
    issuer: str


class Identity(Struct, frozen=True):
    """The identity. `shown` is for people: "alice@contoso.example (Azure CLI)"; `tenant_id` is a GUID in lower case."""

    tenant_id: str
    shown: str


class Connection:
    """What collectors use: the gateway, the identity and the environment."""

    def __init__(self, gateway: Gateway, identity: Identity, environment: Environment, door: Door) -> None:
        self.gateway, self.identity, self.environment = gateway, identity, environment
        self._door = door

    def watch(self, waits: Callable[[str, Reason, float], None], gone: Callable[[str], Awaitable[bool]]) -> None:
        """`waits` is told of every wait, and `gone` asked whether the vault of a host was deleted."""
        self.gateway.sender.watch, self.gateway.sender.gone = waits, gone

    def remembering(self, memory: Memory) -> "Connection":
        """The same connection, for reads whose answers are kept in that memory, and taken from there first."""
        return Connection(self.gateway.remembering(memory), self.identity, self.environment, self._door)

    def monotonic(self) -> float:
        """Seconds, by the clock that paces the requests."""
        return self.gateway.sender.clock.monotonic()

    def forecast(self, surface: str, operation: str, requests: int, subscription: str = "") -> Forecast | None:
        """How long so many requests of a step of the collection take; None if none of them would be sent."""
        sender, declared = self.gateway.sender, OPERATIONS[operation]
        limit, seconds = sender.forecast(declared.throttle, requests, subscription)
        return Forecast(
            surface=surface,
            throttle=declared.throttle,
            noun=declared.noun,
            requests=requests,
            seconds=seconds,
            units=limit.units,
            window=limit.window,
            share=sender.share,
        )

    def skew(self) -> int | None:
        """The median of this clock minus the services' clocks, in seconds; None if no answer had a date."""
        return self.gateway.sender.skew.median()

    @property
    def requests(self) -> int:
        """Requests sent so far, sign-in and challenges included."""
        return self._door.requests

    @property
    def retries(self) -> int:
        """The number of retries among them."""
        return self.gateway.sender.retries


@asynccontextmanager
async def connect(sign_in: SignIn, *, clock: Clock, prompt: Callable[[str], None]) -> AsyncIterator[Connection]:
    """Sign in, check the tenant, and keep the connection open for the block.

    `prompt` shows the instructions of an interactive sign-in. Raises UsageError for invalid arguments, UnsafeError for a token
    of another tenant or an authority of another cloud, AccessError if no sign-in works, UnavailableError if the sign-in service
    is down.
    """
    door = Door(sign_in.environment, sign_in.network, local_hosts(sign_in.environ))
    async with signed_in(sign_in, clock=clock, prompt=prompt, door=door) as session:
        yield Connection(session.gateway, session.identity, sign_in.environment, door)


class Session(Struct, frozen=True):
    """A sign-in that holds, and what the clients that use it need."""

    identity: Identity
    tokens: Tokens
    transport: AioHttpTransport
    gateway: Gateway


@asynccontextmanager
async def signed_in(sign_in: SignIn, *, clock: Clock, prompt: Callable[[str], None], door: Door) -> AsyncIterator[Session]:
    """Sign in and check the tenant, as `connect` says. Nothing gets past the `door`."""
    _check(sign_in)
    environment, tenant, budget = sign_in.environment, sign_in.tenant, sign_in.budget
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    asked = _tenant(tenant)
    context = tls_context(sign_in.network)
    async with open_session(sign_in.network, context, door, connections=2 * sign_in.concurrency) as session:
        tokens = Tokens(environment, clock)
        transport = transport_on(session)
        sender = Sender(
            Clients(session, context, environment, tokens, transport),
            tokens,
            clock,
            share=sign_in.share,
            limits=LIMITS if sign_in.paced else {},
            concurrency=sign_in.concurrency,
            deadline=math.inf if budget is None else clock.monotonic() + budget,
            chance=random.Random(),  # noqa: S311 - jitter
        )
        gateway = Gateway(sender, environment)
        if asked is not None and not GUID.fullmatch(asked):
            asked = await _resolve(asked, gateway)
        around = Surroundings(
            environment=environment,
            environ=sign_in.environ,
            network=sign_in.network,
            transport=transport,
            tenant=asked,
            roams=sign_in.roams,
            prompt=prompt,
        )
        async with _first_way(ways(sign_in.auth, around), tokens, environment.login) as (way, claims):
            found = claims.tid.lower()
            if asked is not None and asked != found:
                shown = asked if tenant is None or tenant.lower() == asked else f"{one_line(tenant)} ({asked})"
                raise UnsafeError(
                    "--tenant",
                    f"{shown} was requested, but the sign-in belongs to {one_line(found)}",
                    "sign in to the tenant you mean, or name the other one",
                )
            tokens.tenant = door.tenant = found
            yield Session(Identity(found, f"{_name(claims)} ({way.shown})"), tokens, transport, gateway)


def _check(sign_in: SignIn) -> None:
    environment = sign_in.environment
    authority = sign_in.environ.get("AZURE_AUTHORITY_HOST", "").strip().lower().removeprefix("https://").rstrip("/")
    if authority and authority != environment.login:
        raise UnsafeError(
            "AZURE_AUTHORITY_HOST",
            f"{one_line(authority)} is not the sign-in service of cloud {environment.name}, {environment.login}",
            "unset it, or choose its cloud with --cloud",
        )
    if not 0 < sign_in.share <= 1:
        raise UsageError("--share", "not above 0 and at most 1", "use 0.5 for half of each limit")
    if not 1 <= sign_in.concurrency <= 1_000:
        raise UsageError("--concurrency", "not between 1 and 1,000", "use 64")


def _tenant(tenant: str | None) -> str | None:
    if tenant is None:
        return None
    text = tenant.strip().lower()
    if not GUID.fullmatch(text) and not _DOMAIN.fullmatch(text):
        raise UsageError(
            "--tenant", f"neither a tenant id nor a domain: {one_line(tenant)}", "use its GUID, or contoso.onmicrosoft.com"
        )
    return text


async def _resolve(domain: str, gateway: Gateway) -> str:
    """The GUID of a domain's tenant, read without signing in."""
    found = await gateway.get("login.metadata", _Metadata, tenant=domain)
    if isinstance(found, Refusal):
        if found.status in (400, 404):
            raise UsageError("--tenant", f"no tenant of this cloud has the domain {domain}", "check the name, and --cloud")
        raise _stopped("--tenant", f"{domain} could not be looked up: {found.detail}", found)
    match = _ISSUER.fullmatch(found.issuer.lower())
    if match is None:
        raise UsageError("--tenant", f"{domain} could not be looked up: no tenant was given", "use the tenant's GUID")
    return match[1]


@asynccontextmanager
async def _first_way(candidates: list[Way], tokens: Tokens, login: str) -> AsyncIterator[tuple[Way, Claims]]:
    """The first credential that returns a token, open for the block. `login` is the host of the sign-in service."""
    failures: list[str] = []
    last, decisive = Refusal(Reason.AUTH_FAILED), False
    for way in candidates:
        try:
            credential = way.make()
        except (OSError, ValueError) as error:
            raise AccessError(
                "sign-in", f"no token ({way.shown}: its credential is unreadable)", "check its variables"
            ) from error
        try:
            try:
                async with asyncio.timeout(way.timeout):
                    claims = await tokens.sign_in(credential)
            except Refused as refused:
                last = refused.refusal
            except TimeoutError:
                last = Refusal(Reason.AUTH_FAILED, "no managed identity endpoint responds")
            else:
                yield way, claims
                return
        finally:
            await credential.close()
        failures.append(f"{way.shown}: {last.detail}")
        decisive = way.method in _DECISIVE
        if decisive or last.detail.startswith("AADSTS"):
            break
    if last.detail.startswith(NO_ANSWER):
        what = f"{login} could not be reached ({', '.join(failures).replace(NO_ANSWER, '')})"
        raise AccessError("sign-in", what, "check DNS, the proxy (HTTPS_PROXY, SSL_CERT_FILE) and the firewall")
    raise _stopped("sign-in", f"no token ({', '.join(failures)})", last, decisive=decisive)


def _stopped(place: str, what: str, refusal: Refusal, *, decisive: bool = False) -> AccessError | UnavailableError:
    """The error that ends the run. `decisive`: the sign-in was configured by variables, and they are the cause."""
    if refusal.status in RETRIED or refusal.reason in (Reason.SERVICE_ERROR, Reason.THROTTLED):
        return UnavailableError(place, what, "try again later")
    if refusal.reason is Reason.AUTH_FAILED:
        log_in = f"install it ({_INSTALL}) and run `az login`" if NO_CLI in what else "run `az login`"
        return AccessError(place, what, f"{'check its variables' if decisive else log_in}, or choose another way with --auth")
    return AccessError(place, what, ADVICE[refusal.reason].remedy)


def _name(claims: Claims) -> str:
    """A user's sign-in name, or an application's name and id."""
    for user in (claims.upn, claims.unique_name, claims.preferred_username):
        if user:
            return one_line(user)
    application = claims.appid or claims.azp
    if claims.app_displayname:
        return one_line(f"{claims.app_displayname}, application {application}")
    return one_line(f"application {application}" if application else f"object {claims.oid}")
