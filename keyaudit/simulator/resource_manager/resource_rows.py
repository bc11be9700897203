"""The tables of Resource Graph, and the operation for each type of resource."""

from collections.abc import Callable, Iterator

from keyaudit.simulator.estate import Vault
from keyaudit.simulator.resource_manager import authorization, hsm_resources, identities, other_services, resources
from keyaudit.simulator.resource_manager import logs as arm_logs
from keyaudit.simulator.service import Directory

ResourceRow = dict[str, object]


def _vaults(directory: Directory) -> Iterator[ResourceRow]:
    for vault in directory.estate.vaults:
        yield _row(directory, vault)


def _row(directory: Directory, vault: Vault) -> ResourceRow:
    """A vault as the resources table has it: type and resource group in lower case, unset columns null or empty."""
    properties = resources.properties(directory, vault)
    return {
        "id": resources.vault_id(vault),
        "name": vault.name,
        "type": "microsoft.keyvault/vaults",
        "tenantId": directory.tenant_id,
        "kind": "",
        "location": vault.location,
        "resourceGroup": vault.resource_group.lower(),
        "subscriptionId": vault.subscription.lower(),
        "managedBy": "",
        "sku": None,
        "plan": None,
        "properties": properties,
        "tags": vault.tags,
        "identity": None,
        "zones": None,
        "extendedLocation": None,
    }


ROWS: dict[str, tuple[Callable[[Directory], Iterator[ResourceRow]], ...]] = {
    "resources": (_vaults, other_services.rows, identities.rows, hsm_resources.rows, arm_logs.rows, arm_logs.workspaces),
    "authorizationresources": (authorization.assignment_rows, authorization.definition_rows),
    "managedservicesresources": (authorization.delegation_rows,),
    "resourcecontainers": (authorization.subscription_rows, other_services.group_rows),
}
"""By table the function that returns its rows. A row has every column of its table, with `type` in lower case."""

OPERATIONS = {
    "microsoft.keyvault/vaults": "vault.query",
    "microsoft.keyvault/managedhsms": "hsm.query",
    "microsoft.storage/storageaccounts": "service.query",
    "microsoft.certificateregistration/certificateorders": "secret_use.query",
    "microsoft.network/applicationgateways": "consumer.query",
    "microsoft.web/sites": "host.query",
    "microsoft.hardwaresecuritymodules/cloudhsmclusters": "hsm_device.query",
    "microsoft.eventgrid/systemtopics": "event_topic.query",
    identities.TYPE: "managed_identity.query",
    "microsoft.authorization/roleassignments": "role_assignment.query",
    "microsoft.authorization/roledefinitions": "role_definition.query",
    "microsoft.managedservices/registrationassignments": "delegation.query",
    "microsoft.resources/subscriptions": "subscription.query",
    "microsoft.insights/activitylogalerts": "alert_rule.query",
    "microsoft.operationalinsights/workspaces": "workspace.query",
    "microsoft.resources/subscriptions/resourcegroups": "resource_group.query",
}
"""By type, in lower case, the operation whose query names it first."""


def shown_above(directory: Directory, row: ResourceRow, subscriptions: set[str]) -> bool:
    """Whether a row of a scope above subscriptions is above one of these."""
    properties = row["properties"]
    scope = str(properties.get("scope", "/")) if isinstance(properties, dict) else "/"
    return any(authorization.touches(directory, scope, subscription) for subscription in subscriptions)
