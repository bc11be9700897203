"""Every request that keyaudit may send, declared once: cloud/ sends nothing else, and a table's columns name these.

All of them read. None reads a secret's value, a private key, a backup or an export.
"""

from keyaudit.model.operations import (
    access,
    directory,
    key_vault,
    logging,
    managed_hsm,
    posture,
    privileges,
    services,
    sign_in,
    token_signing,
)
from keyaudit.model.operations.kinds import Operation, Paging, Right, Rights, Surface, Throttle

__all__ = ["OPERATIONS", "Operation", "Paging", "Right", "Rights", "Surface", "Throttle"]

OPERATIONS: dict[str, Operation] = {
    operation.id: operation
    for surface in (
        sign_in,
        key_vault,
        managed_hsm,
        access,
        directory,
        privileges,
        token_signing,
        posture,
        logging,
        services,
    )
    for operation in surface.DECLARED
}
