"""Tables of Log Analytics: what is read of them equals what is read of their export, and what is not read is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.inventory.logs import FileRead
from keyaudit.model.errors import UnsafeError
from keyaudit.model.reasons import Reason
from keyaudit.model.usage import Window
from keyaudit.model.values.times import parse_date
from keyaudit.simulator.estate import LogTable, Row
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF
from tests.collect.usage import forms, made
from tests.collect.usage.live.rig import LOGGED, MAIN, TABLES, Came, Given, changed, collected, estate, plain
from tests.collect.usage.rig import counts, imported, rows

NAMES = [table for _, table in TABLES]
KEYS = ["AZKVAuditLogs"]


def _files(folder: Path, texts: Mapping[str, str]) -> Path:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def _of(came: Came, name: str) -> FileRead:
    [found] = [file for file in came.store.files if file.file == name]
    return found


async def test_tables_come_to_what_their_export_comes_to(tmp_path: Path) -> None:
    came = await collected(tmp_path / "live", sources=NAMES)
    exported = imported(tmp_path / "imported", _files(tmp_path / "files", forms.FORMS["query"]))
    assert rows(came.store) == rows(exported)
    assert counts(came.store) == counts(exported)
    assert came.store.manifest.days == exported.manifest.days
    assert [file.file for file in came.store.files if file.complete] == [f"log-analytics:log-main/{name}" for name in NAMES]
    assert came.store.tenant_id == made.TENANT
    assert came.outcome.answered
    assert ("api.loganalytics.azure.com", "https://api.loganalytics.io") in came.simulator.audiences


async def test_of_the_table_that_services_share_only_key_vaults_rows_are_asked_for(tmp_path: Path) -> None:
    legacy = [plain(made.kv_legacy(each)) for each in made.requests()]
    other: Row = {"TimeGenerated": "2026-03-31T00:00:00Z", "ResourceProvider": "MICROSOFT.SQL", "Type": "AzureDiagnostics"}
    tenant = estate(Given({("log-main", "AzureDiagnostics"): [*legacy, other]}))
    came = await collected(tmp_path / "live", tenant=tenant, sources=["AzureDiagnostics"])
    exported = imported(
        tmp_path / "imported", _files(tmp_path / "files", {"a": forms.table(map(made.kv_legacy, made.requests()))})
    )
    assert rows(came.store) == rows(exported)
    assert counts(came.store) == counts(exported)
    assert came.trouble() == {}


@pytest.mark.parametrize("most", [7, 1])
async def test_a_window_that_is_too_much_is_read_in_smaller_slices(tmp_path: Path, most: int) -> None:
    came = await collected(tmp_path / "cut", tenant=changed(LOGGED, most_rows=most), sources=KEYS)
    whole = await collected(tmp_path / "whole", sources=KEYS)
    assert (came.trouble(), counts(came.store)) == ({}, counts(whole.store))
    assert rows(came.store) == rows(whole.store)
    assert came.longest <= most
    assert whole.simulator.calls["log.query"] == 1
    # Of the queries that were one too many there are no more than of those that were answered.
    assert came.simulator.calls["log.query"] < 3 * 60


async def test_more_rows_in_a_second_than_are_answered_at_once_are_a_gap(tmp_path: Path) -> None:
    [first, *_] = made.requests()
    crowd = [plain({**made.kv_row(first), "CorrelationId": str(number)}) for number in range(4)]
    tenant = changed(estate(Given({("log-main", KEYS[0]): crowd})), most_rows=3)
    came = await collected(tmp_path / "live", tenant=tenant, sources=KEYS)
    [[why]] = came.trouble().values()
    assert why.startswith("truncated (an error in addition to the rows): ")
    assert came.simulator.calls["log.query"] < 40
    assert rows(came.store) == []


TOO_LONG = {"error": {"code": "GatewayTimeout", "message": "The query took too long."}}


@pytest.mark.parametrize(
    "fault",
    [
        Fault("log.query", 1, status=504, body=TOO_LONG),
        Fault("log.query", 1, edit=lambda body: {**body, "error": {"code": "PartialError", "message": "m"}}),
        Fault("log.query", 1, body=b'{"tables":[' + b" " * (65 * 1024 * 1024)),
    ],
    ids=["too slow", "partial", "too large"],
)
async def test_what_is_too_much_at_once_is_asked_for_in_halves(tmp_path: Path, fault: Fault) -> None:
    came = await collected(tmp_path / "live", fault, sources=KEYS)
    assert came.trouble() == {}
    assert counts(came.store)["kept"] == 54
    assert came.simulator.calls["log.query"] == 3


async def test_an_answer_that_is_always_partial_is_never_taken_for_whole(tmp_path: Path) -> None:
    always = Fault("log.query", "every", edit=lambda body: {**body, "error": {"code": "PartialError", "message": "m"}})
    came = await collected(tmp_path / "live", always, sources=KEYS)
    [[why]] = came.trouble().values()
    assert (
        why
        == "truncated (an error in addition to the rows): Azure truncated the response; run again; report it if the gap remains"
    )
    assert (rows(came.store), came.outcome.answered) == ([], False)


DENIED = {"error": {"message": "m", "code": "InsufficientAccessError", "innererror": {"code": "m"}}}


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (
            Fault("log.query", "every", status=403, body=DENIED),
            "permission (InsufficientAccessError/m): the identity may not read it; grant Log Analytics Reader on the Log A",
        ),
        (Fault("log.query", "every", body=b"<p>", headers={"Content-Type": "text/html"}), "intercepted ("),
        (Fault("log.query", "every", body={"tables": []}), "bad_body (0 tables where one was asked for): "),
        (
            Fault("log.query", "every", body={"tables": [{"name": "PrimaryResult", "columns": []}]}),
            "bad_body (the response has no",
        ),
        (Fault("log.query", "every", body=b'{"tables":'), "bad_body (not JSON): "),
        (Fault("log.query", "every", status=500, body={"error": {"code": "E", "message": "m"}}), "service_error (E): "),
        (Fault("log.query", "every", status=302, headers={"Location": "https://evil.example"}), "redirected ("),
    ],
)
async def test_what_is_refused_is_said_with_its_reason(tmp_path: Path, fault: Fault, why: str) -> None:
    came = await collected(tmp_path / "live", fault, sources=KEYS)
    [(place, [said])] = came.trouble().items()
    assert place == "log-analytics:log-main/AZKVAuditLogs"
    assert said.startswith(why)
    assert not came.outcome.answered


async def test_a_table_that_stops_halfway_keeps_what_came_and_says_where_it_stopped(tmp_path: Path) -> None:
    denied = Fault("log.query", range(8, 99), status=403, body=DENIED)
    came = await collected(tmp_path / "live", denied, tenant=changed(LOGGED, most_rows=20), sources=KEYS)
    [[why]] = came.trouble().values()
    kept = counts(came.store)["received"]
    assert 0 < kept < 60
    assert why.startswith(f"after record {kept}: permission (")
    assert came.outcome.reasons == {Reason.PERMISSION}


async def test_throttling_is_waited_out_by_the_clock(tmp_path: Path) -> None:
    busy = Fault(
        "log.query", range(1, 4), status=429, headers={"Retry-After": "40"}, body={"error": {"code": "E", "message": "m"}}
    )
    came = await collected(tmp_path / "live", busy, sources=KEYS)
    assert came.trouble() == {}
    assert sum(came.slept) >= 120
    assert came.simulator.calls["log.query"] == 4


async def test_a_table_that_no_workspace_has_is_said_to_be_nowhere(tmp_path: Path) -> None:
    tables = {("log-two", KEYS[0]): TABLES["log-main", KEYS[0]]}
    tenant = estate(Given(tables), MAIN, replace(MAIN, name="log-two"))
    came = await collected(tmp_path / "live", tenant=tenant, sources=["AZKVAuditLogs", "AzureDiagnostics", "OfficeActivity"])
    # The one log is in one table of one workspace, and that it is not in the others is no gap.
    assert came.trouble() == {
        "log-analytics:OfficeActivity": (
            "no workspace that this identity sees has such a table: send the log to one, or search for it with --audit-search",
        )
    }
    assert [file.file for file in came.store.files] == ["log-analytics:log-two/AZKVAuditLogs", "log-analytics:OfficeActivity"]


async def test_a_table_that_resource_manager_does_not_know_is_not_queried(tmp_path: Path) -> None:
    gone = Fault("workspace.table", "every", status=404, body={"error": {"code": "ResourceNotFound", "message": "m"}})
    came = await collected(tmp_path / "live", gone, sources=KEYS)
    assert list(came.trouble()) == ["log-analytics:AZKVAuditLogs"]
    assert came.simulator.calls["log.query"] == 0


async def test_a_table_of_which_resource_manager_says_nothing_is_queried_all_the_same(tmp_path: Path) -> None:
    refused = Fault("workspace.table", "every", status=403, body={"error": {"code": "AuthorizationFailed", "message": "m"}})
    came = await collected(tmp_path / "live", refused, sources=KEYS)
    assert (came.trouble(), counts(came.store)["kept"]) == ({}, 54)


@pytest.mark.parametrize("plan", ["Basic", "Auxiliary"])
async def test_a_table_on_another_plan_is_a_gap_and_is_not_queried(tmp_path: Path, plan: str) -> None:
    cheap = replace(MAIN, name="log-cheap", tables=(LogTable(name=KEYS[0], plan=plan),))
    tables = {(name, KEYS[0]): TABLES["log-main", KEYS[0]] for name in ("log-main", "log-cheap")}
    came = await collected(tmp_path / "live", tenant=estate(Given(tables), MAIN, cheap), sources=KEYS)
    [(place, [why])] = came.trouble().items()
    assert place == "log-analytics:log-cheap/AZKVAuditLogs"
    assert why.startswith(f"on the plan {plan}, which keyaudit does not query: ")
    assert (came.simulator.calls["log.query"], counts(came.store)["kept"]) == (1, 54)


async def test_days_that_a_table_has_no_more_are_a_gap(tmp_path: Path) -> None:
    brief = replace(MAIN, tables=(LogTable(name=KEYS[0], retention_days=90),))
    came = await collected(tmp_path / "live", tenant=estate(Given(TABLES), brief), sources=KEYS, as_of=AS_OF)
    assert came.trouble() == {
        "log-analytics:log-main/AZKVAuditLogs": ("kept for 90 days: what was logged before 2026-08-20 no longer exists",)
    }
    late = Window(since=parse_date("2026-08-20"), until=parse_date("2026-08-21"))
    came = await collected(tmp_path / "late", tenant=estate(Given(TABLES), brief), sources=KEYS, window=late, as_of=AS_OF)
    assert came.trouble() == {}


async def test_workspaces_that_are_not_all_seen_are_a_gap(tmp_path: Path) -> None:
    def without_guid(body: dict[str, Any]) -> dict[str, Any]:
        body["data"][0]["customerId"] = "../evil"
        return body

    came = await collected(tmp_path / "live", Fault("workspace.query", edit=without_guid), sources=KEYS)
    assert came.trouble() == {
        "log-analytics": ("bad_item (1 of 1 workspaces): an item of the response could not be read; check the item named",)
    }
    denied = Fault("workspace.query", status=403, body={"error": {"code": "AuthorizationFailed", "message": "m"}})
    came = await collected(tmp_path / "denied", denied, sources=KEYS)
    [[why]] = came.trouble().values()
    assert why.startswith("permission (AuthorizationFailed): ")
    assert not came.outcome.answered


async def test_workspaces_of_one_name_are_told_apart_and_another_tenants_is_left_alone(tmp_path: Path) -> None:
    def of_another(body: dict[str, Any]) -> dict[str, Any]:
        strange = {**body["data"][0], "id": body["data"][0]["id"] + "x", "tenantId": "f" * 8, "name": "log-foreign"}
        return {**body, "data": [*body["data"], strange], "count": 3, "totalRecords": 3}

    twin = replace(MAIN, resource_group="rg-other")
    tenant = estate(Given({("log-main", KEYS[0]): TABLES["log-main", KEYS[0]]}), MAIN, twin)
    came = await collected(tmp_path / "live", Fault("workspace.query", edit=of_another), tenant=tenant, sources=KEYS)
    names = {file.file for file in came.store.files}
    assert len(names) == 2
    assert all(name.startswith("log-analytics:log-main (") for name in names)
    assert counts(came.store) == {"received": 120, "kept": 54, "duplicate": 54, "quarantined": 0, "ignored": 12}


async def test_a_second_tenants_record_is_refused(tmp_path: Path) -> None:
    rows_ = [{**row, "AADTenantId": "22222222-2222-4222-8222-222222222222"} for row in TABLES["log-main", "AuditLogs"]]
    with pytest.raises(UnsafeError, match=r"log-main/AuditLogs: record 1 is of tenant 2222.*, and others are of tenant 1111"):
        await collected(tmp_path / "live", tenant=estate(Given({("log-main", "AuditLogs"): rows_})), sources=["AuditLogs"])
    assert not (tmp_path / "live").exists()


async def test_a_bad_row_costs_itself_alone(tmp_path: Path) -> None:
    def broken(body: dict[str, Any]) -> dict[str, Any]:
        table = body["tables"][0]
        table["rows"][3] = table["rows"][3][:-1]
        table["rows"][4] = "\x1b[2J"
        return body

    came = await collected(tmp_path / "live", Fault("log.query", edit=broken), sources=KEYS)
    found = _of(came, "log-analytics:log-main/AZKVAuditLogs")
    assert found.complete
    assert counts(came.store)["quarantined"] == 2
    assert [each.partition(":")[0] for each in found.trouble] == ["record 4", "record 5"]


async def test_a_workspace_that_never_had_data_is_empty_and_read(tmp_path: Path) -> None:
    came = await collected(tmp_path / "live", Fault("log.query", "every", status=204, body=b""), sources=KEYS)
    assert (came.trouble(), came.outcome.answered) == ({}, True)


async def test_a_cloud_of_which_nobody_says_where_its_logs_are_queried_has_none(tmp_path: Path) -> None:
    bare = replace(ENVIRONMENTS["public"], name="bleu", logs="", logs_scope="")
    came = await collected(tmp_path / "live", sources=KEYS, environment=bare)
    assert came.trouble() == {
        "log-analytics:log-main/AZKVAuditLogs": (
            "not_in_cloud (bleu): it is not available in this cloud; no fix exists in this cloud",
        )
    }
