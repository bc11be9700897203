"""The findings as OCSF 1.5.0 Compliance Findings (class 2003), one JSON object per line, for a security lake, with passes.

An unknown result and a policy that was not evaluated are a Warning, which OCSF defines as a check that "did not yield a result
due to missing information". `status_code` has our own word for the outcome. Every time is that of the run.
"""

from collections.abc import Mapping, Sequence
from typing import BinaryIO

from keyaudit.model.evidence import absence, worded
from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome, PolicyText
from keyaudit.model.results.fixes import one_text
from keyaudit.model.results.run import NotJudged, Report
from keyaudit.model.severity import Severity
from keyaudit.report.facts import Facts
from keyaudit.report.members import UNTRUSTED, inert, value_member
from keyaudit.report.resource import label
from keyaudit.report.summary import SIMULATED, message
from keyaudit.report.tabular.cells import marked

VERSION = "1.5.0"
_CLASS = 2003
_SEVERITIES = {Severity.INFO: 1, Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}
_COMPLIANCE = {
    Outcome.PASS: (1, "Pass"),
    Outcome.FAIL: (3, "Fail"),
    Outcome.WAIVED: (3, "Fail"),
    Outcome.UNKNOWN: (2, "Warning"),
}
# A pass was never open, so it has no finding status.
_STATUS = {Outcome.FAIL: (1, "New"), Outcome.WAIVED: (3, "Suppressed"), Outcome.UNKNOWN: (1, "New")}
_RULE = 1
_SUBSCRIPTION = (13, "Azure Subscription")


def write(report: Report, out: BinaryIO) -> None:
    """Write every finding, passes included, then the policies that were not evaluated."""
    common = _common(report)
    policies = {tally.policy.id: _policy(tally.policy) for tally in report.tallies}
    for owner, finding in report.owned(True):
        event = _finding(finding, owner, report, policies[finding.policy.id])
        out.write(f"{inert({**common, **event})}\n".encode("ascii"))
    out.writelines(f"{inert({**common, **_not_judged(each, report)})}\n".encode("ascii") for each in report.verdict.not_judged)


def _common(report: Report) -> dict[str, object]:
    """The members about the run that every line has."""
    run, verdict = report.run, report.verdict
    return {
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "time": run.as_of * 1_000,
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": "keyaudit", "vendor_name": "keyaudit", "version": run.tool_version},
            "tenant_uid": run.tenant_id,
            "correlation_uid": run.run_id,
            "labels": [*([SIMULATED] if run.simulated else []), UNTRUSTED],
        },
        "unmapped": {
            "run_id": run.run_id,
            "complete": verdict.complete,
            "exit": int(verdict.exit),
            "simulated": run.simulated,
            **({} if verdict.expected else {"completeness": RELATIVE}),
        },
    }


def _policy(policy: PolicyText) -> dict[str, dict[str, object]]:
    """The parts that are the same for every finding of a policy, by member of an event."""
    links = [reference for reference in policy.references if reference.startswith("https://")]
    return {
        "finding_info": {
            "title": policy.problem,
            "desc": policy.why,
            "analytic": {"type_id": _RULE, "type": "Rule", "uid": policy.id, "name": policy.title, "version": policy.digest},
            **({"src_url": links[0]} if links else {}),
        },
        "compliance": {
            "control": policy.id,
            "desc": policy.title,
            **_controls(policy.frameworks),
        },
        "remediation": {"references": links},
    }


def _controls(frameworks: Mapping[str, Sequence[str]]) -> dict[str, object]:
    return {
        "standards": sorted(frameworks),
        "requirements": [f"{name}:{control}" for name in sorted(frameworks) for control in frameworks[name]],
    }


def _finding(finding: Finding, owner: Owner, report: Report, policy: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    facts = Facts.of(finding)
    status_id, status = _COMPLIANCE[finding.outcome]
    details = [f"{column}:{reason}" for column, reason in sorted(finding.unknown.items())]
    fix = one_text(finding.fix, finding.steps) or f"keyaudit explain {finding.policy.id}"
    evidence = {name: value_member(facts.type(name), value) for name, value in finding.evidence.items()}
    return {
        **_activity(known=finding.known),
        **_severity(finding.severity),
        **_open(finding.outcome),
        "message": message(finding) if finding.outcome is Outcome.UNKNOWN else finding.message or finding.policy.title,
        "status_code": finding.outcome,
        **({"status_detail": finding.waiver.reason} if finding.waiver else {}),
        "finding_info": {
            **policy["finding_info"],
            # A pass is not a problem.
            **({"title": finding.policy.title} if finding.outcome is Outcome.PASS else {}),
            "uid": finding.id,
            **_first_seen(finding, report),
        },
        "compliance": {
            **policy["compliance"],
            **_controls(finding.frameworks),
            **_result(status_id, status, finding.outcome, details),
        },
        "remediation": {**policy["remediation"], "desc": fix},
        "evidences": [{"data": {**evidence, "expected": finding.expected, "unknown": dict(sorted(finding.unknown.items()))}}],
        "resources": [_resource(finding, owner, facts)],
        "cloud": _cloud(report, facts.text("subscription_id") or _subscription(finding), facts),
    }


def _not_judged(each: NotJudged, report: Report) -> dict[str, object]:
    policy, needs = each.policy, worded(each.needs)
    about_tenant = Finding(
        policy=policy, outcome=Outcome.UNKNOWN, severity=policy.severity, subject=f"/tenants/{report.run.tenant_id}", message=""
    )
    same = _policy(policy)
    details = [f"{need}:{absence(need)}" for need in each.needs]
    return {
        **_activity(known=False),
        **_severity(policy.severity),
        "message": f"not evaluated: needs {needs}",
        "status_code": "not-judged",
        "finding_info": {**same["finding_info"], "uid": about_tenant.id},
        "compliance": {**same["compliance"], **_result(2, "Warning", "not-judged", details)},
        "cloud": _cloud(report, None, Facts(policy.table, {})),
    }


def _activity(*, known: bool) -> dict[str, object]:
    """A finding in the baseline is an update of an earlier event."""
    id_, name = (2, "Update") if known else (1, "Create")
    return {
        "activity_id": id_,
        "activity_name": name,
        "type_uid": _CLASS * 100 + id_,
        "type_name": f"Compliance Finding: {name}",
    }


def _severity(severity: Severity) -> dict[str, object]:
    name = "Informational" if severity is Severity.INFO else severity.capitalize()
    return {"severity_id": _SEVERITIES[severity], "severity": name}


def _open(outcome: Outcome) -> dict[str, object]:
    if outcome not in _STATUS:
        return {}
    id_, name = _STATUS[outcome]
    return {"status_id": id_, "status": name}


def _result(status_id: int, status: str, code: str, details: list[str]) -> dict[str, object]:
    found: dict[str, object] = {"status_id": status_id, "status": status, "status_code": code}
    return {**found, "status_details": details} if details else found


def _first_seen(finding: Finding, report: Report) -> dict[str, object]:
    baseline = report.verdict.baseline
    entry = baseline.entry(finding.policy.id, finding.subject) if baseline else None
    return {"first_seen_time": entry.since * 1_000} if entry else {}


def _resource(finding: Finding, owner: Owner, facts: Facts) -> dict[str, object]:
    scope = finding.scope
    return {
        "uid": facts.text("resource_id") or finding.subject,
        "name": label(facts),
        "type": str(scope.kind) if scope else facts.kind,
        # Not OCSF's `owner`, which some readers expect to be an account with id and type.
        **({"tags": [{"name": "owner", "value": ", ".join(owner.names)}]} if owner.names else {}),
        **({"region": facts.text("location")} if facts.text("location") else {}),
    }


def _subscription(finding: Finding) -> str | None:
    scope = finding.scope
    return scope.id.split("/")[2] if scope and scope.id.startswith("/subscriptions/") else None


def _cloud(report: Report, subscription: str | None, facts: Facts) -> dict[str, object]:
    run = report.run
    found: dict[str, object] = {"provider": "Azure", "org": {"uid": run.tenant_id, "name": marked(run)}}
    if subscription:
        type_id, type_ = _SUBSCRIPTION
        account: dict[str, object] = {"uid": subscription, "type_id": type_id, "type": type_}
        name = facts.text("subscription_name")
        found["account"] = {**account, "name": name} if name else account
    return found
