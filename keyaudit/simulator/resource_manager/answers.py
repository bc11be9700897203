"""How Azure Resource Manager answers: headers, pages and errors."""

from collections.abc import Callable, Sequence

from keyaudit.simulator.pages import BadPageError, arm_page
from keyaudit.simulator.service import Directory
from keyaudit.simulator.wire import JSON, Answer, Request, compact

HEADERS = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Content-Type": JSON,
    "Expires": "-1",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
KEY_VAULT_HEADERS = {**HEADERS, "x-ms-keyvault-service-version": "1.5.1361.0"}
_VERBS = {"PUT": "write", "PATCH": "write", "DELETE": "delete"}


def answer(body: object, headers: dict[str, str] = HEADERS) -> Answer:
    """Status 200 with `body`."""
    return Answer(200, compact(body), headers, compressible=True)


def page(request: Request, names: Sequence[str], item: Callable[[int], object], **empty: int) -> Answer:
    """A page of what `names` are, in their order; `empty` as `arm_page` takes it."""
    try:
        return answer(arm_page(request, names, item, **empty), KEY_VAULT_HEADERS)
    except BadPageError as problem:
        return error(400, "BadRequest", str(problem))


def error(status: int, code: str, message: str, headers: dict[str, str] = HEADERS) -> Answer:
    """An error as ARM words it."""
    return Answer(status, compact({"error": {"code": code, "message": message}}), headers)


def no_resource(kind: str, group: str, name: str) -> Answer:
    """The 404 for a resource of that type, which ARM itself answers."""
    message = (
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return error(404, "ResourceNotFound", message, {**HEADERS, "x-ms-failure-cause": "gateway"})


def denied(directory: Directory, action: str, scope: str) -> Answer:
    """The 403 for an action that no role of the identity allows."""
    who = f"The client '{directory.client_id}' with object id '{directory.object_id}'"
    message = (
        f"{who} does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials."
    )
    return error(403, "AuthorizationFailed", message)


def write_denied(directory: Directory, request: Request) -> Answer:
    """The 403 for a request that changes something, or that calls an action with POST, such as listKeys."""
    segments = request.segments
    verb = _VERBS.get(request.method)
    kinds = _kinds(segments)
    if verb is None:
        segments, verb = segments[:-1], f"{kinds.rpartition('/')[2]}/action"
        kinds = _kinds(segments)
    return denied(directory, f"{kinds}/{verb}", f"/{'/'.join(segments)}")


def unknown(request: Request) -> Answer:
    """The 404 for a path without a resource type that is served here."""
    if not request.segments or request.segments[0].lower() not in ("subscriptions", "providers"):
        message = "The request did not have a subscription or a valid tenant level resource provider."
        return error(404, "MissingSubscription", message)
    namespace, _, kind = _kinds(request.segments).partition("/")
    version = request.query.get("api-version", "")
    message = f"The resource type '{kind}' could not be found in the namespace '{namespace}' for api version '{version}'."
    return error(404, "InvalidResourceType", message)


def _kinds(segments: Sequence[str]) -> str:
    """The type of a resource by its path, with its namespace: `Microsoft.KeyVault/vaults/keys`."""
    named = [index for index, segment in enumerate(segments) if segment.lower() == "providers"]
    if not named:
        return "/".join(("Microsoft.Resources", *segments[::2]))
    return "/".join((*segments[named[-1] + 1 : named[-1] + 2], *segments[named[-1] + 2 :: 2]))
