"""The graph under construction: each node and each edge once."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from keyaudit.model.reasons import Reason
from keyaudit.questions.blast_radius.answer import Edge, Node


class Graph:
    """Nodes by id, and edges in the order in which they were joined."""

    def __init__(self, subject: Node) -> None:
        self.subject = subject
        self.nodes: dict[str, Node] = {subject.id: subject}
        self._edges: dict[tuple[object, ...], Edge] = {}

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All edges."""
        return tuple(self._edges.values())

    def join(self, node: Node, edge: Edge) -> bool:
        """Add the edge and its target node. Returns whether that node is new."""
        new = node.id not in self.nodes
        self.nodes.setdefault(node.id, node)
        way = (edge.way.id, tuple(who.id for who in edge.way.through)) if edge.way else None
        self._edges.setdefault((edge.source, edge.target, edge.relation, edge.how, edge.names, way), edge)
        return new


def reason(text: str | None) -> Reason | None:
    """The reason in a view's cell, if any."""
    return Reason(text) if text else None


def rows(connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any] | Sequence[Any]) -> list[dict[str, Any]]:
    """The rows of the answer as mappings."""
    answer = connection.execute(query, values)
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
