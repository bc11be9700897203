"""Storage, databases, messaging, disks and clusters: their rows in Resource Graph, and SQL servers in ARM."""

from collections.abc import Iterator, Sequence

from keyaudit.simulator.estate import Resource
from keyaudit.simulator.resource_manager import answers as arm_answers
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request


def rows(directory: Directory) -> Iterator[dict[str, object]]:
    """The resources as the resources table has them: type and resource group in lower case."""
    for resource in directory.estate.resources:
        yield {
            "id": resource.id,
            "name": resource.name,
            "type": resource.type.lower(),
            "tenantId": directory.tenant_id,
            "kind": "",
            "location": resource.location,
            "resourceGroup": resource.resource_group.lower(),
            "subscriptionId": resource.subscription.lower(),
            "managedBy": "",
            "sku": resource.sku,
            "plan": None,
            "properties": resource.properties,
            "tags": resource.tags,
            "identity": resource.identity,
            "zones": None,
            "extendedLocation": None,
        }


def group_rows(directory: Directory) -> Iterator[dict[str, object]]:
    """The resource groups that are not empty, as in the table resourcecontainers."""
    found: dict[str, dict[str, object]] = {}
    places = [(vault.subscription, vault.resource_group, vault.location) for vault in directory.estate.vaults]
    places += [(each.subscription, each.resource_group, each.location) for each in directory.estate.resources]
    for subscription, group, location in places:
        id_ = f"/subscriptions/{subscription}/resourceGroups/{group}"
        row: dict[str, object] = {
            "id": id_,
            "name": group,
            "type": "microsoft.resources/subscriptions/resourcegroups",
            "tenantId": directory.tenant_id,
            "location": location,
            "resourceGroup": group.lower(),
            "subscriptionId": subscription.lower(),
            "properties": {"provisioningState": "Succeeded"},
            "tags": None,
        }
        found.setdefault(id_.lower(), row)
    yield from found.values()


def routes(directory: Directory) -> Sequence[Route]:
    """A SQL server's encryption protector, and actions that would return keys."""
    path = "subscriptions/*/resourcegroups/*/providers/microsoft.sql/*/*/encryptionprotector/current"

    def settings(_request: Request, stars: list[str]) -> Answer:
        found = cluster(directory, stars)
        return _no_cluster(stars) if found is None else arm_answers.answer({"value": list(found.diagnostic_settings)})

    def device(_request: Request, stars: list[str]) -> Answer:
        found = cluster(directory, stars)
        return _no_cluster(stars) if found is None else arm_answers.answer(resource(found))

    def protector(_request: Request, stars: list[str]) -> Answer:
        wanted = f"/subscriptions/{stars[0]}/resourcegroups/{stars[1]}/providers/microsoft.sql/{stars[2]}/{stars[3]}".lower()
        for resource in directory.estate.resources:
            if resource.id.lower() == wanted:
                return arm_answers.answer(_protector(resource))
        message = f"The requested resource of type 'Microsoft.Sql/{stars[2]}' with name '{stars[3]}' was not found."
        return arm_answers.error(404, "ResourceNotFound", message)

    return (
        Route("sql.protector", path, protector),
        Route("hsm_device.get", _CLUSTER, device),
        Route("hsm_device.diagnostic_setting.list", f"{_CLUSTER}/providers/microsoft.insights/diagnosticsettings", settings),
        *(_list(directory, *each) for each in _LISTS),
    )


def cluster(directory: Directory, place: Sequence[str]) -> Resource | None:
    """The Cloud HSM of a subscription, resource group and name."""
    wanted = [each.lower() for each in place]
    found = (one for one in directory.estate.resources if one.type.lower() == CLUSTERS)
    return next(
        (one for one in found if [one.subscription.lower(), one.resource_group.lower(), one.name.lower()] == wanted), None
    )


def resource(found: Resource) -> dict[str, object]:
    """A resource as its own service shows it."""
    shown = {"id": found.id, "name": found.name, "type": found.type, "location": found.location}
    return {**shown, "sku": found.sku, "tags": found.tags or {}, "properties": found.properties}


def _no_cluster(place: Sequence[str]) -> Answer:
    return arm_answers.no_resource("Microsoft.HardwareSecurityModules/cloudHsmClusters", *place[1:])


CLUSTERS = "microsoft.hardwaresecuritymodules/cloudhsmclusters"
_CLUSTER = f"subscriptions/*/resourcegroups/*/providers/{CLUSTERS}/*"
_LISTS = (
    ("front_door.secrets", "microsoft.cdn/profiles/*", "secrets"),
    ("cdn.custom_domains", "microsoft.cdn/profiles/*/endpoints/*", "customDomains"),
    ("api_management.certificates", "microsoft.apimanagement/service/*", "certificates"),
    ("api_management.named_values", "microsoft.apimanagement/service/*", "namedValues"),
    ("site.setting_references", "microsoft.web/sites/*", "config/configreferences/appsettings"),
    ("site.connection_references", "microsoft.web/sites/*", "config/configreferences/connectionstrings"),
    ("slot.setting_references", "microsoft.web/sites/*/slots/*", "config/configreferences/appsettings"),
    ("slot.connection_references", "microsoft.web/sites/*/slots/*", "config/configreferences/connectionstrings"),
    ("storage.scopes", "microsoft.storage/storageaccounts/*", "encryptionScopes"),
    ("event_topic.subscriptions", "microsoft.eventgrid/systemtopics/*", "eventSubscriptions"),
    ("sql.databases", "microsoft.sql/servers/*", "databases"),
)


def _list(directory: Directory, operation: str, type_: str, path: str) -> Route:
    """A list below the resources of a type."""

    def listed(request: Request, _stars: list[str]) -> Answer:
        asked = "/" + "/".join(request.segments)
        for resource in directory.estate.resources:
            if f"{resource.id}/{path}".lower() == asked.lower():
                own = resource.children.get(path, {})
                items = [{"id": f"{resource.id}/{path}/{name}", "name": name, "properties": each} for name, each in own.items()]
                return arm_answers.answer({"value": items, "nextLink": None})
        return arm_answers.error(404, "ResourceNotFound", f"The resource '{asked}' was not found.")

    return Route(operation, f"subscriptions/*/resourcegroups/*/providers/{type_}/{path.lower()}", listed)


def _protector(server: Resource) -> dict[str, object]:
    uri = server.protector or server.properties.get("keyId")
    properties: dict[str, object] = {"serverKeyType": "AzureKeyVault" if uri else "ServiceManaged"}
    if uri:
        properties |= {"uri": uri, "serverKeyName": "_".join(str(uri).removeprefix("https://").split("/"))}
    if server.follows_rotation is not None:
        properties["autoRotationEnabled"] = server.follows_rotation
    return {
        "id": f"{server.id}/encryptionProtector/current",
        "name": "current",
        "type": f"{server.type}/encryptionProtector",
        "location": server.location,
        "kind": "azurekeyvault" if uri else "servicemanaged",
        "properties": properties,
    }
