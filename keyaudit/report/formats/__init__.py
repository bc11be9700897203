"""The formats of a report, by name. A format changes how a verdict looks, never what it is."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, BinaryIO, Protocol, TextIO

from msgspec import Struct

from keyaudit.model.errors import UsageError
from keyaudit.model.extras import installing
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.report.options import Options


def _text(report: Report, out: TextIO, options: Options) -> None:
    from keyaudit.report.findings import grouped, screen, text  # noqa: PLC0415 - each format imports what it needs
    from keyaudit.report.findings.arrange import by_thing  # noqa: PLC0415

    sort = options.sort
    if not (options.full or screen.short(report)):
        screen.render(report, out, options)
    elif options.group == "none":
        _table(report, out, options)
    elif options.group == "resource":
        if sort != "severity":
            report = by_thing(report, sort)
        text.render(report, out, options)
    else:
        grouped.render(report, out, options)


def _table(report: Report, out: TextIO, options: Options) -> None:
    from keyaudit.report.findings import table  # noqa: PLC0415 - each format imports what it needs
    from keyaudit.report.findings.arrange import flat  # noqa: PLC0415

    table.render(flat(report, options.sort), out, options)


def _json(report: Report, out: TextIO, options: Options) -> None:
    from keyaudit.report import json  # noqa: PLC0415 - each format imports what it needs

    json.render(_engines(report, options), out, passes=options.passes)


def _csv(report: Report, out: TextIO, options: Options) -> object:
    from keyaudit.report.tabular import csv  # noqa: PLC0415 - each format imports what it needs

    return csv.render(_engines(report, options), out, mark=options.bom)


def _engines(report: Report, options: Options) -> Report:
    """For programs: in the engine's order, unless another order was requested."""
    from keyaudit.report.findings.arrange import flat  # noqa: PLC0415

    return report if options.sort == "severity" else flat(report, options.sort)


def _chosen(
    render: Callable[[Report, TextIO, Options], object], *, causes: bool = False
) -> Callable[[Report, TextIO, Options], object]:
    """The format, restricted to the requested findings. `causes`: at most so many causes are requested, and not findings."""

    def shown(report: Report, out: TextIO, options: Options) -> object:
        if options.least is Severity.INFO and options.top is None:
            return render(report, out, options)
        from keyaudit.report.findings.arrange import chosen, flat  # noqa: PLC0415 - only if findings are left out

        if options.top is None or options.sort == "severity":
            return render(chosen(report, options.least, options.top, causes=causes), out, options)
        # The first in the requested order, and not the first in the engine's.
        found = chosen(flat(chosen(report, options.least, None), options.sort), Severity.INFO, options.top, causes=causes)
        # Text needs the findings on a resource together, and sorts the resources.
        return render(flat(found, "resource") if render is _text else found, out, options)

    return shown


FORMATS: Mapping[str, Callable[[Report, TextIO, Options], object]] = {
    "text": _chosen(_text, causes=True),
    "table": _chosen(_table, causes=True),
    "json": _chosen(_json),
    "csv": _chosen(_csv),
}
"""The formats for printing."""

PRINTED: Mapping[str, str] = {
    "text": "for people: by resource, by policy or by owner, as wide as the terminal",
    "table": "for people: one line per cause, with columns of your choice",
    "json": "for programs: the run, every finding with its evidence, the gaps and the verdict",
    "csv": "for spreadsheets and auditors: one line per finding, including passes",
}
"""The purpose of each format."""


class Writer(Protocol):
    """Writes a report in a file format. The same report gives the same bytes."""

    def __call__(self, report: Report, out: BinaryIO, /) -> None:
        """Write it to `out`."""


class File(Struct, frozen=True):
    """A file format: the module below `keyaudit.report` and the function that write it, and its purpose."""

    module: str
    meaning: str
    function: str = "write"
    extra: str = ""
    """The required extra; empty if none."""
    all_: str = ""
    """The function that writes several tenants into one file; empty if there is none."""

    def writer(self, name: str) -> Writer:
        """Its writer. Raises UsageError if its extra is not installed; `name`: the format's name in the error."""
        found: Writer = self._imported(name, self.function)
        return found

    def writer_of_all(self) -> "Callable[[Sequence[Report], BinaryIO], None] | None":
        """What writes several tenants into one file; None if the format takes one."""
        return self._imported(self.module, self.all_) if self.all_ else None

    def _imported(self, name: str, function: str) -> Any:
        try:
            return getattr(import_module(f"keyaudit.report.{self.module}"), function)
        except ImportError as error:
            if not self.extra:
                raise
            raise UsageError(name, f"needs {error.name}, which is not installed", installing(self.extra)) from error


FILES: Mapping[str, File] = {
    "jsonl": File(
        "formats.jsonl", "one finding per line, passes too, as in json; the first line is the run, the last the verdict"
    ),
    "markdown": File("markdown", "for a job summary, a pull request or a wiki: what is open, and what was not read"),
    "controls": File(
        "frameworks.control_files",
        "CSV, one line per control of each framework, with its counts, by the limits of the framework",
        function="write_controls",
    ),
    "control-findings": File(
        "frameworks.control_files",
        "CSV, the findings of controls whose framework has other limits than the run, passes too, with the profile",
        function="write_findings",
    ),
    "sarif": File("formats.sarif", "SARIF 2.1.0, for code scanning: what fails, is waived or is unknown"),
    "html": File(
        "html",
        "one offline page for a browser or print: charts, and all findings with search and filters",
        all_="write_tenants",
    ),
    "matrix": File("tenants", "CSV, one line per area of each tenant: its open findings by severity", all_="write_all"),
    "ocsf": File("formats.ocsf", "OCSF 1.5 Compliance Findings, one per line, passes too, for a security lake"),
    "xlsx": File(
        "formats.xlsx", "an Excel workbook: summary, findings, controls, inventory, coverage and waivers", extra="xlsx"
    ),
    "cyclonedx": File("formats.cyclonedx", "CycloneDX 1.6 CBOM: keys, certificates and algorithms, and what depends on them"),
    "cyclonedx-1.7": File("formats.cyclonedx", "the same as CycloneDX 1.7", function="write_1_7"),
    "prometheus": File(
        "formats.prometheus", "metrics for the textfile collector of node exporter: dates of credentials, and counts"
    ),
    "junit": File("formats.junit", "JUnit XML, for the test results of a pipeline: a suite for each policy, passes too"),
}
"""The file formats besides `json` and `csv`."""

BUNDLE = "bundle"
"""The format that is a folder: `keyaudit.report.bundle`."""

NAMED = frozenset({"html"})
"""The formats that contain more names than their rows, and cannot be redacted."""
LISTING = frozenset({BUNDLE, "html"})
"""The formats with whole rows of the inventory, which need columns that no policy reads."""
