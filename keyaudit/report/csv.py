"""The findings as CSV: 47 columns and the score, one line a finding, passes included, for spreadsheets and auditors."""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from typing import TextIO

from keyaudit.model import times
from keyaudit.model.baseline import Baseline
from keyaudit.model.findings import Finding, PolicyText, Tally
from keyaudit.model.reasons import Reason
from keyaudit.model.run import NotJudged, Report
from keyaudit.model.waivers import Waiver
from keyaudit.report import score
from keyaudit.report.cells import guarded, note_cell, tenant_cell
from keyaudit.report.facts import Facts, plain
from keyaudit.report.members import SCHEMA
from keyaudit.report.resource import algorithm, label, owner, owner_unknown
from keyaudit.report.summary import message

COLUMNS = (
    "schema_version", "run_id", "assessed_at", "tool_version", "policy_pack", "tenant_id", "tenant_name",
    "subscription_id", "subscription_name", "resource_group", "location", "resource_type", "resource_id", "resource_name",
    "credential_kind", "credential_version", "custody", "algorithm", "key_size", "created_at", "activated_at", "expires_at",
    "last_rotated_at", "age_days", "days_to_expiry", "enabled", "lifecycle_state", "policy_id", "policy_title",
    "control_refs", "status", "severity", "finding_id", "first_seen_at", "expected", "actual", "evidence",
    "evidence_source", "remediation_url", "owner", "owner_source", "waiver_id", "waiver_reason", "waiver_owner",
    "waiver_approved_by", "waiver_expires_at", "coverage_note",
    "score", "score_low", "score_band", "score_arithmetic", "score_reasons",
)  # fmt: skip
"""In this order for good; new ones come at the end."""

# Our columns, by the CSV column that shows them.
_SHOWN = {
    "subscription_name": "subscription_name",
    "location": "location",
    "name": "resource_name",
    "kind": "credential_kind",
    "version": "credential_version",
    "custody": "custody",
    "kty": "algorithm",
    "curve": "algorithm",
    "key_size": "key_size",
    "created_on": "created_at",
    "activates_on": "activated_at",
    "starts_on": "activated_at",
    "expires_on": "expires_at",
    "enabled": "enabled",
}


def render(report: Report, out: TextIO, *, heading: bool = True) -> None:
    """Write every finding, passes too, then the policies that were not judged. `out` must not translate line ends."""
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    if heading:
        writer.writeheader()
    common = _common(report)
    for finding in report.findings(True):
        writer.writerow({**common, **_finding(finding, report)})
    for each in report.verdict.not_judged:
        writer.writerow({**common, **_not_judged(each)})


def _common(report: Report) -> dict[str, str]:
    run = report.run
    return {
        "schema_version": SCHEMA,
        "run_id": guarded(run.run_id),
        "assessed_at": times.iso_time(run.as_of),
        "tool_version": run.tool_version,
        "policy_pack": _pack(report.tallies),
        "tenant_id": guarded(run.tenant_id),
        "tenant_name": tenant_cell(run),
    }


def _pack(tallies: Sequence[Tally]) -> str:
    """One name for the policies that judged: a digest over their ids and texts."""
    lines = sorted(f"{tally.policy.id} {tally.policy.digest}\n" for tally in tallies)
    return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()[:16]}"


def _finding(finding: Finding, report: Report) -> dict[str, str]:
    facts = Facts.of(finding)
    judged = {
        **_policy(finding.policy),
        "status": finding.outcome,
        "severity": finding.severity,
        "finding_id": finding.id,
        "expected": guarded(finding.expected or None),
        "actual": guarded(finding.message or message(finding)),
        **_waiver(finding.waiver),
        **{name: guarded(cell) for name, cell in score.cells(finding.score).items()},
        "first_seen_at": _first_seen(finding, report.verdict.baseline),
        "evidence": guarded("|".join(_pairs(finding, facts)) or None),
        "evidence_source": guarded(" ".join(filter(None, map(facts.text, ("source_url", "source_version")))) or None),
    }
    if not facts.row:
        return {**judged, **_scope(finding, report)}
    as_of = report.run.as_of
    note: dict[str, Reason] = {}
    for name, reason in facts.unknown.items():
        if name in _SHOWN or name in finding.unknown:
            note.setdefault(_SHOWN.get(name, name), reason)
    cells = {**judged, **_place(facts), **_thing(facts), **_dates(facts, as_of, note), **_owner(facts, note)}
    return {**cells, "coverage_note": guarded(note_cell(note) or None)}


def _first_seen(finding: Finding, baseline: Baseline | None) -> str:
    entry = baseline.entry(finding.policy.id, finding.subject) if baseline else None
    return times.iso_time(entry.since) if entry else ""


def _waiver(waiver: Waiver | None) -> dict[str, str]:
    if waiver is None:
        return {}
    return {
        "waiver_id": guarded(waiver.id),
        "waiver_reason": guarded(waiver.reason),
        "waiver_owner": guarded(waiver.owner),
        "waiver_approved_by": guarded(waiver.approved_by),
        "waiver_expires_at": times.iso_time(waiver.ends - 1),
    }


def _policy(policy: PolicyText) -> dict[str, str]:
    references = (f"{name}:{control}" for name in sorted(policy.frameworks) for control in policy.frameworks[name])
    links = (reference for reference in policy.references if reference.startswith("https://"))
    return {
        "policy_id": policy.id,
        "policy_title": guarded(policy.title),
        "control_refs": guarded("|".join(references) or None),
        "remediation_url": guarded(next(links, None)),
    }


def _not_judged(each: NotJudged) -> dict[str, str]:
    note = dict.fromkeys(each.needs, Reason.NOT_SUPPLIED)
    return {**_policy(each.policy), "status": "not-judged", "severity": each.policy.severity, "coverage_note": note_cell(note)}


def _scope(finding: Finding, report: Report) -> dict[str, str]:
    """A scope that gave no row: everything of it is unknown, for the reasons of the gaps that blind the policy there."""
    scope = finding.scope
    if scope is None:
        return {"resource_id": guarded(finding.subject), "coverage_note": note_cell(finding.unknown)}
    gaps = [gap for gap in report.verdict.gaps if gap.scope.id == scope.id]
    blinding = [gap for gap in gaps if finding.policy.id in gap.blinds] or gaps
    reasons = dict.fromkeys([*finding.unknown.values(), *(gap.reason for gap in blinding)])
    subscription = scope.id.split("/")[2] if scope.id.startswith("/subscriptions/") else None
    return {
        "subscription_id": guarded(subscription),
        "resource_type": scope.kind,
        "resource_id": guarded(scope.id),
        "resource_name": guarded(scope.name),
        "coverage_note": "|".join(f"*:{reason}" for reason in reasons) or "*",
    }


def _place(facts: Facts) -> dict[str, str]:
    same = ("subscription_id", "subscription_name", "resource_group", "location")
    return {
        **{name: guarded(facts.text(name)) for name in same},
        "resource_type": facts.kind,
        "resource_id": guarded(facts.text("resource_id") or facts.text("id")),
        "resource_name": guarded(label(facts)),
    }


def _thing(facts: Facts) -> dict[str, str]:
    kind = "key" if facts.kind == "key" else facts.text("kind")
    return {
        "credential_kind": guarded(kind),
        "credential_version": guarded(facts.text("version")),
        "custody": guarded(facts.text("custody")),
        "algorithm": guarded(algorithm(facts) or None),
        "key_size": facts.text("key_size") or "",
        "enabled": facts.text("enabled") or "",
    }


def _dates(facts: Facts, as_of: int, note: dict[str, Reason]) -> dict[str, str]:
    """The dates, and what follows from them: named in `note` where what they follow from is unknown."""
    starts = next((name for name in ("activates_on", "starts_on") if name in facts.row), "")
    begun = "created_on" if "created_on" in facts.row else starts
    created, expires = facts.integer(begun), facts.integer("expires_on")
    for derived, base in (("age_days", begun), ("days_to_expiry", "expires_on")):
        if base in facts.unknown:
            note[derived] = facts.unknown[base]
    if "is_current" in facts.unknown:
        note["last_rotated_at"] = facts.unknown["is_current"]
    elif facts.row.get("is_current") and "created_on" in facts.unknown:
        note["last_rotated_at"] = facts.unknown["created_on"]
    return {
        "created_at": facts.text("created_on") or "",
        "activated_at": facts.text(starts) or "",
        "expires_at": facts.text("expires_on") or "",
        "last_rotated_at": (facts.text("created_on") or "") if facts.row.get("is_current") else "",
        "age_days": "" if created is None else str((as_of - created) // times.DAY),
        "days_to_expiry": "" if expires is None else str((expires - as_of) // times.DAY),
        "lifecycle_state": _state(facts, starts, as_of, note),
    }


def _state(facts: Facts, starts: str, as_of: int, note: dict[str, Reason]) -> str:
    """The key state of SP 800-57 as far as metadata shows it: end of use wins over suspension, and that over the rest."""
    if "expires_on" not in facts.row:
        return ""
    expires, begins = facts.integer("expires_on"), facts.integer(starts)
    if expires is not None and expires <= as_of:
        return "deactivated"
    for name in ("expires_on", "enabled", starts):
        if name in facts.unknown:
            note["lifecycle_state"] = facts.unknown[name]
            return ""
        if name == "enabled" and facts.row.get("enabled") is False:
            return "suspended"
    return "pre-activation" if begins is not None and begins > as_of else "active"


def _owner(facts: Facts, note: dict[str, Reason]) -> dict[str, str]:
    reason = owner_unknown(facts)
    if reason:
        note["owner"] = reason
    name, source = owner(facts)
    return {"owner": guarded(name), "owner_source": source or ""}


def _pairs(finding: Finding, facts: Facts) -> Iterator[str]:
    for name, value in finding.evidence.items():
        yield f"{name}={plain(facts.type(name), value)}" if value is not None else f"{name} absent"
