"""`keyaudit blast-radius`: what trusts a key, what its holder can sign in as and reach, and a plan to close it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from keyaudit.cli.options import KEY_NAMES, Live, Stored, flags


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
            metavar="KEY|THUMBPRINT|KID|APP|FINDING",
            help=KEY_NAMES,
        ),
    ],
    output: Annotated[Drawing, typer.Option("--output", "-o", help="Format on stdout.")] = Drawing.TEXT,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Only check what still accepts it; exit 0 if nothing does, 1 if something does, 3 if unknown."
        ),
    ] = False,
    since: Annotated[
        Path | None,
        typer.Option(
            "--since",
            metavar="DIR",
            help="With --verify: an earlier snapshot, to recognize what was deleted since. Otherwise that is unknown.",
        ),
    ] = None,
) -> int:
    """Show what a stolen key opens, and a plan to close it.

    Lists what trusts the key and what its holder can sign in as and reach. The plan is printed, never run.
    """
    from keyaudit import ask
    from keyaudit.cli.output import show
    from keyaudit.cli.progress import told_if_long
    from keyaudit.cli.source import check_since, snapshot, unmet
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.model.errors import UsageError
    from keyaudit.report.blast_radius import FORMATS

    if since is not None and not verify:
        raise UsageError("--since", "only works with --verify", "add --verify, or leave it out")
    earlier = open_snapshot(since) if since is not None else None
    with snapshot(live, stored) as (taken, as_of):
        if earlier is not None:
            check_since(earlier, taken.run)
        with told_if_long("following what the key opens", quiet=live.quiet):
            missing = unmet(taken, live)
            found = ask.blast_radius(taken, asked, as_of=as_of, verify=verify, since=earlier, unmet=missing)
        if stored.from_:
            found = replace(found, kept_in=str(stored.from_[0]))
        return show(FORMATS[output], found, found.verdict)
