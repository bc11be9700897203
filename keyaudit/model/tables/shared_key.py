"""The table of token-signing keys that tenants share."""

from keyaudit.model.columns import Column, Table, Type, where_found
from keyaudit.model.relying_parties import SHARED_AUTHORITIES

SHARED = {name: f"login.{name}_keys" for name in SHARED_AUTHORITIES}
"""The authorities under which Entra publishes keys for tenants at once, with the operation that reads each."""

_ALL = tuple(SHARED.values())
_NO_CERTIFICATE = "no certificate is published with it"

SHARED_KEY = Table(
    name="shared_key",
    noun="shared issuer key",
    plural="shared issuer keys",
    meaning="a key that Entra publishes for checking the tokens of many tenants at once",
    added_by=_ALL,
    parts={operation: ({"authority": name},) for name, operation in SHARED.items()},
    replaced=False,
    columns=(
        *where_found(),
        Column(name="authority", type=Type.TEXT, meaning="what it is published under", values=tuple(SHARED)),
        Column(name="key_id", type=Type.TEXT, meaning="kid"),
        Column(
            name="token_issuer",
            type=Type.TEXT,
            meaning="issuer: whose tokens it may sign; {tenantid} in it stands for any organization",
            operations=_ALL,
            absent="not said",
        ),
        Column(
            name="for_consumers",
            type=Type.BOOLEAN,
            meaning="its issuer is the tenant of personal Microsoft accounts",
            operations=_ALL,
            absent="no issuer is said",
        ),
        Column(
            name="thumbprint",
            type=Type.TEXT,
            meaning="SHA-1 of the certificate in upper-case hex; x5t where no certificate is published",
            operations=_ALL,
            absent="neither is published",
        ),
        Column(
            name="starts_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="notBefore of its certificate",
            operations=_ALL,
            absent=_NO_CERTIFICATE,
        ),
        Column(
            name="expires_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="notAfter of its certificate, after which it should not be published",
            operations=_ALL,
            absent=_NO_CERTIFICATE,
            follows="starts_on",
        ),
    ),
)
