"""`keyaudit usage collect`: reads logs from Azure into a folder."""

import contextlib
from collections.abc import AsyncIterator, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.options import Live, flags
from keyaudit.cli.terminal.streams import printing, tell
from keyaudit.cli.usage.baselines import Earlier, day
from keyaudit.model.errors import AccessError, Exit, UnavailableError, UnsafeError, UsageError

if TYPE_CHECKING:
    from keyaudit.cli.clock import SystemClock
    from keyaudit.inventory.logs.token import Token
    from keyaudit.inventory.logs.use import FileRead, Use
    from keyaudit.logs.live.place import Batch, Outcome
    from keyaudit.logs.live.run import Wanted
    from keyaudit.logs.storing.write import Import
    from keyaudit.model.usage import Window

_DAYS = 60


@flags(Live, without=("subscription", "resource_group", "vault", "source", "imports"))
def collect(
    live: Live,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new folder to write to.")],
    since: Annotated[
        str | None,
        typer.Option("--first-day", metavar="DATE", help="The first day to read. Default: 60 days, with the last."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--last-day", metavar="DATE", help="The last day to read. Default: today.")
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            metavar="NAME|GLOB",
            help="Only these tables of workspaces or lists of Graph, for example AZKVAuditLogs or signIns; repeatable.",
        ),
    ] = None,
    audit_search: Annotated[
        bool,
        typer.Option(
            "--audit-search",
            help="Also search the unified audit log for mail that was read and auditing that was turned off. The search "
            "is created in the tenant, and stays there.",
        ),
    ] = False,
    rows: Annotated[
        bool,
        typer.Option(
            "--rows",
            help="Fetch every record of Log Analytics. Default: of uses of keys and mail, and of sign-ins, that are equal but "
            "for the time: their number by day, the first and the last.",
        ),
    ] = False,
    merge: Earlier = None,
) -> int:
    """Read logs from Log Analytics and Graph into a folder.

    What could not be read is listed with its reason; then the exit code is 3.
    """
    from keyaudit.cli.clock import clock_of
    from keyaudit.cli.terminal.stop import keeping
    from keyaudit.inventory.logs.store import open_logs
    from keyaudit.logs.live.place import Outcome
    from keyaudit.logs.live.run import Wanted
    from keyaudit.logs.live.sources import chosen
    from keyaudit.logs.report.logs import complete, render
    from keyaudit.logs.storing.write import Import, refuse_used, write_logs
    from keyaudit.model.reasons import UNSAFE

    refuse_used(out)
    if len(live.tenant or ()) > 1:
        raise UsageError("--tenant", "takes one tenant, and several are named", "name one")
    clock = clock_of(demo=live.demo)
    wanted = Wanted(
        window=_window(day(since, "--first-day"), day(until, "--last-day"), clock.now()),
        sources=chosen(sources or ()),
        search=audit_search,
        rows=rows,
        simulated=live.demo,
    )
    earlier = open_logs(merge) if merge else None
    known, outcome = Import(earlier.tenant_id if earlier else None), Outcome()
    with keeping("nothing is kept"), contextlib.closing(records(live, clock, wanted, known, outcome)) as found:
        store = write_logs(out, found, known, earlier)
    with printing() as stdout:
        render(store, str(out), stdout)
    if UNSAFE & outcome.reasons:
        return Exit.UNSAFE
    return Exit.CLEAN if complete(store) else Exit.INCOMPLETE


def _window(first: int | None, last: int | None, now: int) -> "Window":
    """Whole days. Raises UsageError if there are none, or one has not begun."""
    from keyaudit.model.usage import Window
    from keyaudit.model.values.times import DAY

    if (first or 0) > now or (last or 0) > now:
        raise UsageError("--first-day, --last-day", "a day in the future", "name days that have begun")
    end = (now - now % DAY if last is None else last) + DAY
    window = Window(since=end - _DAYS * DAY if first is None else first, until=end)
    if not window.days:
        raise UsageError("--first-day", "after the last day", "name an earlier day")
    return window


def records(
    live: Live, clock: "SystemClock", wanted: "Wanted", known: "Import", outcome: "Outcome"
) -> "Generator[Use | Token | FileRead]":
    """The records as they are read, one response at a time.

    Raises AccessError, UnavailableError or UnsafeError if nothing could be read.
    """
    import asyncio

    from keyaudit.inventory.logs.use import FileRead

    batches = _batches(live, clock, wanted, known, outcome)

    async def following() -> "Batch | None":
        return await anext(batches, None)

    places: list[FileRead] = []
    with asyncio.Runner() as runner:
        while (batch := runner.run(following())) is not None:
            places += [each for each in batch if isinstance(each, FileRead)]
            yield from batch
    if not outcome.answered:
        _refuse(places, outcome)


async def _batches(
    live: Live, clock: "SystemClock", wanted: "Wanted", known: "Import", outcome: "Outcome"
) -> "AsyncIterator[Batch]":
    from keyaudit import audit
    from keyaudit.cli.settings.run_settings import settle
    from keyaudit.cli.sources.live import where
    from keyaudit.cli.terminal.progress import progress
    from keyaudit.logs.live.run import Reading

    # The configuration's filters choose what is audited; its logs may be in any workspace.
    async with (
        where(live, clock, settle(live, resume=False)) as source,
        audit.connected(source, clock=clock, prompt=tell) as connection,
    ):
        tenant_id = connection.identity.tenant_id
        if known.tenant_id not in {None, tenant_id}:
            what = f"the earlier logs are of tenant {known.tenant_id}, and these would be of tenant {tenant_id}"
            raise UnsafeError("--merge", what, "name logs of this tenant")
        known.tenant_id = tenant_id
        if not live.quiet:
            simulated = " (simulated tenant)" if live.demo else ""
            tell(f"reading logs of tenant {known.tenant_id}{simulated} of {wanted.window} as {connection.identity.shown}")
        reading = Reading(connection=connection, clock=clock, wanted=wanted, known=known, outcome=outcome, tell=tell)
        with progress(quiet=live.quiet) as shown:
            connection.gateway.sender.watch = shown.waits
            taken = 0
            async for batch in reading.batches():
                yield batch
                taken += len(batch)
                shown.update("uses", taken, None)


def _refuse(places: "Sequence[FileRead]", outcome: "Outcome") -> None:
    """Print why each source was not read, and stop the command."""
    from keyaudit.model.reasons import AZURES, UNSAFE

    for place in places:
        tell("\n".join(f"{place.file}: {why}" for why in place.trouble))
    what = "nothing could be read"
    if UNSAFE & outcome.reasons:
        raise UnsafeError("usage collect", what, "find out what intercepts the connection to Azure")
    if outcome.reasons and outcome.reasons <= AZURES:
        raise UnavailableError("usage collect", what, "try again later")
    raise AccessError("usage collect", what, "the reasons are above; keyaudit doctor permissions lists the rights")
