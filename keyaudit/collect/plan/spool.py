"""The spool of a plan: the rows that collectors make of its answers, without those of what is only referred to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import structs

from keyaudit.collect.plan.answers import Answers
from keyaudit.inventory.journal import Opened
from keyaudit.inventory.lock import Lock
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Run
from keyaudit.model.tables.grant import GRANT

_SCOPE = tuple(name for name in ("scope", "scope_kind", "vault_id") if GRANT.by_name[name].can_be_unknown)
_PLACES = frozenset({"vault", "application", "service_principal", "managed_identity"})
_CONSEQUENCES = frozenset({Reason.PARENT_NOT_ASSESSED, Reason.NOTHING_VISIBLE})
"""What a list without a plan's answer makes of the reads that depend on it."""


class PlanSpool(Spool):
    """A spool whose units drop rows of vaults that the plan has no resource for."""

    def __init__(self, folder: Path, run: Run, lock: Lock) -> None:
        super().__init__(folder, run, lock)
        self.answers = Answers()
        """The answers that the rows are made of."""

    def _begin(self, name: str, opened: Opened) -> Unit:
        return _PlanUnit(self, name, opened)


class _PlanUnit(Unit):
    def __init__(self, spool: PlanSpool, name: str, opened: Opened) -> None:
        super().__init__(spool, name, opened)
        self._outside, self._unscoped = spool.answers.outside, spool.answers.unscoped

    def close(self, coverage: Sequence[Coverage]) -> None:
        super().close([_not_in_plan(record) if record.reason in _CONSEQUENCES else record for record in coverage])

    def row(self, table: str, row: Mapping[str, object]) -> None:
        if table not in _PLACES or row["id"] not in self._outside:
            super().row(table, _settled(table, self._scoped(table, row)))

    def _scoped(self, table: str, row: Mapping[str, object]) -> Mapping[str, object]:
        """The row; of a grant whose scope is known after apply, without the one that its id stands for."""
        if table != "grant" or row["id"] not in self._unscoped:
            return row
        before = row.get("unknown")
        unknown = {**(before if isinstance(before, Mapping) else {}), **dict.fromkeys(_SCOPE, str(Reason.AFTER_APPLY))}
        return {**row, **dict.fromkeys(_SCOPE), "unknown": unknown}


def _not_in_plan(record: Coverage) -> Coverage:
    return structs.replace(record, reason=Reason.NOT_IN_PLAN, detail="")


def _settled(table: str, row: Mapping[str, object]) -> Mapping[str, object]:
    """The row with what follows from there being one version of a new secret: it is the current one."""
    unknown = row.get("unknown")
    if table == "secret" and isinstance(unknown, Mapping) and unknown.get("is_current") == Reason.UNRECOGNISED:
        return {**row, "is_current": True, "unknown": {name: why for name, why in unknown.items() if name != "is_current"}}
    return row
