"""Tables that are summarized in the workspace: the answers are those of all rows, and gaps where a summary is not whole."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.inventory.logs import LogStore
from keyaudit.inventory.logs.groups import ORDER, grouped
from keyaudit.inventory.usage.learn import learn
from keyaudit.logs.check.check import check
from keyaudit.logs.check.listing import belonging
from keyaudit.model.usage import Unusual, Window
from keyaudit.model.values.times import DAY, parse_date
from keyaudit.simulator.estate import Row
from keyaudit.simulator.faults import Fault
from tests.collect.usage import made
from tests.collect.usage.live.rig import TABLES, WINDOW, Given, changed, collected, estate
from tests.collect.usage.rig import counts, rows

NAMES = [table for _, table in TABLES]
KEYS = "AZKVAuditLogs"
TIMES = 40


def repeated(table: str) -> list[Row]:
    """Each record of a table many times, at other times of its day and with ids of their own; some of them a day later."""
    found: list[Row] = []
    for number, row in enumerate(TABLES["log-main", table]):
        date = str(row["TimeGenerated"])[:10]
        for again in range(TIMES):
            own: dict[str, object] = {"TimeGenerated": f"{date}T{again % 24:02}:{number % 60:02}:{again:02}.5Z"}
            own |= {name: own["TimeGenerated"] for name in ("CreatedDateTime", "ActivityDateTime") if name in row}
            own |= {name: made.guid(number, again) for name in ("CorrelationId", "Id", "OfficeId") if _is_id(row, name)}
            found.append({**row, **own})
    return found


def _is_id(row: Row, name: str) -> bool:
    return name in row and not str(row[name]).startswith("https://")


CROWDED = estate(Given({place: repeated(place[1]) for place in TABLES}))


def answers(store: LogStore) -> dict[str, Any]:
    """What is learned, checked and listed from a store, without the rows that are shown as evidence."""
    with store.connect() as connection:
        columns = f"{ORDER}, uses, first_on, last_on, list_slice(evidence, 1, 1)"
        return {
            "groups": connection.execute(f"SELECT {columns} FROM groups ORDER BY ALL").fetchall(),
            "of rows": connection.execute(f"SELECT {columns} FROM ({grouped('usage')}) ORDER BY ALL").fetchall(),
            "mailboxes": connection.execute("FROM mailboxes ORDER BY ALL").fetchall(),
            "throttled": connection.execute("FROM throttled ORDER BY ALL").fetchall(),
            "written": connection.execute("FROM written ORDER BY ALL").fetchall(),
            "days": {name: [day for day, _ in days] for name, days in store.manifest.days.items()},
            "sources": {name: read for file in store.files for name, read in file.sources.items()},
            "complete": [(file.file, file.complete) for file in store.files],
        }


async def test_a_summary_answers_what_all_rows_answer(tmp_path: Path) -> None:
    whole = await collected(tmp_path / "rows", tenant=CROWDED, sources=NAMES)
    summed = await collected(tmp_path / "summed", tenant=CROWDED, sources=NAMES, rows=False)
    assert answers(summed.store) == answers(whole.store)
    assert counts(summed.store) == counts(whole.store)
    few, many = rows(summed.store), rows(whole.store)
    assert len(few) * 3 < len(many)
    # Each row that was fetched is a record as it is among all rows, and stands for those that were not.
    by_id = {row["id"]: row for row in many}
    assert [{**row, "uses": 1} for row in few] == [by_id[row["id"]] for row in few]
    assert sum(row["uses"] for row in few) == len(many)


async def test_a_summary_gives_the_same_unusual_uses_and_gaps(tmp_path: Path) -> None:
    day = Window(since=WINDOW.until - DAY, until=WINDOW.until)
    results = []
    for by_row in (True, False):
        came = await collected(tmp_path / f"{by_row}", tenant=CROWDED, sources=NAMES, rows=by_row)
        folder = tmp_path / f"{by_row} baseline"
        folder.mkdir()
        baseline = learn(came.store, Window(since=WINDOW.since, until=day.since), into=folder)
        results.append((list(belonging(baseline)), check(came.store, day, baseline)))
    (usual, of_rows), (usual_by_group, of_groups) = results
    assert (usual_by_group, of_groups.uses, of_groups.unseen) == (usual, of_rows.uses, of_rows.unseen)
    assert [_without_evidence(each) for each in of_groups.findings] == [_without_evidence(each) for each in of_rows.findings]
    assert of_groups.findings


def _without_evidence(found: Unusual) -> Unusual:
    """It with the first row alone that shows each reason."""
    return replace(found, why=[replace(why, evidence=why.evidence[:1]) for why in found.why])


async def test_a_row_of_each_record_is_the_same_summary(tmp_path: Path) -> None:
    whole = await collected(tmp_path / "rows", sources=NAMES)
    summed = await collected(tmp_path / "summed", sources=NAMES, rows=False)
    assert (answers(summed.store), counts(summed.store)) == (answers(whole.store), counts(whole.store))
    assert {file.form for file in summed.store.files} == {"Log Analytics", "Log Analytics, summarized"}


@pytest.mark.parametrize(
    ("most", "calls"),
    [
        pytest.param(330, range(3, 5), id="by day"),
        pytest.param(20, range(100, 500), id="of a day", marks=pytest.mark.exhaustive),
    ],
)
async def test_too_many_groups_are_asked_for_by_day_and_then_as_rows(tmp_path: Path, most: int, calls: range) -> None:
    whole = await collected(tmp_path / "rows", tenant=CROWDED, sources=[KEYS])
    cut = await collected(tmp_path / "cut", tenant=changed(CROWDED, most_rows=most), sources=[KEYS], rows=False)
    assert cut.simulator.calls["log.query"] in calls
    assert (cut.trouble(), answers(cut.store)) == ({}, answers(whole.store))


async def test_a_summary_that_is_always_partial_is_a_gap(tmp_path: Path) -> None:
    always = Fault("log.query", "every", edit=lambda body: {**body, "error": {"code": "PartialError", "message": "m"}})
    came = await collected(tmp_path / "live", always, sources=[KEYS], rows=False)
    [[why]] = came.trouble().values()
    assert why.startswith("truncated (an error in addition to the rows): ")
    assert (rows(came.store), came.outcome.answered) == ([], False)


async def test_a_table_without_a_column_of_the_summary_is_read_by_row(tmp_path: Path) -> None:
    bare = [{name: value for name, value in row.items() if name != "ClientInfo"} for row in TABLES["log-main", KEYS]]
    refused = {"error": {"code": "BadArgumentError", "message": "m", "innererror": {"code": "SemanticError", "message": "m"}}}
    tenant = estate(Given({("log-main", KEYS): bare}))
    fault = Fault("log.query", 1, status=400, body=refused)
    came = await collected(tmp_path / "live", fault, tenant=tenant, sources=[KEYS], rows=False)
    whole = await collected(tmp_path / "rows", tenant=tenant, sources=[KEYS])
    assert (came.trouble(), rows(came.store)) == ({}, rows(whole.store))
    assert all(row["unknown"]["client"] == "not_supplied" for row in rows(came.store))


async def test_a_bad_row_costs_itself_alone(tmp_path: Path) -> None:
    def broken(body: dict[str, Any]) -> dict[str, Any]:
        body["tables"][0]["rows"][3] = body["tables"][0]["rows"][3][:-1]
        return body

    came = await collected(tmp_path / "live", Fault("log.query", 1, edit=broken), sources=[KEYS], rows=False)
    assert counts(came.store)["quarantined"] == 1


async def test_a_log_that_graph_lists_too_is_read_by_row(tmp_path: Path) -> None:
    sources = ["AADServicePrincipalSignInLogs", "signIns"]
    both = await collected(tmp_path / "both", sources=sources, rows=False)
    whole = await collected(tmp_path / "rows", sources=sources)
    assert rows(both.store) == rows(whole.store)
    assert "Log Analytics, summarized" not in {file.form for file in both.store.files}


async def test_a_day_that_was_read_before_is_not_counted_twice(tmp_path: Path) -> None:
    found = await collected(tmp_path / "rows", tenant=CROWDED, sources=[KEYS], rows=False)
    late = Window(since=parse_date("2026-03-31"), until=WINDOW.until)
    again = await collected(tmp_path / "merged", tenant=CROWDED, sources=[KEYS], rows=False, window=late, earlier=found.store)
    assert [row["id"] for row in rows(again.store)] == [row["id"] for row in rows(found.store)]
    assert answers(again.store)["groups"] == answers(found.store)["groups"]


async def test_sign_ins_of_a_table_with_an_older_schema_are_summarized(tmp_path: Path) -> None:
    """Without the columns that the list of 2024 for AADManagedIdentitySignInLogs does not have."""
    lacking = ("CreatedDateTime", "AADTenantId", "UserAgent")
    table = "AADServicePrincipalSignInLogs"
    bare = [{name: value for name, value in row.items() if name not in lacking} for row in TABLES["log-main", table]]
    tenant = estate(Given({("log-main", table): bare}))
    whole = await collected(tmp_path / "rows", tenant=tenant, sources=[table])
    summed = await collected(tmp_path / "summed", tenant=tenant, sources=[table], rows=False)
    assert (answers(summed.store), summed.trouble()) == (answers(whole.store), {})
    assert len(rows(summed.store)) < len(rows(whole.store))


async def test_sign_ins_of_people_without_their_protocol_are_unread_and_not_absent(tmp_path: Path) -> None:
    """SigninLogs as it was published in 2020."""
    row = {**TABLES["log-main", "AADServicePrincipalSignInLogs"][0], "Type": "SigninLogs", "UserId": "somebody"}
    given = {name: value for name, value in row.items() if not name.startswith("ServicePrincipal")}
    bare = {name: value for name, value in given.items() if name not in ("AuthenticationProtocol", "UserAgent")}
    for number, (each, expected) in enumerate(((bare, 1), ({**bare, "AuthenticationProtocol": "oAuth2"}, 0))):
        came = await collected(
            tmp_path / str(number), tenant=estate(Given({("log-main", "SigninLogs"): [each]})), sources=["SigninLogs"]
        )
        assert (counts(came.store)["received"], counts(came.store)["quarantined"], rows(came.store)) == (1, expected, [])
