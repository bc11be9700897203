"""The table of trusted certificate authorities."""

from keyaudit.model.columns import Column, Table, Type, Where, where_found
from keyaudit.model.tables.x509 import x509_columns

_PKI = ("pki.list", "pki.authorities")
_CLASSIC = "classic_authority.list"
_APPLICATIONS = "app_authority.list"
_ALL = (*_PKI, _CLASSIC, _APPLICATIONS)
_OF_PKI = ({"kind": "pki"},)

TRUSTED_AUTHORITY = Table(
    name="trusted_authority",
    noun="trusted certificate authority",
    plural="trusted certificate authorities",
    meaning="an authority whose certificates people can sign in with, or that an application's certificates must come from",
    added_by=_ALL,
    parts={
        "pki.list": _OF_PKI,
        "pki.authorities": _OF_PKI,
        _CLASSIC: ({"kind": "classic"},),
        _APPLICATIONS: ({"kind": "application"},),
    },
    columns=(
        *where_found("pki.authorities"),
        Column(
            name="kind",
            type=Type.TEXT,
            meaning="where it is kept. pki, classic: people sign in with its certificates; application: for applications",
            values=("pki", "classic", "application"),
        ),
        Column(name="store_id", type=Type.TEXT, meaning="id of the store that holds it"),
        Column(
            name="store_name",
            type=Type.TEXT,
            meaning="display name of that store",
            operations=("pki.list", _APPLICATIONS),
            absent="it has no name",
        ),
        Column(
            name="is_root",
            type=Type.BOOLEAN,
            meaning="trusted as a root; else as an intermediate authority",
            operations=_ALL,
        ),
        Column(
            name="crl_url",
            type=Type.TEXT,
            meaning="where its revocation list is looked up",
            operations=(*_PKI, _CLASSIC),
            absent="none is set, so that its revocations are not seen; or it is for applications",
        ),
        Column(
            name="delta_crl_url",
            type=Type.TEXT,
            meaning="where changes to that list are looked up",
            operations=(*_PKI, _CLASSIC),
            absent="none is set, or it is for applications",
        ),
        Column(
            name="created_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when it was added",
            operations=_PKI,
            absent="only a public key infrastructure keeps the date",
            past=True,
            absent_where=(Where("kind", ("classic", "application")),),
        ),
        Column(
            name="thumbprint",
            type=Type.TEXT,
            meaning="SHA-1 of the certificate in upper-case hex",
            operations=_ALL,
        ),
        Column(
            name="starts_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="notBefore of the certificate",
            operations=_ALL,
        ),
        Column(
            name="expires_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="notAfter of the certificate",
            operations=_ALL,
            follows="starts_on",
        ),
        *x509_columns(_ALL),
    ),
)
