"""The simulated tenant while a plan is applied to it."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from keyaudit.simulator.estate import Application, Estate, ManagedHsm, ManagedIdentity, Resource, ServicePrincipal, Vault

DAY = 86_400
Values = dict[str, Any]
Item = TypeVar("Item")


class World:
    """An estate that changes. `label` keeps the ids of one plan apart from another's."""

    def __init__(self, estate: Estate, *, label: str, subscriptions: Mapping[str, str], now: int) -> None:
        self.estate = estate
        self.now = now
        """When what is being made is made."""
        self.made_on = now
        """When the object at hand was first made: before `now` where it is updated."""
        self._label = label
        self._subscriptions = subscriptions

    def guid(self, *parts: str) -> str:
        """A GUID that depends on the plan and the parts alone."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join((self.estate.tenant_id, self._label, *parts))))

    def version(self, *parts: str) -> str:
        """An id as Key Vault gives each version."""
        return self.guid(*parts).replace("-", "")

    def subscription(self, provider: str) -> str:
        """The subscription of a provider, by its name with its alias."""
        return self._subscriptions[provider]

    def group(self, provider: str, name: str) -> str:
        """The id of a resource group."""
        return f"/subscriptions/{self.subscription(provider)}/resourceGroups/{name}"

    def change(self, **members: Any) -> None:
        """Replace members of the estate."""
        self.estate = replace(self.estate, **members)

    def vault(self, id_: str) -> Vault:
        """The vault with a resource id."""
        return found(self.estate.vaults, lambda each: same(vault_id(each), id_))

    def put_vault(self, vault: Vault) -> None:
        """Add a vault, or replace the one of its name."""
        self.change(vaults=put(self.estate.vaults, vault, lambda each: each.name.lower()))

    def hsm(self, id_: str) -> ManagedHsm:
        """The Managed HSM with a resource id."""
        return found(self.estate.hsms, lambda each: same(hsm_id(each), id_))

    def put_hsm(self, hsm: ManagedHsm) -> None:
        """Add a Managed HSM, or replace the one of its name."""
        self.change(hsms=put(self.estate.hsms, hsm, lambda each: each.name.lower()))

    def resource(self, id_: str) -> Resource:
        """The resource of another service with an id."""
        return found(self.estate.resources, lambda each: same(each.id, id_))

    def put_resource(self, resource: Resource) -> None:
        """Add a resource, or replace the one with its id."""
        self.change(resources=put(self.estate.resources, resource, lambda each: each.id.lower()))

    def identity(self, id_: str) -> ManagedIdentity:
        """The user-assigned identity with a resource id."""
        return found(self.estate.identities, lambda each: same(identity_id(each), id_))

    def put_identity(self, identity: ManagedIdentity) -> None:
        """Add a user-assigned identity, or replace the one with its id."""
        self.change(identities=put(self.estate.identities, identity, lambda each: identity_id(each).lower()))

    def application(self, id_: str) -> Application:
        """The app registration with an object id, or `/applications/` and the object id."""
        return found(self.estate.applications, lambda each: each.id == id_.rsplit("/", maxsplit=1)[-1])

    def put_application(self, application: Application) -> None:
        """Add an app registration, or replace the one with its id."""
        self.change(applications=put(self.estate.applications, application, lambda each: each.id))

    def principal(self, id_: str) -> ServicePrincipal:
        """The service principal with an object id, or `/servicePrincipals/` and the object id."""
        return found(self.estate.service_principals, lambda each: each.id == id_.rsplit("/", maxsplit=1)[-1])

    def put_principal(self, principal: ServicePrincipal) -> None:
        """Add a service principal, or replace the one with its id."""
        self.change(service_principals=put(self.estate.service_principals, principal, lambda each: each.id))


def vault_id(vault: Vault) -> str:
    """A vault's resource id."""
    group = f"/subscriptions/{vault.subscription}/resourceGroups/{vault.resource_group}"
    return f"{group}/providers/Microsoft.KeyVault/vaults/{vault.name}"


def hsm_id(hsm: ManagedHsm) -> str:
    """A Managed HSM's resource id."""
    group = f"/subscriptions/{hsm.subscription}/resourceGroups/{hsm.resource_group}"
    return f"{group}/providers/Microsoft.KeyVault/managedHSMs/{hsm.name}"


def identity_id(identity: ManagedIdentity) -> str:
    """A user-assigned identity's resource id."""
    group = f"/subscriptions/{identity.subscription}/resourceGroups/{identity.resource_group}"
    return f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity.name}"


def parts_of(id_: str) -> tuple[str, str, str]:
    """Subscription, resource group and name of a resource, by its id."""
    pieces = id_.strip("/").split("/")
    return pieces[1], pieces[3], pieces[-1]


def same(one: str, other: str) -> bool:
    """Whether two resource ids are the same."""
    return one.strip("/").lower() == other.strip("/").lower()


def found(items: Iterable[Item], wanted: Callable[[Item], bool]) -> Item:
    """The one item that is wanted."""
    (item,) = (each for each in items if wanted(each))
    return item


def put(items: Iterable[Item], item: Item, key: Callable[[Item], str]) -> tuple[Item, ...]:
    """The items with one added or replaced."""
    return (*(each for each in items if key(each) != key(item)), item)
