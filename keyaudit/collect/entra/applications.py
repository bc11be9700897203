"""Applications, with their owners, passwords, certificates and federated credentials."""

from collections.abc import Callable, Sequence

from msgspec import UNSET, Raw, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.entra.credentials import KeyItem, PasswordItem, Rows, read_items
from keyaudit.collect.entra.directory import collect_objects
from keyaudit.collect.entra.holders import Holder, made_by_microsoft
from keyaudit.collect.entra.relations import Owners, Related
from keyaudit.collect.rows import Row, Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.tables.application import APPLICATION


class ApplicationItem(Related):
    """An application registration."""

    appId: Wire = UNSET  # noqa: N815 - Graph's spelling, as in all wire structs
    displayName: Wire = UNSET  # noqa: N815
    createdDateTime: Wire = UNSET  # noqa: N815
    signInAudience: Wire = UNSET  # noqa: N815
    identifierUris: Wire = UNSET  # noqa: N815
    api: Wire = UNSET
    appRoles: Wire = UNSET  # noqa: N815
    keyCredentials: Wire = UNSET  # noqa: N815
    passwordCredentials: Wire = UNSET  # noqa: N815


class Api(Struct):
    """What is read of an application's API settings."""

    oauth2PermissionScopes: Wire = UNSET  # noqa: N815


async def collect_applications(
    connection: Connection, unit: Unit, scope: Scope, seen: Callable[[int], None]
) -> Sequence[Coverage]:
    """Write a row per application and per credential of one; the coverage of `directory.operations("application")`."""
    return await collect_objects(
        connection,
        unit,
        scope,
        kind="application",
        item=ApplicationItem,
        describe=application_holder,
        write=_write,
        seen=seen,
    )


def application_holder(item: ApplicationItem, tenant_id: str, url: str, version: str) -> Holder:
    """The application as its credentials' rows describe it."""
    return Holder(
        kind="application",
        tenant_id=tenant_id,
        object_id=item.id,
        url=url,
        version=version,
        name=item.displayName,
        app_id=item.appId,
        type="Application",
        home="own",
        microsoft_made=made_by_microsoft(item.displayName, "own"),
    )


def application_row(item: ApplicationItem, holder: Holder) -> Row:
    """The row of an application, but for its owners."""
    row = holder.row(APPLICATION)
    row.put("name", item.displayName)
    row.put("app_id", item.appId)
    row.put("created_on", item.createdDateTime)
    row.put("audience", item.signInAudience)
    row.put("identifier_uris", item.identifierUris)
    row.put_read("exposes_api", _exposes_api(item))
    row.put_read("microsoft_made", holder.microsoft_made)
    return row


def _write(unit: Unit, item: ApplicationItem, holder: Holder, owners: Owners) -> int:
    row = application_row(item, holder)
    owners.put(row, item.id)
    unit.row("application", row.finish())
    keys, bad_keys = read_items(item.keyCredentials, KeyItem)
    passwords, bad_passwords = read_items(item.passwordCredentials, PasswordItem)
    rows = Rows(holder)
    for key in keys:
        unit.row("credential", rows.key(key))
    for password in passwords:
        unit.row("credential", rows.password(password))
    return bad_keys + bad_passwords


def _exposes_api(item: ApplicationItem) -> bool | Refusal:
    """True on either proof; false only if both lists are there and empty."""
    api = read(item.api, Api)
    scopes = api if isinstance(api, Refusal) else read(api.oauth2PermissionScopes, list[Raw])
    roles = read(item.appRoles, list[Raw])
    for found in (scopes, roles):
        if not isinstance(found, Refusal) and found:
            return True
    return scopes if isinstance(scopes, Refusal) else roles if isinstance(roles, Refusal) else False
