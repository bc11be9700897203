"""`keyaudit history`: since when findings are open, how long they took to close, and what is overdue."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import Choice, ConfigFile, Live, flags


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
    from keyaudit.cli.kept import followed
    from keyaudit.cli.output import show
    from keyaudit.report.history import FORMATS

    found = followed(folder, Live(config=config, quiet=quiet), choice, "history")
    return show(FORMATS[output], found, found.verdict)
