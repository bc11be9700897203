"""Collects a simulated tenant through the real gateway into a real spool, and shows what came of it."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyaudit.cloud.connection import Connection, connect
from keyaudit.cloud.environment import ENVIRONMENTS, Environment
from keyaudit.cloud.identity.sign_in import SignIn
from keyaudit.cloud.network import Network
from keyaudit.collect.evidence import Evidence, UnifiedAudit
from keyaudit.collect.run import Failure, collect_all
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Coverage, State
from keyaudit.model.forecast import Forecast
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run
from keyaudit.model.tables import TABLES
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import Simulator, serve
from tests.collect.estate import AS_OF, ESTATE

EVIDENCE = Evidence(unified_audit=UnifiedAudit(digest="0" * 64, ingestion=True, mailboxes=True, organizations=frozenset()))
"""Everything that can be supplied, so that nothing is unknown for want of it."""


class Clock:
    """Stands still but for sleeping, which takes no time."""

    def __init__(self) -> None:
        self._passed = 0.0

    def now(self) -> int:
        return AS_OF

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        self._passed += seconds
        await asyncio.sleep(0)


class Noted:
    """Progress that is kept, for tests to look at."""

    def __init__(self) -> None:
        self.updates: list[tuple[str, int, int | None]] = []
        self.forecasts: list[Forecast] = []

    def update(self, surface: str, done: int, total: int | None) -> None:
        self.updates.append((surface, done, total))

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """Not looked at."""

    def foretell(self, forecast: Forecast) -> None:
        self.forecasts.append(forecast)


@dataclass(frozen=True)
class Collected:
    """What a run left in its spool."""

    rows: dict[str, dict[str, dict[str, Any]]]
    """By table and id."""
    coverage: dict[tuple[str, str], Coverage]
    """By scope id and operation."""
    failures: Sequence[Failure]
    calls: dict[str, int]
    """Requests by operation."""
    audiences: set[tuple[str, str]]
    """Hosts that were sent a token, with its audience."""

    def gaps(self) -> dict[tuple[str, str], str]:
        """State and reason of everything that was not read whole."""
        return {
            place: f"{found.state} {found.reason}"
            for place, found in self.coverage.items()
            if found.state is not State.ASSESSED
        }

    def causes(self) -> dict[tuple[str, str], str]:
        """The gaps that are not there only because of another."""
        return {place: why for place, why in self.gaps().items() if not why.endswith("parent_not_assessed")}

    def unknown(self, table: str, id_: str) -> dict[str, str]:
        """The unknown columns of a row."""
        found = self.rows[table][id_].get("unknown", {})
        assert isinstance(found, dict)
        return found


@asynccontextmanager
async def connected(simulator: Simulator, environment: Environment = ENVIRONMENTS["public"]) -> AsyncIterator[Connection]:
    """A connection to the simulated tenant, made as a user behind a proxy would."""
    async with connect(signing_in(simulator, environment), clock=Clock(), prompt=print) as connection:
        yield connection


def signing_in(simulator: Simulator, environment: Environment = ENVIRONMENTS["public"]) -> SignIn:
    """To the simulated tenant, as an application behind a proxy."""
    network = Network(proxy=simulator.proxy, ca_file=simulator.ca_file)
    return SignIn(environment=environment, auth="env", tenant=None, network=network, environ=simulator.environ)


def begun(folder: Path, tenant_id: str) -> Spool:
    """A spool in a new folder."""
    run = Run(
        run_id="run",
        tenant_id=tenant_id,
        tenant_name="",
        environment="public",
        identity="tests",
        as_of=AS_OF,
        tool_version="0",
    )
    return Spool.create(folder, run)


def left(
    spool: Spool,
    failures: Sequence[Failure] = (),
    calls: dict[str, int] | None = None,
    audiences: Iterable[tuple[str, str]] = (),
) -> Collected:
    """What is in a spool. No id may be there twice in a table."""
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for table in TABLES:
        settled = spool.settle(table)
        stored = spool.file(table).read_bytes() if settled else b""
        lines = [line for part in settled for line in stored[part.start : part.start + part.size].split(b"\n") if line]
        found = [json.loads(line) for line in lines]
        rows[table] = {row["id"]: row for row in found}
        assert len(rows[table]) == len(found), table
    coverage = {(record.scope.id, record.operation): record for record in spool.coverage()}
    return Collected(rows, coverage, failures, calls or {}, set(audiences))


async def take(folder: Path, *faults: Fault, estate: Estate) -> Snapshot:
    """A snapshot of one whole run, in a folder that is not there yet."""
    async with serve(estate, faults=faults) as simulator, connected(simulator) as connection:
        with begun(folder, estate.tenant_id) as spool:
            await collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE)
            return write(spool, spool.run)


async def collect(
    *faults: Fault,
    estate: Estate = ESTATE,
    evidence: Evidence = EVIDENCE,
    environment: Environment = ENVIRONMENTS["public"],
) -> Collected:
    """One whole run."""
    with tempfile.TemporaryDirectory() as folder:
        async with serve(estate, faults=faults) as simulator, connected(simulator, environment) as connection:
            with begun(Path(folder) / "out", estate.tenant_id) as spool:
                failures = await collect_all(connection, spool, progress=Noted(), evidence=evidence)
                return left(spool, failures, dict(simulator.calls), simulator.audiences)
