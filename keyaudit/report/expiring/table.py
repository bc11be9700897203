"""Expirations as a table, in the style of `az -o table`."""

from typing import TextIO

from keyaudit.model import times
from keyaudit.model.run import Expiring
from keyaudit.report.expiring.words import above, below, listed_endings, name, notes, when
from keyaudit.report.lines import joined
from keyaudit.report.options import PAGE, Options
from keyaudit.report.resource import owned_by
from keyaudit.report.tabular.grid import grid

_HEADERS = ("Owner", "When", "Expires", "What", "Note")


def render(found: Expiring, out: TextIO, options: Options) -> None:
    """Write the table; cells are wrapped to fit a terminal."""
    width, as_of = options.width or PAGE, found.run.as_of
    out.write(joined(above(found, width, colour=False)))
    rows = (
        (
            owned_by(ending.owner),
            when(ending, as_of),
            "-" if ending.expires_on is None else times.iso_date(ending.expires_on),
            name(ending),
            notes(ending),
        )
        for ending in listed_endings(found, options.passes)
    )
    out.writelines(f"{line}\n" for line in grid(_HEADERS, rows, options.width))
    out.write(joined(["", *below(found, width, colour=False, every=options.passes)]))
