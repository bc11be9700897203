"""The state of the controls of the frameworks that policies map to."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from keyaudit.model.findings import PolicyText
from keyaudit.model.frameworks import FRAMEWORKS, Framework
from keyaudit.model.run import Report
from keyaudit.report.controls import Control, State, controls
from keyaudit.report.html.charts import Bars, bars

TONES: Mapping[State, str] = {
    State.FAIL: "fail",
    State.UNKNOWN: "unknown",
    State.NOT_JUDGED: "not-judged",
    State.PASS: "pass",
    State.NOT_APPLICABLE: "nothing",
    State.NOT_COVERED: "not-covered",
}
"""The CSS class of each state."""


class Standing(Struct, frozen=True):
    """A framework with its controls."""

    framework: Framework
    controls: Sequence[Control]

    @property
    def counts(self) -> Mapping[State, int]:
        """The number of controls by state."""
        return {state: sum(control.state is state for control in self.controls) for state in State}

    @property
    def said(self) -> str:
        """The counts in words: "14 fail, 1 not covered"."""
        return ", ".join(f"{count:,} {state.words}" for state, count in self.counts.items() if count)


class Controls(Struct, frozen=True):
    """All frameworks that a selected policy maps to."""

    standings: Sequence[Standing]
    chart: Bars


def by_framework(report: Report) -> Controls:
    """The controls according to the selected policies only."""
    selected = {tally.policy.id: tally.policy for tally in report.tallies}
    selected |= {each.policy.id: each.policy for each in report.verdict.not_judged}
    standings = [
        Standing(framework, controls(framework, report, list(selected.values())))
        for framework in FRAMEWORKS.values()
        if _mapped(selected.values(), framework)
    ]
    values = [(each.framework.title, {TONES[state]: count for state, count in each.counts.items()}) for each in standings]
    return Controls(standings, bars(values, whole=True))


def _mapped(policies: Iterable[PolicyText], framework: Framework) -> bool:
    return any(framework.key in policy.frameworks for policy in policies)
