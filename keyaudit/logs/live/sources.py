"""The sources of logs by name: tables of Log Analytics workspaces, and collections of Microsoft Graph."""

from collections.abc import Collection, Mapping, Sequence

from keyaudit.logs.formats import directory, key_vault, office, recognise, sign_ins
from keyaudit.model.errors import UsageError
from keyaudit.model.scope.filters import did_you_mean, matching
from keyaudit.model.values.text import one_line

LEGACY = "AzureDiagnostics"
TABLES: Mapping[str, str] = {table: key_vault.SOURCE if table == LEGACY else table for table in recognise.TABLES}
"""The log of each table."""

SIGN_INS, AUDITS = "signIns", "directoryAudits"
COLLECTIONS: Mapping[str, tuple[str, ...]] = {
    SIGN_INS: (sign_ins.SERVICE_PRINCIPALS, sign_ins.MANAGED_IDENTITIES),
    AUDITS: (directory.SOURCE,),
}
"""The logs of each collection."""

SEARCHED = office.SOURCE
"""The log of a unified audit log search."""

NAMES = (*TABLES, *COLLECTIONS)


def chosen(patterns: Sequence[str]) -> Collection[str]:
    """The names that match one of the patterns, all without patterns. Raises UsageError for a pattern without a match."""
    for pattern in patterns:
        if not matching((pattern,), NAMES):
            near = did_you_mean(pattern, NAMES)
            remedy = near or f"use one of {', '.join(NAMES)}"
            raise UsageError("--source", f"no such log: {one_line(pattern)!r}", remedy)
    return [name for name in NAMES if not patterns or matching(patterns, (name,))]
