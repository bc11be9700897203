"""All of one Managed HSM: its keys, its local roles, its settings, and its connection to an external key manager."""

from collections.abc import Sequence

from keyaudit.collect.calls import not_assessed
from keyaudit.collect.key_vault.keys import HSM_OPERATIONS, VaultKeys
from keyaudit.collect.managed_hsm.ekm import OPERATIONS as EKM_OPERATIONS
from keyaudit.collect.managed_hsm.ekm import collect_ekm
from keyaudit.collect.managed_hsm.roles import OPERATIONS as ROLE_OPERATIONS
from keyaudit.collect.managed_hsm.roles import HsmRoles
from keyaudit.collect.managed_hsm.settings import OPERATION as SETTINGS
from keyaudit.collect.managed_hsm.settings import collect_settings
from keyaudit.collect.places import Vault
from keyaudit.collect.reading import Reading
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage

_BESIDE_KEYS = (*ROLE_OPERATIONS, SETTINGS, *EKM_OPERATIONS)
OPERATIONS = (*HSM_OPERATIONS, *_BESIDE_KEYS)

_SHOWS_EXTERNAL = "hsm.key.get"


async def collect_hsm(reading: Reading, unit: Unit, hsm: Vault) -> Sequence[Coverage]:
    """Write the content of the HSM to `unit`. Returns the coverage of `OPERATIONS`. If it was deleted meanwhile, its rows are
    dropped.

    Keys that certainly have not changed since an earlier run are not read again.
    """
    connection = reading.connection
    keys = VaultKeys(reading, unit, hsm, HSM_OPERATIONS)
    coverage = await keys.collect()
    if keys.closed:
        return [*coverage, *not_assessed(hsm.scope, _BESIDE_KEYS, keys.closed.reason, keys.closed.detail)]
    roles = await HsmRoles(connection, unit, hsm, keys.uri).collect(keys.names, coverage[0])
    settings = await collect_settings(connection, unit, hsm, keys.uri)
    [read] = [record for record in coverage if record.operation == _SHOWS_EXTERNAL]
    ekm = await collect_ekm(connection, unit, hsm, keys.uri, external=keys.external, keys=read)
    return [*coverage, *roles, settings, *ekm]
