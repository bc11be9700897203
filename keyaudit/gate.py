"""Tallies and coverage to a verdict: what a run came to, and the exit code that says so. Unknown is never a pass."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from keyaudit.model.allowances import Allowance
from keyaudit.model.baseline import Baseline
from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.errors import PRECEDENCE, Exit
from keyaudit.model.findings import Severity, Tally, UnknownGroup
from keyaudit.model.operations import BY_SURFACE, OPERATIONS, Operation, Surface
from keyaudit.model.reasons import AZURES, OPTIONAL, UNSAFE, Reason
from keyaudit.model.run import MAX_SKEW, Gap, NotJudged, Run, Verdict
from keyaudit.model.tables import TABLES, operations_of
from keyaudit.model.waivers import State as WaiverState
from keyaudit.model.waivers import Use, Waiver

# What follows from another refusal in the same place: it belongs to that gap and is not one of its own.
_CONSEQUENCES = frozenset({Reason.PARENT_NOT_ASSESSED, Reason.CONTROL_PLANE_ONLY})
_DECLARED = tuple(OPERATIONS)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OPEN_TO_ANYBODY = frozenset(operation.id for operation in OPERATIONS.values() if operation.surface is Surface.LOGIN)
"""What the sign-in host tells everybody, with or without a right in the tenant."""
_WHERE_TO_LOOK = "subscription.list"
"""It is there to be listed for whoever signs in, and assesses nothing."""


def decide(
    *,
    run: Run,
    coverage: Sequence[Coverage],
    tallies: Sequence[Tally],
    groups: Sequence[UnknownGroup],
    not_judged: Sequence[NotJudged],
    required: frozenset[str],
    needed_by: Mapping[str, tuple[str, ...]],
    fail_on: Severity | None,
    allowances: Sequence[Allowance],
    waivers: Sequence[Waiver] = (),
    waived: Mapping[str, int] | None = None,
    baseline: Baseline | None = None,
    new_only: bool = False,
    unsupplied: Sequence[NotJudged] = (),
    optional: frozenset[Reason] = OPTIONAL,
    unmet: Sequence[Gap] | None = None,
) -> Verdict:
    """The verdict. `required` holds operation ids and `needed_by` the selected policies that need each.

    With `fail_on` None open findings do not count against the run. Allowances never excuse an unsafe reason, nor do waivers
    that cover coverage; `waived` says how many findings each of the others covers, by its id. With `new_only` the findings that
    the baseline holds do not count. What is missing for an `optional` reason does not count; evidence that is `unsupplied` to
    policies does. `unmet` are expectations that were not met; None: nothing was expected.
    """
    ledger = _Ledger(run, coverage, required, optional)
    holding = [each for each in waivers if each.covers_coverage and not each.expired(run.as_of)]
    allowing = _Allowing((*allowances, *holding), ledger, {tally.policy.id: tally.policy.table for tally in tallies})
    gaps = _gaps(ledger, allowing, needed_by)
    if run.skew is not None and abs(run.skew) > MAX_SKEW:
        gaps = (_skew_gap(run.skew, ledger.tenant, allowing, needed_by), *gaps)
    gaps = (*_unsupplied_gaps(unsupplied, ledger.tenant, allowing), *gaps)
    gaps = (
        *(replace(gap, allowed=allowing.allows((gap.scope,), gap.operations, gap.reason, None)) for gap in unmet or ()),
        *gaps,
    )
    failed, unknown = _sum(tally.failed for tally in tallies), _sum(tally.unknown for tally in tallies)
    allowed_unknown = sum(group.count for group in groups if allowing.unknown(group))
    left_out = sum(group.count for group in groups if ledger.optional(group))
    conditions = set()
    if any(record.reason in UNSAFE for record in ledger.records):
        conditions.add(Exit.UNSAFE)
    known = _sum(tally.known for tally in tallies)
    open_ = failed if new_only else failed + known
    if fail_on and any(open_[severity] for severity in Severity if severity.rank >= fail_on.rank):
        conditions.add(Exit.FINDINGS)
    standing = [gap for gap in gaps if gap.required and not gap.allowed]
    if any(gap.reason is Reason.INTERNAL_ERROR for gap in standing):
        conditions.add(Exit.BUG)
    if standing or unknown.total() > allowed_unknown + left_out:
        conditions.add(Exit.INCOMPLETE)
    # What was supplied is judged without a read of Azure's.
    rows = any(tally.rows or tally.not_applicable for tally in tallies)
    judged = rows and (not required or shows_access(ledger.records))
    if not (ledger.assessed or judged or any(group.causes for group in groups) or _proven_empty(ledger)):
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
        baseline=baseline,
        new_only=new_only,
        passed=sum(tally.passed for tally in tallies),
        not_applicable=sum(tally.not_applicable for tally in tallies),
        gaps=gaps,
        not_judged=tuple(not_judged),
        allowed_unknown=allowed_unknown,
        unused_allowances=allowing.unused(allowances),
        waivers=tuple(_use(each, run.as_of, allowing, waived or {}) for each in waivers),
        coverage=ledger.records,
        expected=unmet is not None,
        required=len(ledger.required),
        assessed=sum(record.state is State.ASSESSED for record in ledger.required),
    )


def shows_access(coverage: Iterable[Coverage]) -> bool:
    """Whether something was read that the identity needs a right for."""
    return any(record.kept and record.operation not in (_WHERE_TO_LOOK, *_OPEN_TO_ANYBODY) for record in coverage)


def settled(verdict: Verdict, held: Collection[Exit]) -> Verdict:
    """The verdict with these conditions, and the exit code that they come to."""
    conditions = tuple(code for code in PRECEDENCE if code in held and code is not Exit.CLEAN) or (Exit.CLEAN,)
    return replace(verdict, exit=conditions[0], conditions=conditions)


@dataclass(frozen=True, slots=True)
class _Blind:
    """One operation not read in full, and the record that explains it: its own, or the refusal it follows from."""

    record: Coverage
    cause: Coverage
    reason: Reason

    @property
    def scopes(self) -> tuple[Scope, Scope]:
        return self.record.scope, self.cause.scope

    @property
    def operations(self) -> tuple[str, str]:
        return self.record.operation, self.cause.operation


class _Ledger:
    """The coverage, with what was never asked added, and every blind operation traced to its cause."""

    def __init__(self, run: Run, coverage: Sequence[Coverage], required: frozenset[str], optional: frozenset[Reason]) -> None:
        self.wanted, self.waived = required, optional
        self.tenant = Scope(f"/tenants/{run.tenant_id}".lower(), run.tenant_name, ScopeKind.TENANT)
        self.records = (*coverage, *_never_asked(run, self.tenant, coverage, required))
        self.scopes = {record.scope.id: record.scope for record in self.records}
        refusals: dict[str, list[_Blind]] = defaultdict(list)
        for record in self.records:
            if record.reason is not None and record.reason not in _CONSEQUENCES:
                refusals[record.scope.id].append(_Blind(record, record, record.reason))
        self.blinds = [self._cause(record, record.reason, refusals) for record in self.records if record.reason is not None]
        self._at: dict[str, list[_Blind]] = defaultdict(list)
        self._under: dict[str, list[_Blind]] = defaultdict(list)
        for blind in self.blinds:
            self._at[blind.record.scope.id].append(blind)
            for place in (blind.record.scope.id, *self._above(blind.record.scope.id)):
                self._under[place].append(blind)
        out = {id(blind.record) for blind in self.blinds if blind.reason in optional}
        wanted = [record for record in self.records if record.operation in required]
        self.required = [record for record in wanted if id(record) not in out]
        telling = [record for record in self.required if record.operation != _WHERE_TO_LOOK]
        entitled = [record for record in telling if record.operation not in _OPEN_TO_ANYBODY]
        # What anybody may read assesses nothing, unless nothing else was asked for.
        self.assessed = any(record.kept for record in entitled or telling)

    def blinding(self, scope_id: str, operations: Collection[str]) -> list[_Blind]:
        """What may have made a value of that scope unknown: there, in what holds it, and in what it holds."""
        places = [*self._under[scope_id], *(blind for above in self._above(scope_id) for blind in self._at[above])]
        return [blind for blind in places if blind.record.operation in operations]

    def optional(self, group: UnknownGroup) -> bool:
        """All that is missing was left out by configuration, or is not in this cloud and was not required: it does not gate."""
        if group.causes:
            return set(group.causes.values()) <= self.waived
        here = {blind.reason for blind in self._at[group.scope_id] if blind.record.operation in group.operations}
        reasons = here or set(group.reasons)
        return bool(reasons) and reasons <= self.waived

    def _above(self, scope_id: str) -> tuple[str, ...]:
        if scope_id == self.tenant.id:
            return ()
        subscription = "/".join(scope_id.split("/")[:3])
        return (self.tenant.id,) if subscription == scope_id else (subscription, self.tenant.id)

    def _cause(self, record: Coverage, reason: Reason, refusals: Mapping[str, Sequence[_Blind]]) -> _Blind:
        """Of the refusals in the nearest scope that has one, the one of the same family of operations, else the first."""
        if reason in _CONSEQUENCES:
            family = record.operation.partition(".")[0]
            for place in (record.scope.id, *self._above(record.scope.id)):
                if place in refusals:
                    nearest = min(refusals[place], key=lambda other: _distance(other, family))
                    return _Blind(record, nearest.cause, nearest.reason)
        return _Blind(record, record, reason)


def _distance(blind: _Blind, family: str) -> tuple[bool, bool, tuple[int, str]]:
    operation = blind.record.operation
    return operation.partition(".")[0] != family, blind.reason in OPTIONAL, _order(operation)


class _Allowing:
    """What accepts a gap, and how often each of it matched something."""

    def __init__(self, accepting: Sequence[Allowance | Waiver], ledger: _Ledger, tables: Mapping[str, str]) -> None:
        self._accepting, self._ledger, self._tables = accepting, ledger, tables
        self._used: Counter[int] = Counter()

    def unused(self, allowances: Sequence[Allowance]) -> tuple[str, ...]:
        """The allowances that matched nothing, as they were given."""
        return tuple(str(each) for each in allowances if not self.used(each))

    def used(self, accepting: Allowance | Waiver) -> int:
        """How often it matched."""
        return sum(self._used[index] for index, each in enumerate(self._accepting) if each is accepting)

    def blind(self, blind: _Blind, policy: str | None) -> bool:
        """Whether this policy may do without that operation."""
        return self.allows(blind.scopes, blind.operations, blind.reason, policy)

    def unknown(self, group: UnknownGroup) -> bool:
        """Whether every cause of these unknown results is accepted."""
        if not self._accepting or self._ledger.optional(group):
            return False
        if not group.causes:
            if not group.operations:
                return _every(self._direct(group, (), reason) for reason in group.reasons)
            return _every(self._scope(group, each) for each in group.operations)
        return _every(self._column(group, column, reason) for column, reason in group.causes.items())

    def _scope(self, group: UnknownGroup, operation: str) -> bool:
        blinds = self._ledger.blinding(group.scope_id, (operation,))
        if blinds:
            return _every(self.blind(blind, group.policy) for blind in blinds)
        return _every(self._direct(group, (operation,), reason) for reason in group.reasons)

    def _column(self, group: UnknownGroup, column: str, reason: Reason) -> bool:
        table = TABLES[self._tables[group.policy]]
        operations = {*table.listed_by, *(operations_of(table.name, column) if column in table.by_name else ())}
        blinds = self._ledger.blinding(group.scope_id, operations)
        # A value that follows from a refusal carries that refusal's reason or says that it follows from one.
        blinds = [blind for blind in blinds if reason in {blind.record.reason, blind.reason} or reason in _CONSEQUENCES]
        if blinds:
            return _every(self.blind(blind, group.policy) for blind in blinds)
        return self._direct(group, operations, reason)

    def _direct(self, group: UnknownGroup, operations: Collection[str], reason: Reason) -> bool:
        known = {self._ledger.tenant.id: self._ledger.tenant, **self._ledger.scopes}
        scope = known.get(group.scope_id) or Scope(group.scope_id, "", ScopeKind.VAULT)
        return self.allows((scope,), operations, reason, group.policy)

    def allows(self, scopes: Sequence[Scope], operations: Collection[str], reason: Reason, policy: str | None) -> bool:
        """Whether anything matches; all that does counts as used."""
        if reason in UNSAFE:
            return False
        matching = [index for index, each in enumerate(self._accepting) if each.matches(scopes, operations, reason, policy)]
        self._used.update(matching)
        return bool(matching)


def _use(waiver: Waiver, as_of: int, allowing: _Allowing, waived: Mapping[str, int]) -> Use:
    if waiver.expired(as_of):
        return Use(waiver, WaiverState.EXPIRED)
    count = allowing.used(waiver) if waiver.covers_coverage else waived.get(waiver.id, 0)
    return Use(waiver, WaiverState.ACTIVE if count else WaiverState.UNUSED, count)


def _gaps(ledger: _Ledger, allowing: _Allowing, needed_by: Mapping[str, tuple[str, ...]]) -> tuple[Gap, ...]:
    """One gap for each scope and reason, widest scope first; in the same order whatever order the ledger has."""
    grouped: dict[tuple[Scope, Reason], list[_Blind]] = defaultdict(list)
    for blind in ledger.blinds:
        grouped[blind.cause.scope, blind.reason].append(blind)
    kinds = list(ScopeKind)
    order = sorted(grouped, key=lambda key: (kinds.index(key[0].kind), key[0].name, key[0].id, key[1]))
    return tuple(_gap(key, grouped[key], ledger, allowing, needed_by) for key in order)


def _gap(
    key: tuple[Scope, Reason],
    blinds: Sequence[_Blind],
    ledger: _Ledger,
    allowing: _Allowing,
    needed_by: Mapping[str, tuple[str, ...]],
) -> Gap:
    scope, reason = key
    needed = [blind for blind in blinds if blind.record.operation in ledger.wanted and reason not in ledger.waived]
    details = sorted({blind.cause.detail for blind in blinds if blind.cause.detail})
    return Gap(
        scope=scope,
        reason=reason,
        operations=tuple(sorted({blind.record.operation for blind in blinds}, key=_order)),
        detail="; ".join(details),
        refused=sum(blind.record.refused for blind in blinds),
        required=bool(needed),
        allowed=_every(
            allowing.blind(blind, policy) for blind in needed for policy in needed_by.get(blind.record.operation) or (None,)
        ),
        blinds=tuple(sorted({policy for blind in needed for policy in needed_by.get(blind.record.operation, ())})),
    )


def _skew_gap(skew: int, tenant: Scope, allowing: _Allowing, needed_by: Mapping[str, tuple[str, ...]]) -> Gap:
    side = "ahead of" if skew > 0 else "behind"
    return Gap(
        scope=tenant,
        reason=Reason.CLOCK_SKEW,
        operations=(),
        detail=f"{abs(skew):,} seconds {side} Azure's",
        allowed=allowing.allows((tenant,), (), Reason.CLOCK_SKEW, None),
        blinds=tuple(sorted({policy for policies in needed_by.values() for policy in policies})),
    )


def _unsupplied_gaps(unsupplied: Sequence[NotJudged], tenant: Scope, allowing: _Allowing) -> Iterator[Gap]:
    """One gap for each kind of evidence that was required and nobody supplied."""
    for need in dict.fromkeys(need for each in unsupplied for need in each.needs):
        blinded = tuple(sorted(each.policy.id for each in unsupplied if need in each.needs))
        yield Gap(
            scope=tenant,
            reason=Reason.NOT_SUPPLIED,
            operations=(),
            detail=need,
            allowed=_every(allowing.allows((tenant,), (), Reason.NOT_SUPPLIED, policy) for policy in blinded),
            blinds=blinded,
        )


def _never_asked(run: Run, tenant: Scope, coverage: Sequence[Coverage], required: frozenset[str]) -> Iterator[Coverage]:
    """A required list that no record speaks of was not read: an older snapshot, or a collector that left it out.

    Operations on single objects are not looked for here: where a list gave none, there was none to ask.
    """
    asked = {record.operation for record in coverage}
    out = _with_their_source(run, coverage)
    by_kind = {
        surface: {record.scope for record in coverage if record.scope.kind is kind}
        for surface, kind in ((Surface.VAULT, ScopeKind.VAULT), (Surface.MANAGED_HSM, ScopeKind.MANAGED_HSM))
    }
    vaults = frozenset[Scope]().union(*by_kind.values())
    somewhere = vaults or any(
        record.scope.kind is ScopeKind.SUBSCRIPTION or (record.operation == "subscription.list" and record.kept)
        for record in coverage
    )
    seen = {(record.scope.id, record.operation) for record in coverage}
    for operation in (OPERATIONS[each] for each in sorted(required) if _is_list(OPERATIONS[each])):
        missing: list[Scope] = []
        if operation.surface in by_kind:
            missing = [scope for scope in sorted(by_kind[operation.surface]) if (scope.id, operation.id) not in seen]
            if run.rows.get("vault", 0) > len(vaults):
                missing.append(tenant)
        elif operation.id not in asked and (
            operation.surface is Surface.GRAPH or operation.id == "subscription.list" or somewhere
        ):
            missing = [tenant]
        for scope in missing:
            yield Coverage(
                scope=scope,
                operation=operation.id,
                state=State.NOT_ASSESSED,
                reason=Reason.EXCLUDED_BY_CONFIG if operation.id in out else Reason.STALE,
                detail="" if operation.id in out else "the snapshot has no record of it",
            )


def _with_their_source(run: Run, coverage: Sequence[Coverage]) -> frozenset[str]:
    """Operations that only prove needed while their source is read, where a filter by source left it out."""
    if not run.filters.sources:
        return frozenset()
    out = {record.operation for record in coverage if record.reason is Reason.EXCLUDED_BY_CONFIG}
    families = [declared for declared in BY_SURFACE.values() if any(operation.id in out for operation in declared)]
    return frozenset(operation.id for declared in families for operation in declared)


def _order(operation: str) -> tuple[int, str]:
    return (_DECLARED.index(operation) if operation in _DECLARED else len(_DECLARED)), operation


def _is_list(operation: Operation) -> bool:
    return set(_PLACEHOLDER.findall(operation.path)) <= {"subscription"}


def _proven_empty(ledger: _Ledger) -> bool:
    """Every required list was read, with access to the same service shown by what others gave: so there is nothing."""
    shown = {OPERATIONS[each.operation].surface for each in ledger.records if shows_access([each])} | {Surface.LOGIN}
    return bool(ledger.required) and all(
        each.state is State.ASSESSED and OPERATIONS[each.operation].surface in shown for each in ledger.required
    )


def _nothing(gaps: Sequence[Gap]) -> Exit:
    reasons = {gap.reason for gap in gaps if gap.required}
    return Exit.UNAVAILABLE if reasons and reasons <= AZURES else Exit.NO_ACCESS


def _every(answers: Iterable[bool]) -> bool:
    """All true, and at least one. Every answer is asked for, so that each allowance that matches is seen to."""
    known = list(answers)
    return bool(known) and all(known)


def _sum(counts: Iterator[Mapping[Severity, int]]) -> Counter[Severity]:
    total: Counter[Severity] = Counter()
    for each in counts:
        total.update(each)
    return total
