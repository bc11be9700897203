"""The table of published token-signing keys."""

from keyaudit.model.schema.columns import Area, Table, Where, flag, text, unix_time, where_found
from keyaudit.model.schema.opens import WIDE
from keyaudit.model.schema.x509_columns import x509_columns

_ENTRA = ("login.metadata", "login.keys")
_APPLICATION = "login.app_keys"
_B2C = ("organization.type", "b2c.key_sets")
_ALL = (*_ENTRA, _APPLICATION, *_B2C)
_NO_CERTIFICATE = "no certificate is published with it"
_NOT_ENTRA = (Where("kind", ("application", "b2c")),)
"""Each of the tenant's keys names its issuer. https://learn.microsoft.com/entra/identity-platform/access-tokens"""

ISSUER_KEY = Table(
    name="issuer_key",
    order=210,
    area=Area.FEDERATION,
    noun="issuer key",
    plural="issuer keys",
    meaning="a key that verifies this tenant's tokens, as the tenant publishes it; for a B2C key, the properties from Graph",
    added_by=_ALL,
    parts={
        **dict.fromkeys(_ENTRA, ({"kind": "entra"},)),
        _APPLICATION: ({"kind": "application"},),
        **dict.fromkeys(_B2C, ({"kind": "b2c"},)),
    },
    opens=WIDE,
    columns=(
        *where_found(),
        text("kind", "the key's owner. entra: the tenant; application: one application; b2c: a B2C key set",
            values=("entra", "application", "b2c")),
        text("key_id", "kid"),
        text("key_set", "the B2C key set that contains it",
            absent="not of B2C", absent_where=(Where("kind", ("entra", "application")),)),
        text("app_id", "the client id of the application that owns the key",
            absent="not an application's own key", absent_where=(Where("kind", ("entra", "b2c")),)),
        text("use", "sig: for signing tokens; enc: for encrypting them", _ALL,
            absent="not stated, which allows both", values=("sig", "enc")),
        text("status", "whether a B2C key is in use", _B2C, absent="not a B2C key, or not stated",
            values=("enabled", "disabled")),
        text("token_issuer", "issuer: the issuer whose tokens it may sign; a relying party must compare it", _ENTRA,
            absent="not said", absent_where=_NOT_ENTRA),
        flag("for_consumers", "its issuer is the tenant of personal Microsoft accounts", _ENTRA,
            absent="no issuer is stated", absent_where=_NOT_ENTRA),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex; x5t where no certificate is published", _ALL,
            absent="neither is published"),
        unix_time("starts_on", "notBefore of its certificate; nbf of a B2C key", _ALL,
            absent=f"{_NO_CERTIFICATE}, or no date was set"),
        unix_time("expires_on", "notAfter of its certificate, after which it should not be published; exp of a B2C key", _ALL,
            absent=f"{_NO_CERTIFICATE}, or no date was set", follows="starts_on"),
        *x509_columns(_ALL, _NO_CERTIFICATE),
    ),
)
