"""What an audit of some sources alone comes to: it never passes over an unknown result, nor passes what fails in the whole."""

import itertools
from collections.abc import Iterator

from keyaudit.collect.surfaces import SURFACES
from keyaudit.model.errors import Exit
from keyaudit.model.results.findings import Outcome
from keyaudit.policy.load import load
from tests.sweep.audited import Audited

SOURCES = tuple(name.lower().replace(",", "").replace(" ", "-") for name in SURFACES.names)
"""Every value of --source that names one kind of objects."""
ALONE = tuple((source,) for source in SOURCES)
PAIRS = tuple(itertools.combinations(SOURCES, 2))


def violations(whole: Audited, part: Audited) -> Iterator[str]:
    """What is wrong with the audit of a part, in a line each."""
    unknown = Outcome.UNKNOWN in part.results.values()
    if unknown and Exit.INCOMPLETE not in part.conditions:
        yield "an unknown result, and the gate is complete"
    if not unknown and not part.gaps and Exit.INCOMPLETE in part.conditions:
        yield "nothing is unknown, and the gate is incomplete"
    for (policy, row), outcome in part.results.items():
        before = whole.results.get((policy, row))
        if outcome is not Outcome.UNKNOWN and before is not outcome and before is not None:
            yield f"{policy}: {before} became {outcome}: {row}"
    tables = {policy.text.id: policy.table.name for policy in load()}
    read = {(tables[policy], row) for policy, row in part.results}
    for (policy, row), before in whole.results.items():
        # A row that was not read is not there, nor are those of a policy that was not evaluated.
        evaluated = (tables[policy], row) in read and policy not in part.unanswered
        if before is Outcome.FAIL and (policy, row) not in part.results and evaluated:
            yield f"{policy}: {before} is gone: {row}"
    yield from part.bugs
