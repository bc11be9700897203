"""The token cache of all official clients: one request per scope, refreshed in time, for the audited tenant only."""

import asyncio
from typing import Any, Protocol

import msgspec
from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from msgspec import Struct
from msgspec.structs import replace

from keyaudit.cloud.clock import Clock
from keyaudit.cloud.environment import Environment
from keyaudit.cloud.failures import failure_of
from keyaudit.cloud.refusal import RETRIED, Refused, sign_in_refusal
from keyaudit.model.coverage import Refusal
from keyaudit.model.errors import UnsafeError
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY

MARGIN = 300
"""Seconds before expiry at which a token is replaced; azure-identity's own caches drop it at the same time."""

FAILURES = (AzureError, OSError, ValueError, LookupError, TypeError, ArithmeticError)
"""The exceptions of credentials: azure-identity fails in various ways on answers with missing or odd members."""

NO_ANSWER = "at the sign-in service: "
"""The beginning of a refusal's detail if the sign-in service could not be reached."""

_ATTEMPTS = 4
_FAILURE_KEPT = 60.0


class Credential(Protocol):
    """The interface of credentials of azure.identity.aio."""

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """A token for one scope."""
        ...

    async def close(self) -> None:
        """Close the credential."""
        ...


class Claims(msgspec.Struct):
    """The identity claims of a token. Azure validates the token; keyaudit only compares the tenant."""

    tid: str = ""
    upn: str = ""
    unique_name: str = ""
    preferred_username: str = ""
    app_displayname: str = ""
    appid: str = ""
    azp: str = ""
    oid: str = ""


def claims_of(token: str) -> Claims | None:
    """The claims of a token, or None if it cannot be decoded."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        # msgspec reads base64 strictly, in the standard alphabet.
        return msgspec.json.decode(msgspec.convert(padded.translate(_STANDARD), bytes), type=Claims)
    except (msgspec.MsgspecError, RecursionError):
        return None


_STANDARD = str.maketrans("-_", "+/")


class _CachedToken(Struct, frozen=True):
    token: AccessTokenInfo
    claims: str | None
    renew: float
    """When to replace it, on the monotonic clock, which stops while a machine is suspended; the others are wall-clock times."""
    renew_on: int
    end: float
    end_on: int


class Tokens:
    """An AsyncTokenCredential for this cloud's scopes and the audited tenant. Any other request raises Refused.

    Token requests for a vault's challenge arrive here and are checked. A token of another tenant raises UnsafeError, which ends
    the run.
    """

    def __init__(self, environment: Environment, clock: Clock) -> None:
        self.tenant = ""
        """The audited tenant, a GUID in lower case; no token is returned before it is set."""
        self._credential: Credential | None = None
        self._environment, self._clock = environment, clock
        self._cache: dict[str, _CachedToken] = {}
        self._failed: dict[str, tuple[Refusal, float]] = {}
        self._locks: dict[str, asyncio.Lock] = {scope: asyncio.Lock() for scope in environment.scopes}
        self._revoked: Refusal | None = None

    @property
    def revoked(self) -> Refusal | None:
        """Set after access was revoked: from then on no token is returned."""
        return self._revoked

    def revoke(self, status: int) -> Refusal:
        """Azure refused the token for its claims challenge: return no tokens from now on."""
        self._revoked = Refusal(Reason.IDENTITY_REVOKED, "insufficient_claims", status)
        return self._revoked

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,  # noqa: ARG002 - always requested
        **_: Any,
    ) -> AccessToken:
        """For the Graph client."""
        token = await self._get(scopes, claims, tenant_id)
        return AccessToken(token.token, token.expires_on)

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """For azure-core's policies and the Key Vault client."""
        asked = options or {}
        return await self._get(scopes, asked.get("claims"), asked.get("tenant_id"))

    async def close(self) -> None:
        """Does nothing: the credential belongs to the connection."""

    async def __aenter__(self) -> "Tokens":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Does nothing, see close."""

    async def sign_in(self, credential: Credential) -> Claims:
        """Use this credential from now on. Returns the claims of its first token, for Resource Manager.

        Raises Refused if there is no token, UnsafeError for a token without a tenant.
        """
        scope = self._environment.arm_scope
        async with self._locks[scope]:
            self._credential = credential
            self._failed.clear()
            token = await self._ask(scope, None)
            claims = claims_of(token.token)
            if claims is None or not claims.tid:
                raise UnsafeError("sign-in", "the token does not name its tenant", "sign in with another --auth")
            self._keep(scope, token, None)
        return claims

    async def _get(self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None) -> AccessTokenInfo:
        scope = self._allowed(scopes, tenant_id)
        async with self._locks[scope]:
            if self._revoked:
                raise Refused(self._revoked)
            held = self._cache.get(scope)
            serves = held is not None and (claims is None or claims == held.claims)
            if held and serves and self._before(held.renew, held.renew_on):
                return held.token
            try:
                token = await self._ask(scope, claims)
            except Refused:
                # Renewed before it expires, so that a short outage of the sign-in service has no effect.
                if held and serves and not self._revoked and self._before(held.end, held.end_on):
                    return held.token
                raise
            found = claims_of(token.token)
            if found is None or found.tid.lower() != self.tenant:
                raise UnsafeError(
                    "sign-in",
                    f"a token of tenant {found.tid if found else 'unknown'} was issued, but {self.tenant} is audited",
                    "sign in to the audited tenant",
                )
            self._keep(scope, token, claims or (held.claims if held else None))
            return token

    def _allowed(self, scopes: tuple[str, ...], tenant_id: str | None) -> str:
        if len(scopes) != 1 or scopes[0] not in self._locks:
            raise Refused(Refusal(Reason.BAD_CHALLENGE, "a token for another resource was requested"))
        if not self.tenant or (tenant_id is not None and tenant_id.lower() != self.tenant):
            raise Refused(Refusal(Reason.BAD_CHALLENGE, "another tenant's token was requested"))
        return scopes[0]

    def _keep(self, scope: str, token: AccessTokenInfo, claims: str | None) -> None:
        left = min(max(token.expires_on - self._clock.now(), 0), DAY)
        ahead = left - min(MARGIN, left // 4)
        monotonic, now = self._clock.monotonic(), self._clock.now()
        self._cache[scope] = _CachedToken(token, claims, monotonic + ahead, now + ahead, monotonic + left, now + left)

    def _before(self, monotonic: float, now: int) -> bool:
        return self._clock.monotonic() < monotonic and self._clock.now() < now

    async def _ask(self, scope: str, claims: str | None) -> AccessTokenInfo:
        failed = self._failed.get(scope)
        if failed and self._clock.monotonic() < failed[1]:
            raise Refused(failed[0])
        if self._credential is None:
            raise RuntimeError("nobody has signed in")
        options: TokenRequestOptions = {"enable_cae": True}
        if claims is not None:
            options["claims"] = claims
        refusal = Refusal(Reason.AUTH_FAILED)
        for attempt in range(_ATTEMPTS):
            if attempt:
                await self._clock.sleep(2.0 ** (attempt - 1))
            try:
                return _checked(await self._credential.get_token_info(scope, options=options))
            except FAILURES as error:
                refusal, again = self._why(error, claims)
                if not again:
                    break
        self._failed[scope] = refusal, self._clock.monotonic() + _FAILURE_KEPT
        raise Refused(refusal)

    def _why(self, error: Exception, claims: str | None) -> tuple[Refusal, bool]:
        response = error.response if isinstance(error, HttpResponseError) else None
        status = response.status_code or 0 if response is not None else 0
        if isinstance(error, ClientAuthenticationError | ValueError | LookupError | TypeError | ArithmeticError) or status:
            refusal = replace(sign_in_refusal(str(error)), status=status)
            if claims is not None and status not in RETRIED:
                self._revoked = refusal = Refusal(Reason.IDENTITY_REVOKED, f"new claims were requested: {refusal.detail}")
            return refusal, status in RETRIED
        refusal, again = failure_of(error, self._environment.login)
        return Refusal(Reason.AUTH_FAILED, f"{NO_ANSWER}{refusal.detail}"), again


def _checked(token: AccessTokenInfo) -> AccessTokenInfo:
    """The token. Raises TypeError if it is none: azure-identity returns the member of the answer as it is."""
    text: object = token.token
    if not isinstance(text, str) or not text:
        raise TypeError("a response without a token")
    return token
