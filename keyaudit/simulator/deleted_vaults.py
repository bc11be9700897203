"""The deleted vaults of a subscription, as Azure Resource Manager lists them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from keyaudit.simulator.arm_answers import page
from keyaudit.simulator.estate import DeletedVault
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request

_PATH = "subscriptions/*/providers/microsoft.keyvault/deletedvaults"


def routes(directory: Directory) -> Sequence[Route]:
    """The one list there is. Empty pages follow its items, as recorded."""

    def listed(request: Request, stars: list[str]) -> Answer:
        here = [vault for vault in directory.estate.deleted_vaults if vault.subscription.lower() == stars[0].lower()]
        return page(request, [vault.name for vault in here], lambda index: _resource(here[index]), after=2)

    return (Route("deleted_vault.list", _PATH, listed),)


def _resource(vault: DeletedVault) -> dict[str, object]:
    home = f"/subscriptions/{vault.subscription}"
    properties: dict[str, object] = {
        "vaultId": f"{home}/resourceGroups/{vault.resource_group}/providers/Microsoft.KeyVault/vaults/{vault.name}",
        "location": vault.location,
        "tags": vault.tags or {},
        "deletionDate": _iso(vault.deleted),
        "scheduledPurgeDate": _iso(vault.purge),
    }
    if vault.purge_protection is not None:
        properties["purgeProtectionEnabled"] = vault.purge_protection
    return {
        "id": f"{home}/providers/Microsoft.KeyVault/locations/{vault.location}/deletedVaults/{vault.name}",
        "name": vault.name,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": properties,
    }


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
