"""The graph as a drawing: a column for each step away from the key, a box for each thing, and a line for each edge."""

from collections.abc import Sequence
from typing import NamedTuple

from keyaudit.model.values.text import one_line
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Kind, Node
from keyaudit.questions.blast_radius.words import NOUNS, VERBS
from keyaudit.report.lines import plural

_MOST = 14
"""The number of boxes in a column; the list below the drawing has all of them."""
_NAME, _NOTE = 27, 36
"""The longest texts that a box has room for, in letters of usual width; it cuts wider ones off."""
_WIDTH, _HEIGHT, _ACROSS, _DOWN = 208, 44, 60, 12


class Box(NamedTuple):
    """A thing, with what leads to it. `tone`: subject, tenant, doubted, or empty."""

    x: int
    y: int
    name: str
    note: str
    tone: str


class Line(NamedTuple):
    """An edge, as the path of an SVG."""

    path: str
    doubted: bool


class Picture(NamedTuple):
    """The drawing. `title` says what it shows to those who do not see it."""

    width: int
    height: int
    box_width: int
    box_height: int
    boxes: Sequence[Box]
    lines: Sequence[Line]
    title: str
    left_out: str


def picture(found: BlastRadius) -> Picture:
    """The drawing of the graph. What is at least unsure comes last in its column, and is left out first."""
    first: dict[str, Edge] = {}
    step = {found.subject.id: 0}
    for edge in found.edges:
        if edge.target not in step:
            step[edge.target] = step.get(edge.source, 0) + 1
            first[edge.target] = edge
    columns: list[list[str]] = [[] for _ in range(max(step.values()) + 1)]
    for id_, number in step.items():
        columns[number].append(id_)
    for column in columns:
        column.sort(key=lambda id_: id_ in first and first[id_].doubt is not None)
    drawn = [column[:_MOST] for column in columns]
    tallest = max(map(len, drawn))
    places = {
        id_: (number * (_WIDTH + _ACROSS), row * (_HEIGHT + _DOWN) + (tallest - len(column)) * (_HEIGHT + _DOWN) // 2)
        for number, column in enumerate(drawn)
        for row, id_ in enumerate(column)
    }
    more = len(step) - len(places)
    return Picture(
        width=len(columns) * (_WIDTH + _ACROSS) - _ACROSS + 2,
        height=tallest * (_HEIGHT + _DOWN) - _DOWN + 2,
        box_width=_WIDTH,
        box_height=_HEIGHT,
        boxes=[_box(found, id_, first.get(id_), *place) for id_, place in places.items()],
        lines=[
            Line(_path(places[edge.source], places[edge.target]), edge.doubt is not None)
            for edge in found.edges
            if edge.source in places and edge.target in places
        ],
        title=f"The key and {plural(len(step) - 1, 'thing')} up to {plural(len(columns) - 1, 'step')} away: see the list below",
        left_out=f"{plural(more, 'more thing')} {'is' if more == 1 else 'are'} in the list below." if more else "",
    )


def _box(found: BlastRadius, id_: str, edge: Edge | None, x: int, y: int) -> Box:
    node = found.nodes[id_]
    if edge is None:
        note, tone = node.note, "subject"
    elif node.kind is Kind.UNSEEN:
        note, tone = "unknown", "doubted"
    else:
        note = f"{VERBS[edge.relation]} {NOUNS.get(node.kind, '')}".strip()
        tone = "doubted" if edge.doubt else "tenant" if node.kind is Kind.TENANT else ""
    return Box(x + 1, y + 1, _name(node), _cut(note, _NOTE), tone)


def _name(node: Node) -> str:
    """Its name. A permission that is too long for the box stands without its API, which the list below has."""
    shown = one_line(node.name, 1_000)
    if node.kind is Kind.PERMISSION and len(shown) > _NAME:
        shown = shown.rpartition(": ")[2]
    return _cut(shown, _NAME)


def _cut(text: str, most: int) -> str:
    shown = one_line(text, 1_000)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _path(source: tuple[int, int], target: tuple[int, int]) -> str:
    """A curve from the right side of one box to the left side of another; beside the boxes if both are in one column."""
    begin, end = source[0] + _WIDTH + 1, target[0] + 1
    if target[0] <= source[0]:
        end += _WIDTH
    y1, y2 = (place[1] + _HEIGHT // 2 + 1 for place in (source, target))
    bend = _ACROSS // 2
    last = end + bend if target[0] <= source[0] else end - bend
    return f"M{begin} {y1}C{begin + bend} {y1} {last} {y2} {end} {y2}"
