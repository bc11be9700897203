"""Text for people: by principal with its grants, or by vault; or a table with one line per grant, as of `az -o table`."""

from itertools import groupby
from typing import TextIO

from keyaudit.model.values.text import one_line
from keyaudit.questions.access.answer import Access, Reach
from keyaudit.questions.access.words import above, below, called, can, grant_text, notes
from keyaudit.report.lines import Paint, joined, paint, wrap
from keyaudit.report.options import PAGE, Options
from keyaudit.report.tabular.grid import grid

_INDENT = "    "
_HEADERS = ("Principal", "Kind", "Vault", "Can", "By", "Note")


def render(found: Access, out: TextIO, options: Options) -> None:
    """Write it."""
    width, colour = options.page, options.colour
    out.write(joined(above(found, width, colour)))
    for standing, some in groupby(found.reaches, key=lambda reach: reach.way.standing):
        if not standing:
            out.write(joined([paint("Only once activated:", Paint.WARN, colour), ""]))
        for title, ways in groupby(some, key=lambda reach: _title(found, reach)):
            out.write(joined(paint(line, Paint.BOLD, colour) for line in wrap(title, width, rest=_INDENT)))
            out.writelines(joined(_way(reach, width)) for reach in ways)
            out.write("\n")
    if found.others:
        out.write(joined([paint("Besides vaults:", Paint.BOLD, colour)]))
        for way in found.others:
            said = "; ".join(part for part in (grant_text(way), notes(way)) if part)
            out.write(joined(wrap(said, width, _INDENT, _INDENT * 2)))
        out.write("\n")
    out.write(joined(below(found, width, colour)))


def render_table(found: Access, out: TextIO, options: Options) -> None:
    """Write the table. Cells are wrapped to fit a terminal."""
    width = options.width or PAGE
    out.write(joined(above(found, width, colour=False)))
    rows = [
        (
            one_line(reach.who.name or reach.who.id),
            one_line(reach.who.kind or "unknown"),
            one_line(reach.vault_name),
            can(reach.way.allows),
            grant_text(reach.way),
            notes(reach.way),
        )
        for reach in found.reaches
    ]
    # Grants that are not on vaults belong to the requested principal.
    rows += [
        (one_line(found.name), one_line(found.note) or "unknown", "", "", grant_text(way), notes(way)) for way in found.others
    ]
    out.writelines(f"{line}\n" for line in grid(_HEADERS, rows, options.width))
    out.write(joined(["", *below(found, width, colour=False)]))


def _title(found: Access, reach: Reach) -> str:
    if found.by_principal:
        return one_line(f"{reach.vault_name}{'/' + reach.thing.partition('/')[2] if reach.thing else ''}", 300)
    return called(reach.who)


def _way(reach: Reach, width: int) -> list[str]:
    said = "; ".join(part for part in (f"{can(reach.way.allows)}: {grant_text(reach.way)}", notes(reach.way)) if part)
    return wrap(said, width, _INDENT, _INDENT * 2)
