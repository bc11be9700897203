"""Lists of Microsoft Graph: sign-ins and changes of the directory come to what their export comes to."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.logs.live import graph
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY, iso_date
from keyaudit.simulator.faults import Fault
from tests.collect.usage import forms, made
from tests.collect.usage.live.rig import COLLECTIONS, LOGGED, TABLES, WINDOW, Given, collected, estate
from tests.collect.usage.rig import counts, imported, rows

LISTS = ["signIns", "directoryAudits"]
AUDITS = "graph:auditLogs/directoryAudits"
SIGN_INS = [f"graph:auditLogs/signIns/{asked['kind']}" for name, _, asked in graph.LISTS if name == "signIns"]


async def test_lists_come_to_what_their_export_comes_to(tmp_path: Path) -> None:
    came = await collected(tmp_path / "live", sources=LISTS)
    (tmp_path / "files").mkdir()
    for name in ("signIns.json", "audits.json"):
        (tmp_path / "files" / name).write_text(forms.FORMS["graph"][name])
    exported = imported(tmp_path / "imported", tmp_path / "files")
    # Graph's objects name no tenant: of files nobody knows whose they are, and here the sign-in says it.
    tenant = f"/tenants/{made.TENANT}"
    assert rows(came.store) == [{**row, "resource_id": tenant, "scope_id": tenant} for row in rows(exported)]
    assert counts(came.store) == counts(exported)
    assert came.store.manifest.days == exported.manifest.days
    assert (came.trouble(), [file.file for file in came.store.files]) == ({}, [*SIGN_INS, AUDITS])


async def test_what_a_workspace_and_graph_both_tell_is_one_use(tmp_path: Path) -> None:
    tables = ["AADServicePrincipalSignInLogs", "AuditLogs"]
    both = await collected(tmp_path / "both", sources=[*tables, *LISTS])
    alone = await collected(tmp_path / "alone", sources=tables)
    assert [row["id"] for row in rows(both.store)] == [row["id"] for row in rows(alone.store)]
    assert counts(both.store)["duplicate"] == counts(alone.store)["kept"]


async def test_the_window_is_read_to_its_last_moment_and_no_further(tmp_path: Path) -> None:
    [one, *_] = COLLECTIONS["directoryAudits"]
    moments = ("2026-03-29T23:59:59.9999999Z", "2026-03-30T00:00:00Z", "2026-04-01T23:59:59.9999990Z", "2026-04-02T00:00:00Z")
    audits = [{**one, "id": moment, "activityDateTime": moment} for moment in moments]
    came = await collected(tmp_path / "live", tenant=estate(Given(directoryAudits=audits)), sources=["directoryAudits"])
    assert sorted({row["name"] for row in rows(came.store)}) == sorted(moments[1:3])


async def test_days_that_entra_keeps_no_more_are_a_gap(tmp_path: Path) -> None:
    as_of = WINDOW.since + 31 * DAY
    came = await collected(tmp_path / "live", sources=["directoryAudits"], as_of=as_of)
    what = f"kept for 30 days: what was logged before {iso_date(WINDOW.since + DAY)} no longer exists"
    assert came.trouble() == {"graph:auditLogs/directoryAudits": (what,)}
    assert (await collected(tmp_path / "kept", sources=["directoryAudits"], as_of=as_of - DAY)).trouble() == {}


async def test_a_list_of_many_pages_is_held_page_by_page(tmp_path: Path) -> None:
    [one, *_] = COLLECTIONS["servicePrincipal"]
    many = [{**one, "id": str(number)} for number in range(4_500)]
    came = await collected(tmp_path / "live", tenant=estate(Given(servicePrincipal=many)), sources=["signIns"])
    assert counts(came.store)["kept"] == 4_500
    assert came.longest <= 1_000
    assert came.simulator.calls["sign_in.list"] == 5 + len(SIGN_INS[1:])
    # Five requests in ten seconds are allowed, and half of that is taken.
    assert sum(came.slept) >= 12


NOT_PREMIUM = {"error": {"code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "message": "m"}}
DENIED = {"error": {"code": "Authorization_RequestDenied", "message": "m"}}


@pytest.mark.parametrize(
    ("body", "reason", "remedy"),
    [
        (NOT_PREMIUM, Reason.NOT_LICENSED, "license the tenant"),
        (DENIED, Reason.PERMISSION, "grant AuditLog.Read.All on Microsoft Graph"),
    ],
)
async def test_a_licence_that_lacks_is_told_from_a_right_that_does(
    tmp_path: Path, body: dict[str, object], reason: Reason, remedy: str
) -> None:
    came = await collected(tmp_path / "live", Fault("sign_in.list", "every", status=403, body=body), sources=LISTS)
    assert list(came.trouble()) == SIGN_INS
    [why] = came.trouble()[SIGN_INS[0]]
    assert why.startswith(f"{reason} (")
    assert remedy in why
    assert (came.outcome.reasons, came.outcome.answered) == ({reason}, True)


async def test_a_tenant_without_a_licence_or_a_right_is_told_so_by_every_page(tmp_path: Path) -> None:
    unlicensed = replace(LOGGED, unlicensed=("signIns",), graph_refuses=("directoryAudits",))
    came = await collected(tmp_path / "live", tenant=unlicensed, sources=LISTS)
    reasons = {place: why.partition(" ")[0] for place, [why] in came.trouble().items()}
    assert reasons == {**dict.fromkeys(SIGN_INS, "not_licensed"), AUDITS: "permission"}
    assert not came.outcome.answered


async def test_a_page_that_leads_away_is_not_followed_and_what_came_is_kept(tmp_path: Path) -> None:
    away = Fault("directory_audit.list", next_link="https://evil.example/v1.0/auditLogs/directoryAudits?$skiptoken=x")
    came = await collected(tmp_path / "live", away, sources=["directoryAudits"])
    [[why]] = came.trouble().values()
    assert why.startswith("after record 40: foreign_link (another host): ")
    assert came.outcome.reasons == {Reason.FOREIGN_LINK}
    assert counts(came.store)["received"] == 40


async def test_a_page_that_is_none_is_a_gap(tmp_path: Path) -> None:
    came = await collected(tmp_path / "live", Fault("directory_audit.list", body={"value": None}), sources=["directoryAudits"])
    [[why]] = came.trouble().values()
    assert why.startswith("bad_body (")
    assert not came.outcome.answered


async def test_an_item_that_is_none_costs_itself_alone(tmp_path: Path) -> None:
    def broken(body: dict[str, list[object]]) -> dict[str, list[object]]:
        body["value"][2:4] = [json.loads("[[]]"), {"id": "x" * 9_000}]
        return body

    came = await collected(tmp_path / "live", Fault("directory_audit.list", edit=broken), sources=["directoryAudits"])
    assert (counts(came.store)["quarantined"], counts(came.store)["received"]) == (2, 40)
    assert came.trouble() == {}


async def test_a_cloud_without_the_list_says_so(tmp_path: Path) -> None:
    public = ENVIRONMENTS["public"]
    came = await collected(tmp_path / "live", sources=["directoryAudits"], environment=replace(public, name="china"))
    assert came.trouble() == {AUDITS: ("not_in_cloud (china): it is not available in this cloud; no fix exists in this cloud",)}


def test_the_fixture_has_each_log_in_a_table_and_in_a_list() -> None:
    assert len(TABLES["log-main", "AADServicePrincipalSignInLogs"]) == len(COLLECTIONS["servicePrincipal"]) == 40
    assert len(made.changes()) == len(COLLECTIONS["directoryAudits"])
