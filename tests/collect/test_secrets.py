"""Secrets by version, from lists alone: no request could give a value, and none names the current version."""

import asyncio

import pytest
from msgspec.structs import replace

from keyaudit.model.coverage import State
from keyaudit.simulator.estate import Estate, Secret
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, DAY, FIRST_ID, SECOND, version
from tests.collect.objects import BACKED, FURNISHED, OBJECTS, PASSWORD, VAULT, secret_version
from tests.collect.recorded import bodies
from tests.collect.refusals import REASONS, ends_refused
from tests.collect.rig import Collected, collect
from tests.matrices import first_of

READS = ("secrets", "deleted")

ALL = f"{VAULT}/secrets"
OLD, NEW = (f"{ALL}/password/{version(number).version}" for number in (90, 30))
BACKING = f"{ALL}/backing/{version(50).version}"
ELSEWHERE = {f"https://kv-second.vault.azure.net/secrets/password/{version(number).version}" for number in (90, 30)}


@pytest.fixture(scope="module")
def furnished() -> Collected:
    return asyncio.run(collect(estate=OBJECTS))


def of(*secrets: Secret) -> Estate:
    return replace(OBJECTS, vaults=(replace(FURNISHED, secrets=secrets), SECOND))


def test_every_version_is_a_row_and_nothing_else_is(furnished: Collected) -> None:
    assert set(furnished.rows["secret"]) == {OLD, NEW, BACKING} | ELSEWHERE
    assert not any(row.get("unknown") for row in furnished.rows["secret"].values())
    row = furnished.rows["secret"][NEW]
    assert row == {
        "id": NEW,
        "name": "Password",
        "resource_id": f"https://kv-first.vault.azure.net/secrets/Password/{version(30).version}",
        "scope_id": FIRST_ID,
        "source_url": "https://kv-first.vault.azure.net/secrets/Password/versions",
        "source_version": "2025-07-01",
        "subscription_id": FIRST_ID.split("/")[2],
        "subscription_name": "Production",
        "resource_group": "Rg-Main",
        "location": "westeurope",
        "secret_id": f"{ALL}/password",
        "version": version(30).version,
        "vault_id": FIRST_ID,
        "vault_name": "kv-First",
        "tags": {"env": "prod"},
        "enabled": True,
        "created_on": AS_OF - 30 * DAY,
        "updated_on": AS_OF - 30 * DAY,
        "activates_on": AS_OF - 30 * DAY,
        "expires_on": AS_OF + DAY,
        "content_type": "text/plain",
        "managed": False,
        "is_current": True,
        "versions_listed": True,
    }
    assert [furnished.rows["secret"][id_]["is_current"] for id_ in (OLD, BACKING)] == [False, True]
    assert furnished.rows["secret"][BACKING]["managed"] is True


def test_only_lists_are_asked_for(furnished: Collected) -> None:
    assert {operation for operation in furnished.calls if "secret" in operation} == {
        "secret.list",
        "secret.versions",
        "deleted_secret.list",
    }
    assert not any(operation.startswith("canary") for operation in furnished.calls)


@pytest.mark.parametrize("dates", [(30, 30), (30, None), (None, None)])
async def test_a_tie_or_a_version_without_a_date_leaves_open_which_is_current(dates: tuple[int | None, ...]) -> None:
    versions = tuple(
        secret_version(30 + nth, created=None if days is None else AS_OF - days * DAY) for nth, days in enumerate(dates)
    )
    found = await collect(estate=of(replace(PASSWORD, versions=versions)))
    rows = [row for row in found.rows["secret"].values() if row["vault_id"] == FIRST_ID]
    assert len(rows) == 2
    assert all(row["unknown"] == {"is_current": "unrecognised"} for row in rows)
    assert found.gaps() == {}


async def test_the_only_version_is_the_current_one_if_it_has_a_date() -> None:
    found = await collect(estate=of(BACKED))
    assert found.rows["secret"][BACKING]["is_current"] is True
    undated = replace(BACKED, versions=(secret_version(50, created=None, updated=None),))
    row = (await collect(estate=of(undated))).rows["secret"][BACKING]
    # https://learn.microsoft.com/azure/key-vault/secrets/about-secrets: older than the date itself.
    assert row["unknown"] == {"is_current": "unrecognised"}
    assert "created_on" not in row


@pytest.mark.parametrize("reason", first_of([*REASONS, "firewall", "private_only"]))
async def test_a_refused_list_hides_the_secrets_and_nothing_else(furnished: Collected, reason: str) -> None:
    found = await ends_refused(furnished, "secret.list", reason, estate=OBJECTS, children=("secret.versions",), single=False)
    assert found.rows["secret"] == {}


@pytest.mark.parametrize("reason", first_of(REASONS))
async def test_without_its_versions_a_secret_is_there_as_a_whole(furnished: Collected, reason: str) -> None:
    found = await ends_refused(furnished, "secret.versions", reason, estate=OBJECTS, single=True)
    row = found.rows["secret"][f"{ALL}/password"]
    assert row["unknown"] == dict.fromkeys(("version", "versions_listed", "is_current"), reason)
    assert (row["enabled"], row["content_type"], row["managed"]) == (True, "text/plain", False)


async def test_a_vault_that_grants_anything_but_its_secrets() -> None:
    found = await collect(estate=replace(OBJECTS, vaults=(replace(FURNISHED, refused=("secrets",)), SECOND)))
    assert found.gaps() == {
        (FIRST_ID, "secret.list"): "not_assessed permission",
        (FIRST_ID, "secret.versions"): "not_assessed parent_not_assessed",
    }


async def test_a_listed_secret_without_versions_is_not_believed_to_have_none() -> None:
    empty: dict[str, object] = {"value": [], "nextLink": None}
    found = await collect(Fault("secret.versions", "every", body=empty), estate=of(PASSWORD))
    assert found.gaps() == {(FIRST_ID, "secret.versions"): "partial inconsistent_pages"}
    assert found.unknown("secret", f"{ALL}/password").keys() == {"version", "versions_listed", "is_current"}


@pytest.mark.parametrize(
    ("id_", "reason"),
    [
        (f"{VAULT}/keys/x", "inconsistent"),
        ("https://kv-second.vault.azure.net/secrets/x", "inconsistent"),
        (f"{VAULT}/secrets", "bad_item"),
        (None, "bad_item"),
        (7, "bad_item"),
    ],
)
async def test_an_item_that_is_no_secret_of_the_vault_is_quarantined(id_: object, reason: str) -> None:
    sound = {"id": f"{ALL}/Password", "attributes": {"enabled": True}}
    page = {"value": [sound, {"id": id_}, sound, 7], "nextLink": None}
    found = await collect(Fault("secret.list", 1, body=page), estate=replace(OBJECTS, vaults=(FURNISHED,)))
    record = found.coverage[FIRST_ID, "secret.list"]
    assert (record.state, record.reason) == (State.PARTIAL, reason)
    assert (record.received, record.kept, record.duplicate, record.quarantined) == (4, 1, 1, 2)
    assert set(found.rows["secret"]) == {OLD, NEW}


@pytest.mark.parametrize(
    ("changed", "unknown"),
    [
        ({"attributes": None}, {"enabled", "created_on", "updated_on", "activates_on", "expires_on", "is_current"}),
        ({"attributes": {"enabled": "yes", "created": AS_OF - 50 * DAY, "updated": 10**30}}, {"enabled", "updated_on"}),
        # The list of secrets names another day.
        ({"attributes": {"enabled": True, "created": AS_OF - 40 * DAY}}, {"created_on", "updated_on", "is_current"}),
        ({"tags": {"Env": "a", "env": "b"}}, {"tags"}),
        ({"contentType": 7, "managed": "no"}, {"content_type", "managed"}),
    ],
)
async def test_a_broken_member_makes_only_its_columns_unknown(changed: dict[str, object], unknown: set[str]) -> None:
    sound: dict[str, object] = {
        "id": f"{ALL}/backing/{version(50).version}",
        "attributes": {"enabled": True, "created": AS_OF - 50 * DAY, "updated": AS_OF - 50 * DAY},
        "contentType": "application/x-pkcs12",
        "managed": True,
    }
    page = {"value": [{**sound, **changed}], "nextLink": None}
    found = await collect(Fault("secret.versions", "every", body=page), estate=of(BACKED))
    assert set(found.unknown("secret", BACKING)) == unknown


def test_no_recorded_list_holds_a_value() -> None:
    pages = [body for body in bodies("keyvault-secrets-list") if "value" in body]
    assert pages
    assert not any("value" in item for page in pages for item in page["value"])
