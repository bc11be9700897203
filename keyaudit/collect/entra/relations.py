"""Owners and federated credentials of applications and service principals: lists first, then single objects."""

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType, field

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls, not_assessed, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.focus import LEFT_OUT, Focus
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, read
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID

EXPANDED = 20
"""The maximum number of related objects in $expand, without a link to the rest:
https://learn.microsoft.com/graph/query-parameters
"""

AT_ONCE = 16
"""The number of objects read concurrently."""


class Related(Struct):
    """An object with only its id."""

    id: str


class Owned(Related):
    """An object with the owners that were expanded into it."""

    owners: Wire = UNSET
    more: Wire = field(default=UNSET, name="owners@odata.nextLink")


class FederatedItem(Related, rename="camel"):
    """A federated identity credential."""

    name: Wire = UNSET
    issuer: Wire = UNSET
    subject: Wire = UNSET
    audiences: Wire = UNSET
    claims_matching_expression: Wire = UNSET


def object_id(item: Related) -> str:
    """An object's id in lower case; ValueError if it is malformed."""
    if not GUID.fullmatch(item.id):
        raise ValueError("not an object id")
    return item.id.lower()


class Owners:
    """The owners of every application, or of every service principal: `kind` is the first part of the operations' names."""

    def __init__(self, gateway: Gateway, scope: Scope, kind: str, focus: Focus | None) -> None:
        self._gateway, self._focus = gateway, focus
        self._kind = kind
        self._list = Calls(scope, f"{kind}.owners")
        self._single = Calls(scope, f"{kind}.owners_of", per_object=True)
        self._found: dict[str, Sequence[str] | Refusal] = {}
        self._placed: set[str] = set()
        self._unseen = Refusal(Reason.PARENT_NOT_ASSESSED)

    async def collect(self) -> None:
        """Read the list, then each object that may have more owners than the list returned. The page of a key needs none."""
        if self._focus is not None:
            self._unseen = LEFT_OUT
            return
        many: list[str] = []
        shown: dict[str, frozenset[str]] = {}
        listing = self._gateway.pages(self._list.id, Owned, by=object_id)
        async for item in listing:
            owners = read(item.owners, list[Related])
            cut = not isinstance(item.more, UnsetType)
            if not isinstance(owners, Refusal) and (cut or len(owners) >= EXPANDED):
                many.append(item.id)
            else:
                self._found[item.id.lower()] = owners if isinstance(owners, Refusal) else _ids(owners)
            shown[item.id.lower()] = frozenset() if isinstance(owners, Refusal) else frozenset(_ids(owners))
        for copy in listing.copies():
            self._found[copy.id.lower()] = Refusal(Reason.INCONSISTENT)
        end = listing.end
        self._list.ended(end)
        # An object that a complete list lacks was created, or moved between pages, during the read.
        self._unseen = Refusal(why_incomplete(end) or Reason.INCONSISTENT_PAGES)
        await for_each(many, lambda owned: self._one(owned, shown[owned.lower()]), limit=AT_ONCE)

    def put(self, row: Row, owned: str) -> None:
        """Fill `owner_ids` of the row of that object."""
        self._placed.add(owned.lower())
        row.put_read("owner_ids", self._found.get(owned.lower(), self._unseen))

    async def any_left(self) -> bool:
        """Whether this list has an object without a row that still exists in Graph."""
        for owned in sorted(self._found.keys() - self._placed):
            listing = self._gateway.pages(self._single.id, Related, by=object_id, id=owned)
            async for _ in listing:
                return True
            if listing.end.refusal is None or listing.end.refusal.reason is not Reason.VANISHED:
                return True
        return False

    @property
    def coverage(self) -> Sequence[Coverage]:
        """The coverage of both operations."""
        if self._focus is not None:
            return not_assessed(self._list.scope, (self._list.id, self._single.id), LEFT_OUT.reason)
        parent = self._list.coverage()
        return parent, self._single.coverage(parent)

    async def _one(self, owned: str, shown: frozenset[str]) -> None:
        """Read the owners of an object; the list returned `shown` of them."""
        listing = self._gateway.pages(self._single.id, Related, by=object_id, id=owned)
        owners = list((await distinct(listing, object_id)).values())
        end = listing.end
        self._single.ended(end)
        reason = why_incomplete(end)
        if reason is None and shown and not owners:
            reason = Reason.INCONSISTENT_PAGES
            self._single.refused(Refusal(reason, "one list has owners, another none"))
        self._found[owned.lower()] = Refusal(reason) if reason else _ids(owners)


class Federated:
    """The objects with federated credentials, and the credentials."""

    def __init__(self, gateway: Gateway, scope: Scope, kind: str) -> None:
        self._gateway = gateway
        self._list = Calls(scope, f"{kind}.federated")
        self._single = Calls(scope, f"{kind}.federated_of", per_object=True)
        self._expressions = Calls(scope, f"{kind}.expressions_of", per_object=True)
        self._by = object_id if kind == "application" else _named
        self.ids: set[str] = set()
        """Object ids in lower case."""
        self._left_out: set[str] = set()
        self._incomplete: Reason | None = Reason.PARENT_NOT_ASSESSED

    async def collect(self) -> None:
        """Read the list of objects that have any."""
        listing = self._gateway.pages(self._list.id, Related, by=object_id)
        self.ids.update(await distinct(listing, object_id))
        self._list.ended(listing.end)
        self._incomplete = why_incomplete(listing.end)

    def put(self, row: Row, holder: str) -> None:
        """Fill `trusts_federated` of the row of that object: an object that a complete list lacks has none."""
        found = holder.lower() in self.ids
        row.put_read("trusts_federated", Refusal(self._incomplete) if self._incomplete and not found else found)

    def only(self, meant: Collection[str]) -> None:
        """Leave out the credentials of all objects but these, because that is not asked for."""
        self._left_out = self.ids.difference(meant)
        if self._left_out:
            self._single.refused(LEFT_OUT)

    @property
    def left(self) -> int:
        """The number of objects that `each` reads."""
        return len(self.ids - self._left_out)

    async def each(self, write: Callable[[str, FederatedItem, Wire | Refusal], None]) -> None:
        """Call `write` for every credential of every object in `ids` that is not left out, with the object's id, the item, and
        its expression.
        """

        async def one(holder: str) -> None:
            listing = self._gateway.pages(self._single.id, FederatedItem, by=self._by, id=holder)
            items = list((await distinct(listing, object_id)).values())
            end = listing.end
            self._single.ended(end)
            if not end.received and end.refusal is None:
                self._single.refused(Refusal(Reason.INCONSISTENT_PAGES, "one list has some, another none"))
            lacking = [item for item in items if _lacks_expression(item)]
            expressions = await self._expressions_of(holder, lacking) if lacking else {}
            for item in items:
                write(holder, item, expressions.get(item.id.lower(), item.claims_matching_expression))

        await for_each(sorted(self.ids - self._left_out), one, limit=AT_ONCE)

    async def _expressions_of(self, holder: str, lacking: Sequence[FederatedItem]) -> Mapping[str, Wire | Refusal]:
        """Claims-matching expressions by credential id. v1.0 returns neither subject nor expression for such credentials."""
        listing = self._gateway.pages(self._expressions.id, FederatedItem, by=object_id, id=holder)
        shown = {item.id.lower(): item.claims_matching_expression for item in (await distinct(listing, object_id)).values()}
        self._expressions.ended(listing.end)
        unseen = Refusal(why_incomplete(listing.end) or Reason.INCONSISTENT_PAGES)
        return {item.id.lower(): shown.get(item.id.lower(), unseen) for item in lacking}

    @property
    def coverage(self) -> Sequence[Coverage]:
        """The coverage of every operation."""
        parent = self._list.coverage()
        single = self._single.coverage(parent)
        return parent, single, self._expressions.coverage(single)


class Relations(Struct, frozen=True):
    """What other lists than that of the objects say of each object."""

    owners: Owners
    federated: Federated


def _named(item: FederatedItem) -> str:
    """The id of a managed identity's credential; ValueError without a name, which is all that ARM has of the same one."""
    if isinstance(read(item.name, str), Refusal):
        raise ValueError("not a name")  # noqa: TRY004 - the item is quarantined by it
    return object_id(item)


def _lacks_expression(item: FederatedItem) -> bool:
    """Whether its claims-matching expression is only in the beta version."""
    return isinstance(item.claims_matching_expression, UnsetType) and isinstance(read(item.subject, str), Refusal)


def _ids(owners: Sequence[Related]) -> list[str]:
    return sorted({owner.id.lower() for owner in owners})
