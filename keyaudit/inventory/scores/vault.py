"""The facts of the vault of a key or certificate."""

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.scores.ladder import Facts, Override
from keyaudit.model.reasons import Reason

_ASKED = ("network_open", "audit_searchable")
_WHY = {
    f"fact_{name}": f"CASE WHEN place.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE place.unknown['{name}'] END"
    for name in _ASKED
}


def _of_vault(sql: DuckDB) -> str:
    return f"""
    SELECT judged.*, {", ".join(f"place.{name} AS fact_{name}" for name in _ASKED)}, {sql.present(_WHY)} AS fact_unknown
    FROM judged LEFT JOIN (SELECT id, unknown, {", ".join(_ASKED)} FROM vault) AS place ON place.id = judged.vault_id"""  # noqa: S608 - declared names


OF_VAULT = Facts(_of_vault, {"vault": frozenset(_ASKED)})

BLIND = Override(
    name="blind",
    holds="NOT fact_audit_searchable",
    because="no log of what is done with it can be searched: one band up",
    reads=("fact_audit_searchable",),
    steps=1,
)
