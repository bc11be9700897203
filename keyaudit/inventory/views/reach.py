"""Who can reach what: every grant brought to the vaults that honour it and to the people who hold it, counted once.

Some hundred thousand grants meet some ten thousand vaults, and a group's members come in between. So it is worked out once for
each vault, and for each key with grants of its own, into the table `reach`, which views join. Where nobody reads
these counts, it is not worked out at all, and they are NULL.

Bits stand for actions. `certain` has those that surely hold, `possible` those that may; where something needed was not read,
a count has no upper bound.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator, Sequence

from keyaudit.inventory.views.sql import Sources, gap, read_to_the_end
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.reach import ACTIONS, WHO

BITS = {action: 1 << place for place, action in enumerate(ACTIONS)}
_ALL = sum(BITS.values())
_GRANT = BITS["granting"]
_DATA = _ALL - _GRANT

_HUMANS = "'user'"
_WORKLOADS = "'service-principal', 'managed-identity'"
_PERSONS = f"{_HUMANS}, {_WORKLOADS}"
_NOBODY = "'deleted', 'device', 'contact'"
HOLDS = {
    "principals": ("true", "true"),
    "humans": ("human", "human IS NOT FALSE"),
    "workloads": ("NOT human", "human IS NOT TRUE"),
    "foreign": ("abroad", "abroad IS NOT FALSE"),
}
"""Condition of being counted for certain, and perhaps."""


def prepare(sources: Sources) -> Iterator[str]:
    """The statements that work it out: last, the table `reach`, by the id of a vault or of what in it has grants of its own."""
    yield f"CREATE TABLE reach_vault AS {_vaults(sources)}"
    yield f"CREATE TABLE reach_holder AS {_holders(sources)}"
    yield f"CREATE TABLE reach_person AS {_persons(sources)}"
    yield f"CREATE TABLE reach_way AS {_ways(sources)}"
    yield f"CREATE TABLE reach_met AS {_met(sources)}"
    yield f"CREATE TABLE reach_split AS {_split()}"
    yield f"CREATE TABLE reach_spot AS {_spots()}"
    yield f"CREATE TABLE reach_held AS {_held()}"
    yield f"CREATE TABLE reach AS {_counted()}"


def counted(query: str, *actions: str, known: bool, vault: str = "id", thing: str = "") -> str:
    """The view that `query` makes, with the counts of these actions; NULL where they were not worked out.

    `vault` is the column with the id of a row's vault, `thing` an expression for what is below that id in its scope
    (`/keys/name`); without it the row is a vault with all in it.
    """
    names = [f"{who}_{action}" for action in actions for who in WHO]
    bounds = [f"{name}_{bound}" for name in names for bound in ("min", "max")]
    if not known:
        return f"SELECT *, {', '.join(f'NULL::BIGINT AS {name}' for name in bounds)} FROM ({query})"
    listed = ", ".join(f"'{name}'" for name in names)
    reasons = f"map_from_entries(list_filter(map_entries(reach.unknown), lambda entry: list_contains([{listed}], entry.key)))"
    unknown = f"CASE WHEN reach.unknown IS NULL THEN made.unknown ELSE map_concat(made.unknown, {reasons}) END"
    spot, split = f"made.{vault}", ""
    if thing:
        split = f"LEFT JOIN reach_split AS split ON split.id = {spot}"
        scope = f"{spot} || {thing}"
        spot = (
            f"CASE WHEN split.id IS NULL THEN {spot} WHEN list_contains(split.objects, {scope}) THEN {scope}"
            f" ELSE {spot} || '#' END"
        )
    return f"""
        SELECT made.* REPLACE ({unknown} AS unknown), {", ".join(f"reach.{name}" for name in bounds)}
        FROM ({query}) AS made {split} LEFT JOIN reach ON reach.spot = {spot}"""


NAMES = {f"{who}_{action}": (who, action) for action in ACTIONS for who in WHO}


def _vaults(sources: Sources) -> str:
    """Vaults, numbered, with the scopes that they are in, and by action why grants to them may be missing."""
    listed = {kind: _listing(kind) for kind in ("azure-role", "hsm-role")}
    roles = read_to_the_end(listed["azure-role"])
    local = (
        read_to_the_end(listed["hsm-role"]) if listed["hsm-role"] else "SELECT NULL AS scope_id, NULL AS whole, NULL AS reason"
    )
    return f"""
        SELECT row_number() OVER (ORDER BY vault.id)::INTEGER AS vault, vault.id,
            '/subscriptions/' || vault.subscription_id AS subscription, vault.access_model,
            split_part(vault.id, '/providers/', 1) AS resource_group,
            CASE vault.access_model WHEN 'rbac' THEN {_ALL} WHEN 'access-policy' THEN {_GRANT} WHEN 'hsm-local' THEN 0
                ELSE {_ALL} END AS by_roles,
            {gap("roles")} AS roles_gap,
            CASE WHEN vault.access_model IN ('rbac', 'hsm-local') THEN NULL
                ELSE vault.unknown['access_policies'] END AS policies_gap,
            CASE WHEN vault.access_model = 'hsm-local' THEN {gap("local")} END AS local_gap,
            CASE WHEN vault.access_model NOT IN ('rbac', 'access-policy', 'hsm-local') THEN '{Reason.UNRECOGNISED}'
                ELSE vault.unknown['access_model'] END AS model_gap
        FROM {sources["vault"]} AS vault
        LEFT JOIN (SELECT * FROM ({roles}) WHERE scope_id LIKE '/tenants/%') AS roles ON true
        LEFT JOIN ({local}) AS local ON local.scope_id = vault.id"""


def _listing(kind: str) -> Sequence[str]:
    """The operations that list the grants of a kind."""
    parts = TABLES["grant"].parts
    return [operation for operation, rows in parts.items() if {"kind": kind} in [dict(row) for row in rows]]


def _ways(sources: Sources) -> str:
    """Grants that reach vaults, numbered: what they allow of data, of control, and of access policies alone."""

    def has(names: str) -> str:
        return f"list_has_any(allows, [{names}])::INTEGER"

    data = " + ".join(
        f"{BITS[action]} * {has(names)}"
        for action, names in {
            "signing": "'sign'",
            "decrypting": "'decrypt', 'wrap'",
            "reading_private": "'read-private'",
            "backing_up": "'backup'",
        }.items()
    )
    # What is not known to be allowed may be anything.
    return f"""
        SELECT row_number() OVER ()::INTEGER AS way, id, given.kind, holder.holder, standing, scope_kind, vault_id,
            coalesce(scope, vault_id) AS scope, allows IS NOT NULL AND scope IS NOT NULL AS known,
            coalesce({data}, {_DATA}) AS data, coalesce({_GRANT} * {has("'grant'")}, {_GRANT}) AS control,
            coalesce({_GRANT} * {has("'set-policy'")}, {_GRANT}) AS policy,
            coalesce(unknown['allows'], unknown['scope']) AS doubt
        FROM {sources["grant"]} AS given JOIN reach_holder AS holder ON holder.principal_id = given.principal_id
        WHERE given.kind IN ('azure-role', 'access-policy', 'hsm-role')"""


def _met(sources: Sources) -> str:
    """Each way at each vault in its scope; `object` where it holds for one thing in the vault."""
    places = f"""
        SELECT vault, unnest(['/', subscription, resource_group, id]) AS scope, NULL AS doubt FROM reach_vault
        UNION ALL
        SELECT vault, unnest(place.management_groups), NULL FROM reach_vault
        JOIN {sources["subscription"]} AS place ON place.id = reach_vault.subscription
        UNION ALL
        SELECT vault, above.scope, coalesce(place.unknown['management_groups'], '{Reason.PARENT_NOT_ASSESSED}') FROM reach_vault
        LEFT JOIN {sources["subscription"]} AS place ON place.id = reach_vault.subscription
        CROSS JOIN (SELECT DISTINCT scope FROM reach_way WHERE scope_kind = 'management-group') AS above
        WHERE place.management_groups IS NULL"""
    pairs = f"""
        SELECT place.vault, way.way, NULL::VARCHAR AS object, place.doubt FROM ({places}) AS place
        JOIN reach_way AS way ON way.scope = place.scope
        UNION ALL
        SELECT vault.vault, way.way, way.scope, NULL FROM reach_way AS way JOIN reach_vault AS vault ON vault.id = way.vault_id
        WHERE way.scope_kind = 'object'"""
    # Roles reach data only where a vault goes by them, access policies only where it goes by those, and neither reaches an HSM.
    possible = """CASE
        WHEN way.kind = 'hsm-role' THEN way.data | way.control
        WHEN way.kind = 'access-policy' THEN CASE WHEN vault.access_model IN ('rbac', 'hsm-local') THEN 0 ELSE way.data END
        WHEN vault.access_model = 'rbac' THEN way.data | way.control
        WHEN vault.access_model = 'access-policy' THEN way.control | way.policy
        WHEN vault.access_model = 'hsm-local' THEN 0
        ELSE way.data | way.control | way.policy END"""
    certain = f"""CASE WHEN NOT way.known OR pair.doubt IS NOT NULL THEN 0
        WHEN vault.access_model IN ('rbac', 'access-policy', 'hsm-local') OR way.kind = 'hsm-role' THEN {possible}
        WHEN way.kind = 'azure-role' THEN way.control ELSE 0 END"""
    return f"""
        SELECT pair.vault, pair.object, way.way, way.holder, way.standing, {certain} AS certain, {possible} AS possible,
            coalesce(pair.doubt, way.doubt, vault.model_gap) AS doubt
        FROM ({pairs}) AS pair
        JOIN reach_way AS way ON way.way = pair.way
        JOIN reach_vault AS vault ON vault.vault = pair.vault"""


def _holders(sources: Sources) -> str:
    """Whom grants name: what each is, and why it may stand for others who are not known."""
    kind = "coalesce(principal.kind, named.type)"
    return f"""
        SELECT row_number() OVER ()::INTEGER AS holder, named.principal_id, {kind} AS kind, principal.name,
            coalesce(principal.unknown['kind'], '{Reason.PARENT_NOT_ASSESSED}') AS kindless,
            CASE WHEN principal.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE principal.unknown['name'] END AS nameless,
            CASE WHEN {kind} = 'group' THEN CASE WHEN principal.members_listed THEN NULL
                    ELSE coalesce(principal.unknown['members_listed'], '{Reason.PARENT_NOT_ASSESSED}') END
                WHEN {kind} IN ({_PERSONS}, {_NOBODY}) THEN NULL
                ELSE coalesce(principal.unknown['kind'], '{Reason.UNRECOGNISED}') END AS open
        FROM (SELECT principal_id, max(principal_type) AS type FROM {sources["grant"]} GROUP BY principal_id) AS named
        LEFT JOIN {sources["principal"]} AS principal ON principal.object_id = named.principal_id"""


def _persons(sources: Sources) -> str:
    """For each whom grants name, the users and service principals that it stands for, numbered."""
    kind = "coalesce(principal.kind, held.kind)"
    return f"""
        SELECT held.holder, dense_rank() OVER (ORDER BY held.person_id)::INTEGER AS person,
            CASE WHEN {kind} IN ({_HUMANS}) THEN true WHEN {kind} IN ({_WORKLOADS}) THEN false END AS human,
            CASE WHEN principal.home IS NOT NULL THEN principal.home = 'foreign' END AS abroad,
            coalesce(principal.unknown['kind'], principal.unknown['home'], CASE WHEN principal.id IS NULL
                THEN '{Reason.PARENT_NOT_ASSESSED}' WHEN {kind} NOT IN ({_PERSONS}) THEN '{Reason.UNRECOGNISED}' END) AS doubt
        FROM (
            SELECT holder, principal_id AS person_id, kind FROM reach_holder WHERE kind IN ({_PERSONS})
            UNION ALL
            SELECT holder.holder, member.member_id, NULL FROM reach_holder AS holder
            JOIN {sources["membership"]} AS member ON member.group_id = holder.principal_id WHERE holder.kind = 'group'
        ) AS held
        LEFT JOIN {sources["principal"]} AS principal ON principal.object_id = held.person_id
        WHERE {kind} IS NULL OR {kind} NOT IN ({_NOBODY}, 'group')"""


def _split() -> str:
    """The vaults in which single things have grants of their own."""
    return """
        SELECT vault.id, list(DISTINCT met.object) AS objects FROM reach_met AS met
        JOIN reach_vault AS vault ON vault.vault = met.vault WHERE met.object IS NOT NULL AND met.standing GROUP BY vault.id"""


def _spots() -> str:
    """What counts are made for: a vault with all in it; where single things have grants, each of those, and the rest (#)."""
    return """
        SELECT row_number() OVER ()::INTEGER AS number, spot, vault, object, whole FROM (
            SELECT id AS spot, vault, NULL AS object, true AS whole FROM reach_vault
            UNION ALL
            SELECT split.id || '#', vault.vault, NULL, false FROM reach_split AS split
            JOIN reach_vault AS vault ON vault.id = split.id
            UNION ALL
            SELECT object, vault.vault, object, false FROM (SELECT id, unnest(objects) AS object FROM reach_split) AS split
            JOIN reach_vault AS vault ON vault.id = split.id
        )"""


def _held() -> str:
    """What each holder has at each spot, over all its ways."""
    return """
        SELECT spot.number, met.holder, bit_or(met.certain)::UTINYINT AS certain, bit_or(met.possible)::UTINYINT AS possible,
            min(met.doubt) FILTER (met.possible & ~met.certain <> 0) AS doubt
        FROM reach_spot AS spot JOIN reach_met AS met ON met.vault = spot.vault
        WHERE met.standing AND met.possible <> 0 AND (spot.whole OR met.object IS NULL OR met.object = spot.object)
        GROUP BY ALL"""


def _counted() -> str:
    people = """
        SELECT held.number, person.person, bit_or(held.certain) AS certain, bit_or(held.possible) AS possible,
            any_value(person.human) AS human, any_value(person.abroad) AS abroad,
            min(coalesce(person.doubt, held.doubt)) AS doubt
        FROM reach_held AS held JOIN reach_person AS person ON person.holder = held.holder
        GROUP BY ALL"""
    counts = [
        f"count(*) FILTER (certain & {BITS[action]} <> 0 AND {HOLDS[who][0]}) AS {name}_min, "
        f"count(*) FILTER (possible & {BITS[action]} <> 0 AND {HOLDS[who][1]}) AS {name}_most"
        for name, (who, action) in NAMES.items()
    ]
    doubts = [f"min(doubt) FILTER (possible & {bit} <> 0) AS {action}_doubt" for action, bit in BITS.items()]
    open_ = [f"min(holder.open) FILTER (held.possible & {bit} <> 0) AS {action}_open" for action, bit in BITS.items()]
    missing = {action: _missing(action) for action in ACTIONS}
    bounded = [
        f"coalesce({name}_min, 0) AS {name}_min,"
        f" CASE WHEN {missing[action]} IS NULL THEN coalesce({name}_most, 0) END AS {name}_max"
        for name, (_, action) in NAMES.items()
    ]
    reasons = ", ".join(
        f"{{'key': '{name}', 'value': CASE WHEN {missing[action]} IS NOT NULL OR {name}_min <> {name}_most"
        f" THEN coalesce({missing[action]}, {action}_doubt) END}}"
        for name, (_, action) in NAMES.items()
    )
    return f"""
        SELECT spot.spot, {", ".join(bounded)}, nullif(map_from_entries(list_filter([{reasons}],
            lambda entry: entry.value IS NOT NULL)), MAP {{}}) AS unknown
        FROM reach_spot AS spot JOIN reach_vault AS vault ON vault.vault = spot.vault
        LEFT JOIN (SELECT number, {", ".join(counts + doubts)} FROM ({people}) GROUP BY number) AS counted
            ON counted.number = spot.number
        LEFT JOIN (
            SELECT held.number, {", ".join(open_)} FROM reach_held AS held
            JOIN reach_holder AS holder ON holder.holder = held.holder WHERE holder.open IS NOT NULL GROUP BY held.number
        ) AS opened ON opened.number = spot.number"""


def _missing(action: str) -> str:
    """Why there may be more that nobody saw."""
    bit = BITS[action]
    policies = "NULL" if action == "granting" else "vault.policies_gap"
    return (
        f"coalesce(CASE WHEN vault.by_roles & {bit} <> 0 THEN vault.roles_gap END, {policies}, vault.local_gap,"
        f" opened.{action}_open)"
    )
