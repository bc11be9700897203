"""Records that public detection rules look for, in the shapes of their own test events, and what is like them.

https://github.com/panther-labs/panther-analysis (its test events), https://github.com/SigmaHQ/sigma (rules/cloud),
https://github.com/elastic/detection-rules (rules/integrations), https://github.com/mthcht/awesome-lists (a role assignment).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.collect.usage.test_operations import exchange, parameters, told

SUBSCRIPTION = "/subscriptions/12345678-1234-1234-1234-123456789abc"
VAULT = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/mykeyvault"
DELETED = f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/mykeyvault"
ACCOUNT = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/mystorage"
CLUSTER = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/mycluster"
OWNER, STORAGE = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
SERVICE = "770797c4-e05a-43f9-bda2-1f1f379987ae"


def activity(operation: str, resource: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A record of the activity log in storage, as in Panther's test events of azure_activity_rules."""
    return {
        "time": "2024-12-17T10:30:00.0000000Z",
        "resourceId": resource,
        "operationName": operation,
        "operationVersion": "2021-04-01",
        "category": "Administrative",
        "resultType": "Success",
        "resultSignature": "200",
        "callerIpAddress": "1.1.1.1",
        "correlationId": "f1e2d3c4-b5a6-7890-bcde-f12345678901",
        "tenantId": "87654321-4321-4321-4321-111111111111",
        "properties": {} if body is None else {"requestbody": json.dumps(body)},
    }


def assigned(role: str, kind: str, scope: str = SUBSCRIPTION) -> dict[str, Any]:
    body = {"PrincipalId": SERVICE, "PrincipalType": kind, "RoleDefinitionId": f"/x/roleDefinitions/{role}", "Scope": scope}
    resource = f"{scope}/providers/Microsoft.Authorization/roleAssignments/a1b2c3d4"
    return activity("Microsoft.Authorization/roleAssignments/write", resource, {"Id": "a1b2c3d4", "Properties": body})


def directory(activity: str, *targets: dict[str, Any], **changed: tuple[str | None, str | None]) -> dict[str, Any]:
    """A record of Entra's audit log in an event hub, as in Panther's test events of azure_signin_rules."""
    properties = [{"displayName": name, "oldValue": old, "newValue": new} for name, (old, new) in changed.items()]
    first, *others = targets or ({"id": "87654321-4321-4321-4321-111111111111", "type": "Other"},)
    return {
        "time": "2025-01-15T09:30:25.123Z",
        "resourceId": "/tenants/87654321-4321-4321-4321-111111111111/providers/Microsoft.aadiam",
        "operationName": activity,
        "category": "AuditLogs",
        "tenantId": "87654321-4321-4321-4321-111111111111",
        "properties": {
            "id": "Directory_1",
            "result": "success",
            "activityDisplayName": activity,
            "activityDateTime": "2025-01-15T09:30:25.1234567Z",
            "initiatedBy": {"user": {"id": "22222222-3333-4444-5555-666666666666", "ipAddress": "2.2.2.2"}},
            "targetResources": [{**first, "modifiedProperties": properties}, *others],
        },
    }


def role(name: str, template: str, kind: str) -> dict[str, Any]:
    quoted = {"Role.DisplayName": (None, f'"{name}"'), "Role.TemplateId": (None, f'"{template}"')}
    return directory("Add member to role", {"id": SERVICE, "type": kind}, {"id": OWNER, "type": "Role"}, **quoted)


def by_app(name: str, record: dict[str, Any], app_id: str | None = None) -> dict[str, Any]:
    return record | {"properties": record["properties"] | {"initiatedBy": {"app": {"appId": app_id, "displayName": name}}}}


GLOBAL = ("Global Administrator", "62e90394-69f5-4237-9190-012177145e10")
# https://github.com/merill/microsoft-info/blob/main/_info/MicrosoftApps.csv
PIM = "01fc33a7-78ba-4d2f-a4b7-768e336e890e"
READERS = ("Directory Readers", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b")
IN_PIM = directory(
    "Add eligible member to role in PIM completed (permanent)",
    {"id": "1", "type": "Role", "displayName": "Application Administrator"},
    {"id": SERVICE, "type": "ServicePrincipal"},
    TemplateId=(None, '"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"'),
)
APP = {"id": SERVICE, "type": "Application"}


def federated(old: list[str], new: list[str]) -> dict[str, Any]:
    """As persistence_entra_id_service_principal_federated_issuer_modified of Elastic has it."""
    before, after = (json.dumps([{"Name": "ci", "Issuer": each, "Subject": "s"} for each in issuers]) for issuers in (old, new))
    return directory("Update application", APP, FederatedIdentityCredentials=(before, after))


def methods(state: str, other: str = "enabled") -> str:
    configurations = [{"id": "X509Certificate", "state": state}, {"id": "Fido2", "state": other}]
    return json.dumps({"id": "authenticationMethodsPolicy", "authenticationMethodConfigurations": configurations})


def discovered(host: str) -> str:
    return json.dumps({"discoveryUrl": f"https://{host}/.well-known/openid-configuration"})


GITHUB = "https://token.actions.githubusercontent.com"
ELEVATED = "User has elevated their access to User Access Administrator for their Azure Resources"
FOUND: dict[str, tuple[dict[str, Any], str, str, bool]] = {
    "panther azure_keyvault_purged": (
        activity("Microsoft.KeyVault/locations/deletedVaults/purge/action", DELETED),
        "purge",
        "vault",
        False,
    ),
    "panther azure_keyvault_deleted": (activity("Microsoft.KeyVault/vaults/delete", VAULT), "delete", "vault", False),
    "sigma azure_keyvault_modified_or_deleted": (
        activity("MICROSOFT.KEYVAULT/VAULTS/ACCESSPOLICIES/WRITE", f"{VAULT}/accessPolicies/add"),
        "change-vault-access",
        "vault",
        False,
    ),
    "panther azure_keyvault_key_purged": (
        activity("microsoft.keyvault/vaults/keys/purge/action", f"{VAULT}/keys/k"),
        "purge",
        "vault",
        False,
    ),
    "panther azure_keyvault_key_accessed_or_recovered": (
        activity("Microsoft.KeyVault/vaults/keys/recover/action", f"{VAULT}/keys/k"),
        "restore",
        "vault",
        False,
    ),
    "panther azure_keyvault_secret_accessed_or_recovered": (
        activity("Microsoft.KeyVault/vaults/secrets/getSecret/action", f"{VAULT}/secrets/s"),
        "read-secret",
        "vault",
        False,
    ),
    "sigma azure_keyvault_key_modified_or_deleted": (
        activity("MICROSOFT.KEYVAULT/VAULTS/KEYS/WRITE", f"{VAULT}/keys/k"),
        "create",
        "vault",
        False,
    ),
    "sigma azure_keyvault_secrets_modified_or_deleted": (
        activity("MICROSOFT.KEYVAULT/VAULTS/SECRETS/WRITE", f"{VAULT}/secrets/s"),
        "write-secret",
        "vault",
        False,
    ),
    "a vault that is recovered": (
        activity("Microsoft.KeyVault/vaults/write", VAULT, {"properties": {"createMode": "recover"}}),
        "restore",
        "vault",
        False,
    ),
    "panther azure_storage_account_keys_listed": (
        activity("Microsoft.Storage/storageAccounts/listKeys/action", ACCOUNT),
        "list-account-keys",
        "resource",
        False,
    ),
    "panther azure_storage_account_key_regenerated": (
        activity("Microsoft.Storage/storageAccounts/regenerateKey/action", ACCOUNT),
        "regenerate-account-key",
        "resource",
        False,
    ),
    "sigma azure_rare_operations": (
        activity("Microsoft.DocumentDB/databaseAccounts/listKeys/action", ACCOUNT),
        "list-account-keys",
        "resource",
        False,
    ),
    "elastic initial_access_azure_arc_cluster_credential_access_unusual_source": (
        activity("Microsoft.Kubernetes/connectedClusters/listClusterUserCredential/action", CLUSTER),
        "list-account-keys",
        "resource",
        False,
    ),
    "the same of AKS": (
        activity("Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", CLUSTER),
        "list-account-keys",
        "resource",
        False,
    ),
    "sigma azure_aadhybridhealth_adfs_new_server": (
        activity(
            "Microsoft.ADHybridHealthService/services/servicemembers/action", "/providers/microsoft.adhybridhealthservice/x"
        ),
        "change-federation-servers",
        "resource",
        True,
    ),
    "panther azure_role_assignment_privileged_or_elevated": (
        assigned(OWNER, "ServicePrincipal"),
        "assign-role",
        "resource",
        True,
    ),
    "a person who gets a role that controls the tenant": (role(*GLOBAL, "User"), "assign-directory-role", "user", True),
    "another role": (assigned(STORAGE, "ServicePrincipal"), "assign-role", "resource", False),
    "a role of a person": (assigned(OWNER, "User"), "assign-role", "resource", False),
    "a role in a resource group": (
        assigned(OWNER, "ServicePrincipal", f"{SUBSCRIPTION}/resourceGroups/rg"),
        "assign-role",
        "resource",
        False,
    ),
    "sigma azure_subscription_permissions_elevation_via_activitylogs": (
        activity("MICROSOFT.AUTHORIZATION/ELEVATEACCESS/ACTION", "/providers/Microsoft.Authorization"),
        "elevate-access",
        "resource",
        True,
    ),
    "panther azure_role_assignment_privileged_or_elevated, with an operation in two languages": (
        activity("", "/providers/Microsoft.Authorization")
        | {"operationName": {"value": "Microsoft.Authorization/elevateAccess/action", "localizedValue": "Assigns the caller"}},
        "elevate-access",
        "resource",
        True,
    ),
    "panther azure_elevate_user_access_admin": (directory(ELEVATED), "elevate-access", "tenant", True),
    "sigma azure_app_role_added": (role(*GLOBAL, "ServicePrincipal"), "assign-directory-role", "service-principal", True),
    "a role that many applications have": (
        role(*READERS, "ServicePrincipal"),
        "assign-directory-role",
        "service-principal",
        False,
    ),
    "panther azure_role_changed_pim, of an application": (IN_PIM, "assign-directory-role", "service-principal", True),
    "sigma azure_ad_new_root_ca_added": (
        directory("Set Company Information", TrustedCAsForPasswordlessAuth=("[]", '["ca"]')),
        "change-trusted-authority",
        "tenant",
        True,
    ),
    "sigma azure_ad_certificate_based_authencation_enabled": (
        directory(
            "Authentication Methods Policy Update", AuthenticationMethodsPolicy=(methods("disabled"), methods("enabled"))
        ),
        "change-certificate-sign-in",
        "tenant",
        True,
    ),
    "panther azure_auth_methods_policy_oidc_change": (
        directory(
            "Update authentication methods policy",
            {"id": "policy-auth-methods-123", "type": "Policy"},
            OpenIdConnectConfiguration=(discovered("login.microsoftonline.com/tenant-abc"), discovered("idp.evil.example")),
        ),
        "change-trusted-authority",
        "tenant",
        True,
    ),
    "panther azure_alert_rules_deleted": (
        activity("Microsoft.Insights/alertRules/delete", f"{SUBSCRIPTION}/resourceGroups/rg/providers/x"),
        "remove-alert-rule",
        "resource",
        False,
    ),
    "elastic persistence_entra_id_service_principal_federated_issuer_modified": (
        federated([], [GITHUB]),
        "add-credential",
        "application",
        False,
    ),
    "sigma microsoft365_new_federated_domain_added_exchange": (
        exchange("Add-FederatedDomain", Parameters=parameters(DomainName="evil.example")),
        "change-federation",
        "domain",
        True,
    ),
    "elastic exfiltration_exchange_transport_rule_creation": (
        exchange("New-TransportRule", Parameters=parameters(Name="r", BlindCopyTo="x@evil.example")),
        "forward-mail",
        "tenant",
        True,
    ),
    "elastic persistence_exchange_suspicious_mailbox_permission_delegation": (
        exchange("Add-MailboxPermission", Parameters=parameters(Identity="a", AccessRights="FullAccess", User="b")),
        "grant-mailbox-access",
        "mailbox",
        False,
    ),
    "elastic, SendAs": (
        exchange("Add-RecipientPermission", Parameters=parameters(Identity="a", AccessRights="SendAs", Trustee="b")),
        "grant-mailbox-access",
        "mailbox",
        False,
    ),
    "elastic, on behalf": (
        exchange("Set-Mailbox", Parameters=parameters(Identity="a", GrantSendOnBehalfTo="b")),
        "grant-mailbox-access",
        "mailbox",
        False,
    ),
    "elastic persistence_exchange_management_role_assignment": (
        exchange("New-ManagementRoleAssignment", Parameters=parameters(Role="ApplicationImpersonation", User="b")),
        "grant-mailbox-access",
        "tenant",
        True,
    ),
}
"""By rule: a record that it finds, or that is like one, the operation, what it is done to, and whether it is always told."""


@pytest.mark.parametrize("rule", FOUND)
def test_what_public_rules_look_for_is_read(tmp_path: Path, rule: str) -> None:
    record, operation, kind, privileged = FOUND[rule]
    [row] = told(tmp_path, record)
    assert (row["operation"], row["target_kind"], row["privileged"] or False) == (operation, kind, privileged)
    assert row["target_id"]
    assert row["succeeded"] is True


NOT_FOUND = {
    "a deployment": activity("Microsoft.KeyVault/vaults/write", VAULT, {"properties": {"createMode": "default"}}),
    "a public key that is read": activity("Microsoft.KeyVault/vaults/keys/read/action", f"{VAULT}/keys/k"),
    "a person who gets a role that controls nothing": role(*READERS, "User"),
    "another setting of the tenant": directory("Set Company Information", Country=('"DE"', '"NL"')),
    "another way to sign in": directory(
        "Authentication Methods Policy Update", AuthenticationMethodsPolicy=(methods("enabled"), methods("enabled", "disabled"))
    ),
    "the same provider": directory(
        "Authentication Methods Policy Update",
        OpenIdConnectConfiguration=(discovered("idp.example"), discovered("idp.example")),
    ),
    "a rule that marks mail": exchange("New-TransportRule", Parameters=parameters(Name="r", SetHeaderName="x")),
    "a right to read a calendar": exchange(
        "Add-MailboxPermission", Parameters=parameters(Identity="a", AccessRights="ReadPermission")
    ),
    "another role of Exchange": exchange("New-ManagementRoleAssignment", Parameters=parameters(Role="View-Only Recipients")),
}


@pytest.mark.parametrize("what", NOT_FOUND)
def test_what_is_like_it_is_not(tmp_path: Path, what: str) -> None:
    assert told(tmp_path, NOT_FOUND[what]) == []


def test_a_federated_credential_names_the_issuer_that_it_trusts(tmp_path: Path) -> None:
    rows = told(tmp_path, federated([GITHUB], ["https://evil.example"]))
    assert [(row["operation"], row["issuer"]) for row in rows] == [
        ("add-credential", "https://evil.example"),
        ("remove-credential", None),
    ]


def test_a_role_assignment_says_who_got_which_role(tmp_path: Path) -> None:
    [row] = told(tmp_path, assigned(OWNER, "ServicePrincipal"))
    assert (row["granted_to"], row["permission"], row["unknown"]) == (SERVICE, f"/x/roledefinitions/{OWNER}", {})
    (tmp_path / "other").mkdir()
    [row] = told(tmp_path / "other", activity("Microsoft.Authorization/roleAssignments/write", f"{SUBSCRIPTION}/x"))
    assert row["unknown"] == {"permission": "not_supplied", "granted_to": "not_supplied"}
