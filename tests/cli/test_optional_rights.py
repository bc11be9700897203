"""What a further right or license shows of workload identities: without it a gate is as before, and names what it lacks."""

from pathlib import Path

import pytest

from keyaudit.model.errors import Exit
from keyaudit.simulator.faults import Fault
from tests.cli.conftest import Keyaudit, once
from tests.cli.tenants import running
from tests.estates import snapshot

OF_RISK = ("sp-workload-at-risk", "sp-workload-detection-live")
OF_ACCESS = ("sp-conditional-access-everywhere", "sp-conditional-access-missing", "sp-conditional-access-not-enforced")
OTHER = "fed-domain-mfa-trust"
"""A policy that needs neither."""
CHOSEN = tuple(word for policy in (*OF_RISK, *OF_ACCESS, OTHER) for word in ("--select", policy))
FORBIDDEN = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation."}}


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tenant whose auditor may read neither."""
    folder = tmp_path_factory.mktemp("lacking") / "snapshot"
    operations = ("conditional_access.list", "named_location.list", "risky_principal.list", "risk_detection.list")
    faults = [Fault(operation, "every", status=403, body=FORBIDDEN) for operation in operations]
    with running("sized:1x1", faults=faults) as simulated, pytest.MonkeyPatch.context() as patch:
        for name, value in simulated.environ.items():
            patch.setenv(name, value)
        once("collect", "--auth", "env", "--out", folder, "--quiet")
    return folder


def test_without_them_a_gate_passes_as_before_and_counts_what_was_not_evaluated(keyaudit: Keyaudit, lacking: Path) -> None:
    ran = keyaudit("gate", "--from", lacking, *CHOSEN, "-o", "json")
    assert ran.code == Exit.CLEAN
    assert ran.json["findings"] == []
    assert {each["policy"] for each in ran.json["not_judged"]} == {*OF_RISK, *OF_ACCESS}
    told = " ".join(keyaudit("report", "--from", lacking, *CHOSEN, "--full").out.split())
    for right in ("Policy.Read.All", "IdentityRiskyServicePrincipal.Read.All", "IdentityRiskEvent.Read.All"):
        assert right in told


def test_each_is_required_by_its_own_name(keyaudit: Keyaudit, lacking: Path) -> None:
    ran = keyaudit("gate", "--from", lacking, *CHOSEN, "--require", "identity-protection", "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    assert {each["policy"] for each in ran.json["findings"]} == set(OF_RISK)
    assert {each["outcome"] for each in ran.json["findings"]} == {"unknown"}
    assert {each["policy"] for each in ran.json["not_judged"]} == set(OF_ACCESS)
    [gap] = [gap for gap in ran.json["gaps"] if gap["required"]]
    assert set(gap["operations"]) == {"risky_principal.list", "risk_detection.list"}
    # The gap of the other right is still listed, and does not gate.
    [other] = [gap for gap in ran.json["gaps"] if gap["reason"] == "optional_right" and not gap["required"]]
    assert (other["operations"], other["blinds"]) == (["conditional_access.list", "named_location.list"], [])
    assert gap["blinds"] == sorted(OF_RISK)


def test_with_them_each_is_evaluated(keyaudit: Keyaudit) -> None:
    ran = keyaudit("gate", "--from", snapshot("sized:1x1"), *CHOSEN, "-o", "json")
    assert (ran.code, ran.json["findings"], ran.json["not_judged"]) == (Exit.CLEAN, [], [])
