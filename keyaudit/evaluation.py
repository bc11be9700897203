"""One snapshot evaluated with policies, and on demand again: with every column, or some policies once more for controls."""

import contextlib
import dataclasses
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from keyaudit import gate
from keyaudit.inventory.part import Within
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.evidence import APPLY, EVERYTHING, LEFT_OUT
from keyaudit.model.gating.acceptance import Acceptance
from keyaudit.model.gating.optional import MayLack
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.overview import Overview
from keyaudit.model.results.run import First, Run, UnderProfile
from keyaudit.model.tables import TABLES
from keyaudit.policy.evaluation.binding import answered_apart, differing
from keyaudit.policy.evaluation.engine import Engine, InDuckDB
from keyaudit.policy.evaluation.judge import Judgement
from keyaudit.policy.evaluation.judge import judge as judge_policies
from keyaudit.policy.evidence import supplied
from keyaudit.policy.load import Policy
from keyaudit.policy.settings import Judging

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from keyaudit.inventory.with_sqlite import WithSQLite


@dataclasses.dataclass(kw_only=True)
class Evaluation:
    """Valid while `opened` is."""

    snapshot: Snapshot
    policies: Sequence[Policy]
    judging: Judging
    accepted: Acceptance
    shown: Mapping[str, Collection[str]] | None
    """As in `policy.judge.judge`."""
    plan_alone: bool
    """Whether the snapshot is of a plan: policies that it cannot answer are then not evaluated."""
    may_lack: MayLack
    limits: Within
    coverage: Sequence[Coverage]
    connection: "DuckDBPyConnection"
    sqlite: "WithSQLite | None"
    """What has the views instead of `connection`."""
    columns: Mapping[str, Collection[str]] | None
    """Those of the views of `connection`; None: all."""
    engine: Engine | None
    lacks_owners: bool
    """Whether the views of `connection` lack what owners are read from."""
    reach_known: bool
    opened: contextlib.ExitStack

    @functools.cached_property
    def run(self) -> Run:
        """The run of the snapshot within the limits, at the time for which it is evaluated."""
        return self.limits.run(structs.replace(self.snapshot.run, as_of=self.judging.as_of))

    @functools.cached_property
    def judgement(self) -> Judgement:
        """The results of all policies."""
        if not self._unanswered:
            return self._first
        return self._judge(self.policies, self.judging, engine=self.engine, again="answered")

    def first(self) -> list[First]:
        """The causes of the first page, in the order of choice."""
        return self._with_owners.first()

    def owned(self, passes: bool) -> Iterator[tuple[Owner, Finding]]:
        """The findings with the owners of their resources; with `passes`, every pass too."""
        return self._with_owners.owned(passes)

    def under(self, profile: str) -> UnderProfile:
        """The results of the policies that answer otherwise under another profile, for controls."""
        other = differing(self.policies, profile, self.judging)
        if not other:
            return UnderProfile(profile=profile)
        judging = structs.replace(self.judging, profile=profile, for_controls=True).of(other)
        judgement = self._judge(other, judging, again=profile)
        owned = functools.cache(
            lambda: self._judge(other, judging, again=profile, owners=True) if self.lacks_owners else judgement
        )
        verdict = gate.decide(self.run, self.coverage, judgement, self.accepted, fail_on=None, optional=self.may_lack)
        return UnderProfile(
            profile=profile,
            tallies=judgement.tallies,
            owned=lambda passes: owned().answers(passes),
            complete=verdict.complete,
        )

    def apart(self, passes: bool) -> Iterator[tuple[Owner, Finding]]:
        """The other answers of controls with a condition of their own."""
        return self._apart.apart(passes) if self._apart else iter(())

    def listing(self, name: str) -> Listing:
        """The rows of a table."""
        from keyaudit.inventory.listing import listing

        return listing(self._whole, TABLES[name], self.snapshot.run.evidence, limits=self.limits)

    def overview(self) -> Overview:
        """The overview of the inventory."""
        from keyaudit.inventory import migration
        from keyaudit.inventory.expiring import operations_read
        from keyaudit.inventory.overview import calendar, custody, widest

        connection, limits, as_of = self._whole, self.limits, self.judging.as_of
        reach, left_out = widest(connection, limits) if self.reach_known else (None, 0)
        return Overview(
            calendar=calendar(
                connection,
                as_of,
                complete=self._complete(operations_read()),
                supplied=self.snapshot.run.evidence,
                limits=limits,
            ),
            ages=self.judgement.ages(as_of),
            custody=custody(connection, limits),
            migration=migration.migration(
                connection, as_of, complete=self._complete(migration.operations_read()), limits=limits
            ),
            reach=reach,
            reach_left_out=left_out,
        )

    def _complete(self, operations: frozenset[str]) -> bool:
        verdict = gate.assess(self.run, self.snapshot.coverage, operations)
        return verdict.complete and not verdict.part

    @functools.cached_property
    def _first(self) -> Judgement:
        return self._judge(self.policies, self.judging, engine=self.engine, every=True)

    @functools.cached_property
    def _unanswered(self) -> frozenset[str]:
        """The ids of the policies that cannot be answered. A filter left out what each row needs that they apply to. Or they
        need what no plan has, for every row that they may apply to, or there are no rows.
        """
        if EVERYTHING in self.judging.require:
            return frozenset()
        if not self.plan_alone:
            return gate.left_out(self.run, self.coverage, self._first)
        first = self._first
        answered = {
            tally.policy.id
            for tally in first.tallies
            if any((tally.passed, tally.failed, tally.waived, tally.known, tally.not_applicable))
        }
        answered |= {group.policy for group in first.groups if {*group.causes.values(), *group.reasons} - {Reason.NOT_IN_PLAN}}
        return frozenset(policy.text.id for policy in self.policies) - answered

    @functools.cached_property
    def _with_owners(self) -> Judgement:
        return self._judge(self.policies, self.judging, owners=True) if self.lacks_owners else self.judgement

    @functools.cached_property
    def _apart(self) -> Judgement | None:
        some = answered_apart(self.policies, self.judgement.tallies)
        return self._judge(some, self.judging.of(some), again="apart", owners=True) if some else None

    @functools.cached_property
    def _whole(self) -> "DuckDBPyConnection":
        # Few formats need columns that no policy reads: these views are created on demand.
        if self.columns is None:
            if self.sqlite:
                self.sqlite.give(self.connection)
            return self.connection
        return self.opened.enter_context(self.snapshot.judging(self.judging.as_of, reach_known=self.reach_known))

    def _engine(self, again: str, *, whole: bool) -> Engine:
        """`whole`: for views with every column."""
        if self.sqlite and not whole:
            from keyaudit.policy.evaluation.with_sqlite import InSQLite

            return InSQLite(self.sqlite, self.judging.as_of, again)
        connection = self._whole if whole else self.connection
        return InDuckDB(connection, self.judging.as_of, self.snapshot.sizes, again, self.limits)

    def _judge(
        self,
        policies: Sequence[Policy],
        judging: Judging,
        *,
        engine: Engine | None = None,
        again: str = "",
        owners: bool = False,
        every: bool = False,
    ) -> Judgement:
        """These policies evaluated; for a further time in the same views, `again` is a name of its own. `every`: those that
        cannot be answered, too.
        """
        run = self.snapshot.run
        whole = owners and self.lacks_owners
        engine = engine or self._engine(again, whole=whole)
        return judge_policies(
            engine,
            policies,
            self.coverage,
            judging,
            self.accepted,
            supplied=supplied(run, policies, judging.require, engine.reader),
            optional=self.may_lack,
            tenant=Scope(f"/tenants/{run.tenant_id}".lower(), run.tenant_name, ScopeKind.TENANT),
            sizes=self.snapshot.sizes,
            columns=None if whole else self.columns,
            shown=self.shown,
            unanswered=() if every else self._unanswered,
            lacks=APPLY if self.plan_alone else LEFT_OUT,
        )
