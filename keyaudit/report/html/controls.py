"""How the tenant stands by the controls of frameworks that its policies are mapped to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keyaudit.model.findings import PolicyText
from keyaudit.model.run import Report
from keyaudit.report.html.charts import Bars, bars

STATES: Mapping[str, str] = {
    "fail": "fails",
    "unknown": "unknown",
    "pass": "passes",
    "nothing": "nothing to judge",
}
"""What can be said of a control, by the class that colours it. Whatever is first holds, if it holds of one policy."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one policy says of a control."""

    policy: PolicyText
    state: str
    said: str


@dataclass(frozen=True, slots=True)
class Control:
    """A control with the policies that are mapped to it."""

    id: str
    state: str
    answers: Sequence[Answer]
    """Those that are no passes."""
    passes: int
    """How many pass."""


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework with those of its controls that a policy is mapped to."""

    name: str
    controls: Sequence[Control]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many controls are in each of `STATES`."""
        return {state: sum(control.state == state for control in self.controls) for state in STATES}


@dataclass(frozen=True, slots=True)
class Controls:
    """All frameworks."""

    frameworks: Sequence[Framework]
    chart: Bars


def controls(report: Report) -> Controls:
    """The controls that the selected policies are mapped to."""
    found: dict[str, dict[str, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for answer in _answers(report):
        for framework, ids in answer.policy.frameworks.items():
            for control in ids:
                found[framework][control].append(answer)
    frameworks = [
        Framework(name, [_control(*item) for item in sorted(found[name].items(), key=_natural)]) for name in sorted(found)
    ]
    return Controls(frameworks, bars([(each.name, each.counts) for each in frameworks], whole=True))


def _answers(report: Report) -> list[Answer]:
    waiting = {each.policy.id: each.policy for each in report.verdict.not_judged}
    found = {name: Answer(policy, "unknown", "not judged") for name, policy in waiting.items()}
    for tally in report.tallies:
        failed, unknown = (sum(counts.values()) for counts in (tally.failed, tally.unknown))
        excused = sum((*tally.known.values(), *tally.waived.values()))
        parts = ((failed, "open"), (excused, "excused"), (unknown, "unknown"), (tally.passed, "passed"))
        said = ", ".join(f"{count:,} {word}" for count, word in parts if count) or "no row that it applies to"
        # What is excused still is not as the control asks.
        state = "fail" if failed or excused else "unknown" if unknown else "pass" if tally.passed else "nothing"
        found.setdefault(tally.policy.id, Answer(tally.policy, state, said))
    return [found[name] for name in sorted(found)]


def _control(id_: str, answers: Sequence[Answer]) -> Control:
    state = next(state for state in STATES if any(answer.state == state for answer in answers))
    others = [answer for answer in answers if answer.state != "pass"]
    return Control(id_, state, others, len(answers) - len(others))


def _natural(item: tuple[str, object]) -> list[tuple[int, int | str]]:
    """The order in which people number: 8.3.9 before 8.3.10."""
    words = item[0].replace("-", ".").split(".")
    return [(0, int(word)) if word.isascii() and word.isdigit() else (1, word) for word in words]
