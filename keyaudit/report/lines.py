"""Formats lines of a given width: wrapping, plurals, colours. The text must already be safe to print."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum

_FEW = 4
"""The maximum number of columns of a table that are named one by one."""

_SEPARATOR = re.compile(r"[/:;,?&=]+")
"""What a long word can be broken after."""


class Paint(StrEnum):
    """ANSI colours by meaning."""

    ALARM = "\x1b[1;31m"
    WARN = "\x1b[33m"
    CALM = "\x1b[36m"
    DOUBT = "\x1b[35m"
    FINE = "\x1b[32m"
    BOLD = "\x1b[1m"


def paint(text: str, colour: Paint, on: bool) -> str:
    """`text` in that colour, or unchanged if colour is off."""
    return f"{colour}{text}\x1b[0m" if on else text


def plural(count: int, noun: str, many: str = "") -> str:
    """ "1 finding", "1,204 findings"."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def nth(number: int) -> str:
    """ "second", "11th", "22nd"."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}{ending}")


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def in_short(names: Iterable[str]) -> list[str]:
    """Columns (`table.column`) by name if they are few per table, otherwise their number; whole tables unchanged."""
    by_table: dict[str, dict[str, None]] = defaultdict(dict)
    for name in names:
        by_table[name.partition(".")[0]][name] = None
    found: list[str] = []
    for table, columns_ in by_table.items():
        if table in columns_:
            found.append(table)
        else:
            found += [f"{len(columns_)} columns of {table}"] if len(columns_) > _FEW else columns_
    return found


def columns(text: str) -> int:
    """The width in terminal columns: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def pad(text: str, width: int) -> str:
    """`text` filled with spaces to `width` columns."""
    return text + " " * (width - columns(text))


def wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Lines of at most `width` columns, the first with the prefix `first`, the others with `rest`.

    Lines break at spaces, so that ids stay whole. A word longer than a line breaks after the last separator that fits, as in a
    path or an address, and inside a part only where that part alone is longer than a line.
    """
    rest = rest[: width * 2 // 3]
    lines: list[str] = []
    # A fast path: in nearly every text a character is a column, and a line ends at the last space that fits.
    if (line := first + text).isascii() and rest.isascii() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        while len(line) > width:
            end = line.rfind(" ", len(first) + 1, width + 1)
            if end < 0:
                break
            lines.append(line[:end])
            first, text = rest, line[end + 1 :]
            line = first + text
        else:
            return [*lines, line] if lines else [line]
    line, empty = first, True
    for word in text.split(" "):
        if not word:
            continue
        gap = "" if empty else " "
        if columns(line + gap + word) <= width:
            line, empty = line + gap + word, False
            continue
        if not empty:
            lines.append(line)
            line = rest
        *full, line = _break(line + word, width, rest)
        lines += full
        empty = False
    return [*lines, line]


def joined(lines: Iterable[str]) -> str:
    """The lines as text, each with a line end."""
    return "".join(f"{line}\n" for line in lines)


def parted(*blocks: Sequence[str]) -> list[str]:
    """The non-empty blocks, with an empty line between them."""
    return [line for block in blocks if block for line in ("", *block)][1:]


def _break(line: str, width: int, rest: str) -> list[str]:
    broken: list[str] = []
    while columns(line) > width:
        end = taken = 0
        while taken + _columns(line[end]) <= width:
            taken += _columns(line[end])
            end += 1
        least = len(rest) + 1
        parts = [found.end() for found in _SEPARATOR.finditer(line, least, end)]
        end = parts[-1] if parts else max(end, least)
        broken.append(line[:end])
        line = rest + line[end:]
    return [*broken, line]


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
