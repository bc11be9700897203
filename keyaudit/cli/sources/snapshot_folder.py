"""The snapshots that are kept in a folder, and their results."""

from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from keyaudit import __version__
from keyaudit.cli.clock import clock_of
from keyaudit.cli.options import Choice, Live, Stored, settings_file
from keyaudit.cli.settings.config import read_config
from keyaudit.cli.settings.run_settings import settle
from keyaudit.cli.sources.judged import judged
from keyaudit.cli.sources.reuse import Reuse
from keyaudit.cli.terminal.streams import tell
from keyaudit.gate.history import Course
from keyaudit.inventory.collection_state import begun, finished
from keyaudit.inventory.disk import files
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.model.changes.history import History
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Past, Run
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line


def past(folder: Path, live: Live, choice: Choice, run: Run) -> tuple[Past, ...]:
    """The snapshots in the subfolders of `folder`, evaluated with the same settings, each as of its own day.

    The earliest first. Folders without a finished snapshot are skipped, and so, with a message, are snapshots of another
    version. Raises UsageError if none is left, and UnsafeError if one is of another tenant.
    """
    found = [_judged(snapshot, live, choice, run) for snapshot in snapshots(folder, "--history")]
    return tuple(sorted(found, key=lambda each: (each.as_of, each.run_id)))


def followed(folder: Path, live: Live, choice: Choice, asked: str) -> History:
    """The findings through the snapshots in the subfolders of `folder`, evaluated with the same settings, each as of its own
    day.

    Raises like `past`, about what was `asked`.
    """
    deadlines = read_config(settings_file(live)).deadlines
    # A copy of a snapshot is the same run.
    runs = {(run := open_snapshot(place).run).run_id: (run, place) for place in snapshots(folder, asked)}
    kept = sorted(runs.values(), key=lambda each: (each[0].as_of, each[0].run_id))
    course = Course()
    with ExitStack() as last:
        for run, place in kept:
            same_tenant(place, run, kept[-1][0], asked)
            with ExitStack() as here:
                report = here.enter_context(judged(live, Stored(from_=[place]), choice))
                course.add(report)
                last.close()
                last.enter_context(here.pop_all())
    return course.history(deadlines)


def kept(live: Live, stored: Stored, since: Path | None, keep: Path, reuse: Reuse) -> tuple[Live, Stored, Path | None]:
    """The flags for what is read into a new snapshot in `keep`, and the snapshot before it, if `since` names no other.

    A collection there that was stopped within the last day, and has the same filters, is gone on with.
    """
    if stored.from_:
        raise UsageError(
            "--keep", "stores what it reads from Azure, and --from reads nothing from Azure", "leave one of them out"
        )
    if len(live.tenant or ()) > 1:
        raise UsageError("--keep", "takes one tenant, and several are named", "keep each tenant's snapshots in its own folder")
    from keyaudit.cli.sources.live import collected

    clock = clock_of(demo=live.demo)
    with files.writing(keep):
        keep.mkdir(parents=True, exist_ok=True)
    earlier = _newest(keep)
    stopped = _stopped(keep, live, clock.now())
    new = stopped or keep / times.iso_time(clock.now()).replace(":", "")
    # Another version may have read Azure's answers otherwise.
    same = earlier if earlier is not None and earlier.run.tool_version == __version__ else None
    collected(
        live,
        new,
        resume=stopped is not None,
        kept=f"the partial snapshot is kept in {files.shown(new)}; the same command continues it",
        since=same,
        reuse=reuse,
    )
    if not live.quiet:
        tell(f"kept in {files.shown(new)}")
    before = since if earlier is None or since is not None else earlier.folder
    return Live(config=live.config, quiet=live.quiet), Stored(from_=[new]), before


def last_two(keep: Path) -> list[Path]:
    """The two newest snapshots in the folder, the earlier first; fewer if there are not two. Raises like `snapshots`."""
    found = [open_snapshot(path) for path in snapshots(keep, "--keep")]
    newest = sorted(found, key=lambda each: (each.run.as_of, each.run.run_id))[-2:]
    return [each.folder for each in newest]


def _newest(keep: Path) -> Snapshot | None:
    """The newest snapshot in the folder that this version can read."""
    found = [open_snapshot(path.parent) for path in keep.glob("*/manifest.json") if _readable(path.parent)]
    return max(found, key=lambda each: (each.run.as_of, each.run.run_id), default=None)


def _stopped(keep: Path, live: Live, now: int) -> Path | None:
    """The newest collection in the folder that can be gone on with. Others that are not complete are named in a message."""
    filters = settle(live, resume=False).filters
    # Of another version, or damaged: there is no run to go on with.
    runs = {folder: begun(folder) for path in keep.glob("*/spool/run.json") if not finished(folder := path.parent.parent)}
    going: Path | None = None
    for folder, run in sorted(runs.items(), key=lambda each: (each[1].as_of if each[1] else 0, each[0]), reverse=True):
        same = run is not None and run.filters == filters and run.simulated is live.demo
        if going is None and run is not None and same and now - run.as_of < times.DAY:
            going = folder
        elif not live.quiet:
            tell(f"{files.shown(folder)}: an interrupted collection that cannot be resumed; remove it")
    return going


def snapshots(folder: Path, asked: str) -> list[Path]:
    """The snapshots in the folder that this version can read. Raises UsageError, about what was `asked`, if there is none."""
    try:
        found = sorted(path.parent for path in folder.glob("*/manifest.json"))
    except OSError as error:
        raise UsageError(asked, f"{folder} cannot be read ({error.strerror})", "name another folder") from error
    readable = [snapshot for snapshot in found if _readable(snapshot)]
    if not readable:
        raise UsageError(asked, f"{folder} contains no readable snapshots", "name the folder that contains the snapshots")
    return readable


def _readable(snapshot: Path) -> bool:
    """Whether this version can read it. If not, a message says that it is skipped."""
    try:
        open_snapshot(snapshot)
    except UsageError as error:
        tell(f"skipped: {error}", prefix="keyaudit: ")
        return False
    return True


def _judged(snapshot: Path, live: Live, choice: Choice, run: Run) -> Past:
    with judged(Live(config=live.config), Stored(from_=[snapshot]), choice) as report:
        same_tenant(snapshot, report.run, run, "--history")
        failing = frozenset(each.id for each in report.findings(False) if each.outcome is Outcome.FAIL)
        return replace(Past.of(report.run, report.verdict), failing=failing)


def same_tenant(snapshot: Path, there: Run, here: Run, asked: str) -> None:
    """Raises UnsafeError, about what was `asked`, if a snapshot is of another tenant."""
    if there.tenant_id.lower() != here.tenant_id.lower():
        what = f"{snapshot} is of tenant {one_line(there.tenant_id)}, not of {one_line(here.tenant_id)}"
        raise UnsafeError(asked, what, "keep each tenant's snapshots in a folder of their own")
