"""Sorts and groups findings as requested; by default they keep the engine's order.

Memory use does not depend on their number.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeAlias

from msgspec import Struct, structs

from keyaudit.model.algorithms import Algorithm, algorithm
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.report.facts import Facts
from keyaudit.report.findings.external_sort import in_order
from keyaudit.report.resource import label, thing

Key: TypeAlias = Callable[[Finding], tuple[Any, ...]]


class Group(Struct, frozen=True):
    """A group of findings. `key` is a policy's id, an Owner or an Algorithm; None if unknown or without a row."""

    key: Any
    counts: Mapping[str, int]
    """Counts by severity of failures, and by other outcome."""
    findings: Iterator[Finding]
    """Must be read before the next group."""


def _by_severity(finding: Finding) -> tuple[Any, ...]:
    match finding.outcome:
        case Outcome.FAIL | Outcome.UNKNOWN:
            return -finding.severity.rank, finding.outcome is Outcome.UNKNOWN
        case outcome:
            return 1, outcome is Outcome.PASS


def _by_expiry(finding: Finding) -> tuple[Any, ...]:
    """The earliest expiration first, then unknown ones, then resources without one."""
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
"""Sort keys."""


def chosen(report: Report, least: Severity, top: int | None, *, causes: bool = False) -> Report:
    """The report with only findings of a severity and above, and at most `top`. Its counts still cover all.

    `causes`: findings on the row of the head of their cause do not count.
    """
    if least is Severity.INFO and top is None:
        return report

    def kept(findings: Iterator[Any], of: Callable[[Any], Finding]) -> Iterator[Any]:
        counted = 0
        for each in findings:
            if of(each).severity.rank >= least.rank:
                counted += not (causes and of(each).beside_head)
                if top is not None and counted > top:
                    return
                yield each

    return structs.replace(
        report,
        # Of causes that differ in their resource alone, some may be left out.
        causes=lambda: structs.replace(report.causes(), repeated={}) if top is not None else report.causes(),
        findings=lambda passes: kept(report.findings(passes), lambda finding: finding),
        owned=lambda passes: kept(report.owned(passes), lambda pair: pair[1]),
    )


def flat(report: Report, sort: str) -> Report:
    """The report with single findings in that order."""
    if sort not in _KEYS:
        return report
    key = _KEYS[sort]

    def findings(passes: bool) -> Iterator[Finding]:
        found = _bare(report.findings(passes))
        return in_order(((*key(finding), number), finding) for number, finding in enumerate(found))

    def owned(passes: bool) -> Iterator[tuple[Owner, Finding]]:
        pairs = _owned(report, passes)
        return in_order(((*key(finding), number), (owner, finding)) for number, (owner, finding) in enumerate(pairs))

    return structs.replace(report, findings=findings, owned=owned)


def by_thing(report: Report, sort: str) -> Report:
    """The report with `owned` in that order, with all findings of a resource at the position of its first."""
    if sort not in _KEYS:
        return report
    key = _KEYS[sort]

    def keyed(passes: bool) -> Iterator[tuple[Any, tuple[Owner, Finding]]]:
        for number, (_, same) in enumerate(groupby(_owned(report, passes), key=lambda pair: thing(pair[1]))):
            pairs = list(same)
            first = min(key(finding) for _, finding in pairs)
            yield from (((*first, number, place), pair) for place, pair in enumerate(pairs))

    return structs.replace(report, owned=lambda passes: in_order(keyed(passes)))


def groups(report: Report, group: str, sort: str, passes: bool) -> Iterator[Group]:
    """The findings grouped by `policy`, `owner` or `algorithm`. Groups are in the order of their first finding.

    Findings without an owner or algorithm come after the others, and scopes without rows last.
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


def _as_given(_finding: Finding) -> tuple[Any, ...]:
    return ()


def _grouped(report: Report, group: str, passes: bool) -> Iterator[tuple[Any, Finding]]:
    if group == "policy":
        return ((finding.policy.id, finding) for finding in _bare(report.findings(passes)))
    if group == "algorithm":
        return ((_made_by(finding), finding) for finding in _bare(report.findings(passes)))
    return ((_by_name(owner) if finding.row else None, finding) for owner, finding in _owned(report, passes))


def _made_by(finding: Finding) -> Algorithm | None:
    """The algorithm of a finding's key or certificate; None if it is unknown, or the finding is about something else."""
    facts = Facts.of(finding)
    return algorithm(facts.family, facts.integer("key_size"), facts.text("curve")) if facts.family else None


def _by_name(owner: Owner) -> Owner:
    """The owner without the source, so that a person in a tag and in Entra is one owner."""
    return structs.replace(owner, source="")


def _owned(report: Report, passes: bool) -> Iterator[tuple[Owner, Finding]]:
    return ((owner, _put_down(finding)) for owner, finding in report.owned(passes))


def _bare(findings: Iterator[Finding]) -> Iterator[Finding]:
    return map(_put_down, findings)


def _put_down(finding: Finding) -> Finding:
    """A finding that can be serialised, without its function for other values."""
    return structs.replace(finding, reworded=None)


def _last(of: Any) -> int:
    if isinstance(of, Owner):
        return 1 + (of.reason is not None) if not of.names else 0
    return 3 if of is None else 0
