"""The blast radius of a key: the environments and subscriptions of its users."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.joins import cells
from keyaudit.inventory.facts.relation import rows_read
from keyaudit.inventory.scores.key import BLAST_RADIUS
from keyaudit.inventory.views.reach_counts import HOMES
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.reach import STANDING

_USES = {"sign": "signing", "wrap": "decrypting"}

_OWN = {"user_environments": ("environments", "environment"), "user_subscriptions": ("subscriptions", "subscription_id")}
READ = BLAST_RADIUS.reads | {
    "purpose",
    "environment",
    *(f"principals_{action}" for action in _USES.values()),
}
"""The columns of the view of keys that these depend on."""
READS = {
    **dict.fromkeys(_OWN, cells("key.purpose", "key.environment", *(f"key.principals_{each}" for each in _USES.values()))),
    "blast_radius": cells(*(f"key.{name}" for name in BLAST_RADIUS.reads)),
}
READS["user_environments"] |= rows_read("principal", "environment", of=STANDING)
READS["user_subscriptions"] |= rows_read("service_principal", "arm_id")
_DERIVED = tuple(f"{name}_{end}" for name in (*_OWN, "blast_radius") for end in ("min", "max"))


def keys(sql: DuckDB, query: str, *, known: bool) -> str:
    """The view of keys in `query` with these columns; NULL if reach was not computed.

    Their reasons are merged with those of `reach` and `vault` in one step.
    """
    if not known:
        both = f"CASE WHEN audit_why IS NULL THEN unknown ELSE {sql.united('unknown', 'audit_why')} END"
        lacking = ", ".join(f"CAST(NULL AS BIGINT) AS {name}" for name in _DERIVED)
        return f"SELECT {sql.replacing({'unknown': both}, without=('audit_why',))}, {lacking} FROM ({query})"
    counts = []
    for name, (homes, own) in _OWN.items():
        users = _of_use(homes)
        beside = f"CASE WHEN {own} IS NULL OR array_contains({users}, {own}) THEN 0 ELSE 1 END"
        count = f"coalesce({sql.size(users)}, 0) + {beside}"
        counts.append(f"CASE WHEN purpose IS NOT NULL THEN {count} END AS {name}_min, {_doubt(homes, own)} AS why_{name}")
    spread = f"""
        SELECT *, {", ".join(f"CASE WHEN why_{name} IS NULL THEN {name}_min END AS {name}_max" for name in _OWN)}
        FROM (SELECT *, {", ".join(counts)} FROM ({query}))"""
    rungs = {f"rung{nth}": rung.holds for nth, rung in enumerate(BLAST_RADIUS.rungs)}
    low, high = BLAST_RADIUS.bounds(list(rungs))
    ladder = f"SELECT *, {', '.join(f'{holds} AS {name}' for name, holds in rungs.items())} FROM ({spread})"
    bounds = f"SELECT *, CAST({low} AS BIGINT) AS blast_radius_min, CAST({high} AS BIGINT) AS blast_radius_max FROM ({ladder})"
    read = dict.fromkeys(column for rung in BLAST_RADIUS.rungs for column in rung.reads if column not in _OWN)
    why = ", ".join(
        [
            *(f"unknown['{column}']" for column in read),
            *(f"reach_why['{column}']" for column in read),
            *(f"why_{name}" for name in _OWN),
        ]
    )
    doubts = {
        **{name: f"why_{name}" for name in _OWN},
        "blast_radius": f"CASE WHEN blast_radius_min <> blast_radius_max THEN coalesce({why}) END",
    }
    none = " AND ".join(f"({doubt}) IS NULL" for doubt in doubts.values())
    unknown = f"""CASE WHEN audit_why IS NULL AND reach_why IS NULL AND {none} THEN unknown
                ELSE {sql.united("unknown", "audit_why", "reach_why", sql.present(doubts))} END"""
    without = (*rungs, *HOMES, *(f"why_{name}" for name in _OWN), "audit_why", "reach_why")
    return f"SELECT {sql.replacing({'unknown': unknown}, without=without)} FROM ({bounds})"


def _of_use(what: str) -> str:
    """SQL over the principals that can use the key for its purpose; NULL if there are none."""
    return f"CASE purpose {' '.join(f'''WHEN '{purpose}' THEN {action}_{what}''' for purpose, action in _USES.items())} END"


def _doubt(homes: str, own: str) -> str:
    """Why there may be more: unknown users of the key, or unknown environments of users."""
    users = " ".join(
        f"WHEN '{purpose}' THEN CASE WHEN principals_{action}_min IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}'"
        f" ELSE {action}_{homes}_doubt END"
        for purpose, action in _USES.items()
    )
    return f"coalesce(unknown['{own}'], unknown['purpose'], CASE purpose {users} END)"
