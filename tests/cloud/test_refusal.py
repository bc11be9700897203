"""What Azure's refusals mean: each status and code as one reason, and never a word of what Azure wrote about people."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.cloud.refusal import refusal_of, sign_in_refusal
from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import Surface
from keyaudit.model.reasons import Reason

VAULT, ARM, GRAPH = Surface.VAULT, Surface.ARM, Surface.GRAPH


def _of(surface: Surface, status: int, code: str = "", inner: str = "", message: str = "words") -> Refusal:
    error: dict[str, object] = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": inner}
    return refusal_of(surface, status, {}, json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    ("surface", "status", "code", "inner", "reason"),
    [
        (VAULT, 403, "Forbidden", "ForbiddenByFirewall", Reason.FIREWALL),
        (VAULT, 403, "Forbidden", "ForbiddenByNsp", Reason.FIREWALL),
        (VAULT, 403, "Forbidden", "ForbiddenByConnection", Reason.PRIVATE_ONLY),
        (VAULT, 403, "Forbidden", "ForbiddenByRbac", Reason.PERMISSION),
        (VAULT, 403, "Forbidden", "ForbiddenByPolicy", Reason.PERMISSION),
        (VAULT, 403, "Forbidden", "AccessDenied", Reason.PERMISSION),
        (VAULT, 403, "Forbidden", "SomethingNew", Reason.PERMISSION),
        (VAULT, 404, "KeyNotFound", "", Reason.VANISHED),
        (VAULT, 409, "Conflict", "ObjectIsBeingDeleted", Reason.VANISHED),
        (VAULT, 401, "Unauthorized", "", Reason.AUTH_FAILED),
        (VAULT, 429, "Throttled", "", Reason.THROTTLED),
        (ARM, 403, "AuthorizationFailed", "", Reason.PERMISSION),
        (ARM, 401, "InvalidAuthenticationToken", "", Reason.AUTH_FAILED),
        (ARM, 401, "InvalidAuthenticationTokenTenant", "", Reason.OTHER_TENANT),
        (ARM, 404, "SubscriptionNotFound", "", Reason.VANISHED),
        (ARM, 404, "ResourceNotFound", "", Reason.VANISHED),
        (ARM, 400, "InvalidApiVersionParameter", "", Reason.API_RETIRED),
        (ARM, 400, "NoRegisteredProviderFound", "", Reason.API_RETIRED),
        (ARM, 404, "InvalidResourceType", "", Reason.API_RETIRED),
        (ARM, 410, "Gone", "", Reason.API_RETIRED),
        (ARM, 400, "BadRequest", "", Reason.UNRECOGNISED),
        (GRAPH, 400, "Request_UnsupportedQuery", "", Reason.UNRECOGNISED),
        (GRAPH, 400, "Directory_ExpiredPageToken", "", Reason.TRUNCATED),
        (GRAPH, 403, "Authorization_RequestDenied", "", Reason.PERMISSION),
        (GRAPH, 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "", Reason.NOT_LICENSED),
        (GRAPH, 400, "AadPremiumLicenseRequired", "", Reason.NOT_LICENSED),
        (GRAPH, 404, "Request_ResourceNotFound", "", Reason.VANISHED),
        (GRAPH, 504, "GatewayTimeout", "", Reason.TIMEOUT),
        (GRAPH, 408, "Timeout", "", Reason.TIMEOUT),
        (GRAPH, 500, "Whatever", "", Reason.SERVICE_ERROR),
        (GRAPH, 302, "Found", "", Reason.REDIRECTED),
    ],
)
def test_each_refusal_has_its_reason(surface: Surface, status: int, code: str, inner: str, reason: Reason) -> None:
    found = _of(surface, status, code, inner)
    assert found.reason is reason
    assert found.status == status
    if reason is not Reason.REDIRECTED:
        assert found.detail == "/".join(part for part in (code, inner) if part)


def test_a_vault_of_another_tenant_says_so_by_its_issuer() -> None:
    found = _of(VAULT, 401, "Unauthorized", message="AKV10032: Invalid issuer. Expected one of https://sts.windows.net/…")
    assert found == Refusal(Reason.TENANT_MOVED, "Unauthorized", 401)


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        (403, {"content-type": "text/html"}, b"<html>", Reason.INTERCEPTED),
        (404, {"content-type": "text/html"}, b"<html>", Reason.INTERCEPTED),
        (403, {}, b"", Reason.INTERCEPTED),
        (511, {"content-type": "text/html"}, b"<html>", Reason.INTERCEPTED),
        (400, {}, b"not json", Reason.BAD_BODY),
        (404, {}, b'{"message":"no error in it"}', Reason.BAD_BODY),
        (404, {}, b'{"error":"invalid_request"}', Reason.BAD_BODY),
        (404, {}, b'{"error":{"code":7}}', Reason.BAD_BODY),
        (404, {}, b"[" * 200_000, Reason.BAD_BODY),
        (500, {"content-type": "text/html"}, b"<html>", Reason.SERVICE_ERROR),
        (503, {}, b"", Reason.SERVICE_ERROR),
    ],
)
def test_an_answer_without_azures_error_is_not_taken_for_azures(
    status: int, headers: dict[str, str], body: bytes, reason: Reason
) -> None:
    assert refusal_of(ARM, status, headers, body).reason is reason


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (404, "NotFound", Reason.VANISHED),
        (403, "AuthorizationFailed", Reason.PERMISSION),
        (401, "InvalidAuthenticationTokenTenant", Reason.OTHER_TENANT),
        (400, "NoRegisteredProviderFound", Reason.API_RETIRED),
        (404, "no code at all", Reason.BAD_BODY),
    ],
)
def test_an_error_of_arm_may_come_without_its_wrapper(status: int, code: str, reason: Reason) -> None:
    body = json.dumps({"code": code, "message": "words"}).encode()
    found = refusal_of(ARM, status, {}, body)
    assert found.reason is reason
    if reason is not Reason.BAD_BODY:
        assert found == Refusal(reason, code, status)
    # Key Vault and Graph always send it.
    for surface in (VAULT, GRAPH):
        if status == 404:
            assert refusal_of(surface, status, {}, body).reason is Reason.BAD_BODY


@given(st.text(max_size=100), st.text(max_size=100), st.integers(400, 599), st.sampled_from(list(Surface)))
def test_nothing_but_a_code_is_taken_over(code: str, message: str, status: int, surface: Surface) -> None:
    found = _of(surface, status, code, code, message)
    assert len(found.detail) <= 200
    assert found.detail.isascii()
    assert found.detail.isprintable()
    words = set(found.detail.replace("/", " ").split())
    assert words <= {code} | set(f"{status} with no error code instead of Azure's response status {status}".split())


def test_a_firewalls_address_and_caller_stay_out() -> None:
    message = "Client address is not authorized.\r\nClient address: 203.0.113.7\r\nCaller: appid=1;oid=2;iss=https://sts"
    assert _of(VAULT, 403, "Forbidden", "ForbiddenByFirewall", message).detail == "Forbidden/ForbiddenByFirewall"


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        ("AADSTS7000215: Invalid client secret provided. Trace ID: 1", "AADSTS7000215"),
        ("Azure CLI not found on path", "the Azure CLI is not installed"),
        ("Please run 'az login' to set up an account", "the Azure CLI is not signed in"),
        ("anything with a secret=abc", "no token was issued"),
    ],
)
def test_a_failed_sign_in_is_told_by_code_or_known_phrase(message: str, detail: str) -> None:
    assert sign_in_refusal(message) == Refusal(Reason.AUTH_FAILED, detail)
