"""Reads a whole tenant into a spool: places first, then their content and what depends on them alone, then all the rest."""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, structs

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import not_assessed
from keyaudit.collect.concurrency import Spare, all_of, for_each
from keyaudit.collect.entra.public_keys import to_read
from keyaudit.collect.evidence import NONE, Evidence
from keyaudit.collect.focus import Focus
from keyaudit.collect.forecasts import Forecasts
from keyaudit.collect.key_vault.vaults import QUERIES, collect_vaults, is_gone
from keyaudit.collect.places import Subscription, Vault, tenant_scope
from keyaudit.collect.queries import Graph
from keyaudit.collect.reading import Places, Reading, Seen
from keyaudit.collect.scope_filters import Confines
from keyaudit.collect.subscriptions import list_subscriptions
from keyaudit.collect.supplied_rows import write_supplied
from keyaudit.collect.surfaces import SURFACES, TOGETHER, Source
from keyaudit.inventory.earlier_snapshot import Earlier
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.errors import AuditError
from keyaudit.model.forecast import Forecast
from keyaudit.model.operations import OPERATIONS, Paging
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.places import KEY_VAULT, MANAGED_HSM

_VAULT_OPERATIONS = ("subscription.list", *QUERIES)

_PUTTING_OFF = ("applications", "service principals")
"""The surfaces whose lists may leave out public keys."""

_SUBSCRIPTIONS_AT_ONCE = 16
_VAULTS_AT_ONCE = 32

# Over all vaults: enough to keep the gateway busy and no more, because each object that is read may keep a connection of 256 KB
# open, and a new connection costs more than a request. A vault gets at most the gateway's limit for a vault. Most are divided
# among the vaults, so that none waits for another. The rest, and the part of every vault that is finished, goes to any vault
# with more objects, so that a large one among many small ones is not read last.
_OBJECTS = 68
_OBJECTS_DIVIDED = 64
_OBJECTS_OF_A_VAULT = 16

Work = Callable[[Unit], Awaitable[Sequence[Coverage]]]


class Place(Protocol):
    """A place that a surface is read in."""

    @property
    def scope(self) -> Scope:
        """The scope that its coverage is recorded under."""
        ...


P = TypeVar("P", bound=Place)
T = TypeVar("T")


class Progress(Protocol):
    """Receives the progress of each of `SURFACES`."""

    def update(self, surface: str, done: int, total: int | None) -> None:
        """`done` of `total`, which is None while unknown. Equal numbers mean that the surface is finished."""
        ...

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """The run waits for `host` for so many seconds."""
        ...

    def foretell(self, forecast: Forecast) -> None:
        """How long the requests of one limit take, as soon as their number is known: again when there are more of them."""
        ...


class Failure(Struct, frozen=True):
    """A bug that ended one unit: its coverage says internal_error, and the run went on."""

    surface: str
    scope: Scope
    error: Exception


async def collect_all(
    connection: Connection,
    spool: Spool,
    *,
    progress: Progress,
    evidence: Evidence = NONE,
    earlier: Earlier | None = None,
    focus: Focus | None = None,
    budget: float = math.inf,
) -> Sequence[Failure]:
    """Read everything that `spool` does not have yet. Refusals are coverage; units that a bug ended are returned.

    `evidence` is supplied evidence; objects that certainly have not changed since `earlier` are not read again. `focus`: the
    needs of the only page that it is for. `budget`: seconds after which the rest of what may wait is left to the next run.
    Raises AuditError if the spool cannot be written, or for evidence of another tenant. On cancellation open units stay open,
    for `resume`.
    """
    confines = Confines(spool.run.filters, focus)
    collection = _Collection(connection, spool, progress, evidence, earlier, confines=confines, budget=budget)
    connection.watch(progress.waits, collection.gone)
    return await collection.collect()


def note_unread(spool: Spool, refusal: Refusal) -> None:
    """Record everything as refused, if nothing could be read."""
    scope = tenant_scope(spool.run.tenant_id)
    surfaces = {
        surface.name: surface.operations
        for ring in (SURFACES.tenant, SURFACES.directory, SURFACES.placed, SURFACES.last, SURFACES.named, SURFACES.completing)
        for surface in ring
    }
    for name, operations in {"vaults": _VAULT_OPERATIONS, **surfaces}.items():
        spool.unit(name, scope, operations).close(not_assessed(scope, operations, refusal.reason, refusal.detail))


class _Collection:
    def __init__(
        self,
        connection: Connection,
        spool: Spool,
        progress: Progress,
        evidence: Evidence,
        earlier: Earlier | None,
        *,
        confines: Confines,
        budget: float,
    ) -> None:
        self._connection = connection
        self._spool = spool
        self._progress = progress
        self._evidence = evidence
        self._earlier = earlier
        self._scope = tenant_scope(spool.run.tenant_id)
        self._found = Places()
        self._confines = confines
        self._failures: list[Failure] = []
        self._ends = connection.monotonic() + budget
        self._unlisted = set(_PUTTING_OFF)
        self._forecasts = Forecasts(connection, progress.foretell)
        self._graph = self._asked()
        self._spare = asyncio.Semaphore(0)
        """Room for more objects of any vault."""

    async def collect(self) -> Sequence[Failure]:
        # First, regardless of filters: supplied evidence without rows would look like an empty result.
        write_supplied(self._spool, self._scope, self._evidence)
        await all_of(self._places, self._directory)
        for ring in (SURFACES.last, SURFACES.named):
            await all_of(*(partial(self._of_tenant, surface) for surface in ring))
        for surface in SURFACES.completing:
            await self._of_tenant(surface)
        return sorted(self._failures, key=lambda failure: (failure.surface, failure.scope))

    async def gone(self, host: str) -> bool:
        """Whether that is the host of a vault or Managed HSM that was deleted during the run."""
        for vault in (*self._found.vaults, *self._found.hsms):
            if isinstance(vault.uri, str) and urlsplit(vault.uri).hostname == host:
                return await is_gone(self._connection.gateway, vault)
        return False

    async def _directory(self) -> None:
        for ring in (SURFACES.tenant, SURFACES.directory):
            await all_of(*(partial(self._of_tenant, surface) for surface in ring))

    async def _places(self) -> None:
        """Find the places, then read their content, and what depends on them alone."""
        self._progress.update("vaults", 0, None)
        if self._spool.done("vaults", self._scope):
            self._found = _found_earlier(self._spool)
        else:
            await self._unit("vaults", self._scope, _VAULT_OPERATIONS, self._discover if self._look() else self._left_out)
        subscriptions, vaults, hsms = self._found.subscriptions, self._found.vaults, self._found.hsms
        total = len(vaults) + len(hsms)
        self._progress.update("vaults", total, total)
        self._forecasts.name(subscriptions)
        for kind, found, since in ((SURFACES.vault, vaults, self._earlier), (SURFACES.hsm, hsms, None)):
            surfaces = {each.name: each.operations for each in kind if self._reads(each)}
            self._forecasts.of_vaults(surfaces, partial(self._left, found), since)
        together = max(1, min(total, _VAULTS_AT_ONCE))
        at_once = min(_OBJECTS_OF_A_VAULT, _OBJECTS_DIVIDED // together)
        self._spare = asyncio.Semaphore(_OBJECTS - at_once * together)
        await all_of(
            partial(self._of_places, SURFACES.subscription, subscriptions, limit=_SUBSCRIPTIONS_AT_ONCE, at_once=1),
            partial(self._of_places, SURFACES.vault, vaults, limit=_VAULTS_AT_ONCE, at_once=at_once, shares=True),
            partial(self._of_places, SURFACES.hsm, hsms, limit=_VAULTS_AT_ONCE, at_once=at_once, shares=True),
            *(partial(self._of_tenant, surface) for surface in SURFACES.placed),
        )

    def _asked(self) -> Graph:
        """Asks Resource Graph together for what this run reads, and a stopped one has not read."""
        left = {
            operation
            for surface in (*SURFACES.placed, *SURFACES.last)
            if self._reads(surface) and not self._confines.left_out(surface.operations)
            if not self._spool.done(surface.name, self._scope)
            for operation in surface.operations
        }
        left.update(_VAULT_OPERATIONS)
        return Graph(*([query for query in queries if query.operation in left] for queries in TOGETHER))

    def _left(self, vaults: Sequence[Vault], surface: str) -> Sequence[Vault]:
        """The vaults in which a stopped run has not read that surface."""
        return [vault for vault in vaults if not self._spool.done(surface, vault.scope)]

    def _look(self) -> bool:
        """Whether anything is read that needs places."""
        without = {surface.name for surface in (*SURFACES.tenant, *SURFACES.named, *SURFACES.completing)}
        surfaces = {**SURFACES.operations, "vaults": _VAULT_OPERATIONS}
        return any(self._confines.source(name, asked) for name, asked in surfaces.items() if name not in without)

    async def _discover(self, unit: Unit) -> Sequence[Coverage]:
        connection, confines = self._connection.remembering(unit.replies), self._confines
        gateway = connection.gateway
        every, listed = await list_subscriptions(gateway, self._scope)
        tenant_id = self._connection.identity.tenant_id.lower()
        own = [subscription for subscription in every if subscription.tenant_id == tenant_id]
        kept = [subscription for subscription in own if confines.subscription(subscription)]
        confines.check("subscriptions", listed)
        groups = await confines.check_groups(gateway, self._scope, kept)
        vaults, coverage = await collect_vaults(
            connection, unit, self._scope, every, listed, confines=confines, graph=self._graph
        )
        confines.check("vaults", listed, *coverage)
        self._found = _found(kept, vaults)
        operations = tuple(operation for surface in SURFACES.subscription for operation in surface.operations)
        out = [subscription for subscription in own if subscription not in kept]
        left = [record for one in out for record in not_assessed(one.scope, operations, Reason.EXCLUDED_BY_CONFIG)]
        return [listed, *groups, *coverage, *left]

    async def _left_out(self, _unit: Unit) -> Sequence[Coverage]:
        return not_assessed(self._scope, _VAULT_OPERATIONS, Reason.EXCLUDED_BY_CONFIG)

    async def _of_places(
        self, surfaces: Sequence[Source[P]], places: Sequence[P], *, limit: int, at_once: int, shares: bool = False
    ) -> None:
        """Read every surface of a kind of place, a bounded number of places at a time.

        `shares`: the room of a finished place, which no waiting place takes, is spare room for the others.
        """
        left = len(places)
        done = Counter[str]()
        reading = self._reading(at_once, _unseen)
        for surface in surfaces:
            self._progress.update(surface.name, 0, len(places))

        async def one(place: P, surface: Source[P]) -> None:
            await self._surface(surface, place, place.scope, reading)
            done[surface.name] += 1
            self._progress.update(surface.name, done[surface.name], len(places))

        async def whole(place: P) -> None:
            nonlocal left
            await all_of(*(partial(one, place, surface) for surface in surfaces))
            left -= 1
            if shares and left < limit:
                for _ in range(at_once):
                    self._spare.release()

        await for_each(places, whole, limit=limit)

    async def _of_tenant(self, surface: Source[Scope]) -> None:
        """Read a surface of the tenant as a whole."""
        count = 1

        def seen(done: int, total: int | None = None) -> None:
            nonlocal count
            count = max(done, total or 0)
            self._progress.update(surface.name, done, total)

        self._progress.update(surface.name, 0, None)
        reading = self._reading(_OBJECTS_OF_A_VAULT, seen, surface.name)
        await self._surface(surface, self._scope, self._scope, reading)
        self._progress.update(surface.name, count, count)
        if surface.name in self._unlisted:
            self._unlisted.remove(surface.name)
            if not self._unlisted:
                self._foretell(reading)

    def _foretell(self, reading: Reading) -> None:
        """Say how long the public keys take that lists left out, which is longer than everything else in a large tenant."""
        # The page of an incident needs a few of them alone.
        count = 0 if self._confines.focus else to_read(reading, self._scope)
        if count:
            self._forecasts.expect("public keys", "application.get", {"": count})

    async def _surface(self, surface: Source[T], place: T, scope: Scope, reading: Reading) -> None:
        """One surface of one place: read, or recorded as excluded."""

        async def work(unit: Unit) -> Sequence[Coverage]:
            if not self._reads(surface):
                return not_assessed(scope, surface.operations, Reason.EXCLUDED_BY_CONFIG)
            if self._confines.left_out(surface.operations):
                return not_assessed(scope, surface.operations, Reason.NOT_ASKED)
            # Surfaces that complete others are read in units of their own.
            within = reading if surface.completes else _remembering(reading, unit)
            return await surface.collect(within, unit, place)

        await self._unit(surface.name, scope, surface.operations, work)

    def _reads(self, surface: Source[Any]) -> bool:
        """Whether the filters leave a surface in."""
        return self._confines.source(surface.name, surface.operations, surface.completes)

    def _reading(self, at_once: int, seen: Seen, surface: str = "") -> Reading:
        evidence, confines = self._evidence, self._confines
        return Reading(
            self._connection,
            self._scope,
            self._found,
            self._spool,
            at_once,
            Spare(self._spare, _OBJECTS_OF_A_VAULT - at_once),
            evidence,
            seen,
            confines,
            self._graph,
            self._earlier,
            expect=partial(self._forecasts.expect, surface),
            time_left=lambda: self._ends - self._connection.monotonic(),
        )

    async def _unit(self, surface: str, scope: Scope, opened: tuple[str, ...], work: Work) -> None:
        """One unit from opening to closing, unless an earlier run closed it. Its exceptions are recorded."""
        if self._spool.done(surface, scope):
            return
        unit = self._spool.unit(surface, scope, opened)
        # An external cancellation propagates; gather returns all other exceptions as values.
        [outcome] = await asyncio.gather(work(unit), return_exceptions=True)
        if isinstance(outcome, AuditError):
            raise outcome
        if isinstance(outcome, Exception):
            self._failures.append(Failure(surface, scope, outcome))
            outcome = not_assessed(scope, opened, Reason.INTERNAL_ERROR, type(outcome).__name__)
        if isinstance(outcome, BaseException):
            raise outcome
        # A query over the tenant covers only the subscriptions that the filters include.
        unit.close(
            [
                self._confines.part(record, "subscriptions")
                if OPERATIONS[record.operation].paging is Paging.RESOURCE_GRAPH
                else record
                for record in outcome
            ]
        )


def _remembering(reading: Reading, unit: Unit) -> Reading:
    """The inputs for one unit: a run that goes on with this one takes its answers so far from the spool."""
    return structs.replace(reading, connection=reading.connection.remembering(unit.replies))


def _unseen(done: int, total: int | None = None) -> None:
    """Progress within a place that is one of many."""


class _VaultRow(msgspec.Struct):
    resource_id: str
    subscription_name: str | None = None
    location: str | None = None
    vault_uri: str | None = None
    security_domain: str | None = None
    soft_delete: bool | None = None
    unknown: dict[str, str] = msgspec.field(default_factory=dict)


def _found_earlier(spool: Spool) -> Places:
    """The places that the stopped run found; a resumed run uses only these."""
    decoder = msgspec.json.Decoder(_VaultRow)
    vaults = [Vault.of_row(structs.asdict(decoder.decode(line))) for line in spool.lines("vault")]
    subscriptions = [
        Subscription.of_scope(record.scope, spool.run.tenant_id)
        for record in spool.coverage()
        if record.operation == "vault.list"
        and record.reason is not Reason.OTHER_TENANT
        and (record.state, record.reason) != (State.NOT_ASSESSED, Reason.EXCLUDED_BY_CONFIG)
    ]
    return _found(subscriptions, sorted(vaults, key=lambda vault: vault.scope.id))


def _found(subscriptions: Sequence[Subscription], vaults: Sequence[Vault]) -> Places:
    """The places by kind, in their order."""
    return Places(
        subscriptions=subscriptions,
        vaults=[vault for vault in vaults if vault.kind == KEY_VAULT],
        hsms=[vault for vault in vaults if vault.kind == MANAGED_HSM],
    )
