"""What agents have from their blueprints, and what a blueprint's credentials open: certain only where both were read."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from tests.inventory.sample import TENANT, Row, application, assessed, credential, refused, row
from tests.inventory.test_privilege_views import OPERATIONS, grant, named, principal
from tests.inventory.test_views import derive, only

AGENT, BLUEPRINT, APP, API = "ag1", "bp1", "b1", "api1"
LISTED = ("agent.list", "service_principal.app_roles_of", "principal.lookup", "group.members")
READ = assessed(TENANT, *dict.fromkeys((*OPERATIONS, *LISTED)), "subscription.list", "application.federated", "credential.list")
NOBODY: list[Row] = []


def agent(of: str | Reason = APP) -> Row:
    id_ = f"{TENANT.id}/serviceprincipals/{AGENT}"
    return row("agent", id_, object_id=AGENT, blueprint_app_id=of, scope_id=TENANT.id, sponsored=True)


def blueprint(**values: Any) -> Row:
    made: Row = {"app_id": APP, "home": "own", "principal_id": BLUEPRINT, "scope_id": TENANT.id, "publisher": None}
    made |= {"inheritable_scopes": [], "inheritable_roles": []}
    return row("blueprint", f"{TENANT.id}/applications/{APP}", **(made | values))


def principals() -> list[Row]:
    own = principal(AGENT, app_id=AGENT, agent_type="agent-identity", home="none")
    return [own, principal(BLUEPRINT, app_id=APP, agent_type="blueprint-principal")]


def inventory(*grants: Row, parent: Row | None = None, child: Row | None = None) -> dict[str, list[Row]]:
    return {
        "service_principal": principals(),
        "agent": [child or agent()],
        "blueprint": [parent or blueprint()],
        "application": [application(APP, agent_blueprint=True)],
        "grant": list(grants),
        "principal": [named(each) for each in sorted({str(one["principal_id"]) for one in grants})],
    }


def of_agent(made: dict[str, list[Row]], coverage: list[Coverage] = READ) -> Any:
    """The agent's row among service principals."""
    return derive("service_principal", made, coverage)[f"{TENANT.id}/serviceprincipals/{AGENT}"]


def role(name: str, to: str = BLUEPRINT, **values: Any) -> Row:
    return grant(name, to=to, api_id=API, **values)


def consent(name: str) -> Row:
    return grant(name, kind="delegated", to=BLUEPRINT, api_id=API, on_behalf_of="everyone")


@pytest.mark.parametrize(
    ("inheritable", "roles"),
    [([f"{API}/*"], ["Mail.Read"]), ([f"{API}/Mail.Read"], ["Mail.Read"]), ([f"{API}/Other"], []), (["api2/*"], []), ([], [])],
)
def test_an_agent_has_what_its_blueprint_lets_it_inherit_and_nothing_else(inheritable: list[str], roles: list[str]) -> None:
    found = of_agent(inventory(role("Mail.Read", tier=1), parent=blueprint(inheritable_roles=inheritable)))
    assert (found["app_roles"], found["tenant_wide"], found["app_role_count_max"]) == (roles, bool(roles), len(roles))
    assert "app_roles" not in found["unknown"]


def test_an_agent_inherits_consents_for_everyone() -> None:
    found = of_agent(inventory(consent("Mail.Read"), parent=blueprint(inheritable_scopes=[f"{API}/Mail.Read"])))
    assert found["delegated_for_everyone"] == ["Mail.Read"]
    assert found["app_roles"] == []


@pytest.mark.parametrize(
    ("parent", "child", "reason"),
    [
        (blueprint(home="foreign", inheritable_roles=Reason.OTHER_TENANT), agent(), "other_tenant"),
        (blueprint(inheritable_roles=Reason.PERMISSION), agent(), "permission"),
        (blueprint(), agent(Reason.BAD_VALUE), "bad_value"),
    ],
)
def test_what_may_be_inherited_makes_an_agent_unknown_only_where_there_is_something(
    parent: Row, child: Row, reason: str
) -> None:
    nothing = of_agent(inventory(parent=parent, child=child))
    assert (nothing["app_roles"], nothing["tier0"], nothing["tenant_wide"]) == ([], False, False)
    held = of_agent(inventory(role("Directory.ReadWrite.All", tier=0), parent=parent, child=child))
    assert {name: held["unknown"].get(name) for name in ("app_roles", "tier0", "app_role_count")} == dict.fromkeys(
        ("app_roles", "tier0", "app_role_count"), reason
    )
    # Of that role it is known that it is not one for all of one kind of data; and what it has itself stays certain.
    assert held["tenant_wide"] is False
    own = of_agent(inventory(role("X"), role("Mail.Read", AGENT, tier=1), parent=parent, child=child))
    assert own["tenant_wide"] is True
    assert (own["app_role_count_min"], own["app_role_count_max"]) == (1, None)


def test_agents_that_were_not_listed_are_unknown_by_what_their_blueprints_hold() -> None:
    coverage = [*(each for each in READ if each.operation != "agent.list"), refused(TENANT, "agent.list", Reason.PERMISSION)]
    made = inventory(role("Mail.Read", tier=1)) | {"agent": NOBODY}
    assert of_agent(made, coverage)["unknown"]["tenant_wide"] == "permission"
    assert of_agent(inventory() | {"agent": NOBODY}, coverage)["tenant_wide"] is False


def test_a_blueprints_credentials_open_what_its_agents_have() -> None:
    made = inventory(role("Directory.ReadWrite.All", AGENT, tier=0))
    assert only("application", made, READ)["tier0"] is True
    assert only("blueprint", made, READ)["tier0"] is True
    held = made | {"credential": [credential("k", holder=APP)]}
    assert only("credential", held, READ)["holder_tier0"] is True
    # The principal of the blueprint was granted nothing itself.
    assert derive("service_principal", made, READ)[f"{TENANT.id}/serviceprincipals/{BLUEPRINT}"]["tier0"] is False


@pytest.mark.parametrize(
    ("given", "admins"),
    [
        (True, ["someone"]),
        (False, []),
        (Reason.BAD_VALUE, None),
    ],
)
def test_who_may_add_credentials_to_a_blueprint(given: bool | Reason, admins: list[str] | None) -> None:
    held = grant("a role", kind="directory-role", to="u1", role_id="r", agent_credentials=given)
    made = inventory(held) | {"principal": [named("u1", "user", name="someone")]}
    found: dict[str, Any] = only("blueprint", made, READ)
    assert found["credential_admins"] == admins
    assert found["unknown"].get("credential_admins") == (given if isinstance(given, Reason) else None)


def test_an_agent_is_of_a_publisher_only_where_the_blueprint_is_anothers() -> None:
    foreign = blueprint(home="foreign", publisher="t2")
    assert of_agent(inventory(parent=foreign))["blueprint_publisher"] == "t2"
    assert of_agent(inventory())["blueprint_publisher"] is None
    assert of_agent(inventory(child=agent(Reason.BAD_VALUE)))["unknown"]["blueprint_publisher"] == "bad_value"


@pytest.mark.parametrize(("listed", "reason"), [("bad_item", "bad_item"), (None, None)])
def test_what_is_inherited_from_a_principal_that_was_not_listed_is_unknown(listed: str | None, reason: str | None) -> None:
    lost = [refused(TENANT, "service_principal.list", Reason(listed))] if listed else []
    coverage = [*(each for each in READ if not lost or each.operation != "service_principal.list"), *lost]
    unread = blueprint(inheritable_roles=[f"{API}/*"], principal_id=Reason.BAD_ITEM if listed else BLUEPRINT)
    made = inventory(role("Mail.Read"), parent=unread)
    made["service_principal"] = principals()[: 1 if listed else 2]
    found: Any = only("agent", made, coverage)
    assert (found["inherited"], found["unknown"].get("inherited")) == (None if listed else ["Mail.Read"], reason)
