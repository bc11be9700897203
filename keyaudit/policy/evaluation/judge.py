"""Evaluates an inventory: all policies of a table in one pass, counted and grouped; findings are streamed on demand."""

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import duckdb
from msgspec.structs import replace

from keyaudit.inventory.owners import UNREAD, names_called
from keyaudit.inventory.part import EVERYTHING, Within
from keyaudit.inventory.reader import Reader
from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.gating.acceptance import NOTHING_ACCEPTED, Acceptance
from keyaudit.model.gating.baseline import Baseline, KnownUnknown
from keyaudit.model.gating.optional import MAY_LACK, MayLack
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import First, NotJudged, Results
from keyaudit.model.results.settings import InForce, PolicyInForce
from keyaudit.model.results.tier0 import LISTS, Tier0
from keyaudit.model.schema.columns import Table
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.reach import COLUMNS
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation.binding import Bound, bind, by_table, for_controls, for_run, waived
from keyaudit.policy.evaluation.causes import Grouping
from keyaudit.policy.evaluation.counts import Counts, entry_text
from keyaudit.policy.evaluation.engine import Engine, Entry, InDuckDB, is_small
from keyaudit.policy.evaluation.findings import NO_CAUSES, Shared, stream
from keyaudit.policy.evaluation.row_order import Evaluated
from keyaudit.policy.evaluation.scopes import Blind, blind_scopes
from keyaudit.policy.evaluation.settings import in_force, policies_in_force
from keyaudit.policy.evaluation.tier0 import tier0
from keyaudit.policy.evaluation.worst_findings import first_page, worst
from keyaudit.policy.settings import Judging, PolicyClass

if TYPE_CHECKING:
    from keyaudit.model.results.overview import Ages

_NOWHERE = Scope("", "", ScopeKind.TENANT)


class Judgement(Results, frozen=True, kw_only=True, dict=True):
    """The results with their findings. Valid while its connection is open."""

    settings: InForce
    policies: tuple[PolicyInForce, ...]
    """All policies, by id."""
    _reader: Reader
    _tables: tuple[Evaluated, ...]
    """The evaluated tables with rows."""
    _blind: tuple[Blind, ...]

    def findings(self, passes: bool = False) -> Iterator[Finding]:
        """Every fail and unknown, with `passes` every pass too, streamed at each call in the same order.

        First the scopes without rows. Then by resource (a key with all its versions): the one with the most severe finding
        first, then by name and id; within it the most severe finding first, then by policy and row. Rows are fetched in batches
        on demand.
        """
        return (finding for _, finding in self._in_order(passes, None, self.grouping.shared))

    def owned(self, passes: bool = False) -> Iterator[tuple[Owner, Finding]]:
        """Like `findings`, each finding with the owner of its resource. The views of `OWNERS_ASKED` must exist."""
        return self._in_order(passes, names_called(self._reader), self.grouping.shared)

    @cached_property
    def grouping(self) -> Grouping:
        """The causes of the open failures, found at the first use."""
        return Grouping(self._reader, self._tables, self.tallies)

    def answers(self, passes: bool = False) -> Iterator[tuple[Owner, Finding]]:
        """Like `owned`, with the other answers of controls with a condition of their own, and without causes."""
        found = (each for pair in self._alone() for each in (pair, *((pair[0], other) for other in pair[1].for_controls())))
        return ((owner, finding) for owner, finding in found if passes or finding.outcome is not Outcome.PASS)

    def apart(self, passes: bool = False) -> Iterator[tuple[Owner, Finding]]:
        """Those other answers alone."""
        found = ((owner, other) for owner, finding in self._alone() for other in finding.for_controls())
        return ((owner, finding) for owner, finding in found if passes or finding.outcome is not Outcome.PASS)

    def _alone(self) -> Iterator[tuple[Owner, Finding]]:
        return self._in_order(True, names_called(self._reader), NO_CAUSES)

    def _in_order(self, passes: bool, names: Mapping[str, str] | None, causes: Shared) -> Iterator[tuple[Owner, Finding]]:
        blind = ((UNREAD, blind.finding) for blind in self._blind)
        return chain(blind, stream(self._reader, self._tables, passes=passes, called=names, causes=causes))

    def first(self) -> list[First]:
        """The causes of the first page in the order of choice. The views of `OWNERS_ASKED` must exist."""
        heads = self.grouping.heads
        return first_page(self._reader, self._tables, heads, names_called(self._reader)) if heads else []

    def tier0(self) -> Tier0 | None:
        """The principals that control the tenant; None if the policy that lists them was not evaluated."""
        whole = all(blind.bound.policy.text.id != LISTS for blind in self._blind)
        return tier0(self._reader, self._tables, self.tallies, whole=whole)

    def worst(self, least: Severity, *, known: bool, most: int) -> list[Finding]:
        """The `most` worst failing findings with severity `least` or above, perhaps: by urgency, then by name and id.

        Findings in the baseline are included only if `known`.
        """
        found: Counter[Severity] = Counter()
        for tally in self.tallies:
            found.update(tally.failed)
            found.update(tally.known if known else {})
        # If there are enough findings of a higher severity, lower ones are not queried.
        levels = sorted((level for level in Severity if level.rank >= least.rank), key=lambda level: -level.rank)
        enough = (level for number, level in enumerate(levels, 1) if sum(found[each] for each in levels[:number]) >= most)
        least = next(enough, least)
        failing = {
            tally.policy.id
            for tally in self.tallies
            for counts in ((tally.failed, tally.known) if known else (tally.failed,))
            if any(level.rank >= least.rank for level in counts)
        }
        return worst(self._reader, self._tables, least=least, known=known, most=most, failing=failing)

    def ages(self, as_of: int) -> "tuple[Ages, ...]":
        """The ages at `as_of` of rows whose age a policy limits, by policy."""
        from keyaudit.policy.evaluation.ages import ages  # noqa: PLC0415 - few formats need it

        return ages(self._reader, self._tables, as_of)


def judge(
    source: duckdb.DuckDBPyConnection | Engine,
    policies: Sequence[Policy],
    coverage: Iterable[Coverage],
    judging: Judging,
    accepted: Acceptance = NOTHING_ACCEPTED,
    *,
    supplied: Collection[str] = (),
    optional: MayLack = MAY_LACK,
    tenant: Scope = _NOWHERE,
    sizes: Mapping[str, int] | None = None,
    columns: Mapping[str, Collection[str]] | None = None,
    shown: Mapping[str, Collection[str]] | None = None,
    again: str = "",
    within: Within = EVERYTHING,
    unanswered: Collection[str] = (),
    lacks: str = "",
) -> Judgement:
    """Evaluates the views of an engine, or with DuckDB those of a connection, one for each table, with the policies.

    Of a connection, `again` is the name of a further evaluation there, and `within`: only these rows are evaluated, of tables
    that may hold some.

    `sizes`: known row counts of tables, which only affect speed. `columns`: by table, the derived columns of the views; None:
    all. `shown`: if given, the rows of findings have only these columns by table and those of their messages, and findings
    neither evidence, limits nor fix.

    Raises UsageError for an invalid profile or override. Policies that need evidence are not evaluated unless all of it is
    `supplied`; if missing evidence is required, they are unknown on the `tenant`. An `optional` gap affects no policy.
    `unanswered`: ids of policies that are not evaluated either, because nothing here has what they need: `lacks`.
    """
    as_of, baseline = judging.as_of, accepted.baseline
    ordered = sorted(policies, key=lambda policy: policy.text.id)
    holding = accepted.holding(as_of, coverage=False)
    lacking = {each.policy.id: each for each in not_judged(ordered, supplied)}
    lacking |= {policy.text.id: _without(policy, (lacks,)) for policy in ordered if policy.text.id in unanswered}
    answering = for_controls if judging.for_controls else for_run
    settled = tuple(map(answering, bind(ordered, judging.profile, judging.overrides, judging.classes)))
    applying = tuple(bound for bound in settled if bound.policy.text.id not in lacking)
    engine = source if isinstance(source, Engine) else InDuckDB(source, as_of, sizes or {}, again, within)
    reader = engine.reader
    held = _held(baseline.counting_unknown(as_of) if baseline else ())
    known = _known(baseline, applying, as_of) if baseline else []
    bounds = _in_baseline(engine, waived(applying, holding), known, held)
    without = tuple(
        Blind(scope=tenant, bound=bound, needs=lacking[bound.policy.text.id].needs)
        for bound in settled
        if bound.policy.text.id in lacking and not set(judging.require).isdisjoint(lacking[bound.policy.text.id].needs)
    )
    counts = Counts(held)
    of_tables = by_table(bounds)
    relations = engine.judged(of_tables)
    for name, relation in relations.items():
        counts.table(reader, relation, of_tables[name])
    blind = (*without, *blind_scopes(reader, bounds, coverage, optional))
    counts.blind(blind)
    needed_by: dict[str, list[str]] = {}
    for bound in bounds:
        for operation in sorted(bound.operations):
            needed_by.setdefault(operation, []).append(bound.policy.text.id)
    unsupplied = {each.bound.policy.text.id: lacking[each.bound.policy.text.id] for each in without}
    tallied = sorted((*bounds, *(each.bound for each in without)), key=lambda bound: bound.policy.text.id)
    having = {name: _having(TABLES[name], of_tables[name], columns, shown) for name in relations}
    return Judgement(
        tallies=tuple(counts.tally(bound) for bound in tallied),
        groups=counts.groups(),
        ranges=counts.ranges(),
        not_judged=tuple(each for name, each in lacking.items() if name not in unsupplied),
        unsupplied=tuple(unsupplied.values()),
        settings=in_force(settled, judging, counts.classes),
        policies=policies_in_force(settled),
        waived={waiver.id: counts.covered(waiver) for waiver in holding},
        needed_by={operation: tuple(ids) for operation, ids in sorted(needed_by.items())},
        _reader=reader,
        _tables=tuple(
            Evaluated(
                relation=relation,
                table=having[name],
                bounds=of_tables[name],
                as_of=as_of,
                lacking=having[name].lacking(supplied),
                explained=shown is None,
                small=is_small((sizes or {}).get(name)),
                sql=reader.sql,
            )
            for name, relation in relations.items()
        ),
        _blind=blind,
    )


def _known(baseline: Baseline, bounds: Sequence[Bound], as_of: int) -> list[Entry]:
    """The failures of a baseline. Of a policy whose rule has changed since, the severity is not compared: what the rule of now
    said of the same facts then is not known, and another rule raises nothing.
    """
    rules = {bound.policy.text.id: bound.policy.rule for bound in bounds}
    same = {policy for policy, rule in baseline.rules.items() if rules.get(policy) == rule.rule}
    return [
        (each.policy, each.subject, (each.severity if each.policy in same else Severity.CRITICAL).rank, None)
        for each in baseline.counting(as_of)
    ]


def _in_baseline(
    engine: Engine, bounds: tuple[Bound, ...], known: Sequence[Entry], held: Mapping[tuple[str, str], str]
) -> tuple[Bound, ...]:
    """The policies, with their baseline entries in a table for the queries."""
    if not known and not held:
        return bounds
    engine.create_baseline([*known, *((policy, subject, 0, texts) for (policy, subject), texts in held.items())])
    failing, unknown = {policy for policy, *_ in known}, {policy for policy, _ in held}
    return tuple(
        replace(bound, in_baseline=bound.policy.text.id in failing, unknown_in_baseline=bound.policy.text.id in unknown)
        for bound in bounds
    )


def _held(unknown: Iterable[KnownUnknown]) -> dict[tuple[str, str], str]:
    """By policy and subject, the unknown results of a baseline, a line each."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in unknown:
        found.setdefault((each.policy, each.subject), []).append(entry_text(each.severity, each.because))
    return {key: "\n".join(texts) for key, texts in found.items()}


def not_judged(policies: Iterable[Policy], supplied: Collection[str]) -> tuple[NotJudged, ...]:
    """The policies that need evidence which is not `supplied`."""
    missing = ((policy, tuple(need for need in policy.text.needs if need not in supplied)) for policy in policies)
    return tuple(_without(policy, needs) for policy, needs in missing if needs)


def _without(policy: Policy, needs: tuple[str, ...]) -> NotJudged:
    return NotJudged(policy=policy.text, needs=needs, highest=policy.top_severity)


def columns_judged(policies: Sequence[Policy], classes: Sequence[PolicyClass]) -> dict[str, frozenset[str]]:
    """By table, the columns that the policies read or show, and those that decide classes."""
    found: dict[str, set[str]] = {}
    for policy in policies:
        own = found.setdefault(policy.table.name, set())
        own.update(policy.columns_shown, (policy.subject,))
        own.update(name for each in classes if each.is_for(policy) for name in each.columns(policy))
    return {table: frozenset(names) for table, names in found.items()}


def _having(
    table: Table,
    bounds: Sequence[Bound],
    columns: Mapping[str, Collection[str]] | None,
    shown: Mapping[str, Collection[str]] | None,
) -> Table:
    """The table with the columns of rows: its stored ones and these derived ones; of them only those that are `shown`."""
    kept = table.columns
    if columns is not None:
        kept = [column for column in kept if not column.derived or column.name in columns[table.name]]
    if shown is not None:
        named = {"id", "name", *shown[table.name], *(name for bound in bounds for name in bound.policy.columns_of_messages)}
        kept = [column for column in kept if column.name in named]
    return dataclasses.replace(table, columns=kept)


def reads_reach(policies: Iterable[Policy]) -> bool:
    """Whether any policy reads or shows a column that depends on reach, which is computed only then."""
    return any(not COLUMNS.isdisjoint(policy.columns_shown) for policy in policies)
