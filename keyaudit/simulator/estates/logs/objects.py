"""The targets of the year's records: the tenant's vaults, Managed HSMs, and versions of their keys and secrets."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from keyaudit.simulator.estate import ManagedHsm, Vault
from keyaudit.simulator.estates.ids import Ground, hsm_id, hsm_key_id, key_id, secret_id, vault_id

Versions = tuple[tuple[int, str], ...]
"""Versions with their creation times, oldest first."""


class Objects(Struct, frozen=True, kw_only=True):
    """Keys and secrets by their ids without a version; places by the name of the vault or HSM. Empty: without a tenant."""

    versions: Mapping[str, Versions] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def version(self, ground: Ground, uri: str, moment: int) -> str:
        """The id of the version that was the newest one then."""
        known = self.versions.get(uri, ())
        made = [version for created, version in known if created <= moment] or [version for _, version in known]
        return made[-1] if made else ground.hexadecimal("version", uri)

    def place(self, ground: Ground, name: str) -> str:
        """The resource id of a vault or HSM."""
        return self.places.get(name) or vault_id(ground.guid("subscription", "contoso-prod"), "keys", name)


def objects(vaults: Iterable[Vault], hsms: Iterable[ManagedHsm]) -> Objects:
    """The targets of a tenant."""
    versions: dict[str, Versions] = {}
    places: dict[str, str] = {}
    for vault in vaults:
        places[vault.name] = vault_id(vault.subscription, vault.resource_group, vault.name)
        for key in vault.keys:
            versions[key_id(vault.name, key.name)] = _versions((each.created, each.version) for each in key.versions)
        for secret in vault.secrets:
            versions[secret_id(vault.name, secret.name)] = _versions((each.created, each.version) for each in secret.versions)
    for hsm in hsms:
        places[hsm.name] = hsm_id(hsm.subscription, hsm.resource_group, hsm.name)
        for key in hsm.keys:
            versions[hsm_key_id(hsm.name, key.name)] = _versions((each.created, each.version) for each in key.versions)
    return Objects(versions=versions, places=places)


def _versions(made: Iterable[tuple[int | None, str]]) -> Versions:
    return tuple(sorted((created or 0, version) for created, version in made))
