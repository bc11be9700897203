"""The built-in local roles of a Managed HSM, which every new one has, and their data actions that policies are about.

https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles, and the answer that tests/recorded/mhsm-rbac.json has.
"""

from collections.abc import Mapping, Sequence

ADMINISTRATOR = "a290e904-7015-4bba-90c8-60543313cdb4"
_PREFIX = "Microsoft.KeyVault/managedHsm/"
_ASSIGNS = ("roleAssignments/write/action", "roleDefinitions/write/action")
_ROLES = {
    ADMINISTRATOR: ("Managed HSM Administrator", (*_ASSIGNS, "backup/start/action", "restore/start/action")),
    "515eb02d-2335-4d2d-92f2-b1cbdf9c3778": (
        "Managed HSM Crypto Officer",
        (*_ASSIGNS, "keys/deletedKeys/delete", "keys/export/action"),
    ),
    "21dbd100-6940-42c2-9190-5d6cb909625b": (
        "Managed HSM Crypto User",
        (
            *("keys/read/action", "keys/write/action", "keys/delete", "keys/create", "keys/rotate/action"),
            *("keys/import/action", "keys/release/action", "keys/backup/action", "keys/restore/action"),
            *("keys/encrypt/action", "keys/decrypt/action", "keys/wrap/action", "keys/unwrap/action"),
            *("keys/sign/action", "keys/verify/action"),
        ),
    ),
    "4bd23610-cdcf-4971-bdee-bdc562cc28e4": ("Managed HSM Policy Administrator", _ASSIGNS),
    "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3": ("Managed HSM Crypto Auditor", ("keys/read/action",)),
    "33413926-3206-4cdd-b39a-83574fe37a17": (
        "Managed HSM Crypto Service Encryption User",
        ("keys/read/action", "keys/wrap/action", "keys/unwrap/action"),
    ),
    "21dbd100-6940-42c2-9190-5d6cb909625c": ("Managed HSM Crypto Service Release User", ("keys/release/action",)),
    "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8": ("Managed HSM Backup User", ("backup/start/action", "keys/backup/action")),
    "6efe6056-5259-49d2-8b3d-d3d73544b20b": ("Managed HSM Restore User", ("restore/start/action", "keys/restore/action")),
}


def _item(guid: str, name: str, actions: Sequence[str]) -> Mapping[str, object]:
    permission = {"actions": [], "notActions": [], "dataActions": [f"{_PREFIX}{each}" for each in actions]}
    properties = {"roleName": name, "type": "AKVBuiltInRole", "permissions": [{**permission, "notDataActions": []}]}
    return {"id": f"Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/{guid}", "properties": properties}


BUILT_IN = {guid: _item(guid, name, actions) for guid, (name, actions) in _ROLES.items()}
"""By GUID, the role as an HSM lists it."""
