"""JSON: one node, edge or step of the plan per line."""

from typing import TextIO

from keyaudit.model.blast_radius import BlastRadius, Edge, Node
from keyaudit.report.access.json import way_member
from keyaudit.report.blast_radius.plan import left, plan
from keyaudit.report.blast_radius.steps import Step
from keyaudit.report.blast_radius.words import conclusion, limits
from keyaudit.report.members import about_run


def render(found: BlastRadius, out: TextIO) -> None:
    """Write one JSON object. With --verify, `plan` has the steps that are not done."""
    members = {
        "subject": {"kind": found.subject.note, "id": found.target, "name": found.subject.name},
        "public_keys_sha256": list(found.digests),
        "verify": found.verify,
        "known_stolen": {"what": found.stolen.what, "source": found.stolen.source} if found.stolen else None,
        "conclusion": conclusion(found),
        "limits": list(limits(found)),
    }
    lists = {
        "nodes": map(node_member, found.nodes.values()),
        "edges": map(edge_member, found.edges),
        "plan": map(step_member, left(found) if found.verify else plan(found)),
    }
    about_run(out, found.run, found.verdict, members, lists)


def node_member(node: Node) -> dict[str, object]:
    """A node of the graph."""
    return {"id": node.id, "kind": node.kind, "name": node.name, "note": node.note or None}


def edge_member(edge: Edge) -> dict[str, object]:
    """A step of a path."""
    return {
        "source": edge.source,
        "target": edge.target,
        "relation": edge.relation,
        "certain": edge.doubt is None,
        "unknown": edge.doubt,
        "how": edge.how or None,
        "names": edge.names or None,
        "way": way_member(edge.way) if edge.way else None,
        "facts": dict(sorted(edge.facts.items())),
    }


def step_member(step: Step) -> dict[str, object]:
    """A step of a plan."""
    settles = {"relation": step.settles.relation, "target": step.settles.target} if step.settles else None
    return {
        "phase": step.phase,
        "title": step.title,
        "text": step.text or None,
        "breaks": step.breaks or None,
        "shell": step.language,
        "commands": list(step.commands),
        "settles": settles,
    }
