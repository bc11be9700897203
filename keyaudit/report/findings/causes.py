"""Causes in words, for reports for people: a head with the findings that it closes, and a consequence with its head."""

from collections import Counter
from collections.abc import Iterable, Sequence

from keyaudit.model.results.findings import Finding
from keyaudit.model.results.run import Report
from keyaudit.model.values.text import one_line
from keyaudit.report.lines import listed, plural
from keyaudit.report.summary import MESSAGE, message


def told(finding: Finding) -> str:
    """The message, for one line, with what else the cause explains, or with the head of the cause."""
    ending = also(finding) or same_cause(finding)
    return one_line(f"{message(finding)}; {ending}", MESSAGE) if ending else message(finding)


def also(finding: Finding) -> str:
    """ "also: Key without an expiration date"; empty unless it is the head of several findings."""
    return (
        f"also: {listed(problems(member.problem for member in finding.cause.also))}" if finding.cause and finding.leads else ""
    )


def apart(finding: Finding) -> str:
    """The same, of other resources alone."""
    if not (finding.cause and finding.leads):
        return ""
    there = [member for member in finding.cause.also if not member.beside]
    return (
        f"also, on {plural(len(there), 'other resource')}: {listed(problems(member.problem for member in there))}"
        if there
        else ""
    )


def same_cause(finding: Finding) -> str:
    """ "same cause as 0980b017b9d31580: Tier-0 application with a client secret"; empty unless another finding is the head."""
    if finding.cause is None or finding.leads:
        return ""
    head = finding.cause.head
    return f"same cause as {head.finding}: {head.problem}"


def problems(found: Iterable[str]) -> Sequence[str]:
    """Each problem once, with its number if there are several."""
    return [f"{problem} ({count:,} times)" if count > 1 else problem for problem, count in Counter(found).items()]


def repeated(report: Report, finding: Finding) -> bool:
    """Whether it is the head of a cause that many resources have, and is listed with them."""
    return finding.open and finding.leads and finding.alike in report.causes().repeated
