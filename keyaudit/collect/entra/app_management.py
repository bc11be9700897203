"""App management policies, default and custom: a row for each part that limits one kind of object."""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.entra.relations import Related, object_id
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.columns import Type
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.app_management_policy import APP_MANAGEMENT_POLICY

OPERATIONS = ("app_management.default", "app_management.list", "app_management.applied")

_ENABLED, _DISABLED = "enabled", "disabled"


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
    """The restrictions for one kind of object."""

    password_credentials: Wire = UNSET
    key_credentials: Wire = UNSET


class Attribute(Struct):
    """A custom security attribute that exempts objects."""

    id: str
    value: str | None = None


class Exempt(Struct, rename="camel"):
    """The exemptions of a restriction."""

    custom_security_attributes: list[Attribute] | None


class DefaultPolicy(Related, rename="camel"):
    """The default policy."""

    display_name: Wire = UNSET
    is_enabled: Wire = UNSET
    application_restrictions: Wire = UNSET
    service_principal_restrictions: Wire = UNSET


class CustomPolicy(Related, rename="camel"):
    """A custom policy."""

    display_name: Wire = UNSET
    is_enabled: Wire = UNSET
    restrictions: Wire = UNSET


async def collect_app_management(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write the rows of every policy. Returns the coverage of `OPERATIONS`."""
    return [await _default(reading.connection, unit, scope), *await _custom(reading.connection, unit, scope)]


async def _default(connection: Connection, unit: Unit, scope: Scope) -> Coverage:
    calls = Calls(scope, "app_management.default")
    policy = await connection.gateway.get("app_management.default", DefaultPolicy)
    if isinstance(policy, Refusal):
        calls.refused(policy)
        return calls.coverage()
    calls.answered()
    url, version = source(connection.environment, "app_management.default")
    for applies_to, restrictions in (
        ("applications", policy.application_restrictions),
        ("service-principals", policy.service_principal_restrictions),
    ):
        id_ = f"{scope.id}/appManagementPolicies/default/{applies_to}"
        row = Row(APP_MANAGEMENT_POLICY, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        row.put("kind", "default")
        row.put("applies_to", applies_to)
        row.put("assigned_to", None)
        _put(row, policy.display_name, policy.is_enabled, restrictions)
        unit.row("app_management_policy", row.finish())
    return calls.coverage()


async def _custom(connection: Connection, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    calls = Calls(scope, "app_management.list")
    applied = Calls(scope, "app_management.applied", per_object=True)
    url, version = source(connection.environment, "app_management.list")
    listing = connection.gateway.pages("app_management.list", CustomPolicy, by=object_id)
    async for policy in both(listing):
        id_ = f"{scope.id}/appManagementPolicies/{policy.id}"
        row = Row(APP_MANAGEMENT_POLICY, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        row.put("kind", "custom")
        row.put("applies_to", "assigned")
        row.put_read("assigned_to", await _assigned(connection, applied, policy.id))
        # A custom policy restricts something, so null is invalid here; in the default policy it means that nothing was ever
        # set.
        restrictions = UNSET if is_null(policy.restrictions) else policy.restrictions
        _put(row, policy.display_name, policy.is_enabled, restrictions)
        unit.row("app_management_policy", row.finish())
    calls.ended(listing.end)
    parent = calls.coverage()
    return [parent, applied.coverage(parent)]


async def _assigned(connection: Connection, calls: Calls, policy: str) -> list[str] | Refusal:
    """The object ids that a policy is assigned to."""
    listing = connection.gateway.pages("app_management.applied", Related, by=object_id, id=policy)
    found = sorted(await distinct(listing, object_id))
    calls.ended(listing.end)
    reason = why_incomplete(listing.end)
    return Refusal(reason) if reason else found


def _put(row: Row, name: Wire, is_enabled: Wire, restrictions: Wire) -> None:
    row.put("name", name)
    enabled = read(is_enabled, bool)
    row.put_read("enabled", enabled)
    # A disabled policy limits nothing, regardless of its content.
    found = _by_type(restrictions) if enabled is True else {} if enabled is False else enabled
    for limit in _LIMITS:
        _put_limit(row, limit.column, _of(found, limit))
    row.put_read("exclusions", _exclusions(found))


_Restrictions = dict[str, Restriction | Refusal]


def _by_type(raw: Wire) -> _Restrictions | Refusal:
    """The restrictions that are set, by type in lower case. Graph sends null if nothing was set."""
    if is_null(raw):
        return {}
    restrictions = read(raw, Restrictions)
    if isinstance(restrictions, Refusal):
        return restrictions
    found: _Restrictions = {}
    for member, keys in ((restrictions.password_credentials, False), (restrictions.key_credentials, True)):
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
    state = read(restriction.state, str)
    if isinstance(state, Refusal):
        return state
    if state.lower() == _DISABLED:
        return None
    return restriction if state.lower() == _ENABLED else Refusal(Reason.UNRECOGNISED)


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
        if restriction is None or is_null(restriction.exclude_actors):
            continue
        actors = read(restriction.exclude_actors, Exempt)
        if isinstance(actors, Refusal):
            return actors
        attributes = actors.custom_security_attributes or ()
        exempt += [f"{limit.type}: {attribute.id} = {attribute.value or ''}" for attribute in attributes]
    return sorted(exempt)
