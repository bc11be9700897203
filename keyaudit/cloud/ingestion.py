"""Sends rows to a table of Log Analytics, with the official client. Nothing else is written to Azure.

It has a separate connection: the reading one cannot connect to the endpoint, and this one only to the endpoint.
"""

import json
import random
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import HttpResponseError
from azure.monitor.ingestion.aio import LogsIngestionClient
from msgspec import Struct
from msgspec.structs import replace

from keyaudit.cloud.clients import USER_AGENT
from keyaudit.cloud.clock import Clock
from keyaudit.cloud.connection import Identity, signed_in
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.failures import EXPECTED, failure_of, never_connected
from keyaudit.cloud.identity.sign_in import SignIn
from keyaudit.cloud.limits.circuit import PATIENCE
from keyaudit.cloud.limits.pacing import LONGEST_BACKOFF
from keyaudit.cloud.limits.waits import asked, clamped
from keyaudit.cloud.refusal import RETRIED, Refused
from keyaudit.cloud.sender import ATTEMPTS
from keyaudit.cloud.session import Door, local_hosts
from keyaudit.model.errors import OutputError, UnsafeError, UsageError
from keyaudit.model.values.text import one_line

Row = Mapping[str, object]

MOST_BYTES = 1_000_000
"""The maximum size of a request, before compression. https://learn.microsoft.com/azure/azure-monitor/service-limits: 1 MB,
compressed or not.
"""

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_RULE = re.compile(r"dcr-[0-9a-f]{32}")
_STREAM = re.compile(r"Custom-[A-Za-z0-9_-]{1,100}")


class Destination(Struct, frozen=True):
    """Where rows are sent: the host of an endpoint, the immutable id of a data collection rule, and one of its streams."""

    host: str
    rule: str
    stream: str

    @classmethod
    def of(cls, endpoint: str, rule: str, stream: str, environment: Environment) -> "Destination":
        """The destination by flags. Raises UsageError if one is malformed, UnsafeError for an endpoint of another cloud."""
        if not environment.ingest_suffix:
            raise UsageError("--cloud", f"cloud {environment.name} has no ingest_suffix", "name it in keyaudit.toml")
        form = f"https://NAME.REGION.{environment.ingest_suffix}"
        host = _host(endpoint)
        if host is None:
            raise UsageError("--endpoint", "not the address of an ingestion endpoint", f"it has the form {form}")
        if not re.fullmatch(rf"({_LABEL}\.)+{re.escape(environment.ingest_suffix)}", host):
            what = f"{one_line(host)} is no ingestion endpoint of cloud {environment.name}, and would get a token"
            raise UnsafeError("--endpoint", what, f"use {form}, or name its cloud with --cloud")
        if not _RULE.fullmatch(rule):
            raise UsageError(
                "--rule", "not the immutable id of a data collection rule", "it has the form dcr-0123...ef (32 digits)"
            )
        if not _STREAM.fullmatch(stream):
            raise UsageError("--stream", "not a stream of a custom table", "it has the form Custom-NAME_CL")
        return cls(host, rule, stream)


def _host(endpoint: str) -> str | None:
    """The host of an address that consists of https:// and a host; None for others."""
    try:
        split = urlsplit(endpoint)
    except ValueError:
        return None
    plain = split.scheme == "https" and split.netloc == split.hostname and split.path in ("", "/")
    return split.hostname if plain and not split.query and not split.fragment else None


class _Failure(Struct, frozen=True):
    """A failed attempt: why, whether and when to retry, and whether its rows may be stored."""

    why: str
    again: bool
    status: int = 0
    wait: float | None = None
    passing: bool = False
    """Throttled or not connected: retries are limited by time only."""
    certain: bool = True
    """Whether certainly none of its rows were stored."""


class Ingestion:
    """Sends rows to one stream, in sequential requests, each repeated until the service confirms it."""

    def __init__(
        self, client: LogsIngestionClient, destination: Destination, identity: Identity, clock: Clock, chance: random.Random
    ) -> None:
        self.identity = identity
        self.taken = 0
        """Rows that the service confirmed."""
        self.requests = 0
        """Requests that the service confirmed."""
        self.perhaps_twice = 0
        """Rows of requests that were repeated although the first attempt may have been stored."""
        self._client, self._to, self._clock, self._chance = client, destination, clock, chance

    async def send(self, rows: Iterable[Row]) -> None:
        """Send all rows, in order. Raises OutputError, with the reason and the confirmed rows, at the first failure."""
        for batch in batches(rows):
            await self._deliver(batch)

    async def _deliver(self, rows: Sequence[Row]) -> None:
        began, tries, unsure = self._clock.monotonic(), 0, False
        while (failure := await self._attempt(rows)) is not None:
            if failure.status == 413 and len(rows) > 1:
                half = len(rows) // 2
                self.perhaps_twice += len(rows) if unsure else 0
                await self._deliver(rows[:half])
                await self._deliver(rows[half:])
                return
            tries += not failure.passing
            unsure = unsure or not failure.certain
            pause = failure.wait if failure.wait is not None else self._backoff(max(tries, 1))
            late = self._clock.monotonic() + pause - began > PATIENCE
            if not failure.again or tries >= ATTEMPTS or late:
                raise self._undelivered(failure, len(rows), unsure=unsure)
            await self._clock.sleep(pause)
        self.taken += len(rows)
        self.requests += 1
        self.perhaps_twice += len(rows) if unsure else 0

    async def _attempt(self, rows: Sequence[Row]) -> _Failure | None:
        """Send a request once. None: the service confirmed it."""
        try:
            await self._client.upload(self._to.rule, self._to.stream, list(rows))  # type: ignore[arg-type] # it only reads them
        except EXPECTED as error:
            response: Any = error.response if isinstance(error, HttpResponseError) else None
            if response is not None:
                return self._answered(response.status_code, response.headers)
            refusal, again = failure_of(error, self._to.host)
            unconnected = never_connected(error)
            unsent = unconnected or isinstance(error.__cause__ or error, Refused)
            return _Failure(refusal.detail, again, passing=unconnected, certain=unsent)
        return None

    def _answered(self, status: int, headers: Mapping[str, str]) -> _Failure:
        seconds = asked(headers, self._clock.now())
        return _Failure(
            _MEANINGS.get(status, f"the service answered {status}"),
            status in RETRIED and (seconds is None or seconds <= PATIENCE),
            status,
            None if seconds is None else clamped(seconds),
            passing=status in (429, 503),
            # After a gateway's timeout the service may have stored the rows.
            certain=400 <= status < 500 and status != 408,
        )

    def _backoff(self, tries: int) -> float:
        return self._chance.uniform(0, min(LONGEST_BACKOFF, 2.0**tries))

    def _undelivered(self, failure: _Failure, rows: int, *, unsure: bool) -> OutputError:
        perhaps = f"; {rows:,} more were sent, and may be stored or not" if unsure else ""
        what = f"{failure.why}. {self.taken:,} rows were stored, and no verdict row{perhaps}"
        return OutputError(self._to.host, what, "send it again: a shipment without its verdict row does not count")


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in order, in batches that fit into a request. A row that is too large is a batch by itself."""
    batch: list[Row] = []
    size = 2
    for row in rows:
        # As the client serialises it: ASCII, with ", " between rows.
        length = len(json.dumps(row)) + 2
        if batch and size + length > MOST_BYTES:
            yield batch
            batch, size = [], 2
        batch.append(row)
        size += length
    if batch:
        yield batch


_MEANINGS = {
    400: "the rule refused the rows (400): its stream or table is not the one that keyaudit send template prints",
    401: "the service refused the sign-in (401)",
    403: "no right to send there (403): give the identity the role Monitoring Metrics Publisher on the data collection rule,"
    " which takes effect within half an hour",
    404: "no such rule or stream at this endpoint (404): see --rule and --stream, or outputs of the deployment",
    413: "a row exceeds the service's size limit (413)",
    429: "throttled until the end (429)",
}


@asynccontextmanager
async def connect(
    destination: Destination, sign_in: SignIn, *, clock: Clock, prompt: Callable[[str], None]
) -> AsyncIterator[Ingestion]:
    """Sign in, and connect to the destination, inside a context. Raises the same errors as `connection.connect`."""
    alone = replace(sign_in, share=1, concurrency=1)
    door = Door(sign_in.environment, sign_in.network, local_hosts(sign_in.environ), only=destination.host)
    async with signed_in(alone, clock=clock, prompt=prompt, door=door) as session:
        client = LogsIngestionClient(
            f"https://{destination.host}",
            session.tokens,
            credential_scopes=[sign_in.environment.ingest_scope],
            transport=session.transport,
            retry_total=0,
            permit_redirects=False,
            user_agent=USER_AGENT,
        )
        yield Ingestion(client, destination, session.identity, clock, random.Random())  # noqa: S311 - jitter
