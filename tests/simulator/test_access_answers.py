"""Role assignments, groups and batches are answered as the real services do, with what they leave out."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import Estate
from keyaudit.simulator.throttle import Throttle, Window
from tests.collect.access import ACCESS, ALICE, BOB, GONE, HOME, INNER, OUTER, ROBOT
from tests.simulator.client import ARM, GRAPH, Wire, wire

BETA = GRAPH.replace("v1.0", "beta")
QUERY = "authorizationresources | where type =~ 'microsoft.authorization/roleassignments' | project id | order by id asc"
SEARCH = f"{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"


async def _members(client: Wire, url: str) -> set[str]:
    return {member["id"] for member in (await client.get(url)).data["value"]}


async def test_version_1_leaves_service_principals_out_of_a_groups_members() -> None:
    async with wire(ACCESS) as client:
        assert await _members(client, f"{GRAPH}/groups/{OUTER.id}/transitiveMembers") == {ALICE.id, INNER.id, BOB.id}
        assert await _members(client, f"{BETA}/groups/{OUTER.id}/transitiveMembers") == {ALICE.id, INNER.id, BOB.id, ROBOT.id}
        assert await _members(client, f"{BETA}/groups/{OUTER.id}/members") == {ALICE.id, INNER.id}


async def test_a_hidden_group_looks_empty() -> None:
    async with wire(replace(ACCESS, groups=(replace(OUTER, hidden=True), INNER))) as client:
        assert await _members(client, f"{BETA}/groups/{OUTER.id}/members") == set()


async def test_what_is_assigned_above_shows_only_where_that_is_asked_for() -> None:
    async with wire(ACCESS) as client:
        plain = (await client.post(SEARCH, {"query": QUERY})).data
        body = {"query": QUERY, "options": {"authorizationScopeFilter": "AtScopeAboveAndBelow"}}
        whole = (await client.post(SEARCH, body)).data
    assert all(row["id"].startswith(HOME) for row in plain["data"])
    above = {row["id"] for row in whole["data"]} - {row["id"] for row in plain["data"]}
    # That of a management group which none of the subscriptions is in does not show.
    assert len(above) == 2


async def test_objects_of_other_types_are_left_out() -> None:
    async with wire(ACCESS) as client:
        for types, found in (
            (["user"], {BOB.id}),
            (["group", "servicePrincipal"], {OUTER.id, ROBOT.id}),
            (["directoryObject"], {BOB.id, OUTER.id, ROBOT.id}),
        ):
            body = {"ids": [BOB.id, OUTER.id, ROBOT.id], "types": types}
            reply = await client.post(f"{GRAPH}/directoryObjects/getByIds", body)
            assert {one["id"] for one in reply.data["value"]} == found


async def test_objects_that_are_not_there_are_left_out_in_silence() -> None:
    async with wire(ACCESS) as client:
        reply = await client.post(f"{GRAPH}/directoryObjects/getByIds", {"ids": [BOB.id.upper(), GONE, OUTER.id]})
        assert {one["id"]: one["@odata.type"] for one in reply.data["value"]} == {
            BOB.id: "#microsoft.graph.user",
            OUTER.id: "#microsoft.graph.group",
        }
        many = await client.post(f"{GRAPH}/directoryObjects/getByIds", {"ids": [GONE] * 1_001})
        broken = await client.post(f"{GRAPH}/directoryObjects/getByIds", [])
    assert (many.status, broken.status) == (400, 400)


def _parts(*urls: str) -> dict[str, Any]:
    return {"requests": [{"id": str(number), "method": "GET", "url": url} for number, url in enumerate(urls)]}


async def test_each_part_of_a_batch_has_a_status_of_its_own() -> None:
    estate: Estate = replace(ACCESS, graph_refuses=(f"groups/{INNER.id}",))
    async with wire(estate) as client:
        urls = (f"/groups/{OUTER.id}/members", f"/groups/{INNER.id}/members", f"/groups/{GONE}/members", "/nothing")
        reply = await client.post(f"{BETA}/$batch", _parts(*urls))
        too_many = await client.post(f"{BETA}/$batch", _parts(*[urls[0]] * 21))
    assert reply.status == 200
    assert {part["id"]: part["status"] for part in reply.data["responses"]} == {"0": 200, "1": 403, "2": 404, "3": 400}
    assert client.simulator.calls["group.direct_members"] == 3
    assert too_many.status == 400


async def test_each_part_of_a_batch_is_throttled_by_itself() -> None:
    limits = replace(Throttle.documented(), graph=Window(2, 10))
    async with wire(ACCESS, throttle=limits) as client:
        reply = await client.post(f"{BETA}/$batch", _parts(*[f"/groups/{OUTER.id}/members"] * 4))
    assert reply.status == 200
    statuses = [part["status"] for part in reply.data["responses"]]
    assert (statuses.count(200), statuses.count(429)) == (2, 2)


@pytest.mark.parametrize("body", ["x", []])
async def test_a_batch_that_is_none_is_refused(body: object) -> None:
    async with wire(ACCESS) as client:
        assert (await client.post(f"{BETA}/$batch", body)).status == 400
