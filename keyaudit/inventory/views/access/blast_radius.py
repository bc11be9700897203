"""The blast radius of a key: the environments and subscriptions of its users."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterable
from typing import NamedTuple

from keyaudit.inventory.facts.joins import cells
from keyaudit.inventory.facts.relation import rows_read
from keyaudit.inventory.facts.sql import Sources, Wanted
from keyaudit.inventory.views.access.reach_counts import homes
from keyaudit.inventory.views.environment import no_tests
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.reach import STANDING


class _Rung(NamedTuple):
    """The blast radius is `value` where `holds`, SQL over a row of the view of keys, is true, and may be where it is NULL."""

    value: int
    holds: str
    reads: tuple[str, ...]


def _more_than(count: str, least: int) -> str:
    return f"CASE WHEN {count}_min > {least} THEN TRUE WHEN {count}_max <= {least} THEN FALSE END"


def _users(who: str, least: int) -> str:
    """Whether more than `least` principals can use the key for its purpose."""
    signing, decrypting = (_more_than(f"{who}_{action}", least) for action in ("signing", "decrypting"))
    return f"CASE purpose WHEN 'sign' THEN {signing} WHEN 'wrap' THEN {decrypting} WHEN 'public' THEN FALSE END"


def _rung(value: int, holds: str, *reads: str) -> _Rung:
    return _Rung(value, f"enabled AND purpose <> 'public' AND ({holds})", ("enabled", "purpose", *reads))


_SPREAD = _more_than("user_environments", 1)
# In descending order; 1 where none holds: nobody can use it.
_RUNGS = (
    _rung(5, f"purpose = 'sign' AND ({_SPREAD})", "user_environments"),
    _rung(
        4,
        f"({_SPREAD}) OR ({_more_than('user_subscriptions', 1)}) OR ({_users('foreign', 0)})",
        *("user_environments", "user_subscriptions", "foreign_signing", "foreign_decrypting"),
    ),
    _rung(
        3, f"({_users('workloads', 1)}) OR ({_more_than('used_by', 1)})", "workloads_signing", "workloads_decrypting", "used_by"
    ),
    _rung(
        2,
        f"({_users('principals', 0)}) OR ({_more_than('used_by', 0)})",
        "principals_signing",
        "principals_decrypting",
        "used_by",
    ),
)
_REACH_READS = frozenset(column for rung in _RUNGS for column in rung.reads)


def _bound(rungs: Iterable[str], held: str) -> str:
    cases = " ".join(f"WHEN {name}{held} THEN {rung.value}" for name, rung in zip(rungs, _RUNGS, strict=True))
    return f"CASE {cases} ELSE 1 END"


_USES = {"sign": "signing", "wrap": "decrypting"}

_OWN = {"user_environments": ("environments", "environment"), "user_subscriptions": ("subscriptions", "subscription_id")}
READ = _REACH_READS | {
    "purpose",
    "environment",
    *(f"principals_{action}" for action in _USES.values()),
}
"""The columns of the view of keys that these depend on."""
READS = {
    **dict.fromkeys(_OWN, cells("key.purpose", "key.environment", *(f"key.principals_{each}" for each in _USES.values()))),
    "blast_radius": cells(*(f"key.{name}" for name in _REACH_READS)),
}
READS["user_environments"] |= rows_read("principal", "environment", of=STANDING)
READS["user_subscriptions"] |= rows_read("service_principal", "arm_id")
_DERIVED = tuple(f"{name}_{end}" for name in (*_OWN, "blast_radius") for end in ("min", "max"))


def keys(sources: Sources, query: str, *, known: bool, wanted: Wanted) -> str:
    """The view of keys in `query` with these columns; NULL if reach was not computed.

    Their reasons are merged with those of `reach` and `vault` in one step.
    """
    sql = sources.sql
    if not known:
        both = f"CASE WHEN audit_why IS NULL THEN unknown ELSE {sql.united('unknown', 'audit_why')} END"
        lacking = ", ".join(f"CAST(NULL AS BIGINT) AS {name}" for name in _DERIVED)
        return f"SELECT {sql.replacing({'unknown': both}, without=('audit_why',))}, {lacking} FROM ({query})"
    counts = []
    for name, (places, own) in _OWN.items():
        users = _of_use(places)
        beside = f"CASE WHEN {own} IS NULL OR array_contains({users}, {own}) THEN 0 ELSE 1 END"
        count = f"coalesce({sql.size(users)}, 0) + {beside}"
        counts.append(f"CASE WHEN purpose IS NOT NULL THEN {count} END AS {name}_min, {_doubt(places, own)} AS why_{name}")
    spread = f"""
        SELECT *, {", ".join(f"CASE WHEN why_{name} IS NULL THEN {name}_min END AS {name}_max" for name in _OWN)}
        FROM (SELECT *, {", ".join(counts)} FROM ({query}))"""
    rungs = {f"rung{nth}": rung.holds for nth, rung in enumerate(_RUNGS)}
    low, high = _bound(rungs, ""), _bound(rungs, " IS NOT FALSE")
    ladder = f"SELECT *, {', '.join(f'{holds} AS {name}' for name, holds in rungs.items())} FROM ({spread})"
    bounds = f"SELECT *, CAST({low} AS BIGINT) AS blast_radius_min, CAST({high} AS BIGINT) AS blast_radius_max FROM ({ladder})"
    read = dict.fromkeys(column for rung in _RUNGS for column in rung.reads if column not in _OWN)
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
    changed = {}
    if "in_test" in wanted and not no_tests(sources):
        used, elsewhere = _elsewhere(sources)
        changed["in_test"] = f"CASE WHEN {elsewhere} THEN false WHEN NOT in_test OR {used} IS NULL THEN in_test END"
        doubts["in_test"] = f"CASE WHEN in_test AND NOT ({elsewhere}) THEN {used} END"
    none = " AND ".join(f"({doubt}) IS NULL" for doubt in doubts.values())
    unknown = f"""CASE WHEN audit_why IS NULL AND reach_why IS NULL AND {none} THEN unknown
                ELSE {sql.united("unknown", "audit_why", "reach_why", sql.present(doubts))} END"""
    without = (*rungs, *homes(sources), *(f"why_{name}" for name in _OWN), "audit_why", "reach_why")
    return f"SELECT {sql.replacing({'unknown': unknown, **changed}, without=without)} FROM ({bounds})"


def _elsewhere(sources: Sources) -> tuple[str, str]:
    """SQL: why a principal of another environment than that of its vault may use a key, and whether one does.

    The tags of a principal cannot make it one of that environment: what [environments] says of it counts beside them.
    """
    sql = sources.sql
    lists = [each for each in homes(sources) if each.endswith(("_environments", "_records"))]
    every = f"flatten({sql.items(*(f'coalesce({each}, {sql.texts(())})' for each in lists))})"
    others = sql.chosen(every, "home", "home <> recorded")
    return f"coalesce({', '.join(f'{each}_doubt' for each in lists)})", f"coalesce({sql.size(others)} > 0, false)"


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
