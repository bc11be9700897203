"""`keyaudit gate --plan`: verdicts, from the file to the exit code."""

import csv
import io
import json
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.spool import Unit
from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit, Ran, keyaudit
from tests.plan.small import SUBSCRIPTION, TENANT, UNKNOWN, Resource, key, plan, vault, written

__all__ = ["keyaudit"]

SECRET = "S3cr3t-of-the-plan"
SAFE = {
    "purge_protection_enabled": True,
    "public_network_access_enabled": False,
    "sku_name": "premium",
    "soft_delete_retention_days": 90,
    "enabled_for_disk_encryption": None,
}
HSM = {"key_type": "RSA-HSM", "key_size": 4096, "key_opts": ["unwrapKey", "wrapKey"], "expiration_date": "2027-05-01T00:00:00Z"}


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyaudit: Keyaudit) -> Any:
    """Runs the gate on a plan of these resources, or on the document `found`."""
    monkeypatch.chdir(tmp_path)

    def run(*resources: Resource, flags: tuple[str, ...] = (), found: Any = None, **more: Any) -> Ran:
        (tmp_path / "plan.json").write_bytes(written(found or plan(*resources, **more)))
        return keyaudit("gate", "--plan", "plan.json", *flags)

    return run


def outcomes(ran: Ran, resource: str = "") -> dict[str, str]:
    """The outcomes of a CSV report by policy, of the resources with such an id."""
    rows = csv.DictReader(io.StringIO(ran.out))
    return {row["policy_id"]: row["status"] for row in rows if resource in row["resource_id"] and row["resource_id"]}


LOGGED = Resource(
    "azurerm_monitor_diagnostic_setting.example",
    {
        "name": "example",
        "log_analytics_workspace_id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/logs/providers/"
        "Microsoft.OperationalInsights/workspaces/logs",
        "log_analytics_destination_type": UNKNOWN,
        "storage_account_id": None,
        "eventhub_authorization_rule_id": None,
        "partner_solution_id": None,
        "enabled_log": [{"category": "AuditEvent", "category_group": ""}],
    },
    {"target_resource_id": "azurerm_key_vault.example.id"},
)
PRINCIPAL = {"principal_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"}
CSV = ("-o", "csv", "--all", "--select", "kv-*", "--select", "scope-data-plane-at-subscription")


def test_an_ordinary_plan_passes(gate: Any) -> None:
    ran = gate(vault(**SAFE), key(**HSM), LOGGED)
    assert ran.code == Exit.CLEAN, ran.out
    assert "PASS" in ran.out
    assert "need apply (supply it with an audit of the tenant after apply)" in ran.out
    # Nothing that only a tenant has is told as a gap.
    assert "GAP" not in ran.out
    assert "INCOMPLETE" not in ran.out


def test_a_plan_without_keys_passes(gate: Any) -> None:
    ran = gate(
        Resource("azurerm_resource_group.main", {"name": "rg-web", "location": "westeurope"}), flags=("--select", "kv-*")
    )
    assert ran.code == Exit.CLEAN, ran.out


def test_a_redacted_export_names_no_resource_of_the_plan_and_no_file(gate: Any, tmp_path: Path) -> None:
    (tmp_path / "keys.tf").write_text('resource "azurerm_key_vault_key" "generated" {\n}\n', encoding="utf-8")
    few = ("--select", "kv-key-no-expiry", "--export", "json=report.json")
    told = []
    for more in ((), ("--redact", "names")):
        gate(vault(), key(), flags=(*few, *more))
        [finding] = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["findings"]
        told.append(finding["planned"])
        (tmp_path / "report.json").unlink()
    plain, redacted = told
    assert plain["address"] == "azurerm_key_vault_key.generated"
    assert plain["file"] == "keys.tf"
    assert "generated" not in redacted["address"]
    assert (redacted["file"], redacted["line"]) == ("", 0)


def test_a_value_that_is_known_after_apply_is_unknown_and_gates_by_its_severity(gate: Any) -> None:
    resources = (vault(**SAFE), key(**{**HSM, "expiration_date": UNKNOWN}), LOGGED)
    ran = gate(*resources)
    assert ran.code == Exit.INCOMPLETE
    assert "UNKNOWN  kv-key-no-expiry" in ran.out
    # The other unknown results are of a lower severity.
    low = gate(*resources, flags=("--fail-on", "critical"))
    assert low.code == Exit.CLEAN, low.out


def test_a_plan_is_judged_by_the_policies_of_the_tenant_and_a_key_with_the_vault_that_it_refers_to(gate: Any) -> None:
    other = vault("kv-other", "azurerm_key_vault.other")
    ran = gate(vault(), other, key(in_="azurerm_key_vault.other.id"), flags=CSV)
    found = outcomes(ran, "https://kv-other.vault.azure.net/keys/generated-certificate")
    assert found["kv-key-no-expiry"] == "fail"
    assert found["kv-key-no-auto-rotation"] == "pass"
    assert not outcomes(ran, "https://kv-example.vault.azure.net/keys")
    found = outcomes(ran, "/vaults/kv-example")
    assert found["kv-purge-protection-off"] == "fail"
    assert found["kv-public-network-open"] == "fail"


@pytest.mark.exhaustive
def test_a_key_of_a_vault_that_is_not_known_is_judged_by_itself(gate: Any) -> None:
    ran = gate(vault(**SAFE), key(in_="local.vault"), flags=CSV)
    found = outcomes(ran, "/keys/generated-certificate")
    assert found["kv-key-no-expiry"] == "fail"


def test_only_the_vaults_of_the_plan_are_judged(gate: Any) -> None:
    there = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-there"
    found = Resource("azurerm_key_vault_key.generated", {**key().values, "key_vault_id": there})
    ran = gate(found, flags=CSV)
    assert outcomes(ran, "https://kv-there.vault.azure.net/")["kv-key-no-expiry"] == "fail"
    assert not outcomes(ran, "providers/Microsoft.KeyVault")


def test_a_key_in_a_vault_of_the_tenant_passes_with_what_the_plan_has(gate: Any) -> None:
    there = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-there"
    ran = gate(Resource("azurerm_key_vault_key.generated", {**key(**HSM).values, "key_vault_id": there}))
    assert ran.code == Exit.CLEAN, ran.out
    assert "unobserved" not in ran.out


def test_null_is_the_default_of_the_service(gate: Any) -> None:
    defaults: dict[str, Any] = {"rbac_authorization_enabled": None, "purge_protection_enabled": None, "network_acls": []}
    found = outcomes(gate(vault(**defaults), flags=CSV))
    assert (found["kv-legacy-access-policies"], found["kv-purge-protection-off"]) == ("fail", "fail")
    assert found["kv-public-network-open"] == "fail"


def test_either_name_of_the_access_model_counts_and_one_that_is_set_and_not_known_is_unknown(gate: Any) -> None:
    """Versions 4.42 to 4.81 of azurerm have both, and compute the one that is not set: key_vault_resource.go."""
    cases: list[tuple[Any, Any, str]] = [
        (UNKNOWN, True, "pass"),
        (UNKNOWN, False, "fail"),
        (True, UNKNOWN, "pass"),
        (UNKNOWN, UNKNOWN, "fail"),
        (UNKNOWN, UNKNOWN, "unknown"),
    ]
    vaults = [
        vault(f"kv-{at}", f"azurerm_key_vault.v{at}", rbac_authorization_enabled=new, enable_rbac_authorization=old)
        for at, (new, old, _) in enumerate(cases)
    ]
    vaults[-1].refers = {"rbac_authorization_enabled": "local.by_role"}
    ran = gate(*vaults, flags=CSV)
    found = [outcomes(ran, f"/vaults/kv-{at}")["kv-legacy-access-policies"] for at in range(len(cases))]
    assert found == [expected for *_, expected in cases], ran.out


@pytest.mark.exhaustive
def test_access_policies_and_role_assignments_are_grants(gate: Any) -> None:
    policy = {
        "tenant_id": TENANT,
        "object_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "application_id": None,
        "key_permissions": ["Get", "Sign", "Backup", "Purge"],
        "secret_permissions": [],
        "certificate_permissions": [],
        "storage_permissions": [],
    }
    wide = {"scope": f"/subscriptions/{SUBSCRIPTION}", "role_definition_name": "Key Vault Crypto Officer", **PRINCIPAL}
    narrow = {"role_definition_name": "Key Vault Crypto Officer", **PRINCIPAL}
    ran = gate(
        vault(rbac_authorization_enabled=False, access_policy=[policy]),
        Resource("azurerm_role_assignment.wide", wide),
        Resource("azurerm_role_assignment.narrow", narrow, {"scope": "azurerm_key_vault.example.id"}),
        flags=CSV,
    )
    named = "scope-data-plane-at-subscription"
    assert outcomes(ran, f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/")[named] == "fail"
    assert outcomes(ran, "vaults/kv-example/providers/Microsoft.Authorization/roleAssignments/")[named] == "pass"
    assert outcomes(ran, "vaults/kv-example")["kv-legacy-access-policies"] == "fail"


@pytest.mark.exhaustive
def test_secrets_are_in_nothing_that_is_written(gate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"name": "pw", "value": SECRET, "content_type": None, "expiration_date": None, "tags": None}
    secret = Resource("azurerm_key_vault_secret.s", values, {"key_vault_id": "azurerm_key_vault.example.id"})
    formats = ("json", "csv", "sarif", "junit", "jsonl", "html", "markdown", "ocsf")
    kept: list[bytes] = []
    monkeypatch.setattr(Unit, "row", partialmethod(_noting, Unit.row, kept))
    ran = gate(vault(), secret, flags=tuple(f"--export={each}=out.{each}" for each in formats))
    files = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir() if path.name != "plan.json"}
    assert len(files) == len(formats)
    assert "kv-secret-no-expiry" in files["out.csv"]
    assert any(b"kv-example" in row for row in kept)
    assert not any(SECRET in text for text in (ran.out, ran.err, *files.values()))
    assert not any(SECRET.encode() in row for row in kept)


def _noting(unit: Unit, row: Any, kept: list[bytes], table: str, values: dict[str, object]) -> None:
    kept.append(json.dumps(values).encode())
    row(unit, table, values)


@pytest.mark.parametrize(
    "flags",
    [("--demo",), ("--tenant", TENANT), ("--vault", "x"), ("--import", "ual=x"), ("--since", "x"), ("--keep", "x")],
)
def test_flags_of_a_tenant_do_not_go_with_a_plan(gate: Any, flags: tuple[str, ...]) -> None:
    ran = gate(vault(), flags=flags)
    assert ran.code == Exit.USAGE
    assert "cannot be combined with --plan" in ran.err
    assert json.loads(Path("plan.json").read_bytes())


@pytest.mark.exhaustive
def test_findings_name_their_resource_and_its_line(gate: Any, tmp_path: Path) -> None:
    (tmp_path / "vaults.tf").write_text('\n# The vault\nresource "azurerm_key_vault" "example" {\n}\n', encoding="utf-8")
    module = tmp_path / "modules" / "keys"
    module.mkdir(parents=True)
    (module / "main.tf").write_text('resource "azurerm_key_vault_key" "k" {\n}\n', encoding="utf-8")
    inner = key(address="module.keys.azurerm_key_vault_key.k", in_="var.vault_id", expiration_date=UNKNOWN)
    given = {"references": ["azurerm_key_vault.example.id", "azurerm_key_vault.example"]}
    time = {"expiration_date": {"references": ["time_offset.year.rfc3339", "time_offset.year"]}}
    configured = {**inner.configured, "expressions": {**inner.configured["expressions"], **time}}
    call = {"source": "./modules/keys", "expressions": {"vault_id": given}, "module": {"resources": [configured]}}
    ran = gate(
        vault(**SAFE),
        inner,
        module_calls={"keys": call},
        flags=("--ci", "github", "--export", "sarif=o.sarif", "--export", "json=o.json"),
    )
    at = "(azurerm_key_vault.example, vaults.tf:3)"
    where = "(module.keys.azurerm_key_vault_key.k, modules/keys/main.tf:1)"
    assert (
        f"PERHAPS  kv-key-software-protected HIGH  Software-protected key: kv-example/keys/generated-certificate {where}"
        in ran.out
    )
    after = "module.keys.azurerm_key_vault_key.k.expiration_date is known after apply (modules/keys/main.tf:1)"
    assert f"UNKNOWN  kv-key-no-expiry MEDIUM  Key without an expiration date: {after}" in ran.out
    log = "::warning file=vaults.tf,line=3,title=keyaudit log-keyvault-audit-off::Vault without an audit log: kv-example"
    assert f"{log} {at}: " in ran.out
    assert "::warning file=modules/keys/main.tf,line=1,title=keyaudit kv-key-no-expiry::" in ran.out
    [run] = [run for run in json.loads((tmp_path / "o.sarif").read_bytes())["runs"] if run["results"]]
    places = {
        (place["physicalLocation"]["artifactLocation"]["uri"], place["logicalLocations"][0]["fullyQualifiedName"])
        for result in run["results"]
        for place in result["locations"]
    }
    assert places == {
        ("vaults.tf", "azurerm_key_vault.example"),
        ("modules/keys/main.tf", "module.keys.azurerm_key_vault_key.k"),
    }
    found = json.loads((tmp_path / "o.json").read_bytes())["findings"]
    assert {each["planned"]["address"] for each in found} == {address for _, address in places}


def test_hostile_names_of_a_plan_are_inert(gate: Any) -> None:
    hostile = "::error::owned\r\n##vso[task.complete result=Succeeded]\x1b[2J"
    odd = Resource(f'azurerm_key_vault.x["{hostile}"]', {**vault().values, "name": hostile, "resource_group_name": "../../x/y"})
    ran = gate(odd, key(name=hostile, in_="local.x"), flags=("--ci", "github"))
    assert ran.code in (Exit.FINDINGS, Exit.INCOMPLETE), ran.err
    assert not [line for line in ran.out.splitlines() if line.startswith(("##vso", "::error::owned"))]
    assert "\x1b" not in ran.out


def test_a_plan_that_leaves_changes_to_a_later_one_is_incomplete(gate: Any) -> None:
    later = {"reason": "provider_config_unknown", "resource_change": vault("kv-later", "azurerm_key_vault.later").change}
    ran = gate(vault(**SAFE), LOGGED, deferred_changes=[later], complete=False)
    assert ran.code == Exit.INCOMPLETE
    assert "INCOMPLETE  plan (after_apply: it is known only after apply; 1 change left to a later plan)" in ran.out
