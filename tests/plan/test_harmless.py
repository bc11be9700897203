"""A type on no list of harmless types is unread, and unknown; one on such a list, or of another provider, passes."""

from typing import Any

import pytest

from keyaudit.model.errors import Exit
from tests.plan.small import TENANT, UNKNOWN, Resource, plan, references, vault
from tests.plan.test_gate import LOGGED, SAFE, gate, keyaudit
from tests.plan.test_unread import azapi

__all__ = ["gate", "keyaudit"]

ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""The template of Global Administrator: https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"""
CLIENT = "22222222-3333-4444-8555-666666666666"
GROUP = Resource("azuread_group.admins", {"display_name": "admins", "security_enabled": True, "members": None})
OWN = [
    Resource("azuread_application.app", {"display_name": "app", "client_id": UNKNOWN}),
    Resource("azuread_service_principal.app", {"object_id": UNKNOWN}, {"client_id": "azuread_application.app.client_id"}),
    Resource(
        "azuread_application_password.app",
        {"end_date": "2027-01-01T00:00:00Z"},
        {"application_id": "azuread_application.app.id"},
    ),
    Resource(
        "azuread_directory_role_assignment.admins",
        {"role_id": ADMINISTRATOR},
        {"principal_object_id": "azuread_group.admins.object_id"},
    ),
]  # fmt: skip
"""An application with a secret, and a group that is a Global Administrator."""
MEMBER = {"principal_id": "azuread_service_principal.app.object_id"}


def redirects(application: str) -> Resource:
    """The example of docs/resources/application_redirect_uris.md in hashicorp/terraform-provider-azuread 3.9.0."""
    values = {"type": "Web", "redirect_uris": ["http://example.com/callback"]}
    return Resource("azuread_application_redirect_uris.web", values, {"application_id": f"{application}.id"})


NINE = {
    "members": [Resource("azuread_group.admins", {**GROUP.values}, {"members": "azuread_service_principal.app.object_id"})],
    "member": [
        GROUP,
        Resource(
            "azuread_group_member.app",
            {},
            {"group_object_id": "azuread_group.admins.object_id", "member_object_id": MEMBER["principal_id"]},
        ),
    ],
    "privileged access": [
        GROUP,
        Resource(
            "azuread_privileged_access_group_assignment_schedule.app",
            {"assignment_type": "member", "permanent_assignment": True},
            {"group_id": "azuread_group.admins.object_id", **MEMBER},
        ),
    ],
    "administrative unit": [
        GROUP,
        Resource(
            "azuread_administrative_unit_role_member.app",
            {"role_object_id": ADMINISTRATOR, "administrative_unit_object_id": UNKNOWN},
            {"member_object_id": MEMBER["principal_id"]},
        ),
    ],
    "redirects of an application": [GROUP, redirects("azuread_application.app")],
    "redirects of a registration": [
        GROUP,
        Resource("azuread_application_registration.other", {"display_name": "other", "client_id": UNKNOWN}),
        redirects("azuread_application_registration.other"),
    ],
    "script": [
        GROUP,
        Resource("azurerm_resource_deployment_script_azure_cli.run", {"name": "run", "script_content": "az ad app create"}),
    ],
    "action": [
        GROUP,
        Resource("msgraph_resource_action.secret", {"resource_url": UNKNOWN, "action": "addPassword", "method": "POST"}),
    ],
    "collection": [GROUP, Resource("msgraph_resource_collection.members", {"url": UNKNOWN, "reference_ids": [UNKNOWN]})],
}


@pytest.mark.parametrize("how", NINE)
def test_what_would_fail_if_it_were_written_plainly_never_passes(gate: Any, how: str) -> None:
    ran = gate(*OWN, *NINE[how])
    assert ran.code in (Exit.INCOMPLETE, Exit.FINDINGS), ran.out
    if how != "members":
        assert NINE[how][-1].address in ran.out, ran.out


def test_what_terraform_only_forgets_stays_as_it_was(gate: Any) -> None:
    there = {"object_id": TENANT, "client_id": CLIENT, "display_name": "app"}
    app = Resource("azuread_application.app", {"id": f"/applications/{TENANT}", **there}, actions=("no-op",))
    expires = {"application_id": f"/applications/{TENANT}", "end_date": "2027-01-01T00:00:00Z"}
    secret = Resource("azuread_application_password.app", expires)
    principal = Resource("azuread_service_principal.app", {"id": TENANT, **there}, actions=("no-op",))
    before = {"role_id": ADMINISTRATOR, "principal_object_id": TENANT, "directory_scope_id": "/"}
    outcomes = []
    for actions in ("delete", "forget"):
        role = Resource("azuread_directory_role_assignment.own", {}, actions=(actions,), before=before)
        outcomes.append(gate(app, secret, principal, role, flags=("--select", "sp-tier0-with-secret")).code)
    assert outcomes == [Exit.CLEAN, Exit.FINDINGS]


ORDINARY = [
    Resource("azurerm_resource_group.main", {"name": "rg", "location": "westeurope"}),
    Resource("azurerm_virtual_network.main", {"name": "vnet", "address_space": ["10.0.0.0/16"]}),
    Resource("azurerm_log_analytics_workspace.main", {"name": "logs", "retention_in_days": 30}),
    Resource("azurerm_monitor_action_group.main", {"name": "ops", "short_name": "ops"}),
    Resource("azurerm_linux_web_app.main", {"name": "app", "app_settings": {"A": "b"}, "site_config": [{}]}),
    Resource("random_pet.main", {"length": 2}),
    Resource("time_offset.main", {"offset_days": 30}),
    Resource("kubernetes_namespace.main", {"metadata": [{"name": "app"}]}),
    Resource("null_resource.main", {"triggers": None}),
    Resource("terraform_data.main", {"input": None}),
    azapi("net", "Microsoft.Network/virtualNetworks@2024-05-01", {"properties": {"addressSpace": UNKNOWN}}),
]  # fmt: skip


def test_types_that_make_nothing_that_policies_are_about_pass(gate: Any) -> None:
    ran = gate(vault(**SAFE), LOGGED, *ORDINARY)
    assert ran.code == Exit.CLEAN, ran.out
    assert "GAP" not in ran.out


@pytest.mark.parametrize(
    ("resource", "address"),
    [
        (Resource("azurerm_made_up_thing.x", {"name": "x"}), "azurerm_made_up_thing.x"),
        (azapi("x", "Microsoft.MadeUp/things@2030-01-01", {}), "azapi_resource.x"),
        (Resource("azuread_made_up_thing.x", {"display_name": "x"}), "azuread_made_up_thing.x"),
    ],
    ids=("azurerm", "azapi", "azuread"),
)
def test_a_type_on_no_list_is_unread(gate: Any, resource: Resource, address: str) -> None:
    ran = gate(vault(**SAFE), LOGGED, resource)
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert address in ran.out, ran.out


def test_an_assignment_of_a_policy_that_changes_nothing_is_harmless(gate: Any) -> None:
    denies = {"name": "deny", "identity": []}
    for values, expected in ((denies, Exit.CLEAN), ({**denies, "identity": [{"type": "SystemAssigned"}]}, Exit.INCOMPLETE)):
        ran = gate(vault(**SAFE), LOGGED, Resource("azurerm_resource_group_policy_assignment.p", values))
        assert ran.code == expected, ran.out


def test_a_provider_that_is_not_known_is_named_in_one_line_and_gates_where_every_resource_is_required(gate: Any) -> None:
    resources = [Resource(f"acme_thing.{name}", {"name": name}) for name in ("one", "two")]
    ran = gate(vault(**SAFE), LOGGED, *resources)
    assert ran.code == Exit.CLEAN, ran.out
    [line] = [line for line in ran.out.splitlines() if "GAP" in line]
    assert "acme_thing.one, acme_thing.two" in line
    required = gate(vault(**SAFE), LOGGED, *resources, flags=("--require", "every-resource"))
    assert required.code == Exit.INCOMPLETE, required.out
    assert required.out.count("acme_thing.") == 2


def run_by(command: object, **more: object) -> dict[str, Any]:
    """A resource with a provisioner, as internal/command/jsonconfig of hashicorp/terraform writes it."""
    resource = Resource("null_resource.run", {"triggers": None})
    found = plan(vault(**SAFE), LOGGED, resource)
    said = {"command": {"constant_value": command} if isinstance(command, str) else command, **more}
    found["configuration"]["root_module"]["resources"][-1]["provisioners"] = [{"type": "local-exec", "expressions": said}]
    return found


@pytest.mark.parametrize(
    ("command", "more", "expected"),
    [
        ("echo done", {}, Exit.CLEAN),
        ("mkdir -p out && kubectl apply -f app.yaml", {}, Exit.CLEAN),
        ("az ad app credential reset --id x", {}, Exit.INCOMPLETE),
        ("echo x; /usr/bin/az login", {}, Exit.INCOMPLETE),
        ("curl -X POST https://graph.microsoft.com/v1.0/applications", {}, Exit.INCOMPLETE),
        ("./deploy.sh", {}, Exit.INCOMPLETE),
        ("echo $(./deploy.sh)", {}, Exit.INCOMPLETE),
        ({"references": ["var.command"]}, {}, Exit.INCOMPLETE),
        ("echo done", {"interpreter": {"constant_value": ["pwsh", "-Command"]}}, Exit.INCOMPLETE),
        ("echo done", {"interpreter": {"constant_value": ["/bin/bash", "-c"]}}, Exit.CLEAN),
    ],
)
def test_a_command_that_may_call_azure_gates(gate: Any, command: object, more: dict[str, Any], expected: Exit) -> None:
    ran = gate(found=run_by(command, **more))
    assert ran.code == expected, ran.out
    assert "null_resource.run" in ran.out


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ({"constant_value": "https://api.example.com"}, Exit.CLEAN),
        ({"constant_value": "https://management.azure.com"}, Exit.INCOMPLETE),
        ({"references": ["local.uri"]}, Exit.INCOMPLETE),
    ],
)
def test_a_call_of_a_rest_api_gates_where_it_may_be_azure(gate: Any, uri: dict[str, Any], expected: Exit) -> None:
    found = plan(vault(**SAFE), LOGGED, Resource("restapi_object.x", {"path": "/things", "data": "{}"}))
    found["configuration"]["provider_config"]["restapi"] = {"name": "restapi", "expressions": {"uri": uri}}
    found["configuration"]["root_module"]["resources"][-1]["provider_config_key"] = "restapi"
    ran = gate(found=found)
    assert ran.code == expected, ran.out


SECRET_ID = "https://kv-other.vault.azure.net/secrets/tls/0123456789abcdef0123456789abcdef"
KEY_ID = "https://kv-other.vault.azure.net/keys/disk/0123456789abcdef0123456789abcdef"
CERTIFICATE = {"key_vault_certificate_id": UNKNOWN}
OF_SECRET = references("azurerm_key_vault_secret.s.versionless_id")


@pytest.mark.parametrize(
    ("resource", "used"),
    [
        (Resource("azurerm_api_management_named_value.x", {"value_from_key_vault": [{"secret_id": SECRET_ID}]}), "secret"),
        (Resource("azurerm_recovery_services_vault.x", {"encryption": [{"key_id": KEY_ID}]}), "key"),
        (Resource("azurerm_machine_learning_workspace.x", {"encryption": [{"key_id": UNKNOWN}]}), "key"),
        (Resource("azurerm_netapp_account_encryption.x", {"encryption_key": KEY_ID}), "key"),
        (Resource("azurerm_netapp_account_encryption.x", {}, {"encryption_key": "local.key"}), "key"),
        (Resource("azurerm_linux_virtual_machine.x", {"secret": [{"certificate": [{"url": SECRET_ID}]}]}), "secret"),
        (
            Resource("azurerm_linux_web_app.x", {"app_settings": {"A": f"@Microsoft.KeyVault(SecretUri={SECRET_ID})"}}),
            "secret",
        ),
        (Resource("azurerm_container_app.x", {"secret": [{"name": "a", "key_vault_secret_id": SECRET_ID}]}), "secret"),
        (Resource("azurerm_application_gateway.x", {"ssl_certificate": [{"key_vault_secret_id": UNKNOWN}]}), "secret"),
        (Resource("azurerm_postgresql_flexible_server.x", {"customer_managed_key": [{"key_vault_key_id": KEY_ID}]}), "key"),
        (Resource("azurerm_cdn_frontdoor_secret.x", {"secret": [{"customer_certificate": [CERTIFICATE]}]}), "secret"),
        (Resource("azurerm_windows_web_app.x", {}, {"app_settings": OF_SECRET}), "secret"),
    ],
)  # fmt: skip
def test_what_uses_a_vault_is_unknown_by_itself_and_no_policy_with_it(gate: Any, resource: Resource, used: str) -> None:
    ran = gate(vault(**SAFE), LOGGED, resource)
    assert ran.code == Exit.INCOMPLETE, ran.out
    [line] = [line for line in ran.out.splitlines() if line.startswith("  INCOMPLETE  ")]
    assert resource.address in line
    assert f"uses a {used} of a vault" in line
    assert "UNKNOWN" not in ran.out
    others = gate(vault(**SAFE), LOGGED, resource, flags=("--select", "kv-*"))
    assert others.code == Exit.CLEAN, others.out
    accepted = gate(vault(**SAFE), LOGGED, resource, flags=("--allow-gap", f"scope={resource.address}"))
    assert accepted.code == Exit.CLEAN, accepted.out


def test_a_password_that_is_read_from_a_vault_names_nothing_there(gate: Any) -> None:
    password = references("azurerm_key_vault_secret.s.value")
    server = Resource("azurerm_postgresql_flexible_server.x", {"name": "x"}, {"administrator_password": password})
    ran = gate(vault(**SAFE), LOGGED, server)
    assert ran.code == Exit.CLEAN, ran.out
