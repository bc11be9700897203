"""The groups of the first page that a finding is in, as SQL: a mask of groups, as `model.stakes.at_stake` reads it."""

from keyaudit.inventory.dialect import DUCKDB
from keyaudit.model.findings import Severity
from keyaudit.model.stakes import OPENS, SURE, Facts, Stake, certainly
from keyaudit.policy.bind import Bound
from keyaudit.policy.queries import writer_of
from keyaudit.policy.sql import is_unknown


def opens(table: str) -> str:
    """SQL: the groups that a row of the table is in by what it opens; an unknown column leaves its group possible."""
    return " + ".join(_in_group(stake, facts) for stake, facts in OPENS.get(table, {}).items()) or "0"


def _in_group(stake: Stake, facts: Facts) -> str:
    if not facts:
        return str(certainly(stake))
    holds = " OR ".join(
        f"(NOT {is_unknown(DUCKDB, name)} AND {DUCKDB.name(name)} IN ({', '.join(map(_literal, values))}))"
        for name, values in facts.items()
    )
    perhaps = " OR ".join(is_unknown(DUCKDB, name) for name in facts)
    return f"CASE WHEN coalesce({holds}, FALSE) THEN {certainly(stake)} WHEN {perhaps} THEN {stake.bit} ELSE 0 END"


def _literal(value: str | bool) -> str:
    return DUCKDB.text(value) if isinstance(value, str) else str(value).upper()


def suspected(number: int, bound: Bound, as_of: int) -> str:
    """SQL: whether the condition of a possible compromise holds for a row whose unknown values are NULL.

    `number`: as in `codeN`.
    """
    suspicion = bound.policy.suspicion
    if suspicion is None:
        return "FALSE"
    return writer_of(number, bound, as_of).write(suspicion.condition.tree) if suspicion.condition else "TRUE"


def stakes_of(number: int, bound: Bound, as_of: int) -> str:
    """SQL: the groups that a failure of a policy is in, from `codeN`, `opens` and columns whose unknown values are NULL."""
    suspicion = bound.policy.suspicion
    if suspicion is None:
        return "opens"
    held = suspected(number, bound, as_of)
    return f"opens + CASE WHEN code{number} % 5 < {suspicion.least.rank} THEN 0 ELSE {_suspicion(held)} END"


def _suspicion(held: str) -> str:
    return f"CASE WHEN {held} THEN {certainly(Stake.COMPROMISE)} WHEN NOT {held} THEN 0 ELSE {Stake.COMPROMISE.bit} END"


def mask_of(bound: Bound, severity: Severity, opened: int, held: bool | None) -> int:
    """The same mask, from the values of `opens` and `suspected`."""
    suspicion = bound.policy.suspicion
    if suspicion is None or severity.rank < suspicion.least.rank or held is False:
        return opened
    return opened | Stake.COMPROMISE.bit | (Stake.COMPROMISE.bit * SURE if held else 0)
