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
    bom: bool = False
    """Begin CSV with a byte order mark."""


FORMATS: Mapping[str, Callable[[Report, TextIO, Options], object]] = {
    "text": lambda report, out, options: text.render(
        report, out, passes=options.passes, width=options.width or 80, colour=options.colour
    ),
    "table": lambda report, out, options: table.render(report, out, passes=options.passes, width=options.width),
    "json": lambda report, out, options: json.render(report, out, passes=options.passes),
    "csv": lambda report, out, options: csv.render(report, out, mark=options.bom),
}
"""What a report is printed in."""

SCORED = frozenset({"json", "csv", "jsonl", "xlsx"})
"""The formats, printed or written, that say each finding's score, whatever the order."""


class Writer(Protocol):
    """Writes a report in one of the formats that files are written in. The same report gives the same bytes."""

    def __call__(self, report: Report, out: BinaryIO, /) -> None:
        """Write it to `out`."""


@dataclass(frozen=True, slots=True)
class File:
    """A format that other programs read: the module and the function of this package that write it, and what it is for."""

    module: str
    meaning: str
    function: str = "write"
    extra: str = ""
    """What has to be installed for it, as in `pip install keyaudit[xlsx]`; empty where nothing has."""

    def writer(self, name: str) -> Writer:
        """What writes it. Raises UsageError where what it needs is not installed; `name`: what it is called there."""
        try:
            found: Writer = getattr(import_module(f"keyaudit.report.{self.module}"), self.function)
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
    "ocsf": File("ocsf", "OCSF 1.5 Compliance Findings, one a line, passes too, for a security lake"),
    "xlsx": File("xlsx", "an Excel workbook: summary, findings, inventory, coverage and waivers", extra="xlsx"),
    "cyclonedx": File("cyclonedx", "CycloneDX 1.6 CBOM: every key and certificate, with state, dates, size and custody"),
    "cyclonedx-1.7": File("cyclonedx", "the same as CycloneDX 1.7", function="write_1_7"),
    "prometheus": File("prometheus", "metrics for the node exporter's textfile collector: when credentials end, and counts"),
    "junit": File("junit", "JUnit XML, for the test results of a pipeline: a suite for each policy, passes too"),
}
"""What a report is exported to, besides `json` and `csv`."""

BUNDLE = "bundle"
"""The one that is a folder: `keyaudit.report.bundle`."""

LISTING = frozenset({BUNDLE})
"""Those that show whole rows of the inventory, and so need what no policy reads."""
