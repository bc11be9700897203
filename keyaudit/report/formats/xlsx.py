"""The report as an Excel workbook: summary, findings with passes, controls, inventory, coverage, waivers, and how to read them.

Text stays text: it never becomes a formula, a link or a number. A character that cannot be shown or stored is written as
`\\u202e`, and `\\` as `\\\\`; text that is too long for Excel is cut, with its length. Dates are dates.
"""

import contextlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from keyaudit.inventory.disk.temporary import temporary_folder
from keyaudit.model.errors import MEANINGS, Exit
from keyaudit.model.evidence import remedy as supplying
from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.reasons import ADVICE
from keyaudit.model.results.run import Report
from keyaudit.model.tables import TABLES
from keyaudit.model.values import times
from keyaudit.model.values.text import listed
from keyaudit.report.frameworks import by_control
from keyaudit.report.frameworks.by_control import every_control
from keyaudit.report.frameworks.control_findings import COLUMNS as CONTROL_COLUMNS
from keyaudit.report.frameworks.control_findings import records_of_profiles
from keyaudit.report.missing import remedy_of
from keyaudit.report.settings import setting_lines
from keyaudit.report.summary import (
    SIMULATED,
    WORST_FIRST,
    copied,
    counted,
    network,
    not_evaluated,
    open_findings,
    reads_done,
    verdict_words,
)
from keyaudit.report.tabular.cells import escaped, marked
from keyaudit.report.tabular.records import COLUMNS, NUMBERS, THING_COLUMNS, TIMES, pack, records, thing

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_048_576 - 1
"""The maximum number of rows of a sheet, without its heading."""
_LONGEST = 32_000
"""The maximum length of a cell; Excel's limit is 32,767."""
_THINGS = (
    "key", "certificate", "secret", "credential", "signing_certificate", "account_key", "issuer_key", "trusted_authority",
)  # fmt: skip
_FIRST = ("severity", "problem", "resource", "finding", "owner")
_RENAMED = {"resource_name": "resource", "actual": "finding"}
FINDINGS = (*_FIRST, *(name for name in COLUMNS if name not in {*_FIRST, *_RENAMED}))
"""The columns of the findings: first those for people, then the other columns of the CSV in order."""
CONTROL_FINDINGS = tuple(name for name in (*FINDINGS, "profile") if name in {*CONTROL_COLUMNS, *_RENAMED.values()})
"""Those of the findings of controls. They have no problem, because a control may have a condition of its own."""
_CONTROLS = by_control.COLUMNS[by_control.COLUMNS.index("framework") :]
_WIDTHS = {"problem": 40, "resource": 44, "finding": 60, "owner": 28, "policy_title": 40, "meaning": 40, "remedy": 40}
"""Columns whose text is wrapped, with their widths in characters."""
_COLUMNS, _WIDTH = 8, 14
"""Columns beside the first of a sheet to read, and the width of each."""
_DATES = ("1900-03-01", "9999-12-31")
"""The range of dates that Excel counts correctly."""
_EPOCH = 25_569
"""Excel's number for 1970-01-01."""
_COVERAGE = (
    "scope_id", "scope_name", "scope_kind", "operation", "state", "reason", "meaning", "remedy", "detail",
    "received", "kept", "duplicate", "quarantined", "refused",
)  # fmt: skip
_WAIVERS = (
    "id", "state", "covered", "policy", "resource", "reason", "owner", "approved_by", "created", "expires", "ticket",
    "compensating_control",
)  # fmt: skip
_COUNTS = frozenset({"received", "kept", "duplicate", "quarantined", "refused", "covered", *by_control.COUNTS})
Rows = Iterable[Mapping[str, str]]


def write(report: Report, out: BinaryIO) -> None:
    """Write the workbook. It is created in a temporary folder, which is always removed."""
    with temporary_folder() as folder:
        made = folder / "book"
        _make(report, made)
        with made.open("rb") as book:
            shutil.copyfileobj(book, out)


def _make(report: Report, path: Path) -> None:
    book = Workbook(
        str(path),
        {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.use_zip64()
    try:
        _fill(report, book)
    except FileCreateError as error:
        # It wraps the OSError, which the writer of files handles.
        raise error.args[0] from error
    finally:
        # A full disk leaves them open.
        for sheet in book.worksheets():
            for handle in filter(None, (sheet.row_data_fh, sheet.fh)):
                with contextlib.suppress(OSError):
                    handle.close()


def _fill(report: Report, book: Workbook) -> None:
    created = datetime.fromtimestamp(report.run.as_of, tz=UTC).replace(tzinfo=None)
    book.set_properties({"title": "keyaudit", "created": created})
    sheets = _Sheets(book)
    sheets.lines("Summary", _summary(report))
    sheets.table("Findings", FINDINGS, _findings(report)).activate()
    sheets.table("Controls", _CONTROLS, every_control(report))
    sheets.table("Control findings", CONTROL_FINDINGS, map(_renamed, records_of_profiles(report)))
    sheets.table("Inventory", THING_COLUMNS, _inventory(report))
    sheets.table("Coverage", _COVERAGE, _coverage(report))
    sheets.table("Waivers", _WAIVERS, _waivers(report))
    sheets.lines("About", _about(report))
    book.close()


class _Sheets:
    """The sheets of one workbook, written one after the other."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.bold: Format = book.add_format({"bold": True})
        self.wrapped: Format = book.add_format({"text_wrap": True, "valign": "top"})
        self.date: Format = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})

    def lines(self, name: str, lines: Iterable[Sequence[str | int]]) -> None:
        """A text sheet: a word at the left of each line; a single text beside it is wrapped over the other columns."""
        sheet = self.book.add_worksheet(name)
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, _COLUMNS, _WIDTH)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        for number, cells in enumerate(lines):
            texts = [_text(cell) if isinstance(cell, str) else cell for cell in cells]
            if len(texts) == 2 and isinstance(texts[1], str):
                # Excel does not fit the height of a row to merged cells.
                sheet.set_row(number, 15 * max(-(-len(texts[1]) // (_COLUMNS * _WIDTH)), 1))
                sheet.merge_range(number, 1, number, _COLUMNS, texts[1], self.wrapped)
                texts.pop()
            for column, text in enumerate(texts):
                if isinstance(text, int):
                    sheet.write_number(number, column, text)
                else:
                    sheet.write_string(number, column, text, self.bold if column == 0 else None)

    def table(self, name: str, columns: Sequence[str], rows: Rows) -> "Worksheet":
        """A sheet with a filter. Rows beyond the maximum are counted in a last row."""
        sheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for column, title in enumerate(columns):
            sheet.set_column(column, column, _WIDTHS.get(title) or max(10, min(40, len(title) + 4)))
            sheet.write_string(0, column, title, self.bold)
        last = left_out = 0
        for row in rows:
            if last + 1 >= MOST_ROWS:
                left_out += 1
                continue
            last += 1
            for column, title in enumerate(columns):
                if title in row:
                    self._cell(sheet, last, column, title, row[title])
        if left_out:
            last += 1
            sheet.write_string(last, 0, f"{left_out:,} more rows do not fit into a sheet; keyaudit export csv has all")
        sheet.autofilter(0, 0, last, len(columns) - 1)
        return sheet

    def _cell(self, sheet: "Worksheet", row: int, column: int, title: str, text: str) -> None:
        if title in NUMBERS or title in _COUNTS:
            sheet.write_number(row, column, int(text))
        elif title in TIMES and _DATES[0] <= text <= _DATES[1]:
            sheet.write_number(row, column, times.parse_time(text) / times.DAY + _EPOCH, self.date)
        else:
            sheet.write_string(row, column, _text(text), self.wrapped if title in _WIDTHS else None)


def _text(text: str) -> str:
    shown = escaped(text[:_LONGEST])
    if len(text) <= _LONGEST and len(shown) <= _LONGEST:
        return shown
    return f"{shown[:_LONGEST]}... ({len(text):,} characters)"


def _summary(report: Report) -> Iterator[Sequence[str | int]]:
    run, verdict = report.run, report.verdict
    if run.simulated:
        yield (SIMULATED,)
    yield "tenant", marked(run) or run.tenant_id
    yield "as of", times.iso_time(run.as_of)
    yield "verdict", f"{verdict_words(verdict)}; {open_findings(report)}; {reads_done(verdict)}"
    # Without a failure the exit code adds nothing to the verdict.
    yield from (("condition", MEANINGS[code]) for code in verdict.conditions if code is not Exit.CLEAN)
    yield "complete", "yes" if verdict.complete else "no: the results are incomplete; sheet Coverage lists what was not read"
    if verdict.not_judged:
        yield "not evaluated", f"{not_evaluated(verdict)}: not a pass"
    yield "checked", counted(report)
    yield ()
    yield "severity", "open", "known", "waived", "unknown"
    for severity in WORST_FIRST:
        counts = (verdict.failed, verdict.known, verdict.waived, verdict.unknown)
        yield severity, *(each.get(severity, 0) for each in counts)
    yield "passed", verdict.passed
    yield "not applicable", verdict.not_applicable
    yield ()
    for each in verdict.not_judged:
        yield "not evaluated", f"{each.policy.problem} ({each.policy.id}): needs {listed(each.needs)}; {supplying(each.needs)}"
    for gap in verdict.gaps:
        said = ADVICE[gap.reason]
        counts_as = "accepted" if gap.allowed else "required" if gap.required else "no selected policy needs it"
        yield "not read", f"{gap.scope.name or gap.scope.id}: {said.meaning} ({gap.reason}); {counts_as}; fix: {remedy_of(gap)}"


def _findings(report: Report) -> Rows:
    problems = {tally.policy.id: tally.policy.problem for tally in report.tallies}
    problems |= {each.policy.id: each.policy.problem for each in report.verdict.not_judged}
    for record in records(report):
        # A pass has no problem.
        problem = {"problem": problems[record["policy_id"]]} if record["status"] != "pass" else {}
        yield {**_renamed(record), **problem}


def _renamed(record: Mapping[str, str]) -> dict[str, str]:
    return {_RENAMED.get(name, name): cell for name, cell in record.items()}


def _about(report: Report) -> Iterator[Sequence[str | int]]:
    run = report.run
    if run.simulated:
        yield (SIMULATED,)
    yield "keyaudit", run.tool_version
    yield "run", run.run_id
    yield "tenant", run.tenant_id
    yield "cloud", run.environment
    yield "read as", run.identity
    yield from (("network", fact) for fact in network(run))
    yield from (("copied", fact) for fact in copied(run))
    yield from (("limited to", part) for part in run.filters.shown)
    if not report.verdict.expected:
        yield "completeness", RELATIVE
    yield from (("supplied", name, digest) for name, digest in sorted(run.evidence.items()))
    yield "policies", pack(report.tallies)
    yield from (("setting", line) for line in setting_lines(report.settings))
    yield ()
    yield "an empty cell", "absent, or unknown; coverage_note names each unknown column and the reason"
    yield "not applicable", "counted in Summary; no rows"
    yield "text", "as in the tenant; a backslash is doubled, an invisible character is written as \\x1b or \\u202e"
    yield "tables in Inventory", ", ".join(TABLES[name].plural for name in _THINGS)
    yield from (
        ("rows read", TABLES[name].plural if name in TABLES else name, count) for name, count in sorted(run.rows.items())
    )


def _inventory(report: Report) -> Rows:
    for table in _THINGS:
        for row in report.listing(table).rows():
            yield thing(table, row, report.run.as_of)


def _coverage(report: Report) -> Rows:
    for record in report.verdict.coverage:
        reason = record.reason
        yield {
            "scope_id": record.scope.id,
            "scope_name": record.scope.name,
            "scope_kind": record.scope.kind,
            "operation": record.operation,
            "state": record.state,
            **({"reason": reason, "meaning": ADVICE[reason].meaning, "remedy": ADVICE[reason].remedy} if reason else {}),
            "detail": record.detail,
            **{name: str(getattr(record, name)) for name in ("received", "kept", "duplicate", "quarantined", "refused")},
        }


def _waivers(report: Report) -> Rows:
    for use in report.verdict.waivers:
        waiver = use.waiver
        yield {
            "id": waiver.id,
            "state": use.state,
            "covered": str(use.count),
            "policy": waiver.policy.text,
            "resource": waiver.resource.text,
            "reason": waiver.reason,
            "owner": waiver.owner,
            "approved_by": waiver.approved_by,
            **({} if waiver.created is None else {"created": times.iso_date(waiver.created)}),
            "expires": waiver.last_day,
            "ticket": waiver.ticket,
            "compensating_control": waiver.compensating_control,
        }
