"""Rows in columns, in the style of `az -o table`, streamed with little memory. Cells are safe to print."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice, zip_longest

from keyaudit.model.values.guid import GUID
from keyaudit.report.lines import columns, pad, wrap

SAMPLE = 1_000
"""The number of rows that determine the column widths; a longer cell later on overflows, or is wrapped."""
GAP = "  "
"""The space between two columns."""
_LEAST = 8
_LENGTH_OF_GUID = 36


def grid(
    headers: Sequence[str], rows: Iterable[Sequence[str]], width: int | None = None, whole: Collection[int] = ()
) -> Iterator[str]:
    """Lines with the header, a rule, and the rows; cells are wrapped to fit `width`, and never cut.

    The columns in `whole` are not narrowed as long as the others can be.
    """
    stream = iter(rows)
    sample = list(islice(stream, SAMPLE))
    widths = _fitted(natural(headers, sample), width, whole, least(headers, sample))
    yield _line(headers, widths)
    yield _line(["-" * each for each in widths], widths)
    for row in chain(sample, stream):
        if width is None:
            yield _line(row, widths)
            continue
        cells = [wrap(cell, size) if columns(cell) > size else [cell] for cell, size in zip(row, widths, strict=True)]
        for parts in zip_longest(*cells, fillvalue=""):
            yield _line(parts, widths)


def natural(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[int]:
    """The natural width of each column."""
    widths = [columns(header) for header in headers]
    for row in rows:
        widths = [max(width, columns(cell)) for width, cell in zip(widths, row, strict=True)]
    return widths


def least(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[int]:
    """The minimum width of each column, so that no GUID is broken over lines."""
    found = [_LEAST] * len(headers)
    for row in rows:
        found = [_LENGTH_OF_GUID if GUID.search(cell) else size for size, cell in zip(found, row, strict=True)]
    return found


def fitting(widths: Sequence[int], width: int, always: int) -> list[int]:
    """The columns that fit side by side: the first `always`, and of the others, in order, all that still fit.

    No column is wider than a third of the width: one of the first is wrapped, another is left out.
    """
    most = max(_LEAST, width // 3)
    chosen = list(range(min(always, len(widths))))
    room = width + len(GAP) - sum(min(widths[index], most) + len(GAP) for index in chosen)
    for index in range(len(chosen), len(widths)):
        if widths[index] <= most and widths[index] + len(GAP) <= room:
            chosen.append(index)
            room -= widths[index] + len(GAP)
    return chosen


def _fitted(widths: list[int], width: int | None, whole: Collection[int], least_: Sequence[int]) -> list[int]:
    """The widest columns are narrowed until all fit; first the others, then those in `whole`, last below the width of ids."""
    if width is None:
        return widths
    every = list(range(len(widths)))
    free = [index for index in every if index not in whole]
    for giving, floor in ((free, least_), (every, least_), (every, [_LEAST] * len(widths))):
        while sum(widths) + len(GAP) * (len(widths) - 1) > width:
            wide = [index for index in giving if widths[index] > floor[index]]
            if not wide:
                break
            widths[max(wide, key=lambda index: widths[index])] -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(pad(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()
