"""The state of the controls of the frameworks that policies map to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, islice

from msgspec import Struct

from keyaudit.model.frameworks import Framework
from keyaudit.model.results.findings import Finding
from keyaudit.model.results.run import Report
from keyaudit.model.values.text import visible
from keyaudit.report.controls import Control, State, controls, mapped_frameworks
from keyaudit.report.facts import Facts
from keyaudit.report.html.charts import Bars, bars
from keyaudit.report.resource import label
from keyaudit.report.summary import message, word

MOST = 20
"""The maximum number of findings listed below a framework."""
_NAME = 200

TONES: Mapping[State, str] = {
    State.FAIL: "fail",
    State.UNKNOWN: "unknown",
    State.NOT_JUDGED: "not-judged",
    State.PASS: "pass",
    State.NOT_APPLICABLE: "nothing",
    State.NOT_COVERED: "not-covered",
}
"""The CSS class of each state."""


class Line(Struct, frozen=True):
    """A finding by the limits of a framework."""

    word: str
    controls: str
    name: str
    problem: str
    message: str


class Standing(Struct, frozen=True):
    """A framework with its controls."""

    framework: Framework
    name: str
    """Its title, with the edition if another framework has the same title."""
    profile: str
    """The profile that it was evaluated with."""
    controls: Sequence[Control]
    lines: Sequence[Line]
    """What is not a pass by limits other than those of the run, or by a condition of the control."""
    left_out: int
    """The number of these that are not listed."""

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
    """The controls of these frameworks."""
    frameworks = mapped_frameworks(report)
    titles = Counter(framework.title for framework in frameworks)
    standings = [_standing(each, _named(each, titles), report) for each in frameworks]
    values = [(each.name, {TONES[state]: count for state, count in each.counts.items()}) for each in standings]
    return Controls(standings, bars(values, whole=True))


def _named(framework: Framework, titles: Mapping[str, int]) -> str:
    return framework.title if titles[framework.title] == 1 else f"{framework.title}, {framework.edition}"


def _standing(framework: Framework, name: str, report: Report) -> Standing:
    profile = framework.profile_in(report.settings.profile)
    apart = chain(report.apart(False), report.under(profile).owned(False))
    found = (finding for _, finding in apart if framework.key in finding.frameworks)
    lines = [_line(each, framework) for each in islice(found, MOST)]
    return Standing(framework, name, profile, controls(framework, report), lines, sum(1 for _ in found))


def _line(finding: Finding, framework: Framework) -> Line:
    return Line(
        word(finding).lower(),
        ", ".join(finding.frameworks[framework.key]),
        visible(label(Facts.of(finding)), _NAME),
        finding.policy.problem,
        message(finding),
    )
