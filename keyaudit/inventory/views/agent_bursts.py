"""How many agent identities were created from one blueprint at a time, as the directory's audit log shows."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory import rows
from keyaudit.inventory.facts.sql import Sources, gap, no_rows, read_to_the_end
from keyaudit.model.tables import TABLES
from keyaudit.model.times import DAY

_ADDED = "stored.operation = 'add-service-principal'"
_AGENT = "holder.agent_type IS NOT DISTINCT FROM 'agent-identity'"

COLUMNS = {"agent_blueprint": "burst.blueprint", "agents_created": "burst.agents"}
_DOUBT = f"""CASE WHEN {_ADDED} AND burst.id IS NULL THEN coalesce(told.doubt, holder.agent_doubt,
    CASE WHEN holder.object_id IS NULL OR {_AGENT} THEN coalesce(stored.unknown['target_id'], {gap("agents")}) END) END"""
DOUBTS = dict.fromkeys(COLUMNS, _DOUBT)


def joins(sources: Sources) -> str:
    """SQL that joins the relations of `COLUMNS` and `DOUBTS` to `stored`, the uses."""
    agents = sources["agent"]
    return f"""
        LEFT JOIN ({_bursts(sources)}) AS burst ON burst.id = stored.id
        LEFT JOIN (SELECT object_id, unknown['blueprint_app_id'] AS doubt FROM {agents}
            WHERE unknown['blueprint_app_id'] IS NOT NULL) AS told ON told.object_id = stored.target_id
        LEFT JOIN ({read_to_the_end(TABLES["agent"].listed_by)}) AS agents ON true"""


def _bursts(sources: Sources) -> str:
    """By use that created an agent, its blueprint, and how many were created from it in the 24 hours that end then.

    The number is only given where the next creation does not see more, so that a burst is one number. A blueprint's principal
    creates nothing but agents, so that agents which are deleted since count, too.
    """
    if no_rows(sources, "agent", "blueprint"):
        return rows.no_rows({"id": "VARCHAR", "blueprint": "VARCHAR", "agents": "BIGINT"}, sources.sql)
    return f"""
        SELECT id, blueprint, CASE WHEN following IS NULL OR following < agents THEN agents END AS agents
        FROM (SELECT *, lead(agents) OVER (PARTITION BY blueprint ORDER BY used_on, id) AS following
            FROM (SELECT *, count(*) OVER (PARTITION BY blueprint ORDER BY used_on
                    RANGE BETWEEN {DAY - 1} PRECEDING AND CURRENT ROW) AS agents
                FROM (SELECT used.id, used.used_on, coalesce(agent.blueprint_app_id, maker.app_id) AS blueprint
                    FROM {sources["usage"]} AS used
                    LEFT JOIN {sources["agent"]} AS agent ON agent.object_id = used.target_id
                    LEFT JOIN (SELECT DISTINCT app_id FROM {sources["blueprint"]}) AS maker
                        ON maker.app_id = used.actor_app_id
                    WHERE used.operation = 'add-service-principal' AND used.succeeded)
                WHERE blueprint IS NOT NULL))"""
