"""The access models of vaults that refused a read, which the printed fix depends on."""

from msgspec.structs import replace

from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.coverage import ScopeKind
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Verdict


def with_access_models(verdict: Verdict, snapshot: Snapshot) -> Verdict:
    """The verdict with the access model of each vault that refused a read, if the snapshot has it."""
    refused = {gap.scope.id for gap in verdict.gaps if gap.reason is Reason.PERMISSION and gap.scope.kind is ScopeKind.VAULT}
    if not refused:
        return verdict
    with snapshot.judging(snapshot.run.as_of, reach_known=False, names=("vault",)) as connection:
        rows = connection.execute("SELECT lower(id), access_model FROM vault WHERE access_model IS NOT NULL").fetchall()
    models = {id_: model for id_, model in rows if id_ in refused}
    return replace(verdict, gaps=tuple(replace(gap, access_model=models.get(gap.scope.id, "")) for gap in verdict.gaps))
