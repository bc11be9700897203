"""One step of the plan, and how the tenant's text gets into its commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from keyaudit.model.blast_radius import Edge
from keyaudit.model.shell import option, powershell_quoted, shell_quoted
from keyaudit.model.text import one_line


class Phase(StrEnum):
    """When a step's turn is."""

    BLOCK = "block"
    REPLACE = "replace"
    REVOKE = "revoke"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do. All text is safe for one line, and each word of a command is quoted for its shell."""

    phase: Phase
    title: str
    text: str = ""
    breaks: str = ""
    """What stops working by it."""
    commands: Sequence[str] = ()
    language: str = "cli"
    """`cli`, of a POSIX shell, or `powershell`."""
    makes: bool = False
    """It makes the new key, which others then need."""
    settles: Edge | None = None
    """The edge that is gone once this is done: by it, what still accepts the key tells which step was left out."""


_LONGEST = 4_000
"""Characters of a word: resource ids are long, and half of one is another."""


def word(text: str) -> str:
    """The tenant's text as one word of a POSIX shell, which says nothing to the terminal."""
    return shell_quoted(one_line(text, _LONGEST))


def option_word(name: str, text: str) -> str:
    """An option with the tenant's text as its value, for a POSIX shell."""
    return option(name, one_line(text, _LONGEST))


def powershell_word(text: str) -> str:
    """The same for PowerShell."""
    return powershell_quoted(one_line(text, _LONGEST))
