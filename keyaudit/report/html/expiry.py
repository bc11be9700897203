"""When things end: how many in each span and month, of whom, and what ends first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keyaudit.model import times
from keyaudit.model.expiring import Ending, Owner
from keyaudit.model.overview import Calendar, Span
from keyaudit.model.tables import TABLES
from keyaudit.report.expiring.words import name, notes, when
from keyaudit.report.html.charts import Columns, columns
from keyaudit.report.resource import owned_by

_OWNERS = 40
_NAMES = 2
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Owned:
    """How much of one owner ends in each span, in the order of the spans."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class End:
    """One thing that ends."""

    day: str
    when: str
    overdue: bool
    name: str
    noun: str
    owner: str
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """The calendar."""

    spans: tuple[tuple[Span, int], ...]
    chart: Columns
    months: tuple[tuple[str, int], ...]
    """The numbers of the chart: what is overdue, each month, what is unknown."""
    owners: Sequence[Owned]
    owners_left_out: int
    soonest: Sequence[End]
    soonest_left_out: int
    retired: int
    complete: bool


def expiry(calendar: Calendar, as_of: int) -> Expiry:
    """The calendar as a page shows it."""
    totals = {span: sum(due.counts.get(span, 0) for due in calendar.owners) for span in Span}
    months = _months(calendar.months, as_of)
    values = [
        ("past", {"over": totals[Span.OVERDUE]}),
        *((_MONTHS[int(month[5:]) - 1], {"bar": count}) for month, count in months),
        ("?", {"unknown": totals[Span.UNKNOWN]}),
    ]
    years = {number: month[:4] for number, (month, _) in enumerate(months, 1) if number == 1 or month.endswith("-01")}
    ending = sum(count for span, count in totals.items() if span is not Span.UNKNOWN)
    return Expiry(
        spans=tuple(totals.items()),
        chart=columns(values, under=years),
        months=(("overdue", totals[Span.OVERDUE]), *months, ("unknown", totals[Span.UNKNOWN])),
        owners=[Owned(_owner(due.owner), tuple(due.counts.get(span, 0) for span in Span)) for due in calendar.owners[:_OWNERS]],
        owners_left_out=max(len(calendar.owners) - _OWNERS, 0),
        soonest=[_end(each, as_of) for each in calendar.soonest],
        soonest_left_out=ending - len(calendar.soonest),
        retired=calendar.retired,
        complete=calendar.complete,
    )


def _months(counts: Mapping[str, int], as_of: int) -> tuple[tuple[str, int], ...]:
    """Twelve months from this one on, and the one in which the year is over, with those in which nothing ends."""
    year, month = map(int, times.iso_date(as_of).split("-")[:2])
    names = [f"{year + (month - 1 + ahead) // 12:04d}-{(month - 1 + ahead) % 12 + 1:02d}" for ahead in range(13)]
    return tuple((name, counts.get(name, 0)) for name in names)


def _owner(owner: Owner) -> str:
    """Who it is; of many, the first two."""
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
