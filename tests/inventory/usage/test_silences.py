"""Whether a sign-in log is whole around the time of a token's issue: small tenants have hours without a sign-in."""

from collections.abc import Callable, Iterator

import duckdb
import pytest

from keyaudit.inventory.logs.token import COLUMNS, HOUR_COLUMNS
from keyaudit.inventory.usage.tokens import tokens_of
from keyaudit.model.tokens import ISSUED, SIGNED_IN, Doubt
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY, parse_date

MONDAY = parse_date("2026-06-01")
HOUR = 3_600


def office(hour: int) -> bool:
    """Somebody signs in at each hour of the work days, and nobody otherwise."""
    return hour // 24 % 7 < 5 and 8 <= hour % 24 < 18


def always(hour: int) -> bool:
    return True


def now_and_then(hour: int) -> bool:
    """Two of three hours, in an order that has no more than two of the others in a row."""
    return hour * 7 % 9 not in (1, 4, 8)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        yield made


def doubts(
    connection: duckdb.DuckDBPyConnection, works: Callable[[int], bool], issued: int, silent: range, days: int
) -> set[Doubt]:
    """Why a token cannot be checked that was issued `issued` hours after the first, with logs that are `silent` besides."""
    first = MONDAY // HOUR
    hours = [first + hour for hour in range(days * 24) if works(hour) and hour not in silent]
    connection.execute(f"CREATE TABLE hours ({', '.join(f'{name} {type_}' for name, type_ in HOUR_COLUMNS.items())})")
    connection.execute(
        "INSERT INTO hours SELECT source, unnest($hours), true FROM (SELECT unnest($logs) AS source)",
        {"hours": hours, "logs": list(ISSUED)},
    )
    connection.execute(f"CREATE TABLE tokens ({', '.join(f'{name} {type_}' for name, type_ in COLUMNS.items())})")
    on = MONDAY + issued * HOUR + 1_800
    connection.execute(
        "INSERT INTO tokens BY NAME SELECT false AS issue, 'Exchange' AS service, 'app' AS app, uuid() AS token,"
        " 'user' AS kind, $on - $before AS issued_on, $on AS first_on, $on AS last_on, $on // 86400 AS day",
        {"on": on, "before": SIGNED_IN},
    )
    found = tokens_of(connection, Window(since=MONDAY, until=MONDAY + days * DAY), None, apps={"app"}, principals=set())
    return set(found.doubts)


@pytest.mark.parametrize(
    ("works", "issued", "silent", "days", "whole"),
    [
        (office, 38 * 24 + 3, range(0), 60, True),  # a night, when nobody ever signs in
        (office, 38 * 24 + 11, range(38 * 24 + 10, 38 * 24 + 13), 60, False),  # the middle of a work day
        (office, 10 * 24 + 3, range(0), 20, False),  # too few nights to know
        (now_and_then, 38 * 24 + 10, range(0), 60, True),
        (now_and_then, 38 * 24 + 10, range(38 * 24 + 9, 38 * 24 + 14), 60, False),  # longer than chance explains
        (always, 38 * 24 + 3, range(0), 60, True),
        (always, 38 * 24 + 3, range(38 * 24 + 3, 38 * 24 + 4), 60, False),  # one hour, where none is silent
        (always, 38 * 24 + 3, range(38 * 24 + 4, 38 * 24 + 5), 60, False),  # the next one
    ],
)
def test_a_silence_counts_as_a_gap_where_it_is_unusual(
    connection: duckdb.DuckDBPyConnection, works: Callable[[int], bool], issued: int, silent: range, days: int, whole: bool
) -> None:
    assert doubts(connection, works, issued, silent, days) == {Doubt.NO_BASELINE if whole else Doubt.GAP}
