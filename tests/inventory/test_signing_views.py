"""Derived columns of token-signing certificates: certain, or unknown with the reason."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, fetch, in_memory, refused, row

LISTS = ("service_principal.list", "domain.federation", "external_federation.list")
READ = assessed(TENANT, *LISTS)
SOON, LATER = AS_OF + 30 * DAY, AS_OF + 300 * DAY


def certificate(name: str, kind: str = "saml", **values: Any) -> Row:
    held = {"kind": kind, "holder_id": "/holder", "scope_id": TENANT.id, "expires_on": SOON}
    return row("signing_certificate", f"/holder/{name}", **{**held, **values})


def successor(
    rows: list[Row], coverage: list[Coverage], column: str = "has_successor", **more: list[Row]
) -> tuple[object, object]:
    """What is said of the certificate `a`."""
    with in_memory(
        {"signing_certificate": rows, **more},
        {TENANT: coverage},
        "signing_certificate",
        columns={"signing_certificate": [column]},
    ) as connection:
        [found] = fetch(connection, "SELECT * FROM signing_certificate WHERE id = '/holder/a'")
    unknown = found["unknown"]
    assert isinstance(unknown, dict)
    return found[column], unknown.get(column)


@pytest.mark.parametrize(
    ("values", "other", "expected"),
    [
        ({}, None, (False, None)),
        ({}, {"expires_on": LATER}, (True, None)),
        ({}, {"expires_on": None}, (True, None)),
        ({}, {"expires_on": SOON}, (False, None)),
        ({}, {"expires_on": SOON - 1}, (False, None)),
        ({}, {"expires_on": LATER, "holder_id": "/another"}, (False, None)),
        ({}, {"expires_on": Reason.BAD_VALUE}, (None, "bad_value")),
        ({"expires_on": None}, {"expires_on": Reason.BAD_VALUE}, (False, None)),
        ({"expires_on": Reason.PERMISSION}, {"expires_on": LATER}, (None, "permission")),
    ],
)
def test_what_ends_later_succeeds(
    values: dict[str, Any], other: dict[str, Any] | None, expected: tuple[object, object]
) -> None:
    rows = [certificate("a", **values), *([certificate("b", **other)] if other else [])]
    assert successor(rows, READ) == expected


@pytest.mark.parametrize("kind", ["saml", "application", "federated-domain", "external-idp"])
def test_a_successor_is_looked_for_among_the_certificates_of_the_holder_whatever_happened_to_others(kind: str) -> None:
    unread = [refused(TENANT, listing, Reason.PERMISSION) for listing in LISTS]
    alone, both = [certificate("a", kind)], [certificate("a", kind), certificate("b", kind, expires_on=LATER)]
    assert successor(alone, unread) == (False, None)
    assert successor(both, unread) == (True, None)
    settings = {"scope_id": TENANT.id, "has_next_certificate": Reason.BAD_BODY}
    assert successor(alone, READ, federated_domain=[row("federated_domain", "/another", **settings)]) == (False, None)


def test_the_next_certificate_of_a_domain_that_was_not_read_may_be_the_successor() -> None:
    settings = {"scope_id": TENANT.id, "has_next_certificate": Reason.BAD_BODY}
    domain = [row("federated_domain", "/holder", **settings)]
    assert successor([certificate("a", "federated-domain")], READ, federated_domain=domain) == (None, "bad_body")
    assert successor([certificate("a", "federated-domain", is_next=True)], READ, federated_domain=domain) == (False, None)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (None, (False, None)),
        ({"expires_on": LATER}, (True, None)),
        ({"expires_on": None}, (True, None)),
        ({"expires_on": LATER, "starts_on": AS_OF}, (True, None)),
        ({"expires_on": LATER, "starts_on": AS_OF + 1}, (False, None)),
        ({"expires_on": AS_OF}, (False, None)),
        ({"expires_on": LATER, "holder_id": "/another"}, (False, None)),
        ({"expires_on": LATER, "starts_on": Reason.BAD_VALUE}, (None, "bad_value")),
        ({"expires_on": Reason.BAD_VALUE}, (None, "bad_value")),
    ],
)
def test_entra_signs_with_another_certificate_of_the_holder_that_is_valid_when_this_one_has_expired(
    other: dict[str, Any] | None, expected: tuple[object, object]
) -> None:
    expired = certificate("a", expires_on=AS_OF - DAY)
    rows = [expired, *([certificate("b", **{"starts_on": AS_OF - DAY, **other})] if other else [])]
    assert successor(rows, READ, "has_valid_successor") == expected


def test_entra_signs_with_none_of_the_certificates_of_an_identity_provider() -> None:
    rows = [
        certificate("a", "federated-domain", expires_on=AS_OF - DAY),
        certificate("b", "federated-domain", expires_on=LATER),
    ]
    settings = {"scope_id": TENANT.id, "has_next_certificate": Reason.BAD_BODY}
    domain = [row("federated_domain", "/holder", **settings)]
    assert successor(rows, READ, "has_valid_successor", federated_domain=domain) == (False, None)


def test_the_next_certificate_of_a_domain_shows_whose_the_one_beside_it_is() -> None:
    primary = certificate("a", "federated-domain", subject="CN=ADFS", issuer="CN=Root")
    beside = certificate("b", "federated-domain", is_next=True, subject="CN=Other", issuer="CN=Other")
    names = "current_subject, current_issuer, unknown"

    def shown(*rows: Row) -> list[Row]:
        with in_memory({"signing_certificate": [*rows]}, {TENANT: READ}, "signing_certificate") as connection:
            return fetch(connection, f"SELECT {names} FROM signing_certificate ORDER BY id")

    of_primary, of_next = shown(primary, beside)
    assert (of_primary["current_subject"], of_primary["current_issuer"]) == (None, None)
    assert (of_next["current_subject"], of_next["current_issuer"]) == ("CN=ADFS", "CN=Root")
    _, of_next = shown(primary | {"subject": None, "unknown": {"subject": "bad_value"}}, beside)
    assert (of_next["current_subject"], of_next["unknown"]["current_subject"]) == (None, "bad_value")  # type: ignore[index]
