"""The report for people by policy, by owner or by algorithm, with the same summary as by resource."""

from collections.abc import Iterator, Mapping
from typing import TextIO

from keyaudit.model.algorithms import Algorithm, allowed_until
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome, PolicyText
from keyaudit.model.results.run import Report
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.findings.arrange import Group, groups
from keyaudit.report.findings.causes import told
from keyaudit.report.findings.text import named, painted
from keyaudit.report.lines import Paint, columns, joined, pad, paint, wrap
from keyaudit.report.options import Options
from keyaudit.report.owner_rules import sentence, unowned
from keyaudit.report.resource import BELOW, label, owned_by
from keyaudit.report.summary import WORST_FIRST, footer, header, word

_INDENT = " " * 12
_LAST = {
    "owner": ("no owner to ask", BELOW),
    "algorithm": ("no algorithm", "Findings about other things, and about keys whose algorithm is unknown."),
}
"""The name of the group for all other findings, and why they are in it."""
_OTHERS = (Outcome.UNKNOWN, Outcome.WAIVED, Outcome.PASS)


def render(report: Report, out: TextIO, options: Options) -> None:
    """Write the report, one group at a time."""
    width, colour, group = options.page, options.colour, options.group
    out.write(joined([*header(report.run, report.verdict, width, colour), ""]))
    policies = {tally.policy.id: tally.policy for tally in report.tallies}
    for each in groups(report, group, options.sort, options.passes):
        out.write(joined(_heading(each, group, policies, width, colour)))
        out.writelines(joined(_finding(finding, width, colour, policy=group != "policy")) for finding in each.findings)
        out.write("\n")
    if group == "owner" and (said := sentence(unowned(report.owned(False)))):
        out.write(joined([*wrap(said, width), ""]))
    out.write(joined(footer(report, width, colour, hints=options.hints)))


def _heading(group: Group, by: str, policies: Mapping[str, PolicyText], width: int, colour: bool) -> Iterator[str]:
    """The policy, owner or algorithm, how many findings it has, and the problem, or until when it is allowed."""
    counts = [f"{group.counts[each]:,} {each}" for each in (*WORST_FIRST, *_OTHERS) if group.counts[each]]
    name, more = str(group.key), ""
    if isinstance(group.key, Owner):
        name = owned_by(group.key)
    elif isinstance(group.key, Algorithm):
        name, more = group.key.name, allowed_until(group.key)
    elif group.key is None:
        name, more = _LAST[by]
    elif group.key in policies:
        more = policies[group.key].problem
    beside = f"{name}  {', '.join(counts)}"
    if columns(beside) <= width:
        yield paint(name, Paint.BOLD, colour) + beside[len(name) :]
    else:
        yield from (paint(line, Paint.BOLD, colour) for line in wrap(name, width, rest="    "))
        yield from wrap(", ".join(counts), width, "    ", "    ")
    if more:
        yield from wrap(one_line(more), width, "    ", "    ")


def _finding(finding: Finding, width: int, colour: bool, *, policy: bool) -> Iterator[str]:
    """The resource, then the message. The policy is not repeated under its heading."""
    said = word(finding)
    first, *rest = wrap(one_line(label(Facts.of(finding))), width, f"  {pad(said, 8)}  ", _INDENT)
    yield "  " + painted(finding, colour) + first[2 + len(said) :]
    yield from rest
    if policy:
        yield from wrap(named(finding), width, _INDENT, _INDENT)
    if finding.row:
        yield from wrap(told(finding), width, _INDENT + "  ", _INDENT + "  ")
