"""What is optional unless it is required: evidence that Azure's read APIs do not hold, and what a cloud does not have."""

from collections.abc import Sequence

from keyaudit.model.text import listed

LOGS = "logs"
CUSTODY = "custody"
UNIFIED_AUDIT = "unified-audit"
RELYING_PARTIES = "relying-parties"
ENVIRONMENTS = "environments"
"""Which environments vaults and workloads belong to: tags of the tenant say it, or the reader."""
USAGE_BASELINE = "usage-baseline"
"""What is usual in the logs, beside which it is supplied. No policy needs it: without it, what rests on it is unknown."""

EVIDENCE: dict[str, str] = {
    LOGS: "--import logs=DIR",
    CUSTODY: "--import custody=FILE",
    UNIFIED_AUDIT: "--import ual=FILE",
    RELYING_PARTIES: "--import relying-parties=PATH",
    ENVIRONMENTS: "[environments] in keyaudit.toml",
}
"""By the name that a policy's `needs` gives: the flag or setting that supplies it; empty where this version has none."""

NOT_IN_CLOUD = "not-in-cloud"
REQUIRABLE = (*EVIDENCE, NOT_IN_CLOUD)
"""What --require takes: evidence, and all that policies read which the audited cloud does not have."""


def remedy(needs: Sequence[str]) -> str:
    """How to supply it, or that there is no way yet."""
    flags = [EVIDENCE[need] for need in needs if EVIDENCE.get(need)]
    if flags:
        return f"supply it with {' and '.join(flags)}"
    return f"not available in this version: no way to supply {listed(needs)}"
