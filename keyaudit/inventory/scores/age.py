"""The factor age: the larger of the time since creation and the lifetime, against a limit."""

from collections.abc import Callable

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.scores.ladder import Ladder, Rung, either
from keyaudit.model.times import DAY

KEY_LIMIT = 730 * DAY
SECRET_LIMIT = 180 * DAY
CERTIFICATE_LIMIT = 366 * DAY
SIGNING_LIMIT = 1_095 * DAY
"""The limits of scores. They are not settings, so that scores of two tenants can be compared."""

_WIDE = "DECIMAL(38, 0)"
"""An integer type, in every dialect, in which no multiple of times overflows."""

Dates = tuple[str, str | None]
"""SQL of the creation and expiration dates, NULL where unknown or absent; None: there is no expiration date."""


def ages(dates: Dates, limit: str) -> Callable[[DuckDB], str]:
    """SQL of the facts in the reasons, by dialect."""
    begun, ends = dates

    def written(sql: DuckDB) -> str:
        # Times are up to 2^62 on either side of 0, so their difference needs more than 64 bits.
        span = f"({sql.wide('fact_as_of')} - {begun})"
        if ends:
            span = f"greatest({span}, {sql.wide(ends)} - {begun})"
        facts = {
            "fact_days": sql.quotient(span, DAY),
            "fact_limit_days": sql.quotient(f"({limit})", DAY),
            # Rounded in integers: engines print floating-point numbers differently.
            "fact_hundredths": sql.quotient(f"(200 * {span} + ({limit}))", f"(2 * ({limit}))"),
        }
        shown = {name: f"CAST({value} AS STRING)" for name, value in facts.items()}
        hundredths = facts["fact_hundredths"]
        times = f"CAST({sql.quotient(hundredths, 100)} AS STRING) || '.' || lpad(CAST({hundredths} % 100 AS STRING), 2, '0')"
        return (
            f"CAST({limit} AS BIGINT) AS fact_limit, {shown['fact_days']} AS fact_days,"
            f" {shown['fact_limit_days']} AS fact_limit_days, {times} AS fact_times"
        )

    return written


def ladder(dates: Dates, reads: tuple[str, ...], *worst: Rung, least: tuple[Rung, ...] = ()) -> Ladder:
    """The factor. `worst`: further conditions for 4; `least`: conditions for 1.

    If the expiration date can be absent, one of `worst` must cover that.
    """
    begun, ends = dates
    said = "{fact_days} days, {fact_times} times the limit of {fact_limit_days}"

    def over(times: int, parts: int) -> str:
        limit = f"{times} * CAST(fact_limit AS {_WIDE})"
        spans = [f"CAST(fact_as_of AS {_WIDE}) - {begun}", *([f"CAST({ends} AS {_WIDE}) - {begun}"] if ends else ())]
        return either(*(f"{parts} * ({span}) > {limit}" for span in spans))

    return Ladder(
        (
            Rung(4, over(2, 1), said, reads),
            *worst,
            Rung(3, over(1, 1), said, reads),
            Rung(2, over(3, 4), said, reads),
            *least,
        ),
        1,
        said,
    )
