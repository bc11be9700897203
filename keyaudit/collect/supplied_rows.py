"""Rows from supplied evidence, for a running collection or for an earlier snapshot."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from keyaudit.collect.custody import write_custody
from keyaudit.collect.evidence import Evidence
from keyaudit.collect.places import tenant_scope
from keyaudit.collect.relying_parties.rows import write_relying_parties
from keyaudit.collect.repositories import write_repositories
from keyaudit.collect.rows import Row
from keyaudit.inventory.logs import LogStore
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.complete_since import stretches
from keyaudit.model.coverage import Scope
from keyaudit.model.errors import UsageError
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables.usage import USAGE_LOG

_PARTIES = "relying parties"
_LOGS = "logs of uses"
_CUSTODY = "custody records"
_REPOSITORIES = "repositories"


def write_supplied(spool: Spool, scope: Scope, evidence: Evidence) -> None:
    """Write the rows of the evidence that `spool` does not have yet."""
    if evidence.relying_parties and not spool.done(_PARTIES, scope):
        unit = spool.unit(_PARTIES, scope, ())
        write_relying_parties(unit, scope, evidence.relying_parties)
        unit.close(())
    if evidence.custody and not spool.done(_CUSTODY, scope):
        unit = spool.unit(_CUSTODY, scope, ())
        write_custody(unit, scope, evidence.custody)
        unit.close(())
    if evidence.repositories and not spool.done(_REPOSITORIES, scope):
        unit = spool.unit(_REPOSITORIES, scope, ())
        write_repositories(unit, scope, evidence.repositories)
        unit.close(())
    if evidence.logs and not spool.done(_LOGS, scope):
        unit = spool.unit(_LOGS, scope, ())
        write_usage(unit, scope, evidence.logs, evidence.usual)
        unit.close(())


def with_evidence(taken: Snapshot, folder: Path, evidence: Evidence) -> Snapshot:
    """A new snapshot in `folder` with the data of `taken` and later evidence, which replaces earlier evidence of the same kind.

    Raises UnsafeError for evidence of another tenant, UsageError for evidence that must be read together with the tenant.
    """
    if evidence.unified_audit is not None:
        raise UsageError("--import ual", "is read together with the tenant's settings", "collect again with it")
    evidence.belongs_to(taken.run.tenant_id)
    run = structs.replace(taken.run, evidence={**taken.run.evidence, **evidence.digests})
    with Spool.create(folder, run) as spool:
        write_supplied(spool, tenant_scope(run.tenant_id), evidence)
        return write(spool, run, evidence.logs, evidence.usual, beside=taken)


def write_usage(unit: Unit, scope: Scope, logs: LogStore, baseline: Baseline | None) -> None:
    """Write a row per log and resource, with whether the baseline was learned from such a log."""
    learned = None if baseline is None else {source for each in baseline.learned for source in each.sources}
    with logs.connect() as connection:
        for number, each in enumerate(stretches(connection)):
            facts = {
                "source": each.source,
                "logged_id": each.resource_id or scope.id,
                "first_on": each.first_on,
                "last_on": each.last_on,
                "whole_since": each.whole_since,
                "learned": None if learned is None else each.source in learned,
            }
            name = f"{each.source} of {each.resource_id or 'the tenant'}"
            _usage_row(unit, scope, USAGE_LOG, number, {"name": name, **facts})


def _usage_row(unit: Unit, scope: Scope, table: Table, number: int, facts: Mapping[str, object]) -> None:
    id_ = f"{scope.id}/{table.name}/{number}"
    row = Row(table, id=id_, resource_id=id_, scope_id=scope.id, url="usage import", version="")
    row.put_all(**facts)
    unit.row(table.name, row.finish())
