"""Results by area of the tenant."""

from collections import Counter

from msgspec import Struct, field

from keyaudit.model.columns import Area
from keyaudit.model.run import Report
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES


class Results(Struct):
    """The results of the policies of one area."""

    open: Counter[Severity] = field(default_factory=Counter)
    """Open failures by severity."""
    unknown: int = 0
    evaluated: bool = False
    """Whether a policy of the area was evaluated: without one there is nothing to say of it."""


def by_area(report: Report) -> dict[Area, Results]:
    """The results of every area, in the order of display."""
    found = {area: Results() for area in Area}
    for tally in report.tallies:
        results = found[TABLES[tally.policy.table].area]
        results.open.update(tally.failed)
        results.unknown += sum(tally.unknown.values())
        results.evaluated = True
    return found
