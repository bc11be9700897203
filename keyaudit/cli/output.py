"""Writes reports to files and then to stdout, so that a broken pipe does not lose the files."""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.audit import Detail
from keyaudit.cli.options import Format, Redaction, Shown
from keyaudit.cli.terminal.streams import ClosedError, coloured, printing
from keyaudit.inventory.disk import input_file
from keyaudit.model.documents.problems import nearest
from keyaudit.model.errors import Exit, OutputError, UsageError
from keyaudit.model.results.run import Report, Verdict, conditions
from keyaudit.report.files import as_text, check, check_absent, output_bytes
from keyaudit.report.formats import BUNDLE, FILES, FORMATS, LISTING, NAMED
from keyaudit.report.options import Options
from keyaudit.report.resource import SHOWN

_LEAST, _MOST = 16, 65_536
_MAKE = "make one with openssl rand -hex 32"


def salt(redaction: Redaction, formats: Iterable[str | None]) -> bytes | None:
    """The salt of the pseudonyms, if --redact is given. To be called before anything is read.

    Raises UsageError also if one of `formats` needs real names.
    """
    named = NAMED.intersection(formats)
    if redaction.redact is not None and named:
        what = f"{' and '.join(sorted(named))} cannot be written without names"
        raise UsageError("--redact", what, "choose another format, or leave it out")
    path = redaction.redact_salt
    if path is None:
        return None
    if redaction.redact is None:
        raise UsageError("--redact-salt", "only works with --redact", "remove it, or add --redact names")
    data = input_file.read(path, _MOST, _MAKE).strip()
    if not _LEAST <= len(data) <= _MOST:
        what = f"holds {len(data):,} bytes; a salt needs {_LEAST} to {_MOST:,}"
        raise UsageError(str(path), what, _MAKE)
    return data


T = TypeVar("T")

_LINES = {Format.TEXT, Format.TABLE}
_EVERY = (*FORMATS, *FILES, BUNDLE)


class Target(Struct, frozen=True):
    """A file or folder to write, and its format."""

    format: str
    path: Path


class Outputs(Struct, frozen=True):
    """The formats that reports are printed and written in."""

    printed: tuple[str, ...]
    """Formats on stdout; empty for the default one."""
    files: tuple[Target, ...]
    redaction: Redaction
    key: bytes | None

    @property
    def formats(self) -> frozenset[str]:
        return frozenset((*self.printed, *(target.format for target in self.files)))

    def detail(self, *, lines: bool = False, fixes: bool = False) -> Detail:
        """The needs of the formats. `lines`: text on stdout has the resource, the problem, the message, and with `fixes` the
        fix of a finding, no more.
        """
        if lines and self.formats <= _LINES and self.redaction.redact is None:
            return Detail(whole_rows=False, shown=SHOWN, explained=fixes)
        return Detail(listed=bool(self.formats & LISTING))

    def without_names(self, reports: Sequence[Report]) -> Sequence[Report]:
        """The reports, with pseudonyms if --redact is given."""
        if self.redaction.redact is None:
            return reports
        from keyaudit.report.redact import redacted

        return [redacted(report, self.key or report.run.tenant_id.lower().encode()) for report in reports]


def outputs(printed: Sequence[str], named: Sequence[str], place: str, redaction: Redaction, *, bom: bool) -> Outputs:
    """The formats on stdout, and the files `named` as FORMAT=PATH at `place`.

    Raises UsageError, before anything is read, for what cannot be written, and for --bom if nothing is written as CSV.
    """
    files = _targets(named, place)
    formats = (*printed, *(target.format for target in files))
    if bom and "csv" not in formats:
        raise UsageError("--bom", "only works with CSV output", "leave it out, or choose csv")
    return Outputs(tuple(printed), files, redaction, salt(redaction, formats))


def shown_outputs(shown: Shown, redaction: Redaction) -> Outputs:
    """The outputs by the flags of commands that print a report."""
    return outputs([shown.output] if shown.output else [], shown.export or (), "--export", redaction, bom=shown.bom)


def _targets(texts: Sequence[str], place: str) -> tuple[Target, ...]:
    """The files and folders named as FORMAT=PATH. Raises UsageError for a bad format or path, or a missing extra."""
    found: dict[Path, Target] = {}
    for text in texts:
        name, _, path = text.partition("=")
        known(name, place)
        if not path:
            raise UsageError(place, f"not FORMAT=PATH: {text!r}", f"name the destination, as in {name}=PATH")
        target = Target(name, Path(path))
        (check_absent if name == BUNDLE else check)(target.path)
        if found.setdefault(target.path.resolve(), target) is not target:
            raise UsageError(place, f"{path} is named twice", "give each format its own file")
    return tuple(found.values())


def known(name: str, place: str) -> None:
    """Raises UsageError for an unknown format, or a missing extra. `place`: where it was named."""
    if name not in _EVERY:
        raise UsageError(place, f"no such format: {name!r}", nearest(name, _EVERY) or f"one of {', '.join(_EVERY)}")
    if name in FILES:
        FILES[name].writer(name)


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
        of_all = FILES[name].writer_of_all() if len(reports) > 1 else None
        if of_all is not None:
            of_all(reports, out)
        else:
            FILES[name].writer(name)(_alone(name, reports), out)
    else:
        with as_text(out) as text:
            _render(name, reports, text, options)


def _alone(name: str, reports: Sequence[Report]) -> Report:
    if len(reports) > 1:
        raise UsageError(name, "accepts only one tenant", "export each separately")
    return reports[0]


def deliver(reports: Sequence[Report], shown: Shown, exported: Sequence[Report], files: Sequence[Target], **how: Any) -> int:
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
        from keyaudit.report.tenant_reports import render

        render(name, reports, out, options)
    elif name == "gate":
        from keyaudit.report.gate import render_gate

        render_gate(reports[0], out)
    else:
        FORMATS[name](reports[0], out, options)


def options(out: TextIO, *, passes: bool = False, bom: bool = False) -> Options:
    """Display options for a terminal, or for output that is not one, whose width COLUMNS may say."""
    width = shutil.get_terminal_size().columns if out.isatty() or os.environ.get("COLUMNS") else None
    return Options(passes=passes, bom=bom, width=width, colour=coloured(out))
