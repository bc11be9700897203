"""The table of published token-signing keys."""

from keyaudit.model.columns import Column, Table, Type, Where, where_found
from keyaudit.model.tables.x509 import x509_columns

_ENTRA = ("login.metadata", "login.keys")
_APPLICATION = "login.app_keys"
_B2C = ("organization.type", "b2c.key_sets")
_ALL = (*_ENTRA, _APPLICATION, *_B2C)
_NO_CERTIFICATE = "no certificate is published with it"

ISSUER_KEY = Table(
    name="issuer_key",
    noun="issuer key",
    plural="issuer keys",
    meaning="a key that tokens of this tenant are checked by, as the tenant publishes it; of a B2C key, what Graph tells of it",
    added_by=_ALL,
    parts={
        **dict.fromkeys(_ENTRA, ({"kind": "entra"},)),
        _APPLICATION: ({"kind": "application"},),
        **dict.fromkeys(_B2C, ({"kind": "b2c"},)),
    },
    columns=(
        *where_found(),
        Column(
            name="kind",
            type=Type.TEXT,
            meaning="whose key. entra: the tenant's; application: one application's own; b2c: of a B2C key set",
            values=("entra", "application", "b2c"),
        ),
        Column(name="key_id", type=Type.TEXT, meaning="kid"),
        Column(
            name="key_set",
            type=Type.TEXT,
            meaning="the B2C key set that it is in",
            absent="not of B2C",
            absent_where=(Where("kind", ("entra", "application")),),
        ),
        Column(
            name="app_id",
            type=Type.TEXT,
            meaning="the application (client) id whose own key it is",
            absent="not an application's own",
            absent_where=(Where("kind", ("entra", "b2c")),),
        ),
        Column(
            name="use",
            type=Type.TEXT,
            meaning="sig: tokens are signed with it; enc: they are encrypted",
            operations=_ALL,
            absent="not said, which allows both",
            values=("sig", "enc"),
        ),
        Column(
            name="status",
            type=Type.TEXT,
            meaning="whether a B2C key is in use",
            operations=_B2C,
            absent="not of B2C, or not said",
            values=("enabled", "disabled"),
        ),
        Column(
            name="token_issuer",
            type=Type.TEXT,
            meaning="issuer: whose tokens it may sign, which a relying party has to compare",
            operations=_ENTRA,
            absent="not said",
        ),
        Column(
            name="for_consumers",
            type=Type.BOOLEAN,
            meaning="its issuer is the tenant of personal Microsoft accounts",
            operations=_ENTRA,
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
            meaning="notBefore of its certificate; nbf of a B2C key",
            operations=_ALL,
            absent=f"{_NO_CERTIFICATE}, or no date was set",
        ),
        Column(
            name="expires_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="notAfter of its certificate, after which it should not be published; exp of a B2C key",
            operations=_ALL,
            absent=f"{_NO_CERTIFICATE}, or no date was set",
            follows="starts_on",
        ),
        *x509_columns(_ALL, _NO_CERTIFICATE),
    ),
)
