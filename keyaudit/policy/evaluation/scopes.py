"""Scopes with incomplete lists: each policy over their rows is unknown there.

This adds one result for each policy and scope to those of the rows that were read. If several lists fill a table, as those of
applications and service principals do credentials, each counts for the policies that may apply to its rows.

Only list operations count. An operation that fills a column makes that column unknown in existing rows.
"""

from collections.abc import Iterable, Iterator, Sequence, Set

from msgspec import Struct

from keyaudit.inventory.reader import Reader
from keyaudit.model.coverage import Coverage, Scope, State
from keyaudit.model.gating.optional import MAY_LACK, MayLack
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import ADVICE, Reason
from keyaudit.model.results.findings import Finding, Outcome, UnknownGroup
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables import TABLES
from keyaudit.model.values.text import listed
from keyaudit.policy.applicability import part_may_apply
from keyaudit.policy.controls import beside
from keyaudit.policy.evaluation.binding import Bound, by_table
from keyaudit.policy.evaluation.queries import scopes_seen


class Blind(Struct, frozen=True, kw_only=True):
    """One policy that is unknown on one scope: rows may be missing there, or it lacks required evidence."""

    scope: Scope
    bound: Bound
    gaps: tuple[Coverage, ...] = ()
    """The incomplete lists."""
    needs: tuple[str, ...] = ()
    """The missing evidence; its scope is the tenant."""

    @property
    def finding(self) -> Finding:
        """The unknown finding, with the highest severity of the policy."""
        policy = self.bound.policy
        lacking = f"{listed(self.needs)} ({ADVICE[Reason.NOT_SUPPLIED].meaning})" if self.needs else ""
        return Finding(
            policy=policy.text,
            outcome=Outcome.UNKNOWN,
            severity=policy.top_severity,
            subject=self.scope.id,
            message=f"unknown: {lacking or '; '.join(_told(self.gaps))}",
            expected=self.bound.expected(None, None if self.bound.classes else 0),
            scope=self.scope,
            beside=self.beside,
            elsewhere=self.bound.elsewhere,
        )

    @property
    def beside(self) -> frozenset[tuple[str, str]]:
        """The controls that are not about its rows. Without required evidence every control of the policy is affected."""
        return frozenset() if self.needs else beside(self.bound.policy.parts, self.scope.kind)

    @property
    def group(self) -> UnknownGroup:
        """The same as a group for the gate."""
        reasons = {Reason.NOT_SUPPLIED} if self.needs else {gap.reason for gap in self.gaps if gap.reason is not None}
        return UnknownGroup(
            policy=self.bound.policy.text.id,
            severity=self.bound.policy.top_severity,
            scope_id=self.scope.id,
            causes={},
            operations=tuple(gap.operation for gap in self.gaps),
            reasons=tuple(sorted(reasons)),
            count=1,
        )


def blind_scopes(
    reader: Reader,
    bounds: Sequence[Bound],
    coverage: Iterable[Coverage],
    optional: MayLack = MAY_LACK,
) -> tuple[Blind, ...]:
    """Every policy on every such scope: by severity, then by the scope's name and id, then by policy.

    An `optional` gap does not count.
    """
    gaps: dict[Scope, dict[str, Coverage]] = {}
    whole: dict[Scope, set[str]] = {}
    for record in coverage:
        if record.state is State.ASSESSED:
            whole.setdefault(record.scope, set()).add(record.operation)
        elif record.reason is None or not optional.covers(record.operation, record.reason):
            gaps.setdefault(record.scope, {})[record.operation] = record
    found: list[Blind] = []
    unread = frozenset[str]().union(*gaps.values())
    for name, of_table in by_table(bounds).items() if gaps else ():
        table = TABLES[name]
        replaceable = not unread.isdisjoint(table.replaced_by)
        seen = {scope for (scope,) in reader.rows(scopes_seen(name))} if replaceable else set[str]()
        ended = {scope: set(_made_up_for(table, coverage_of)) for scope, coverage_of in whole.items() if scope.id in seen}
        may_apply = {
            operation: frozenset(
                bound.policy.text.id for bound in of_table if part_may_apply(bound.policy.trees.applies_to, table, operation)
            )
            for operation in table.listed_by
            if operation in unread
        }
        for scope, here in gaps.items():
            unlisted = here.keys() & may_apply.keys() - ended.get(scope, set())
            for bound in of_table:
                missing = [operation for operation in sorted(unlisted) if bound.policy.text.id in may_apply[operation]]
                if missing:
                    found.append(Blind(scope=scope, bound=bound, gaps=tuple(here[operation] for operation in missing)))
    ranks = {bound.policy.text.id: bound.policy.top_severity.rank for bound in bounds}

    def order(blind: Blind) -> tuple[int, str, str, str]:
        policy = blind.bound.policy.text.id
        return -ranks[policy], blind.scope.name, blind.scope.id, policy

    found.sort(key=order)
    return tuple(found)


def _made_up_for(table: Table, whole: Set[str]) -> Iterator[str]:
    """The lists whose rows other lists returned; `whole` were read completely."""
    for operation, others in table.replaced_by.items():
        if whole >= set(others):
            yield operation


def _told(gaps: Sequence[Coverage]) -> Iterator[str]:
    """The gaps in words, without those that follow from another gap of the scope."""
    causes = [record for record in gaps if record.reason is not Reason.PARENT_NOT_ASSESSED] or gaps
    unread = [record for record in causes if record.state is State.NOT_ASSESSED and record.reason is not Reason.INCONSISTENT]
    nouns: dict[Reason | None, list[str]] = {}
    for record in unread:
        nouns.setdefault(record.reason, []).append(OPERATIONS[record.operation].noun)
    for reason, some in nouns.items():
        yield f"{listed(some)} not read{_why(reason)}"
    for record in causes:
        if record not in unread:
            yield f"{_part(record)}{_why(record.reason)}"


def _why(reason: Reason | None) -> str:
    return f" ({ADVICE[reason].meaning})" if reason else ""


def _part(record: Coverage) -> str:
    """How much of a list was not read, if known."""
    noun = OPERATIONS[record.operation].noun
    if record.reason is Reason.INCONSISTENT:
        return f"the list of {noun} cannot be right: {record.detail}"
    if record.reason is Reason.BAD_ITEM and record.quarantined:
        verb = "was" if record.quarantined == 1 else "were"
        return f"{record.quarantined:,} of {record.received:,} {noun} {verb} not read"
    if record.refused:
        return f"{noun} were not listed in full: {record.refused:,} {'request' if record.refused == 1 else 'requests'} failed"
    return f"at least {record.kept:,} {noun} were read; the rest of the list was not"
