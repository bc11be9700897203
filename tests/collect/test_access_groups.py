"""Who is in the groups that grants name: every member, by a shortest way; and no group is taken for an empty one."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.collect.access import principals
from keyaudit.model.coverage import State
from keyaudit.simulator.estate import Group, User
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.roles import OWNER
from tests.collect import estate as collected
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
from tests.collect.estate import AS_OF, TENANT_ID
from tests.collect.refusals import refused
from tests.collect.rig import Collected, collect

READS = ("service principals", "applications", "role assignments", "principals")
NEWCOMER = "0c000000-0000-4000-8000-00000000beef"
AN_OWNER = User(id=collected.OWNER.format(1), name="", upn="")


@pytest.fixture(scope="module")
def reached() -> Collected:
    return asyncio.run(collect(estate=ACCESS))


def principal(found: Collected, object_id: str) -> dict[str, object]:
    """The row of a principal."""
    return found.rows["principal"][f"{TENANT_ID}/principals/{object_id}"]


def owners_in(found: Collected) -> set[str]:
    """Object ids of the owners of applications and service principals."""
    rows = [row for table in ("application", "service_principal") for row in found.rows[table].values()]
    return {owner for row in rows for owner in row["owner_ids"] or ()}


async def test_everybody_who_is_named_or_in_a_group_is_known(reached: Collected) -> None:
    owners = owners_in(reached)
    assert AN_OWNER.id in owners
    people = dict.fromkeys(owners, "user")
    people |= {GUEST.id: "user", DAVE.id: "user", CAROL.id: "user", ALICE.id: "user", BOB.id: "user", GONE: "deleted"}
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
    assert all(principal(reached, owner)["user_principal_name"] for owner in owners)


async def test_an_owner_whose_name_may_not_be_read_is_unknown_and_takes_nothing_else_along() -> None:
    hidden = {"displayName": None, "userPrincipalName": None, "userType": None, "accountEnabled": None}
    found = await collect(shown("principal.lookup", AN_OWNER, hidden), estate=ACCESS)
    unknown = {row["object_id"]: row["unknown"] for row in found.rows["principal"].values() if row.get("unknown")}
    names = ("name", "user_principal_name", "user_type", "enabled", "home")
    assert unknown == {AN_OWNER.id: dict.fromkeys(names, "permission")}
    assert found.gaps() == {}


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
    # Three for each of both lists.
    assert found.calls["graph.batch"] == 6
    assert found.calls["group.members"] == len(found.rows["membership"]) == found.calls["group.direct_members"] == 45


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
    assert found.gaps() == {(TENANT_ID, "principal.lookup"): "partial inconsistent"}
    # Who was not in the answer may have been in what could not be taken.
    assert set(found.unknown("principal", f"{TENANT_ID}/principals/{CAROL.id}").values()) == {"inconsistent"}
    assert set(found.unknown("principal", f"{TENANT_ID}/principals/{GONE}").values()) == {"inconsistent"}


EMPTY = Group(id="60000000-0000-4000-8000-000000000004", name="Empty")
ALONE = replace(ACCESS, groups=(EMPTY,), role_assignments=(assigned(20, HOME, OWNER, EMPTY.id, "Group"),))
"""A tenant in which a group without members is an owner."""
WITHIN = replace(ACCESS, groups=(replace(OUTER, members=(ALICE.id, EMPTY.id)), EMPTY))
"""One in which it is in a group that may use keys."""
SHOWN: list[tuple[dict[str, object], str | None]] = [
    ({}, None),
    ({"visibility": "Private"}, None),
    ({"visibility": "HIDDENMEMBERSHIP"}, "permission"),
    ({"visibility": 7}, "bad_value"),
    ({"visibility": ...}, "bad_body"),
    # So comes a group that the identity may not read.
    ({"displayName": None}, "permission"),
]
"""What the directory shows of the group, `...` for a member left out; and why members of it may not show."""


def shown(operation: str, group: Group | User, changes: Mapping[str, object]) -> Fault:
    """A fault that changes what an answer shows of a group or user."""

    def edit(body: dict[str, list[dict[str, object]]]) -> object:
        for item in body["value"]:
            if item["id"] == group.id:
                item.update(changes)
                for name in [name for name, value in changes.items() if value is ...]:
                    del item[name]
        return body

    return Fault(operation, "every", edit=edit)


@pytest.mark.parametrize("operation", ["group.members", "group.direct_members"])
async def test_a_list_with_the_members_of_another_group_is_not_believed(operation: str) -> None:
    """Neither list names its group."""
    another = Group(id="6e000000-0000-4000-8000-000000000001", name="e", members=(CAROL.id,))
    estate = replace(
        ACCESS, groups=(OUTER, INNER, another), role_assignments=(*ASSIGNMENTS, assigned(9, HOME, OWNER, another.id, "Group"))
    )

    def edit(body: dict[str, list[dict[str, object]]]) -> object:
        return {**body, "value": [{"@odata.type": "#microsoft.graph.user", "id": DAVE.id}]}

    found = await collect(Fault(operation, "every", where=another.id, edit=edit), estate=estate)
    assert listed(found, another) == "inconsistent"
    assert DAVE.id not in {row["member_id"] for row in found.rows["membership"].values() if row["group_id"] == another.id}
    assert listed(found, OUTER) is True


def listed(found: Collected, group: Group) -> object:
    """True, or why not all members of the group are known."""
    row = principal(found, group.id)
    return row.get("members_listed") or row["unknown"]["members_listed"]  # type: ignore[index]


@pytest.mark.parametrize(("changes", "reason"), SHOWN)
async def test_a_group_that_shows_no_members_has_none_only_if_it_would_show_them(
    changes: dict[str, object], reason: str | None
) -> None:
    found = await collect(shown("principal.lookup", EMPTY, changes), estate=ALONE)
    assert listed(found, EMPTY) == (reason or True)
    assert found.gaps() == ({(TENANT_ID, "group.members"): f"partial {reason}"} if reason else {})


async def test_a_group_of_which_the_other_list_shows_members_is_not_empty() -> None:
    empty = Fault("group.members", "every", where=OUTER.id, edit=lambda body: body | {"value": []})
    found = await collect(empty, estate=ACCESS)
    assert listed(found, OUTER) == "inconsistent"
    assert found.gaps() == {(TENANT_ID, "group.members"): "partial inconsistent"}


@pytest.mark.parametrize(("changes", "reason"), SHOWN)
async def test_so_it_is_for_a_group_within_another(changes: dict[str, object], reason: str | None) -> None:
    found = await collect(shown("group.members", EMPTY, changes), estate=WITHIN)
    assert listed(found, OUTER) == (reason or True)
    assert {row["member_id"] for row in found.rows["membership"].values()} == {ALICE.id}


@pytest.mark.parametrize("changes", [changes for changes, _ in SHOWN])
async def test_a_group_that_shows_members_shows_all(changes: dict[str, object]) -> None:
    found = await collect(shown("principal.lookup", OUTER, changes), shown("group.members", INNER, changes), estate=ACCESS)
    assert (listed(found, OUTER), found.gaps()) == (True, {})


async def test_a_group_whose_own_list_is_refused_shows_nothing() -> None:
    hidden = shown("group.members", INNER, {"visibility": "HiddenMembership"})
    lost = Fault("group.direct_members", "every", where=INNER.id, status=503, body={"error": {"code": "x"}})
    assert listed(await collect(hidden, lost, estate=ACCESS), OUTER) == "permission"
    assert listed(await collect(lost, estate=ACCESS), OUTER) is True


@pytest.mark.parametrize("reason", ["permission", "throttled"])
async def test_of_a_group_that_was_not_looked_up_it_is_not_known_that_it_is_empty(reason: str) -> None:
    found = await collect(refused("principal.lookup", reason), estate=ALONE)
    assert listed(found, EMPTY) == reason
    estate = replace(ALONE, groups=(replace(EMPTY, members=(ALICE.id,)),))
    assert listed(await collect(refused("principal.lookup", "permission"), estate=estate), EMPTY) is True


@pytest.mark.parametrize("kind", [..., None, 7])
async def test_who_does_not_say_what_he_is_could_be_a_group(reached: Collected, kind: object) -> None:
    found = await collect(shown("group.members", INNER, {"@odata.type": kind}), estate=ACCESS)
    assert listed(found, OUTER) == "bad_item"
    assert found.gaps() == {(TENANT_ID, "group.members"): "partial bad_item"}
    found = await collect(shown("principal.lookup", OUTER, {"@odata.type": kind}), estate=ACCESS)
    assert found.gaps() == {(TENANT_ID, "principal.lookup"): "partial bad_item"}
    assert set(found.unknown("principal", f"{TENANT_ID}/principals/{OUTER.id}").values()) == {"bad_item"}
    # The grant calls it a group, and its members show.
    assert found.rows["membership"] == reached.rows["membership"]


PARTNERS = "60000000-0000-4000-8000-000000000009"
ABROAD = replace(ACCESS, role_assignments=(*ASSIGNMENTS, assigned(21, HOME, OWNER, PARTNERS, "ForeignGroup")))
"""A tenant in which a partner's group is an owner."""


async def test_a_group_of_another_tenant_is_not_one_that_was_deleted(reached: Collected) -> None:
    found = await collect(estate=ABROAD)
    row = principal(found, PARTNERS)
    assert (row["kind"], row["home"]) == ("foreign-group", "foreign")
    assert row["unknown"] == {"name": "not_visible", "members_listed": "not_visible"}
    assert found.gaps() == {}
    # Nothing else changed, and this tenant was not asked who is in it.
    rest = {id_: row for id_, row in found.rows["principal"].items() if row["object_id"] != PARTNERS}
    assert rest == reached.rows["principal"]
    assert found.calls["group.members"] == reached.calls["group.members"]


def untyped(body: Any) -> Any:
    """Role assignments that do not say what has them."""
    return {**body, "data": [{**each, "properties": {**each["properties"], "principalType": None}} for each in body["data"]]}


async def test_what_no_assignment_calls_a_group_of_another_tenant_may_still_be_one() -> None:
    found = await collect(Fault("role_assignment.query", "every", edit=untyped), estate=ABROAD)
    row = principal(found, PARTNERS)
    assert (row.get("kind"), row.get("home")) == (None, None)
    unknown = found.unknown("principal", f"{TENANT_ID}/principals/{PARTNERS}")
    assert (unknown["kind"], unknown["home"]) == ("bad_value", "bad_value")


async def test_a_group_of_another_tenant_may_not_even_be_looked_up() -> None:
    found = await collect(refused("principal.lookup", "permission"), estate=ABROAD)
    assert found.unknown("principal", f"{TENANT_ID}/principals/{PARTNERS}")["kind"] == "permission"


def _without(*ids: str) -> Fault:
    """A lookup that leaves out these objects, and says nothing of it."""

    def edit(body: dict[str, list[dict[str, object]]]) -> object:
        return body | {"value": [item for item in body["value"] if str(item["id"]).lower() not in ids]}

    return Fault("principal.lookup", "every", edit=edit)


async def test_an_empty_lookup_shows_nobody_to_be_deleted(reached: Collected) -> None:
    looked_up = [row["object_id"] for row in reached.rows["principal"].values() if "getByIds" in row["source_url"]]
    found = await collect(Fault("principal.lookup", "every", edit=lambda body: body | {"value": []}), estate=ACCESS)
    assert looked_up
    assert {principal(found, str(id_))["unknown"]["kind"] for id_ in looked_up} == {"inconsistent"}  # type: ignore[index]
    record = found.coverage[TENANT_ID, "principal.lookup"]
    assert (record.state, record.reason) == (State.PARTIAL, "inconsistent")


NAMED = replace(ACCESS, role_assignments=(*ASSIGNMENTS, assigned(21, HOME, OWNER, BOB.id), assigned(22, HOME, OWNER, ALICE.id)))
"""A tenant in which two members of groups have a role themselves."""


async def test_what_a_lookup_leaves_out_is_deleted_only_if_graph_says_so_of_it_alone(reached: Collected) -> None:
    whole = await collect(estate=NAMED)
    assert whole.calls["principal.get"] == 1
    found = await collect(_without(OUTER.id, GUEST.id, ALICE.id, BOB.id), estate=NAMED)
    assert found.gaps() == {}
    assert found.rows["membership"] == reached.rows["membership"]
    assert principal(found, GONE)["kind"] == "deleted"
    assert str(principal(found, GONE)["source_url"]).endswith(f"/v1.0/directoryObjects/{GONE}")
    for who in (OUTER, GUEST, ALICE, BOB):
        row, before = principal(found, who.id), principal(whole, who.id)
        # Such a read shows neither the type nor the state of a user, who is in no group that would.
        untold = set() if who in (OUTER, ALICE, BOB) else {"user_type", "enabled", "home"}
        assert row.get("unknown", {}) == dict.fromkeys(untold, "inconsistent")
        still = before.keys() - {*untold, "source_url", "source_version"}
        assert {name: row.get(name) for name in still} == {name: before.get(name) for name in still}


@pytest.mark.parametrize("reason", ["permission", "service_error", "throttled"])
async def test_who_may_not_be_asked_for_alone_is_unknown_and_not_deleted(reason: str) -> None:
    found = await collect(_without(OUTER.id), refused("principal.get", reason), estate=NAMED)
    assert found.gaps()[TENANT_ID, "principal.get"] == f"not_assessed {reason}"
    for who in (OUTER.id, GONE):
        assert found.unknown("principal", f"{TENANT_ID}/principals/{who}")["kind"] == reason


@pytest.mark.parametrize("code", ["ResourceNotFound", "UnknownError"])
async def test_another_404_shows_nobody_to_be_deleted(code: str) -> None:
    odd = Fault("principal.get", "every", status=404, body={"error": {"code": code, "message": "no"}})
    found = await collect(odd, estate=ACCESS)
    assert found.unknown("principal", f"{TENANT_ID}/principals/{GONE}")["kind"] == "unrecognised"
    page = Fault("principal.get", "every", status=404, body="<html>not found</html>")
    assert found.unknown("principal", f"{TENANT_ID}/principals/{GONE}")["kind"] == "unrecognised"
    found = await collect(page, estate=ACCESS)
    assert "kind" in found.unknown("principal", f"{TENANT_ID}/principals/{GONE}")


@pytest.mark.parametrize(("hours", "kind"), [(23, None), (25, "deleted")])
async def test_who_was_given_access_today_may_not_be_everywhere_yet(hours: int, kind: str | None) -> None:
    young = replace(assigned(21, HOME, OWNER, NEWCOMER), created=AS_OF - hours * 3_600)
    found = await collect(estate=replace(ACCESS, role_assignments=(*ASSIGNMENTS, young)))
    row = principal(found, NEWCOMER)
    assert row.get("kind") == kind
    assert found.gaps() == ({} if kind else {(TENANT_ID, "principal.get"): "partial inconsistent"})
    assert principal(found, GONE)["kind"] == "deleted"


async def test_only_so_many_are_asked_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(principals, "_MOST_SINGLE", 1)
    other = assigned(21, HOME, OWNER, NEWCOMER)
    found = await collect(estate=replace(ACCESS, role_assignments=(*ASSIGNMENTS, other)))
    assert {principal(found, who).get("kind") for who in (GONE, NEWCOMER)} == {"deleted", None}
    assert found.gaps() == {(TENANT_ID, "principal.get"): "partial inconsistent"}


async def test_an_owner_who_is_said_not_to_exist_is_unknown(reached: Collected) -> None:
    """Graph's lists of owners leave out deleted ones."""
    body = {"error": {"code": "Request_ResourceNotFound", "message": "no"}}
    found = await collect(_without(AN_OWNER.id), Fault("principal.get", "every", status=404, body=body), estate=ACCESS)
    assert found.unknown("principal", f"{TENANT_ID}/principals/{AN_OWNER.id}")["kind"] == "inconsistent"
    assert found.gaps()[TENANT_ID, "principal.lookup"] == "partial inconsistent"
