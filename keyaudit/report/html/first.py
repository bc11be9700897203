"""The first page, as every format for people has it: on top of the page, and longer in the short form for print."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from keyaudit.model.causes import SHORT
from keyaudit.model.findings import PolicyText, Severity
from keyaudit.model.run import First, Report
from keyaudit.model.text import visible
from keyaudit.model.tier0 import NAMED
from keyaudit.report.causes import also
from keyaudit.report.facts import Facts
from keyaudit.report.first import TOP, doubt, others, owner, page, step, tier0, tier0_named
from keyaudit.report.resource import context, label
from keyaudit.report.score import line
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
    score: str
    """The arithmetic; empty without a score."""


class Group(Struct, frozen=True):
    """A group with its causes."""

    heading: str
    rows: Sequence[Row]


class FirstPage(Struct, frozen=True):
    """The groups, then the number of other causes and the principals that control the tenant, in words."""

    groups: Sequence[Group]
    notes: Sequence[str]

    @property
    def count(self) -> int:
        """The number of causes."""
        return sum(len(group.rows) for group in self.groups)


def first_page(report: Report, most: int = TOP) -> FirstPage:
    """The first page of a report."""
    shown = page(report, most)
    groups = [Group(stake.heading, list(map(_row, held))) for stake, held in shown.groups]
    said = others(shown), tier0(report), *tier0_named(report, NAMED)
    return FirstPage(groups, [f"{each}." for each in said if each])


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
        message="; ".join(_said(first)),
        also=also(finding),
        step=step(finding, _STEP),
        score=line(finding.score) if finding.score else "",
    )


def _said(first: First) -> Iterator[str]:
    return filter(None, (message(first.finding), doubt(first.finding)))
