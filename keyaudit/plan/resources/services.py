"""Services of a plan that have account keys, or encrypt with keys of vaults, as Resource Graph answers.

website/docs/r of hashicorp/terraform-provider-azurerm, of each type below.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Raw, Struct

from keyaudit.collect.services.items import QUERY
from keyaudit.model.schema.wire import At, steps
from keyaudit.model.surfaces.services.account_keys import ACCOUNTS
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, View, wire
from keyaudit.plan.resources import azapi
from keyaudit.plan.resources.objects import Objects
from keyaudit.plan.scopes import Ground

_VAULT = "Microsoft.Keyvault"


class Kind(Struct, frozen=True, kw_only=True):
    """A type of service. `local`: the attribute that allows its keys; `key`: where it names a key of a vault."""

    type: str
    local: str = ""
    block: str = ""
    key: str = "key_vault_key_id"


_SQL, _CLUSTER = "azurerm_mssql_server", "azurerm_kubernetes_cluster"
_SQL_TYPES = ("microsoft.sql/servers", "microsoft.sql/managedinstances")
_SERVER = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.Sql/(servers|managedInstances)/([^/]+)",
    re.ASCII | re.IGNORECASE,
)
_PROTECTORS = frozenset(f"{type_}/encryptionprotector" for type_ in _SQL_TYPES)
_SERVER_KEY = re.compile(r"([0-9A-Za-z-]+)_([0-9A-Za-z-]+)(?:_([0-9A-Za-z]+))?", re.ASCII)
"""The name of a server's key: https://learn.microsoft.com/rest/api/sql/server-keys/create-or-update"""
KINDS: Mapping[str, Kind] = {
    "azurerm_storage_account": Kind(
        type="Microsoft.Storage/storageAccounts", local="shared_access_key_enabled", block="customer_managed_key"
    ),
    "azurerm_cosmosdb_account": Kind(type="Microsoft.DocumentDB/databaseAccounts", local="local_authentication_enabled"),
    "azurerm_servicebus_namespace": Kind(
        type="Microsoft.ServiceBus/namespaces", local="local_auth_enabled", block="customer_managed_key"
    ),
    "azurerm_eventhub_namespace": Kind(type="Microsoft.EventHub/namespaces", local="local_authentication_enabled"),
    "azurerm_cognitive_account": Kind(
        type="Microsoft.CognitiveServices/accounts", local="local_auth_enabled", block="customer_managed_key"
    ),
    "azurerm_container_registry": Kind(
        type="Microsoft.ContainerRegistry/registries", local="admin_enabled", block="encryption"
    ),
    "azurerm_app_configuration": Kind(
        type="Microsoft.AppConfiguration/configurationStores",
        local="local_auth_enabled",
        block="encryption",
        key="key_vault_key_identifier",
    ),
    _SQL: Kind(type="Microsoft.Sql/servers", key="transparent_data_encryption_key_vault_key_id"),
    "azurerm_disk_encryption_set": Kind(type="Microsoft.Compute/diskEncryptionSets"),
    _CLUSTER: Kind(
        type="Microsoft.ContainerService/managedClusters", local="local_account_disabled", block="key_management_service"
    ),
}
APART = {
    "azurerm_storage_account_customer_managed_key": ("storage_account_id", "azurerm_storage_account"),
    "azurerm_servicebus_namespace_customer_managed_key": ("namespace_id", "azurerm_servicebus_namespace"),
    "azurerm_eventhub_namespace_customer_managed_key": ("eventhub_namespace_id", "azurerm_eventhub_namespace"),
    "azurerm_mssql_server_transparent_data_encryption": ("server_id", _SQL),
    "azurerm_cognitive_account_customer_managed_key": ("cognitive_account_id", "azurerm_cognitive_account"),
}
"""Resources that give a service its key, with the attribute that names the service."""


_SWITCHES = {
    **dict.fromkeys(("local_auth_enabled", "local_authentication_enabled", "access_keys_authentication_enabled"), False),
    "local_authentication_disabled": True,
}
"""The attributes with which resources accept keys, or accept none, by whether they say that they accept none."""
_MODES = "allowed_authentication_modes"


class Services:
    """Adds services to the answers."""

    def __init__(self, ground: Ground, objects: Objects) -> None:
        self._ground, self._objects = ground, objects
        self.read: set[str] = set()
        """The addresses of resources of azapi that are among them."""
        self._servers: dict[str, str] = {}
        """By address, the id of each SQL server."""

    def answer(self) -> None:
        """Add all of them."""
        apart: dict[str, Planned] = {}
        for type_, (attribute, of) in APART.items():
            for planned in self._ground.resources.of_types(type_):
                target = self._ground.resources.target(planned, attribute)
                if target and target[0].type == of:
                    apart[target[0].address] = planned
        for type_, kind in KINDS.items():
            for planned in self._ground.resources.of_types(type_):
                self._add(planned, kind, apart.get(planned.address))
        self._add_accounts()
        for planned in self._ground.resources.of_types(azapi.RESOURCE):
            type_ = azapi.type_of(planned)
            if type_ in azapi.SERVICES:
                self._add_body(planned, type_)
        for planned in self._ground.resources.of_types(azapi.RESOURCE):
            if azapi.type_of(planned) in _PROTECTORS:
                self._add_protector(planned)

    def _add_accounts(self) -> None:
        """Add the resources whose part of a plan says only whether they accept keys."""
        for account in ACCOUNTS:
            members = [steps(account.accepted.path)[0][0]] if isinstance(account.accepted, At) else []
            for planned in self._ground.resources.of_types(account.terraform):
                id_ = self._ground.id_of(planned, account.type)
                item = {**self._item(planned, id_, account.type), **dict.fromkeys(members, _accepted(planned))}
                self._ground.answers.add("service.query", item)
                self._ground.origin(id_, planned, _MODES, *_SWITCHES)

    def _add_body(self, planned: Planned, type_: str) -> None:
        item = azapi.service(self._ground, planned, self._objects.url_within(planned, "body"))
        if item is None:
            return
        self._ground.answers.add("service.query", item)
        self._ground.origin(str(item["id"]), planned, "body", "identity")
        self.read.add(planned.address)
        if type_ in _SQL_TYPES:
            self._servers[planned.address] = str(item["id"])
            if planned.is_new:
                self._answer_protector(str(item["id"]), _protector(item["keyId"] or None))

    def _add_protector(self, planned: Planned) -> None:
        """Add the encryption protector of a server of the plan; of another, nothing asks for it."""
        target = self._ground.resources.target(planned, "parent_id")
        known = (planned.text("parent_id") or "").lower()
        named = [
            id_ for address, id_ in self._servers.items() if id_.lower() == known or (target and target[0].address == address)
        ]
        body = azapi.body_of(planned)
        if not named or body is None:
            return
        properties = azapi.member(body, "properties")
        name = azapi.within(properties, "serverKeyName", absent=None)
        match = _SERVER_KEY.fullmatch(name) if isinstance(name, str) else None
        url: Value = AFTER_APPLY
        if match:
            key = f"https://{match[1]}.{self._ground.environment.vault_suffix}/keys/{match[2]}"
            url = f"{key}/{match[3]}" if match[3] else key
        kind = azapi.within(properties, "serverKeyType", absent=AFTER_APPLY)
        follows = azapi.within(properties, "autoRotationEnabled", absent=False)
        by_service = isinstance(kind, str) and kind.lower() == "servicemanaged"
        found = {"serverKeyType": kind} if by_service else {"serverKeyType": kind, "uri": url, "autoRotationEnabled": follows}
        self._answer_protector(named[0], found)
        self.read.add(planned.address)

    def _answer_protector(self, server: str, properties: Value) -> None:
        match = _SERVER.fullmatch(server)
        if match:
            place = {"subscription": match[1], "resource_group": match[2], "kind": match[3], "server": match[4]}
            self._ground.answers.put("sql.protector", {"properties": properties}, **place)

    def _add(self, planned: Planned, kind: Kind, apart: Planned | None) -> None:
        id_ = self._ground.id_of(planned, kind.type)
        item: dict[str, Any] = {
            **self._item(planned, id_, kind.type),
            "keyCreationTime": NOT_IN_PLAN,
            "keysMetadata": NOT_IN_PLAN,
            **self._identity(planned),
            **self._local(planned, kind),
            **self._key(planned, kind, apart),
        }
        self._ground.answers.add("service.query", item)
        if planned.type == _SQL:
            self._servers[planned.address] = id_
            follows = wire(apart.value("auto_rotation_enabled"), default=False) if apart else False
            self._answer_protector(id_, _protector(self._protector(planned, kind, apart), follows))
        self._ground.origin(id_, planned, *filter(None, (kind.local, kind.block, "identity", "key_vault_key_id")))

    @staticmethod
    def _item(planned: Planned, id_: str, type_: str) -> dict[str, Any]:
        own = {"name": planned.value("name"), "location": planned.value("location"), "tags": wire(planned.value("tags"), {})}
        return {"id": id_, "type": type_, **own, **dict.fromkeys(QUERY.paths)}

    def _local(self, planned: Planned, kind: Kind) -> dict[str, Value]:
        """Whether the keys of the service are taken. Each of them is allowed by default, but the registry's."""
        if not kind.local:
            return {}
        allowed = wire(planned.value(kind.local), default=kind.local != "admin_enabled")
        if kind.local == "admin_enabled":
            return {"adminUserEnabled": allowed}
        if planned.type == _CLUSTER:
            return {"disableLocalAccounts": wire(planned.value(kind.local), default=False)}
        if kind.local == "shared_access_key_enabled":
            return {"allowSharedKeyAccess": allowed}
        return {"disableLocalAuth": allowed if isinstance(allowed, Raw) else allowed is False}

    def _key(self, planned: Planned, kind: Kind, apart: Planned | None) -> dict[str, Value]:
        if planned.type == "azurerm_disk_encryption_set":
            follows = wire(planned.value("auto_key_rotation_enabled"), default=False)
            url = self._objects.url(planned, kind.key)
            return {"activeKey": {"keyUrl": url}, "rotationToLatestKeyVersionEnabled": follows, "previousKeys": []}
        if planned.type == _SQL:
            return {"keyId": self._protector(planned, kind, apart)}
        if planned.type == "azurerm_cosmosdb_account":
            return {"keyVaultKeyUri": self._objects.url(planned, kind.key) or None}
        if planned.type == _CLUSTER:
            url = self._named(planned, kind, apart)
            return {
                **self._cluster(planned),
                "azureKeyVaultKms": {"enabled": True, "keyId": url} if isinstance(url, str) else url,
            }
        return {"encryption": self._encryption(self._named(planned, kind, apart))}

    def _protector(self, planned: Planned, kind: Kind, apart: Planned | None) -> Value:
        """The key of a SQL server; null if the service manages it."""
        if apart is None:
            # Another resource may give a server that exists its key.
            return self._objects.url(planned, kind.key) or (None if planned.is_new else NOT_IN_PLAN)
        return self._objects.url(apart, "key_vault_key_id") or apart.value("managed_hsm_key_id") or None

    def _named(self, planned: Planned, kind: Kind, apart: Planned | None) -> Value:
        """The key that a service encrypts with; null if it has one of its own."""
        if apart is not None and apart.has("key_vault_key_ids"):
            # Of several keys, none is the one that is meant.
            found = apart.value("key_vault_key_ids")
            return found[0] if isinstance(found, list) and len(found) == 1 else AFTER_APPLY
        if apart is not None:
            return self._objects.url(apart, "key_vault_key_id")
        block = planned.block(kind.block) if kind.block else None
        if isinstance(block, Raw) and planned.is_set(kind.block):
            return AFTER_APPLY
        if block is None or isinstance(block, Raw):
            # Another resource may give a service that exists its key.
            return None if planned.is_new else NOT_IN_PLAN
        found = block.value(kind.key)
        return self._objects.url_within(planned, kind.block, kind.key) if isinstance(found, Raw) else found

    def _cluster(self, planned: Planned) -> dict[str, Value]:
        """The other members of a cluster."""
        issues = wire(planned.value("oidc_issuer_enabled"), default=False)
        principal = planned.block("service_principal")
        return {
            "oidcIssuerProfile": {"enabled": issues, "issuerURL": self._ground.cluster_issuer(planned)} if issues else None,
            "clientId": principal.value("client_id") if isinstance(principal, View) else principal,
        }

    @staticmethod
    def _encryption(url: Value) -> Value:
        if isinstance(url, Raw):
            return url
        return {"keySource": _VAULT, "keyVaultProperties": {"keyIdentifier": url}} if url else None

    @staticmethod
    def _identity(planned: Planned) -> dict[str, Value]:
        block = planned.block("identity")
        if isinstance(block, Raw):
            return {"identityType": block, "userAssignedIdentities": block}
        if block is None:
            return {"identityType": None, "userAssignedIdentities": None}
        ids = block.value("identity_ids")
        held: Value = ids if isinstance(ids, Raw) else {str(each): {} for each in ids or ()} or None
        return {"identityType": block.value("type"), "userAssignedIdentities": held}


def _protector(url: Value, follows: Value = False) -> Value:
    """The properties of an encryption protector, which say whether the server follows the key's rotation."""
    if not url:
        return {"serverKeyType": "ServiceManaged"}
    return {"serverKeyType": "AzureKeyVault", "uri": url, "autoRotationEnabled": follows}


def _accepted(planned: Planned) -> Value:
    """What the resource will have in the member that says whether it accepts keys."""
    for name, none in _SWITCHES.items():
        if planned.has(name):
            found = planned.value(name)
            return (found is True) is none if isinstance(found, bool) else found
    return planned.value(_MODES) if planned.has(_MODES) else NOT_IN_PLAN
