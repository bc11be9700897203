"""Managed HSMs as Azure Resource Manager and Resource Graph describe them."""

from collections.abc import Iterator, Sequence

from keyaudit.simulator.estate import ManagedHsm
from keyaudit.simulator.key_vault import keys
from keyaudit.simulator.resource_manager import resources
from keyaudit.simulator.resource_manager.answers import HEADERS, KEY_VAULT_HEADERS, answer, error, page
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request

_HSMS = "providers/microsoft.keyvault/managedhsms"
_NOT_ACTIVATED = (
    "Your HSM has been provisioned, but cannot be used for cryptographic operations until it is activated. To activate the "
    "HSM, download the security domain."
)


def routes(directory: Directory) -> Sequence[Route]:
    """The paths of ARM that are about Managed HSMs."""

    def here(subscription: str) -> list[ManagedHsm]:
        found = [hsm for hsm in directory.estate.hsms if hsm.subscription.lower() == subscription.lower()]
        return sorted(found, key=lambda hsm: (hsm.resource_group.lower(), hsm.name.lower()))

    def listed(request: Request, stars: list[str]) -> Answer:
        found = here(stars[0])
        names = [f"{hsm.resource_group}|{hsm.name}" for hsm in found]
        return page(request, names, lambda index: hsm_resource(directory, found[index]))

    def single(_request: Request, stars: list[str]) -> Answer:
        subscription, group, name = stars
        for hsm in here(subscription):
            if (hsm.resource_group.lower(), hsm.name.lower()) == (group.lower(), name.lower()):
                return answer(hsm_resource(directory, hsm), KEY_VAULT_HEADERS)
        message = (
            f"The Resource 'Microsoft.KeyVault/managedHSMs/{name}' under resource group '{group}' was not found. "
            "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        )
        return error(404, "ResourceNotFound", message, {**HEADERS, "x-ms-failure-cause": "gateway"})

    return (
        Route("hsm.list", f"subscriptions/*/{_HSMS}", listed),
        Route("hsm.get", f"subscriptions/*/resourcegroups/*/{_HSMS}/*", single),
    )


def rows(directory: Directory) -> Iterator[dict[str, object]]:
    """HSMs as the resources table of Resource Graph has them."""
    for hsm in directory.estate.hsms:
        whole = hsm_resource(directory, hsm)
        yield {
            "id": whole["id"],
            "name": hsm.name,
            "type": "microsoft.keyvault/managedhsms",
            "tenantId": directory.tenant_id,
            "kind": "",
            "location": hsm.location,
            "resourceGroup": hsm.resource_group.lower(),
            "subscriptionId": hsm.subscription.lower(),
            "managedBy": "",
            "sku": whole["sku"],
            "plan": None,
            "properties": whole["properties"],
            "tags": hsm.tags,
            "identity": None,
            "zones": None,
            "extendedLocation": None,
        }


def hsm_id(hsm: ManagedHsm) -> str:
    """An HSM's resource id, as Azure spells it."""
    group = f"/subscriptions/{hsm.subscription}/resourceGroups/{hsm.resource_group}"
    return f"{group}/providers/Microsoft.KeyVault/managedHSMs/{hsm.name}"


def hsm_resource(directory: Directory, hsm: ManagedHsm) -> dict[str, object]:
    """An HSM with its properties; unlike a vault's, its SKU stands beside them."""
    return {
        "sku": {"family": "B", "name": hsm.sku},
        "id": hsm_id(hsm),
        "name": hsm.name,
        "type": "Microsoft.KeyVault/managedHSMs",
        "location": hsm.location,
        "tags": hsm.tags or {},
        "systemData": resources.system_data(directory, hsm.created),
        "properties": _properties(directory, hsm),
    }


def _properties(directory: Directory, hsm: ManagedHsm) -> dict[str, object]:
    domain = {"activationStatus": hsm.activation}
    if hsm.activation == "NotActivated":
        domain["activationStatusMessage"] = _NOT_ACTIVATED
    found: dict[str, object] = {
        "tenantId": hsm.tenant or directory.tenant_id,
        "hsmUri": f"{keys.base_uri(hsm)}/",
        "initialAdminObjectIds": list(hsm.admins),
        "provisioningState": "Succeeded",
        "statusMessage": "The Managed HSM is provisioned and ready to use.",
        "networkAcls": resources.network_rules(hsm.default_action, hsm.ip_rules),
        "publicNetworkAccess": hsm.public_network_access,
        "regions": [{"name": name, "provisioningState": "Succeeded", "isPrimary": False} for name in hsm.regions],
        "securityDomainProperties": domain,
    }
    optional = {
        "enableSoftDelete": hsm.soft_delete,
        "softDeleteRetentionInDays": hsm.retention_days,
        "enablePurgeProtection": hsm.purge_protection,
    }
    found |= {name: value for name, value in optional.items() if value is not None}
    if hsm.endpoints:
        found["privateEndpointConnections"] = resources.endpoint_connections(hsm_id(hsm), hsm.endpoints)
    return found
