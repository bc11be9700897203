"""A gate says the same of a plan before it is applied as the audit of the tenant says afterwards.

The reader of plans and the application of plans were written apart, each from the documents of the providers. The
gate is run as a user runs it, by its command line alone.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import pytest

from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit, keyaudit
from tests.plan.conftest import Tenant
from tests.plan.judged import ROOT, Made, about
from tests.plan.plans import HIDDEN
from tests.plan.plans.described import Result
from tests.plan.test_terraform import OTHER_FORMAT, RECORDED

pytestmark = pytest.mark.exhaustive

__all__ = ["keyaudit"]

NOT_BY_A_PLAN: Mapping[str, str] = {
    "kv-key-rotation-overdue": "the age of a key is not in a plan",
    "kv-secret-stale": "the age of a secret is not in a plan",
    "kv-no-private-endpoint": "the private endpoints of a vault are resources of another kind",
}
"""Policies that a plan alone cannot answer, and why. With a snapshot they may be answered."""


ALONE_DIFFERS: Mapping[Result, str] = {
    ("app-privileged-with-user-owner", f"app registration Planned {name}"): "whether an owner is a user is in the directory"
    for name in ("Administrator", "Deployer", "Takeover")
}
"""Results that are in the tenant and, without a snapshot, not in the gate, and why: their policy is not evaluated. Each is
asserted, so that it leaves this list once it is gone.
"""


def _gate(plan: Path, folder: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """Run the command on the file of a plan, in a folder, with the clock of the tenant."""
    return subprocess.run(
        [sys.executable, "-m", "tests.estates", "gate", "--plan", str(plan), *more, "--fail-on", "low", "--quiet"],
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


class Gate:
    """The result of a gate on a plan."""

    def __init__(self, document: Mapping[str, Any], folder: Path, *more: str) -> None:
        plan = folder / "plan.json"
        plan.write_text(json.dumps(document))
        ended = _gate(plan, folder, *more, "--output", "json")
        assert ended.returncode in (0, 1, 3), ended.stderr
        assert "s3cr3t" not in ended.stdout + ended.stderr
        self.code = ended.returncode
        self.findings: Sequence[Mapping[str, Any]] = json.loads(ended.stdout)["findings"]

    def results(self, outcome: str) -> set[Result]:
        """Policy and resource of each finding with an outcome."""
        return {(str(each["policy"]), str(each["resource"])) for each in self.findings if each["outcome"] == outcome}


def _loosely(result: Result) -> Result:
    """A result without the name of a grant's principal and of a certificate, which are known only after apply."""
    policy, resource = result
    grant = re.match(r"(access policy|role assignment|local role assignment)\b.* on (.*)", resource)
    if grant:
        return policy, f"{grant[1]} on {grant[2]}"
    return policy, re.sub(r", (SAML )?certificate .*", ", certificate", resource)


def _differences(gate: Gate, plans: Sequence[Made], tenant: Tenant) -> set[Result]:
    return _compared(gate.results("fail"), gate.results("unknown"), plans, tenant)


ONLY_A_PLAN = "kv-api-version-retiring"
"""The policy about the API version of a plan, which nothing in the tenant shows."""


def _compared(failing: Set[Result], unknown: Set[Result], plans: Sequence[Made], tenant: Tenant) -> set[Result]:
    """Failures that the plan alone shows, of anything in the tenant, and failures of the plans' objects that it passes."""
    anywhere = {_result(each) for each in tenant.findings if each["outcome"] == "fail"}
    after = {result for result in _failing_after(plans, tenant) if result[0] not in NOT_BY_A_PLAN}
    invented = {_loosely(each) for each in failing if each[0] != ONLY_A_PLAN} - {_loosely(each) for each in anywhere}
    passed = {_loosely(each) for each in after} - {_loosely(each) for each in failing | unknown}
    return invented | passed


def _failing_after(plans: Sequence[Made], tenant: Tenant) -> set[Result]:
    return {_result(each) for made in plans for each in about(made, tenant.findings) if each["outcome"] == "fail"}


def _result(finding: Mapping[str, Any]) -> Result:
    return str(finding["policy"]), str(finding["resource"])


def test_a_gate_that_passes_or_invents_is_noticed(tenant: Tenant) -> None:
    plans = tenant.staged.plans
    after = _failing_after(plans, tenant)
    assert not _compared(after, set(), plans, tenant)
    assert not _compared({result for result in after if result[0] not in NOT_BY_A_PLAN}, set(), plans, tenant)
    open_ = ("kv-purge-protection-off", "kv-vault-defaults")
    assert _compared(after - {open_}, set(), plans, tenant) == {open_}
    assert not _compared(after - {open_}, {open_}, plans, tenant)
    invented = ("kv-purge-protection-off", "kv-vault-good")
    assert _compared(after | {invented}, set(), plans, tenant) == {invented}


def test_plans_of_what_is_new_are_judged_as_the_tenant_is_after_them(tenant: Tenant, tmp_path: Path) -> None:
    plans = [made for made in tenant.staged.plans if not made.plan.before and made.plan not in HIDDEN]
    assert len(plans) >= 40
    gate = Gate(tenant.staged.new, tmp_path)
    assert _differences(gate, plans, tenant) == set(ALONE_DIFFERS)
    assert gate.code == 1
    # The comparison with checkov states these results.
    table = json.loads((Path(__file__).parent / "checkov.json").read_text(encoding="utf-8"))["rows"]
    said = {outcome: gate.results(outcome) for outcome in ("fail", "unknown")}
    for row in table:
        held = [outcome for outcome, found in said.items() if (row["policy"], row["resource"]) in found]
        assert (row["policy"], row["resource"], held or ["pass"]) == (row["policy"], row["resource"], [row["keyaudit"]])


def test_plans_over_a_snapshot_are_judged_as_the_tenant_is_after_them(tenant: Tenant, tmp_path: Path) -> None:
    """Updates, replacements, deletions, and relations to what is there."""
    plans = [made for made in tenant.staged.plans if made.plan not in HIDDEN]
    gate = Gate(tenant.staged.every, tmp_path, "--from", str(tenant.before), "--all")
    assert gate.code == 1
    assert _differences(gate, plans, tenant) == set()
    # With --all also what no plan changes.
    (unchanged,) = [made for made in plans if made.plan.name == "unchanged"]
    assert {result for result in unchanged.plan.fails if result[0] not in NOT_BY_A_PLAN} <= gate.results("fail")


def test_a_key_whose_vault_a_plan_does_not_show_is_never_passed(tenant: Tenant, tmp_path: Path) -> None:
    """Each failure is a failure here, or unknown. Keys are compared by their own name, since the plan cannot name the vault."""
    fails = {result for plan in HIDDEN for result in plan.fails}
    gate = Gate(tenant.staged.hidden, tmp_path)

    def ends(found: set[Result]) -> set[Result]:
        return {(policy, resource.rsplit("/", maxsplit=1)[-1]) for policy, resource in found}

    expected, failing, unknown = (ends(found) for found in (fails, gate.results("fail"), gate.results("unknown")))
    assert not {result for result in expected - failing - unknown if result[0] not in NOT_BY_A_PLAN}
    assert not failing - expected


def test_a_plan_of_opentofu_is_judged_as_one_of_terraform(tenant: Tenant, tmp_path: Path) -> None:
    """It names the same providers in a registry of its own. Drift, deposed objects and addresses of before change nothing."""
    (made,) = [each for each in tenant.staged.plans if each.plan.name == "vault-defaults"]
    document = json.loads(json.dumps(made.document).replace("registry.terraform.io/", "registry.opentofu.org/"))
    vault = next(each for each in document["resource_changes"] if each["type"] == "azurerm_key_vault")
    elsewhere = {**vault["change"]["after"], "name": "kv-not-planned"}
    drift = {**vault["change"], "actions": ["update"], "before": elsewhere, "after": elsewhere, "after_unknown": {}}
    deposed = {**vault["change"], "actions": ["delete"], "before": elsewhere, "after": None, "after_unknown": {}}
    document["resource_drift"] = [{**vault, "change": drift}]
    document["resource_changes"].append({**vault, "deposed": "a1b2c3d4", "change": deposed})
    vault["previous_address"] = "azurerm_key_vault.before"
    document["relevant_attributes"] = [{"resource": vault["address"], "attribute": ["id"]}]
    assert not _differences(Gate(document, tmp_path), [made], tenant)


def test_only_what_a_plan_changes_gates(tenant: Tenant, tmp_path: Path) -> None:
    """A plan that changes nothing passes over a tenant whose keys are bad."""
    (unchanged,) = [made for made in tenant.staged.plans if made.plan.name == "unchanged"]
    assert Gate(unchanged.document, tmp_path, "--from", str(tenant.before)).code == 0


def test_a_published_plan_is_read_and_one_of_an_older_format_is_refused_by_name(keyaudit: Keyaudit) -> None:
    read = keyaudit("gate", "--plan", RECORDED / "terraform-role-assignment.json")
    # Nothing in it is about keys, as in most plans.
    assert read.code == Exit.CLEAN, read.err
    refused = keyaudit("gate", "--plan", RECORDED / OTHER_FORMAT)
    assert refused.code == Exit.USAGE
    assert "0.1" in refused.err
