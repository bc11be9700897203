"""Private endpoints and their connections to vaults, in Azure Resource Manager."""

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from keyaudit.simulator.estate import Resource, Stored, Vault
from keyaudit.simulator.resource_manager.answers import answer, error, no_resource
from keyaudit.simulator.resource_manager.resources import endpoint_connections, vault_id
from keyaudit.simulator.resource_manager.stored_objects import ENDPOINTS
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May, WriteError, body_of, part_of
from tests.simulator.writes.allowed import allowed, keep

_CONNECTION = "Microsoft.KeyVault/vaults/privateEndpointConnections"
_CONNECTIONS = "subscriptions/*/resourcegroups/*/providers/microsoft.keyvault/vaults/*/privateendpointconnections/*"
_APPROVES = "Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action"


def writes(directory: Directory, may: May) -> Sequence[Route]:
    """A private endpoint in a subnet of the tenant, which a vault approves at once if the caller may approve it there."""
    return (
        Route(
            "private_endpoint.put",
            ENDPOINTS,
            allowed(directory, may, "Microsoft.Network/privateEndpoints/write", partial(_put, may)),
            "PUT",
        ),
        *(
            Route(f"endpoint_connection.{method.lower()}", _CONNECTIONS, allowed(directory, may, right, write), method)
            for method, right, write in (
                ("GET", f"{_CONNECTION}/read", _connection),
                ("PUT", f"{_CONNECTION}/write", _set_connection),
                ("DELETE", f"{_CONNECTION}/delete", _delete_connection),
            )
        ),
    )


def _connection(directory: Directory, _request: Request, stars: list[str]) -> Answer:
    vault, number = _found(directory, stars)
    return answer(endpoint_connections(vault_id(vault), vault.endpoints)[number])


def _set_connection(directory: Directory, request: Request, stars: list[str]) -> Answer:
    vault, number = _found(directory, stars)
    state = part_of(part_of(body_of(request), "properties"), "privateLinkServiceConnectionState")
    states = (*vault.endpoints[:number], str(state["status"]), *vault.endpoints[number + 1 :])
    directory.change_vault(replace(vault, endpoints=states))
    return _connection(directory, request, stars)


def _delete_connection(directory: Directory, _request: Request, stars: list[str]) -> Answer:
    vault, number = _found(directory, stars)
    directory.change_vault(replace(vault, endpoints=(*vault.endpoints[:number], *vault.endpoints[number + 1 :])))
    return answer({})


def _found(directory: Directory, stars: list[str]) -> tuple[Vault, int]:
    """The vault of that name, and the place of the connection."""
    vault = directory.vaults.get(stars[2].lower())
    number = stars[3].rpartition("-")[2]
    if vault is None or not number.isdecimal() or int(number) >= len(vault.endpoints):
        raise WriteError(404, "ResourceNotFound", f"The private endpoint connection {stars[3]} was not found.")
    return vault, int(number)


def _put(may: May, directory: Directory, request: Request, stars: list[str]) -> Answer:
    body = body_of(request)
    asked, place = part_of(body, "properties"), body.get("location")
    group = f"/subscriptions/{stars[0]}/resourceGroups/{stars[1]}"
    id_ = f"{group}/providers/Microsoft.Network/privateEndpoints/{stars[2]}"
    subnet = str(part_of(asked, "subnet").get("id") or "")
    if not any(_has(one, subnet, place) for one in directory.estate.resources):
        # https://github.com/Azure/azure-cli/issues/13614
        message = (
            f"Resource {subnet} referenced by resource {id_} was not found. Please make sure that the referenced resource "
            "exists, and that both resources are in the same region."
        )
        return error(400, "InvalidResourceReference", message)
    for each in asked.get("privateLinkServiceConnections") or ():
        wanted = str(part_of(part_of({"": each}, ""), "properties").get("privateLinkServiceId") or "")
        found = next((one for one in directory.estate.vaults if vault_id(one).lower() == wanted.lower()), None)
        if found is None:
            return no_resource("Microsoft.KeyVault/vaults", stars[1], wanted.rpartition("/")[2])
        if not may(_APPROVES):
            return _unapproved(directory, id_, found)
        directory.change_vault(replace(found, endpoints=(*found.endpoints, "Approved")))
    properties = {**asked, "provisioningState": "Succeeded"}
    return keep(directory, Stored(id=id_, type="Microsoft.Network/privateEndpoints", location=place, properties=properties))


def _has(one: Resource, subnet: str, place: object) -> bool:
    """Whether a resource is the network of that subnet, in that region."""
    names = [str(each["name"]) for each in _subnets(one)]
    return one.location == place and subnet.lower() in {f"{one.id}/subnets/{name}".lower() for name in names}


def _subnets(one: Resource) -> list[dict[str, object]]:
    found = one.properties.get("subnets")
    return found if one.type == "Microsoft.Network/virtualNetworks" and isinstance(found, list) else []


def _unapproved(directory: Directory, id_: str, vault: Vault) -> Answer:
    """https://github.com/MicrosoftDocs/azure-docs/issues/96892"""
    message = (
        f"The client '{directory.client_id}' with object id '{directory.object_id}' has permission to perform action "
        f"'Microsoft.Network/privateEndpoints/write' on scope '{id_}'; however, it does not have permission to perform action "
        f"'PrivateEndpointConnectionsApproval/action' on the linked scope(s) '{vault_id(vault)}' or the linked scope(s) are "
        "invalid."
    )
    return error(403, "LinkedAuthorizationFailed", message)
