"""Certificates that Graph's lists leave out: copied from an earlier run, left to the next one, gone on with, and foretold."""

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.cloud.limits.pacing import LIMITS, Domain
from keyaudit.collect.entra import public_keys
from keyaudit.collect.entra.public_keys import copies
from keyaudit.collect.run import collect_all
from keyaudit.inventory.earlier_snapshot import Earlier
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.spool import Spool
from keyaudit.model.forecast import Forecast
from keyaudit.model.operations import Throttle
from keyaudit.simulator.estate import Application, DirectoryRole, DirectoryRoleGrant, Estate, KeyCredential, ServicePrincipal
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import serve
from keyaudit.simulator.x509 import certificate
from tests.collect.estate import APPLICATIONS, AS_OF, DAY, ESTATE, PRINCIPALS, TENANT, TENANT_ID
from tests.collect.rig import EVIDENCE, Clock, Collected, Noted, begun, connected, left

READS = ("applications", "service principals", "directory roles", "principals")

_READER = DirectoryRole(id="f2ef992c-3afb-46b9-b7cf-a126ee74c451", name="Global Reader")


def application(number: int) -> Application:
    """An application with a certificate of its own."""
    key = KeyCredential(
        key_id=f"c1000000-0000-4000-8000-{number:012}",
        start=AS_OF - 40 * DAY,
        end=AS_OF + 40 * DAY,
        display_name=f"CN=client-{number}",
        thumbprint=f"{number:040X}",
        certificate=certificate(f"CN=client-{number}", key_name=f"client-{number % 4}", start=AS_OF - DAY, end=AS_OF + DAY),
    )
    id_ = f"a2000000-0000-4000-8000-{number:012}"
    return Application(id=id_, app_id=id_.replace("a2", "a3", 1), name=f"app-{number}", created=None, keys=(key,))


def signed_in(of: Application) -> ServicePrincipal:
    """The service principal of an application."""
    return ServicePrincipal(id=of.id.replace("a2", "a4", 1), app_id=of.app_id, name=of.name, created=None, home_tenant=TENANT)


PLAIN = tuple(map(application, range(1, 11)))
STRONG = application(20)
LARGER = replace(
    ESTATE,
    applications=(*APPLICATIONS, *PLAIN, STRONG),
    service_principals=(*PRINCIPALS, *map(signed_in, (*PLAIN, STRONG))),
    directory_roles=(_READER,),
    directory_role_grants=(DirectoryRoleGrant(principal_id=signed_in(STRONG).id, role_id=_READER.id),),
    vaults=(),
)
HOLDERS = 14
"""Payroll twice, as an application and as one that Entra signs for; a managed identity; and those above."""
ALWAYS = {"50000000-0000-4000-8000-000000000001", STRONG.id}
"""The one that Entra signs for, and the one with a role."""


def _hide(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"value": [each | {"keyCredentials": [key | {"key": None} for key in each["keyCredentials"]]}
                             for each in body["value"]]}  # fmt: skip


HIDDEN = tuple(Fault(operation, "every", edit=_hide) for operation in ("application.list", "service_principal.list"))


class Told(Noted):
    """Progress that keeps forecasts, and can stop the run at a number of public keys."""

    def __init__(self, at: int | None = None) -> None:
        super().__init__()
        self.forecasts: list[Forecast] = []
        self.task: asyncio.Task[object] | None = None
        self._at = at

    def foretell(self, forecast: Forecast) -> None:
        self.forecasts.append(forecast)

    @property
    def of_public_keys(self) -> list[Forecast]:
        return [each for each in self.forecasts if each.throttle is Throttle.GRAPH_KEY_CREDENTIALS]

    def update(self, surface: str, done: int, total: int | None) -> None:
        super().update(surface, done, total)
        if (surface, done) == ("public keys", self._at):
            assert self.task is not None
            self.task.cancel()


class Run:
    """One run, and the ids of the objects that it read one by one, in order."""

    def __init__(self, found: Collected, read: list[str], snapshot: Snapshot, told: Told, spool: Spool) -> None:
        self.found, self.read, self.snapshot, self.told = found, read, snapshot, told
        self.copied = spool.run.copied

    def row(self, of: Application) -> dict[str, Any]:
        """The row of its certificate."""
        [id_] = [id_ for id_ in self.found.rows["credential"] if f"/applications/{of.id}/" in id_]
        return self.found.rows["credential"][id_]


async def _run(
    folder: Path, *faults: Fault, estate: Estate = LARGER, before: Run | None = None, reread: int = 7 * DAY, later: int = DAY,
    **settings: Any,
) -> Run:  # fmt: skip
    """One run; `before`: since another, `later` seconds after it."""
    async with serve(estate, faults=(*HIDDEN, *faults)) as simulator, connected(simulator) as connection:
        read: list[str] = []
        connection.gateway.observe = lambda operation, _, answer: (
            read.append(_named(answer.body)) if operation.id in public_keys.OPERATIONS else None
        )
        told = Told()
        with begun(folder, estate.tenant_id) as spool:
            earlier = None
            if before is not None:
                run = replace(before.snapshot.run, as_of=AS_OF - later)
                earlier = Earlier(replace(before.snapshot, run=run), reread)
            failures = await collect_all(connection, spool, progress=told, evidence=EVIDENCE, earlier=earlier, **settings)
            found = left(spool, failures, dict(simulator.calls))
            spool.run = replace(spool.run, copied=copies(spool))
            ran = spool
            snapshot = write(spool, spool.run)
            return Run(found, read, snapshot, told, ran)


def _named(body: bytes) -> str:
    return body.partition(b'"id":"')[2].partition(b'"')[0].decode()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run without an earlier one."""
    return asyncio.run(_run(tmp_path_factory.mktemp("first") / "out"))


def without_age(found: Collected) -> dict[str, dict[str, Any]]:
    return {id_: {**row, "certificate_read_on": None} for id_, row in found.rows["credential"].items()}


def test_holders_with_privileges_are_read_first(first: Run) -> None:
    assert len(first.read) == len(set(first.read)) == HOLDERS
    assert first.read[0] == STRONG.id
    assert first.found.gaps() == {}
    assert all(row["thumbprint_sha256"] for row in map(first.row, (*PLAIN, STRONG)))
    assert first.copied is None
    assert [each.requests for each in first.told.of_public_keys] == [HOLDERS]


async def test_the_next_run_copies_what_a_list_shows_unchanged(first: Run, tmp_path: Path) -> None:
    again = await _run(tmp_path / "out", before=first)
    assert set(again.read) == ALWAYS
    assert without_age(again.found) == without_age(first.found)
    assert again.found.rows["signing_certificate"] == first.found.rows["signing_certificate"]
    assert again.found.coverage == first.found.coverage
    # The age of a copy is in its row and in the run; what was read has none.
    assert again.row(PLAIN[0])["certificate_read_on"] == AS_OF - DAY
    assert "certificate_read_on" not in again.row(STRONG)
    assert again.copied is not None
    assert (again.copied.objects, again.copied.oldest) == (HOLDERS - len(ALWAYS), AS_OF - DAY)
    # Only what no earlier run has is foretold: who has privileges is not known yet.
    assert [each.requests for each in again.told.of_public_keys] == [1]
    # A copy of a copy is as old as the first one, and read again once it is as old as --reread says.
    aged = await _run(tmp_path / "aged", before=again, later=3_600, reread=DAY)
    assert len(aged.read) == HOLDERS
    assert aged.found.rows["credential"] == first.found.rows["credential"]


_CHANGES: tuple[dict[str, Any], ...] = (
    {"key_id": "c1000000-0000-4000-8000-00000000ffff"},
    {"start": AS_OF - 41 * DAY},
    {"end": AS_OF + 41 * DAY},
    {"display_name": "CN=another"},
    {"display_name": None},
    {"thumbprint": "F" * 40},
    {"thumbprint": None},
    {"usage": "Sign"},
)


async def test_a_credential_that_a_list_shows_changed_is_read_again(first: Run, tmp_path: Path) -> None:
    """So is that of a holder who got privileges since."""
    changed = [replace(one, keys=(replace(one.keys[0], **change),)) for one, change in zip(PLAIN, _CHANGES, strict=False)]
    risen = PLAIN[len(changed)]
    grants = (*LARGER.directory_role_grants, DirectoryRoleGrant(principal_id=signed_in(risen).id, role_id=_READER.id))
    applications = (*APPLICATIONS, *changed, *PLAIN[len(changed) :], STRONG)
    estate = replace(LARGER, applications=applications, directory_role_grants=grants)
    found = await _run(tmp_path / "out", before=first, estate=estate)
    assert set(found.read) == {*ALWAYS, *(one.id for one in changed), risen.id}


async def test_everybody_is_read_while_nobody_knows_who_has_privileges(first: Run, tmp_path: Path) -> None:
    denied = Fault("directory_role.assignments", "every", status=403, body={"error": {"code": "Forbidden", "message": "no"}})
    found = await _run(tmp_path / "out", denied, before=first)
    assert len(found.read) == HOLDERS


async def test_what_the_budget_leaves_is_unknown_and_the_next_run_reads_it(first: Run, tmp_path: Path) -> None:
    short = await _run(tmp_path / "out", before=first, budget=0.0)
    assert short.read == []
    # Copies take no request. Of the others nothing is known, which is counted and has a reason of its own.
    assert short.row(PLAIN[0])["thumbprint_sha256"] == first.row(PLAIN[0])["thumbprint_sha256"]
    row = short.row(STRONG)
    assert {reason for column, reason in row["unknown"].items()} == {"next_run"}
    assert "thumbprint_sha256" in row["unknown"]
    gaps = {place[1]: (record.reason, record.refused) for place, record in short.found.coverage.items() if record.reason}
    assert gaps == {"application.get": ("next_run", 1), "service_principal.get": ("next_run", 1)}
    after = await _run(tmp_path / "after", before=short)
    assert set(after.read) == ALWAYS
    assert without_age(after.found) == without_age(first.found)


@pytest.fixture
def singly(monkeypatch: pytest.MonkeyPatch) -> None:
    """One object in a part, so that the test sees how far a run came."""
    monkeypatch.setattr(public_keys, "_PART", 1)


@pytest.mark.usefixtures("singly")
@pytest.mark.parametrize("at", [1, HOLDERS])
async def test_a_stopped_run_goes_on_where_it_was(first: Run, tmp_path: Path, at: int) -> None:
    async with serve(LARGER, faults=HIDDEN) as simulator, connected(simulator) as connection:
        with begun(tmp_path / "out", LARGER.tenant_id) as spool:
            progress = Told(at)
            progress.task = asyncio.ensure_future(collect_all(connection, spool, progress=progress, evidence=EVIDENCE))
            with pytest.raises(asyncio.CancelledError):
                await progress.task
        before = dict(simulator.calls)
        with Spool.resume(tmp_path / "out") as spool:
            failures = await collect_all(connection, spool, progress=Told(), evidence=EVIDENCE)
            found = left(spool, failures)
        calls = simulator.calls
    assert calls["application.list"] == before["application.list"]
    # The part that was stopped is read again, and nothing before it.
    read = sum(calls[operation] for operation in public_keys.OPERATIONS)
    assert HOLDERS <= read <= HOLDERS + 1
    assert found.rows == first.found.rows
    assert found.coverage == first.found.coverage


@pytest.mark.usefixtures("singly")
async def test_a_bug_on_the_way_loses_no_row(first: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that is missing altogether would pass every policy: it has to be there, unknown."""
    kind = public_keys._KINDS["application"]

    def rows(item: Any, holder: Any, keys: Any) -> Any:
        if item.id == PLAIN[2].id:
            raise RuntimeError("a bug")
        return kind.rows(item, holder, keys)

    monkeypatch.setitem(public_keys._KINDS, "application", replace(kind, rows=rows))
    found = await _run(tmp_path / "out")
    assert [failure.surface for failure in found.found.failures] == ["public keys"]
    assert set(found.found.rows["credential"]) == set(first.found.rows["credential"])
    assert found.row(STRONG)["thumbprint_sha256"] == first.row(STRONG)["thumbprint_sha256"]
    assert set(found.row(PLAIN[2])["unknown"].values()) == {"internal_error"}
    assert found.found.coverage[TENANT_ID, "application.get"].reason == "internal_error"


def test_a_forecast_counts_what_is_left_of_the_window() -> None:
    domain = Domain(LIMITS[Throttle.GRAPH_KEY_CREDENTIALS], 0.5, Clock(), _NO_CHANCE, slots=1)
    assert domain.needs(75) == 0
    assert domain.needs(10_000) == pytest.approx((10_000 - 75) / 1.25)
    domain.hold(30)
    assert domain.needs(1) == 30
    assert Domain(None, 0.5, Clock(), _NO_CHANCE, slots=1).needs(math.inf) == 0


_NO_CHANCE: Any = None
