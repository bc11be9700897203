"""Who is told of the events of a vault: both lists of subscriptions, and nothing assumed of what was not read.

Shapes: https://github.com/Azure/azure-rest-api-specs/tree/main/specification/eventgrid/resource-manager/Microsoft.EventGrid,
version 2025-02-15, examples EventSubscriptions_ListByResource, SystemTopics_ListBySubscription and
SystemTopicEventSubscriptions_Get.
"""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import Estate, Resource
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.resource_manager.events import system_topic
from tests.collect.estate import ESTATE, FIRST, SUBSCRIPTION
from tests.collect.refusals import ends_refused
from tests.collect.rig import Collected, collect

READS = ("event subscriptions",)

LISTS = ("event_topic.subscriptions", "event_topic.vault_subscriptions")
SHOWN = ("near_expiry", "filtered", "destination", "state", "expires_on")
EVERYTHING = ["certificate", "key", "secret"]
QUEUE = {"endpointType": "StorageQueue", "properties": {"resourceId": "/subscriptions/s/queue", "queueName": "que"}}


def about(*types: str, **more: object) -> dict[str, object]:
    return {"includedEventTypes": [f"Microsoft.KeyVault.{each}" for each in types], **more}


def subscribed(filter_: object, **more: object) -> dict[str, Any]:
    return {"destination": QUEUE, "filter": filter_, "provisioningState": "Succeeded", **more}


def estate(below: dict[str, dict[str, Any]], on_vault: dict[str, dict[str, Any]] | None = None) -> Estate:
    """`ESTATE` with a system topic of its first vault in another resource group, and one of a storage account."""
    vault = replace(FIRST, event_subscriptions=on_vault or {})
    storage = Resource(
        type="Microsoft.EventGrid/systemTopics",
        name="of-storage",
        subscription=SUBSCRIPTION,
        resource_group="rg-events",
        properties={"source": "/subscriptions/s/storage", "topicType": "Microsoft.Storage.StorageAccounts"},
        children={"eventSubscriptions": {"blobs": subscribed({})}},
    )
    vaults = tuple(vault if each.name == FIRST.name else each for each in ESTATE.vaults)
    return replace(
        ESTATE, vaults=vaults, resources=(*ESTATE.resources, storage, system_topic(vault, "Events", below, "rg-events"))
    )


WHOLE = estate(
    {
        "keys": subscribed(about("KeyNearExpiry", "KeyExpired")),
        "all-types": subscribed({"isSubjectCaseSensitive": False, "subjectBeginsWith": "", "subjectEndsWith": ""}),
        "null-types": subscribed({"includedEventTypes": None, "advancedFilters": []}),
        "any-case": subscribed({"includedEventTypes": ["microsoft.keyvault.SECRETNEAREXPIRY"]}),
        "new-versions": subscribed(about("SecretNewVersionCreated")),
        "some-names": subscribed(about("SecretNearExpiry", subjectBeginsWith="db-")),
        "some-values": subscribed(about("SecretNearExpiry", advancedFilters=[{"key": "data.Version"}])),
        "not-validated": subscribed(about("KeyNearExpiry"), provisioningState="AwaitingManualAction"),
        "for-a-time": subscribed(about("KeyNearExpiry"), expirationTimeUtc="2026-11-01T00:00:00Z"),
        "by-identity": {
            **subscribed(about("CertificateNearExpiry"), destination=None),
            "deliveryWithResourceIdentity": {
                "destination": {"endpointType": "EventHub"},
                "identity": {"type": "SystemAssigned"},
            },
        },
    },
    {"on-vault": subscribed(about("CertificateNearExpiry"))},
)


def found_scope(found: Collected) -> str:
    return next(scope for scope, operation in found.coverage if operation == "event_topic.query")


@pytest.fixture(scope="module")
def whole() -> Collected:
    return asyncio.run(collect(estate=WHOLE))


def test_both_lists_are_read_of_vaults_with_a_system_topic_alone(whole: Collected) -> None:
    rows = {row["name"]: [row.get(name) for name in SHOWN] for row in whole.rows["event_subscription"].values()}
    queue, works = "StorageQueue", "Succeeded"
    assert rows == {
        "keys": [["key"], False, queue, works, None],
        "all-types": [EVERYTHING, False, queue, works, None],
        "null-types": [EVERYTHING, False, queue, works, None],
        "any-case": [["secret"], False, queue, works, None],
        "new-versions": [[], False, queue, works, None],
        "some-names": [["secret"], True, queue, works, None],
        "some-values": [["secret"], True, queue, works, None],
        "not-validated": [["key"], False, queue, "AwaitingManualAction", None],
        "for-a-time": [["key"], False, queue, works, 1_793_491_200],
        "by-identity": [["certificate"], False, "EventHub", works, None],
        "on-vault": [["certificate"], False, queue, works, None],
    }
    assert {row["vault_id"] for row in whole.rows["event_subscription"].values()} == {
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-main/providers/microsoft.keyvault/vaults/kv-first"
    }
    assert [whole.calls[each] for each in LISTS] == [1, 1]


async def test_a_vault_without_a_system_topic_costs_no_request() -> None:
    found = await collect()
    assert found.rows["event_subscription"] == {}
    assert not any(found.calls.get(each) for each in LISTS)
    assert not {operation for _, operation in found.gaps()} & set(LISTS)


@pytest.mark.parametrize("reason", ["permission", "bad_body", "vanished"])
@pytest.mark.parametrize("operation", LISTS)
async def test_a_refused_list_leaves_a_row_that_says_nothing(whole: Collected, operation: str, reason: str) -> None:
    found = await ends_refused(whole, operation, reason, estate=WHOLE, single=True)
    unread = [row for row in found.rows["event_subscription"].values() if row.get("unknown")]
    assert [row.get("unknown", {}) for row in unread] == [dict.fromkeys(SHOWN, reason)]
    assert unread[0]["vault_id"].endswith("/kv-first")


async def test_without_the_query_nothing_is_asked(whole: Collected) -> None:
    await ends_refused(whole, "event_topic.query", "permission", estate=WHOLE, children=LISTS, single=False)


ODD: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"filter": None}, {"near_expiry": "bad_value", "filtered": "bad_value"}),
    ({"filter": {"includedEventTypes": "all"}}, {"near_expiry": "bad_value"}),
    ({"filter": {"includedEventTypes": []}}, {"near_expiry": "bad_value"}),
    ({"filter": about("KeyNearExpiry", "KeyRenamed")}, {"near_expiry": "unrecognised"}),
    ({"filter": {"subjectEndsWith": 7}}, {"filtered": "bad_value"}),
    ({"filter": {"advancedFilters": {}}}, {"filtered": "bad_value"}),
    ({"destination": None}, {"destination": "bad_value"}),
    ({"destination": {}}, {"destination": "bad_body"}),
    ({"destination": None, "deliveryWithResourceIdentity": []}, {"destination": "bad_value"}),
    ({"provisioningState": "Odd"}, {"state": "unrecognised"}),
    ({"provisioningState": None}, {"state": "bad_value"}),
    ({"expirationTimeUtc": "soon"}, {"expires_on": "bad_value"}),
    ({"filter": {"subjectEndsWith": None}, "destination": {"endpointType": "Odd"}}, {}),
]


@pytest.mark.parametrize(("changed", "unknown"), ODD)
async def test_what_cannot_be_read_is_unknown(changed: dict[str, Any], unknown: dict[str, str]) -> None:
    found = await collect(estate=estate({"odd": {**subscribed({}), **changed}}))
    [row] = found.rows["event_subscription"].values()
    assert row.get("unknown", {}) == unknown


async def test_a_subscription_to_something_else_is_not_taken_for_one_of_the_vault() -> None:
    def another(body: Any) -> Any:
        body["value"][0]["id"] = body["value"][0]["id"].replace("/Events/", "/Others/")
        return body

    fault = Fault("event_topic.subscriptions", "every", edit=another)
    found = await collect(fault, estate=estate({"keys": subscribed({})}))
    [row] = found.rows["event_subscription"].values()
    assert row["unknown"] == dict.fromkeys(SHOWN, "bad_item")


async def test_a_topic_whose_source_is_no_vault_of_its_subscription_leaves_all_open() -> None:
    def another(body: Any) -> Any:
        body["data"][0]["source"] = body["data"][0]["source"].replace("/vaults/", "/others/")
        return body

    found = await collect(Fault("event_topic.query", "every", edit=another), estate=estate({"keys": subscribed({})}))
    assert found.rows["event_subscription"] == {}
    assert found.coverage[(found_scope(found), "event_topic.query")].reason == "bad_item"


async def test_either_list_may_name_a_subscription_by_the_vault() -> None:
    def by_vault(body: Any) -> Any:
        vault = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Rg-Main/providers/Microsoft.KeyVault/vaults/{FIRST.name}"
        body["value"][0]["id"] = f"{vault}/providers/Microsoft.EventGrid/eventSubscriptions/keys"
        return body

    fault = Fault("event_topic.subscriptions", "every", edit=by_vault)
    found = await collect(fault, estate=estate({"keys": subscribed({})}, {"keys": subscribed({})}))
    assert [row.get("unknown", {}) for row in found.rows["event_subscription"].values()] == [{}, {}]
