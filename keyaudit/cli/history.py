"""From a folder of snapshots to what each of them came to."""

from pathlib import Path

from keyaudit.cli.judged import judged
from keyaudit.cli.options import Choice, Live, Stored
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.run import Past, Run
from keyaudit.model.text import one_line


def past(folder: Path, choice: Choice, run: Run) -> tuple[Past, ...]:
    """The snapshots that lie in `folder`, each in a folder of its own, judged by the same choice, each as of its own day.

    The earliest first. What holds no finished snapshot is passed over. Raises UsageError where none does, and UnsafeError for
    one of another tenant than the run's.
    """
    found = [_judged(snapshot, choice, run) for snapshot in _snapshots(folder)]
    if not found:
        raise UsageError("--history", f"{folder} holds no snapshots", "name the folder that the snapshots lie in")
    return tuple(sorted(found, key=lambda each: (each.as_of, each.run_id)))


def _snapshots(folder: Path) -> list[Path]:
    try:
        return sorted(path.parent for path in folder.glob("*/manifest.json"))
    except OSError as error:
        raise UsageError("--history", f"{folder} cannot be read ({error.strerror})", "name another folder") from error


def _judged(snapshot: Path, choice: Choice, run: Run) -> Past:
    with judged(Live(), Stored(from_=[snapshot]), choice, fail_on=None) as report:
        if report.run.tenant_id.lower() != run.tenant_id.lower():
            what = f"{snapshot} is of tenant {one_line(report.run.tenant_id)}, not of {one_line(run.tenant_id)}"
            raise UnsafeError("--history", what, "keep each tenant's snapshots in a folder of their own")
        return Past.of(report.run, report.verdict)
