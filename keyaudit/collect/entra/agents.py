"""Agent identities and their blueprints: requested only if the lists of applications and service principals contain one.

A single-instance agent (preview) has the client id of its blueprint, which has no principal:
https://learn.microsoft.com/entra/agent-id/authenticate-single-instance-agent
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType, field

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.calls import Calls, not_assessed, why_incomplete
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.copies import both, distinct
from keyaudit.collect.entra.agents_listed import AGENT_IDENTITY, Held, Seen, principal_of, seen_in
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.inheritable import Inheritable, inheritable
from keyaudit.collect.entra.relations import AT_ONCE, EXPANDED, Related, object_id
from keyaudit.collect.entra.service_principals import PrincipalItem, principal_holder, principal_row
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, decoded, is_null, read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables.entra.agent import AGENT, BLUEPRINT
from keyaudit.model.values.guid import GUID

OPERATIONS = (
    *("agent.list", "agent.sponsors", "agent_user.list"),
    *("blueprint.sponsors_of", "blueprint.inheritable_of", "blueprint.principal_sponsors_of"),
)

_LISTS = ("application.list", "service_principal.list")
_OF_SPONSORS, _INHERITED = ("sponsored", "sponsor_ids"), ("inheritable_scopes", "inheritable_roles")
_LACKS_ONE = Refusal(Reason.INCONSISTENT, "it lacks an agent that another list has", 200)
_NAMES_MORE = Refusal(Reason.INCONSISTENT, "it names a blueprint that another list lacks", 200)


@wired(AGENT)
class AgentItem(PrincipalItem, rename="camel", kw_only=True):
    """An agent identity."""

    agent_identity_blueprint_id: str

    @property
    def blueprint(self) -> str:
        """The client id of its blueprint, in lower case."""
        return self.agent_identity_blueprint_id.lower()


class Sponsored(Related):
    """An agent identity with the sponsors that were expanded into it."""

    sponsors: Wire = UNSET
    more: Wire = field(default=UNSET, name="sponsors@odata.nextLink")


class AgentUser(Related, rename="camel"):
    """A user that an agent identity can act as."""

    identity_parent_id: str
    display_name: Wire = UNSET


async def collect_agents(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write a row for each agent identity, and each blueprint in the tenant or of agents in the tenant.

    Returns the coverage of `OPERATIONS`. If the complete lists contain neither an agent nor a blueprint nor the local principal
    of one, there are no agents, and nothing is requested. An agent that the list of service principals leaves out gets its row
    there.
    """
    recorded = {record.operation: record for record in reading.spool.coverage() if record.scope == scope}
    if not recorded.keys() >= set(_LISTS):
        return not_assessed(scope, OPERATIONS, Reason.PARENT_NOT_ASSESSED)
    applications, principals = (recorded[operation] for operation in _LISTS)
    return await _Agents(reading, unit, scope).collect(seen_in(reading), applications, principals)


class _Agents:
    def __init__(self, reading: Reading, unit: Unit, scope: Scope) -> None:
        self._connection, self._spool, self._unit, self._scope = reading.connection, reading.spool, unit, scope
        self._gateway: Gateway = reading.connection.gateway
        self._tenant_id = reading.connection.identity.tenant_id
        self._sponsored: dict[str, Wire | Refusal] = {}
        self._unsponsored = Refusal(Reason.PARENT_NOT_ASSESSED)
        self._acting: dict[str, dict[str, Wire]] = {}
        self._users_unread: Refusal | None = None
        self._list, self._sponsors, self._users = (Calls(scope, operation) for operation in OPERATIONS[:3])
        self._sponsors_of, self._inheritable, self._principal_sponsors_of = (
            Calls(scope, operation, per_object=True) for operation in OPERATIONS[3:]
        )

    async def collect(self, seen: Seen, applications: Coverage, principals: Coverage) -> Sequence[Coverage]:
        if seen.any:
            await self._read_sponsors()
            await self._read_users()
            found, missing = await self._write_agents()
            if missing is None:
                self._compare(found, seen, whole=principals.reason is None and applications.reason is None)
            for held in (*seen.agents, *(seen.perhaps if missing else ())):
                if held.object_id not in found:
                    self._write_unlisted(held, missing or _LACKS_ONE)
            self._write_left_out(found, seen, Refusal(principals.reason or Reason.INCONSISTENT))
            for item in found.values():
                if _is_alone(item) and item.blueprint not in seen.own():
                    self._write_alone(item, Refusal(applications.reason) if applications.reason else None)
        unseen = Refusal(principals.reason) if principals.reason else None
        await for_each(seen.blueprints, lambda held: self._write_own(held, principal_of(held, seen, unseen)), limit=AT_ONCE)
        # A blueprint of this tenant is read as an application, from the list of applications.
        foreign = [
            held
            for held in seen.principals
            if held.home != "own" and (held.app_id is None or held.app_id.lower() not in seen.own())
        ]
        await for_each(foreign, self._write_foreign, limit=AT_ONCE)
        return [
            *(calls.coverage(principals) for calls in (self._list, self._sponsors, self._users, self._principal_sponsors_of)),
            *(calls.coverage(applications) for calls in (self._sponsors_of, self._inheritable)),
        ]

    async def _read_sponsors(self) -> None:
        """Read the sponsors of every agent."""
        listing = self._gateway.pages(self._sponsors.id, Sponsored, by=object_id)
        found = self._sponsored
        async for item in listing:
            found[item.id.lower()] = item.sponsors
            shown = read(item.sponsors, list[Related])
            if not isinstance(shown, Refusal) and (len(shown) >= EXPANDED or not isinstance(item.more, UnsetType)):
                # There may be more, but readers may not list the sponsors of a single agent.
                found[item.id.lower()] = Refusal(Reason.TRUNCATED)
        for copy in listing.copies():
            found[copy.id.lower()] = Refusal(Reason.INCONSISTENT)
        self._sponsors.ended(listing.end)
        self._unsponsored = Refusal(why_incomplete(listing.end) or Reason.INCONSISTENT_PAGES)

    async def _read_users(self) -> None:
        """Read the users of every agent."""
        listing = self._gateway.pages(self._users.id, AgentUser, by=_user)
        for id_, item in (await distinct(listing, _user)).items():
            self._acting.setdefault(item.identity_parent_id.lower(), {})[id_] = item.display_name
        self._users.ended(listing.end)
        reason = why_incomplete(listing.end)
        self._users_unread = Refusal(reason) if reason else None

    async def _write_agents(self) -> tuple[Mapping[str, AgentItem], Refusal | None]:
        """Write all agents of the list. Returns them by object id, and why the list is incomplete."""
        listing = self._gateway.pages(self._list.id, AgentItem, by=_agent)
        found: dict[str, AgentItem] = {}
        async for item in both(listing):
            id_ = object_id(item)
            found[id_] = item
            row = self._listed(AGENT, item)
            row.put_all(object_id=id_, blueprint_app_id=item.blueprint)
            self._finish(row, id_)
        self._list.ended(listing.end)
        reason = why_incomplete(listing.end)
        return found, Refusal(reason) if reason else None

    def _listed(self, table: Table, item: AgentItem) -> Row:
        """A new row for an agent of the list, with what it copies of it."""
        row = self._holder(item).row(table)
        row.fill(item)
        return row

    def _holder(self, item: AgentItem) -> Holder:
        return principal_holder(item, self._tenant_id, *source(self._connection.environment, self._list.id))

    def _write_left_out(self, found: Mapping[str, AgentItem], seen: Seen, refusal: Refusal) -> None:
        """Write agents that are no agents in the plain list. `refusal`: why their owners and app roles are unknown."""
        plain = {held.object_id for held in (*seen.agents, *seen.perhaps)}
        left_out = {id_: item for id_, item in found.items() if id_ not in plain}
        if not left_out:
            return
        for line in self._spool.lines("service_principal"):
            stored = msgspec.json.decode(line)
            if left_out.pop(stored["id"].rpartition("/")[2], None):
                # Copies that differ in this alone make nothing else unknown.
                self._unit.row("service_principal", stored | {"agent_type": AGENT_IDENTITY})
        for item in left_out.values():
            row = principal_row(item, self._holder(item), self._connection.environment.name)
            row.put("agent_type", AGENT_IDENTITY)
            row.refuse(("owner_ids", "app_roles_listed"), refusal.reason)
            self._unit.row("service_principal", row.finish())

    def _write_unlisted(self, held: Held, refusal: Refusal) -> None:
        """Write a service principal that is or may be an agent, and is not in the list of agents."""
        row = self._begin(AGENT, held)
        row.put_all(object_id=held.object_id, created_on=held.read("created_on"), blueprint_app_id=refusal)
        self._finish(row, held.object_id)

    def _finish(self, row: Row, agent: str) -> None:
        """Write the agent's row, with its columns from other lists."""
        _put_sponsors(row, self._sponsored.get(agent, self._unsponsored))
        acting = self._acting.get(agent, {})
        row.put_read("user_ids", self._users_unread or sorted(acting))
        if self._users_unread:
            row.refuse(("user_names",), self._users_unread.reason)
        else:
            row.make("user_names", _names, acting)
        self._unit.row("agent", row.finish())

    def _compare(self, found: Mapping[str, AgentItem], seen: Seen, *, whole: bool) -> None:
        """Compare the list of agents with the agents of the plain list; and its blueprints, if both plain lists are `whole`."""
        if not found.keys() >= {held.object_id for held in seen.agents}:
            self._list.refused(_LACKS_ONE)
        may_be = (*seen.blueprints, *seen.principals, *seen.perhaps)
        blueprints = {held.app_id.lower() for held in may_be if held.app_id}
        nameless = any(held.app_id is None for held in may_be)
        named = {item.blueprint for item in found.values() if not _is_alone(item) or self._holder(item).home == "own"}
        if whole and not nameless and named - blueprints:
            self._list.refused(_NAMES_MORE)

    async def _write_own(self, held: Held, principal: str | Refusal | None) -> None:
        """Write the blueprint row of an application of this tenant. If it may not be a blueprint, its columns are unknown."""
        row = self._begin(BLUEPRINT, held)
        row.put_all(home="own", publisher=None, principal_id=principal, app_id=_lowered(held.read("app_id")))
        untold = held.read("agent_blueprint")
        if isinstance(untold, Refusal):
            row.refuse((*_OF_SPONSORS, *_INHERITED), untold.reason)
            self._unit.row("blueprint", row.finish())
            return
        await self._put_sponsors_of(row, self._sponsors_of, held)
        permissions = self._gateway.pages(self._inheritable.id, Inheritable, by=_resource, id=held.object_id)
        entries = list((await distinct(permissions, _resource)).values())
        self._inheritable.ended(permissions.end)
        unread = why_incomplete(permissions.end)
        if unread:
            row.refuse(_INHERITED, unread)
        else:
            row.make("inheritable_scopes", inheritable, entries, scopes=True)
            row.make("inheritable_roles", inheritable, entries, scopes=False)
        self._unit.row("blueprint", row.finish())

    async def _put_sponsors_of(self, row: Row, calls: Calls, held: Held) -> None:
        """Read the sponsors of a blueprint, or of a blueprint's principal, and fill their columns."""
        sponsors = self._gateway.pages(calls.id, Related, by=object_id, id=held.object_id)
        ids = sorted(await distinct(sponsors, object_id))
        calls.ended(sponsors.end)
        unread = why_incomplete(sponsors.end)
        row.put_read("sponsor_ids", Refusal(unread) if unread else ids)
        row.put_read("sponsored", True if ids else Refusal(unread) if unread else False)

    async def _write_foreign(self, held: Held) -> None:
        """Write the row of an external blueprint, by its local principal. Columns for its publisher only are unknown."""
        row = self._begin(BLUEPRINT, held)
        row.put_all(app_id=_lowered(held.read("app_id")), home=held.read("home"), publisher=held.read("home_tenant"))
        row.put_all(principal_id=held.object_id)
        await self._put_sponsors_of(row, self._principal_sponsors_of, held)
        row.refuse(_INHERITED, Reason.OTHER_TENANT)
        self._unit.row("blueprint", row.finish())

    def _write_alone(self, item: AgentItem, unseen: Refusal | None) -> None:
        """Write the blueprint of a single-instance agent by the agent, if no complete list of applications has it.

        `unseen`: why the list of applications is incomplete.
        """
        row = self._listed(BLUEPRINT, item)
        home, publisher = self._holder(item).home, read(item.app_owner_organization_id, str)
        if home == "none":
            home, publisher = unseen or "foreign", Refusal(Reason.NOT_VISIBLE)
        row.put_all(app_id=item.blueprint, home=home, principal_id=None, publisher=None if home == "own" else publisher)
        _put_sponsors(row, self._sponsored.get(object_id(item), self._unsponsored))
        row.refuse(_INHERITED, Reason.OTHER_TENANT)
        self._unit.row("blueprint", row.finish())

    def _begin(self, table: Table, held: Held) -> Row:
        """A new row for an object of another list, with its name."""
        row = Row(
            table,
            id=held.id,
            resource_id=held.resource_id,
            scope_id=self._scope.id,
            url=held.source_url,
            version=held.source_version,
        )
        row.put_read("name", held.read("name"))
        return row


def _put_sponsors(row: Row, shown: Wire | Refusal) -> None:
    if isinstance(shown, Refusal):
        # Beyond the sponsors in the list there may be more.
        row.put_read("sponsored", True if shown.reason is Reason.TRUNCATED else shown)
        row.put_read("sponsor_ids", shown)
        return
    found = read(shown, list[Related])
    row.put_read("sponsored", found if isinstance(found, Refusal) else bool(found))
    row.put_read("sponsor_ids", found if isinstance(found, Refusal) else sorted({one.id.lower() for one in found}))


def _names(users: Mapping[str, Wire]) -> dict[str, str]:
    """The names of users by id."""
    return {id_: decoded(raw, str) for id_, raw in sorted(users.items()) if not is_null(raw)}


def _is_alone(item: AgentItem) -> bool:
    """Whether it is a single-instance agent."""
    app_id = read(item.app_id, str)
    return not isinstance(app_id, Refusal) and app_id.lower() == item.blueprint


def _agent(item: AgentItem) -> str:
    if not GUID.fullmatch(item.agent_identity_blueprint_id):
        raise ValueError("not the client id of a blueprint")
    return object_id(item)


def _user(item: AgentUser) -> str:
    if not GUID.fullmatch(item.identity_parent_id):
        raise ValueError("not the id of an agent")
    return object_id(item)


def _resource(item: Inheritable) -> str:
    if not GUID.fullmatch(item.resource_app_id):
        raise ValueError("not the client id of an API")
    return item.resource_app_id.lower()


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value
