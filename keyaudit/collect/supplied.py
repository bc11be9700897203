"""Rows from supplied evidence, for a running collection or for an earlier snapshot."""

from pathlib import Path

from msgspec import structs

from keyaudit.collect.custody import write_custody
from keyaudit.collect.evidence import Evidence
from keyaudit.collect.places import tenant_scope
from keyaudit.collect.relying_parties.rows import write_relying_parties
from keyaudit.collect.repositories import write_repositories
from keyaudit.collect.uses import write_usage
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Scope
from keyaudit.model.errors import UsageError

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
