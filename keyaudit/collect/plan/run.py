"""Reads a plan into a spool, as `collect.run` reads a tenant."""

from collections.abc import Sequence

from keyaudit.cloud.connection import Identity
from keyaudit.cloud.environment import Environment
from keyaudit.collect.plan.access import Access
from keyaudit.collect.plan.answers import Answers
from keyaudit.collect.plan.document import Plan
from keyaudit.collect.plan.gateway import PlanConnection
from keyaudit.collect.plan.ground import Ground
from keyaudit.collect.plan.objects import Objects
from keyaudit.collect.plan.resources import NOT_IN_PLAN, Resources
from keyaudit.collect.plan.spool import PlanSpool
from keyaudit.collect.plan.vaults import Vaults
from keyaudit.collect.run import Failure, Progress, collect_all


def answers_of(plan: Plan, environment: Environment, tenant_id: str = "") -> tuple[Ground, Answers]:
    """What Azure would answer after the plan was applied, and where its resources will be."""
    answers = Answers()
    ground = Ground(Resources(plan), answers, environment, tenant_id)
    vaults = Vaults(ground)
    Objects(ground, vaults).answer()
    Access(ground, vaults).answer()
    vaults.answer()
    for subscription in sorted(ground.subscriptions):
        item = {"subscriptionId": subscription, "tenantId": ground.tenant_id, "displayName": NOT_IN_PLAN}
        answers.add("subscription.list", item)
    return ground, answers


async def collect_plan(ground: Ground, spool: PlanSpool, environment: Environment, *, progress: Progress) -> Sequence[Failure]:
    """Write the rows of a plan's resources to `spool`."""
    spool.answers = ground.answers
    identity = Identity(ground.tenant_id, "")
    return await collect_all(PlanConnection(ground.answers, identity, environment), spool, progress=progress)
