"""The state of each control of a framework, from the results of the policies that map to it. Unknown is never a pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from keyaudit.model.findings import PolicyText, Tally
from keyaudit.model.frameworks import Framework
from keyaudit.model.run import Report


class State(StrEnum):
    """What became of a control, the worst first."""

    FAIL = "fail"
    """Something fails, be it waived or known to a baseline."""
    UNKNOWN = "unknown"
    """Nothing that was read fails, and something was not read."""
    NOT_JUDGED = "not judged"
    """Nothing fails, and a policy that maps to it was not evaluated: it lacks evidence, or was not selected."""
    PASS = "pass"  # noqa: S105 - a result, not a password
    NOT_APPLICABLE = "not applicable"
    """There is nothing that its policies apply to."""
    NOT_COVERED = "not covered"
    """No policy maps to it."""

    @property
    def words(self) -> str:
        """For people; the values are data, and stay."""
        return "not evaluated" if self is State.NOT_JUDGED else str(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control with the counts of all policies that map to it, each over the part of it that the control is about."""

    id: str
    title: str
    state: State
    policies: tuple[str, ...] = ()
    """Those that were evaluated."""
    not_judged: tuple[str, ...] = ()
    """Those that were not."""
    failed: int = 0
    excused: int = 0
    """Failures that a waiver covers or a baseline knows; not in `failed`."""
    unknown: int = 0
    passed: int = 0
    not_applicable: int = 0


def controls(framework: Framework, report: Report, policies: Sequence[PolicyText]) -> tuple[Control, ...]:
    """Every control of the framework, in its order, then those that only `policies`, all that there are, name."""
    mapped: dict[str, set[str]] = {}
    for policy in policies:
        for control in policy.frameworks.get(framework.key, ()):
            mapped.setdefault(control, set()).add(policy.id)
    listed = [each for each in framework.controls if framework.closed or each in mapped]
    tallies = {tally.policy.id: tally for tally in report.tallies}
    # A gap may blind a policy and leave no unknown row behind it: what was to be listed there is not known.
    blinded = {policy for gap in report.verdict.gaps if gap.required for policy in gap.blinds}
    return tuple(
        _control(framework, each, mapped.get(each, set()), tallies, blinded)
        for each in (*listed, *sorted(mapped.keys() - framework.controls.keys()))
    )


def _control(framework: Framework, id_: str, mapped: set[str], tallies: dict[str, Tally], blinded: set[str]) -> Control:
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
        policies=tuple(tally.policy.id for tally in judged),
        not_judged=tuple(sorted(left)),
        failed=failed,
        excused=excused,
        unknown=unknown,
        passed=passed,
        not_applicable=sum(each.not_applicable for each in counts),
    )
