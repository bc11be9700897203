"""Microsoft Graph, v1.0 and beta: the tenant, domains, applications, service principals, owners, federated credentials."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from keyaudit.simulator.estate import Domain, FederatedCredential
from keyaudit.simulator.microsoft_graph import (
    agents,
    audit_logs,
    audit_searches,
    grants,
    groups,
    objects,
    odata,
    reports,
    token_signing,
    trusted_authorities,
)
from keyaudit.simulator.microsoft_graph import directory as graph_directory
from keyaudit.simulator.microsoft_graph import posts as graph_posts
from keyaudit.simulator.microsoft_graph import posture as graph_posture
from keyaudit.simulator.microsoft_graph.holders import Holder, Kind, applications, member, principals
from keyaudit.simulator.microsoft_graph.resources import Resource, collection
from keyaudit.simulator.service import Call, Directory, Service, fixed, retry_after, varying
from keyaudit.simulator.throttle import Charge, Meter, Refusal
from keyaudit.simulator.tokens import Flaw
from keyaudit.simulator.wire import Answer, Request, compact

T = TypeVar("T")

HOST = "graph.microsoft.com"

PARTS: tuple[Callable[[Directory, str, list[str], Request], Resource | None], ...] = (
    groups.part,
    graph_directory.part,
    grants.part,
    reports.part,
    audit_logs.part,
    token_signing.resource,
    trusted_authorities.resource,
    graph_posture.policies,
    graph_posture.other_tenants,
)
"""Functions for other paths than the directory's: from version and path to the resource, or None."""

_AUDIENCES = frozenset({odata.GRAPH})
HEADERS = {
    "Cache-Control": "no-cache",
    "Strict-Transport-Security": "max-age=31536000",
    "x-ms-ags-diagnostic": (
        '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5","ScaleUnit":"001","RoleInstance":"AM2PEPF00000001"}}'
    ),
}
OK_HEADERS = {
    **HEADERS,
    "Content-Type": "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
    "OData-Version": "4.0",
}
_ERROR_HEADERS = {**HEADERS, "Content-Type": "application/json"}


class Graph(Service):
    """graph.microsoft.com for the one tenant."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(directory)
        self.part: Callable[[Request], Answer] = forbidden
        """Answers one request of a batch; set by the caller, which counts requests and adds faults."""
        self._by_id: dict[str, dict[str, Holder]] = {}
        self._searches = audit_searches.Searches(directory)
        self._kinds = _kinds(directory)

    def forget(self) -> None:
        """As every service."""
        super().forget()
        self._by_id.clear()
        self._kinds = _kinds(self.directory)

    def denied(self, request: Request) -> Answer | None:
        """Graph's 401."""
        flaw = self.directory.tokens.flaw(request.headers.get("authorization"), _AUDIENCES, request.now)
        if flaw is None:
            return None
        message = {
            Flaw.MISSING: "Access token is empty.",
            Flaw.INVALID: "CompactToken parsing failed with error code: 80049217",
            Flaw.EXPIRED: "Lifetime validation failed, the token is expired.",
            Flaw.AUDIENCE: "Access token validation failure. Invalid audience.",
            Flaw.TENANT: "Access token validation failure. Invalid tenant.",
        }[flaw]
        challenge = (
            'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            'client_id="00000003-0000-0000-c000-000000000000"'
        )
        return error(request, 401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})

    def throttled(self, request: Request, refusal: Refusal) -> Answer:
        """Graph's 429."""
        return error(request, 429, "TooManyRequests", "Too Many Requests", retry_after(refusal))

    def own_headers(self, request: Request, charges: tuple[Charge, ...], meter: Meter | None) -> str:
        """The request ids, what the request weighed, and how near the limit is once four fifths are spent."""
        client = request.headers.get("client-request-id", request.id)
        lines = [f"request-id: {request.id}", f"client-request-id: {client}"]
        for charge in charges:
            if charge.limit == "graph":
                lines.append(f"x-ms-resource-unit: {charge.cost}")
                used = meter.used(charge, request.now) if meter else 0.0
                if used >= 0.8:
                    lines.append(f"x-ms-throttle-limit-percentage: {used:.1f}")
        return "\r\n".join(lines) + "\r\n"

    def understand(self, request: Request) -> Call:
        """The operation by path and options. Errors contain the request's id and time, so they are not cached."""
        version, *path = request.segments or [""]
        if special := self._special(version, path, request):
            return special
        resource = self._resource(version, path, request) if version in ("v1.0", "beta") else None
        if resource is None:
            message = f"Resource not found for the segment '{path[-1] if path else version}'."
            if version not in ("v1.0", "beta"):
                message = "Invalid version."
            return varying("graph.unknown", lambda asked: error(asked, 400, "BadRequest", message), self._charge(1))
        charges = self._charges(request, resource)
        if any(relation in self.directory.estate.graph_refuses for relation in resource.relations):
            return varying(resource.operation, forbidden, *charges)
        if any(relation in self.directory.estate.unlicensed for relation in resource.relations):
            premium = "roleManagement" in resource.relations
            return varying(resource.operation, _without_premium if premium else _unlicensed, *charges)

        def respond(asked: Request) -> Answer:
            return _rendered(asked, resource, path)

        answer = respond(request)
        # Whether $count and some filters are allowed depends on a header.
        if answer.status != 200 or "$filter" in request.query or "$count" in request.query:
            return varying(resource.operation, respond, *charges)
        return fixed(resource.operation, answer, *charges)

    def _special(self, version: str, path: list[str], request: Request) -> Call | None:
        """Requests other than plain reads: searches of the audit log, and POST."""
        search = audit_searches.operation(request)
        if search is not None:
            return varying(search, self._searched, self._charge(1))
        if request.method == "GET":
            return None
        return self._posted(version, path) or varying("graph.write", forbidden, self._charge(1))

    def _posted(self, version: str, path: list[str]) -> Call | None:
        """Reads with POST. Requests in a batch are charged separately."""
        match [part.lower() for part in path]:
            case ["$batch"]:
                return varying("graph.batch", lambda asked: _made(asked, lambda: graph_posts.parts(asked, version, self.part)))
            case ["directoryobjects", "getbyids"]:
                if "directoryObjects" in self.directory.estate.graph_refuses:
                    return varying("principal.lookup", forbidden, self._charge(1))
                return varying(
                    "principal.lookup",
                    lambda asked: _made(asked, lambda: graph_posts.by_ids(self.directory, asked)),
                    self._charge(1),
                )
        return None

    def _searched(self, request: Request) -> Answer:
        if "security" in self.directory.estate.graph_refuses:
            return forbidden(request)
        status, body = self._searches.answer(request)
        if body is None:
            return error(request, status, "NotFound" if status == 404 else "BadRequest", "The search is not there, or not one.")
        return Answer(status, compact(body), OK_HEADERS, chunked=True, compressible=True)

    def _charge(self, cost: int) -> Charge:
        return Charge("graph", self.directory.client_id, cost)

    def _charges(self, request: Request, resource: Resource) -> tuple[Charge, ...]:
        query, cost = request.query, 1
        if resource.listed:
            cost = 2 + ("$expand" in query) - ("$select" in query) - (query.get("$top", "100") in _SMALL)
        charge = Charge(resource.limit, self.directory.client_id, max(1, cost))
        if "keycredentials" in query.get("$select", "").lower():
            return charge, Charge("key_credentials", "")
        return (charge,)

    def _resource(self, version: str, path: list[str], request: Request) -> Resource | None:
        estate = self.directory.estate
        if any(part.lower().startswith(agents.CAST) for part in path):
            return agents.part(self.directory, version, path, request)
        match [part.lower() for part in path]:
            case ["organization"]:
                body = objects.organization(self.directory)
                typed = "tenanttype" in request.query.get("$select", "").lower()
                return Resource(
                    operation="organization.type" if typed else "organization.get",
                    relations=("organization",),
                    type="microsoft.graph.organization",
                    members=body,
                    render=collection(version, "organization", [body], lambda one: one),
                )
            case ["domains"]:
                return Resource(
                    operation="domain.list",
                    relations=("domains",),
                    type="microsoft.graph.domain",
                    members=objects.domain(Domain(name="")),
                    render=collection(version, "domains", estate.domains, objects.domain),
                )
            case [name] if name in self._kinds:
                return self._holders(version, self._kinds[name], request)
            case [name, _, *rest] if name in self._kinds:
                return self._holder(version, self._kinds[name], path[1], rest)
        named = (part(self.directory, version, path, request) for part in PARTS)
        return next((resource for resource in named if resource is not None), None)

    def _holders(self, version: str, kind: Kind, request: Request) -> Resource:
        """The list of applications or service principals; the operation's name depends on its options."""
        expanded = request.query.get("$expand", "").partition("(")[0]
        federated = "federatedidentitycredentials" in request.query.get("$filter", "").lower()
        relation = expanded or ("federatedIdentityCredentials" if federated else "")
        asked_for = _EXPANDING.get(expanded, "federated" if federated else "list")

        def render(asked: Request, options: odata.Options) -> dict[str, object]:
            found = odata.matching(options, kind.holders, member)
            return odata.page(asked, options, (version, kind.name), found, self._whole(kind, options))

        return Resource(
            operation=f"{kind.operation}.{asked_for}",
            relations=(kind.name, relation),
            type=kind.type,
            members=(*kind.members, *_RELATIONS[kind.name]),
            render=render,
            listed=True,
        )

    def _holder(self, version: str, kind: Kind, object_id: str, path: list[str]) -> Resource | None:
        """One application or service principal, or one of its relations."""
        if kind.name not in self._by_id:
            self._by_id[kind.name] = {holder.id.lower(): holder for holder in kind.holders}
        holder = self._by_id[kind.name].get(object_id.lower())
        match path:
            case []:
                return self._one(version, kind, holder)
            case ["owners"]:
                return self._owners(version, kind, holder)
            case ["federatedidentitycredentials"]:
                return self._federated(version, kind, holder)
            case ["approleassignments"] if kind.name == "servicePrincipals":
                return grants.app_roles(self.directory, version, holder)
        return None

    def _one(self, version: str, kind: Kind, holder: Holder | None) -> Resource:
        def render(_asked: Request, options: odata.Options) -> dict[str, object]:
            body = self._whole(kind, options)(holder) if holder else {}
            return odata.entity(options, (version, kind.name), body)

        return Resource(
            operation=f"{kind.operation}.get",
            relations=(kind.name,),
            type=kind.type,
            members=(*kind.members, *_RELATIONS[kind.name]),
            render=render if holder else None,
        )

    def _owners(self, version: str, kind: Kind, holder: Holder | None) -> Resource:
        def body(one: str) -> dict[str, object]:
            return objects.owner(self.directory, one)

        return Resource(
            operation=f"{kind.operation}.owners_of",
            relations=(kind.name, "owners"),
            type="microsoft.graph.directoryObject",
            members=body(""),
            render=collection(version, "directoryObjects", holder.owners, body) if holder else None,
        )

    def _federated(self, version: str, kind: Kind, holder: Holder | None) -> Resource:
        def body(one: FederatedCredential) -> dict[str, object]:
            return objects.federated(one, beta=version == "beta")

        name = f"{kind.name}('{holder.id if holder else ''}')/federatedIdentityCredentials"
        return Resource(
            operation=f"{kind.operation}.{'expressions_of' if version == 'beta' else 'federated_of'}",
            relations=(kind.name, "federatedIdentityCredentials"),
            type="microsoft.graph.federatedIdentityCredential",
            members=body(FederatedCredential(id="", name="", issuer="", subject=None)),
            render=collection(version, name, holder.federated, body) if holder else None,
        )

    def _whole(self, kind: Kind, options: odata.Options) -> Callable[[Holder], dict[str, object]]:
        def body(holder: Holder) -> dict[str, object]:
            found = kind.body(holder, options.with_key)
            found |= {name: value for name, value in objects.only_selected(holder).items() if name in options.select}
            if options.expand == "owners":
                found["owners"] = odata.related(options, [objects.owner(self.directory, one) for one in holder.owners])
            elif options.expand:
                found[options.expand] = odata.related(options, grants.of_principal(self.directory, holder.id))
            return found

        return body


_EXPANDING = {"owners": "owners", "appRoleAssignments": "app_roles"}
"""The operation's name for a list with an expanded relation."""
_RELATIONS = {"applications": ("owners",), "servicePrincipals": tuple(_EXPANDING)}
"""The relations of a collection's objects that can be expanded."""
_SMALL = frozenset(str(number) for number in range(1, 20))


def _rendered(request: Request, resource: Resource, path: list[str]) -> Answer:
    if resource.render is None:
        message = f"Resource '{path[1]}' does not exist or one of its queried reference-property objects are not present."
        return error(request, 404, "Request_ResourceNotFound", message)
    try:
        body = resource.render(request, odata.read(request, resource.type, resource.members))
    except odata.BadQueryError as problem:
        return error(request, 400, problem.code, str(problem))
    return Answer(200, compact(body), OK_HEADERS, chunked=True, compressible=True)


def _made(request: Request, body: Callable[[], dict[str, object]]) -> Answer:
    try:
        return Answer(200, compact(body()), OK_HEADERS, chunked=True, compressible=True)
    except odata.BadQueryError as problem:
        return error(request, 400, problem.code, str(problem))
    except graph_posts.BadPostError as problem:
        return error(request, 400, "BadRequest", str(problem))


def _kinds(directory: Directory) -> dict[str, Kind]:
    return {kind.name.lower(): kind for kind in (applications(directory), principals(directory))}


def forbidden(request: Request) -> Answer:
    """The 403 for a permission that the identity lacks."""
    return error(request, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _without_premium(request: Request) -> Answer:
    message = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
    return error(request, 400, "AadPremiumLicenseRequired", message)


def _unlicensed(request: Request) -> Answer:
    message = "Neither tenant is B2C or tenant doesn't have premium license"
    return error(request, 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", message)


def error(request: Request, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    """An error as Graph words it."""
    inner = {
        "date": datetime.fromtimestamp(request.now, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request.id,
        "client-request-id": request.headers.get("client-request-id", request.id),
    }
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    return Answer(status, compact(body), {**_ERROR_HEADERS, **(headers or {})}, chunked=True)
