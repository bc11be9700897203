"""The plans that incident and doctor print are run by the unmodified Azure CLI, in order, against the writable tenant."""

import json
import shlex
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pytest
import pytest_asyncio

from keyaudit.simulator.estate import Application, Estate, ServicePrincipal
from tests.clock import COLLECTED
from tests.rehearsal.at_work import at_work
from tests.rehearsal.reader import certificate, prepare
from tests.rehearsal.stage import ROOT, Stage, staged

pytestmark = [pytest.mark.exhaustive, pytest.mark.asyncio(loop_scope="module")]

Step = Mapping[str, Any]
LOGS = "--logs logs/uses"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Contoso with logs, which plans ask who is at work."""
    async with staged() as begun, begun.with_logs():
        yield begun


async def _plan(stage: Stage, command: str) -> Sequence[Step]:
    """The steps of a plan, as the command prints them of the tenant as it is."""
    ran = await stage.run(
        f"PYTHONPATH={ROOT} {shlex.quote(sys.executable)} -m tests.estates {command} --auth env -o json --quiet"
    )
    assert ran.status in (0, 3), ran.errors
    steps: Sequence[Step] = json.loads(ran.out)["plan"]
    return steps


def _commands(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        yield from (command for command in step["commands"] if command.startswith("az "))


async def _carried_out(stage: Stage, command: str) -> tuple[Estate, Estate, Sequence[Step], list[str]]:
    """The tenant before and after, the steps of the plan, and what was run."""
    stage.reset()
    before, steps = stage.simulator.estate, await _plan(stage, command)
    commands = list(_commands(steps))
    for each in commands:
        await prepare(stage, each, ())
        (stage.folder / "new.pem").write_bytes(certificate())
        ran = await stage.run(each)
        assert ran.status == 0, (each, ran.errors)
    working = at_work(before, COLLECTED)
    lost = working.keys() - at_work(stage.simulator.estate, COLLECTED).keys()
    told = " ".join(step["text"] or "" for step in steps)
    assert [name for name in lost if working[name] not in told] == []
    return before, stage.simulator.estate, steps, commands


async def test_the_plan_of_a_stolen_credential_stops_it_replaces_it_and_lets_its_application_work_again(stage: Stage) -> None:
    """Who is at work is told, and what was stolen is gone in the end."""
    _, after, steps, commands = await _carried_out(stage, f"incident etl-runner {LOGS}")
    stops = [one for one in commands if "accountEnabled=false" in one]
    assert stops
    assert commands.index(stops[0]) < min(number for number, one in enumerate(commands) if " credential " in one)
    removed = {_option(one, "--key-id") for one in commands if " credential delete " in one}
    assert removed
    assert not removed & {key.key_id for one in after.applications for key in one.keys}
    stopped = {_option(one, "--id") for one in stops}
    assert all(one.enabled is not False for one in after.service_principals if one.app_id in stopped)
    assert all("This stops" in step["text"] for step in steps if {*step["commands"]} & {*stops})


def _option(command: str, name: str) -> str:
    words = shlex.split(command)
    return words[words.index(name) + 1]


@pytest.mark.parametrize("command", ["blast-radius etl-runner", "blast-radius 'Alpine Ski House Booking'"])
async def test_the_plan_of_an_application_adds_before_it_takes_away_and_stops_nobody_at_work(
    stage: Stage, command: str
) -> None:
    """Every holder of the credential gets another one beside it."""
    before, after, _, commands = await _carried_out(stage, command)
    reset = [one for one in commands if " credential reset " in one]
    assert reset
    assert all("--append" in one for one in reset)

    def held(tenant: Estate) -> dict[str, int]:
        holders: list[Application | ServicePrincipal] = [*tenant.applications, *tenant.service_principals]
        return {one.id: len({each.key_id for each in one.keys} | {each.key_id for each in one.passwords}) for one in holders}

    were, are = held(before), held(after)
    more = [id_ for id_ in were if are[id_] > were[id_]]
    assert len(more) == len(reset)
    assert not [id_ for id_ in were if are[id_] < were[id_]]


@pytest.mark.parametrize(
    ("command", "account"),
    [
        ("blast-radius kv-data-prod/storage-cmk", "stcontosostatements"),
        (f"incident kv-payments-prod/merchant-archive {LOGS}", "stcontosodisputes"),
    ],
)
async def test_the_plan_of_a_key_moves_storage_before_the_old_version_is_disabled(
    stage: Stage, command: str, account: str
) -> None:
    """No command disables what a service still encrypts with."""
    before, after, _, commands = await _carried_out(stage, command)
    uses = {one.name: one.properties["encryption"]["keyvaultproperties"] for one in after.resources if one.name == account}  # type: ignore[index]
    name = uses[account]["keyname"]
    [key] = [each for one in after.vaults for each in one.keys if each.name == name and one.name in command]
    [old] = [each for one in before.vaults for each in one.keys if each.name == name and one.name in command]
    assert len(key.versions) == len(old.versions) + 1
    assert uses[account]["currentVersionedKeyIdentifier"].endswith(key.current)
    assert uses[account]["keyversion"] == ""
    disabled = [one for one in commands if "--enabled false" in one]
    assert disabled == []


async def test_what_a_plan_removes_is_gone_afterwards(stage: Stage) -> None:
    """The plan of an exported certificate's key: access of who does not use it, and the version itself."""
    before, after, steps, commands = await _carried_out(stage, f"incident kv-data-prod/etl-client {LOGS}")
    removed = [one for one in commands if "role assignment delete" in one]
    assert removed
    ids = {
        word.rpartition("/")[2].lower() for one in removed for word in shlex.split(one) if "/roleassignments/" in word.lower()
    }
    assert ids <= {one.id.lower() for one in before.role_assignments}
    assert not ids & {one.id.lower() for one in after.role_assignments}
    disabled = [shlex.split(one) for one in commands if "--enabled false" in one]
    told = [step["title"].rpartition(" ")[2] for step in steps if step["title"].startswith("Disable kv-data-prod/etl-client")]
    [found] = [one for vault in after.vaults for one in vault.certificates if one.name == "etl-client"]
    off = {one.version for one in found.versions if not one.enabled}
    assert off == {words[words.index("--version") + 1] for words in disabled}
    assert off <= {*told}
    assert found.current not in told


async def test_az_sends_what_doctor_prints() -> None:
    """Roles are assigned by somebody else than the auditor, whose tenant refuses it: az itself refuses none of the commands."""
    async with staged("blind-spots") as stage:
        ran = await stage.run(f"PYTHONPATH={ROOT} {shlex.quote(sys.executable)} -m tests.estates doctor --auth env --quiet")
        commands = [line.strip() for line in ran.out.splitlines() if line.strip().startswith("az ")]
        assert len(set(commands)) >= 3, ran.errors
        for command in dict.fromkeys(commands):
            stage.simulator.requests.clear()
            ended = await stage.run(command)
            asked = [host for _, host, _ in stage.simulator.requests if not host.startswith("login.")]
            assert asked, (command, ended.errors)
            assert ended.status != 2, (command, ended.errors)
