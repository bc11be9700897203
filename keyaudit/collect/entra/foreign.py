"""What the tenant accepts from other tenants: its cross-tenant access settings.

https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicy-overview
"""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import both
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.guid import GUID
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.foreign_tenant import FOREIGN_TENANT

OPERATIONS = ("cross_tenant.default", "cross_tenant.partners")


class Default(Struct, rename="camel"):
    """The settings for every other tenant."""

    inbound_trust: Wire = UNSET


class Partner(Struct, rename="camel"):
    """The settings for one tenant. Null is what was never set for it: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner"""

    tenant_id: str
    inbound_trust: Wire = UNSET
    identity_synchronization: Wire = UNSET
    is_in_multi_tenant_organization: Wire = UNSET
    is_service_provider: Wire = UNSET


class Trust(Struct, rename="camel"):
    """What counts of a sign-in at the other tenant."""

    is_mfa_accepted: Wire = UNSET


class Synchronization(Struct, rename="camel"):
    """What the partner may synchronize."""

    user_sync_inbound: Wire = UNSET


class Inbound(Struct, rename="camel"):
    """Whether it may synchronize users into this tenant."""

    is_sync_allowed: Wire = UNSET


async def collect_foreign(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row for the default, and one per partner. Returns the coverage of `OPERATIONS`."""
    gateway, environment = reading.connection.gateway, reading.connection.environment
    default, partners = (Calls(scope, operation) for operation in OPERATIONS)
    found = await gateway.get(default.id, Default)
    if isinstance(found, Refusal):
        default.refused(found)
    else:
        default.answered()
        url, version = source(environment, default.id)
        id_ = f"{scope.id}/crossTenantAccess/default"
        row = Row(FOREIGN_TENANT, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        # What only a partner can be given.
        row.put_all(tenant=None, creates_users=False, multi_tenant_organization=False, service_provider=False, admin_roles=[])
        row.put_all(name="every other tenant", kind="default")
        trust = read(found.inbound_trust, Trust)
        row.put_read("mfa_trusted", trust if isinstance(trust, Refusal) else read(trust.is_mfa_accepted, bool))
        unit.row(FOREIGN_TENANT.name, row.finish())
    url, version = source(environment, partners.id)
    listing = gateway.pages(partners.id, Partner, by=_tenant)
    async for item in both(listing):
        id_ = f"{scope.id}/crossTenantAccess/{item.tenant_id}"
        row = Row(FOREIGN_TENANT, id=id_, resource_id=id_, scope_id=scope.id, url=url, version=version)
        row.put_all(name=item.tenant_id, kind="partner", tenant=item.tenant_id.lower())
        row.put_read("mfa_trusted", _trusts(item.inbound_trust))
        row.put_read("creates_users", _creates(item.identity_synchronization))
        row.put_read("multi_tenant_organization", _is(item.is_in_multi_tenant_organization))
        provider = _is(item.is_service_provider)
        row.put_read("service_provider", provider)
        row.put_read("admin_roles", _roles(provider))
        unit.row(FOREIGN_TENANT.name, row.finish())
    partners.ended(listing.end)
    return [default.coverage(), partners.coverage()]


def _trusts(raw: Wire) -> bool | Refusal | None:
    """None: nothing was set, so the default decides."""
    if is_null(raw):
        return None
    trust = read(raw, Trust)
    if isinstance(trust, Refusal) or is_null(trust.is_mfa_accepted):
        return trust if isinstance(trust, Refusal) else None
    return read(trust.is_mfa_accepted, bool)


def _creates(raw: Wire) -> bool | Refusal:
    """Null is a partner for which synchronization was never set up: it has no such object.

    https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner
    """
    if is_null(raw):
        return False
    found = read(raw, Synchronization)
    inbound = found if isinstance(found, Refusal) else read(found.user_sync_inbound, Inbound)
    return inbound if isinstance(inbound, Refusal) else read(inbound.is_sync_allowed, bool)


def _is(raw: Wire) -> bool | Refusal:
    """Null as in an answer about a partner that is none of it: https://learn.microsoft.com/graph/api/policydeletableitem-get"""
    return False if is_null(raw) else read(raw, bool)


def _roles(provider: bool | Refusal) -> list[str] | Refusal:
    """The relationships with their roles are read in the provider's tenant:
    https://learn.microsoft.com/graph/api/tenantrelationship-list-delegatedadminrelationships
    """
    return Refusal(Reason.PUBLISHER_ONLY) if provider is True else [] if provider is False else provider


def _tenant(item: Partner) -> str:
    if not GUID.fullmatch(item.tenant_id):
        raise ValueError("not the id of a tenant")
    return item.tenant_id.lower()
