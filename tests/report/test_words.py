"""The words that all formats share: what is wrong is named by its problem, and a verdict has words of its own."""

import io
import json
import re

import pytest
from msgspec import structs

from keyaudit.model.errors import Exit
from keyaudit.model.results.run import Verdict
from keyaudit.model.severity import Severity
from keyaudit.report.formats import FILES, FORMATS
from keyaudit.report.gate import render_gate
from keyaudit.report.options import Options
from keyaudit.report.summary import verdict_words
from tests.report.example import CLEAN, EXPIRED, GATED, OVERDUE, REPORT, VERDICT
from tests.report.files import exported, sheets

OPEN = structs.replace(
    REPORT,
    verdict=structs.replace(
        VERDICT, exit=Exit.CLEAN, conditions=(Exit.CLEAN,), unknown={}, gaps=(), allowed_unknown=0, assessed=11
    ),
)
"""Complete, with open findings, and without a gate."""


def said(name: str) -> str:
    if name == "xlsx":
        return "\n".join(sheets(exported(name, OPEN)))
    if name in FILES:
        return exported(name, OPEN).decode()
    out = io.StringIO(newline="")
    FORMATS[name](OPEN, out, Options())
    return out.getvalue()


@pytest.mark.parametrize("name", [*FORMATS, *FILES])
def test_no_format_calls_a_report_with_open_findings_clean(name: str) -> None:
    assert not re.search(r"\bclean\b", said(name), re.IGNORECASE)


@pytest.mark.parametrize("name", ["text", "table", "json", "jsonl", "markdown", "sarif", "html", "ocsf", "xlsx", "junit"])
def test_every_format_names_the_problem(name: str) -> None:
    assert OVERDUE.problem in said(name)


def test_a_gate_names_the_problem_and_what_it_decided() -> None:
    out = io.StringIO()
    render_gate(GATED, out)
    assert f"{EXPIRED.problem}: kv-prod/keys/codesign-2021: " in out.getvalue()
    out = io.StringIO()
    passed = structs.replace(CLEAN, verdict=structs.replace(CLEAN.verdict, gate=Severity.HIGH))
    render_gate(passed, out)
    assert out.getvalue().splitlines()[-1].startswith("exit 0: passed: ")


@pytest.mark.parametrize(
    ("conditions", "gate", "words"),
    [
        ((Exit.CLEAN,), None, "no gate evaluated"),
        ((Exit.CLEAN,), Severity.HIGH, "passed"),
        ((Exit.FINDINGS,), Severity.HIGH, "failed"),
        ((Exit.UNSAFE, Exit.FINDINGS), Severity.HIGH, "failed"),
        ((Exit.INCOMPLETE,), None, "incomplete"),
        ((Exit.INCOMPLETE,), Severity.HIGH, "incomplete"),
        ((Exit.UNSAFE,), None, "refused for safety"),
        ((Exit.NO_ACCESS,), None, "nothing assessed"),
        ((Exit.UNAVAILABLE,), None, "nothing assessed"),
    ],
)
def test_a_verdict_has_its_own_words(conditions: tuple[Exit, ...], gate: Severity | None, words: str) -> None:
    verdict: Verdict = structs.replace(VERDICT, exit=conditions[0], conditions=conditions, gate=gate)
    assert verdict_words(verdict) == words


def test_json_says_that_no_gate_was_evaluated() -> None:
    verdict = json.loads(said("json"))["verdict"]
    assert (verdict["exit"], verdict["gate"], verdict["result"], verdict["name"]) == (0, None, "no gate evaluated", "complete")


@pytest.mark.parametrize(
    ("report", "title"),
    [
        (OPEN, "# keyaudit: 7 open findings (1 critical, 2 high, 2 medium, 1 low, 1 info)"),
        (GATED, "; gate failed at high"),
        (CLEAN, "# keyaudit: no open findings"),
    ],
)
def test_markdown_begins_with_the_headline(report: object, title: str) -> None:
    first = exported("markdown", report).decode().splitlines()[0]  # type: ignore[arg-type]
    assert first == title or first.endswith(title)
