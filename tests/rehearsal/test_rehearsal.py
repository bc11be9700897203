"""Commands that are printed about keys and credentials do what they promise, run by the unmodified Azure CLI."""

import json
import re
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import pytest
import pytest_asyncio

from tests import needs
from tests.clock import COLLECTED
from tests.rehearsal import causes
from tests.rehearsal.acted import by_actions, in_ordinary, with_logs
from tests.rehearsal.at_work import at_work
from tests.rehearsal.causes import UNSHARED, Closed, measured, merged, shared
from tests.rehearsal.reader import filled, guardrail
from tests.rehearsal.rehearse import SLICE, Run, half_done, of, rehearse, shows
from tests.rehearsal.results import FILE, OPENS, problems, results
from tests.rehearsal.shapes import printed, shapes
from tests.rehearsal.stage import Audit, Change, Stage, compared, staged, version

pytestmark = [pytest.mark.exhaustive, pytest.mark.asyncio(loop_scope="module")]
AGAIN = "run python -m tests.rehearsal, and look at what changed"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """One for all tests here, which begin with the tenant as it was."""
    async with staged() as begun:
        yield begun


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def before(stage: Stage) -> Audit:
    """The audit of the tenant as it was."""
    return await stage.audit()


@pytest.mark.parametrize("family", SLICE)
async def test_each_closes_what_it_is_printed_for_and_opens_nothing_else(stage: Stage, before: Audit, family: str) -> None:
    """The findings that each closes are kept in a file, which `explain` reads: one more or less is a change to look at."""
    runs = [run async for run in rehearse(stage, of(family, before), before)]
    assert runs, f"contoso has no finding with such a command: {family}"
    assert problems(runs) == []
    kept = json.loads(FILE.read_text("utf-8"))
    made = results(runs)
    known = {each["command"]: each for each in kept["commands"]}
    # Fixes of other families may end with the same command, also those of the same policy.
    policies = {policy for run in runs for policy in run.policies}
    elsewhere = {
        (shape, one.finding["policy"])
        for other in SLICE
        if other != family
        for one in of(other, before)
        for shape in one.shapes
    }
    assert made == [_of(policies, each, known[each["command"]], elsewhere) for each in made if each["command"] in known], AGAIN
    assert version() == kept["azure_cli"], AGAIN
    shapes = {run.shapes for run in runs}
    assert measured(runs) == [each for each in causes.kept() if each.commands in shapes], AGAIN


def _of(
    policies: Collection[str], made: dict[str, Any], entry: dict[str, Any], elsewhere: Collection[tuple[str, str]]
) -> dict[str, Any]:
    """What the file says of these policies; what only another family's fix may have shown is left out."""
    shown = {policy for policy in policies if policy in made["closes"] or (entry["command"], policy) not in elsewhere}
    closes = {policy: entry["closes"][policy] for policy in entry["closes"] if policy in shown}
    run = {*entry["runs"], *(policy for policy in entry["closes"] if policy not in shown)}
    return {**entry, "closes": closes, "runs": sorted(policy for policy in run if policy in policies)}


def _are_kept(runs: Sequence[Run]) -> None:
    """The file says of these runs what they showed, and may say more of the same commands, from other runs."""
    assert problems(runs) == []
    known = {each["command"]: each for each in json.loads(FILE.read_text("utf-8"))["commands"]}
    for made in results(runs):
        kept = known[made["command"]]
        assert made["closes"].items() <= kept["closes"].items(), AGAIN
        assert {*made["runs"]} <= {*kept["runs"], *kept["closes"]}, AGAIN


async def test_the_second_half_of_a_fix_is_known_from_an_earlier_snapshot(stage: Stage, before: Audit) -> None:
    run = await half_done(stage, before)
    assert run.closing, run
    _are_kept([run])


async def test_an_action_closes_all_findings_of_its_cause_also_in_an_ordinary_tenant_and_with_logs(
    stage: Stage, before: Audit
) -> None:
    """Each action of every cause that several findings share, taken in the tenant itself; what az does is above."""
    logged, by_logs = await with_logs(stage)
    others, in_others = await in_ordinary(before)
    _are_kept(logged)
    _are_kept(others)
    made: Sequence[Closed] = merged([*(await by_actions(stage, before)), *by_logs, *in_others])
    assert {(each.kind, each.left, each.alone) for each in made if each.left or each.alone} == set()
    assert made == [each for each in causes.kept() if not each.commands], AGAIN
    assert not shared(before.values()) & {(kind, policy) for kind, some in UNSHARED.items() for policy in some}


async def test_every_command_of_a_policy_was_rehearsed() -> None:
    known = {each["command"] for each in json.loads(FILE.read_text("utf-8"))["commands"]}
    assert shapes().keys() - known == set(), AGAIN


def _commands(printed: str) -> list[str]:
    return [line.strip() for line in printed.splitlines() if line.strip().startswith(("az ", "keyaudit "))]


GUARDRAILS = (("app-management-policy", "app-management-policy-off"), ("alerts", "log-no-key-alerts"), ("azure-policy", ""))


@pytest.mark.parametrize(("kind", "closes"), GUARDRAILS)
async def test_the_commands_of_a_guardrail_put_it_in_force(stage: Stage, before: Audit, kind: str, closes: str) -> None:
    """As they are printed beside the document; nobody at work is cut off."""
    stage.reset()
    estate = stage.simulator.estate
    wrote = await stage.run(f"{sys.executable} -m keyaudit guardrails --as {kind} --out policy.json")
    commands = _commands(wrote.errors)
    assert commands, wrote.errors
    while commands:
        command = commands.pop(0)
        ran = await stage.run(re.sub("^keyaudit ", f"{sys.executable} -m keyaudit ", guardrail(command, estate)))
        assert ran.status == 0, ran.errors
        # A document that is written from what is in force has the commands that deploy it.
        commands += _commands(ran.errors) if command.startswith("keyaudit ") else []
    change = compared(before, await stage.left())
    assert ({closes} if closes else set()) <= {each["policy"] for each in change.closed}
    assert {each["policy"] for each in change.opened} <= OPENS.get(closes, set())
    assert at_work(stage.simulator.estate, COLLECTED) == at_work(estate, COLLECTED)
    if kind == "azure-policy":
        shown = await stage.run(
            guardrail("az policy assignment show --name keyaudit --scope /subscriptions/SUBSCRIPTION", estate)
        )
        assert json.loads(shown.out)["policyDefinitionId"].endswith("/policySetDefinitions/keyaudit"), shown.errors


async def test_what_a_command_left_is_audited_as_the_command_itself_does(stage: Stage, before: Audit) -> None:
    stage.reset()
    one = next(one for one in printed(before) if len(one.commands) == 1 and not shows(one.commands[0]))
    assert compared(before, await stage.left()) == Change((), (), ())
    ran = await stage.run(filled(one.commands[0], stage.simulator.estate))
    assert ran.status == 0, ran.errors
    after = await stage.audit()
    assert compared(before, after).closed
    assert {id_: each["outcome"] for id_, each in after.items()} == {
        id_: each["outcome"] for id_, each in (await stage.left()).items()
    }


async def test_a_command_ends_with_loaded_modules_as_in_a_process_of_its_own(stage: Stage) -> None:
    az = needs.tool("az/bin/az")
    for command, status in (
        ("account list --output json", 0),
        ("keyvault key show --colour red", 2),
        ("keyvault key show --vault-name kv-identity-prod --name none", 3),
    ):
        ran = await stage.run(f"az {command}")
        assert ran == await stage.run(f"{az} {command}")
        assert ran.status == status, ran
