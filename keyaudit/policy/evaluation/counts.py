"""Counts the verdicts of all rows by policy, and groups unknown results."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from keyaudit.inventory.reader import Reader
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import ControlCount, Outcome, Tally, UnknownGroup, because
from keyaudit.model.severity import Severity
from keyaudit.policy.evaluation.binding import Bound
from keyaudit.policy.evaluation.queries import REASONS, classed, counted, covered
from keyaudit.policy.evaluation.scopes import Blind
from keyaudit.policy.evaluation.verdict import FAIL, KNOWN, PASS, UNKNOWN_VIOLATION, least_of, outcome_of, severity_of

_MEMBERS = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.WAIVED: "excused",
    Outcome.UNKNOWN: "unknown",
    Outcome.NOT_APPLICABLE: "not_applicable",
}


def reason_of(text: str) -> Reason:
    """The stored reason; unrecognised if this version does not know it."""
    try:
        return Reason(text)
    except ValueError:
        return Reason.UNRECOGNISED


def entry_text(severity: Severity, why: str) -> str:
    """An unknown result of a baseline, as the table `baseline` has it."""
    return f"{severity.rank} {' '.join(why.split())}"


def holds(held: str | None, severity: Severity, why: str) -> bool:
    """Whether these entries hold a result that is unknown for that reason, with that severity or a higher one."""
    levels = (level for level in Severity if level.rank >= severity.rank)
    return held is not None and any(entry_text(level, why) in held.split("\n") for level in levels)


def _member(code: int) -> str:
    """The field of `ControlCount` for a verdict."""
    if KNOWN <= code < UNKNOWN_VIOLATION:
        return "excused"
    return _MEMBERS[outcome_of(code)]


_Group = tuple[str, Severity, Severity, str, tuple[tuple[str, Reason], ...], bool]
"""Policy, highest and lowest possible severity, scope, causes, and whether the baseline has it."""


class Counts:
    """Counts table by table."""

    def __init__(self, held: Mapping[tuple[str, str], str]) -> None:
        """`held`: by policy and subject, the unknown results of the baseline as the table `baseline` has them."""
        self._held = held
        self._passed: Counter[str] = Counter()
        self._not_applicable: Counter[str] = Counter()
        self._failed: Counter[tuple[str, Severity]] = Counter()
        self._waived: Counter[tuple[str, Severity]] = Counter()
        self._known: Counter[tuple[str, Severity]] = Counter()
        self._unknown: Counter[tuple[str, Severity]] = Counter()
        self._covered: Counter[str] = Counter()
        self._parts: Counter[tuple[str, tuple[str, str], str]] = Counter()
        """By policy, control and member of `ControlCount`."""
        self.classes: dict[tuple[str, str], tuple[int, int]] = {}
        """By policy and class, the number of rows, and of results that are left out."""
        self._groups: Counter[_Group] = Counter()
        self._ranges: Counter[_Group] = Counter()
        self._blind: list[Blind] = []
        self._causes: dict[tuple[str, int], Sequence[str]] = {}

    def table(self, reader: Reader, relation: str, bounds: Sequence[Bound]) -> None:
        """Counts a table with verdicts in one pass. The query groups rows with equal verdicts."""
        parts = [(bound.policy.text.id, part.key) for bound in bounds for part in bound.policy.parts]
        inside_baseline = [bound.policy.text.id for bound in bounds if bound.unknown_in_baseline]
        types = {REASONS: "MAP(VARCHAR, VARCHAR)"}
        for *found, scope, reasons, count in reader.rows(counted(relation, bounds), types=types):
            entries = dict(zip(inside_baseline, found[len(bounds) + len(parts) :], strict=True))
            for bound, code in zip(bounds, found, strict=False):
                known = self._is_known(bound, code, reasons or {}, entries) if code >= UNKNOWN_VIOLATION else code >= KNOWN
                self._add(bound, code, (scope, reasons or {}, known), count)
            for (policy, control), code in zip(parts, found[len(bounds) :], strict=False):
                self._parts[policy, control, _member(code)] += count

        pairs = [waiver for bound in bounds for waiver in bound.waivers]
        if pairs:
            [counts] = reader.rows(covered(relation, bounds, reader.sql))
            for waiver, count in zip(pairs, counts, strict=True):
                self._covered[waiver.id] += count

        inside = [(bound.policy.text.id, each.declared.name) for bound in bounds for each in bound.classes]
        if inside:
            [held] = reader.rows(classed(relation, bounds))
            self.classes |= zip(inside, zip(held[::2], held[1::2], strict=True), strict=True)

    def covered(self, waiver: Waiver) -> int:
        """The number of findings that a waiver covers."""
        return self._covered[waiver.id]

    def _is_known(self, bound: Bound, code: int, reasons: Mapping[str, str], entries: Mapping[str, str | None]) -> bool:
        """Whether the baseline has the unknown result of rows with these reasons; `entries`: by policy what it has of them."""
        why = because({name: reason_of(reasons[name]) for name in bound.columns_read if name in reasons})
        return holds(entries.get(bound.policy.text.id), severity_of(code), why)

    def _add(self, bound: Bound, code: int, why: tuple[str | None, Mapping[str, str], bool], count: int) -> None:
        policy = bound.policy.text.id
        if code < PASS:
            self._not_applicable[policy] += count
        elif code == PASS:
            self._passed[policy] += count
        elif code < FAIL:
            self._waived[policy, severity_of(code)] += count
        elif KNOWN <= code < UNKNOWN_VIOLATION:
            self._known[policy, severity_of(code)] += count
        elif code < UNKNOWN_VIOLATION:
            self._failed[policy, severity_of(code)] += count
        else:
            self._unknown[policy, severity_of(code)] += count
            self._groups[self._group(bound, code, why)] += count
        if FAIL <= code < UNKNOWN_VIOLATION and least_of(code) is not severity_of(code):
            self._ranges[self._group(bound, code, why)] += count

    def _group(self, bound: Bound, code: int, why: tuple[str | None, Mapping[str, str], bool]) -> _Group:
        scope, reasons, known = why
        causes = tuple((name, reason_of(reasons[name])) for name in self._sought(bound, code) if name in reasons)
        return bound.policy.text.id, severity_of(code), least_of(code), scope or "", causes, known

    def _holds(self, blind: Blind) -> bool:
        finding = blind.finding
        return holds(self._held.get((finding.policy.id, finding.subject)), finding.severity, finding.message)

    def _sought(self, bound: Bound, code: int) -> Sequence[str]:
        """The columns that can have made this verdict unknown, or the severity of a failure, in order; worked out once."""
        key = bound.policy.text.id, code
        if key not in self._causes:
            policy = bound.policy
            graded = {*policy.columns_of_opens, *policy.columns_of_weakness}
            self._causes[key] = sorted(graded if code < UNKNOWN_VIOLATION else bound.causes(code))
        return self._causes[key]

    def blind(self, blind: Sequence[Blind]) -> None:
        """Adds scopes without rows, and policies without required evidence."""
        self._blind += blind
        for each in blind:
            policy = each.bound.policy
            self._unknown[policy.text.id, policy.top_severity] += 1
            beside = each.beside
            for part in policy.parts:
                self._parts[policy.text.id, part.key, "unknown"] += part.key not in beside

    def tally(self, bound: Bound) -> Tally:
        """The counts of a policy."""
        policy = bound.policy
        name = policy.text.id
        return Tally(
            policy=policy.text,
            passed=self._passed[name],
            failed={level: self._failed[name, level] for level in Severity if self._failed[name, level]},
            waived={level: self._waived[name, level] for level in Severity if self._waived[name, level]},
            known={level: self._known[name, level] for level in Severity if self._known[name, level]},
            unknown={level: self._unknown[name, level] for level in Severity if self._unknown[name, level]},
            not_applicable=self._not_applicable[name],
            controls={part.key: self._control(name, part.key) for part in policy.parts},
            elsewhere=bound.elsewhere,
        )

    def _control(self, policy: str, control: tuple[str, str]) -> ControlCount:
        return ControlCount(**{each.name: self._parts[policy, control, each.name] for each in structs.fields(ControlCount)})

    def groups(self) -> tuple[UnknownGroup, ...]:
        """Every unknown result, scopes first, ordered by policy, severity, scope and causes."""
        return (*(structs.replace(blind.group, known=self._holds(blind)) for blind in self._blind), *_groups(self._groups))

    def ranges(self) -> tuple[UnknownGroup, ...]:
        """Every failure whose severity is a range, in the same order."""
        return tuple(_groups(self._ranges))


def _groups(counted: Mapping[_Group, int]) -> Iterator[UnknownGroup]:
    for (policy, severity, least, scope, causes, known), count in sorted(
        counted.items(), key=lambda item: (item[0][0], -item[0][1].rank, -item[0][2].rank, *item[0][3:])
    ):
        yield UnknownGroup(
            policy=policy, severity=severity, least=least, scope_id=scope, causes=dict(causes), count=count, known=known
        )
