"""SARIF as its own schema has it, and as code scanning reads it."""

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from msgspec import structs

from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report
from keyaudit.report.formats import sarif
from keyaudit.report.settings import settings_member
from tests.needs import npm
from tests.report.example import CLEAN, FINDINGS, GATED, REPORT
from tests.report.excused import EXCUSED
from tests.report.files import exported, poisoned
from tests.report.sinks import every_payload

REPORTS = {"report": REPORT, "gated": GATED, "clean": CLEAN, "excused": EXCUSED}


@cache
def schema() -> jsonschema.Draft7Validator:
    text = npm("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json").read_text()
    return jsonschema.Draft7Validator(json.loads(text), format_checker=jsonschema.FormatChecker())


def log(report: Report) -> Any:
    return json.loads(exported("sarif", report))


@pytest.mark.parametrize("name", REPORTS)
def test_the_schema_accepts_it(name: str) -> None:
    assert [error.message for error in schema().iter_errors(log(REPORTS[name]))] == []


@every_payload
def test_the_schema_accepts_it_whatever_the_tenant_holds(payload: str) -> None:
    assert [error.message for error in schema().iter_errors(json.loads(poisoned("sarif", payload)))] == []


def test_everything_that_code_scanning_asks_for_is_there() -> None:
    for run in log(EXCUSED)["runs"]:
        rules = run["tool"]["driver"]["rules"]
        for rule in rules:
            assert rule["shortDescription"]["text"]
            assert rule["fullDescription"]["text"]
            assert rule["help"]["text"]
            assert len(rule["properties"]["tags"]) <= 20
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["message"]["text"]
            assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
            assert result["partialFingerprints"]["primaryLocationLineHash"]
            assert 0 < float(result["properties"]["security-severity"]) <= 10
    ids = [run["automationDetails"]["id"] for run in log(EXCUSED)["runs"]]
    assert len(ids) == len(set(ids))


def test_what_excuses_a_failure_is_said() -> None:
    results = [result for run in log(EXCUSED)["runs"] for result in run["results"]]
    (waived,) = (result for result in results if "suppressions" in result)
    assert waived["suppressions"][0]["justification"].startswith("Replaced with")
    states = [result.get("baselineState") for result in results if result["kind"] == "fail" and result is not waived]
    assert (states.count("unchanged"), states.count("new")) == (1, len(states) - 1)
    assert not any("baselineState" in result for result in results if result["kind"] == "open")
    assert not any("baselineState" in result for run in log(REPORT)["runs"] for result in run["results"])


def test_a_run_with_gaps_did_not_succeed_and_names_them() -> None:
    invocations = [invocation for run in log(REPORT)["runs"] for invocation in run["invocations"]]
    assert not any(invocation["executionSuccessful"] for invocation in invocations)
    reasons = {notice["descriptor"]["id"] for each in invocations for notice in each["toolExecutionNotifications"]}
    assert reasons == {"permission", "firewall", "foreign_link", "throttled"}
    assert all(invocation["executionSuccessful"] for run in log(CLEAN)["runs"] for invocation in run["invocations"])


def test_what_was_settled_is_said_of_each_run() -> None:
    for report in (EXCUSED, REPORT):
        said = [invocation["properties"]["settings"] for run in log(report)["runs"] for invocation in run["invocations"]]
        assert said
        assert all(each == settings_member(report.settings) for each in said)
    assert settings_member(EXCUSED.settings)["profile"] == "strict"


def test_never_more_results_than_are_shown_and_the_gravest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 3)
    graver = {"critical": 4, "high": 3, "medium": 2, "low": 1, "info": 0}
    shown = log(REPORT)
    for run in shown["runs"]:
        assert len(run["results"]) <= 3
        ranks = [graver[result["properties"]["severity"]] for result in run["results"]]
        assert ranks == sorted(ranks, reverse=True)
        left_out = run["properties"]["leftOut"]
        notices = [notice["message"]["text"] for notice in run["invocations"][0]["toolExecutionNotifications"]]
        assert any(text.startswith(f"{left_out} more results") for text in notices) == bool(left_out)
    assert sum(run["properties"]["results"] for run in shown["runs"]) == len(FINDINGS) - 1


def test_a_fingerprint_stays_when_all_but_the_subject_changes() -> None:
    def prints(report: Report) -> set[str]:
        results = (result for run in log(report)["runs"] for result in run["results"])
        return {result["partialFingerprints"]["primaryLocationLineHash"] for result in results}

    changed = [structs.replace(each, message="other", row={**each.row, "version": "f" * 32}) for each in FINDINGS if each.row]
    other = structs.replace(REPORT, findings=lambda _: iter(changed))
    assert prints(other) == prints(structs.replace(REPORT, findings=lambda _: (each for each in FINDINGS if each.row)))
    assert Outcome.FAIL in {each.outcome for each in changed}
