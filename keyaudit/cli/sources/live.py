"""Collects the live or simulated tenant into a folder."""

import asyncio
import math
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

from msgspec import structs

from keyaudit import __version__, audit
from keyaudit.cli.clock import SystemClock, clock_of
from keyaudit.cli.options import DEFAULT_CONFIG, Auth, Live
from keyaudit.cli.settings.run_settings import Settings, settle
from keyaudit.cli.sources.reuse import NO_REUSE, Reuse
from keyaudit.cli.terminal.bugs import bug
from keyaudit.cli.terminal.progress import progress, told_if_long
from keyaudit.cli.terminal.stop import keeping
from keyaudit.cli.terminal.streams import tell
from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.cloud.gateway import Observe
from keyaudit.cloud.network import Network
from keyaudit.collect.evidence import Evidence, supplied
from keyaudit.collect.focus import Focus
from keyaudit.collect.run import Progress, note_unread
from keyaudit.collect.surfaces import SURFACES
from keyaudit.inventory.collection_state import is_begun
from keyaudit.inventory.disk.temporary import temporary_folder
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Refusal
from keyaudit.model.errors import AccessError, UnavailableError, UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line

_SIMULATED_CONCURRENCY = 2
"""Requests at once of the simulated tenant: it answers from this process, so more of them only open more connections."""


def collected(
    live: Live,
    folder: Path,
    *,
    resume: bool,
    kept: str,
    since: Snapshot | None = None,
    among: bool = False,
    evidence: Evidence | None = None,
    observe: Observe | None = None,
    focus: Focus | None = None,
    reuse: Reuse = NO_REUSE,
) -> Snapshot:
    """The live or simulated tenant, read into `folder`. `kept` says what is left there if the run is stopped.

    Resources that certainly did not change are copied from the snapshot `since`. `among`: there are other tenants, so an
    application may sign in to tenants other than its own. `evidence`: the --import files, if already read. `observe`
    receives every answer. `focus`: the needs of the only page that it is for. `reuse`: what may come from `since` or wait for
    the next run.
    """
    if among and live.imports:
        raise UsageError("--import", "accepts only one tenant", "collect each separately, with its own file")
    evidence = evidence or supplied(live.imports or ())
    # Before the sign-in has succeeded there is nothing to resume.
    kept_by_then = keeping(lambda: kept if is_begun(folder) else "nothing was collected yet")
    # The bar stays until all that was read is written.
    with kept_by_then, progress(quiet=live.quiet, steps=len(SURFACES.names)) as shown:
        reading = _collect(
            live, folder, evidence, shown, resume=resume, since=since, among=among, observe=observe, focus=focus, reuse=reuse
        )
        taken = asyncio.run(reading)
        for failure in taken.failures:
            tell(f"a bug in {failure.surface} of {failure.scope.name}: {bug(failure.error)}; please report it with this line")
        with told_if_long("writing what was read", quiet=live.quiet):
            return audit.finish(taken)


def unread(live: Live, folder: Path, error: AccessError | UnavailableError) -> Snapshot:
    """A snapshot of a tenant that could not be read at all: every table is unknown."""
    settings = settle(live, resume=False)
    tell(f"tenant {one_line(settings.tenant or '')}: {error}")
    run = Run(
        run_id=str(uuid.uuid4()),
        tenant_id=(settings.tenant or "").strip().lower(),
        tenant_name="",
        environment=settings.environment.name,
        identity="nobody",
        as_of=clock_of(demo=live.demo).now(),
        tool_version=__version__,
        simulated=live.demo,
        filters=settings.filters,
    )
    reason = Reason.SERVICE_ERROR if isinstance(error, UnavailableError) else Reason.AUTH_FAILED
    with Spool.create(folder, run) as spool:
        note_unread(spool, Refusal(reason, error.what[:200]))
        return write(spool, run)


async def _collect(
    live: Live,
    folder: Path,
    evidence: Evidence,
    shown: Progress,
    *,
    resume: bool,
    since: Snapshot | None,
    among: bool,
    observe: Observe | None,
    focus: Focus | None,
    reuse: Reuse,
) -> audit.Collected:
    clock = clock_of(demo=live.demo)
    with ExitStack() as signing_in:
        signing_in.enter_context(told_if_long("signing in", quiet=live.quiet))

        def announce(run: Run) -> None:
            signing_in.close()
            if not live.quiet:
                _announce(run)

        async with where(live, clock, settle(live, resume=resume)) as source:
            return await audit.collect(
                structs.replace(source, roams=among),
                folder,
                resume=resume,
                since=since,
                clock=clock,
                progress=shown,
                prompt=tell,
                announce=announce,
                evidence=evidence,
                observe=observe,
                focus=focus,
                reread=reuse.seconds,
                budget=math.inf if reuse.budget is None else reuse.budget * 60,
            )


@asynccontextmanager
async def where(live: Live, clock: SystemClock, settings: Settings) -> AsyncIterator[audit.Source]:
    """The tenant of the flags, simulated or not, inside a context."""
    if not live.demo:
        if live.estate is not None:
            raise UsageError("--estate", "only works with --demo", "add --demo, or leave it out")
        cloud = settings.environment
        if cloud.name not in ENVIRONMENTS:
            tell(
                f"cloud {cloud.name} of {live.config or DEFAULT_CONFIG}: signing in at {cloud.login}"
                f" for {cloud.arm} and {cloud.graph}"
            )
        yield audit.Source(
            environment=settings.environment,
            auth=settings.auth,
            tenant=settings.tenant,
            network=Network.from_environ(os.environ),
            environ=os.environ,
            share=live.share,
            concurrency=live.concurrency,
            filters=settings.filters,
            environment_rules=settings.environment_rules,
        )
        return
    from keyaudit.simulator.estates import estate
    from keyaudit.simulator.serve import serve

    now = clock.now()
    try:
        # The start of the day, so that a resumed demo finds the same tenant.
        simulated = estate(live.estate or "contoso", now - now % times.DAY)
    except ValueError as error:
        raise UsageError("--estate", str(error)) from error
    async with AsyncExitStack() as opened:
        folder = opened.enter_context(temporary_folder())
        simulator = await opened.enter_async_context(serve(simulated, now=clock.now, folder=folder))
        yield audit.Source(
            environment=settings.environment,
            auth=Auth.ENV,
            tenant=settings.tenant,
            network=Network(proxy=simulator.proxy, ca_file=simulator.ca_file),
            environ=simulator.environ,
            paced=False,
            concurrency=min(live.concurrency, _SIMULATED_CONCURRENCY),
            filters=settings.filters,
            environment_rules=settings.environment_rules,
            simulated=True,
        )


def _announce(run: Run) -> None:
    simulated = " (simulated)" if run.simulated else ""
    cloud = "Azure public cloud" if run.environment == "public" else f"cloud {run.environment}"
    tell(f"reading tenant {run.tenant_id}{simulated}, {cloud}, as {run.identity}")
