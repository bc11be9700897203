"""Who owns an application through other applications: a user can add a credential to what the user owns, and act as it.

An application needs a permission to do the same: https://learn.microsoft.com/graph/api/application-addpassword
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Count, Doubt
from keyaudit.inventory.facts.relation import Rows, by_hand
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.entra.privileges import applications
from keyaudit.model.reasons import Reason

_HOPS = 4


def indirect_users(rows: Rows, unseen: Doubt, untold: Doubt) -> Count:
    """The users that own an application that owns it and can manage what it owns, or that owns such an owner, up to four of
    them.

    Each counts with the owners of its application and of its service principal. `unseen`: why service principals may be
    missing, so that one counts as a user; `untold`: why it may have other owners.
    """
    app_id = rows.sources.sql.lower(f"{rows.alias}.app_id")
    rights = applications(rows.sources).flag("manages_owned").everything
    ways = by_hand("ways", f"LEFT JOIN ({_ways(rows.sources)}) AS ways ON ways.app_id = {app_id}") | rights
    doubt = untold | Doubt(("ways.doubt",), ways)
    users = "coalesce(ways.users, 0)"
    least = f"CASE WHEN {unseen.sql} IS NULL THEN {users} ELSE 0 END"
    return Count(least, f"CASE WHEN {doubt.sql} IS NULL THEN {users} END", doubt, ways | unseen.reads | doubt.reads)


def _ways(sources: Sources) -> str:
    """By application id: the number of such users, and why there may be others."""
    lower, each = sources.sql.lower, sources.sql.each
    service = f"SELECT split_part(id, '/', -1) AS object_id, {lower('app_id')} AS app_id FROM {sources['service_principal']}"
    owned = " UNION ALL ".join(
        f"SELECT {lower('app_id')} AS app_id, {each('owner_ids')} AS owner FROM {sources[table]}"
        for table in ("application", "service_principal")
    )
    unread_owners = " UNION ALL ".join(
        f"SELECT {lower('app_id')} AS app_id, unknown['owner_ids'] AS doubt FROM {sources[table]}"
        for table in ("application", "service_principal")
    )
    # One of unknown application id may be any of those that were reached.
    nameless = " UNION ALL ".join(
        f"SELECT unknown['app_id'] AS doubt FROM {sources[table]}" for table in ("application", "service_principal")
    )
    owners = f"""
        SELECT DISTINCT owned.app_id, {lower("owned.owner")} AS owner, service.app_id AS through
        FROM ({owned}) AS owned LEFT JOIN ({service}) AS service ON service.object_id = {lower("owned.owner")}"""
    able = applications(sources).under("able")
    manages = able.flag("manages_owned")
    # `untold`: why an owner on the way may be unable to manage what it owns.
    untold = f"CASE WHEN {manages.value} THEN NULL ELSE coalesce({manages.doubt.sql}, {quoted(Reason.NOT_VISIBLE)}) END"
    links = f"""
        SELECT owners.app_id, owners.through, {untold} AS untold FROM owners
        LEFT JOIN {able.sql} ON able.app_id = owners.through
        WHERE owners.through IS NOT NULL AND {manages.value} IS NOT FALSE"""
    steps = [
        "SELECT app_id AS root, through, untold FROM links WHERE through <> app_id",
        *(
            f"SELECT hop_{hop}.root, links.through, coalesce(hop_{hop}.untold, links.untold) AS untold"
            f" FROM hop_{hop} JOIN links ON links.app_id = hop_{hop}.through"
            for hop in range(1, _HOPS)
        ),
    ]
    hops = ", ".join(f"hop_{number} AS (SELECT DISTINCT * FROM ({step}))" for number, step in enumerate(steps, 1))
    every = " UNION ".join(f"SELECT root, through, untold FROM hop_{number}" for number in range(1, _HOPS + 1))
    sure = "count(DISTINCT users.owner) FILTER (WHERE reached.untold IS NULL)"
    return f"""
        WITH owners AS ({owners}), links AS ({links}), {hops}, reached AS ({every})
        SELECT reached.root AS app_id, {sure} AS users, coalesce(
            min(doubts.doubt), min(nameless.doubt),
            CASE WHEN count(DISTINCT users.owner) > {sure} THEN min(reached.untold) FILTER (WHERE users.owner IS NOT NULL) END
        ) AS doubt
        FROM reached
        LEFT JOIN (SELECT * FROM owners WHERE through IS NULL) AS users ON users.app_id = reached.through
        LEFT JOIN (SELECT app_id, min(doubt) AS doubt FROM ({unread_owners}) GROUP BY app_id) AS doubts
            ON doubts.app_id = reached.through
        CROSS JOIN (SELECT min(doubt) AS doubt FROM ({nameless})) AS nameless
        GROUP BY reached.root"""
