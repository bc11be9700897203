"""The simulated year of logs: the same each time, and with the intrusion that its description promises."""

import json
from collections import Counter, defaultdict
from typing import Any

import pytest

from keyaudit.simulator.estates.ids import DAY, Ground
from keyaudit.simulator.estates.logs.shapes import EXCHANGE
from keyaudit.simulator.estates.logs.year import (
    DISGUISE,
    FOOTHOLD,
    IDENTITIES,
    INTRUSION,
    KEYS,
    MAIL,
    SIGN_INS,
    STOLEN,
    Line,
    Year,
)

YEAR = Year(ground=Ground(2023, 0, "contoso.example"), first=1_735_689_600)
INTRUDER = YEAR.app(DISGUISE)


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(YEAR.lines())


@pytest.fixture(scope="module")
def mail(lines: list[Line]) -> list[tuple[int, dict[str, Any]]]:
    """What is inside the records of mail, with its day of the year."""
    found = [(line, json.loads(json.loads(line.text)["AuditData"])) for line in lines if line.log == MAIL]
    return [((line.moment - YEAR.first) // DAY, record) for line, record in found]


def test_it_is_the_same_each_time_and_another_for_another_tenant(lines: list[Line]) -> None:
    assert list(YEAR.lines(range(9))) == [line for line in lines if line.moment < YEAR.first + 9 * DAY]
    other = Year(ground=Ground(7, 0, "contoso.example"), first=YEAR.first)
    assert next(other.lines()).text != lines[0].text


def test_every_log_has_events_on_every_day(lines: list[Line]) -> None:
    days = defaultdict(set)
    for line in lines:
        days[line.log].add((line.moment - YEAR.first) // DAY)
    assert {log: len(had) for log, had in days.items()} == {MAIL: 365, KEYS: 365, SIGN_INS: 365, IDENTITIES: 365}


def test_people_rest_at_the_weekend(mail: list[tuple[int, dict[str, Any]]]) -> None:
    # 2025-01-01 was a Wednesday.
    read = Counter((day + 2) % 7 for day, record in mail if record["ClientInfoString"].startswith("Client=REST"))
    assert max(read[5], read[6]) * 4 < min(read[weekday] for weekday in range(5))


def test_the_intruder_reads_little_to_the_end_of_the_year(mail: list[tuple[int, dict[str, Any]]]) -> None:
    read = Counter(day for day, record in mail if record["AppId"] == INTRUDER)
    assert set(read) == set(range(INTRUSION + 1, 365))
    assert set(read.values()) <= {2, 3}


def test_the_intruder_signs_with_the_stolen_key_and_signs_in_with_what_he_added(lines: list[Line]) -> None:
    signed, used = Counter[int](), set[str]()
    for line in lines:
        day = (line.moment - YEAR.first) // DAY
        if line.log == KEYS and YEAR.app(FOOTHOLD) in line.text and f"{STOLEN[0]}.vault" in line.text:
            signed[day] += 1
        if line.log == SIGN_INS and f'"AppId": "{INTRUDER}"' in line.text:
            row = json.loads(line.text)
            used.add(row["ServicePrincipalCredentialKeyId"])
            assert (row["ResourceIdentity"], day > INTRUSION) == (EXCHANGE, True)
    assert signed == {INTRUSION: 5, INTRUSION + 1: 5}
    assert used == {YEAR.added_credential}
