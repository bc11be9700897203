"""Findings: the outcome of a policy for one row, its severity, and the evidence that it read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct, field, structs

from keyaudit.model.coverage import Scope
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.reasons import Reason
from keyaudit.model.results.causes import Cause, Declared, fingerprint
from keyaudit.model.results.planned import PlannedAt
from keyaudit.model.severity import Severity

Bounds: TypeAlias = tuple[int, int | None]
"""The value of a count column: at least, at most."""
Value: TypeAlias = str | int | bool | list[str] | dict[str, str] | Bounds | None
"""The value of a column; times and durations are seconds."""


class Outcome(StrEnum):
    """One policy's answer for one row."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    WAIVED = "waived"
    """It fails, and a waiver covers it."""
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


class PolicyText(Struct, frozen=True, kw_only=True):
    """The text of a policy: everything except its condition."""

    id: str
    title: str
    """The requirement, in one sentence."""
    problem: str
    """The violation as a noun phrase: the name of a finding."""
    severity: Severity
    """The highest that a finding of it can have."""
    weakness: str = ""
    """What is weak, if no condition says otherwise; empty: it has a fixed severity."""
    table: str
    why: str
    fix: Mapping[str, str]
    """The fixes by kind (`cli`, `powershell`, `text`), with placeholders not yet filled in."""
    steps: tuple[Mapping[str, str], ...] = ()
    """The steps of the fix by part, likewise; empty for a fix by kind."""
    references: tuple[str, ...] = ()
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The controls that it maps to, by framework."""
    confined: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By framework and control, the condition that selects the rows that the control is about; absent: all rows."""
    lessons: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Evidence that Azure's read APIs do not return; without it the policy is not evaluated."""
    guardrails: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Guardrails by kind and name, each with the parameter that is its limit, or `ENABLED`."""
    causes: tuple[Declared, ...] = ()
    """The causes of its findings, the first whose condition holds; without one, each finding is a cause by itself."""
    digest: str = ""
    """SHA-256 of the file's text."""


class Ruling(Struct, frozen=True, kw_only=True):
    """A rule that decides what is weak, or what the row opens, or may."""

    word: str
    """A weakness, what is opened, or a fixed severity."""
    condition: str
    """The condition in words of the policy; empty where none holds."""
    certain: bool
    """Whether the rule holds; False: that is unknown."""
    columns: tuple[str, ...]
    """The columns that decide it."""


class Judged(Struct, frozen=True, kw_only=True):
    """The two facts behind a severity, each with the rules for it that hold or may, up to the first that certainly does."""

    weakness: Sequence[Ruling]
    opens: Sequence[Ruling]
    """Empty for a fixed severity."""
    unknown: Mapping[str, Reason]
    """Of the columns that decide them, those that were not read, with their reasons."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that decides them."""
        return tuple(dict.fromkeys(name for ruling in (*self.weakness, *self.opens) for name in ruling.columns))


def _listed(controls: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {control}" for name, control in sorted(controls))


class Finding(Struct, frozen=True, kw_only=True):
    """The outcome of one policy for one row, or for a scope without rows (then `row` is empty and `scope` is set)."""

    policy: PolicyText
    outcome: Outcome
    severity: Severity
    """The highest that is possible."""
    subject: str
    """The id of the subject, which stays the same when a row is replaced. With the policy's id it forms the fingerprint."""
    message: str
    row: Mapping[str, Value] = field(default_factory=dict)
    """The whole row as it was evaluated, derived columns included."""
    unknown: Mapping[str, Reason] = field(default_factory=dict)
    """Every unknown column of the row that the policy read, with its reason."""
    evidence: Mapping[str, Value] = field(default_factory=dict)
    """The columns that the condition read, with their values; unknown ones are in `unknown` and not here."""
    expected: str = ""
    """The condition's limit in words: the parameters and their values, as in "max_age 730 days"."""
    fix: Mapping[str, str] = field(default_factory=dict)
    """`policy.fix` with the row's values filled in, shell-quoted."""
    steps: Sequence[Mapping[str, str]] = ()
    """`policy.steps`, likewise."""
    times: Mapping[str, int] = field(default_factory=dict)
    """The times that the message names, by column."""
    durations: Mapping[str, int] = field(default_factory=dict)
    """The durations that the message names, in seconds, by how the policy writes them, as in "since(created_on)"."""
    least: Severity | None = None
    """The lowest severity that is possible, where what decides was not read; None: there is one alone."""
    judged: Callable[[], Judged] | None = None
    """Why it has its severity; None: a pass, or a scope without rows."""
    scope: Scope | None = None
    waiver: Waiver | None = None
    """The waiver that covers it, if it is waived."""
    known: bool = False
    """It fails, and the baseline contains it."""
    beside: frozenset[tuple[str, str]] = frozenset()
    """The framework controls of its policy that have another answer for this row, or are not about it."""
    otherwise: Mapping[tuple[str, str], Outcome] = field(default_factory=dict)
    """The other answers of controls with a condition of their own, by framework and control."""
    elsewhere: frozenset[str] = frozenset()
    """The frameworks whose profile has other limits for its policy: their controls are answered by another evaluation."""
    cause: Cause | None = None
    """The cause that it shares with other open failures; None: it is a cause by itself, or no open failure."""
    leads: bool = True
    """Whether it is the head of its cause."""
    beside_head: bool = False
    """Whether it is about the same row as the head of its cause, and not the head itself."""
    command: str = ""
    """The commands of its fix before values are filled in: the same for rows that are fixed in the same way."""
    planned: PlannedAt | None = None
    """The resource that it is about, of a plan."""
    reworded: Callable[[Mapping[str, Value]], tuple[str, Mapping[str, str], Sequence[Mapping[str, str]]]] | None = None
    """The message, fix and steps for a row with these values and the same outcome."""

    @property
    def frameworks(self) -> Mapping[str, tuple[str, ...]]:
        """The controls that it counts for, by framework."""
        counted = {
            name: tuple(control for control in controls if (name, control) not in self.beside)
            for name, controls in self.policy.frameworks.items()
            if name not in self.elsewhere
        }
        return {name: controls for name, controls in counted.items() if controls}

    def for_controls(self) -> "Iterator[Finding]":
        """The other answers for this row: a finding for each outcome, with the controls that have it."""
        mapped = {(name, control) for name, controls in self.policy.frameworks.items() for control in controls}
        for outcome in dict.fromkeys(self.otherwise.values()):
            held = {key for key, other in self.otherwise.items() if other is outcome and key[0] not in self.elsewhere}
            if held:
                conditions = dict.fromkeys(
                    self.policy.confined.get(name, {}).get(control, "") for name, control in sorted(held)
                )
                yield structs.replace(
                    self,
                    policy=structs.replace(self.policy, problem=f"{_listed(held)} not met"),
                    outcome=outcome,
                    message=f"by the control's own condition: {'; '.join(conditions)}",
                    # The fix is for what the policy itself asks.
                    fix={},
                    waiver=None,
                    known=False,
                    beside=frozenset(mapped - held),
                    otherwise={},
                    cause=None,
                    leads=True,
                    beside_head=False,
                    reworded=None,
                )

    @property
    def id(self) -> str:
        """The fingerprint of its policy and subject."""
        return fingerprint(self.policy.id, self.subject)

    def by_itself(self) -> "Finding":
        """The same finding without its cause."""
        return structs.replace(self, cause=None, leads=True, beside_head=False)

    @property
    def alike(self) -> tuple[str, str, str]:
        """What it shares with findings that differ in their row alone: policy, severity and command."""
        return self.policy.id, self.severity, self.command

    @property
    def open(self) -> bool:
        """Whether it fails, and neither a waiver nor the baseline covers it."""
        return self.outcome is Outcome.FAIL and not self.known


def by_cause(findings: Iterable[Finding]) -> list[list[Finding]]:
    """The open failures among the findings, grouped by cause: the head first, then the others as they come.

    A failure without a cause that it shares is a group by itself. A group whose head is not among the findings begins with the
    first that is. The groups are in the order of their first finding.
    """
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        if finding.open:
            of = finding.cause
            same = groups.setdefault(of.key if of else number, [])
            same.insert(0, finding) if finding.leads else same.append(finding)
    return list(groups.values())


def because(unknown: Mapping[str, Reason | str]) -> str:
    """Why a row's result is unknown, as a baseline has it: the columns, each with its reason."""
    return "; ".join(f"{column}: {reason}" for column, reason in sorted(unknown.items()))


class ControlCount(Struct, frozen=True, kw_only=True):
    """The results of one policy for the rows that one control is about."""

    failed: int = 0
    excused: int = 0
    """Failures that a waiver covers or the baseline contains; not in `failed`."""
    unknown: int = 0
    passed: int = 0
    not_applicable: int = 0


class Tally(Struct, frozen=True, kw_only=True):
    """The results of one policy. `unknown` includes scopes without rows."""

    policy: PolicyText
    passed: int = 0
    failed: Mapping[Severity, int] = field(default_factory=dict)
    unknown: Mapping[Severity, int] = field(default_factory=dict)
    waived: Mapping[Severity, int] = field(default_factory=dict)
    """Failures that a waiver covers; not in `failed`."""
    known: Mapping[Severity, int] = field(default_factory=dict)
    """Failures that the baseline contains with the same or a higher severity; not in `failed`."""
    not_applicable: int = 0
    controls: Mapping[tuple[str, str], ControlCount] = field(default_factory=dict)
    """By framework and control, for controls that are about some of the rows only."""
    elsewhere: frozenset[str] = frozenset()
    """As in `Finding`."""

    def of_control(self, framework: str, control: str) -> ControlCount:
        """The results for the rows that the control is about; all rows, unless the mapping has a condition."""
        found = self.controls.get((framework, control))
        return found or ControlCount(
            failed=sum(self.failed.values()),
            excused=sum(self.waived.values()) + sum(self.known.values()),
            unknown=sum(self.unknown.values()),
            passed=self.passed,
            not_applicable=self.not_applicable,
        )

    @property
    def rows(self) -> int:
        """Rows that the policy applied to, unknown ones included."""
        return self.passed + sum(sum(each.values()) for each in (self.failed, self.waived, self.known, self.unknown))


class UnknownGroup(Struct, frozen=True, kw_only=True):
    """Unknown results of one policy that share scope, severity and causes, so that a gate can attribute them to a gap; or
    failures whose severity is a range.
    """

    policy: str
    severity: Severity
    """The highest that is possible."""
    least: Severity = Severity.INFO
    """The lowest that is possible, of failures."""
    scope_id: str
    causes: Mapping[str, Reason]
    """Unknown columns that were read, with their reasons; empty for a scope without rows."""
    operations: tuple[str, ...] = ()
    """For a scope without rows: the operations that were not assessed."""
    reasons: tuple[Reason, ...] = ()
    """For a scope without rows: the reasons of these gaps."""
    count: int
    known: bool = False
    """Whether the baseline holds these very results."""
