"""Secrets that services keep in a vault: every row right, every refusal seen, nothing broken believed.

Members: https://learn.microsoft.com/rest/api/compute/virtual-machines/get#diskencryptionsettings,
https://learn.microsoft.com/rest/api/compute/disks/get#encryptionsettingscollection and
https://learn.microsoft.com/rest/api/appservice/app-service-certificate-orders/get
"""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import Estate, Resource
from tests.collect.estate import ESTATE, SUBSCRIPTION, TENANT_ID
from tests.collect.refusals import REASONS, ends_refused
from tests.collect.rig import Collected, collect
from tests.matrices import first_of

READS = ("secrets", "secrets of services")

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Rg-Data"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-first"
URL = "https://kv-first.vault.azure.net/secrets/"
ORDER, DISK, MACHINE = (
    "Microsoft.CertificateRegistration/certificateOrders",
    "Microsoft.Compute/disks",
    "Microsoft.Compute/virtualMachines",
)


def resource(type_: str, name: str, properties: dict[str, object]) -> Resource:
    """A resource of the first subscription."""
    return Resource(type=type_, name=name, properties=properties, subscription=SUBSCRIPTION, resource_group="Rg-Data")


def secret(name: str) -> dict[str, object]:
    """Settings that name the first version of a secret."""
    return {"diskEncryptionKey": {"secretUrl": f"{URL}{name}/0123456789abcdef", "sourceVault": {"id": VAULT}}}


def machine(settings: object) -> dict[str, object]:
    """The properties of a machine with settings of disk encryption."""
    return {"storageProfile": {"osDisk": {"osType": "Windows", "encryptionSettings": settings}}}


def order(**certificate: object) -> dict[str, object]:
    """The properties of an order with one certificate."""
    return {"status": "Issued", "certificates": {"shop": certificate}}


BOUGHT = {"keyVaultId": VAULT, "keyVaultSecretName": "Shop-1", "provisioningState": "Succeeded"}
TWO = [secret("bek-3"), secret("bek-4")]
RESOURCES = (
    resource(MACHINE, "encrypted", machine({"enabled": True, **secret("Bek-1")})),
    resource(MACHINE, "decrypted", machine({"enabled": False, **secret("bek-2")})),
    resource(MACHINE, "plain", {"storageProfile": {"osDisk": {"osType": "Linux"}}}),
    resource(DISK, "data", {"encryptionSettingsCollection": {"enabled": True, "encryptionSettings": TWO}}),
    resource(DISK, "bare", {"diskSizeGB": 64}),
    resource(ORDER, "shop", order(**BOUGHT)),
    resource(ORDER, "waiting", order(**{**BOUGHT, "provisioningState": "WaitingOnCertificateOrder"})),
    resource(ORDER, "without-vault", order(keyVaultId=None, keyVaultSecretName=None, provisioningState="Initialized")),
)


async def read(*resources: Resource) -> Collected:
    """The estate with these resources, as it is read."""
    estate: Estate = replace(ESTATE, resources=resources)
    return await collect(estate=estate)


def uses(found: Collected) -> dict[tuple[str, str], Any]:
    """Whether each use is active, by the name of its resource and the secret."""
    rows = found.rows["secret_use"].values()
    return {(row["name"], str(row["secret_id"]).removeprefix(URL)): (row["kind"], row["active"]) for row in rows}


async def test_what_names_a_secret_and_whether_it_is_in_use() -> None:
    found = await read(*RESOURCES)
    assert uses(found) == {
        ("encrypted", "bek-1"): ("virtual-machine", True),
        ("decrypted", "bek-2"): ("virtual-machine", False),
        ("data", "bek-3"): ("disk", True),
        ("data", "bek-4"): ("disk", True),
        ("shop", "shop-1"): ("certificate-order", True),
        ("waiting", "shop-1"): ("certificate-order", False),
    }
    assert found.gaps() == {}
    assert {row.get("unknown", {}) == {} for row in found.rows["secret_use"].values()} == {True}


_ODD = "odd"
_UNNAMED = {"secret_id", "version", "pinned"}


@pytest.mark.parametrize(
    ("type_", "properties", "unknown"),
    [
        (MACHINE, machine({"enabled": "yes", **secret("bek-1")}), {"active"}),
        (MACHINE, machine({"enabled": True, "diskEncryptionKey": {"secretUrl": "http://kv/secrets/a"}}), _UNNAMED),
        (MACHINE, machine({"enabled": True, "diskEncryptionKey": {"secretUrl": 1}}), _UNNAMED),
        (MACHINE, machine([]), {"active", *_UNNAMED}),
        (DISK, {"encryptionSettingsCollection": {"enabled": True, "encryptionSettings": "none"}}, _UNNAMED),
        (ORDER, {"certificates": [BOUGHT]}, {"active", *_UNNAMED}),
        (ORDER, order(**{**BOUGHT, "keyVaultId": GROUP}), {"secret_id"}),
        (ORDER, order(**{**BOUGHT, "keyVaultSecretName": None}), {"secret_id"}),
        (ORDER, order(**{**BOUGHT, "provisioningState": 1}), {"active"}),
    ],
)
async def test_a_setting_that_cannot_be_read_names_an_unknown_secret(
    type_: str, properties: dict[str, object], unknown: set[str]
) -> None:
    found = await read(resource(type_, _ODD, properties))
    [row] = found.rows["secret_use"].values()
    assert set(row.get("unknown", {})) == unknown


@pytest.mark.parametrize("properties", [machine({"enabled": True}), machine({"diskEncryptionKey": None}), {}])
async def test_settings_without_a_secret_name_none(properties: dict[str, object]) -> None:
    found = await read(resource(MACHINE, "m", properties))
    assert found.rows["secret_use"] == {}


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_a_refused_query_leaves_no_row_and_says_so(reason: str) -> None:
    whole = await read(*RESOURCES)
    estate = replace(ESTATE, resources=RESOURCES)
    found = await ends_refused(whole, "secret_use.query", reason, estate=estate, single=False)
    assert found.rows["secret_use"] == {}
    assert found.gaps() == {(TENANT_ID, "secret_use.query"): f"not_assessed {reason}"}
