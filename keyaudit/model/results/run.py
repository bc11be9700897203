"""A run and its result, as reports show them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from keyaudit.model.coverage import Coverage, Scope
from keyaudit.model.errors import PRECEDENCE, Exit
from keyaudit.model.gating.baseline import Baseline
from keyaudit.model.gating.waivers import Use
from keyaudit.model.reasons import Reason
from keyaudit.model.results.causes import Causes
from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.results.findings import Finding, PolicyText, Tally, UnknownGroup
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.overview import Overview
from keyaudit.model.results.settings import InForce, KnownPolicy, PolicyInForce
from keyaudit.model.results.tier0 import Tier0
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.model.scope.filters import Filters
from keyaudit.model.severity import Severity

MAX_SKEW = 300
"""The clock skew in seconds above which ages cannot be trusted."""


class Copied(Struct, frozen=True, kw_only=True):
    """What was copied from earlier runs although Azure does not prove that it is the same: certificates of applications."""

    objects: int
    """Applications and service principals."""
    oldest: int
    """When the oldest of the certificates was read."""


class Run(Struct, frozen=True, kw_only=True):
    """One collection: who read which tenant, and when. `collect` creates it, the snapshot stores it."""

    run_id: str
    tenant_id: str
    tenant_name: str
    environment: str
    identity: str
    """The identity, and how it signed in: "alice@contoso.example (Azure CLI)"."""
    as_of: int
    """Seconds since 1970 UTC; every age and deadline counts from here."""
    tool_version: str
    simulated: bool = False
    skew: int | None = None
    """Median of this clock minus the services' `Date` headers, in seconds; None where no answer had one."""
    network: Mapping[str, str] = field(default_factory=dict)
    """Proxy and CA file in use, if any."""
    filters: Filters = field(default_factory=Filters)
    """The filters of the collection; what they left out is in the coverage, as excluded_by_config."""
    environment_rules: tuple[EnvironmentRule, ...] = ()
    """The environments of vaults and subscriptions without a tag."""
    evidence: Mapping[str, str] = field(default_factory=dict)
    """The supplied evidence: its name in `model.evidence` to the SHA-256 of the file."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Rows by table."""
    planned: bool = False
    """Whether it is of a plan: what only the tenant has is then no gap, and an unknown result counts by its severity."""
    since: str = ""
    """The run from whose snapshot unchanged objects were copied; empty if everything was read."""
    copied: Copied | None = None


class Gap(Struct, frozen=True, kw_only=True):
    """A gap: one scope and reason, with every operation that was not assessed for it."""

    scope: Scope
    reason: Reason
    operations: tuple[str, ...]
    detail: str = ""
    refused: int = 0
    required: bool = True
    """Whether a selected policy needs it; other gaps are listed and do not fail a gate."""
    allowed: bool = False
    """Accepted with --allow-gap, or by a waiver that covers coverage."""
    blinds: tuple[str, ...] = ()
    """Ids of the selected policies that needed it."""
    access_model: str = ""
    """For a vault, its `access_model`; empty if unknown."""
    reader: str = ""
    """The identity that did not read it, as in `Run.identity`; empty if it is not to be named."""


class NotJudged(Struct, frozen=True, kw_only=True):
    """A policy that was not evaluated because it needs evidence that was not supplied: no finding, and never a pass."""

    policy: PolicyText
    needs: tuple[str, ...]
    highest: Severity = Severity.CRITICAL
    """The highest severity that its findings can have."""


class Results(Struct, frozen=True, kw_only=True):
    """The results of policies for one inventory, counted."""

    tallies: tuple[Tally, ...]
    """One per policy, ordered by id."""
    groups: tuple[UnknownGroup, ...]
    """Every unknown result, grouped; their counts add up to those of the tallies."""
    ranges: tuple[UnknownGroup, ...] = ()
    """The failures whose severity is a range, because something that decides it was not read."""
    not_judged: tuple[NotJudged, ...]
    unsupplied: tuple[NotJudged, ...]
    """Policies without required evidence: each is unknown once, on the tenant."""
    waived: Mapping[str, int]
    """The number of findings that each waiver covers, by id; only valid waivers that cover findings."""
    needed_by: Mapping[str, tuple[str, ...]]
    """The required operations: by id, the ids of the policies that depend on it."""


class Verdict(Struct, frozen=True, kw_only=True):
    """The result of a run. `conditions` has every exit code that applies; `exit` is the first of them by precedence."""

    exit: Exit
    conditions: tuple[Exit, ...]
    gate: Severity | None
    """The lowest severity at which open findings fail the gate; None for a report, which has no gate."""
    failed: Mapping[Severity, int]
    unknown: Mapping[Severity, int]
    passed: int
    not_applicable: int
    gaps: tuple[Gap, ...]
    not_judged: tuple[NotJudged, ...] = ()
    waived: Mapping[Severity, int] = field(default_factory=dict)
    """Failures that a waiver covers; not in `failed`."""
    known: Mapping[Severity, int] = field(default_factory=dict)
    """Failures that the baseline contains; not in `failed`."""
    ranged: tuple[UnknownGroup, ...] = ()
    """The failures that reach the gate only if something that was not read makes them so severe, and that nothing accepts."""
    reaching: tuple[UnknownGroup, ...] = ()
    """All such failures, accepted ones too: they are open at the gate's severity, and do not block."""
    known_unknown: int = 0
    """Unknown results that the baseline holds; in `unknown`."""
    baseline: Baseline | None = None
    new_only: bool = False
    """Whether findings in the baseline do not fail the gate."""
    allowed_unknown: int = 0
    """Unknown results accepted with --allow-gap or a waiver."""
    unused_allowances: tuple[str, ...] = ()
    """The values of --allow-gap that matched no gap."""
    waivers: tuple[Use, ...] = ()
    """Every waiver, with the number of findings that it covered."""
    coverage: tuple[Coverage, ...] = ()
    part: bool = False
    """Whether filters left a part of the tenant out."""
    expected: bool = False
    """Whether expectations were given; otherwise completeness is relative to what the identity can see."""
    required: int = 0
    """The number of coverage records that the selected policies need."""
    assessed: int = 0
    """The number of these that were assessed."""

    @property
    def complete(self) -> bool:
        """Whether everything required was read, or its gap accepted, and no result is unknown, or it was accepted."""
        return Exit.INCOMPLETE not in self.conditions

    @property
    def beyond(self) -> int:
        """The number of policies at or above the severity of the gate that were not evaluated; without a gate, all of them."""
        return sum(self.gate is None or each.highest.rank >= self.gate.rank for each in self.not_judged)


class Past(Struct, frozen=True, kw_only=True):
    """The result of the same policies for an earlier snapshot of the tenant, as of its own day."""

    run_id: str
    as_of: int
    open: Mapping[Severity, int]
    """Failures, including those in the baseline."""
    unknown: int
    complete: bool
    failing: frozenset[str] = frozenset()
    """The ids of all failures."""

    @classmethod
    def of(cls, run: Run, verdict: Verdict) -> "Past":
        """The summary of a report, for later comparison."""
        counted = {each: verdict.failed.get(each, 0) + verdict.known.get(each, 0) for each in Severity}
        return cls(
            run_id=run.run_id,
            as_of=run.as_of,
            open=counted,
            unknown=sum(verdict.unknown.values()),
            complete=verdict.complete,
        )


class UnderProfile(Struct, frozen=True, kw_only=True):
    """The results of the policies whose limits for the frameworks of a profile differ from those of the run.

    They answer the controls of these frameworks, and are never among the findings of the run.
    """

    profile: str
    tallies: tuple[Tally, ...] = ()
    """One per policy, ordered by id; empty if no limit differs."""
    owned: Callable[[bool], Iterator[tuple[Owner, Finding]]] = lambda _: iter(())
    """As in `Report`, with the other answers of controls with a condition of their own."""
    complete: bool = True
    """Whether no result is unknown, except accepted ones."""


class First(Struct, frozen=True, kw_only=True):
    """A cause of the first page: the finding at its head, with the owner of its resource."""

    owner: Owner
    finding: Finding
    times: int
    """The number of causes that it stands for, which differ in their object alone; 1: itself."""
    beside: int = 0
    """The number of findings of other causes about the same holder, which it stands for, too."""


class Report(Struct, frozen=True, kw_only=True):
    """The data of a report. `findings(passes)` streams the findings in order, again at each call, with passes if requested."""

    run: Run
    verdict: Verdict
    tallies: tuple[Tally, ...]
    groups: tuple[UnknownGroup, ...] = ()
    """Every unknown result, grouped."""
    findings: Callable[[bool], Iterator[Finding]]
    causes: Callable[[], Causes]
    """Returns the causes of the open failures; its findings name those that they share."""
    first: Callable[[], Sequence[First]]
    """Returns the causes of the first page in the order of choice: of two, a shorter page shows the first."""
    tier0: Callable[[], Tier0 | None]
    """Returns the principals that control the tenant; None if the policy that lists them was not evaluated."""
    listing: Callable[[str], Listing]
    """Returns an evaluated table by name: the inventory beside the findings."""
    owned: Callable[[bool], Iterator[tuple[Owner, Finding]]]
    """Like `findings`, each finding with the owner of its resource."""
    settings: InForce = field(default_factory=InForce)
    """The settings in force: profile, limits, classes."""
    overview: Callable[[], Overview]
    """The overview of the inventory, computed at each call."""
    policies: tuple[PolicyInForce, ...] = ()
    """Every selected policy by id, including those that were not evaluated."""
    catalogue: Callable[[], Sequence[KnownPolicy]] = tuple
    """Every policy by id, selected or not: the controls that policies map to."""
    under: Callable[[str], UnderProfile] = lambda profile: UnderProfile(profile=profile)
    """The results by the limits of a profile, for its frameworks; evaluated when first called."""
    apart: Callable[[bool], Iterator[tuple[Owner, Finding]]] = lambda _: iter(())
    """By the limits of the run, the other answers of controls with a condition of their own; evaluated at each call."""
    worst: Callable[[int], Sequence[Finding]] = lambda _: ()
    """The first so many findings that fail the gate, the worst first, without reading all findings."""
    then: Mapping[tuple[str, str], Severity] | None = None
    """By policy and subject, the failures of the run of the baseline, evaluated with the policies of this report; None: that
    snapshot was not given.
    """
    tag_labels: tuple[str, ...] = ()
    """The tags, in lower case, that metrics have as labels."""
    history: tuple[Past, ...] = ()
    """Other snapshots of the tenant, the earliest first; empty if none were given."""


class Inventory(Struct, frozen=True):
    """The tables that a run collected. The verdict covers only what could be read."""

    run: Run
    verdict: Verdict
    listings: tuple[Listing, ...]


class Expiring(Struct, frozen=True, kw_only=True):
    """Rows that expire before `before`, or at an unknown time. `endings()` streams them by owner, the soonest first, at each
    call.
    """

    run: Run
    verdict: Verdict
    before: int
    overdue: int
    """The number of expired rows in use; the next two also count rows in use."""
    soon: int
    """The number of rows that expire before `before`."""
    unknown: int
    """The number of rows with an unknown expiration date."""
    retired: int
    """The number of rows in `endings()` that are not in use, or expire with their certificate."""
    looked: Mapping[str, int]
    """The number of rows by table, for every table with expiration dates."""
    endings: Callable[[], Iterator[Ending]]


def conditions(reports: Sequence[Report]) -> tuple[Exit, ...]:
    """Every exit code that applies to any of the reports, by precedence."""
    held = {code for report in reports for code in report.verdict.conditions}
    return tuple(code for code in PRECEDENCE if code in held and (code is not Exit.CLEAN or len(held) == 1))
