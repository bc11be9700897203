"""Service principals, with their owners, credentials and SAML token-signing certificates."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from msgspec import UNSET, field, structs

from keyaudit.collect.entra.agent_types import IS_AGENT, UnknownTypes, agent_type
from keyaudit.collect.entra.agent_types import OPERATION as AGENT_TYPE
from keyaudit.collect.entra.app_roles import OPERATIONS as APP_ROLES
from keyaudit.collect.entra.app_roles import AppRoles
from keyaudit.collect.entra.directory import collect_objects, operations
from keyaudit.collect.entra.holders import Holder, home_of
from keyaudit.collect.entra.keys.credentials import PasswordItem, Rows, read_credentials, unread_rows
from keyaudit.collect.entra.keys.key_material import Keyed, Keys
from keyaudit.collect.entra.keys.saml import split
from keyaudit.collect.entra.keys.signers import Signer
from keyaudit.collect.entra.relations import Relations
from keyaudit.collect.entra.settings import put_makers
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.tables.entra.service_principal import SERVICE_PRINCIPAL


@wired(SERVICE_PRINCIPAL)
class PrincipalItem(Keyed, rename="camel"):
    """A service principal."""

    app_id: Wire = UNSET
    display_name: Wire = UNSET
    account_enabled: Wire = UNSET
    service_principal_type: Wire = UNSET
    app_owner_organization_id: Wire = UNSET
    preferred_single_sign_on_mode: Wire = UNSET
    preferred_token_signing_key_thumbprint: Wire = UNSET
    password_credentials: Wire = UNSET
    service_principal_names: Wire = UNSET
    verified_publisher: Wire = UNSET
    created_by_app_id: Wire = UNSET
    app_roles: Wire = UNSET
    type: Wire = field(default=UNSET, name="@odata.type")


OPERATIONS = (*operations("service_principal"), *APP_ROLES, AGENT_TYPE)


async def collect_service_principals(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per service principal, credential, signing certificate and app role.

    Gives the coverage of `OPERATIONS`.
    """
    connection = reading.connection
    roles, types = AppRoles(connection.gateway, unit, scope), UnknownTypes(connection.gateway, scope)

    async def completed(item: PrincipalItem) -> PrincipalItem:
        return structs.replace(item, type=IS_AGENT) if await types.is_agent(item.id) else item

    coverage = await collect_objects(
        connection,
        unit,
        scope,
        kind="service_principal",
        item=PrincipalItem,
        describe=principal_holder,
        write=partial(_write, cloud=connection.environment.name, roles=roles),
        credentials=principal_credentials,
        seen=reading.seen,
        focus=reading.confines.focus,
        expect=reading.expect,
        before=(roles.collect,),
        completed=completed,
        lacking=lambda item: isinstance(agent_type(item.type, item.service_principal_type), Refusal),
    )
    parent = coverage[0].reason
    url, version = source(connection.environment, APP_ROLES[0])
    granted = roles.write(connection.identity.tenant_id, url, version, Refusal(parent) if parent else None)
    return [*coverage, *granted, types.coverage(coverage[0])]


def principal_holder(item: PrincipalItem, tenant_id: str, url: str, version: str) -> Holder:
    """The service principal as a holder of credentials."""
    home = home_of(item.app_owner_organization_id, item.service_principal_type, tenant_id)
    return Holder(
        kind="service_principal",
        tenant_id=tenant_id,
        object_id=item.id,
        url=url,
        version=version,
        name=item.display_name,
        app_id=item.app_id,
        type=item.service_principal_type,
        home=home,
        names=_names(item.service_principal_names),
    )


def _names(raw: Wire) -> Sequence[str] | Refusal:
    return read(raw, list[str])


def principal_row(item: PrincipalItem, holder: Holder, cloud: str) -> Row:
    """The row of a service principal in `cloud`, without its owners and permissions."""
    row = holder.row(SERVICE_PRINCIPAL)
    row.fill(item)
    home_tenant = read(item.app_owner_organization_id, str)
    lowered = item.app_owner_organization_id if isinstance(home_tenant, Refusal) else home_tenant.lower()
    row.put("home_tenant", lowered)
    row.put_read("home", holder.home)
    row.put_read("agent_type", agent_type(item.type, item.service_principal_type))
    put_makers(row, cloud, publisher=item.verified_publisher, created_by=item.created_by_app_id)
    return row


def _write(unit: Unit, item: PrincipalItem, holder: Holder, relations: Relations, *, cloud: str, roles: AppRoles) -> None:
    row = principal_row(item, holder, cloud)
    relations.owners.put(row, item.id)
    roles.put(row, item.id)
    roles.show(item.id, app_id=item.app_id, name=item.display_name, roles=item.app_roles)
    unit.row("service_principal", row.finish())


def principal_credentials(item: PrincipalItem, holder: Holder, keys: Keys) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The rows of a service principal's client secrets and certificates, each with its table."""
    passwords, bad_passwords = read_credentials(item.password_credentials, PasswordItem)
    preferred, sso_mode = item.preferred_token_signing_key_thumbprint, item.preferred_single_sign_on_mode
    parts = split(keys.items, passwords, unread=bool(keys.bad))
    for signing in Signer(holder, parts.signing, keys, item.account_enabled, sso_mode, preferred).rows():
        yield "signing_certificate", signing
    rows = Rows(holder)
    for key in parts.keys:
        yield "credential", rows.key(key, keys.hidden)
    for password in parts.passwords:
        yield "credential", rows.password(password)
    for untold in parts.untold:
        yield "credential", rows.untold(untold)
    for unread in unread_rows(rows, keys=keys.bad, passwords=bad_passwords):
        yield "credential", unread
