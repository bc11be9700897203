"""Cloud HSMs, Dedicated HSMs and Payment HSMs, whose keys no API of Azure shows.

https://learn.microsoft.com/azure/cloud-hsm/overview
"""

import re
from collections.abc import Sequence

from msgspec import UNSET, Struct

from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both
from keyaudit.collect.logs.sinks import DiagnosticSetting, exports, of_resource
from keyaudit.collect.places import source
from keyaudit.collect.queries import Query
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.services.resource_queries import Identified, queried
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.hsm_device import HSM_DEVICE

OPERATIONS = ("hsm_device.query", "hsm_device.diagnostic_setting.list")

_CLOUD = "microsoft.hardwaresecuritymodules/cloudhsmclusters"
_DEDICATED = "microsoft.hardwaresecuritymodules/dedicatedhsms"
QUERY = Query(
    operation=OPERATIONS[0],
    types=(_CLOUD, _DEDICATED),
    own=("id", "name", "type", "location", "sku", "properties"),
)
_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/(Microsoft\.HardwareSecurityModules/\w+)/([^/]+)",
    re.ASCII | re.IGNORECASE,
)
_AT_ONCE = 16
# Of Azure's Dedicated HSMs, payShield is the model for payments.
# https://learn.microsoft.com/azure/templates/microsoft.hardwaresecuritymodules/dedicatedhsms
_PAYMENT = "payshield"
_AUDIT = "hsmserviceoperations"
"""https://learn.microsoft.com/azure/cloud-hsm/tutorial-operation-event-logging"""


@wired(HSM_DEVICE)
class Item(Identified):
    """One HSM of the query."""

    type: str
    sku: Wire = UNSET
    properties: Wire = UNSET


class Sku(Struct):
    """Its model."""

    name: Wire = UNSET


@wired(HSM_DEVICE, "properties")
class DeviceProperties(Struct):
    """The properties of a Cloud HSM."""


async def collect_devices(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row per HSM. Returns the coverage of `OPERATIONS`."""
    if not reading.found.subscriptions:
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    calls = Calls(scope, OPERATIONS[0])
    settings = Calls(scope, OPERATIONS[1], per_object=True)
    found = [each async for each in queried(reading, calls, QUERY, Item, _matched)]
    url, version = source(reading.connection.environment, OPERATIONS[0])

    async def one(each: tuple[Item, re.Match[str]]) -> None:
        item, match = each
        row = Row(HSM_DEVICE, id=item.id, resource_id=item.id, scope_id=scope.id, url=url, version=version)
        row.put_all(subscription_id=match[1].lower(), resource_group=match[2])
        row.fill(item)
        sku = read(item.sku, Sku)
        model = sku if isinstance(sku, Refusal) else read(sku.name, str)
        row.put_read("sku", model)
        if item.type.lower() == _CLOUD:
            row.put("kind", "cloud-hsm")
            properties = read(item.properties, DeviceProperties)
            row.fill(DeviceProperties() if isinstance(properties, Refusal) else properties, "properties")
            row.put_read("audit_exported", await _exported(reading, settings, match))
        else:
            payment = model if isinstance(model, Refusal) else model.lower().startswith(_PAYMENT)
            row.put_read("kind", payment if isinstance(payment, Refusal) else "payment-hsm" if payment else "dedicated-hsm")
            row.fill(None, "properties")
            row.put("audit_exported", None)
        unit.row(HSM_DEVICE.name, row.finish())

    await for_each(found, one, limit=_AT_ONCE)
    parent = reading.confines.part(calls.coverage(), "resource_groups")
    return [parent, settings.coverage(parent)]


async def _exported(reading: Reading, calls: Calls, match: re.Match[str]) -> bool | Refusal:
    """Whether a setting sends its audit log somewhere."""
    segments = {"subscription": match[1].lower(), "resource_group": match[2], "cluster": match[4]}

    def by(item: DiagnosticSetting) -> str:
        return of_resource(item, match[0].lower())

    listing = reading.connection.gateway.pages(calls.id, DiagnosticSetting, by=by, host="", body=None, **segments)
    told = [exports(item.properties, _AUDIT) async for item in both(listing)]
    calls.ended(listing.end)
    if any(each is True for each in told):
        return True
    unread = [each for each in told if isinstance(each, Refusal)]
    if listing.end.refusal or listing.end.quarantined:
        unread.append(listing.end.refusal or Refusal(Reason.BAD_ITEM))
    return unread[0] if unread else False


def _matched(item: Item) -> re.Match[str]:
    match = _ID.fullmatch(item.id)
    if match is None or match[3].lower() != item.type.lower() or item.type.lower() not in (_CLOUD, _DEDICATED):
        raise ValueError("not the id of such an HSM")
    return match
