"""Writes reports to files and then to stdout, so that a broken pipe does not lose the files."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.audit import Detail
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


class Target(Struct, frozen=True):
    """A file or folder to write, and its format."""

    format: str
    path: Path


def targets(texts: Sequence[str], place: str) -> tuple[Target, ...]:
    """The files and folders named as FORMAT=PATH.

    Raises UsageError, before anything is read, for a bad format or path, or a missing extra. `place`: where they were named.
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


def detail(printed: str | None, files: Sequence[Target], *, by_score: bool = False, carried: bool = False) -> Detail:
    """The needs of the formats. Findings are ordered `by_score`; `carried`: the printed one contains scores."""
    formats = {printed, *(target.format for target in files)}
    contained = carried or formats & SCORED
    return Detail(
        scoring=Scoring.ORDER if by_score else Scoring.CARRIED if contained else Scoring.NONE,
        listed=bool(formats & LISTING),
    )


def known(name: str, place: str) -> None:
    """Raises UsageError for an unknown format, or a missing extra. `place`: where it was named."""
    if name not in _EVERY:
        raise UsageError(place, f"no such format: {name!r}", nearest(name, _EVERY) or f"one of {', '.join(_EVERY)}")
    if name in FILES:
        FILES[name].writer(name)


def marked(bom: bool, formats: Iterable[str]) -> bool:
    """Whether CSV begins with a byte order mark. Raises UsageError for --bom if nothing is written as CSV."""
    if bom and "csv" not in formats:
        raise UsageError("--bom", "only works with CSV output", "leave it out, or choose csv")
    return bom


def write(reports: Sequence[Report], files: Sequence[Target], options: Options) -> OutputError | None:
    """Write all files, even if one fails; return the first error."""
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
    """Print the content that a file of this format would have."""
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
    """Write the files, print the reports, and return the exit code, which is not 0 if a file could not be written.

    `exported`: the reports for the files. `how`: further `Options` for printing.

    An error about a file is raised after the report is printed, so that a long run is not lost.
    """
    failure = write(exported, files, Options(passes=shown.passes, bom=shown.bom))
    try:
        with printing() as out:
            gate = shown.output is None and reports[0].verdict.gate is not None
            name = "gate" if gate else shown.output or Format.TEXT
            _render(name, reports, out, replace(options(out, passes=shown.passes, bom=shown.bom), **how))
    except ClosedError as error:
        # A failed gate stays failed, even if not everything was read.
        if conditions(reports)[0] is Exit.CLEAN:
            failure = failure or error
    if failure:
        raise failure
    return conditions(reports)[0]


def show(
    render: Callable[[T, TextIO, Options], None], found: T, verdict: Verdict, *, passes: bool = False, hints: bool = True
) -> int:
    """Print the result, and return the verdict's exit code."""
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
    """Display options for a terminal, or for output that is not one."""
    width = shutil.get_terminal_size().columns if out.isatty() else None
    return Options(passes=passes, bom=bom, width=width, colour=coloured(out))
