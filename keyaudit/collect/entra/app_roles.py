"""App roles of service principals: application permissions, without a user."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Raw, Struct, UnsetType, field

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import distinct
from keyaudit.collect.entra.relations import AT_ONCE, EXPANDED, Related, object_id
from keyaudit.collect.entra.settings import roles_for_applications
from keyaudit.collect.grants import grant_row
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.directory.tiers import tier_of_permission
from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID

OPERATIONS = ("service_principal.app_roles", "service_principal.app_roles_of")

# The id of an assignment to an API without a role. It grants nothing.
# https://learn.microsoft.com/graph/api/resources/approleassignment
_NO_ROLE = "00000000-0000-0000-0000-000000000000"


class Holding(Related, rename="camel"):
    """A service principal with the assignments that were expanded into it."""

    app_role_assignments: Wire = UNSET
    more: Wire = field(default=UNSET, name="appRoleAssignments@odata.nextLink")


class AssignmentItem(Struct, rename="camel"):
    """One app role, granted."""

    app_role_id: str
    principal_id: str
    resource_id: str
    created_date_time: Wire = UNSET

    @property
    def key(self) -> str:
        """The key that identifies it."""
        return f"{self.principal_id}/{self.resource_id}/{self.app_role_id}".lower()

    def is_of(self, principal: str) -> bool:
        """Whether it is an assignment of that principal, according to its ids."""
        formed = all(GUID.fullmatch(id_) for id_ in (self.resource_id, self.app_role_id))
        return formed and self.principal_id.lower() == principal.lower()


class _KnownRoles(Struct, frozen=True):
    """The known app roles of one principal, and why there may be more."""

    items: Sequence[AssignmentItem] = ()
    missing: Refusal | None = None


class _Api(Struct, frozen=True):
    """An API, from its service principal."""

    app_id: Wire
    name: Wire
    roles: Mapping[str, str | None] | Refusal


class AppRoles:
    """Reads every assignment, receives every service principal, and then writes the grants."""

    def __init__(self, gateway: Gateway, unit: Unit, scope: Scope) -> None:
        self._gateway, self._unit, self._scope = gateway, unit, scope
        self._list = Calls(scope, OPERATIONS[0])
        self._single = Calls(scope, OPERATIONS[1], per_object=True)
        self._known: dict[str, _KnownRoles] = {}
        self._apis: dict[str, _Api] = {}
        self._granting: set[str] = set()
        self._unseen = Refusal(Reason.PARENT_NOT_ASSESSED)

    async def collect(self) -> None:
        """Read the list, then each service principal that may have more app roles than it shows."""
        many: list[str] = []
        listing = self._gateway.pages(self._list.id, Holding, by=object_id)
        async for item in listing:
            found = read(item.app_role_assignments, list[Raw])
            cut = not isinstance(item.more, UnsetType)
            if not isinstance(found, Refusal) and (cut or len(found) >= EXPANDED):
                many.append(item.id)
                continue
            held = _KnownRoles(missing=found) if isinstance(found, Refusal) else _read(found, item.id)
            if held.missing:
                self._list.refused(Refusal(held.missing.reason, "app roles that cannot be read"))
            self._hold(item.id, held)
        for copy in listing.copies():
            self._contradicted(copy)
        self._list.ended(listing.end)
        # A principal that a complete list lacks was created, or moved between pages, during the read.
        self._unseen = Refusal(why_incomplete(listing.end) or Reason.INCONSISTENT_PAGES)
        await for_each(many, self._one, limit=AT_ONCE)

    def put(self, row: Row, object_id_: str) -> None:
        """Fill the column of a service principal's row about whether its app roles were listed."""
        held = self._known.get(object_id_.lower(), _KnownRoles(missing=self._unseen))
        row.put_read("app_roles_listed", held.missing or True)

    def show(self, object_id_: str, *, app_id: Wire, name: Wire, roles: Wire) -> None:
        """Receive a service principal, which may be an API with app roles."""
        if object_id_.lower() in self._granting:
            self._apis[object_id_.lower()] = _Api(app_id, name, roles_for_applications(roles))

    def write(self, tenant_id: str, url: str, version: str, parent: Refusal | None) -> Sequence[Coverage]:
        """Write every grant. Returns the coverage of `OPERATIONS`. `parent`: why service principals may be missing."""
        for held in self._known.values():
            for item in held.items:
                if item.app_role_id != _NO_ROLE:
                    self._unit.row("grant", self._row(item, tenant_id, url, version, parent))
        above = self._list.coverage()
        return above, self._single.coverage(above)

    def _row(self, item: AssignmentItem, tenant_id: str, url: str, version: str, parent: Refusal | None) -> dict[str, object]:
        principal, api_id, role_id = item.key.split("/")
        holder = f"/tenants/{tenant_id}/servicePrincipals/{principal}"
        row = grant_row(
            "app-role",
            resource_id=f"{holder}/appRoleAssignments/{api_id}/{role_id}",
            scope_id=self._scope.id,
            url=url,
            version=version,
            principal_id=principal,
        )
        row.put_all(principal_type="service-principal", scope=f"/tenants/{tenant_id}/servicePrincipals/{api_id}".lower())
        row.put_all(scope_kind="api", role_id=role_id, allows=[], created_on=item.created_date_time)
        api = self._apis.get(api_id)
        if api is None:
            row.refuse(("name", "api", "api_id", "tier"), parent.reason if parent else Reason.INCONSISTENT_PAGES)
        else:
            _put_api(row, api, role_id)
        return row.finish()

    def _hold(self, principal: str, held: _KnownRoles) -> None:
        self._known[principal.lower()] = held
        self._granting.update(item.resource_id.lower() for item in held.items)

    def _contradicted(self, copy: Holding) -> None:
        """A principal with two differing copies has the app roles of both, and possibly more."""
        found = read(copy.app_role_assignments, list[Raw])
        known = self._known.get(copy.id.lower(), _KnownRoles()).items
        again = () if isinstance(found, Refusal) else _read(found, copy.id).items
        every = {item.key: item for item in (*again, *known)}
        self._hold(copy.id, _KnownRoles(tuple(every.values()), Refusal(Reason.INCONSISTENT)))

    async def _one(self, principal: str) -> None:
        def by(item: AssignmentItem) -> str:
            if not item.is_of(principal):
                raise ValueError("no app role of this principal")
            return item.key

        listing = self._gateway.pages(self._single.id, AssignmentItem, by=by, id=principal)
        found = list((await distinct(listing, by)).values())
        self._single.ended(listing.end)
        reason = why_incomplete(listing.end)
        self._hold(principal, _KnownRoles(found, Refusal(reason) if reason else None))


def _put_api(row: Row, api: _Api, role_id: str) -> None:
    """Fill the columns of the API and the tier of the grant."""
    row.put("api", api.name)
    app_id = read(api.app_id, str)
    if isinstance(app_id, str) and not GUID.fullmatch(app_id):
        app_id = Refusal(Reason.BAD_VALUE)
    row.put_read("api_id", app_id if isinstance(app_id, Refusal) else app_id.lower())
    name = api.roles if isinstance(api.roles, Refusal) else api.roles.get(role_id)
    row.put_read("name", name)
    if isinstance(app_id, Refusal):
        row.put_read("tier", app_id)
        return
    tier = tier_of_permission(app_id, role_id, None if isinstance(name, Refusal) else name)
    # An id with a tier decides; an id without one does not decide while the name is unknown.
    row.put_read("tier", name if tier is None and isinstance(name, Refusal) else tier)


def _read(found: Sequence[Raw], principal: str) -> _KnownRoles:
    """The assignments of one principal, each once, without invalid ones and those of other principals."""
    read_ = [read(raw, AssignmentItem) for raw in found]
    good = [item for item in read_ if not isinstance(item, Refusal) and item.is_of(principal)]
    missing = None if len(good) == len(read_) else Refusal(Reason.BAD_ITEM)
    return _KnownRoles(tuple({item.key: item for item in good}.values()), missing)
