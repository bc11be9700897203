"""Answers about other services that are broken or hostile: quarantined, or unknown, and never believed."""

from collections.abc import Callable
from typing import Any

import pytest

from keyaudit.simulator.faults import Fault
from tests.collect.estate import SUBSCRIPTION, TENANT_ID
from tests.collect.rig import Collected, collect
from tests.collect.test_services import BUS, CLOSED, DATE, PINNED, SERVED, SQL, VAULT, VERSION, served

READS = ("services",)

__all__ = ["served"]

Edit = Callable[[dict[str, Any]], None]


async def edited(change: Edit, name: str = "stclosed") -> Collected:
    """The result of a run in which the row of that name is changed."""

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["data"]:
            if item["name"] == name:
                change(item)
        return body

    return await collect(Fault("service.query", "every", edit=edit), estate=SERVED)


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": "/subscriptions/x/y"},
        {"id": CLOSED.replace(SUBSCRIPTION, "99999999-0000-4000-8000-000000000000")},
        {"id": CLOSED.replace("microsoft.storage", "microsoft.other")},
        {"type": "microsoft.keyvault/vaults"},
        {"type": 7},
    ],
)
async def test_what_is_not_what_was_asked_for_is_quarantined(served: Collected, change: dict[str, object]) -> None:
    found = await edited(lambda item: item.update(change))
    assert found.gaps() == {(TENANT_ID, "service.query"): "partial bad_item"}
    assert found.coverage[TENANT_ID, "service.query"].quarantined == 1
    lost = {id_ for table in ("account_key", "key_use") for id_ in served.rows[table].keys() - found.rows[table].keys()}
    assert lost == {f"{CLOSED}/keys/key1", f"{CLOSED}/keys/key2", f"{CLOSED}/encryption/kv-first.vault.azure.net/rotated"}


async def test_a_row_that_comes_twice_counts_once(served: Collected) -> None:
    def twice(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "data": [*body["data"], body["data"][0]], "count": body["count"] + 1}

    found = await collect(Fault("service.query", "every", edit=twice), estate=SERVED)
    assert found.rows == served.rows
    assert found.coverage[TENANT_ID, "service.query"].duplicate == 1


DEEP: Any = 0
for _ in range(200):
    DEEP = [DEEP]


@pytest.mark.parametrize("broken", ["no object", 7, True, DATE, [DATE], DEEP, {"key1": 5.5}, {"Key1": DATE, "kEY1": DATE}])
async def test_a_date_that_is_none_is_unknown(broken: object) -> None:
    found = await edited(lambda item: item.update(keyCreationTime=broken))
    assert found.unknown("account_key", f"{CLOSED}/keys/key1") == {"created_on": "bad_value"}
    assert not found.failures


@pytest.mark.parametrize(
    ("column", "member", "broken", "reason"),
    [
        ("local_auth_enabled", "allowSharedKeyAccess", "false", "bad_value"),
        ("expiry_period", "keyPolicy", {"keyExpirationPeriodInDays": 10**30}, "bad_value"),
        ("expiry_period", "keyPolicy", {"keyExpirationPeriodInDays": "90"}, "bad_value"),
        ("expiry_period", "keyPolicy", ["P90D"], "bad_value"),
        ("expiry_period", "keyPolicy", {"keyExpirationPeriodInDays": None}, "bad_value"),
        ("expiry_period", "keyPolicy", {}, "bad_body"),
        ("sas_period", "sasPolicy", {}, "bad_body"),
        ("sas_period", "sasPolicy", {"sasExpirationPeriod": "1 day"}, "bad_value"),
        ("tags", "tags", {"a": 1}, "bad_value"),
        ("location", "location", None, "bad_value"),
        ("oidc_issuer", "oidcIssuerProfile", {"issuerURL": 1}, "bad_value"),
        ("oidc_issuer", "oidcIssuerProfile", {"enabled": True}, "bad_body"),
        ("oidc_issuer", "oidcIssuerProfile", {"enabled": True, "issuerURL": None}, "bad_body"),
        ("oidc_issuer", "oidcIssuerProfile", {"enabled": "yes", "issuerURL": None}, "bad_body"),
    ],
)
async def test_a_value_of_another_type_is_unknown(column: str, member: str, broken: object, reason: str) -> None:
    found = await edited(lambda item: item.update({member: broken}))
    assert found.unknown("account_key", f"{CLOSED}/keys/key1") == {column: reason}


@pytest.mark.parametrize("profile", [None, {}, {"enabled": False}, {"enabled": False, "issuerURL": None}, {"issuerURL": ""}])
async def test_a_cluster_without_an_issuer_has_none(profile: object) -> None:
    found = await edited(lambda item: item.update(oidcIssuerProfile=profile))
    assert "oidc_issuer" not in found.rows["account_key"][f"{CLOSED}/keys/key1"]
    assert found.unknown("account_key", f"{CLOSED}/keys/key1") == {}


@pytest.mark.parametrize(
    ("kept", "unknown"), [(None, {"created_on": "bad_body"}), ({}, {}), ({"secondaryMasterKey": {"generationTime": DATE}}, {})]
)
async def test_a_database_without_a_record_of_dates_is_none_that_never_regenerated_a_key(
    kept: object, unknown: dict[str, str]
) -> None:
    found = await edited(lambda item: item.update(keysMetadata=kept), "cosmos")
    [id_] = [id_ for id_ in found.rows["account_key"] if id_.endswith("/cosmos/keys/primary")]
    assert "created_on" not in found.rows["account_key"][id_]
    assert found.unknown("account_key", id_) == unknown


async def test_what_was_not_answered_is_not_what_was_never_set() -> None:
    def bare(item: dict[str, Any]) -> None:
        for member in item.keys() - {"id", "name", "type", "location", "tags"}:
            del item[member]

    found = await edited(bare)
    assert found.unknown("account_key", f"{CLOSED}/keys/key1") == dict.fromkeys(
        ("local_auth_enabled", "created_on", "expiry_period", "sas_period", "oidc_issuer", "client_id"), "bad_body"
    )
    assert found.unknown("key_use", f"{CLOSED}/encryption/unread") == {
        "identity_ids": "bad_body",
        "key_id": "bad_body",
        "version": "bad_body",
        "pinned": "bad_body",
        "version_in_use": "bad_body",
    }


@pytest.mark.parametrize(
    ("encryption", "reason"),
    [
        ("text", "bad_value"),
        ({"keySource": "Microsoft.Keyvault"}, "bad_body"),
        ({"keySource": "Microsoft.Keyvault", "keyvaultproperties": {"keyname": None}}, "bad_body"),
        ({"keySource": 5, "keyvaultproperties": {"keyname": "a", "keyvaulturi": 7}}, "bad_value"),
        ({"keyvaultproperties": {"keyname": "a"}}, "bad_body"),
        ({"keyvaultproperties": {"keyvaulturi": VAULT}}, "bad_body"),
        ({"status": "enabled", "keyvaultproperties": None}, "bad_body"),
        ({"keySource": "Elsewhere", "keyvaultproperties": {"keyname": "a", "keyvaulturi": VAULT}}, "unrecognised"),
        ({"keyvaultproperties": {"keyname": "a/../b", "keyvaulturi": VAULT}}, "bad_value"),
        ({"keyvaultproperties": {"keyname": "a", "keyvaulturi": "http://kv.vault.azure.net"}}, "bad_value"),
        ({"keyvaultproperties": {"keyname": "a\x00", "keyvaulturi": VAULT}}, "bad_value"),
        ({"keyvaultproperties": "text"}, "bad_value"),
        ({"keyvaultproperties": {"keyIdentifier": VAULT}}, "bad_value"),
    ],
)
async def test_a_setting_that_cannot_be_read_is_the_use_of_an_unknown_key(encryption: object, reason: str) -> None:
    found = await edited(lambda item: item.update(encryption=encryption))
    assert set(found.unknown("key_use", f"{CLOSED}/encryption/unread").values()) == {reason}
    assert not found.failures


@pytest.mark.parametrize(
    ("encryption", "told"),
    [
        # Without it, the service would not say which version it uses.
        ("text", (None, "bad_value")),
        ({"keySource": "Microsoft.Keyvault"}, (None, "bad_body")),
        ({"keyvaultproperties": {"keyname": 7, "keyvaulturi": VAULT}}, (None, "bad_value")),
        ({"keyvaultproperties": {"keyIdentifier": VAULT}}, (None, None)),
        ({"keyvaultproperties": {"keyIdentifier": VAULT, "versionedKeyIdentifier": VERSION}}, (VERSION, None)),
    ],
)
async def test_the_version_in_use_is_unknown_where_nothing_says_it_because_the_setting_is_unreadable(
    encryption: object, told: tuple[str | None, str | None]
) -> None:
    found = await edited(lambda item: item.update(encryption=encryption))
    row = found.rows["key_use"][f"{CLOSED}/encryption/unread"]
    assert (row.get("version_in_use"), row["unknown"].get("version_in_use")) == told


@pytest.mark.parametrize("active", [None, {}, {"keyUrl": None}])
async def test_a_disk_encryption_set_has_a_key(active: object) -> None:
    found = await edited(lambda item: item.update(activeKey=active), "des")
    [row] = [row for row in found.rows["key_use"].values() if row["kind"] == "disk-encryption-set"]
    assert row["unknown"]["key_id"] in {"bad_body", "bad_value"}
    # Whether it follows a rotation is a member of its own.
    assert (row["pinned"], row["unknown"].keys()) == (False, {"key_id", "version", "version_in_use"})


async def test_a_cluster_of_which_the_key_cannot_be_read_says_as_ever_nothing_of_a_version() -> None:
    found = await edited(lambda item: item.update(azureKeyVaultKms={"enabled": True, "keyId": 7}), "aks")
    [row] = [row for row in found.rows["key_use"].values() if row["kind"] == "kubernetes"]
    assert row["unknown"].keys() == {"key_id", "version", "pinned"}


@pytest.mark.parametrize(
    "encryption",
    [None, {}, {"keySource": "Microsoft.Storage", "keyvaultproperties": None}, {"keyvaultproperties": {"keyname": None}}],
)
async def test_no_key_of_a_vault_is_no_use_of_one(encryption: object) -> None:
    found = await edited(lambda item: item.update(encryption=encryption))
    assert not any(row["consumer_id"] == CLOSED for row in found.rows["key_use"].values())


async def test_one_namespace_may_use_several_keys_and_one_of_them_twice() -> None:
    properties = [
        {"keyName": name, "keyVaultUri": VAULT, "keyVersion": version_}
        for name, version_ in (("rotated", VERSION), ("curved", ""), ("rotated", None))
    ]
    encryption = {"keySource": "Microsoft.KeyVault", "keyVaultProperties": properties}
    found = await edited(lambda item: item.update(encryption=encryption), "bus")
    host = "encryption/kv-first.vault.azure.net"
    assert {id_.removeprefix(f"{BUS}/") for id_ in found.rows["key_use"] if id_.startswith(BUS)} == {
        f"{host}/rotated",
        f"{host}/curved",
        f"{host}/rotated/2",
    }


# azure-rest-api-specs, Microsoft.Sql/SQL/stable/2021-11-01/examples/EncryptionProtectorGet.json, and azure-cli's recording
# test_sql_tdebyok.yaml, at their newest commit
BY_VAULT: dict[str, object] = {
    "serverKeyName": "someVault_someKey_01234567890123456789012345678901",
    "serverKeyType": "AzureKeyVault",
    "uri": "https://someVault.vault.azure.net/keys/someKey/01234567890123456789012345678901",
    "autoRotationEnabled": False,
}
BY_SERVICE: dict[str, object] = {"serverKeyName": "ServiceManaged", "serverKeyType": "ServiceManaged"}
KEY_ID = "https://somevault.vault.azure.net/keys/somekey"
UNREAD = ("key_id", "pinned", "version", "version_in_use")


async def protected(name: str, properties: dict[str, object]) -> dict[str, dict[str, Any]]:
    """The uses of the SQL server of that name, whose protector has these properties."""
    body = {"id": f"{SQL}/{name}/encryptionProtector/current", "name": "current", "properties": properties}
    found = await collect(Fault("sql.protector", "every", where=name, body=body), estate=SERVED)
    return {id_: row for id_, row in found.rows["key_use"].items() if id_.startswith(f"{SQL}/{name}/")}


async def test_a_documented_protector_names_the_key_of_its_server() -> None:
    [row] = (await protected("sql-own", BY_VAULT)).values()
    assert (row["key_id"], row["pinned"], row["version"]) == (KEY_ID, True, "01234567890123456789012345678901")
    assert "unknown" not in row
    [row] = (await protected("sql-own", BY_VAULT | {"autoRotationEnabled": True})).values()
    assert row["pinned"] is False
    [row] = (await protected("sql-own", BY_VAULT | {"uri": KEY_ID})).values()
    assert (row["pinned"], row.get("version")) == (False, None)


async def test_a_recorded_protector_of_the_service_is_no_use_of_a_key() -> None:
    assert await protected("sql-own", BY_SERVICE) == {}
    assert await protected("sql-byok", BY_SERVICE) == {}


@pytest.mark.parametrize(
    ("name", "properties", "reason"),
    [
        ("sql-own", {"serverKeyType": "Elsewhere"}, "unrecognised"),
        ("sql-own", {"serverKeyType": 7}, "bad_value"),
        ("sql-own", {"serverKeyType": "AzureKeyVault"}, "bad_body"),
        ("sql-own", {}, "bad_body"),
        ("sql-own", BY_VAULT | {"uri": "https://someVault.vault.azure.net/secrets/x"}, "bad_value"),
        # Its own properties name a key, and another one.
        ("sql-pinned", BY_SERVICE, "inconsistent"),
        ("sql-pinned", BY_VAULT, "inconsistent"),
    ],
)
async def test_a_protector_that_cannot_be_right_is_a_use_of_an_unknown_key(
    name: str, properties: dict[str, object], reason: str
) -> None:
    [row] = (await protected(name, properties)).values()
    assert row["unknown"] == dict.fromkeys(UNREAD, reason)


_PROTECTOR = PINNED.partition("/encryption")[0] + "/encryptionProtector/current"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"id": "/subscriptions/x/encryptionProtector/current", "properties": {"autoRotationEnabled": True}}, "inconsistent"),
        ({"properties": {"autoRotationEnabled": True}}, "bad_body"),
        ({"id": _PROTECTOR, "properties": {"autoRotationEnabled": "yes"}}, "bad_value"),
        ({"id": _PROTECTOR}, "bad_body"),
        ({"id": _PROTECTOR, "properties": None}, "bad_body"),
    ],
)
async def test_the_protector_of_another_server_says_nothing(body: dict[str, object], reason: str) -> None:
    found = await collect(Fault("sql.protector", "every", body=body), estate=SERVED)
    unknown = {"pinned": reason}
    assert found.unknown("key_use", PINNED) == (unknown if reason == "bad_value" else unknown | {"version_in_use": reason})
