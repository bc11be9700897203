"""Service principals, with their owners, credentials and SAML token-signing certificates."""

from collections.abc import Sequence
from functools import partial

from msgspec import UNSET

from keyaudit.collect.entra.app_roles import OPERATIONS as APP_ROLES
from keyaudit.collect.entra.app_roles import AppRoles
from keyaudit.collect.entra.credentials import PasswordItem, Rows, read_items, unread_rows
from keyaudit.collect.entra.directory import collect_objects, operations
from keyaudit.collect.entra.holders import Holder, home_of, made_by_microsoft
from keyaudit.collect.entra.key_material import Keyed, Keys
from keyaudit.collect.entra.relations import Owners
from keyaudit.collect.entra.saml import split
from keyaudit.collect.entra.settings import put_arm_id, put_makers
from keyaudit.collect.entra.signers import Signer
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.tables.service_principal import SERVICE_PRINCIPAL


class PrincipalItem(Keyed):
    """A service principal."""

    appId: Wire = UNSET  # noqa: N815 - Graph's spelling, as in all wire structs
    displayName: Wire = UNSET  # noqa: N815
    createdDateTime: Wire = UNSET  # noqa: N815
    accountEnabled: Wire = UNSET  # noqa: N815
    servicePrincipalType: Wire = UNSET  # noqa: N815
    appOwnerOrganizationId: Wire = UNSET  # noqa: N815
    preferredSingleSignOnMode: Wire = UNSET  # noqa: N815
    preferredTokenSigningKeyThumbprint: Wire = UNSET  # noqa: N815
    passwordCredentials: Wire = UNSET  # noqa: N815
    appRoleAssignmentRequired: Wire = UNSET  # noqa: N815
    tags: Wire = UNSET
    alternativeNames: Wire = UNSET  # noqa: N815
    disabledByMicrosoftStatus: Wire = UNSET  # noqa: N815
    verifiedPublisher: Wire = UNSET  # noqa: N815
    createdByAppId: Wire = UNSET  # noqa: N815
    appRoles: Wire = UNSET  # noqa: N815


OPERATIONS = (*operations("service_principal"), *APP_ROLES)


async def collect_service_principals(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per service principal, and per credential, signing certificate and app role of one.

    Gives the coverage of `OPERATIONS`.
    """
    connection = reading.connection
    roles = AppRoles(connection.gateway, unit, scope)
    coverage = await collect_objects(
        connection,
        unit,
        scope,
        kind="service_principal",
        item=PrincipalItem,
        describe=principal_holder,
        write=partial(_write, cloud=connection.environment.name, roles=roles),
        seen=reading.seen,
        before=(roles.collect,),
    )
    parent = coverage[0].reason
    url, version = source(connection.environment, APP_ROLES[0])
    granted = roles.write(connection.identity.tenant_id, url, version, Refusal(parent) if parent else None)
    return [*coverage, *granted]


def principal_holder(item: PrincipalItem, tenant_id: str, url: str, version: str) -> Holder:
    """The service principal as its credentials' rows describe it."""
    home = home_of(item.appOwnerOrganizationId, item.servicePrincipalType, tenant_id)
    return Holder(
        kind="service_principal",
        tenant_id=tenant_id,
        object_id=item.id,
        url=url,
        version=version,
        name=item.displayName,
        app_id=item.appId,
        type=item.servicePrincipalType,
        home=home,
        microsoft_made=made_by_microsoft(item.displayName, home),
    )


def principal_row(item: PrincipalItem, holder: Holder, cloud: str) -> Row:
    """The row of a service principal as `cloud` shows it, but for its owners and what it was granted."""
    row = holder.row(SERVICE_PRINCIPAL)
    row.put("name", item.displayName)
    row.put("app_id", item.appId)
    row.put("created_on", item.createdDateTime)
    row.put("enabled", item.accountEnabled)
    row.put("principal_type", item.servicePrincipalType)
    home_tenant = read(item.appOwnerOrganizationId, str)
    lowered = item.appOwnerOrganizationId if isinstance(home_tenant, Refusal) else home_tenant.lower()
    row.put("home_tenant", lowered)
    row.put_read("home", holder.home)
    row.put("sso_mode", item.preferredSingleSignOnMode)
    row.put("assignment_required", item.appRoleAssignmentRequired)
    row.put("app_tags", item.tags)
    put_arm_id(row, item.alternativeNames)
    put_makers(
        row,
        cloud,
        publisher=item.verifiedPublisher,
        created_by=item.createdByAppId,
        disabled=item.disabledByMicrosoftStatus,
    )
    return row


def _write(unit: Unit, item: PrincipalItem, holder: Holder, owners: Owners, keys: Keys, *, cloud: str, roles: AppRoles) -> None:
    row = principal_row(item, holder, cloud)
    owners.put(row, item.id)
    roles.put(row, item.id)
    roles.show(item.id, app_id=item.appId, name=item.displayName, roles=item.appRoles)
    unit.row("service_principal", row.finish())
    passwords, bad_passwords = read_items(item.passwordCredentials, PasswordItem)
    preferred, sso_mode = item.preferredTokenSigningKeyThumbprint, item.preferredSingleSignOnMode
    parts = split(keys.items, passwords)
    for signing in Signer(holder, parts.signing, keys, item.accountEnabled, sso_mode, preferred).rows():
        unit.row("signing_certificate", signing)
    rows = Rows(holder)
    for key in parts.keys:
        unit.row("credential", rows.key(key, keys.hidden))
    for password in parts.passwords:
        unit.row("credential", rows.password(password))
    for unread in unread_rows(rows, keys=keys.bad, passwords=bad_passwords):
        unit.row("credential", unread)
