"""The documented example of every resource is read, and what is said of it is told to be of that resource."""

import json

import pytest

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.plan.document.terraform import decode
from keyaudit.plan.run import answers_of
from tests.clock import COLLECTED
from tests.plan.configuration import Configuration, Module
from tests.plan.document import plan_document
from tests.plan.examples import EXAMPLES

_HSM = "azurerm_key_vault_managed_hardware_security_module"
_ENCRYPTED = ("storage_account", "servicebus_namespace", "eventhub_namespace", "cognitive_account")
READ = (
    *("azurerm_key_vault", "azurerm_key_vault_key", "azurerm_key_vault_certificate", "azurerm_key_vault_secret"),
    *("azurerm_key_vault_access_policy", _HSM, f"{_HSM}_key", f"{_HSM}_role_assignment"),
    *("azurerm_role_assignment", "azurerm_monitor_diagnostic_setting", "azurerm_storage_account", "azurerm_cosmosdb_account"),
    *("azurerm_servicebus_namespace", "azurerm_eventhub_namespace", "azurerm_cognitive_account", "azurerm_container_registry"),
    *("azurerm_app_configuration", "azurerm_mssql_server", "azurerm_disk_encryption_set", "azurerm_user_assigned_identity"),
    *("azurerm_federated_identity_credential", "azuread_application", "azuread_application_registration"),
    *("azuread_service_principal", "azuread_application_password", "azuread_service_principal_password"),
    *("azuread_application_certificate", "azuread_service_principal_certificate"),
    *("azuread_application_federated_identity_credential", "azuread_service_principal_token_signing_certificate"),
    *("azuread_app_role_assignment", "azuread_directory_role_assignment", "azapi_resource"),
)
"""Resources that have rows of their own."""
PARTS = (
    *("azurerm_role_definition", f"{_HSM}_role_definition", f"{_HSM}_key_rotation_policy", "azuread_directory_role"),
    *(f"azurerm_{each}_customer_managed_key" for each in _ENCRYPTED),
    *("azurerm_mssql_server_transparent_data_encryption", "azurerm_resource_group", "time_offset"),
)
"""Resources that say something of another one's row."""


def test_every_example_is_of_one_of_these() -> None:
    assert set(EXAMPLES) == {*READ, *PARTS}


@pytest.mark.parametrize("type_", [*READ, *PARTS])
def test_the_documented_example_of_every_resource_is_read(type_: str) -> None:
    made = plan_document(Configuration(root=Module(resources=EXAMPLES[type_].resources)))
    ground, answers = answers_of(decode(json.dumps(made).encode(), "plan.json"), ENVIRONMENTS["public"], COLLECTED)
    own = {each["address"] for each in made["resource_changes"] if each["type"] == type_}
    told = {origin.address for origin in answers.origins.values()}
    assert {planned.address for planned in ground.resources.of(type_)} == own
    assert type_ in PARTS or own <= told
    assert not {origin.address for unread in answers.unread.values() for origin in unread} & own
