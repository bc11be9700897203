"""Resources of other services than Key Vault, and what Azure Resource Manager keeps of other requests."""

from msgspec import Struct


class Resource(Struct, frozen=True, kw_only=True):
    """One resource. `type` as Azure spells it, with as many names: Microsoft.Web/sites/slots and app/stage. `properties` as in
    Resource Graph, without those that were never set.
    """

    type: str
    name: str
    subscription: str
    resource_group: str
    location: str = "westeurope"
    sku: dict[str, object] | None = None
    diagnostic_settings: tuple[dict[str, object], ...] = ()
    """Of a Cloud HSM, as ARM shows them."""
    tags: dict[str, str] | None = None
    properties: dict[str, object]
    identity: dict[str, object] | None = None
    """Its managed identities, as in Resource Graph."""
    follows_rotation: bool | None = None
    """For a SQL server: autoRotationEnabled of its encryption protector."""

    protector: str | None = None
    """For a SQL server: the key of a vault in its encryption protector, if its own properties do not name it."""
    children: dict[str, dict[str, dict[str, object]]] = {}
    """The lists below it that Resource Graph does not have, by their path: the properties of each item by its name."""

    @property
    def id(self) -> str:
        """Its resource id, as Azure spells it."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        provider, *types = self.type.split("/")
        pairs = zip(types, self.name.split("/"), strict=True)
        return "/".join((f"{group}/providers/{provider}", *(f"{type_}/{name}" for type_, name in pairs)))


class Stored(Struct, frozen=True, kw_only=True):
    """Something that was put, and that Azure Resource Manager shows as it is, such as an initiative or its assignment.

    `id` as Azure spells it.
    """

    id: str
    type: str
    location: str | None = None
    properties: dict[str, object]
