"""What logs cannot show, in words."""

from collections.abc import Sequence

from keyaudit.model.usage import Blind, Unseen
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY, iso_date
from keyaudit.report.lines import plural

_BLIND: dict[Blind, str] = {
    Blind.NO_BASELINE: "there is no baseline to compare with; make one with usage learn",
    Blind.TOO_MANY: "{count} more are not listed; learn from logs of the same tenant and kind",
    Blind.NEW_SOURCE: "{subject}: the baseline does not include this log, so missing days cannot be detected",
    Blind.NO_RHYTHM: "{subject}: learned for less than four weeks, so missing days cannot be detected",
    Blind.ABSENT_SOURCE: "{subject}: no event in the window, although the baseline has some; import that log",
    Blind.MISSING_DAYS: "{subject}: no event on {days}, although such days always had some; import these days, or find out why",
    Blind.NOT_TOLD: "{subject}: not recorded for {count}; export the log with all its columns",
    Blind.THROTTLED: "{subject}: its log was throttled on {days}, so mail that was read then may be missing in it",
    Blind.INCOMPLETE_FILE: "{subject}: read in part only, for the reason that usage import or usage collect printed",
    Blind.BAD_LINES: "{subject}: {count} could not be read; look at the places that usage import named",
    Blind.NOT_READ: "{subject}: {count} on {days}, which may concern keys, and which keyaudit does not read; look at the log",
}
_COUNTED = {Blind.TOO_MANY: "reason", Blind.NOT_TOLD: "use", Blind.BAD_LINES: "record", Blind.NOT_READ: "record"}
_RANGES = 6


def unseen(each: Unseen) -> str:
    """What is unknown, and why."""
    return _BLIND[each.blind].format(
        subject=one_line(each.subject, 512),
        days=days(each.days),
        count=plural(each.count, _COUNTED.get(each.blind, "")),
    )


def days(starts: Sequence[int]) -> str:
    """Days, with consecutive ones as a range: "2026-12-01, 2026-12-07 to 2026-12-13"."""
    ranges: list[list[int]] = []
    for day in starts:
        if ranges and day == ranges[-1][1] + DAY:
            ranges[-1][1] = day
        else:
            ranges.append([day, day])
    shown = [iso_date(first) + (f" to {iso_date(last)}" if last > first else "") for first, last in ranges[:_RANGES]]
    more = sum((last - first) // DAY + 1 for first, last in ranges[_RANGES:])
    return ", ".join(shown) + (f" and {plural(more, 'more day')}" if more else "")
