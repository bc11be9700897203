"""Every request that keyaudit may send, declared once: cloud/ sends nothing else, and a table's columns name these.

All of them read; one, a search of the unified audit log, has to be made before it can be read. None reads a secret's value, a
private key, a backup or an export.
"""

from keyaudit.model.operations import (
    access,
    certificates,
    deleted,
    directory,
    key_vault,
    logging,
    managed_hsm,
    posture,
    privileges,
    secrets,
    services,
    sign_in,
    token_signing,
    usage,
)
from keyaudit.model.operations.kinds import GLOBAL_CLOUD, Operation, Paging, Right, Rights, Surface, Throttle

__all__ = [
    "BY_SURFACE",
    "GLOBAL_CLOUD",
    "OPERATIONS",
    "Operation",
    "Paging",
    "Right",
    "Rights",
    "Surface",
    "Throttle",
    "with_all_before",
]

BY_SURFACE: dict[str, tuple[Operation, ...]] = {
    "sign-in": sign_in.DECLARED,
    "vaults and keys": key_vault.DECLARED,
    "certificates": certificates.DECLARED,
    "secrets, without their values": secrets.DECLARED,
    "what was deleted": deleted.DECLARED,
    "Managed HSMs": managed_hsm.DECLARED,
    "access to keys": access.DECLARED,
    "applications and service principals": directory.DECLARED,
    "privileges and sign-ins": privileges.DECLARED,
    "token signing": token_signing.DECLARED,
    "tenant rules": posture.DECLARED,
    "audit logging": logging.DECLARED,
    "other services": services.DECLARED,
    "uses in logs": usage.DECLARED,
}
"""What each file here declares, under a name for people."""

OPERATIONS: dict[str, Operation] = {operation.id: operation for declared in BY_SURFACE.values() for operation in declared}


def with_all_before(*operations: str) -> tuple[str, ...]:
    """These operations and every other that leads to one of them, by `Operation.after`: each once, the outermost first."""
    found: dict[str, None] = {}
    for operation in operations:
        found.update(dict.fromkeys((*with_all_before(*OPERATIONS[operation].after), operation)))
    return tuple(found)
