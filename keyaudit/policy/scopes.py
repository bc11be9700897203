"""Scopes that gave no row because they were not listed: each policy that would have judged their rows is unknown there.

Where several listings share out a table, as those of applications and service principals do credentials, each counts for the
policies that may apply to a row of its part.

Only listing counts. What fills a column, be it through another table, makes that column unknown in the rows there are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from keyaudit.model.coverage import Coverage, Scope, State
from keyaudit.model.findings import Finding, Outcome, UnknownGroup
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.tables import TABLES
from keyaudit.policy.applicability import part_may_apply
from keyaudit.policy.bind import Bound, by_table
from keyaudit.policy.controls import beside
from keyaudit.policy.queries import scopes_seen


@dataclass(frozen=True, slots=True)
class Blind:
    """One policy on one scope that gave none of the rows of a listing. `gaps`: the listings that failed, with why."""

    scope: Scope
    bound: Bound
    gaps: tuple[tuple[str, Reason], ...]

    @property
    def finding(self) -> Finding:
        """The unknown finding, as grave as the policy can be."""
        policy = self.bound.policy
        causes = ", ".join(f"{OPERATIONS[operation].noun} ({reason})" for operation, reason in self.gaps)
        return Finding(
            policy=policy.text,
            outcome=Outcome.UNKNOWN,
            severity=policy.gravest,
            subject=self.scope.id,
            message=f"cannot tell: not read, {causes}",
            expected=self.bound.expected(None, None if self.bound.classes else 0),
            scope=self.scope,
            beside=self.beside,
        )

    @property
    def beside(self) -> frozenset[tuple[str, str]]:
        """The controls that are about none of its rows."""
        return beside(self.bound.policy.parts, self.scope.kind)

    @property
    def group(self) -> UnknownGroup:
        """The same for a gate."""
        return UnknownGroup(
            policy=self.bound.policy.text.id,
            severity=self.bound.policy.gravest,
            scope_id=self.scope.id,
            causes={},
            operations=tuple(operation for operation, _ in self.gaps),
            reasons=tuple(sorted({reason for _, reason in self.gaps})),
            count=1,
        )


@dataclass(frozen=True, slots=True)
class Unsupplied:
    """A policy that needs evidence which Azure does not hold, which was required, and which nobody supplied."""

    scope: Scope
    """The tenant."""
    bound: Bound
    needs: tuple[str, ...]
    """What is missing."""
    beside: frozenset[tuple[str, str]] = frozenset()
    """None: every control that the policy maps to is in doubt."""

    @property
    def finding(self) -> Finding:
        """The unknown finding, as grave as the policy can be."""
        policy = self.bound.policy
        return Finding(
            policy=policy.text,
            outcome=Outcome.UNKNOWN,
            severity=policy.gravest,
            subject=self.scope.id,
            message=f"cannot tell: {', '.join(self.needs)} ({Reason.NOT_SUPPLIED})",
            expected=self.bound.expected(None, None if self.bound.classes else 0),
            scope=self.scope,
        )

    @property
    def group(self) -> UnknownGroup:
        """The same for a gate."""
        return UnknownGroup(
            policy=self.bound.policy.text.id,
            severity=self.bound.policy.gravest,
            scope_id=self.scope.id,
            causes={},
            reasons=(Reason.NOT_SUPPLIED,),
            count=1,
        )


def blind_scopes(
    connection: duckdb.DuckDBPyConnection,
    bounds: Sequence[Bound],
    coverage: Iterable[Coverage],
    optional: frozenset[Reason] = OPTIONAL,
) -> tuple[Blind, ...]:
    """Every policy on every such scope: the gravest first, then by the scope's name and id, then by policy.

    A gap for an `optional` reason makes no scope blind.
    """
    gaps: dict[Scope, dict[str, Coverage]] = {}
    for record in coverage:
        if record.state is not State.ASSESSED and record.reason not in optional:
            gaps.setdefault(record.scope, {})[record.operation] = record
    unread = {operation for here in gaps.values() for operation, record in here.items() if record.state is State.NOT_ASSESSED}
    found: list[Blind] = []
    for name, of_table in by_table(bounds).items() if gaps else ():
        table = TABLES[name]
        seen = {scope for (scope,) in connection.execute(scopes_seen(name)).fetchall()}
        parts = {
            operation: frozenset(
                bound.policy.text.id for bound in of_table if part_may_apply(bound.policy.trees.applies_to, table, operation)
            )
            for operation in table.parts
            if operation in unread
        }
        for scope, here in gaps.items():
            unlisted = [here[operation] for operation in sorted(here.keys() & set(table.listed_by))]
            for bound in of_table:
                missing = [each for each in unlisted if _gave_none(each, bound, parts, seen=scope.id in seen)]
                if missing:
                    causes = tuple((each.operation, each.reason) for each in missing if each.reason is not None)
                    found.append(Blind(scope, bound, causes))
    found.sort(
        key=lambda blind: (-blind.bound.policy.gravest.rank, blind.scope.name, blind.scope.id, blind.bound.policy.text.id)
    )
    return tuple(found)


def _gave_none(record: Coverage, bound: Bound, parts: Mapping[str, frozenset[str]], *, seen: bool) -> bool:
    """No row of a part of the table came, or none at all from a scope not `seen`, and the policy might apply to one."""
    if record.state is State.NOT_ASSESSED and record.operation in parts:
        return bound.policy.text.id in parts[record.operation]
    return not seen
