"""`keyaudit blast-radius`: what trusts a key, what its holder can become and reach, and in which order to close it."""

from enum import StrEnum
from typing import Annotated

import typer

from keyaudit.cli.options import Live, Stored, flags


class Drawing(StrEnum):
    """Formats of a graph."""

    TEXT = "text"
    JSON = "json"
    DOT = "dot"
    HTML = "html"


@flags(Live, Stored)
def blast_radius(
    live: Live,
    stored: Stored,
    *,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="KEY|THUMBPRINT|KID|APP",
            help="A key's address or VAULT/KEY; a thumbprint, SHA-1 or SHA-256; a key id; an application's id or exact name.",
        ),
    ],
    output: Annotated[Drawing, typer.Option("--output", "-o", help="Format on stdout.")] = Drawing.TEXT,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Only say what still accepts it; exit 0 if nothing does, 1 if something, 3 if unknown."),
    ] = False,
) -> int:
    """Show what trusts a key and what whoever holds it can become and reach, with a plan to close it that is never run."""
    from keyaudit import audit  # noqa: PLC0415 - heavy
    from keyaudit.cli.output import show  # noqa: PLC0415 - heavy
    from keyaudit.cli.source import snapshot  # noqa: PLC0415 - heavy
    from keyaudit.report.blast_radius import FORMATS  # noqa: PLC0415 - heavy

    with snapshot(live, stored) as (taken, as_of):
        found = audit.blast_radius(taken, asked, as_of=as_of, verify=verify)
        return show(FORMATS[output], found, found.verdict)
