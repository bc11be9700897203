"""Reach: who can use what. Every grant is joined with the vaults that honour it and with the principals that have it.

A hundred thousand grants can apply to ten thousand vaults, with group members in between. So it is computed once for each
vault, and for each key with grants of its own, into the table `reach`, which views join. If the counts are not read, they are
not computed, and are NULL.

Permissions are bits. `certain` has the known ones, `possible` also those that may exist; if a required read is missing, a count
has no upper bound.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator, Mapping, Sequence

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.joins import NOTHING, Reads, cells, cells_apart, lists
from keyaudit.inventory.facts.relation import Rows, rows_read
from keyaudit.inventory.facts.sql import Sources, Wanted, gap, read_to_the_end
from keyaudit.inventory.load import quoted
from keyaudit.inventory.rows import SQL_TYPES, columns_of
from keyaudit.inventory.views.access import tier0
from keyaudit.inventory.views.access.reach_counts import BITS, DATA, EVERY_ACTION, GRANT, SIGNING_OTHERWISE, counts, homes
from keyaudit.inventory.views.environment import BY_RULE, in_test, of_vault
from keyaudit.inventory.views.vaults.written_vaults import places
from keyaudit.model.operations import OPERATIONS as ALL_OPERATIONS
from keyaudit.model.operations import Surface
from keyaudit.model.operations.kinds import SUBSCRIPTIONS
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Column, Type
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.grant import HONOURED, KEY_ADMINISTRATORS, Allows
from keyaudit.model.tables.reach import (
    ACTIONS,
    ADMINISTRATORS,
    CONTROL,
    OPERATIONS,
    OTHERS_SIGNING,
    OUTSIDERS,
    SIGNER_ENVIRONMENTS,
    SIGNERS_NAMED,
    SIGNING_WEIGHT,
    STANDING,
    USING_AND_GRANTING,
    WHO,
)

KINDS = ("azure-role", "access-policy", "hsm-role")
"""The kinds of grants on vaults."""

ROLES_LISTED = tuple(
    operation
    for operation in TABLES["grant"].added_by
    if any(row["kind"] == "azure-role" and row["standing"] for row in TABLES["grant"].rows_after(operation))
)
LOCAL_LISTED = tuple(
    operation for operation in TABLES["grant"].parts if ALL_OPERATIONS[operation].surface is Surface.MANAGED_HSM
)
"""The lists of role assignments: in the tenant, for each listed subscription, and in one Managed HSM."""

_HUMANS = "'user'"
_WORKLOADS = "'service-principal', 'managed-identity'"
_PERSONS = f"{_HUMANS}, {_WORKLOADS}"
_ABROAD = "'foreign-group'"
"""A group of another tenant counts as one principal: nobody here can list its members."""
_NOBODY = "'deleted', 'device', 'contact'"


_GRANTED = ("principal_id", "principal_type", "scope", "scope_kind", "vault_id", "role_id", "allows", "standing")
_ACCESS = lists(*OPERATIONS) | cells_apart(
    *(f"grant.{name}" for name in _GRANTED),
    *(f"principal.{name}" for name in ("kind", "home", "members_listed")),
    "subscription.management_groups",
)
"""What every count reads of grants and principals. Deny assignments and eligibilities do not matter: active access counts."""
_OF_VAULT = cells("vault.access_model", "vault.access_policies")
_IN_HSMS = frozenset({"vault", "key", "deleted"})
"""The tables with rows of Managed HSMs, whose own role assignments count there."""
_HOMES = rows_read("principal", "environment", of=STANDING)
_BESIDE = {
    **dict.fromkeys((SIGNER_ENVIRONMENTS.name, SIGNERS_NAMED.name), _HOMES),
    OTHERS_SIGNING.name: cells("grant.role_id"),
    ADMINISTRATORS.name: rows_read("grant", "role_id", of=LOCAL_LISTED),
    **dict.fromkeys((column.name for column in OUTSIDERS), lists(*CONTROL) | cells("service_principal.tier0")),
}


def reads(table: str) -> dict[str, Reads]:
    """What the columns of a table read that `counted` adds."""
    vaults = _OF_VAULT if table == "vault" else rows_read("vault", "access_model") | cells(f"{table}.vault_id")
    of_actions = (f"{who}_{action}" for who in WHO for action in ACTIONS)
    names = {*of_actions, SIGNING_WEIGHT.name, USING_AND_GRANTING.name, *_BESIDE}
    shown = names.intersection(TABLES[table].by_name)
    local = lists(*LOCAL_LISTED) if table in _IN_HSMS else NOTHING
    return {name: _ACCESS | local | vaults | _BESIDE.get(name, NOTHING) for name in shown}


def prepare(sources: Sources, wanted: Wanted) -> Iterator[str]:
    """The statements that compute it; the last creates the table `reach`, by the id of a vault or of an object with grants of
    its own.

    It has the counts in `wanted`.
    """
    yield from tier0.prepare(sources)
    yield f"CREATE TABLE reach_vault AS {_vaults(sources)}"
    yield f"CREATE TABLE reach_holder AS {_holders(sources)}"
    yield f"CREATE TABLE reach_person AS {_persons(sources)}"
    yield f"CREATE TABLE reach_way AS {_ways(sources)}"
    yield f"CREATE TABLE reach_met AS {_met(sources)}"
    yield f"CREATE TABLE reach_split AS {_split(sources.sql)}"
    yield f"CREATE TABLE reach_spot AS {_spots(sources.sql)}"
    yield f"CREATE TABLE reach_held AS {_holdings()}"
    yield f"CREATE TABLE reach AS {counts(sources, wanted)}"


def prepare_ungranted(sources: Sources, wanted: Wanted) -> Iterator[str]:
    """The same if no grants exist, for callers that only read the views of vaults and their content."""
    yield f"CREATE TABLE reach_vault AS {_vaults(sources)}"
    yield f"CREATE TABLE reach_split ({columns_of({'id': 'VARCHAR', 'objects': 'VARCHAR[]'}, sources.sql)})"
    yield f"CREATE TABLE reach AS {counts(sources, wanted, granted=False)}"


def counted(
    sources: Sources,
    query: str,
    *actions: str,
    known: bool,
    wanted: Wanted,
    vault: str = "id",
    thing: str = "",
    beside: Sequence[Column] = (),
    of_keys: bool = False,
) -> str:
    """The view in `query` with the counts of these actions; NULL if they were not computed.

    Of these and of `beside`, other columns that depend on access, only those in `wanted`. `vault` is the column with the id of
    a row's vault, `thing` an expression for its path below that id (`/keys/name`); without it the row is a vault with all its
    content. `of_keys`: also the columns `homes`, if they were computed; the reasons are then not in `unknown` but in the map
    `reach_why`, which the caller merges, because a map per row is slow for a million rows.
    """
    sql = sources.sql
    names = [name for action in actions for who in WHO if (name := f"{who}_{action}") in wanted]
    types = {f"{name}_{bound}": "BIGINT" for name in names for bound in ("min", "max")}
    for column in (each for each in beside if each.name in wanted):
        names.append(column.name)
        counts = {f"{column.name}_{bound}": "BIGINT" for bound in ("min", "max")}
        types |= counts if column.type is Type.COUNT else {column.name: SQL_TYPES[column.type]}
    if not types and not of_keys:
        return query
    if not known:
        nulls = ", ".join(f"{sql.typed('NULL', of)} AS {name}" for name, of in types.items())
        return f"SELECT *, {nulls} FROM ({query})"
    shown = (*types, *(homes(sources) if of_keys else ()))
    # Computed per spot instead of per row: there are few spots.
    reasons = f"CASE WHEN unknown IS NOT NULL THEN {sql.only('unknown', names)} END AS reasons"
    both = sql.united("made.unknown", "reach.reasons")
    unknown = f"CASE WHEN reach.reasons IS NULL THEN made.unknown ELSE {both} END"
    spot, split = f"made.{vault}", ""
    if thing:
        split = f"LEFT JOIN reach_split AS split ON split.id = {spot}"
        scope = f"{spot} || {thing}"
        spot = (
            f"CASE WHEN split.id IS NULL THEN {spot} WHEN array_contains(split.objects, {scope}) THEN {scope}"
            f" ELSE {spot} || '#' END"
        )
    own = "made.*, reach.reasons AS reach_why" if of_keys else sql.replacing({"unknown": unknown}, of="made")
    return f"""
        SELECT {own}, {", ".join(f"reach.{name}" for name in shown)}
        FROM ({query}) AS made {split} LEFT JOIN (SELECT *, {reasons} FROM reach) AS reach ON reach.spot = {spot}"""


def _vaults(sources: Sources) -> str:
    """Vaults, numbered, with their scopes, and by action why grants on them may be missing."""
    # A Managed HSM has no other model.
    model = "coalesce(vault.access_model, CASE WHEN vault.kind = 'managed-hsm' THEN 'hsm-local' END)"
    vaults = Rows(sources, "vault", "vault")
    environment, test = of_vault(vaults), in_test(vaults)
    roles, local, listed = map(read_to_the_end, (ROLES_LISTED, LOCAL_LISTED, SUBSCRIPTIONS))
    return f"""
        SELECT CAST(row_number() OVER (ORDER BY vault.id) AS INTEGER) AS vault, vault.id,
            '/subscriptions/' || vault.subscription_id AS subscription, {model} AS access_model,
            split_part(vault.id, '/providers/', 1) AS resource_group,
            CASE {model} WHEN 'rbac' THEN {EVERY_ACTION} WHEN 'access-policy' THEN {GRANT} WHEN 'hsm-local' THEN 0
                ELSE {EVERY_ACTION} END AS by_roles,
            coalesce({gap("roles")}, CASE WHEN place.id IS NULL THEN {gap("listed")} END) AS roles_gap,
            CASE WHEN {model} IN ('rbac', 'hsm-local') THEN NULL
                ELSE vault.unknown['access_policies'] END AS policies_gap,
            CASE WHEN {model} = 'hsm-local' THEN {gap("local")} END AS local_gap,
            {environment.value} AS environment,
            {environment.why.sql} AS environment_doubt,
            {BY_RULE.format("vault")} AS recorded, {test.value} AS in_test, {test.doubt.sql} AS in_test_doubt,
            vault.unknown['access_model'] AS model_gap
        FROM {sources["vault"]} AS vault
        LEFT JOIN (SELECT * FROM ({roles}) WHERE scope_id LIKE '/tenants/%') AS roles ON true
        LEFT JOIN (SELECT * FROM ({listed}) WHERE scope_id LIKE '/tenants/%') AS listed ON true
        LEFT JOIN {sources["subscription"]} AS place ON place.id = '/subscriptions/' || vault.subscription_id
        LEFT JOIN ({local}) AS local ON local.scope_id = vault.id"""


def _ways(sources: Sources) -> str:
    """Grants on vaults, numbered, with their data permissions, control permissions, and those for access policies only."""

    def has(names: str) -> str:
        return f"CAST({' OR '.join(f'array_contains(allows, {name})' for name in names.split(', '))} AS INTEGER)"

    data = " + ".join(
        f"{BITS[action]} * {has(names)}"
        for action, names in {
            "signing": "'sign'",
            "decrypting": "'decrypt', 'wrap'",
            "reading_private": "'read-private'",
            "backing_up": "'backup'",
        }.items()
    )
    administers = f"coalesce(role_id IN ({', '.join(map(quoted, KEY_ADMINISTRATORS))}), false)"
    data += f" + CASE WHEN {administers} THEN 0 ELSE {BITS[SIGNING_OTHERWISE]} * {has(quoted(Allows.SIGN))} END"
    # A grant with unknown permissions may allow anything.
    return f"""
        SELECT CAST(row_number() OVER (ORDER BY id) AS INTEGER) AS way, id, given.kind, holder.holder, standing, scope_kind,
            vault_id, coalesce(scope, vault_id) AS scope, allows IS NOT NULL AND scope IS NOT NULL AS known,
            coalesce({data}, {DATA}) AS data, coalesce({GRANT} * {has("'grant'")}, {GRANT}) AS control,
            coalesce({GRANT} * {has("'set-policy'")}, {GRANT}) AS policy,
            CASE WHEN unknown['role_id'] IS NULL THEN {EVERY_ACTION} ELSE {EVERY_ACTION - BITS[SIGNING_OTHERWISE]} END AS sure,
            role_id, unknown['role_id'] AS roleless, unknown['vault_id'] AS placeless, unknown['standing'] AS unsettled,
            coalesce(unknown['allows'], unknown['scope']) AS doubt
        FROM {sources["grant"]} AS given
        -- An unreadable entry may give access to anybody.
        JOIN reach_holder AS holder ON holder.principal_id IS NOT DISTINCT FROM given.principal_id
        WHERE given.kind IN ({", ".join(map(quoted, KINDS))})"""


def _met(sources: Sources) -> str:
    """Each grant at each vault in its scope; `object` if it applies to one object in the vault."""
    above = "SELECT DISTINCT scope FROM reach_way WHERE scope_kind = 'management-group' OR scope_kind IS NULL"
    around = places(sources, "reach_vault", "vault", above)
    inside = sources.sql.startswith("way.scope", "vault.id || '/'")
    # A local role on all keys of an HSM counts as one on the HSM.
    pairs = f"""
        SELECT place.vault, way.way, CAST(NULL AS STRING) AS object, place.doubt FROM ({around}) AS place
        JOIN reach_way AS way ON way.scope = place.scope
        UNION ALL
        SELECT vault.vault, way.way, CASE WHEN way.scope NOT IN (vault.id, vault.id || '/keys') THEN way.scope END, NULL
        FROM reach_way AS way JOIN reach_vault AS vault ON vault.id = way.vault_id
        WHERE coalesce(way.scope_kind = 'object', way.scope <> vault.id)
        UNION ALL
        -- A grant whose scope is unknown may apply to any vault.
        SELECT vault.vault, way.way, way.scope, way.doubt FROM reach_way AS way
        JOIN reach_vault AS vault ON way.scope IS NULL OR {inside}
        WHERE way.scope IS NULL OR (way.vault_id IS NULL AND coalesce(way.scope_kind = 'object', true))"""
    # If the access model is unknown, permissions that any model honours are possible, and those that all honour are certain.
    perhaps = {kind: [allows for kinds in HONOURED.values() for allows in kinds.get(kind, ())] for kind in KINDS}
    of_vaults = [HONOURED[model] for model in ("rbac", "access-policy")]
    surely = {kind: [each for each in Allows if all(each in kinds.get(kind, ()) for kinds in of_vaults)] for kind in KINDS}
    possible = _honoured(HONOURED, perhaps)
    certain = f"CASE WHEN NOT way.known OR pair.doubt IS NOT NULL THEN 0 ELSE {_honoured(HONOURED, surely)} & way.sure END"
    return f"""
        SELECT pair.vault, pair.object, way.way, way.holder, way.standing, way.unsettled,
            {certain} AS certain, {possible} AS possible,
            coalesce(pair.doubt, way.doubt, vault.model_gap, way.roleless) AS doubt
        FROM ({pairs}) AS pair
        JOIN reach_way AS way ON way.way = pair.way
        JOIN reach_vault AS vault ON vault.vault = pair.vault"""


def _honoured(models: Mapping[str, Mapping[str, Sequence[Allows]]], otherwise: Mapping[str, Sequence[Allows]]) -> str:
    """The bits of a grant that a vault honours; `otherwise`: for other models."""
    parts = {Allows.SIGN: "way.data", Allows.GRANT: "way.control", Allows.SET_POLICY: "way.policy"}

    def bits(kinds: Mapping[str, Sequence[Allows]]) -> str:
        whens = [
            f"WHEN '{kind}' THEN {' | '.join(part for allows, part in parts.items() if allows in kinds.get(kind, ())) or 0}"
            for kind in KINDS
        ]
        return f"CASE way.kind {' '.join(whens)} END"

    whens = " ".join(f"WHEN '{model}' THEN {bits(kinds)}" for model, kinds in models.items())
    return f"CASE vault.access_model {whens} ELSE {bits(otherwise)} END"


def _holders(sources: Sources) -> str:
    """The principals of grants: their kind, and why they may stand for unknown others."""
    # Without its own record, what its grants say is all that is known of it. A grant to somebody unknown may be to anybody.
    kind = "CASE WHEN named.principal_id IS NOT NULL THEN coalesce(principal.kind, named.type) END"
    return f"""
        SELECT CAST(row_number() OVER (ORDER BY named.principal_id NULLS LAST) AS INTEGER) AS holder,
            named.principal_id, {kind} AS kind, principal.name,
            CASE WHEN principal.kind IS NULL THEN principal.unknown['kind'] END AS unproven,
            coalesce(named.unnamed, principal.unknown['kind'], '{Reason.PARENT_NOT_ASSESSED}') AS kindless,
            CASE WHEN principal.id IS NULL THEN coalesce(named.unnamed, '{Reason.PARENT_NOT_ASSESSED}')
                ELSE principal.unknown['name'] END AS nameless,
            CASE WHEN {kind} = 'group' THEN CASE WHEN principal.members_listed THEN NULL
                    ELSE coalesce(principal.unknown['members_listed'], '{Reason.PARENT_NOT_ASSESSED}') END
                WHEN {kind} IN ({_PERSONS}, {_ABROAD}, {_NOBODY}) THEN NULL
                ELSE coalesce(named.unnamed, principal.unknown['kind'],
                    CASE WHEN {kind} IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE '{Reason.UNRECOGNISED}' END) END AS open
        FROM (
            SELECT principal_id, max(principal_type) AS type, min(unknown['principal_id']) AS unnamed
            FROM {sources["grant"]} GROUP BY principal_id
        ) AS named
        LEFT JOIN {sources["principal"]} AS principal ON principal.object_id = named.principal_id"""


def _persons(sources: Sources) -> str:
    """For each principal of a grant, its users and service principals, numbered."""
    kind = "coalesce(principal.kind, held.kind)"
    return f"""
        SELECT held.holder, held.person_id, CAST(dense_rank() OVER (ORDER BY held.person_id NULLS LAST) AS INTEGER) AS person,
            home.environment, coalesce(home.unnamed, false) AS unnamed,
            {_of_home("environment_why", kind)} AS environment_doubt,
            home.recorded, {_of_home("recorded_why", kind)} AS recorded_doubt,
            home.subscription, {_of_home("subscription_why", kind)} AS subscription_doubt,
            CASE WHEN home.object_id IS NOT NULL THEN home.encrypts
                WHEN {_of_home("encrypts_why", kind)} IS NULL THEN false END AS encrypts,
            {_of_home("encrypts_why", kind)} AS encrypts_doubt,
            {tier0.controls(kind)} AS tier0, {tier0.doubt(kind)} AS tier0_doubt,
            principal.id IS NULL OR principal.kind IS NOT NULL AS proven,
            CASE WHEN {kind} IN ({_HUMANS}) THEN true WHEN {kind} IN ({_WORKLOADS}) THEN false END AS human,
            CASE WHEN principal.home IS NOT NULL THEN principal.home = 'foreign' END AS abroad,
            coalesce(principal.unknown['kind'], principal.unknown['home'], CASE WHEN principal.id IS NULL
                THEN '{Reason.PARENT_NOT_ASSESSED}' WHEN {kind} IN ({_ABROAD}) THEN '{Reason.NOT_VISIBLE}'
                WHEN {kind} NOT IN ({_PERSONS}) THEN '{Reason.UNRECOGNISED}' END) AS doubt
        FROM (
            SELECT holder, principal_id AS person_id, kind FROM reach_holder WHERE kind IN ({_PERSONS}, {_ABROAD})
            UNION ALL
            SELECT holder.holder, member.member_id, NULL FROM reach_holder AS holder
            JOIN {sources["membership"]} AS member ON member.group_id = holder.principal_id WHERE holder.kind = 'group'
        ) AS held
        LEFT JOIN {sources["principal"]} AS principal ON principal.object_id = held.person_id
        LEFT JOIN reach_service_principal AS home ON home.object_id = held.person_id
        LEFT JOIN reach_control AS control ON control.object_id = held.person_id
        CROSS JOIN reach_blind AS blind
        WHERE {kind} IS NULL OR {kind} NOT IN ({_NOBODY}, 'group')"""


def _of_home(why: str, kind: str) -> str:
    """SQL: why a column of `home`, the service principal that a principal of that kind is, is unknown."""
    return f"""CASE WHEN home.object_id IS NOT NULL THEN home.{why}
        WHEN {kind} IN ({_WORKLOADS}) THEN coalesce(blind.principals, '{Reason.NOT_VISIBLE}')
        WHEN {kind} IS NULL THEN blind.principals END"""


def _split(sql: DuckDB) -> str:
    """The vaults in which single objects have grants of their own."""
    return f"""
        SELECT vault.id, {sql.distinct("met.object")} AS objects FROM reach_met AS met
        JOIN reach_vault AS vault ON vault.vault = met.vault WHERE met.object IS NOT NULL AND met.standing IS NOT FALSE
        GROUP BY vault.id"""


def _spots(sql: DuckDB) -> str:
    """The spots that are counted: a vault with its content; if single objects have grants, each of them, and the rest (#)."""
    return f"""
        SELECT CAST(row_number() OVER (ORDER BY spot) AS INTEGER) AS number, spot, vault, object, whole FROM (
            SELECT id AS spot, vault, CAST(NULL AS STRING) AS object, true AS whole FROM reach_vault
            UNION ALL
            SELECT split.id || '#', vault.vault, NULL, false FROM reach_split AS split
            JOIN reach_vault AS vault ON vault.id = split.id
            UNION ALL
            SELECT object, vault.vault, object, false
            FROM (SELECT several.id, {sql.each("several.objects")} AS object FROM reach_split AS several) AS split
            JOIN reach_vault AS vault ON vault.id = split.id
        )"""


def _holdings() -> str:
    """The permissions of each holder at each spot, over all its grants."""
    certain = "CASE WHEN met.standing THEN met.certain ELSE 0 END"
    return f"""
        SELECT spot.number, met.holder, CAST(bit_or({certain}) AS TINYINT) AS certain,
            CAST(bit_or(met.possible) AS TINYINT) AS possible,
            min(coalesce(met.doubt, met.unsettled)) FILTER (WHERE met.possible & ~({certain}) <> 0) AS doubt
        FROM reach_spot AS spot JOIN reach_met AS met ON met.vault = spot.vault
        WHERE met.standing IS NOT FALSE AND met.possible <> 0
            AND (spot.whole OR met.object IS NULL OR met.object = spot.object)
        GROUP BY spot.number, met.holder"""
