"""The report as JSON lines: each list item of the JSON report on its own line, with its type.

The first line is the run, the last the verdict, so that a truncated file has none.
"""

from collections.abc import Iterator
from typing import BinaryIO

from keyaudit.model.results.run import Report
from keyaudit.report.json import causes_member, lists, verdict_member
from keyaudit.report.members import begun, inert
from keyaudit.report.settings import settings_member


def write(report: Report, out: BinaryIO) -> None:
    """Write it, passes too."""
    out.writelines(f"{inert(line)}\n".encode("ascii") for line in _lines(report))


def _lines(report: Report) -> Iterator[dict[str, object]]:
    yield {"type": "run", **begun(report.run)}
    for name, members in lists(report, passes=True).items():
        for member in members:
            yield {"type": _SINGULAR[name], **member}
    yield {"type": "settings", **settings_member(report.settings)}
    yield {"type": "causes", **causes_member(report)}
    yield {"type": "verdict", **verdict_member(report)}


_SINGULAR = {
    "policies": "policy",
    "coverage": "coverage",
    "findings": "finding",
    "not_judged": "not-judged",
    "waivers": "waiver",
    "gaps": "gap",
}
