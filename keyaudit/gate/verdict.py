"""Turns tallies and coverage into a verdict and its exit code. Unknown is never a pass."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from keyaudit.gate.causes import OPEN_TO_ANYBODY, WHERE_TO_LOOK, Causes
from keyaudit.gate.gaps import Accepted, gaps_of, skew_gap, unsupplied_gaps
from keyaudit.model.coverage import Coverage, State
from keyaudit.model.errors import PRECEDENCE, Exit
from keyaudit.model.gating.acceptance import NOTHING_ACCEPTED, Acceptance
from keyaudit.model.gating.optional import MAY_LACK, MayLack
from keyaudit.model.gating.waivers import State as WaiverState
from keyaudit.model.gating.waivers import Use, Waiver
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.reasons import AZURES, OPTIONAL, UNSAFE, Reason
from keyaudit.model.results.findings import UnknownGroup
from keyaudit.model.results.run import MAX_SKEW, Gap, Results, Run, Verdict
from keyaudit.model.severity import Severity


def decide(
    run: Run,
    coverage: Sequence[Coverage],
    results: Results,
    accepted: Acceptance = NOTHING_ACCEPTED,
    *,
    fail_on: Severity | None,
    optional: MayLack = MAY_LACK,
    unmet: Sequence[Gap] | None = None,
    before: Sequence[UnknownGroup] | None = None,
) -> Verdict:
    """The verdict on the results of policies, which is evaluated at the time of `run`.

    With `fail_on` None open findings do not fail the run. Allowances and coverage waivers never accept an unsafe reason.
    `before`: for a plan over a snapshot, the unknown results without the plan, which like the snapshot's gaps do not count.
    `optional` gaps do not count, unsupplied evidence does, and so does each unknown result, for any reason; of a plan, only
    what reaches `fail_on` and a plan can have. `unmet`: unmet expectations; None if there are no expectations.
    """
    tallies, needed_by, required = results.tallies, results.needed_by, frozenset(results.needed_by)
    ledger = Causes(run, coverage, required, optional)
    holding = accepted.holding(run.as_of, coverage=True)
    allowing = Accepted((*accepted.allowances, *holding), ledger, {tally.policy.id: tally.policy.table for tally in tallies})
    gaps = gaps_of(ledger, allowing, needed_by)
    if run.skew is not None and abs(run.skew) > MAX_SKEW:
        gaps = (skew_gap(run.skew, ledger.tenant, allowing, needed_by), *gaps)
    gaps = (*unsupplied_gaps(results.unsupplied, ledger.tenant, allowing), *gaps)
    gaps = (
        *(replace(gap, allowed=allowing.allows((gap.scope,), gap.operations, gap.reason, None)) for gap in unmet or ()),
        *gaps,
    )
    failed, unknown = _sum(tally.failed for tally in tallies), _sum(tally.unknown for tally in tallies)
    if run.planned:
        gaps = tuple(gap for gap in gaps if gap.reason is not Reason.NOT_IN_PLAN)
    taken = {id(group) for group in results.groups if allowing.unknown(group)}
    allowed_unknown = sum(group.count for group in results.groups if id(group) in taken)
    in_baseline = [group for group in results.groups if group.known and accepted.new_only]
    taken.update(map(id, in_baseline))
    left = [group for group in results.groups if id(group) not in taken and _counts(group, ledger, run, fail_on)]
    if before is not None:
        left = _more(left, before)
    conditions = set()
    if any(record.reason in UNSAFE for record in ledger.records):
        conditions.add(Exit.UNSAFE)
    known = _sum(tally.known for tally in tallies)
    open_ = failed if accepted.new_only else failed + known
    # A failure that reaches the gate only by what was not read blocks nothing, and makes the gate incomplete.
    reaching = [group for group in results.ranges if fail_on and group.least.rank < fail_on.rank <= group.severity.rank]
    reaching = [group for group in reaching if not (group.known and accepted.new_only)]
    at_gate = sum(open_[severity] for severity in Severity if fail_on and severity.rank >= fail_on.rank)
    if at_gate > sum(group.count for group in reaching):
        conditions.add(Exit.FINDINGS)
    ranged = [group for group in reaching if not allowing.unknown(group)]
    if before is not None:
        ranged = _more(ranged, before)
    told = [gap for gap in gaps if gap.operations == ()] if before is not None else gaps
    standing = [gap for gap in told if gap.required and not gap.allowed and not ledger.known(gap, in_baseline)]
    if any(gap.reason is Reason.INTERNAL_ERROR for gap in standing):
        conditions.add(Exit.BUG)
    # An unknown result that no group explains can be neither accepted nor left out.
    if standing or left or ranged or unknown.total() > sum(group.count for group in results.groups):
        conditions.add(Exit.INCOMPLETE)
    # Supplied evidence is evaluated without a read from Azure.
    rows = any(tally.rows or tally.not_applicable for tally in tallies)
    judged = rows and (not required or shows_access(ledger.records))
    # A plan without anything that policies are about is an ordinary one.
    if not (run.planned or ledger.assessed or judged or any(group.causes for group in results.groups) or _proven_empty(ledger)):
        conditions.add(_nothing(gaps))
    held = tuple(code for code in PRECEDENCE if code in conditions) or (Exit.CLEAN,)
    return Verdict(
        exit=held[0],
        conditions=held,
        gate=fail_on,
        failed=failed,
        unknown=unknown,
        waived=_sum(tally.waived for tally in tallies),
        known=known,
        ranged=tuple(ranged),
        reaching=tuple(reaching),
        known_unknown=sum(group.count for group in results.groups if group.known),
        baseline=accepted.baseline,
        new_only=accepted.new_only,
        passed=sum(tally.passed for tally in tallies),
        not_applicable=sum(tally.not_applicable for tally in tallies),
        gaps=gaps,
        not_judged=results.not_judged,
        allowed_unknown=allowed_unknown,
        unused_allowances=allowing.unused(accepted.allowances),
        waivers=tuple(_use(each, run.as_of, allowing, results.waived) for each in accepted.waivers),
        coverage=tuple(each for each in ledger.records if not (run.planned and each.reason is Reason.NOT_IN_PLAN)),
        part=bool(run.filters.shown),
        expected=unmet is not None,
        required=len(ledger.required),
        assessed=sum(record.state is State.ASSESSED for record in ledger.required),
    )


def _counts(group: UnknownGroup, ledger: Causes, run: Run, fail_on: Severity | None) -> bool:
    """Whether unknown results make the run incomplete.

    A report is incomplete by what is required, a gate by each unknown result, and one of a plan by what a plan can have.
    """
    if run.planned and (ledger.beyond_plan(group) or (fail_on is not None and group.severity.rank < fail_on.rank)):
        return False
    return fail_on is not None or not ledger.optional(group)


def _more(groups: Sequence[UnknownGroup], before: Sequence[UnknownGroup]) -> list[UnknownGroup]:
    """The unknown results that were not there before."""
    known: Counter[object] = Counter()
    for group in before:
        known[_alike(group)] += group.count
    return [group for group in groups if group.count > known[_alike(group)]]


def _alike(group: UnknownGroup) -> object:
    return group.policy, group.scope_id, tuple(sorted(group.causes.items())), group.operations


def assess(
    run: Run,
    coverage: Sequence[Coverage],
    required: frozenset[str],
    *,
    needed_by: Mapping[str, tuple[str, ...]] | None = None,
    unknown: Collection[Reason] = (),
    unmet: Sequence[Gap] | None = None,
) -> Verdict:
    """The verdict of a run without policies: whether everything required was read. `unknown`: reasons of unknown values.

    Entries of `unmet` (see `decide`) that concern nothing required are left out.
    """
    missing = None if unmet is None else tuple(gap for gap in unmet if required.intersection(gap.operations))
    needs = {operation: (needed_by or {}).get(operation, ()) for operation in required}
    none = Results(tallies=(), groups=(), not_judged=(), unsupplied=(), waived={}, needed_by=needs)
    verdict = decide(run, coverage, none, fail_on=None, unmet=missing)
    # Operations that were not requested are not gaps of this run.
    gaps = tuple(gap for gap in verdict.gaps if gap.required or gap.reason in UNSAFE or required.intersection(gap.operations))
    held = set(verdict.conditions)
    if shows_access(coverage) and (verdict.required or not required):
        # Access is proven, so an empty result is real; a result that was never requested is not.
        held -= {Exit.NO_ACCESS, Exit.UNAVAILABLE}
    # Data that the cloud does not have is listed, without a required action.
    if not set(unknown) <= OPTIONAL | {Reason.NOT_SUPPLIED}:
        held.add(Exit.INCOMPLETE)
    return _settled(replace(verdict, gaps=gaps), held)


def shows_access(coverage: Iterable[Coverage]) -> bool:
    """Whether anything was read that needs a permission."""
    return any(record.kept and record.operation not in (WHERE_TO_LOOK, *OPEN_TO_ANYBODY) for record in coverage)


def with_conditions(verdict: Verdict, more: Collection[Exit]) -> Verdict:
    """The verdict with these conditions besides its own, and the exit code of them all."""
    return _settled(verdict, {*verdict.conditions, *more})


def _settled(verdict: Verdict, held: Collection[Exit]) -> Verdict:
    conditions = tuple(code for code in PRECEDENCE if code in held and code is not Exit.CLEAN) or (Exit.CLEAN,)
    return replace(verdict, exit=conditions[0], conditions=conditions)


def _use(waiver: Waiver, as_of: int, allowing: Accepted, waived: Mapping[str, int]) -> Use:
    if waiver.expired(as_of):
        return Use(waiver, WaiverState.EXPIRED)
    count = allowing.used(waiver) if waiver.covers_coverage else waived.get(waiver.id, 0)
    return Use(waiver, WaiverState.ACTIVE if count else WaiverState.UNUSED, count)


def _proven_empty(ledger: Causes) -> bool:
    """Whether every required list was read and other results prove access, so that there really are no rows."""
    shown = {OPERATIONS[each.operation].surface for each in ledger.records if shows_access([each])} | {Surface.LOGIN}
    return bool(ledger.required) and all(
        each.state is State.ASSESSED and OPERATIONS[each.operation].surface in shown for each in ledger.required
    )


def _nothing(gaps: Sequence[Gap]) -> Exit:
    reasons = {gap.reason for gap in gaps if gap.required}
    return Exit.UNAVAILABLE if reasons and reasons <= AZURES else Exit.NO_ACCESS


def _sum(counts: Iterator[Mapping[Severity, int]]) -> Counter[Severity]:
    total: Counter[Severity] = Counter()
    for each in counts:
        total.update(each)
    return total
