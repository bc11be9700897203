"""Expirations for people: future ones first, then expired ones, by owner; or a table, as of `az -o table`."""

from itertools import groupby
from typing import TextIO

from msgspec.structs import replace

from keyaudit.model.results.expiring import Ending
from keyaudit.model.results.run import Expiring
from keyaudit.model.values import times
from keyaudit.report.endings import OVERDUE, SOON, UNKNOWN, above, below, listed_endings, name, notes, status, when
from keyaudit.report.lines import Paint, columns, joined, pad, paint, wrap
from keyaudit.report.options import PAGE, Options
from keyaudit.report.resource import owned_by
from keyaudit.report.tabular.grid import grid

_WHEN = 19
_HEADERS = ("Owner", "When", "Expires", "What", "Note")
_PAINT = {OVERDUE: Paint.ALARM, UNKNOWN: Paint.DOUBT}


def render(found: Expiring, out: TextIO, options: Options) -> None:
    """Write it."""
    width, colour = options.page, options.colour
    out.write(joined(above(found, width, colour)))
    for wanted, heading in _headings(found).items():
        shown = (ending for ending in listed_endings(found, options.passes) if status(ending, found.run.as_of) == wanted)
        for number, (owner, endings) in enumerate(groupby(shown, key=lambda ending: replace(ending.owner, source=""))):
            if not number:
                out.write(joined([paint(heading, Paint.BOLD, colour), ""]))
            out.write(joined(wrap(owned_by(owner), width, rest="    ")))
            out.writelines(joined(_ending(ending, found.run.as_of, width, colour)) for ending in endings)
            out.write("\n")
    out.write(joined(below(found, width, colour, options.passes)))


def render_table(found: Expiring, out: TextIO, options: Options) -> None:
    """Write the table. Cells are wrapped to fit a terminal."""
    width, as_of = options.width or PAGE, found.run.as_of
    out.write(joined(above(found, width, colour=False)))
    rows = (
        (
            owned_by(ending.owner),
            when(ending, as_of),
            _date(ending),
            name(ending),
            notes(ending),
        )
        for ending in listed_endings(found, options.passes)
    )
    out.writelines(f"{line}\n" for line in grid(_HEADERS, rows, options.width))
    out.write(joined(["", *below(found, width, colour=False, every=options.passes)]))


def _date(ending: Ending) -> str:
    return "-" if ending.expires_on is None else times.iso_date(ending.expires_on)


def _headings(found: Expiring) -> dict[str, str]:
    """Headings by status in display order: expirations that can still be prevented come first."""
    span = times.duration_text(found.before - found.run.as_of)
    return {
        SOON: f"EXPIRES WITHIN {span.upper()}: {found.soon:,}",
        OVERDUE: f"EXPIRED: {found.overdue:,}",
        UNKNOWN: f"EXPIRATION DATE UNKNOWN: {found.unknown:,}",
    }


def _ending(ending: Ending, as_of: int, width: int, colour: bool) -> list[str]:
    said = when(ending, as_of)
    begin = f"  {pad(_date(ending), 10)}  {pad(said, _WHEN)}  "
    lines = wrap(name(ending), width, begin, " " * len(begin))
    if notes(ending):
        # Beside the name if both fit, otherwise below it.
        beside = f"{lines[0]}  {notes(ending)}"
        fits = len(lines) == 1 and columns(beside) <= width
        lines = [beside] if fits else [*lines, *wrap(notes(ending), width, " " * len(begin), " " * len(begin))]
    shade = _PAINT.get(status(ending, as_of), Paint.CALM)
    return [lines[0].replace(said, paint(said, shade, colour), 1), *lines[1:]]
