"""One wire value into one column: what is known, what is absent, and what is unknown for which reason."""

import pytest
from msgspec import UNSET, Raw, Struct, UnsetType, json

from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import is_null, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Table, Type
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.entra.application import APPLICATION
from keyaudit.model.tables.entra.credential import CREDENTIAL
from keyaudit.model.tables.entra.federated_domain import FEDERATED_DOMAIN
from keyaudit.model.tables.entra.service_principal import SERVICE_PRINCIPAL
from keyaudit.model.tables.grant import GRANT
from keyaudit.model.tables.vaults.deleted import DELETED
from keyaudit.model.tables.vaults.key import KEY
from keyaudit.model.tables.vaults.secret import SECRET
from keyaudit.model.tables.vaults.vault import VAULT
from keyaudit.model.values.times import MAX_TIME
from tests.collect.recorded import raw

ABSENT, BAD_VALUE, BAD_BODY = object(), Reason.BAD_VALUE, Reason.BAD_BODY


def begun(table: Table) -> Row:
    return Row(table, id="/X", resource_id="/X", scope_id="/s", url="https://h/p", version="1")


def put(table: Table, column: str, value: object) -> object:
    """What the column then holds: a value, ABSENT, or the reason for which it is unknown."""
    row = begun(table)
    row.put(column, value)
    if column in row.unknown:
        assert column not in row.values
        return row.unknown[column]
    return ABSENT if row.values[column] is None else row.values[column]


@pytest.mark.parametrize(
    ("table", "column", "wire", "expected"),
    [
        (KEY, "expires_on", b"1700000000", 1_700_000_000),
        (KEY, "expires_on", b"0", 0),
        (KEY, "expires_on", b"-1", -1),
        (KEY, "expires_on", b"253402300799", 253_402_300_799),
        # An end after year 9999 has not passed. Key Vault takes milliseconds for seconds, too:
        # https://learn.microsoft.com/rest/api/keyvault/keys/get-key/get-key#keyattributes
        (KEY, "expires_on", b"253402300800", 253_402_300_799),
        (KEY, "expires_on", b"1700000000000", 253_402_300_799),
        # No service that is written in .NET can hold year 10000: https://learn.microsoft.com/dotnet/api/system.datetimeoffset.maxvalue
        (KEY, "activates_on", b"253402300800", BAD_VALUE),
        (KEY, "created_on", b"253402300800", BAD_VALUE),
        (KEY, "expires_on", b"-62135596800", -62_135_596_800),
        (KEY, "expires_on", b"-62135596801", BAD_VALUE),
        (KEY, "key_size", str(MAX_TIME).encode(), MAX_TIME),
        (KEY, "key_size", str(MAX_TIME + 1).encode(), BAD_VALUE),
        (KEY, "key_size", str(-MAX_TIME - 1).encode(), BAD_VALUE),
        (KEY, "expires_on", b"9" * 40, BAD_VALUE),
        (KEY, "expires_on", b"1.5e300", BAD_VALUE),
        (KEY, "expires_on", b"1700000000.0", BAD_VALUE),
        (KEY, "expires_on", b'"1700000000"', BAD_VALUE),
        (KEY, "expires_on", b"true", BAD_VALUE),
        (KEY, "expires_on", b"{}", BAD_VALUE),
        (KEY, "expires_on", b"[" * 100_000 + b"]" * 100_000, BAD_VALUE),
        (KEY, "expires_on", b"null", ABSENT),
        (CREDENTIAL, "expires_on", b'"2026-11-24T12:00:00.1234567Z"', 1_795_521_600),
        (CREDENTIAL, "expires_on", b'"9999-12-31T23:59:59Z"', 253_402_300_799),
        (CREDENTIAL, "expires_on", b'"2026-11-24T14:00:00+02:00"', 1_795_521_600),
        (CREDENTIAL, "expires_on", b'"10000-01-01T00:00:00Z"', BAD_VALUE),
        (CREDENTIAL, "expires_on", b'"9999-12-31T23:59:59-01:00"', BAD_VALUE),
        (CREDENTIAL, "expires_on", b'"2026-11-24T12:00:00"', BAD_VALUE),
        (CREDENTIAL, "expires_on", b'"2026-02-30T00:00:00Z"', BAD_VALUE),
        (CREDENTIAL, "expires_on", b'""', BAD_VALUE),
        (CREDENTIAL, "expires_on", b"1700000000", BAD_VALUE),
        (CREDENTIAL, "expires_on", b"null", ABSENT),
        (KEY, "enabled", b"true", True),
        (KEY, "enabled", b"false", False),
        (KEY, "enabled", b'"true"', BAD_VALUE),
        (KEY, "enabled", b"1", BAD_VALUE),
        (KEY, "enabled", b"null", BAD_VALUE),
        (KEY, "rotation_expiry", b'"P90D"', 7_776_000),
        (KEY, "rotation_expiry", b'"P1Y"', 31_536_000),
        (KEY, "rotation_expiry", b'"90"', BAD_VALUE),
        (KEY, "rotation_expiry", b"90", BAD_VALUE),
        (KEY, "kty", b'"OKP"', Reason.UNRECOGNISED),
        # Recorded while a Managed HSM was being deleted.
        (VAULT, "provisioning_state", b'"PartiallyDeleted"', "PartiallyDeleted"),
        (VAULT, "provisioning_state", b'"Vanished"', Reason.UNRECOGNISED),
        (APPLICATION, "audience", b'"AzureADMyOrg"', "AzureADMyOrg"),
        (APPLICATION, "audience", b'"azureadmyorg"', "AzureADMyOrg"),
        (APPLICATION, "audience", b'"AzureADOrg"', Reason.UNRECOGNISED),
        (CREDENTIAL, "key_type", b'"1.3.101.112"', "1.3.101.112"),
        (KEY, "kty", b"7", BAD_VALUE),
        (KEY, "kty", b'"\xff"', BAD_VALUE),
        (KEY, "kty", b'"\\ud800"', BAD_VALUE),
        (KEY, "key_ops", b'["verify","deriveKey","sign"]', ["verify", "deriveKey", "sign"]),
        (KEY, "key_ops", b'["SIGN","unwrapkey"]', ["sign", "unwrapKey"]),
        (KEY, "key_ops", b'["sign","future"]', Reason.UNRECOGNISED),
        (KEY, "key_ops", b"[]", BAD_VALUE),
        (GRANT, "allows", b"[]", []),
        (APPLICATION, "identifier_uris", b'["api://x"]', ["api://x"]),
        (KEY, "key_ops", b'["sign",null]', BAD_VALUE),
        (KEY, "key_ops", b'"sign"', BAD_VALUE),
        (KEY, "key_ops", b"null", BAD_VALUE),
        (KEY, "key_size", b"4096", 4096),
        (VAULT, "tags", b'{"Env":"Prod","ENVIRONMENT":"x"}', {"env": "Prod", "environment": "x"}),
        (VAULT, "tags", b'{"Env":"prod","env":"dev"}', BAD_VALUE),
        (VAULT, "tags", b'{"a":null}', BAD_VALUE),
        (VAULT, "tags", b'{"a":1}', BAD_VALUE),
        (VAULT, "tags", b"{}", ABSENT),
        (VAULT, "tags", b"null", ABSENT),
        (APPLICATION, "name", b'"\\u202e##[error]\\u0000=cmd"', "\u202e##[error]\0=cmd"),
        (APPLICATION, "name", b"12", BAD_VALUE),
    ],
)
def test_a_wire_value(table: Table, column: str, wire: bytes, expected: object) -> None:
    found = put(table, column, Raw(wire))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        (KEY, "expires_on", ABSENT),
        (KEY, "managed", False),
        (KEY, "exportable", False),
        (KEY, "enabled", BAD_BODY),
        (KEY, "kty", BAD_BODY),
        (VAULT, "access_model", "access-policy"),
        (VAULT, "purge_protection", False),
        (VAULT, "soft_delete", BAD_BODY),
        (APPLICATION, "name", BAD_BODY),
        (CREDENTIAL, "expires_on", BAD_BODY),
    ],
)
def test_a_member_left_out_means_what_the_table_says_and_nothing_else(table: Table, column: str, expected: object) -> None:
    assert put(table, column, UNSET) == expected


def test_a_left_out_member_is_unknown_in_every_column_that_does_not_say_otherwise() -> None:
    for table in TABLES.values():
        for column in table.stored:
            expected = BAD_BODY if column.left_out is None else column.left_out.fixed
            assert put(table, column.name, UNSET) == (ABSENT if expected is None else expected), (table.name, column.name)


def test_a_row_of_which_something_was_not_said_is_a_bug() -> None:
    row = begun(VAULT)
    with pytest.raises(AssertionError, match="soft_delete"):
        row.finish()
    with pytest.raises(KeyError):
        row.refuse(("no_such_column",), Reason.PERMISSION)
    with pytest.raises(TypeError):
        row.put("soft_delete", "yes")


def test_a_finished_row_has_a_value_or_a_reason_and_never_both() -> None:
    row = begun(VAULT)
    row.refuse([column.name for column in VAULT.stored if column.operations], Reason.PERMISSION)
    for column, value in {"subscription_id": "x", "resource_group": "x", "kind": "key-vault", "sku": "premium"}.items():
        row.put(column, value)
    row.put_read("location", Refusal(Reason.FIREWALL))
    row.put("tags", None)
    found = row.finish()
    assert found["id"] == "/x"
    assert found["resource_id"] == "/X"
    assert found["sku"] == "premium"
    unknown = found["unknown"]
    assert isinstance(unknown, dict)
    assert unknown["location"] == "firewall"
    assert unknown["vault_uri"] == "permission"
    assert {"sku", "tags"}.isdisjoint(unknown)
    assert set(found) == {column.name for column in VAULT.stored} | {"unknown"}
    assert all(found[column] is None for column in unknown)


class Item(Struct, rename="camel"):
    """An answer with one member that is copied under a name of its own, and one that is not copied."""

    content_type: Raw | UnsetType = UNSET
    version: Raw | UnsetType = UNSET


SECRETS = wired(SECRET)(Item)
ATTRIBUTES = wired(SECRET, "attributes")(Struct)


def test_a_row_is_filled_from_the_members_that_its_columns_name_and_from_nothing_else() -> None:
    row = begun(SECRET)
    row.fill(json.decode(b'{"contentType": "text", "managed": true, "tags": {"A": "b"}, "version": "1"}', type=SECRETS))
    copied = {name: row.values[name] for name in ("content_type", "managed", "tags")}
    assert copied == {"content_type": "text", "managed": True, "tags": {"a": "b"}}
    assert {"version", "enabled", "created_on"}.isdisjoint((*row.values, *row.unknown))
    row.fill(json.decode(b'{"enabled": true, "nbf": 5, "exp": null}', type=ATTRIBUTES), "attributes")
    known = {name: row.values[name] for name in ("enabled", "activates_on", "expires_on", "content_type")}
    assert known == {"enabled": True, "activates_on": 5, "expires_on": None, "content_type": "text"}


@pytest.mark.parametrize(("found", "expected"), [(Refusal(Reason.FIREWALL), Reason.FIREWALL), (None, None)])
def test_what_could_not_be_read_leaves_its_own_members_unknown_and_what_is_null_leaves_them_absent(
    found: Refusal | None, expected: Reason | None
) -> None:
    row = begun(FEDERATED_DOMAIN)
    row.fill(found, "signingCertificateUpdateStatus")
    named = ("update_result", "updated_on")
    assert (row.unknown if expected else {name: row.values[name] for name in named}) == dict.fromkeys(named, expected)
    assert "issuer_uri" not in (*row.values, *row.unknown)


def test_columns_that_are_set_together_are_each_known_absent_or_unknown_by_themselves() -> None:
    row = begun(SECRET)
    row.put_all(name="s", content_type=None, managed=Refusal(Reason.PERMISSION), enabled=raw("yes"))
    assert (row.values["name"], row.values["content_type"]) == ("s", None)
    assert row.unknown == {"managed": Reason.PERMISSION, "enabled": BAD_VALUE}


class Point(Struct):
    """Something with a member that has to be there."""

    x: int


@pytest.mark.parametrize(
    ("wire", "reason"),
    [(UNSET, BAD_BODY), (raw(None), BAD_VALUE), (raw([]), BAD_VALUE), (raw({}), BAD_VALUE), (raw({"x": "1"}), BAD_VALUE)],
)
def test_what_cannot_be_read_is_refused(wire: Raw, reason: Reason) -> None:
    assert read(wire, Point) == Refusal(reason)


def test_reading() -> None:
    assert read(raw({"x": 1}), Point) == Point(1)
    assert read(Raw(b"[" * 100_000), list[Raw]) == Refusal(BAD_VALUE)
    assert is_null(Raw(b" null "))
    assert not is_null(UNSET)
    assert not is_null(raw("null"))


def finished(table: Table, **columns: object) -> tuple[dict[str, object], dict[str, str]]:
    """The values and reasons of a finished row that has these columns, and was refused all others."""
    row = begun(table)
    row.refuse((column.name for column in table.stored if column.can_be_unknown), Reason.PERMISSION)
    for column in table.stored:
        if not column.can_be_unknown and column.name not in row.values:
            row.put(column.name, {Type.TEXT: "text", Type.TIME: None}.get(column.type, False))
    for name, value in columns.items():
        row.put(name, value)
    made = row.finish()
    unknown = made.pop("unknown")
    assert isinstance(unknown, dict)
    return made, unknown


NULL = Raw(b"null")
ABSENCES: list[tuple[Table, str, dict[str, object], Reason | None]] = [
    (CREDENTIAL, "starts_on", {"kind": "federated"}, None),
    (CREDENTIAL, "starts_on", {"kind": "password"}, BAD_VALUE),
    (CREDENTIAL, "starts_on", {"kind": "certificate"}, BAD_VALUE),
    (CREDENTIAL, "starts_on", {}, Reason.PERMISSION),
    (CREDENTIAL, "expires_on", {"kind": "password"}, None),
    (CREDENTIAL, "issuer", {"kind": "federated"}, BAD_VALUE),
    (CREDENTIAL, "issuer", {"kind": "password"}, None),
    (SERVICE_PRINCIPAL, "home_tenant", {"principal_type": "ManagedIdentity"}, None),
    (SERVICE_PRINCIPAL, "home_tenant", {"principal_type": "Application"}, BAD_VALUE),
    (SERVICE_PRINCIPAL, "home_tenant", {"principal_type": "SomethingNew"}, Reason.UNRECOGNISED),
    (SERVICE_PRINCIPAL, "home_tenant", {}, Reason.PERMISSION),
    (DELETED, "enabled", {"kind": "vault"}, None),
    (DELETED, "enabled", {"kind": "managed-hsm"}, None),
    (DELETED, "enabled", {"kind": "key"}, BAD_VALUE),
    (KEY, "auto_rotates", {"managed": True}, None),
    (KEY, "auto_rotates", {"managed": False}, BAD_VALUE),
    (KEY, "key_size", {"kty": "EC"}, None),
    (KEY, "key_size", {"kty": "RSA-HSM"}, BAD_VALUE),
]


@pytest.mark.parametrize(("table", "column", "others", "reason"), ABSENCES)
def test_a_null_is_absent_only_in_the_rows_that_the_declaration_names(
    table: Table, column: str, others: dict[str, object], reason: Reason | None
) -> None:
    # The order in which a collector fills columns decides nothing.
    for columns in ({**others, column: NULL}, {column: NULL, **others}):
        values, unknown = finished(table, **columns)
        assert values[column] is None
        assert unknown.get(column) == reason


TENANT = "3f6c2f6e-0000-4000-8000-00000000bbbb"


def test_a_column_that_is_absent_in_no_row_at_hand_needs_no_condition() -> None:
    values, unknown = finished(SERVICE_PRINCIPAL, principal_type="Application", home_tenant=TENANT)
    assert (values["home_tenant"], "home_tenant" in unknown) == (TENANT, False)


def test_what_names_another_thing_than_any_that_there_is_is_no_value() -> None:
    values, unknown = finished(SERVICE_PRINCIPAL, home_tenant="not-a-guid", app_id=TENANT.upper())
    assert (unknown["home_tenant"], values["home_tenant"]) == ("bad_value", None)
    assert (values["app_id"], "app_id" in unknown) == (TENANT.upper(), False)
