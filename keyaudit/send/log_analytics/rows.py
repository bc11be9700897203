"""The rows of the table KeyAudit_CL: the columns of the CSV, with types, and one last row for the verdict.

A row is identified by `shipment_id` and `record_number`: a request that was sent again may have been stored twice, and Log
Analytics removes no duplicates. The verdict comes last and says how many rows belong to it, so that a shipment which was cut
short can be told from a whole one.
"""

from collections.abc import Iterator, Mapping

from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.model.values.times import iso_time
from keyaudit.report.summary import verdict_words
from keyaudit.report.tabular import records

TABLE = "KeyAudit_CL"
STREAM = f"Custom-{TABLE}"

MOST_FIELD = 65_536
"""Bytes of UTF-8 in one field; Azure Monitor cuts longer ones: https://learn.microsoft.com/azure/azure-monitor/service-limits"""

Row = dict[str, object]

_WHOLE = ("key_size", "age_days", "days_to_expiry", "score", "score_low")
_OPEN = {f"open_{severity}": severity for severity in reversed(Severity)}
_SHIPMENT = {
    "TimeGenerated": "datetime",
    "record_type": "string",
    "record_number": "long",
    "shipment_id": "string",
    "shipped_at": "datetime",
    "simulated": "boolean",
    "environment": "string",
}
_FINDING = {
    name: "datetime" if name in records.TIMES else "long" if name in _WHOLE else "boolean" if name == "enabled" else "string"
    for name in records.COLUMNS
}
_VERDICT = {
    "verdict": "string",
    "complete": "boolean",
    "exit_code": "long",
    "identity": "string",
    "reads_required": "long",
    "reads_done": "long",
    **dict.fromkeys(_OPEN, "long"),
    "unknown_results": "long",
    "waived_results": "long",
    "baseline_results": "long",
    "passed_results": "long",
    "policies_not_evaluated": "long",
    "records": "long",
    "cut_columns": "string",
}
_LATER = records.COLUMNS[records.COLUMNS.index("control_refs_elsewhere") :]
"""Columns of a finding that were added after those of the verdict."""
COLUMNS: Mapping[str, str] = {
    **_SHIPMENT,
    **{name: type_ for name, type_ in _FINDING.items() if name not in _LATER},
    **_VERDICT,
    **{name: _FINDING[name] for name in _LATER},
}
"""The columns of the table with their types, as data collection rules call them. New ones come at the end."""


def finding_rows(report: Report, shipment: str, shipped_at: int) -> Iterator[Row]:
    """What fails, is waived or is unknown, then the policies that were not evaluated. Passes are a number of the verdict."""
    for number, record in enumerate(records.records(report, passes=False), 1):
        typed: Row = {name: _typed(name, text) for name, text in record.items()}
        yield _cut({**_begun(report, shipment, shipped_at, "finding", number), **typed})


def verdict_row(report: Report, shipment: str, shipped_at: int, sent: int) -> Row:
    """The last row of a shipment, after `sent` others."""
    run, verdict = report.run, report.verdict
    return _cut(
        {
            **_begun(report, shipment, shipped_at, "verdict", sent + 1),
            **records.common(report),
            "verdict": verdict_words(verdict),
            "complete": verdict.complete,
            "exit_code": int(verdict.exit),
            "identity": run.identity,
            "reads_required": verdict.required,
            "reads_done": verdict.assessed,
            **{name: verdict.failed.get(severity, 0) for name, severity in _OPEN.items()},
            "unknown_results": sum(verdict.unknown.values()),
            "waived_results": sum(verdict.waived.values()),
            "baseline_results": sum(verdict.known.values()),
            "passed_results": verdict.passed,
            "policies_not_evaluated": len(verdict.not_judged),
            "records": sent,
        }
    )


def _begun(report: Report, shipment: str, shipped_at: int, kind: str, number: int) -> Row:
    return {
        "TimeGenerated": iso_time(report.run.as_of),
        "record_type": kind,
        "record_number": number,
        "shipment_id": shipment,
        "shipped_at": iso_time(shipped_at),
        "simulated": report.run.simulated,
        "environment": report.run.environment,
    }


def _typed(name: str, text: str) -> object:
    match _FINDING[name]:
        case "long":
            return int(text)
        case "boolean":
            return text == "true"
        case _:
            return text


def _cut(row: Row) -> Row:
    """The row with texts that the service takes as they are: no half surrogate pairs, and none so long that it cuts them."""
    cut = []
    for name, value in row.items():
        if not isinstance(value, str):
            continue
        data = value.encode("utf-8", "surrogatepass")
        if len(data) > MOST_FIELD:
            cut.append(name)
            data = data[:MOST_FIELD]
            # A letter that was cut through goes with the rest.
            row[name] = data.decode("utf-8", "ignore")
        else:
            row[name] = data.decode("utf-8", "replace")
    return {**row, "cut_columns": ",".join(cut)} if cut else row
