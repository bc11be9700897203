"""Severity: what is weak times what it opens, from one table.

There is no other source of the severity of a shipped policy's finding, or of the order in which findings are shown.
"""

from collections.abc import Mapping
from enum import StrEnum


class Severity(StrEnum):
    """The severity of a finding, in ascending order."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return _RANKS[self]


class Weakness(StrEnum):
    """What is weak, in the order in which it is shown. A policy declares it."""

    COMPROMISE = "compromise"
    """A sign that somebody is in."""
    OPEN = "open"
    """Somebody who should not have it can get it now: the public, an unknown publisher, a guest, any branch."""
    OUTAGE = "outage"
    """It ends soon, or has ended, and is used."""
    FLAWED = "flawed"
    """Ended but accepted, endless, copyable where it must not be, or breakable."""
    WEAK = "weak"
    """Weaker than it should be: too old, too long-lived, in software, with too many holders."""
    HYGIENE = "hygiene"
    """No owner, no log, no reminder, no rotation."""
    FACT = "fact"
    """To know; no weakness."""


class Opens(StrEnum):
    """What a resource opens to anyone who has it, in ascending order. `Table.opens` says it."""

    LITTLE = "little"
    ONE = "one workload"
    WIDE = "wide"
    TENANT = "tenant"

    @property
    def rank(self) -> int:
        """0 for little to 3 for the tenant."""
        return _OPENS.index(self)


_LEVELS = tuple(Severity)
_RANKS = {level: rank for rank, level in enumerate(_LEVELS)}
_OPENS = tuple(Opens)
_INFO, _LOW, _MEDIUM, _HIGH, _CRITICAL = _LEVELS

Levels = tuple[Severity, Severity, Severity, Severity]
"""The severity by what is opened, in the order of `Opens`."""
# Each row rises with what is opened.
_TABLE: Mapping[Weakness, Levels] = {
    Weakness.COMPROMISE: (_MEDIUM, _HIGH, _CRITICAL, _CRITICAL),
    Weakness.OPEN: (_LOW, _HIGH, _HIGH, _CRITICAL),
    Weakness.OUTAGE: (_LOW, _HIGH, _HIGH, _HIGH),
    Weakness.FLAWED: (_LOW, _MEDIUM, _HIGH, _CRITICAL),
    Weakness.WEAK: (_INFO, _LOW, _MEDIUM, _HIGH),
    Weakness.HYGIENE: (_INFO, _LOW, _LOW, _MEDIUM),
    Weakness.FACT: (_INFO, _INFO, _INFO, _LOW),
}
LEVELS: Mapping[str, Levels] = {
    **{str(weakness): levels for weakness, levels in _TABLE.items()},
    **{str(level): (level, level, level, level) for level in Severity},
}
"""The levels by weakness; and for policies of a fixed severity, by that severity."""


def severity(weakness: str, opens: Opens) -> Severity:
    """The severity of a weakness, or the fixed one, of a row that opens this."""
    return LEVELS[weakness][opens.rank]


_PLACES = {each: number for number, each in enumerate(Weakness)}
_FIXED = {Severity.CRITICAL: 0, Severity.HIGH: 1, Severity.MEDIUM: 3, Severity.LOW: 4, Severity.INFO: 5}


def place(weakness: str) -> int:
    """Its place in the order of weaknesses; a fixed severity stands with those that have it in one workload, or nearest."""
    return _PLACES[Weakness(weakness)] if weakness in _PLACES else _FIXED[Severity(weakness)]
