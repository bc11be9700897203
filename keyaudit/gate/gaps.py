"""The gaps of a run, and their acceptance by allowances and by waivers that cover coverage."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from keyaudit.gate.causes import CONSEQUENCES, Causes, Unread, order
from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.gating.allowances import Allowance
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import UNSAFE, Reason
from keyaudit.model.results.findings import UnknownGroup
from keyaudit.model.results.run import Gap, NotJudged
from keyaudit.model.tables import TABLES
from keyaudit.model.values.text import listed


class Accepted:
    """Allowances and coverage waivers, with the number of matches of each."""

    def __init__(self, accepting: Sequence[Allowance | Waiver], ledger: Causes, tables: Mapping[str, str]) -> None:
        self._accepting, self._ledger, self._tables = accepting, ledger, tables
        self._used: Counter[int] = Counter()

    def unused(self, allowances: Sequence[Allowance]) -> tuple[str, ...]:
        """The allowances without a match, as given."""
        return tuple(str(each) for each in allowances if not self.used(each))

    def used(self, accepting: Allowance | Waiver) -> int:
        """Its number of matches."""
        return sum(self._used[index] for index, each in enumerate(self._accepting) if each is accepting)

    def blind(self, blind: Unread, policy: str | None) -> bool:
        """Whether the gap of this policy in that operation is accepted."""
        return self.allows(blind.scopes, blind.operations, blind.reason, policy)

    def unknown(self, group: UnknownGroup) -> bool:
        """Whether every cause of these unknown results is accepted."""
        if not self._accepting:
            return False
        if not group.causes:
            if not group.operations:
                return every(self._direct(group, (), reason) for reason in group.reasons)
            return every(self._scope(group, each) for each in group.operations)
        return every(self._column(group, column, reason) for column, reason in group.causes.items())

    def _scope(self, group: UnknownGroup, operation: str) -> bool:
        blinds = self._ledger.explaining(group.scope_id, (operation,))
        if blinds:
            return every(self.blind(blind, group.policy) for blind in blinds)
        return every(self._direct(group, (operation,), reason) for reason in group.reasons)

    def _column(self, group: UnknownGroup, column: str, reason: Reason) -> bool:
        from keyaudit.inventory.reads import operations_of  # noqa: PLC0415 - heavy, and few verdicts have allowances

        table = TABLES[self._tables[group.policy]]
        operations = {*table.listed_by, *(operations_of(table.name, column) if column in table.by_name else ())}
        blinds = self._ledger.explaining(group.scope_id, operations)
        # A derived unknown value has the reason of its refusal, or one that refers to it.
        blinds = [blind for blind in blinds if reason in {blind.record.reason, blind.reason} or reason in CONSEQUENCES]
        if blinds:
            return every(self.blind(blind, group.policy) for blind in blinds)
        return self._direct(group, operations, reason)

    def _direct(self, group: UnknownGroup, operations: Collection[str], reason: Reason) -> bool:
        known = {self._ledger.tenant.id: self._ledger.tenant, **self._ledger.scopes}
        scope = known.get(group.scope_id) or Scope(group.scope_id, "", ScopeKind.VAULT)
        return self.allows((scope,), operations, reason, group.policy)

    def allows(self, scopes: Sequence[Scope], operations: Collection[str], reason: Reason, policy: str | None) -> bool:
        """Whether anything matches; every match counts as used."""
        if reason in UNSAFE:
            return False
        matching = [index for index, each in enumerate(self._accepting) if each.matches(scopes, operations, reason, policy)]
        self._used.update(matching)
        return bool(matching)


def gaps_of(ledger: Causes, allowing: Accepted, needed_by: Mapping[str, tuple[str, ...]]) -> tuple[Gap, ...]:
    """One gap for each scope and reason, widest scope first, in an order independent of the ledger's."""
    grouped: dict[tuple[Scope, Reason, bool], list[Unread]] = defaultdict(list)
    for blind in ledger.unread:
        # Of two optional rights that are missing, perhaps one is required.
        optional = ledger.may_lack.covers(blind.record.operation, blind.reason)
        grouped[blind.cause.scope, blind.reason, optional].append(blind)
    kinds = list(ScopeKind)
    order = sorted(grouped, key=lambda key: (kinds.index(key[0].kind), key[0].name, key[0].id, *key[1:]))
    return tuple(_gap(key, grouped[key], ledger, allowing, needed_by) for key in order)


def _gap(
    key: tuple[Scope, Reason, bool],
    blinds: Sequence[Unread],
    ledger: Causes,
    allowing: Accepted,
    needed_by: Mapping[str, tuple[str, ...]],
) -> Gap:
    scope, reason, optional = key
    needed = [blind for blind in blinds if blind.record.operation in ledger.asked and not optional]
    details = _details(blinds)
    return Gap(
        scope=scope,
        reason=reason,
        operations=tuple(sorted({blind.record.operation for blind in blinds}, key=order)),
        detail=details,
        refused=sum(blind.record.refused for blind in blinds),
        required=bool(needed),
        allowed=every(
            allowing.blind(blind, policy) for blind in needed for policy in needed_by.get(blind.record.operation) or (None,)
        ),
        blinds=tuple(sorted({policy for blind in needed for policy in needed_by.get(blind.record.operation, ())})),
        reader=ledger.reader,
    )


def _details(blinds: Sequence[Unread]) -> str:
    """The details of a gap; where those of several operations differ, each says what it is about."""
    about: dict[str, set[str]] = defaultdict(set)
    for blind in blinds:
        if blind.cause.detail:
            about[blind.cause.detail].add(OPERATIONS[blind.cause.operation].noun)
    if len(about) < 2 or len(set.union(*about.values())) < 2:
        return "; ".join(sorted(about))
    return "; ".join(sorted(f"{listed(sorted(nouns))}: {detail}" for detail, nouns in about.items()))


def skew_gap(skew: int, tenant: Scope, allowing: Accepted, needed_by: Mapping[str, tuple[str, ...]]) -> Gap:
    side = "ahead of" if skew > 0 else "behind"
    return Gap(
        scope=tenant,
        reason=Reason.CLOCK_SKEW,
        operations=(),
        detail=f"{abs(skew):,} seconds {side} Azure's",
        allowed=allowing.allows((tenant,), (), Reason.CLOCK_SKEW, None),
        blinds=tuple(sorted({policy for policies in needed_by.values() for policy in policies})),
    )


def unsupplied_gaps(unsupplied: Sequence[NotJudged], tenant: Scope, allowing: Accepted) -> Iterator[Gap]:
    """One gap for each kind of required evidence that was not supplied."""
    for need in dict.fromkeys(need for each in unsupplied for need in each.needs):
        blinded = tuple(sorted(each.policy.id for each in unsupplied if need in each.needs))
        yield Gap(
            scope=tenant,
            reason=Reason.NOT_SUPPLIED,
            operations=(),
            detail=need,
            allowed=every(allowing.allows((tenant,), (), Reason.NOT_SUPPLIED, policy) for policy in blinded),
            blinds=blinded,
        )


def every(answers: Iterable[bool]) -> bool:
    """Whether all are true, and there is at least one. Evaluates all, so that every match is counted."""
    known = list(answers)
    return bool(known) and all(known)
