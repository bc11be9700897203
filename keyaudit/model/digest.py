"""A notification about changes: a title and a few lines of plain text, without markup of any chat or mail program."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Digest:
    """One message, in plain text."""

    title: str
    body: str
