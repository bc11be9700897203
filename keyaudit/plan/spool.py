"""The spool of a plan: the rows that collectors make of its answers, without those of what is only referred to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import structs

from keyaudit.inventory.disk.journal import Opened
from keyaudit.inventory.disk.lock import Lock
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run
from keyaudit.plan.answers import Answers

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
        self._outside, self._decided = spool.answers.outside, spool.answers.decided

    def close(self, coverage: Sequence[Coverage]) -> None:
        super().close([_not_in_plan(record) if record.reason in _CONSEQUENCES else record for record in coverage])

    def row(self, table: str, row: Mapping[str, object]) -> None:
        if table not in _PLACES or row["id"] not in self._outside:
            decided = self._decided.get(str(row["id"]))
            super().row(table, _with(row, decided) if decided else row)


def _not_in_plan(record: Coverage) -> Coverage:
    return structs.replace(record, reason=Reason.NOT_IN_PLAN, detail="")


def _with(row: Mapping[str, object], decided: Mapping[str, object]) -> Mapping[str, object]:
    """The row with what was decided of it."""
    before = row.get("unknown")
    known = {column: value for column, value in decided.items() if not isinstance(value, Refusal)}
    unknown = {column: str(value.reason) for column, value in decided.items() if isinstance(value, Refusal)}
    held = {column: why for column, why in before.items() if column not in known} if isinstance(before, Mapping) else {}
    return {**row, **known, **dict.fromkeys(unknown), "unknown": {**held, **unknown}}
