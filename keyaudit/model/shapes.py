"""The shapes of Azure's answers: what may be handed over without a value, a name or an id of the tenant in it."""

from msgspec import Struct

SCHEMA = "keyaudit-shapes/1"


class Member(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One member of the answers of an operation, or the items of a list."""

    present: int
    """How often it was there, null included."""
    null: int = 0
    absent: int = 0
    """The number of objects around it that lack it."""
    types: dict[str, int] = {}
    """By type of its values, how many have it; a text may be a `guid`, `time` or `url`."""
    lengths: dict[str, int] = {}
    """By range of lengths, the number of texts (in characters), lists (in items) and objects (in members) that have it."""
    words: dict[str, int] = {}
    """For a member with declared words: by word how often it occurred. Another word is only a hash."""


class Answers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answers to one operation. A name that is not declared is only a hash; paths join names with dots."""

    answers: int
    statuses: dict[str, int]
    unreadable: int = 0
    """Answers that are no JSON."""
    left_out: int = 0
    """Members that were not recorded, because there were too many different ones."""
    members: dict[str, Member] = {}
    """By path, of answers of status 200 and 201."""
    errors: dict[str, Member] = {}
    """By path, of all other answers."""


class Shapes(Struct, frozen=True, kw_only=True):
    """The shapes of one run, by operation."""

    schema: str = SCHEMA
    tool_version: str
    simulated: bool
    operations: dict[str, Answers]


HASHED = "hash:"
"""How a hash begins, in place of a name or word that is not declared."""
