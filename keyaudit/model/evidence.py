"""Evidence that Azure's read APIs do not hold: what policies may ask for, and how each is supplied."""

UNIFIED_AUDIT = "unified-audit"

EVIDENCE: dict[str, str] = {
    "logs": "",
    "custody": "",
    UNIFIED_AUDIT: "--import ual=FILE",
    "relying-parties": "",
}
"""By the name that a policy's `needs` gives: the flag that supplies it; empty where this version has none."""
