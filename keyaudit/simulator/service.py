"""The base of the simulated services: the directory that they serve, and the handling of requests."""

import uuid
from collections.abc import Callable, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.simulator.defaults import with_what_is_always_there
from keyaudit.simulator.estate import (
    Application,
    AppRoleGrant,
    Estate,
    Group,
    ManagedHsm,
    ServicePrincipal,
    Subscription,
    User,
    Vault,
)
from keyaudit.simulator.throttle import Charge, Meter, Refusal
from keyaudit.simulator.tokens import Tokens
from keyaudit.simulator.wire import Answer, Request

_KEPT_BYTES = 16_000_000


class Directory:
    """The estate, with the identity, tokens, look-ups by name, and deleted vaults."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.changes = 0
        """The number of changes of the estate."""
        self.client_id = self.guid("client")
        self.object_id = self.guid("identity")
        self.client_secret = f"simulated~{self.guid('secret').replace('-', '')}"
        self.tokens = Tokens(estate.tenant_id, estate.as_of)
        self.estate = with_what_is_always_there(estate, self.object_id, self.guid)
        self.gone: set[str] = set()

    def change(self, estate: Estate) -> None:
        """Replace the estate. Look-ups and cached answers of the old one are dropped."""
        self.estate = estate
        self.changes += 1
        for name, member in vars(type(self)).items():
            if isinstance(member, cached_property):
                self.__dict__.pop(name, None)

    def change_vault(self, vault: Vault) -> None:
        """Replace the vault of that name."""
        vaults = tuple(vault if one.name.lower() == vault.name.lower() else one for one in self.estate.vaults)
        self.change(replace(self.estate, vaults=vaults))

    def guid(self, *parts: str) -> str:
        """A GUID that depends only on the estate and the parts."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join((self.estate.tenant_id, *parts))))

    @property
    def shown_name(self) -> str:
        """The tenant's display name, which says that it is simulated."""
        name = self.estate.tenant_name
        return name if "simulated" in name.lower() else f"{name} (simulated tenant)"

    @property
    def tenant_id(self) -> str:
        """The tenant's GUID."""
        return self.estate.tenant_id

    @cached_property
    def vaults(self) -> dict[str, Vault]:
        """Vaults by name in lower case."""
        return {vault.name.lower(): vault for vault in self.estate.vaults}

    @cached_property
    def hsms(self) -> dict[str, ManagedHsm]:
        """Managed HSMs by name in lower case."""
        return {hsm.name.lower(): hsm for hsm in self.estate.hsms}

    @cached_property
    def in_subscription(self) -> dict[str, list[Vault]]:
        """Vaults by subscription in lower case, in the order of lists."""
        found: dict[str, list[Vault]] = {}
        for vault in sorted(self.estate.vaults, key=lambda one: (one.resource_group.lower(), one.name.lower())):
            found.setdefault(vault.subscription.lower(), []).append(vault)
        return found

    @cached_property
    def subscriptions(self) -> dict[str, Subscription]:
        """Subscriptions by GUID in lower case."""
        return {subscription.id.lower(): subscription for subscription in self.estate.subscriptions}

    @cached_property
    def app_role_grants(self) -> dict[str, list[AppRoleGrant]]:
        """Granted app roles by the object id of the service principal that has them."""
        found: dict[str, list[AppRoleGrant]] = {}
        for grant in self.estate.app_role_grants:
            found.setdefault(grant.principal_id, []).append(grant)
        return found

    @cached_property
    def principal_ids(self) -> frozenset[str]:
        """Object ids of all service principals."""
        return frozenset(principal.id for principal in self.estate.service_principals)

    @cached_property
    def principals(self) -> dict[str, ServicePrincipal]:
        """Service principals by object id."""
        return {principal.id: principal for principal in self.estate.service_principals}

    @cached_property
    def users(self) -> dict[str, User]:
        """Users by object id. An owner that the estate does not describe is a user called by the last part of its id."""
        described = {user.id: user for user in self.estate.users}
        owned: tuple[Application | ServicePrincipal, ...] = (*self.estate.applications, *self.estate.service_principals)
        others = {owner for one in owned for owner in one.owners} - described.keys() - self.principal_ids
        names = {id_: f"owner-{id_.rpartition('-')[2]}" for id_ in sorted(others)}
        return described | {id_: User(id=id_, name=name, upn=f"{name}@{self.default_domain}") for id_, name in names.items()}

    @cached_property
    def groups(self) -> dict[str, Group]:
        """Groups by object id."""
        return {group.id: group for group in self.estate.groups}

    @cached_property
    def default_domain(self) -> str:
        """The default domain's name, for display."""
        names = [domain.name for domain in self.estate.domains if domain.default]
        return names[0] if names else f"{self.estate.name}.example"

    def user_claims(self, client: str) -> dict[str, object]:
        """Claims of a signed-in user's token, without audience and times; `client`: the application of the sign-in."""
        user = self.guid("user")
        return {
            "iss": f"https://sts.windows.net/{self.tenant_id}/",
            "appid": client,
            "appidacr": "0",
            "idtyp": "user",
            "name": "Simulated auditor",
            "oid": user,
            "scp": "user_impersonation",
            "sub": user,
            "tid": self.tenant_id,
            "unique_name": f"auditor@{self.default_domain}",
            "upn": f"auditor@{self.default_domain}",
            "ver": "1.0",
        }

    @property
    def app_claims(self) -> dict[str, object]:
        """Claims of the audited identity's token, without audience and times."""
        issuer = f"https://sts.windows.net/{self.tenant_id}/"
        return {
            "iss": issuer,
            "appid": self.client_id,
            "appidacr": "1",
            "idp": issuer,
            "idtyp": "app",
            "oid": self.object_id,
            "sub": self.object_id,
            "tid": self.tenant_id,
            "ver": "1.0",
        }


Respond = Callable[[Request], Answer | None]
"""Returns the answer; None: the connection is closed without one."""


class Call(Struct, frozen=True):
    """A parsed request: its operation, responder and charges."""

    operation: str
    respond: Respond
    charges: tuple[Charge, ...] = ()
    answer: Answer | None = None
    """Set if the answer depends only on the address, so that it can be cached."""


def fixed(operation: str, answer: Answer, *charges: Charge) -> Call:
    """A call whose answer depends only on the address."""
    return Call(operation, lambda _: answer, charges, answer)


def varying(operation: str, respond: Respond, *charges: Charge) -> Call:
    """A call whose answer depends on more than the address: a header, a body, a request id."""
    return Call(operation, respond, charges)


class Route(Struct, frozen=True):
    """A path of an operation. Its segments are in lower case; `*` stands for any one."""

    operation: str
    path: str
    respond: Callable[[Request, list[str]], Answer]
    """Gets the segments for the stars, in the client's spelling."""
    method: str = "GET"
    version: str = ""
    """The api-version of the operation; empty: any."""

    def stars(self, method: str, segments: list[str]) -> list[str] | None:
        """The segments for the stars, or None if the route does not match."""
        if method != self.method or len(segments) != self.path.count("/") + 1:
            return None
        found = []
        for want, have in zip(self.path.split("/"), segments, strict=True):
            if want == "*":
                found.append(have)
            elif want != have.lower():
                return None
        return found


class Service:
    """One host's behaviour. The base class needs no token and has no operations."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._kept: dict[tuple[str, str, str], Call] = {}
        self._kept_bytes = 0
        self._changes = directory.changes
        self.write: Callable[[Request], Call | None] = lambda _: None
        """Returns the call of a request that changes the estate, or None for any other; set by the caller."""

    def call(self, request: Request) -> Call:
        """The call of a request. Answers that depend only on the address are cached, until the estate changes."""
        if self._changes != self.directory.changes:
            self._changes = self.directory.changes
            self.forget()
        key = (request.host, request.method, request.target)
        known = self._kept.get(key)
        if known is not None:
            return known
        call = self.write(request) or self.understand(request)
        if call.answer is not None:
            self._kept_bytes += len(call.answer.body) + 1000
            if self._kept_bytes > _KEPT_BYTES:
                self.forget()
            self._kept[key] = call
        return call

    def forget(self) -> None:
        """Drop all cached answers, and what was derived from the estate."""
        self._kept.clear()
        self._kept_bytes = 0

    def denied(self, _request: Request) -> Answer | None:
        """The 401 for a request whose token is not for this service."""
        return None

    def understand(self, _request: Request) -> Call:
        """The call that a request is."""
        raise NotImplementedError

    def throttled(self, _request: Request, refusal: Refusal) -> Answer:
        """The 429 of this service."""
        return Answer(429, b"", retry_after(refusal))

    def own_headers(self, _request: Request, _charges: tuple[Charge, ...], _meter: Meter | None) -> str:
        """Header lines for this request only, each with its line end."""
        return ""


Writes = Callable[[Service], Callable[[Request], Call | None]]
"""Makes, for a service, the function that returns the call of a request that changes the estate, or None for any other."""


def routed(routes: Sequence[Route], request: Request) -> tuple[Route, list[str]] | None:
    """The first route that matches the request's path, and the segments for its stars."""
    segments = request.segments
    for route in routes:
        stars = route.stars(request.method, segments)
        if stars is not None and route.version in ("", request.query.get("api-version")):
            return route, stars
    return None


def retry_after(refusal: Refusal) -> dict[str, str]:
    """The Retry-After header, if this refusal has it."""
    return {"Retry-After": str(refusal.wait)} if refusal.said else {}
