"""Reads a whole tenant into a spool: the tenant, its vaults, then every vault's keys while Graph is read beside them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import not_assessed
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.entra.applications import collect_applications
from keyaudit.collect.entra.directory import operations
from keyaudit.collect.entra.service_principals import collect_service_principals
from keyaudit.collect.entra.tenant import OPERATIONS as TENANT_OPERATIONS
from keyaudit.collect.entra.tenant import collect_tenant
from keyaudit.collect.key_vault.keys import OPERATIONS as KEY_OPERATIONS
from keyaudit.collect.key_vault.keys import collect_keys
from keyaudit.collect.key_vault.vaults import collect_vaults
from keyaudit.collect.places import Vault, tenant_scope
from keyaudit.collect.subscriptions import list_subscriptions
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.errors import AuditError
from keyaudit.model.reasons import Reason

SURFACES = ("tenant", "vaults", "keys", "applications", "service principals")
"""What a run reads, in the words in which progress is told."""

_VAULT_OPERATIONS = ("subscription.list", "vault.query")

_VAULTS_AT_ONCE = 32

# Over all vaults: enough to keep the gateway's requests in flight, and no more, since each key that is read may hold a
# connection of its own open, which takes 256 KB. One vault alone gets what the gateway lets a vault have.
_KEYS_AT_ONCE = 96
_KEYS_OF_A_VAULT = 16

Work = Callable[[Unit], Awaitable[Sequence[Coverage]]]


class Progress(Protocol):
    """Is told how far each of `SURFACES` is."""

    def update(self, surface: str, done: int, total: int | None) -> None:
        """`done` of `total`; None while nobody knows how many there are. Equal numbers: the surface is finished."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """A bug that ended one unit: its coverage says internal_error, and the run went on."""

    surface: str
    scope: Scope
    error: Exception


async def collect_all(connection: Connection, spool: Spool, *, progress: Progress) -> Sequence[Failure]:
    """Read everything that `spool` does not hold yet. What Azure refuses is coverage, what a bug ends is returned.

    Raises AuditError where the spool cannot be written. When cancelled, what is under way stays unclosed, for `resume`.
    """
    return await _Collection(connection, spool, progress).collect()


class _Collection:
    def __init__(self, connection: Connection, spool: Spool, progress: Progress) -> None:
        self._connection = connection
        self._spool = spool
        self._progress = progress
        self._scope = tenant_scope(spool.run.tenant_id)
        self._failures: list[Failure] = []

    async def collect(self) -> Sequence[Failure]:
        parts = (self._tenant, self._key_vault, self._applications, self._service_principals)
        await for_each(parts, lambda part: part(), limit=len(parts))
        return sorted(self._failures, key=lambda failure: (failure.surface, failure.scope))

    async def _tenant(self) -> None:
        self._progress.update("tenant", 0, 1)
        await self._unit(
            "tenant", self._scope, TENANT_OPERATIONS, lambda unit: collect_tenant(self._connection, unit, self._scope)
        )
        self._progress.update("tenant", 1, 1)

    async def _key_vault(self) -> None:
        self._progress.update("vaults", 0, None)
        found: list[Vault] = []

        async def discover(unit: Unit) -> Sequence[Coverage]:
            subscriptions, listed = await list_subscriptions(self._connection.gateway, self._scope)
            vaults, coverage = await collect_vaults(self._connection, unit, self._scope, subscriptions, listed)
            found.extend(vaults)
            return [listed, *coverage]

        if self._spool.done("vaults", self._scope):
            found += _vaults_of(self._spool)
        else:
            await self._unit("vaults", self._scope, _VAULT_OPERATIONS, discover)
        self._progress.update("vaults", len(found), len(found))
        await self._keys(found)

    async def _keys(self, vaults: Sequence[Vault]) -> None:
        done = 0
        at_once = min(_KEYS_OF_A_VAULT, _KEYS_AT_ONCE // max(1, min(len(vaults), _VAULTS_AT_ONCE)))
        self._progress.update("keys", done, len(vaults))

        async def one(vault: Vault) -> None:
            nonlocal done
            await self._unit(
                "keys", vault.scope, KEY_OPERATIONS, lambda unit: collect_keys(self._connection, unit, vault, at_once=at_once)
            )
            done += 1
            self._progress.update("keys", done, len(vaults))

        await for_each(vaults, one, limit=_VAULTS_AT_ONCE)

    async def _applications(self) -> None:
        await self._directory("applications", "application", collect_applications)

    async def _service_principals(self) -> None:
        await self._directory("service principals", "service_principal", collect_service_principals)

    async def _directory(
        self,
        surface: str,
        kind: str,
        collect: Callable[[Connection, Unit, Scope, Callable[[int], None]], Awaitable[Sequence[Coverage]]],
    ) -> None:
        count = 0

        def seen(number: int) -> None:
            nonlocal count
            count = number
            self._progress.update(surface, number, None)

        seen(0)
        await self._unit(
            surface, self._scope, operations(kind), lambda unit: collect(self._connection, unit, self._scope, seen)
        )
        self._progress.update(surface, count, count)

    async def _unit(self, surface: str, scope: Scope, opened: tuple[str, ...], work: Work) -> None:
        """One unit from opening to closing, unless an earlier run closed it. Nothing that it raises is lost."""
        if self._spool.done(surface, scope):
            return
        unit = self._spool.unit(surface, scope, opened)
        # A cancellation from outside passes through; from within, gather gives every exception as a value.
        [outcome] = await asyncio.gather(work(unit), return_exceptions=True)
        if isinstance(outcome, AuditError):
            raise outcome
        if isinstance(outcome, Exception):
            self._failures.append(Failure(surface, scope, outcome))
            outcome = not_assessed(scope, opened, Reason.INTERNAL_ERROR, type(outcome).__name__)
        if isinstance(outcome, BaseException):
            raise outcome
        unit.close(outcome)


class _VaultRow(msgspec.Struct):
    resource_id: str
    subscription_name: str | None = None
    location: str | None = None
    vault_uri: str | None = None
    unknown: dict[str, str] = msgspec.field(default_factory=dict)


def _vaults_of(spool: Spool) -> list[Vault]:
    """The vaults that an earlier run found: a resumed one goes on with them, and with no others."""
    decoder = msgspec.json.Decoder(_VaultRow)
    found = [Vault.of_row(msgspec.structs.asdict(decoder.decode(line))) for line in spool.lines("vault")]
    return sorted(found, key=lambda vault: vault.scope)
