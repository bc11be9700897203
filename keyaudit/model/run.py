"""What a report says of the run it rests on, and what the run came to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from keyaudit.model.baseline import Baseline
from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.environments import EnvironmentRule
from keyaudit.model.errors import PRECEDENCE, Exit
from keyaudit.model.expiring import Ending, Owner
from keyaudit.model.filters import Filters
from keyaudit.model.findings import Finding, PolicyText, Severity, Tally
from keyaudit.model.listing import Listing
from keyaudit.model.overview import Overview
from keyaudit.model.reasons import Reason
from keyaudit.model.settings import InForce, PolicyInForce
from keyaudit.model.waivers import Use

MAX_SKEW = 300
"""Seconds between this machine's clock and the services' above which ages cannot be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One collection: who read which tenant, when, from where. Made by `collect`, kept in the snapshot."""

    run_id: str
    tenant_id: str
    tenant_name: str
    environment: str
    identity: str
    """Who read, and how it signed in: "alice@contoso.example (Azure CLI)"."""
    as_of: int
    """Seconds since 1970 UTC; every age and deadline counts from here."""
    tool_version: str
    simulated: bool = False
    skew: int | None = None
    """Median of this clock minus the services' `Date` headers, in seconds; None where no answer had one."""
    network: Mapping[str, str] = field(default_factory=dict)
    """Proxy and CA file in use, if any."""
    filters: Filters = field(default_factory=Filters)
    """What the collection was confined to; what that left out is in the coverage, as excluded_by_config."""
    environment_rules: tuple[EnvironmentRule, ...] = ()
    """Which environment vaults and subscriptions belong to, where no tag says so."""
    evidence: Mapping[str, str] = field(default_factory=dict)
    """What was supplied that Azure does not hold: its name in `model.evidence` to the SHA-256 of the file."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Rows by table."""
    since: str = ""
    """The run whose snapshot what surely did not change was taken from; empty where everything was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that was not read: one scope and reason, with every operation that it cost."""

    scope: Scope
    reason: Reason
    operations: tuple[str, ...]
    detail: str = ""
    refused: int = 0
    required: bool = True
    """A selected policy needs it; other gaps are listed and do not gate."""
    allowed: bool = False
    """Accepted with --allow-gap, or by a waiver that covers coverage."""
    blinds: tuple[str, ...] = ()
    """Ids of the selected policies that needed it."""
    access_model: str = ""
    """Of a vault, its `access_model`, which says how access is granted there; empty where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotJudged:
    """A policy that needs what Azure does not hold and nobody supplied: no finding, and never a pass."""

    policy: PolicyText
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the run came to. `conditions` holds every exit code that held; `exit` is the first of them by precedence."""

    exit: Exit
    conditions: tuple[Exit, ...]
    gate: Severity | None
    """The severity from which open findings fail; None for a report, which does not decide."""
    failed: Mapping[Severity, int]
    unknown: Mapping[Severity, int]
    passed: int
    not_applicable: int
    gaps: tuple[Gap, ...]
    not_judged: tuple[NotJudged, ...] = ()
    waived: Mapping[Severity, int] = field(default_factory=dict)
    """Failures that a waiver covers; not in `failed`."""
    known: Mapping[Severity, int] = field(default_factory=dict)
    """Failures that the baseline holds; not in `failed`."""
    baseline: Baseline | None = None
    new_only: bool = False
    """What the baseline holds does not count against the run."""
    allowed_unknown: int = 0
    """Unknown results accepted in the same way."""
    unused_allowances: tuple[str, ...] = ()
    """What was given with --allow-gap and matched nothing that this run missed."""
    waivers: tuple[Use, ...] = ()
    """Every waiver that was given, with what it covered."""
    coverage: tuple[Coverage, ...] = ()
    expected: bool = False
    """The reader said what must be there; else the run is complete only as far as the identity can see."""
    required: int = 0
    """Coverage records that the selected policies need."""
    assessed: int = 0
    """Those of them that were assessed."""

    @property
    def complete(self) -> bool:
        """Everything required was read, or its absence allowed, and no required result is unknown."""
        return Exit.INCOMPLETE not in self.conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What an earlier snapshot of the tenant came to by the same policies, as of its own day."""

    run_id: str
    as_of: int
    open: Mapping[Severity, int]
    """Failures, those that a baseline holds included."""
    unknown: int
    complete: bool

    @classmethod
    def of(cls, run: Run, verdict: Verdict) -> "Past":
        """What a report will once have been."""
        counted = {each: verdict.failed.get(each, 0) + verdict.known.get(each, 0) for each in Severity}
        return cls(
            run_id=run.run_id,
            as_of=run.as_of,
            open=counted,
            unknown=sum(verdict.unknown.values()),
            complete=verdict.complete,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a format needs. `findings(passes)` streams anew each time, in order, with passes too if asked."""

    run: Run
    verdict: Verdict
    tallies: tuple[Tally, ...]
    findings: Callable[[bool], Iterator[Finding]]
    by_score: bool = False
    """They come in the order of their scores."""
    listing: Callable[[str], Listing]
    """A table of what was judged, by its name: the inventory beside the findings."""
    owned: Callable[[bool], Iterator[tuple[Owner, Finding]]]
    """The same as `findings`, each with who owns what it is about."""
    settings: InForce = field(default_factory=InForce)
    """What was settled for it: profile, limits, classes."""
    overview: Callable[[], Overview]
    """The inventory at a glance. It is worked out when it is asked for, anew each time."""
    policies: tuple[PolicyInForce, ...] = ()
    """Every policy that was chosen for it, by id, with those that were not judged."""
    worst: Callable[[int], Sequence[Finding]] = lambda _: ()
    """So many of the findings that make the gate fail, the worst first, found without looking at all the others."""
    history: tuple[Past, ...] = ()
    """Other snapshots of the tenant, the earliest first; empty where none was named."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Tables as one run collected them. The verdict is on the reading alone."""

    run: Run
    verdict: Verdict
    listings: tuple[Listing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """All that ends before `before`, or nobody knows when. `endings()` streams anew each time: by owner, the soonest first."""

    run: Run
    verdict: Verdict
    before: int
    overdue: int
    """How many have ended, of those in use; so are the next two."""
    soon: int
    """How many end before `before`."""
    unknown: int
    """Of how many nobody knows when they end."""
    retired: int
    """How many of `endings()` are out of use, or end with their certificate."""
    looked: Mapping[str, int]
    """Rows by table, of every table whose rows end."""
    endings: Callable[[], Iterator[Ending]]


def conditions(reports: Sequence[Report]) -> tuple[Exit, ...]:
    """Every exit code that held for any of them, the one that counts first."""
    held = {code for report in reports for code in report.verdict.conditions}
    return tuple(code for code in PRECEDENCE if code in held and (code is not Exit.CLEAN or len(held) == 1))
