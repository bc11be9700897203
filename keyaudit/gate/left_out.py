"""The policies that nothing which was read can answer, because the user left out what they need."""

from collections.abc import Iterator, Sequence

from keyaudit.gate.causes import Causes
from keyaudit.model.coverage import Coverage
from keyaudit.model.gating.optional import MAY_LACK
from keyaudit.model.operations import with_all_before
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Tally
from keyaudit.model.results.run import Results, Run
from keyaudit.model.tables import TABLES


def left_out(run: Run, coverage: Sequence[Coverage], results: Results) -> frozenset[str]:
    """Their ids. Each row that such a policy applies to needs what a filter left out, or all such rows were left out.

    One row that was decided, or that lacks anything else, makes a policy an evaluated one.
    """
    if not any(record.reason is Reason.EXCLUDED_BY_CONFIG for record in coverage):
        return frozenset()
    ledger = Causes(run, coverage, frozenset(results.needed_by), MAY_LACK)
    out = {record.operation for record in coverage if record.reason is Reason.EXCLUDED_BY_CONFIG}
    read = {record.operation for record in coverage if record.reason is not Reason.EXCLUDED_BY_CONFIG}
    tables = {tally.policy.id: tally.policy.table for tally in results.tallies}
    unknown: dict[str, list[bool]] = {}
    for group in results.groups:
        unknown.setdefault(group.policy, []).append(ledger.left_out(group, tables[group.policy]))

    def lists(tally: Tally) -> Iterator[str]:
        return (name for name in TABLES[tally.policy.table].added_by if tally.policy.id in results.needed_by.get(name, ()))

    def unlisted(tally: Tally) -> bool:
        """Whether no list of its rows was read, because one of them was left out everywhere."""
        return read.isdisjoint(lists(tally)) and not (out - read).isdisjoint(with_all_before(*lists(tally)))

    return frozenset(
        tally.policy.id
        for tally in results.tallies
        if not _decided(tally) and (all(unknown[tally.policy.id]) if tally.policy.id in unknown else unlisted(tally))
    )


def _decided(tally: Tally) -> bool:
    return bool(tally.passed) or any(any(counts.values()) for counts in (tally.failed, tally.waived, tally.known))
