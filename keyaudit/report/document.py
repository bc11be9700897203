"""The answer to a question as a document, and how it is written as text and as Markdown."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from msgspec import Struct

from keyaudit.model.results.run import Run, Verdict
from keyaudit.model.values.times import iso_time
from keyaudit.report.lines import Paint, joined, paint, parted, wrap
from keyaudit.report.markdown import safe
from keyaudit.report.missing import incomplete, unsafe
from keyaudit.report.options import Options
from keyaudit.report.steps import Step
from keyaudit.report.summary import SIMULATED, ended, header

MARKS = {True: "done", False: "open", None: "unknown"}
_RUNS_NONE = "keyaudit prints these commands and runs none of them."


class Item(Struct, frozen=True, kw_only=True):
    """One entry of a section. All text is safe for one line."""

    text: str
    state: str = ""
    """The state of the thing that it names."""
    basis: str = ""
    """Why it is known, or that it is not."""
    details: Sequence[str] = ()
    depth: int = 0
    colour: Paint | None = None


class Stage(Struct, frozen=True, kw_only=True):
    """One of the stages that follow each other. `reached` is None if unknown."""

    name: str
    reached: bool | None
    text: str


class Section(Struct, frozen=True, kw_only=True):
    """A heading with its entries; left out if there are neither entries nor a sentence for `empty`."""

    title: str
    items: Sequence[Item]
    empty: str = ""
    bullet: str = "- "
    """How an entry begins in text."""
    paragraphs: bool = False
    """Whether the entries are paragraphs without a heading in text."""


class Plan(Struct, frozen=True, kw_only=True):
    """The steps in order."""

    title: str
    steps: Sequence[Step]


class Document(Struct, frozen=True, kw_only=True):
    """An answer: its subject, the answer in short, and the parts in order."""

    run: Run
    verdict: Verdict
    title: str
    answer: str
    parts: Sequence[Sequence[Stage] | Section | Plan]
    meaning: str = ""
    """The meaning of the exit code for this question, if it has its own."""
    answer_first: bool = False
    """Whether text begins with the answer, before tenant and time."""
    gaps_only: bool = False
    """Whether text says that the results are incomplete only if a gap says why."""


def write_text(document: Document, out: TextIO, options: Options) -> None:
    """Write it for people. Commands are not wrapped."""
    verdict, width, colour = document.verdict, options.page, options.colour
    about = header(document.run, verdict, width, colour)
    answer = [paint(line, Paint.BOLD, colour) for line in wrap(f"{document.title}. {document.answer}", width)]
    blocks = parted(
        *((answer, about) if document.answer_first else (about, answer)),
        *([*_part(part, width, colour)] for part in document.parts),
        incomplete(verdict, width, colour) if verdict.gaps or not document.gaps_only else [],
        unsafe(verdict, width, colour),
        ended(verdict, width, colour, meaning=document.meaning),
    )
    out.write(joined(blocks))


def _part(part: Sequence[Stage] | Section | Plan, width: int, colour: bool) -> Iterator[str]:
    match part:
        case Section(title=title, items=items):
            if items and not part.paragraphs:
                yield paint(title, Paint.BOLD, colour)
            elif not items and part.empty:
                yield part.empty
            for item in items:
                yield from wrap(item.text, width) if part.paragraphs else _item(item, part.bullet, width, colour)
        case Plan():
            yield from _steps(part, width, colour)
        case _:
            names = max(len(stage.name) for stage in part)
            for number, stage in enumerate(part, 1):
                mark = "?" if stage.reached is None else MARKS[stage.reached]
                first = f"{number}. {stage.name:<{names}}  {mark:<5} "
                yield from wrap(stage.text, width, first, " " * len(first))


def _item(item: Item, bullet: str, width: int, colour: bool) -> Iterator[str]:
    indent = "  " * min(item.depth + 1, width // 8)
    rest = indent + " " * (len(bullet) or 4)
    text = f"{item.state}: {item.text}" if item.state else item.text
    lines = wrap(f"{text} [{item.basis}]" if item.basis else text, width, f"{indent}{bullet}", rest)
    yield from (paint(line, item.colour, colour) for line in lines) if item.colour else lines
    for detail in item.details:
        yield from wrap(detail, width, rest, rest)


def _steps(plan: Plan, width: int, colour: bool) -> Iterator[str]:
    if plan.steps:
        yield paint(f"{plan.title}. {_RUNS_NONE}", Paint.BOLD, colour)
    phase, rest = "", "     "
    for number, step in enumerate(plan.steps, 1):
        if step.phase != phase:
            phase = step.phase
            yield from ("", paint(phase.capitalize(), Paint.BOLD, colour))
        yield from wrap(step.title, width, f"{number:3}. ", rest)
        for line in _notes(step):
            yield from wrap(line, width, rest, rest)
        # A command over several lines cannot be pasted into every shell.
        yield from [f"{rest}In PowerShell:"] if step.language == "powershell" else ()
        yield from (f"{rest}  {command}" for command in step.commands)


def _notes(step: Step) -> Iterator[str]:
    """The sentences below the title of a step."""
    if step.text:
        yield step.text
    for name, text in (("Breaks", step.breaks), ("Owner", step.owner), ("To go back", step.back)):
        if text:
            yield f"{name}: {text}."


def write_markdown(document: Document, out: TextIO) -> None:
    """Write it as Markdown. Names from tenants and logs are escaped."""
    run = document.run
    out.write(f"# {safe(document.title)}\n\n**{safe(document.answer)}**\n\n")
    if run.simulated:
        out.write(f"{SIMULATED}\n\n")
    out.write(f"Tenant {safe(run.tenant_name or run.tenant_id)}, as of {iso_time(run.as_of)}.\n")
    for part in document.parts:
        out.writelines(_markdown(part))
    if document.meaning:
        out.write(f"\nExit {document.verdict.exit:d}: {safe(document.meaning)}.\n")


def _markdown(part: Sequence[Stage] | Section | Plan) -> Iterator[str]:
    match part:
        case Section(title=title, items=items):
            if items or part.empty:
                yield f"\n## {safe(title)}\n\n"
            if part.empty and not items:
                yield f"{part.empty}\n"
            for item in items:
                state = f"**{safe(item.state)}**: " if item.state else ""
                text = f"{item.text}: {'; '.join(item.details)}" if item.details else item.text
                yield f"{'  ' * item.depth}- {state}{safe(text)}{f' *({item.basis})*' if item.basis else ''}\n"
        case Plan(title=title, steps=steps):
            if steps:
                yield f"\n## {title}\n\n{_RUNS_NONE}\n\n"
            for number, step in enumerate(steps, 1):
                yield f"{number}. **{step.phase}**: {safe(step.title)}\n"
                yield from (f"   {safe(line)}\n" for line in _notes(step))
                yield from (f"\n   ```{step.language}\n   {command}\n   ```\n" for command in step.commands)
        case _:
            yield "\n| stage | reached | |\n| --- | --- | --- |\n"
            yield from (f"| {stage.name} | {MARKS[stage.reached]} | {safe(stage.text)} |\n" for stage in part)
