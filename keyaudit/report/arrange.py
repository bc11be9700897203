"""Findings in the order, and in the groups, that a reader asks for; without a wish they are as the engine gives them.

However many there are, few are held at once.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby, islice
from typing import Any, TypeAlias

from keyaudit.model.expiring import Owner
from keyaudit.model.findings import Finding, Outcome
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Report
from keyaudit.report.aside import in_order
from keyaudit.report.facts import Facts
from keyaudit.report.resource import label, thing

Key: TypeAlias = Callable[[Finding], tuple[Any, ...]]
_BATCH = 2_000
"""Findings whose owners are looked up at once."""
_UNREAD = Owner((), "", Reason.PARENT_NOT_ASSESSED)
"""Who owns what no row was read of."""


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Findings that belong together. `key` is a policy's id or an Owner; None where nothing gave a row to tell by."""

    key: Any
    counts: Mapping[str, int]
    """How many there are of each severity that fails, and of each other outcome."""
    findings: Iterator[Finding]
    """To be read before the next group."""


def _by_severity(finding: Finding) -> tuple[Any, ...]:
    match finding.outcome:
        case Outcome.FAIL | Outcome.UNKNOWN:
            return -finding.severity.rank, finding.outcome is Outcome.UNKNOWN
        case outcome:
            return 1, outcome is Outcome.PASS


def _by_expiry(finding: Finding) -> tuple[Any, ...]:
    """The soonest first, then what nobody knows the end of, then what has none."""
    facts = Facts.of(finding)
    ends = facts.integer("expires_on")
    doubtful = "expires_on" in facts.unknown or not facts.row
    return (ends is None, ends is None and not doubtful, ends or 0)


_KEYS: Mapping[str, Key] = {
    "severity": _by_severity,
    "policy": lambda finding: (finding.policy.id, *_by_severity(finding)),
    "resource": lambda finding: (label(Facts.of(finding)).lower(),),
    "expires": _by_expiry,
}
"""What findings are sorted by; by anything else, as by score, the engine has sorted them already."""


def flat(report: Report, sort: str) -> Report:
    """The report with its findings in that order, one by one."""
    if sort not in _KEYS:
        return report
    key = _KEYS[sort]
    return dataclasses.replace(report, findings=lambda passes: in_order(_keyed(report.findings(passes), key)))


def by_thing(report: Report, sort: str) -> Report:
    """The report with its findings in that order, those on one thing together: where the first of them belongs."""
    if sort not in _KEYS:
        return report
    key = _KEYS[sort]

    def keyed(passes: bool) -> Iterator[tuple[Any, Finding]]:
        for number, (_, same) in enumerate(groupby(report.findings(passes), key=thing)):
            findings = list(same)
            first = min(map(key, findings))
            yield from (((*first, number, place), finding) for place, finding in enumerate(findings))

    return dataclasses.replace(report, findings=lambda passes: in_order(keyed(passes)))


def groups(report: Report, group: str, sort: str, passes: bool) -> Iterator[Group]:
    """The findings by `policy` or by `owner`, in that order. Groups are in the order of their first finding.

    What has no owner comes after what has one, and last what nothing gave a row of.
    """
    key = _KEYS.get(sort, _as_given)
    first: dict[Any, Any] = {}
    counts: dict[Any, Counter[str]] = {}
    for number, (of, finding) in enumerate(_grouped(report, group, passes)):
        place = (*key(finding), number)
        first[of] = min(first.get(of, place), place)
        fails = finding.outcome is Outcome.FAIL
        counts.setdefault(of, Counter())[finding.severity if fails else finding.outcome] += 1
    numbers = {of: number for number, of in enumerate(sorted(first, key=lambda of: (_last(of), first[of])))}
    keyed = (
        ((numbers[of], *key(finding), number), (of, finding))
        for number, (of, finding) in enumerate(_grouped(report, group, passes))
    )
    for of, same in groupby(in_order(keyed), key=lambda each: each[0]):
        yield Group(of, counts[of], (finding for _, finding in same))


def owned(report: Report, findings: Iterator[Finding]) -> Iterator[tuple[Owner, Finding]]:
    """The findings, each with who owns what it is about."""
    while some := list(islice(findings, _BATCH)):
        ids: dict[str, list[str]] = {}
        for finding in some:
            if finding.row:
                ids.setdefault(finding.policy.table, []).append(str(finding.row["id"]))
        known = {table: report.owners(table, of_table) for table, of_table in ids.items()}
        for finding in some:
            row = finding.row
            yield (known[finding.policy.table][str(row["id"])] if row else _UNREAD), finding


def _keyed(findings: Iterator[Finding], key: Key) -> Iterator[tuple[Any, Finding]]:
    return (((*key(finding), number), finding) for number, finding in enumerate(findings))


def _as_given(_finding: Finding) -> tuple[Any, ...]:
    return ()


def _grouped(report: Report, group: str, passes: bool) -> Iterator[tuple[Any, Finding]]:
    findings = report.findings(passes)
    if group == "policy":
        return ((finding.policy.id, finding) for finding in findings)
    return ((owner if finding.row else None, finding) for owner, finding in owned(report, findings))


def _last(of: Any) -> int:
    if isinstance(of, Owner):
        return 1 + (of.reason is not None) if not of.names else 0
    return 3 if of is None else 0
