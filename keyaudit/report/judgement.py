"""The judgement of a finding in every format: what is weak, what it opens, and the facts behind both."""

from collections.abc import Mapping, Sequence

from keyaudit.model.results.findings import Finding, Judged, Ruling
from keyaudit.model.severity import Severity
from keyaudit.report.facts import Facts, plain

SCORE_COLUMNS = frozenset({"score", "score_low", "score_band", "score_arithmetic", "score_reasons"})
"""Columns of an earlier version of CSV, which are empty now."""


def said(finding: Finding) -> str:
    """ "high: weak x tenant", or "medium or high: flawed x one workload or wide"; of a fixed severity the severity alone."""
    judged = finding.judged() if finding.judged else None
    if judged is None or not judged.opens:
        return f"{_levels(finding)}: fixed by the policy" if judged else _levels(finding)
    return f"{_levels(finding)}: {_words(judged.weakness)} x {_words(judged.opens)}"


def because(finding: Finding) -> str:
    """The facts that decide what is weak and what it opens: "holder_tier0 true, holder_tenant_wide false"."""
    judged = finding.judged() if finding.judged else None
    return ", ".join(f"{name} {value_of(finding, judged, name)}" for name in judged.columns) if judged else ""


def value_of(finding: Finding, judged: Judged, name: str) -> str:
    """The value of a column that decides, "absent", or "unknown (REASON)"."""
    if name in judged.unknown:
        return f"unknown ({judged.unknown[name]})"
    facts = Facts.of(finding)
    return plain(facts.type(name), facts.row.get(name)) or "absent"


def members(finding: Finding) -> dict[str, object]:
    """In JSON: `weakness` and `opens` as lists of what is possible, the worst first; and why. Empty lists for a pass."""
    judged = finding.judged() if finding.judged else None
    return {
        "weakness": [ruling.word for ruling in judged.weakness] if judged else [],
        "opens": [ruling.word for ruling in judged.opens] if judged else [],
        "because": because(finding),
        "severity_low": finding.least or finding.severity,
    }


def cells(finding: Finding) -> Mapping[str, str]:
    """In CSV, by column; empty for a pass."""
    judged = finding.judged() if finding.judged else None
    if judged is None:
        return {}
    return {
        "weakness": "|".join(ruling.word for ruling in judged.weakness),
        "opens": "|".join(ruling.word for ruling in judged.opens),
        "because": because(finding),
    }


def _levels(finding: Finding) -> str:
    levels: Sequence[Severity] = [finding.least, finding.severity] if finding.least else [finding.severity]
    return " or ".join(levels)


def _words(rulings: Sequence[Ruling]) -> str:
    return " or ".join(dict.fromkeys(ruling.word for ruling in reversed(rulings)))
