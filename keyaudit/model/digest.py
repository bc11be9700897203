"""What somebody is told of what changed: a title and a few lines, in words that mean nothing to whatever shows them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Digest:
    """One message, in plain text."""

    title: str
    body: str
