"""Derived columns of token-signing certificates: certain, or unknown with the reason."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage, State
from keyaudit.model.reasons import Reason
from keyaudit.model.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, fetch, in_memory, refused, row

LISTS = ("service_principal.list", "domain.federation", "external_federation.list")
READ = assessed(TENANT, *LISTS)
SOON, LATER = AS_OF + 30 * DAY, AS_OF + 300 * DAY


def certificate(name: str, kind: str = "saml", **values: Any) -> Row:
    held = {"kind": kind, "holder_id": "/holder", "scope_id": TENANT.id, "expires_on": SOON}
    return row("signing_certificate", f"/holder/{name}", **{**held, **values})


def successor(rows: list[Row], coverage: list[Coverage]) -> tuple[object, object]:
    """What is said of the certificate `a`."""
    with in_memory({"signing_certificate": rows}, {TENANT: coverage}, "signing_certificate") as connection:
        [found] = fetch(connection, "SELECT * FROM signing_certificate WHERE id = '/holder/a'")
    unknown = found["unknown"]
    assert isinstance(unknown, dict)
    return found["has_successor"], unknown.get("has_successor")


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


@pytest.mark.parametrize(
    ("kind", "listing"),
    [
        ("saml", "service_principal.list"),
        ("application", "service_principal.list"),
        ("federated-domain", "domain.federation"),
        ("external-idp", "external_federation.list"),
    ],
)
def test_that_there_is_no_successor_needs_the_whole_list(kind: str, listing: str) -> None:
    part = Coverage(scope=TENANT, operation=listing, state=State.PARTIAL, reason=Reason.THROTTLED)
    others = [record for record in READ if record.operation != listing]
    alone, both = [certificate("a", kind)], [certificate("a", kind), certificate("b", kind, expires_on=LATER)]
    assert successor(alone, [*others, part]) == (None, "throttled")
    assert successor(both, [*others, part]) == (True, None)
    assert successor(alone, [part_of for part_of in READ if part_of.operation == listing]) == (False, None)
    assert successor(alone, [*others, refused(TENANT, listing, Reason.PERMISSION)]) == (None, "permission")
    assert successor(alone, others) == (None, "interrupted")
