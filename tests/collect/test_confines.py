"""Filters: what they leave is read as ever, what they take away is said, and one that matches nothing is an error."""

import re
import tempfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.collect.places import tenant_scope
from keyaudit.collect.run import collect_all
from keyaudit.collect.scope_filters import check_sources
from keyaudit.collect.surfaces import SURFACES
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Coverage, State
from keyaudit.model.errors import AccessError, OutputError, UsageError
from keyaudit.model.operations import Surface
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run
from keyaudit.model.scope.filters import Filters, matching
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import serve
from tests.collect.estate import AS_OF, EMPTY_SUBSCRIPTION, FIRST_ID, FIRST_KEYS, SECOND_ID, SUBSCRIPTION, TENANT_ID
from tests.collect.refusals import FORBIDDEN
from tests.collect.rig import Collected, Noted, connected, left
from tests.collect.test_services import SERVED
from tests.matrices import first_of

OUT = Reason.EXCLUDED_BY_CONFIG
RUN = Run(
    run_id="run",
    tenant_id=SERVED.tenant_id,
    tenant_name="",
    environment="public",
    identity="tests",
    as_of=AS_OF,
    tool_version="0",
)


async def confined(filters: Filters, *faults: Fault) -> Collected:
    """A run with filters."""
    with tempfile.TemporaryDirectory() as folder:
        async with serve(SERVED, faults=faults) as simulator, connected(simulator) as connection:
            with Spool.create(Path(folder) / "out", replace(RUN, filters=filters)) as spool:
                failures = await collect_all(connection, spool, progress=Noted())
                return left(spool, failures, dict(simulator.calls))


def out(found: Collected) -> dict[tuple[str, str], Coverage]:
    """What the filters took away, by place."""
    return {place: record for place, record in found.coverage.items() if record.reason is OUT}


@pytest.mark.parametrize("pattern", first_of([" kv-first ", FIRST_ID, "KV-F*", "kv-first", "*/kv-FIRST"], 2))
async def test_one_vault_alone(pattern: str) -> None:
    found = await confined(Filters(vaults=(pattern,)))
    assert set(found.rows["vault"]) == {FIRST_ID}
    assert set(found.rows["key"]) == FIRST_KEYS
    gaps = out(found)
    assert set(gaps) == {
        (TENANT_ID, "vault.query"),
        (TENANT_ID, "hsm.query"),
        (f"/subscriptions/{SUBSCRIPTION}", "vault.list"),
    }
    assert gaps[f"/subscriptions/{SUBSCRIPTION}", "vault.list"].detail == "vaults left out: kv-second"
    assert {record.state for record in gaps.values()} == {State.PARTIAL}
    assert not any(scope == SECOND_ID for scope, _ in found.coverage)
    assert found.rows["application"]
    assert found.gaps().keys() == gaps.keys()


@pytest.mark.parametrize(
    "pattern", first_of(["prod*", SUBSCRIPTION.upper(), "Production", f"/subscriptions/{SUBSCRIPTION}"], 2)
)
async def test_one_subscription_alone(pattern: str) -> None:
    found = await confined(Filters(subscriptions=(pattern,)))
    assert set(found.rows["vault"]) == {FIRST_ID, SECOND_ID}
    assert out(found).keys() >= {
        (TENANT_ID, "vault.query"),
        (TENANT_ID, "service.query"),
        (f"/subscriptions/{EMPTY_SUBSCRIPTION}", "vault.list"),
    }
    assert found.coverage[f"/subscriptions/{EMPTY_SUBSCRIPTION}", "vault.list"].state is State.NOT_ASSESSED


async def test_no_request_goes_to_what_is_left_out() -> None:
    found = await confined(Filters(subscriptions=("Sandbox",)))
    assert (found.rows["vault"], found.rows["key"], found.rows["account_key"], found.rows["key_use"]) == ({}, {}, {}, {})
    assert found.calls["vault.list"] == 1
    assert "key.list" not in found.calls
    assert f"/subscriptions/{SUBSCRIPTION}" in {scope for scope, _ in out(found)}


@pytest.mark.parametrize("pattern", first_of(["rg-main", "RG-M*", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-main"]))
async def test_one_resource_group_alone(pattern: str) -> None:
    found = await confined(Filters(resource_groups=(pattern,)))
    assert set(found.rows["vault"]) == {FIRST_ID}
    assert found.rows["account_key"] == {}
    data = await confined(Filters(resource_groups=("rg-data",)))
    assert data.rows["vault"] == {}
    assert {row["resource_group"] for row in data.rows["account_key"].values()} == {"Rg-Data"}
    assert out(data).keys() >= {(TENANT_ID, "service.query"), (f"/subscriptions/{SUBSCRIPTION}", "vault.list")}


async def test_what_is_one_source_alone() -> None:
    found = await confined(Filters(sources=("applications",)))
    assert {table for table, rows in found.rows.items() if rows} == {"application", "credential"}
    assert {operation.partition(".")[0] for operation in found.calls} <= {"application", "login", "token", "challenge"}
    assert {(TENANT_ID, "subscription.list"), (TENANT_ID, "vault.query"), (TENANT_ID, "service_principal.list")} <= set(
        out(found)
    )
    assert found.gaps().keys() == out(found).keys()


async def test_a_source_of_vaults_is_left_out_in_each() -> None:
    found = await confined(Filters(sources=("vaults", "other-services")))
    assert {table for table, rows in found.rows.items() if rows} == {"vault", "account_key", "key_use"}
    assert {(FIRST_ID, "key.list"), (SECOND_ID, "key.versions"), (TENANT_ID, "application.list")} <= set(out(found))
    assert "key.list" not in found.calls


@pytest.mark.parametrize(
    ("filters", "place", "remedy"),
    [
        (Filters(subscriptions=("Production", "staging")), "--subscription", "there are Production, Sandbox. "),
        (Filters(subscriptions=("prdo*",)), "--subscription", "did you mean Production? "),
        (Filters(vaults=("kv-first", "kv-frist")), "--vault", "did you mean kv-First? "),
        (Filters(vaults=("kv-second",), subscriptions=("Sandbox",)), "--vault", "grant Reader on it"),
        (Filters(resource_groups=("rg-none*",)), "--resource-group", "rg-"),
    ],
)
async def test_a_filter_that_matches_nothing_is_an_error_that_names_what_is_near(
    filters: Filters, place: str, remedy: str
) -> None:
    with pytest.raises(AccessError) as error:
        await confined(filters)
    assert error.value.place == place
    assert "that the identity sees, none matches" in error.value.what
    assert remedy in error.value.remedy


@pytest.mark.parametrize(
    ("filters", "operation"),
    [
        (Filters(vaults=("kv-third",)), "vault.list"),
        (Filters(resource_groups=("rg-none",)), "resource_group.query"),
    ],
)
async def test_what_a_list_that_was_refused_may_hold_is_no_error(filters: Filters, operation: str) -> None:
    refused = Fault(operation, "every", status=403, body=FORBIDDEN[Surface.ARM])
    found = await confined(filters, refused)
    assert "not_assessed permission" in {gap for (_, of), gap in found.gaps().items() if of == operation}


@pytest.mark.parametrize(
    ("source", "remedy"),
    [("kyes", "did you mean keys?"), ("", "applications"), ("zzz", "applications"), ("keys/*", "did you mean keys?")],
)
def test_a_source_that_is_none_is_refused_with_those_that_are(source: str, remedy: str) -> None:
    with pytest.raises(UsageError, match=rf"no such source.*{re.escape(remedy)}"):
        check_sources(Filters(sources=("keys", source)), SURFACES.operations)


def test_every_surface_and_every_family_of_them_is_a_source() -> None:
    for name in ("keys", "service-principals", "vaults", "vaults-and-keys", "other-services", "*-principals"):
        check_sources(Filters(sources=(name,)), SURFACES.operations)


class Stops(Noted):
    """Stops the run once the vaults are found."""

    def update(self, surface: str, done: int, total: int | None) -> None:
        if (surface, done) != ("vaults", 0) and surface == "vaults":
            raise OutputError("here", "stopped")


@pytest.mark.parametrize(
    "filters", first_of([Filters(vaults=("kv-first",)), Filters(sources=("keys",)), Filters(subscriptions=("prod*",))])
)
async def test_a_resumed_run_keeps_its_filters(tmp_path: Path, filters: Filters) -> None:
    whole = await confined(filters)
    async with serve(SERVED) as simulator, connected(simulator) as connection:
        created = Spool.create(tmp_path / "out", replace(RUN, filters=filters))
        with created as spool, pytest.raises(OutputError, match="stopped"):
            await collect_all(connection, spool, progress=Stops())
        with Spool.resume(tmp_path / "out") as spool:
            assert spool.done("vaults", tenant_scope(SERVED.tenant_id))
            await collect_all(connection, spool, progress=Noted())
            found = left(spool)
    assert (found.rows, found.coverage) == (whole.rows, whole.coverage)


def test_patterns_are_compared_without_case_and_as_a_whole() -> None:
    assert matching(("prod-*", "KV", "k?"), ("PROD-eu", "kv")) == ("prod-*", "KV", "k?")
    assert matching(("rod", "kv-*", "[x]"), ("prod", "kv")) == ()
    assert Filters().shown == ()
    assert Filters(resource_groups=("a", "b"), sources=("keys",)).shown == ("only resource groups a, b", "only sources keys")
