"""OCSF Compliance Findings as the schema has them, in the version that they name and in those since."""

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from keyaudit.model.results.run import Report
from keyaudit.report.formats.ocsf import VERSION
from tests.report.example import CLEAN, FINDINGS, REPORT
from tests.report.excused import EXCUSED
from tests.report.files import exported, poisoned
from tests.report.sinks import every_payload

REPORTS = {"report": REPORT, "clean": CLEAN, "excused": EXCUSED}
VERSIONS = (VERSION, "1.6.0", "1.7.0", "1.8.0")


@cache
def schema(version: str) -> jsonschema.Draft202012Validator:
    found = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version)).get_class_schema("compliance_finding", ["cloud"])
    return jsonschema.Draft202012Validator(found)


def lines(output: bytes) -> list[Any]:
    return [json.loads(line) for line in output.splitlines()]


def events(report: Report) -> list[Any]:
    return lines(exported("ocsf", report))


def invalid(found: list[Any], version: str) -> list[str]:
    return [error.message for event in found for error in schema(version).iter_errors(event)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", REPORTS)
def test_the_schema_accepts_it(name: str, version: str) -> None:
    assert invalid(events(REPORTS[name]), version) == []
    assert invalid([{**events(REPORT)[0], "class_uid": "2003"}], version) != []


@every_payload
def test_the_schema_accepts_it_whatever_the_tenant_holds(payload: str) -> None:
    assert invalid(lines(poisoned("ocsf", payload)), VERSION) == []


@pytest.mark.parametrize("name", REPORTS)
def test_the_models_of_others_read_it(name: str) -> None:
    for event in events(REPORTS[name]):
        read = ComplianceFinding.model_validate(event)
        assert (read.class_uid, read.category_uid, read.type_uid.value) == (2003, 2, 200_300 + read.activity_id.value)
        assert read.finding_info.uid == event["finding_info"]["uid"]


def test_what_nobody_can_tell_is_a_warning_and_never_a_pass() -> None:
    found = events(EXCUSED)
    by_status = {"pass": 1, "fail": 3, "waived": 3, "unknown": 2, "not-judged": 2}
    assert [each["compliance"]["status_id"] for each in found] == [by_status[each["status_code"]] for each in found]
    assert {each["status_code"] for each in found} == set(by_status)
    assert len(found) == len(FINDINGS) + 1
    unknown = next(each for each in found if each["status_code"] == "unknown" and "status_details" in each["compliance"])
    assert unknown["compliance"]["status_details"] == ["created_on:control_plane_only", "is_current:control_plane_only"]
    assert {each["unmapped"]["complete"] for each in found} == {False}


def test_a_waiver_suppresses_and_a_baseline_makes_an_update() -> None:
    found = events(EXCUSED)
    (waived,) = (each for each in found if each["status_code"] == "waived")
    assert (waived["status_id"], waived["status_detail"]) == (3, "Replaced with the new agent pool in January.")
    (known,) = (each for each in found if each["activity_id"] == 2)
    assert known["finding_info"]["first_seen_time"] < known["time"]
    assert known["type_uid"] == 200_302
