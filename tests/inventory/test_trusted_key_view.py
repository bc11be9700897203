"""Whether a held key is published still: found wherever it is, missed only where everything was read."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.relying_parties import PUBLISHED
from tests.inventory.sample import RUN, TENANT, Row, assessed, fetch, in_memory, refused, row

READ = assessed(TENANT, *PUBLISHED)
LOGIN = "https://login.microsoftonline.com/"
A, B = "AA" * 20, "BB" * 20


def held(id_: str = "/held", **values: Any) -> Row:
    return row("trusted_key", id_, **{"scope_id": TENANT.id, "key_id": "a", "thumbprint": A, **values})


def own(**values: Any) -> Row:
    return row("issuer_key", f"/own/{values}", **{"scope_id": TENANT.id, "kind": "entra", "key_id": "x", **values})


def shared(**values: Any) -> Row:
    return row("shared_key", f"/shared/{values}", **{"scope_id": TENANT.id, "authority": "common", "key_id": "x", **values})


def published(keys: list[Row], there: list[Row], coverage: list[Coverage]) -> list[tuple[object, object]]:
    rows = {"trusted_key": keys}
    for each in there:
        rows.setdefault("issuer_key" if "kind" in each else "shared_key", []).append(each)
    with in_memory(rows, {TENANT: coverage}, "trusted_key") as connection:
        found = fetch(connection, "SELECT published, unknown['published'] AS reason FROM trusted_key ORDER BY id")
    return [(each["published"], each["reason"]) for each in found]


@pytest.mark.parametrize(
    ("values", "there", "expected"),
    [
        ({}, own(thumbprint=A), (True, None)),
        ({}, shared(thumbprint=A), (True, None)),
        ({}, own(kind="application", thumbprint=A), (True, None)),
        # A set of Azure AD B2C is checked by B2C's own metadata.
        ({}, own(kind="b2c", thumbprint=A), (False, None)),
        ({}, own(thumbprint=B), (False, None)),
        # Another certificate under the same id is another key.
        ({}, own(key_id="a", thumbprint=B), (False, None)),
        ({}, own(key_id="a"), (True, None)),
        ({"thumbprint": None}, own(key_id="a", thumbprint=B), (True, None)),
        ({"key_id": None}, own(thumbprint=A), (True, None)),
        ({"key_id": None}, own(thumbprint=B), (False, None)),
        ({"thumbprint": Reason.BAD_VALUE}, own(key_id="a", thumbprint=B), (None, "bad_value")),
        ({"key_id": Reason.BAD_VALUE}, own(thumbprint=A), (True, None)),
        ({"key_id": None, "thumbprint": None}, own(key_id="a"), (None, "bad_item")),
        ({}, own(key_id="a", thumbprint=Reason.BAD_VALUE), (None, "bad_value")),
        # It may be the certificate of the key that is held, under another id.
        ({}, own(thumbprint=Reason.BAD_VALUE), (None, "bad_value")),
        ({"thumbprint": None}, own(thumbprint=Reason.BAD_VALUE), (False, None)),
        ({"key_id": None}, own(thumbprint=Reason.BAD_VALUE), (None, "bad_value")),
    ],
    ids=str,
)
def test_by_certificate_else_by_id(values: dict[str, Any], there: Row, expected: tuple[object, object]) -> None:
    assert published([held(**values)], [there], READ) == [expected]


ISSUERS: list[tuple[object, tuple[object, object]]] = [
    (f"{LOGIN}{RUN.tenant_id.upper()}/v2.0", (False, None)),
    (f"https://sts.windows.net/{RUN.tenant_id}/", (False, None)),
    (f"{LOGIN}{{tenantid}}/v2.0", (False, None)),
    (f"{LOGIN}9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", (False, None)),
    (f"{LOGIN}22222222-2222-4222-8222-222222222222/v2.0", (None, "other_tenant")),
    ("https://accounts.example.org/", (None, "not_supplied")),
    (f"https://evil.example/{RUN.tenant_id}/", (None, "not_supplied")),
    (Reason.BAD_VALUE, (None, "bad_value")),
]


def test_nobody_has_read_what_other_issuers_publish() -> None:
    keys = [held(f"/held/{number}", token_issuer=issuer) for number, (issuer, _) in enumerate(ISSUERS)]
    keys += [held(f"/there/{number}", token_issuer=issuer, thumbprint=B) for number, (issuer, _) in enumerate(ISSUERS)]
    found = published(keys, [own(thumbprint=B)], READ)
    assert found == [*(expected for _, expected in ISSUERS), *[(True, None)] * len(ISSUERS)]


@pytest.mark.parametrize("operation", PUBLISHED)
@pytest.mark.parametrize("reason", ["timeout", "interrupted"])
def test_a_set_that_was_not_read_may_hold_it(operation: str, reason: str) -> None:
    coverage = [record for record in READ if record.operation != operation]
    # One that was never begun has no record.
    coverage += [refused(TENANT, operation, Reason.TIMEOUT)] if reason == "timeout" else []
    found = published([held("/a"), held("/b", thumbprint=B)], [own(thumbprint=B)], coverage)
    assert found == [(None, reason), (True, None)]


def test_a_set_that_the_cloud_does_not_have_holds_nothing() -> None:
    others = [record for record in READ if record.operation != "login.consumers_keys"]
    coverage = [*others, refused(TENANT, "login.consumers_keys", Reason.NOT_IN_CLOUD)]
    assert published([held()], [own(thumbprint=B)], coverage) == [(False, None)]
