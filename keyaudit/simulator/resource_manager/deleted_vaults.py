"""The deleted vaults and Managed HSMs of a subscription, as Azure Resource Manager lists them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from keyaudit.simulator.estate import DeletedVault
from keyaudit.simulator.resource_manager.answers import page
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request

_PATH = "subscriptions/*/providers/microsoft.keyvault"


def routes(directory: Directory) -> Sequence[Route]:
    """A list of each kind. Empty pages follow its items, as recorded."""

    def listed(request: Request, stars: list[str], *, hsm: bool) -> Answer:
        every = directory.estate.deleted_vaults
        here = [vault for vault in every if vault.hsm == hsm and vault.subscription.lower() == stars[0].lower()]
        return page(request, [vault.name for vault in here], lambda index: _resource(here[index]), after=2)

    return (
        Route("deleted_vault.list", f"{_PATH}/deletedvaults", partial(listed, hsm=False)),
        Route("deleted_hsm.list", f"{_PATH}/deletedmanagedhsms", partial(listed, hsm=True)),
    )


def _resource(vault: DeletedVault) -> dict[str, object]:
    home = f"/subscriptions/{vault.subscription}"
    member, kind, deleted = (
        ("mhsmId", "managedHSMs", "deletedManagedHSMs") if vault.hsm else ("vaultId", "vaults", "deletedVaults")
    )
    properties: dict[str, object] = {
        member: f"{home}/resourceGroups/{vault.resource_group}/providers/Microsoft.KeyVault/{kind}/{vault.name}",
        "location": vault.location,
        "tags": vault.tags or {},
        "deletionDate": _iso(vault.deleted),
        "scheduledPurgeDate": _iso(vault.purge),
    }
    if vault.purge_protection is not None:
        properties["purgeProtectionEnabled"] = vault.purge_protection
    return {
        "id": f"{home}/providers/Microsoft.KeyVault/locations/{vault.location}/{deleted}/{vault.name}",
        "name": vault.name,
        "type": f"Microsoft.KeyVault/{deleted}",
        "properties": properties,
    }


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
