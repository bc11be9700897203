"""JUnit XML as the schema of Jenkins' xUnit plugin has it, and as others read it."""

import io
from pathlib import Path

import junitparser
import pytest
from lxml import etree
from msgspec import structs

from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report
from tests.report.example import APP_ROW, AUDIENCE, CLEAN, FINDINGS, OVERDUE, REPORT, SOFTWARE, finding
from tests.report.excused import EXCUSED
from tests.report.files import exported, poisoned
from tests.report.sinks import every_payload

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent / "schemas" / "junit-10.xsd"))
REPORTS = {"report": REPORT, "clean": CLEAN, "excused": EXCUSED}


def invalid(output: bytes) -> list[str]:
    SCHEMA.validate(etree.fromstring(output))
    return [error.message for error in SCHEMA.error_log]


@pytest.mark.parametrize("name", REPORTS)
def test_the_schema_accepts_it(name: str) -> None:
    assert invalid(exported("junit", REPORTS[name])) == []


@every_payload
def test_the_schema_accepts_it_whatever_the_tenant_holds(payload: str) -> None:
    assert invalid(poisoned("junit", payload)) == []


@pytest.mark.parametrize("name", REPORTS)
def test_the_totals_are_those_of_the_cases(name: str) -> None:
    read = junitparser.JUnitXml.fromfile(io.BytesIO(exported("junit", REPORTS[name])))
    said = (read.tests, read.failures, read.errors)
    suites = [(suite.tests, suite.failures, suite.errors, suite.skipped) for suite in read]
    read.update_statistics()  # type: ignore[no-untyped-call]
    assert (read.tests, read.failures, read.errors) == said
    assert [(suite.tests, suite.failures, suite.errors, suite.skipped) for suite in read] == suites


def test_two_apps_of_one_name_are_two_cases() -> None:
    twins = [
        finding(AUDIENCE, outcome, {**APP_ROW, "id": f"/a/{number}"}, "m")
        for number, outcome in enumerate((Outcome.PASS, Outcome.FAIL))
    ]
    root = etree.fromstring(exported("junit", structs.replace(REPORT, findings=lambda _: iter(twins))))
    assert len({case.get("name") for case in root.iter("testcase") if case.get("classname") == AUDIENCE.id}) == 2


def settings(report: Report, policy: str) -> list[str | None]:
    root = etree.fromstring(exported("junit", report))
    [suite] = root.xpath(f"testsuite[@name='{policy}']")
    return [each.get("value") for each in suite.iter("property") if each.get("name") == "setting"]


def test_a_suite_says_what_was_settled_for_its_policy_and_for_no_other() -> None:
    whole = ["profile strict", "required: unified-audit"]
    assert settings(EXCUSED, AUDIENCE.id) == whole
    assert settings(EXCUSED, OVERDUE.id) == [
        *whole,
        f"{OVERDUE.id}: max_age 365 days (keyaudit.toml:12)",
        f"class build agents: {OVERDUE.id}: max_age 1,095 days (keyaudit.toml:25)",
    ]
    assert settings(EXCUSED, SOFTWARE.id) == [*whole, f"class build agents: {SOFTWARE.id} is not applicable (keyaudit.toml:20)"]
    assert settings(REPORT, OVERDUE.id) == []


def test_every_case_has_a_name_of_its_own() -> None:
    root = etree.fromstring(exported("junit", REPORT))
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names)) == len(FINDINGS) + 1
