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
from tests.collect.usage.test_public_rules import (
    APP,
    GLOBAL,
    OWNER,
    PIM,
    READERS,
    SERVICE,
    VAULT,
    activity,
    by_app,
    directory,
    role,
)

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


def of_category(category: str, name: str) -> dict[str, Any]:
    record = directory(name)
    return record | {"properties": record["properties"] | {"category": category}}


# https://github.com/blueteam0ps/det-eng-samples: dataset/t1098_Add a user to company administrator role.json
ADMIN, MEMBER = "7dccacb0-c3ff-4b02-964b-dd04c5a8f9fe", "a88ae17c-f562-4c1f-a377-8910b6847d76"


def unified(operation: str, *actor: str, template: str = GLOBAL[1], kind: str = "User") -> dict[str, Any]:
    named = {"Role.DisplayName": "Company Administrator", "Role.TemplateId": template}
    return {
        "CreationTime": "2026-03-01T06:46:28",
        "Id": "df48cda4-23d9-4825-9ad8-3eaebba31212",
        "Operation": operation,
        "OrganizationId": "87654321-4321-4321-4321-111111111111",
        "RecordType": 8,
        "ResultStatus": "Success",
        "UserId": "stinger@contoso.onmicrosoft.com",
        "Workload": "AzureActiveDirectory",
        "ModifiedProperties": [{"Name": name, "NewValue": value, "OldValue": ""} for name, value in named.items()],
        "Actor": [{"ID": actor[0], "Type": 1}, *({"ID": each, "Type": 2} for each in actor[1:])],
        "Target": [{"ID": each, "Type": 2} for each in (f"{kind}_{MEMBER}", MEMBER, kind)],
    }


@pytest.mark.parametrize("kind", ["user", "group"])
def test_a_person_who_gets_a_strong_role_is_seen_in_the_unified_log(tmp_path: Path, kind: str) -> None:
    [row] = told(tmp_path, unified("Add member to role.", "stinger", f"User_{ADMIN}", kind=kind.capitalize()))
    assert (row["operation"], row["target_kind"], row["target_id"]) == ("assign-directory-role", kind, MEMBER)
    assert (row["principal_id"], row["permission"], row["privileged"]) == (ADMIN, "Company Administrator", True)


NOT_READ = {
    "KeyExport": key_vault("KeyExport", KEY),
    # The verb at the end of a name does not show that an operation is harmless.
    "KeyMaterialGet": key_vault("KeyMaterialGet", KEY),
    "CertificateIssuerSet": key_vault("CertificateIssuerSet", f"{HOST}/certificates/issuers/ca"),
    "Microsoft.KeyVault/vaults/deploy/action": activity("Microsoft.KeyVault/vaults/deploy/action", VAULT),
    "Microsoft.Authorization/roleDefinitions/write": activity("Microsoft.Authorization/roleDefinitions/write", VAULT),
    # No word says that these concern keys: their providers do, or their category.
    **{
        name: activity(name, VAULT)
        for name in (
            *("Microsoft.Authorization/locks/delete", "Microsoft.Insights/dataCollectionRules/write"),
            *("Microsoft.KeyVault/hsmPools/write", "Microsoft.ManagedIdentity/userAssignedIdentities/revoke/action"),
        )
    },
    "Update authorization policy": of_category("AuthorizationPolicy", "Update authorization policy"),
    "Enable Desktop Sso": of_category("DirectoryManagement", "Enable Desktop Sso"),
    "Restore member from role": of_category("GroupManagement", "Restore member from role"),
    "Microsoft.Search/searchServices/createQueryKey/action": activity(
        "Microsoft.Search/searchServices/createQueryKey/action", VAULT
    ),
    "Add certificate authority": directory("Add certificate authority"),
    "Add member to role": by_app("MS-PIM", role(*GLOBAL, "User")),
    "Add member to role.": unified("Add member to role.", "MS-PIM", f"ServicePrincipal_{ADMIN}", ADMIN),
    "Update policy key.": unified("Update policy key.", "stinger", f"User_{ADMIN}"),
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
    *(
        activity(f"Microsoft.{name}", VAULT)
        for name in (
            *("Authorization/policies/auditIfNotExists/action", "Insights/AutoscaleSettings/Scaleup/Action"),
            *("Authorization/policyAssignments/write", "KeyVault/vaults/privateEndpointConnectionProxies/validate/action"),
        )
    ),
    *(
        of_category(*each)
        for each in (
            ("UserManagement", "Add Windows Hello for Business credential"),
            ("UserManagement", "Update user"),
            ("Policy", "Update conditional access policy"),
            ("RoleManagement", "Add member to role approval requested (PIM activation)"),
            ("RoleManagement", "Add eligible member to role in PIM requested (timebound)"),
            ("ApplicationManagement", "Remove service principal"),
            ("Authentication", "Issue an id_token to the application"),
        )
    ),
    by_app("MS-PIM", role(*GLOBAL, "User"), PIM),
    by_app("MS-PIM", role(*READERS, "User")),
    unified("Add member to role.", "MS-PIM", f"ServicePrincipal_{ADMIN}", ADMIN, PIM),
    unified("Add member to role.", "stinger", f"User_{ADMIN}", template=READERS[1]) | {"Id": "another"},
    unified("Update user.", "stinger", f"User_{ADMIN}") | {"Id": "a third"},
    directory("Update service principal", APP | {"type": "ServicePrincipal"}, DisplayName=('["a"]', '["b"]')),
]


ACTIVATED = "Add member to role completed (PIM activation)"


def activated(name: str, template: str, person: str = SERVICE, operation: str = ACTIVATED) -> dict[str, Any]:
    """PIM's own record, with the targets of the record in panther's azure_role_changed_pim."""
    first = {"id": OWNER, "type": "Role", "displayName": name}
    others = ({"id": "1", "type": "Request"}, {"id": person, "type": "User"}, {"id": "2", "type": "Other"})
    return directory(operation, first, *others, TemplateId=("", f'"{template}"'))


def test_an_activation_of_a_strong_role_is_shown_as_one(tmp_path: Path) -> None:
    [row] = told(tmp_path, activated(*GLOBAL))
    assert (row["operation"], row["target_kind"], row["target_id"]) == ("activate-directory-role", "user", SERVICE)
    assert (row["permission"], row["privileged"]) == (GLOBAL[0], None)


# Core Directory names the role Company Administrator in logs of some years; the template's id is the same.
CLAIM = by_app("MS-PIM", role("Company Administrator", GLOBAL[1], "User"))
TO_ANOTHER = activated(*GLOBAL, person=OWNER)
ELIGIBLE = activated(*GLOBAL, operation="Add eligible member to role in PIM completed (permanent)")
LATER = activated(*GLOBAL)
LATER["properties"] = LATER["properties"] | {"activityDateTime": "2025-01-15T10:30:25Z"}


@pytest.mark.parametrize(
    ("beside", "unread"),
    [
        (activated(*GLOBAL), {}),
        (activated(*GLOBAL, operation="Add member to role in PIM completed (timebound)"), {}),
        *((other, {"Add member to role": {"2025-01-15": 1}}) for other in (TO_ANOTHER, ELIGIBLE, LATER, activated(*READERS))),
    ],
)
def test_a_record_of_pim_proves_whose_act_it_was(tmp_path: Path, beside: dict[str, Any], unread: dict[str, Any]) -> None:
    """Whichever record comes first, and also if they are in two files."""
    records = [CLAIM, beside]
    for name, order in (("before", records), ("after", records[::-1])):
        folder = tmp_path / name
        folder.mkdir()
        for number, record in enumerate(order):
            (folder / f"{number}.jsonl").write_text(json.dumps(record), encoding="utf-8")
        store = imported(tmp_path / f"logs-{name}", folder)
        found = [each.unread for file in store.files for each in file.sources.values() if each.unread]
        assert found == [unread] * bool(unread)


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
