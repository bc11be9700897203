"""Applications, with their owners, client secrets, certificates and federated credentials."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from msgspec import UNSET, field

from keyaudit.collect.entra.agent_types import is_blueprint
from keyaudit.collect.entra.directory import collect_objects
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.keys.credentials import PasswordItem, Rows, read_credentials, unread_rows
from keyaudit.collect.entra.keys.key_material import Keyed, Keys
from keyaudit.collect.entra.relations import Relations
from keyaudit.collect.entra.settings import put_exposes, put_identifiers, put_makers
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.operations import GLOBAL_CLOUD
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.application import APPLICATION


@wired(APPLICATION)
class ApplicationItem(Keyed, rename="camel"):
    """An application registration."""

    app_id: Wire = UNSET
    display_name: Wire = UNSET
    api: Wire = UNSET
    app_roles: Wire = UNSET
    password_credentials: Wire = UNSET
    verified_publisher: Wire = UNSET
    created_by_app_id: Wire = UNSET
    identifier_uris: Wire = UNSET
    type: Wire = field(default=UNSET, name="@odata.type")


async def collect_applications(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per application and per credential. Returns the coverage of `directory.operations("application")`."""
    return await collect_objects(
        reading.connection,
        unit,
        scope,
        kind="application",
        item=ApplicationItem,
        describe=application_holder,
        write=partial(_write, cloud=reading.connection.environment.name),
        credentials=application_credentials,
        seen=reading.seen,
        focus=reading.confines.focus,
        expect=reading.expect,
    )


def application_holder(item: ApplicationItem, tenant_id: str, url: str, version: str) -> Holder:
    """The application as a holder of credentials."""
    return Holder(
        kind="application",
        tenant_id=tenant_id,
        object_id=item.id,
        url=url,
        version=version,
        name=item.display_name,
        app_id=item.app_id,
        type="Application",
        home="own",
    )


def application_row(item: ApplicationItem, holder: Holder, cloud: str) -> Row:
    """The row of an application in `cloud`, without its owners."""
    row = holder.row(APPLICATION)
    row.fill(item)
    put_exposes(row, item.api, item.app_roles)
    put_makers(row, cloud, publisher=item.verified_publisher, created_by=item.created_by_app_id)
    if cloud != GLOBAL_CLOUD:
        # Azure's names of hosts are known for the global cloud alone.
        row.refuse(("azure_hosts",), Reason.NOT_IN_CLOUD)
    put_identifiers(row, item.identifier_uris, item.app_id, holder.tenant_id)
    row.put_read("agent_blueprint", is_blueprint(item.type))
    return row


def _write(unit: Unit, item: ApplicationItem, holder: Holder, relations: Relations, *, cloud: str) -> None:
    row = application_row(item, holder, cloud)
    relations.owners.put(row, item.id)
    relations.federated.put(row, item.id)
    unit.row("application", row.finish())


def application_credentials(item: ApplicationItem, holder: Holder, keys: Keys) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The rows of an application's client secrets and certificates, each with its table."""
    passwords, bad_passwords = read_credentials(item.password_credentials, PasswordItem)
    rows = Rows(holder)
    for key in keys.items:
        yield "credential", rows.key(key, keys.hidden)
    for password in passwords:
        yield "credential", rows.password(password)
    for unread in unread_rows(rows, keys=keys.bad, passwords=bad_passwords):
        yield "credential", unread
