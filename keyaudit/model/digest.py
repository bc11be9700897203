"""A notification about changes: a title and a few lines of plain text, without markup of any chat or mail program."""

from msgspec import Struct


class Digest(Struct, frozen=True):
    """One message, in plain text."""

    title: str
    body: str
