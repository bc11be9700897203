"""`keyaudit rotation`: who uses which version of a key, and how far its rotation has come."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import Live, Stored, flags


class Shape(StrEnum):
    """Formats of a rotation."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


@flags(Live, Stored)
def rotation(
    live: Live,
    stored: Stored,
    *,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="KEY|CERTIFICATE|SECRET|APP|FINDING",
            help="An address in a vault, VAULT/NAME or the object's name; a thumbprint; a credential's key id; an "
            "application's id or exact name; or a finding's id. The first six digits of an id are enough.",
        ),
    ],
    since: Annotated[
        Path | None,
        typer.Option("--since", metavar="DIR", help="An earlier snapshot, to show which consumers have moved since then."),
    ] = None,
    output: Annotated[Shape, typer.Option("--output", "-o", help="Format on stdout.")] = Shape.TEXT,
) -> int:
    """Show which consumers of a key have moved to its new version.

    Before a rotation: who moves by itself, who has to be told, and in which order. Exit 1: somebody uses the old version or
    moves later; 3: something is unknown, or the logs are too short; 0: all that was read have moved and the old one is idle.
    """
    from keyaudit import ask
    from keyaudit.cli.output import show
    from keyaudit.cli.sources.source import check_since, snapshot, unmet
    from keyaudit.cli.terminal.progress import told_if_long
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.questions.rotation import FORMATS

    earlier = open_snapshot(since) if since is not None else None
    with snapshot(live, stored) as (taken, as_of):
        if earlier is not None:
            check_since(earlier, taken.run)
        with told_if_long("comparing versions", quiet=live.quiet):
            found = ask.rotation(taken, asked, as_of=as_of, since=earlier, unmet=unmet(taken, live))
        return show(FORMATS[output], found, found.verdict)
