"""The factor age: the larger of the time since creation and the lifetime, against a limit."""

from keyaudit.inventory.scores.ladder import Ladder, Rung, either
from keyaudit.model.times import DAY

KEY_LIMIT = 730 * DAY
SECRET_LIMIT = 180 * DAY
CERTIFICATE_LIMIT = 365 * DAY
SIGNING_LIMIT = 1_095 * DAY
"""The limits of scores. They are not settings, so that scores of two tenants can be compared."""

Dates = tuple[str, str | None]
"""SQL of the creation and expiration dates, NULL where unknown or absent; None: there is no expiration date."""


def ages(dates: Dates, limit: str) -> str:
    """SQL of the facts in the reasons."""
    begun, ends = dates
    # Times are up to 2^62 on either side of 0, so their difference needs more than 64 bits.
    life = f", {ends}::HUGEINT - {begun}" if ends else ""
    span = f"greatest(fact_as_of::HUGEINT - {begun}{life})"
    return (
        f"({limit})::BIGINT AS fact_limit, ({span} // {DAY})::VARCHAR AS fact_days,"
        f" ({limit} // {DAY})::VARCHAR AS fact_limit_days, printf('%.2f', ({span})::DOUBLE / ({limit})) AS fact_times"
    )


def ladder(dates: Dates, reads: tuple[str, ...], *worst: Rung, least: tuple[Rung, ...] = ()) -> Ladder:
    """The factor. `worst`: further conditions for 4; `least`: conditions for 1.

    If the expiration date can be absent, one of `worst` must cover that.
    """
    begun, ends = dates
    said = "{fact_days} days of age or granted life against a limit of {fact_limit_days}, {fact_times} times"

    def over(times: int, parts: int) -> str:
        limit = f"{times}::HUGEINT * fact_limit"
        spans = [f"fact_as_of::HUGEINT - {begun}", *([f"{ends}::HUGEINT - {begun}"] if ends else ())]
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
