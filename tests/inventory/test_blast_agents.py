"""The blast radius of a blueprint: its secret opens all its agents and no other, and of a foreign one most cannot be known."""

import pytest

from keyaudit import ask
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.questions.blast_radius.answer import BlastRadius, Kind, Relation
from keyaudit.questions.blast_radius.plan import plan
from tests.estates import snapshot
from tests.shared import views_once  # noqa: F401 - pytest finds it here

pytestmark = pytest.mark.usefixtures("views_once")


@pytest.fixture(scope="module")
def contoso() -> Snapshot:
    return open_snapshot(snapshot("contoso"))


def radius(found: Snapshot, asked: str) -> BlastRadius:
    return ask.incident(found, asked, as_of=found.run.as_of, reach=True).radius


def secret_of(found: Snapshot, holder: str) -> str:
    with found.judging(found.run.as_of) as connection:
        query = "SELECT key_id FROM credential WHERE holder_name = ? AND kind = 'password'"
        [(key_id,)] = connection.execute(query, [holder]).fetchall()
    return str(key_id)


def named(found: BlastRadius, kind: Kind) -> list[str]:
    return sorted(node.name for node in found.nodes.values() if node.kind is kind)


def test_the_secret_of_a_blueprint_opens_all_its_agents_with_what_they_reach_and_nothing_else(contoso: Snapshot) -> None:
    found = radius(contoso, secret_of(contoso, "Store Assistant Blueprint"))
    assert named(found, Kind.IDENTITY) == ["Store Assistant Blueprint"]
    assert named(found, Kind.AGENT) == ["Returns Agent", "Shelf Planning Agent"]
    assert named(found, Kind.PERMISSION) == [
        f"Microsoft Graph: {name}" for name in ("Files.Read.All", "Mail.Read", "User.Read")
    ]
    [user] = [node for node in found.nodes.values() if node.note == "agent user"]
    [acting] = [edge for edge in found.edges if edge.target == user.id]
    assert (found.nodes[acting.source].name, acting.relation) == ("Returns Agent", Relation.SPEAKS_FOR)
    assert user.name == "Returns Agent"
    # The one has a role over machines, and so over the vaults beside them.
    holds = {(found.nodes[edge.source].name, found.nodes[edge.target].name) for edge in found.edges}
    assert ("Shelf Planning Agent", "Contributor on contoso-nonprod") in holds
    assert not any(edge.doubt for edge in found.edges)
    assert found.verdict.exit is Exit.CLEAN


def test_an_inherited_permission_is_held_by_the_agents_that_inherit_it_and_by_no_other(contoso: Snapshot) -> None:
    found = radius(contoso, "Store Assistant Blueprint")
    holds = {
        (found.nodes[edge.source].name, found.nodes[edge.target].name.partition(": ")[2], bool(edge.way and edge.way.through))
        for edge in found.edges
        if found.nodes[edge.target].kind is Kind.PERMISSION
    }
    blueprint, agents = "Store Assistant Blueprint", ("Returns Agent", "Shelf Planning Agent")
    assert holds == {
        ("Returns Agent", "Files.Read.All", False),
        *((blueprint, name, False) for name in ("Mail.Read", "User.Read")),
        *((agent, name, True) for agent in agents for name in ("Mail.Read", "User.Read")),
    }
    inherited = [edge for edge in found.edges if edge.way and edge.way.through and edge.relation is Relation.HOLDS]
    assert {each.name for edge in inherited if edge.way for each in edge.way.through} == {blueprint}


def test_an_agent_alone_has_what_it_inherits(contoso: Snapshot) -> None:
    assert named(radius(contoso, "Returns Agent"), Kind.PERMISSION) == [
        f"Microsoft Graph: {name}" for name in ("Files.Read.All", "Mail.Read", "User.Read")
    ]


def test_the_credentials_of_a_blueprint_are_changed_by_no_command_for_applications(contoso: Snapshot) -> None:
    steps = plan(radius(contoso, secret_of(contoso, "Store Assistant Blueprint")))
    assert not [command for step in steps for command in step.commands if "credential" in command]
    assert [step.title for step in steps if "Add a new credential" in step.title] == [
        "Add a new credential to blueprint Store Assistant Blueprint, and deploy it to all of its agents"
    ]
    assert any(step.settles and step.title.startswith("Remove the client secret") for step in steps)


def test_of_a_blueprint_of_another_tenant_it_says_what_cannot_be_known(contoso: Snapshot) -> None:
    found = radius(contoso, "Fabrikam Agents")
    assert named(found, Kind.AGENT) == ["Fabrikam Invoice Agent", "Fabrikam Meeting Agent", "Fabrikam Travel Agent"]
    unseen = [node.name for node in found.nodes.values() if node.kind is Kind.UNSEEN]
    assert [name.partition(":")[0] for name in unseen] == [
        "credentials of blueprint Fabrikam Agents, and who has them",
        "agents of the same blueprint in other tenants",
    ]
    assert {edge.doubt for edge in found.edges if edge.doubt} == {Reason.OTHER_TENANT}
    assert found.verdict.exit is Exit.INCOMPLETE


def test_an_agent_opens_neither_its_blueprint_nor_its_siblings(contoso: Snapshot) -> None:
    found = radius(contoso, "Returns Agent")
    assert named(found, Kind.AGENT) == []
    assert named(found, Kind.IDENTITY) == ["Returns Agent"]


def test_access_of_an_agent_names_what_it_inherits_and_from_whom(contoso: Snapshot) -> None:
    found = ask.access(contoso, "Returns Agent", as_of=contoso.run.as_of)
    ways = {(way.role, way.through[0].name if way.through else None) for way in found.others}
    own = "Store Assistant Blueprint"
    assert ways == {("Files.Read.All", None), ("Mail.Read", own), ("User.Read", own)}


def test_a_key_outside_azure_gets_a_new_version_from_a_new_external_key(contoso: Snapshot) -> None:
    steps = plan(radius(contoso, "hsm-contoso-trust/sovereign-kek"))
    commands = [command for step in steps for command in step.commands]
    assert any("az keyvault key create" in command and "--external-key-id" in command for command in commands)
    assert not any("az keyvault key rotate" in command for command in commands)
    own = [command for step in plan(radius(contoso, "hsm-contoso-trust/token-vault-kek")) for command in step.commands]
    assert any("az keyvault key rotate" in command for command in own)
