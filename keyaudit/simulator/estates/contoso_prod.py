"""Contoso's production vaults: among well-kept HSM keys, the signing key of 2016 that nobody retired."""

from keyaudit.simulator.estate import RotationPolicy
from keyaudit.simulator.estates.defects import (
    AUDIT_NOT_SEARCHABLE,
    AUDIT_OFF,
    DELETED_RECOVERABLE,
    ENDPOINT_NOT_APPROVED,
    EXPIRED_STILL_ENABLED,
    EXPIRING_SOON,
    EXPORTABLE,
    HSM_PLATFORM_LEGACY,
    LEGACY_ACCESS_POLICIES,
    MIXED_PURPOSE,
    NO_AUTO_ROTATION,
    NO_EXPIRY,
    NO_PRIVATE_ENDPOINT,
    OLD_VERSIONS_ENABLED,
    OLDEST_SIGNING_VERSION,
    OWN_ROTATION_OVERDUE,
    PUBLIC_NETWORK_OPEN,
    PURGE_PROTECTION_OFF,
    QUANTUM_VULNERABLE,
    RELEASE_POLICY_MUTABLE,
    ROTATION_OVERDUE,
    SIGN_AND_DECRYPT,
    SOFTWARE_PROTECTED,
    UNOBSERVED_CROWN_KEY,
    WEAK_PARAMETERS,
)
from keyaudit.simulator.estates.key_plans import (
    CRYPT,
    EVERY,
    P256,
    P256_HSM,
    P256K_HSM,
    P384_HSM,
    PUBLIC_ONLY,
    RSA_2048,
    RSA_HSM_2048,
    RSA_HSM_3072,
    RSA_HSM_4096,
    SIGN,
    UNWRAP_ONLY,
    WRAP,
    KeyPlan,
    VaultPlan,
    VersionPlan,
    certificate_key,
    kept,
)
from keyaudit.simulator.estates.log_plans import (
    sentinel_and_storage,
    to_basic_table,
    to_brief_workspace,
    to_sentinel,
    wrong_category,
)

_APRIL_2016 = 1_459_846_800
_ARCHIVE = {"keyaudit:archive": "decrypt-only"}

_IDENTITY = VaultPlan(
    name="kv-identity-prod",
    logs=to_sentinel,
    group="rg-identity-prod",
    tags={"env": "prod", "owner": "identity-platform", "costCenter": "CC-1040"},
    public_network_access="Disabled",
    endpoints=("Approved",),
    finds=(MIXED_PURPOSE,),
    keys=(
        # The main finding of the demo: created in 2016, in software, no expiration date, never rotated; it signs consumers'
        # tokens.
        KeyPlan(
            "consumer-token-signing",
            RSA_2048,
            SIGN,
            (VersionPlan(3_650, made=_APRIL_2016),),
            tags={"owner": "identity-platform", "app": "consumer-sign-in"},
            finds=(
                NO_EXPIRY,
                ROTATION_OVERDUE,
                NO_AUTO_ROTATION,
                SOFTWARE_PROTECTED,
                OLDEST_SIGNING_VERSION,
                QUANTUM_VULNERABLE,
            ),
        ),
        kept("workforce-token-signing", RSA_HSM_3072, SIGN, 41, every=180, count=4, live=1, tags={"app": "workforce-sign-in"}),
        kept("partner-token-signing", P256_HSM, SIGN, 97, count=2, tags={"app": "supplier-portal"}),
        # The second enabled version expired 15 days ago: within the limit of 30 days.
        kept("session-cookie-wrap", RSA_HSM_3072, WRAP, 15, every=90, count=4, live=2, tags={"app": "consumer-sign-in"}),
        kept("refresh-token-wrap", RSA_HSM_3072, WRAP, 230, count=3),
        KeyPlan(
            "device-attestation",
            P384_HSM,
            SIGN,
            (VersionPlan(410, 1_460),),
            rotation=RotationPolicy(rotate_after="P800D", expiry_time="P4Y"),
            finds=(NO_AUTO_ROTATION,),
        ),
        certificate_key("saml-idp-signing", 200),
        KeyPlan("legacy-jwt-signing", RSA_2048, SIGN, (VersionPlan(4_100, enabled=False, dated=False),)),
    ),
    deleted=((KeyPlan("beta-token-signing", RSA_2048, EVERY, (VersionPlan(1_300),)), 40),),
)

_PAYMENTS = VaultPlan(
    name="kv-payments-prod",
    logs=sentinel_and_storage,
    group="rg-payments-prod",
    tags={"env": "prod", "owner": "payments", "costCenter": "CC-2210", "dataClass": "pci"},
    default_action="Deny",
    endpoints=("Approved", "Approved"),
    finds=(MIXED_PURPOSE,),
    keys=(
        kept("card-token-wrap", RSA_HSM_4096, WRAP, 120, count=3, tags={"app": "card-vault"}),
        kept("settlement-signing", P256_HSM, SIGN, 60, every=180, count=3, live=1, tags={"app": "settlement"}),
        kept("acquirer-batch", RSA_HSM_2048, EVERY, 75, count=2, finds=(SIGN_AND_DECRYPT,)),
        KeyPlan(
            "iso20022-signing",
            RSA_HSM_3072,
            SIGN,
            (VersionPlan(905, 1_460),),
            tags={"owner": "treasury", "app": "bank-gateway"},
            finds=(ROTATION_OVERDUE, NO_AUTO_ROTATION),
        ),
        kept("digital-asset-pilot", P256K_HSM, SIGN, 150, tags={"owner": "innovation-lab"}, finds=(WEAK_PARAMETERS,)),
        # Its old version expired 110 days ago and stays enabled to read archived data, as its tag and operations say.
        KeyPlan(
            "pan-vault-wrap",
            RSA_HSM_3072,
            WRAP,
            (VersionPlan(100, 180), VersionPlan(290, 180, ops=UNWRAP_ONLY, tags=_ARCHIVE)),
            rotation=RotationPolicy(rotate_after="P170D", expiry_time="P180D"),
        ),
        KeyPlan(
            "dispute-archive",
            RSA_HSM_3072,
            UNWRAP_ONLY,
            (VersionPlan(610, 365),),
            tags=_ARCHIVE | {"keyaudit:rotator": "hsm-ops-runbook"},
        ),
        # The same tag, but it can still wrap new data, so it is not an archive.
        KeyPlan(
            "merchant-archive",
            RSA_HSM_3072,
            WRAP,
            (VersionPlan(1_800, 730, tags=_ARCHIVE, finds=(EXPIRED_STILL_ENABLED, HSM_PLATFORM_LEGACY)),),
            finds=(ROTATION_OVERDUE, NO_AUTO_ROTATION),
        ),
        # Its policy should have rotated it 15 days ago.
        kept("fraud-model-signing", P256_HSM, SIGN, 380, finds=(OWN_ROTATION_OVERDUE,)),
        certificate_key("pay-api-tls", 30, life=45, early=9, count=3),
    ),
)

_ORDERS = VaultPlan(
    name="kv-orders-prod",
    logs=wrong_category,
    group="rg-orders-prod",
    location="northeurope",
    tags={"env": "prod", "owner": "orders", "costCenter": "CC-2300"},
    rbac=None,
    default_action="Deny",
    endpoints=("Approved", "Pending"),
    finds=(LEGACY_ACCESS_POLICIES, AUDIT_OFF, ENDPOINT_NOT_APPROVED, MIXED_PURPOSE),
    # A guest can sign with these keys, and their log cannot be searched.
    keys=(
        kept(
            "order-event-signing",
            P256_HSM,
            SIGN,
            20,
            every=180,
            count=3,
            live=1,
            tags={"app": "order-events"},
            finds=(UNOBSERVED_CROWN_KEY,),
        ),
        kept("order-db-cmk", RSA_HSM_3072, WRAP, 260, count=2),
        KeyPlan(
            "warehouse-manifest-signing",
            RSA_HSM_2048,
            SIGN,
            tuple(VersionPlan(age, 400) for age in (25, 85, 145, 205, 265)),
            rotation=RotationPolicy(rotate_after="P60D", expiry_time="P400D"),
            tags={"owner": "logistics", "app": "warehouse"},
            finds=(OLD_VERSIONS_ENABLED, UNOBSERVED_CROWN_KEY),
        ),
        KeyPlan(
            "returns-label-signing",
            P256_HSM,
            SIGN,
            (VersionPlan(353, 365),),
            tags={"owner": "logistics"},
            finds=(EXPIRING_SOON, NO_AUTO_ROTATION, UNOBSERVED_CROWN_KEY),
        ),
        # It expires as soon, but its policy rotates it 20 days before.
        KeyPlan(
            "carrier-webhook-signing",
            P256_HSM,
            SIGN,
            (VersionPlan(340, 365),),
            rotation=RotationPolicy(rotate_before_expiry="P20D"),
            finds=(UNOBSERVED_CROWN_KEY,),
        ),
        kept(
            "edi-gateway-signing",
            RSA_2048,
            SIGN,
            140,
            tags={"app": "edi-gateway"},
            finds=(SOFTWARE_PROTECTED, UNOBSERVED_CROWN_KEY),
        ),
        certificate_key("invoice-pdf-signing", 250),
        certificate_key("edi-client", 34, early=90, exportable=True),
    ),
    # The order service's deployment can recover it.
    deleted=((KeyPlan("legacy-order-signing", RSA_HSM_2048, SIGN, (VersionPlan(900),), finds=(DELETED_RECOVERABLE,)), 18),),
)

_HR = VaultPlan(
    name="kv-hr-prod",
    logs=to_brief_workspace,
    group="rg-hr-prod",
    location="northeurope",
    tags={"env": "prod", "owner": "people-systems", "costCenter": "CC-3100"},
    default_action="Deny",
    endpoints=("Approved",),
    finds=(MIXED_PURPOSE,),
    keys=(
        KeyPlan(
            "payroll-file-signing",
            RSA_HSM_3072,
            SIGN,
            (VersionPlan(310),),
            rotation=RotationPolicy(rotate_after="P1Y"),
            tags={"app": "payroll"},
            finds=(NO_EXPIRY, QUANTUM_VULNERABLE),
        ),
        kept("pension-export-wrap", RSA_HSM_3072, WRAP, 45, count=2),
        KeyPlan(
            "badge-access-signing",
            P256_HSM,
            SIGN,
            (VersionPlan(400, 365, finds=(EXPIRED_STILL_ENABLED,)),),
            tags={"owner": "facilities"},
            finds=(NO_AUTO_ROTATION,),
        ),
        kept("contract-esign", RSA_HSM_4096, SIGN, 180, count=2, tags={"app": "contracts"}),
        KeyPlan("survey-anonymiser-wrap", RSA_HSM_2048, WRAP, (VersionPlan(900, 365, enabled=False),)),
        certificate_key("hr-portal-tls", 10, life=45, early=9),
    ),
)

_LOYALTY = VaultPlan(
    name="kv-loyalty-prod",
    group="rg-loyalty-prod",
    tags={"Environment": "Production", "Owner": "loyalty"},
    rbac=False,
    purge_protection=None,
    finds=(
        LEGACY_ACCESS_POLICIES,
        PURGE_PROTECTION_OFF,
        PUBLIC_NETWORK_OPEN,
        NO_PRIVATE_ENDPOINT,
        AUDIT_OFF,
        MIXED_PURPOSE,
    ),
    keys=(
        kept(
            "points-ledger-signing",
            P256_HSM,
            SIGN,
            410,
            count=2,
            tags={"app": "points-ledger"},
            finds=(OWN_ROTATION_OVERDUE,),
        ),
        # A key in the production vault, tagged as a test key; production could sign with it.
        kept("voucher-code-signing-test", P256, SIGN, 210, tags={"env": "test"}, finds=(UNOBSERVED_CROWN_KEY,)),
        kept("member-export-wrap", RSA_2048, CRYPT, 33, tags={"app": "member-export"}, finds=(SOFTWARE_PROTECTED,)),
        KeyPlan(
            "gift-card-batch",
            RSA_2048,
            EVERY,
            (VersionPlan(1_500),),
            finds=(
                NO_EXPIRY,
                ROTATION_OVERDUE,
                NO_AUTO_ROTATION,
                SOFTWARE_PROTECTED,
                SIGN_AND_DECRYPT,
                OLDEST_SIGNING_VERSION,
                QUANTUM_VULNERABLE,
            ),
        ),
        # A partner's public key: it only verifies and encrypts, so it has no originator-usage period.
        KeyPlan("partner-offer-verification", RSA_2048, PUBLIC_ONLY, (VersionPlan(1_200, 2_190),)),
    ),
)

_DATA = VaultPlan(
    name="kv-data-prod",
    logs=to_basic_table,
    group="rg-data-prod",
    location="northeurope",
    tags={"env": "prod", "owner": "data-platform", "costCenter": "CC-1800"},
    default_action="Deny",
    endpoints=("Approved",),
    finds=(AUDIT_NOT_SEARCHABLE,),
    keys=(
        kept("sql-tde-protector", RSA_HSM_3072, WRAP, 200, count=3),
        kept("storage-cmk", RSA_HSM_4096, WRAP, 88, count=3),
        kept("cosmos-cmk", RSA_HSM_3072, WRAP, 310, count=2),
        kept("lakehouse-cmk", RSA_HSM_3072, WRAP, 12, every=180, count=3, live=1),
        kept(
            "cvm-disk-cmk",
            RSA_HSM_3072,
            WRAP,
            160,
            count=2,
            exportable=True,
            release_policy_immutable=True,
            finds=(EXPORTABLE,),
        ),
        KeyPlan(
            "clean-room-wrap",
            RSA_HSM_3072,
            WRAP,
            # The previous version stays valid for a while, by its older policy.
            (
                VersionPlan(52, 455, finds=(RELEASE_POLICY_MUTABLE,)),
                VersionPlan(240, 455, finds=(RELEASE_POLICY_MUTABLE,)),
            ),
            rotation=RotationPolicy(rotate_after="P365D", expiry_time="P455D"),
            exportable=True,
            release_policy_immutable=False,
            finds=(EXPORTABLE,),
        ),
        KeyPlan(
            "cvm-disk-cmk-pilot",
            RSA_HSM_3072,
            WRAP,
            (VersionPlan(640, enabled=False),),
            exportable=True,
            release_policy_immutable=False,
        ),
        KeyPlan(
            "reporting-extract-wrap",
            RSA_HSM_2048,
            WRAP,
            (VersionPlan(200, 730), VersionPlan(980, 1_460)),
            rotation=RotationPolicy(rotate_after="P1Y", expiry_time="P2Y"),
            tags={"owner": "business-intelligence"},
            finds=(OLD_VERSIONS_ENABLED,),
        ),
        kept(
            "ml-registry-signing",
            P384_HSM,
            SIGN,
            400,
            every=540,
            tags={"owner": "data-science"},
            finds=(UNOBSERVED_CROWN_KEY,),
        ),
        certificate_key("etl-client", 75, exportable=True),
        certificate_key("feed-client", 36, material=RSA_HSM_3072, early=90),
    ),
)

PROD_VAULTS = (_IDENTITY, _PAYMENTS, _ORDERS, _HR, _LOYALTY, _DATA)
