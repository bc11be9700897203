"""Which role assignments belong to the identity of a service that encrypts: its own, or one that users assigned to it."""

from typing import Any

import pytest

from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key_use import USES_FOUND
from tests.inventory.sample import TENANT, Row, assessed, row, seen, vault
from tests.inventory.test_reach import HOME, RBAC, bounds, grant, who

SERVICE = "/subscriptions/s/resourcegroups/rg/providers/microsoft.storage/storageaccounts/st"
SHARED = "/subscriptions/s/resourcegroups/rg/providers/microsoft.managedidentity/userassignedidentities/wrapper"
READ = assessed(TENANT, *USES_FOUND, "vault.query", "role_assignment.query", "service_principal.list", "key.list")


def encrypting(arm_id: Any, **values: Any) -> tuple[object, object, object]:
    """The bounds for the one assignment of the managed identity with that id, beside one use of a key."""
    use: Row = row("key_use", f"{SERVICE}/encryption/k", scope_id=TENANT.id, consumer_id=SERVICE, **values)
    identity = row("service_principal", f"{TENANT.id}/servicePrincipals/i", scope_id=TENANT.id, arm_id=arm_id)
    rows = {
        "vault": [vault(**RBAC)],
        "subscription": [HOME],
        "grant": [grant("i", "sign")],
        "principal": [who("i", "managed-identity")],
        "service_principal": [identity],
        "key_use": [use],
    }
    [found] = seen("grant", rows, {TENANT: READ}, reach=True)
    return bounds(found, "encrypting")


@pytest.mark.parametrize(
    ("arm_id", "identity_ids", "expected"),
    [
        (SERVICE, [], (1, 1, None)),
        (SHARED, [SHARED], (1, 1, None)),
        (SHARED, [SHARED + "-2"], (0, 0, None)),
        (SHARED, [], (0, 0, None)),
        (None, [SHARED], (0, 0, None)),
        # The identities of one service were not read: that leaves open only those that users assign.
        (SHARED, Reason.BAD_VALUE, (0, 1, "bad_value")),
        (SERVICE, Reason.BAD_VALUE, (1, 1, None)),
        (SERVICE + "-2", Reason.BAD_VALUE, (0, 0, None)),
        (Reason.BAD_VALUE, [], (0, 1, "bad_value")),
    ],
)
def test_an_identity_encrypts_if_its_service_does(arm_id: Any, identity_ids: Any, expected: tuple[object, ...]) -> None:
    assert encrypting(arm_id, identity_ids=identity_ids) == expected


@pytest.mark.parametrize("arm_id", [SERVICE, SHARED])
def test_the_identity_of_a_machine_does_not_reach_the_key_of_its_disks(arm_id: str) -> None:
    """https://learn.microsoft.com/azure/virtual-machines/linux/disk-encryption-key-vault: the vault lets Azure in."""
    assert encrypting(arm_id, kind="encrypted-machine", identity_ids=[SHARED]) == (0, 0, None)
