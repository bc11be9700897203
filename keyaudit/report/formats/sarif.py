"""The findings as SARIF 2.1.0 for GitHub code scanning and Azure DevOps: one run for each subscription.

A finding has no file. Its location is a path that exists in no repository, so that uploaders keep its fingerprint, which is the
finding's id. Failures are results, waived findings suppressed results, and unknown findings results of kind `open`. Passes are
only counted. If a run has gaps, `executionSuccessful` is false, and each gap is a notification.
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping
from typing import BinaryIO
from urllib.parse import quote

from msgspec import Struct, field

from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.reasons import ADVICE
from keyaudit.model.results.findings import Finding, Outcome, Tally
from keyaudit.model.results.fixes import parts
from keyaudit.model.results.run import Gap, Report
from keyaudit.model.severity import Severity
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.json import severities_member
from keyaudit.report.members import inert
from keyaudit.report.missing import reads, waiver_lines
from keyaudit.report.resource import label
from keyaudit.report.settings import settings_member
from keyaudit.report.summary import SIMULATED, message

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 5_000
"""The maximum number of results of a run: GitHub silently drops others."""
MOST_RUNS = 20
"""Of a file. https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support"""
LONGEST = 1_024
"""The maximum length of a description."""

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub's scale: critical above 9.0, high from 7.0, medium from 4.0, low from 0.1.
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.5",
}
# SARIF 2.1.0, 3.11.5 and 3.11.6
_MARKS = {"[": "\\[", "]": "\\]", "\\": "\\\\", "{": "{{", "}": "}}"}
_TENANT = "tenant"
_OTHERS = "other-subscriptions"


def write(report: Report, out: BinaryIO) -> None:
    """Write the SARIF log."""
    runs = _shared_out(report)
    rules = {tally.policy.id: number for number, tally in enumerate(report.tallies)}
    out.write(f'{{"$schema": {inert(SCHEMA)}, "version": "2.1.0", "runs": [\n'.encode())
    out.writelines(
        (",\n" if number else "").encode() + inert(_run(report, category, run, rules)).encode()
        for number, (category, run) in enumerate(runs.items())
    )
    out.write(f'\n], "properties": {inert(_counts(report))}}}\n'.encode())


class _Results(Struct):
    """The most severe findings of one run, and their total number."""

    kept: list[tuple[int, int, Finding]] = field(default_factory=list)
    count: int = 0

    def add(self, finding: Finding) -> None:
        # Within a severity the first ones in the report's order are kept.
        entry = (finding.severity.rank, -self.count, finding)
        self.count += 1
        if len(self.kept) < MOST_RESULTS:
            heapq.heappush(self.kept, entry)
        else:
            heapq.heappushpop(self.kept, entry)

    def in_order(self) -> list[Finding]:
        return [finding for *_, finding in sorted(self.kept, key=lambda entry: (-entry[0], -entry[1]))]


def _shared_out(report: Report) -> dict[str, _Results]:
    """The findings by category, the tenant's first; every subscription of the report has one, even without findings."""
    seen = {record.scope.id.split("/")[2] for record in report.verdict.coverage if _is_subscription(record.scope.id)}
    runs: dict[str, _Results] = defaultdict(_Results)
    order = [_TENANT, *sorted(seen)]
    alone = set(order if len(order) <= MOST_RUNS else order[: MOST_RUNS - 1])
    for category in order:
        runs[category if category in alone else _OTHERS]
    for finding in report.findings(False):
        category = _category(finding)
        runs[category if category in alone else _OTHERS if category in seen else _TENANT].add(finding)
    return dict(runs)


def _is_subscription(id_: str) -> bool:
    return id_.startswith("/subscriptions/") and len(id_.split("/")) > 2


def _category(finding: Finding) -> str:
    subscription = finding.row.get("subscription_id")
    if isinstance(subscription, str) and subscription:
        return subscription
    scope = finding.scope
    return scope.id.split("/")[2] if scope and _is_subscription(scope.id) else _TENANT


def _run(report: Report, category: str, results: _Results, rules: Mapping[str, int]) -> dict[str, object]:
    run, verdict = report.run, report.verdict
    notices = [_notice(gap) for gap in verdict.gaps if _concerns(gap, category)]
    left_out = results.count - len(results.kept)
    if left_out:
        notices.append(_notification(f"{left_out:,} more results, of this severity or lower, are left out", "warning"))
    if category == _TENANT:
        notices += [_notification(line, "warning") for line in waiver_lines(report)]
    if run.simulated:
        notices.append(_notification(SIMULATED, "note"))
    return {
        "tool": {
            "driver": {
                "name": "keyaudit",
                "version": run.tool_version,
                "semanticVersion": run.tool_version,
                "rules": [_rule(tally) for tally in report.tallies],
            }
        },
        # The part before the last slash is the category: an upload replaces the earlier one of the same category.
        "automationDetails": {"id": f"keyaudit/{_segment(run.tenant_id)}/{_segment(category)}/{_segment(run.run_id)}"},
        "invocations": [
            {
                "executionSuccessful": verdict.complete and not any(gap.required for gap in verdict.gaps),
                "exitCode": int(verdict.exit),
                "endTimeUtc": times.iso_time(run.as_of),
                "toolExecutionNotifications": notices,
                "properties": {
                    "settings": settings_member(report.settings),
                    **({} if verdict.expected else {"completeness": RELATIVE}),
                },
            }
        ],
        "columnKind": "utf16CodeUnits",
        "results": [
            _result(finding, run.tenant_id, rules[finding.policy.id], compared=verdict.baseline is not None)
            for finding in results.in_order()
        ],
        "properties": {"results": results.count, "leftOut": left_out},
    }


def _counts(report: Report) -> dict[str, object]:
    verdict = report.verdict
    return {
        "tenant": report.run.tenant_id,
        "passed": verdict.passed,
        "notJudged": [each.policy.id for each in verdict.not_judged],
        **{name: severities_member(getattr(verdict, name)) for name in ("failed", "waived", "known", "unknown")},
    }


def _concerns(gap: Gap, category: str) -> bool:
    """Whether a gap concerns the category: its own subscription or the tenant."""
    return not _is_subscription(gap.scope.id) or gap.scope.id.split("/")[2] == category or category in (_TENANT, _OTHERS)


def _notice(gap: Gap) -> dict[str, object]:
    advice = ADVICE[gap.reason]
    name = one_line(gap.scope.name or gap.scope.id)
    what = f"{name}: {advice.meaning}: {reads(gap.operations)} not read; {advice.remedy}"
    allowed = "; accepted" if gap.allowed else ""
    return _notification(f"{what}{allowed}", "error" if gap.required and not gap.allowed else "note", str(gap.reason))


def _notification(text: str, level: str, reason: str = "") -> dict[str, object]:
    found: dict[str, object] = {"level": level, "message": {"text": _plain(text)}}
    return {**found, "descriptor": {"id": reason}} if reason else found


def _rule(tally: Tally) -> dict[str, object]:
    policy = tally.policy
    fix = "\n\n".join(
        f"{part.heading}:\n\n    {part.lines[0]}" if part.is_command else "\n\n".join((f"{part.heading}:", *part.lines))
        for part in parts(policy.fix, policy.steps)
    )
    links = [reference for reference in policy.references if reference.startswith("https://")]
    references = "\n".join(f"- {reference}" for reference in policy.references)
    help_ = f"Requirement: {policy.title}\n\n{policy.why}\n\n{fix}\n\n{references}\n\nkeyaudit explain {policy.id}"
    return {
        "id": policy.id,
        "name": policy.id,
        "shortDescription": {"text": policy.problem[:LONGEST]},
        "fullDescription": {"text": policy.why[:LONGEST]},
        "help": {"text": help_, "markdown": help_},
        "defaultConfiguration": {"level": _LEVELS[policy.severity]},
        "properties": {
            "security-severity": _SCORES[policy.severity],
            "tags": ["security", *policy.lessons],
            "frameworks": {name: list(ids) for name, ids in sorted(policy.frameworks.items()) if name not in tally.elsewhere},
        },
        **({"helpUri": links[0]} if links else {}),
    }


def _result(finding: Finding, tenant: str, rule: int, *, compared: bool) -> dict[str, object]:
    facts = Facts.of(finding)
    name = label(facts)
    failing = finding.outcome is not Outcome.UNKNOWN
    found: dict[str, object] = {
        "ruleId": finding.policy.id,
        "ruleIndex": rule,
        "kind": "fail" if failing else "open",
        "level": _LEVELS[finding.severity] if failing else "none",
        "message": {"text": _plain(f"{one_line(name)}: {message(finding)}")},
        "locations": [
            {
                "physicalLocation": _place(finding)
                or {
                    "artifactLocation": {"uri": _path(tenant, name)},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
                },
                "logicalLocations": [{"kind": "resource", "fullyQualifiedName": _named(finding, facts)}],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.id}:1", "keyauditFindingId/v1": finding.id},
        "properties": {
            "security-severity": _SCORES[finding.severity],
            "severity": finding.severity,
            "outcome": finding.outcome,
            "subject": finding.subject,
            "frameworks": {name: list(ids) for name, ids in sorted(finding.frameworks.items())},
        },
    }
    if compared and finding.outcome is Outcome.FAIL:
        found["baselineState"] = "unchanged" if finding.known else "new"
    if finding.waiver:
        waiver = finding.waiver
        reason = f"{waiver.reason} (waiver {waiver.id} of {waiver.owner}, to {waiver.last_day})"
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": one_line(reason, LONGEST)}]
    return found


def _place(finding: Finding) -> dict[str, object]:
    """The place of a planned resource in the configuration; empty if it was not found."""
    planned = finding.planned
    if planned is None or not planned.file:
        return {}
    uri = "/".join(quote(part, safe="-._~", errors="replace") for part in planned.file.split("/"))
    return {"artifactLocation": {"uri": uri}, "region": {"startLine": planned.line, "endLine": planned.line}}


def _named(finding: Finding, facts: Facts) -> str:
    return finding.planned.address if finding.planned else facts.text("resource_id") or finding.subject


def _plain(text: str) -> str:
    """Text without links and placeholders, which brackets and braces make in a SARIF message."""
    return "".join(_MARKS.get(character, character) for character in text)


def _path(tenant: str, name: str) -> str:
    """A virtual path: `azure/TENANT/kv-prod/keys/codesign`."""
    return "/".join(("azure", *map(_segment, (tenant, *name.split("/")))))


def _segment(text: str) -> str:
    """One path segment of at most 200 characters, which is never a relative segment such as `..`."""
    written = quote(one_line(text, 200), safe="-._~", errors="replace")
    return written if written.strip(".") else f"_{written}"
