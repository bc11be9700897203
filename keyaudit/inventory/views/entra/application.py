"""The view of applications."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Count, Derived, Doubt, Fact, Truth, sized
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import NOTHING, Reads, cells, inside
from keyaudit.inventory.facts.relation import Rows, by_hand, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra.addresses import addresses
from keyaudit.inventory.views.entra.holder import last_sign_in
from keyaudit.inventory.views.entra.owners import indirect_users
from keyaudit.inventory.views.entra.privileges import controls, privileges
from keyaudit.inventory.views.vaults.versions import third_left
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_ROLES = inside(cells("grant.tier", "grant.scope_kind", "grant.principal_id"))
_PEOPLE = inside(cells("principal.user_type", "principal.enabled"))


def facts(sources: Sources, as_of: int) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "application")
    return {
        **privileges(rows["app_id"].map(sources.sql.lower), sources),
        "owner_count": sized(rows["owner_ids"], sources.sql.size),
        **addresses(rows),
        **_user_owners(rows),
        **_credentials(rows, as_of),
        "credential_last_used_on": _credential_last_used(rows),
        "last_client_sign_in_on": last_sign_in(rows, rows["app_id"].map(sources.sql.lower), "last_client_sign_in_on"),
    }


def _credentials(rows: Rows, as_of: int) -> dict[str, Derived]:
    """Its unexpired credentials. The list of applications has them, so those of a listed application are complete."""
    credential = Rows(rows.sources, "credential", "credential")
    kind, expires_on = credential["kind"], credential["expires_on"]
    # A row without an id may stand for several.
    of = groups(credential, "groups", by=credential["holder_id"], key=rows["id"], missing_of_row=credential["key_id"].why)
    of = of.counting("credential", "application.list")
    live = ~kind.eq("federated") & expires_on.told(lambda end: f"{end} > {as_of}", absent=True)
    secret = live & kind.eq("password")
    return {
        "live_credentials": of.count_of("live", live),
        "live_secrets": of.count_of("secrets", secret),
        "live_until": of.latest("until", expires_on, live, absent_last=True),
        "third_left_on": of.latest("third_left", third_left(credential, credential["starts_on"], expires_on), live),
        "only_secret_id": of.only("secrets", credential["id"], secret),
        "only_credential_id": of.only("live", credential["id"], live),
    }


def _credential_last_used(rows: Rows) -> Fact:
    """The last use of any of its credentials, by the report that credentials take theirs from."""
    used = Rows(rows.sources, "credential_activity", "used")
    unreported = unread("uses", TABLES["credential_activity"].listed_by, scope=f"{rows.alias}.scope_id")
    app_id = rows["app_id"].map(rows.sources.sql.lower)
    return groups(used, "uses_of", by=used["app_id"], key=app_id, missing=unreported).latest("last", used["last_used_on"])


def _user_owners(rows: Rows) -> dict[str, Derived]:
    """The owners of it and of its service principal that are not service principals of this tenant themselves, and the users
    that own such owners.
    """
    sql, sources = rows.sources.sql, rows.sources
    principal = Rows(sources, "service_principal", "principal")
    app_id = rows["app_id"].map(sql.lower)
    unseen = unread("principals", ("service_principal.list",), scope=f"{rows.alias}.scope_id")
    own = groups(principal, "own", by=principal["app_id"].map(sql.lower), key=app_id, missing=unseen, single=True)
    reads = by_hand("people", f"LEFT JOIN ({_users(sources)}) AS people ON people.id = {rows.alias}.id")
    # Any of them may be a service principal that was not listed.
    some = Truth("coalesce(people.users, 0) > 0", reads=reads)
    untold = (
        rows["owner_ids"].doubt | own.hidden("hidden") | own.doubt_of("owners", principal["owner_ids"]) | unseen.where(some)
    )

    def counted(name: str, doubt: Doubt = untold, beside: Reads = NOTHING) -> Count:
        least = f"CASE WHEN {unseen.sql} IS NULL THEN coalesce(people.{name}, 0) ELSE 0 END"
        most = f"CASE WHEN {doubt.sql} IS NULL THEN coalesce(people.{name}, 0) END"
        return Count(least, most, doubt, reads | unseen.reads | doubt.reads | beside)

    return {
        "user_owners": counted("users"),
        "owners_gaining": counted("gaining", beside=_ROLES),
        "owners_outside": counted("outside", untold | Doubt(("people.outside_doubt",), reads), _ROLES | _PEOPLE),
        "indirect_user_owners": indirect_users(rows, unseen, rows["app_id"].doubt | untold),
    }


def _users(sources: Sources) -> str:
    """By application, the number of owners that are not service principals of this tenant; of those that do not hold, or may
    activate, a role that controls the tenant, as far as was read; and of these the guests and disabled users, with why there
    may be others.
    """
    lower, each = sources.sql.lower, sources.sql.each
    owned, principal = (lower(f"{name}.app_id") for name in ("owned", "principal"))
    grant = Rows(sources, "grant", "each")
    controlling = f"SELECT principal_id AS owner FROM {grant.sql} WHERE kind = 'directory-role' AND {controls(grant).value}"
    return f"""
        SELECT people.id, count(*) AS users, count(*) FILTER (WHERE NOT people.holds) AS gaining,
            count(*) FILTER (WHERE NOT people.holds AND (who.user_type = 'Guest' OR NOT who.enabled)) AS outside,
            min(CASE WHEN who.id IS NULL THEN '{Reason.NOT_VISIBLE}'
                WHEN who.user_type = 'Guest' OR NOT who.enabled THEN NULL
                ELSE coalesce(who.unknown['user_type'], who.unknown['enabled']) END) FILTER (WHERE NOT people.holds)
                AS outside_doubt
        FROM (
            SELECT DISTINCT id, {lower("owner")} AS owner, {lower("owner")} IN (
                SELECT owner FROM ({controlling}) UNION ALL
                SELECT member_id FROM {sources["membership"]} WHERE group_id IN (SELECT owner FROM ({controlling}))
            ) AS holds
            FROM (
                SELECT own.id, {each("own.owner_ids")} AS owner FROM {sources["application"]} AS own
                UNION ALL
                SELECT owned.id, {each("principal.owner_ids")} FROM {sources["service_principal"]} AS principal
                JOIN {sources["application"]} AS owned ON {owned} = {principal}
                WHERE {sources.sql.size("principal.owner_ids")} > 0
            )
        ) AS people LEFT JOIN {sources["principal"]} AS who ON who.object_id = people.owner
        WHERE owner NOT IN (SELECT split_part(id, '/', -1) FROM {sources["service_principal"]}) GROUP BY people.id"""
