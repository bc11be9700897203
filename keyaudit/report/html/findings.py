"""The findings of a page by severity and policy, with the text of a policy once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from keyaudit.model import times
from keyaudit.model.columns import Type
from keyaudit.model.expiring import Owner
from keyaudit.model.findings import Finding, Outcome, PolicyText, Severity, Tally
from keyaudit.model.fixes import Part, parts
from keyaudit.model.run import Report
from keyaudit.model.tables import TABLES
from keyaudit.model.text import visible
from keyaudit.report.causes import also, same_cause
from keyaudit.report.facts import Facts, plain
from keyaudit.report.resource import context, label, owned_by
from keyaudit.report.score import line
from keyaudit.report.summary import WORST_FIRST, message

MOST = 5_000
"""The maximum number of listed findings, the highest severity first, unknown results last."""
_COMMANDS = 25
"""The number of commands shown per policy; others differ only in names."""
_LIMITS = 4
_NAME, _EVIDENCE = 200, 240


class Item(Struct, frozen=True):
    """One finding: the resource, the message and the evidence."""

    id: str
    owners: tuple[str, ...]
    """Each owner, or one text that says why there is none."""
    name: str
    context: str
    message: str
    evidence: str
    score: str
    """The arithmetic and the band; empty without a score."""
    cause: str
    """What else the cause explains, or the head of the cause; empty if it is a cause by itself."""
    mark: str
    """"waived" or "known", otherwise empty."""


class Group(Struct):
    """The findings of one policy that have one severity, or all its unknown results."""

    policy: PolicyText
    severity: Severity
    open: int = 0
    known: int = 0
    waived: int = 0
    unknown: int = 0
    items: list[Item] = field(default_factory=list)
    room: int = 0
    limits: dict[str, None] = field(default_factory=dict)
    """Some of the limits of the findings, in words."""
    frameworks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The controls of its policy that are evaluated with the limits of this run."""
    elsewhere: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The other controls of its policy: their frameworks have other limits."""
    fixes: dict[tuple[str, bool], dict[Part, None]] = field(default_factory=lambda: defaultdict(dict))
    """The parts of the fixes by their heading and whether they are commands."""
    cut: set[tuple[str, bool]] = field(default_factory=set)
    """The headings of parts that are not all listed."""

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
    """The findings up to the maximum, the highest severity first."""
    failing = {
        (severity, tally.policy.id): _group(tally, severity)
        for severity in WORST_FIRST
        for tally in sorted(report.tallies, key=lambda each: (-each.failed.get(severity, 0), each.policy.id))
        if any(counts.get(severity) for counts in (tally.failed, tally.known, tally.waived))
    }
    unknown = {tally.policy.id: _unknown(tally) for tally in report.tallies if any(tally.unknown.values())}
    room = MOST
    for group in (*failing.values(), *unknown.values()):
        group.room = min(group.count, room)
        room -= group.room
    for owner, finding in report.owned(False):
        of = unknown[finding.policy.id] if finding.outcome is Outcome.UNKNOWN else failing[finding.severity, finding.policy.id]
        if len(of.items) < of.room:
            _add(of, finding, owner)
    by_severity: dict[Severity, list[Group]] = defaultdict(list)
    for (severity, _), group in failing.items():
        by_severity[severity].append(group)
    levels = [Level(severity, by_severity[severity]) for severity in WORST_FIRST if severity in by_severity]
    return Findings(levels, sorted(unknown.values(), key=lambda each: (-each.severity.rank, -each.unknown, each.policy.id)))


def _group(tally: Tally, severity: Severity) -> Group:
    return Group(
        tally.policy,
        severity,
        open=tally.failed.get(severity, 0),
        known=tally.known.get(severity, 0),
        waived=tally.waived.get(severity, 0),
        frameworks=_controls(tally, elsewhere=False),
        elsewhere=_controls(tally, elsewhere=True),
    )


def _unknown(tally: Tally) -> Group:
    top_severity = max((level for level, count in tally.unknown.items() if count), key=lambda level: level.rank)
    return Group(
        tally.policy,
        top_severity,
        unknown=sum(tally.unknown.values()),
        frameworks=_controls(tally, elsewhere=False),
        elsewhere=_controls(tally, elsewhere=True),
    )


def _controls(tally: Tally, *, elsewhere: bool) -> Mapping[str, Sequence[str]]:
    return {name: ids for name, ids in tally.policy.frameworks.items() if (name in tally.elsewhere) is elsewhere}


def _add(group: Group, finding: Finding, owner: Owner) -> None:
    facts = Facts.of(finding)
    mark = "waived" if finding.outcome is Outcome.WAIVED else "known" if finding.known else ""
    group.items.append(
        Item(
            finding.id,
            tuple(visible(name, _NAME) for name in owner.names) or (owned_by(owner),),
            visible(label(facts), _NAME),
            # Nothing more is known about a scope without rows.
            visible(context(facts, owner), _NAME) if facts.row else "",
            message(finding),
            _evidence(finding, facts),
            line(finding.score) if finding.score else "",
            also(finding) or same_cause(finding),
            mark,
        )
    )
    if finding.expected and len(group.limits) < _LIMITS:
        group.limits[finding.expected] = None
    if finding.outcome is Outcome.FAIL:
        for part in parts(finding.fix, finding.steps):
            key = (part.heading, part.is_command)
            if len(group.fixes[key]) < _COMMANDS:
                group.fixes[key][part] = None
            elif part not in group.fixes[key]:
                group.cut.add(key)


def _evidence(finding: Finding, facts: Facts) -> str:
    shown = []
    for name, value in finding.evidence.items():
        type_ = facts.type(name)
        text = times.iso_date(value) if type_ is Type.TIME and isinstance(value, int) else plain(type_, value)
        shown.append(f"{name} {text or ('absent' if value is None else 'empty')}")
    return visible("; ".join(shown), _EVIDENCE)
