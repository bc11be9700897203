"""Contoso's Managed HSMs: one with CA and signing keys, one left from a pilot project, and one that is being set up."""

from keyaudit.simulator.estates.defects import (
    EKM_CERTIFICATE_EXPIRING,
    EXPIRING_SOON,
    HSM_DELETED_RECOVERABLE,
    HSM_KEYS_THROUGH_ARM,
    HSM_PUBLIC_NETWORK,
    HSM_PURGE_PROTECTION_OFF,
    NO_AUTO_ROTATION,
    OLDEST_SIGNING_VERSION,
    ROTATION_OVERDUE,
)
from keyaudit.simulator.estates.hsm_plans import (
    ADMINISTRATOR,
    CRYPTO_AUDITOR,
    CRYPTO_OFFICER,
    CRYPTO_USER,
    EKM_ADMINISTRATOR,
    SERVICE_ENCRYPTION,
    EkmPlan,
    HsmPlan,
)
from keyaudit.simulator.estates.key_plans import (
    EXTERNAL_RSA_3072,
    OCT_HSM_256,
    P384_HSM,
    RSA_HSM_3072,
    RSA_HSM_4096,
    SIGN,
    WRAP,
    KeyPlan,
    VersionPlan,
    kept,
)
from keyaudit.simulator.estates.log_plans import hsm_to_sentinel

_ROTATOR = "HSM key custodian"
EKM_TEAM = "External Key Manager Admins"
"""A group of three people."""

TRUST_HSM = HsmPlan(
    name="hsm-contoso-trust",
    logs=hsm_to_sentinel,
    group="rg-platform-trust",
    tags={"env": "prod", "owner": "crypto-services", "costCenter": "CC-1020"},
    admins=("Ingrid Falk", "Tomas Reyes", "Priya Nair"),
    custom=(
        (
            _ROTATOR,
            (
                "keys/read/action",
                "keys/rotate/action",
                "keys/write/action",
            ),
        ),
    ),
    held=(
        (ADMINISTRATOR, "Ingrid Falk", ""),
        (ADMINISTRATOR, "Tomas Reyes", ""),
        (CRYPTO_OFFICER, "Priya Nair", "*"),
        (CRYPTO_AUDITOR, "keyaudit", ""),
        (CRYPTO_USER, "Issuing CA service", "issuing-ca-signing"),
        (CRYPTO_USER, "Trust services", "document-timestamping"),
        (SERVICE_ENCRYPTION, "Payments SQL server", "payments-tde-protector"),
        # Of another subscription; its log can be searched for 90 days only.
        (SERVICE_ENCRYPTION, "id-payments-settlement-prod", "token-vault-kek"),
        (_ROTATOR, "Key custodian runbook", "*"),
        # The runbook once needed more than rotation, and got a role that can assign any role.
        (CRYPTO_OFFICER, "Key custodian runbook", "*"),
        # The database needs one key only.
        (SERVICE_ENCRYPTION, "Payments SQL server", "*"),
        (EKM_ADMINISTRATOR, EKM_TEAM, ""),
        # It should move the proxy once, and can still send wrapped keys to any other.
        (EKM_ADMINISTRATOR, "Key custodian runbook", ""),
        (SERVICE_ENCRYPTION, "Payments SQL server", "sovereign-kek"),
        # A crypto officer who can also sign: the two roles should be separate.
        (CRYPTO_USER, "Priya Nair", "branch-link-signing"),
    ),
    keys=(
        kept("issuing-ca-signing", P384_HSM, SIGN, 140, count=2, tags={"app": "internal-pki"}),
        kept("document-timestamping", RSA_HSM_4096, SIGN, 60, every=180, count=3, live=1, tags={"app": "trust-services"}),
        kept("payments-tde-protector", RSA_HSM_3072, WRAP, 210, count=2, tags={"app": "payments"}),
        kept("token-vault-kek", OCT_HSM_256, WRAP, 30, every=90, count=4),
        # The key itself is in the bank's own HSM. Nobody made the next version yet, and no job does.
        KeyPlan(
            "sovereign-kek",
            EXTERNAL_RSA_3072,
            WRAP,
            (VersionPlan(200, 210),),
            tags={"app": "payments"},
            external=True,
            finds=(NO_AUTO_ROTATION, EXPIRING_SOON),
        ),
        # Moved here years ago, never rotated.
        KeyPlan(
            "branch-link-signing",
            RSA_HSM_3072,
            SIGN,
            (VersionPlan(1_240, 1_825),),
            tags={"owner": "store-network"},
            finds=(ROTATION_OVERDUE, NO_AUTO_ROTATION, OLDEST_SIGNING_VERSION),
        ),
    ),
    deleted=((KeyPlan("dispatch-signing", P384_HSM, SIGN, (VersionPlan(820),), finds=(HSM_DELETED_RECOVERABLE,)), 9),),
    ekm=EkmPlan(host="ekm.contoso.example:8443", server_ends=50, client_ends=900, finds=(EKM_CERTIFICATE_EXPIRING,)),
)

# Deployed by a template, which needed the setting, and open to all networks for tests.
_PILOT_HSM = HsmPlan(
    name="hsm-contoso-pilot",
    logs=hsm_to_sentinel,
    group="rg-platform-pilot",
    tags={"owner": "crypto-services", "costCenter": "CC-1020"},
    admins=("Ingrid Falk", "Tomas Reyes"),
    held=(
        (ADMINISTRATOR, "Ingrid Falk", ""),
        (ADMINISTRATOR, "Tomas Reyes", ""),
        (CRYPTO_AUDITOR, "keyaudit", ""),
    ),
    purge_protection=False,
    default_action="Allow",
    ip_rules=(),
    endpoints=(),
    through_arm=True,
    keys=(kept("ledger-pilot-signing", P384_HSM, SIGN, 75, every=180, count=2),),
    finds=(HSM_PURGE_PROTECTION_OFF, HSM_PUBLIC_NETWORK, HSM_KEYS_THROUGH_ARM),
)


# All members of the project are administrators. One of them uses keys, too.
LAB_HSM = HsmPlan(
    name="hsm-contoso-lab",
    logs=hsm_to_sentinel,
    group="rg-sandbox-labs",
    age=6,
    tags={"env": "sandbox", "owner": "crypto-services"},
    admins=("Ingrid Falk", "Tomas Reyes", "Priya Nair"),
    held=(
        *(
            (ADMINISTRATOR, name, "")
            for name in ("Ingrid Falk", "Tomas Reyes", "Priya Nair", "Olga Berg", "Ben Adeyemi", "Clara Martin")
        ),
        (CRYPTO_AUDITOR, "keyaudit", ""),
        (CRYPTO_USER, "Ben Adeyemi", ""),
    ),
)

HSMS = ((TRUST_HSM, "contoso-platform"), (_PILOT_HSM, "contoso-platform"), (LAB_HSM, "contoso-nonprod"))
"""Each with its subscription."""
