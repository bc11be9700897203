"""Writes a snapshot of many key versions through the spool, as a collection would; run as a process of its own."""

import json
import sys
import time
from functools import cache
from pathlib import Path

from keyaudit.inventory.reads import operations
from keyaudit.inventory.snapshot import write
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.results.run import Run
from keyaudit.model.schema.columns import Type
from keyaudit.model.tables import TABLES
from tests.bench.credentials import write_credentials
from tests.bench.grants import write_grants
from tests.bench.whole import TENANT
from tests.inventory.sample import required

NOW = 1_795_500_000
DAY = 86_400
SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
_VAULTS = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.keyvault/vaults/"
KEYS_A_VAULT = 250
VERSIONS = 4
_OF_VAULTS = ("key.", "certificate.", "diagnostic_setting.")


def _run() -> Run:
    return Run(
        run_id="bench", tenant_id="t", tenant_name="bench", environment="public", identity="bench", as_of=NOW, tool_version="0"
    )


def _key_version(vault: str, vault_id: str, key: int, version: int) -> dict[str, object]:
    seed = key * 7_919 + version * 104_729
    key_id = f"https://{vault}.vault.azure.net/keys/key-{key}"
    rsa = seed % 3 != 0
    row: dict[str, object] = {
        "id": f"{key_id}/{seed:032x}",
        "name": f"key-{key}",
        "resource_id": f"{key_id}/{seed:032x}",
        "scope_id": vault_id,
        "source_url": f"{key_id}/{seed:032x}",
        "source_version": "2025-07-01",
        "subscription_id": SUBSCRIPTION,
        "subscription_name": "bench",
        "resource_group": "rg",
        "location": "westeurope",
        "key_id": key_id,
        "version": f"{seed:032x}",
        "vault_id": vault_id,
        "vault_name": vault,
        "vault_kind": "key-vault",
        "tags": {"owner": f"team-{seed % 40}"} if seed % 2 else None,
        "enabled": seed % 5 != 0 or version == 0,
        "created_on": NOW - (seed % 1_500) * DAY,
        "updated_on": NOW - (seed % 700) * DAY,
        "activates_on": None,
        "expires_on": NOW + (seed % 900 - 200) * DAY if seed % 4 else None,
        "kty": ("RSA-HSM" if seed % 7 == 0 else "RSA") if rsa else "EC",
        "key_size": (2_048 if seed % 11 else 1_024) if rsa else None,
        "curve": None if rsa else "P-256",
        "key_ops": ["sign", "verify"] if seed % 2 else ["wrapKey", "unwrapKey"],
        "exportable": seed % 97 == 0,
        "release_policy_immutable": None,
        "hsm_platform": "0",
        "custody": "vault-hsm" if rsa and seed % 7 == 0 else "software",
        "managed": seed % 13 == 0,
        "recovery_level": "Recoverable",
        "is_current": version == 0,
        "versions_listed": True,
        "auto_rotates": seed % 3 == 0,
        "rotates_after": 365 * DAY if seed % 3 == 0 else None,
        "rotates_before_expiry": None,
        "rotation_expiry": None,
    }
    if seed % 101 == 0:
        for name in ("auto_rotates", "rotates_after", "rotates_before_expiry", "rotation_expiry"):
            row[name] = None
        row["unknown"] = dict.fromkeys(
            ("auto_rotates", "rotates_after", "rotates_before_expiry", "rotation_expiry"), "permission"
        )
    return row


def _vault_row(vault: str, vault_id: str) -> dict[str, object]:
    return {
        "id": vault_id,
        "name": vault,
        "resource_id": vault_id,
        "scope_id": TENANT.id,
        "source_url": "https://management.azure.com/",
        "source_version": "2022-10-01",
        "subscription_id": SUBSCRIPTION,
        "subscription_name": "bench",
        "resource_group": "rg",
        "location": "westeurope",
        "kind": "key-vault",
        "vault_uri": f"https://{vault}.vault.azure.net/",
        "tenant_id": "t",
        "enabled_for_deployment": False,
        "enabled_for_disk_encryption": False,
        "enabled_for_template_deployment": False,
        "of_another_tenant": False,
        "ip_rules": 0,
        "every_address_let_in": False,
        "virtual_network_rules": 0,
        "private_endpoints": 0,
        "private_endpoints_approved": 0,
        "provisioning_state": "Succeeded",
        "access_policies": 0,
        "storage_policies": 0,
        "sku": "standard",
        "tags": {"env": "prod"},
        "access_model": "rbac",
        "purge_protection": True,
        "soft_delete": True,
        "soft_delete_retention": 90 * DAY,
        "public_network_access": "Enabled",
    }


def whole(table: str, values: dict[str, object]) -> dict[str, object]:
    """The row with a value in every column that must have one, so that a new column is no work here."""
    made = {**_filled(table), **values}
    return {**required(TABLES[table], made), **made}


@cache
def _filled(table: str) -> dict[str, object]:
    values: dict[Type, object] = {Type.TEXT: "text", Type.BOOLEAN: False, Type.TEXTS: [], Type.MAP: {}}
    return {column.name: values.get(column.type, 1) for column in TABLES[table].stored if not column.absent}


def _assessed(scope: Scope, operation: str) -> Coverage:
    return Coverage(scope=scope, operation=operation, state=State.ASSESSED)


def main(folder: Path, versions: int, credentials: int = 0, grants: int = 0) -> None:
    """Make a snapshot of that many key versions, credentials and grants in `folder`, and print what the parts took."""
    begun = time.perf_counter()
    spool = Spool.create(folder, _run())
    everything = operations()
    of_vaults = sorted(each for each in everything if each.startswith(_OF_VAULTS))
    others = sorted(everything.difference(of_vaults))
    names = [f"kv-{number}" for number in range(max(1, versions // (KEYS_A_VAULT * VERSIONS)))]
    tenant = spool.unit("tenant", TENANT, others)
    for vault in names:
        tenant.row("vault", whole("vault", _vault_row(vault, _VAULTS + vault)))
    write_grants(tenant, names, SUBSCRIPTION, grants)
    write_credentials(tenant, credentials)
    tenant.close([_assessed(TENANT, operation) for operation in others])
    for number, vault in enumerate(names):
        vault_id = _VAULTS + vault
        scope = Scope(vault_id, vault, ScopeKind.VAULT)
        unit = spool.unit("keys", scope, of_vaults)
        for key in range(min(KEYS_A_VAULT, versions)):
            for version in range(min(VERSIONS, max(1, versions // KEYS_A_VAULT))):
                unit.row("key", whole("key", _key_version(vault, vault_id, number * KEYS_A_VAULT + key, version)))
        unit.close([_assessed(scope, operation) for operation in of_vaults])
    spooled = time.perf_counter()
    write(spool, spool.run)
    print(json.dumps({"spool": spooled - begun, "parquet": time.perf_counter() - spooled}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
