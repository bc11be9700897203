"""Access tokens of the simulated tenant: signed JWTs, which every service checks."""

import base64
from collections.abc import Collection
from enum import Enum
from functools import cached_property

from msgspec import Struct

from keyaudit.simulator import x509
from keyaudit.simulator.wire import compact

LIFETIME = 3599
"""A token's lifetime in seconds, as in Entra's `expires_in`."""

# The maximum of issued tokens that a run remembers; older ones are treated as expired.
_KEPT = 10_000


class Issued(Struct, frozen=True):
    """The properties of an issued token."""

    audience: str
    tenant_id: str
    expires: float


class Flaw(Enum):
    """The reason why a service rejects a token."""

    MISSING = "missing"
    INVALID = "invalid"
    EXPIRED = "expired"
    AUDIENCE = "audience"
    TENANT = "tenant"


class Tokens:
    """Issues and checks the tokens of one run."""

    def __init__(self, tenant_id: str, as_of: int) -> None:
        """The signing key's certificate is valid for five years, like Entra's; a part of that has passed at `as_of`."""
        self._tenant_id, self._as_of = tenant_id, as_of
        self._issued: dict[str, Issued] = {}

    @cached_property
    def certificate(self) -> bytes:
        """The signing key's certificate, in DER."""
        return self._made(self._tenant_id, 290)

    @cached_property
    def for_consumers(self) -> bytes:
        """The certificate of the key for tokens of personal accounts."""
        return self._made(f"consumers of {self._tenant_id}", 130)

    def _made(self, key_name: str, age: int) -> bytes:
        start = self._as_of - age * 86_400
        return x509.certificate(
            "CN=accounts.accesscontrol.windows.net", key_name=key_name, start=start, end=start + 5 * 365 * 86_400
        )

    @cached_property
    def key_id(self) -> str:
        """The signing key's id, in the header of tokens and in the key set."""
        return encoded(bytes.fromhex(x509.thumbprint(self.certificate)))

    def sign(self, claims: dict[str, object]) -> str:
        """A compact JWS over the claims."""
        header = {"typ": "JWT", "alg": "RS256", "x5t": self.key_id, "kid": self.key_id}
        text = f"{encoded(compact(header))}.{encoded(compact(claims))}"
        return f"{text}.{encoded(x509.key(self._tenant_id).sign(text.encode()))}"

    def issue(self, claims: dict[str, object], now: float) -> str:
        """Issue an access token with these claims and its times; services accept it from now on."""
        start = int(now)
        token = self.sign({**claims, "iat": start, "nbf": start, "exp": start + LIFETIME})
        if len(self._issued) >= _KEPT:
            del self._issued[next(iter(self._issued))]
        self._issued[token] = Issued(str(claims["aud"]).rstrip("/"), str(claims["tid"]), start + LIFETIME)
        return token

    def flaw(self, authorization: str | None, audiences: Collection[str], now: float) -> Flaw | None:
        """What is wrong with an Authorization header, for a service of these audiences; None if nothing."""
        if authorization is None:
            return Flaw.MISSING
        scheme, _, token = authorization.partition(" ")
        issued = self._issued.get(token) if scheme.lower() == "bearer" else None
        if issued is None:
            return Flaw.INVALID
        if issued.audience not in audiences:
            return Flaw.AUDIENCE
        if issued.tenant_id != self._tenant_id:
            return Flaw.TENANT
        return Flaw.EXPIRED if now >= issued.expires else None

    def audience(self, authorization: str) -> str:
        """The audience of a known token, for an error text; empty for an unknown one."""
        issued = self._issued.get(authorization.partition(" ")[2])
        return issued.audience if issued else ""


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> str:
    """Text from base64url without padding; raises ValueError for anything else."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
