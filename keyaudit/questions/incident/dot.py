"""Graphviz. Every name is one quoted string without special meaning."""

from typing import TextIO

from keyaudit.model.values.text import one_line
from keyaudit.questions.blast_radius.answer import Edge, Kind, Node
from keyaudit.questions.blast_radius.words import VERBS, conclusion, why
from keyaudit.questions.incident.answer import Incident
from keyaudit.questions.incident.words import title
from keyaudit.report.summary import SIMULATED

_NAME = 120


def render(found: Incident, out: TextIO) -> None:
    """Write one digraph. Uncertain edges are dashed, with the reason."""
    radius = found.radius
    numbers = {id_: f"n{number}" for number, id_ in enumerate(radius.nodes)}
    label = f"{title(found)}. {conclusion(radius)}{f' {SIMULATED}' if radius.run.simulated else ''}"
    out.write(f'digraph "blast radius" {{\n  graph [rankdir=LR, label={quoted(label, 1_000)}];\n  node [shape=box];\n')
    out.writelines(f"  {numbers[id_]} [{_drawn(node)}];\n" for id_, node in radius.nodes.items())
    out.writelines(f"  {numbers[edge.source]} -> {numbers[edge.target]} [{_line(edge)}];\n" for edge in radius.edges)
    out.write("}\n")


def quoted(text: str, limit: int = _NAME) -> str:
    """A DOT string of the text, without escapes, entities or quotes of Graphviz."""
    plain = one_line(text, limit).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain.replace("&", "&amp;")}"'


def _drawn(node: Node) -> str:
    style = {Kind.SUBJECT: ", style=bold", Kind.UNSEEN: ", style=dashed", Kind.TENANT: ", shape=doubleoctagon"}.get(
        node.kind, ""
    )
    label = f"{node.kind}: {node.name}" if node.kind not in (Kind.SUBJECT, Kind.TENANT) else node.name
    return f"label={quoted(label + (f' ({node.note})' if node.note else ''))}{style}"


def _line(edge: Edge) -> str:
    label = VERBS[edge.relation]
    if edge.doubt:
        return f"label={quoted(f'{label}? {why(edge.doubt)}')}, style=dashed"
    return f"label={quoted(label)}"
