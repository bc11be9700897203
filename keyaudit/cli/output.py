"""Puts a report into files and on stdout. Files first: what a pipe does cannot cost them."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypeVar

from keyaudit.cli.options import Format, Shown
from keyaudit.cli.streams import ClosedError, printing
from keyaudit.model.errors import Exit, OutputError, UsageError
from keyaudit.model.run import Report, Verdict
from keyaudit.policy.queries import Scoring
from keyaudit.report.files import check, output_file
from keyaudit.report.formats import FORMATS, SCORED, Options
from keyaudit.report.gate import render_gate
from keyaudit.report.several import conditions
from keyaudit.report.several import render as render_several

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """A file to write, and its format."""

    format: str
    path: Path


def targets(shown: Shown) -> tuple[Target, ...]:
    """The files that --export names; what is not FORMAT=PATH, or no place for a file, is refused before anything is read."""
    found: dict[Path, Target] = {}
    for text in shown.export or ():
        name, _, path = text.partition("=")
        if name not in FORMATS or not path:
            raise UsageError("--export", f"not FORMAT=PATH: {text!r}", f"the formats are {', '.join(FORMATS)}")
        target = Target(name, Path(path))
        check(target.path)
        if found.setdefault(target.path.resolve(), target) is not target:
            raise UsageError("--export", f"{path} is named twice", "give each format a file of its own")
    return tuple(found.values())


def scoring(shown: Shown, files: Sequence[Target], *, by_score: bool = False) -> Scoring:
    """Whether findings need scores: for their order, or since a format says them."""
    if by_score:
        return Scoring.ORDER
    return Scoring.CARRIED if {shown.output, *(target.format for target in files)} & SCORED else Scoring.NONE


def deliver(reports: Sequence[Report], shown: Shown, files: tuple[Target, ...]) -> int:
    """Write the files, print the reports, and return the exit code, which is never 0 if anything was not written.

    A file that cannot be written is said after the report is printed, so that a long run is not lost with it.
    """
    failure = None
    for target in files:
        try:
            with output_file(target.path) as out:
                _render(target.format, reports, out, Options(passes=shown.passes))
        except OutputError as error:
            failure = failure or error
    try:
        with printing() as out:
            gate = shown.output is None and reports[0].verdict.gate is not None
            _render("gate" if gate else shown.output or Format.TEXT, reports, out, _options(out, passes=shown.passes))
    except ClosedError as error:
        # A gate that fails has failed, however much of it was read.
        if conditions(reports)[0] is Exit.CLEAN:
            failure = failure or error
    if failure:
        raise failure
    return conditions(reports)[0]


def show(render: Callable[[T, TextIO, Options], None], found: T, verdict: Verdict, *, passes: bool = False) -> int:
    """Print what was found, and return the verdict's exit code."""
    with printing() as out:
        render(found, out, _options(out, passes=passes))
    return verdict.exit


def _render(name: str, reports: Sequence[Report], out: TextIO, options: Options) -> None:
    if len(reports) > 1:
        render_several(name, reports, out, options)
    elif name == "gate":
        render_gate(reports[0], out)
    else:
        FORMATS[name](reports[0], out, options)


def _options(out: TextIO, *, passes: bool = False) -> Options:
    terminal = out.isatty()
    return Options(
        passes=passes,
        width=shutil.get_terminal_size().columns if terminal else None,
        colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
    )
