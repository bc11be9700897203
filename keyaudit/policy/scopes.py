"""Scopes that gave no row because they were not listed: each policy that would have judged their rows is unknown there.

Only listing counts. What fills a column, be it through another table, makes that column unknown in the rows there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from keyaudit.model.coverage import Coverage, Scope, State
from keyaudit.model.findings import Finding, Outcome, UnknownGroup
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.policy.bind import Bound, by_table
from keyaudit.policy.queries import scopes_seen


@dataclass(frozen=True, slots=True)
class Blind:
    """One policy on one scope that gave none of its rows. `gaps`: the listings that failed, with why."""

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
            expected=self.bound.expected(),
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
            operations=tuple(operation for operation, _ in self.gaps),
            reasons=tuple(sorted({reason for _, reason in self.gaps})),
            count=1,
        )


def blind_scopes(
    connection: duckdb.DuckDBPyConnection, bounds: Sequence[Bound], coverage: Iterable[Coverage]
) -> tuple[Blind, ...]:
    """Every policy on every such scope: the gravest first, then by the scope's name and id, then by policy."""
    gaps: dict[Scope, dict[str, Reason]] = {}
    for record in coverage:
        if record.state is not State.ASSESSED and record.reason is not None and record.reason is not Reason.EXCLUDED_BY_CONFIG:
            gaps.setdefault(record.scope, {})[record.operation] = record.reason
    found = [
        Blind(scope, bound, tuple((operation, here[operation]) for operation in sorted(needed)))
        for table, of_table in by_table(bounds).items()
        for scope, here in _without_rows(connection, table, gaps).items()
        if (needed := here.keys() & set(TABLES[table].listed_by))
        for bound in of_table
    ]
    found.sort(
        key=lambda blind: (-blind.bound.policy.gravest.rank, blind.scope.name, blind.scope.id, blind.bound.policy.text.id)
    )
    return tuple(found)


def _without_rows(
    connection: duckdb.DuckDBPyConnection, table: str, gaps: dict[Scope, dict[str, Reason]]
) -> dict[Scope, dict[str, Reason]]:
    if not gaps:
        return {}
    seen = {scope for (scope,) in connection.execute(scopes_seen(table)).fetchall()}
    return {scope: here for scope, here in gaps.items() if scope.id not in seen}
