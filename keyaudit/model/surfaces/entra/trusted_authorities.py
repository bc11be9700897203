"""Certificate authorities that the tenant trusts for certificate sign-in of users and for certificates of applications.

Their operations are among those of token signing, in `model.operations.token_signing`.
"""

from keyaudit.model.schema.columns import Area, Table, Where, flag, text, time, where_found
from keyaudit.model.schema.opens import TENANT
from keyaudit.model.schema.wire import At, Read, translated
from keyaudit.model.schema.x509_columns import in_certificate, x509_columns

SURFACE = "trusted authorities"

_PKI = ("pki.list", "pki.authorities")
_CLASSIC = "classic_authority.list"
_APPLICATIONS = "app_authority.list"
_ALL = (*_PKI, _CLASSIC, _APPLICATIONS)
_OF_PKI = ({"kind": "pki"},)

_STORES = "certificateAuthorities"


def _or_none(text: str) -> str | None:
    """An empty text means none."""
    return text or None


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
    reads=(
        Read(
            operation="pki.authorities",
            parent="pki.list",
            holder=f"{_STORES}/pki/{{key}}",
            id_column="thumbprint",
            holder_column="store_id",
            of_holder={"store_name": At("displayName")},
            columns={
                **in_certificate("certificate"),
                "name": At("displayName"),
                "is_root": At("certificateAuthorityType", str, translated({"root": True, "intermediate": False})),
                "crl_url": At("certificateRevocationListUrl?", str, _or_none),
                "delta_crl_url": At("deltacertificateRevocationListUrl?", str, _or_none),
                "created_on": At("createdDateTime"),
            },
            fixed={"kind": "pki"},
        ),
        # The older store; a tenant has at most one.
        Read(
            operation=_CLASSIC,
            within="certificateAuthorities",
            holder=f"{_STORES}/classic/{{key}}",
            id_column="thumbprint",
            holder_column="store_id",
            columns={
                **in_certificate("certificate"),
                "is_root": At("isRootAuthority"),
                "crl_url": At("certificateRevocationListUrl?", str, _or_none),
                "delta_crl_url": At("deltaCertificateRevocationListUrl?", str, _or_none),
            },
            fixed={"kind": "classic", "name": None, "store_name": None, "created_on": None},
        ),
        Read(
            operation=_APPLICATIONS,
            within="trustedCertificateAuthorities",
            holder=f"{_STORES}/application/{{key}}",
            id_column="thumbprint",
            holder_column="store_id",
            of_holder={"store_name": At("displayName")},
            columns={**in_certificate("certificate"), "is_root": At("isRootAuthority")},
            fixed={"kind": "application", "name": None, "crl_url": None, "delta_crl_url": None, "created_on": None},
        ),
    ),
    # The holder of a CA that Entra trusts for sign-in can issue a certificate for any user.
    opens=TENANT,
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
