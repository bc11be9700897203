"""Derived columns: what is certain, what is only bounded, and what is unknown with which reason."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key_use import USES_FOUND
from keyaudit.model.values.times import DAY
from tests.inventory.sample import (
    AS_OF,
    TENANT,
    Found,
    Row,
    application,
    assessed,
    credential,
    fetch,
    in_memory,
    key,
    refused,
    seen,
    unread_credential,
    vault,
    vault_scope,
)

KV = vault_scope("kv")
READ = assessed(KV, "key.list", "key.versions") + assessed(TENANT, *USES_FOUND)
DIRECTORY = assessed(TENANT, "application.list", "service_principal.list")
PERMISSION, FIREWALL, BAD = Reason.PERMISSION, Reason.FIREWALL, Reason.BAD_VALUE


def derive(table: str, rows: dict[str, list[Row]], coverage: list[Coverage]) -> dict[str, Found]:
    """The view's rows by id."""
    by_scope = {scope: [record for record in coverage if record.scope == scope] for scope in (KV, TENANT)}
    return {str(found["id"]): found for found in seen(table, rows, by_scope)}


def only(table: str, rows: dict[str, list[Row]], coverage: list[Coverage]) -> Found:
    """The view's row with the least id."""
    return min(derive(table, rows, coverage).items())[1]


ENVIRONMENTS = [
    ({"env": "Prod"}, "prod", None),
    ({"environment": "Test"}, "test", None),
    ({"env": "dev", "environment": "prod"}, "dev", None),
    ({"owner": "x"}, None, None),
    ({}, None, None),
    (None, None, None),
    (BAD, None, "bad_value"),
]


@pytest.mark.parametrize(("tags", "environment", "reason"), ENVIRONMENTS)
def test_a_vault_has_the_environment_of_its_tag(tags: object, environment: object, reason: object) -> None:
    found = only("vault", {"vault": [vault(tags=tags)]}, READ)
    assert (found["environment"], found["unknown"].get("environment")) == (environment, reason)


KEY_ENVIRONMENTS = [
    ({"env": "Dev"}, {"env": "prod"}, "dev", None),
    ({"environment": "dev"}, {"env": "prod"}, "dev", None),
    ({"owner": "x"}, {"env": "PROD"}, "prod", None),
    (None, {"env": "prod"}, "prod", None),
    (None, None, None, None),
    # What the key's own tags would say comes first, so that the vault's cannot stand in for them.
    (PERMISSION, {"env": "prod"}, None, "permission"),
    (None, BAD, None, "bad_value"),
    # The key's own tag decides, with any tags of the vault.
    ({"env": "dev"}, BAD, "dev", None),
]


@pytest.mark.parametrize(("own", "of_vault", "environment", "reason"), KEY_ENVIRONMENTS)
def test_a_key_has_its_own_environment_else_its_vaults(
    own: object, of_vault: object, environment: object, reason: object
) -> None:
    rows = {"vault": [vault(tags=of_vault)], "key": [key("1", tags=own)]}
    found = only("key", rows, READ)
    assert (found["environment"], found["unknown"].get("environment")) == (environment, reason)


@pytest.mark.parametrize(("own", "reason"), [(None, "parent_not_assessed"), ({"env": "dev"}, None)])
def test_a_key_whose_vault_was_not_read_has_no_certain_environment_but_its_own(own: object, reason: object) -> None:
    found = only("key", {"key": [key("1", tags=own)]}, READ)
    assert found["unknown"].get("environment") == reason


def of_its_own(found: Found) -> dict[str, str]:
    """Why columns of a key are unknown, but those that rest on its vault and on who can use it."""
    of_others = {
        "audit_retention",
        "vault_access_model",
        "vault_sku",
        "user_environments",
        "user_subscriptions",
        "blast_radius",
    }
    unknown: Any = found["unknown"]
    return {name: reason for name, reason in unknown.items() if name not in of_others}


@pytest.mark.parametrize(
    ("key_ops", "purpose"),
    [
        (["sign", "verify"], "sign"),
        (["decrypt", "sign"], "sign"),
        (["decrypt"], "wrap"),
        (["encrypt", "unwrapKey"], "wrap"),
        (["verify", "encrypt", "wrapKey"], "public"),
        (["import"], "wrap"),
        (["verify", "deriveKey", "sign"], "sign"),
        (Reason.CONTROL_PLANE_ONLY, None),
    ],
)
def test_purpose_is_the_gravest_thing_that_a_key_can_do(key_ops: object, purpose: object) -> None:
    found = only("key", {"key": [key("1", key_ops=key_ops, tags={"env": "x"})]}, READ)
    assert found["purpose"] == purpose
    names = () if purpose else ("key_ops", "purpose", "signing_enabled", "oldest_signing_on")
    assert of_its_own(found) == dict.fromkeys(names, "control_plane_only")


@pytest.mark.parametrize("key_ops", [["deriveKey"], ["export"], ["verify", "deriveKey"], []])
def test_operations_that_show_no_purpose_are_not_public(key_ops: list[str]) -> None:
    found = only("key", {"key": [key("1", key_ops=key_ops, tags={"env": "x"})]}, READ)
    assert found["purpose"] is None
    assert of_its_own(found) == {"purpose": "unrecognised"}


NOT_LISTED = [refused(KV, "key.list", FIREWALL), *assessed(KV, "key.versions")]
NOT_ALL_VERSIONS = [*assessed(KV, "key.list"), refused(KV, "key.versions", PERMISSION, State.PARTIAL)]
SIGNS = ["sign"]
SIGNING: list[tuple[list[Row], list[Coverage], object, object]] = [
    ([key("1", key_ops=SIGNS)], READ, True, None),
    ([key("1", key_ops=SIGNS, enabled=False)], READ, False, None),
    ([key("1")], READ, False, None),
    ([], READ, False, None),
    # A certain signer decides, even if others are unknown.
    ([key("1", key_ops=SIGNS), key("2", key_ops=PERMISSION)], NOT_LISTED, True, None),
    ([key("1", key_ops=PERMISSION)], READ, None, "permission"),
    ([key("1", key_ops=SIGNS, enabled=BAD)], READ, None, "bad_value"),
    # Disabled, or not for signing: the unknown half does not matter.
    ([key("1", key_ops=PERMISSION, enabled=False)], READ, False, None),
    ([key("1", enabled=BAD)], READ, False, None),
    ([key("1")], NOT_LISTED, None, "firewall"),
    ([], NOT_LISTED, None, "firewall"),
    ([key("1")], NOT_ALL_VERSIONS, None, "permission"),
    ([], assessed(KV, "key.list"), None, "interrupted"),
    ([], [], None, "interrupted"),
]


@pytest.mark.parametrize(("keys", "coverage", "holds", "reason"), SIGNING)
def test_a_vault_holds_no_signing_key_only_if_all_its_keys_were_read(
    keys: list[Row], coverage: list[Coverage], holds: object, reason: object
) -> None:
    found = only("vault", {"vault": [vault()], "key": keys}, coverage)
    assert (found["holds_signing_key"], found["unknown"].get("holds_signing_key")) == (holds, reason)


def test_a_vaults_signing_keys_are_its_own() -> None:
    rows = {"vault": [vault("kv"), vault("other")], "key": [key("1", vault="other", key_ops=SIGNS)]}
    found = derive("vault", rows, READ)
    assert {id_.rpartition("/")[2]: row["holds_signing_key"] for id_, row in found.items()} == {"kv": False, "other": True}


CURRENT = key("9", is_current=True)
COUNTS: list[tuple[list[Row], tuple[int, int | None], object]] = [
    ([CURRENT], (0, 0), None),
    ([CURRENT, key("1"), key("2")], (2, 2), None),
    ([CURRENT, key("1"), key("2", enabled=False)], (1, 1), None),
    ([CURRENT, key("1"), key("2", enabled=BAD)], (1, 2), "bad_value"),
    ([CURRENT, key("1", is_current=PERMISSION)], (0, 1), "permission"),
    # Whether it is enabled is unknown, yet it is the current one; whether it is current is unknown, yet it is disabled.
    ([key("9", is_current=True, enabled=BAD), key("1")], (1, 1), None),
    ([CURRENT, key("1", is_current=PERMISSION, enabled=False)], (0, 0), None),
    ([CURRENT, key("1", versions_listed=PERMISSION)], (1, None), "permission"),
    ([CURRENT, key("1", versions_listed=False)], (1, None), "truncated"),
    ([CURRENT, key("1", name="other")], (0, 0), None),
]


@pytest.mark.parametrize(("keys", "bounds", "reason"), COUNTS)
def test_superseded_versions_are_counted_within_bounds(keys: list[Row], bounds: tuple[int, int | None], reason: object) -> None:
    rows = derive("key", {"vault": [vault()], "key": keys}, READ)
    of_key = [found for id_, found in rows.items() if "/keys/k/" in id_]
    # Every version of the key says the same.
    assert {(found["superseded_enabled_min"], found["superseded_enabled_max"]) for found in of_key} == {bounds}
    assert {found["unknown"].get("superseded_enabled") for found in of_key} == {reason}


def old(version: str, days: int, **values: Any) -> Row:
    return key(version, **({"created_on": AS_OF - days * DAY} | values))


OLDEST: list[tuple[list[Row], int | None, object]] = [
    ([CURRENT], None, None),
    ([CURRENT, old("1", 30), old("2", 40)], 40, None),
    ([CURRENT, old("1", 30), old("2", 40, enabled=False)], 30, None),
    ([old("9", 90, is_current=True), old("1", 30)], 30, None),
    # Made before the service kept dates: older than all that have one, and without a date.
    ([CURRENT, old("1", 30), old("2", 0, created_on=None)], None, None),
    ([CURRENT, old("1", 30), old("2", 0, created_on=BAD)], None, "bad_value"),
    ([CURRENT, old("1", 30, versions_listed=PERMISSION)], None, "permission"),
    # One that perhaps counts matters only if it would be the oldest.
    ([CURRENT, old("1", 30), old("2", 40, enabled=BAD)], None, "bad_value"),
    ([CURRENT, old("1", 30), old("2", 20, enabled=BAD)], 30, None),
    ([CURRENT, old("2", 20, enabled=BAD)], None, "bad_value"),
    ([CURRENT, old("1", 30), old("2", 0, created_on=None, is_current=PERMISSION)], None, "permission"),
]


@pytest.mark.parametrize(("keys", "days", "reason"), OLDEST)
def test_the_oldest_superseded_version_is_known_only_if_no_other_can_be_older(
    keys: list[Row], days: int | None, reason: object
) -> None:
    found = only("key", {"vault": [vault()], "key": keys}, READ)
    assert found["oldest_superseded_on"] == (None if days is None else AS_OF - days * DAY)
    assert found["unknown"].get("oldest_superseded_on") == reason


APPLICATIONS_REFUSED = [refused(TENANT, "application.list", PERMISSION), *assessed(TENANT, "service_principal.list")]
LIVE: list[tuple[list[Row], list[Coverage], tuple[int, int | None], object]] = [
    ([], DIRECTORY, (0, 0), None),
    ([credential("1", expires_on=AS_OF + 1), credential("2", kind="certificate")], DIRECTORY, (2, 2), None),
    ([credential("1", expires_on=AS_OF), credential("2", expires_on=AS_OF - 1)], DIRECTORY, (0, 0), None),
    ([credential("1", kind="federated", issuer="i", audiences=[])], DIRECTORY, (0, 0), None),
    ([credential("1"), credential("2", expires_on=BAD)], DIRECTORY, (1, 2), "bad_value"),
    ([credential("1", kind=BAD)], DIRECTORY, (0, 1), "bad_value"),
    ([credential("1", kind=BAD, expires_on=AS_OF - 1)], DIRECTORY, (0, 0), None),
    ([credential("1", kind="federated", issuer="i", audiences=[], expires_on=BAD)], DIRECTORY, (0, 0), None),
    ([credential("1", holder="b"), credential("2", on="service_principal")], DIRECTORY, (0, 0), None),
    # An application comes with its credentials, so that what else is in the list is of no matter.
    ([credential("1")], APPLICATIONS_REFUSED, (1, 1), None),
    ([credential("1"), unread_credential("b")], DIRECTORY, (1, 1), None),
    # Nobody knows how many the unread ones are.
    ([credential("1"), unread_credential()], DIRECTORY, (1, None), "bad_item"),
]


@pytest.mark.parametrize(("credentials", "coverage", "bounds", "reason"), LIVE)
def test_live_credentials_are_counted_within_bounds(
    credentials: list[Row], coverage: list[Coverage], bounds: tuple[int, int | None], reason: object
) -> None:
    rows = {"application": [application("a")], "credential": credentials}
    found = only("application", rows, coverage)
    assert (found["live_credentials_min"], found["live_credentials_max"]) == bounds
    assert found["unknown"].get("live_credentials") == reason


def test_credentials_live_or_not_as_of_the_day_that_is_asked_for() -> None:
    rows = {"application": [application("a")], "credential": [credential("1", expires_on=AS_OF)]}
    for as_of, live in ((AS_OF - 1, 1), (AS_OF, 0), (-DAY, 1)):
        with in_memory(rows, {TENANT: DIRECTORY}, "application", as_of=as_of) as connection:
            assert fetch(connection, "SELECT live_credentials_max AS live FROM application") == [{"live": live}]


ONE, OTHER = "C1" * 32, "C2" * 32


def certificate(key_id: str, digest: object = ONE, **values: Any) -> Row:
    """A certificate of the application `a`."""
    return credential(key_id, **{"kind": "certificate", "thumbprint_sha256": digest, **values})


def held(key_id: str, digest: object = ONE, **values: Any) -> Row:
    """A certificate of its service principal."""
    return certificate(key_id, digest, on="service_principal", **values)


NAMELESS: Row = {"key_id": None, "unknown": {"key_id": BAD}}
TWICE: list[tuple[list[Row], list[Coverage], object, object]] = [
    ([held("1")], DIRECTORY, False, None),
    ([held("1"), certificate("1")], DIRECTORY, True, None),
    ([held("1"), certificate("2")], DIRECTORY, True, None),
    # Who adds a certificate chooses its keyId and its thumbprint, and copies those of the application's.
    ([held("1"), certificate("1", OTHER)], DIRECTORY, False, None),
    ([held("1", thumbprint="AB"), certificate("1", OTHER, thumbprint="AB")], DIRECTORY, False, None),
    ([held("1"), certificate("1", holder="b")], DIRECTORY, False, None),
    # A service principal's other credentials are not the application's.
    ([held("1"), held("2")], DIRECTORY, False, None),
    ([held("1", BAD)], DIRECTORY, False, None),
    ([held("1", BAD), certificate("1")], DIRECTORY, None, "bad_value"),
    ([held("1"), certificate("1", BAD)], DIRECTORY, None, "bad_value"),
    ([held("1"), certificate("1", BAD), certificate("2")], DIRECTORY, True, None),
    ([held("1"), certificate("2", BAD, holder="b")], DIRECTORY, False, None),
    ([held("1"), credential("2") | NAMELESS], DIRECTORY, None, "bad_value"),
    # A credential belongs to its holder, even if its own value differs.
    ([held("1"), certificate("1", holder="b", app_id=BAD)], DIRECTORY, False, None),
    ([held("1"), certificate("1", app_id=BAD)], DIRECTORY, True, None),
    # Of a client secret, nothing shows that another one is the same.
    ([held("1", None, kind="password"), credential("1"), certificate("2", BAD)], DIRECTORY, False, None),
]
REGISTERED: list[tuple[list[Row], list[Row], list[Coverage], object, object]] = [
    ([], [held("1")], APPLICATIONS_REFUSED, None, "permission"),
    ([], [held("1")], assessed(TENANT, "service_principal.list"), None, "interrupted"),
    ([], [held("1", None, kind="password")], APPLICATIONS_REFUSED, False, None),
    ([application("a")], [held("1")], APPLICATIONS_REFUSED, False, None),
    ([application("a")], [held("1"), certificate("1")], APPLICATIONS_REFUSED, True, None),
    ([application("a")], [held("1", app_id=BAD), certificate("1")], DIRECTORY, None, "bad_value"),
    ([application("a"), application("b", app_id=BAD)], [held("1")], DIRECTORY, False, None),
    ([application("b", app_id=BAD)], [held("1")], DIRECTORY, None, "bad_value"),
    # The application of a service principal from another tenant is there.
    ([application("b", app_id=BAD)], [held("1", holder_home="foreign")], APPLICATIONS_REFUSED, False, None),
    ([application("b", app_id=BAD)], [held("1", holder_home=BAD)], DIRECTORY, None, "bad_value"),
]


@pytest.mark.parametrize(("credentials", "coverage", "twice", "reason"), TWICE)
def test_a_credential_is_on_the_application_too_or_not_or_nobody_knows(
    credentials: list[Row], coverage: list[Coverage], twice: object, reason: object
) -> None:
    held_by = {"application": [application("a"), application("b")], "credential": credentials}
    rows = derive("credential", held_by, coverage)
    found = rows[str(held("1")["id"])]
    assert (found["on_application_too"], found["unknown"].get("on_application_too")) == (twice, reason)


@pytest.mark.parametrize(("applications", "credentials", "coverage", "twice", "reason"), REGISTERED)
def test_other_applications_matter_only_while_its_own_is_not_found(
    applications: list[Row], credentials: list[Row], coverage: list[Coverage], twice: object, reason: object
) -> None:
    held_by = {"application": applications, "credential": credentials}
    rows = derive("credential", held_by, coverage)
    found = rows[str(held("1")["id"])]
    assert (found["on_application_too"], found["unknown"].get("on_application_too")) == (twice, reason)


def test_an_applications_own_credential_is_not_on_it_too() -> None:
    found = only("credential", {"credential": [credential("1")]}, APPLICATIONS_REFUSED)
    assert found["on_application_too"] is False
    assert "on_application_too" not in found["unknown"]


def test_derived_reasons_come_beside_the_stored_ones() -> None:
    stored = key("1", key_ops=PERMISSION, kty=PERMISSION, versions_listed=BAD, tags={"env": "x"})
    found = only("key", {"key": [stored]}, READ)
    assert of_its_own(found) == {
        "key_ops": "permission",
        "kty": "permission",
        "versions_listed": "bad_value",
        "purpose": "permission",
        "superseded_enabled": "bad_value",
        "oldest_superseded_on": "bad_value",
        "signing_enabled": "bad_value",
        "oldest_signing_on": "bad_value",
    }


@pytest.mark.parametrize(
    ("values", "rotates_on", "reason"),
    [
        ({}, None, None),
        ({"rotates_after": 90 * DAY, "created_on": AS_OF}, AS_OF + 90 * DAY, None),
        ({"rotates_before_expiry": 30 * DAY, "expires_on": AS_OF}, AS_OF - 30 * DAY, None),
        ({"rotates_before_expiry": 30 * DAY}, None, None),
        ({"rotates_after": 90 * DAY, "created_on": None}, None, None),
        (
            {"rotates_after": 90 * DAY, "created_on": AS_OF, "rotates_before_expiry": DAY, "expires_on": AS_OF + 9 * DAY},
            AS_OF + 8 * DAY,
            None,
        ),
        # At the bounds of what a time may be, and not over them.
        ({"rotates_after": 2**60, "created_on": AS_OF}, 2**60, None),
        ({"rotates_before_expiry": 2**60, "expires_on": -(2**60)}, -(2**60), None),
        # Of two dates, one is unknown: it may be the first.
        ({"rotates_after": DAY, "created_on": AS_OF, "rotates_before_expiry": DAY, "expires_on": BAD}, None, "bad_value"),
        ({"rotates_after": PERMISSION, "rotates_before_expiry": PERMISSION, "created_on": AS_OF}, None, "permission"),
        ({"rotates_after": 90 * DAY, "created_on": BAD}, None, "bad_value"),
        ({"rotates_before_expiry": DAY, "expires_on": BAD}, None, "bad_value"),
        ({"rotates_after": 90 * DAY, "created_on": AS_OF, "expires_on": BAD}, AS_OF + 90 * DAY, None),
    ],
)
def test_a_version_is_rotated_at_its_age_or_before_its_expiry(
    values: dict[str, Any], rotates_on: object, reason: object
) -> None:
    found = only("key", {"key": [key("1", **values)], "vault": [vault()]}, READ)
    assert (found["rotates_on"], found["unknown"].get("rotates_on")) == (rotates_on, reason)
