"""`keyaudit rotation`: who uses which version of a key, and how far its rotation has come."""

from enum import StrEnum
from typing import Annotated

import typer

from keyaudit.cli.options import Live, Stored, flags


class Shape(StrEnum):
    """Formats of a rotation."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


@flags(Live, Stored)
def rotation(
    live: Live,
    stored: Stored,
    *,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="KEY|CERTIFICATE|SECRET|APP",
            help="An address in a vault or VAULT/NAME; a thumbprint; the key id of a credential; an application's id or exact "
            "name.",
        ),
    ],
    output: Annotated[Shape, typer.Option("--output", "-o", help="Format on stdout.")] = Shape.TEXT,
) -> int:
    """Show which consumers of a key have moved to its new version.

    Before a rotation: who moves by itself, who has to be told, and in which order. Exit 1: somebody uses the old version or
    moves later; 3: something is unknown, or the logs are too short; 0: all that was read have moved and the old one is idle.
    """
    from keyaudit import ask
    from keyaudit.cli.output import show
    from keyaudit.cli.progress import told_if_long
    from keyaudit.cli.source import snapshot, unmet
    from keyaudit.report.rotation import FORMATS

    with snapshot(live, stored) as (taken, as_of):
        with told_if_long("comparing versions", quiet=live.quiet):
            found = ask.rotation(taken, asked, as_of=as_of, unmet=unmet(taken, live))
        return show(FORMATS[output], found, found.verdict)
