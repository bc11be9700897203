"""A company written without regard to the policies: its dangers come first, and its ordinary objects are left alone."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import reported
from tests.estates import snapshot
from tests.intrusions.run import command
from tests.simulator.estates import estate
from tests.simulator.estates.northgate_abused import DANGERS as PLACED
from tests.simulator.estates.northgate_abused import with_dangers
from tests.stranger import month
from tests.stranger.expected import ACCEPTABLE, DANGERS, DEFENDED, LOUD, MOST, ON_SCREEN, ON_TOP, TABLE, Danger

SEVERITIES = ("info", "low", "medium", "high", "critical")
NOVEMBER_2026 = 1_795_478_400
Findings = list[dict[str, Any]]


def named(finding: dict[str, Any], *names: str) -> bool:
    """Whether a finding is of an object of one of these names, not of one whose name only begins like it."""
    said = finding["resource"].lower()
    return any(re.search(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", said) for name in names)


def rank(finding: dict[str, Any]) -> int:
    return SEVERITIES.index(finding["severity"])


@pytest.fixture(scope="module")
def sound() -> Findings:
    return reported(snapshot("northgate")).findings("fail", "unknown")


@pytest.fixture(scope="module")
def abused() -> Findings:
    return reported(snapshot("northgate-abused")).findings("fail", "unknown")


@pytest.fixture(scope="module")
def screen() -> list[str]:
    """The first screen of a terminal with 80 columns."""
    stored = snapshot("northgate-abused")
    command = [sys.executable, "-m", "tests.estates", "report", "--from", str(stored)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "80"})
    return ended.stdout.splitlines()


def test_each_danger_is_an_addition_by_itself() -> None:
    assert tuple(PLACED) == tuple(danger.key for danger in DANGERS)
    without = estate("northgate", NOVEMBER_2026)
    for name in PLACED:
        assert with_dangers(NOVEMBER_2026, name) != without
    everything = with_dangers(NOVEMBER_2026, *PLACED)
    assert len({one.id for one in everything.service_principals}) == len(everything.service_principals)
    assert len({one.id for one in everything.role_assignments}) == len(everything.role_assignments)


def test_all_that_is_expected_is_there() -> None:
    everything = str(estate("northgate-abused", NOVEMBER_2026))
    names = [name for kind in ACCEPTABLE.values() for name in kind] + [danger.objects[0] for danger in DANGERS]
    assert [name for name in (*names, *DEFENDED) if f"'{name}'" not in everything and f"CN={name}" not in everything] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("danger", DANGERS, ids=lambda danger: danger.key)
def test_a_danger_is_found_at_the_severity_it_deserves(danger: Danger, abused: Findings, sound: Findings) -> None:
    """By a finding that the sound company does not have, or has at a lower severity; of some it is what the table gives."""
    least, _ = TABLE.get(danger.key, (danger.at_least, ""))
    before = {one["id"]: rank(one) for one in sound}
    of_it = [one for one in abused if named(one, *danger.objects) and rank(one) > before.get(one["id"], -1)]
    assert max(map(rank, of_it), default=-1) >= SEVERITIES.index(least)


@pytest.mark.exhaustive
def test_the_dangers_are_named_at_the_top_of_the_first_screen(screen: list[str]) -> None:
    for lines, least in ((screen, ON_SCREEN), (screen[:20], ON_TOP)):
        top = " ".join(line.strip() for line in lines)
        missing = [danger.key for danger in DANGERS if not any(name in top for name in danger.objects)]
        assert len(DANGERS) - len(missing) >= least, missing


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ACCEPTABLE)
def test_what_is_acceptable_is_at_most_medium(kind: str, sound: Findings) -> None:
    loud = [
        (one["policy"], one["resource"], one["severity"])
        for one in sound
        if named(one, *ACCEPTABLE[kind]) and not named(one, *LOUD)
    ]
    assert [each for each in loud if SEVERITIES.index(each[2]) > SEVERITIES.index("medium")] == []


@pytest.mark.exhaustive
def test_few_findings_of_the_sound_company_are_high_and_all_are_defended(sound: Findings) -> None:
    loud = [one for one in sound if rank(one) >= SEVERITIES.index("high")]
    assert [(one["policy"], one["resource"]) for one in loud if not named(one, *DEFENDED, *LOUD)] == []
    assert len(loud) <= MOST


@pytest.mark.exhaustive
@pytest.mark.parametrize("learnt", [30, 45, 60])
def test_a_month_in_which_nothing_is_wrong_stays_quiet(learnt: int, tmp_path: Path) -> None:
    month.Month().write(tmp_path / "logs")
    command("usage", "import", tmp_path / "logs", "--out", tmp_path / "uses")
    weeks = list(month.alerts(tmp_path, learnt))
    assert [unread for _, unread in weeks] == [[]] * 4
    assert sum(len(found) for found, _ in weeks) <= month.MOST_ALERTS_A_WEEK * len(weeks)
