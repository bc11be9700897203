"""Findings and their resources as flat records, for all formats with columns.

Text is the tenant's, unescaped: each format makes it safe. An absent or unknown value has no entry, and an unknown one is named
with its reason in `coverage_note`. Times are ISO 8601, numbers decimal.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from keyaudit.model.evidence import absence
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome, PolicyText, Tally, Value
from keyaudit.model.results.fixes import COMMANDS, ordered, takes_away
from keyaudit.model.results.run import NotJudged, Report
from keyaudit.model.values import times
from keyaudit.report import judgement
from keyaudit.report.facts import Facts, plain
from keyaudit.report.members import SCHEMA
from keyaudit.report.resource import algorithm, label, owner, owner_unknown
from keyaudit.report.summary import message
from keyaudit.report.tabular.cells import marked, note_cell

COLUMNS = (
    "schema_version", "run_id", "assessed_at", "tool_version", "policy_pack", "tenant_id", "tenant_name",
    "subscription_id", "subscription_name", "resource_group", "location", "resource_type", "resource_id", "resource_name",
    "credential_kind", "credential_version", "custody", "algorithm", "key_size", "created_at", "activated_at", "expires_at",
    "last_rotated_at", "age_days", "days_to_expiry", "enabled", "lifecycle_state", "policy_id", "policy_title",
    "control_refs", "status", "severity", "finding_id", "first_seen_at", "expected", "actual", "evidence",
    "evidence_source", "remediation_url", "owner", "owner_source", "waiver_id", "waiver_reason", "waiver_owner",
    "waiver_approved_by", "waiver_expires_at", "coverage_note",
    "score", "score_low", "score_band", "score_arithmetic", "score_reasons",
    "control_refs_elsewhere",
    "client_id", "resource_environment", "resource_tags", "cause_id", "first_command", "message_dates", "message_days",
    "weakness", "opens", "because",
)  # fmt: skip
"""The columns of a finding. This order is stable; new columns are added at the end."""

THING_COLUMNS = (
    *COLUMNS[COLUMNS.index("subscription_id") : COLUMNS.index("policy_id")],
    "owner",
    "owner_source",
    "coverage_note",
)
"""The columns about the resource itself."""

_EXPIRY = re.compile(r"until\((\w+)\)")
"""The duration of a message that ends when something expires, by how a policy writes it."""

TIMES = frozenset(
    {"assessed_at", "created_at", "activated_at", "expires_at", "last_rotated_at", "first_seen_at", "waiver_expires_at"}
)
NUMBERS = frozenset({"key_size", "age_days", "days_to_expiry"})

# Inventory columns by record column.
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
    "app_id": "client_id",
    "environment": "resource_environment",
    "tags": "resource_tags",
    "app_tags": "resource_tags",
}
Record = dict[str, str]


def records(report: Report, *, passes: bool = True) -> Iterator[Record]:
    """Every finding, with passes or without, then the policies that were not evaluated."""
    yield from of_findings(report, report.owned(passes))
    same = common(report)
    for each in report.verdict.not_judged:
        yield {**same, **_not_judged(each)}


def of_findings(report: Report, owned: Iterable[tuple[Owner, Finding]]) -> Iterator[Record]:
    """These findings of the run of a report."""
    same = common(report)
    policies: dict[object, Record] = {}
    for of, finding in owned:
        key = finding.policy.id, finding.beside, finding.elsewhere
        policy = policies.get(key)
        if policy is None:
            policy = policies[key] = _policy(finding.policy, finding)
        yield {**same, **policy, **_finding(finding, of, report)}


def thing(table: str, row: Mapping[str, Value], as_of: int) -> Record:
    """A row of the inventory as a record."""
    facts = Facts(table, row)
    note: dict[str, Reason] = {}
    for name, reason in facts.unknown.items():
        if _SHOWN.get(name) in THING_COLUMNS:
            note.setdefault(_SHOWN[name], reason)
    described = _described(facts, as_of, note)
    if why := owner_unknown(facts):
        note["owner"] = why
    who, source = owner(facts)
    return _present({**described, "owner": who, "owner_source": source, "coverage_note": note_cell(note) or None})


def state(facts: Facts, as_of: int) -> tuple[str | None, Reason | None]:
    """The key state of SP 800-57 from metadata, or why it is unknown; neither for tables without an expiration date.

    Expiry has precedence over suspension, and that over the other states.
    """
    if "expires_on" not in facts.row:
        return None, None
    starts = _starts(facts)
    expires, begins = facts.integer("expires_on"), facts.integer(starts)
    if expires is not None and expires <= as_of:
        return "deactivated", None
    for name in ("expires_on", "enabled", starts):
        if name in facts.unknown:
            return None, facts.unknown[name]
        if name == "enabled" and facts.row.get("enabled") is False:
            return "suspended", None
    return ("pre-activation" if begins is not None and begins > as_of else "active"), None


def common(report: Report) -> Record:
    """The columns about the run, the tenant and the policies: the same in every row."""
    run = report.run
    return _present(
        {
            "schema_version": SCHEMA,
            "run_id": run.run_id,
            "assessed_at": times.iso_time(run.as_of),
            "tool_version": run.tool_version,
            "policy_pack": pack(report.tallies),
            "tenant_id": run.tenant_id,
            "tenant_name": marked(run) or None,
        }
    )


def pack(tallies: Sequence[Tally]) -> str:
    """An id of the evaluated policies: a digest over their ids and texts."""
    lines = sorted(f"{tally.policy.id} {tally.policy.digest}\n" for tally in tallies)
    return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()[:16]}"


def _present(record: Mapping[str, str | None]) -> Record:
    return {name: value for name, value in record.items() if value is not None}


def _finding(finding: Finding, of: Owner, report: Report) -> Record:
    facts = Facts.of(finding)
    judged: dict[str, str | None] = {
        "status": finding.outcome,
        "severity": finding.severity,
        "finding_id": finding.id,
        "expected": finding.expected or None,
        "actual": finding.message or message(finding),
        **_waiver(finding.waiver),
        **judgement.cells(finding),
        "first_seen_at": _first_seen(finding, report),
        "evidence": "|".join(_pairs(finding, facts)) or None,
        "evidence_source": " ".join(filter(None, map(facts.text, ("source_url", "source_version")))) or None,
        "cause_id": finding.cause.head.finding if finding.cause else finding.id if finding.open else None,
        "first_command": _first_command(finding),
        "message_dates": "|".join(f"{name}={times.iso_time(value)}" for name, value in finding.times.items()) or None,
        "message_days": "|".join(f"{name}={times.whole_days(value)}" for name, value in finding.durations.items()) or None,
    }
    if not facts.row:
        return _present({**judged, **_scope(finding, report)})
    note: dict[str, Reason] = {}
    for name, reason in facts.unknown.items():
        if name in _SHOWN or name in finding.unknown:
            note.setdefault(_SHOWN.get(name, name), reason)
    described = {**_ending(finding, report.run.as_of), **_present(_described(facts, report.run.as_of, note))}
    if of.reason:
        note["owner"] = of.reason
    owned = {
        "owner": "|".join(of.names) or None,
        "owner_source": of.source or None,
        "client_id": facts.text("app_id") or facts.text("client_id"),
        "resource_environment": facts.text("environment"),
        "resource_tags": facts.text("tags") or facts.text("app_tags") or None,
    }
    return _present({**judged, **described, **owned, "coverage_note": note_cell(note) or None})


def _ending(finding: Finding, as_of: int) -> dict[str, str]:
    """The end that the message counts down to, for a row that has no end of its own."""
    for name in finding.durations:
        if (named := _EXPIRY.fullmatch(name)) and (end := finding.times.get(named[1])) is not None:
            return {"expires_at": times.iso_time(end), "days_to_expiry": str(times.whole_days(end - as_of))}
    return {}


def _first_command(finding: Finding) -> str | None:
    """The command of the first step; None without one, or where other steps must come before what it takes away."""
    first = next(iter(ordered(finding.fix, finding.steps)), {}) if finding.outcome is Outcome.FAIL else {}
    command = next((first[kind] for kind in COMMANDS if kind in first), "")
    return command if command and not takes_away(command) else None


def _first_seen(finding: Finding, report: Report) -> str | None:
    """The date in the baseline, else that of the earliest snapshot since which nothing shows that it did not fail."""
    baseline = report.verdict.baseline
    if entry := baseline.entry(finding.policy.id, finding.subject) if baseline else None:
        return times.iso_time(entry.since)
    # One that was read in part does not show that a finding was gone.
    before = (past for past in reversed(report.history) if past.as_of <= report.run.as_of)
    since = takewhile(lambda past: finding.id in past.failing or not past.complete, before)
    seen = [past.as_of for past in since if finding.id in past.failing] if finding.outcome is Outcome.FAIL else []
    return times.iso_time(seen[-1]) if seen else None


def _waiver(waiver: Waiver | None) -> dict[str, str | None]:
    if waiver is None:
        return {}
    return {
        "waiver_id": waiver.id,
        "waiver_reason": waiver.reason,
        "waiver_owner": waiver.owner,
        "waiver_approved_by": waiver.approved_by,
        "waiver_expires_at": times.iso_time(waiver.ends - 1),
    }


def _controls(frameworks: Mapping[str, Sequence[str]]) -> str | None:
    return "|".join(f"{name}:{control}" for name in sorted(frameworks) for control in frameworks[name]) or None


def _policy(policy: PolicyText, finding: Finding | None = None) -> Record:
    """The columns of a policy; of a `finding`, only the controls that it counts for, and those that count other limits."""
    elsewhere = {name: controls for name, controls in policy.frameworks.items() if finding and name in finding.elsewhere}
    links = (reference for reference in policy.references if reference.startswith("https://"))
    return _present(
        {
            "policy_id": policy.id,
            "policy_title": policy.title,
            "control_refs": _controls(finding.frameworks if finding else policy.frameworks),
            "control_refs_elsewhere": _controls(elsewhere),
            "remediation_url": next(links, None),
        }
    )


def _not_judged(each: NotJudged) -> Record:
    note = {need: absence(need) for need in each.needs}
    return {**_policy(each.policy), "status": "not-judged", "severity": each.policy.severity, "coverage_note": note_cell(note)}


def _scope(finding: Finding, report: Report) -> dict[str, str | None]:
    """A scope without rows: all columns are unknown, with the reasons of the gaps that affect the policy there."""
    scope = finding.scope
    if scope is None:
        return {"resource_id": finding.subject, "coverage_note": note_cell(finding.unknown) or None}
    gaps = [gap for gap in report.verdict.gaps if gap.scope.id == scope.id]
    blinding = [gap for gap in gaps if finding.policy.id in gap.blinds] or gaps
    reasons = dict.fromkeys([*finding.unknown.values(), *(gap.reason for gap in blinding)])
    return {
        "subscription_id": scope.id.split("/")[2] if scope.id.startswith("/subscriptions/") else None,
        "resource_type": scope.kind,
        "resource_id": scope.id,
        "resource_name": scope.name,
        "coverage_note": "|".join(f"*:{reason}" for reason in reasons) or "*",
    }


def _described(facts: Facts, as_of: int, note: dict[str, Reason]) -> dict[str, str | None]:
    """The columns that describe a resource; unknown ones are added to `note`."""
    same = ("subscription_id", "subscription_name", "resource_group", "location")
    return {
        **{name: facts.text(name) for name in same},
        "resource_type": facts.kind,
        "resource_id": facts.text("resource_id") or facts.text("id"),
        "resource_name": label(facts),
        "credential_kind": "key" if facts.kind == "key" else facts.text("kind"),
        "credential_version": facts.text("version"),
        "custody": facts.text("custody"),
        "algorithm": algorithm(facts) or None,
        "key_size": facts.text("key_size"),
        "enabled": facts.text("enabled"),
        **_dates(facts, as_of, note),
    }


def _dates(facts: Facts, as_of: int, note: dict[str, Reason]) -> dict[str, str | None]:
    """The dates and derived columns, which are added to `note` if their source is unknown."""
    starts = _starts(facts)
    begun = "created_on" if "created_on" in facts.row else starts
    created, expires = facts.integer(begun), facts.integer("expires_on")
    for derived, base in (("age_days", begun), ("days_to_expiry", "expires_on")):
        if base in facts.unknown:
            note[derived] = facts.unknown[base]
    if "is_current" in facts.unknown:
        note["last_rotated_at"] = facts.unknown["is_current"]
    elif facts.row.get("is_current") and "created_on" in facts.unknown:
        note["last_rotated_at"] = facts.unknown["created_on"]
    lifecycle, why = state(facts, as_of)
    if why:
        note["lifecycle_state"] = why
    return {
        "created_at": facts.text("created_on"),
        "activated_at": facts.text(starts),
        "expires_at": facts.text("expires_on"),
        "last_rotated_at": facts.text("created_on") if facts.row.get("is_current") else None,
        "age_days": None if created is None else str(times.whole_days(as_of - created)),
        "days_to_expiry": None if expires is None else str(times.whole_days(expires - as_of)),
        "lifecycle_state": lifecycle,
    }


def _starts(facts: Facts) -> str:
    return next((name for name in ("activates_on", "starts_on") if name in facts.row), "")


def _pairs(finding: Finding, facts: Facts) -> Iterator[str]:
    for name, value in finding.evidence.items():
        yield f"{name}={plain(facts.type(name), value)}" if value is not None else f"{name} absent"
