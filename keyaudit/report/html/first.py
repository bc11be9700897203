"""The first page, as every format for people has it: on top of the page, and longer in the short form for print."""

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.model.results.causes import SHORT
from keyaudit.model.results.findings import PolicyText
from keyaudit.model.results.fixes import Part, parts
from keyaudit.model.results.run import First, Report
from keyaudit.model.results.tier0 import NAMED
from keyaudit.model.severity import Severity
from keyaudit.model.values.text import visible
from keyaudit.report.facts import Facts
from keyaudit.report.findings.causes import also
from keyaudit.report.findings.first import TOP, others, owner, page, step, tier0, tier0_named
from keyaudit.report.judgement import said as judged_as
from keyaudit.report.resource import context, label
from keyaudit.report.summary import message

PRINTED = 20
"""The maximum number of causes in the short form for print."""
_NAME, _STEP = 200, 300


class Row(Struct, frozen=True, kw_only=True):
    """A cause."""

    severity: Severity
    policy: PolicyText
    id: str
    """The first digits of the finding's id."""
    name: str
    context: str
    """A description of the resource, with its owner."""
    owner: str
    message: str
    also: str
    """What else the cause explains."""
    step: str
    steps: Sequence[Part]
    """The whole fix, for paper."""
    judged: str
    """Its severity, with what is weak and what it opens."""


class FirstPage(Struct, frozen=True):
    """The causes, then the number of others and the principals that control the tenant, in words."""

    rows: Sequence[Row]
    notes: Sequence[str]


def first_page(report: Report, most: int = TOP) -> FirstPage:
    """The first page of a report."""
    shown = page(report, most)
    said = others(shown.rest) if shown.rows else "", tier0(report), *tier0_named(report, NAMED)
    return FirstPage([*map(_row, shown.rows)], [f"{each}." for each in said if each])


def _row(first: First) -> Row:
    finding, facts = first.finding, Facts.of(first.finding)
    more = f" and {first.times - 1:,} more" if first.times > 1 else ""
    return Row(
        severity=finding.severity,
        policy=finding.policy,
        id=finding.id[:SHORT],
        name=f"{visible(label(facts), _NAME)}{more}",
        context=visible(context(facts, first.owner), _NAME),
        owner=owner(first, _NAME),
        message=message(finding),
        also=also(finding),
        step=step(finding, _STEP),
        steps=parts(finding.fix, finding.steps),
        judged=judged_as(finding),
    )
