"""The page as text."""

from collections.abc import Iterator
from typing import TextIO

from keyaudit.model.incident import Confidence, Incident
from keyaudit.report.blast_radius.text import plan_lines
from keyaudit.report.incident.plan import left_open, plan
from keyaudit.report.incident.statements import Section
from keyaudit.report.incident.words import sections, title, verdict
from keyaudit.report.lines import Paint, joined, paint, parted, wrap
from keyaudit.report.options import Options
from keyaudit.report.summary import closing, header

_MARKS = {Confidence.OBSERVED: "observed", Confidence.INFERRED: "inferred", Confidence.NOT_KNOWABLE: "not knowable"}


def render(found: Incident, out: TextIO, options: Options) -> None:
    """Write it except for commands, which are not wrapped."""
    width, colour = options.page, options.colour
    radius = found.radius
    blocks = parted(
        [paint(line, Paint.BOLD, colour) for line in wrap(f"{title(found)}. {verdict(found)}", width)],
        header(radius.run, radius.verdict, width, colour),
        *([*_section(section, width, colour)] for section in sections(found)),
        plan_lines(plan(found), width, colour),
        [
            paint("What stays open", Paint.BOLD, colour),
            *(line for each in left_open(found) for line in wrap(each, width, "  - ", "    ")),
        ],
        *closing(radius.verdict, width, colour),
    )
    out.write(joined(blocks))


def _section(section: Section, width: int, colour: bool) -> Iterator[str]:
    yield paint(section.title, Paint.BOLD, colour)
    for each in section.statements:
        indent = "  " * min(each.depth + 1, width // 8)
        lines = wrap(f"{each.text} [{_MARKS[each.confidence]}]", width, f"{indent}- ", f"{indent}  ")
        doubt = each.confidence is Confidence.NOT_KNOWABLE
        yield from (paint(line, Paint.DOUBT, colour and doubt) for line in lines)
