"""The table of certificates, by version."""

import dataclasses

from keyaudit.model.schema.columns import (
    Area,
    Column,
    Left,
    Table,
    Where,
    count,
    duration,
    flag,
    integer,
    text,
    texts,
    time,
    unix_time,
    where_found,
)
from keyaudit.model.severity import Opens
from keyaudit.model.tables.places import KEY_VAULT_LEAVES_OUT, VAULT_ACCESS_MODEL, VAULT_SKU, in_test
from keyaudit.model.tables.reach import OF_KEYS, OUTSIDERS, READING, reach_columns
from keyaudit.model.tables.vaults.vault_objects import attributes, superseded, version_place

_CERTIFICATE = ("certificate.list", "certificate.versions", "certificate.get")
_GET = ("certificate.get",)
_NOT_ISSUED = "it is not issued yet"
_WHERE_NOT_ISSUED = (Where("issued", (False,)),)
_CHANGED = "unknown if the policy changed after this version was created"
_MANUAL = "learn.microsoft.com/azure/key-vault/certificates/create-certificate-scenarios: no issuer is the same as Unknown"


def _once_issued(column: Column) -> Column:
    """The columns from the X.509 certificate: absent until one is issued, in addition to the other meanings of absence."""
    if column.absent:
        return dataclasses.replace(column, absent=f"{column.absent}, or {_NOT_ISSUED}")
    return dataclasses.replace(column, absent=_NOT_ISSUED, absent_where=_WHERE_NOT_ISSUED)


OTHERS_READING = count("others_reading_private",
    "service principals and managed identities that can read its private key and do not sign in with it themselves",
    derived=True)

CERTIFICATE = Table(
    name="certificate",
    order=60,
    area=Area.KEYS,
    noun="certificate version",
    plural="certificate versions",
    meaning="one version of a certificate in a vault, with the key and the secret of the same name that back it",
    added_by=("certificate.list", "certificate.versions"),
    row_for_each=("certificate.list",),
    subject="certificate_id",
    opens={
        Opens.TENANT: "authenticates_tier0",
        Opens.WIDE: ('authenticates_wide or (not in_test and purpose is not None and purpose in ["code-signing", "ca"])'),
        Opens.ONE: "not in_test or live_credentials > 0",
    },
    columns=(
        *where_found(),
        *version_place("certificate", _CERTIFICATE),
        *attributes(_CERTIFICATE, activates="nbf: the start of its validity, as the service records it",
            expires="exp: the end of its validity, as the service records it", never_expires=_NOT_ISSUED),
        flag("issued", "the certificate was issued; false: it was requested, and only its key exists", _GET),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex", _CERTIFICATE,
            absent=_NOT_ISSUED, absent_where=_WHERE_NOT_ISSUED),
        *map(
            _once_issued,
            (
                text("thumbprint_sha256", "SHA-256 of the certificate in upper-case hex", _GET),
                text("public_key_sha256", "SHA-256 of its SubjectPublicKeyInfo: the same for all certificates with the same "
                    "key", _GET),
                text("subject", "the subject, as RFC 4514 writes it", _GET),
                text("issuer", "the issuer, as RFC 4514 writes it", _GET),
                text("serial", "the serial number in upper-case hex", _GET),
                flag("self_signed", "its own key signed it; the signature was checked", _GET),
                time("not_before", "the start of its validity, according to the certificate", _GET),
                time("not_after", "the end of its validity, according to the certificate", _GET, follows="not_before"),
                text("key_type", "the algorithm of its key; an object identifier for a rare one", _GET, values=("RSA", "EC"),
                    open_ended=True),
                integer("key_size", "size of the modulus of an RSA key", _GET, unit="bits", absent="no RSA key"),
                text("curve", "the curve of an EC key", _GET, absent="no EC key", values=("P-256", "P-384", "P-521", "P-256K"),
                    open_ended=True),
                text("signature_hash", "the hash algorithm of its issuer's signature", _GET,
                    absent="the algorithm has no choice of hash", values=("sha256", "sha384", "sha512", "sha1", "md5"),
                    open_ended=True),
                flag("is_ca", "it may issue certificates", _GET),
                texts("names", "subject alternative names with their kind: dns:www.example.com", _GET),
                texts("ekus", "extended key usages, by object identifier", _GET, absent="any use"),
                texts("key_usage", "key usages, as RFC 5280 spells them", _GET, absent="any use",
                    values=("digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
                        "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly")),
                texts("public_ca_marks", "its object identifiers of CA/Browser Forum certificate policies and of certificate "
                    "transparency timestamps: certificates of public CAs have them, but any CA can include them",
                    _GET),
            ),
        ),
        text("purpose",
            "its purpose, by the first match: CA, code signing, any purpose, TLS server",
            absent=_NOT_ISSUED, values=("ca", "code-signing", "any", "server", "client", "other"), derived=True),
        flag("public_tls",
            "its purpose is TLS server, and a public CA issued it: a CA that Key Vault requests certificates from, or one "
            "that public_ca_marks shows",
            absent=_NOT_ISSUED, derived=True),
        text("key_version_id", "id of the key version that it certifies", _GET,
            absent="none is named", left_out=Left(None, KEY_VAULT_LEAVES_OUT)),
        text("kty", f"Key Vault's algorithm family, by the policy; {_CHANGED}", _GET,
            values=("RSA", "RSA-HSM", "EC", "EC-HSM"), wire="policy.key_props.kty"),
        flag("exportable", f"the secret of its name holds the private key, by the policy; {_CHANGED}", _GET,
            wire="policy.key_props.exportable"),
        text("custody", "where the private key is stored: its key's custody, else by kty",
            values=("vault-hsm", "software"), derived=True),
        count("live_credentials", "unexpired credentials in Entra with its key: the holder of the private key can "
            "sign in; by thumbprint only where Graph does not show their certificate", derived=True),
        count("live_identities", "identities with one of these credentials; an application and its service principal count "
            "once",
            derived=True),
        unix_time("policy_updated_on", "when its policy was last changed", _GET, past=True, wire="policy.attributes.updated"),
        flag("reuse_key", "a renewal keeps the key and replaces only the certificate", _GET,
            wire="policy.key_props.reuse_key"),
        text("content_type", "the form in which the secret of its name holds it", _GET,
            values=("application/x-pkcs12", "application/x-pem-file"), wire="policy.secret_props.contentType"),
        text("issuer_name",
            "its issuer: Self, Unknown for a CA that Key Vault does not work with, or an issuer that is configured in the "
            "vault", _GET,
            absent="no issuer is named, which means Unknown", left_out=Left(None, _MANUAL), wire="policy.issuer.name"),
        integer("validity_months", "the validity period in the policy", _GET,
            unit="months", wire="policy.x509_props.validity_months"),
        flag("auto_renews", "an AutoRenew action is set, and its issuer is one that Key Vault can ask", _GET),
        flag("emails_contacts", "an EmailContacts action is set", _GET),
        duration("renews_before_expiry", "how long before its expiration it is renewed", _GET,
            absent="no renewal is based on the days before expiration"),
        integer("renews_at_percentage", "the percentage of its lifetime after which it is renewed", _GET,
            unit="percent", absent="no renewal is based on a percentage"),
        time("renews_on", "when the policy renews this version", absent="nothing will renew it", derived=True),
        time("third_left_on", "when a third of its lifetime is left", absent="it has no start or no end", derived=True),
        time("renewal_overdue_on", "when the current version is 10 % older than the previous version was at its replacement",
            absent="it is the only version, or not the current one", derived=True),
        flag("superseded_exportable",
            "the private key of an enabled version before the current one can be downloaded, even if it has expired",
            derived=True),
        texts("superseded_exportable_versions", "the ids of these versions", derived=True),
        flag("superseded_exportable_unexpired", "one of them has not expired", derived=True),
        flag("superseded_signs_in", "one of them has the key of an unexpired credential in Entra", derived=True),
        *superseded("certificate", _GET, ("certificate.versions",), "the version that a request without a version names"),
        *reach_columns(*OF_KEYS, READING),
        *OUTSIDERS,
        flag("authenticates_tier0", "an active credential of an application that controls the whole tenant uses its key",
            derived=True),
        flag("authenticates_wide", "an active credential of an application that reaches all of one kind of data, opens a "
            "subscription or signs with keys uses its key",
            derived=True),
        VAULT_ACCESS_MODEL,
        VAULT_SKU,
        OTHERS_READING,
        in_test("its vault or subscription"),
    ),
)
