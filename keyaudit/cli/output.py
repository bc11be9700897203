"""Puts a report into files and on stdout. Files first: what a pipe does cannot cost them."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TextIO, TypeVar

from keyaudit.cli.options import Format, Shown
from keyaudit.cli.streams import ClosedError, coloured, printing
from keyaudit.model.errors import Exit, OutputError, UsageError
from keyaudit.model.run import Report, Verdict, conditions
from keyaudit.policy.problems import nearest
from keyaudit.policy.queries import Scoring
from keyaudit.report.files import as_text, check, check_absent, output_bytes
from keyaudit.report.formats import BUNDLE, FILES, FORMATS, LISTING, SCORED, Options

T = TypeVar("T")

_EVERY = (*FORMATS, *FILES, BUNDLE)


@dataclass(frozen=True, slots=True)
class Target:
    """A file or folder to write, and its format."""

    format: str
    path: Path


def targets(texts: Sequence[str], place: str) -> tuple[Target, ...]:
    """The files, and folders, that are named as FORMAT=PATH.

    What is not that, needs what is not installed, or is no place for one, is refused before anything is read. `place`: where
    they were named.
    """
    found: dict[Path, Target] = {}
    for text in texts:
        name, _, path = text.partition("=")
        known(name, place)
        if not path:
            raise UsageError(place, f"not FORMAT=PATH: {text!r}", f"say where to, as in {name}=PATH")
        target = Target(name, Path(path))
        (check_absent if name == BUNDLE else check)(target.path)
        if found.setdefault(target.path.resolve(), target) is not target:
            raise UsageError(place, f"{path} is named twice", "give each format a file of its own")
    return tuple(found.values())


def scoring(printed: str | None, files: Sequence[Target], *, by_score: bool = False, carried: bool = False) -> Scoring:
    """Whether findings need scores: for their order, or since what is printed or written says them. `carried`: it does."""
    if by_score:
        return Scoring.ORDER
    return Scoring.CARRIED if carried or {printed, *(target.format for target in files)} & SCORED else Scoring.NONE


def known(name: str, place: str) -> None:
    """Refuses a format that there is not, or that needs what is not installed. `place`: where it was named."""
    if name not in _EVERY:
        raise UsageError(place, f"no such format: {name!r}", nearest(name, _EVERY) or f"one of {', '.join(_EVERY)}")
    if name in FILES:
        FILES[name].writer(name)


def marked(bom: bool, formats: Iterable[str]) -> bool:
    """Whether CSV begins with a byte order mark. Refuses --bom where nothing is written as CSV."""
    if bom and "csv" not in formats:
        raise UsageError("--bom", "only works with CSV output", "leave it out, or choose csv")
    return bom


def listed(files: Sequence[Target]) -> bool:
    """Whether one of them shows whole rows of the inventory: what `all_judged` has to know."""
    return any(target.format in LISTING for target in files)


def write(reports: Sequence[Report], files: Sequence[Target], options: Options) -> OutputError | None:
    """Write the files. One that cannot be written costs no other: what went wrong first is returned, for later."""
    failure = None
    for target in files:
        try:
            if target.format == BUNDLE:
                from keyaudit.report.bundle.write import write as write_bundle

                write_bundle(_alone(BUNDLE, reports), target.path)
                continue
            with output_bytes(target.path) as out:
                _write(target.format, reports, out, options)
        except OutputError as error:
            failure = failure or error
    return failure


def print_file(name: str, reports: Sequence[Report], options: Options) -> None:
    """Print what the file of that format would hold."""
    with printing() as out:
        out.flush()
        _write(name, reports, out.buffer, options)


def _write(name: str, reports: Sequence[Report], out: BinaryIO, options: Options) -> None:
    if name in FILES:
        FILES[name].writer(name)(_alone(name, reports), out)
    else:
        with as_text(out) as text:
            _render(name, reports, text, options)


def _alone(name: str, reports: Sequence[Report]) -> Report:
    if len(reports) > 1:
        raise UsageError(name, "takes one tenant, and several are named", "export each separately")
    return reports[0]


def deliver(reports: Sequence[Report], shown: Shown, files: tuple[Target, ...], exported: Sequence[Report], **how: Any) -> int:
    """Write the files, print the reports, and return the exit code, which is never 0 if anything was not written.

    `exported`: the reports as files have them. `how`: further `Options` of what is printed.

    A file that cannot be written is said after the report is printed, so that a long run is not lost with it.
    """
    failure = write(exported, files, Options(passes=shown.passes, bom=shown.bom))
    try:
        with printing() as out:
            gate = shown.output is None and reports[0].verdict.gate is not None
            name = "gate" if gate else shown.output or Format.TEXT
            _render(name, reports, out, replace(options(out, passes=shown.passes, bom=shown.bom), **how))
    except ClosedError as error:
        # A gate that fails has failed, however much of it was read.
        if conditions(reports)[0] is Exit.CLEAN:
            failure = failure or error
    if failure:
        raise failure
    return conditions(reports)[0]


def show(
    render: Callable[[T, TextIO, Options], None], found: T, verdict: Verdict, *, passes: bool = False, hints: bool = True
) -> int:
    """Print what was found, and return the verdict's exit code."""
    with printing() as out:
        render(found, out, replace(options(out, passes=passes), hints=hints))
    return verdict.exit


def _render(name: str, reports: Sequence[Report], out: TextIO, options: Options) -> None:
    if len(reports) > 1:
        from keyaudit.report.several import render

        render(name, reports, out, options)
    elif name == "gate":
        from keyaudit.report.gate import render_gate

        render_gate(reports[0], out)
    else:
        FORMATS[name](reports[0], out, options)


def options(out: TextIO, *, passes: bool = False, bom: bool = False) -> Options:
    """How to show things on a terminal, or where there is none."""
    width = shutil.get_terminal_size().columns if out.isatty() else None
    return Options(passes=passes, bom=bom, width=width, colour=coloured(out))
