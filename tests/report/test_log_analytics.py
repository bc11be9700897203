"""The table of Log Analytics, the rule that fills it and the workbook: they agree with each other and with what is sent."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from azure.mgmt.monitor import models as monitor
from msgspec.structs import replace

from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.report.tabular.records import COLUMNS as CSV_COLUMNS
from keyaudit.send.log_analytics.rows import COLUMNS, MOST_FIELD, STREAM, TABLE, Row, finding_rows, verdict_row
from keyaudit.send.log_analytics.template import template
from keyaudit.send.log_analytics.workbook import QUERIES, whole, workbook
from tests.needs import npm, program
from tests.report.example import AS_OF, CLEAN, REPORT
from tests.report.excused import EXCUSED
from tests.report.hostile import hostile
from tests.report.sinks import every_payload

SHIPPED = AS_OF + 60
_TYPES: dict[str, type] = {"string": str, "datetime": str, "long": int, "boolean": bool}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def rows(report: Report) -> list[Row]:
    found = list(finding_rows(report, "ship-1", SHIPPED))
    return [*found, verdict_row(report, "ship-1", SHIPPED, len(found))]


def of_type(row: Row) -> Iterator[str]:
    """The values that are not of their column's type."""
    for name, value in row.items():
        if type(value) is not _TYPES[COLUMNS[name]] or (COLUMNS[name] == "datetime" and not _TIME.fullmatch(str(value))):
            yield f"{name}={value!r}"


@pytest.mark.parametrize("report", [REPORT, CLEAN, EXCUSED])
def test_every_value_is_of_a_column_of_the_table_and_of_its_type(report: Report) -> None:
    assert [wrong for row in rows(report) for wrong in of_type(row)] == []


@every_payload
def test_text_of_the_tenant_stays_text_of_its_own_column(payload: str) -> None:
    for row in rows(hostile(payload)):
        assert list(of_type(row)) == []
        assert set(row) <= set(COLUMNS)
        # Rows are sent as UTF-8, without half surrogate pairs.
        json.dumps(row, ensure_ascii=False).encode()


def test_what_fails_is_waived_or_is_unknown_is_sent_and_passes_are_a_number() -> None:
    *sent, verdict = rows(REPORT)
    expected = [finding.id for finding in REPORT.findings(False)]
    assert [row["finding_id"] for row in sent if "finding_id" in row] == expected
    assert {row["status"] for row in sent} == {Outcome.FAIL, Outcome.UNKNOWN, "not-judged"}
    assert len(sent) == len(expected) + len(REPORT.verdict.not_judged)
    assert verdict["passed_results"] == REPORT.verdict.passed
    assert Outcome.WAIVED in {row.get("status") for row in rows(EXCUSED)}


def test_the_verdict_comes_last_and_says_how_many_rows_are_its_own() -> None:
    *sent, verdict = rows(REPORT)
    failed = REPORT.verdict.failed
    assert [row["record_number"] for row in (*sent, verdict)] == list(range(1, len(sent) + 2))
    assert {row["shipment_id"] for row in (*sent, verdict)} == {"ship-1"}
    assert [row["record_type"] for row in (*sent, verdict)] == ["finding"] * len(sent) + ["verdict"]
    assert verdict["records"] == len(sent)
    assert (verdict["verdict"], verdict["complete"], verdict["exit_code"]) == ("refused for safety", False, 5)
    assert {each: verdict[f"open_{each}"] for each in Severity} == {each: failed.get(each, 0) for each in Severity}
    assert verdict["TimeGenerated"] == verdict["assessed_at"] == "2026-11-24T13:30:00Z"
    assert verdict["policies_not_evaluated"] == len(REPORT.verdict.not_judged) > 0


def test_a_text_that_the_service_would_cut_is_cut_here_and_named() -> None:
    long = "\N{EURO SIGN}" * MOST_FIELD
    run = replace(REPORT.run, identity=long, tenant_name="half \ud800 a letter")
    row = verdict_row(replace(REPORT, run=run), "ship-1", SHIPPED, 0)
    assert row["cut_columns"] == "identity"
    assert row["identity"] == long[: MOST_FIELD // 3]
    assert "half" in str(row["tenant_name"])
    assert "cut_columns" not in rows(REPORT)[-1]


def test_the_table_has_the_columns_of_the_csv_and_no_name_that_log_analytics_reserves() -> None:
    assert set(CSV_COLUMNS) <= set(COLUMNS)
    assert all(re.fullmatch(r"[A-Za-z]\w{0,44}", name) for name in COLUMNS)
    assert len(COLUMNS) <= 500
    assert set(COLUMNS) & {"id", "Type", "TenantId", "UniqueId", "Title", "_ResourceId", "_SubscriptionId"} == set()


def _resources() -> dict[str, Any]:
    found: Any = template()["resources"]
    return {each["type"]: each for each in found}


def test_the_rule_is_one_that_azures_own_models_know() -> None:
    rule = _resources()["Microsoft.Insights/dataCollectionRules"]
    sent = {name: rule[name] for name in ("location", "kind", "properties")}
    assert monitor.DataCollectionRuleResource.deserialize(sent).serialize() == sent
    properties = sent["properties"]
    [flow] = properties["dataFlows"]
    [(stream, declared)] = properties["streamDeclarations"].items()
    assert [stream] == [STREAM] == flow["streams"] == [flow["outputStream"]]
    assert {column["name"]: column["type"] for column in declared["columns"]} == COLUMNS
    assert set(COLUMNS.values()) <= {each.value for each in monitor.KnownColumnDefinitionType}


def test_the_table_and_the_rule_declare_the_same_columns() -> None:
    resources = _resources()
    schema = resources["Microsoft.OperationalInsights/workspaces/tables"]["properties"]["schema"]
    streams = resources["Microsoft.Insights/dataCollectionRules"]["properties"]["streamDeclarations"]
    assert schema["name"] == TABLE
    assert [(each["name"], each["type"].lower()) for each in schema["columns"]] == [
        (each["name"], each["type"]) for each in streams[STREAM]["columns"]
    ]


def test_the_template_uses_the_parameters_that_it_declares() -> None:
    text = json.dumps(template())
    assert set(re.findall(r"parameters\('(\w+)'\)", text)) == set(template()["parameters"])  # type: ignore[call-overload]
    data = _resources()["Microsoft.Insights/workbooks"]["properties"]["serializedData"]
    assert json.loads(data) == workbook()


def test_the_workbook_is_what_its_schema_asks_for() -> None:
    """Microsoft/Application-Insights-Workbooks, schema/workbook.json: version and items, each with a known type and content."""
    made: Any = workbook()
    assert made["version"] == "Notebook/1.0"
    assert {each["type"] for each in made["items"]} == {1, 3, 9}
    assert all(isinstance(each["content"], dict) and isinstance(each["name"], str) for each in made["items"])
    parameters = {one["name"] for each in made["items"] if each["type"] == 9 for one in each["content"]["parameters"]}
    queries = [each["content"] for each in made["items"] if each["type"] == 3]
    assert {each["timeContextFromParameter"] for each in queries} == parameters
    assert [each["query"] for each in queries] == [whole(query) for query in QUERIES.values()]


@pytest.mark.exhaustive
def test_kustos_own_language_service_accepts_every_query() -> None:
    home = npm("@kusto/language-service-next")
    queries = {title: whole(query) for title, query in QUERIES.items()}
    given = {"package": str(home), "table": TABLE, "columns": COLUMNS}

    def checked(queries: dict[str, str]) -> Any:
        command = [program("node"), __file__.replace("test_log_analytics.py", "kusto.cjs")]
        ran = subprocess.run(
            command, input=json.dumps({**given, "queries": queries}), capture_output=True, text=True, check=True
        )
        return json.loads(ran.stdout)

    found = checked(queries)
    assert {title: each["wrong"] for title, each in found.items()} == {title: [] for title in queries}
    assert all(each["columns"] for each in found.values())
    assert checked({"misspelt": whole("findings | project polcy_id")})["misspelt"]["wrong"]
