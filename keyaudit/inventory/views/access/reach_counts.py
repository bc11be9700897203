"""The counts of reach: at each spot, the number of principals by kind, and their environments."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from collections.abc import Mapping
from itertools import product

from keyaudit.inventory.facts.fact import coalesced
from keyaudit.inventory.facts.sql import Sources, Wanted
from keyaudit.inventory.views.environment import NAMELESS, no_tests
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import HSM_ADMINISTRATOR
from keyaudit.model.tables.reach import (
    ACTIONS,
    ADMINISTRATORS,
    OTHERS_SIGNING,
    OUTSIDERS,
    READING,
    SIGNER_ENVIRONMENTS,
    SIGNERS_NAMED,
    SIGNING_WEIGHT,
    USING_AND_GRANTING,
)

SIGNING_OTHERWISE = OTHERS_SIGNING.name
"""To sign by another right than a role of key administrators."""
BITS = {action: 1 << place for place, action in enumerate((*ACTIONS, SIGNING_OTHERWISE))}
EVERY_ACTION = sum(BITS.values())
GRANT = BITS["granting"]
DATA = EVERY_ACTION - GRANT
USING = ("signing", "decrypting")
_USE = BITS["signing"] | BITS["decrypting"]
_PLACES = {"environment": "environments", "subscription": "subscriptions"}
_RECORDS = {"recorded": "records"}
HOLDS = {
    "principals": ("true", "true"),
    "humans": ("human", "human IS NOT FALSE"),
    "workloads": ("NOT human", "human IS NOT TRUE"),
    "foreign": ("abroad", "abroad IS NOT FALSE"),
}
"""The conditions for being counted certainly, and possibly."""


def _places(sources: Sources) -> Mapping[str, str]:
    return _PLACES if no_tests(sources) else {**_PLACES, **_RECORDS}


def homes(sources: Sources) -> tuple[str, ...]:
    """The environments of principals that certainly can use a key, by tags first and by [environments] alone, and their
    subscriptions, as lists, NULL for none; and why there may be more.

    Where something may be in an environment for tests, also `recorded`, that of the vault by [environments].
    """
    of = tuple(f"{action}_{homes}{end}" for action, homes, end in product(USING, _places(sources).values(), ("", "_doubt")))
    return of if no_tests(sources) else (*of, "recorded")


def _held_by(bits: str, action: str, condition: str = "true") -> str:
    return f"{bits} & {BITS[action]} <> 0 AND {condition}"


def _both(bits: str) -> str:
    return f"{bits} & {_USE} <> 0 AND {bits} & {GRANT} <> 0"


_OUTSIDERS = {column.name: action for column, action in zip(OUTSIDERS, ("signing", READING), strict=True)}
_COUNTS: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    **{
        f"{who}_{action}": ((action,), _held_by("certain", action, sure), _held_by("possible", action, maybe))
        for action in ACTIONS
        for who, (sure, maybe) in HOLDS.items()
    },
    **{
        name: ((action,), _held_by("certain", action, "NOT tier0"), _held_by("possible", action, "tier0 IS NOT TRUE"))
        for name, action in _OUTSIDERS.items()
    },
    SIGNING_OTHERWISE: (
        (SIGNING_OTHERWISE,),
        _held_by("certain", SIGNING_OTHERWISE),
        _held_by("possible", SIGNING_OTHERWISE),
    ),
    USING_AND_GRANTING.name: (("signing", "decrypting", "granting"), _both("certain"), _both("possible")),
}
"""By column, the actions that it depends on, and the conditions for being counted certainly, and possibly."""
_SUMS = {SIGNING_WEIGHT.name: ("signing",), ADMINISTRATORS.name: (ADMINISTRATORS.name,)}
"""The columns that are computed differently, with the columns that they depend on."""


def counts(sources: Sources, wanted: Wanted, *, granted: bool = True) -> str:
    """SQL of the table `reach`, from the earlier tables of `reach.prepare`: a row per spot, with the columns in `wanted`.

    Without `granted` there are no grants: each count is 0, without an upper bound if something was not read.
    """
    sql = sources.sql
    columns: list[str] = [] if no_tests(sources) else ["recorded"]
    reasons: dict[str, str] = {}
    asked = {name: actions for name, (actions, _, _) in _COUNTS.items()} | _SUMS
    for name, actions in ((name, actions) for name, actions in asked.items() if name in wanted):
        missing = coalesced([f"{action}_missing" for action in actions])
        doubts = coalesced([*(["tier0_doubt"] if name in _OUTSIDERS else []), *(f"{action}_doubt" for action in actions)])
        columns.append(f"{name}_min, CASE WHEN {missing} IS NULL THEN {name}_most END AS {name}_max")
        reasons[name] = f"coalesce({missing}, CASE WHEN {name}_min <> {name}_most THEN {doubts} END)"
    for action, homes in product(USING, _places(sources).values()):
        columns.append(f"{action}_{homes}, coalesce({action}_missing, {action}_{homes}_open) AS {action}_{homes}_doubt")
    name, doubt = SIGNER_ENVIRONMENTS.name, "coalesce(signing_missing, signing_environments_open)"
    columns.append(f"CASE WHEN {doubt} IS NULL THEN coalesce(signing_environments, {sql.texts(())}) END AS {name}")
    reasons[name] = doubt
    open_ = f"coalesce(signing_doubt, '{Reason.NOT_CONFIGURED}')"
    nameless = f"CASE WHEN unnamed THEN {NAMELESS} WHEN maybe_unnamed THEN {open_} END"
    columns.append(f"CASE WHEN {nameless} IS NULL THEN NOT unnamed END AS {SIGNERS_NAMED.name}")
    reasons[SIGNERS_NAMED.name] = nameless
    counted = f"""
        SELECT spot, {", ".join(columns)}, {sql.present(reasons)} AS unknown
        FROM ({_at_spots(sources, wanted) if granted else _ungranted(sources, wanted)})"""
    return f"SELECT {sql.replacing({'unknown': 'CASE WHEN cardinality(unknown) > 0 THEN unknown END'})} FROM ({counted})"


def _ungranted(sources: Sources, wanted: Wanted) -> str:
    """The result of `_at_spots` without grants."""
    sql = sources.sql
    names = (*(name for name in _COUNTS if name in wanted), SIGNING_WEIGHT.name, ADMINISTRATORS.name)
    nothing = [f"CAST(0 AS BIGINT) AS {name}_{bound}" for name in names for bound in ("min", "most")]
    nothing += [f"CAST(NULL AS STRING) AS {name}_doubt" for name in (*BITS, ADMINISTRATORS.name, "tier0")]
    for action, places in product(USING, _places(sources).values()):
        nothing += [
            f"{sql.typed('NULL', 'VARCHAR[]')} AS {action}_{places}",
            f"CAST(NULL AS STRING) AS {action}_{places}_open",
        ]
    missing = [f"{_missing(action, 'NULL')} AS {action}_missing" for action in BITS]
    return f"""
        SELECT vault.id AS spot, {", ".join(nothing + missing)}, vault.local_gap AS {ADMINISTRATORS.name}_missing,
            false AS unnamed, false AS maybe_unnamed, vault.recorded
        FROM reach_vault AS vault"""


def _at_spots(sources: Sources, wanted: Wanted) -> str:
    """Each spot with its counts, why each may be higher, and the environments of the principals that can use it."""
    sql = sources.sql
    counts = []
    for name, (_, sure, maybe) in ((name, each) for name, each in _COUNTS.items() if name in wanted):
        counts += [f"{_number(sure)} AS {name}_min", f"{_number(maybe)} AS {name}_most"]
    for bound, bits, human in (("min", "certain", "human"), ("most", "possible", "human IS NOT FALSE")):
        signs = _held_by(bits, "signing")
        counts.append(f"{_number(signs)} + {_number(f'{signs} AND {human}')} AS {SIGNING_WEIGHT.name}_{bound}")
    doubts = [f"min(doubt) FILTER (WHERE possible & {bit} <> 0) AS {action}_doubt" for action, bit in BITS.items()]
    open_ = [f"min(holder.open) FILTER (WHERE held.possible & {bit} <> 0) AS {action}_open" for action, bit in BITS.items()]
    homes = []
    for action, (place, places) in product(USING, _places(sources).items()):
        surely, perhaps = _held_by("certain", action), _held_by("possible", action)
        open_home = f"min(CASE WHEN certain & {BITS[action]} = 0 THEN doubt ELSE {place}_doubt END) FILTER (WHERE {perhaps})"
        homes.append(f"{sql.distinct(place, surely)} AS {action}_{places}")
        homes.append(f"{open_home} AS {action}_{places}_open")
    for bits, unnamed in (("certain", "unnamed"), ("possible", "maybe_unnamed")):
        homes.append(f"coalesce(bool_or({_held_by(bits, 'signing', 'people.unnamed')}), false) AS {unnamed}")
    name = ADMINISTRATORS.name
    return f"""
        SELECT counted.*, vault.recorded,
            {", ".join(f"{_missing(action, f'opened.{action}_open')} AS {action}_missing" for action in BITS)},
            coalesce(administering.administrators, 0) AS {name}_min, coalesce(administering.administrators, 0) AS {name}_most,
            coalesce(vault.local_gap, administering.open, anywhere.open) AS {name}_missing, CAST(NULL AS STRING) AS {name}_doubt
        FROM (
            SELECT spot.number, spot.spot, spot.vault, {", ".join(counts + doubts + homes)}, min(tier0_doubt) AS tier0_doubt
            FROM reach_spot AS spot LEFT JOIN ({_people(sources)}) AS people ON people.number = spot.number
            GROUP BY spot.number, spot.spot, spot.vault
        ) AS counted
        JOIN reach_vault AS vault ON vault.vault = counted.vault
        LEFT JOIN (
            SELECT held.number, {", ".join(open_)} FROM reach_held AS held
            JOIN reach_holder AS holder ON holder.holder = held.holder WHERE holder.open IS NOT NULL GROUP BY held.number
        ) AS opened ON opened.number = counted.number
        LEFT JOIN ({_administering()}) AS administering ON administering.vault_id = vault.id
        CROSS JOIN (SELECT min(placeless) AS open FROM reach_way WHERE kind = 'hsm-role') AS anywhere"""


def _number(condition: str) -> str:
    """SQL: the number of principals that match a condition."""
    return f"CAST(coalesce(sum(alike) FILTER (WHERE {condition}), 0) AS BIGINT)"


def _people(sources: Sources) -> str:
    """The permissions of principals at each spot, through all grants and groups; equal ones (`alike`) are counted together.

    A thousand vaults with thousands of principals are millions of pairs, but few different kinds.
    """
    # Properties that are the same at every spot are joined after grouping, because grouping by them is the most expensive part.
    # The kind of one that was not read is told by some of its grants.
    columns = ["human", "abroad", "tier0", "tier0_doubt", "unnamed"]
    columns += [f"{place}{end}" for place, end in product(_places(sources), ("", "_doubt"))]
    properties = ", ".join(f"who.{column}" for column in columns)
    first = "SELECT *, row_number() OVER (PARTITION BY person ORDER BY holder) AS nth FROM reach_person"
    return f"""
        SELECT {sources.sql.excluding("person", of="people")}, count(*) AS alike, {properties}
        FROM (
            SELECT held.number, person.person, bit_or(CASE WHEN person.proven THEN held.certain ELSE 0 END) AS certain,
                bit_or(held.possible) AS possible,
                min(coalesce(person.doubt, held.doubt)) AS doubt
            FROM reach_held AS held JOIN reach_person AS person ON person.holder = held.holder
            GROUP BY held.number, person.person
        ) AS people
        JOIN (SELECT * FROM ({first}) WHERE nth = 1) AS who ON who.person = people.person
        GROUP BY people.number, people.certain, people.possible, people.doubt, {properties}"""


def _administering() -> str:
    """The Managed HSMs with their number of administrators, and why there may be more."""
    return f"""
        SELECT way.vault_id, count(DISTINCT person.person) FILTER (WHERE way.role_id IS NOT NULL) AS administrators,
            min(coalesce(way.roleless, holder.open)) AS open
        FROM reach_way AS way JOIN reach_holder AS holder ON holder.holder = way.holder
        LEFT JOIN reach_person AS person ON person.holder = way.holder
        WHERE way.kind = 'hsm-role' AND coalesce(way.role_id = '{HSM_ADMINISTRATOR}', true) GROUP BY way.vault_id"""


def _missing(action: str, opened: str) -> str:
    """SQL: why there may be more; `opened`: why a principal of a grant may stand for others."""
    bit = BITS[action]
    policies = "NULL" if action == "granting" else "vault.policies_gap"
    return f"coalesce(CASE WHEN vault.by_roles & {bit} <> 0 THEN vault.roles_gap END, {policies}, vault.local_gap, {opened})"
