"""The findings of a page by severity and policy, with the text of a policy once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import takewhile

from msgspec import Struct, field

from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome, PolicyText, Tally
from keyaudit.model.results.fixes import Part, parts
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.values.text import visible
from keyaudit.report.facts import Facts
from keyaudit.report.findings.causes import also, same_cause
from keyaudit.report.judgement import said
from keyaudit.report.resource import context, label, owned_by
from keyaudit.report.summary import WORST_FIRST, message

MOST = 5_000
"""The maximum number of listed findings, the highest severity first, unknown results last."""
_FIXES = {Severity.CRITICAL: 25, Severity.HIGH: 3}
"""The number of different fixes that are shown per policy; of lower severities, one as an example."""
_NAMED = 3
"""The number of resources that are named where several have the same fix."""
_LIMITS = 4
_NAME = 200


class Item(Struct, frozen=True):
    """One finding: the resource, and the message."""

    id: str
    owners: str
    """Each owner on a line, or one that says why they are unknown; empty if no owner is known."""
    name: str
    context: str
    message: str
    judged: str
    """Its severity, with what is weak and what it opens."""
    cause: str
    """What else the cause explains, or the head of the cause; empty if it is a cause by itself."""
    mark: str
    """"waived" or "known", otherwise empty."""


class Fix(Struct, frozen=True):
    """The steps that are for some resources alone."""

    ids: tuple[str, ...]
    """Of the findings, whose rows are these resources."""
    names: str
    steps: Sequence[Part]


class Group(Struct):
    """The findings of one policy that have one severity, or all its unknown results."""

    policy: PolicyText
    severity: Severity
    open: int = 0
    known: int = 0
    waived: int = 0
    unknown: int = 0
    items: list[Item] = field(default_factory=list)
    limits: dict[str, None] = field(default_factory=dict)
    """Some of the limits of the findings, in words."""
    first: tuple[Part, ...] | None = None
    """The paragraphs with which the fix of every listed finding begins."""
    fixed: dict[tuple[Part, ...], list[Item]] = field(default_factory=dict)
    """The findings by their whole fix."""
    unshown: int = 0
    """The number of findings whose fix is not shown, because there are too many different ones."""

    @property
    def fixes(self) -> Iterator[Fix]:
        """What each fix has besides `first`. A command is never in `first`: it is for a resource."""
        for steps, of in self.fixed.items():
            if rest := steps[len(self.first or ()) :]:
                more = f" and {len(of) - _NAMED:,} more" if len(of) > _NAMED else ""
                yield Fix(tuple(item.id for item in of), f"{', '.join(item.name for item in of[:_NAMED])}{more}", rest)

    @property
    def is_short(self) -> bool:
        """Whether it has its rows alone, because its severity is low or info."""
        return self.severity.rank < Severity.MEDIUM.rank

    @property
    def area(self) -> str:
        """The area of its policy's table."""
        return TABLES[self.policy.table].area.value

    @property
    def count(self) -> int:
        """The number of findings, listed or not."""
        return self.open + self.known + self.waived + self.unknown

    @property
    def left_out(self) -> int:
        """The number of findings that are counted but not listed."""
        return self.count - len(self.items)


class Level(Struct, frozen=True):
    """A severity with its failing policies."""

    severity: Severity
    groups: Sequence[Group]

    @property
    def open(self) -> int:
        """The number of open findings."""
        return sum(group.open for group in self.groups)


class Findings(Struct, frozen=True):
    """All findings and unknown results."""

    levels: Sequence[Level]
    unknown: Sequence[Group]
    """Unknown results by policy; the severity is the highest possible one."""


def findings(report: Report) -> Findings:
    """The findings up to the maximum, in the order of the report: a policy stands where its first finding does."""
    failing = {
        (severity, tally.policy.id): _group(tally, severity)
        for severity in WORST_FIRST
        for tally in report.tallies
        if any(counts.get(severity) for counts in (tally.failed, tally.known, tally.waived))
    }
    unknown = {tally.policy.id: _unknown(tally) for tally in report.tallies if any(tally.unknown.values())}
    room = min(sum(group.count for group in failing.values()), MOST)
    left = {True: MOST - room, False: room}
    ordered: dict[int, Group] = {}
    for owner, finding in report.owned(False):
        is_unknown = finding.outcome is Outcome.UNKNOWN
        of = unknown[finding.policy.id] if is_unknown else failing[finding.severity, finding.policy.id]
        ordered.setdefault(id(of), of)
        if left[is_unknown]:
            left[is_unknown] -= 1
            _add(of, finding, owner)
    by_severity: dict[Severity, list[Group]] = defaultdict(list)
    for group in ordered.values():
        if not group.unknown:
            by_severity[group.severity].append(group)
    levels = [Level(severity, by_severity[severity]) for severity in WORST_FIRST if severity in by_severity]
    return Findings(levels, [group for group in ordered.values() if group.unknown])


def _group(tally: Tally, severity: Severity) -> Group:
    return Group(
        tally.policy,
        severity,
        open=tally.failed.get(severity, 0),
        known=tally.known.get(severity, 0),
        waived=tally.waived.get(severity, 0),
    )


def _unknown(tally: Tally) -> Group:
    top_severity = max((level for level, count in tally.unknown.items() if count), key=lambda level: level.rank)
    return Group(
        tally.policy,
        top_severity,
        unknown=sum(tally.unknown.values()),
    )


def _add(group: Group, finding: Finding, owner: Owner) -> None:
    facts = Facts.of(finding)
    mark = "waived" if finding.outcome is Outcome.WAIVED else "known" if finding.known else ""
    item = Item(
        finding.id,
        "\n".join(visible(name, _NAME) for name in owner.names) or (owned_by(owner) if owner.reason else ""),
        visible(label(facts), _NAME),
        # Nothing more is known about a scope without rows.
        visible(context(facts, owner), _NAME) if facts.row else "",
        message(finding),
        said(finding),
        also(finding) or same_cause(finding),
        mark,
    )
    group.items.append(item)
    if finding.expected and len(group.limits) < _LIMITS:
        group.limits[finding.expected] = None
    if finding.outcome is Outcome.FAIL:
        steps = tuple(parts(finding.fix, finding.steps))
        begins = tuple(takewhile(lambda part: not part.is_command, steps))
        pairs = zip(begins if group.first is None else group.first, begins, strict=False)
        group.first = tuple(part for part, other in takewhile(lambda pair: pair[0] == pair[1], pairs))
        if steps in group.fixed or len(group.fixed) < _FIXES.get(group.severity, 1):
            group.fixed.setdefault(steps, []).append(item)
        else:
            group.unshown += 1
