"""Checks a 401 before an official client acts on it: the authority that a vault names, and whether access was revoked."""

import re

from keyaudit.cloud.environment import Environment
from keyaudit.model.coverage import Refusal
from keyaudit.model.directory.hosts import aliases
from keyaudit.model.reasons import Reason
from keyaudit.model.values import base64url

MAX_CHALLENGE = 8_190
"""The maximum length of a challenge in characters; claims have a few hundred."""

_PARAMETER = re.compile(r'([A-Za-z_]+)="([^"]*)"')


def parameters(header: str) -> dict[str, str]:
    """The quoted parameters of a challenge; names in lower case. Of two with one name, the first."""
    found: dict[str, str] = {}
    for name, value in _PARAMETER.findall(header[:MAX_CHALLENGE]):
        found.setdefault(name.lower(), value)
    return found


def vault_refusal(header: str, environment: Environment, tenant: str, scope: str) -> Refusal | None:
    """Why the challenge of a vault or HSM is not to be answered; None if it asks for a token of `scope` in `tenant`.

    `scope` is the environment's for hosts of that kind, so that neither kind gets the other's token. The challenge may name the
    sign-in service by an alias, as older versions of Key Vault do; the token is requested at the environment's own host.
    """
    asked = parameters(header)
    authority = asked.get("authorization") or asked.get("authorization_uri", "")
    if len(header) > MAX_CHALLENGE or (not authority and "claims" not in asked):
        return Refusal(Reason.BAD_CHALLENGE, "an unreadable challenge", 401)
    # With claims the authority names no tenant (`common`), and the client uses that of the previous challenge.
    if "claims" not in asked:
        scheme, _, rest = authority.partition("://")
        host, _, path = rest.partition("/")
        if scheme.lower() != "https" or host.lower() not in aliases(environment.login):
            return Refusal(Reason.BAD_CHALLENGE, "it names another sign-in service", 401)
        if path.partition("/")[0].lower() != tenant:
            return Refusal(Reason.BAD_CHALLENGE, "it requests another tenant's token", 401)
    resource = scope.removesuffix("/.default")
    if asked.get("resource", resource).rstrip("/") != resource:
        return Refusal(Reason.BAD_CHALLENGE, "it requests a token for another resource", 401)
    if asked.get("scope", scope) != scope:
        return Refusal(Reason.BAD_CHALLENGE, "it requests a token for another scope", 401)
    return claims_refusal(header)


def claims_refusal(header: str) -> Refusal | None:
    """Why a challenge's claims are not to be passed on; None if it has none, or readable ones."""
    claims = parameters(header).get("claims")
    if claims is None:
        return None
    try:
        decoded = base64url.decoded(claims).decode()
    except ValueError:
        decoded = ""
    if not decoded.startswith("{"):
        return Refusal(Reason.AUTH_FAILED, "an unreadable claims challenge", 401)
    return None


def revokes(header: str) -> bool:
    """Whether a challenge says that the token given no longer suffices (continuous access evaluation)."""
    asked = parameters(header)
    return asked.get("error") == "insufficient_claims" or "claims" in asked
