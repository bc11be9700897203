"""The state of each control of a framework, from the results of the policies that map to it. Unknown is never a pass.

A control has one answer under every profile of a run: a policy with other limits under the framework's own profile is
evaluated with these.
"""

from enum import StrEnum

from msgspec import Struct

from keyaudit.model.frameworks import FRAMEWORKS, Framework
from keyaudit.model.results.findings import Tally
from keyaudit.model.results.run import Report


class State(StrEnum):
    """The state of a control, the worst first."""

    FAIL = "fail"
    """A policy fails, even if the failure is waived or in the baseline."""
    UNKNOWN = "unknown"
    """Nothing that was read fails, but something was not read."""
    NOT_JUDGED = "not judged"
    """Nothing fails, but a mapped policy was not evaluated, for lack of evidence or selection."""
    PASS = "pass"  # noqa: S105 - a result, not a password
    NOT_APPLICABLE = "not applicable"
    """Its policies apply to no row."""
    NOT_COVERED = "not covered"
    """No policy maps to it."""

    @property
    def words(self) -> str:
        """For people; the values themselves are stable data."""
        return "not evaluated" if self is State.NOT_JUDGED else str(self)


class Control(Struct, frozen=True, kw_only=True):
    """One control with the counts of all mapped policies, each over the rows that the control is about."""

    id: str
    title: str
    state: State
    profile: str
    """The profile that it was evaluated with."""
    policies: tuple[str, ...] = ()
    """The evaluated policies."""
    not_judged: tuple[str, ...] = ()
    """The policies that were not evaluated."""
    failed: int = 0
    excused: int = 0
    """Failures that a waiver covers or the baseline contains; not in `failed`."""
    unknown: int = 0
    passed: int = 0
    not_applicable: int = 0

    @property
    def results(self) -> str:
        """The counts in words, of what applies: "4 open, 2 waived or known, 9 passed"; empty if nothing does."""
        counts = {"open": self.failed, "waived or known": self.excused, "unknown": self.unknown, "passed": self.passed}
        return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)


def controls(framework: Framework, report: Report) -> tuple[Control, ...]:
    """Every control of the framework, in its order, then those that only a policy names."""
    mapped: dict[str, set[str]] = {}
    for known in report.catalogue():
        for control in known.text.frameworks.get(framework.key, ()):
            mapped.setdefault(control, set()).add(known.text.id)
    listed = [each for each in framework.controls if framework.closed or each in mapped]
    own = report.under(framework.profile_in(report.settings.profile))
    tallies = {tally.policy.id: tally for tally in (*report.tallies, *own.tallies)}
    # A gap may affect a policy without leaving an unknown row, if a list was not read.
    blinded = {policy for gap in report.verdict.gaps if gap.required for policy in gap.blinds}
    return tuple(
        _control(framework, each, mapped.get(each, set()), tallies, blinded, profile=own.profile)
        for each in (*listed, *sorted(mapped.keys() - framework.controls.keys()))
    )


def mapped_frameworks(report: Report) -> tuple[Framework, ...]:
    """The frameworks that a selected policy maps to."""
    selected = (*(tally.policy for tally in report.tallies), *(each.policy for each in report.verdict.not_judged))
    named = {name for policy in selected for name in policy.frameworks}
    return tuple(each for key, each in FRAMEWORKS.items() if key in named)


def profiles(report: Report) -> tuple[str, ...]:
    """The profiles of these frameworks, each once."""
    return tuple(dict.fromkeys(each.profile for each in mapped_frameworks(report) if each.profile))


def _control(
    framework: Framework, id_: str, mapped: set[str], tallies: dict[str, Tally], blinded: set[str], *, profile: str
) -> Control:
    judged = [tallies[name] for name in sorted(mapped) if name in tallies]
    left = mapped - tallies.keys()
    counts = [tally.of_control(framework.key, id_) for tally in judged]
    excused = sum(each.excused for each in counts)
    failed = sum(each.failed for each in counts)
    unknown = sum(each.unknown for each in counts)
    passed = sum(each.passed for each in counts)
    if not mapped:
        state = State.NOT_COVERED
    elif failed or excused:
        state = State.FAIL
    elif unknown or mapped & blinded:
        state = State.UNKNOWN
    elif left:
        state = State.NOT_JUDGED
    else:
        state = State.PASS if passed else State.NOT_APPLICABLE
    return Control(
        id=id_,
        title=framework.controls.get(id_, ""),
        state=state,
        profile=profile,
        policies=tuple(tally.policy.id for tally in judged),
        not_judged=tuple(sorted(left)),
        failed=failed,
        excused=excused,
        unknown=unknown,
        passed=passed,
        not_applicable=sum(each.not_applicable for each in counts),
    )
