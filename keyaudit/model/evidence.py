"""Evidence that Azure's read APIs do not hold: what policies may ask for, and how each is supplied."""

LOGS = "logs"
UNIFIED_AUDIT = "unified-audit"
RELYING_PARTIES = "relying-parties"

EVIDENCE: dict[str, str] = {
    LOGS: "",
    "custody": "",
    UNIFIED_AUDIT: "--import ual=FILE",
    RELYING_PARTIES: "",
}
"""By the name that a policy's `needs` gives: the flag that supplies it; empty where this version has none."""
