"""`keyaudit diff`: what changed between two snapshots of a tenant, or through all in a folder."""

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import Choice, ConfigFile, Live, Stored, flags
from keyaudit.model.errors import UnsafeError, UsageError


class As(StrEnum):
    """Formats of changes."""

    TEXT = "text"
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PROMETHEUS = "prometheus"


@flags(Choice)
def diff(
    choice: Choice,
    *,
    old: Annotated[
        Path, typer.Argument(metavar="OLD|FOLDER", help="The earlier snapshot, or a folder with snapshots of one tenant.")
    ],
    new: Annotated[Path | None, typer.Argument(metavar="NEW", help="The later snapshot.", show_default=False)] = None,
    output: Annotated[
        As, typer.Option("--output", "-o", help="Format on stdout: table for two snapshots, prometheus for a folder.")
    ] = As.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")] = False,
    config: ConfigFile = None,
) -> int:
    """Compare two snapshots, or follow all in a folder.

    Of two it lists what is new, fixed, raised or lowered in severity, and what was readable before and is not now. Of a folder
    it shows since when each finding is open, how long findings took to close, and what is past its [deadlines] in
    keyaudit.toml. All snapshots are evaluated with the same policies, each as of its own day. Unknown and unread close nothing.
    """
    live = Live(config=config, quiet=quiet)
    return _followed(old, live, choice, output) if new is None else _compared(old, new, live, choice, output)


def _followed(folder: Path, live: Live, choice: Choice, output: As) -> int:
    from keyaudit.cli.output import show
    from keyaudit.cli.sources.snapshot_folder import followed
    from keyaudit.report.changes.history import FORMATS

    _check(output, FORMATS, "a folder")
    found = followed(folder, live, choice, "diff")
    return show(FORMATS[output], found, found.verdict)


def _compared(old: Path, new: Path, live: Live, choice: Choice, output: As) -> int:
    from keyaudit.cli.output import show
    from keyaudit.cli.sources.judged import judged
    from keyaudit.report.changes.difference import FORMATS, compare

    _check(output, FORMATS, "two snapshots")
    with judged(live, Stored(from_=[old]), choice) as before, judged(live, Stored(from_=[new]), choice) as after:
        if before.run.tenant_id != after.run.tenant_id:
            what = f"of tenant {before.run.tenant_id} and of tenant {after.run.tenant_id}"
            raise UnsafeError("diff", f"the snapshots are {what}", "name two snapshots of one tenant")
        if before.run.as_of > after.run.as_of:
            raise UsageError("diff", f"{old} was collected after {new}", "name the earlier snapshot first")
        found = compare(before, after)
        return show(FORMATS[output], found, found.verdict)


def _check(output: As, formats: Collection[str], what: str) -> None:
    if output not in formats:
        raise UsageError("--output", f"{output} is not a format for {what}", f"choose one of {', '.join(formats)}")
