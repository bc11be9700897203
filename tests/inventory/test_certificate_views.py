"""Derived columns of certificates and secrets, and the certificate that a managed key or secret backs."""

from typing import Any

import pytest

from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY, MAX_TIME
from tests.inventory.sample import AS_OF, TENANT, Found, Row, assessed, key, row, seen, vault, vault_scope

KV = vault_scope("kv")
READ = assessed(KV, "certificate.list", "certificate.versions", "secret.list", "secret.versions")
PERMISSION, BAD, NOT_KNOWN = Reason.PERMISSION, Reason.BAD_VALUE, Reason.UNRECOGNISED
KEY_ID = "https://kv.vault.azure.net/keys/k"
SECRETS_NAMED = assessed(TENANT, "subscription.list", "secret_use.query")


def certificate(version: str, **values: Any) -> Row:
    id_ = "https://kv.vault.azure.net/certificates/c"
    defaults: Row = {
        "certificate_id": id_,
        "version": version,
        "vault_id": KV.id,
        "enabled": True,
        "is_current": False,
        "versions_listed": True,
        "kty": "RSA",
    }
    return row("certificate", f"{id_}/{version}", **(defaults | values))


def secret(version: str, **values: Any) -> Row:
    id_ = "https://kv.vault.azure.net/secrets/s"
    defaults: Row = {"secret_id": id_, "version": version, "vault_id": KV.id, "enabled": True, "versions_listed": True}
    return row("secret", f"{id_}/{version}", **(defaults | values))


def derive(table: str, **rows: list[Row]) -> dict[str, Found]:
    """The view's rows by version."""
    found = seen(table, {"vault": [vault()], **rows}, {KV: READ, TENANT: SECRETS_NAMED})
    return {each["id"].rpartition("/")[2]: each for each in found}


def told(found: Found, column: str) -> tuple[object, object]:
    return found[column], found["unknown"].get(column)


@pytest.mark.parametrize(
    ("written", "read", "reason"),
    [
        ("application/x-pkcs12", "application/x-pkcs12", None),
        ("Application/X-PKCS12", "application/x-pkcs12", None),
        ("application/x-pem-file; charset=utf-8", "application/x-pem-file", None),
        (" text/plain ", "text/plain", None),
        (None, None, None),
        (BAD, None, "bad_value"),
    ],
)
def test_a_content_type_is_the_same_media_type_however_it_is_written(written: object, read: object, reason: object) -> None:
    found = derive("secret", secret=[secret("1", content_type=written)])
    assert told(found["1"], "media_type") == (read, reason)


def on_key(**values: Any) -> Row:
    return key("1", **({"kty": "RSA", "custody": "software"} | values))


@pytest.mark.parametrize(
    ("kty", "held", "custody", "reason"),
    [
        ("RSA", None, "software", None),
        ("EC-HSM", None, "vault-hsm", None),
        ("oct", None, None, "unrecognised"),
        (BAD, None, None, "bad_value"),
        # The key itself knows best.
        ("RSA", {"custody": "vault-hsm"}, "vault-hsm", None),
        (BAD, {"custody": "vault-hsm"}, "vault-hsm", None),
        # Not to be allowed to see the key is no reason not to believe the policy, which names its type.
        ("RSA-HSM", {"custody": PERMISSION}, "vault-hsm", None),
        (BAD, {"custody": PERMISSION}, None, "permission"),
        # But where the key contradicts itself, nothing is believed.
        ("RSA", {"custody": NOT_KNOWN}, None, "unrecognised"),
    ],
)
def test_custody_is_the_keys_own_else_by_its_type(
    kty: object, held: dict[str, object] | None, custody: object, reason: object
) -> None:
    keys = [] if held is None else [on_key(**held)]
    found = derive("certificate", certificate=[certificate("1", kty=kty, key_version_id=f"{KEY_ID}/1")], key=keys)
    assert told(found["1"], "custody") == (custody, reason)


@pytest.mark.parametrize(
    ("columns", "renews_on", "reason"),
    [
        ({"auto_renews": False, "renews_before_expiry": 30 * DAY}, None, None),
        ({"renews_before_expiry": 30 * DAY}, AS_OF + 70 * DAY, None),
        ({"renews_at_percentage": 80}, AS_OF + 60 * DAY, None),
        ({"renews_before_expiry": 30 * DAY, "renews_at_percentage": 80}, AS_OF + 60 * DAY, None),
        ({"renews_before_expiry": 60 * DAY, "renews_at_percentage": 80}, AS_OF + 40 * DAY, None),
        ({"renews_before_expiry": 30 * DAY, "expires_on": BAD}, None, "bad_value"),
        ({"renews_before_expiry": 30 * DAY, "activates_on": BAD}, AS_OF + 70 * DAY, None),
        ({"renews_at_percentage": 80, "activates_on": BAD}, None, "bad_value"),
        (
            {"auto_renews": PERMISSION, "renews_before_expiry": PERMISSION, "renews_at_percentage": PERMISSION},
            None,
            "permission",
        ),
        ({"auto_renews": False, "renews_before_expiry": BAD}, None, None),
        ({"renews_before_expiry": MAX_TIME, "expires_on": -MAX_TIME}, -MAX_TIME, None),
        # Asked for, and not issued: nothing is there to renew.
        ({"renews_before_expiry": 30 * DAY, "expires_on": None, "activates_on": None}, None, None),
    ],
)
def test_a_renewal_comes_at_the_first_of_its_triggers(columns: dict[str, object], renews_on: object, reason: object) -> None:
    defaults = {"auto_renews": True, "activates_on": AS_OF - 100 * DAY, "expires_on": AS_OF + 100 * DAY}
    found = derive("certificate", certificate=[certificate("1", **(defaults | columns))])
    assert told(found["1"], "renews_on") == (renews_on, reason)


def test_superseded_versions_are_counted_as_those_of_keys_are() -> None:
    versions = [
        certificate("1", is_current=True),
        certificate("2", created_on=AS_OF - 50 * DAY),
        certificate("3", created_on=AS_OF - 90 * DAY),
        certificate("4", enabled=False, created_on=AS_OF - 900 * DAY),
        certificate("5", enabled=PERMISSION, created_on=AS_OF - 10 * DAY),
    ]
    found = derive("certificate", certificate=versions)["1"]
    assert (found["superseded_enabled_min"], found["superseded_enabled_max"]) == (2, 3)
    assert told(found, "oldest_superseded_on") == (AS_OF - 90 * DAY, None)
    assert found["unknown"]["superseded_enabled"] == "permission"


@pytest.mark.parametrize(
    ("current", "before", "overdue_on", "reason"),
    [
        ({"created_on": AS_OF - 10 * DAY}, [AS_OF - 100 * DAY, AS_OF - 900 * DAY], AS_OF + 89 * DAY, None),
        ({"created_on": AS_OF - 10 * DAY}, [], None, None),
        ({"created_on": AS_OF - 10 * DAY}, [AS_OF - 10 * DAY], None, None),
        ({"created_on": AS_OF, "is_current": False}, [AS_OF - 100 * DAY], None, None),
        ({"created_on": BAD}, [AS_OF - 100 * DAY], None, "bad_value"),
        ({"created_on": AS_OF}, [AS_OF - 100 * DAY, PERMISSION], None, "permission"),
        # No time that can be stored is later.
        ({"created_on": MAX_TIME}, [-MAX_TIME], MAX_TIME, None),
    ],
)
def test_a_renewal_is_overdue_a_tenth_after_the_time_that_the_last_one_took(
    current: dict[str, object], before: list[object], overdue_on: object, reason: object
) -> None:
    rows = [certificate(f"{nth}", created_on=on) for nth, on in enumerate(before)]
    found = derive("certificate", certificate=[certificate("new", **({"is_current": True} | current)), *rows])["new"]
    assert told(found, "renewal_overdue_on") == (overdue_on, reason)


NEXT_YEAR = AS_OF + 365 * DAY


@pytest.mark.parametrize(
    ("earlier", "still", "reason"),
    [
        ({}, True, None),
        ({"exportable": False}, False, None),
        ({"enabled": False}, False, None),
        # Key Vault gives the secret of an expired version, too.
        ({"expires_on": AS_OF - DAY}, True, None),
        ({"is_current": True}, False, None),
        # A later change of the policy hides what the version was made with; a key in an HSM is never exportable.
        ({"exportable": Reason.NOT_SUPPLIED}, None, "not_supplied"),
        ({"exportable": Reason.NOT_SUPPLIED, "kty": "RSA-HSM"}, False, None),
        ({"exportable": Reason.NOT_SUPPLIED, "enabled": False}, False, None),
        ({"enabled": PERMISSION}, None, "permission"),
    ],
)
def test_an_earlier_version_that_can_be_downloaded_is_told_until_it_is_disabled(
    earlier: dict[str, object], still: object, reason: object
) -> None:
    rows = [
        certificate("2", is_current=True, exportable=False, expires_on=NEXT_YEAR),
        certificate("1", **({"exportable": True, "expires_on": NEXT_YEAR} | earlier)),
    ]
    found = derive("certificate", certificate=rows)["2"]
    assert told(found, "superseded_exportable") == (still, reason)
    named = ["1"] if still else None if reason else []
    assert told(found, "superseded_exportable_versions") == (named, reason)
    unexpired = still and earlier.get("expires_on", NEXT_YEAR) == NEXT_YEAR
    assert told(found, "superseded_exportable_unexpired") == (unexpired, reason)


def test_an_earlier_version_may_be_missing_from_the_list() -> None:
    current = certificate("2", is_current=True, exportable=False, expires_on=NEXT_YEAR, versions_listed=PERMISSION)
    found = derive("certificate", certificate=[current])["2"]
    assert told(found, "superseded_exportable") == (None, "permission")


def test_without_the_whole_list_of_versions_their_number_has_no_bound() -> None:
    found = derive("secret", secret=[secret("1", is_current=PERMISSION, versions_listed=PERMISSION)])["1"]
    assert (found["superseded_enabled_min"], found["superseded_enabled_max"]) == (0, None)
    assert found["unknown"].keys() == {"is_current", "versions_listed", "superseded_enabled", "oldest_superseded_on"}


@pytest.mark.parametrize("table", ["certificate", "secret"])
def test_the_environment_is_its_own_else_its_vaults(table: str) -> None:
    make = {"certificate": certificate, "secret": secret}[table]
    rows = {table: [make("1", tags={"env": "Prod"}), make("2"), make("3", tags=BAD)], "vault": [vault(tags={"env": "test"})]}
    found = derive(table, **rows)
    assert [told(found[version], "environment") for version in "123"] == [("prod", None), ("test", None), (None, "bad_value")]


def test_a_managed_key_and_secret_name_the_certificate_that_they_back() -> None:
    keys = [key("1", managed=True), key("2", name="own"), key("3", name="dark", managed=Reason.CONTROL_PLANE_ONLY)]
    found = derive("key", key=keys)
    assert told(found["1"], "certificate_id") == ("https://kv.vault.azure.net/certificates/k", None)
    assert told(found["2"], "certificate_id") == (None, None)
    assert told(found["3"], "certificate_id") == (None, "control_plane_only")


def test_a_managed_secret_names_its_certificate() -> None:
    found = derive("secret", secret=[secret("1", managed=True), secret("2")])
    assert [found[version]["certificate_id"] for version in "12"] == ["https://kv.vault.azure.net/certificates/s", None]


CODE, SERVER, CLIENT, ANY = "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"


@pytest.mark.parametrize(
    ("columns", "purpose", "reason"),
    [
        ({"is_ca": True, "ekus": [SERVER]}, "ca", None),
        ({"is_ca": True, "ekus": BAD}, "ca", None),
        ({"ekus": [SERVER, CODE, ANY]}, "code-signing", None),
        ({"ekus": None}, "any", None),
        ({"ekus": [ANY, SERVER]}, "any", None),
        ({"ekus": [CLIENT, SERVER]}, "server", None),
        ({"ekus": [CLIENT]}, "client", None),
        ({"ekus": ["1.3.6.1.5.5.7.3.4"]}, "other", None),
        ({"ekus": BAD}, None, "bad_value"),
        ({"is_ca": PERMISSION, "ekus": PERMISSION}, None, "permission"),
        ({"is_ca": None, "ekus": None}, None, None),
    ],
)
def test_the_purpose_is_the_first_that_holds(columns: dict[str, object], purpose: object, reason: object) -> None:
    found = derive("certificate", certificate=[certificate("1", **({"is_ca": False} | columns))])
    assert told(found["1"], "purpose") == (purpose, reason)


@pytest.mark.parametrize(
    ("columns", "public", "reason"),
    [
        ({"issuer_name": "digicert"}, True, None),
        ({"issuer_name": "Self"}, False, None),
        ({"issuer_name": "Unknown"}, False, None),
        ({"issuer_name": None}, False, None),
        ({"issuer_name": PERMISSION}, None, "permission"),
        ({"issuer_name": PERMISSION, "ekus": [CLIENT]}, False, None),
        ({"issuer_name": "digicert", "ekus": [CLIENT]}, False, None),
        ({"issuer_name": "digicert", "ekus": BAD}, None, "bad_value"),
        ({"issuer_name": "digicert", "is_ca": None, "ekus": None}, None, None),
        ({"issuer_name": "Unknown", "public_ca_marks": ["2.23.140.1.2.1"]}, True, None),
        ({"issuer_name": None, "public_ca_marks": ["1.3.6.1.4.1.11129.2.4.2"]}, True, None),
        ({"issuer_name": PERMISSION, "public_ca_marks": ["2.23.140.1.2.1"]}, True, None),
        ({"issuer_name": "Unknown", "public_ca_marks": PERMISSION}, None, "permission"),
        ({"issuer_name": "digicert", "public_ca_marks": PERMISSION}, True, None),
        ({"issuer_name": "Unknown", "public_ca_marks": ["2.23.140.1.2.1"], "ekus": [CLIENT]}, False, None),
    ],
)
def test_public_tls_is_a_servers_of_a_ca_that_the_vault_asks_or_that_says_so_itself(
    columns: dict[str, object], public: object, reason: object
) -> None:
    found = derive("certificate", certificate=[certificate("1", **({"is_ca": False, "ekus": [SERVER]} | columns))])
    assert told(found["1"], "public_tls") == (public, reason)
