"""Plans for the tests, in the form of `terraform show -json`.

The form is that of internal/command/jsonplan and jsonconfig in hashicorp/terraform at
883c7221ee2e0bc2fad6912fd4b3cc4b53a598a7; the resources are the examples in website/docs/r of
hashicorp/terraform-provider-azurerm at 69697b7fe6a923fc89e88f386bc95c3ed1ee2ec6.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

TENANT = "11111111-2222-4333-8444-555555555555"
SUBSCRIPTION = "99999999-2222-4333-8444-555555555555"
_MODULES = re.compile(r"(?:module\.[A-Za-z0-9_-]+(?:\[[^\]]*\])?\.)+")
UNKNOWN = object()
"""A value that is known after apply."""


class Resource:
    """An instance of a resource, with its values after apply and its expressions."""

    def __init__(
        self,
        address: str,
        values: Mapping[str, Any],
        refers: Mapping[str, str | Sequence[str]] | None = None,
        actions: Sequence[str] = ("create",),
        before: Mapping[str, Any] | None = None,
    ) -> None:
        """`refers`: for an attribute, the reference that its expression is; the attribute is then known after apply."""
        self.address, self.values, self.refers = address, {**values, **dict.fromkeys(refers or {}, UNKNOWN)}, refers or {}
        self.actions, self.before = actions, before

    @property
    def change(self) -> dict[str, Any]:
        within, path = self.place
        mode = "data" if path.startswith("data.") else "managed"
        type_, name = path.removeprefix("data.").split("[")[0].split(".")
        after, unknown = _split(self.values)
        gone = tuple(self.actions) == ("delete",)
        found = {
            "address": self.address,
            "mode": mode,
            "type": type_,
            "name": name,
            "change": {
                "actions": list(self.actions),
                "before": self.before,
                "after": None if gone else after,
                "after_unknown": {} if gone else {"id": "id" not in self.values, **unknown},
                "before_sensitive": False,
                "after_sensitive": {},
            },
        }
        return {**found, "module_address": within} if within else found

    @property
    def place(self) -> tuple[str, str]:
        """The address of its module, and its own within that."""
        match = _MODULES.match(self.address)
        within = match[0] if match else ""
        return within.removesuffix("."), self.address.removeprefix(within)

    @property
    def configured(self) -> dict[str, Any]:
        _, path = self.place
        expressions = {name: {"constant_value": value} for name, value in self.values.items() if _is_plain(value)}
        expressions |= {name: {"references": references(each)} for name, each in self.refers.items()}
        return {"address": path.split("[")[0], "mode": "managed", "provider_config_key": "azurerm", "expressions": expressions}


def references(found: str | Sequence[str]) -> list[str]:
    """A reference with its beginnings, as Terraform lists it."""
    if not isinstance(found, str):
        return list(found)
    parts = found.split(".")
    least = 3 if parts[0] == "data" else 2
    return [".".join(parts[:end]) for end in range(len(parts), least - 1, -1)]


def plan(*resources: Resource, module_calls: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A plan of these resources; those of modules have to be in `module_calls` too."""
    # The instances of a resource are one in the configuration.
    own = {each["address"]: each for each in (one.configured for one in resources if not one.address.startswith("module."))}
    provider = {"name": "azurerm", "expressions": {"subscription_id": {"constant_value": SUBSCRIPTION}}}
    found = {
        "format_version": "1.2",
        "terraform_version": "1.14.0",
        "planned_values": _planned(resources),
        "resource_changes": [each.change for each in resources],
        "configuration": {
            "provider_config": {"azurerm": provider},
            "root_module": {"resources": list(own.values()), "module_calls": dict(module_calls or {})},
        },
        "applyable": True,
        "complete": True,
        "errored": False,
    }
    return {**found, **more}


def _planned(resources: Sequence[Resource]) -> dict[str, Any]:
    """What will be there, all of it in one module: nothing tells a module by its place."""
    left = [each for each in resources if not {"delete", "forget"}.issuperset(each.actions)]
    return {"root_module": {"resources": [{**each.change, "values": each.change["change"]["after"]} for each in left]}}


def written(found: Mapping[str, Any]) -> bytes:
    """The file."""
    return json.dumps(found).encode()


def vault(name: Any = "kv-example", address: Any = "azurerm_key_vault.example", **changed: Any) -> Resource:
    """The example of azurerm_key_vault, with these attributes changed."""
    actions = changed.pop("actions", ("create",))
    values = {
        "name": name,
        "location": "westeurope",
        "resource_group_name": "example-resources",
        "enabled_for_disk_encryption": True,
        "enabled_for_deployment": None,
        "enabled_for_template_deployment": None,
        "tenant_id": TENANT,
        "soft_delete_retention_days": 7,
        "purge_protection_enabled": False,
        "public_network_access_enabled": True,
        "rbac_authorization_enabled": True,
        "sku_name": "standard",
        "access_policy": UNKNOWN,
        "network_acls": UNKNOWN,
        "vault_uri": UNKNOWN,
        "tags": None,
    }
    return Resource(address, {**values, **changed}, actions=actions)


def key(
    name: Any = "generated-certificate", in_: Any = "azurerm_key_vault.example.id", address: Any = "", **changed: Any
) -> Resource:
    """The example of azurerm_key_vault_key, with these attributes changed."""
    rotation = {
        "automatic": [{"time_before_expiry": "P30D", "time_after_creation": None}],
        "expire_after": "P90D",
        "notify_before_expiry": "P29D",
    }
    values = {
        "name": name,
        "key_type": "RSA",
        "key_size": 2048,
        "key_opts": ["decrypt", "encrypt", "sign", "unwrapKey", "verify", "wrapKey"],
        "rotation_policy": [rotation],
        "release_policy": [],
        "expiration_date": None,
        "not_before_date": None,
        "curve": UNKNOWN,
        "version": UNKNOWN,
        "tags": None,
    }
    return Resource(address or "azurerm_key_vault_key.generated", {**values, **changed}, {"key_vault_id": in_})


def _split(value: Any) -> tuple[Any, Any]:
    """The value without what is known after apply, and where that is."""
    if isinstance(value, dict):
        pairs = {name: _split(each) for name, each in value.items() if each is not UNKNOWN}
        unknown = {name: mark for name, (_, mark) in pairs.items() if mark not in (False, {}, [])}
        return {name: known for name, (known, _) in pairs.items()}, {
            **unknown,
            **{name: True for name, each in value.items() if each is UNKNOWN},
        }
    if isinstance(value, list):
        found = [_split(None if each is UNKNOWN else each) for each in value]
        marks = [True if each is UNKNOWN else mark for each, (_, mark) in zip(value, found, strict=True)]
        return [known for known, _ in found], marks
    return value, False


def _is_plain(value: Any) -> bool:
    return value is not None and value is not UNKNOWN and not isinstance(value, dict | list)
