"""A table with one line per grant, in the style of `az -o table`."""

from typing import TextIO

from keyaudit.model.access import Access
from keyaudit.model.text import one_line
from keyaudit.report.access.words import above, below, by, can, notes
from keyaudit.report.lines import joined
from keyaudit.report.options import PAGE, Options
from keyaudit.report.tabular.grid import grid

_HEADERS = ("Principal", "Kind", "Vault", "Can", "By", "Note")


def render(found: Access, out: TextIO, options: Options) -> None:
    """Write the table; cells are wrapped to fit a terminal."""
    width = options.width or PAGE
    out.write(joined(above(found, width, colour=False)))
    rows = [
        (
            one_line(reach.who.name or reach.who.id),
            one_line(reach.who.kind or "unknown"),
            one_line(reach.vault_name),
            can(reach.way.allows),
            by(reach.way),
            notes(reach.way),
        )
        for reach in found.reaches
    ]
    # Grants that are not on vaults belong to the requested principal.
    rows += [(one_line(found.name), one_line(found.note) or "unknown", "", "", by(way), notes(way)) for way in found.others]
    out.writelines(f"{line}\n" for line in grid(_HEADERS, rows, options.width))
    out.write(joined(["", *below(found, width, colour=False)]))
