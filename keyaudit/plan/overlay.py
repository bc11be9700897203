"""Lays a plan over a snapshot: its rows replace, add to and remove those of the tenant."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import structs

from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Coverage, Refusal, Scope, ScopeKind, State
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run
from keyaudit.model.tables import TABLES
from keyaudit.plan.deletions import Removed
from keyaudit.plan.spool import PlanSpool

_BATCH = 4_096


def laid_over(snapshot: Snapshot, planned: PlanSpool, removed: Removed, folder: Path, run: Run) -> Snapshot:
    """The snapshot in `folder` as it will be after apply. `planned` has the rows of the plan.

    A column that the plan does not have keeps the value that it has in the snapshot. Of a new place, such as a vault that the
    plan creates, the coverage is that of the plan.
    """
    seen = {record.scope.id for record in snapshot.coverage}
    lacking: dict[tuple[str, str], Refusal] = {}
    more: list[Coverage] = []
    for record in planned.coverage():
        # What is not read, and is left as it is, is in the snapshot.
        refusal = planned.answers.lacking(record.operation, unchanged=False)
        if refusal:
            lacking[record.scope.id, record.operation] = refusal
        if record.scope.id not in seen:
            left = record.reason is Reason.UNREAD_RESOURCE and not refusal
            more.append(structs.replace(record, reason=Reason.NOT_IN_PLAN, detail="") if left else record)
    kept = [_lacking(record, lacking.get((record.scope.id, record.operation))) for record in snapshot.coverage]
    beside = structs.replace(snapshot, coverage=(*kept, *more))
    scope = Scope(f"/tenants/{run.tenant_id}".lower(), run.tenant_name, ScopeKind.TENANT)
    with Spool.create(folder, run) as spool:
        unit = spool.unit("plan", scope, ())
        for table in TABLES:
            rows = {row["id"]: row for row in _planned(planned, table)}
            if not rows and not removed:
                continue
            for row in _merged(snapshot, table, rows, removed) if rows or _has_removed(snapshot, table, removed) else ():
                unit.row(table, row)
        unit.close(())
        return write(spool, run, beside=beside)


def _lacking(record: Coverage, refusal: Refusal | None) -> Coverage:
    """The coverage of a list after the plan, which may add to it what is not read."""
    if refusal is None or record.state is not State.ASSESSED:
        return record
    state = State.PARTIAL if record.kept else State.NOT_ASSESSED
    return structs.replace(record, state=state, reason=refusal.reason, detail=refusal.detail)


def _planned(planned: Spool, table: str) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, planned.lines(table))


def _has_removed(snapshot: Snapshot, table: str, removed: Removed) -> bool:
    return any(removed.covers(table, row) for row in _stored(snapshot, table))


def _merged(
    snapshot: Snapshot, table: str, rows: Mapping[str, dict[str, Any]], removed: Removed
) -> Iterator[Mapping[str, object]]:
    left = dict(rows)
    for old in _stored(snapshot, table):
        if removed.covers(table, old):
            continue
        new = left.pop(old["id"], None)
        yield old if new is None else _updated(old, new)
    yield from left.values()


def _updated(old: Mapping[str, Any], new: Mapping[str, Any]) -> Mapping[str, object]:
    """A row after the plan, with what only the tenant has."""
    unknown: dict[str, str] = dict(new.get("unknown", {}))
    kept = [column for column, reason in unknown.items() if reason == Reason.NOT_IN_PLAN]
    before: Mapping[str, str] = old.get("unknown", {})
    for column in kept:
        del unknown[column]
    unknown |= {column: before[column] for column in kept if column in before}
    return {**new, **{column: old.get(column) for column in kept}, "unknown": unknown}


def _stored(snapshot: Snapshot, table: str) -> Iterator[dict[str, Any]]:
    """The stored rows of a table, as a spool has them."""
    if not snapshot.tables[table].rows:
        return
    with snapshot.reading() as connection:
        answer = connection.execute(f"SELECT * FROM {snapshot.stored(table)}")  # noqa: S608 - declared names only
        names: Sequence[str] = [each[0] for each in answer.description or ()]
        maps = {column.name for column in TABLES[table].stored if column.type == "map"} | {"unknown"}
        while found := answer.fetchmany(_BATCH):
            for values in found:
                row = dict(zip(names, values, strict=True))
                yield {name: dict(value) if name in maps and value is not None else value for name, value in row.items()}
