"""An overview of the inventory for one page."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.algorithms import DEPRECATED_AFTER, DISALLOWED_AFTER
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.results.findings import Bounds, PolicyText
from keyaudit.model.values.times import DAY

HORIZON = 365 * DAY
"""How far a calendar looks ahead, in seconds."""


class Span(StrEnum):
    """Ranges of time until expiry, counted from the time of the run."""

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
"""The last second of each range, counted from the time of the run; each begins where the previous one ends."""


class Due(Struct, frozen=True):
    """The number of expiring resources of one owner by range; empty ranges are left out."""

    owner: Owner
    counts: Mapping[Span, int]


class Calendar(Struct, frozen=True, kw_only=True):
    """Resources in use that expire within the horizon, have expired, or have an unknown expiration date."""

    owners: Sequence[Due]
    """Ordered by the number of expired resources, then by those that expire within a week, and so on."""
    months: Mapping[str, int]
    """The number that expires in each month from now on, such as "2026-12", in order; empty months are left out."""
    soonest: Sequence[Ending]
    """At most a hundred resources that expire first, expired ones included; the soonest first."""
    retired: int
    """The number of further ones that are not in use, or expire with their certificate."""
    complete: bool
    """Whether everything was read; otherwise there may be more."""


class AgeGroup(Struct, frozen=True, kw_only=True):
    """Ages of the rows that have one limit. Bin `n` holds ages above `n` widths, up to `n + 1`; the last, all above it."""

    kind: str
    """The rows of the group if the policy has several limits, such as "purpose sign"; empty for a single limit."""
    limit: int
    """Seconds."""
    width: int
    """Seconds; the limit is a multiple of the width, so that no bin contains ages on both sides of it."""
    bins: Mapping[int, int]
    """Rows by bin; empty bins are left out."""
    undated: int
    """Rows without a date, or with one that is unknown."""


class Ages(Struct, frozen=True, kw_only=True):
    """The ages of the rows that a policy applies to, or may apply to, with its limits."""

    policy: PolicyText
    groups: Sequence[AgeGroup]
    unplaced: int
    """Rows whose limit is unknown."""


class Custody(Struct, frozen=True, kw_only=True):
    """The number of keys by environment and custody. None with a reason is unknown; an environment may be absent."""

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


class Moving(Struct, frozen=True):
    """How many things of one owner, or of one algorithm, have to move in each wave; a wave without any is not there."""

    of: Owner | str
    counts: Mapping[Wave, int]


class Migration(Struct, frozen=True, kw_only=True):
    """The keys and certificates that are, or may be, in use, by when they have to move."""

    owners: Sequence[Moving]
    """Who has the most in the first wave first."""
    algorithms: Sequence[Moving]
    complete: bool
    """All of them were listed; else there may be more."""


class Reach(Struct, frozen=True, kw_only=True):
    """Keys of one vault that the same number of principals can use."""

    vault: str
    keys: int
    names: Sequence[str]
    """A few of their names, in order."""
    counts: Mapping[str, Bounds | None]
    """The number of principals, by column of `model.tables.reach`; None is unknown."""


class Overview(Struct, frozen=True, kw_only=True):
    """The overview beside the findings. Its size does not depend on the size of the inventory."""

    calendar: Calendar
    ages: Sequence[Ages]
    """One entry for each policy that limits the age of its rows."""
    custody: Sequence[Custody]
    """The key versions that are, or may be, current and enabled."""
    migration: Migration
    reach: Sequence[Reach] | None
    """The keys that most principals can use, in descending order; None if no selected policy reads access."""
    reach_left_out: int
    """The number of further keys, which fewer principals can use."""
