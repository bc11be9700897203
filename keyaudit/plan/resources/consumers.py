"""Servers of a plan that encrypt their data with a key of a vault, as Resource Graph answers.

website/docs/r/postgresql_flexible_server.html.markdown and mysql_flexible_server.html.markdown of
hashicorp/terraform-provider-azurerm.
"""

from collections.abc import Mapping

from msgspec import Raw

from keyaudit.model.consumers import QUERY
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, View
from keyaudit.plan.resources.objects import Objects
from keyaudit.plan.scopes import Ground

_BLOCK = "customer_managed_key"
_MEMBERS = {"key_vault_key_id": "primaryKeyURI", "geo_backup_key_vault_key_id": "geoBackupKeyURI"}
_STATUS = ("primaryEncryptionKeyStatus", "geoBackupEncryptionKeyStatus")
"""Members that only the service knows."""
TYPES: Mapping[str, str] = {
    "azurerm_postgresql_flexible_server": "Microsoft.DBforPostgreSQL/flexibleServers",
    "azurerm_mysql_flexible_server": "Microsoft.DBforMySQL/flexibleServers",
}


class Consumers:
    """Adds these servers to the answers."""

    def __init__(self, ground: Ground, objects: Objects) -> None:
        self._ground, self._objects = ground, objects

    def answer(self) -> None:
        """Add all of them."""
        for planned in self._ground.resources.of(*TYPES):
            encryption = self._encryption(planned)
            if encryption is None:
                continue
            id_ = self._ground.id_of(planned, TYPES[planned.type])
            item = {
                "id": id_,
                "type": TYPES[planned.type],
                "name": planned.value("name"),
                "location": planned.value("location"),
            }
            identity = dict.fromkeys(("identityType", "userAssignedIdentities"), NOT_IN_PLAN)
            self._ground.answers.add(QUERY, {**item, **identity, "dataEncryption": encryption})
            self._ground.origin(id_, planned, _BLOCK)

    def _encryption(self, planned: Planned) -> Value:
        """The member of the properties that names keys; None if the service has a key of its own."""
        block = planned.block(_BLOCK)
        if isinstance(block, Raw):
            return AFTER_APPLY if planned.is_set(_BLOCK) else None
        if block is None:
            return None
        urls = {member: self._url(planned, block, name) for name, member in _MEMBERS.items()}
        return {"type": "AzureKeyVault", **urls, **dict.fromkeys(_STATUS, NOT_IN_PLAN)}

    def _url(self, planned: Planned, block: View, name: str) -> Value:
        found = block.value(name)
        if not isinstance(found, Raw):
            return found or None
        # Computed where it is not set.
        return self._objects.url_within(planned, _BLOCK, name) if planned.is_set(_BLOCK, name) else None
