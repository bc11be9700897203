"""The CBOM as CycloneDX's own schemas have it, and what it says of each key and certificate."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator

from keyaudit.model.findings import Value
from keyaudit.model.listing import Listing
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Report
from keyaudit.model.tables import TABLES
from tests.report.example import AS_OF, CLEAN, DAY, REPORT, key_row, row
from tests.report.files import exported, poisoned
from tests.report.sinks import every_payload

FORMATS = {"cyclonedx": SchemaVersion.V1_6, "cyclonedx-1.7": SchemaVersion.V1_7}
VALIDATORS = {name: make_schemabased_validator(OutputFormat.JSON, version) for name, version in FORMATS.items()}
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


def holding(**tables: Mapping[str, Value]) -> Report:
    """A report whose inventory is one row of each of these tables."""

    def listing(name: str) -> Listing:
        rows = [tables[name]] if name in tables else []
        return Listing(TABLES[name], len(rows), (), lambda: iter(rows))

    return dataclasses.replace(REPORT, listing=listing)


def invalid(name: str, output: bytes) -> object:
    return VALIDATORS[name].validate_str(output.decode())


def assets(name: str, report: Report) -> list[Any]:
    found: list[Any] = json.loads(exported(name, report))["components"]
    return found


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
    assert algorithm["cryptoProperties"]["algorithmProperties"] == {"ellipticCurve": "nist/P-256"}
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
    nothing = dataclasses.replace(CLEAN, verdict=dataclasses.replace(CLEAN.verdict, coverage=()))
    assert aggregate(nothing) == "unknown"
    assert any("kv-legacy: keys" in text for text in said(json.loads(exported(name, REPORT))["metadata"], "not-read"))


@BOTH
def test_every_reference_leads_somewhere(name: str) -> None:
    bom = json.loads(exported(name, REPORT))
    refs = {each["bom-ref"] for each in bom["components"]} | {bom["metadata"]["component"]["bom-ref"]}
    used = set(bom["compositions"][0]["assemblies"])
    for each in bom["components"]:
        properties = each["cryptoProperties"].get("relatedCryptoMaterialProperties", {})
        used |= {properties["algorithmRef"]} if "algorithmRef" in properties else set()
        used |= {asset["ref"] for asset in properties.get("relatedCryptographicAssets", ())}
    assert used <= refs
    assert len(refs) == len(bom["components"]) + 1
