"""Key Vault's recorded answers as columns of the key table, and what no recording shows."""

import base64
from typing import Any

import pytest
from msgspec import UNSET, Raw
from msgspec.structs import replace

from keyaudit.collect.key_vault.key_rows import (
    KeyBundle,
    KeyItem,
    put_attributes,
    put_material,
)
from keyaudit.collect.key_vault.names import Named, named, version_named
from keyaudit.collect.key_vault.rotation import RotationPolicy, put_rotation
from keyaudit.collect.key_vault.versioned import version_row
from keyaudit.collect.places import Vault
from keyaudit.collect.rows import Row
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key import KEY
from tests.collect.recorded import bodies, raw, wire

URI = "https://vaultname.vault.azure.net/"
DAY = 86_400
VAULT = Vault(
    resource_id="/subscriptions/S/resourceGroups/Rg/providers/Microsoft.KeyVault/vaults/VaultName",
    kind="key-vault",
    name="VaultName",
    resource_group="Rg",
    subscription_id="s",
    subscription_name="Production",
    location="uksouth",
    soft_delete=True,
    uri=URI,
)


def of_bundle(body: object, vault: Vault = VAULT) -> Row:
    bundle = wire(body, KeyBundle)
    row = version_row(KEY, vault, URI, Named("k", "v"), resource_id=bundle.key.kid, url="u", version="1")
    put_attributes(row, bundle.attributes, promised=True, reason=Reason.BAD_BODY)
    put_material(row, bundle)
    row.put("tags", bundle.tags)
    row.put("managed", bundle.managed)
    row.put("is_current", True)
    row.put("versions_listed", True)
    put_rotation(row, RotationPolicy(lifetime_actions=raw([]), attributes=raw({})))
    return row


def bundle(**members: object) -> dict[str, Any]:
    """A key as a GET gives it, with members changed; None leaves one out."""
    key: dict[str, object] = {"kid": f"{URI}keys/k/v", "kty": "RSA", "key_ops": ["sign"], "n": modulus(2048), "e": "AQAB"}
    attributes: dict[str, object] = {
        "enabled": True,
        "created": 1,
        "updated": 1,
        "recoveryLevel": "Purgeable",
        "hsmPlatform": "0",
    }
    for name, value in members.items():
        home = key if name in ("kid", "kty", "key_ops", "n", "crv", "alg") else attributes
        home[name] = value
        if value is None:
            del home[name]
    return {"key": key, "attributes": attributes}


def modulus(bits: int) -> str:
    return base64.urlsafe_b64encode((1 << (bits - 1)).to_bytes((bits + 7) // 8)).decode().rstrip("=")


def test_a_recorded_key_is_a_whole_row() -> None:
    body = next(body for body in bodies("keyvault-key-create-rotationpolicy", method="POST") if "key" in body)
    assert of_bundle(body).finish() == {
        "id": "https://vaultname.vault.azure.net/keys/k/v",
        "name": "k",
        "resource_id": "https://vaultname.vault.azure.net/keys/livekvtestrotation-key6ec82cd6/f383aaee61414cc8a4b0ad78fc47af67",
        "scope_id": VAULT.resource_id.lower(),
        "source_url": "u",
        "source_version": "1",
        "subscription_id": "s",
        "subscription_name": "Production",
        "resource_group": "Rg",
        "location": "uksouth",
        "key_id": "https://vaultname.vault.azure.net/keys/k",
        "version": "v",
        "vault_id": VAULT.resource_id.lower(),
        "vault_name": "VaultName",
        "vault_kind": "key-vault",
        "tags": None,
        "enabled": True,
        "created_on": 1_782_496_804,
        "updated_on": 1_782_496_804,
        "activates_on": None,
        "expires_on": None,
        "kty": "RSA",
        "key_size": 2048,
        "curve": None,
        "parameter_set": None,
        "external_key_id": None,
        "key_ops": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
        "exportable": False,
        "release_policy_immutable": None,
        "hsm_platform": "0",
        "custody": "software",
        "managed": False,
        "recovery_level": "CustomizedRecoverable+Purgeable",
        "is_current": True,
        "versions_listed": True,
        "auto_rotates": False,
        "rotates_after": None,
        "rotates_before_expiry": None,
        "rotation_expiry": None,
        "unknown": {},
    }


def test_every_recorded_key_is_read_whole() -> None:
    keys = [body for body in bodies("keyvault-key-create-rotationpolicy", method="POST") if "key" in body]
    rows = [of_bundle(body).finish() for body in keys]
    assert len(rows) == 3
    assert [row["unknown"] for row in rows] == [{}] * 3
    # One was made before the service sent key_size: the modulus tells.
    assert {row["key_size"] for row in rows} == {2048}
    # Rotation gave the new version an end, and setting the policy gave the old one none.
    assert [row["expires_on"] is None for row in rows].count(False) == sum("exp" in body["attributes"] for body in keys)


def test_recorded_lists_name_keys_and_versions_of_their_vault_alone() -> None:
    listed = [wire(item, KeyItem) for page in bodies("keyvault-keys-list") for item in page["value"]]
    assert all(not named(item.kid, URI, "keys").version for item in listed)
    versions = [wire(item, KeyItem) for page in bodies("keyvault-keys-versions-list") for item in page["value"]]
    assert len({version_named(item.kid, URI, "keys", "LiveKvTestTestKey5fec2a63").version for item in versions}) == 7
    for item in versions:
        row = version_row(KEY, VAULT, URI, named(item.kid, URI, "keys"), resource_id=item.kid, url="u", version="1")
        put_attributes(row, item.attributes, promised=False, reason=Reason.PERMISSION)
        # Today's lists do hold both members that no document promises.
        assert (row.values["hsm_platform"], row.values["exportable"]) == ("0", False)


@pytest.mark.parametrize(
    "kid",
    [
        "https://vaultname.vault.azure.net/secrets/k",
        "https://vaultname.vault.azure.net/keys/k/v/w",
        "https://vaultname.vault.azure.net/keys/k%2Fv",
        "https://vaultname.vault.azure.net/keys/../k",
        "https://vaultname.vault.azure.net/keys/",
        "https://vaultname.vault.azure.net/keys/k?x=1",
        "https://vaultname.vault.azure.net:444/keys/k",
        "https://vaultname.vault.azure.net:x/keys/k",
        "https://vaultname.vault.azure.net.evil.example/keys/k",
        "https://other.vault.azure.net/keys/k",
        "http://vaultname.vault.azure.net/keys/k",
        "https://[/keys/k",
        f"https://vaultname.vault.azure.net/keys/{'k' * 128}",
        "",
    ],
)
def test_what_names_no_key_of_the_vault(kid: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        named(kid, URI, "keys")


def test_a_kid_may_have_the_port_and_other_case() -> None:
    assert named("https://VAULTNAME.vault.azure.net:443/keys/Key/0A", URI, "keys") == Named("Key", "0a")
    with pytest.raises(ValueError, match="not a version"):
        version_named(f"{URI}keys/other/1", URI, "keys", "key")


@pytest.mark.parametrize(
    ("kty", "platform", "expected"),
    [
        ("RSA", "0", "software"),
        ("EC", "0", "software"),
        ("oct", "0", "software"),
        ("RSA", None, "software"),
        ("RSA-HSM", "1", "vault-hsm"),
        ("RSA-HSM", "2", "vault-hsm"),
        ("EC-HSM", None, "vault-hsm"),
        ("oct-HSM", "2", "vault-hsm"),
        ("OKP-HSM", "2", "vault-hsm"),
        ("RSA-HSM", "0", Reason.UNRECOGNISED),
        ("RSA", "2", Reason.UNRECOGNISED),
        ("RSA", "9", Reason.UNRECOGNISED),
        ("OKP", "0", Reason.UNRECOGNISED),
        ("OKP", "2", Reason.UNRECOGNISED),
        ("rsa-hsm", "2", "vault-hsm"),
        ("AKP", "0", "software"),
        ("AKP-HSM", "2", "vault-hsm"),
        ("RSA-HSM", 2, Reason.BAD_VALUE),
        (7, "0", Reason.BAD_VALUE),
        (None, "0", Reason.BAD_BODY),
    ],
)
def test_custody_rests_on_type_and_platform_that_agree(kty: object, platform: object, expected: str) -> None:
    row = of_bundle(bundle(kty=kty, hsmPlatform=platform))
    assert row.values.get("custody", row.unknown.get("custody")) == expected


@pytest.mark.parametrize(
    ("members", "size", "curve"),
    [
        ({}, 2048, None),
        ({"n": modulus(3072), "key_size": 2048}, 3072, None),
        ({"n": modulus(4096) + "=="}, Reason.BAD_VALUE, None),
        ({"n": modulus(2047)}, 2047, None),
        ({"n": modulus(512)}, 512, None),
        ({"n": modulus(511)}, Reason.BAD_VALUE, None),
        ({"n": "?"}, Reason.BAD_VALUE, None),
        ({"n": ""}, Reason.BAD_VALUE, None),
        ({"n": 5}, Reason.BAD_VALUE, None),
        ({"n": None}, Reason.BAD_BODY, None),
        ({"n": None, "key_size": 4096}, 4096, None),
        ({"kty": "EC", "crv": "P-256"}, None, "P-256"),
        ({"kty": "EC-HSM", "crv": "P-999"}, None, Reason.UNRECOGNISED),
        ({"kty": "EC"}, None, Reason.BAD_BODY),
        ({"kty": "oct-HSM", "n": None}, None, None),
        ({"kty": "OKP", "crv": "Ed25519"}, Reason.UNRECOGNISED, Reason.UNRECOGNISED),
        # The name of P-256K in the preview of EC keys, which azure-cli still gives to a curve that it imports:
        # https://github.com/Azure/azure-sdk-for-node/issues/4603, https://github.com/Azure/azure-cli/issues/18462
        ({"kty": "EC", "crv": "SECP256K1"}, None, "P-256K"),
        ({"kty": "EC-HSM", "crv": "SECP256K1"}, None, "P-256K"),
        ({"kty": "EC", "crv": "SECP256R1"}, None, Reason.UNRECOGNISED),
        ({"kty": "OKP-HSM", "crv": "Ed25519"}, None, "Ed25519"),
        ({"kty": "OKP-HSM", "crv": "X25519"}, None, Reason.UNRECOGNISED),
        ({"kty": "OKP-HSM"}, None, Reason.BAD_BODY),
        ({"kty": 1}, Reason.BAD_VALUE, Reason.BAD_VALUE),
    ],
)
def test_size_and_curve(members: dict[str, object], size: object, curve: object) -> None:
    row = of_bundle(bundle(**members))
    assert row.unknown.get("key_size", row.values.get("key_size")) == size
    assert row.unknown.get("curve", row.values.get("curve")) == curve


# Created with the preview of octet key pairs; recorded by azure-sdk-for-js for keyvault-keys in January 2022.
ED25519 = {
    "attributes": {
        "created": 1641753931,
        "enabled": True,
        "exportable": False,
        "recoverableDays": 7,
        "recoveryLevel": "CustomizedRecoverable+Purgeable",
        "updated": 1641753931,
    },
    "key": {
        "crv": "Ed25519",
        "key_ops": ["verify", "sign"],
        "kid": f"{URI}keys/okp-sign-verify164175392482903773/a1c654d7b95904d0a5ef77c0d3eceaa5",
        "kty": "OKP-HSM",
        "x": "ggSCf95AB6facFY7K-KsArU-60YGzeL22VxoQOf3zgs",
    },
}


def test_a_recorded_ed25519_key_of_a_managed_hsm_is_a_whole_row() -> None:
    assert wire(ED25519, KeyBundle).whole
    row = of_bundle(ED25519, replace(VAULT, kind="managed-hsm"))
    assert row.unknown == {}
    assert (row.values["kty"], row.values["curve"], row.values["custody"]) == ("OKP-HSM", "Ed25519", "managed-hsm")
    assert (row.values["key_size"], row.values["parameter_set"]) == (None, None)


@pytest.mark.parametrize(
    ("members", "parameters"),
    [
        ({"kty": "AKP", "alg": "ML-DSA-44"}, "ML-DSA-44"),
        ({"kty": "AKP-HSM", "alg": "ML-DSA-87"}, "ML-DSA-87"),
        ({"kty": "AKP-HSM", "alg": "SLH-DSA"}, Reason.UNRECOGNISED),
        ({"kty": "AKP"}, Reason.BAD_BODY),
        ({"kty": "RSA", "alg": "ML-DSA-44"}, None),
        ({"kty": "lattice", "alg": "ML-DSA-44"}, Reason.UNRECOGNISED),
    ],
)
def test_an_akp_key_has_a_parameter_set_and_neither_size_nor_curve(members: dict[str, object], parameters: object) -> None:
    row = of_bundle(bundle(**members))
    assert row.unknown.get("parameter_set", row.values.get("parameter_set")) == parameters
    if str(members["kty"]).startswith("AKP"):
        assert (row.values["key_size"], row.values["curve"]) == (None, None)


def test_a_curve_that_is_null_is_not_an_absent_one() -> None:
    body = bundle(kty="EC")
    body["key"]["crv"] = None
    assert of_bundle(body).unknown["curve"] is Reason.BAD_VALUE


def test_attributes_left_out_are_not_attributes_never_set() -> None:
    body = bundle()
    del body["attributes"]
    row = of_bundle(body)
    for column in ("enabled", "created_on", "expires_on", "exportable", "hsm_platform"):
        assert row.unknown[column] is Reason.BAD_BODY
    body["attributes"] = {}
    row = of_bundle(body)
    assert row.values["expires_on"] is None
    assert row.values["exportable"] is False
    assert row.unknown["enabled"] is Reason.BAD_BODY


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"immutable": True}, True),
        ({"immutable": False}, False),
        ({}, Reason.BAD_BODY),
        ({"immutable": "yes"}, Reason.BAD_VALUE),
        ([], Reason.BAD_VALUE),
        (None, None),
    ],
)
def test_a_release_policy(policy: object, expected: object) -> None:
    row = of_bundle(bundle() | {"release_policy": policy})
    assert row.unknown.get("release_policy_immutable", row.values.get("release_policy_immutable")) == expected


def rotated(policy: RotationPolicy, expires_on: object = None) -> tuple[object, ...]:
    row = version_row(KEY, VAULT, URI, Named("k", "v"), resource_id="r", url="u", version="1")
    row.put("expires_on", expires_on)
    put_rotation(row, policy)
    columns = ("auto_rotates", "rotates_after", "rotates_before_expiry", "rotation_expiry")
    return tuple(row.unknown.get(column, row.values.get(column)) for column in columns)


def test_every_recorded_rotation_policy() -> None:
    found = [
        rotated(wire(body, RotationPolicy))
        for method in ("GET", "PUT")
        for body in bodies("keyvault-key-create-rotationpolicy", method=method, path="/rotationpolicy")
    ]
    two_months, fortnightly = (True, 60 * DAY, None), (True, 15 * DAY, None, 30 * DAY)
    notifies = (False, None, None, 90 * DAY)
    assert found == [
        (*two_months, None),
        notifies,
        fortnightly,
        (False, None, None, None),
        (*two_months, None),
        (*two_months, 90 * DAY),
        notifies,
        fortnightly,
    ]


def action(kind: object = "Rotate", **trigger: object) -> dict[str, object]:
    return {"action": {"type": kind}, "trigger": trigger}


BAD = (Reason.BAD_VALUE,) * 3


@pytest.mark.parametrize(
    ("actions", "attributes", "expires_on", "expected"),
    [
        ([action(timeAfterCreate="P90D")], {}, None, (True, 90 * DAY, None, None)),
        ([action("rotate", timeAfterCreate="P90D")], {}, None, (True, 90 * DAY, None, None)),
        ([action("ROTATE", timeAfterCreate="P90D")], {}, None, (True, 90 * DAY, None, None)),
        ([action("Notify", timeBeforeExpiry="P30D")], None, 5, (False, None, None, None)),
        ([action("Notify", timeBeforeExpiry="P30D")], {"created": None}, 5, (False, None, None, None)),
        ([], {}, None, (False, None, None, None)),
        # Before an expiry that never comes, nothing rotates.
        ([action(timeBeforeExpiry="P30D")], {}, None, (False, None, 30 * DAY, None)),
        ([action(timeBeforeExpiry="P30D")], {"expiryTime": "P1Y"}, None, (True, None, 30 * DAY, 365 * DAY)),
        ([action(timeBeforeExpiry="P30D")], {}, 5, (True, None, 30 * DAY, None)),
        ([action(timeBeforeExpiry="P30D")], {}, Raw(b"1.5"), (Reason.BAD_VALUE, None, 30 * DAY, None)),
        ([action(timeBeforeExpiry="P30D")], {"expiryTime": 7}, None, (Reason.BAD_VALUE, None, 30 * DAY, Reason.BAD_VALUE)),
        ([action(timeAfterCreate="soon")], {}, None, (Reason.BAD_VALUE, Reason.BAD_VALUE, None, None)),
        ([action(timeAfterCreate=None, timeBeforeExpiry="P30D")], {}, 5, (True, None, 30 * DAY, None)),
        ([action(timeAfterCreate="P90D"), action(timeAfterCreate="P30D")], {}, None, (True, 30 * DAY, None, None)),
        ([action(timeAfterCreate=90)], {}, None, (Reason.BAD_VALUE, Reason.BAD_VALUE, None, None)),
        ([action()], {}, None, (*((Reason.BAD_BODY,) * 3), None)),
        ([action(7, timeAfterCreate="P90D")], {}, None, (*BAD, None)),
        ([action("Archive", timeAfterCreate="P90D")], {}, None, (*((Reason.UNRECOGNISED,) * 3), None)),
        ([{"action": {"type": "Rotate"}}], {}, None, (*BAD, None)),
        # Null in place of a list is a list of none, as in `attributes` of the default policy.
        (None, {}, None, (False, None, None, None)),
        ("none", {}, None, (*BAD, None)),
    ],
)
def test_rotation(actions: object, attributes: object, expires_on: object, expected: tuple[object, ...]) -> None:
    policy = RotationPolicy(lifetime_actions=raw(actions), attributes=raw(attributes))
    assert rotated(policy, expires_on) == expected


def test_a_rotation_policy_of_which_members_are_left_out() -> None:
    assert rotated(RotationPolicy(UNSET, UNSET)) == (Reason.BAD_BODY,) * 4
