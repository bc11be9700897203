"""The table of certificates, by version."""

import dataclasses

from keyaudit.model.columns import (
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
from keyaudit.model.tables.places import KEY_VAULT_LEAVES_OUT, VAULT_ACCESS_MODEL, VAULT_SKU, in_test
from keyaudit.model.tables.reach import OF_KEYS, OUTSIDERS, READING, reach_columns
from keyaudit.model.tables.vault_objects import attributes, superseded, version_place

_CERTIFICATE = ("certificate.list", "certificate.versions", "certificate.get")
_GET = ("certificate.get",)
_NOT_ISSUED = "it is not issued yet"
_WHERE_NOT_ISSUED = (Where("issued", (False,)),)
_CHANGED = "unknown where the policy was changed since this version was made"
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
    columns=(
        *where_found(),
        *version_place("certificate", _CERTIFICATE),
        *attributes(_CERTIFICATE, activates="nbf: the start of its validity, as the service keeps it",
            expires="exp: the end of its validity, as the service keeps it", never_expires=_NOT_ISSUED),
        flag("issued", "there is a certificate; false: it was asked for, and its key alone is there", _GET),
        text("thumbprint", "SHA-1 of the certificate in upper-case hex", _CERTIFICATE,
            absent=_NOT_ISSUED, absent_where=_WHERE_NOT_ISSUED),
        *map(
            _once_issued,
            (
                text("thumbprint_sha256", "SHA-256 of the certificate in upper-case hex", _GET),
                text("public_key_sha256", "SHA-256 of its SubjectPublicKeyInfo: alike for all certificates on one key", _GET),
                text("subject", "the subject, as RFC 4514 writes it", _GET),
                text("issuer", "the issuer, as RFC 4514 writes it", _GET),
                text("serial", "the serial number in upper-case hex", _GET),
                flag("self_signed", "its own key signed it; the signature was checked", _GET),
                time("not_before", "the start of its validity, as it says itself", _GET),
                time("not_after", "the end of its validity, as it says itself", _GET, follows="not_before"),
                text("key_type", "the algorithm of its key; an object identifier for a rare one", _GET, values=("RSA", "EC"),
                    open_ended=True),
                integer("key_size", "size of the modulus of an RSA key", _GET, unit="bits", absent="no RSA key"),
                text("curve", "the curve of an EC key", _GET, absent="no EC key", values=("P-256", "P-384", "P-521", "P-256K"),
                    open_ended=True),
                text("signature_hash", "the hash that its issuer signed", _GET,
                    absent="the algorithm has no choice of hash", values=("sha256", "sha384", "sha512", "sha1", "md5"),
                    open_ended=True),
                flag("is_ca", "it may issue certificates", _GET),
                texts("names", "subject alternative names with their kind: dns:www.example.com", _GET),
                texts("ekus", "extended key usages, by object identifier", _GET, absent="any use"),
                texts("key_usage", "key usages, as RFC 5280 spells them", _GET, absent="any use",
                    values=("digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
                        "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly")),
                texts("public_ca_marks", "object identifiers in it of the CA/Browser Forum's certificate policies and of "
                    "timestamps of transparency logs: certificates of public CAs have them, and any CA may write them",
                    _GET),
            ),
        ),
        text("purpose",
            "what it is for, by the first that holds: it is a CA's; it may sign code, do anything, be a TLS server's",
            absent=_NOT_ISSUED, values=("ca", "code-signing", "any", "server", "client", "other"), derived=True),
        flag("public_tls",
            "its purpose is a TLS server's, and it is of a public CA: one that Key Vault asks itself, which sell such "
            "certificates, or one that public_ca_marks show",
            absent=_NOT_ISSUED, derived=True),
        text("key_version_id", "id of the key version that it certifies", _GET,
            absent="none is named", left_out=Left(None, KEY_VAULT_LEAVES_OUT)),
        text("kty", f"Key Vault's algorithm family, by the policy; {_CHANGED}", _GET,
            values=("RSA", "RSA-HSM", "EC", "EC-HSM"), wire="policy.key_props.kty"),
        flag("exportable", f"the secret of its name holds the private key, by the policy; {_CHANGED}", _GET,
            wire="policy.key_props.exportable"),
        text("custody", "where the private half is kept: its key's custody, else by kty",
            values=("vault-hsm", "software"), derived=True),
        count("live_credentials", "unexpired credentials in Entra with its key: the holder of the private key can "
            "sign in; by thumbprint only where Graph does not show their certificate", derived=True),
        count("live_identities", "identities that have one of these; an application and its own service principal are one",
            derived=True),
        unix_time("policy_updated_on", "when its policy was last changed", _GET, past=True, wire="policy.attributes.updated"),
        flag("reuse_key", "a renewal keeps the key, so that only the certificate is new", _GET,
            wire="policy.key_props.reuse_key"),
        text("content_type", "the form in which the secret of its name holds it", _GET,
            values=("application/x-pkcs12", "application/x-pem-file"), wire="policy.secret_props.contentType"),
        text("issuer_name",
            "who issues it: Self, Unknown for a CA that Key Vault does not deal with, or an issuer that the vault knows", _GET,
            absent="none is named: as Unknown", left_out=Left(None, _MANUAL), wire="policy.issuer.name"),
        integer("validity_months", "the life that the policy asks for", _GET,
            unit="months", wire="policy.x509_props.validity_months"),
        flag("auto_renews", "an AutoRenew action is set, and its issuer is one that Key Vault can ask", _GET),
        flag("emails_contacts", "an EmailContacts action is set", _GET),
        duration("renews_before_expiry", "how long before its end it is renewed", _GET,
            absent="no renewal counts from the end"),
        integer("renews_at_percentage", "the part of its life after which it is renewed", _GET,
            unit="percent", absent="no renewal counts in percent"),
        time("renews_on", "when the policy renews this version", absent="nothing will renew it", derived=True),
        time("third_left_on", "when a third of its lifetime is left", absent="it has no start or no end", derived=True),
        time("renewal_overdue_on", "when the current version is a tenth older than the one before it became",
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
        flag("authenticates_tier0", "an active credential of an application that controls the whole tenant is on its key",
            derived=True),
        flag("authenticates_wide", "an active credential of an application that reaches all of one kind of data, opens a "
            "subscription or signs with keys is on its key",
            derived=True),
        VAULT_ACCESS_MODEL,
        VAULT_SKU,
        OTHERS_READING,
        in_test("its vault or subscription"),
    ),
)
