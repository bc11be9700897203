"""One audit from end to end: wiring only. Read it from top to bottom to follow the data."""

import contextlib
import functools
import math
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field, structs

from keyaudit import __version__, gate
from keyaudit.cloud.identity.sign_in import SignIn
from keyaudit.evaluation import Evaluation
from keyaudit.gate.access_models import with_access_models
from keyaudit.inventory.part import bounded
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.model.gating.acceptance import NOTHING_ACCEPTED, Acceptance
from keyaudit.model.results.findings import UnknownGroup
from keyaudit.model.results.run import Gap, Report, Run
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.model.scope.filters import Filters
from keyaudit.model.scope.part import WHOLE, Part
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.policy.evaluation.judge import columns_judged, reads_reach
from keyaudit.policy.evaluation.settings import catalogue as every_policy
from keyaudit.policy.evidence import optional
from keyaudit.policy.load import Policy
from keyaudit.policy.settings import Judging

if TYPE_CHECKING:
    from keyaudit.cloud.connection import Clock, Connection
    from keyaudit.cloud.gateway import Observe
    from keyaudit.collect.evidence import Evidence
    from keyaudit.collect.focus import Focus
    from keyaudit.collect.run import Failure, Progress
    from keyaudit.inventory.logs import LogStore
    from keyaudit.inventory.spool import Spool
    from keyaudit.inventory.usage.baseline import Baseline as UsageBaseline


class Source(SignIn, frozen=True, kw_only=True):
    """The source of a run: a sign-in, and what to read."""

    filters: Filters = field(default_factory=Filters)
    environment_rules: tuple[EnvironmentRule, ...] = ()
    simulated: bool = False


class Detail(Struct, frozen=True, kw_only=True):
    """The needs of a report's formats."""

    listed: bool = False
    """Whether listings need whole rows, including columns that no policy reads."""
    whole_rows: bool = True
    """Otherwise a finding's row has only the derived columns that its policies read or show, and those of `shown`."""
    shown: Mapping[str, Collection[str]] | None = None
    """For lines for people: by table, the columns that they read besides those of messages."""
    explained: bool = True
    """Otherwise findings have no evidence, limits and fix, and their rows only the columns of `shown` and of their messages."""


PLAIN = Detail()


class Collected(Struct, frozen=True):
    """The result of a collection: the spool, still locked; failed units; and the number of requests.

    `uses`: the log store for the snapshot; `usual`: the baseline for it.
    """

    spool: "Spool"
    failures: "Sequence[Failure]"
    requests: int
    uses: "LogStore | None" = None
    usual: "UsageBaseline | None" = None


def connected(
    source: Source, *, clock: "Clock", prompt: Callable[[str], None]
) -> "contextlib.AbstractAsyncContextManager[Connection]":
    """A signed-in connection to `source`, as `cloud.connection.connect` says."""
    # The official clients take a third of a second to import, and evaluating a stored snapshot does not need them.
    from keyaudit.cloud.connection import connect

    return connect(source, clock=clock, prompt=prompt)


async def collect(
    source: Source,
    folder: Path,
    *,
    resume: bool,
    since: Snapshot | None = None,
    clock: "Clock",
    progress: "Progress",
    prompt: Callable[[str], None],
    announce: Callable[[Run], None],
    evidence: "Evidence",
    observe: "Observe | None" = None,
    focus: "Focus | None" = None,
    reread: int | None = None,
    budget: float = math.inf,
) -> Collected:
    """Read everything into the spool of `folder`. `announce` receives identity and tenant before anything is read.

    Objects that certainly have not changed since the snapshot `since` are copied from it. `observe` receives every answer after
    the sign-in. `focus`: the needs of the only page that it is for. `reread`: the age in seconds from which certificates of
    applications are not copied; None: the usual one. `budget`: as in `collect_all`.
    """
    from keyaudit.collect.entra.public_keys import copies
    from keyaudit.collect.run import collect_all
    from keyaudit.inventory.collection_state import same_collection
    from keyaudit.inventory.earlier_snapshot import REREAD, Earlier, continued
    from keyaudit.inventory.spool import Spool

    async with connected(source, clock=clock, prompt=prompt) as connection:
        connection.gateway.observe = observe
        evidence.belongs_to(connection.identity.tenant_id)
        begun = _begin(source, connection, clock.now(), evidence)
        run = begun if since is None else continued(begun, since.run)
        announce(run)
        with contextlib.ExitStack() as held:
            spool = held.enter_context(Spool.resume(folder) if resume else Spool.create(folder, run))
            same_collection(spool.run, run)
            spool.now = clock.now
            earlier = held.enter_context(Earlier(since, REREAD if reread is None else reread)) if since is not None else None
            failures = await collect_all(
                connection, spool, progress=progress, earlier=earlier, evidence=evidence, focus=focus, budget=budget
            )
            spool.run = structs.replace(spool.run, skew=connection.skew(), copied=copies(spool))
            held.pop_all()
        return Collected(spool, failures, connection.requests, evidence.logs, evidence.usual)


def finish(collected: Collected) -> Snapshot:
    """The snapshot of the collection, which replaces the spool."""
    with collected.spool as spool:
        return write(spool, spool.run, collected.uses, collected.usual)


@contextlib.contextmanager
def judge(
    snapshot: Snapshot,
    policies: Sequence[Policy],
    judging: Judging,
    accepted: Acceptance = NOTHING_ACCEPTED,
    *,
    fail_on: Severity | None = None,
    detail: Detail = PLAIN,
    unmet: Sequence[Gap] | None = None,
    master: str | None = None,
    catalogue: Sequence[Policy] | None = None,
    part: Part = WHOLE,
    plan_alone: bool = False,
    before: Sequence[UnknownGroup] | None = None,
) -> Iterator[Report]:
    """The snapshot evaluated with policies, offline. Findings are streamed while the context is open.

    `catalogue`: every policy, selected or not; None: there are no others.
    `master`: of Spark, which then evaluates it; its errors are those of `inventory.spark.session`.
    `fail_on`, `unmet`: as in `gate.decide`.
    `part`: only rows within, and what may lie within and was not read. Raises UsageError if nothing lies within.
    `plan_alone`: the snapshot is of a plan, and policies that it cannot answer are not evaluated. `before`: as in
    `gate.decide`.
    """
    reach_known = detail.listed or reads_reach(policies)
    often = {policy.table.name for policy in policies}
    # Only needed views are created, because planning is most of the work on a small tenant.
    narrow = not (detail.whole_rows or detail.listed or master or part)
    columns = _columns(policies, judging, detail) if narrow else None
    names = TABLES if columns is None else columns
    with contextlib.ExitStack() as opened:
        engine, sqlite = None, None
        views: dict[str, Any] = {"reach_known": reach_known, "often": often, "names": names, "columns": columns}
        if part:
            connection = opened.enter_context(snapshot.judging(judging.as_of, **views))
        elif master is None:
            together = Counter(policy.table.name for policy in policies).values()
            connection, sqlite = opened.enter_context(
                snapshot.evaluating(judging.as_of, len(accepted.waivers), *together, **views)
            )
        else:
            from keyaudit.inventory.with_spark import judging_with_spark
            from keyaudit.policy.evaluation.with_spark import InSpark

            connection, spark = opened.enter_context(
                judging_with_spark(snapshot, judging.as_of, master, reach_known=reach_known)
            )
            engine = InSpark(spark, judging.as_of)
        limits = bounded(connection, part, snapshot.run)
        evaluation = Evaluation(
            snapshot=snapshot,
            policies=[policy for policy in policies if limits.may_hold(policy.table)],
            judging=judging,
            accepted=accepted,
            shown=None if detail.explained else detail.shown,
            plan_alone=plan_alone,
            may_lack=optional(snapshot.run, judging.require),
            limits=limits,
            coverage=limits.coverage(snapshot.coverage),
            connection=connection,
            sqlite=sqlite,
            columns=columns,
            engine=engine,
            lacks_owners=narrow and not detail.shown,
            reach_known=reach_known,
            opened=opened,
        )
        judgement, run = evaluation.judgement, evaluation.run
        verdict = gate.decide(
            run,
            evaluation.coverage,
            judgement,
            accepted,
            fail_on=fail_on,
            optional=evaluation.may_lack,
            unmet=unmet,
            before=before,
        )
        yield Report(
            run=run,
            verdict=with_access_models(verdict, snapshot),
            tallies=judgement.tallies,
            groups=judgement.groups,
            findings=judgement.findings,
            causes=lambda: judgement.grouping.causes,
            first=functools.cache(evaluation.first),
            tier0=functools.cache(judgement.tier0),
            settings=judgement.settings,
            policies=judgement.policies,
            catalogue=lambda: every_policy(policies if catalogue is None else catalogue),
            under=functools.cache(evaluation.under),
            apart=evaluation.apart,
            worst=lambda most: judgement.worst(fail_on, known=not accepted.new_only, most=most) if fail_on else (),
            listing=evaluation.listing,
            owned=evaluation.owned,
            overview=evaluation.overview,
        )


def _columns(policies: Sequence[Policy], judging: Judging, detail: Detail) -> dict[str, frozenset[str]]:
    """By table, the derived columns that are read. A table that nothing reads is left out."""
    found = columns_judged(policies, judging.classes)
    if detail.shown:
        from keyaudit.inventory.owners import OWNERS_ASKED

        found = {table: found.get(table, frozenset()).union(detail.shown[table]) for table in {*found, *OWNERS_ASKED}}
    return found


def _begin(source: Source, connection: "Connection", now: int, evidence: "Evidence") -> Run:
    return Run(
        run_id=str(uuid.uuid4()),
        tenant_id=connection.identity.tenant_id,
        tenant_name="",
        environment=source.environment.name,
        identity=connection.identity.shown,
        as_of=now,
        tool_version=__version__,
        filters=source.filters,
        environment_rules=source.environment_rules,
        simulated=source.simulated,
        network={} if source.simulated else source.network.shown(),
        evidence=evidence.digests,
    )
