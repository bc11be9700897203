"""The tenant: its domains, the permissions of its users, and the state of its audit log from an imported file."""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.copies import distinct
from keyaudit.collect.evidence import UnifiedAudit
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, answer_of, wired
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.tenant import TENANT

SETTINGS = ("authorization_policy.get", "security_defaults.get")
"""The permissions of all users, and security defaults."""
OPERATIONS = ("organization.get", "domain.list", *SETTINGS)

_DOMAINS = ("default_domain", "verified_domains", "federated_domains")
_IMPORTED = ("unified_audit_enabled", "mailbox_audit_default", "unified_audit_evidence")
_SIGN_IN = {"managed": False, "federated": True}


@wired(TENANT, operation="organization.get")
class Organization(Struct):
    """The tenant in Graph."""

    id: str


class DomainItem(Struct, rename="camel"):
    """A domain; its id is its name."""

    id: str
    authentication_type: Wire = UNSET
    is_default: Wire = UNSET
    is_verified: Wire = UNSET


async def collect_tenant(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write the tenant's row. Returns the coverage of `OPERATIONS`. Raises UnsafeError for a file of another organization."""
    connection = reading.connection
    tenant_id = connection.identity.tenant_id

    def own(item: Organization) -> str:
        if item.id.lower() != tenant_id.lower():
            raise ValueError("another tenant")
        return item.id.lower()

    # First, because everything else goes into its row.
    tenants = connection.gateway.pages("organization.get", Organization, by=own)
    found = [item async for item in tenants]
    organization = Calls(scope, "organization.get")
    organization.ended(tenants.end)
    domains, listed = await _domains(connection, scope)
    settings = {operation: Calls(scope, operation) for operation in SETTINGS}
    answers: dict[str, Struct | Refusal] = {}
    for operation, calls in settings.items():
        answers[operation] = await connection.gateway.get(operation, answer_of(TENANT.name, operation))
        calls.got(answers[operation])
    url, version = source(connection.environment, "organization.get")
    for item in found:
        row = Row(TENANT, id=scope.id, resource_id=f"/tenants/{tenant_id}", scope_id=scope.id, url=url, version=version)
        row.answer(organization.id, item)
        if isinstance(domains, Reason):
            row.refuse(_DOMAINS, domains)
        else:
            put_domains(row, domains)
        for operation, answer in answers.items():
            row.answer(operation, answer)
        put_unified_audit(row, reading.evidence.unified_audit, domains)
        unit.row("tenant", row.finish())
    return organization.coverage(), listed, *(calls.coverage() for calls in settings.values())


async def _domains(connection: Connection, scope: Scope) -> tuple[Sequence[DomainItem] | Reason, Coverage]:
    """The complete list of domains, or why it is incomplete; and its coverage."""
    calls = Calls(scope, "domain.list")
    listing = connection.gateway.pages("domain.list", DomainItem, by=_domain)
    found = list((await distinct(listing, _domain)).values())
    calls.ended(listing.end)
    # An unreadable domain may be a federated one, which would then not be read.
    for kind in map(_federated, found):
        if isinstance(kind, Refusal):
            calls.refused(Refusal(kind.reason, "domains whose authentication type is unknown", 200))
    return why_incomplete(listing.end) or found, calls.coverage()


def put_unified_audit(row: Row, given: UnifiedAudit | None, domains: Sequence[DomainItem] | Reason) -> None:
    """Fill the columns of the imported file. If it names an organization, that must be one of the tenant's domains."""
    if given is None:
        row.refuse(_IMPORTED, Reason.NOT_SUPPLIED)
    elif given.organizations and isinstance(domains, Reason):
        row.refuse(_IMPORTED, domains)
    else:
        if not isinstance(domains, Reason):
            given.belongs_to(frozenset(item.id.lower() for item in domains))
        row.put("unified_audit_evidence", given.digest)
        for column, value in (("unified_audit_enabled", given.ingestion), ("mailbox_audit_default", given.mailboxes)):
            row.put_read(column, Refusal(Reason.NOT_SUPPLIED) if value is None else value)


def put_domains(row: Row, domains: Sequence[DomainItem]) -> None:
    """Fill the columns of the tenant's domains from the complete list `domains`."""
    verified = [(item.id, read(item.is_verified, bool)) for item in domains]
    _put_named(row, "verified_domains", verified)
    _put_named(row, "federated_domains", [(item.id, _federated(item)) for item in domains])
    _put_named(row, "default_domain", [(item.id, read(item.is_default, bool)) for item in domains])


def _put_named(row: Row, column: str, domains: Sequence[tuple[str, bool | Refusal]]) -> None:
    for _, holds in domains:
        if isinstance(holds, Refusal):
            row.refuse((column,), holds.reason)
            return
    names = sorted(name for name, holds in domains if holds)
    row.put(column, names if column != "default_domain" else names[0] if names else None)


def _federated(item: DomainItem) -> bool | Refusal:
    kind = read(item.authentication_type, str)
    return kind if isinstance(kind, Refusal) else _SIGN_IN.get(kind.lower(), Refusal(Reason.UNRECOGNISED))


def _domain(item: DomainItem) -> str:
    # The id of a domain is its fully qualified name: https://learn.microsoft.com/graph/api/resources/domain
    if "." not in item.id:
        raise ValueError("not the name of a domain")
    return item.id.lower()
