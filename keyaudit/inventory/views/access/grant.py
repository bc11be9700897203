"""The view of grants."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.joins import cells, cells_apart, lists
from keyaudit.inventory.facts.relation import rows_read
from keyaudit.inventory.facts.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.inventory.views.access.reach_counts import DATA, HOLDS
from keyaudit.inventory.views.environment import NAMELESS, no_tests
from keyaudit.inventory.views.vaults.written_vaults import UNSEEN, unlisted
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.grant import HOLDERS
from keyaudit.model.tables.places import VAULTS_FOUND

_DERIVED = (
    "principal_kind",
    "principal_name",
    "principal_app_id",
    "scope_name",
    "effective",
    "environments_opened",
    "environment_crossings",
    "holders_named",
    "places_named",
    "in_test",
    *(f"{who}_{bound}" for who in (*HOLDS, "encrypting") for bound in ("min", "max")),
)
_TYPES = {
    "principal_kind": "VARCHAR",
    "principal_name": "VARCHAR",
    "principal_app_id": "VARCHAR",
    "scope_name": "VARCHAR",
    "effective": "BOOLEAN",
    "environments_opened": "VARCHAR[]",
    "environment_crossings": "VARCHAR[]",
    "holders_named": "BOOLEAN",
    "places_named": "BOOLEAN",
    "in_test": "BOOLEAN",
}

_NAMED = cells("grant.principal_id") | cells_apart("principal.kind", "principal.home", "principal.members_listed")
_MEMBERS = lists("principal.lookup", "group.members") | _NAMED
_OPENED_BY = (
    cells("grant.allows", "grant.scope")
    | rows_read("vault", "access_model", "tags", "subscription_name")
    | rows_read("subscription", "management_groups")
)
_HOMES = rows_read("principal", "environment", of=HOLDERS)
READS = {
    "principal_kind": _NAMED | cells("grant.principal_type") | lists("principal.lookup", "principal.get"),
    "principal_name": _NAMED | cells_apart("principal.name") | lists("principal.lookup"),
    "principal_app_id": _NAMED
    | cells("grant.principal_type")
    | lists("principal.lookup")
    | rows_read("service_principal", "app_id"),
    "scope_name": cells("grant.scope", "grant.scope_kind") | rows_read("subscription", "name"),
    "effective": cells("grant.allows", "grant.scope")
    | rows_read("vault", "access_model")
    | rows_read("subscription", "management_groups"),
    "environments_opened": _OPENED_BY,
    "places_named": _OPENED_BY,
    "in_test": _OPENED_BY,
    "environment_crossings": _MEMBERS | _OPENED_BY | _HOMES,
    "holders_named": _MEMBERS | _HOMES,
    "encrypting": _MEMBERS
    | rows_read("service_principal", "arm_id", of=("service_principal.list",))
    | rows_read("key_use", "consumer_id", "identity_ids", of=("service.query",)),
    **dict.fromkeys(HOLDS, _MEMBERS),
}
"""What each of these columns reads."""

_OPENS = f"met.{{0}} & {DATA} <> 0"
_OPENED = f"""count(met.vault) > 0 AS seen,
    min(CASE WHEN {_OPENS.format("certain")} THEN vault.environment_doubt ELSE met.doubt END)
        FILTER (WHERE {_OPENS.format("possible")}) AS opened_doubt,
    coalesce(bool_or(vault.environment IS NULL AND vault.environment_doubt IS NULL)
        FILTER (WHERE {_OPENS.format("possible")}), false) AS unplaced,
    coalesce(bool_or(vault.environment IS NULL AND vault.environment_doubt IS NULL)
        FILTER (WHERE {_OPENS.format("certain")}), false) AS surely_unplaced"""
_TESTED = """,
    bool_or(way.data + way.control + way.policy <> 0) AS opening,
    bool_or(met.possible <> 0 AND vault.in_test IS NOT FALSE) AS tested,
    coalesce(bool_or(met.certain <> 0 AND NOT vault.in_test), false) AS untested,
    min(CASE WHEN met.certain = 0 THEN coalesce(met.doubt, vault.in_test_doubt) ELSE vault.in_test_doubt END)
        FILTER (WHERE met.possible <> 0 AND (met.certain = 0 OR vault.in_test IS NULL)) AS test_doubt"""


def _crossed(sql: DuckDB) -> str:
    opened, homes = (f"coalesce({each}, {sql.texts(())})" for each in ("met.opened", "persons.homes"))
    from_others = sql.mapped(sql.chosen(homes, "here", "here <> there"), "here", "here || '->' || there")
    return f"array_sort(flatten({sql.mapped(opened, 'there', from_others)}))"


def joined(sql: DuckDB, query: str, *, known: bool) -> str:
    """The view in `query` with the derived columns.

    Without `known` they are NULL: `prepare` did not run, and the caller does not read them.
    """
    if not known:
        nulls = ", ".join(f"{sql.typed('NULL', _TYPES.get(name, 'BIGINT'))} AS {name}" for name in _DERIVED)
        return f"SELECT *, {nulls} FROM ({query})"
    derived = ", ".join(f"made.{name}" for name in (*_DERIVED, "unknown"))
    shown = f"{stored('grant', 'stored')}, {derived}"
    return f"SELECT {shown} FROM ({query}) AS stored JOIN reach_grant AS made ON made.id = stored.id"


def prepare(sources: Sources) -> str:
    """The statement that creates `reach_grant`, the derived columns by id, from the tables of `reach.prepare`."""
    counted = ", ".join(
        f"count(*) FILTER (WHERE {sure}) AS {who}_min, count(*) FILTER (WHERE {maybe}) AS {who}_most"
        for who, (sure, maybe) in (HOLDS | {"encrypting": ("encrypts", "encrypts IS NOT FALSE")}).items()
    )
    persons = f"""
        SELECT holder, min(doubt) AS doubt, {counted}, min(environment_doubt) AS homeless,
            min(encrypts_doubt) AS encrypts_doubt,
            {sources.sql.distinct("environment")} AS homes, bool_or(unnamed) AS unnamed
        FROM (SELECT DISTINCT holder, person, human, abroad, doubt, environment, environment_doubt, unnamed, encrypts,
            encrypts_doubt FROM reach_person)
        GROUP BY holder"""
    met = f"""
        SELECT way.id, {_OPENED}{"" if no_tests(sources) else _TESTED},
            {sources.sql.distinct("vault.environment", _OPENS.format("certain"))} AS opened,
            bool_or(met.certain <> 0) AS surely, bool_or(met.possible <> 0) AS perhaps,
            min(met.doubt) FILTER (WHERE met.certain = 0 AND met.possible <> 0) AS doubt
        FROM reach_way AS way LEFT JOIN reach_met AS met ON met.way = way.way
        LEFT JOIN reach_vault AS vault ON vault.vault = met.vault GROUP BY way.id"""
    # An assignment keeps the type of its principal after the principal is deleted: https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
    kind_doubt = "coalesce(holder.unproven, CASE WHEN holder.kind IS NULL THEN holder.kindless END)"
    # The identity may not see the subscription.
    scope_doubt = f"""CASE WHEN named.name IS NULL AND coalesce(stored.scope_kind = 'subscription', true) THEN coalesce(
        stored.unknown['scope_kind'], named.unknown['name'], {gap("subscriptions")}, '{Reason.NOT_VISIBLE}') END"""
    name_doubt = "CASE WHEN holder.name IS NULL THEN holder.nameless END"
    # Only a service principal has one.
    app_doubt = f"""CASE WHEN who.object_id IS NOT NULL THEN who.doubt
        WHEN holder.kind IS NULL THEN holder.kindless
        WHEN holder.kind IN ('service-principal', 'managed-identity')
        THEN coalesce({gap("apps")}, '{Reason.NOT_VISIBLE}') END"""
    # No known vault honours it, but unread vaults in its scope may.
    effective_doubt = (
        f"CASE WHEN met.surely THEN NULL WHEN met.perhaps THEN met.doubt WHEN met.id IS NOT NULL THEN {UNSEEN} END"
    )
    opened = f"coalesce(met.opened, {sources.sql.texts(())})"
    # Grants on one vault do not depend on the list of other vaults.
    opened_doubt = f"""CASE WHEN met.id IS NOT NULL
        THEN coalesce(met.opened_doubt, CASE WHEN stored.vault_id IS NULL OR NOT met.seen THEN {UNSEEN} END) END"""
    homes_doubt = "coalesce(holder.open, persons.homeless)"
    # If one of the lists is empty, there is no crossing.
    crossing_doubt = f"""CASE WHEN ({opened_doubt} IS NULL AND {sources.sql.size(opened)} = 0)
        OR ({homes_doubt} IS NULL AND persons.homes IS NULL) THEN NULL ELSE coalesce({opened_doubt}, {homes_doubt}) END"""
    # Who is not known may have no configured environment, too; and a vault that it may not open.
    nameless = f"CASE WHEN persons.unnamed THEN {NAMELESS} ELSE {homes_doubt} END"
    unplaced = f"CASE WHEN met.unplaced THEN '{Reason.NOT_CONFIGURED}' END"
    placeless = f"CASE WHEN met.surely_unplaced THEN {NAMELESS} ELSE coalesce({opened_doubt}, {unplaced}) END"
    in_test, test_doubt = "false", "NULL"
    if not no_tests(sources):
        others = f"CASE WHEN met.opening AND (stored.vault_id IS NULL OR NOT met.seen) THEN {UNSEEN} END"
        test_doubt = f"CASE WHEN NOT met.untested THEN coalesce(CASE WHEN met.tested THEN met.test_doubt END, {others}) END"
        in_test = f"CASE WHEN met.untested THEN false WHEN {test_doubt} IS NULL THEN coalesce(met.tested, false) END"
    counts = ", ".join(
        f"coalesce(persons.{who}_min, 0) AS {who}_min, CASE WHEN holder.open IS NULL THEN coalesce(persons.{who}_most, 0) END"
        f" AS {who}_max"
        for who in (*HOLDS, "encrypting")
    )
    return f"""
        CREATE TABLE reach_grant AS
        SELECT stored.id, CASE WHEN holder.unproven IS NULL THEN holder.kind END AS principal_kind,
            holder.name AS principal_name, who.app_id AS principal_app_id,
            named.name AS scope_name,
            CASE WHEN met.id IS NULL OR met.surely THEN true WHEN {effective_doubt} IS NULL THEN false END AS effective,
            CASE WHEN {opened_doubt} IS NULL THEN {opened} END AS environments_opened,
            CASE WHEN {crossing_doubt} IS NULL THEN {_crossed(sources.sql)} END AS environment_crossings,
            CASE WHEN {nameless} IS NULL THEN NOT coalesce(persons.unnamed, false) END AS holders_named,
            CASE WHEN {placeless} IS NULL THEN NOT coalesce(met.surely_unplaced, false) END AS places_named, {
        in_test
    } AS in_test, {counts},
            {
        extended(
            sources.sql,
            {
                "principal_kind": kind_doubt,
                "principal_name": name_doubt,
                "principal_app_id": app_doubt,
                "scope_name": scope_doubt,
                "effective": effective_doubt,
                "environments_opened": opened_doubt,
                "environment_crossings": crossing_doubt,
                "holders_named": nameless,
                "places_named": placeless,
                "in_test": test_doubt,
                **{
                    who: f"CASE WHEN holder.open IS NOT NULL OR persons.{who}_min <> persons.{who}_most"
                    f" THEN coalesce(holder.open, persons.{doubt}) END"
                    for who, doubt in (dict.fromkeys(HOLDS, "doubt") | {"encrypting": "encrypts_doubt"}).items()
                },
            },
        )
    }
        FROM {sources["grant"]} AS stored
        LEFT JOIN reach_holder AS holder ON holder.principal_id IS NOT DISTINCT FROM stored.principal_id
        LEFT JOIN (
            SELECT split_part(id, '/', -1) AS object_id, {sources.sql.lower("app_id")} AS app_id, unknown['app_id'] AS doubt
            FROM {sources["service_principal"]}
        ) AS who ON who.object_id = stored.principal_id
        LEFT JOIN ({persons}) AS persons ON persons.holder = holder.holder
        LEFT JOIN ({met}) AS met ON met.id = stored.id
        LEFT JOIN {sources["subscription"]} AS named ON stored.scope_kind = 'subscription' AND named.id = stored.scope
        CROSS JOIN (
            SELECT bool_and(whole) AS whole, min(reason) AS reason FROM ({read_to_the_end(("service_principal.list",))})
        ) AS apps
        CROSS JOIN (
            SELECT bool_and(whole) AS whole, min(reason) AS reason FROM ({read_to_the_end(VAULTS_FOUND[:1])})
        ) AS subscriptions
        {unlisted("stored.scope")}"""
