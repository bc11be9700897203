"""Causes of missing values: the coverage, extended with operations that were never sent, each traced to its cause."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.gating.optional import MayLack
from keyaudit.model.operations import BY_SURFACE, OPERATIONS, Operation, Surface, with_all_before
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.results.findings import UnknownGroup
from keyaudit.model.results.run import Gap, Run
from keyaudit.model.tables import TABLES

# Reasons that follow from another refusal in the same scope, and belong to that gap.
CONSEQUENCES = frozenset({Reason.PARENT_NOT_ASSESSED, Reason.CONTROL_PLANE_ONLY})
OPEN_TO_ANYBODY = frozenset(operation.id for operation in OPERATIONS.values() if operation.surface is Surface.LOGIN)
"""Operations of the sign-in host that need no permission in the tenant."""
WHERE_TO_LOOK = "subscription.list"
"""Any identity may list subscriptions, so this list alone proves no access."""
_DECLARED = tuple(OPERATIONS)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Unread(Struct, frozen=True):
    """One incomplete operation, and the record that explains it: its own, or the refusal that caused it."""

    record: Coverage
    cause: Coverage
    reason: Reason

    @property
    def scopes(self) -> tuple[Scope, Scope]:
        return self.record.scope, self.cause.scope

    @property
    def operations(self) -> tuple[str, str]:
        return self.record.operation, self.cause.operation


class Causes:
    """The coverage, extended with operations that were never sent; every incomplete one is traced to its cause."""

    def __init__(self, run: Run, coverage: Sequence[Coverage], required: frozenset[str], optional: MayLack) -> None:
        self.asked, self.may_lack, self.reader = required, optional, run.identity
        self.tenant = Scope(f"/tenants/{run.tenant_id}".lower(), run.tenant_name, ScopeKind.TENANT)
        self.records = (*coverage, *_never_asked(run, self.tenant, coverage, required))
        self.scopes = {record.scope.id: record.scope for record in self.records}
        refusals: dict[str, list[Unread]] = defaultdict(list)
        for record in self.records:
            if record.reason is not None and record.reason not in CONSEQUENCES:
                refusals[record.scope.id].append(Unread(record, record, record.reason))
        self.unread = [self._cause(record, record.reason, refusals) for record in self.records if record.reason is not None]
        self._at: dict[str, list[Unread]] = defaultdict(list)
        self._under: dict[str, list[Unread]] = defaultdict(list)
        for blind in self.unread:
            self._at[blind.record.scope.id].append(blind)
            for place in (blind.record.scope.id, *self._above(blind.record.scope.id)):
                self._under[place].append(blind)
        out = {id(blind.record) for blind in self.unread if optional.covers(blind.record.operation, blind.reason)}
        wanted = [record for record in self.records if record.operation in required]
        self.required = [record for record in wanted if id(record) not in out]
        telling = [record for record in self.required if record.operation != WHERE_TO_LOOK]
        entitled = [record for record in telling if record.operation not in OPEN_TO_ANYBODY]
        # Public operations do not count as assessed, unless nothing else is required.
        self.assessed = any(record.kept for record in entitled or telling)

    def explaining(self, scope_id: str, operations: Collection[str]) -> list[Unread]:
        """The incomplete operations that may explain an unknown value: in that scope, above it, and below it."""
        places = [*self._under[scope_id], *(blind for above in self._above(scope_id) for blind in self._at[above])]
        return [blind for blind in places if blind.record.operation in operations]

    def optional(self, group: UnknownGroup) -> bool:
        """Whether everything missing was left out by configuration, or needs not be there, as what a cloud lacks, and was not
        required.
        """
        if group.causes:
            return self.may_lack.cover(group.causes.values()) and not self._lacks_required(group)
        here = [blind for blind in self._at[group.scope_id] if blind.record.operation in group.operations]
        if here:
            return all(self.may_lack.covers(blind.record.operation, blind.reason) for blind in here)
        wanted = Reason.OPTIONAL_RIGHT in group.reasons and any(map(self.may_lack.wants, group.operations))
        return bool(group.reasons) and not wanted and self.may_lack.cover(group.reasons)

    def _lacks_required(self, group: UnknownGroup) -> bool:
        """Whether a right that is optional, and was required, is missing where it may make the group's columns unknown."""
        if Reason.OPTIONAL_RIGHT not in group.causes.values():
            return False
        wanted = {blind.record.operation for blind in self.unread if self.may_lack.wants(blind.record.operation)}
        return any(blind.reason is Reason.OPTIONAL_RIGHT for blind in self.explaining(group.scope_id, wanted))

    def beyond_plan(self, group: UnknownGroup) -> bool:
        """Whether everything missing is what no plan has: the results of the tenant after apply."""
        return {*group.causes.values(), *group.reasons} == {Reason.NOT_IN_PLAN}

    def left_out(self, group: UnknownGroup, table: str) -> bool:
        """Whether everything missing, in rows of `table`, was left out by configuration, by itself or with what it is asked
        after. Anything refused or cut off is not.
        """
        from keyaudit.inventory.reads import operations_of  # noqa: PLC0415 - heavy, and few runs leave anything out

        if not group.causes:
            return bool(group.reasons) and all(self._out(group, group.operations, reason) for reason in group.reasons)
        of = TABLES[table]
        return all(
            self._out(group, {*of.listed_by, *(operations_of(table, column) if column in of.by_name else ())}, reason)
            for column, reason in group.causes.items()
        )

    def known(self, gap: Gap, groups: Iterable[UnknownGroup]) -> bool:
        """Whether a gap left only results unknown that the baseline holds, if no others are unknown: `groups`. Not a bug."""
        return gap.reason is not Reason.INTERNAL_ERROR and any(
            group.policy in gap.blinds
            and (
                group.scope_id == gap.scope.id
                or gap.scope.id in self._above(group.scope_id)
                or group.scope_id in self._above(gap.scope.id)
            )
            for group in groups
        )

    def _out(self, group: UnknownGroup, operations: Collection[str], reason: Reason) -> bool:
        if reason in CONSEQUENCES:
            blinds = self.explaining(group.scope_id, operations)
            return bool(blinds) and all(blind.reason is Reason.EXCLUDED_BY_CONFIG for blind in blinds)
        return reason is Reason.EXCLUDED_BY_CONFIG

    def _above(self, scope_id: str) -> tuple[str, ...]:
        if scope_id == self.tenant.id:
            return ()
        subscription = "/".join(scope_id.split("/")[:3])
        return (self.tenant.id,) if subscription == scope_id else (subscription, self.tenant.id)

    def _cause(self, record: Coverage, reason: Reason, refusals: Mapping[str, Sequence[Unread]]) -> Unread:
        """The refusal in the nearest scope: of the same family of operations, otherwise the first. What need not be read
        explains only what is asked after it: anything else would go unread, and the gate would pass.
        """
        if reason in CONSEQUENCES:
            family, before = record.operation.partition(".")[0], with_all_before(record.operation)
            for place in (record.scope.id, *self._above(record.scope.id)):
                refused = refusals.get(place, ())
                may_be = [each for each in refused if each.reason not in OPTIONAL or each.record.operation in before]
                if may_be:
                    nearest = min(may_be, key=lambda other: _distance(other, family))
                    return Unread(record, nearest.cause, nearest.reason)
        return Unread(record, record, reason)


def _distance(blind: Unread, family: str) -> tuple[bool, bool, tuple[int, str]]:
    operation = blind.record.operation
    return operation.partition(".")[0] != family, blind.reason in OPTIONAL, order(operation)


def _never_asked(run: Run, tenant: Scope, coverage: Sequence[Coverage], required: frozenset[str]) -> Iterator[Coverage]:
    """Records for required lists without one, which were not read: an older snapshot, or a missing collector.

    Operations on single objects are not included, because without objects there is nothing to send.
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
    """Records for conditional operations of sources that a filter excluded."""
    if not run.filters.sources:
        return frozenset()
    out = {record.operation for record in coverage if record.reason is Reason.EXCLUDED_BY_CONFIG}
    families = [declared for declared in BY_SURFACE.values() if any(operation.id in out for operation in declared)]
    return frozenset(operation.id for declared in families for operation in declared)


def order(operation: str) -> tuple[int, str]:
    return (_DECLARED.index(operation) if operation in _DECLARED else len(_DECLARED)), operation


def _is_list(operation: Operation) -> bool:
    return set(_PLACEHOLDER.findall(operation.path)) <= {"subscription"}
