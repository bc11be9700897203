"""Audits that need more than contoso: its logs, an ordinary tenant; and the action of every cause, taken in the tenant."""

from collections.abc import Sequence

from keyaudit.model.evidence import LOGS
from keyaudit.policy.load import load
from tests.rehearsal.actions import acted
from tests.rehearsal.causes import Closed, closed_by_actions
from tests.rehearsal.rehearse import Run, closes_a_network, elsewhere, rehearse
from tests.rehearsal.shapes import printed
from tests.rehearsal.stage import Audit, Stage, staged


async def by_actions(stage: Stage, before: Audit) -> Sequence[Closed]:
    """What the action of each cause that several findings of the tenant share closed, all taken at once."""
    stage.reset()
    stage.simulator.restore(acted(stage.simulator.estate, before.values()))
    return closed_by_actions(before, await stage.left())


async def with_logs(stage: Stage) -> tuple[list[Run], Sequence[Closed]]:
    """What the commands of the policies that need logs did in the tenant, and the actions of causes that they share."""
    needing = {policy.text.id for policy in load() if LOGS in policy.text.needs}
    async with stage.with_logs():
        before = await stage.audit()
        # Only the logs of a vault show who is shut out of a network.
        found = [one for one in printed(before) if one.finding["policy"] in needing or any(map(closes_a_network, one.commands))]
        runs = [run async for run in rehearse(stage, found, before)]
        kinds = {one["cause"]["kind"] for one in before.values() if one["policy"] in needing and one["cause"]}
        theirs = {id_: one for id_, one in before.items() if one["cause"] and one["cause"]["kind"] in kinds}
        return runs, await by_actions(stage, theirs)


async def in_ordinary(contoso: Audit) -> tuple[list[Run], Sequence[Closed]]:
    """What commands did in an ordinary tenant that contoso does not print, and the actions of causes: it has some of its own,
    such as what Microsoft's applications hold.
    """
    async with staged("ordinary") as stage:
        before = await stage.audit()
        runs = [run async for run in rehearse(stage, elsewhere(before, contoso), before)]
        return runs, await by_actions(stage, before)
