"""The flat table: one line a finding, as `az -o table` looks; then the same summary as the text report."""

from typing import TextIO

from tabulate import tabulate

from keyaudit.model.run import Report
from keyaudit.model.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.lines import joined, wrap
from keyaudit.report.resource import label
from keyaudit.report.summary import footer, header, message, word

_HEADERS = ("Severity", "Policy", "Resource", "Finding")
_GAPS = 6
_LEAST = 20
_UNBOUNDED = 1_000_000
_SUMMARY = 80


def render(report: Report, out: TextIO, *, passes: bool = False, width: int | None = None) -> None:
    """Write the table. Cells are wrapped to fit `width`, never cut; without one nothing is wrapped."""
    rows = [
        (word(finding), finding.policy.id, one_line(label(Facts.of(finding))), message(finding))
        for finding in report.findings(passes)
    ]
    out.write(joined([*header(report.run, report.verdict, width or _SUMMARY, colour=False), ""]))
    if rows:
        fixed = max(len(word) for word, *_ in rows) + max(len(policy) for _, policy, *_ in rows)
        room = max(2 * _LEAST, width - fixed - _GAPS) if width else 2 * _UNBOUNDED
        resource = min(max(len(name) for _, _, name, _ in rows), room // 2)
        cells = [
            (word, policy, "\n".join(wrap(name, resource)), "\n".join(wrap(said, room - resource)))
            for word, policy, name, said in rows
        ]
        # Numbers are names here too ("83749e12"), and an id is not broken at its hyphens: wrap() breaks at spaces.
        table = tabulate(cells, headers=_HEADERS, tablefmt="simple", disable_numparse=True, break_on_hyphens=False)
        out.write(joined([*(line.rstrip() for line in table.split("\n")), ""]))
    out.write(joined(footer(report, width or _SUMMARY, colour=False)))
