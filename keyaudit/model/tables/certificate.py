"""The table of certificates, by version."""

from keyaudit.model.columns import Column, Left, Table, Type, Where, where_found
from keyaudit.model.tables.places import KEY_VAULT_LEAVES_OUT, VAULT_ACCESS_MODEL
from keyaudit.model.tables.reach import OF_KEYS, OUTSIDERS, READING, reach_columns
from keyaudit.model.tables.reach import OPERATIONS as REACH_OPERATIONS
from keyaudit.model.tables.vault_objects import attributes, superseded, time, version_place

_CERTIFICATE = ("certificate.list", "certificate.versions", "certificate.get")
_GET = ("certificate.get",)
_ENTRA = ("application.list", "service_principal.list")
_IN_ENTRA = ("public_key_sha256", "thumbprint", "credential.public_key_sha256", "credential.thumbprint")
_NOT_ISSUED = "it is not issued yet"
_WHERE_NOT_ISSUED = (Where("issued", (False,)),)
_CHANGED = "unknown where the policy was changed since this version was made"
_MANUAL = "learn.microsoft.com/azure/key-vault/certificates/create-certificate-scenarios: no issuer is the same as Unknown"


def _fact(
    name: str,
    type_: Type,
    meaning: str,
    *,
    unit: str = "",
    absent: str = "",
    values: tuple[str, ...] = (),
    follows: str = "",
) -> Column:
    """What the X.509 certificate itself says. `absent`: what absence means besides that no certificate is issued yet."""
    return Column(
        name=name,
        type=type_,
        meaning=meaning,
        unit=unit,
        operations=_GET,
        absent=f"{absent}, or {_NOT_ISSUED}" if absent else _NOT_ISSUED,
        absent_where=() if absent else _WHERE_NOT_ISSUED,
        values=values,
        follows=follows,
    )


def _policy(
    name: str,
    type_: Type,
    meaning: str,
    *,
    unit: str = "",
    absent: str = "",
    left_out: Left | None = None,
    values: tuple[str, ...] = (),
) -> Column:
    """What the policy says, of which a certificate has one for all its versions: how the next one will be made."""
    return Column(
        name=name, type=type_, meaning=meaning, unit=unit, operations=_GET, absent=absent, left_out=left_out, values=values
    )


OTHERS_READING = Column(
    name="others_reading_private",
    type=Type.COUNT,
    meaning="service principals and managed identities that can read its private key and do not sign in with it themselves",
    operations=REACH_OPERATIONS,
    derived_from=("vault.access_model", "public_key_sha256", "credential.public_key_sha256", "credential.expires_on"),
)

CERTIFICATE = Table(
    name="certificate",
    noun="certificate version",
    plural="certificate versions",
    meaning="one version of a certificate in a vault, with the key and the secret of the same name that back it",
    added_by=("certificate.list", "certificate.versions"),
    row_for_each=("certificate.list",),
    subject="certificate_id",
    columns=(
        *where_found(),
        *version_place("certificate", _CERTIFICATE),
        *attributes(
            _CERTIFICATE,
            activates="nbf: the start of its validity, as the service keeps it",
            expires="exp: the end of its validity, as the service keeps it",
            never_expires=_NOT_ISSUED,
        ),
        Column(
            name="issued",
            type=Type.BOOLEAN,
            meaning="there is a certificate; false: it was asked for, and its key alone is there",
            operations=_GET,
        ),
        Column(
            name="thumbprint",
            type=Type.TEXT,
            meaning="SHA-1 of the certificate in upper-case hex",
            operations=_CERTIFICATE,
            absent=_NOT_ISSUED,
            absent_where=_WHERE_NOT_ISSUED,
        ),
        _fact("thumbprint_sha256", Type.TEXT, "SHA-256 of the certificate in upper-case hex"),
        _fact("public_key_sha256", Type.TEXT, "SHA-256 of its SubjectPublicKeyInfo: alike for all certificates on one key"),
        _fact("subject", Type.TEXT, "the subject, as RFC 4514 writes it"),
        _fact("issuer", Type.TEXT, "the issuer, as RFC 4514 writes it"),
        _fact("serial", Type.TEXT, "the serial number in upper-case hex"),
        _fact("self_signed", Type.BOOLEAN, "its own key signed it; the signature was checked"),
        _fact("not_before", Type.TIME, "the start of its validity, as it says itself", unit="seconds since 1970 UTC"),
        _fact(
            "not_after",
            Type.TIME,
            "the end of its validity, as it says itself",
            unit="seconds since 1970 UTC",
            follows="not_before",
        ),
        _fact("key_type", Type.TEXT, "the algorithm of its key; an object identifier for a rare one", values=("RSA", "EC")),
        _fact("key_size", Type.INTEGER, "size of the modulus of an RSA key", unit="bits", absent="no RSA key"),
        _fact(
            "curve",
            Type.TEXT,
            "the curve of an EC key",
            absent="no EC key",
            values=("P-256", "P-384", "P-521", "P-256K"),
        ),
        _fact(
            "signature_hash",
            Type.TEXT,
            "the hash that its issuer signed",
            absent="the algorithm has no choice of hash",
            values=("sha256", "sha384", "sha512", "sha1", "md5"),
        ),
        _fact("is_ca", Type.BOOLEAN, "it may issue certificates"),
        _fact("names", Type.TEXTS, "subject alternative names with their kind: dns:www.example.com"),
        _fact("ekus", Type.TEXTS, "extended key usages, by object identifier", absent="any use"),
        _fact("key_usage", Type.TEXTS, "key usages, as RFC 5280 spells them", absent="any use"),
        Column(
            name="purpose",
            type=Type.TEXT,
            meaning="what it is for, by the first that holds: it is a CA's; it may sign code, do anything, be a TLS server's",
            absent=_NOT_ISSUED,
            values=("ca", "code-signing", "any", "server", "client", "other"),
            derived_from=("is_ca", "ekus"),
        ),
        Column(
            name="public_tls",
            type=Type.BOOLEAN,
            meaning="its purpose is a TLS server's, and its issuer a CA that Key Vault asks itself, which sell public ones",
            absent=_NOT_ISSUED,
            derived_from=("is_ca", "ekus", "issuer_name"),
        ),
        Column(
            name="key_version_id",
            type=Type.TEXT,
            meaning="id of the key version that it certifies",
            operations=_GET,
            absent="none is named",
            left_out=Left(None, KEY_VAULT_LEAVES_OUT),
        ),
        Column(
            name="kty",
            type=Type.TEXT,
            meaning=f"Key Vault's algorithm family, by the policy; {_CHANGED}",
            operations=_GET,
            values=("RSA", "RSA-HSM", "EC", "EC-HSM"),
        ),
        Column(
            name="exportable",
            type=Type.BOOLEAN,
            meaning=f"the secret of its name holds the private key, by the policy; {_CHANGED}",
            operations=_GET,
        ),
        Column(
            name="custody",
            type=Type.TEXT,
            meaning="where the private half is kept: its key's custody, else by kty",
            values=("vault-hsm", "software"),
            derived_from=("key_version_id", "kty", "key.custody"),
        ),
        Column(
            name="live_credentials",
            type=Type.COUNT,
            meaning=(
                "credentials in Entra on its key that have not expired: whoever has the private half can sign in; by"
                " thumbprint only where Graph does not show their certificate"
            ),
            derived_from=(*_IN_ENTRA, "credential.expires_on", "credential.usage"),
            rows_of=_ENTRA,
        ),
        Column(
            name="live_identities",
            type=Type.COUNT,
            meaning="identities that have one of these; an application and its own service principal are one",
            derived_from=(*_IN_ENTRA, "credential.expires_on", "credential.usage", "credential.app_id"),
            rows_of=_ENTRA,
        ),
        time("policy_updated_on", "when its policy was last changed", _GET, past=True),
        _policy("reuse_key", Type.BOOLEAN, "a renewal keeps the key, so that only the certificate is new"),
        _policy(
            "content_type",
            Type.TEXT,
            "the form in which the secret of its name holds it",
            values=("application/x-pkcs12", "application/x-pem-file"),
        ),
        _policy(
            "issuer_name",
            Type.TEXT,
            "who issues it: Self, Unknown for a CA that Key Vault does not deal with, or an issuer that the vault knows",
            absent="none is named: as Unknown",
            left_out=Left(None, _MANUAL),
        ),
        _policy("validity_months", Type.INTEGER, "the life that the policy asks for", unit="months"),
        _policy("auto_renews", Type.BOOLEAN, "an AutoRenew action is set, and its issuer is one that Key Vault can ask"),
        _policy("emails_contacts", Type.BOOLEAN, "an EmailContacts action is set"),
        _policy(
            "renews_before_expiry",
            Type.DURATION,
            "how long before its end it is renewed",
            unit="seconds",
            absent="no renewal counts from the end",
        ),
        _policy(
            "renews_at_percentage",
            Type.INTEGER,
            "the part of its life after which it is renewed",
            unit="percent",
            absent="no renewal counts in percent",
        ),
        Column(
            name="renews_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when the policy renews this version",
            absent="nothing will renew it",
            derived_from=("auto_renews", "renews_before_expiry", "renews_at_percentage", "activates_on", "expires_on"),
        ),
        *superseded("certificate", _GET, ("certificate.versions",), "the version that a request without a version names"),
        *reach_columns(*OF_KEYS, READING, derived_from=("vault.access_model",)),
        *OUTSIDERS,
        Column(
            name="authenticates_tier0",
            type=Type.BOOLEAN,
            meaning="a live credential of an application that controls the whole tenant is on its key",
            derived_from=(
                "public_key_sha256",
                "thumbprint",
                "credential.public_key_sha256",
                "credential.thumbprint",
                "credential.expires_on",
                "service_principal.tier0",
            ),
        ),
        VAULT_ACCESS_MODEL,
        OTHERS_READING,
    ),
)
