"""Azure's built-in roles with rights to key vaults, which plans name and do not define.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles, Privileged, General and Security. Of each, the
actions that concern vaults or access are here, and wildcards that may.
"""

from collections.abc import Mapping

from msgspec import Struct

_VAULT = "Microsoft.KeyVault/vaults"
_KEYS = f"{_VAULT}/keys"
_ASSIGN = ("Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete")


class BuiltIn(Struct, frozen=True, kw_only=True):
    """A built-in role."""

    id: str
    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()

    @property
    def item(self) -> Mapping[str, object]:
        """The role as Azure lists it."""
        permission = {
            "actions": self.actions,
            "notActions": self.not_actions,
            "dataActions": self.data_actions,
            "notDataActions": (),
        }
        properties = {"roleName": self.name, "type": "BuiltInRole", "permissions": [permission]}
        return {"id": f"/providers/Microsoft.Authorization/roleDefinitions/{self.id}", "properties": properties}


_ALL = (
    BuiltIn(id="8e3af657-a8ff-443c-a75c-2fe8c4bcb635", name="Owner", actions=("*",)),
    BuiltIn(
        id="b24988ac-6180-42a0-ab88-20f7382dd24c",
        name="Contributor",
        actions=("*",),
        not_actions=(
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    ),
    BuiltIn(
        id="18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        name="User Access Administrator",
        actions=("*/read", "Microsoft.Authorization/*"),
    ),
    BuiltIn(
        id="f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        name="Role Based Access Control Administrator",
        actions=(*_ASSIGN, "*/read"),
    ),
    BuiltIn(id="acdd72a7-3385-48ef-bd42-f606fba81ae7", name="Reader", actions=("*/read",)),
    BuiltIn(id="00482a5a-887f-4fb3-b363-3b7fe8e74483", name="Key Vault Administrator", data_actions=(f"{_VAULT}/*",)),
    BuiltIn(
        id="a4417e6f-fecd-4de8-b567-7b0420556985",
        name="Key Vault Certificates Officer",
        data_actions=(f"{_VAULT}/certificatecas/*", f"{_VAULT}/certificates/*", f"{_VAULT}/certificatecontacts/write"),
    ),
    BuiltIn(
        id="db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
        name="Key Vault Certificate User",
        data_actions=(
            f"{_VAULT}/certificates/read",
            f"{_VAULT}/secrets/getSecret/action",
            f"{_VAULT}/secrets/readMetadata/action",
            f"{_KEYS}/read",
        ),
    ),
    BuiltIn(
        id="f25e0fa2-a7c8-4377-a976-54943a77a395",
        name="Key Vault Contributor",
        actions=("Microsoft.KeyVault/*",),
        not_actions=(
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            "Microsoft.KeyVault/hsmPools/*",
            "Microsoft.KeyVault/managedHsms/*",
        ),
    ),
    BuiltIn(
        id="14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
        name="Key Vault Crypto Officer",
        data_actions=(f"{_KEYS}/*", f"{_VAULT}/keyrotationpolicies/*"),
    ),
    BuiltIn(
        id="e147488a-f6f5-4113-8e2d-b22465e65bf6",
        name="Key Vault Crypto Service Encryption User",
        data_actions=(f"{_KEYS}/read", f"{_KEYS}/wrap/action", f"{_KEYS}/unwrap/action"),
    ),
    BuiltIn(
        id="08bbd89e-9f13-488c-ac41-acfcb10c90ab",
        name="Key Vault Crypto Service Release User",
        data_actions=(f"{_KEYS}/release/action",),
    ),
    BuiltIn(
        id="12338af0-0e69-4776-bea7-57ae8d297424",
        name="Key Vault Crypto User",
        data_actions=tuple(
            f"{_KEYS}/{each}"
            for each in (
                "read",
                "update/action",
                "backup/action",
                "encrypt/action",
                "decrypt/action",
                "wrap/action",
                "unwrap/action",
                "sign/action",
                "verify/action",
            )
        ),
    ),
    BuiltIn(
        id="8b54135c-b56d-4d72-a534-26097cfdc8d8",
        name="Key Vault Data Access Administrator",
        actions=(*_ASSIGN, f"{_VAULT}/*/read"),
    ),
    BuiltIn(
        id="a68e7c17-0ab2-4c09-9a58-125dae29748c",
        name="Key Vault Purge Operator",
        actions=("Microsoft.KeyVault/locations/deletedVaults/read", "Microsoft.KeyVault/locations/deletedVaults/purge/action"),
    ),
    BuiltIn(
        id="21090545-7ca7-4776-b22c-e363652d74d2",
        name="Key Vault Reader",
        data_actions=(f"{_VAULT}/*/read", f"{_VAULT}/secrets/readMetadata/action"),
    ),
    BuiltIn(id="b86a8fe4-44ce-4948-aee5-eccb2c155cd7", name="Key Vault Secrets Officer", data_actions=(f"{_VAULT}/secrets/*",)),
    BuiltIn(
        id="4633458b-17de-408a-b874-0445c86b69e6",
        name="Key Vault Secrets User",
        data_actions=(f"{_VAULT}/secrets/getSecret/action", f"{_VAULT}/secrets/readMetadata/action"),
    ),
)

BUILT_IN: Mapping[str, BuiltIn] = {role.name.lower(): role for role in _ALL}
"""By name in lower case."""
BY_ID: Mapping[str, BuiltIn] = {role.id: role for role in _ALL}
