"""Agent identities and blueprints: rows as they are, nothing asked where there are none, and every gap said so."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.collect.surfaces import SURFACES
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, DAY, TENANT_ID
from tests.collect.refusals import REASONS, ends_refused, refused
from tests.collect.rig import Collected, collect, take
from tests.collect.with_agents import (
    ACTS_AS,
    ALONE,
    ALONE_APP,
    BLUEPRINT,
    ELSEWHERE_APP,
    FIRST,
    FOREIGN,
    GRAPH,
    GUEST,
    LONE,
    OWN,
    OWN_APP,
    PUBLISHER,
    SECOND,
    SINGLE_INSTANCE,
    SPONSOR,
    THIRD,
    WITH_AGENTS,
)
from tests.matrices import some_with_each

READS = ("tenant", "applications", "service principals", "agent identities", "principals")

PLACE = f"{TENANT_ID}/serviceprincipals"
BLUEPRINT_ID = f"{TENANT_ID}/applications/{BLUEPRINT}"
AGENT_OPERATIONS = (
    *("agent.list", "agent.sponsors", "agent_user.list"),
    *("blueprint.sponsors_of", "blueprint.principal_sponsors_of", "blueprint.inheritable_of"),
)


@pytest.fixture(scope="module")
def whole() -> Collected:
    return asyncio.run(collect(estate=WITH_AGENTS))


def unread(found: Collected) -> dict[str, str]:
    """State and reason of what was not read whole, by operation."""
    return {operation: why for (_, operation), why in found.gaps().items()}


async def test_a_tenant_without_agents_is_asked_nothing_of_them_and_is_known_to_have_none() -> None:
    found = await collect()
    assert not set(AGENT_OPERATIONS) & found.calls.keys()
    assert not set(AGENT_OPERATIONS) & unread(found).keys()
    assert found.rows["agent"] == found.rows["blueprint"] == {}


def test_an_agent_has_its_blueprint_its_sponsors_and_its_users(whole: Collected) -> None:
    assert whole.gaps() == {}
    first, second, third = (whole.rows["agent"][f"{PLACE}/{id_}"] for id_ in (FIRST, SECOND, THIRD))
    assert (first["object_id"], first["blueprint_app_id"], first["created_on"]) == (FIRST, OWN_APP, AS_OF - 50 * DAY)
    assert (first["sponsored"], first["sponsor_ids"], first["user_ids"]) == (True, [SPONSOR], [ACTS_AS])
    assert first["user_names"] == {ACTS_AS: "First"}
    assert (second["sponsored"], second["sponsor_ids"], second["user_ids"]) == (False, [], [])
    assert second["user_names"] == {}
    # An expanded list shows twenty and no link to the rest; that there is somebody is certain.
    assert third["sponsored"] is True
    assert third["unknown"] == {"sponsor_ids": "truncated"}
    assert len(whole.rows["agent"]) == 3


def test_a_blueprint_of_ones_own_is_read_and_of_anothers_only_what_is_here(whole: Collected) -> None:
    own, foreign = whole.rows["blueprint"][BLUEPRINT_ID], whole.rows["blueprint"][f"{PLACE}/{FOREIGN}"]
    assert (own["app_id"], own["home"], own["principal_id"], own["sponsor_ids"]) == (OWN_APP, "own", OWN, [SPONSOR])
    assert (own["inheritable_scopes"], own["inheritable_roles"]) == ([f"{GRAPH}/User.Read"], [f"{GRAPH}/*"])
    assert (foreign["home"], foreign["publisher"], foreign["principal_id"]) == ("foreign", PUBLISHER, FOREIGN)
    assert (foreign["sponsored"], foreign["sponsor_ids"]) == (True, [SPONSOR])
    assert foreign["unknown"] == dict.fromkeys(("inheritable_scopes", "inheritable_roles"), "other_tenant")
    assert len(whole.rows["blueprint"]) == 2


def test_plain_rows_say_what_is_of_an_agent(whole: Collected) -> None:
    types = {id_: row.get("agent_type") for id_, row in whole.rows["service_principal"].items() if row.get("agent_type")}
    assert types == {
        **{f"{PLACE}/{id_}": "blueprint-principal" for id_ in (OWN, FOREIGN)},
        **{f"{PLACE}/{id_}": "agent-identity" for id_ in (FIRST, SECOND, THIRD)},
    }
    assert [id_ for id_, row in whole.rows["application"].items() if row["agent_blueprint"]] == [BLUEPRINT_ID]


@pytest.mark.parametrize(("operation", "reason"), some_with_each(AGENT_OPERATIONS, REASONS))
async def test_an_operation_refused_to_the_end(whole: Collected, operation: str, reason: str) -> None:
    await ends_refused(whole, operation, reason, estate=WITH_AGENTS, single=operation.endswith("_of"))


async def test_without_the_permission_of_the_list_agents_are_known_and_their_blueprints_are_not() -> None:
    found = await collect(refused("agent.list", "permission"), estate=WITH_AGENTS)
    assert found.rows["agent"].keys() == {f"{PLACE}/{id_}" for id_ in (FIRST, SECOND, THIRD)}
    for row in found.rows["agent"].values():
        assert row["name"]
        # Who sponsors it, and as whom it can act, other lists say.
        assert set(row["unknown"]) - {"sponsor_ids"} == {"blueprint_app_id"}
    assert unread(found) == {"agent.list": "not_assessed permission"}


async def test_refused_sponsors_leave_each_agent_and_its_blueprint_known() -> None:
    found = await collect(refused("agent.sponsors", "permission"), estate=WITH_AGENTS)
    for row in found.rows["agent"].values():
        assert row["unknown"] == {"sponsored": "permission", "sponsor_ids": "permission"}
    assert unread(found) == {"agent.sponsors": "not_assessed permission"}


def without(id_: str) -> Any:
    """Takes an object out of a list."""
    return lambda body: body | {"value": [item for item in body["value"] if item["id"] != id_]}


@pytest.mark.parametrize(
    ("operation", "edit", "says"),
    [
        ("agent.list", lambda body: body | {"value": []}, "partial inconsistent"),
        ("agent.list", without(SECOND), "partial inconsistent"),
        ("service_principal.list", without(SECOND), "partial parent_not_assessed"),
        ("application.list", without(BLUEPRINT), None),
    ],
)
async def test_lists_that_contradict_each_other_are_no_whole_list_of_agents(
    operation: str, edit: Any, says: str | None
) -> None:
    found = await collect(Fault(operation, "every", edit=edit), estate=WITH_AGENTS)
    assert unread(found).get("agent.list") == says
    assert operation in unread(found) or says


PLAIN_LISTS = tuple(f"service_principal.{each}" for each in ("list", "owners", "app_roles"))


@pytest.mark.parametrize("odd", [(), (refused("application.list", "permission"),)])
async def test_an_agent_that_the_plain_lists_leave_out_has_a_row_with_what_the_list_of_agents_shows(
    whole: Collected, odd: tuple[Fault, ...]
) -> None:
    """Graph does not say that its list of service principals shows every agent."""
    left_out = (Fault(operation, "every", edit=without(SECOND)) for operation in PLAIN_LISTS)
    found = await collect(*left_out, *odd, estate=WITH_AGENTS)
    row, before = (each.rows["service_principal"][f"{PLACE}/{SECOND}"] for each in (found, whole))
    assert (row["agent_type"], row["app_id"], row["home"]) == ("agent-identity", SECOND, "none")
    assert row["unknown"] == {"owner_ids": "inconsistent", "app_roles_listed": "inconsistent"}
    known = {name: value for name, value in before.items() if name not in (*row["unknown"], "unknown")}
    assert {name: row[name] for name in known if not name.startswith("source_")} == {
        name: value for name, value in known.items() if not name.startswith("source_")
    }
    # The list of agents is whole, and nothing else is missing.
    assert not {"agent.list", *PLAIN_LISTS} & unread(found).keys()
    assert found.rows["agent"] == whole.rows["agent"]
    assert found.rows["service_principal"] == whole.rows["service_principal"] | {f"{PLACE}/{SECOND}": row}


def odd_type(*ids: str) -> Fault:
    """The plain list has these service principals as something that nobody knows."""

    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            if item["id"] in ids:
                item["@odata.type"] = "#microsoft.graph.newThing"
        return body

    return Fault("service_principal.list", "every", edit=spoil)


async def test_a_service_principal_of_unknown_type_is_asked_whether_it_is_an_agent_and_no_other_is(whole: Collected) -> None:
    assert "agent.get" not in whole.calls
    found = await collect(odd_type(SECOND, OWN), estate=WITH_AGENTS)
    assert found.calls["agent.get"] == 2
    types = {id_: found.rows["service_principal"][f"{PLACE}/{id_}"].get("agent_type") for id_ in (FIRST, SECOND, OWN)}
    assert types == {FIRST: "agent-identity", SECOND: "agent-identity", OWN: None}
    # That it is no agent does not say what it is.
    assert found.unknown("service_principal", f"{PLACE}/{OWN}") == {"agent_type": "unrecognised"}
    assert found.rows["agent"] == whole.rows["agent"]
    assert found.gaps() == {}


@pytest.mark.parametrize(("number", "asked"), [(0, False), (1, True)])
async def test_nothing_is_asked_of_agents_for_a_principal_without_a_type_whose_application_is_no_blueprint(
    number: int, *, asked: bool
) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][number]["servicePrincipalType"] = None
        return body

    # The second one, a managed identity, has no application here.
    found = await collect(Fault("service_principal.list", "every", edit=spoil))
    [(id_, row)] = [(id_, row) for id_, row in found.rows["service_principal"].items() if row.get("unknown")]
    assert {"agent_type", "principal_type"} <= row["unknown"].keys(), id_
    assert bool(set(AGENT_OPERATIONS) & found.calls.keys()) == asked
    assert found.rows["agent"] == found.rows["blueprint"] == {}


async def test_a_service_principal_of_unknown_type_stays_unknown_if_nobody_may_ask() -> None:
    found = await collect(odd_type(SECOND), refused("agent.get", "permission"), estate=WITH_AGENTS)
    assert found.unknown("service_principal", f"{PLACE}/{SECOND}") == {"agent_type": "unrecognised"}
    assert unread(found) == {"agent.get": "not_assessed permission"}


async def test_an_agent_that_the_plain_list_has_as_another_type_is_unknown_in_its_type_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The view of principals has columns from all surfaces.
    monkeypatch.setattr("keyaudit.collect.run.SURFACES", SURFACES)

    def plain(body: dict[str, Any]) -> dict[str, Any]:
        item = next(item for item in body["value"] if item["id"] == SECOND)
        item |= {"@odata.type": "#microsoft.graph.servicePrincipal"}
        return body

    found = await take(tmp_path / "out", Fault("service_principal.list", "every", edit=plain), estate=WITH_AGENTS)
    with found.judging(AS_OF) as connection:
        query = "SELECT split_part(id, '/', -1), unknown::VARCHAR FROM service_principal WHERE cardinality(unknown) > 0"
        assert connection.execute(query).fetchall() == [(SECOND, "{agent_type=inconsistent}")]


async def test_a_single_instance_agent_has_a_blueprint_without_a_principal() -> None:
    found = await collect(estate=SINGLE_INSTANCE)
    assert found.gaps() == {}
    own, foreign = found.rows["blueprint"][f"{TENANT_ID}/applications/{ALONE}"], found.rows["blueprint"][f"{PLACE}/{GUEST}"]
    assert (own["app_id"], own["home"], "principal_id" in own, "unknown" in own) == (ALONE_APP, "own", False, False)
    assert (foreign["app_id"], foreign["home"], foreign["publisher"]) == (ELSEWHERE_APP, "foreign", PUBLISHER)
    assert ("principal_id" in foreign, foreign["sponsor_ids"]) == (False, [SPONSOR])
    # Its publisher alone sees the rest.
    assert foreign["unknown"] == dict.fromkeys(("inheritable_scopes", "inheritable_roles"), "other_tenant")
    assert len(found.rows["blueprint"]) == 2
    told = {id_: row["blueprint_app_id"] for id_, row in found.rows["agent"].items()}
    assert told == {f"{PLACE}/{LONE}": ALONE_APP, f"{PLACE}/{GUEST}": ELSEWHERE_APP}


async def test_whose_the_blueprint_of_a_single_instance_agent_is_its_agent_says_or_nobody_does() -> None:
    nobody = replace(
        SINGLE_INSTANCE,
        service_principals=tuple(
            replace(each, home_tenant=None) if each.id == GUEST else each for each in SINGLE_INSTANCE.service_principals
        ),
    )
    found = await collect(refused("application.list", "permission"), estate=nobody)
    own, other = (found.rows["blueprint"][f"{PLACE}/{id_}"] for id_ in (LONE, GUEST))
    assert (own["home"], "publisher" in own["unknown"]) == ("own", False)
    assert (other["unknown"]["home"], other["unknown"]["publisher"]) == ("permission", "not_visible")
    # No application of this tenant has its client id.
    whole = await collect(estate=nobody)
    assert whole.rows["blueprint"][f"{PLACE}/{GUEST}"]["home"] == "foreign"


async def test_a_blueprint_that_lost_its_type_is_missed_by_its_agents() -> None:
    def plain(body: dict[str, Any]) -> dict[str, Any]:
        for item in body["value"]:
            item.pop("@odata.type", None)
        return body

    edits = (Fault(f"{kind}.list", "every", edit=plain) for kind in ("application", "service_principal"))
    found = await collect(*edits, estate=WITH_AGENTS)
    # The kind of service principal still identifies an agent.
    assert len(found.rows["agent"]) == 3
    assert unread(found)["agent.list"] == "partial inconsistent"


@pytest.mark.parametrize("member", ["agentIdentityBlueprintId", "id"])
async def test_an_odd_agent_leaves_the_others_known_and_the_list_not_whole(member: str) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        next(item for item in body["value"] if item["id"] == SECOND)[member] = "odd"
        return body

    found = await collect(Fault("agent.list", "every", edit=spoil), estate=WITH_AGENTS)
    told = {id_: "blueprint_app_id" not in row.get("unknown", {}) for id_, row in found.rows["agent"].items()}
    assert told == {f"{PLACE}/{FIRST}": True, f"{PLACE}/{SECOND}": False, f"{PLACE}/{THIRD}": True}
    assert unread(found) == {"agent.list": "partial bad_item"}


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({"kind": "enumerated", "scopes": ["e1fe6dd8-ba31-4d61-89e7-88639da4683d"]}, "unrecognised"),
        ({"kind": "enumerated"}, "bad_body"),
        ({"kind": "unknownFutureValue"}, "unrecognised"),
        (None, "bad_value"),
    ],
)
async def test_an_inheritance_that_is_not_understood_is_unknown_of_that_blueprint_alone(pattern: object, reason: str) -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        body["value"][0]["inheritableScopes"] = pattern
        return body

    found = await collect(Fault("blueprint.inheritable_of", "every", edit=spoil), estate=WITH_AGENTS)
    assert found.unknown("blueprint", BLUEPRINT_ID) == {"inheritable_scopes": reason}
    assert found.gaps() == {}


async def test_an_application_of_a_type_that_is_not_known_may_be_a_blueprint() -> None:
    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        next(item for item in body["value"] if item["id"] == BLUEPRINT)["@odata.type"] = "#microsoft.graph.newThing"
        return body

    found = await collect(Fault("application.list", "every", edit=spoil), estate=WITH_AGENTS)
    assert found.unknown("application", BLUEPRINT_ID) == {"agent_blueprint": "unrecognised"}
    columns = ("sponsored", "sponsor_ids", "inheritable_scopes", "inheritable_roles")
    assert found.unknown("blueprint", BLUEPRINT_ID) == dict.fromkeys(columns, "unrecognised")
    others = [row for id_, row in found.rows["application"].items() if id_ != BLUEPRINT_ID]
    assert not any("agent_blueprint" in row.get("unknown", {}) for row in others)


async def test_the_principal_of_an_own_blueprint_whose_application_was_not_read_is_no_foreign_one() -> None:
    found = await collect(refused("application.list", "permission"), estate=WITH_AGENTS)
    assert found.rows["blueprint"].keys() == {f"{PLACE}/{FOREIGN}"}
    assert len(found.rows["agent"]) == 3
