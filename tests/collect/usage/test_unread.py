"""Acts that touch keys, credentials or their logs: each is a use, or is counted as not read on its day.

Names: https://learn.microsoft.com/azure/key-vault/general/logging#operation-names-table,
https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations and
https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities
"""

import json
from pathlib import Path
from typing import Any

import pytest

from keyaudit.logs.check.check import check
from keyaudit.model.usage import Blind, Unseen, Window
from keyaudit.model.values.times import DAY, parse_date
from keyaudit.report.log_gaps import unseen
from tests.collect.usage.rig import imported, read
from tests.collect.usage.test_operations import HOST, KEY, key_vault, told
from tests.collect.usage.test_public_rules import APP, GLOBAL, PIM, READERS, SERVICE, VAULT, activity, by_app, directory, role

ON = parse_date("2026-03-01")
SITE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/shop"
IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-shop"
POLICIES = {"properties": {"accessPolicies": [{"objectId": "o", "permissions": {"keys": ["sign"]}}]}}
SECRET, CERTIFICATE = f"{HOST}/deletedsecrets/s/recover", f"{HOST}/certificates/c"

FOUND: dict[str, tuple[dict[str, Any], str, str]] = {
    "a key recovered": (key_vault("KeyRecover", f"{HOST}/deletedkeys/k/recover"), "restore", "key"),
    "a secret recovered": (key_vault("SecretRecover", SECRET), "restore", "secret"),
    "a certificate recovered": (key_vault("CertificateRecover", CERTIFICATE), "restore", "certificate"),
    "a vault recovered": (key_vault("VaultRecover", HOST), "restore", "vault"),
    "a certificate's policy set": (key_vault("CertificatePolicySet", f"{CERTIFICATE}/policy"), "update", "certificate"),
    "a certificate's policy changed": (key_vault("CertificatePolicyUpdate", f"{CERTIFICATE}/policy"), "update", "certificate"),
    "a certificate renewed": (key_vault("CertificateRenew", CERTIFICATE), "rotate", "certificate"),
    "a federated credential of an identity": (
        activity("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write", IDENTITY),
        "add-federated-credential",
        "resource",
    ),
    "an identity assigned": (
        activity("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", IDENTITY),
        "assign-identity",
        "resource",
    ),
    "a vault written with access policies": (
        activity("Microsoft.KeyVault/vaults/write", VAULT, POLICIES),
        "change-vault-access",
        "vault",
    ),
    "a log's setting written": (
        activity("Microsoft.Insights/diagnosticSettings/write", VAULT),
        "change-log-settings",
        "resource",
    ),
    "a publishing profile": (activity("Microsoft.Web/sites/publishxml/action", SITE), "list-account-keys", "resource"),
    "the settings of an app": (activity("Microsoft.Web/sites/config/list/action", SITE), "list-account-keys", "resource"),
    "a role given by a namesake of PIM": (by_app("MS-PIM", role(*GLOBAL, "User"), SERVICE), "assign-directory-role", "user"),
    "an application restored": (directory("Restore application", APP), "restore-application", "application"),
    "a service principal enabled again": (
        directory("Update service principal", APP | {"type": "ServicePrincipal"}, AccountEnabled=("[false]", "[true]")),
        "enable-principal",
        "service-principal",
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_acts_that_touch_keys_are_uses(tmp_path: Path, what: str) -> None:
    record, operation, kind = FOUND[what]
    [row] = told(tmp_path, record)
    assert (row["operation"], row["target_kind"], row["succeeded"]) == (operation, kind, True)
    assert row["target_id"]


NOT_READ = {
    "KeyExport": key_vault("KeyExport", KEY),
    # The verb at the end of a name does not show that an operation is harmless.
    "KeyMaterialGet": key_vault("KeyMaterialGet", KEY),
    "CertificateIssuerSet": key_vault("CertificateIssuerSet", f"{HOST}/certificates/issuers/ca"),
    "Microsoft.KeyVault/vaults/deploy/action": activity("Microsoft.KeyVault/vaults/deploy/action", VAULT),
    "Microsoft.Authorization/roleDefinitions/write": activity("Microsoft.Authorization/roleDefinitions/write", VAULT),
    "Microsoft.Search/searchServices/createQueryKey/action": activity(
        "Microsoft.Search/searchServices/createQueryKey/action", VAULT
    ),
    "Add certificate authority": directory("Add certificate authority"),
    "Add member to role": by_app("MS-PIM", role(*GLOBAL, "User")),
}
HARMLESS = [
    *(
        key_vault(name, HOST)
        for name in ("Authentication", "VaultGet", "KeyGet", "KeyGetDeleted", "KeyNearExpiryEventGridNotification")
    ),
    *(activity(f"Microsoft.{name}", VAULT) for name in ("Compute/virtualMachines/write", "KeyVault/vaults/read")),
    activity("Microsoft.KeyVault/vaults/write", VAULT, {"properties": {"accessPolicies": []}}),
    *(
        directory(name)
        for name in ("Update user", "Add member to group", "Remove owner from application", "Delete application")
    ),
    directory("Add member to role completed (PIM activation)"),
    by_app("MS-PIM", role(*GLOBAL, "User"), PIM),
    by_app("MS-PIM", role(*READERS, "User")),
    directory("Update service principal", APP | {"type": "ServicePrincipal"}, DisplayName=('["a"]', '["b"]')),
]


@pytest.mark.parametrize("what", NOT_READ)
def test_acts_that_are_on_no_list_are_named_as_not_read(tmp_path: Path, what: str) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(NOT_READ[what]), encoding="utf-8")
    [counted] = [each for file in read(path).files for each in file.sources.values()]
    assert {name: [*days.values()] for name, days in counted.unread.items()} == {what: [1]}


def test_other_acts_are_not(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(f"{json.dumps(each)}\n" for each in HARMLESS), encoding="utf-8")
    sources = [each for file in read(path).files for each in file.sources.values()]
    assert sum(each.ignored for each in sources) == len(HARMLESS)
    assert [each.unread for each in sources if each.unread] == []


def test_a_day_with_such_an_act_is_not_quiet(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(f"{json.dumps(NOT_READ['KeyExport'])}\n" for _ in range(2)), encoding="utf-8")
    store = imported(tmp_path / "logs", path)

    def found(day: int) -> list[Unseen]:
        result = check(store, Window(since=day, until=day + DAY), None)
        return [each for each in result.unseen if each.blind is Blind.NOT_READ]

    [only] = found(ON)
    assert (only.subject, only.count, only.days) == ("KeyExport of AZKVAuditLogs", 2, (ON,))
    assert "KeyExport of AZKVAuditLogs: 2 records on 2026-03-01" in unseen(only)
    assert found(ON + DAY) == []
