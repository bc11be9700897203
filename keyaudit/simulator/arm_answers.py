"""How Azure Resource Manager answers: headers, pages and errors."""

from collections.abc import Callable, Sequence

from keyaudit.simulator.pages import BadPageError, arm_page
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
