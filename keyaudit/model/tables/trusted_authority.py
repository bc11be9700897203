"""The table of trusted certificate authorities."""

from keyaudit.model.columns import Area, Table, Where, flag, text, time, where_found
from keyaudit.model.x509_columns import x509_columns

_PKI = ("pki.list", "pki.authorities")
_CLASSIC = "classic_authority.list"
_APPLICATIONS = "app_authority.list"
_ALL = (*_PKI, _CLASSIC, _APPLICATIONS)
_OF_PKI = ({"kind": "pki"},)

TRUSTED_AUTHORITY = Table(
    name="trusted_authority",
    order=200,
    area=Area.FEDERATION,
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
        text("kind", "where it is kept. pki, classic: people sign in with its certificates; application: for applications",
            values=("pki", "classic", "application")),
        text("store_id", "id of the store that holds it"),
        text("store_name", "display name of that store", ("pki.list", _APPLICATIONS), absent="it has no name"),
        flag("is_root", "trusted as a root; else as an intermediate authority", _ALL),
        text("crl_url", "where its revocation list is looked up", (*_PKI, _CLASSIC),
            absent="none is set, so that its revocations are not seen; or it is for applications"),
        text("delta_crl_url", "where changes to that list are looked up", (*_PKI, _CLASSIC),
            absent="none is set, or it is for applications"),
        time("created_on", "when it was added", _PKI, absent="only a public key infrastructure keeps the date",
            absent_where=(Where("kind", ("classic", "application")),), past=True),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex", _ALL),
        time("starts_on", "notBefore of the certificate", _ALL),
        time("expires_on", "notAfter of the certificate", _ALL, follows="starts_on"),
        *x509_columns(_ALL),
    ),
)
