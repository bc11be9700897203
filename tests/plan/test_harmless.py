"""A type on no list of harmless types is unread, and unknown; one on such a list, or of another provider, passes."""

from typing import Any

import pytest

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.model.errors import Exit
from keyaudit.plan.answers import Answers
from keyaudit.plan.document.terraform import decode
from keyaudit.plan.run import answers_of
from tests.clock import COLLECTED
from tests.plan.small import SUBSCRIPTION, TENANT, UNKNOWN, Resource, plan, references, vault, written
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


HOW = {
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
}


@pytest.mark.parametrize("how", HOW)
def test_what_would_fail_if_it_were_written_plainly_never_passes(gate: Any, how: str) -> None:
    ran = gate(*OWN, *HOW[how])
    assert ran.code in (Exit.INCOMPLETE, Exit.FINDINGS), ran.out
    if ran.code == Exit.INCOMPLETE:
        assert "PERHAPS" in ran.out or any(each.address in ran.out for each in HOW[how]), ran.out


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


def answers(*resources: Resource, found: Any = None) -> Answers:
    read = decode(written(found or plan(*resources)), "plan.json")
    return answers_of(read, ENVIRONMENTS["public"], COLLECTED)[1]


def _unread(*resources: Resource) -> set[str]:
    return {each.address for origins in answers(*resources).unread.values() for each in origins}


@pytest.mark.parametrize(
    ("resource", "lists"),
    [
        (Resource("azurerm_made_up_thing.x", {"name": "x"}), {"vault.list", "role_assignment.query"}),
        (azapi("x", "Microsoft.MadeUp/things@2030-01-01", {}), {"vault.list", "role_assignment.query"}),
        (Resource("azuread_made_up_thing.x", {"display_name": "x"}), {"application.list", "directory_role.assignments"}),
        (Resource("msgraph_resource.x", {"url": "madeUp", "body": {}}), {"application.list", "directory_role.assignments"}),
    ],
    ids=("azurerm", "azapi", "azuread", "msgraph"),
)
def test_a_type_on_no_list_is_unread(resource: Resource, lists: set[str]) -> None:
    found = answers(resource)
    assert lists <= found.unread.keys()
    assert {each.address for operation in lists for each in found.unread[operation]} == {resource.address}


@pytest.mark.parametrize(
    ("template", "of_graph"),
    [({"template_content": "{}"}, False), ({"template_content": '{"extensions": {"microsoftGraph": {}}}'}, True), ({}, True)],
)
def test_a_template_may_make_applications_where_it_may_speak_to_graph(template: dict[str, Any], *, of_graph: bool) -> None:
    found = answers(Resource("azurerm_resource_group_template_deployment.x", {"name": "x", **template}))
    assert ("application.list" in found.unread) == of_graph
    assert "vault.list" in found.unread


def test_a_resource_that_is_no_list_s_is_found_by_the_gate(gate: Any) -> None:
    ran = gate(vault(**SAFE), LOGGED, Resource("azurerm_made_up_thing.x", {"name": "x"}))
    assert ran.code == Exit.INCOMPLETE, ran.out
    [line, *_] = [line for line in ran.out.splitlines() if line.startswith("  INCOMPLETE  ")]
    assert "azurerm_made_up_thing.x" in line
    [then, *_] = [line for line in ran.out.splitlines() if line.startswith("  NEXT  ")]
    assert "--allow-gap reason=unread_resource,scope=" in then


def test_an_assignment_of_a_policy_that_changes_nothing_is_harmless() -> None:
    denies = {"name": "deny", "identity": []}
    changes = {**denies, "identity": [{"type": "SystemAssigned"}]}
    unread = [_unread(Resource("azurerm_resource_group_policy_assignment.p", values)) for values in (denies, changes)]
    assert unread == [set(), {"azurerm_resource_group_policy_assignment.p"}]


def test_a_deleted_resource_that_nothing_reads_lacks_only_where_the_tenant_is_known() -> None:
    found = answers(Resource("azurerm_pim_active_role_assignment.x", {}, actions=("delete",), before={"scope": "/"}))
    assert found.lacking("role_assignment.query") is None
    assert found.lacking("role_assignment.query", unchanged=False)


def test_a_provider_that_is_not_known_is_named_in_one_line_and_gates_where_every_resource_is_required(gate: Any) -> None:
    resources = [Resource(f"acme_thing.{name}", {"name": name}) for name in ("one", "two")]
    ran = gate(vault(**SAFE), LOGGED, *resources)
    assert ran.code == Exit.CLEAN, ran.out
    [line] = [line for line in ran.out.splitlines() if "GAP" in line]
    assert "acme_thing.one, acme_thing.two" in line
    required = gate(vault(**SAFE), LOGGED, *resources, flags=("--require", "every-resource"))
    assert required.code == Exit.INCOMPLETE, required.out
    assert required.out.count("INCOMPLETE  acme_thing.") == 2


def test_the_provider_decides_and_not_the_beginning_of_a_type() -> None:
    found = plan(Resource("random_pet.x", {}), Resource("random_pet.y", {}))
    for change, of in zip(found["resource_changes"], ("hashicorp", "someone"), strict=True):
        change["provider_name"] = f"registry.example/{of}/random"
    assert [each.address for each in answers(found=found).asides] == ["random_pet.y"]


def run_by(command: object, **more: object) -> dict[str, Any]:
    """A resource with a provisioner, as internal/command/jsonconfig of hashicorp/terraform writes it."""
    found = plan(Resource("null_resource.run", {"triggers": None}))
    said = {"command": {"constant_value": command} if isinstance(command, str) else command, **more}
    found["configuration"]["root_module"]["resources"][0]["provisioners"] = [{"type": "local-exec", "expressions": said}]
    return found


@pytest.mark.parametrize(
    ("command", "more", "certain"),
    [
        ("echo done", {}, False),
        ("mkdir -p out && kubectl apply -f app.yaml", {}, False),
        ("az ad app credential reset --id x", {}, True),
        ("echo x; /usr/bin/az login", {}, True),
        ("curl -X POST https://graph.microsoft.com/v1.0/applications", {}, True),
        ("kubectl exec pod -- az login", {}, True),
        ("./deploy.sh", {}, True),
        ("echo $(./deploy.sh)", {}, True),
        ({"references": ["var.command"]}, {}, True),
        ("echo done", {"interpreter": {"constant_value": ["pwsh", "-Command"]}}, True),
        ("echo done", {"interpreter": {"references": ["var.shell"]}}, True),
        ("echo done", {"interpreter": {"constant_value": ["/bin/bash", "-c"]}}, False),
        ("echo done", {"environment": {"references": ["var.environment"]}}, False),
    ],
)
def test_a_command_that_may_call_azure_is_told_from_one_that_does_not(
    command: object, more: dict[str, Any], *, certain: bool
) -> None:
    [aside] = answers(found=run_by(command, **more)).asides
    assert (aside.address, aside.certain) == ("null_resource.run", certain)


def test_a_command_that_may_call_azure_gates(gate: Any) -> None:
    ran = gate(found=run_by("az ad app credential reset --id x"))
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert "null_resource.run" in ran.out


@pytest.mark.parametrize(
    ("uri", "path", "certain"),
    [
        ({"constant_value": "https://api.example.com"}, "/things", False),
        ({"constant_value": "https://management.azure.com"}, "/things", True),
        ({"constant_value": "https://api.example.com"}, "https://graph.microsoft.com/v1.0/groups", True),
        ({"references": ["local.uri"]}, "/things", True),
    ],
)
def test_a_call_of_a_rest_api_is_about_azure_where_it_may_be(uri: dict[str, Any], path: str, *, certain: bool) -> None:
    found = plan(Resource("restapi_object.x", {"path": path, "data": "{}"}))
    found["configuration"]["provider_config"]["restapi"] = {"name": "restapi", "expressions": {"uri": uri}}
    found["configuration"]["root_module"]["resources"][0]["provider_config_key"] = "restapi"
    [aside] = answers(found=found).asides
    assert aside.certain == certain


@pytest.mark.parametrize(
    ("url", "certain"), [("https://example.com/ip", False), ("https://management.azure.com/x", True), (UNKNOWN, True)]
)
def test_a_data_source_that_calls_an_address_during_apply_is_told(url: object, *, certain: bool) -> None:
    [aside] = answers(Resource("data.http.x", {"url": url}, actions=("read",))).asides
    assert aside.certain == certain


SECRET_ID = "https://kv-other.vault.azure.net/secrets/tls/0123456789abcdef0123456789abcdef"
KEY_ID = "https://kv-other.vault.azure.net/keys/disk/0123456789abcdef0123456789abcdef"
CERTIFICATE = {"key_vault_certificate_id": UNKNOWN}
OF_SECRET = references("azurerm_key_vault_secret.s.id")
NAMED = "@Microsoft.KeyVault(VaultName=kv-other;SecretName=tls)"
VERSIONLESS = references("azurerm_key_vault_certificate.s.versionless_secret_id")
EACH_SECRET = ["azurerm_key_vault_secret.s", "each.key"]


@pytest.mark.parametrize(
    ("resource", "table"),
    [
        (Resource("azurerm_api_management_named_value.x", {"value_from_key_vault": [{"secret_id": SECRET_ID}]}), "secret_use"),
        (Resource("azurerm_recovery_services_vault.x", {"encryption": [{"key_id": KEY_ID}]}), "key_use"),
        (Resource("azurerm_machine_learning_workspace.x", {"encryption": [{"key_id": UNKNOWN}]}), "key_use"),
        (Resource("azurerm_netapp_account_encryption.x", {"encryption_key": KEY_ID}), "key_use"),
        (Resource("azurerm_netapp_account_encryption.x", {}, {"encryption_key": "local.key"}), "key_use"),
        (Resource("azurerm_linux_virtual_machine.x", {"secret": [{"certificate": [{"url": SECRET_ID}]}]}), "secret_use"),
        (Resource("azurerm_linux_web_app.x", {"app_settings": {"A": f"@Microsoft.KeyVault(SecretUri={SECRET_ID})"}}),
            "secret_use"),
        (Resource("azurerm_container_app.x", {"secret": [{"name": "a", "key_vault_secret_id": SECRET_ID}]}), "secret_use"),
        (Resource("azurerm_application_gateway.x", {"ssl_certificate": [{"key_vault_secret_id": UNKNOWN}]}), "secret_use"),
        (Resource("azurerm_automation_account.x", {"encryption": [{"key_vault_key_id": KEY_ID}]}), "key_use"),
        (Resource("azurerm_cdn_frontdoor_secret.x", {"secret": [{"customer_certificate": [CERTIFICATE]}]}), "secret_use"),
        (Resource("azurerm_windows_web_app.x", {}, {"app_settings": OF_SECRET}), "secret_use"),
        (Resource("azurerm_windows_web_app.x", {"app_settings": {"A": f"{NAMED[:-1]};SecretVersion=1)"}}), "secret_use"),
        (Resource("azurerm_windows_web_app.x", {}, {"app_settings": EACH_SECRET}), "secret_use"),
    ],
)  # fmt: skip
def test_what_uses_a_vault_is_unknown_by_itself(resource: Resource, table: str) -> None:
    found = answers(resource)
    assert [(each.address, each.tables, each.certain) for each in found.asides] == [
        (resource.address, frozenset({table}), True)
    ]
    assert "consumer.query" not in found.unread


MACHINE = "Microsoft.Compute/virtualMachines@2024-07-01"
GATEWAY = "Microsoft.Network/applicationGateways@2024-05-01"


def of_gateway(url: object) -> Resource:
    """https://learn.microsoft.com/azure/templates/microsoft.network/applicationgateways"""
    return azapi("x", GATEWAY, {"properties": {"sslCertificates": [{"properties": {"keyVaultSecretId": url}}]}})


def test_a_body_of_azapi_uses_a_vault_only_by_the_members_of_its_service() -> None:
    network = {"properties": {"networkProfile": {"networkInterfaces": [{"id": UNKNOWN}]}}}
    found = [
        [each.tables for each in answers(resource).asides]
        for resource in (azapi("x", MACHINE, network), azapi("x", MACHINE, UNKNOWN), *map(of_gateway, (UNKNOWN, SECRET_ID)))
    ]
    secret = frozenset({"secret_use"})
    assert found == [[], [{"key_use", "secret_use"}], [secret], [secret]]
    assert not answers(of_gateway(SECRET_ID.rpartition("/")[0])).asides


@pytest.mark.parametrize(
    "resource",
    [
        Resource("azurerm_linux_web_app.x", {"app_settings": {"A": NAMED}}),
        Resource("azurerm_container_app.x", {"secret": [{"key_vault_secret_id": SECRET_ID.rpartition("/")[0]}]}),
        Resource("azurerm_cdn_endpoint_custom_domain.x", {}, {"key_vault_secret_id": VERSIONLESS}),
    ],
)
def test_a_secret_without_a_version_is_one_of_which_only_the_service_tells_more(resource: Resource) -> None:
    assert not answers(resource).asides


@pytest.mark.parametrize(
    ("attribute", "refers"),
    [
        ("administrator_password", references("azurerm_key_vault_secret.s.value")),
        ("administrator_password", EACH_SECRET),
        ("tags", references("azurerm_key_vault_secret.s.expiration_date")),
        ("delegated_subnet_id", references("azurerm_subnet.s.id")),
    ],
)
def test_what_is_read_from_a_vault_names_nothing_there(attribute: str, refers: list[str]) -> None:
    found = answers(Resource("azurerm_mssql_database.x", {}, {attribute: refers}))
    assert not found.asides


def test_what_uses_a_vault_gates_where_policies_are_about_it_and_can_be_accepted(gate: Any) -> None:
    app = Resource("azurerm_linux_web_app.x", {"app_settings": {"A": f"@Microsoft.KeyVault(SecretUri={SECRET_ID})"}})
    ran = gate(vault(**SAFE), LOGGED, app)
    assert ran.code == Exit.INCOMPLETE, ran.out
    [line] = [line for line in ran.out.splitlines() if line.startswith("  INCOMPLETE  ")]
    assert "azurerm_linux_web_app.x" in line
    assert "uses a secret of a vault" in line
    assert "UNKNOWN" not in ran.out
    for flags in (("--select", "kv-*"), ("--allow-gap", f"reason=unread_resource,scope={app.address}")):
        ran = gate(vault(**SAFE), LOGGED, app, flags=flags)
        assert ran.code == Exit.CLEAN, ran.out


VAULT_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/example-resources/providers/Microsoft.KeyVault/vaults/kv-example"
SILENCED = ("--select", "log-keyvault-audit-off")


@pytest.mark.parametrize(
    "gone",
    [
        Resource(LOGGED.address, {}, actions=("delete",), before={"name": "x", "target_resource_id": VAULT_ID}),
        Resource("azapi_resource.audit", {}, actions=("delete",),
            before={"type": "Microsoft.Insights/diagnosticSettings@2021-05-01-preview", "parent_id": VAULT_ID}),
    ],
)  # fmt: skip
def test_a_vault_that_loses_a_diagnostic_setting_may_have_no_other(gate: Any, gone: Resource) -> None:
    kept = vault(**SAFE, id=VAULT_ID, actions=("no-op",))
    ran = gate(kept, gone, flags=SILENCED)
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert f"{gone.address} is deleted" in ran.out
    other = Resource("azurerm_monitor_diagnostic_setting.other", {**LOGGED.values, "target_resource_id": VAULT_ID})
    ran = gate(kept, gone, other, flags=SILENCED)
    assert ran.code == Exit.CLEAN, ran.out


def test_a_diagnostic_setting_that_goes_with_its_vault_silences_nothing() -> None:
    setting = Resource(LOGGED.address, {}, actions=("delete",), before={"name": "x", "target_resource_id": VAULT_ID})
    own = Resource("azurerm_key_vault.example", {}, actions=("delete",), before={"id": VAULT_ID})
    segments = {"subscription": SUBSCRIPTION, "resource_group": "example-resources", "vault": "kv-example"}
    held = [answers(*resources).listed("diagnostic_setting.list", "", segments) for resources in ((setting,), (setting, own))]
    assert [each and each.gone for each in held] == [setting.address, None]
