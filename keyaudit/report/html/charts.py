"""Where the marks of a chart lie. Across, in percent of its width, so that text keeps its size; down, in pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PLOT = 120
"""Height of the columns, in pixels."""
_TOP = 18
"""Room above the highest column, for its number."""
_GAP = 0.24
"""The part of a column's place that stays empty."""


@dataclass(frozen=True, slots=True)
class Part:
    """One coloured part of a column or bar. `tone` is the class that the style colours it by."""

    tone: str
    count: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
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
    """Its number and label are left out where there is no room for all."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of columns. `mark` is where a limit is drawn, before the column of that number; empty where there is none."""

    columns: tuple[Column, ...]
    mark: str
    base: str
    height: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart of bars, lying, with its label above it."""

    label: str
    count: int
    parts: tuple[Part, ...]
    label_y: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of lying bars."""

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
    """Columns of (label, counts by tone), stacked from below in the order of the counts.

    `mark`: the first column beyond a limit; with one, labels stand where columns begin. `under`: second lines, by column.
    `places`: how many columns there is room for at the least. `uncounted`: a tone that is not in the number above a column.
    `kept`: one column of so many keeps its number and label where there is little room, the last one surely.
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
                # What is there is seen, however little it is.
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
    """Bars of (label, counts by tone), side by side in the order of the counts. `whole`: each is as long as the chart."""
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
    """As SVG takes it: "12.5%"."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def pixels(value: float) -> str:
    """As SVG takes it: "12.5"."""
    return f"{value:.1f}".removesuffix(".0")
