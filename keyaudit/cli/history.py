"""`keyaudit history`: since when findings are open, how long they took to close, and what is overdue."""

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import Choice, ConfigFile, Live, Stored, flags, settings_file


class Shape(StrEnum):
    """Formats of a history."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    PROMETHEUS = "prometheus"


@flags(Choice)
def history(
    choice: Choice,
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the snapshots of one tenant.")],
    output: Annotated[Shape, typer.Option("--output", "-o", help="Format on stdout.")] = Shape.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")] = False,
    config: ConfigFile = None,
) -> int:
    """Follow findings through the snapshots of a tenant.

    Shows since when each is open, how long findings took to close, and what is past its [deadlines] in keyaudit.toml. All
    snapshots are evaluated with the same policies, each as of its own day. Unknown and unread close nothing.
    """
    from keyaudit.cli.config import read_config
    from keyaudit.cli.judged import judged
    from keyaudit.cli.kept import same_tenant, snapshots
    from keyaudit.cli.output import show
    from keyaudit.gate.history import Course
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.report.history import FORMATS

    live = Live(config=config, quiet=quiet)
    deadlines = read_config(settings_file(live)).deadlines
    # A copy of a snapshot is the same run.
    runs = {(run := open_snapshot(place).run).run_id: (run, place) for place in snapshots(folder, "history")}
    kept = sorted(runs.values(), key=lambda each: (each[0].as_of, each[0].run_id))
    course = Course()
    with ExitStack() as last:
        for run, place in kept:
            same_tenant(place, run, kept[-1][0], "history")
            with ExitStack() as here:
                report = here.enter_context(judged(live, Stored(from_=[place]), choice))
                course.add(report)
                last.close()
                last.enter_context(here.pop_all())
        found = course.history(deadlines)
        return show(FORMATS[output], found, found.verdict)
