"""The ids that findings name, of the objects that the expectations name: KIND:NAME, or KIND:NAME#CREDENTIAL."""

from collections.abc import Callable, Iterable, Mapping

from keyaudit.simulator.estate import Application, Estate, KeyCredential, PasswordCredential, ServicePrincipal
from keyaudit.simulator.estates import ids

Holder = Application | ServicePrincipal
Credential = KeyCredential | PasswordCredential


class Objects:
    """The objects of an estate, by their names in the expectations."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._vaults = {one.name: ids.vault_id(one.subscription, one.resource_group, one.name) for one in estate.vaults}

    def prefixes(self, names: Iterable[str]) -> tuple[str, ...]:
        """What the subject of a finding about the objects, their credentials or their access begins with.

        Raises KeyError for an object that is not there.
        """
        found: list[str] = []
        for name in names:
            kind, _, rest = name.partition(":")
            of_one = [*_KINDS[kind](self, rest)]
            if not of_one:
                raise KeyError(name)
            found += [one.lower() for one in of_one]
        return tuple(found)

    def thumbprints(self, names: Iterable[str]) -> set[str]:
        """The thumbprints of the certificates of the objects."""
        held = [one for name in names for _, one in self._credentials(name.partition(":")[2])]
        return {one.thumbprint for one in held if isinstance(one, KeyCredential) and one.thumbprint}

    def _holders(self, name: str) -> list[Holder]:
        every: list[Holder] = [*self._estate.applications, *self._estate.service_principals]
        return [one for one in every if one.name == name]

    def _row(self, one: Holder) -> str:
        make = ids.principal_id if isinstance(one, ServicePrincipal) else ids.application_id
        return make(self._estate.tenant_id, one.id)

    def _credentials(self, rest: str) -> Iterable[tuple[Holder, Credential]]:
        name, _, part = rest.partition("#")
        for one in self._holders(name):
            held: tuple[Credential, ...] = (*one.keys, *one.passwords)
            yield from ((one, each) for each in held if part in (each.display_name or ""))

    def holder(self, rest: str, kind: type[Holder]) -> Iterable[str]:
        """A registration or service principal with its credentials and access; or, after #, some credentials alone."""
        name, _, part = rest.partition("#")
        if part:
            return [
                ids.credential_id(self._row(one), held.key_id) for one, held in self._credentials(rest) if isinstance(one, kind)
            ]
        rows = [self._row(one) for one in self._holders(name) if isinstance(one, kind)]
        return [*rows, *self.access(name)] if kind is ServicePrincipal else rows

    def access(self, name: str) -> Iterable[str]:
        """The role assignments of a principal."""
        held = {one.id for one in self._holders(name)}
        return [ids.assignment_id(one.scope, one.id) for one in self._estate.role_assignments if one.principal in held]

    def directory_role(self, name: str) -> Iterable[str]:
        """The directory roles of a user over the whole tenant."""
        users = {one.id for one in self._estate.users if one.name == name}
        given = (one for one in self._estate.directory_role_grants if one.principal_id in users and one.scope == "/")
        return [ids.directory_assignment_id(self._estate.tenant_id, one.principal_id, one.role_id) for one in given]

    def access_of_kind(self, kind: str) -> Iterable[str]:
        """The role assignments of principals of a kind."""
        found = (one for one in self._estate.role_assignments if one.principal_type == kind)
        return [ids.assignment_id(one.scope, one.id) for one in found]

    def policy(self, rest: str) -> Iterable[str]:
        """The access policy of a principal in a vault."""
        vault, _, name = rest.partition("/")
        return [ids.access_policy_id(self._vaults[vault], one.id) for one in self._holders(name)]

    def resource(self, name: str) -> Iterable[str]:
        """A resource of another service."""
        return [one.id for one in self._estate.resources if one.name == name]

    def domain(self, name: str) -> Iterable[str]:
        """A domain."""
        tenant = self._estate.tenant_id
        return [f"/tenants/{tenant}/domains/{one.name}" for one in self._estate.domains if one.name == name]


def _in_vault(*collections: str) -> Callable[[Objects, str], Iterable[str]]:
    def found(_objects: Objects, rest: str) -> Iterable[str]:
        vault, _, name = rest.partition("/")
        return [f"https://{vault}.vault.azure.net/{collection}/{name}" for collection in collections]

    return found


_KINDS: Mapping[str, Callable[[Objects, str], Iterable[str]]] = {
    "application": lambda objects, rest: objects.holder(rest, Application),
    "principal": lambda objects, rest: objects.holder(rest, ServicePrincipal),
    "grant": Objects.access,
    "grants": Objects.access_of_kind,
    "directory-role": Objects.directory_role,
    "policy": Objects.policy,
    "resource": Objects.resource,
    "domain": Objects.domain,
    "key": _in_vault("keys"),
    "secret": _in_vault("secrets"),
    "certificate": _in_vault("certificates", "keys", "secrets"),
}
