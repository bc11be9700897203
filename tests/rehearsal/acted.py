"""Takes the action of every cause in a simulated tenant, and audits it again."""

from collections.abc import Sequence

from tests.rehearsal.actions import acted
from tests.rehearsal.causes import Closed, closed_by_actions
from tests.rehearsal.stage import Audit, Stage, staged


async def by_actions(stage: Stage, before: Audit) -> Sequence[Closed]:
    """What the action of each cause that several findings of the tenant share closed, all taken at once."""
    stage.reset()
    stage.simulator.restore(acted(stage.simulator.estate, before.values()))
    return closed_by_actions(before, await stage.left())


async def in_ordinary() -> Sequence[Closed]:
    """The same in an ordinary tenant, which has causes that contoso does not: what Microsoft's own applications hold."""
    async with staged("ordinary", az=False) as stage:
        return await by_actions(stage, await stage.audit())
