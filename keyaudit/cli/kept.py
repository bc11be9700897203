"""The snapshots that are kept in a folder, and their results."""

from pathlib import Path

from keyaudit.cli.judged import judged
from keyaudit.cli.options import Choice, Live, Stored
from keyaudit.cli.streams import tell
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.run import Past, Run
from keyaudit.model.text import one_line


def past(folder: Path, live: Live, choice: Choice, run: Run) -> tuple[Past, ...]:
    """The snapshots in the subfolders of `folder`, evaluated with the same settings, each as of its own day.

    The earliest first. Folders without a finished snapshot are skipped, and so, with a message, are snapshots of another
    version. Raises UsageError if none is left, and UnsafeError if one is of another tenant.
    """
    found = [_judged(snapshot, live, choice, run) for snapshot in snapshots(folder, "--history")]
    return tuple(sorted(found, key=lambda each: (each.as_of, each.run_id)))


def snapshots(folder: Path, asked: str) -> list[Path]:
    """The snapshots in the folder that this version can read. Raises UsageError, about what was `asked`, if there is none."""
    try:
        found = sorted(path.parent for path in folder.glob("*/manifest.json"))
    except OSError as error:
        raise UsageError(asked, f"{folder} cannot be read ({error.strerror})", "name another folder") from error
    readable = [snapshot for snapshot in found if _readable(snapshot)]
    if not readable:
        raise UsageError(asked, f"{folder} holds no snapshots that can be read", "name the folder that contains the snapshots")
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
        return Past.of(report.run, report.verdict)


def same_tenant(snapshot: Path, there: Run, here: Run, asked: str) -> None:
    """Raises UnsafeError, about what was `asked`, if a snapshot is of another tenant."""
    if there.tenant_id.lower() != here.tenant_id.lower():
        what = f"{snapshot} is of tenant {one_line(there.tenant_id)}, not of {one_line(here.tenant_id)}"
        raise UnsafeError(asked, what, "keep each tenant's snapshots in a folder of their own")
