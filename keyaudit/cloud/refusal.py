"""Maps an answer without data (status, code and inner code), or a transport failure, to one closed list of reasons."""

import re
from collections.abc import Mapping

import msgspec

from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import Surface
from keyaudit.model.reasons import Reason

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which a retry may succeed, also for a Resource Graph POST, which only reads."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
# This ARM code contains spaces: the resource provider is not registered in the subscription.
_UNREGISTERED = "Subscription Not Registered"
_SIGN_IN_CODE = re.compile(r"AADSTS\d{4,9}")

# learn.microsoft.com/azure/key-vault/general/common-error-codes and rest-error-codes
_VAULT_FORBIDDEN = {
    "ForbiddenByFirewall": Reason.FIREWALL,
    "ForbiddenByConnection": Reason.PRIVATE_ONLY,
    "ForbiddenByNsp": Reason.FIREWALL,
    "ForbiddenByNetworkSecurityPerimeter": Reason.FIREWALL,
}
_RETIRED = frozenset(
    {
        "InvalidApiVersionParameter",
        "NoRegisteredProviderFound",
        "InvalidResourceType",
        "UnsupportedApiVersion",
        "ApiVersionNotSupported",
    }
)
# Reports answer 403 with the first two, role management 400 with the last.
_UNLICENSED = frozenset(
    {
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Authentication_RequestFromNonPremiumTenant",
        "AadPremiumLicenseRequired",
    }
)
_BEING_DELETED = frozenset({"ObjectIsBeingDeleted", "ResourceGroupBeingDeleted", "VaultBeingDeleted"})
# The link of a very long list has expired.
_EXPIRED_PAGES = frozenset({"Directory_ExpiredPageToken", "ExpiredPageToken"})
_OF_ANOTHER_TENANT = frozenset({"InvalidAuthenticationTokenTenant", "TenantMismatch"})
# learn.microsoft.com/graph/errors, key-vault/general/rest-error-codes and azure-resource-manager/troubleshooting
_OTHERS = frozenset(
    {
        *("AccessDenied", "AuthenticationFailed", "Authorization_RequestDenied", "AuthorizationFailed", "BadParameter"),
        *("BadRequest", "CertificateNotFound", "Conflict", "Directory_ResultSizeLimitExceeded", "Forbidden", "Gone"),
        *("InternalServerError", "InvalidAuthenticationToken", "KeyNotFound", "MissingSubscriptionRegistration", "NotFound"),
        *("ParentResourceNotFound", "Request_BadRequest", "Request_ResourceNotFound", "Request_UnsupportedQuery"),
        *("ResourceGroupNotFound", "ResourceNotFound", "SecretNotFound", "ServiceUnavailable", "SubscriptionNotFound"),
        *("Throttled", "TooManyRequests", "Unauthorized", "UnknownError"),
    }
)
CODES = frozenset(
    {*_VAULT_FORBIDDEN, *_RETIRED, *_UNLICENSED, *_BEING_DELETED, *_EXPIRED_PAGES, *_OF_ANOTHER_TENANT, *_OTHERS, _UNREGISTERED}
)
"""Documented codes of errors."""


class Refused(Exception):  # noqa: N818 - carries a refusal through the official clients, and never leaves cloud/
    """A request that was not sent, or whose answer was not accepted."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.detail)


class _Inner(msgspec.Struct):
    code: str = ""


class _Error(msgspec.Struct):
    code: str = ""
    message: str = ""
    innererror: _Inner | None = None


class _Body(msgspec.Struct):
    error: _Error


class _Bare(msgspec.Struct):
    code: str
    message: str


_BODY = msgspec.json.Decoder(_Body)
_BARE = msgspec.json.Decoder(_Bare)


def refusal_of(surface: Surface, status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """The refusal in an answer whose status is not 200. Its detail contains only Azure's codes."""
    error = _error(surface, body)
    code = _word(error.code) if error else ""
    inner = _word(error.innererror.code) if error and error.innererror else ""
    detail = "/".join(part for part in (code, inner) if part)
    reason = _reason(surface, status, error, code, inner)
    if reason is None:
        page = "text/html" in headers.get("content-type", "").lower()
        reason = Reason.INTERCEPTED if page or status in (403, 511) else Reason.BAD_BODY
        detail = f"{status} with {'a web page' if page else 'no error code'} instead of Azure's response"
    elif reason is Reason.REDIRECTED:
        detail = f"{status}, not followed"
    return Refusal(reason, detail or f"status {status}", status)


def _reason(surface: Surface, status: int, error: _Error | None, code: str, inner: str) -> Reason | None:
    """None if the answer is not in Azure's format."""
    if reason := _of_status(status):
        return reason
    if status == 401:
        return _unauthorised(error, code)
    if not code:
        return None
    if status == 403:
        return _forbidden(surface, code, inner)
    return _of_code(status, code, inner)


def _of_status(status: int) -> Reason | None:
    """The reasons of statuses that do not depend on the body."""
    if 300 <= status < 400:
        return Reason.REDIRECTED
    if status == 429:
        return Reason.THROTTLED
    if status in (408, 504):
        return Reason.TIMEOUT
    # 511 comes from a captive portal.
    return Reason.SERVICE_ERROR if status >= 500 and status != 511 else None


def _of_code(status: int, code: str, inner: str) -> Reason:
    if not _UNLICENSED.isdisjoint((code, inner)):
        return Reason.NOT_LICENSED
    if code in _RETIRED or status == 410:
        return Reason.API_RETIRED
    if status == 404 or not _BEING_DELETED.isdisjoint((code, inner)):
        return Reason.VANISHED
    if not _EXPIRED_PAGES.isdisjoint((code, inner)):
        return Reason.TRUNCATED
    # Azure refuses a documented request, in general or in this tenant.
    return Reason.UNRECOGNISED


def _unauthorised(error: _Error | None, code: str) -> Reason:
    if code in _OF_ANOTHER_TENANT:
        return Reason.OTHER_TENANT
    # AKV10032: the token's issuer is not the vault's tenant.
    if error and error.message.startswith("AKV10032"):
        return Reason.TENANT_MOVED
    return Reason.AUTH_FAILED


def _forbidden(surface: Surface, code: str, inner: str) -> Reason:
    if surface in (Surface.VAULT, Surface.MANAGED_HSM):
        return _VAULT_FORBIDDEN.get(inner, Reason.PERMISSION)
    if code in _UNLICENSED or inner in _UNLICENSED:
        return Reason.NOT_LICENSED
    return Reason.PERMISSION


def sign_in_refusal(message: str) -> Refusal:
    """The refusal for a credential's error message. Only the sign-in code, or the meaning of a known phrase, is kept."""
    if code := _SIGN_IN_CODE.search(message):
        return Refusal(Reason.AUTH_FAILED, code[0])
    for phrase, meaning in _PHRASES:
        if phrase in message:
            return Refusal(Reason.AUTH_FAILED, meaning)
    return Refusal(Reason.AUTH_FAILED, "no token was issued")


NO_CLI = "the Azure CLI is not installed"
# Phrases of azure-identity's own messages; none contains data of the tenant.
_PHRASES = (
    ("not found on path", NO_CLI),
    ("az login", "the Azure CLI is not signed in"),
    ("Timed out waiting for Azure CLI", "the Azure CLI did not respond in time"),
    ("Timed out waiting for user", "nobody entered the code in time"),
    ("IMDS endpoint", "no managed identity endpoint responds"),
    ("No identity has been assigned", "no managed identity is assigned here"),
    ("identity has not been assigned", "that managed identity is not assigned here"),
    ("OIDC token", "Azure Pipelines gave no OIDC token"),
)


def _error(surface: Surface, body: bytes) -> _Error | None:
    try:
        return _BODY.decode(body).error
    except msgspec.ValidationError:
        return _bare(body) if surface is Surface.ARM else None
    except (msgspec.MsgspecError, RecursionError):
        return None


def _bare(body: bytes) -> _Error | None:
    """The error of a resource provider that leaves out the wrapper `error`; azure.core's own ODataV4Format reads both forms."""
    try:
        found = _BARE.decode(body)
    except msgspec.MsgspecError:
        return None
    return _Error(found.code, found.message)


def _word(text: str) -> str:
    return text if text == _UNREGISTERED or _CODE.fullmatch(text) else ""
