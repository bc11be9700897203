"""Certificates as Key Vault's data plane describes them, with real X.509 certificates in them."""

import base64
import hashlib

from keyaudit.simulator import x509
from keyaudit.simulator.estate import Certificate, CertificatePolicy, CertificateVersion, DeletedCertificate, Vault
from keyaudit.simulator.key_vault import keys
from keyaudit.simulator.tokens import encoded


def uri(vault: Vault, certificate: Certificate, version: str = "") -> str:
    """A certificate's identifier, with a version if one is named."""
    return _uri(vault, "certificates", certificate, version)


def current(certificate: Certificate) -> CertificateVersion:
    """The version that a request without a version gets."""
    return next(version for version in certificate.versions if version.version == certificate.current)


def version(certificate: Certificate, wanted: str) -> CertificateVersion | None:
    """The wanted version, or the current one; None if there is no such version."""
    return next((one for one in certificate.versions if one.version == (wanted.lower() or certificate.current)), None)


def item(vault: Vault, certificate: Certificate, version: CertificateVersion, *, versioned: bool) -> dict[str, object]:
    """An item of a list: of certificates (the identifier without a version) or of one certificate's versions."""
    found = {
        "id": uri(vault, certificate, version.version if versioned else ""),
        **_thumbprint(vault, certificate, version),
        "attributes": _attributes(version),
    }
    if version.tags:
        found["tags"] = version.tags
    return {**found, "subject": ""}


def bundle(vault: Vault, certificate: Certificate, version: CertificateVersion) -> dict[str, object]:
    """A certificate as in the answer to a GET. One that is not issued yet has only a key."""
    found: dict[str, object] = {
        "id": uri(vault, certificate, version.version),
        "kid": _uri(vault, "keys", certificate, version.version),
    }
    if version.issued:
        found |= {
            "sid": _uri(vault, "secrets", certificate, version.version),
            **_thumbprint(vault, certificate, version),
            "cer": base64.b64encode(der(vault, certificate, version)).decode(),
        }
    found["attributes"] = {**_attributes(version), **_recovery(vault)}
    if version.tags:
        found["tags"] = version.tags
    found["policy"] = policy(vault, certificate)
    found["pending"] = {"id": f"{uri(vault, certificate)}/pending"}
    return found


def operation(vault: Vault, certificate: Certificate) -> dict[str, object]:
    """The operation that made the current version: completed, or in progress if it is not issued yet."""
    version = current(certificate)
    waits = certificate.requested or not version.issued
    asked = x509.request(
        f"CN={certificate.subject}", key_name=_key_name(vault, certificate, version), bits=certificate.policy.key_size
    )
    found: dict[str, object] = {
        "id": f"{uri(vault, certificate)}/pending",
        "issuer": {"name": certificate.policy.issuer},
        "csr": base64.b64encode(asked).decode(),
        "cancellation_requested": False,
        "status": "inProgress" if waits else "completed",
    }
    if not waits:
        found["target"] = uri(vault, certificate)
    else:
        found["status_details"] = (
            "Pending certificate created. Certificate request is in progress. This may take some time based on the issuer "
            "provider. Please check again later."
        )
    return {**found, "request_id": hashlib.md5(str(found["id"]).encode(), usedforsecurity=False).hexdigest()}


def issuers(vault: Vault) -> list[str]:
    """The names of the certificate authorities that the vault is set up with, in order: those of its certificates' policies."""
    return sorted({one.policy.issuer for one in vault.certificates} - {"Self", "Unknown"})


def issuer(vault: Vault, name: str, *, whole: bool) -> dict[str, object]:
    """An issuer as in the list, or as in the answer to a GET. Its provider has the same name; its password cannot be read."""
    found: dict[str, object] = {"id": f"{keys.base_uri(vault)}/certificates/issuers/{name}", "provider": name.capitalize()}
    if whole:
        made = min(one.policy.updated for one in vault.certificates if one.policy.issuer == name)
        details = {"zip": 0, "admin_details": []}
        found |= {"credentials": {"account_id": "contoso"}, "org_details": details}
        found["attributes"] = {"enabled": True, "created": made, "updated": made}
    return found


def deleted_item(vault: Vault, deleted: DeletedCertificate) -> dict[str, object]:
    """An item of the list of deleted certificates: with recovery fields, and without a subject."""
    version = current(deleted.certificate)
    found: dict[str, object] = {
        "recoveryId": f"{keys.base_uri(vault)}/deletedcertificates/{deleted.certificate.name}",
        "deletedDate": deleted.deleted,
        "scheduledPurgeDate": deleted.purge,
        "id": uri(vault, deleted.certificate),
        **_thumbprint(vault, deleted.certificate, version),
        "attributes": {**_attributes(version), **_recovery(vault)},
    }
    if version.tags:
        found["tags"] = version.tags
    return found


def der(vault: Vault, certificate: Certificate, version: CertificateVersion) -> bytes:
    """The certificate itself. A renewal that keeps the key keeps the first version's."""
    certificate = version.made_as or certificate
    if version.nbf is None or version.exp is None:
        raise ValueError(f"{certificate.name}: a certificate has a beginning and an end")
    return x509.certificate(
        f"CN={certificate.subject}",
        key_name=_key_name(vault, certificate, version),
        start=version.nbf,
        end=version.exp,
        issuer=f"CN={certificate.authority}" if certificate.authority else "",
        issuer_key=certificate.authority or "",
        authority=certificate.ca,
        names=certificate.names,
        usages=certificate.ekus,
        bits=certificate.policy.key_size,
        digest=certificate.digest,
    )


def policy(vault: Vault, certificate: Certificate) -> dict[str, object]:
    """A certificate's policy."""
    policy = certificate.policy
    properties: dict[str, object] = {"subject": f"CN={certificate.subject}"}
    if certificate.names:
        properties["sans"] = {"dns_names": list(certificate.names)}
    return {
        "id": f"{uri(vault, certificate)}/policy",
        "key_props": {
            "exportable": policy.exportable,
            "kty": policy.kty,
            "key_size": policy.key_size,
            "reuse_key": policy.reuse_key,
        },
        "secret_props": {"contentType": policy.content_type},
        "x509_props": {
            **properties,
            "ekus": list(certificate.ekus),
            "key_usage": ["keyCertSign", "cRLSign"] if certificate.ca else ["digitalSignature", "keyEncipherment"],
            "validity_months": policy.validity_months,
            "basic_constraints": {"ca": certificate.ca},
        },
        "lifetime_actions": _actions(policy),
        "issuer": {"name": policy.issuer},
        "attributes": {"enabled": True, "created": policy.updated, "updated": policy.updated},
    }


def _key_name(vault: Vault, certificate: Certificate, version: CertificateVersion) -> str:
    first = min(certificate.versions, key=lambda one: one.created)
    made = first if certificate.policy.reuse_key else version
    return _uri(vault, "keys", certificate, made.version)


def _actions(policy: CertificatePolicy) -> list[dict[str, object]]:
    triggers = (
        ("lifetime_percentage", policy.renew_percentage, "AutoRenew"),
        ("days_before_expiry", policy.renew_days, "AutoRenew"),
        ("lifetime_percentage", policy.mail_percentage, "EmailContacts"),
    )
    return [
        {"trigger": {trigger: value}, "action": {"action_type": kind}} for trigger, value, kind in triggers if value is not None
    ]


def _attributes(version: CertificateVersion) -> dict[str, object]:
    found: dict[str, object] = {"enabled": version.enabled}
    if version.issued:
        found |= {"nbf": version.nbf, "exp": version.exp}
    return {**found, "created": version.created, "updated": version.updated or version.created}


def _recovery(vault: Vault) -> dict[str, object]:
    found: dict[str, object] = {"recoveryLevel": keys.recovery_level(vault)}
    return found if vault.soft_delete is False else {**found, "recoverableDays": keys.retention_days(vault)}


def _thumbprint(vault: Vault, certificate: Certificate, version: CertificateVersion) -> dict[str, object]:
    if not version.issued:
        return {}
    return {"x5t": encoded(bytes.fromhex(x509.thumbprint(der(vault, certificate, version))))}


def _uri(vault: Vault, collection: str, certificate: Certificate, version: str) -> str:
    whole = f"{keys.base_uri(vault)}/{collection}/{certificate.name}"
    return f"{whole}/{version}" if version else whole
