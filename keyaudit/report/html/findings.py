"""The findings of a page by severity and policy, with the text of a policy once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile

from msgspec import Struct, field

from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome, PolicyText, Tally
from keyaudit.model.results.fixes import Part, parts
from keyaudit.model.results.run import Report
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.values.text import visible
from keyaudit.report.facts import Facts
from keyaudit.report.findings.causes import also
from keyaudit.report.judgement import severity_words
from keyaudit.report.resource import context, label, owned_by
from keyaudit.report.summary import WORST_FIRST, message

MOST = 5_000
"""The maximum number of listed findings, the highest severity first, unknown results last."""
_FIXES = {Severity.CRITICAL: 25, Severity.HIGH: 3}
"""The number of different fixes whose commands are shown per policy; of lower severities, `explain` has them."""
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
    """What is weak and what it opens, with the severities that are possible if that is not known."""
    also: str
    """What else the cause explains, if it is the head of a cause."""
    head: str
    """The id of the head of its cause, whose fix closes it, too; empty if it is that itself."""
    of: str
    """The problem of that head."""
    mark: str
    """"waived" or "known", otherwise empty."""


class Fix(Struct, frozen=True):
    """Consecutive lines of a fix that are for all resources, or for some alone."""

    lines: Sequence[Part]
    """Each with one line; a heading where a step or its commands begin."""
    ids: tuple[str, ...] = ()
    """Of the findings whose rows are these resources; empty for all."""
    names: str = ""


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
    same: tuple[Part, ...] | None = None
    """The lines that the fixes of all heads of causes have at the same place; one that differs is empty."""
    fixed: dict[tuple[Part, ...], list[Item]] = field(default_factory=dict)
    """The heads of causes by their whole fix."""
    unshown: int = 0
    """The number of findings whose fix is not shown, because there are too many different ones."""
    first: Fix | None = None
    """The fix of the first head of a cause."""
    varies: bool = False
    """Whether the fixes have lines that are for some resources alone."""
    above: "Group | None" = None
    """The findings of the policy at a higher severity, which have its text."""

    @property
    def judged(self) -> str:
        """What is weak and what it opens; empty if that differs."""
        said = {item.judged for item in self.items}
        return said.pop() if len(said) == 1 else ""

    @property
    def repeats(self) -> bool:
        """Whether all that it says for all its resources is said at a higher severity."""
        return self.above is not None and {part for part in self.same or () if part.lines} <= set(self.above.same or ())

    @property
    def consequences(self) -> int:
        """The number of listed findings that the fix of another one closes, too."""
        return sum(bool(item.head) for item in self.items)

    @property
    def fixes(self) -> Iterator[Fix]:
        """The fixes in the order of reading: what is for all once, and what is not below its resources, as each command is."""
        if self.first and len(self.items) - self.consequences == 1 < self.count:
            yield self.first
            return
        start = 0
        for shared, of in groupby(self.same or (), key=lambda part: bool(part.lines)):
            run = tuple(of)
            if not shared:
                yield from self._apart(start, start + len(run))
            elif not self.repeats:
                yield Fix(run)
            start += len(run)
        yield from self._apart(start, None)

    def _apart(self, start: int, end: int | None) -> Iterator[Fix]:
        alike: dict[tuple[Part, ...], list[Item]] = defaultdict(list)
        for lines, of in self.fixed.items():
            alike[lines[start:end]] += of
        for lines, of in alike.items():
            if lines:
                more = f" and {len(of) - _NAMED:,} more" if len(of) > _NAMED else ""
                yield Fix(lines, tuple(item.id for item in of), f"{', '.join(item.name for item in of[:_NAMED])}{more}")

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

    @property
    def listed(self) -> frozenset[str]:
        """The ids of the listed failures."""
        return frozenset(item.id for level in self.levels for group in level.groups for item in group.items)


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
    above: dict[str, Group] = {}
    for severity in WORST_FIRST:
        for group in by_severity[severity]:
            group.above = above.get(group.policy.id)
            above.setdefault(group.policy.id, group)
    levels = [Level(severity, by_severity[severity]) for severity in WORST_FIRST if by_severity[severity]]
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
    facts = Facts.from_finding(finding)
    mark = "waived" if finding.outcome is Outcome.WAIVED else "known" if finding.known else ""
    cause = finding.cause
    item = Item(
        finding.id,
        "\n".join(visible(name, _NAME) for name in owner.names) or (owned_by(owner) if owner.reason else ""),
        visible(label(facts), _NAME),
        # Nothing more is known about a scope without rows.
        visible(context(facts, owner), _NAME) if facts.row else "",
        message(finding),
        severity_words(finding).removeprefix(f"{finding.severity}: "),
        also(finding),
        *((cause.head.finding, cause.head.problem) if cause and not finding.leads else ("", "")),
        mark,
    )
    group.items.append(item)
    if finding.expected and len(group.limits) < _LIMITS:
        group.limits[finding.expected] = None
    if finding.outcome is Outcome.FAIL and finding.leads:
        steps = parts(finding.fix, finding.steps)
        lines = tuple(
            Part("" if number else part.heading, (line,), part.is_command)
            for part in steps
            for number, line in enumerate(part.lines)
        )
        before = lines if group.same is None else group.same
        group.same = _shared(before, lines)
        shown = tuple(part for part in lines if group.severity in _FIXES or not part.is_command)
        group.first = group.first or Fix(shown, (item.id,), item.name)
        group.varies |= len(group.same) < max(len(before), len(lines)) or not all(part.lines for part in group.same)
        if lines in group.fixed or len(group.fixed) < _FIXES.get(group.severity, 0):
            group.fixed.setdefault(lines, []).append(item)
        else:
            group.unshown += 1


def _shared(same: Sequence[Part], lines: Sequence[Part]) -> tuple[Part, ...]:
    """What both have at the same place, up to the first place with different headings. A command is for a resource alone."""
    pairs = takewhile(lambda pair: pair[0].heading == pair[1].heading, zip(same, lines, strict=False))
    return tuple(one if one == other and not one.is_command else Part(one.heading, (), one.is_command) for one, other in pairs)
