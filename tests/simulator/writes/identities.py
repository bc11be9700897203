"""Changes of user-assigned managed identities and their federated credentials, in Azure Resource Manager."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from keyaudit.simulator.estate import Estate, FederatedCredential, ManagedIdentity
from keyaudit.simulator.resource_manager.answers import HEADERS, answer, error, write_denied
from keyaudit.simulator.resource_manager.identities import TYPE, federated_resource, identity_resource, named, no_identity
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request, compact
from tests.simulator.writes import May, WriteError, body_of, part_of

Write = Callable[[Directory, ManagedIdentity, str, Request], Answer]

RIGHT = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
"""With /write or /delete: the actions of a role."""
ISOLATE = "Microsoft.ManagedIdentity/userAssignedIdentities/write"
_SCOPES = ("None", "Regional")
"""https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-isolation-scope"""


def writes(directory: Directory, may: May) -> Sequence[Route]:
    """Create, change and delete a credential; change an identity."""
    identity = f"subscriptions/*/resourcegroups/*/providers/{TYPE}/*"
    path = f"{identity}/federatedidentitycredentials/*"

    def isolate(request: Request, stars: list[str]) -> Answer:
        if not may(ISOLATE):
            return write_denied(directory, request)
        found = named(directory, stars)
        return no_identity(stars[2]) if found is None else _isolate(directory, found, request)

    def needing(action: str, write: Write) -> Callable[[Request, list[str]], Answer]:
        def respond(request: Request, stars: list[str]) -> Answer:
            if not may(f"{RIGHT}/{action}"):
                return write_denied(directory, request)
            found = named(directory, stars[:3])
            return no_identity(stars[2]) if found is None else write(directory, found, stars[3], request)

        return respond

    return (
        *(Route("managed_identity.update", identity, isolate, method) for method in ("PATCH", "PUT")),
        Route("managed_identity.put_federated", path, needing("write", _put), "PUT"),
        Route("managed_identity.delete_federated", path, needing("delete", _delete), "DELETE"),
    )


def _isolate(directory: Directory, identity: ManagedIdentity, request: Request) -> Answer:
    try:
        asked = part_of(body_of(request), "properties").get("isolationScope", identity.isolation)
    except WriteError as problem:
        return error(problem.status, problem.code, str(problem))
    if asked not in _SCOPES:
        return error(400, "BadRequest", f"The isolation scope '{asked}' is not one of {', '.join(_SCOPES)}.")
    changed = replace(identity, isolation=asked)
    others = tuple(changed if one is identity else one for one in directory.estate.identities)
    directory.change(replace(directory.estate, identities=others))
    return answer(identity_resource(directory, changed, preview=request.query["api-version"].endswith("-preview")))


def _put(directory: Directory, identity: ManagedIdentity, name: str, request: Request) -> Answer:
    try:
        asked = part_of(body_of(request), "properties")
    except WriteError as problem:
        return error(problem.status, problem.code, str(problem))
    if not all(asked.get(member) for member in ("issuer", "subject", "audiences")):
        return error(400, "BadRequest", "issuer, subject and audiences of a federated identity credential are required.")
    others = tuple(one for one in identity.federated if one.name.lower() != name.lower())
    if any((one.issuer, one.subject) == (asked["issuer"], asked["subject"]) for one in others):
        message = f"Issuer and subject combination already exists for this Managed Identity: {identity.name}."
        return error(409, "Conflict", message)
    made = FederatedCredential(
        id=directory.guid("federated", identity.principal_id, name),
        name=name,
        issuer=asked["issuer"],
        subject=asked["subject"],
        audiences=tuple(asked["audiences"]),
    )
    status = 201 if len(others) == len(identity.federated) else 200
    directory.change(_with(directory.estate, identity, (*others, made)))
    return Answer(status, compact(federated_resource(identity, made, preview=False)), HEADERS)


def _delete(directory: Directory, identity: ManagedIdentity, name: str, _request: Request) -> Answer:
    kept = tuple(one for one in identity.federated if one.name.lower() != name.lower())
    if len(kept) == len(identity.federated):
        return Answer(204, b"", HEADERS)
    directory.change(_with(directory.estate, identity, kept))
    return answer({})


def _with(estate: Estate, identity: ManagedIdentity, federated: tuple[FederatedCredential, ...]) -> Estate:
    """The estate with these credentials of an identity; its service principal shows them, too."""
    return replace(
        estate,
        identities=tuple(
            replace(one, federated=federated) if one.principal_id == identity.principal_id else one for one in estate.identities
        ),
        service_principals=tuple(
            replace(one, federated=federated) if one.id == identity.principal_id else one for one in estate.service_principals
        ),
    )
