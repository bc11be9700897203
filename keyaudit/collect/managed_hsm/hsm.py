"""All of one Managed HSM: its keys, its local roles, and its settings."""

from collections.abc import Sequence

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import not_assessed
from keyaudit.collect.key_vault.keys import HSM_OPERATIONS, VaultKeys
from keyaudit.collect.managed_hsm.roles import OPERATIONS as ROLE_OPERATIONS
from keyaudit.collect.managed_hsm.roles import HsmRoles
from keyaudit.collect.managed_hsm.settings import OPERATION as SETTINGS
from keyaudit.collect.managed_hsm.settings import collect_settings
from keyaudit.collect.places import Vault
from keyaudit.inventory.earlier import Earlier
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage

OPERATIONS = (*HSM_OPERATIONS, *ROLE_OPERATIONS, SETTINGS)


async def collect_hsm(
    connection: Connection, unit: Unit, hsm: Vault, *, at_once: int, earlier: Earlier | None = None
) -> Sequence[Coverage]:
    """Write what the HSM holds to `unit`; the coverage of `OPERATIONS`. Of one that was deleted meanwhile no row is kept.

    Keys that are surely as `earlier` has them are not read again.
    """
    keys = VaultKeys(connection, unit, hsm, at_once, earlier)
    coverage = await keys.collect()
    if keys.closed:
        return [*coverage, *not_assessed(hsm.scope, (*ROLE_OPERATIONS, SETTINGS), keys.closed.reason, keys.closed.detail)]
    roles = await HsmRoles(connection, unit, hsm, keys.uri).collect(keys.names, coverage[0])
    return [*coverage, *roles, await collect_settings(connection, unit, hsm, keys.uri)]
