"""Makes hostile text, such as names from the tenant, safe for one line of a terminal, log or error."""

import unicodedata
from collections.abc import Sequence

# Unassigned code points are allowed: letters of a newer Unicode version are harmless. Cf covers bidi and zero-width marks.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Co"})


def one_line(text: str, limit: int = 256) -> str:
    r"""`text` on one line: controls, bidi marks, invisible and line-breaking characters as `\x1b`, `\u202e`, ...

    `##` and `::` are broken with a backslash, because build agents read them as commands. Cut at `limit` characters, with the
    full length appended.
    """
    # A fast path: nearly every text is short, printable, and without these pairs, and needs no change.
    if len(text) <= limit and text.isprintable() and "##" not in text and "::" not in text:
        return text
    shown = _visible(text[:limit])
    # Twice, because "###" contains two overlapping pairs.
    for _ in range(2):
        shown = shown.replace("##", "#\\#").replace("::", ":\\:")
    return _cut(shown, text, limit)


def visible(text: str, limit: int = 256) -> str:
    """Like `one_line`, but with `##` and `::` unchanged: for formats that protect build agents in their own way."""
    return _cut(_visible(text[:limit]), text, limit)


def listed(items: Sequence[str]) -> str:
    """ "a, b and c"; empty for no items."""
    *most, last = items or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def _cut(shown: str, text: str, limit: int) -> str:
    return f"{shown}... ({len(text):,} characters)" if len(text) > limit else shown


def _visible(text: str) -> str:
    # A fast path: nearly every text is printable, and printable text needs no change.
    if text.isprintable():
        return text
    return "".join(_escape(character) if unicodedata.category(character) in _HIDDEN else character for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
