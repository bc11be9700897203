"""The view of applications."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts import sql
from keyaudit.inventory.facts.sql import Sources, Wanted, gap
from keyaudit.inventory.views import agents
from keyaudit.inventory.views.privileges import OF_APPLICATIONS, privileges
from keyaudit.model.tables import TABLES

_PRINCIPALS = TABLES["service_principal"].listed_by


def view(sources: Sources, as_of: int, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    with_agents, app_id = not agents.none(sources), sources.sql.lower("stored.app_id")
    granted = privileges(
        sources.sql,
        OF_APPLICATIONS,
        app_id,
        unlisted="theirs.unlisted, agents.unlisted" if with_agents else "theirs.unlisted",
        seen="(theirs.app_id IS NOT NULL)",
        blueprint="stored.agent_blueprint IS NOT FALSE",
    )
    doubts = {
        "owner_count": "stored.unknown['owner_ids']",
        "user_owners": _USERS_DOUBT,
        # The list of applications includes their credentials, so those of a listed application are complete.
        "live_credentials": "groups.doubt",
        "live_secrets": "groups.doubt",
        # One credential without an expiration date decides it.
        "live_until": "CASE WHEN groups.endless THEN NULL ELSE groups.doubt END",
        "only_secret_id": _only_doubt("secrets", "possible_secrets"),
        "only_credential_id": _only_doubt("certain", "possible"),
        **granted.doubts,
    }
    owners = sources.sql.size("stored.owner_ids")
    columns = {
        "owner_count": f"coalesce({owners}, 0) AS owner_count_min, {owners} AS owner_count_max",
        "user_owners": f"""
            CASE WHEN {gap("principals")} IS NULL THEN coalesce(people.users, 0) ELSE 0 END AS user_owners_min,
            CASE WHEN {_USERS_DOUBT} IS NULL THEN coalesce(people.users, 0) END AS user_owners_max""",
        "live_credentials": """coalesce(groups.certain, 0) AS live_credentials_min,
            CASE WHEN NOT coalesce(groups.unread, false) THEN coalesce(groups.possible, 0) END AS live_credentials_max""",
        "live_secrets": """coalesce(groups.secrets, 0) AS live_secrets_min,
            CASE WHEN NOT coalesce(groups.unread, false) THEN coalesce(groups.possible_secrets, 0) END AS live_secrets_max""",
        "live_until": "CASE WHEN NOT groups.endless AND groups.doubt IS NULL THEN groups.live_until END AS live_until",
        "only_secret_id": f"{_only('secrets', 'possible_secrets', 'secret')} AS only_secret_id",
        "only_credential_id": f"{_only('certain', 'possible', 'credential')} AS only_credential_id",
        **granted.columns,
    }
    joins = {
        "theirs": f"LEFT JOIN ({_theirs(sources)}) AS theirs ON theirs.app_id = {sources.sql.lower('stored.app_id')}",
        "agents": f"LEFT JOIN ({_agents(sources)}) AS agents ON agents.app_id = {sources.sql.lower('stored.app_id')}",
        "groups": f"LEFT JOIN ({_credentials(sources, as_of)}) AS groups ON groups.holder_id = stored.id",
        "people": f"LEFT JOIN ({_users(sources)}) AS people ON people.id = stored.id",
        **granted.joins,
    }
    return sql.view("application", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)


def _credentials(sources: Sources, as_of: int) -> str:
    """By holder, the credentials that are certainly or possibly unexpired; `unread`: a row may stand for several."""
    # A credential without an expiration date never expires; with an unknown date it may have expired.
    live = f"""
        SELECT holder_id, id, kind, key_id, expires_on, unknown, kind <> 'federated' AND CASE
            WHEN expires_on IS NOT NULL THEN expires_on > {as_of} WHEN unknown['expires_on'] IS NULL THEN true END AS live
        FROM {sources["credential"]}"""
    return f"""
        SELECT holder_id, count(*) FILTER (WHERE live) AS certain, count(*) FILTER (WHERE live IS NOT FALSE) AS possible,
            count(*) FILTER (WHERE live AND kind = 'password') AS secrets,
            count(*) FILTER (WHERE live IS NOT FALSE AND (kind = 'password') IS NOT FALSE) AS possible_secrets,
            max(expires_on) FILTER (WHERE live) AS live_until, coalesce(bool_or(live AND expires_on IS NULL), false) AS endless,
            min(id) FILTER (WHERE live AND kind = 'password') AS secret, min(id) FILTER (WHERE live) AS credential,
            bool_or(key_id IS NULL) AS unread,
            min(coalesce(unknown['kind'], unknown['expires_on'])) FILTER (WHERE live IS NULL) AS doubt
        FROM ({live}) GROUP BY holder_id"""


def _only(certain: str, possible: str, of: str) -> str:
    """The id of a credential if it is certainly the only one."""
    return f"CASE WHEN groups.{certain} = 1 AND groups.{possible} = 1 AND NOT groups.unread THEN groups.{of} END"


def _only_doubt(certain: str, possible: str) -> str:
    """Why it is uncertain whether there is exactly one. Two that are certain decide it."""
    return f"CASE WHEN groups.{certain} < 2 AND (groups.{possible} > groups.{certain} OR groups.unread) THEN groups.doubt END"


_USERS_DOUBT = f"""coalesce(stored.unknown['owner_ids'], stored.unknown['app_id'], theirs.doubt,
    CASE WHEN theirs.app_id IS NULL THEN coalesce({gap("principals")}, unseen.nameless)
        WHEN people.users > 0 THEN {gap("principals")} END)"""
"""Why their number is uncertain: unlisted owners, owners that may be unlisted service principals, or an unknown service
principal of its own. App ids are unique: https://learn.microsoft.com/graph/api/serviceprincipal-get
"""


def _theirs(sources: Sources) -> str:
    """By app id, whether a service principal has it, and why its owners or app roles may be missing."""
    app_id = sources.sql.lower("app_id")
    return f"""
        SELECT {app_id} AS app_id, min(unknown['owner_ids']) AS doubt, min(unknown['app_roles_listed']) AS unlisted
        FROM {sources["service_principal"]} GROUP BY ALL"""


def _agents(sources: Sources) -> str:
    """By the client id of a blueprint, why app roles of one of its agents may not have been listed."""
    return f"SELECT app_id, min(unlisted) AS unlisted FROM ({agents.unlisted(sources)}) GROUP BY app_id"


def _users(sources: Sources) -> str:
    """By application, the number of owners that are not service principals of this tenant."""
    owned, principal = (sources.sql.lower(f"{each}.app_id") for each in ("owned", "principal"))
    return f"""
        SELECT id, count(DISTINCT owner) AS users FROM (
            SELECT id, {sources.sql.lower("owner")} AS owner FROM (
                SELECT id, {sources.sql.each("owner_ids")} AS owner FROM {sources["application"]}
                UNION ALL
                SELECT owned.id, {sources.sql.each("principal.owner_ids")} FROM {sources["service_principal"]} AS principal
                JOIN {sources["application"]} AS owned ON {owned} = {principal}
                WHERE {sources.sql.size("principal.owner_ids")} > 0
            )
        ) WHERE owner NOT IN (SELECT split_part(id, '/', -1) FROM {sources["service_principal"]}) GROUP BY id"""
