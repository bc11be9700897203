"""The controls of every framework as CSV: a line for each control, and for each finding that is evaluated for controls only."""

from collections.abc import Iterable, Sequence
from typing import BinaryIO

from keyaudit.model.results.run import Report
from keyaudit.report.files import as_text
from keyaudit.report.frameworks.by_control import COLUMNS, every_control
from keyaudit.report.frameworks.control_findings import COLUMNS as FINDING_COLUMNS
from keyaudit.report.frameworks.control_findings import records_of_profiles
from keyaudit.report.tabular import csv
from keyaudit.report.tabular.records import Record


def write_controls(report: Report, out: BinaryIO) -> None:
    """Write every control with its counts."""
    _write(every_control(report), COLUMNS, out)


def write_findings(report: Report, out: BinaryIO) -> None:
    """Write the results by limits other than those of the run, passes included."""
    _write(records_of_profiles(report), FINDING_COLUMNS, out)


def _write(found: Iterable[Record], columns: Sequence[str], out: BinaryIO) -> None:
    with as_text(out) as text:
        csv.write(found, columns, text)
