"""Services with account keys or customer-managed keys: one query for each group of subscriptions."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from msgspec import UNSET, Struct
from msgspec.structs import replace

from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.places import Subscription, source
from keyaudit.collect.reading import Reading
from keyaudit.collect.services.account_keys import account_key_rows
from keyaudit.collect.services.items import ITEM, QUERY, Service, ServiceItem, by_id, service_of
from keyaudit.collect.services.key_uses import PROTECTOR, Use, key_use_row, key_uses, protected
from keyaudit.collect.wire import Wire, is_null
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason

OPERATIONS = ("service.query",)

_AT_ONCE = 16
_SQL = {"sql-server": "servers", "sql-managed-instance": "managedInstances"}


class Protector(Struct):
    """The encryption protector of a SQL server."""

    properties: Wire = UNSET


async def collect_services(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row for each account key, and for each use of a vault key.

    Resource Graph silently leaves out resources that the identity may not read.
    """
    if not reading.found.subscriptions:
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    return await _Services(reading, unit, scope).collect(reading.found.subscriptions)


class _Services:
    def __init__(self, reading: Reading, unit: Unit, scope: Scope) -> None:
        self._gateway, self._graph = reading.connection.gateway, reading.graph
        self._unit = unit
        self._scope = scope
        self._confines = reading.confines
        self._place = source(reading.connection.environment, "service.query")
        self._query = Calls(scope, "service.query")
        self._protector = Calls(scope, "sql.protector", per_object=True)

    async def collect(self, subscriptions: Sequence[Subscription]) -> Sequence[Coverage]:
        for group, listing in self._graph.queries(self._gateway, self._query, QUERY, ITEM, subscriptions, by=by_id):
            await for_each(listing, partial(self._service, group), limit=_AT_ONCE)
            await for_each(listing.copies(), partial(self._service, group), limit=_AT_ONCE)
        found = [self._confines.part(self._query.coverage(), "resource_groups")]
        return [*found, self._protector.coverage()] if self._protector.used else found

    async def _service(self, group: Sequence[Subscription], item: ServiceItem) -> None:
        if not self._confines.resource(item.id):
            return
        service = service_of(item, group)
        for row in account_key_rows(service, self._scope, self._place):
            self._unit.row("account_key", row)
        names = Counter[str]()
        uses = key_uses(service)
        for use in await self._of_sql(service, uses) if service.kind in _SQL else uses:
            names[use.named] += 1
            again = f"/{names[use.named]}" if names[use.named] > 1 else ""
            self._unit.row("key_use", key_use_row(service, use, use.named + again, self._scope, self._place))

    async def _of_sql(self, service: Service, uses: list[Use]) -> list[Use]:
        """The uses by the server's encryption protector: its own settings may lack the key, and do not say whether it follows
        the key's rotation. If the protector was not read, a server without a key in its settings may use one.
        """
        if any(isinstance(use.key, Refusal) for use in uses):
            return uses
        found = await self._gateway.get(
            "sql.protector",
            Protector,
            subscription=service.subscription.id,
            resource_group=service.resource_group,
            kind=_SQL[service.kind],
            server=service.name,
        )
        if isinstance(found, Protector) and (found.properties is UNSET or is_null(found.properties)):
            # Null is Resource Graph's way of saying that there is no such member, and not ARM's.
            found = Refusal(Reason.BAD_BODY, "a protector without properties", 200)
        if isinstance(found, Protector):
            self._protector.answered()
            return protected(uses, found.properties)
        self._protector.refused(found)
        return [replace(use, pinned=found, in_use=found) for use in uses] or [Use(found, found, found, where=PROTECTOR)]
