"""Who is told before the objects of a vault expire, and which of them somebody has to renew."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.reasons import Reason
from tests.inventory.sample import AS_OF, TENANT, Found, Row, assessed, refused, row, seen, vault, vault_scope

KV = vault_scope("kv")
HSM = Scope(KV.id.replace("/vaults/kv", "/managedhsms/hsm"), "hsm", ScopeKind.MANAGED_HSM)
PERMISSION, BAD = Reason.PERMISSION, Reason.BAD_VALUE
LATER, EARLIER = AS_OF + 90 * 86_400, AS_OF - 1
LISTS = ("key.list", "key.versions", "certificate.list", "certificate.versions", "secret.list", "secret.versions")
READ = assessed(KV, *LISTS)
TENANT_READ = assessed(TENANT, "event_topic.query", "subscription.list", "secret_use.query")
NONE: dict[str, list[Row]] = {}


def of(table: str, **values: Any) -> Row:
    ends = {"vault_id": KV.id, "enabled": True, "version": "1", "is_current": True, "expires_on": LATER, "tags": None}
    own: dict[str, Row] = {
        "key": {"managed": False, "auto_rotates": False},
        "certificate": {"auto_renews": False, "emails_contacts": False},
        "secret": {"managed": False},
    }
    place = f"https://kv/{table}s/{values.pop('name', '1')}"
    return row(table, f"{place}/1", **{f"{table}_id": place, **ends, **own[table], **values})


def told(*objects: str, **values: Any) -> Row:
    own = {"vault_id": KV.id, "topic_id": "t", "near_expiry": list(objects), "filtered": False, "state": "Succeeded"}
    id_ = f"t/{'-'.join(objects)}{values.get('state', '')}{values.get('filtered', '')}"
    return row("event_subscription", id_, **{**own, "expires_on": None, **values})


def view(rows: dict[str, list[Row]], coverage: list[Coverage] = READ, of_tenant: list[Coverage] = TENANT_READ) -> Found:
    [found] = seen("vault", {"vault": [vault(kind="key-vault")], **rows}, {KV: coverage, TENANT: of_tenant})
    return found


def counted(found: Found, column: str) -> tuple[object, object, object]:
    return found[f"{column}_min"], found[f"{column}_max"], found["unknown"].get(column)


BY_HAND: list[tuple[dict[str, list[Row]], list[Coverage], tuple[object, object, object]]] = [
    (NONE, READ, (0, 0, None)),
    ({"key": [of("key")], "certificate": [of("certificate")], "secret": [of("secret")]}, READ, (3, 3, None)),
    ({"key": [of("key", expires_on=None)], "secret": [of("secret", expires_on=EARLIER)]}, READ, (0, 0, None)),
    ({"key": [of("key", enabled=False)], "certificate": [of("certificate", is_current=False)]}, READ, (0, 0, None)),
    ({"key": [of("key", auto_rotates=True)], "certificate": [of("certificate", auto_renews=True)]}, READ, (0, 0, None)),
    ({"certificate": [of("certificate", emails_contacts=True)]}, READ, (0, 0, None)),
    # Its certificate counts, and not the key and the secret that back it.
    ({"key": [of("key", managed=True, auto_rotates=None)], "secret": [of("secret", managed=True)]}, READ, (0, 0, None)),
    ({"secret": [of("secret", tags={"keyaudit:rotator": "nightly"}), of("secret", name="2")]}, READ, (1, 1, None)),
    ({"secret": [of("secret", tags={"team": "a"})]}, READ, (1, 1, None)),
    ({"key": [of("key", auto_rotates=PERMISSION)]}, READ, (0, 1, "permission")),
    ({"key": [of("key", tags=BAD), of("key", name="2")]}, READ, (1, 2, "bad_value")),
    ({"key": [of("key")]}, [*READ[:4], refused(KV, "secret.list", PERMISSION), READ[5]], (1, None, "permission")),
]


@pytest.mark.parametrize(("rows", "coverage", "expected"), BY_HAND)
def test_what_nothing_renews(rows: dict[str, list[Row]], coverage: list[Coverage], expected: tuple[object, ...]) -> None:
    assert counted(view(rows, coverage), "expiring_by_hand") == expected


def test_a_secret_with_a_certificate_that_app_service_bought_is_renewed() -> None:
    bought = row("secret_use", "order", kind="certificate-order", secret_id="https://kv/secrets/1", active=True)
    held = {"secret": [of("secret"), of("secret", name="2")]}
    assert counted(view(held | {"secret_use": [bought]}), "expiring_by_hand") == (1, 1, None)
    unread = [*TENANT_READ[:2], refused(TENANT, "secret_use.query", PERMISSION)]
    assert counted(view(held, of_tenant=unread), "expiring_by_hand") == (0, 2, "permission")


HELD = {"key": [of("key"), of("key", name="2")], "secret": [of("secret")]}
HEARD: list[tuple[list[Row], tuple[object, object, object]]] = [
    ([], (3, 3, None)),
    ([told("key", "secret")], (0, 0, None)),
    ([told("key"), told("secret")], (0, 0, None)),
    ([told("key"), told("certificate")], (1, 1, None)),
    ([told("secret")], (2, 2, None)),
    ([told()], (3, 3, None)),
    ([told("key", "secret", vault_id="another")], (3, 3, None)),
    ([told("key", "secret", state="Updating")], (0, 0, None)),
    ([told("key", "secret", state="AwaitingManualAction")], (3, 3, None)),
    ([told("key", "secret", state="Failed")], (3, 3, None)),
    ([told("key", "secret", expires_on=EARLIER)], (3, 3, None)),
    ([told("key", "secret", expires_on=LATER)], (0, 0, None)),
    ([told("key", "secret", expires_on=BAD)], (0, 3, "bad_value")),
    ([told("key", "secret", state=BAD)], (0, 3, "bad_value")),
    ([told("key", "secret", filtered=True)], (0, 3, "filtered")),
    ([told("key", "secret", filtered=True), told("key")], (0, 1, "filtered")),
    ([told("key", "secret", filtered=BAD)], (0, 3, "bad_value")),
    ([told("certificate", filtered=True)], (3, 3, None)),
    ([told(filtered=True)], (3, 3, None)),
    ([told("key", "secret", filtered=True, state="Failed")], (3, 3, None)),
    # The row that stands for a list that was not read completely.
    ([told("key"), told(near_expiry=PERMISSION, state=PERMISSION, expires_on=PERMISSION)], (0, 1, "permission")),
    ([told("key", "secret"), told(near_expiry=PERMISSION, state=PERMISSION, expires_on=PERMISSION)], (0, 0, None)),
]


@pytest.mark.parametrize(("subscriptions", "expected"), HEARD)
def test_what_nobody_is_told_of(subscriptions: list[Row], expected: tuple[object, object, object]) -> None:
    assert counted(view(HELD | {"event_subscription": subscriptions}), "expiring_unheard") == expected


def test_who_listens_is_unknown_where_the_system_topics_were_not_read() -> None:
    unread = [refused(TENANT, "event_topic.query", PERMISSION), *TENANT_READ[1:]]
    found = view(HELD, of_tenant=unread)
    assert (found["near_expiry_heard"], found["unknown"]["near_expiry_heard"]) == (None, "permission")
    assert counted(found, "expiring_unheard") == (0, 3, "permission")
    # Nothing that expires is nothing that somebody has to be told of.
    assert counted(view(NONE, of_tenant=unread), "expiring_unheard") == (0, 0, None)
    assert view({"event_subscription": [told("secret", "key"), told("key")]})["near_expiry_heard"] == ["key", "secret"]
    filtered = view({"event_subscription": [told("key", filtered=True)]})
    assert (filtered["near_expiry_heard"], filtered["unknown"]["near_expiry_heard"]) == (None, "filtered")


def test_an_hsm_sends_no_events() -> None:
    own = {"security_domain": "Active", "initial_admins": [], "regions": []}
    pool = row("vault", HSM.id, kind="managed-hsm", **own)
    rows = {"vault": [pool], "key": [of("key", vault_id=HSM.id)]}
    [found] = seen("vault", rows, {HSM: [], TENANT: []})
    assert (counted(found, "expiring_by_hand"), counted(found, "expiring_unheard")) == ((0, 0, None), (0, 0, None))
    assert (found["near_expiry_heard"], found["unknown"].get("near_expiry_heard")) == (None, None)
