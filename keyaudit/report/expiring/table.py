"""Expirations as a table, in the style of `az -o table`."""

from typing import TextIO

from keyaudit.model import times
from keyaudit.model.run import Expiring
from keyaudit.report.expiring.words import above, below, listed_endings, name, notes, when
from keyaudit.report.grid import grid
from keyaudit.report.lines import joined
from keyaudit.report.resource import owned_by

_HEADERS = ("Owner", "When", "Expires", "What", "Note")
_SUMMARY = 80


def render(found: Expiring, out: TextIO, *, every: bool = False, width: int | None = None) -> None:
    """Write the table; cells are wrapped to fit `width`, if given."""
    out.write(joined(above(found, width or _SUMMARY, colour=False)))
    as_of = found.run.as_of
    rows = (
        (
            owned_by(ending.owner),
            when(ending, as_of),
            "-" if ending.expires_on is None else times.iso_date(ending.expires_on),
            name(ending),
            notes(ending),
        )
        for ending in listed_endings(found, every)
    )
    out.writelines(f"{line}\n" for line in grid(_HEADERS, rows, width))
    out.write(joined(["", *below(found, width or _SUMMARY, colour=False, every=every)]))
