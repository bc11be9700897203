"""Every format tells the same: as many findings of each kind, the same gaps, the same exit code."""

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from msgspec import structs

from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.report.files import as_text
from keyaudit.report.formats import FORMATS
from keyaudit.report.gate import render_gate
from keyaudit.report.options import Options
from keyaudit.report.tabular.records import COLUMNS
from tests.report.counts import READERS, alike
from tests.report.example import CLEAN, COVERAGE, FINDINGS, GAPS, GATED, REPORT
from tests.report.excused import EXCUSED
from tests.report.files import exported
from tests.report.sinks import columns, laid_out

WORDS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO", "UNKNOWN", "PASS")


UNDER_THEIR_HEAD = Counter(each.severity.upper() for each in FINDINGS if each.beside_head)
"""What is told with the head of its cause, and has no line of its own for people."""


def printed(name: str, **options: object) -> str:
    out = io.StringIO(newline="")
    FORMATS[name](REPORT, out, Options(**options))  # type: ignore[arg-type]
    return out.getvalue()


def kinds(passes: bool) -> Counter[str]:
    shown = [each for each in FINDINGS if passes or each.outcome is not Outcome.PASS]
    return Counter(str(each.severity if each.outcome is Outcome.FAIL else each.outcome).upper() for each in shown)


@pytest.mark.parametrize("passes", [False, True])
def test_formats_agree_on_how_many_of_each_kind(passes: bool) -> None:
    table = Counter(word for line in printed("table", passes=passes).splitlines() if (word := line.split(" ")[0]) in WORDS)
    found = json.loads(printed("json", passes=passes))["findings"]
    as_json = Counter(str(each["severity"] if each["outcome"] == "fail" else each["outcome"]).upper() for each in found)
    assert as_json == kinds(passes)
    assert table == kinds(passes) - UNDER_THEIR_HEAD


def test_the_csv_holds_the_passes_and_what_was_not_judged() -> None:
    rows = list(csv.DictReader(io.StringIO(printed("csv"), newline="")))
    fails = Counter(row["severity"].upper() for row in rows if row["status"] == "fail")
    others = Counter(row["status"].upper() for row in rows if row["status"] != "fail")
    assert fails + others == kinds(True) + Counter({"NOT-JUDGED": 1})


def test_the_text_report_lists_each_failure_once_and_each_blind_scope_once() -> None:
    words = [match[1] for line in printed("text").splitlines() if (match := re.match(r"  ([A-Z]+) +[a-z]", line))]
    expected = kinds(False) - UNDER_THEIR_HEAD
    expected["UNKNOWN"] = 3  # a row, and two vaults that gave none
    assert Counter(words) == expected


def test_the_counts_line_adds_up() -> None:
    verdict = json.loads(printed("json"))["verdict"]
    text = " ".join(printed("text").split())
    assert f"{sum(verdict['unknown'].values())} unknown, {verdict['passed']} passed" in text
    for severity, count in verdict["failed"].items():
        assert f"{count} {severity}" in text


def test_every_gap_is_in_every_format_for_people_with_reason_and_remedy() -> None:
    gate = io.StringIO()
    render_gate(GATED, gate)
    for text in (printed("text"), printed("table"), gate.getvalue()):
        for gap in GAPS:
            assert gap.scope.name in text
            assert gap.reason in text
    for line in ("fix: grant Key Vault Reader", "check for a proxy or gateway between this machine and Azure"):
        assert line in " ".join(printed("text").split())


def test_json_holds_the_whole_ledger_and_ends_with_the_verdict() -> None:
    read = json.loads(printed("json"))
    assert list(read)[-1] == "verdict"
    assert [(each["scope"], each["operation"], each["state"]) for each in read["coverage"]] == [
        (each.scope.id, each.operation, each.state) for each in COVERAGE
    ]
    assert [(each["reason"], each["required"], each["allowed"]) for each in read["gaps"]] == [
        (each.reason, each.required, each.allowed) for each in GAPS
    ]
    assert (read["schema"], read["verdict"]["exit"], read["verdict"]["name"]) == ("keyaudit/2", 5, "unsafe")


def test_json_keeps_absent_and_unknown_apart() -> None:
    found = {each["policy"]: each for each in json.loads(printed("json"))["findings"] if each["outcome"] == "unknown"}
    sealed = found["kv-key-rotation-overdue"]
    assert sealed["unknown"] == {"created_on": "control_plane_only", "is_current": "control_plane_only"}
    assert sealed["row_unknown"]["kty"] == "control_plane_only"
    assert "curve" in sealed["row_unknown"]
    assert "activates_on" not in sealed["row_unknown"]
    assert sealed["row"]["activates_on"] is None


def test_json_writes_times_durations_and_bounds_so_that_they_say_what_they_are() -> None:
    row = next(each["row"] for each in json.loads(printed("json"))["findings"] if each["policy"] == "kv-key-expiring-soon")
    assert row["expires_on"] == "2026-11-21T13:30:00Z"
    assert row["superseded_enabled"] == {"at_least": 2, "at_most": None}
    assert row["enabled"] is True


def test_json_is_the_same_twice() -> None:
    assert printed("json", passes=True) == printed("json", passes=True)


def test_csv_has_its_columns_and_duckdb_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "findings.csv"
    path.write_bytes(printed("csv").encode())
    with duckdb.connect() as connection:
        relation = connection.read_csv(str(path), header=True, all_varchar=True, quotechar='"', delimiter=",")
        assert tuple(relation.columns) == COLUMNS
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in relation.fetchall()]
    assert len(COLUMNS) == len(set(COLUMNS)) == 47 + 5 + 1 + 7 + 3
    assert COLUMNS[46:48] == ("coverage_note", "score")
    read = list(csv.DictReader(io.StringIO(printed("csv"), newline="")))
    assert [{name: cell or "" for name, cell in row.items()} for row in rows] == read


def test_csv_names_every_unknown_cell_and_leaves_it_empty() -> None:
    rows = list(csv.DictReader(io.StringIO(printed("csv"), newline="")))
    sealed = next(row for row in rows if row["resource_name"] == "kv-prod/keys/sealed")
    noted = dict(part.split(":") for part in sealed["coverage_note"].split("|"))
    assert set(noted.values()) == {Reason.CONTROL_PLANE_ONLY, Reason.PERMISSION}
    assert noted["owner"] == Reason.PERMISSION
    unknown = {"created_at", "expires_at", "last_rotated_at", "age_days", "days_to_expiry", "lifecycle_state"}
    unknown |= {"algorithm", "key_size", "custody", "owner", "is_current", "resource_tags"}
    assert set(noted) == unknown
    assert {sealed[name] for name in unknown & set(COLUMNS)} == {""}
    assert {row["coverage_note"] for row in rows if row["status"] in {"pass", "fail"}} == {"", f"owner:{Reason.PERMISSION}"}


def test_csv_says_why_a_scope_gave_nothing_and_what_evidence_is_missing() -> None:
    rows = list(csv.DictReader(io.StringIO(printed("csv"), newline="")))
    assert {row["coverage_note"] for row in rows if row["resource_type"] == "vault" and row["status"] == "unknown"} == {
        "*:permission"
    }
    assert [row["coverage_note"] for row in rows if row["status"] == "not-judged"] == ["logs:not_supplied"]


def test_csv_dates_and_numbers_are_never_altered() -> None:
    rows = list(csv.DictReader(io.StringIO(printed("csv"), newline="")))
    expired = next(row for row in rows if row["policy_id"] == "kv-key-expired-still-enabled" and row["status"] == "fail")
    assert (expired["age_days"], expired["days_to_expiry"], expired["lifecycle_state"]) == ("1412", "-3", "deactivated")
    assert (expired["expires_at"], expired["last_rotated_at"]) == ("2026-11-21T13:30:00Z", "2023-01-12T13:30:00Z")
    assert (expired["control_refs"], expired["owner"]) == (
        "mcsb:DP-6|nist-800-53-r5:SC-12|nist-800-53-r5:SC-17",
        "team-release",
    )


@pytest.mark.parametrize("name", FORMATS)
def test_what_comes_from_the_simulator_says_so(name: str) -> None:
    out = io.StringIO(newline="")
    FORMATS[name](CLEAN, out, Options(passes=True))
    assert "simulated tenant" in out.getvalue().lower()


def test_a_table_without_findings_is_no_table() -> None:
    out = io.StringIO()
    FORMATS["table"](CLEAN, out, Options())
    assert "Severity" not in out.getvalue()
    assert "no findings" in out.getvalue()


def test_no_findings_states_what_was_looked_at() -> None:
    out = io.StringIO()
    FORMATS["text"](CLEAN, out, Options())
    text = " ".join(out.getvalue().split())
    assert "Checked 4 key versions against 1 policy: no findings; 0 unknown, 1 passed" in text
    assert "Complete: 4 of 4 required reads done" in text
    assert "INCOMPLETE" not in text


def test_what_was_accepted_is_said_where_the_rest_is_complete() -> None:
    allowed = structs.replace(CLEAN.verdict, gaps=(GAPS[4],), allowed_unknown=1, unknown={Severity.LOW: 1})
    out = io.StringIO()
    FORMATS["text"](structs.replace(CLEAN, verdict=allowed), out, Options())
    text = " ".join(out.getvalue().split())
    assert "Accepted by --allow-gap or a waiver: 1 gap and 1 unknown result." in text
    assert "Complete except for accepted gaps: 4 of 4 required reads done" in text
    assert "no failures in what was read; 1 unknown" in text


@pytest.mark.parametrize("width", [1, 20, 40, 60, 200])
def test_the_text_report_is_whole_at_any_width(width: int) -> None:
    text = printed("text", width=width)
    assert all(each.policy.id in text.replace("\n", "").replace(" ", "") for each in FINDINGS if each.outcome is Outcome.FAIL)
    assert max(map(columns, laid_out(text))) <= max(width, 60)


@pytest.mark.parametrize("report", [REPORT, CLEAN, EXCUSED])
def test_files_agree_with_the_report_on_how_many_of_each_status_and_severity(report: Report) -> None:
    expected = alike(Counter((str(each.outcome), str(each.severity)) for each in report.findings(True)))
    expected["not-judged", ""] = len(report.verdict.not_judged)
    for name, read in READERS.items():
        out = io.BytesIO()
        if name in FORMATS:
            with as_text(out) as text:
                FORMATS[name](report, text, Options(passes=True))
        else:
            out.write(exported(name, report))
        assert alike(read(out.getvalue())) == expected, name


def test_what_the_guard_alters_is_counted_by_column() -> None:
    out = io.StringIO(newline="")
    altered = FORMATS["csv"](REPORT, out, Options())
    assert altered == Counter(owner=2, resource_name=2, actual=1)
