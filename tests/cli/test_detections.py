"""Detections: logs of the demo's tenant, imported, learned from, and judged with the inventory: planted is what is found."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from keyaudit.__main__ import main
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.evidence import LOGS
from keyaudit.model.times import DAY, iso_date
from keyaudit.policy.load import load
from tests.cli.conftest import Keyaudit, collected
from tests.cli.detections import planted
from tests.demo_logs import KEYS, MAIL, Logs, Tenant, quiet, read

ALL = tuple(sorted(policy.text.id for policy in load() if LOGS in policy.text.needs))
BY_USE = {policy.text.id for policy in load() if policy.table.name == "usage"}
CHOSEN = tuple(argument for policy in ALL for argument in ("--select", policy))


def _run(*arguments: str | Path, codes: Iterable[int] = (0,)) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["keyaudit", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
    assert stopped.value.code in codes


def _imported(folder: Path, logs: Logs, *, codes: Iterable[int] = (0,)) -> Path:
    _run("usage", "import", logs.write(folder / "files"), "--out", folder / "uses", codes=codes)
    return folder / "uses"


def _learned(folder: Path, tenant: Tenant, uses: Path) -> Path:
    first, last = (iso_date(tenant.today - days * DAY) for days in (70, 8))
    _run("usage", "learn", uses, "--first-day", first, "--last-day", last, "--out", folder / "usual", codes=(0, 3))
    return folder / "usual"


@pytest.fixture(scope="module")
def tenant(contoso: Path) -> Tenant:
    return read(contoso)


@pytest.fixture(scope="module")
def logs(tenant: Tenant) -> Logs:
    return planted(tenant)


@pytest.fixture(scope="module")
def supplied(tenant: Tenant, logs: Logs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The store and the baseline."""
    folder = tmp_path_factory.mktemp("logs")
    uses = _imported(folder, logs)
    return uses, _learned(folder, tenant, uses)


@pytest.fixture(scope="module")
def taken(supplied: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot that has both in it."""
    uses, usual = supplied
    arguments = ("--import", f"logs={uses}", "--import", f"usage-baseline={usual}")
    return collected(tmp_path_factory.mktemp("taken") / "snapshot", "contoso", *arguments)


def _found(findings: Iterable[Mapping[str, Any]], outcome: str) -> Counter[tuple[str, str]]:
    """By policy what its findings are about: of a use its record's own id, of a key the version or the key."""
    return Counter(
        (each["policy"], each["row"]["name"] if "used_on" in each["row"] else each["subject"])
        for each in findings
        if each["outcome"] == outcome
    )


def test_what_was_planted_is_found_and_nothing_else(keyaudit: Keyaudit, taken: Path, logs: Logs) -> None:
    ran = keyaudit("report", "--from", taken, *CHOSEN, "-o", "json")
    found = _found(ran.json["findings"], "fail")
    assert set(found) == logs.planted
    assert {count for (policy, _), count in found.items() if policy in BY_USE} == {1}
