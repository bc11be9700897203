"""The table of token-signing keys that several tenants share."""

from keyaudit.model.relying_parties import SHARED_AUTHORITIES
from keyaudit.model.schema.columns import Area, Table, flag, text, time, where_found
from keyaudit.model.schema.opens import WIDE

SHARED = {name: f"login.{name}_keys" for name in SHARED_AUTHORITIES}
"""The authorities under which Entra publishes keys for several tenants, with the operation that reads each."""

_ALL = tuple(SHARED.values())
_NO_CERTIFICATE = "no certificate is published with it"

SHARED_KEY = Table(
    name="shared_key",
    order=220,
    area=Area.FEDERATION,
    noun="shared issuer key",
    plural="shared issuer keys",
    meaning="a key that Entra publishes to verify the tokens of many tenants",
    added_by=_ALL,
    parts={operation: ({"authority": name},) for name, operation in SHARED.items()},
    replaced=False,
    opens=WIDE,
    columns=(
        *where_found(),
        text("authority", "the tenant name in its address: common, organizations or consumers", values=tuple(SHARED)),
        text("key_id", "kid"),
        text("token_issuer", "issuer: the issuer whose tokens it may sign; {tenantid} in it stands for any organization", _ALL,
            absent="not said"),
        flag("for_consumers", "its issuer is the tenant of personal Microsoft accounts", _ALL, absent="no issuer is stated"),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex; x5t where no certificate is published", _ALL,
            absent="neither is published"),
        time("starts_on", "notBefore of its certificate", _ALL, absent=_NO_CERTIFICATE),
        time("expires_on", "notAfter of its certificate, after which it should not be published", _ALL,
            absent=_NO_CERTIFICATE, follows="starts_on"),
    ),
)
