"""Text for people: by principal with its grants, or by vault."""

from itertools import groupby
from typing import TextIO

from keyaudit.model.access import Access, Reach
from keyaudit.model.text import one_line
from keyaudit.report.access.words import above, below, by, called, can, notes
from keyaudit.report.lines import Paint, joined, paint, wrap
from keyaudit.report.options import Options

_INDENT = "    "


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
            said = "; ".join(part for part in (by(way), notes(way)) if part)
            out.write(joined(wrap(said, width, _INDENT, _INDENT * 2)))
        out.write("\n")
    out.write(joined(below(found, width, colour)))


def _title(found: Access, reach: Reach) -> str:
    if found.by_principal:
        return one_line(f"{reach.vault_name}{'/' + reach.thing.partition('/')[2] if reach.thing else ''}", 300)
    return called(reach.who)


def _way(reach: Reach, width: int) -> list[str]:
    said = "; ".join(part for part in (f"{can(reach.way.allows)}: {by(reach.way)}", notes(reach.way)) if part)
    return wrap(said, width, _INDENT, _INDENT * 2)
