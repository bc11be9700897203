"""Resources of other services than Key Vault."""

from msgspec import Struct


class Resource(Struct, frozen=True, kw_only=True):
    """One resource. `type` as Azure spells it; `properties` as in Resource Graph, without those that were never set."""

    type: str
    name: str
    subscription: str
    resource_group: str
    location: str = "westeurope"
    tags: dict[str, str] | None = None
    properties: dict[str, object]
    identity: dict[str, object] | None = None
    """Its managed identities, as in Resource Graph."""
    follows_rotation: bool | None = None
    """For a SQL server: autoRotationEnabled of its encryption protector."""

    protector: str | None = None
    """For a SQL server: the key of a vault in its encryption protector, if its own properties do not name it."""

    @property
    def id(self) -> str:
        """Its resource id, as Azure spells it."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/{self.type}/{self.name}"
