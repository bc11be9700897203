"""Counts groups of uses by class of target, operation and application, and within these by each facet."""

# ruff: noqa: S608 - every name and literal in this SQL is our own

from collections.abc import Iterator

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.inventory.logs.groups import FACETS, KEYS, within
from keyaudit.model.errors import UsageError
from keyaudit.model.usage import Facet, Window
from keyaudit.model.values.times import DAY, iso_date

MOST_DAYS = 3_660
"""The maximum days of a window: each group counts its days with one bit each."""

COLUMNS = {
    "target_kind": "VARCHAR",
    "target": "VARCHAR",
    "operation": "VARCHAR",
    "app": "VARCHAR",
    "facet": "VARCHAR",
    "value": "VARCHAR",
    "uses": "BIGINT",
    "days": "BIGINT",
    "first_on": "BIGINT",
    "last_on": "BIGINT",
    "mailboxes": "BIGINT",
    "reads": "BIGINT",
}
"""The learned columns. `mailboxes`: the most that were read in one day; `reads`: the most that one of them was. Both are 0
except for mail, by application, network and program.
"""


def days_of(window: Window, sql: DuckDB = DUCKDB) -> str:
    """SQL over `day`: the number of days with uses of a group."""
    return sql.different("day", window.since // DAY, max(window.since + DAY, window.until) // DAY)


def counting(window: Window, groups: str, mailboxes: str, *, succeeded: bool = False, sql: DuckDB = DUCKDB) -> Iterator[str]:
    """The statements that create the table `seen` of the uses in the window; with `succeeded`, only of those that succeeded.

    It has COLUMNS and `refused`. `groups`, `mailboxes`: relations with the columns of `logs.groups.GROUP` and `MAILBOXES`;
    `groups` is read once for each facet.
    """
    boxes, reads, condition = ("let_in", "reads_let_in", "succeeded") if succeeded else ("boxes", "reads", "true")
    mail_read = f"""SELECT {KEYS}, facet, value, max(boxes) AS mailboxes, max(reads) AS reads FROM (
        SELECT {KEYS}, facet, value, day, CAST(sum({boxes}) AS BIGINT) AS boxes, max({reads}) AS reads
        FROM {mailboxes} WHERE {within(window)} AND {boxes} > 0
        GROUP BY {KEYS}, facet, value, day) GROUP BY {KEYS}, facet, value"""
    yield sql.table("mail_read", mail_read)
    # One facet at a time: grouping sets would hold the groups of all facets at once, and take three times as long.
    for facet, value in ((Facet.APP, "''"), *FACETS.items()):
        query = f"""SELECT {KEYS}, '{facet}' AS facet, value, uses, refused, days, first_on, last_on,
            coalesce(mailboxes, 0) AS mailboxes, coalesce(reads, 0) AS reads FROM (
                SELECT {KEYS}, '{facet}' AS facet, {value} AS value, CAST(sum(uses) AS BIGINT) AS uses,
                    CAST(coalesce(sum(uses) FILTER (WHERE NOT succeeded), 0) AS BIGINT) AS refused,
                    {days_of(window, sql)} AS days,
                    min(first_on) AS first_on, max(last_on) AS last_on
                FROM {groups} WHERE told AND {within(window)} AND {condition} AND {_counted(facet, value)}
                GROUP BY {KEYS}, value)
            LEFT JOIN mail_read USING ({KEYS}, facet, value)"""
        yield sql.table("seen", query) if facet is Facet.APP else f"INSERT INTO seen {query}"
    yield f"""INSERT INTO seen SELECT {KEYS}, '{Facet.HOUR}' AS facet, '' AS value, CAST(0 AS BIGINT) AS uses,
            CAST(0 AS BIGINT) AS refused, {days_of(window, sql)} AS days, min(day) * {DAY} AS first_on,
            max(day) * {DAY} AS last_on, max({boxes}) AS mailboxes, CAST(0 AS BIGINT) AS reads
        FROM {mailboxes} WHERE {within(window)} AND facet = '{Facet.HOUR}' AND {boxes} > 0 GROUP BY {KEYS}"""


def _counted(facet: Facet, value: str) -> str:
    """SQL: whether uses with this value are counted. An empty client application means that nothing else called."""
    if facet is Facet.APP:
        return "true"
    return f"{value} IS NOT NULL" if facet is Facet.CLIENT_APP else f"{value} <> ''"


def refuse_too_long(window: Window) -> None:
    """Raises UsageError for a window with too many days."""
    if len(window.days) > MOST_DAYS:
        what = f"{len(window.days):,} days, from {iso_date(window.since)}"
        raise UsageError("the window", what, f"{MOST_DAYS:,} are the most; name one with --first-day and --last-day")


def same(left: str, right: str) -> str:
    """SQL: whether rows of two relations have the same class, operation and application."""
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in KEYS.split(", "))
