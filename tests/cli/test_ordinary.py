"""Ordinary tenants: each footprint of an installer is said to be what it is, and the same footprint, abused, is not."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.simulator.estate import Estate
from tests.cli.conftest import once, reported
from tests.cli.tenants import running
from tests.estates import made_once, snapshot
from tests.ordinary.expected import FOOTPRINTS, Footprint
from tests.ordinary.fractions import EXPECTED, fractions
from tests.ordinary.not_yet import ABUSED, ORDINARY
from tests.ordinary.stripped import stripped
from tests.ordinary.verdicts import of_abuse, of_footprint
from tests.shared import of_this_run
from tests.simulator.estates import estate
from tests.simulator.estates.ordinary_abused import CHANGES

DAY = 86_400
Findings = list[dict[str, Any]]


def _marked(not_yet: dict[str, str], *, abused: bool) -> list[Any]:
    return [
        pytest.param(
            each,
            id=each.row,
            marks=[pytest.mark.xfail(reason=not_yet[each.row], strict=True)] if each.row in not_yet else [],
        )
        for each in FOOTPRINTS
        if each.abuse or not abused
    ]


def _reported(name: str) -> tuple[Findings, Estate]:
    """The findings of an estate, and that estate as it was read."""
    as_of = open_snapshot(snapshot(name)).run.as_of
    return reported(snapshot(name)).findings("fail", "unknown"), estate(name, as_of - as_of % DAY)


@pytest.fixture(scope="module")
def ordinary() -> tuple[Findings, Estate]:
    """The ordinary tenant."""
    return _reported("ordinary")


@pytest.fixture(scope="module")
def abused() -> tuple[Findings, Estate]:
    """The same tenant, with one change to each footprint."""
    return _reported("ordinary-abused")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, abused: tuple[Findings, Estate]) -> Findings:
    """The findings of the abused tenant without anything that makes its objects footprints."""

    def report(to: Path) -> None:
        with running(stripped(abused[1])) as simulated, pytest.MonkeyPatch.context() as patch:
            for name, value in simulated.environ.items():
                patch.setenv(name, value)
            once("report", "--auth", "env", "--quiet", "--export", f"json={to}")

    path = made_once(of_this_run(tmp_path_factory) / "stripped.json", report)
    found: Findings = msgspec.json.decode(path.read_bytes())["findings"]
    return found


@pytest.mark.parametrize("footprint", _marked(ORDINARY, abused=False))
def test_a_footprint_is_said_to_be_what_it_is(footprint: Footprint, ordinary: tuple[Findings, Estate]) -> None:
    assert of_footprint(footprint, *ordinary) == []


@pytest.mark.parametrize("footprint", _marked(ABUSED, abused=True))
def test_an_abused_footprint_is_judged_at_least_like_the_same_object_without_it(
    footprint: Footprint, abused: tuple[Findings, Estate], bare: Findings
) -> None:
    assert of_abuse(footprint, *abused, bare) == []


def test_every_abuse_has_its_change_and_every_exception_its_row() -> None:
    rows = {each.row for each in FOOTPRINTS}
    assert set(CHANGES) == {each.row for each in FOOTPRINTS if each.abuse}
    assert set(ORDINARY) <= rows
    assert set(ABUSED) <= set(CHANGES)


def test_an_ordinary_tenant_has_nothing_critical_and_nothing_unknown(ordinary: tuple[Findings, Estate]) -> None:
    findings, _ = ordinary
    assert [one["policy"] for one in findings if one["severity"] == "critical" or one["outcome"] == "unknown"] == []


def test_no_policy_finds_more_than_half_of_what_it_looks_at_without_a_reason() -> None:
    found = fractions(reported(snapshot("ordinary")).json["policies"])
    assert {one.policy for one in found if one.many} == set(EXPECTED)


def test_a_fraction_counts_what_was_evaluated_and_few_objects_tell_nothing() -> None:
    def policy(id_: str, failed: int, passed: int) -> dict[str, Any]:
        return {"id": id_, "failed": {"high": failed, "low": 0}, "passed": passed}

    found = fractions((policy("half", 3, 3), policy("most", 4, 2), policy("few", 4, 0), policy("none", 0, 9)))
    assert [(one.policy, one.many) for one in found] == [("few", False), ("most", True), ("half", False)]
    assert found[1].severities == {"high": 4}


@pytest.mark.exhaustive
def test_a_tenant_without_azure_can_say_so(
    ordinary: tuple[Findings, Estate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entra_alone = replace(ordinary[1], subscriptions=(), vaults=(), resources=(), role_assignments=())
    settings = tmp_path / "keyaudit.toml"
    settings.write_text("[expect]\nno_subscriptions = true\n")
    with running(entra_alone) as simulated:
        for name, value in simulated.environ.items():
            monkeypatch.setenv(name, value)
        once("collect", "--auth", "env", "--quiet", "--out", tmp_path / "0")
    # Tests of commands open each folder once.
    shutil.copytree(tmp_path / "0", tmp_path / "1")
    unknown = []
    for number, flags in enumerate(((), ("--config", settings))):
        path = tmp_path / f"{number}.json"
        once("report", "--from", tmp_path / str(number), *flags, "--export", f"json={path}")
        findings = msgspec.json.decode(path.read_bytes())["findings"]
        unknown.append({each["policy"] for each in findings if each["outcome"] == "unknown"})
    assert {"kv-purge-protection-off", "sp-mi-overprivileged", "sp-privileged-with-secret"} <= unknown[0]
    # Its logs go to a workspace of a subscription that is not visible.
    assert unknown[1] == {"log-retention-short"}
