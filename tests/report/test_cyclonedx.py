"""The CBOM as CycloneDX's own schemas have it, and what it says of each key and certificate."""

import functools
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from msgspec import structs

from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Value
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.run import Report
from keyaudit.model.tables import TABLES
from tests.report.example import AS_OF, CLEAN, DAY, REPORT, key_row, row
from tests.report.files import exported, poisoned
from tests.report.sinks import every_payload

FORMATS = {"cyclonedx": SchemaVersion.V1_6, "cyclonedx-1.7": SchemaVersion.V1_7}
BOTH = pytest.mark.parametrize("name", FORMATS)
CERTIFICATE = row(
    "certificate",
    id="https://kv-prod.vault.azure.net/certificates/edge/1",
    name="edge",
    vault_name="kv-prod",
    version="1",
    issued=True,
    subject="CN=edge",
    issuer="CN=ca",
    serial="0A",
    not_before=AS_OF - 10 * DAY,
    not_after=AS_OF + 20 * DAY,
    activates_on=AS_OF - 10 * DAY,
    expires_on=AS_OF + 20 * DAY,
    thumbprint_sha256="AB" * 32,
    key_type="EC",
    key_size=None,
    curve="P-256",
    custody="vault-hsm",
)


def holding(*more: tuple[str, Mapping[str, Value]], **tables: Mapping[str, Value]) -> Report:
    """A report whose inventory is one row of each of these tables, and `more` rows of tables."""

    def listing(name: str) -> Listing:
        rows = [*([tables[name]] if name in tables else []), *(row_ for table, row_ in more if table == name)]
        return Listing(TABLES[name], len(rows), (), lambda: iter(rows))

    return structs.replace(REPORT, listing=listing)


def invalid(name: str, output: bytes) -> object:
    return _validator(name).validate_str(output.decode())


@functools.cache
def _validator(name: str) -> Any:
    return make_schemabased_validator(OutputFormat.JSON, FORMATS[name])


def assets(name: str, report: Report) -> list[Any]:
    found: list[Any] = json.loads(exported(name, report))["components"]
    return [each for each in found if each["type"] == "cryptographic-asset"]


def said(asset: Any, name: str) -> list[str]:
    return [each["value"] for each in asset["properties"] if each["name"] == f"keyaudit:{name}"]


@BOTH
@pytest.mark.parametrize("report", [REPORT, CLEAN, holding(), holding(certificate=CERTIFICATE)])
def test_the_schema_accepts_it(name: str, report: Report) -> None:
    assert invalid(name, exported(name, report)) is None
    assert invalid(name, exported(name, report).replace(b'"CycloneDX"', b'"Cyclone"')) is not None


@BOTH
@every_payload
def test_the_schema_accepts_it_whatever_the_tenant_holds(name: str, payload: str) -> None:
    assert invalid(name, poisoned(name, payload)) is None


@BOTH
def test_a_key_has_state_dates_size_and_custody(name: str) -> None:
    asset, algorithm = assets(name, holding(key=key_row("k", expires_on=AS_OF + DAY)))
    properties = asset["cryptoProperties"]["relatedCryptoMaterialProperties"]
    reference = {"algorithmRef": algorithm["bom-ref"]}
    if name == "cyclonedx-1.7":
        reference = {"relatedCryptographicAssets": [{"type": "algorithm", "ref": algorithm["bom-ref"]}]}
    assert {key: value for key, value in properties.items() if key != "id"} == {
        "type": "private-key",
        "state": "active",
        "size": 2048,
        "securedBy": {"mechanism": "Software"},
        "creationDate": "2023-01-12T13:30:00Z",
        "updateDate": "2023-01-12T13:30:00Z",
        "expirationDate": "2026-11-25T13:30:00Z",
        **reference,
    }
    assert (algorithm["name"], said(asset, "unknown")) == ("RSA-2048", [])


def test_a_key_outside_azure_is_in_an_hsm_and_named_as_its_manager_names_it() -> None:
    asset, _ = assets("cyclonedx", holding(key=key_row("k", custody="external-hsm", external_key_id="kek-7")))
    assert asset["cryptoProperties"]["relatedCryptoMaterialProperties"]["securedBy"] == {"mechanism": "HSM"}
    assert (said(asset, "custody"), said(asset, "external_key_id")) == (["external-hsm"], ["kek-7"])


@BOTH
@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "active"),
        ({"expires_on": AS_OF + 1}, "active"),
        ({"expires_on": AS_OF}, "deactivated"),
        ({"enabled": False}, "suspended"),
        ({"enabled": False, "expires_on": AS_OF}, "deactivated"),
        ({"activates_on": AS_OF}, "active"),
        ({"activates_on": AS_OF + 1}, "pre-activation"),
    ],
)
def test_a_state_is_one_of_sp_800_57(name: str, values: dict[str, Value], state: str) -> None:
    asset = assets(name, holding(key=key_row("k", None, **values)))[0]
    assert asset["cryptoProperties"]["relatedCryptoMaterialProperties"]["state"] == state


@BOTH
def test_what_is_unknown_is_left_out_and_named_with_its_reason(name: str) -> None:
    unseen = ("kty", "key_size", "curve", "custody", "expires_on", "enabled")
    (asset,) = assets(name, holding(key=key_row("k", dict.fromkeys(unseen, Reason.CONTROL_PLANE_ONLY))))
    properties = asset["cryptoProperties"]["relatedCryptoMaterialProperties"]
    assert set(properties) == {"type", "id", "creationDate", "updateDate"}
    assert properties["type"] == "key"
    assert set(said(asset, "unknown")) == {f"{column}:control_plane_only" for column in (*unseen, "state")}


def test_a_certificate_has_members_in_1_7_and_properties_in_1_6() -> None:
    older, _ = assets("cyclonedx", holding(certificate=CERTIFICATE))
    newer, algorithm = assets("cyclonedx-1.7", holding(certificate=CERTIFICATE))
    same = {
        "subjectName": "CN=edge",
        "issuerName": "CN=ca",
        "notValidBefore": "2026-11-14T13:30:00Z",
        "notValidAfter": "2026-12-14T13:30:00Z",
        "certificateFormat": "X.509",
    }
    assert older["cryptoProperties"]["certificateProperties"] == same
    assert (said(older, "state"), said(older, "algorithm"), said(older, "serial")) == (
        ["active"],
        ["algorithm:EC-P-256"],
        ["0A"],
    )
    more = newer["cryptoProperties"]["certificateProperties"]
    assert {key: value for key, value in more.items() if key in same} == same
    assert (more["certificateState"], more["serialNumber"]) == ([{"state": "active"}], "0A")
    assert more["fingerprint"] == {"alg": "SHA-256", "content": "AB" * 32}
    assert algorithm["cryptoProperties"]["algorithmProperties"]["ellipticCurve"] == "nist/P-256"
    assert said(newer, "custody") == ["vault-hsm"]


@BOTH
def test_a_certificate_that_is_not_issued_is_not_active_yet(name: str) -> None:
    asked = {**CERTIFICATE, **dict.fromkeys(("subject", "not_before", "not_after", "expires_on", "activates_on"))}
    asset = assets(name, holding(certificate={**asked, "issued": False}))[0]
    states = [each["state"] for each in asset["cryptoProperties"]["certificateProperties"].get("certificateState", [])]
    assert states + said(asset, "state") == ["pre-activation"]


@BOTH
def test_a_date_that_no_date_time_can_say_is_a_property(name: str) -> None:
    report = holding(key=key_row("k", expires_on=2**40))
    assert invalid(name, exported(name, report)) is None
    asset = assets(name, report)[0]
    assert "expirationDate" not in asset["cryptoProperties"]["relatedCryptoMaterialProperties"]
    assert said(asset, "expirationDate") == ["+36812-02-20T00:36:16Z"]


@BOTH
def test_credentials_and_deleted_things_are_in_it_unless_they_are_no_material(name: str) -> None:
    held = {"holder_kind": "application", "holder_id": "/a", "holder_name": "ci"}
    types = {}
    for kind in ("password", "symmetric-key", "certificate", "federated"):
        found = assets(name, holding(credential=row("credential", None, id=f"/c/{kind}", kind=kind, **held)))
        types[kind] = [
            each["cryptoProperties"].get("relatedCryptoMaterialProperties", {"type": "x509"})["type"] for each in found
        ]
    assert types == {"password": ["password"], "symmetric-key": ["secret-key"], "certificate": ["x509"], "federated": []}
    (deleted,) = assets(name, holding(deleted=row("deleted", id="/d", kind="key", purge_on=AS_OF + DAY)))
    assert deleted["cryptoProperties"]["relatedCryptoMaterialProperties"]["state"] == "deactivated"
    assert said(deleted, "purge_on") == ["2026-11-25T13:30:00Z"]
    assert assets(name, holding(deleted=row("deleted", id="/d", kind="vault"))) == []


@BOTH
@pytest.mark.parametrize(
    ("values", "state"), [({"local_auth_enabled": True}, "active"), ({"local_auth_enabled": False}, "suspended")]
)
def test_an_account_that_refuses_its_keys_suspends_them(name: str, values: dict[str, Value], state: str) -> None:
    (asset,) = assets(name, holding(account_key=row("account_key", None, id="/k", **values)))
    assert asset["cryptoProperties"]["relatedCryptoMaterialProperties"]["state"] == state


@BOTH
def test_it_calls_itself_incomplete_where_a_list_was_not_read(name: str) -> None:
    def aggregate(report: Report) -> str:
        (composition,) = json.loads(exported(name, report))["compositions"]
        return str(composition["aggregate"])

    assert (aggregate(REPORT), aggregate(CLEAN)) == ("incomplete", "complete")
    nothing = structs.replace(CLEAN, verdict=structs.replace(CLEAN.verdict, coverage=()))
    assert aggregate(nothing) == "unknown"
    assert any("kv-legacy: keys" in text for text in said(json.loads(exported(name, REPORT))["metadata"], "not-read"))


@BOTH
def test_every_reference_leads_somewhere(name: str) -> None:
    bom = json.loads(exported(name, REPORT))
    refs = {each["bom-ref"] for each in bom["components"]} | {bom["metadata"]["component"]["bom-ref"]}
    used = set(bom["compositions"][0]["assemblies"])
    used |= {ref for each in bom["dependencies"] for ref in (each["ref"], *each["dependsOn"])}
    for each in bom["components"]:
        properties = each.get("cryptoProperties", {}).get("relatedCryptoMaterialProperties", {})
        used |= {properties["algorithmRef"]} if "algorithmRef" in properties else set()
        used |= {asset["ref"] for asset in properties.get("relatedCryptographicAssets", ())}
    assert used <= refs
    assert len(refs) == len(bom["components"]) + 1


def edges(report: Report, name: str = "cyclonedx") -> dict[str, list[str]]:
    found = json.loads(exported(name, report))["dependencies"]
    assert len({each["ref"] for each in found}) == len(found)
    return {each["ref"]: each["dependsOn"] for each in found}


KEY = "https://kv-prod.vault.azure.net/keys/edge"
VERSION = "0123456789abcdef0123456789abcdef"
CREDENTIAL = row(
    "credential", None, id="/c/1", kind="certificate", holder_kind="application", holder_id="/a/1", holder_name="ci",
    app_id="app-1", vault_certificate_id=CERTIFICATE["id"], key_type="RSA", key_size=2048,
)  # fmt: skip


@BOTH
def test_an_algorithm_carries_a_key_and_that_a_certificate_an_application_and_a_relying_party(name: str) -> None:
    key = key_row("edge", kty="EC-HSM", key_size=None, curve="P-256", is_current=True)
    use = row("key_use", None, id="/u", name="st1", consumer_id="/st1", key_id=KEY, pinned=False, version=None)
    saml = row(
        "signing_certificate", None, id="/s/1", kind="saml", holder_id="/sp/1", holder_name="HR", key_type="RSA", key_size=2048
    )
    agent = row("agent", None, id="/agent/1", name="helper", blueprint_app_id="APP-1")
    found = edges(
        holding(
            agent=agent,
            key=key,
            certificate={**CERTIFICATE, "key_version_id": key["id"]},
            credential=CREDENTIAL,
            key_use=use,
            signing_certificate=saml,
        ),
        name,
    )
    certificate = f"certificate:{CERTIFICATE['id']}"
    assert found[f"key:{KEY}/{VERSION}"] == ["algorithm:EC-P-256"]
    assert found[certificate] == [f"key:{KEY}/{VERSION}"]
    assert found["credential:/c/1"] == [certificate]
    assert found["application:/a/1"] == ["credential:/c/1"]
    assert found["agent:/agent/1"] == ["application:/a/1"]
    assert found["service:/st1"] == [f"key:{KEY}/{VERSION}"]
    assert found["signing_certificate:/s/1"] == ["algorithm:RSA-2048:signature"]
    assert found["relying-party:/sp/1"] == ["signing_certificate:/s/1"]
    assert found["algorithm:EC-P-256"] == []


def test_what_leads_to_nothing_that_was_read_depends_on_its_own_algorithm() -> None:
    found = edges(holding(certificate={**CERTIFICATE, "key_version_id": "https://elsewhere/keys/k/1"}, credential=CREDENTIAL))
    assert found[f"certificate:{CERTIFICATE['id']}"] == ["algorithm:EC-P-256"]
    alone = edges(holding(credential=CREDENTIAL))
    assert alone["credential:/c/1"] == ["algorithm:RSA-2048:signature"]
    # Not listed: what it depends on is unknown, and not nothing.
    unread = {**CREDENTIAL, "key_type": None, "key_size": None, "unknown": {"key_type": "permission", "key_size": "permission"}}
    assert "credential:/c/1" not in edges(holding(credential=unread))
    assert edges(holding(credential={**CREDENTIAL, "kind": "password", "key_type": None}))["credential:/c/1"] == []


def test_a_service_depends_on_the_version_that_it_is_pinned_to_else_on_the_current_one() -> None:
    new = key_row("edge", is_current=True)
    old = {**new, "id": f"{KEY}/old", "version": "old", "is_current": False}
    uses = [
        row("key_use", None, id=f"/u/{version}", name="st", consumer_id=f"/st/{version}", key_id=KEY, pinned=bool(version),
            version=version)
        for version in ("old", None, "gone")
    ]  # fmt: skip
    found = edges(holding(("key", old), ("key", new), *(("key_use", use) for use in uses)))
    assert found["service:/st/old"] == [f"key:{KEY}/old"]
    assert found["service:/st/None"] == [f"key:{new['id']}"]
    assert "service:/st/gone" not in found


@BOTH
def test_no_algorithm_lacks_its_properties(name: str) -> None:
    """Its unknown values are named; each number has its standard."""
    kinds: list[dict[str, Value]] = [
        {"kty": "RSA", "key_size": 2048, "curve": None},
        {"kty": "RSA-HSM", "key_size": 4096, "curve": None},
        {"kty": "RSA", "key_size": 1024, "curve": None},
        {"kty": "EC", "key_size": None, "curve": "P-256"},
        {"kty": "EC", "key_size": None, "curve": "P-256K"},
        {"kty": "EC-HSM", "key_size": None, "curve": "P-384"},
        {"kty": "EC", "key_size": None, "curve": "P-521"},
        {"kty": "EC", "key_size": None, "curve": "P-999"},
        {"kty": "oct-HSM", "key_size": None, "curve": None},
        {"kty": "2.16.840.1.101.3.4.3.18", "key_size": None, "curve": None},
        {"kty": "AKP-HSM", "key_size": None, "curve": None, "parameter_set": "ML-DSA-87"},
        {"kty": "AKP", "key_size": None, "curve": None, "parameter_set": None},
        {"kty": "1.3.101.112", "key_size": None, "curve": None},
        {"kty": "1.2.3.4", "key_size": None, "curve": None},
    ]
    keys = [("key", {**key_row(f"k{number}"), **kind}) for number, kind in enumerate(kinds)]
    found = [each for each in assets(name, holding(*keys)) if each["cryptoProperties"]["assetType"] == "algorithm"]
    assert len(found) == len(kinds)
    for each in found:
        crypto, unknown = each["cryptoProperties"], {text.partition(":")[0] for text in said(each, "unknown")}
        properties = crypto["algorithmProperties"]
        assert properties["primitive"]
        levels = {"classicalSecurityLevel", "nistQuantumSecurityLevel"}
        optional = {"classicalSecurityLevel"} if each["name"].startswith("ML-DSA") else set()
        assert {"parameterSetIdentifier", *levels} - set(properties) - unknown <= optional, each["name"]
        assert "oid" in crypto or "oid" in unknown
        assert not levels & set(properties) or said(each, "security-levels")
    by_name = {each["name"]: each["cryptoProperties"]["algorithmProperties"] for each in found}
    assert by_name["ML-DSA-65"]["nistQuantumSecurityLevel"] == 3
    assert (by_name["ML-DSA-87"]["nistQuantumSecurityLevel"], by_name["ML-DSA-87"]["parameterSetIdentifier"]) == (5, "87")
    # The security category of an unknown parameter set is unknown.
    assert "nistQuantumSecurityLevel" not in by_name["AKP"]
    assert (by_name["RSA-2048"]["classicalSecurityLevel"], by_name["RSA-2048"]["nistQuantumSecurityLevel"]) == (112, 0)
    until = {each["name"]: said(each, "allowed-until") for each in found}
    assert until["RSA-2048"] == ["2030 (NIST IR 8547, initial public draft (2024))"]
    assert until["EC-P-384"] == until["RSA-4096"] == ["2035 (NIST IR 8547, initial public draft (2024))"]
    assert until["RSA-1024"] == ["no longer allowed (NIST SP 800-131A Rev. 2)"]
    assert until["ML-DSA-65"] == until["ML-DSA-87"] == until["AES"] == []


@pytest.mark.parametrize(
    ("allowed", "primitive"),
    [
        (["sign", "verify"], "signature"),
        (["wrapKey", "unwrapKey"], "pke"),
        (["sign", "verify", "encrypt", "decrypt"], "other"),
        (["import"], "unknown"),
    ],
)
def test_what_rsa_is_for_is_told_by_what_its_key_may_do(allowed: list[str], primitive: str) -> None:
    _, found = assets("cyclonedx", holding(key=key_row("k", key_ops=allowed)))
    assert found["cryptoProperties"]["algorithmProperties"]["primitive"] == primitive
