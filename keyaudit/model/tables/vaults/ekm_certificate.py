"""The table of the certificates that Managed HSMs and their external key managers know each other by."""

from keyaudit.model.schema.columns import Area, Table, flag, text, time, where_found
from keyaudit.model.schema.opens import WIDE
from keyaudit.model.schema.x509_columns import x509_columns

_SERVER, _CLIENT = ("hsm.ekm.get",), ("hsm.ekm.certificate",)
_BOTH = (*_SERVER, *_CLIENT)

EKM_CERTIFICATE = Table(
    name="ekm_certificate",
    order=45,
    area=Area.VAULTS,
    noun="EKM certificate",
    plural="EKM certificates",
    meaning="a certificate authority (CA) of the connection from a Managed HSM to its external key manager (EKM)",
    added_by=_BOTH,
    parts={"hsm.ekm.get": ({"kind": "server-ca"},), "hsm.ekm.certificate": ({"kind": "client-ca"},)},
    opens=WIDE,
    columns=(
        *where_found(),
        text("kind", "server-ca: it issued the certificate of the EKM proxy; client-ca: it issued the certificate of the HSM",
            values=("server-ca", "client-ca")),
        text("vault_id", "the HSM's resource id, in lower case"),
        text("vault_name", "the HSM's name"),
        text("host", "name or address of the EKM proxy", _SERVER),
        text("path_prefix", "the path prefix at the proxy", _SERVER, absent="requests start at the root"),
        text("subject_common_name", "the required common name of the issued certificate", _BOTH,
            absent="the connection names none"),
        flag("superseded", "the connection has a certificate with the same subject and a later expiration date", _BOTH),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex", _BOTH),
        time("starts_on", "notBefore of the certificate", _BOTH),
        time("expires_on", "notAfter of the certificate", _BOTH, follows="starts_on"),
        *x509_columns(_BOTH),
    ),
)
