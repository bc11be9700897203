"""Who is in the groups that grants name: every member, by a shortest way; and no group is taken for an empty one."""

import asyncio
from dataclasses import replace

import pytest

from keyaudit.model.coverage import State
from keyaudit.simulator.estate import Group
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.roles import OWNER
from tests.collect.access import (
    ACCESS,
    ALICE,
    ASSIGNMENTS,
    BOB,
    CAROL,
    DAVE,
    FOREIGN,
    GONE,
    GUEST,
    HOME,
    IDENTITY,
    INNER,
    OUTER,
    ROBOT,
    assigned,
)
from tests.collect.estate import TENANT_ID
from tests.collect.rig import Collected, collect


@pytest.fixture(scope="module")
def reached() -> Collected:
    return asyncio.run(collect(estate=ACCESS))


def principal(found: Collected, object_id: str) -> dict[str, object]:
    """The row of a principal."""
    return found.rows["principal"][f"{TENANT_ID}/principals/{object_id}"]


async def test_everybody_who_is_named_or_in_a_group_is_known(reached: Collected) -> None:
    people = {GUEST.id: "user", DAVE.id: "user", CAROL.id: "user", ALICE.id: "user", BOB.id: "user", GONE: "deleted"}
    others = {
        OUTER.id: "group",
        INNER.id: "group",
        FOREIGN.id: "service-principal",
        ROBOT.id: "service-principal",
        IDENTITY.id: "managed-identity",
    }
    assert {row["object_id"]: row["kind"] for row in reached.rows["principal"].values()} == people | others
    assert {who: principal(reached, who)["home"] for who in (ALICE.id, GUEST.id, FOREIGN.id, ROBOT.id, IDENTITY.id)} == {
        ALICE.id: "own",
        GUEST.id: "foreign",
        FOREIGN.id: "foreign",
        ROBOT.id: "own",
        IDENTITY.id: "none",
    }
    assert principal(reached, OUTER.id)["members_listed"] is True
    assert "members_listed" not in principal(reached, INNER.id)
    assert principal(reached, ALICE.id)["user_principal_name"] == ALICE.upn


async def test_a_nested_member_is_reached_through_the_group_in_between(reached: Collected) -> None:
    ways = {(row["group_id"], row["member_id"]): row["through"] for row in reached.rows["membership"].values()}
    # The service principal is there: version 1.0 of the list would have left it out.
    assert ways == {(OUTER.id, ALICE.id): [], (OUTER.id, BOB.id): [INNER.id], (OUTER.id, ROBOT.id): [INNER.id]}


async def test_groups_that_hold_each_other_end() -> None:
    loop = replace(INNER, members=(BOB.id, OUTER.id))
    found = await collect(estate=replace(ACCESS, groups=(OUTER, loop)))
    ways = {row["member_id"]: row["through"] for row in found.rows["membership"].values()}
    assert ways == {ALICE.id: [], BOB.id: [INNER.id]}
    assert found.gaps() == {}


async def test_many_groups_are_asked_for_twenty_at_a_time() -> None:
    groups = tuple(
        Group(id=f"6a000000-0000-4000-8000-{number:012}", name=f"g{number}", members=(ALICE.id,)) for number in range(45)
    )
    assignments = tuple(assigned(100 + nth, HOME, OWNER, group.id, "Group") for nth, group in enumerate(groups))
    found = await collect(estate=replace(ACCESS, groups=groups, role_assignments=assignments))
    assert found.calls["graph.batch"] == 3
    assert found.calls["group.members"] == len(found.rows["membership"]) == 45
    assert "group.direct_members" not in found.calls


async def test_a_large_group_is_read_to_its_last_page() -> None:
    users = tuple(replace(ALICE, id=f"0d000000-0000-4000-8000-{number:012}") for number in range(2_500))
    crowd = replace(OUTER, members=tuple(one.id for one in users))
    found = await collect(estate=replace(ACCESS, groups=(crowd, INNER), users=(*ACCESS.users, *users)))
    assert sum(row["group_id"] == OUTER.id for row in found.rows["membership"].values()) == 2_500
    assert found.gaps() == {}


async def test_of_a_batch_only_what_failed_is_asked_again() -> None:
    busy = Fault("group.members", range(1, 3), where=OUTER.id, status=429, headers={"Retry-After": "7"}, body={"error": {}})
    denied = Fault(
        "group.members", "every", where="6b000000", status=403, body={"error": {"code": "Authorization_RequestDenied"}}
    )
    gone = Fault("group.members", "every", where="6c000000", status=404, body={"error": {"code": "Request_ResourceNotFound"}})
    others = tuple(
        Group(id=f"6{letter}000000-0000-4000-8000-000000000001", name=letter, members=(CAROL.id,)) for letter in "bcd"
    )
    assignments = tuple(assigned(200 + nth, HOME, OWNER, group.id, "Group") for nth, group in enumerate((OUTER, *others)))
    estate = replace(ACCESS, groups=(OUTER, INNER, *others), role_assignments=assignments)
    found = await collect(busy, denied, gone, estate=estate)
    # Four in the batch; the busy one twice more, since it was busy still.
    assert found.calls["group.members"] == 6
    assert {
        who: found.unknown("principal", f"{TENANT_ID}/principals/{who}") for who in (OUTER.id, *(one.id for one in others))
    } == {
        OUTER.id: {},
        others[0].id: {"members_listed": "permission"},
        others[1].id: {"members_listed": "vanished"},
        others[2].id: {},
    }
    record = found.coverage[TENANT_ID, "group.members"]
    assert (record.state, record.refused) == (State.PARTIAL, 2)
    assert {row["member_id"] for row in found.rows["membership"].values()} == {ALICE.id, BOB.id, ROBOT.id, CAROL.id}


@pytest.mark.parametrize(
    "broken", [b"{}", b'{"responses":[]}', b'{"responses":[{"id":"0"}]}', b"[1", b'{"responses":[{"id":"9","status":200}]}']
)
async def test_a_batch_that_makes_no_sense_is_asked_for_one_by_one(reached: Collected, broken: bytes) -> None:
    twin = replace(INNER, id="60000000-0000-4000-8000-000000000003", name="twin")
    estate = replace(
        ACCESS, groups=(OUTER, INNER, twin), role_assignments=(*ASSIGNMENTS, assigned(9, HOME, OWNER, twin.id, "Group"))
    )
    found = await collect(Fault("graph.batch", "every", body=broken), estate=estate)
    assert found.gaps() == {}
    assert found.rows["membership"].keys() > reached.rows["membership"].keys()


async def test_a_next_page_of_a_batched_list_that_leads_away_is_not_followed() -> None:
    twin = replace(INNER, id="60000000-0000-4000-8000-000000000003", name="twin")
    estate = replace(
        ACCESS, groups=(OUTER, INNER, twin), role_assignments=(*ASSIGNMENTS, assigned(9, HOME, OWNER, twin.id, "Group"))
    )
    away = Fault("group.members", "every", where=OUTER.id, next_link="https://evil.example/beta/groups/x/transitiveMembers")
    found = await collect(away, estate=estate)
    assert found.gaps()[TENANT_ID, "group.members"] == "partial foreign_link"
    assert found.unknown("principal", f"{TENANT_ID}/principals/{OUTER.id}") == {"members_listed": "foreign_link"}


async def test_a_hidden_group_is_not_an_empty_one() -> None:
    found = await collect(estate=replace(ACCESS, groups=(replace(OUTER, hidden=True), INNER)))
    assert found.unknown("principal", f"{TENANT_ID}/principals/{OUTER.id}") == {"members_listed": "permission"}
    assert found.gaps() == {(TENANT_ID, "group.members"): "partial permission"}
    assert found.rows["membership"] == {}


async def test_a_hidden_group_within_another_leaves_that_one_open() -> None:
    found = await collect(estate=replace(ACCESS, groups=(OUTER, replace(INNER, hidden=True))))
    assert found.unknown("principal", f"{TENANT_ID}/principals/{OUTER.id}") == {"members_listed": "permission"}
    assert {row["member_id"] for row in found.rows["membership"].values()} == {ALICE.id}


async def test_users_that_may_not_be_read_are_counted_and_not_named() -> None:
    found = await collect(estate=replace(ACCESS, graph_refuses=("users",)))
    row = principal(found, BOB.id)
    assert (row["kind"], row["unknown"]) == (
        "user",
        dict.fromkeys(("name", "user_principal_name", "user_type", "enabled", "home"), "permission"),
    )


async def test_an_answer_with_somebody_else_in_it_is_quarantined() -> None:
    def edit(body: dict[str, list[dict[str, object]]]) -> object:
        for item in body["value"]:
            if item["id"] == CAROL.id:
                item["id"] = ALICE.id
        return body

    found = await collect(Fault("principal.lookup", "every", edit=edit), estate=ACCESS)
    assert found.gaps() == {(TENANT_ID, "principal.lookup"): "partial bad_item"}
    # Who was not in the answer may have been in what could not be taken.
    assert set(found.unknown("principal", f"{TENANT_ID}/principals/{CAROL.id}").values()) == {"bad_item"}
    assert set(found.unknown("principal", f"{TENANT_ID}/principals/{GONE}").values()) == {"bad_item"}
