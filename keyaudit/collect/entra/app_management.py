"""App management policies, default and custom: a row for each part that limits one kind of object.

A custom policy falls back to the default policy for each restriction that it does not define, so any member may be left out:
https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import UNSET, Struct, field

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.entra.app_restrictions import is_enabled, put_beta, put_nothing, put_uris, undefined_uris
from keyaudit.collect.entra.relations import Related, object_id
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, is_null, read, wired
from keyaudit.inventory.spool import Unit
from keyaudit.model.columns import Type
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.app_management_policy import APP_MANAGEMENT_POLICY

OPERATIONS = (
    "app_management.default",
    "app_management.default_beta",
    "app_management.list",
    "app_management.list_beta",
    "app_management.applied",
)


class _Limit(Struct, frozen=True):
    """A restriction's type, its list, and the column that it fills."""

    type: str
    column: str
    keys: bool = False


_LIMITS = (
    _Limit("passwordAddition", "password_blocked"),
    _Limit("passwordLifetime", "password_lifetime"),
    _Limit("customPasswordAddition", "custom_password_blocked"),
    _Limit("symmetricKeyAddition", "symmetric_key_blocked"),
    _Limit("symmetricKeyLifetime", "symmetric_key_lifetime"),
    _Limit("asymmetricKeyLifetime", "certificate_lifetime", keys=True),
    _Limit("trustedCertificateAuthority", "trusted_authorities_only", keys=True),
)


class Restriction(Struct, rename="camel"):
    """One restriction. https://learn.microsoft.com/graph/api/resources/passwordcredentialconfiguration"""

    restriction_type: str
    state: Wire = UNSET
    max_lifetime: Wire = UNSET
    restrict_for_apps_created_after_date_time: Wire = UNSET
    exclude_actors: Wire = UNSET


class Restrictions(Struct, rename="camel"):
    """The restrictions for one kind of object; a custom policy has those of applications alone in the last member."""

    password_credentials: Wire = UNSET
    key_credentials: Wire = UNSET
    application_restrictions: Wire = UNSET


class Attribute(Struct):
    """A custom security attribute that exempts objects."""

    id: str
    value: str | None = None


class Exempt(Struct, rename="camel"):
    """The exemptions of a restriction."""

    custom_security_attributes: list[Attribute] | None


class Assigned(Related):
    """An object that a custom policy is assigned to."""

    type: Wire = field(default=UNSET, name="@odata.type")


# Blueprints inherit from these: https://learn.microsoft.com/graph/api/resources/agentidentityblueprint and
# .../agentidentityblueprintprincipal
_KINDS = {
    "#microsoft.graph.application": "applications",
    "#microsoft.graph.agentidentityblueprint": "applications",
    "#microsoft.graph.serviceprincipal": "service-principals",
    "#microsoft.graph.agentidentityblueprintprincipal": "service-principals",
}


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
    if isinstance(policy, Refusal):
        return [calls.coverage(), beta_calls.coverage()]
    url, version = source(connection.environment, "app_management.default")
    for applies_to, restrictions in (
        ("applications", policy.application_restrictions),
        ("service-principals", policy.service_principal_restrictions),
    ):
        id_ = f"{scope.id}/appManagementPolicies/default/{applies_to}"
        row = Row(APP_MANAGEMENT_POLICY, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        row.put("kind", "default")
        row.put("applies_to", applies_to)
        row.clear(("assigned_to", "assigned_kinds"))
        row.put("left_to_default", [])
        _put(row, policy, restrictions)
        if applies_to == "applications":
            more = beta if isinstance(beta, Refusal) else beta.application_restrictions
            _put_applications(row, policy.is_enabled, restrictions, more)
        else:
            put_nothing(row)
        unit.row("app_management_policy", row.finish())
    return [calls.coverage(), beta_calls.coverage()]


async def _custom(connection: Connection, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    calls, beta_calls = Calls(scope, "app_management.list"), Calls(scope, "app_management.list_beta")
    beta = connection.gateway.pages("app_management.list_beta", CustomPolicy, by=object_id)
    more = await distinct(beta, object_id)
    beta_calls.ended(beta.end)
    unread = Refusal(why_incomplete(beta.end) or Reason.INCONSISTENT)
    applied = Calls(scope, "app_management.applied", per_object=True)
    url, version = source(connection.environment, "app_management.list")
    listing = connection.gateway.pages("app_management.list", CustomPolicy, by=object_id)
    policies = [policy async for policy in both(listing)]
    assigned = {id_: await _assigned(connection, applied, id_) for id_ in sorted({*map(object_id, policies)})}
    twice = _in_two(assigned.values())
    if twice:
        applied.refused(Refusal(Reason.INCONSISTENT, "an object has two policies", 200))
    for policy in policies:
        id_ = f"{scope.id}/appManagementPolicies/{policy.id}"
        row = Row(APP_MANAGEMENT_POLICY, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        row.put("kind", "custom")
        row.put("applies_to", "assigned")
        _put_assigned(row, assigned[object_id(policy)], twice)
        of_applications = _of_applications(policy.restrictions)
        row.put_read("left_to_default", _left_to_default(policy, of_applications))
        _put(row, policy, policy.restrictions, partial=True)
        same = more.get(object_id(policy))
        beyond = _of_applications(same.restrictions) if same else unread
        _put_applications(row, policy.is_enabled, of_applications, beyond, partial=True)
        unit.row("app_management_policy", row.finish())
    calls.ended(listing.end)
    parent = calls.coverage()
    return [parent, beta_calls.coverage(), applied.coverage(parent)]


def _of_applications(raw: Wire) -> Wire | Refusal:
    """The restrictions of applications alone in those of a custom policy."""
    if is_null(raw) or raw is UNSET:
        return UNSET
    found = read(raw, Restrictions)
    return found if isinstance(found, Refusal) else found.application_restrictions


def _left_to_default(policy: CustomPolicy, of_applications: Wire | Refusal) -> list[str] | Refusal:
    """The columns of the restrictions that a custom policy certainly does not define; none of a policy that is off."""
    enabled = read(policy.is_enabled, bool)
    if enabled is not True:
        return [] if enabled is False else enabled
    found = _by_type(policy.restrictions, partial=True)
    left = [] if isinstance(found, Refusal) else [limit.column for limit in _LIMITS if limit.type.lower() not in found]
    return sorted([*left, *([] if isinstance(of_applications, Refusal) else undefined_uris(of_applications))])


def _put_applications(
    row: Row, is_enabled: Wire, restrictions: Wire | Refusal, beta: Wire | Refusal, *, partial: bool = False
) -> None:
    """Fill the columns about applications alone, and add their exempt actors to the exclusions."""
    enabled = read(is_enabled, bool)
    stated = enabled if not isinstance(restrictions, Refusal) or enabled is False else restrictions
    exempt = put_uris(row, stated, UNSET if isinstance(restrictions, Refusal) else restrictions, partial=partial)
    put_beta(row, enabled, beta, partial=partial)
    known = row.values.get("exclusions")
    if isinstance(exempt, Refusal):
        row.refuse(("exclusions",), exempt.reason)
    elif isinstance(known, list):
        named = [_exempted(name, actors) for name, actors in exempt]
        refused = next((each for each in named if isinstance(each, Refusal)), None)
        also = [each for some in named if not isinstance(some, Refusal) for each in some]
        row.put_read("exclusions", refused or sorted([*known, *also]))


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
    kinds = [_kind(each.type) for each in found.values()]
    refused = next((each for each in kinds if isinstance(each, Refusal)), None)
    row.put("assigned_to", sorted(found))
    row.put_read("assigned_kinds", refused or sorted({each for each in kinds if not isinstance(each, Refusal)}))


def _kind(raw: Wire) -> str | Refusal:
    type_ = read(raw, str)
    return type_ if isinstance(type_, Refusal) else _KINDS.get(type_.lower(), Refusal(Reason.UNRECOGNISED))


def _put(row: Row, policy: DefaultPolicy | CustomPolicy, restrictions: Wire, *, partial: bool = False) -> None:
    row.fill(policy)
    enabled = read(policy.is_enabled, bool)
    # A disabled policy limits nothing, regardless of its content.
    found = _by_type(restrictions, partial=partial) if enabled is True else {} if enabled is False else enabled
    for limit in _LIMITS:
        _put_limit(row, limit.column, _of(found, limit))
    row.put_read("exclusions", _exclusions(found))


_Restrictions = dict[str, Restriction | Refusal]


def _by_type(raw: Wire, *, partial: bool) -> _Restrictions | Refusal:
    """The restrictions that are set, by type in lower case. Graph sends null if nothing was set.

    `partial`: a member that is left out sets nothing either.
    """
    if is_null(raw) or (partial and raw is UNSET):
        return {}
    restrictions = read(raw, Restrictions)
    if isinstance(restrictions, Refusal):
        return restrictions
    found: _Restrictions = {}
    for member, keys in ((restrictions.password_credentials, False), (restrictions.key_credentials, True)):
        if partial and (is_null(member) or member is UNSET):
            continue
        items = read(member, list[Restriction])
        if isinstance(items, Refusal):
            found |= {limit.type.lower(): items for limit in _LIMITS if limit.keys is keys}
            continue
        for item in items:
            type_ = item.restriction_type.lower()
            # Each type appears once; of two it is unknown which applies.
            found[type_] = Refusal(Reason.BAD_VALUE) if type_ in found else item
        known = [limit.type.lower() for limit in _LIMITS if limit.keys is keys]
        if any(item.restriction_type.lower() not in known for item in items):
            # It is unknown what this type limits.
            found = {**dict.fromkeys(known, Refusal(Reason.UNRECOGNISED)), **found}
    return found


def _of(found: _Restrictions | Refusal, limit: _Limit) -> Restriction | Refusal | None:
    """The enabled restriction; None if it is disabled or was never set."""
    restriction = found if isinstance(found, Refusal) else found.get(limit.type.lower())
    if not isinstance(restriction, Restriction):
        return restriction
    enabled = is_enabled(restriction.state)
    return enabled if isinstance(enabled, Refusal) else restriction if enabled else None


def _put_limit(row: Row, column: str, restriction: Restriction | Refusal | None) -> None:
    lifetime = APP_MANAGEMENT_POLICY.by_name[column].type is Type.DURATION
    if isinstance(restriction, Refusal):
        row.refuse((column, f"{column}_from"), restriction.reason)
    elif restriction is None:
        row.put(column, None if lifetime else False)
        row.put(f"{column}_from", None)
    else:
        if not lifetime:
            row.put(column, True)
        elif is_null(restriction.max_lifetime):
            # An enabled limit without a length is invalid.
            row.refuse((column,), Reason.BAD_VALUE)
        else:
            row.put(column, restriction.max_lifetime)
        row.put(f"{column}_from", restriction.restrict_for_apps_created_after_date_time)


def _exclusions(found: _Restrictions | Refusal) -> list[str] | Refusal:
    """The exemptions from the enabled restrictions; null means none."""
    if isinstance(found, Refusal):
        return found
    exempt: list[str] = []
    for limit in _LIMITS:
        restriction = _of(found, limit)
        if isinstance(restriction, Refusal):
            return restriction
        if restriction is None:
            continue
        exempted = _exempted(limit.type, restriction.exclude_actors)
        if isinstance(exempted, Refusal):
            return exempted
        exempt += exempted
    return sorted(exempt)


def _exempted(name: str, raw: Wire) -> list[str] | Refusal:
    """The exemptions from the restriction of that name."""
    if is_null(raw):
        return []
    actors = read(raw, Exempt)
    if isinstance(actors, Refusal):
        return actors
    return [f"{name}: {attribute.id} = {attribute.value or ''}" for attribute in actors.custom_security_attributes or ()]
