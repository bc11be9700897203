"""Names from the tenant are hostile text. This makes them safe for one line of a terminal, a log or an error."""

import unicodedata
from collections.abc import Sequence

# Unassigned is left out: a newer Unicode's letters are not an attack. Format covers bidi controls and zero-width marks.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Co"})


def one_line(text: str, limit: int = 256) -> str:
    r"""`text` on one line: controls, bidi marks, invisible and line-breaking characters as `\x1b`, `\u202e`, ...

    `##` and `::` are broken with a backslash, since build agents take them as commands. Cut at `limit`
    characters, with the length said.
    """
    shown = _visible(text[:limit])
    # Twice: "###" holds two overlapping pairs.
    for _ in range(2):
        shown = shown.replace("##", "#\\#").replace("::", ":\\:")
    return _cut(shown, text, limit)


def visible(text: str, limit: int = 256) -> str:
    """`one_line`, with `##` and `::` as they are: for a format that has its own way to keep them from build agents."""
    return _cut(_visible(text[:limit]), text, limit)


def listed(items: Sequence[str]) -> str:
    """ "a, b and c"; empty for no items."""
    *most, last = items or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def _cut(shown: str, text: str, limit: int) -> str:
    return f"{shown}... ({len(text):,} characters)" if len(text) > limit else shown


def _visible(text: str) -> str:
    # What is printable has none of them, and nearly every text is.
    if text.isprintable():
        return text
    return "".join(_escape(character) if unicodedata.category(character) in _HIDDEN else character for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
