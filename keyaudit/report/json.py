"""The report as JSON. The verdict is its last member, so that a truncated report has none."""

from collections.abc import Iterable, Mapping
from typing import TextIO

from msgspec import structs

from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.gating.waivers import Use
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, PolicyText, Tally
from keyaudit.model.results.fixes import by_kind, ordered
from keyaudit.model.results.run import NotJudged, Report
from keyaudit.model.severity import Severity
from keyaudit.model.values import times
from keyaudit.report import judgement
from keyaudit.report.controls import Control
from keyaudit.report.facts import Facts
from keyaudit.report.members import (
    begun,
    coverage_member,
    document,
    exits,
    gap_member,
    owner_members,
    row_member,
    scope_member,
    value_member,
)
from keyaudit.report.resource import label
from keyaudit.report.settings import settings_member
from keyaudit.report.summary import WORST_FIRST, verdict_words
from keyaudit.report.versions import uncovered


def render(report: Report, out: TextIO, *, passes: bool = False) -> None:
    """Write the report as one JSON object. The same report gives the same bytes."""
    last = {
        "settings": settings_member(report.settings),
        "causes": causes_member(report),
        "verdict": verdict_member(report),
    }
    document(out, begun(report.run), lists(report, passes=passes), last)


def causes_member(report: Report) -> dict[str, object]:
    """The number of causes of the open findings."""
    return {"open": report.causes().count}


def lists(report: Report, *, passes: bool) -> dict[str, Iterable[dict[str, object]]]:
    """The lists of a report, by name; their members are streamed."""
    verdict = report.verdict
    return {
        "policies": map(_tally, report.tallies),
        "coverage": map(coverage_member, verdict.coverage),
        "findings": (finding_member(owner, finding) for owner, finding in report.owned(passes)),
        "not_judged": map(_not_judged, verdict.not_judged),
        "waivers": map(_use, verdict.waivers),
        "gaps": map(gap_member, verdict.gaps),
    }


def control_member(control: Control) -> dict[str, object]:
    """A control with its counts."""
    found = structs.asdict(control)
    found["result"] = found.pop("state")
    return {**found, "policies": list(control.policies), "not_judged": list(control.not_judged)}


def control_finding_member(owner: Owner, finding: Finding, profile: str) -> dict[str, object]:
    """A finding that was evaluated with a profile for the controls of its frameworks; it has no cause."""
    member = finding_member(owner, finding)
    del member["score"], member["cause"], member["at_stake"]
    return {**member, "profile": profile}


def policy_member(policy: PolicyText) -> dict[str, object]:
    """A policy in words."""
    return {
        "id": policy.id,
        "title": policy.title,
        "problem": policy.problem,
        "severity": policy.severity,
        "weakness": policy.weakness or None,
        "table": policy.table,
        "why": policy.why,
        "references": list(policy.references),
        "frameworks": {name: list(policy.frameworks[name]) for name in sorted(policy.frameworks)},
        "lessons": list(policy.lessons),
        "needs": list(policy.needs),
        "fix": by_kind(policy.fix),
        "steps": [dict(step) for step in ordered(policy.fix, policy.steps)],
        "causes": [structs.asdict(cause) for cause in policy.causes],
        "sha256": policy.digest,
    }


def _tally(tally: Tally) -> dict[str, object]:
    return {
        **policy_member(tally.policy),
        "passed": tally.passed,
        "failed": severities_member(tally.failed),
        "waived": severities_member(tally.waived),
        "known": severities_member(tally.known),
        "unknown": severities_member(tally.unknown),
        "not_applicable": tally.not_applicable,
        "frameworks_elsewhere": sorted(tally.elsewhere),
    }


def finding_member(owner: Owner, finding: Finding) -> dict[str, object]:
    """A finding with its row and the owner of its resource."""
    facts = Facts.of(finding)
    row = row_member(facts)
    return {
        "id": finding.id,
        "policy": finding.policy.id,
        "problem": finding.policy.problem,
        "controls": {name: list(ids) for name, ids in sorted(finding.frameworks.items())},
        "outcome": finding.outcome,
        "severity": finding.severity,
        "subject": finding.subject,
        "resource": label(facts),
        **owner_members(owner),
        "message": finding.message,
        "expected": finding.expected,
        "evidence": {name: value_member(facts.type(name), value) for name, value in finding.evidence.items()},
        "unknown": dict(sorted(finding.unknown.items())),
        "fix": by_kind(finding.fix),
        "steps": [dict(step) for step in ordered(finding.fix, finding.steps)],
        "scope": scope_member(finding.scope),
        "waiver": finding.waiver.id if finding.waiver else None,
        "known": finding.known,
        "cause": _cause(finding),
        **judgement.members(finding),
        # Of an earlier version.
        "at_stake": None,
        "score": None,
        **({"planned": structs.asdict(finding.planned)} if finding.planned else {}),
        "row": row,
        "row_unknown": dict(sorted(facts.unknown.items())) if row else {},
    }


def _cause(finding: Finding) -> dict[str, object] | None:
    """The cause that an open finding shares with others, and the finding at its head."""
    cause = finding.cause
    return {"kind": cause.kind, "object": cause.object, "head": cause.head.finding} if cause else None


def _not_judged(each: NotJudged) -> dict[str, object]:
    return {"policy": each.policy.id, "needs": list(each.needs)}


def _use(use: Use) -> dict[str, object]:
    waiver = use.waiver
    return {
        "id": waiver.id,
        "state": use.state,
        "covered": use.count,
        "covers": "coverage" if waiver.covers_coverage else "findings",
        "policy": waiver.policy.text,
        "resource": waiver.resource.text,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "approved_by": waiver.approved_by,
        "created": None if waiver.created is None else times.iso_date(waiver.created),
        "expires": waiver.last_day,
        "ticket": waiver.ticket,
        "compensating_control": waiver.compensating_control,
        "allow_critical": waiver.allow_critical,
    }


def _baseline(report: Report) -> dict[str, object] | None:
    baseline = report.verdict.baseline
    if baseline is None:
        return None
    return {
        "run": baseline.run_id,
        "as_of": times.iso_time(baseline.as_of),
        "entries": len(baseline.entries),
        "tool_version": baseline.tool_version or None,
        "not_covered": {origin: counts.total() for origin, counts in sorted(uncovered(report).items())},
    }


def verdict_member(report: Report) -> dict[str, object]:
    """The verdict in words, the gate if one was evaluated, and the counts."""
    verdict = report.verdict
    return {
        **exits(verdict),
        "result": verdict_words(verdict),
        "gate": verdict.gate,
        "failed": severities_member(verdict.failed),
        "waived": severities_member(verdict.waived),
        "known": severities_member(verdict.known),
        "new_only": verdict.new_only,
        "baseline": _baseline(report),
        "unknown": severities_member(verdict.unknown),
        "known_unknown": verdict.known_unknown,
        "passed": verdict.passed,
        "not_applicable": verdict.not_applicable,
        "part": verdict.part,
        "not_evaluated": verdict.beyond,
        "allowed_unknown": verdict.allowed_unknown,
        "allowed_gaps": sum(gap.allowed for gap in verdict.gaps),
        "unused_allowances": list(verdict.unused_allowances),
        "completeness": None if verdict.expected else RELATIVE,
    }


def severities_member(counts: Mapping[Severity, int]) -> dict[str, int]:
    """Counts for every severity."""
    return {severity: counts.get(severity, 0) for severity in WORST_FIRST}
