"""The key that a storage account encrypts with, in Azure Resource Manager."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import Key, Resource, Vault
from keyaudit.simulator.key_vault import keys
from keyaudit.simulator.resource_manager import other_services
from keyaudit.simulator.resource_manager.answers import answer, no_resource
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May, WriteError, body_of, part_of
from tests.simulator.writes.allowed import allowed

_ACCOUNT = "subscriptions/*/resourcegroups/*/providers/microsoft.storage/storageaccounts/*"


def writes(directory: Directory, may: May) -> Sequence[Route]:
    """Another key; the account wraps its own keys again, with the current version where none is named. az reads it first."""

    def shown(_request: Request, stars: list[str]) -> Answer:
        found = _account(directory, stars)
        return _missing(stars) if found is None else answer(other_services.resource(found))

    return (
        Route("storage_account.get", _ACCOUNT, shown),
        Route(
            "storage_account.update",
            _ACCOUNT,
            allowed(directory, may, "Microsoft.Storage/storageAccounts/write", _update),
            "PATCH",
        ),
    )


def _update(directory: Directory, request: Request, stars: list[str]) -> Answer:
    found = _account(directory, stars)
    if found is None:
        return _missing(stars)
    asked = part_of(part_of(body_of(request), "properties"), "encryption")
    named = part_of(asked, "keyvaultproperties")
    vault, key = _key(directory, str(named.get("keyvaulturi") or ""), str(named.get("keyname") or ""))
    version = str(named.get("keyversion") or "")
    properties: dict[str, Any] = {
        "keyvaulturi": keys.base_uri(vault),
        "keyname": key.name,
        "keyversion": version,
        "currentVersionedKeyIdentifier": keys.key_uri(vault, key, version or key.current),
    }
    encryption = {**asked, "keyvaultproperties": properties}
    changed = replace(found, properties={**found.properties, "encryption": encryption})
    others = tuple(changed if one is found else one for one in directory.estate.resources)
    directory.change(replace(directory.estate, resources=others))
    return answer(other_services.resource(changed))


def _key(directory: Directory, uri: str, name: str) -> tuple[Vault, Key]:
    vault = directory.vaults.get(uri.lower().removeprefix("https://").partition(".")[0])
    key = keys.named(vault, name) if vault else None
    if vault is None or key is None:
        raise WriteError(400, "BadRequest", f"The key {name} of {uri} was not found.")
    if vault.soft_delete is False or not vault.purge_protection:
        # https://github.com/Azure/azure-cli/issues/12346
        raise WriteError(400, "KeyVaultPolicyError", "Keyvault policy recoverable is not set")
    return vault, key


def _account(directory: Directory, stars: list[str]) -> Resource | None:
    wanted = [star.lower() for star in stars]
    accounts = (one for one in directory.estate.resources if one.type.lower() == "microsoft.storage/storageaccounts")
    return next(
        (one for one in accounts if [one.subscription.lower(), one.resource_group.lower(), one.name.lower()] == wanted), None
    )


def _missing(stars: list[str]) -> Answer:
    return no_resource("Microsoft.Storage/storageAccounts", *stars[1:])
