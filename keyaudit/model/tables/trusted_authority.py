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
    meaning="a certificate authority (CA) for users' sign-in certificates, or for certificates of applications",
    added_by=_ALL,
    parts={
        "pki.list": _OF_PKI,
        "pki.authorities": _OF_PKI,
        _CLASSIC: ({"kind": "classic"},),
        _APPLICATIONS: ({"kind": "application"},),
    },
    columns=(
        *where_found("pki.authorities"),
        text("kind", "its store. pki, classic: users sign in with its certificates; application: for applications",
            values=("pki", "classic", "application")),
        text("store_id", "id of its store"),
        text("store_name", "display name of its store", ("pki.list", _APPLICATIONS), absent="it has no name"),
        flag("is_root", "trusted as a root; else as an intermediate authority", _ALL),
        text("crl_url", "the address of its revocation list", (*_PKI, _CLASSIC),
            absent="not set, so revocations are not checked; or it is for applications"),
        text("delta_crl_url", "the address of its delta revocation list", (*_PKI, _CLASSIC),
            absent="not set, or it is for applications"),
        time("created_on", "when it was added", _PKI, absent="only a public key infrastructure records the date",
            absent_where=(Where("kind", ("classic", "application")),), past=True),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex", _ALL),
        time("starts_on", "notBefore of the certificate", _ALL),
        time("expires_on", "notAfter of the certificate", _ALL, follows="starts_on"),
        *x509_columns(_ALL),
    ),
)
