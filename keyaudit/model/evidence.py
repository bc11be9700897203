"""Evidence that is optional unless --require names it: data that Azure's read APIs do not return, that needs a further right,
or that a cloud does not have.
"""

from collections.abc import Sequence

from keyaudit.model.reasons import Reason
from keyaudit.model.values.text import listed

LOGS = "logs"
CUSTODY = "custody"
UNIFIED_AUDIT = "unified-audit"
RELYING_PARTIES = "relying-parties"
REPOSITORIES = "repositories"
DELETED_HSM_KEYS = "deleted-hsm-keys"
"""The deleted keys of Managed HSMs, which need a local role of their own."""
CONDITIONAL_ACCESS = "conditional-access"
"""Conditional Access policies, for workload identities."""
IDENTITY_PROTECTION = "identity-protection"
"""The risk of workload identities, which needs further permissions and a license."""
ENVIRONMENTS = "environments"
"""The environments of vaults and workloads, from tags or from keyaudit.toml."""
USAGE_BASELINE = "usage-baseline"
"""The usage baseline, supplied together with logs. No policy declares it as needed: without it, columns based on it are
unknown.
"""

EVIDENCE: dict[str, str] = {
    LOGS: "--import logs=DIR",
    CUSTODY: "--import custody=FILE",
    UNIFIED_AUDIT: "--import ual=FILE",
    RELYING_PARTIES: "--import relying-parties=PATH",
    REPOSITORIES: "--import repositories=FILE",
    DELETED_HSM_KEYS: "a local role that allows Microsoft.KeyVault/managedHsm/keys/deletedKeys/read/action",
    CONDITIONAL_ACCESS: "the permission Policy.Read.All of Microsoft Graph",
    IDENTITY_PROTECTION: "Workload ID Premium, and the permissions IdentityRiskyServicePrincipal.Read.All and "
    "IdentityRiskEvent.Read.All of Microsoft Graph",
    ENVIRONMENTS: "[environments] in keyaudit.toml",
}
"""For each name in a policy's `needs`, the flag, setting or right that supplies it; empty if this version has none."""

APPLY = "apply"
"""What a plan cannot have: only the tenant has it, after the plan was applied."""

LEFT_OUT = "left-out"
"""What --source or another filter of the run left out."""

_SUPPLIED = {**EVIDENCE, APPLY: "an audit of the tenant after apply"}

BY_RIGHT = (DELETED_HSM_KEYS, CONDITIONAL_ACCESS, IDENTITY_PROTECTION)
"""Evidence that an optional right or license supplies: its operations name it (`Operation.evidence`)."""

NOT_IN_CLOUD = "not-in-cloud"
PUBLISHERS = "publishers"
EVERY_RESOURCE = "every-resource"
EVERYTHING = "all"
"""All of these, and what filters of the run left out."""
REQUIRABLE = (*EVIDENCE, NOT_IN_CLOUD, PUBLISHERS, EVERY_RESOURCE, EVERYTHING)
"""The values of --require: evidence, data that the audited cloud does not have, data that only publishers can see, and every
resource of a plan, also one that perhaps is not about Azure.
"""


def required(names: Sequence[str]) -> tuple[str, ...]:
    """The evidence that these values of --require name."""
    return tuple(dict.fromkeys(REQUIRABLE if EVERYTHING in names else names))


def absence(need: str) -> Reason:
    """Why evidence of this name is not there."""
    return Reason.EXCLUDED_BY_CONFIG if need == LEFT_OUT else Reason.NOT_SUPPLIED


def worded(needs: Sequence[str]) -> str:
    """The evidence in words: "custody and logs", "the parts that were left out"."""
    return listed(["the parts that were left out" if need == LEFT_OUT else need for need in needs])


def remedy(needs: Sequence[str]) -> str:
    """How to supply it, or that this version cannot take it."""
    if LEFT_OUT in needs:
        return "run without the filter that excluded it"
    flags = [_SUPPLIED[need] for need in needs if _SUPPLIED.get(need)]
    if flags:
        return f"supply it with {' and '.join(flags)}"
    return f"not available in this version: no way to supply {listed(needs)}"
