"""No name from the tenant is active in any reader: terminals, build agents, spreadsheets, parsers."""

import csv
import io
import json
import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.model.results.findings import Outcome
from keyaudit.questions.explain import render_policy
from keyaudit.report.findings.table import COLUMNS
from keyaudit.report.formats import FORMATS
from keyaudit.report.gate import render_gate
from keyaudit.report.options import Options
from keyaudit.report.tabular.cells import guarded
from tests.report.example import FINDINGS, OVERDUE
from tests.report.hostile import hostile
from tests.report.sinks import CORPUS, agent_commands, columns, every_payload, is_formula, laid_out, restored, terminal_codes

csv.field_size_limit(10_000_000)

FOR_PEOPLE = ("text", "table", "gate", "by owner", "by policy", "every column", "lines")
EVERY = (*FOR_PEOPLE, "json", "csv")
_ARRANGED = {
    "by owner": ("text", Options(passes=True, group="owner", width=80)),
    "by policy": ("text", Options(passes=True, group="policy", width=80)),
    "every column": ("table", Options(passes=True, columns=tuple(COLUMNS))),
    "lines": ("table", Options(passes=True, columns=tuple(COLUMNS), width=60, sort="resource")),
}


@cache
def printed(name: str, payload: str) -> bytes:
    out = io.StringIO(newline="")
    report = hostile(payload)
    if name == "gate":
        render_gate(report, out)
    else:
        format_, options = _ARRANGED.get(name, (name, Options(passes=True, width=None if name == "table" else 80)))
        FORMATS[format_](report, out, options)
    return out.getvalue().encode("utf-8")


@every_payload
@pytest.mark.parametrize("name", EVERY)
def test_nothing_reaches_a_terminal_but_letters(name: str, payload: str) -> None:
    assert terminal_codes(printed(name, payload), "\r\n" if name == "csv" else "\n") == []


@every_payload
@pytest.mark.parametrize("name", EVERY)
def test_no_line_commands_a_build_agent(name: str, payload: str) -> None:
    assert agent_commands(printed(name, payload)) == []


@pytest.mark.parametrize("name", ["gate", "json", "csv"])
def test_a_name_adds_no_line(name: str) -> None:
    plain = printed(name, "N")
    for payload in ("a\nPASS all 0", "a\r\nb", "\u2028", "a\vb\fc\x85d"):
        assert len(printed(name, payload).splitlines()) == len(plain.splitlines())


@pytest.mark.parametrize("payload", ["a\n  PASS      x", "x" * 72 + " PASS kv-all is fine", "x" * 41 + " PASS kv-all is fine"])
def test_a_name_never_forges_a_line_of_findings(payload: str) -> None:
    def lines(name: str) -> list[str]:
        return [line for line in printed("text", name).decode().splitlines() if line.startswith("  PASS ")]

    assert len(lines(payload)) == len(lines("N")) == 1


@every_payload
def test_the_text_report_fits_80_columns(payload: str) -> None:
    assert [line for line in laid_out(printed("text", payload).decode()) if columns(line) > 80] == []


@every_payload
def test_long_names_are_cut_with_their_length_said(payload: str) -> None:
    for name in FOR_PEOPLE:
        text = printed(name, payload).decode()
        if len(payload) > 1_000:
            assert "100,000" in text.replace("\n", "").replace(" ", "")
            assert len(text) < 200_000


@every_payload
def test_json_keeps_the_original_in_ascii(payload: str) -> None:
    output = printed("json", payload)
    assert output.isascii()
    assert b"##" not in output
    read = json.loads(output)
    assert read["run"]["tenant"]["name"] == payload
    fails = [each for each in read["findings"] if each["outcome"] == "fail"]
    assert {each["message"] for each in fails} == {payload}
    assert {each["row"]["name"] for each in read["findings"] if each["row"]} == {payload}
    assert all(each["evidence"][payload] == payload for each in read["findings"])
    tagged = [each["row"]["tags"] for each in read["findings"] if each["row"].get("tags")]
    assert tagged
    assert all(tags[payload] == payload for tags in tagged)


@every_payload
def test_csv_gives_the_original_back_and_computes_nothing(payload: str) -> None:
    rows = list(csv.DictReader(io.StringIO(printed("csv", payload).decode(), newline="")))
    assert len(rows) == len(FINDINGS) + 1
    assert not [cell for row in rows for name, cell in row.items() if is_formula(cell) and not _number(name, cell)]
    for row in rows[: len(FINDINGS)]:
        assert restored(row["expected"]) == payload or payload == ""
        if row["status"] == "fail":
            assert restored(row["location"]) == payload or not row["location"]
        if row["status"] == "fail" and payload:
            assert restored(row["actual"]) == payload
        if row["resource_type"] == "key":
            assert restored(row["location"]) == payload
            assert restored(row["resource_group"]) == payload


@every_payload
def test_csv_computes_nothing_where_the_separator_is_a_semicolon(payload: str) -> None:
    rows = csv.reader(io.StringIO(printed("csv", payload).decode(), newline=""), delimiter=";", quoting=csv.QUOTE_NONE)
    assert not [cell for row in rows for cell in row[1:] if is_formula(cell.strip("\"' "))]


@every_payload
def test_csv_has_a_line_a_finding(payload: str) -> None:
    assert printed("csv", payload).count(b"\r\n") == len(FINDINGS) + 2
    assert printed("csv", payload).count(b"\n") == len(FINDINGS) + 2


def test_a_policy_is_shown_without_codes_too() -> None:
    for payload in CORPUS.values():
        shown = render_policy(OVERDUE, {"Limit": f"x{payload}"[:5_000]}).encode()
        assert terminal_codes(shown) == []
        assert agent_commands(shown) == []


def test_the_corpus_reaches_every_outcome() -> None:
    assert {each.outcome for each in FINDINGS} == {Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN}


def _number(name: str, cell: str) -> bool:
    return name in {"age_days", "days_to_expiry"} and re.fullmatch(r"-?\d+", cell) is not None


@given(st.text())
def test_any_text_survives_a_csv_cell(text: str) -> None:
    cell = guarded(text)
    assert restored(cell) == text
    assert not is_formula(cell)
    assert cell.isprintable() or not cell.isascii()
    assert "##" not in cell
