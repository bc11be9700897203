"""One simulated tenant that all plans were applied to, as the ordinary commands collect and judge it."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.simulator.estate import AppRole, Estate, ServicePrincipal, Subscription, User
from keyaudit.simulator.estates.hardened import hardened
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.log_plans import setting, workspace_id
from keyaudit.simulator.serve import serve
from tests.clock import COLLECTED
from tests.plan.applied import Applied, apply, whole
from tests.plan.configuration import Configuration
from tests.plan.document import Document, plan_document
from tests.plan.instances import Instance, Values
from tests.plan.merged import merged, moved
from tests.plan.plans.described import ADMINISTRATORS, ALICE, Plan, subscription_id, subscription_name
from tests.plan.plans.linked import HIDDEN
from tests.plan.schemas import schema
from tests.plan.values import planned
from tests.plan.world import DAY, World

ROOT = Path(__file__).parent.parent.parent
_GROUND = Ground(2026, COLLECTED, "trust.contoso.example")
_GRAPH = "00000003-0000-0000-c000-000000000000"
_PUBLISHED = {
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
}
"""https://learn.microsoft.com/graph/permissions-reference"""


class Made(Struct, frozen=True, kw_only=True):
    """A plan with its document, and the tenant's objects that it is about."""

    plan: Plan
    document: Document
    marks: frozenset[str]
    """Parts of the subjects of findings about objects of the plan: resource ids, hosts of vaults, object ids."""


class Staged(Struct, frozen=True, kw_only=True):
    """A tenant before and after all plans, and the plans, each by itself and all as one."""

    before: Estate
    after: Estate
    plans: Sequence[Made]
    new: Document
    """The plans in which nothing exists before."""
    every: Document
    """All plans, over the tenant `before`."""
    hidden: Document
    """The plans whose document does not show what their keys are in."""


def base(plans: Sequence[Plan]) -> Estate:
    """A tenant without findings, with the subscriptions of the plans and Microsoft Graph."""
    estate = hardened(COLLECTED)
    names = sorted({subscription_name(name) for plan in plans for name in (plan.name, *plan.other_subscriptions.values())})
    subscriptions = tuple(
        Subscription(
            id=subscription_id(name), name=name, activity_settings=(_activity(subscription_id(name)),), defender="Standard"
        )
        for name in names
    )
    graph = ServicePrincipal(
        id=_GROUND.guid("principal", "Microsoft Graph"),
        app_id=_GRAPH,
        name="Microsoft Graph",
        created=estate.tenant_created,
        home_tenant="f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        app_roles=tuple(AppRole(id=id_, value=value) for value, id_ in _PUBLISHED.items()),
    )
    others = tuple(each for each in estate.service_principals if each.app_id != _GRAPH)
    people = {ALICE: "Alice Berg", **{id_: f"Administrator {number}" for number, id_ in enumerate(ADMINISTRATORS)}}
    return replace(
        estate,
        name="planned",
        subscriptions=(*estate.subscriptions, *subscriptions),
        service_principals=(*others, graph),
        users=(
            *estate.users,
            *(
                User(id=id_, name=name, upn=f"{name.lower().replace(' ', '.')}@trust.contoso.example")
                for id_, name in people.items()
            ),
        ),
        # Without limits on credentials, which would have Graph refuse the secrets of the plans.
        posture=replace(estate.posture, default_enabled=False, policies=()),
    )


def _activity(subscription: str) -> dict[str, object]:
    """The export of a subscription's activity log."""
    place = f"subscriptions/{subscription}/providers/AzureResourceManager"
    return setting(place, "activity", ("Administrative", "Security", "Alert", "Policy"), workspace=workspace())


def workspace() -> str:
    """The workspace that the tenant keeps its logs in."""
    return workspace_id(_GROUND, "log-security")


def world_of(plan: Plan, estate: Estate, now: int) -> World:
    """The tenant as a plan's providers see it."""
    subscriptions = {"azurerm": plan.subscription, "azuread": "", "azapi": plan.subscription, "time": ""}
    subscriptions |= {alias: subscription_id(name) for alias, name in plan.other_subscriptions.items()}
    return World(estate, label=plan.name, subscriptions=subscriptions, now=now)


def _given(configuration: Configuration) -> Configuration:
    return replace(configuration, given={"workspace": workspace(), **configuration.given})


def staged(plans: Sequence[Plan]) -> Staged:
    """Apply what each plan has before it, and then each plan."""
    first = base(plans)
    earlier: dict[str, Applied] = {}
    for plan in plans:
        if plan.before:
            read = _read(plan, plan.before, first)
            earlier[plan.name] = apply(_given(plan.before), world_of(plan, first, COLLECTED - plan.age * DAY), read=read)
            first = earlier[plan.name].estate
    found, estate = [], first
    reads: dict[str, Mapping[str, Values]] = {}
    for plan in plans:
        before, after = earlier.get(plan.name), _given(plan.after)
        reads[plan.name] = _read(plan, after, first)
        document = plan_document(after, before.state if before else None, reads[plan.name])
        # The tenant is as the plans that were applied since have left it.
        since = replace(before, estate=estate) if before else None
        applied = apply(after, world_of(plan, estate, COLLECTED), since, reads[plan.name])
        estate = applied.estate
        marks = {*_marks(applied), *(_marks(before) if before else ())}
        found.append(Made(plan=plan, document=document, marks=frozenset(marks)))
    return Staged(
        before=first,
        after=estate,
        plans=found,
        new=_as_one([plan for plan in plans if not plan.before and plan not in HIDDEN], {}, reads),
        every=_as_one([plan for plan in plans if plan not in HIDDEN], earlier, reads),
        hidden=_as_one(HIDDEN, {}, reads),
    )


def _as_one(plans: Sequence[Plan], earlier: Mapping[str, Applied], reads: Mapping[str, Mapping[str, Values]]) -> Document:
    """The document of all plans, each a module of its own."""
    names = [plan.name for plan in plans]
    prior = {address: each for name in names if name in earlier for address, each in moved(name, earlier[name].state).items()}
    read = {f"module.{name}.{address}": values for name in names for address, values in reads[name].items()}
    return plan_document(merged(plans, {plan.name: _given(plan.after) for plan in plans}), prior, read)


def _read(plan: Plan, configuration: Configuration, estate: Estate) -> dict[str, Values]:
    """The values of each data source of the root module that refers to no resource."""
    world = world_of(plan, estate, COLLECTED)
    found: dict[str, Values] = {}
    for each in configuration.root.resources:
        if each.data and all(isinstance(term, str) for term in each.arguments.values()):
            instance = Instance(resource=each, module="", key=None, arguments=dict(each.arguments))
            values = planned(schema(f"data.{each.type}"), instance.arguments)
            values.pop("timeouts", None)
            found[each.address] = whole(schema(f"data.{each.type}"), instance, world, values)
    return found


_NAMES = ("id", "vault_uri", "hsm_uri")
_OBJECT_ID = {
    "azurerm_user_assigned_identity": "principal_id",
    "azuread_application": "object_id",
    "azuread_application_registration": "object_id",
    "azuread_service_principal": "object_id",
}


def _marks(applied: Applied) -> set[str]:
    """The ids of the objects of a state."""
    found = set()
    for instance, values in applied.state.values():
        if instance.resource.type in ("azurerm_resource_group", "time_offset"):
            continue
        if values.get("use_existing"):
            continue
        for name in (*_NAMES, _OBJECT_ID.get(instance.resource.type, "id")):
            if isinstance(values.get(name), str) and values[name]:
                found.add(values[name].lower().partition("|")[0].removeprefix("https://").rstrip("/"))
    return found


def collected(estate: Estate, folder: Path) -> None:
    """Collect an estate into `folder`/snapshot, by the command."""
    folder.mkdir()

    async def collect() -> None:
        async with serve(estate, now=lambda: float(COLLECTED)) as simulator:
            signed_in = {**os.environ, **simulator.environ}
            await _run(folder, signed_in, "collect", "--auth", "env", "--out", "snapshot", "--quiet")

    asyncio.run(collect())


def audited(folder: Path) -> Sequence[Mapping[str, Any]]:
    """Every finding of the ordinary report on `folder`/snapshot."""
    out = asyncio.run(_run(folder, os.environ, "report", "--from", "snapshot", "-o", "json", "--quiet"))
    findings: list[Mapping[str, Any]] = json.loads(out)["findings"]
    return findings


async def _run(folder: Path, environ: Mapping[str, str], *arguments: str) -> bytes:
    """Run a command in a process of its own with the clock of the tenant."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.estates", *arguments),
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode in (0, 3), (process.returncode, out.decode()[-2000:], errors.decode())
    return out


def about(made_: Made, findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings about the objects of a plan."""
    return [each for each in findings if any(mark in str(each["subject"]).lower() for mark in made_.marks)]
