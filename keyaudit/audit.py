"""One audit from end to end: wiring only. Read it from top to bottom to see the way of the data."""

import contextlib
import dataclasses
import functools
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keyaudit import __version__, gate
from keyaudit.inventory.access_models import with_access_models
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.model.allowances import Allowance
from keyaudit.model.baseline import Baseline
from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.environments import EnvironmentRule
from keyaudit.model.errors import Exit
from keyaudit.model.expectations import NOTHING, Expectations
from keyaudit.model.filters import Filters
from keyaudit.model.findings import Severity
from keyaudit.model.reasons import OPTIONAL, UNSAFE, Reason
from keyaudit.model.run import Gap, Report, Run, Verdict
from keyaudit.model.tables import TABLES, operations, operations_of
from keyaudit.model.tables.places import HSMS_FOUND, VAULTS_FOUND
from keyaudit.model.tables.reach import COLUMNS as REACH_COLUMNS
from keyaudit.model.waivers import Waiver
from keyaudit.policy.evidence import optional, supplied
from keyaudit.policy.judge import Judgement, columns_judged, reads_reach
from keyaudit.policy.judge import judge as judge_policies
from keyaudit.policy.load import Policy
from keyaudit.policy.queries import Scoring
from keyaudit.policy.settings import Overrides, PolicyClass

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from keyaudit.cloud.connection import Clock, Connection
    from keyaudit.cloud.environment import Environment
    from keyaudit.cloud.network import Network
    from keyaudit.collect.evidence import Evidence
    from keyaudit.collect.run import Failure, Progress
    from keyaudit.inventory.logs import LogStore
    from keyaudit.inventory.spool import Spool
    from keyaudit.inventory.usage.baseline import Baseline as UsageBaseline
    from keyaudit.model.access import Access
    from keyaudit.model.blast_radius import BlastRadius
    from keyaudit.model.expiring import Expiring, Owner
    from keyaudit.model.findings import Finding
    from keyaudit.model.incident import Incident
    from keyaudit.model.listing import Inventory, Listing
    from keyaudit.model.overview import Overview


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where to read: a cloud, a way to sign in, and the network in between."""

    environment: "Environment"
    auth: str
    tenant: str | None
    network: "Network"
    environ: Mapping[str, str]
    share: float
    concurrency: int
    filters: Filters = dataclasses.field(default_factory=Filters)
    environment_rules: tuple[EnvironmentRule, ...] = ()
    roams: bool = False
    """It is one tenant of several, to be signed in to whichever the credential's variables name."""
    simulated: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Collected:
    """What a collection came to: the spool, still locked; bugs that cost a unit each; and how many requests it took.

    `uses`: the log store whose uses belong into the snapshot; `usual`: the baseline that does.
    """

    spool: "Spool"
    failures: "Sequence[Failure]"
    requests: int
    uses: "LogStore | None" = None
    usual: "UsageBaseline | None" = None


def connected(
    source: Source, *, clock: "Clock", prompt: Callable[[str], None]
) -> "contextlib.AbstractAsyncContextManager[Connection]":
    """A connection to where `source` says, signed in. `prompt` shows what somebody has to do to sign in."""
    # The official clients take a third of a second to import; judging a stored snapshot does without them.
    from keyaudit.cloud.connection import connect  # noqa: PLC0415

    return connect(
        environment=source.environment,
        auth=source.auth,
        tenant=source.tenant,
        network=source.network,
        environ=source.environ,
        clock=clock,
        share=source.share,
        concurrency=source.concurrency,
        roams=source.roams,
        prompt=prompt,
    )


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
) -> Collected:
    """Read everything into the spool of `folder`. `announce` is told who reads which tenant, before anything is read.

    What surely did not change since the snapshot `since` is taken from there.
    """
    from keyaudit.collect.run import collect_all  # noqa: PLC0415 - with the official clients
    from keyaudit.inventory.earlier import Earlier, continued  # noqa: PLC0415 - of a collection alone
    from keyaudit.inventory.spool import Spool, same_collection  # noqa: PLC0415

    async with connected(source, clock=clock, prompt=prompt) as connection:
        evidence.belongs_to(connection.identity.tenant_id)
        begun = _begin(source, connection, clock.now(), evidence)
        run = begun if since is None else continued(begun, since.run)
        announce(run)
        with contextlib.ExitStack() as held:
            spool = held.enter_context(Spool.resume(folder) if resume else Spool.create(folder, run))
            same_collection(spool.run, run)
            spool.now = clock.now
            earlier = held.enter_context(Earlier(since)) if since is not None else None
            failures = await collect_all(connection, spool, progress=progress, earlier=earlier, evidence=evidence)
            spool.run = dataclasses.replace(spool.run, skew=connection.skew())
            held.pop_all()
        return Collected(spool, failures, connection.requests, evidence.logs, evidence.usual)


def finish(collected: Collected) -> Snapshot:
    """The snapshot of what was collected. It takes the spool's place."""
    with collected.spool as spool:
        return write(spool, spool.run, collected.uses, collected.usual)


@contextlib.contextmanager
def judge(
    snapshot: Snapshot,
    policies: Sequence[Policy],
    *,
    as_of: int,
    profile: str,
    fail_on: Severity | None,
    allowances: Sequence[Allowance],
    waivers: Sequence[Waiver] = (),
    baseline: Baseline | None = None,
    new_only: bool = False,
    overrides: Overrides | None = None,
    classes: Sequence[PolicyClass] = (),
    require: Collection[str] = (),
    scoring: Scoring = Scoring.NONE,
    listed: bool = False,
    whole_rows: bool = True,
    expected: Expectations = NOTHING,
    since: Snapshot | None = None,
) -> Iterator[Report]:
    """The snapshot judged by policies, offline. Findings stream from the report for as long as the context lasts.

    `require` names what is otherwise optional, as `model.evidence` does. `listed`: whole rows of the report's listings are
    looked at, so that what no policy reads is worked out too. Without `whole_rows` a finding's row has, of the derived columns,
    those alone that its policies read or show. `expected` is what must be there, measured against `since`.
    """
    may_lack = optional(snapshot.run, require)
    tenant = Scope(f"/tenants/{snapshot.run.tenant_id}".lower(), snapshot.run.tenant_name, ScopeKind.TENANT)
    reach_known = listed or scoring is not Scoring.NONE or reads_reach(policies)
    often = {policy.table.name for policy in policies}
    # What is not planned for costs nothing: planning is most of the work on a small tenant.
    narrow = not (whole_rows or listed) and scoring is Scoring.NONE
    names = tuple(often) if narrow else tuple(TABLES)
    columns = columns_judged(policies, classes) if narrow else None
    with contextlib.ExitStack() as opened:
        connection = opened.enter_context(
            snapshot.judging(as_of, reach_known=reach_known, often=often, names=names, columns=columns)
        )

        @functools.cache
        def whole() -> "DuckDBPyConnection":
            # Few formats look at what no policy reads: its views are made on demand.
            if not narrow:
                return connection
            return opened.enter_context(snapshot.judging(as_of, reach_known=reach_known))

        judgement = judge_policies(
            connection,
            policies,
            snapshot.coverage,
            as_of=as_of,
            profile=profile,
            waivers=waivers,
            baseline=baseline,
            supplied=supplied(snapshot.run, policies, connection),
            overrides=overrides,
            classes=classes,
            require=require,
            optional=may_lack,
            tenant=tenant,
            sizes=snapshot.sizes,
            scoring=scoring,
            columns=columns,
        )
        run = dataclasses.replace(snapshot.run, as_of=as_of)
        verdict = gate.decide(
            run=run,
            coverage=snapshot.coverage,
            tallies=judgement.tallies,
            groups=judgement.groups,
            not_judged=judgement.not_judged,
            required=judgement.required,
            needed_by=judgement.needed_by,
            fail_on=fail_on,
            allowances=allowances,
            waivers=waivers,
            waived=judgement.waived,
            baseline=baseline,
            new_only=new_only,
            unsupplied=judgement.unsupplied,
            optional=may_lack,
            unmet=_unmet(snapshot, expected, since) if expected else None,
        )
        yield Report(
            run=run,
            verdict=with_access_models(verdict, snapshot),
            tallies=judgement.tallies,
            findings=judgement.findings,
            by_score=scoring is Scoring.ORDER,
            settings=judgement.settings,
            policies=judgement.policies,
            worst=lambda most: judgement.worst(fail_on, known=not new_only, most=most) if fail_on else (),
            listing=lambda name: _listing(whole(), name, snapshot.run.evidence),
            owned=lambda passes: _owned(whole(), judgement.findings(passes)),
            overview=lambda: _overview(snapshot, whole(), judgement, as_of, reach_known=reach_known),
        )


def assess(
    run: Run,
    coverage: Sequence[Coverage],
    required: frozenset[str],
    *,
    needed_by: Mapping[str, tuple[str, ...]] | None = None,
    unknown: Collection[Reason] = (),
    unmet: Sequence[Gap] | None = None,
) -> Verdict:
    """The verdict of a run that judges nothing: whether everything required was read. `unknown`: why values of it were not."""
    verdict = gate.decide(
        run=run,
        coverage=coverage,
        tallies=(),
        groups=(),
        not_judged=(),
        required=required,
        needed_by=needed_by or {},
        fail_on=None,
        allowances=(),
        unmet=unmet,
    )
    # What nobody asked for is no gap of this reading.
    gaps = tuple(gap for gap in verdict.gaps if gap.required or gap.reason in UNSAFE or required.intersection(gap.operations))
    held = set(verdict.conditions)
    if gate.shows_access(coverage) and (verdict.required or not required):
        # The identity has access: that it found none of this is an answer. That nobody was to look for it is none.
        held -= {Exit.NO_ACCESS, Exit.UNAVAILABLE}
    # What nobody can read is said, and asks nobody for anything.
    if not set(unknown) <= OPTIONAL | {Reason.NOT_SUPPLIED}:
        held.add(Exit.INCOMPLETE)
    return gate.settled(dataclasses.replace(verdict, gaps=gaps), held)


@contextlib.contextmanager
def inventory(snapshot: Snapshot, tables: Sequence[str], *, as_of: int) -> Iterator["Inventory"]:
    """Those tables of the snapshot, unjudged. Rows stream from the listings for as long as the context lasts."""
    from keyaudit.model.listing import Inventory  # noqa: PLC0415 - of this question alone

    reach_known = any(not REACH_COLUMNS.isdisjoint(TABLES[name].by_name) for name in tables)
    with snapshot.judging(as_of, reach_known=reach_known, names=tables) as connection:
        listings = tuple(_listing(connection, name, snapshot.run.evidence) for name in tables)
        unknown = {each.reason for table in listings for each in table.unknown}
        verdict = assess(snapshot.run, snapshot.coverage, operations(*tables), unknown=unknown)
        verdict = with_access_models(verdict, snapshot)
        yield Inventory(dataclasses.replace(snapshot.run, as_of=as_of), verdict, listings)


def access(snapshot: Snapshot, asked: str, *, as_of: int) -> "Access":
    """Who can use what `asked` names, or what that can use. Raises UsageError where it names nothing, or several things."""
    from keyaudit.inventory.access import (  # noqa: PLC0415 - of this question alone
        BESIDE,
        BESIDE_ELIGIBLE,
        TABLES_ASKED,
        described,
        reached_by,
        who_reaches,
    )
    from keyaudit.inventory.finding import target  # noqa: PLC0415
    from keyaudit.inventory.views.reach import LOCAL_LISTED  # noqa: PLC0415
    from keyaudit.model.access import Access  # noqa: PLC0415
    from keyaudit.model.tables.reach import OPERATIONS as REACH_OPERATIONS  # noqa: PLC0415
    from keyaudit.model.tables.reach import WIDENING  # noqa: PLC0415

    with snapshot.judging(as_of, names=TABLES_ASKED) as connection:
        meant = target(connection, asked)
        by_principal = meant.noun == "principal"
        found = reached_by(connection, meant) if by_principal else who_reaches(connection, meant)
        note = described(connection, meant)
    of_hsms = (*HSMS_FOUND, *LOCAL_LISTED) if by_principal or note == "hsm-local" else ()
    beside = (*BESIDE, *operations_of("grant", "name")) if by_principal else ()
    # The way is asked for too, and a group is in another only as far as the way between them was read.
    required = frozenset((*REACH_OPERATIONS, "group.direct_members", *VAULTS_FOUND, *of_hsms, *beside))
    widening = {*WIDENING, *(BESIDE_ELIGIBLE if by_principal else ())}
    # Of a vault, what was not read elsewhere says nothing.
    places = {meant.vault_id, "/".join(meant.vault_id.split("/")[:3])}
    here = [
        record
        for record in snapshot.coverage
        if by_principal
        or (
            record.operation in required.union(widening)
            and (record.scope.kind is ScopeKind.TENANT or record.scope.id in places)
        )
    ]
    run = snapshot.run if by_principal else dataclasses.replace(snapshot.run, rows={**snapshot.run.rows, "vault": 1})
    return Access(
        run=dataclasses.replace(snapshot.run, as_of=as_of),
        verdict=assess(run, here, required, unknown=found.reasons),
        noun=meant.noun,
        id=meant.id,
        name=meant.name,
        note=note,
        reaches=found.reaches,
        open=found.open,
        others=found.others,
        inert=found.inert,
        unlisted=[record for record in here if record.operation in widening and record.reason is not None],
    )


def blast_radius(snapshot: Snapshot, asked: str, *, as_of: int, verify: bool, since: Snapshot | None = None) -> "BlastRadius":
    """What trusts the key that `asked` names and what its holder reaches; to `verify`, only the former.

    What the snapshot does not have is what it was in the earlier one, `since`. Raises UsageError where `asked` names nothing,
    or several things.
    """
    from keyaudit.inventory.blast.reading import known, read  # noqa: PLC0415 - of this question alone

    earlier = known(since, asked) if since is not None else None
    with snapshot.judging(as_of, reach_known=not verify) as connection:
        found = read(connection, asked, as_of=as_of, verify=verify, earlier=earlier)
    run, coverage = found.places(snapshot.run, snapshot.coverage)
    radius = found.radius(dataclasses.replace(snapshot.run, as_of=as_of), assess(run, coverage, found.required))
    return dataclasses.replace(radius, verdict=gate.settled(radius.verdict, {*radius.verdict.conditions, *radius.held}))


def incident(
    snapshot: Snapshot,
    asked: str,
    *,
    as_of: int,
    logs: "LogStore | None",
    usual: "UsageBaseline | None",
    since: int | None,
) -> "Incident":
    """What happened with the key that `asked` names, and what trusts it. Raises UsageError where it names nothing, or several.

    `since`: the start of the first day of the logs to look at; None: the day after the last that `usual` was learned from, or
    without one, that of the logs.
    """
    from keyaudit.inventory.blast.reading import read  # noqa: PLC0415 - of this question alone
    from keyaudit.inventory.incident import logs as logged  # noqa: PLC0415
    from keyaudit.inventory.incident import subject as known  # noqa: PLC0415
    from keyaudit.inventory.usage.learn import window_of  # noqa: PLC0415
    from keyaudit.model.incident import Incident  # noqa: PLC0415

    with snapshot.judging(as_of) as connection:
        found = read(connection, asked, as_of=as_of, verify=False)
        about, stolen = known.about(connection, found.subject), known.stolen(connection, found.subject)
        keys = known.facts(connection, about)
        seen = None
        if logs is not None:
            with logs.connect() as uses:
                first = usual.until if since is None and usual is not None else since
                seen = logged.observed(uses, about, window_of(uses, first, None), usual, logs.tenant_id)
            acts = (*seen.uses, *seen.timeline)
            ids = {each for act in acts for each in (act.actor.app_id, act.actor.principal_id, act.caller) if each}
            seen = logged.named(seen, known.names(connection, ids))
    run, coverage = found.places(snapshot.run, snapshot.coverage)
    radius = found.radius(dataclasses.replace(snapshot.run, as_of=as_of), assess(run, coverage, found.required))
    made = Incident(radius=radius, stolen=stolen, keys=keys, observed=seen, extractable=known.extractable(keys, stolen))
    verdict = gate.settled(radius.verdict, {*radius.verdict.conditions, *radius.held, *made.held})
    return dataclasses.replace(made, radius=dataclasses.replace(radius, verdict=verdict))


@contextlib.contextmanager
def expiring(snapshot: Snapshot, *, as_of: int, within: int) -> Iterator["Expiring"]:
    """What of the snapshot ends within so many seconds. It streams for as long as the context lasts."""
    from keyaudit.inventory.expiring import TABLES_THAT_END, endings, prepare  # noqa: PLC0415 - of this question alone
    from keyaudit.inventory.owners import OWNERS_ASKED  # noqa: PLC0415
    from keyaudit.model.expiring import Expiring  # noqa: PLC0415

    run = dataclasses.replace(snapshot.run, as_of=as_of)
    often = [table.name for table in TABLES_THAT_END]
    with snapshot.judging(as_of, reach_known=False, often=often, names={*often, *OWNERS_ASKED}) as connection:
        found = prepare(connection, as_of, as_of + within)
        yield Expiring(
            run=run,
            verdict=assess(snapshot.run, snapshot.coverage, _ends_rest_on(), unknown=found.reasons),
            before=as_of + within,
            overdue=found.overdue,
            soon=found.soon,
            unknown=found.unknown,
            retired=found.retired,
            looked={table.name: run.rows.get(table.name, 0) for table in TABLES_THAT_END},
            endings=lambda: endings(connection, run.evidence),
        )


def _overview(
    snapshot: Snapshot,
    connection: "DuckDBPyConnection",
    judgement: Judgement,
    as_of: int,
    *,
    reach_known: bool,
) -> "Overview":
    from keyaudit.inventory.overview import calendar, custody, widest  # noqa: PLC0415 - few formats show it
    from keyaudit.model.overview import Overview  # noqa: PLC0415

    reach, left_out = widest(connection) if reach_known else (None, 0)
    return Overview(
        calendar=calendar(
            connection,
            as_of,
            complete=assess(snapshot.run, snapshot.coverage, _ends_rest_on()).complete,
            supplied=snapshot.run.evidence,
        ),
        ages=judgement.ages(as_of),
        custody=custody(connection),
        reach=reach,
        reach_left_out=left_out,
    )


def _unmet(snapshot: Snapshot, expected: Expectations, since: Snapshot | None) -> Sequence[Gap]:
    """What of the expectations the snapshot does not meet."""
    from keyaudit.inventory.expected import unmet  # noqa: PLC0415 - few configure any

    return unmet(snapshot, expected, since)


def _listing(connection: "DuckDBPyConnection", name: str, supplied: Collection[str]) -> "Listing":
    from keyaudit.inventory.listing import listing  # noqa: PLC0415 - few formats list rows

    return listing(connection, TABLES[name], supplied)


def _owned(connection: "DuckDBPyConnection", findings: "Iterator[Finding]") -> "Iterator[tuple[Owner, Finding]]":
    from keyaudit.inventory.owners import owned  # noqa: PLC0415 - few formats say owners

    return owned(connection, findings)


def _ends_rest_on() -> frozenset[str]:
    """The operations that say when things end, and who owns them."""
    from keyaudit.inventory.expiring import TABLES_THAT_END, columns_read  # noqa: PLC0415 - few ask

    found = {operation for column in columns_read() for operation in operations_of(*column)}
    return frozenset(found.union(*(table.listed_by for table in TABLES_THAT_END)))


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
