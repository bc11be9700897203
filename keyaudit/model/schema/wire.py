"""Declares how Azure's answers become rows: the members that fill a column, and what null means there.

A table's columns say where their values are (`Column.wire`), and its `reads` which operations return the items. One collector
reads what is declared here (`collect.declared`).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct

from keyaudit.model.reasons import Reason
from keyaudit.model.values.guid import GUID

T = TypeVar("T")

_STEP = re.compile(r"(@[\w.]+|\w+)(\??)(?:\.(?=.)|$)", re.ASCII)


class Unreadable(ValueError):  # noqa: N818 - it says what the value is
    """Raised where a value cannot be read. It leaves nothing but the column unknown that was to be filled."""

    def __init__(self, reason: Reason = Reason.BAD_VALUE) -> None:
        super().__init__(reason)
        self.reason = reason


class At(Struct, frozen=True):
    """A column's value is the member at `path`: names of members, joined by dots.

    A member may be null only where its name is followed by "?", and then the value is `none`. The last one may be null too if
    the column may be absent. A member that is left out, or of another type, makes the column unknown; what it means if the last
    one is left out may be declared in `Column.left_out`.
    """

    path: str
    kind: Any = None
    """The type of the member for `via`."""
    via: Callable[[Any], object] | None = None
    """Makes the column's value of the member's, and raises ValueError or `Unreadable`. None: it is copied."""
    none: object = None
    instead: str = ""
    """The path of a member that is read if the one at `path` is left out."""


class Case(Struct, frozen=True):
    """A column's value depends on the word at `path`: it is one of `values`, or where one of them says. Any other word is
    unrecognised.
    """

    path: str
    values: Mapping[str, object]


class Combined(Struct, frozen=True):
    """A column's value is made of several: `via` takes them in this order. It is unknown if one of them is."""

    parts: tuple[At, ...]
    via: Callable[..., object]


class InCertificate(Struct, frozen=True):
    """A column's value is a fact of the X.509 certificate in the text at `path`, by its name in `collect.x509.X509`."""

    path: str
    fact: str


Way = str | At | Case | Combined | InCertificate
"""Where a column's value is in an item; a text is a member that is copied."""


@cache
def steps(path: str) -> Sequence[tuple[str, bool]]:
    """The names of the members on a path, each with whether it may be null."""
    return [(name, bool(nullable)) for name, nullable in _STEP.findall(path)]


def paths(way: Way) -> Sequence[str]:
    """Every path on which a value is looked for."""
    if isinstance(way, Case):
        return [way.path, *(each.path for each in way.values.values() if isinstance(each, At))]
    if isinstance(way, Combined):
        return [part.path for part in way.parts]
    if isinstance(way, At) and way.instead:
        return [way.path, way.instead]
    return [way if isinstance(way, str) else way.path]


def translated(words: Mapping[str, T]) -> Callable[[str], T]:
    """A function for `At.via` that translates a word, in any case; a word that is not in `words` is unrecognised."""

    def meaning(word: str) -> T:
        if word.lower() not in words:
            raise Unreadable(Reason.UNRECOGNISED)
        return words[word.lower()]

    return meaning


def first_members(ways: Iterable[Way]) -> dict[str, None]:
    """The members of the item itself on the way to values, in order."""
    return dict.fromkeys(steps(path)[0][0] for way in ways for path in paths(way))


class Read(Struct, frozen=True, kw_only=True):
    """An operation whose answers become rows: a row for each item of a list.

    Items may have a holder. With `parent`, they are asked for once for each item of that list; with `within`, they are in that
    member of an item of this list.
    """

    operation: str
    id: str = ""
    """The row's id below the tenant: "namedLocations/{key}"."""
    parent: str = ""
    within: str = ""
    holder: str = ""
    """The holder's id below the tenant, like `id`."""
    holder_column: str = ""
    """The column with the holder's id."""
    of_holder: Mapping[str, Way] = {}
    """The columns that are in the holder, and where."""
    id_column: str = ""
    """The column that names a row with a holder below it."""
    key: str = "id"
    """The member that names an item, a text in the form `form`: an item without it is quarantined. Empty: it has none."""
    form: re.Pattern[str] = GUID
    more_keys: tuple[str, ...] = ()
    """Further members that name an item, in the same form."""
    beside_keys: tuple[str, ...] = ()
    """Members that distinguish items whose keys are the same; "-" stands for one that is not a text."""
    key_column: str = ""
    """The column with that name in lower case; empty: only the row's id has it."""
    single: bool = False
    """The answer is one object; its key need not have the form."""
    columns: Mapping[str, Way] = {}
    """Where columns are in these answers, if not where `Column.wire` says."""
    fixed: Mapping[str, object] = {}
    """Columns with the same value in every row."""
