"""Times that a resource of the provider time computes from the moment of apply.

docs/resources/offset.md and internal/provider/resource_time_offset.go of hashicorp/terraform-provider-time 0.14.0.
"""

from datetime import UTC, date, datetime, timedelta

from keyaudit.model.values.times import parse_time
from keyaudit.plan.document.resources import Planned, Value
from keyaudit.plan.scopes import Ground

_OFFSET = "time_offset"
_PARTS = ("years", "seconds", "months", "minutes", "hours", "days")
"""The parts of an offset. Of several, the provider takes the first of these alone."""


def moment(ground: Ground, planned: Planned, attribute: str) -> Value:
    """A time that a resource has: as it is shown, or that of a new offset to which it refers."""
    target = ground.resources.target(planned, attribute)
    if target is None or target[0].type != _OFFSET or target[1] != "rfc3339" or not target[0].is_new:
        return planned.value(attribute)
    found = _after(target[0], ground.now)
    return planned.value(attribute) if found is None else found


def _after(offset: Planned, now: int) -> int | None:
    """When it ends, in seconds since 1970 UTC; None if a part of it is not known, or it is out of range."""
    parts = {part: offset.value(f"offset_{part}") for part in _PARTS}
    if any(not isinstance(value, int | None) for value in parts.values()):
        return None
    named = next(((part, value) for part, value in parts.items() if value), None)
    try:
        base = parse_time(offset.text("base_rfc3339") or "") if offset.text("base_rfc3339") else now
        if named is None:
            return None
        part, value = named
        if part not in ("years", "months"):
            return base + int(timedelta(**{part: value}).total_seconds())
        begun = datetime.fromtimestamp(base, UTC)
        months = begun.year * 12 + begun.month - 1 + value * (12 if part == "years" else 1)
        # A month without that day goes on into the next one, as in Go.
        days = date(months // 12, months % 12 + 1, 1) + timedelta(days=begun.day - 1)
        return base + int((days - begun.date()).total_seconds())
    except (ValueError, OverflowError):
        return None
