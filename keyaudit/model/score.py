"""The score of one key or credential: blast radius x exposure x age, each factor with its reason, and no hidden weights.

A product is used because a sum lets a strong factor be cancelled by weak ones. What is unknown stays a range, from its best to
its worst, and counts by its upper bound.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from keyaudit.model.findings import Severity
from keyaudit.model.reasons import Reason

BANDS = ((60, Severity.CRITICAL), (36, Severity.HIGH), (16, Severity.MEDIUM), (6, Severity.LOW), (1, Severity.INFO))
"""The lowest score of each band, worst first."""

FACTORS = ("blast radius", "exposure", "age")
"""In the order in which they are multiplied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One of the three: what it surely is at least, what it may be at most, and why."""

    name: str
    low: int
    high: int
    because: str
    """Why it is so, or why nobody can tell; safe to print."""
    unknown: Mapping[str, Reason]
    """What would have to be known for the bounds to meet, with why it is not; empty where they do."""

    @property
    def range(self) -> str:
        """ "4", or "1..4"."""
        return bounds(self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Something that puts a score into a graver band, whatever the product is."""

    name: str
    because: str
    certain: bool
    """False: it may hold, and nobody can say."""
    floor: Severity | None = None
    """The band that it puts the score in, at least."""
    steps: int = 0
    """How many bands up it puts the score."""

    def applied(self, band: Severity) -> Severity:
        """The band that one becomes by it."""
        bands = list(Severity)
        raised = bands[min(band.rank + self.steps, len(bands) - 1)]
        return max(raised, self.floor or raised, key=lambda each: each.rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The factors in the order of `FACTORS`, and what overrides the band of their product, in the order in which it does."""

    factors: tuple[Factor, ...]
    overrides: tuple[Override, ...] = ()

    @property
    def low(self) -> int:
        """What it surely is at least."""
        return math.prod(factor.low for factor in self.factors)

    @property
    def high(self) -> int:
        """What it may be at most; by this scores are sorted."""
        return math.prod(factor.high for factor in self.factors)

    @property
    def range(self) -> str:
        """ "80", or "20..80"."""
        return bounds(self.low, self.high)

    @property
    def band(self) -> Severity:
        """The band of the upper bound, with every override that may hold."""
        return self._band(self.high, self.overrides)

    @property
    def least_band(self) -> Severity:
        """The band of the lower bound, with the overrides that surely hold."""
        return self._band(self.low, tuple(each for each in self.overrides if each.certain))

    @property
    def arithmetic(self) -> str:
        """ "5 x 4 x 4 = 80", or "5 x 1..4 x 4 = 20..80 (custody unknown)"."""
        unknown = dict.fromkeys(name.replace("_", " ") for factor in self.factors for name in factor.unknown)
        why = f" ({', '.join(unknown)} unknown)" if unknown else ""
        return f"{' x '.join(factor.range for factor in self.factors)} = {self.range}{why}"

    @staticmethod
    def _band(score: int, overrides: tuple[Override, ...]) -> Severity:
        band = next(band for least, band in BANDS if score >= least)
        for override in overrides:
            band = override.applied(band)
        return band


def bounds(low: int, high: int) -> str:
    """ "4", or "1..4"."""
    return str(low) if low == high else f"{low}..{high}"
