"""`keyaudit expiring`: what expires soon or has expired, by owner."""

from typing import Annotated

import typer

from keyaudit.cli.options import Format, Live, Output, Parts, Stored, duration, flags


@flags(Live, Stored, Parts)
def expiring(
    live: Live,
    stored: Stored,
    parts: Parts,
    *,
    within: Annotated[
        str, typer.Argument(metavar="[WITHIN]", help="How far to look ahead: 30d, 12w or an ISO 8601 duration.")
    ] = "30d",
    output: Output = Format.TEXT,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also list disabled and superseded objects, parts of certificates, and objects that Azure renews (text and "
            "table).",
        ),
    ] = False,
) -> int:
    """List what expires soon and what has expired, by owner.

    Keys, certificates and credentials, the soonest first.
    """
    from keyaudit import ask
    from keyaudit.cli.output import show
    from keyaudit.cli.sources.part import part_of
    from keyaudit.cli.sources.source import snapshot, unmet
    from keyaudit.questions.expiring import FORMATS

    span = duration("expiring", within)
    source, part = part_of(live, stored, parts)
    with (
        snapshot(source, stored) as (taken, as_of),
        ask.expiring(taken, as_of=as_of, within=span, unmet=unmet(taken, live), part=part) as found,
    ):
        return show(FORMATS[output], found, found.verdict, passes=every)
