"""A step of the plan, and quoting of the tenant's text in its commands."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from keyaudit.model.values.shell import option, powershell_quoted, shell_quoted
from keyaudit.model.values.text import one_line


class Phase(StrEnum):
    """The phase of a step."""

    KEEP = "keep"
    """Keep evidence that is lost later."""
    BLOCK = "block"
    REPLACE = "replace"
    REVOKE = "revoke"
    VERIFY = "verify"
    MAKE = "make"
    MOVE = "move"
    CHECK = "check"
    RETIRE = "retire"
    PROVE = "prove"


class Access(Protocol):
    """What a step removes: an edge of the graph of a key."""

    @property
    def relation(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, str]: ...


class Step(Struct, frozen=True, kw_only=True):
    """One action. All text is safe for one line, and each word of a command is quoted for its shell."""

    phase: Phase
    title: str
    text: str = ""
    breaks: str = ""
    """What stops working because of it."""
    back: str = ""
    """How to go back."""
    owner: str = ""
    """Who has to act."""
    commands: Sequence[str] = ()
    language: str = "cli"
    """`cli` (for a POSIX shell) or `powershell`."""
    makes: bool = False
    """Whether it creates the new key, which other steps need."""
    stops: str = ""
    """The id of the application that it stops from signing in."""
    settles: Access | None = None
    """The edge that this step removes; if the edge still exists, the step was not done."""


_LONGEST = 4_000
"""The maximum length of a word: resource ids are long, and a truncated one would be another resource."""


def word(text: str) -> str:
    """The tenant's text as one word of a POSIX shell, without terminal control characters."""
    return shell_quoted(one_line(text, _LONGEST))


def option_word(name: str, text: str) -> str:
    """An option with the tenant's text as its value, for a POSIX shell."""
    return option(name, one_line(text, _LONGEST))


def powershell_word(text: str) -> str:
    """The same for PowerShell."""
    return powershell_quoted(one_line(text, _LONGEST))
