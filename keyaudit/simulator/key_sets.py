"""Key sets: the keys that the tenant publishes to verify its tokens, and those of Azure AD B2C."""

from base64 import b64encode
from collections.abc import Iterable

from keyaudit.simulator import x509
from keyaudit.simulator.estate import Application, KeyCredential, ServicePrincipal, SetKey
from keyaudit.simulator.service import Directory
from keyaudit.simulator.tokens import encoded

_CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
_PRIVATE = ("k", "d", "p", "q", "dp", "dq", "qi")
CANARY = "canary-b2c-private-member"
"""The value of every private member of a B2C key, which no client may store."""


def of_tenant(directory: Directory, login: str, issued: bool) -> dict[str, object]:
    """The tenant's key set. `issued`: each key with the issuer whose tokens it signs, as version 2 has it."""

    def key(certificate: bytes, tenant: str) -> dict[str, object]:
        return {**_key(certificate), **({"issuer": f"{login}/{tenant}/v2.0"} if issued else {})}

    published = directory.estate.token_signing.published
    keys = [key(directory.tokens.certificate, directory.tenant_id)]
    keys += [key(one.certificate, _CONSUMERS if one.consumers else directory.tenant_id) for one in published]
    return {"keys": keys}


def shared(directory: Directory, login: str, consumers: Iterable[bool]) -> dict[str, object]:
    """The keys that tenants share: those for personal accounts, those for organizations, or both."""
    signing = directory.estate.token_signing
    keys = [(directory.tokens.certificate, False), (directory.tokens.for_consumers, True)]
    keys += [(one.certificate, one.consumers) for one in signing.published]
    found = [
        {**_key(certificate), "issuer": f"{login}/{_CONSUMERS if of_consumers else '{tenantid}'}/v2.0"}
        for certificate, of_consumers in keys
        if of_consumers in consumers
    ]
    return {"keys": found}


def of_application(directory: Directory, app_id: str) -> dict[str, object]:
    """The signing keys of one application, or else the tenant's."""
    estate = directory.estate
    holders: list[Application | ServicePrincipal] = [*estate.applications, *estate.service_principals]
    holders = [one for one in holders if one.app_id.lower() == app_id.lower()]
    own = [_key(one) for one in _signing(key for holder in holders for key in holder.keys)]
    return {"keys": own or [_key(directory.tokens.certificate)]}


def b2c_key(found: SetKey) -> dict[str, object]:
    """A key of a B2C key set as the documentation shows it, private members and all; the service leaves those empty."""
    shown = _key(found.certificate) if found.certificate else dict.fromkeys(("x5c", "x5t", "n", "e"))
    return {
        **dict.fromkeys(_PRIVATE, CANARY),
        **shown,
        "kid": found.kid,
        "kty": found.kty,
        "use": found.use,
        "status": found.status,
        "nbf": found.nbf,
        "exp": found.exp,
    }


def _signing(keys: Iterable[KeyCredential]) -> list[bytes]:
    return [key.certificate for key in keys if key.usage == "Sign" and key.certificate]


def _key(certificate: bytes) -> dict[str, object]:
    digest = encoded(bytes.fromhex(x509.thumbprint(certificate)))
    return {
        "kty": "RSA",
        "use": "sig",
        "kid": digest,
        "x5t": digest,
        "n": encoded(x509.modulus(certificate)),
        "e": "AQAB",
        "x5c": [b64encode(certificate).decode()],
    }
