"""The geometry of charts: horizontally in percent of the width, so that text keeps its size; vertically in pixels."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

PLOT = 120
"""Height of the columns, in pixels."""
_TOP = 18
"""The space above the highest column, for its number."""
_GAP = 0.24
"""The empty part of a column's space."""


class Part(Struct, frozen=True):
    """One coloured part of a column or bar. `tone` is its CSS class."""

    tone: str
    count: int
    x: str
    y: str
    width: str
    height: str


class Column(Struct, frozen=True):
    """One column, with its number above it and its label below it."""

    label: str
    label_x: str
    under: str
    """A second line below the label."""
    count: int
    middle: str
    top: str
    parts: tuple[Part, ...]
    spare: bool
    """Whether its number and label are hidden if there is no room for all."""


class Columns(Struct, frozen=True):
    """A column chart. `mark` is the position of a limit line; empty without one."""

    columns: tuple[Column, ...]
    mark: str
    base: str
    height: str


class Bar(Struct, frozen=True):
    """One horizontal bar, with its label above it."""

    label: str
    count: int
    parts: tuple[Part, ...]
    label_y: str


class Bars(Struct, frozen=True):
    """A horizontal bar chart."""

    bars: tuple[Bar, ...]
    height: str


def columns(
    values: Sequence[tuple[str, Mapping[str, int]]],
    *,
    mark: int | None = None,
    under: Mapping[int, str] | None = None,
    places: int = 1,
    uncounted: str = "",
    kept: int = 1,
) -> Columns:
    """Columns of (label, counts by tone), stacked from the bottom in the order of the counts.

    `mark`: the first column above a limit; with one, labels are at the beginning of columns. `under`: second lines, by column.
    `places`: the minimum number of column spaces. `uncounted`: a tone that is not in the number above a column. `kept`: one in
    so many columns, and the last, keeps its number and label if there is little room.
    """
    highest = max((sum(counts.values()) for _, counts in values), default=0) or 1
    place = 100 / max(len(values), places)
    base = _TOP + PLOT
    found = []
    for number, (label, counts) in enumerate(values):
        left, width, y = (number + _GAP / 2) * place, (1 - _GAP) * place, float(base)
        parts = []
        for tone, count in counts.items():
            if count:
                # A small part still has a visible height.
                tall = max(count * PLOT / highest, 2)
                y -= tall
                parts.append(Part(tone, count, percent(left), pixels(y), percent(width), pixels(tall)))
        middle = percent((number + 0.5) * place)
        label_x = middle if mark is None else percent(number * place)
        second = (under or {}).get(number, "")
        count = sum(counts.values()) - counts.get(uncounted, 0)
        spare = (len(values) - 1 - number) % kept != 0
        found.append(Column(label, label_x, second, count, middle, pixels(y - 5), tuple(parts), spare))
    marked = "" if mark is None else percent(mark * place)
    return Columns(tuple(found), marked, pixels(base), pixels(base + (36 if under else 22)))


def bars(values: Sequence[tuple[str, Mapping[str, int]]], *, whole: bool = False) -> Bars:
    """Bars of (label, counts by tone), stacked in the order of the counts. `whole`: each fills the width."""
    longest = max((sum(counts.values()) for _, counts in values), default=0) or 1
    found = []
    for number, (label, counts) in enumerate(values):
        total, x, parts = sum(counts.values()), 0.0, []
        for tone, count in counts.items():
            if count:
                width = count * 100 / ((total or 1) if whole else longest)
                parts.append(Part(tone, count, percent(x), pixels(number * 38 + 20), percent(width), "9"))
                x += width
        found.append(Bar(label, total, tuple(parts), pixels(number * 38 + 13)))
    return Bars(tuple(found), pixels(len(values) * 38))


def percent(value: float) -> str:
    """In SVG notation: "12.5%"."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def pixels(value: float) -> str:
    """In SVG notation: "12.5"."""
    return f"{value:.1f}".removesuffix(".0")
