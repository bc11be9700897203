"""Escapes text for a page, so that no browser, terminal or build agent interprets it."""

import re

from markupsafe import Markup, escape

from keyaudit.model.values.guid import GUID
from keyaudit.model.values.text import visible

LONGEST = 1_000
"""The maximum number of characters shown."""

# Unicode noncharacters are errors in HTML.
_NOBODYS = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF)) + "]"
)
_GUID = re.compile(rf"\b{GUID.pattern}\b", re.ASCII | re.IGNORECASE)
# Build agents read `##` and `::` as commands. A browser shows a character reference as the character.
_COMMANDS = re.compile(r"#(?=#)|:(?=:)")


def whole(value: object) -> Markup:
    """Like `inert`, with GUIDs that a browser does not break over lines."""
    # Escaping does not change hexadecimal digits and hyphens.
    return Markup(_GUID.sub(r'<span class="id">\g<0></span>', str(inert(value))))  # noqa: S704 - escaped text in our own tag


def lines(value: str) -> Markup:
    """Like `inert`, line by line."""
    return Markup("\n").join(map(inert, value.split("\n")))


def place(address: str) -> str:
    """An address in short: its host, and the last part of its path: "learn.microsoft.com/…/about-keys"."""
    host, *path = address.removeprefix("https://").rstrip("/").split("/")
    return f"{host}/{'…/' if len(path) > 1 else ''}{path[-1]}" if path else host


def inert(value: object) -> Markup:
    """The value as markup: numbers with thousands separators, hidden characters as `\\x1b`; Markup is unchanged."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Markup(f"{value:,}")  # noqa: S704 - digits and commas
    if not isinstance(value, str):
        raise TypeError(f"not a text: {type(value).__name__}")
    shown = visible(value, LONGEST)
    if not shown.isprintable():
        shown = _NOBODYS.sub(lambda mark: ascii(mark[0])[1:-1], shown)
    shown = str(escape(shown))
    if "##" in shown or "::" in shown:
        shown = _COMMANDS.sub(lambda mark: f"&#{ord(mark[0])};", shown)
    return Markup(shown)  # noqa: S704 - escaped above
