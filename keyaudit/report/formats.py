"""The formats of a report, by name. A format changes how a verdict looks, never what it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import BinaryIO, Protocol, TextIO

from keyaudit.model.errors import UsageError
from keyaudit.model.run import Report
from keyaudit.report import csv, json, table, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to show it. `width` is the terminal's; None where there is none."""

    passes: bool = False
    width: int | None = None
    colour: bool = False


FORMATS: Mapping[str, Callable[[Report, TextIO, Options], None]] = {
    "text": lambda report, out, options: text.render(
        report, out, passes=options.passes, width=options.width or 80, colour=options.colour
    ),
    "table": lambda report, out, options: table.render(report, out, passes=options.passes, width=options.width),
    "json": lambda report, out, options: json.render(report, out, passes=options.passes),
    "csv": lambda report, out, _: csv.render(report, out),
}
"""What a report is printed in."""

SCORED = frozenset({"json", "csv", "jsonl"})
"""The formats, printed or written, that say each finding's score, whatever the order."""


class Writer(Protocol):
    """Writes a report in one of the formats that files are written in. The same report gives the same bytes."""

    def __call__(self, report: Report, out: BinaryIO, /) -> None:
        """Write it to `out`."""


@dataclass(frozen=True, slots=True)
class File:
    """A format that other programs read: the module of this package whose `write` writes it, and what it is for."""

    module: str
    meaning: str
    extra: str = ""
    """What has to be installed for it, as in `pip install keyaudit[xlsx]`; empty where nothing has."""

    def writer(self, name: str) -> Writer:
        """What writes it. Raises UsageError where what it needs is not installed; `name`: what it is called there."""
        try:
            found: Writer = import_module(f"keyaudit.report.{self.module}").write
        except ImportError as error:
            if not self.extra:
                raise
            remedy = f"pip install 'keyaudit[{self.extra}]'"
            raise UsageError(name, f"needs {error.name}, which is not installed", remedy) from error
        return found


FILES: Mapping[str, File] = {
    "jsonl": File("jsonl", "one finding a line, passes too, as in json; the run and the verdict are the first and last line"),
    "markdown": File("markdown", "for a job summary, a pull request or a wiki: what is open, and what was not seen"),
    "sarif": File("sarif", "SARIF 2.1.0, for code scanning: what fails, what is waived and what nobody can tell"),
    "junit": File("junit", "JUnit XML, for the test results of a pipeline: a suite for each policy, passes too"),
}
"""What a report is exported to, besides `json` and `csv`."""
