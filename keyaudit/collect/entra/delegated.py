"""Delegated permissions of applications, on behalf of everyone or of one user."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET, Struct

from keyaudit.collect.calls import Calls
from keyaudit.collect.copies import both, stored_once
from keyaudit.collect.grants import grant_row
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, decoded
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import Unreadable
from keyaudit.model.values.guid import GUID

OPERATIONS = ("delegated_grant.list",)

_EVERYONE = "everyone"


class GrantItem(Struct, rename="camel"):
    """One consent: permissions of one API for one client, separated by spaces."""

    id: str
    client_id: str
    resource_id: str
    scope: str
    consent_type: Wire = UNSET
    principal_id: Wire = UNSET

    def on_behalf_of(self) -> str:
        """Everyone, or a user's object id in lower case. Raises `Unreadable`."""
        kind = decoded(self.consent_type, str)
        if kind not in ("AllPrincipals", "Principal"):
            raise Unreadable(Reason.UNRECOGNISED)
        return _EVERYONE if kind == "AllPrincipals" else decoded(self.principal_id, str).lower()


class _Api(Struct):
    """A stored row of a service principal."""

    id: str
    name: str | None = None
    app_id: str | None = None
    unknown: dict[str, str] = msgspec.field(default_factory=dict)


async def collect_delegated(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a grant per permission of every consent. Returns the coverage of `OPERATIONS`."""
    connection = reading.connection
    [operation] = OPERATIONS
    decoder = msgspec.json.Decoder(_Api)
    rows = map(decoder.decode, reading.spool.lines("service_principal"))
    apis = stored_once(rows, lambda row: row.id)
    calls, place = Calls(scope, operation), source(connection.environment, operation)
    listing = connection.gateway.pages(operation, GrantItem, by=_formed)
    unseen = reading.missing("service_principal.list") or Reason.INCONSISTENT_PAGES
    tenant = f"/tenants/{connection.identity.tenant_id}/servicePrincipals"
    async for item in both(listing):
        api = f"{tenant}/{item.resource_id}".lower()
        for row in _rows(item, tenant, scope, place):
            row.put("scope", api)
            _put_api(row, apis.get(api), unseen)
            unit.row("grant", row.finish())
    calls.ended(listing.end)
    return [calls.coverage()]


def _rows(item: GrantItem, tenant: str, scope: Scope, place: tuple[str, str]) -> Iterator[Row]:
    for permission in dict.fromkeys(item.scope.split()):
        row = grant_row(
            "delegated",
            resource_id=f"{tenant}/{_consent(item)}/{permission}",
            scope_id=scope.id,
            url=place[0],
            version=place[1],
            principal_id=item.client_id,
        )
        row.put("name", permission)
        row.put("principal_type", "service-principal")
        row.put("scope_kind", "api")
        row.put("allows", [])
        row.make("on_behalf_of", item.on_behalf_of)
        yield row


def _put_api(row: Row, api: _Api | None, unseen: Reason) -> None:
    if api is None:
        row.refuse(("api", "api_id"), unseen)
        return
    name, app_id = api.unknown.get("name"), api.unknown.get("app_id")
    row.put_read("api", Refusal(Reason(name)) if name else api.name)
    row.put_read("api_id", Refusal(Reason(app_id)) if app_id else api.app_id and api.app_id.lower())


def _formed(item: GrantItem) -> str:
    """The consent's id; ValueError if one of its ids is malformed."""
    if not GUID.fullmatch(item.client_id) or not GUID.fullmatch(item.resource_id):
        raise ValueError("not an object id")
    return item.id


def _consent(item: GrantItem) -> str:
    """The key of a consent, because Graph's own ids can differ in case only."""
    try:
        whose = item.on_behalf_of()
    except Unreadable:
        whose = "-"
    return f"{item.client_id}/delegated/{item.resource_id}/{whose}".lower()
