"""Contoso's Managed HSM: the keys that vouch for others, and one that was moved there years ago and never rotated."""

from keyaudit.simulator.estates.defects import NO_AUTO_ROTATION, ROTATION_OVERDUE
from keyaudit.simulator.estates.hsm_plans import (
    ADMINISTRATOR,
    CRYPTO_AUDITOR,
    CRYPTO_OFFICER,
    CRYPTO_USER,
    SERVICE_ENCRYPTION,
    HsmPlan,
)
from keyaudit.simulator.estates.key_plans import (
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
        # Of another subscription; its log can be searched for 90 days, and not for longer.
        (SERVICE_ENCRYPTION, "id-payments-settlement-prod", "token-vault-kek"),
        (_ROTATOR, "Key custodian runbook", "*"),
    ),
    keys=(
        kept("issuing-ca-signing", P384_HSM, SIGN, 140, count=2, tags={"app": "internal-pki"}),
        kept("document-timestamping", RSA_HSM_4096, SIGN, 60, every=180, count=3, live=1, tags={"app": "trust-services"}),
        kept("payments-tde-protector", RSA_HSM_3072, WRAP, 210, count=2, tags={"app": "payments"}),
        kept("token-vault-kek", OCT_HSM_256, WRAP, 30, every=90, count=4),
        KeyPlan(
            "branch-link-signing",
            RSA_HSM_3072,
            SIGN,
            (VersionPlan(1_240, 1_825),),
            tags={"owner": "store-network"},
            finds=(ROTATION_OVERDUE, NO_AUTO_ROTATION),
        ),
    ),
)
