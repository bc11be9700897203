"""Puts a report on stdout and into files. Files first: what a pipe does cannot cost them."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from keyaudit.cli.options import Format, Shown
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.run import Report
from keyaudit.report.files import output_file
from keyaudit.report.formats import FORMATS, Options
from keyaudit.report.gate import render_gate


@dataclass(frozen=True, slots=True)
class Target:
    """A file to write, and its format."""

    format: str
    path: Path


def targets(shown: Shown) -> tuple[Target, ...]:
    """The files that --export names; what is not FORMAT=PATH is refused before anything is read."""
    found = []
    for text in shown.export or ():
        name, _, path = text.partition("=")
        if name not in FORMATS or not path:
            raise UsageError("--export", f"not FORMAT=PATH: {text!r}", f"the formats are {', '.join(FORMATS)}")
        found.append(Target(name, Path(path)))
    return tuple(found)


def deliver(report: Report, shown: Shown, files: tuple[Target, ...]) -> int:
    """Write the files, print the report, and return the verdict's exit code. A pipe that closes never makes it 0."""
    for target in files:
        with output_file(target.path) as out:
            FORMATS[target.format](report, out, Options(passes=shown.passes))
    try:
        _print(report, shown)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return report.verdict.exit or Exit.BUG
    return report.verdict.exit


def _print(report: Report, shown: Shown) -> None:
    if shown.output is None and report.verdict.gate is not None:
        render_gate(report, sys.stdout)
        return
    terminal = sys.stdout.isatty()
    options = Options(
        passes=shown.passes,
        width=shutil.get_terminal_size().columns if terminal else None,
        colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
    )
    FORMATS[shown.output or Format.TEXT](report, sys.stdout, options)
