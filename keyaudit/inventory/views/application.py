"""The view of applications."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Count, Derived, Truth, sized
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, by_hand, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.addresses import addresses
from keyaudit.inventory.views.owners import indirect_users
from keyaudit.inventory.views.privileges import privileges
from keyaudit.inventory.views.versions import third_left


def facts(sources: Sources, as_of: int) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "application")
    return {
        **privileges(rows["app_id"].map(sources.sql.lower), sources),
        "owner_count": sized(rows["owner_ids"], sources.sql.size),
        **addresses(rows),
        **_user_owners(rows),
        **_credentials(rows, as_of),
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
    users = "coalesce(people.users, 0)"
    least = f"CASE WHEN {unseen.sql} IS NULL THEN {users} ELSE 0 END"
    direct = Count(least, f"CASE WHEN {untold.sql} IS NULL THEN {users} END", untold, reads | unseen.reads | untold.reads)
    return {"user_owners": direct, "indirect_user_owners": indirect_users(rows, unseen, rows["app_id"].doubt | untold)}


def _users(sources: Sources) -> str:
    """By application, the number of owners that are not service principals of this tenant."""
    owned, principal = (sources.sql.lower(f"{each}.app_id") for each in ("owned", "principal"))
    return f"""
        SELECT id, count(DISTINCT owner) AS users FROM (
            SELECT id, {sources.sql.lower("owner")} AS owner FROM (
                SELECT own.id, {sources.sql.each("own.owner_ids")} AS owner FROM {sources["application"]} AS own
                UNION ALL
                SELECT owned.id, {sources.sql.each("principal.owner_ids")} FROM {sources["service_principal"]} AS principal
                JOIN {sources["application"]} AS owned ON {owned} = {principal}
                WHERE {sources.sql.size("principal.owner_ids")} > 0
            )
        ) WHERE owner NOT IN (SELECT split_part(id, '/', -1) FROM {sources["service_principal"]}) GROUP BY id"""
