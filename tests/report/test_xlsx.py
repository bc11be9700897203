"""The workbook as openpyxl and LibreOffice read it."""

import csv
import io
from datetime import datetime

import openpyxl
import pytest

from keyaudit.model.errors import UsageError
from keyaudit.model.results.findings import Outcome
from keyaudit.report.formats import FILES, FORMATS, xlsx
from keyaudit.report.options import Options
from keyaudit.report.tabular.records import COLUMNS, NUMBERS, THING_COLUMNS, TIMES
from tests.report.example import CLEAN, CODESIGN, COVERAGE, EXPIRED, REPORT, finding, holding
from tests.report.excused import EXCUSED
from tests.report.files import exported, sheets
from tests.report.sinks import restored


def book(report: object = REPORT) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(exported("xlsx", report)))  # type: ignore[arg-type]


def test_the_sheets_are_there_and_can_be_filtered() -> None:
    found = book()
    assert found.sheetnames == [
        "Summary",
        "Findings",
        "Controls",
        "Control findings",
        "Inventory",
        "Coverage",
        "Waivers",
        "About",
    ]
    for name in ("Findings", "Inventory", "Coverage", "Waivers"):
        assert found[name].freeze_panes == "A2"
        assert found[name].auto_filter.ref.startswith("A1:")
    heads = [cell.value for cell in found["Findings"][1]]
    assert heads[:5] == ["severity", "problem", "resource", "finding", "owner"]
    assert {*heads} - {*COLUMNS} == {"problem", "resource", "finding"}
    assert {*COLUMNS} - {*heads} == {"resource_name", "actual"}
    assert [cell.value for cell in found["Inventory"][1]] == list(THING_COLUMNS)
    # Sentences are wrapped, so that they do not run into the next cell, and nothing else is.
    wrapped = {head for head, cell in zip(heads, found["Findings"][2], strict=True) if cell.alignment.wrap_text}
    assert wrapped == {"problem", "resource", "finding", "policy_title"}


def test_it_opens_on_the_findings_beside_the_summary() -> None:
    found = book()
    assert found.active.title == "Findings"
    assert [sheet.title for sheet in found if sheet.sheet_view.tabSelected] == ["Findings"]


def test_findings_are_those_of_the_csv() -> None:
    out = io.StringIO(newline="")
    FORMATS["csv"](EXCUSED, out, Options())
    as_csv = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    rows = [[cell.value for cell in row] for row in book(EXCUSED)["Findings"].iter_rows(min_row=2)]
    assert len(rows) == len(as_csv)
    for row, expected in zip(rows, as_csv, strict=True):
        for name, value in zip(xlsx.FINDINGS, row, strict=True):
            if name == "problem":
                assert bool(value) == (expected["status"] != "pass")
                continue
            text = expected[{"resource": "resource_name", "finding": "actual"}.get(name, name)]
            if isinstance(value, datetime):
                assert name in TIMES
                assert f"{value:%Y-%m-%dT%H:%M:%SZ}" == text
            elif isinstance(value, int):
                assert name in NUMBERS
                assert str(value) == text
            else:
                assert restored(f"'{value or ''}") == restored(text)


def test_text_stays_text() -> None:
    said = {line.split(" ", 2)[2]: line.split(" ", 2)[1] for line in sheets(exported("xlsx", REPORT))}
    assert said["=cmd|' /C calc'!A0"] == "s"


def test_a_date_that_excel_cannot_count_is_text() -> None:
    odd = [finding(EXPIRED, Outcome.FAIL, {**CODESIGN, "expires_on": when}, "m") for when in (2**40, -(2**40), -2_300_000_000)]
    found = book(holding(REPORT, odd))["Findings"]
    column = xlsx.FINDINGS.index("expires_at")
    assert [row[column].value for row in found.iter_rows(min_row=2, max_row=4)] == [
        "+36812-02-20T00:36:16Z",
        "-32873-11-12T23:23:44Z",
        "1897-02-11T15:06:40Z",
    ]


def test_what_does_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 5)
    rows = [row[0] for row in book()["Findings"].iter_rows(values_only=True)]
    assert len(rows) == 1 + 5
    assert rows[-1] == "11 more rows do not fit into a sheet; keyaudit export csv has all"


def test_coverage_waivers_and_who_says_all_this() -> None:
    found = book(EXCUSED)
    assert found["Coverage"].max_row == len(COVERAGE) + 1
    assert [cell.value for cell in found["Waivers"][2]][:2] == ["W-2026-014", "active"]
    about = {row[0]: row[1] for row in found["About"].iter_rows(values_only=True)}
    assert about["run"] == EXCUSED.run.run_id
    assert found.properties.created == datetime(2026, 11, 24, 13, 30)  # noqa: DTZ001 - as openpyxl gives it
    summary = [row[:2] for row in found["Summary"].iter_rows(values_only=True)]
    said = dict(summary)
    assert said["verdict"].startswith("refused for safety; 4 causes, 5 open findings: 1 critical, ")
    assert said["complete"].startswith("no: ")
    # Long text is wrapped over the adjacent columns, on a row that is high enough.
    wrapped = next(cell for [_, cell, *_] in found["Summary"].iter_rows() if str(cell.value).startswith("Checked "))
    assert wrapped.alignment.wrap_text
    assert any(str(area).startswith(f"B{wrapped.row}:") for area in found["Summary"].merged_cells.ranges)
    assert found["Summary"].row_dimensions[wrapped.row].height >= 30
    assert found["Summary"]["A1"].value == "tenant"
    assert "SIMULATED TENANT" in book(CLEAN)["Summary"]["A1"].value


def test_without_the_library_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    monkeypatch.delitem(__import__("sys").modules, "keyaudit.report.formats.xlsx")
    with pytest.raises(UsageError, match=r"needs xlsxwriter.*pip install '\.\[xlsx\]'"):
        FILES["xlsx"].writer("xlsx")
