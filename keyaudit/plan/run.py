"""Reads a plan into a spool, as `collect.run` reads a tenant."""

from collections.abc import Sequence

from keyaudit.cloud.connection import Identity
from keyaudit.cloud.environment import Environment
from keyaudit.collect.run import Failure, Progress, collect_all
from keyaudit.plan.answers import Answers
from keyaudit.plan.document.resources import NOT_IN_PLAN, Resources
from keyaudit.plan.document.terraform import Plan
from keyaudit.plan.gateway import PlanConnection
from keyaudit.plan.resources.access import Access
from keyaudit.plan.resources.applications import Applications
from keyaudit.plan.resources.consumers import Consumers
from keyaudit.plan.resources.groups import Groups
from keyaudit.plan.resources.hsms import Hsms
from keyaudit.plan.resources.identities import Identities
from keyaudit.plan.resources.logs import Logs
from keyaudit.plan.resources.objects import Objects
from keyaudit.plan.resources.permissions import Permissions
from keyaudit.plan.resources.services import Services
from keyaudit.plan.resources.vaults import Vaults
from keyaudit.plan.runners import note_runners
from keyaudit.plan.scopes import Ground
from keyaudit.plan.spool import PlanSpool
from keyaudit.plan.unread_resources import note_unread


def answers_of(plan: Plan, environment: Environment, now: int, tenant_id: str = "") -> tuple[Ground, Answers]:
    """What Azure would answer after the plan was applied, and where its resources will be.

    `now`: in seconds since 1970 UTC; what begins when it is made begins then.
    """
    answers = Answers()
    ground = Ground(Resources(plan), answers, environment, now, tenant_id)
    vaults = Vaults(ground)
    hsms, identities, objects = Hsms(ground), Identities(ground), Objects(ground, vaults)
    objects.answer()
    services = Services(ground, objects)
    services.answer()
    Consumers(ground, objects).answer()
    logs = Logs(ground, vaults, hsms)
    logs.answer()
    hsms.answer()
    access, applications = Access(ground, vaults, hsms), Applications(ground, objects.issued)
    access.answer()
    Groups(ground).answer()
    Permissions(ground, applications, access).answer()
    applications.answer()
    identities.answer()
    vaults.answer()
    identities.answer_own()
    note_unread(ground, {*vaults.read, *services.read, *logs.read, *identities.read})
    note_runners(ground)
    for subscription in sorted(ground.subscriptions):
        item = {"subscriptionId": subscription, "tenantId": ground.tenant_id, "displayName": NOT_IN_PLAN}
        answers.add("subscription.list", item)
    return ground, answers


async def collect_plan(ground: Ground, spool: PlanSpool, environment: Environment, *, progress: Progress) -> Sequence[Failure]:
    """Write the rows of a plan's resources to `spool`."""
    spool.answers, spool.groups = ground.answers, ground.answers.groups
    identity = Identity(ground.tenant_id, "")
    return await collect_all(PlanConnection(ground.answers, identity, environment), spool, progress=progress)
