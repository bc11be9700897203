"""Reads and writes baselines: JSON for code review, with one finding per line in a fixed order."""

import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TextIO

import msgspec

from keyaudit.inventory.disk import input_file
from keyaudit.model.errors import UsageError
from keyaudit.model.gating.baseline import Baseline, Known, KnownUnknown, Rule
from keyaudit.model.results.findings import Finding, Outcome, because
from keyaudit.model.results.run import Run
from keyaudit.model.results.settings import PolicyInForce
from keyaudit.model.severity import Severity
from keyaudit.model.values.times import DAY, iso_date, iso_time, parse_date, parse_time

SCHEMA = "keyaudit-baseline/1"
MAX_SIZE = 1_000_000_000
"""The maximum size in bytes."""
MAX_DAYS = 366
"""The maximum time for which an entry counts."""
_DAMAGED = "create it again with keyaudit baseline create"


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    policy: str
    subject: str
    severity: Severity
    since: str


class _Unknown(_Entry):
    because: str


class _Rule(msgspec.Struct, forbid_unknown_fields=True):
    rule: str
    limits: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    schema: str
    tenant: str
    run: str
    as_of: str
    complete: bool
    limit_days: int
    findings: list[_Entry]
    tool_version: str = ""
    unknown: list[_Unknown] = msgspec.field(default_factory=list)
    policies: dict[str, _Rule] = msgspec.field(default_factory=dict)


def of_run(
    run: Run,
    findings: Iterable[Finding],
    policies: Iterable[PolicyInForce],
    *,
    tool_version: str,
    complete: bool,
    days: int,
    before: Baseline | None,
    unevaluated: Collection[str] = (),
    with_unknown: bool = False,
) -> Baseline:
    """The baseline of a run: failures without a waiver, and the entries of `before` whose findings could not be evaluated.
    Entries that `before` had keep their first day. `with_unknown`: its unknown results, too.

    `policies`: those that were evaluated; `unevaluated`: the ids of those that lacked evidence; `tool_version`: of the program
    that evaluated them.
    """
    held: dict[tuple[str, str], Known] = {}
    unknown: set[tuple[str, str]] = set()
    in_part = set(unevaluated)
    earlier = {(each.policy, each.subject, each.because): each.since for each in (before.unknown if before else ())}
    kept_unknown: set[KnownUnknown] = set()
    for finding in findings:
        if with_unknown and finding.outcome is Outcome.UNKNOWN:
            why = because(finding.unknown) if finding.scope is None else finding.message
            kept_unknown.add(
                KnownUnknown(
                    policy=finding.policy.id,
                    subject=finding.subject,
                    severity=finding.severity,
                    since=earlier.get((finding.policy.id, finding.subject, why), run.as_of),
                    because=why,
                )
            )
        if finding.outcome is Outcome.UNKNOWN and finding.scope is None:
            unknown.add((finding.policy.id, finding.subject))
        elif finding.outcome is Outcome.UNKNOWN:
            # A list was not read, or not to its end: any resource may be missing from it.
            in_part.add(finding.policy.id)
        if finding.outcome is not Outcome.FAIL:
            continue
        key = (finding.policy.id, finding.subject)
        old = before.entry(*key) if before else None
        known = Known(
            policy=finding.policy.id,
            subject=finding.subject,
            severity=finding.severity,
            since=old.since if old else run.as_of,
        )
        # Of several rows of one subject, the most severe counts.
        if key not in held or held[key].severity.rank < known.severity.rank:
            held[key] = known
    untold = (
        [each for each in before.entries if each.policy in in_part or (each.policy, each.subject) in unknown] if before else []
    )
    held = {(each.policy, each.subject): each for each in untold} | held
    entries = tuple(held[key] for key in sorted(held))
    kept = {each.policy for each in untold}
    return Baseline(
        tenant_id=run.tenant_id,
        run_id=run.run_id,
        as_of=run.as_of,
        complete=complete,
        limit=days * DAY,
        entries=entries,
        unknown=tuple(sorted(kept_unknown, key=lambda each: (each.policy, each.subject, each.because, each.severity.rank))),
        tool_version=tool_version,
        rules={policy: rule for policy, rule in (before.rules if before else {}).items() if policy in kept}
        | rules_of(policies),
    )


def rules_of(policies: Iterable[PolicyInForce]) -> dict[str, Rule]:
    """What decides the findings of these policies, by id."""
    return {each.text.id: Rule(rule=each.rule, limits=each.limits) for each in policies}


def write_baseline(baseline: Baseline, out: TextIO) -> None:
    """Write it. The same baseline gives the same bytes."""
    head = {
        "schema": SCHEMA,
        "tenant": baseline.tenant_id,
        "run": baseline.run_id,
        "tool_version": baseline.tool_version,
        "as_of": iso_time(baseline.as_of),
        "complete": baseline.complete,
        "limit_days": baseline.limit // DAY,
    }
    out.write("{\n" + "".join(f"{json.dumps(name)}: {json.dumps(value)},\n" for name, value in head.items()))
    out.write('"findings": [')
    out.writelines(f"{',' if number else ''}\n{json.dumps(_line(entry))}" for number, entry in enumerate(baseline.entries))
    out.write("\n],\n" if baseline.entries else "],\n")
    if baseline.unknown:
        entries = (json.dumps(_line(entry) | {"because": entry.because}) for entry in baseline.unknown)
        out.write('"unknown": [\n' + ",\n".join(entries) + "\n],\n")
    out.write('"policies": {')
    out.writelines(
        f"{',' if number else ''}\n{json.dumps(policy)}: {json.dumps({'rule': rule.rule, 'limits': rule.limits})}"
        for number, (policy, rule) in enumerate(sorted(baseline.rules.items()))
    )
    out.write("\n}\n}\n" if baseline.rules else "}\n}\n")


def _line(entry: Known | KnownUnknown) -> dict[str, str]:
    return {
        "policy": entry.policy,
        "subject": entry.subject,
        "severity": entry.severity,
        "since": iso_date(entry.since),
    }


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file. Raises UsageError if it is not one."""
    place = str(path)
    data = input_file.read(path, MAX_SIZE, "name a file written by baseline create")
    if len(data) > MAX_SIZE:
        raise UsageError(place, f"larger than {MAX_SIZE:,} bytes", _DAMAGED)
    try:
        found = msgspec.json.decode(data, type=_File)
        entries = tuple(
            Known(policy=each.policy, subject=each.subject, severity=each.severity, since=parse_date(each.since))
            for each in found.findings
        )
        unknown = tuple(
            KnownUnknown(
                policy=each.policy,
                subject=each.subject,
                severity=each.severity,
                since=parse_date(each.since),
                because=each.because,
            )
            for each in found.unknown
        )
        as_of = parse_time(found.as_of)
    except (ValueError, RecursionError) as error:
        raise UsageError(place, f"not a baseline: {error}", _DAMAGED) from error
    if found.schema != SCHEMA:
        raise UsageError(place, f"not a baseline of this version: {found.schema!r}", _DAMAGED)
    if any(since > as_of for since in (*(each.since for each in entries), *(each.since for each in unknown))):
        raise UsageError(place, "an entry starts after the baseline's creation, and would outlive its limit", _DAMAGED)
    if not 1 <= found.limit_days <= MAX_DAYS:
        raise UsageError(place, f"limit_days is {found.limit_days}", f"1 to {MAX_DAYS}")
    return Baseline(
        tenant_id=found.tenant.lower(),
        run_id=found.run,
        as_of=as_of,
        complete=found.complete,
        limit=found.limit_days * DAY,
        entries=entries,
        unknown=unknown,
        tool_version=found.tool_version,
        rules={policy: Rule(rule=each.rule, limits=each.limits) for policy, each in found.policies.items()},
    )
