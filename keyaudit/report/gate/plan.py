"""What a gate tells of a plan besides its verdict: the unknown results, by the attributes that are known after apply."""

from collections.abc import Iterator

from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.values.text import one_line
from keyaudit.report.facts import Facts
from keyaudit.report.lines import plural
from keyaudit.report.resource import label
from keyaudit.report.summary import message

MOST = 20
"""The maximum number of listed results."""


def place(finding: Finding) -> str:
    """The name of the resource, and for a plan its place in the configuration."""
    name = one_line(label(Facts.of(finding)))
    return f"{name} ({one_line(finding.planned.place, 1_000)})" if finding.planned else name


def unknown_until_applied(report: Report) -> Iterator[str]:
    """A line for each unknown result of a plan, the most severe first, and the number of others."""
    found = [
        finding
        for finding in report.findings(False)
        if finding.outcome is Outcome.UNKNOWN and set(finding.unknown.values()) - {Reason.NOT_IN_PLAN}
    ]
    found.sort(key=lambda finding: -finding.severity.rank)
    for finding in found[:MOST]:
        yield f"  UNKNOWN  {finding.policy.id} {finding.severity.upper()}  {one_line(finding.policy.problem)}: {_why(finding)}"
    if len(found) > MOST:
        yield f"  UNKNOWN  {plural(len(found) - MOST, 'more result')}; the same command with --export csv=PATH writes all"


def _why(finding: Finding) -> str:
    """The attributes that are known after apply: "azurerm_key_vault_key.signing.expiration_date is known after apply"."""
    planned = finding.planned
    if planned is None or not planned.after_apply:
        return f"{place(finding)}: {message(finding)}"
    names = ", ".join(f"{planned.address}.{name}" for name in planned.after_apply)
    verb = "is" if len(planned.after_apply) == 1 else "are"
    at = f" ({planned.file}:{planned.line})" if planned.file else ""
    return one_line(f"{names} {verb} known after apply{at}", 1_000)
