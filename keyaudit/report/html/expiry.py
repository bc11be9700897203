"""Expirations by range, month and owner, and the next ones."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.results.overview import Calendar, Due, Span
from keyaudit.model.tables import TABLES
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.endings import name, notes, when
from keyaudit.report.html.charts import Columns, columns
from keyaudit.report.resource import owned_by

_OWNERS = 40
_NAMES = 2
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Owned(Struct, frozen=True):
    """The number of expirations of one owner by range, in order."""

    name: str
    counts: tuple[int, ...]


class End(Struct, frozen=True):
    """One resource that expires."""

    day: str
    when: str
    overdue: bool
    name: str
    noun: str
    owner: str
    notes: str


class Expiry(Struct, frozen=True, kw_only=True):
    """The calendar."""

    spans: tuple[tuple[Span, int], ...]
    chart: Columns
    months: tuple[tuple[str, int], ...]
    """The numbers of the chart: expired, each month, unknown."""
    owners: Sequence[Owned]
    owners_left_out: int
    soonest: Sequence[End]
    soonest_left_out: int
    retired: int
    complete: bool


def expiry(calendar: Calendar, as_of: int) -> Expiry:
    """The calendar section of the page."""
    totals = {span: sum(due.counts.get(span, 0) for due in calendar.owners) for span in Span}
    months = _months(calendar.months, as_of)
    values = [
        ("expired", {"over": totals[Span.OVERDUE]}),
        *((_MONTHS[int(month[5:]) - 1], {"bar": count}) for month, count in months),
        ("?", {"unknown": totals[Span.UNKNOWN]}),
    ]
    years = {number: month[:4] for number, (month, _) in enumerate(months, 1) if number == 1 or month.endswith("-01")}
    owners = _by_person(calendar.owners)
    ending = sum(count for span, count in totals.items() if span is not Span.UNKNOWN)
    return Expiry(
        spans=tuple(totals.items()),
        chart=columns(values, under=years),
        months=(("expired", totals[Span.OVERDUE]), *months, ("unknown", totals[Span.UNKNOWN])),
        owners=owners[:_OWNERS],
        owners_left_out=max(len(owners) - _OWNERS, 0),
        soonest=[_end(each, as_of) for each in calendar.soonest],
        soonest_left_out=ending - len(calendar.soonest),
        retired=calendar.retired,
        complete=calendar.complete,
    )


def _months(counts: Mapping[str, int], as_of: int) -> tuple[tuple[str, int], ...]:
    """Thirteen months from this one on, including months without expirations."""
    year, month = map(int, times.iso_date(as_of).split("-")[:2])
    names = [f"{year + (month - 1 + ahead) // 12:04d}-{(month - 1 + ahead) % 12 + 1:02d}" for ahead in range(13)]
    return tuple((name, counts.get(name, 0)) for name in names)


def _by_person(dues: Sequence[Due]) -> list[Owned]:
    """One entry per owner, regardless of the source; a resource with several owners counts for each. Most urgent first."""
    counts: dict[str, Counter[Span]] = defaultdict(Counter)
    for due in dues:
        for name_ in due.owner.names or (owned_by(due.owner),):
            counts[name_].update(due.counts)
    found = [Owned(one_line(name_), tuple(of[span] for span in Span)) for name_, of in counts.items()]
    return sorted(found, key=lambda each: ([-count for count in each.counts], each.name))


def _owner(owner: Owner) -> str:
    """The owner; of several, the first two."""
    if len(owner.names) <= _NAMES:
        return owned_by(owner)
    return f"{owned_by(replace(owner, names=owner.names[:_NAMES]))} and {len(owner.names) - _NAMES:,} more"


def _end(ending: Ending, as_of: int) -> End:
    return End(
        day="" if ending.expires_on is None else times.iso_date(ending.expires_on),
        when=when(ending, as_of),
        overdue=ending.expires_on is not None and ending.expires_on <= as_of,
        name=name(ending),
        noun=TABLES[ending.table].noun,
        owner=_owner(ending.owner),
        notes=notes(ending),
    )
