"""Deleted keys of Managed HSMs need a right of their own: without it a gate still passes, and names what it lacks."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.cli.clock import SystemClock
from keyaudit.model.errors import Exit
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates import estate
from tests.cli.conftest import Keyaudit, once
from tests.cli.tenants import running

RIGHT = "keys/deletedKeys/read/action"
POLICY = "hsm-key-deleted-recoverable"
ADVICE = "grant local role with Microsoft.KeyVault/managedHsm/keys/deletedKeys/read/action on the HSM"
BOTH = ("--select", POLICY, "--select", "hsm-purge-protection-off")


def collected(tenant: Estate, folder: Path) -> Path:
    """A snapshot of the tenant."""
    with running(tenant) as simulated, pytest.MonkeyPatch.context() as patch:
        for name, value in simulated.environ.items():
            patch.setenv(name, value)
        once("collect", "--auth", "env", "--out", folder, "--quiet")
    return folder


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hardened tenant whose auditor may not list deleted keys of its HSM."""
    found = estate("hardened", SystemClock().now())
    hsms = tuple(replace(hsm, refused=(RIGHT,)) for hsm in found.hsms)
    return collected(replace(found, hsms=hsms), tmp_path_factory.mktemp("lacking") / "snapshot")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Contoso, whose auditor may list them on the HSM that has one, and not on the others."""
    found = estate("contoso", SystemClock().now())
    hsms = tuple(hsm if hsm.deleted_keys else replace(hsm, refused=(RIGHT,)) for hsm in found.hsms)
    return collected(replace(found, hsms=hsms), tmp_path_factory.mktemp("mixed") / "snapshot")


@pytest.mark.exhaustive
def test_without_the_right_a_gate_passes_as_before_and_names_it(keyaudit: Keyaudit, lacking: Path) -> None:
    ran = keyaudit("gate", "--from", lacking, *BOTH)
    assert ran.code == Exit.CLEAN
    assert "NOT EVALUATED  1 policy (0 at or above --fail-on), never a pass: 1 needs deleted-hsm-keys (" in ran.out
    told = keyaudit("report", "--from", lacking, *BOTH, "--full").out
    assert "optional_right: it needs an additional, optional permission (AccessDenied)" in told
    assert ADVICE in " ".join(told.split())
    assert "Crypto" not in told


@pytest.mark.exhaustive
def test_once_it_is_required_the_same_refusal_gates(keyaudit: Keyaudit, lacking: Path) -> None:
    ran = keyaudit("gate", "--from", lacking, *BOTH, "--require", "deleted-hsm-keys", "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    [gap] = [gap for gap in ran.json["gaps"] if gap["required"]]
    assert (gap["reason"], gap["operations"], gap["blinds"]) == ("optional_right", ["hsm.deleted_key.list"], [POLICY])
    assert gap["permissions"] == [ADVICE.removeprefix("grant ")]


@pytest.mark.exhaustive
def test_where_some_hsms_let_them_be_listed_these_are_evaluated(keyaudit: Keyaudit, mixed: Path) -> None:
    found = keyaudit("report", "--from", mixed, "--select", POLICY, "-o", "json")
    assert found.code == Exit.CLEAN
    [finding] = found.json["findings"]
    assert (finding["outcome"], finding["row"]["kind"], finding["row"]["name"]) == ("fail", "hsm-key", "dispatch-signing")
    assert {(gap["reason"], gap["required"]) for gap in found.json["gaps"] if POLICY in gap["blinds"]} == set()
    assert [gap["required"] for gap in found.json["gaps"] if gap["reason"] == "optional_right"] == [False, False]
    required = keyaudit("report", "--from", mixed, "--select", POLICY, "--require", "deleted-hsm-keys", "-o", "json")
    assert required.code == Exit.INCOMPLETE
    assert sorted(each["outcome"] for each in required.json["findings"]) == ["fail", "unknown", "unknown"]


def test_doctor_asks_for_nothing_that_is_optional(keyaudit: Keyaudit, lacking: Path) -> None:
    ran = keyaudit("doctor", "--from", lacking)
    assert ran.code == Exit.CLEAN
    assert ADVICE in " ".join(ran.out.split())
