"""Judges an inventory: every policy of a table in one pass, counted and grouped; findings are streamed when asked for."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from keyaudit.model.baseline import Baseline, Known
from keyaudit.model.coverage import Coverage
from keyaudit.model.findings import Finding, Tally, UnknownGroup
from keyaudit.model.run import NotJudged
from keyaudit.model.tables.reach import COLUMNS
from keyaudit.model.waivers import Waiver
from keyaudit.policy.bind import Bound, bind, by_table, waived
from keyaudit.policy.counts import Counts
from keyaudit.policy.definition import Policy
from keyaudit.policy.findings import stream
from keyaudit.policy.queries import Scoring, hold_baseline
from keyaudit.policy.scopes import Blind, blind_scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the policies say of one inventory. Valid while the connection it was made with is open."""

    tallies: tuple[Tally, ...]
    """One a policy, ordered by id."""
    groups: tuple[UnknownGroup, ...]
    """Every unknown result, grouped; their counts add up to those of the tallies."""
    not_judged: tuple[NotJudged, ...]
    waived: Mapping[str, int]
    """How many findings each waiver covers, by its id; only those that hold and cover findings."""
    required: frozenset[str]
    """Ids of the operations that the judged policies rest on."""
    needed_by: Mapping[str, tuple[str, ...]]
    """Operation id to the ids of the policies that rest on it."""
    _connection: duckdb.DuckDBPyConnection = field(repr=False)
    _bounds: tuple[Bound, ...] = field(repr=False)
    _blind: tuple[Blind, ...] = field(repr=False)
    _as_of: int = field(repr=False)

    def findings(self, passes: bool = False, *, scoring: Scoring = Scoring.NONE) -> Iterator[Finding]:
        """Every fail and unknown, with `passes` every pass too, anew at each call and always in the same order.

        First what is said of scopes that gave no row. Then by the thing that lives on (a key, over its versions): the one with
        the gravest finding first, then by name and id; within it the gravest finding first, then by policy and row. Rows are
        fetched in batches as they are asked for.

        In the order of scores: row by row, what may be highest first; what is not evaluated last, and then those scopes.
        """
        blind = (blind.finding for blind in self._blind)
        if scoring is not Scoring.ORDER:
            yield from blind
        yield from stream(self._connection, self._bounds, self._as_of, passes=passes, scoring=scoring)
        if scoring is Scoring.ORDER:
            yield from blind


def judge(
    connection: duckdb.DuckDBPyConnection,
    policies: Sequence[Policy],
    coverage: Iterable[Coverage],
    *,
    as_of: int,
    profile: str = "default",
    overrides: Mapping[str, Mapping[str, str]] | None = None,
    waivers: Sequence[Waiver] = (),
    baseline: Baseline | None = None,
    supplied: Collection[str] = (),
) -> Judgement:
    """Judges the views of `connection`, one for each table, by the policies.

    Raises UsageError for a profile or override that cannot be. Policies that need evidence which Azure does not hold are not
    judged unless all of it is `supplied`.
    """
    ordered = sorted(policies, key=lambda policy: policy.text.id)
    holding = [waiver for waiver in waivers if not waiver.covers_coverage and not waiver.expired(as_of)]
    missing = {policy.text.id: tuple(need for need in policy.text.needs if need not in supplied) for policy in ordered}
    judged = (bound for bound in bind(ordered, profile, overrides or {}) if not missing[bound.policy.text.id])
    bounds = _held(connection, waived(tuple(judged), holding), baseline.counting(as_of) if baseline else ())
    counts = Counts()
    for name, of_table in by_table(bounds).items():
        counts.table(connection, name, of_table, as_of)
    blind = blind_scopes(connection, bounds, coverage)
    counts.blind(blind)
    needed_by: dict[str, list[str]] = {}
    for bound in bounds:
        for operation in sorted(bound.policy.operations):
            needed_by.setdefault(operation, []).append(bound.policy.text.id)
    return Judgement(
        tallies=tuple(counts.tally(bound.policy) for bound in bounds),
        groups=counts.groups(),
        not_judged=tuple(
            NotJudged(policy=policy.text, needs=missing[policy.text.id]) for policy in ordered if missing[policy.text.id]
        ),
        waived={waiver.id: counts.covered(waiver) for waiver in holding},
        required=frozenset(needed_by),
        needed_by={operation: tuple(ids) for operation, ids in sorted(needed_by.items())},
        _connection=connection,
        _bounds=bounds,
        _blind=blind,
        _as_of=as_of,
    )


def _held(connection: duckdb.DuckDBPyConnection, bounds: tuple[Bound, ...], known: Sequence[Known]) -> tuple[Bound, ...]:
    """The policies, with what the baseline holds of them in a table for the queries."""
    if not known:
        return bounds
    columns = zip(*((entry.policy, entry.subject, entry.severity.rank) for entry in known), strict=True)
    connection.execute(hold_baseline(), [list(column) for column in columns])
    held = {entry.policy for entry in known}
    return tuple(replace(bound, in_baseline=bound.policy.text.id in held) for bound in bounds)


def reads_reach(policies: Iterable[Policy]) -> bool:
    """Whether any of them reads, or shows, a column that rests on who reaches what: only then is that to be worked out."""
    return any(not COLUMNS.isdisjoint(policy.columns_shown) for policy in policies)
