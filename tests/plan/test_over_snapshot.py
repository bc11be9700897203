"""A plan that is laid over a snapshot: what it changes gates, and what was there before does not."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.gating.baseline import Baseline, Known
from keyaudit.model.severity import Severity
from keyaudit.model.values.times import DAY
from keyaudit.policy.baseline import write_baseline
from tests.cli.conftest import Keyaudit, Ran, contoso, keyaudit
from tests.clock import COLLECTED
from tests.plan.small import UNKNOWN, Resource, key, plan, vault, written

pytestmark = pytest.mark.exhaustive

__all__ = ["contoso", "keyaudit"]

SELECTED = tuple(f"--select={each}" for each in ("kv-key-no-*", "kv-purge-*", "use-cmk-*", "log-keyvault-audit-off"))
TENANT = "f4f6ed4f-09b8-40b4-bbb3-79fe10007fb2"
_GROUP = "/subscriptions/7864a904-c447-4c4c-ad83-0d54fdd71216/resourceGroups/rg-data-prod"
DATA = f"{_GROUP}/providers/Microsoft.KeyVault/vaults/kv-data-prod"
TEMPLATE = {"name": "x", "template_content": "{}"}
CMK = "https://kv-data-prod.vault.azure.net/keys/lakehouse-cmk"


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyaudit: Keyaudit, contoso: Path) -> Any:
    monkeypatch.chdir(tmp_path)

    def run(*resources: Resource, flags: tuple[str, ...] = (), **more: Any) -> Ran:
        (tmp_path / "plan.json").write_bytes(written(plan(*resources, **more)))
        return keyaudit("gate", "--plan", "plan.json", "--from", contoso, *SELECTED, *flags)

    return run


def failing(ran: Ran) -> set[tuple[str, str]]:
    rows = csv.DictReader(io.StringIO(ran.out))
    return {(row["policy_id"], row["resource_id"]) for row in rows if row["status"] == "fail" and not row["first_seen_at"]}


def test_a_plan_that_changes_nothing_passes_whatever_is_there(gate: Any) -> None:
    """Also what is not read, and is in the snapshot."""
    same = Resource("azurerm_resource_group.example", {"name": "example"}, actions=("no-op",))
    unread = Resource("azurerm_resource_group_template_deployment.example", TEMPLATE, actions=("no-op",))
    ran = gate(same, unread, flags=("--fail-on", "low"))
    assert ran.code == Exit.CLEAN, ran.out
    assert unread.address not in ran.out


def test_only_what_the_plan_adds_or_changes_gates(gate: Any) -> None:
    """The vault has diagnostic settings in the tenant, and none in the plan."""
    added = {**key(name="added").values, "key_vault_id": DATA, "rotation_policy": []}
    changed = vault("kv-data-prod", "azurerm_key_vault.data", actions=("update",), id=DATA, tenant_id=TENANT,
        resource_group_name="rg-data-prod", sku_name="premium", purge_protection_enabled=False,
        rbac_authorization_enabled=True, network_acls=[], access_policy=[])  # fmt: skip
    ran = gate(Resource("azurerm_key_vault_key.added", added), changed, flags=("-o", "csv", "--fail-on", "low"))
    assert ran.code == Exit.FINDINGS, ran.err
    found = failing(ran)
    assert ("kv-key-no-auto-rotation", f"https://kv-data-prod.vault.azure.net/keys/added/{'0' * 32}") in found
    assert {id_.rpartition("/")[0] for policy, id_ in found if policy.startswith("kv-key-")} == {
        "https://kv-data-prod.vault.azure.net/keys/added"
    }
    assert ("kv-purge-protection-off", DATA) in found
    assert not [each for each in found if each[0] == "log-keyvault-audit-off"]


def test_what_the_plan_adds_is_not_said_to_come_of_another_version_of_a_policy(gate: Any) -> None:
    added = {**key(name="added").values, "key_vault_id": DATA, "rotation_policy": []}
    ran = gate(Resource("azurerm_key_vault_key.added", added), flags=("--fail-on", "low"))
    assert ran.code == Exit.FINDINGS, ran.err
    assert "also kv-key-no-auto-rotation" in ran.out
    assert "VERSION" not in ran.out


def test_a_baseline_counts_with_new_only_as_long_as_it_says(gate: Any, tmp_path: Path) -> None:
    added = {**key(name="added").values, "key_vault_id": DATA, "rotation_policy": []}
    policies = ("kv-key-no-auto-rotation", "kv-key-no-expiry", "kv-key-software-protected")
    subject = "https://kv-data-prod.vault.azure.net/keys/added"
    known = tuple(
        Known(policy=each, subject=subject, severity=Severity.CRITICAL, since=COLLECTED - 30 * DAY) for each in policies
    )
    with (tmp_path / "baseline.json").open("w", encoding="utf-8") as out:
        write_baseline(
            Baseline(tenant_id=TENANT, run_id="x", as_of=COLLECTED - DAY, complete=True, limit=90 * DAY, entries=known), out
        )
    flags = ("--fail-on", "low", "--baseline", "baseline.json")
    ran = gate(Resource("azurerm_key_vault_key.added", added), flags=(*flags, "--new-only"))
    assert not [each for each in policies if f"BLOCK  {each}" in ran.out], ran.out
    refused = gate(Resource("azurerm_key_vault_key.added", added), flags=flags)
    assert refused.code == Exit.USAGE
    assert "--new-only" in refused.err


def test_the_deletion_of_a_key_that_a_service_uses_is_a_finding(gate: Any) -> None:
    gone = Resource(
        "azurerm_key_vault_key.lakehouse",
        {},
        actions=("delete",),
        before={"name": "lakehouse-cmk", "versionless_id": CMK, "key_vault_id": DATA},
    )
    ran = gate(gone, flags=("-o", "csv"))
    assert ran.code == Exit.FINDINGS, ran.out
    assert {policy for policy, _ in failing(ran)} & {"use-cmk-key-unusable", "use-cmk-unreadable"}


def test_the_deletion_of_the_only_place_that_a_vault_logs_to_is_a_finding(gate: Any, contoso: Path) -> None:
    """The storage account that receives its log."""
    snapshot = open_snapshot(contoso)
    with snapshot.reading() as connection:
        query = f"""
            SELECT logged_id, any_value(destination_id), count(*) FROM {snapshot.stored("log_sink")}
            WHERE kind = 'vault' AND audits GROUP BY logged_id"""
        sinks = connection.execute(query).fetchall()
    [place] = {place for vault, place, _ in sinks if vault.endswith("/kv-platform-edge")}
    alone = {vault for vault, only, number in sinks if number == 1 and only == place}
    gone = Resource("azurerm_storage_account.logs", {}, actions=("delete",), before={"id": place, "name": "stcontosoaudit"})
    ran = gate(gone, flags=("-o", "csv", "--fail-on", "low"))
    assert {id_.lower() for policy, id_ in failing(ran) if policy == "log-keyvault-audit-off"} == alone
    assert alone


def test_a_resource_that_is_not_read_and_that_the_plan_changes_is_unknown(gate: Any) -> None:
    deployed = Resource("azurerm_resource_group_template_deployment.example", TEMPLATE)
    ran = gate(deployed, flags=("--fail-on", "low"))
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert deployed.address in ran.out


def test_a_snapshot_of_another_tenant_is_refused(gate: Any) -> None:
    ran = gate(vault())
    assert ran.code == Exit.UNSAFE
    assert "the plan is for tenant 11111111-2222-4333-8444-555555555555, and the snapshot is of" in ran.err


def test_a_member_that_the_plan_adds_to_a_group_of_the_tenant_has_what_the_group_has(gate: Any, contoso: Path) -> None:
    """The group is given Application Administrator by the tenant."""
    snapshot = open_snapshot(contoso)
    with snapshot.reading() as connection:
        query = f"SELECT object_id FROM {snapshot.stored('principal')} WHERE name = 'Directory Automation'"
        [[group]] = connection.execute(query).fetchall()
    app = Resource("azuread_application.new", {"display_name": "New", "client_id": UNKNOWN, "object_id": UNKNOWN})
    signs_in = Resource(
        "azuread_service_principal.new",
        {"object_id": UNKNOWN, "tags": UNKNOWN},
        {"client_id": "azuread_application.new.client_id"},
    )
    joins = Resource(
        "azuread_group_member.new", {"group_object_id": group}, {"member_object_id": "azuread_service_principal.new.object_id"}
    )
    flags = ("-o", "csv", "--select", "sp-can-take-over-tenant", "--fail-on", "low")
    ran = gate(app, signs_in, joins, flags=flags)
    assert [policy for policy, _ in failing(ran)] == ["sp-can-take-over-tenant"], ran.out
    assert not failing(gate(app, signs_in, flags=flags))
