"""Acts whose record only names PIM as their actor: PIM's own records prove which of them it did."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct, field

from keyaudit.inventory.logs.use import FileRead
from keyaudit.model.values.times import iso_date

_APART = 600
"""Seconds between the directory's record of an act and PIM's: a captured pair is six apart. Within these minutes nobody else
gains anything by giving the same role to the same person, who has it from PIM.
"""


Unread = tuple[str, str, int]
"""Records that are counted as not read: their log, their operation and their number."""


class RoleGiven(NamedTuple):
    """Who got a role, or became eligible for one, and its names: its display name and its template's id, in lower case."""

    to: str | None
    eligible: bool
    role: frozenset[str]


class RolesOfPim(Struct):
    """The roles that PIM gave, as its own records say, and those that a record without a client id claims for it."""

    given: list[tuple[int, RoleGiven]] = field(default_factory=list)
    claimed: list[tuple[int, RoleGiven, Unread]] = field(default_factory=list)

    def settle(self, read: Iterable[FileRead]) -> None:
        """Takes the claims that are proven from what these files count as not read."""
        proofs: dict[tuple[str | None, bool], list[tuple[int, frozenset[str]]]] = defaultdict(list)
        for on, given in self.given:
            proofs[given.to, given.eligible].append((on, given.role))
        for on, claim, unread in self.claimed:
            if claim.to and any(abs(on - at) <= _APART and role & claim.role for at, role in proofs[claim.to, claim.eligible]):
                _take(read, unread, iso_date(on))


def _take(read: Iterable[FileRead], counted: Unread, day: str) -> None:
    source, operation, times = counted
    for file in read:
        unread = file.sources[source].unread if source in file.sources else {}
        days = unread.get(operation, {})
        if days.get(day, 0) >= times:
            days[day] -= times
            if not days[day]:
                del days[day]
            if not days:
                del unread[operation]
            return
