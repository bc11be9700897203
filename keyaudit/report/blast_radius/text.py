"""Text for people: the graph as a tree, then the plan; with --verify, the remaining steps."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from keyaudit.model.blast_radius import BlastRadius
from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.report.blast_radius.plan import left, plan
from keyaudit.report.blast_radius.steps import Step
from keyaudit.report.blast_radius.words import Branch, conclusion, limits, meaning, opened, said, subject, tree
from keyaudit.report.lines import Paint, joined, paint, parted, wrap
from keyaudit.report.missing import incomplete, unsafe
from keyaudit.report.options import Options
from keyaudit.report.summary import ended, header

_INDENT = "  "


def render(found: BlastRadius, out: TextIO, options: Options) -> None:
    """Write it except for commands, which are not wrapped."""
    width, colour = options.page, options.colour
    below = _left(found, width, colour) if found.verify else plan_lines(plan(found), width, colour)
    blocks = parted(
        [
            paint(line, Paint.BOLD, colour)
            for text in filter(None, (subject(found), conclusion(found), opened(found)))
            for line in wrap(text, width)
        ],
        header(found.run, found.verdict, width, colour),
        [
            *(paint(line, Paint.BOLD, colour) for line in wrap(subject(found), width)),
            *(line for branch in tree(found) for line in _drawn(branch, width, 1, colour)),
        ],
        [line for limit in limits(found) for line in wrap(limit, width)],
        below,
        incomplete(found.verdict, width, colour),
        unsafe(found.verdict, width, colour),
        _ended(found, width, colour),
    )
    out.write(joined(blocks))


def _ended(found: BlastRadius, width: int, colour: bool) -> list[str]:
    verdict = found.verdict
    if verdict.exit is not Exit.FINDINGS:
        return ended(verdict, width, colour)
    said_ = f"Exit {verdict.exit:d}: {meaning(found)} ({verdict.assessed:,} of {verdict.required:,} required reads done)."
    also = [line for code in verdict.conditions[1:] for line in wrap(f"Also {code:d}: {MEANINGS[code]}.", width)]
    return [*(paint(line, Paint.BOLD, colour) for line in wrap(said_, width)), *also]


def _drawn(branch: Branch, width: int, depth: int, colour: bool) -> Iterator[str]:
    mark = "?" if branch.edge.doubt else "-"
    indent = _INDENT * min(depth, width // 8)
    lines = wrap(said(branch), width, f"{indent}{mark} ", f"{indent}    ")
    yield from (paint(line, Paint.DOUBT, colour and branch.edge.doubt is not None) for line in lines)
    for each in branch.below:
        yield from _drawn(each, width, depth + 1, colour)


def plan_lines(steps: Sequence[Step], width: int, colour: bool) -> list[str]:
    """The steps of a plan, under their phases."""
    lines = [paint("Plan. keyaudit prints these commands and runs none of them.", Paint.BOLD, colour)]
    phase = ""
    for number, step in enumerate(steps, 1):
        if step.phase != phase:
            phase = step.phase
            lines += ["", paint(phase.capitalize(), Paint.BOLD, colour)]
        lines += _step(step, f"{number:3}. ", width)
    return lines


def _left(found: BlastRadius, width: int, colour: bool) -> list[str]:
    steps = left(found)
    if not steps:
        return []
    lines = [paint("Still to do:", Paint.ALARM, colour)]
    return [*lines, *(line for step in steps for line in _step(step, f"  {step.phase}: ", width))]


def _step(step: Step, first: str, width: int) -> list[str]:
    rest = "     "
    lines = wrap(step.title, width, first, rest)
    lines += wrap(step.text, width, rest, rest) if step.text else []
    lines += wrap(f"Breaks: {step.breaks}.", width, rest, rest) if step.breaks else []
    # A command over several lines cannot be pasted into every shell.
    lines += [f"{rest}In PowerShell:"] if step.language == "powershell" else []
    return [*lines, *(f"{rest}  {line}" for line in step.commands)]
