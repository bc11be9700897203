"""The search of the unified audit log: made once, waited for, read; and told of."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.logs.formats import office
from keyaudit.logs.formats.office_cmdlets import CMDLETS
from keyaudit.logs.live.search import OPERATIONS, PATIENCE
from keyaudit.model.reasons import Reason
from keyaudit.simulator.faults import Fault
from tests.collect.usage import forms, made
from tests.collect.usage.live.rig import Came, collected
from tests.collect.usage.rig import counts, imported, rows

PLACE = "graph:security/auditLog/queries"
NOTHING_ELSE = ["AADManagedIdentitySignInLogs"]


async def _searched(folder: Path, *faults: Fault) -> Came:
    return await collected(folder, *faults, sources=NOTHING_ELSE, search=True)


def _why(came: Came) -> str:
    [why] = came.trouble()[PLACE]
    return why


async def test_what_it_finds_comes_to_what_an_export_comes_to(tmp_path: Path) -> None:
    came = await _searched(tmp_path / "live")
    (tmp_path / "a.csv").write_text(forms.purview(event for event in made.mail() if event["operation"] in OPERATIONS))
    exported = imported(tmp_path / "imported", tmp_path / "a.csv")
    assert rows(came.store) == rows(exported)
    assert counts(came.store) == counts(exported)
    assert PLACE not in came.trouble()
    [told] = came.told
    assert told.startswith("made a search of the unified audit log, ")
    assert [came.simulator.calls[f"audit_search.{part}"] for part in ("create", "get", "records")] == [1, 2, 1]
    # Not started, then running: waited for by the clock, a little longer each time.
    assert came.slept[-2:] == [5, 10]


async def test_it_is_made_only_where_it_is_asked_for(tmp_path: Path) -> None:
    came = await collected(tmp_path / "live", sources=["OfficeActivity"])
    assert came.simulator.calls["audit_search.create"] == 0
    assert came.told == []


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (
            Fault("audit_search.create", status=403, body={"error": {"code": "Authorization_RequestDenied", "message": "m"}}),
            "permission (Authorization_RequestDenied): the identity may not read it; grant AuditLogsQuery-Exchange.Read.All",
        ),
        (
            Fault("audit_search.get", edit=lambda body: {**body, "status": "failed"}),
            "service_error (the search is failed): Azure returned errors",
        ),
        (
            Fault("audit_search.get", edit=lambda body: {**body, "status": "unknownFutureValue"}),
            "unrecognised (the search is unknownFutureValue): ",
        ),
        (Fault("audit_search.get", edit=lambda body: {**body, "status": None}), "bad_value: "),
        (
            Fault("audit_search.get", status=404, body={"error": {"code": "NotFound", "message": "m"}}),
            "vanished (NotFound): ",
        ),
        (
            Fault("audit_search.get", 2, edit=lambda body: {**body, "isRecordCountLimitExceeded": True}),
            "truncated (more records than a search may find: ask for fewer days): ",
        ),
        (Fault("audit_search.get", 2, edit=lambda body: {**body, "isRecordCountLimitExceeded": "?"}), "bad_value: "),
        (
            Fault("audit_search.create", edit=lambda body: {**body, "id": "../../applications"}),
            "bad_value (search: not one segment): ",
        ),
    ],
)
async def test_what_becomes_of_it_is_said(tmp_path: Path, fault: Fault, why: str) -> None:
    assert _why(await _searched(tmp_path / "live", fault)).startswith(why)


async def test_a_search_without_an_end_is_given_up(tmp_path: Path) -> None:
    came = await _searched(
        tmp_path / "live", Fault("audit_search.get", "every", edit=lambda body: {**body, "status": "running"})
    )
    assert _why(came).startswith("timeout (the search ")
    assert PATIENCE - 120 < sum(came.slept) <= PATIENCE
    assert came.simulator.calls["audit_search.get"] < 300
    assert came.outcome.reasons == {Reason.TIMEOUT}


async def test_one_that_may_have_been_made_is_not_made_again(tmp_path: Path) -> None:
    came = await _searched(
        tmp_path / "lost", Fault("audit_search.create", status=503, body={"error": {"code": "E", "message": "m"}})
    )
    assert (came.simulator.calls["audit_search.create"], came.told) == (1, [])
    assert _why(came).startswith("service_error (E): ")
    busy = Fault(
        "audit_search.create", status=429, headers={"Retry-After": "30"}, body={"error": {"code": "E", "message": "m"}}
    )
    came = await _searched(tmp_path / "busy", busy)
    assert came.simulator.calls["audit_search.create"] == 2
    assert PLACE not in came.trouble()


async def test_only_the_global_cloud_has_it(tmp_path: Path) -> None:
    usgov = replace(ENVIRONMENTS["public"], name="usgov")
    came = await collected(tmp_path / "live", sources=NOTHING_ELSE, search=True, environment=usgov)
    assert _why(came).startswith("not_in_cloud (usgov): ")
    assert came.simulator.calls["audit_search.create"] == 0


def test_it_asks_for_what_is_read_of_exchange() -> None:
    assert {name.lower() for name in OPERATIONS} == {*office._MAIL, *CMDLETS}
