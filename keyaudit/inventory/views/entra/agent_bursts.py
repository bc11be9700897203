"""How many agent identities were created from one blueprint at a time, as the directory's audit log shows."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import ABSENT, Derived, Doubt, Fact, case, choice, reasons_of
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.joins import inside
from keyaudit.inventory.facts.prepared import Prepared, shared
from keyaudit.inventory.facts.relation import Rows, by_hand, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra.agents import object_id
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import DAY

_CREATED = "add-service-principal"


def facts(rows: Rows) -> dict[str, Derived]:
    """The columns of uses that created an agent: its blueprint, and how many were created from it in the 24 hours that end
    then.

    The number is only given where the next creation does not see more, so that a burst is one number.
    """
    made = _made(rows.sources)
    read = inside(*(made[name].everything for name in made.facts))
    reads = by_hand("burst", f"LEFT JOIN ({_bursts(made)}) AS burst ON burst.id = {rows.alias}.id") | read

    def of(name: str) -> Fact:
        return Fact(f"burst.{name}", Doubt((f"burst.{name}_why",), reads), absent=True, reads=reads)

    return {"agent_blueprint": of("blueprint"), "agents_created": of("agents")}


def _made(sources: Sources) -> Prepared:
    """The uses that may have created a service principal, with the blueprint of an agent."""
    only = f"(SELECT * FROM {sources['usage']} WHERE operation = '{_CREATED}')"
    uses = Rows(sources, "usage", "made", only)
    made = {"id": uses["id"], "used_on": uses["used_on"], "blueprint": _blueprint(uses).where(uses.flag("succeeded"))}
    return shared(sources, made, uses.sql, uses.alias)


def _bursts(made: Prepared) -> str:
    """SQL: by use of `made`, the columns of `facts`, and why each is unknown."""
    nearby = f"(ORDER BY used_on RANGE BETWEEN {DAY - 1} PRECEDING AND {DAY - 1} FOLLOWING)"
    day = f"(PARTITION BY blueprint ORDER BY used_on RANGE BETWEEN {DAY - 1} PRECEDING AND CURRENT ROW)"
    return f"""
        SELECT id, blueprint, blueprint_why, CASE WHEN blueprint IS NULL THEN blueprint_why ELSE doubt END AS agents_why,
            CASE WHEN blueprint IS NOT NULL AND doubt IS NULL AND (following IS NULL OR following < agents)
                THEN agents END AS agents
        FROM (
            SELECT *, lead(agents) OVER (PARTITION BY blueprint ORDER BY used_on, id) AS following
            FROM (
                SELECT *, count(*) OVER {day} AS agents, min(blueprint_why) OVER {nearby} AS doubt
                FROM {made.sql}
            )
        )"""


def _blueprint(uses: Rows) -> Fact:
    """The blueprint of the agent that was created. A blueprint's principal creates nothing but agents of it, so that agents
    which are deleted since count, too.
    """
    sources, actor, target = uses.sources, uses["actor_app_id"], uses["target_id"]
    agents, principals = Rows(sources, "agent", "agent"), Rows(sources, "service_principal", "holder")
    blueprints = Rows(sources, "blueprint", "blueprint")
    maker = actor.where(groups(blueprints, "makers", by=blueprints["app_id"], key=actor).any_of("found"))
    agent = one(agents, by=agents["object_id"], key=target)["blueprint_app_id"]
    holder = one(principals, by=object_id(principals), key=target)
    other = holder.found & ~holder["agent_type"].eq("agent-identity")
    unlisted = reasons_of(unread("agents", TABLES["agent"].listed_by))
    return choice((maker.present, maker), (agent.present, agent), otherwise=case((other, ABSENT), otherwise=unlisted))
