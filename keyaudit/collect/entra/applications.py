"""Applications, with their owners, passwords, certificates and federated credentials."""

from collections.abc import Sequence
from functools import partial

from msgspec import UNSET

from keyaudit.collect.entra.credentials import PasswordItem, Rows, read_items, unread_rows
from keyaudit.collect.entra.directory import collect_objects
from keyaudit.collect.entra.holders import Holder, made_by_microsoft
from keyaudit.collect.entra.key_material import Keyed, Keys
from keyaudit.collect.entra.relations import Owners
from keyaudit.collect.entra.settings import flag, put_api, put_lock, put_makers
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.tables.application import APPLICATION


class ApplicationItem(Keyed):
    """An application registration."""

    appId: Wire = UNSET  # noqa: N815 - Graph's spelling, as in all wire structs
    displayName: Wire = UNSET  # noqa: N815
    createdDateTime: Wire = UNSET  # noqa: N815
    signInAudience: Wire = UNSET  # noqa: N815
    identifierUris: Wire = UNSET  # noqa: N815
    api: Wire = UNSET
    appRoles: Wire = UNSET  # noqa: N815
    passwordCredentials: Wire = UNSET  # noqa: N815
    isFallbackPublicClient: Wire = UNSET  # noqa: N815
    servicePrincipalLockConfiguration: Wire = UNSET  # noqa: N815
    disabledByMicrosoftStatus: Wire = UNSET  # noqa: N815
    verifiedPublisher: Wire = UNSET  # noqa: N815
    createdByAppId: Wire = UNSET  # noqa: N815


async def collect_applications(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per application and per credential of one; the coverage of `directory.operations("application")`."""
    return await collect_objects(
        reading.connection,
        unit,
        scope,
        kind="application",
        item=ApplicationItem,
        describe=application_holder,
        write=partial(_write, cloud=reading.connection.environment.name),
        seen=reading.seen,
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


def application_row(item: ApplicationItem, holder: Holder, cloud: str) -> Row:
    """The row of an application as `cloud` shows it, but for its owners."""
    row = holder.row(APPLICATION)
    row.put("name", item.displayName)
    row.put("app_id", item.appId)
    row.put("created_on", item.createdDateTime)
    row.put("audience", item.signInAudience)
    row.put("identifier_uris", item.identifierUris)
    put_api(row, item.api, item.appRoles)
    put_lock(row, item.servicePrincipalLockConfiguration)
    put_makers(
        row,
        cloud,
        publisher=item.verifiedPublisher,
        created_by=item.createdByAppId,
        disabled=item.disabledByMicrosoftStatus,
    )
    row.put_read("public_client", flag(item.isFallbackPublicClient))
    row.put_read("microsoft_made", holder.microsoft_made)
    return row


def _write(unit: Unit, item: ApplicationItem, holder: Holder, owners: Owners, keys: Keys, *, cloud: str) -> None:
    row = application_row(item, holder, cloud)
    owners.put(row, item.id)
    unit.row("application", row.finish())
    passwords, bad_passwords = read_items(item.passwordCredentials, PasswordItem)
    rows = Rows(holder)
    for key in keys.items:
        unit.row("credential", rows.key(key, keys.hidden))
    for password in passwords:
        unit.row("credential", rows.password(password))
    for unread in unread_rows(rows, keys=keys.bad, passwords=bad_passwords):
        unit.row("credential", unread)
