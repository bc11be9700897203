"""Contoso's certificates and secrets, and deleted ones: most renew automatically, some have defects."""

from keyaudit.simulator.estate import DeletedVault
from keyaudit.simulator.estates.certificate_plans import CLIENT, CODE, SERVER, CertificatePlan, Furniture, SecretPlan
from keyaudit.simulator.estates.defects import (
    CERT_EXPIRED_ENABLED,
    CERT_EXPIRING_SOON,
    CERT_EXPORTABLE,
    CERT_NO_AUTO_RENEW,
    CERT_QUANTUM_VULNERABLE,
    CERT_REUSES_KEY,
    CERT_SOFTWARE,
    CERT_VALID_TOO_LONG,
    CLIENT_AUTH_ENDS,
    DISK_KEY_READERS,
    SECRET_HOLDS_KEY,
    SECRET_NO_EXPIRY,
    SECRET_STALE,
    WEAK_VAULT_CERTIFICATE,
)
from keyaudit.simulator.estates.ids import DAY, Ground

_ROOT = "Contoso Issuing CA 2"
_OLD_ROOT = "Contoso Issuing CA 1"
_PUBLIC = "DigiCert Global G2 TLS RSA SHA256 2020 CA1"
_CONNECTION = "text/plain; connection-string"
DISK_KEY, EDGE_DISK_KEY = "1B7D3F605C2E4A188E947F0D6C3B2A15", "6E0C94A27D1B4F358B2A913D5F7C6E48"
"""The secret that opens an encrypted disk."""


def _public(
    name: str,
    *names: str,
    exportable: bool = True,
    reuse_key: bool = False,
    clients: bool = False,
    finds: tuple[str, ...] = (),
) -> CertificatePlan:
    """A certificate from a public CA that Key Vault supports, renewed at 80% of its lifetime.

    If its key is exportable, or it is for `clients` too, that is a planted defect.
    """
    return CertificatePlan(
        name,
        names[0],
        _PUBLIC,
        issuer="digicert",
        names=names,
        ekus=(SERVER, CLIENT) if clients else (SERVER,),
        exportable=exportable,
        reuse_key=reuse_key,
        renew_percentage=80,
        finds=((CERT_EXPORTABLE,) if exportable else ()) + ((CLIENT_AUTH_ENDS,) if clients else ()) + finds,
    )


FURNITURE = {
    "kv-identity-prod": Furniture(
        certificates=(
            # Self-signed, without a notification before it expires.
            CertificatePlan(
                "saml-idp-signing",
                "idp.contoso.example",
                ekus=(),
                mail_percentage=90,
                exportable=False,
                finds=(CERT_SOFTWARE, CERT_NO_AUTO_RENEW),
            ),
        ),
        secrets=(
            SecretPlan("consumer-sign-in-client-secret", (150, 480), life=365),
            SecretPlan("push-notification-key", (900,), content_type="text/plain", finds=(SECRET_NO_EXPIRY, SECRET_STALE)),
            # Stored here for convenience; it is harmless.
            SecretPlan(
                "tenant-branding", (700,), content_type="application/json", tags={"keyaudit:non-credential": "settings"}
            ),
        ),
        removed_certificates=((CertificatePlan("old-idp-signing", "idp-2.contoso.example", ekus=(), mail_percentage=80), 21),),
    ),
    "kv-payments-prod": Furniture(
        certificates=(_public("pay-api-tls", "pay.contoso.example", exportable=False, finds=(CERT_SOFTWARE,)),),
        secrets=(SecretPlan("acquirer-sftp-password", (40, 130, 220), life=90),),
    ),
    "kv-orders-prod": Furniture(
        certificates=(
            CertificatePlan(
                "invoice-pdf-signing",
                "invoices.contoso.example",
                _ROOT,
                "Unknown",
                ekus=(CODE,),
                mail_percentage=80,
                finds=(CERT_EXPORTABLE, CERT_SOFTWARE, CERT_NO_AUTO_RENEW),
            ),
            CertificatePlan(
                "edi-client",
                "edi-client",
                ekus=(CLIENT,),
                renew_days=90,
                tags={"app": "edi"},
                finds=(CERT_EXPORTABLE, CERT_SOFTWARE),
            ),
        ),
        secrets=(
            SecretPlan("orders-db-connection", (610,), content_type=_CONNECTION, finds=(SECRET_NO_EXPIRY, SECRET_STALE)),
            # A private key stored as a secret, without a certificate policy.
            SecretPlan(
                "edi-partner-pfx",
                (1_120,),
                content_type="application/x-pkcs12",
                finds=(SECRET_NO_EXPIRY, SECRET_STALE, SECRET_HOLDS_KEY),
            ),
        ),
    ),
    "kv-hr-prod": Furniture(certificates=(_public("hr-portal-tls", "hr.contoso.example"),)),
    "kv-data-prod": Furniture(
        certificates=(
            # The certificate of the ETL application: principals that read secrets here can sign in as it.
            CertificatePlan(
                "etl-client",
                "etl-client",
                ekus=(CLIENT,),
                renew_days=30,
                tags={"app": "etl", "owner": "data-platform"},
                finds=(CERT_EXPORTABLE, CERT_SOFTWARE),
            ),
            # Without defects in the vault.
            CertificatePlan(
                "feed-client",
                "feed-client",
                _ROOT,
                "Unknown",
                ekus=(CLIENT,),
                exportable=False,
                tags={"app": "etl", "keyaudit:rotator": "pki-renewal"},
            ),
        ),
        secrets=(
            SecretPlan("lakehouse-sas", (30,), content_type="text/plain", life=90),
            SecretPlan("partner-sftp-private-key", (100,), life=365, finds=(SECRET_HOLDS_KEY,)),
            # The key of an encrypted disk has no end. A user and a workload read secrets here.
            SecretPlan(DISK_KEY, (700,), "BEK", finds=(DISK_KEY_READERS,)),
        ),
        removed_secrets=((SecretPlan("lakehouse-sas-2024", (400,), content_type="text/plain"), 9),),
    ),
    "kv-platform-signing": Furniture(
        certificates=(
            CertificatePlan(
                "authenticode-signing",
                "Contoso Ltd",
                _ROOT,
                "Unknown",
                ekus=(CODE,),
                exportable=False,
                months=36,
                mail_percentage=80,
                finds=(CERT_VALID_TOO_LONG, CERT_NO_AUTO_RENEW),
            ),
            CertificatePlan(
                "stores-device-ca",
                "Contoso Stores Device CA",
                _ROOT,
                "Unknown",
                ekus=(),
                ca=True,
                exportable=False,
                months=48,
                mail_percentage=80,
            ),
        ),
    ),
    "kv-platform-edge": Furniture(
        certificates=(
            # Renewed each year with the same key.
            _public(
                "wildcard-contoso-example", "*.contoso.example", "contoso.example", reuse_key=True, finds=(CERT_REUSES_KEY,)
            ),
            # From a private CA, which issues certificates for two years.
            _public("api-gateway-tls", "api.contoso.example", clients=True, finds=(CERT_VALID_TOO_LONG,)),
            CertificatePlan(
                "vpn-gateway-root",
                "Contoso VPN Root",
                ekus=(),
                ca=True,
                exportable=False,
                months=120,
                mail_percentage=99,
                finds=(CERT_SOFTWARE, CERT_VALID_TOO_LONG, CERT_QUANTUM_VULNERABLE),
            ),
            # From an old CA, without renewal.
            CertificatePlan(
                "mail-relay-tls",
                "smtp.contoso.example",
                _OLD_ROOT,
                "Unknown",
                mail_percentage=80,
                digest="sha1",
                finds=(CERT_EXPORTABLE, CERT_NO_AUTO_RENEW, CERT_EXPIRING_SOON, WEAK_VAULT_CERTIFICATE),
            ),
            _public(
                "stores-radius-tls", "radius.stores.contoso.example", reuse_key=True, clients=True, finds=(CERT_REUSES_KEY,)
            ),
            # Expired months ago, still enabled, and unused.
            CertificatePlan(
                "legacy-portal-tls",
                "portal.contoso.example",
                _ROOT,
                "Unknown",
                mail_percentage=80,
                finds=(CERT_EXPIRED_ENABLED, CERT_EXPORTABLE),
            ),
            CertificatePlan(
                "pos-updates-tls",
                "updates.pos.contoso.example",
                _ROOT,
                "Unknown",
                exportable=False,
                mail_percentage=80,
                finds=(CERT_EXPIRED_ENABLED,),
            ),
            CertificatePlan(
                "partner-gateway-tls", "partners.contoso.example", issuer="digicert", renew_percentage=80, requested=True
            ),
        ),
        # Nobody reads secrets here but Azure itself.
        secrets=(SecretPlan(EDGE_DISK_KEY, (500,), "BEK"),),
    ),
}


def deleted_vaults(ground: Ground, production: str, other: str) -> tuple[DeletedVault, ...]:
    """The vaults that can still be recovered; `production` and `other` are their subscriptions."""
    return (
        DeletedVault(
            name="kv-stores-legacy",
            subscription=production,
            resource_group="rg-stores-legacy",
            location="northeurope",
            deleted=ground.as_of - 33 * DAY,
            purge=ground.as_of + 57 * DAY,
            tags={"env": "prod"},
            purge_protection=True,
        ),
        DeletedVault(
            name="kv-hackathon-2026",
            subscription=other,
            resource_group="rg-sandbox-labs",
            deleted=ground.as_of - 5 * DAY,
            purge=ground.as_of + 85 * DAY,
        ),
    )
