"""What the shipped policies say of a snapshot, in a form that two tenants can be compared by."""

from collections.abc import Mapping, Sequence

from keyaudit import audit
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.gating.acceptance import NOTHING_ACCEPTED
from keyaudit.model.results.findings import Outcome
from keyaudit.model.severity import Severity
from keyaudit.policy.load import load
from keyaudit.policy.settings import Judging
from tests.collect.estate import AS_OF

Outcomes = Mapping[tuple[str, str], tuple[Outcome, Severity]]
"""By policy and subject. A row to which a policy does not apply is not in it."""


def judged(snapshot: Snapshot) -> tuple[Outcomes, Sequence[Exit]]:
    """The outcome and severity of every result, and every exit code of a gate that applies."""
    with audit.judge(snapshot, load(), Judging(as_of=AS_OF), NOTHING_ACCEPTED, fail_on=Severity.HIGH) as report:
        found = {(each.policy.id, each.subject): (each.outcome, each.severity) for each in report.findings(True)}
        return found, report.verdict.conditions


def changed(before: Outcomes, after: Outcomes) -> Outcomes:
    """What one of them says and the other does not: as `after` says it, or else as `before` does."""
    return {
        each: after.get(each) or before[each] for each in before.keys() | after.keys() if before.get(each) != after.get(each)
    }
