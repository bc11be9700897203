"""App management policies, default and custom: a row for each part that limits one kind of object.

A custom policy falls back to the default policy for each restriction that it does not define, so any member may be left out:
https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import UNSET, field

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.entra.policies.app_restrictions import (
    BETA,
    STABLE,
    Restricted,
    exclusions,
    left_to_default,
    put_beta,
    put_limits,
    put_uris,
)
from keyaudit.collect.entra.relations import Related, object_id
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, decoded
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import translated
from keyaudit.model.tables.entra.app_management_policy import APP_MANAGEMENT_POLICY

OPERATIONS = (
    "app_management.default",
    "app_management.default_beta",
    "app_management.list",
    "app_management.list_beta",
    "app_management.applied",
)


class Assigned(Related):
    """An object that a custom policy is assigned to."""

    type: Wire = field(default=UNSET, name="@odata.type")


# Blueprints inherit from these: https://learn.microsoft.com/graph/api/resources/agentidentityblueprint and
# .../agentidentityblueprintprincipal
_kind = translated(
    {
        "#microsoft.graph.application": "applications",
        "#microsoft.graph.agentidentityblueprint": "applications",
        "#microsoft.graph.serviceprincipal": "service-principals",
        "#microsoft.graph.agentidentityblueprintprincipal": "service-principals",
    }
)


@wired(APP_MANAGEMENT_POLICY)
class DefaultPolicy(Related, rename="camel"):
    """The default policy."""

    is_enabled: Wire = UNSET
    application_restrictions: Wire = UNSET
    service_principal_restrictions: Wire = UNSET


@wired(APP_MANAGEMENT_POLICY)
class CustomPolicy(Related, rename="camel"):
    """A custom policy."""

    is_enabled: Wire = UNSET
    restrictions: Wire = UNSET


async def collect_app_management(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write the rows of every policy. Returns the coverage of `OPERATIONS`."""
    return [*await _default(reading.connection, unit, scope), *await _custom(reading.connection, unit, scope)]


async def _default(connection: Connection, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    calls, beta_calls = Calls(scope, "app_management.default"), Calls(scope, "app_management.default_beta")
    policy = await connection.gateway.get("app_management.default", DefaultPolicy)
    beta = await connection.gateway.get("app_management.default_beta", DefaultPolicy)
    calls.got(policy)
    beta_calls.got(beta)
    if not isinstance(policy, Refusal):
        restricted = Restricted(policy.is_enabled, policy.application_restrictions)
        more, why = (UNSET, beta.reason) if isinstance(beta, Refusal) else (beta.application_restrictions, None)
        of_beta = Restricted(policy.is_enabled, more, unread=why)
        of_principals = Restricted(policy.is_enabled, policy.service_principal_restrictions)
        for applies_to, limits, others in (
            ("applications", restricted, (restricted, of_beta)),
            ("service-principals", of_principals, None),
        ):
            row = _begin(connection, scope, calls.id, f"default/{applies_to}")
            row.put_all(kind="default", applies_to=applies_to, assigned_to=None, assigned_kinds=None, left_to_default=[])
            _put(row, policy, limits, others)
            unit.row("app_management_policy", row.finish())
    return [calls.coverage(), beta_calls.coverage()]


async def _custom(connection: Connection, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    calls, beta_calls = Calls(scope, "app_management.list"), Calls(scope, "app_management.list_beta")
    beta = connection.gateway.pages("app_management.list_beta", CustomPolicy, by=object_id)
    more = await distinct(beta, object_id)
    beta_calls.ended(beta.end)
    unread = why_incomplete(beta.end) or Reason.INCONSISTENT
    applied = Calls(scope, "app_management.applied", per_object=True)
    listing = connection.gateway.pages("app_management.list", CustomPolicy, by=object_id)
    policies = [policy async for policy in both(listing)]
    assigned = {id_: await _assigned(connection, applied, id_) for id_ in sorted({*map(object_id, policies)})}
    twice = _in_two(assigned.values())
    if twice:
        applied.refused(Refusal(Reason.INCONSISTENT, "an object has two policies", 200))
    for policy in policies:
        row = _begin(connection, scope, calls.id, policy.id)
        row.put_all(kind="custom", applies_to="assigned")
        _put_assigned(row, assigned[object_id(policy)], twice)
        restricted = Restricted(policy.is_enabled, policy.restrictions, partial=True)
        same = more.get(object_id(policy))
        others = [
            Restricted(policy.is_enabled, item, ("applicationRestrictions",), partial=True, unread=why)
            for item, why in ((policy.restrictions, None), (same.restrictions, None) if same else (UNSET, unread))
        ]
        row.make("left_to_default", left_to_default, restricted, others[0])
        _put(row, policy, restricted, others)
        unit.row("app_management_policy", row.finish())
    calls.ended(listing.end)
    parent = calls.coverage()
    return [parent, beta_calls.coverage(), applied.coverage(parent)]


def _begin(connection: Connection, scope: Scope, operation: str, name: str) -> Row:
    url, version = source(connection.environment, operation)
    id_ = f"{scope.id}/appManagementPolicies/{name}"
    return Row(APP_MANAGEMENT_POLICY, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)


def _put(
    row: Row, policy: DefaultPolicy | CustomPolicy, restricted: Restricted, of_applications: Sequence[Restricted] | None
) -> None:
    """`of_applications`: what only applications can be asked, in v1.0 and in /beta; None for service principals."""
    row.fill(policy)
    put_limits(row, restricted)
    if of_applications is None:
        row.clear((*STABLE, *BETA))
    else:
        put_uris(row, of_applications[0])
        put_beta(row, of_applications[1])
    row.make("exclusions", exclusions, restricted, of_applications[0] if of_applications else None)


_Objects = Mapping[str, Assigned] | Refusal
"""The objects that a policy is assigned to, by id."""


async def _assigned(connection: Connection, calls: Calls, policy: str) -> _Objects:
    listing = connection.gateway.pages("app_management.applied", Assigned, by=object_id, id=policy)
    found = await distinct(listing, object_id)
    calls.ended(listing.end)
    reason = why_incomplete(listing.end)
    return Refusal(reason) if reason else found


def _in_two(assigned: Iterable[_Objects]) -> frozenset[str]:
    """The objects with two policies, although an object can have only one: one of the answers is about another policy.

    https://learn.microsoft.com/graph/api/appmanagementpolicy-post-appliesto
    """
    counted = Counter(id_ for found in assigned if not isinstance(found, Refusal) for id_ in found)
    return frozenset(id_ for id_, policies in counted.items() if policies > 1)


def _put_assigned(row: Row, found: _Objects, twice: frozenset[str]) -> None:
    if isinstance(found, Refusal) or not twice.isdisjoint(found):
        row.refuse(("assigned_to", "assigned_kinds"), found.reason if isinstance(found, Refusal) else Reason.INCONSISTENT)
        return
    row.put("assigned_to", sorted(found))
    row.make("assigned_kinds", lambda: sorted({_kind(decoded(each.type, str)) for each in found.values()}))
