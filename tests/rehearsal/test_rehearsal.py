"""Commands that are printed about keys and credentials do what they promise, run by the unmodified Azure CLI."""

import json
from collections.abc import Collection
from typing import Any

import pytest

from tests.rehearsal.reader import filled, prepare
from tests.rehearsal.rehearse import SLICE, rehearse, shows
from tests.rehearsal.results import FILE, problems, results
from tests.rehearsal.shapes import printed
from tests.rehearsal.stage import Change, compared, staged, version

pytestmark = pytest.mark.exhaustive
AGAIN = "run python -m tests.rehearsal, and look at what changed"


@pytest.mark.parametrize("family", SLICE)
async def test_each_closes_what_it_is_printed_for_and_opens_nothing_else(family: str) -> None:
    """The findings that each closes are kept in a file, which `explain` reads: one more or less is a change to look at."""
    async with staged() as stage:
        before = await stage.audit()
        runs = [run async for run in rehearse(stage, family, before)]
    assert runs, f"contoso has no finding with such a command: {family}"
    assert problems(runs) == []
    kept = json.loads(FILE.read_text("utf-8"))
    made = results(runs)
    known = {each["command"]: each for each in kept["commands"]}
    # Fixes of other families may end with the same command.
    policies = {policy for run in runs for policy in run.policies}
    assert made == [_of(policies, known[each["command"]]) for each in made if each["command"] in known], AGAIN
    assert version() == kept["azure_cli"], AGAIN


def _of(policies: Collection[str], entry: dict[str, Any]) -> dict[str, Any]:
    closes = {policy: entry["closes"][policy] for policy in entry["closes"] if policy in policies}
    return {**entry, "closes": closes, "runs": [policy for policy in entry["runs"] if policy in policies]}


async def test_what_a_command_left_is_audited_as_the_command_itself_does() -> None:
    async with staged() as stage:
        before = await stage.audit()
        one = next(one for one in printed(before) if len(one.commands) == 1 and not shows(one.commands[0]))
        assert compared(before, await stage.left()) == Change((), (), ())
        ran = await stage.run(filled(one.commands[0], stage.simulator.estate))
        assert ran.status == 0, ran.errors
        after = await stage.audit()
        assert compared(before, after).closed
        assert {id_: each["outcome"] for id_, each in after.items()} == {
            id_: each["outcome"] for id_, each in (await stage.left()).items()
        }


async def test_az_itself_refuses_no_command_that_a_policy_prints() -> None:
    """Against a tenant that refuses writes: what az refuses never becomes a request. One command of each other shape."""
    refused = []
    async with staged(writable=False) as stage:
        every = reversed(printed(await stage.audit()))
        first = {shape: command for one in every for shape, command in zip(one.shapes, one.commands, strict=True)}
        for shape, printed_ in first.items():
            if shape.startswith(SLICE) and "managedhsm" not in printed_ and "--hsm-name" not in printed_:
                continue
            stage.reset()
            command = filled(printed_, stage.simulator.estate)
            await prepare(stage, command, ())
            stage.simulator.requests.clear()
            ran = await stage.run(command)
            asked = [host for _, host, _ in stage.simulator.requests if not host.startswith("login.")]
            if ran.status == 2 or (ran.status != 0 and not asked):
                refused.append((command, ran.errors.strip().splitlines()[-1]))
    assert refused == []
