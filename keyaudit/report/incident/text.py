"""The page as text."""

from collections.abc import Iterator
from typing import TextIO

from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.incident import Confidence, Incident
from keyaudit.report.blast_radius.steps import Step
from keyaudit.report.blast_radius.words import meaning
from keyaudit.report.incident.plan import left_open, plan
from keyaudit.report.incident.statements import Section
from keyaudit.report.incident.words import plan_title, sections, title, verdict
from keyaudit.report.lines import Paint, joined, paint, parted, wrap
from keyaudit.report.missing import incomplete, unsafe
from keyaudit.report.options import Options
from keyaudit.report.summary import ended, header, reads_done

_MARKS = {Confidence.OBSERVED: "observed", Confidence.INFERRED: "inferred", Confidence.NOT_KNOWABLE: "not knowable"}


def render(found: Incident, out: TextIO, options: Options) -> None:
    """Write it except for commands, which are not wrapped."""
    width, colour = options.page, options.colour
    radius = found.radius
    left = [line for each in left_open(found) for line in wrap(each, width, "  - ", "    ")]
    blocks = parted(
        [paint(line, Paint.BOLD, colour) for line in wrap(f"{title(found)}. {verdict(found)}", width)],
        header(radius.run, radius.verdict, width, colour),
        *([*_section(section, width, colour)] for section in sections(found)),
        [*_plan(found, width, colour)],
        [paint("What stays open", Paint.BOLD, colour), *left] if left else [],
        incomplete(found.verdict, width, colour),
        unsafe(found.verdict, width, colour),
        _ended(found, width, colour),
    )
    out.write(joined(blocks))


def _section(section: Section, width: int, colour: bool) -> Iterator[str]:
    yield paint(section.title, Paint.BOLD, colour)
    for each in section.statements:
        indent = "  " * min(each.depth + 1, width // 8)
        lines = wrap(f"{each.text} [{_MARKS[each.confidence]}]", width, f"{indent}- ", f"{indent}  ")
        doubt = each.confidence is Confidence.NOT_KNOWABLE
        yield from (paint(line, Paint.DOUBT, colour and doubt) for line in lines)


def _plan(found: Incident, width: int, colour: bool) -> Iterator[str]:
    """The steps of the plan, under their phases."""
    steps, phase = plan(found), ""
    if steps:
        head = f"{plan_title(found)}. keyaudit prints these commands and runs none of them."
        yield paint(head, Paint.BOLD, colour)
    for number, step in enumerate(steps, 1):
        if step.phase != phase:
            phase = step.phase
            yield from ("", paint(phase.capitalize(), Paint.BOLD, colour))
        yield from _step(step, f"{number:3}. ", width)


def _step(step: Step, first: str, width: int) -> Iterator[str]:
    rest = "     "
    yield from wrap(step.title, width, first, rest)
    yield from wrap(step.text, width, rest, rest) if step.text else ()
    yield from wrap(f"Breaks: {step.breaks}.", width, rest, rest) if step.breaks else ()
    # A command over several lines cannot be pasted into every shell.
    yield from [f"{rest}In PowerShell:"] if step.language == "powershell" else ()
    yield from (f"{rest}  {line}" for line in step.commands)


def _ended(found: Incident, width: int, colour: bool) -> list[str]:
    verdict = found.verdict
    if verdict.exit is not Exit.FINDINGS:
        return ended(verdict, width, colour)
    lines = wrap(f"Exit {verdict.exit:d}: {meaning(found.radius)} ({reads_done(verdict)}).", width)
    also = [line for code in verdict.conditions[1:] for line in wrap(f"Also {code:d}: {MEANINGS[code]}.", width)]
    return [*(paint(line, Paint.BOLD, colour) for line in lines), *also]
