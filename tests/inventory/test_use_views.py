"""What is said of single uses: who did them where the baseline knows it, and to whose application."""

from typing import Any

import pytest
from msgspec import structs

from keyaudit.model.reasons import Reason
from keyaudit.model.tables.usage import USER_SIGN_IN_LOG
from tests.inventory.sample import RUN, TENANT, Row, fetch, in_memory, row, vault
from tests.inventory.test_usage_views import KEY, NOT_SHOWN, PERMISSION, READ, WHOLE, ago, log, used, usual, views


def test_uses_stay_where_service_principals_were_never_listed() -> None:
    unlisted = {scope: [each for each in of if each.operation != "service_principal.list"] for scope, of in READ.items()}
    rows = {"vault": [vault()], "usage": [used(20, principal_id="p", actor_app_id="a")], "usage_log": WHOLE}
    run = structs.replace(RUN, evidence={"logs": "0" * 64})
    with in_memory(rows, unlisted, "usage", run=run, columns={"usage": ["actor_environment"]}) as connection:
        [found] = fetch(connection, "SELECT actor_environment, unknown FROM usage WHERE name IS NULL")
    assert (found["actor_environment"], found["unknown"]["actor_environment"]) == (None, "interrupted")  # type: ignore[index]


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (used(1), True),
        (used(1, target_id=f"{KEY}/2"), True),
        (used(1, "decrypt"), False),
        (used(1, actor_app_id="stranger"), False),
        (used(1, target_id="https://kv.vault.azure.net/keys/other/1"), False),
        # Known with this operation on another kind of target alone, and as a client alone.
        (used(1, "read-mail"), False),
        (used(1, actor_app_id="client"), False),
        (used(1, actor_app_id=PERMISSION), "permission"),
        (used(1, target_id=PERMISSION), "permission"),
    ],
)
def test_a_use_is_expected_if_its_application_did_the_same_with_the_same_before(use: Row, expected: object) -> None:
    known = [
        usual("sign", "app"),
        usual("decrypt", "other"),
        usual("read-mail", "app", target_kind="mailbox"),
        usual("sign", "app", client="client"),
    ]
    [found] = views("usage", {"usage": [use], "usage_log": WHOLE, "usage_baseline": known})
    assert found["unknown"].get("expected", found["expected"]) == expected


def test_an_application_that_the_baseline_does_not_name_may_be_any() -> None:
    uses, known = [used(1), used(2, "verify", actor_app_id="stranger")], [usual("sign", PERMISSION), usual("sign", "app")]
    for baseline, signed in (known, True), (known[:1], "permission"):
        found = views("usage", {"usage": uses, "usage_log": WHOLE, "usage_baseline": baseline})
        told = {each["operation"]: each["unknown"].get("expected", each["expected"]) for each in found}
        assert told == {"sign": signed, "verify": False}


def test_a_log_whose_end_is_unknown_may_go_on_until_now() -> None:
    logs = [log(500, last=9, source="OfficeActivity"), {**log(500), "last_on": None, "unknown": {"last_on": PERMISSION}}]
    uses = [used(20), used(21, "read-mail", source="OfficeActivity", target_kind="mailbox", target_id="x")]
    found = views("usage", {"usage": uses, "usage_log": logs})
    told = {each["operation"]: each["unknown"].get("logs_until", each["logs_until"]) for each in found}
    assert told == {"sign": "permission", "read-mail": ago(8)}


def test_a_use_by_no_application_is_expected_if_there_was_one_before() -> None:
    changed = {"target_kind": "application", "target_id": "x", "actor_app_id": None}
    uses = [used(1, actor_app_id=None), used(2, "add-credential", principal_id=PERMISSION, **changed)]
    for known, first in ([usual("sign", None)], True), ([usual("sign", "app")], False):
        found = views("usage", {"usage": uses, "usage_log": WHOLE, "usage_baseline": known})
        told = {each["operation"]: each["unknown"].get("expected", each["expected"]) for each in found}
        assert told == {"sign": first, "add-credential": "permission"}


@pytest.mark.parametrize(
    ("use", "home"),
    [
        (used(1, "add-credential", target_kind="application", target_id="x"), "own"),
        (used(1, "add-credential", target_kind="service-principal", target_id="sp"), "foreign"),
        (used(1, "remove-credential", target_kind="service-principal", target_id="odd"), "bad_value"),
        (used(1, "add-service-principal", target_kind="service-principal", target_id="gone"), "not_visible"),
        (used(1, "add-credential", target_kind="service-principal", target_id=PERMISSION), "permission"),
        (used(1, "sign"), None),
    ],
)
def test_whose_a_credential_was_added_to_is_known_of_principals_that_are_there(use: Row, home: object) -> None:
    there = [
        row("service_principal", f"{TENANT.id}/serviceprincipals/{name}", scope_id=TENANT.id, home=of)
        for name, of in (("sp", "foreign"), ("odd", Reason.BAD_VALUE))
    ]
    [found] = views("usage", {"usage": [use], "usage_log": WHOLE, "service_principal": there})
    assert found["unknown"].get("target_home", found["target_home"]) == home


def signed(days: float, app: object = "app", **values: Any) -> Row:
    """A sign-in of a user at an application by SAML."""
    given: dict[str, Any] = {"source": USER_SIGN_IN_LOG, "target_kind": "application", "target_id": app, "scope_id": TENANT.id}
    return used(days, "saml-sign-in", **(given | values))


SAML_LOG = [log(500, logged=TENANT.id, source=USER_SIGN_IN_LOG)]


@pytest.mark.parametrize(
    ("values", "uses", "logs", "expected"),
    [
        # It expired 100 days ago.
        ({}, [signed(99)], SAML_LOG, True),
        ({}, [signed(99), signed(200)], [], True),
        ({"app_id": "APP"}, [signed(99)], [], True),
        ({}, [signed(101)], SAML_LOG, False),
        ({}, [], SAML_LOG, False),
        ({}, [signed(99, "other"), signed(99, succeeded=False), signed(99) | {"operation": "sign-in"}], SAML_LOG, False),
        # A log may lack the use, and a record may not tell the application or the result.
        ({}, [], [], "not_supplied"),
        ({}, [signed(101)], [log(99, logged=TENANT.id, source=USER_SIGN_IN_LOG)], "not_supplied"),
        ({}, [], [log(500, logged=TENANT.id)], "not_supplied"),
        ({}, [signed(99, succeeded=NOT_SHOWN)], SAML_LOG, "not_supplied"),
        ({}, [signed(99, succeeded=NOT_SHOWN), signed(200, succeeded=NOT_SHOWN)], SAML_LOG, "not_supplied"),
        ({}, [signed(99, PERMISSION)], SAML_LOG, "permission"),
        ({}, [signed(101, PERMISSION), signed(101, succeeded=NOT_SHOWN)], SAML_LOG, False),
        # What cannot be used after it expired needs no log.
        *(({name: of}, [signed(99)], [], False) for name, of in (("kind", "federated-domain"), ("active", False))),
        ({"expires_on": None}, [signed(99)], [], False),
        *(({name: PERMISSION}, [signed(99)], SAML_LOG, "permission") for name in ("kind", "active", "expires_on", "app_id")),
    ],
)
def test_a_saml_certificate_was_used_after_it_expired(
    values: dict[str, Any], uses: list[Row], logs: list[Row], expected: object
) -> None:
    made = {"kind": "saml", "active": True, "expires_on": ago(100), "app_id": "app", "scope_id": TENANT.id} | values
    rows = {"signing_certificate": [row("signing_certificate", "c", **made)], "usage": uses, "usage_log": logs}
    [found] = views("signing_certificate", rows)
    assert found["unknown"].get("used_after_expiry", found["used_after_expiry"]) == expected
