"""Contoso's shared and non-production vaults: code signing, certificates, test keys, and forgotten keys."""

from keyaudit.simulator.estate import RotationPolicy
from keyaudit.simulator.estates.defects import (
    AUDIT_NOT_SEARCHABLE,
    AUDIT_OFF,
    DELETED_RECOVERABLE,
    ENDPOINT_NOT_APPROVED,
    EXPIRED_STILL_ENABLED,
    EXPIRING_SOON,
    HSM_PLATFORM_LEGACY,
    LEGACY_ACCESS_POLICIES,
    MIXED_PURPOSE,
    NO_AUTO_ROTATION,
    NO_EXPIRY,
    NO_PRIVATE_ENDPOINT,
    OLD_VERSIONS_ENABLED,
    OLDEST_SIGNING_VERSION,
    PUBLIC_NETWORK_OPEN,
    PURGE_PROTECTION_OFF,
    QUANTUM_VULNERABLE,
    ROTATION_OVERDUE,
    SIGN_AND_DECRYPT,
    SOFTWARE_PROTECTED,
    WEAK_PARAMETERS,
)
from keyaudit.simulator.estates.key_plans import (
    EVERY,
    P256,
    P256_HSM,
    P256K,
    P384,
    P384_HSM,
    P521_HSM,
    RSA_1024,
    RSA_2048,
    RSA_3072,
    RSA_HSM_2048,
    RSA_HSM_3072,
    RSA_HSM_4096,
    SIGN,
    WRAP,
    KeyPlan,
    VaultPlan,
    VersionPlan,
    certificate_key,
    kept,
)
from keyaudit.simulator.estates.log_plans import to_sentinel, to_storage

_SIGNING = VaultPlan(
    name="kv-platform-signing",
    logs=to_sentinel,
    group="rg-platform-signing",
    location="swedencentral",
    tags={"env": "shared", "owner": "developer-platform", "costCenter": "CC-1010"},
    default_action="Deny",
    endpoints=("Approved",),
    keys=(
        kept("release-signing", RSA_HSM_4096, SIGN, 130, count=3, tags={"app": "release-pipeline"}),
        kept("container-image-signing", P256_HSM, SIGN, 35, every=180, count=3, live=1, tags={"app": "release-pipeline"}),
        # Rotated last year, but the version of three years ago can still sign.
        KeyPlan(
            "sbom-signing",
            P384_HSM,
            SIGN,
            (VersionPlan(210, 455), VersionPlan(1_130, 1_825, finds=(HSM_PLATFORM_LEGACY,))),
            rotation=RotationPolicy(rotate_after="P365D", expiry_time="P455D"),
            finds=(OLDEST_SIGNING_VERSION, OLD_VERSIONS_ENABLED),
        ),
        # Keys that attest devices must outlive them.
        KeyPlan(
            "device-root-signing",
            P521_HSM,
            SIGN,
            (VersionPlan(80, 5_475),),
            tags={"keyaudit:rotator": "firmware-ceremony", "owner": "store-devices"},
            finds=(QUANTUM_VULNERABLE,),
        ),
        # Rotated in a key ceremony, so it needs no rotation policy; but the ceremony is years overdue.
        KeyPlan(
            "store-firmware-signing",
            RSA_HSM_2048,
            SIGN,
            (VersionPlan(1_900, 3_650, finds=(HSM_PLATFORM_LEGACY,)),),
            tags={"keyaudit:rotator": "firmware-ceremony", "owner": "store-devices"},
            finds=(ROTATION_OVERDUE, OLDEST_SIGNING_VERSION, QUANTUM_VULNERABLE),
        ),
        KeyPlan(
            "terraform-module-signing",
            P256_HSM,
            SIGN,
            (VersionPlan(420, 730), VersionPlan(840, 730, enabled=False)),
            tags={"keyaudit:rotator": "func-key-rotator"},
        ),
        # Retired, but only its current version was disabled.
        KeyPlan(
            "helpdesk-tool-signing",
            RSA_HSM_2048,
            SIGN,
            (VersionPlan(150, 730, enabled=False), *(VersionPlan(age, 730) for age in (240, 290, 335))),
            tags={"owner": "workplace-it"},
            finds=(OLD_VERSIONS_ENABLED,),
        ),
        KeyPlan(
            "legacy-package-feed-signing",
            RSA_2048,
            SIGN,
            (VersionPlan(3_900, dated=False),),
            finds=(
                NO_EXPIRY,
                ROTATION_OVERDUE,
                NO_AUTO_ROTATION,
                SOFTWARE_PROTECTED,
                OLDEST_SIGNING_VERSION,
                QUANTUM_VULNERABLE,
            ),
        ),
        certificate_key("authenticode-signing", 90, material=RSA_HSM_3072, life=1_095, oldest_finds=(HSM_PLATFORM_LEGACY,)),
        certificate_key("stores-device-ca", 330, material=RSA_HSM_3072, life=1_461, count=1),
    ),
)

_EDGE = VaultPlan(
    name="kv-platform-edge",
    logs=to_storage,
    group="rg-platform-edge",
    sku="standard",
    tags={"env": "shared", "owner": "network"},
    default_action="Deny",
    finds=(AUDIT_NOT_SEARCHABLE, NO_PRIVATE_ENDPOINT),
    keys=(
        certificate_key("wildcard-contoso-example", 20, life=45, early=9, count=4),
        certificate_key("api-gateway-tls", 150, life=730, count=2),
        certificate_key("vpn-gateway-root", 700, life=3_650, count=1),
        certificate_key("mail-relay-tls", 341, count=2),
        certificate_key("stores-radius-tls", 25, life=45, early=9, count=3),
        certificate_key("legacy-portal-tls", 520, count=1),
        certificate_key("pos-updates-tls", 398, count=1),
        certificate_key("partner-gateway-tls", 2, count=1),
    ),
)

_IDENTITY_TEST = VaultPlan(
    name="kv-identity-test",
    logs=to_sentinel,
    group="rg-identity-nonprod",
    sku="standard",
    tags={"env": "test", "owner": "identity-platform"},
    purge_protection=None,
    soft_delete=False,
    default_action="Deny",
    finds=(PURGE_PROTECTION_OFF, NO_PRIVATE_ENDPOINT, MIXED_PURPOSE),
    keys=(
        kept("consumer-token-signing", RSA_2048, SIGN, 55, count=2, tags={"app": "consumer-sign-in"}),
        kept("workforce-token-signing", P256, SIGN, 80, count=2),
        kept("session-cookie-wrap", RSA_3072, WRAP, 22, every=90, count=3, live=1),
        KeyPlan(
            "loadtest-jwt",
            RSA_2048,
            EVERY,
            (VersionPlan(480),),
            finds=(NO_EXPIRY, NO_AUTO_ROTATION, SIGN_AND_DECRYPT, QUANTUM_VULNERABLE),
        ),
        KeyPlan(
            "smartcard-lab",
            RSA_1024,
            SIGN,
            (VersionPlan(380, 1_095),),
            tags={"keyaudit:rotator": "card-lab"},
            finds=(WEAK_PARAMETERS,),
        ),
        # Prepared for production, and tagged so, in a test vault.
        kept("cutover-token-signing", RSA_3072, SIGN, 18, tags={"env": "Prod"}, finds=(SOFTWARE_PROTECTED,)),
    ),
)

_PAYMENTS_TEST = VaultPlan(
    name="kv-payments-test",
    group="rg-payments-nonprod",
    sku="standard",
    tags={"Environment": "Test", "owner": "payments"},
    logs=to_sentinel,
    default_action="Deny",
    # Left from a network that was removed.
    endpoints=("Disconnected",),
    finds=(ENDPOINT_NOT_APPROVED, NO_PRIVATE_ENDPOINT),
    keys=(
        kept("card-token-wrap", RSA_2048, WRAP, 105, count=2),
        kept("settlement-signing", P256, SIGN, 190, count=2),
        kept("receipt-signing", P384, SIGN, 70),
        KeyPlan("psp-simulator", P256, SIGN, (VersionPlan(338, 365),), finds=(EXPIRING_SOON, NO_AUTO_ROTATION)),
        kept("emv-kernel", P256K, SIGN, 64, finds=(WEAK_PARAMETERS,)),
        # Set to rotate a month before expiration, but neither version nor policy has an expiration date: it is never due.
        KeyPlan(
            "terminal-sim-signing",
            P256,
            SIGN,
            (VersionPlan(150),),
            rotation=RotationPolicy(rotate_before_expiry="P30D"),
            finds=(NO_EXPIRY, NO_AUTO_ROTATION, QUANTUM_VULNERABLE),
        ),
    ),
)

_ORDERS_DEV = VaultPlan(
    name="kv-orders-dev",
    group="rg-orders-nonprod",
    sku="standard",
    tags={"env": "dev", "owner": "orders"},
    rbac=False,
    purge_protection=None,
    finds=(LEGACY_ACCESS_POLICIES, PURGE_PROTECTION_OFF, PUBLIC_NETWORK_OPEN, NO_PRIVATE_ENDPOINT, AUDIT_OFF),
    keys=(
        kept("order-event-signing", P256, SIGN, 28, count=2),
        kept("order-db-cmk", RSA_2048, WRAP, 145, count=2),
        KeyPlan(
            "dev-scratch",
            RSA_2048,
            EVERY,
            (VersionPlan(95),),
            finds=(NO_EXPIRY, NO_AUTO_ROTATION, SIGN_AND_DECRYPT, QUANTUM_VULNERABLE),
        ),
        KeyPlan(
            "label-printer-signing",
            RSA_2048,
            SIGN,
            (VersionPlan(30, 365), VersionPlan(430, 365, finds=(EXPIRED_STILL_ENABLED,))),
            rotation=RotationPolicy(rotate_after="P335D", expiry_time="P1Y"),
            finds=(OLD_VERSIONS_ENABLED,),
        ),
        KeyPlan("spike-2024", RSA_2048, EVERY, (VersionPlan(760, enabled=False),)),
    ),
    deleted=((KeyPlan("spike-2023", RSA_2048, EVERY, (VersionPlan(1_100),), finds=(DELETED_RECOVERABLE,)), 12),),
)

_STORES_DEV = VaultPlan(
    name="kv-stores-dev",
    group="rg-stores-nonprod",
    location="northeurope",
    sku="standard",
    tags={"env": "dev", "owner": "store-systems"},
    logs=to_sentinel,
    default_action="Deny",
    endpoints=("Approved",),
    keys=(
        kept("pos-receipt-signing", P256, SIGN, 50, count=3),
        kept("kiosk-session-wrap", RSA_2048, WRAP, 34, every=90, count=4, live=1),
        kept("shelf-label-signing", P256, SIGN, 115, count=2),
        kept("store-inventory-wrap", RSA_3072, WRAP, 175, count=2),
        kept("price-feed-signing", P384, SIGN, 9, every=180, count=3, live=1),
    ),
)

_SANDBOX = VaultPlan(
    name="kv-sandbox-labs",
    group="rg-sandbox-labs",
    sku="standard",
    tags={"env": "sandbox", "owner": "innovation-lab"},
    purge_protection=None,
    soft_delete=False,
    finds=(PUBLIC_NETWORK_OPEN, AUDIT_OFF),
    keys=(
        kept("workshop-signing", P256, SIGN, 38, count=2),
        kept("prototype-wrap", RSA_2048, WRAP, 84),
        KeyPlan(
            "hackathon-signing",
            RSA_2048,
            SIGN,
            (VersionPlan(400),),
            finds=(NO_EXPIRY, NO_AUTO_ROTATION, QUANTUM_VULNERABLE),
        ),
        KeyPlan("hackathon-scratch", RSA_2048, EVERY, (VersionPlan(770, enabled=False),)),
    ),
)

SHARED_VAULTS = (_SIGNING, _EDGE)
NONPROD_VAULTS = (_IDENTITY_TEST, _PAYMENTS_TEST, _ORDERS_DEV, _STORES_DEV, _SANDBOX)
