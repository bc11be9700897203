"""Keys of Managed HSMs that are in an HSM outside Azure, the versions of the API that tell, and the EKM connection."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.coverage import State
from keyaudit.model.reasons import Reason
from keyaudit.simulator import x509
from keyaudit.simulator.estate import EkmConnection, HsmAssignment, HsmRole, Key
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.key_vault.hsm_roles import EKM_ADMINISTRATOR
from tests.collect.estate import AS_OF, DAY, version
from tests.collect.rig import Collected, collect
from tests.collect.test_managed_hsm import HSM, HSM_ID, SIGNING, TENANTS, URL

READS = ("HSMs", "keys")
OWN_ROLE = "c5700000-0000-4000-8000-00000000000{}"
EXTERNAL = Key(
    name="kek",
    versions=(
        version(300, kty="RSA", hsm_platform=None, key_ops=("wrapKey", "unwrapKey"), external_key="old-7"),
        version(20, kty="RSA", hsm_platform=None, key_ops=("wrapKey", "unwrapKey"), external_key="new-8"),
    ),
    current=version(20).version,
)
NEW, OLD = (f"{URL}/kek/{version(number).version}" for number in (20, 300))
OWN = f"{URL}/signing/{version(20).version}"
EKM = ("hsm.ekm.get", "hsm.ekm.certificate")


def authority(name: str, days: int, key_name: str = "") -> bytes:
    end = AS_OF + days * DAY
    return x509.certificate(f"CN={name}", key_name=key_name or name, start=end - 1_000 * DAY, end=end, authority=True)


CONNECTION = EkmConnection(
    host="ekm.example:8443",
    server_cas=(authority("Proxy CA", 30), authority("Proxy CA", 900, "renewed"), authority("Other CA", 10)),
    client_cas=(authority("Client CA", 400),),
    server_name="ekm.example",
    client_name="hsm-client",
)


async def read(*faults: Fault, **changed: Any) -> Collected:
    """A run with an external key beside another one, and the HSM changed so."""
    hsm = replace(HSM, **{"keys": (SIGNING, EXTERNAL), "ekm": CONNECTION, **changed})
    return await collect(*faults, estate=replace(TENANTS, hsms=(hsm,)))


def told(found: Collected, column: str) -> list[object]:
    """The column of the external key's current version, of its old one, and of the other key; a reason where it is unknown."""
    rows = [found.rows["key"][id_] for id_ in (NEW, OLD, OWN)]
    return [row.get("unknown", {}).get(column, row.get(column)) for row in rows]


async def test_a_key_is_external_by_its_attribute_and_never_by_its_type() -> None:
    found = await read()
    assert found.gaps() == {}
    assert told(found, "external_key_id") == ["new-8", "old-7", None]
    assert told(found, "custody") == ["external-hsm", "external-hsm", "managed-hsm"]
    # RSA without a modulus: the size is an attribute.
    assert told(found, "key_size") == [3072, 3072, 3072]
    assert told(found, "source_version") == ["2026-04-01"] * 3


async def test_nothing_rotates_an_external_key_and_its_policy_is_not_asked_for() -> None:
    refused = Fault("hsm.key.rotation_policy", "every", where="/kek/", status=400, body={"error": {"code": "BadParameter"}})
    found = await read(refused)
    assert found.gaps() == {}
    assert told(found, "auto_rotates") == [False, False, True]
    assert told(found, "rotates_after")[:2] == [None, None]


async def test_an_hsm_that_does_not_know_the_version_is_read_by_the_older_one_and_its_custody_is_unknown() -> None:
    found = await read(unknown_versions=("2026-04-01", "2026-05-01-preview"))
    assert told(found, "kty") == ["RSA", "RSA", "RSA-HSM"]
    assert told(found, "source_version") == ["2025-07-01"] * 3
    for column in ("custody", "external_key_id"):
        assert told(found, column) == [Reason.UNRECOGNISED] * 3
    # Whether there is a connection that matters is unknown, too, and nothing is asked in vain.
    assert found.gaps() == dict.fromkeys(((HSM_ID, operation) for operation in EKM), "not_assessed unrecognised")
    assert found.calls.get("hsm.ekm.get", 0) == 0


async def test_a_refusal_that_no_version_of_the_api_can_help_is_not_repeated() -> None:
    denied = Fault("hsm.key.get", "every", where="/kek/", status=403, body={"error": {"code": "Forbidden"}})
    found = await read(denied)
    assert found.calls.get("hsm.key.get_older", 0) == found.calls.get("hsm.key.get_preview", 0) == 0
    assert found.gaps()[HSM_ID, "hsm.key.get"] == "partial permission"


@pytest.mark.parametrize("preview", ["answers", "refuses"])
async def test_an_ml_dsa_key_is_known_where_the_preview_answers(preview: str) -> None:
    def without_algorithm(body: dict[str, Any]) -> dict[str, Any]:
        body["key"].pop("alg", None)
        return body

    def key(platform: str | None) -> Key:
        made = version(9, kty="AKP-HSM", alg="ML-DSA-65", key_size=None, hsm_platform=platform)
        return Key(name="pq", versions=(made,), current=made.version)

    first, *others = TENANTS.vaults
    vaults = (replace(first, keys=(key("2"),)), *others)
    gets = ("key.get", "hsm.key.get")
    bad = {"error": {"code": "BadParameter"}}
    faults = [Fault(get, "every", where="/pq/", edit=without_algorithm) for get in gets]
    if preview == "refuses":
        faults += [Fault(f"{get}_preview", "every", status=400, body=bad) for get in gets]
    found = await collect(*faults, estate=replace(TENANTS, vaults=vaults, hsms=(replace(HSM, keys=(key(None),)),)))
    rows = [row for row in found.rows["key"].values() if row["name"] == "pq"]
    assert {(row["kty"], row["custody"]) for row in rows} == {("AKP-HSM", "vault-hsm"), ("AKP-HSM", "managed-hsm")}
    known = {row.get("parameter_set", row.get("unknown", {}).get("parameter_set")) for row in rows}
    assert known == {"ML-DSA-65" if preview == "answers" else Reason.BAD_BODY}
    # The preview is no part of what has to be read, and no newer keyaudit would get it.
    assert set(found.gaps().values()) <= {"not_assessed not_in_cloud", "partial not_in_cloud"}
    assert {operation for _, operation in found.gaps()} <= {f"{get}_preview" for get in gets}


async def test_the_authorities_of_both_sides_are_rows() -> None:
    found = await read()
    rows = {row["subject"]: row for row in found.rows["ekm_certificate"].values() if not row["superseded"]}
    assert set(rows) == {"CN=Proxy CA", "CN=Other CA", "CN=Client CA"}
    assert {row["kind"] for row in rows.values() if row["subject"] != "CN=Client CA"} == {"server-ca"}
    assert rows["CN=Proxy CA"]["expires_on"] == AS_OF + 900 * DAY
    client = rows["CN=Client CA"]
    assert (client["kind"], client["vault_id"], client["host"]) == ("client-ca", HSM_ID, "ekm.example:8443")
    assert (client["subject_common_name"], rows["CN=Other CA"]["subject_common_name"]) == ("hsm-client", "ekm.example")
    [old] = [row for row in found.rows["ekm_certificate"].values() if row["superseded"]]
    assert (old["subject"], old["expires_on"]) == ("CN=Proxy CA", AS_OF + 30 * DAY)
    assert "path_prefix" not in old
    assert not any(operation.startswith("canary") for operation in found.calls)


async def test_an_hsm_without_external_keys_is_asked_for_no_connection() -> None:
    found = await read(keys=(SIGNING,), refused=("ekm/read/action",))
    assert found.gaps() == {}
    assert found.calls.get("hsm.ekm.get", 0) == 0


async def test_an_hsm_without_a_connection_has_none() -> None:
    found = await read(ekm=None)
    assert found.gaps() == {}
    assert not found.rows["ekm_certificate"]


async def test_where_a_key_was_not_read_the_connection_is_not_called_absent() -> None:
    found = await read(Fault("hsm.key.get", "every", where="/kek/", status=403, body={"error": {"code": "Forbidden"}}))
    assert {found.gaps()[HSM_ID, operation] for operation in EKM} == {"not_assessed parent_not_assessed"}


async def test_a_connection_that_may_not_be_read_is_unknown() -> None:
    found = await read(refused=("ekm/read/action",))
    assert found.gaps() == {
        (HSM_ID, "hsm.ekm.get"): "not_assessed permission",
        (HSM_ID, "hsm.ekm.certificate"): "not_assessed parent_not_assessed",
    }
    assert not found.rows["ekm_certificate"]


async def test_an_unreadable_certificate_is_a_row_and_makes_no_other_one_superseded() -> None:
    found = await read(ekm=replace(CONNECTION, server_cas=(b"no certificate", authority("Proxy CA", 30))))
    rows = {row.get("subject"): row for row in found.rows["ekm_certificate"].values() if row["kind"] == "server-ca"}
    assert rows[None]["unknown"]["expires_on"] == Reason.BAD_VALUE
    assert rows["CN=Proxy CA"]["unknown"] == {"superseded": Reason.BAD_VALUE}
    assert found.coverage[HSM_ID, "hsm.ekm.get"].state is State.ASSESSED


async def test_a_connection_without_an_authority_was_not_read_in_full() -> None:
    found = await read(ekm=replace(CONNECTION, server_cas=()))
    assert found.gaps() == {(HSM_ID, "hsm.ekm.get"): "partial bad_value"}
    assert {row["kind"] for row in found.rows["ekm_certificate"].values()} == {"client-ca"}


async def test_who_can_set_the_external_key_manager_is_read_from_the_roles() -> None:
    actions = ("ekm/write", "ekm/*", "ekm/read/action")
    own = [HsmRole(id=OWN_ROLE.format(nth), name=each, data_actions=(each,)) for nth, each in enumerate(actions)]
    held = [
        HsmAssignment(
            id=f"a5500000-0000-4000-8000-00000000000{nth}", role=role, principal=f"0a000000-0000-4000-8000-00000000010{nth}"
        )
        for nth, role in enumerate((EKM_ADMINISTRATOR, *(role.id for role in own)))
    ]
    found = await read(roles=tuple(own), assignments=tuple(held))
    rows = [row for row in found.rows["grant"].values() if row["kind"] == "hsm-role"]
    assert {row["name"]: row["allows"] for row in rows} == {
        "Managed HSM EKM Administrator": ["connect"],
        "ekm/write": ["connect"],
        "ekm/*": ["connect"],
    }
