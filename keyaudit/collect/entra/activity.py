"""Last uses of applications' credentials, from Entra's report (beta)."""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import both
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, Wire, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.guid import GUID
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.activity import CREDENTIAL_ACTIVITY
from keyaudit.model.times import parse_time

CREDENTIALS = ("credential_activity.list",)

# The documentation lists one name, its samples use the other.
# https://learn.microsoft.com/graph/api/resources/appcredentialsigninactivity
_KINDS = {"certificate": "certificate", "clientsecret": "password", "secret": "password"}
_ORIGINS = {"application": "application", "serviceprincipal": "service_principal"}


class Activity(Struct, rename="camel"):
    """One use."""

    last_sign_in_date_time: Wire = UNSET


class CredentialItem(Struct, rename="camel"):
    """The report's entry for one credential and resource."""

    key_id: str
    app_id: str
    key_type: Wire = UNSET
    credential_origin: Wire = UNSET
    resource_id: Wire = UNSET
    sign_in_activity: Wire = UNSET
    expiration_date_time: Wire = UNSET
    expiration_date: Wire = UNSET


async def collect_credential_uses(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per credential and resource in the report. Returns the coverage of `CREDENTIALS`."""
    connection = reading.connection
    [operation] = CREDENTIALS
    calls, count = Calls(scope, operation), 0
    place = source(connection.environment, operation)
    listing = connection.gateway.pages(operation, CredentialItem, by=_use)
    async for item in both(listing):
        unit.row("credential_activity", credential_row(item, connection.identity.tenant_id, scope, place))
        count += 1
        reading.seen(count)
    calls.ended(listing.end)
    return [calls.coverage()]


def credential_row(item: CredentialItem, tenant_id: str, scope: Scope, place: tuple[str, str]) -> dict[str, object]:
    """The row of a credential's last use for one resource."""
    id_ = f"/tenants/{tenant_id}/credentialActivities/{_use(item)}"
    row = Row(CREDENTIAL_ACTIVITY, id=id_, resource_id=id_, scope_id=scope.id, url=place[0], version=place[1])
    row.put_all(name=None, key_id=item.key_id.lower(), app_id=item.app_id.lower(), kind=_known(item.key_type, _KINDS))
    row.put_read("holder_kind", _known(item.credential_origin, _ORIGINS))
    row.fill(item)
    # A credential is in the report because it was used, so a null date is invalid.
    used = Refusal(Reason.BAD_VALUE) if is_null(item.sign_in_activity) else _moment(item.sign_in_activity)
    row.put_read("last_used_on", used)
    # One name is in the documentation, the other in its samples.
    row.put(
        "expires_on", item.expiration_date if isinstance(item.expiration_date_time, UnsetType) else item.expiration_date_time
    )
    return row.finish()


def _use(item: CredentialItem) -> str:
    """The key of a use: the report's own ids can differ in case only."""
    parts = [read(raw, str) for raw in (item.credential_origin, item.resource_id)]
    shown = ["-" if isinstance(part, Refusal) else part for part in parts]
    return "/".join((_id(item.app_id), _id(item.key_id), *shown)).lower()


def _id(text: str) -> str:
    if not GUID.fullmatch(text):
        raise ValueError("not an id")
    return text.lower()


def _known(raw: Wire, names: dict[str, str]) -> str | Refusal:
    found = Refusal(Reason.BAD_VALUE) if is_null(raw) else read(raw, str)
    return found if isinstance(found, Refusal) else names.get(found.lower(), Refusal(Reason.UNRECOGNISED))


def _moment(raw: Wire) -> int | Refusal | None:
    """The time of the use; None if the report has none."""
    if is_null(raw):
        return None
    activity = read(raw, Activity)
    if isinstance(activity, Refusal):
        return activity
    if is_null(activity.last_sign_in_date_time):
        return None
    text = read(activity.last_sign_in_date_time, str)
    try:
        return text if isinstance(text, Refusal) else parse_time(text)
    except ValueError:
        return Refusal(Reason.BAD_VALUE)
