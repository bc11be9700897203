"""`keyaudit expiring`: what expires soon or has expired, by owner."""

import re
from typing import Annotated

import typer

from keyaudit.cli.options import Format, Live, Output, Parts, Stored, flags
from keyaudit.model import times
from keyaudit.model.errors import UsageError


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
            "--all", help="Also list what is disabled, superseded, part of a certificate or renewed by Azure (text and table)."
        ),
    ] = False,
) -> int:
    """List what expires soon and what has expired, by owner.

    Keys, certificates and credentials, the soonest first.
    """
    from keyaudit import ask
    from keyaudit.cli.output import show
    from keyaudit.cli.part import part_of
    from keyaudit.cli.source import snapshot, unmet
    from keyaudit.report.expiring import FORMATS

    span = _span(within)
    source, part = part_of(live, stored, parts)
    with (
        snapshot(source, stored) as (taken, as_of),
        ask.expiring(taken, as_of=as_of, within=span, unmet=unmet(taken, live), part=part) as found,
    ):
        return show(FORMATS[output], found, found.verdict, passes=every)


def _span(text: str) -> int:
    days = re.fullmatch(r"(\d{1,6})([dw]?)", text.lower(), re.ASCII)
    if days:
        return int(days[1]) * (7 if days[2] == "w" else 1) * times.DAY
    try:
        return times.parse_duration(text)
    except ValueError as error:
        raise UsageError("expiring", f"not a duration: {text!r}", "use 30d, 12w or P90D") from error
