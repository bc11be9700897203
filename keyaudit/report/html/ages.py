"""Age against cryptoperiod: the number of rows by age, and above the limit."""

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.model.results.findings import PolicyText
from keyaudit.model.results.overview import AgeGroup, Ages
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import DAY, duration_text
from keyaudit.report.html.charts import Columns, columns


class Histogram(Struct, frozen=True, kw_only=True):
    """The ages of the rows with one limit."""

    title: str
    limit: str
    chart: Columns
    rows: Sequence[tuple[str, int, bool]]
    """Each age, the number of rows, and whether it is above the limit."""
    within: int
    over: int
    undated: int


class Aged(Struct, frozen=True, kw_only=True):
    """A policy that limits ages, with its histograms."""

    policy: PolicyText
    things: str
    unplaced: int
    histograms: Sequence[Histogram]


def aged(all_ages: Sequence[Ages]) -> Sequence[Aged]:
    """The histograms of each policy with an age limit."""
    return [
        Aged(
            policy=each.policy,
            things=TABLES[each.policy.table].plural,
            unplaced=each.unplaced,
            histograms=[_histogram(group) for group in each.groups],
        )
        for each in all_ages
    ]


def _histogram(group: AgeGroup) -> Histogram:
    over_from = group.limit // group.width
    last = max((*group.bins, over_from + over_from // 2))
    end = 3 * over_from - 1
    values = [
        (_tick(group, number, last=number == end), {"over" if number >= over_from else "bar": group.bins.get(number, 0)})
        for number in range(last + 1)
    ]
    return Histogram(
        title=group.kind,
        limit=duration_text(group.limit),
        chart=columns(values, mark=over_from),
        rows=[
            (_range(group, number, last=number == end), count, number >= over_from)
            for number, count in sorted(group.bins.items())
        ],
        within=sum(count for number, count in group.bins.items() if number < over_from),
        over=sum(count for number, count in group.bins.items() if number >= over_from),
        undated=group.undated,
    )


def _tick(group: AgeGroup, number: int, *, last: bool) -> str:
    """The label of every fourth column, in days, and of the last one, which is open-ended."""
    days = f"{number * group.width // DAY:,}"
    return f"{days}+" if last else days if number % max(group.limit // group.width // 2, 1) == 0 else ""


def _range(group: AgeGroup, number: int, *, last: bool) -> str:
    begin, end = number * group.width // DAY, (number + 1) * group.width // DAY
    return f"above {begin:,} days" if last else f"{begin:,} to {end:,} days"
