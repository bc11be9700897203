"""The inventory at a glance, for those who read one page of it and not every row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from keyaudit.model.algorithms import DEPRECATED_AFTER, DISALLOWED_AFTER
from keyaudit.model.expiring import Ending, Owner
from keyaudit.model.findings import Bounds, PolicyText
from keyaudit.model.reasons import Reason
from keyaudit.model.times import DAY

HORIZON = 365 * DAY
"""How far a calendar looks ahead, in seconds."""


class Span(StrEnum):
    """When something ends, counted from the moment of the run."""

    OVERDUE = "expired"
    WEEK = "in 7 days"
    MONTH = "8 to 30 days"
    TWO_MONTHS = "31 to 60 days"
    QUARTER = "61 to 90 days"
    LATER = "91 to 365 days"
    UNKNOWN = "unknown"


SPANS: Mapping[Span, int] = {
    Span.OVERDUE: 0,
    Span.WEEK: 7 * DAY,
    Span.MONTH: 30 * DAY,
    Span.TWO_MONTHS: 60 * DAY,
    Span.QUARTER: 90 * DAY,
    Span.LATER: HORIZON,
}
"""The last second of each span, counted from the moment of the run; each begins where the one before it ends."""


@dataclass(frozen=True, slots=True)
class Due:
    """How many things of one owner end in each span; a span without any is not there."""

    owner: Owner
    counts: Mapping[Span, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """What in use ends within the horizon, has ended, or ends nobody knows when."""

    owners: Sequence[Due]
    """Who has the most overdue first, then the most within a week, and so on."""
    months: Mapping[str, int]
    """How many end in each month from now on, as in "2026-12", in their order; months without any are not there."""
    soonest: Sequence[Ending]
    """What ends first, overdue included, at most a hundred; the soonest first."""
    retired: int
    """How many more end within the horizon that are out of use, or end with their certificate."""
    complete: bool
    """All of it was read; else there may be more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeGroup:
    """Ages of the rows that have one limit. Bin `n` holds ages above `n` widths, up to `n + 1`; the last, all above it."""

    kind: str
    """Which rows these are where the policy has several limits, as in "purpose sign"; empty where it has one for all."""
    limit: int
    """Seconds."""
    width: int
    """Seconds; the limit is a whole number of widths, so that what is above it is in bins of its own."""
    bins: Mapping[int, int]
    """Rows by bin; one without any is not there."""
    undated: int
    """Rows without a date, or with one that is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How old the rows are that a policy applies to, or may apply to, against the ages that it allows."""

    policy: PolicyText
    groups: Sequence[AgeGroup]
    unplaced: int
    """Rows of which nobody knows which limit is theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """How many keys of one environment are kept in one way. None with a reason is unknown; an environment may be absent."""

    environment: str | None
    environment_unknown: Reason | None
    custody: str | None
    count: int


class Wave(StrEnum):
    """By when a key or certificate has to move to another algorithm, by the plan that `model.algorithms` names."""

    FIRST = f"by {DEPRECATED_AFTER}"
    SECOND = f"by {DISALLOWED_AFTER}"
    IN_TIME = "expires before that"
    UNAFFECTED = "not affected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Moving:
    """How many things of one owner, or of one algorithm, have to move in each wave; a wave without any is not there."""

    of: Owner | str
    counts: Mapping[Wave, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """The keys and certificates that are, or may be, in use, by when they have to move."""

    owners: Sequence[Moving]
    """Who has the most in the first wave first."""
    algorithms: Sequence[Moving]
    complete: bool
    """All of them were listed; else there may be more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Keys of one vault that equally many can use."""

    vault: str
    keys: int
    names: Sequence[str]
    """A few of them, in order."""
    counts: Mapping[str, Bounds | None]
    """By column of `model.tables.reach` how many can; None is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What a page shows beside the findings. All of it is small, however large the inventory."""

    calendar: Calendar
    ages: Sequence[Ages]
    """One a policy that limits the age of its rows."""
    custody: Sequence[Custody]
    """The key versions that are, or may be, current and enabled."""
    migration: Migration
    reach: Sequence[Reach] | None
    """Those of these keys that most can use, the most first; None where no selected policy reads who can."""
    reach_left_out: int
    """How many more of these keys there are, which fewer can use."""
