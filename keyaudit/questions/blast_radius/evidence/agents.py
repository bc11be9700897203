"""Agent identities that the credentials of a blueprint can sign in as, and the users that these can act as."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program

from collections.abc import Iterator, Sequence

import duckdb

from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra.agents import may_be
from keyaudit.model.reasons import Reason
from keyaudit.questions.blast_radius.answer import Edge, Kind, Node, Relation
from keyaudit.questions.blast_radius.evidence.graph import Graph, reason, rows

_VIEWS = Sources({"service_principal": "service_principal"})
"""The view in place of the stored rows."""


def opened(connection: duckdb.DuckDBPyConnection, graph: Graph, identities: Sequence[str]) -> list[str]:
    """Add to the graph the agents of blueprints and the users of agents among the identities; return the new agents."""
    new = []
    found = rows(
        connection,
        """
        SELECT object_id, name, blueprint_app_id FROM agent
        WHERE list_contains($ids, blueprint_app_id) ORDER BY name, id""",
        {"ids": list(identities)},
    )
    for row in found:
        edge = Edge(
            source=row["blueprint_app_id"],
            target=row["object_id"],
            relation=Relation.SIGNS_IN_AS,
            how="by any credential of its blueprint",
        )
        if graph.join(Node(id=row["object_id"], kind=Kind.AGENT, name=row["name"] or row["object_id"]), edge):
            new.append(row["object_id"])
    query = """
        SELECT object_id, user_ids, user_names, unknown['user_ids'] AS doubt FROM agent
        WHERE list_contains($ids, object_id) ORDER BY id"""
    for row in rows(connection, query, {"ids": list(identities)}):
        for user in row["user_ids"] or ():
            name = (row["user_names"] or {}).get(user, user)
            node = Node(id=f"users/{user}", kind=Kind.PRINCIPAL, name=name, note="agent user")
            graph.join(
                node, Edge(source=row["object_id"], target=node.id, relation=Relation.SPEAKS_FOR, how="it can act as it")
            )
        if row["doubt"]:
            node = Node(id=f"unknown/users of {row['object_id']}", kind=Kind.UNSEEN, name="users that it can act as")
            edge = Edge(source=row["object_id"], target=node.id, relation=Relation.SPEAKS_FOR, doubt=reason(row["doubt"]))
            graph.join(node, edge)
    return new


def users(connection: duckdb.DuckDBPyConnection, identities: Sequence[str]) -> dict[str, str]:
    """The users of the agents among the identities: object id to node."""
    query = "SELECT unnest(user_ids) AS id FROM agent WHERE list_contains($ids, object_id)"
    return {row["id"]: f"users/{row['id']}" for row in rows(connection, query, {"ids": list(identities)})}


def unseen(connection: duckdb.DuckDBPyConnection, graph: Graph) -> Iterator[tuple[Relation, str, Reason]]:
    """Gaps: for blueprints of another tenant in the graph, what only that tenant can see.

    For every blueprint also the agents that may belong to it, because their blueprint was not read.
    """
    query = """
        SELECT app_id, name, home, publisher FROM blueprint WHERE list_contains($ids, app_id) ORDER BY name, id"""
    found = rows(connection, query, {"ids": sorted(graph.nodes)})
    for row in found:
        if row["home"] != "own":
            owner = f"tenant {row['publisher']}, which owns the blueprint" if row["publisher"] else "the tenant that owns it"
            what = f"credentials of blueprint {row['name'] or row['app_id']}, and who has them: only {owner}, can see them"
            yield Relation.SIGNS_IN_AS, what, Reason.OTHER_TENANT
            yield Relation.REACHES, "agents of the same blueprint in other tenants", Reason.OTHER_TENANT
    if found:
        lost = f"""
            SELECT coalesce(who.unknown['agent_type'], $unread) AS reason, count(*) AS number
            FROM ({may_be("agent-identity", _VIEWS)}) AS who
            WHERE split_part(id, '/', -1) NOT IN (SELECT object_id FROM agent) GROUP BY reason ORDER BY reason"""
        for row in rows(connection, lost, {"unread": str(Reason.PARENT_NOT_ASSESSED)}):
            what = f"agent identities whose blueprint was not read ({row['number']:,}): each may be one of these"
            yield Relation.SIGNS_IN_AS, what, Reason(row["reason"])
