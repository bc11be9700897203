"""What agents have from their blueprints, and what a blueprint's credentials open: certain only where both were read."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.directory.tiers import ADDS_AGENT_CREDENTIALS, GRAPH
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from tests.inventory.sample import TENANT, Row, application, assessed, credential, refused, row
from tests.inventory.test_privilege_views import OPERATIONS, grant, named, principal
from tests.inventory.test_reach import bounds
from tests.inventory.test_reach import grant as reach_grant
from tests.inventory.test_reach_beside import certificate
from tests.inventory.test_reach_beside import derive as derive_reach
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
    assert (own["app_role_count_min"], own["app_role_count_max"]) == (1, 2)


def test_what_an_agent_has_itself_is_known_although_what_it_inherits_is_not() -> None:
    made = inventory(role("Files.Read.All", tier=1), role("Mail.Read", AGENT, tier=1), child=agent(Reason.BAD_VALUE))
    found = of_agent(made)
    for column in ("app_roles", "tenant_wide_app_roles"):
        assert (found[column], found["unknown"][column]) == (["Mail.Read"], "bad_value")
    assert (found["tenant_wide"], "tenant_wide" in found["unknown"]) == (True, False)
    # The principal of the blueprint has its own, and the agent may be of this blueprint.
    blueprints: Any = only("application", made, READ)
    assert (blueprints["app_roles"], blueprints["unknown"]["app_roles"]) == (["Files.Read.All"], "bad_value")


def test_agents_that_were_not_listed_are_unknown_by_what_their_blueprints_hold() -> None:
    coverage = [*(each for each in READ if each.operation != "agent.list"), refused(TENANT, "agent.list", Reason.PERMISSION)]
    made = inventory(role("Mail.Read", tier=1)) | {"agent": NOBODY}
    assert of_agent(made, coverage)["unknown"]["tenant_wide"] == "permission"
    assert of_agent(inventory() | {"agent": NOBODY}, coverage)["tenant_wide"] is False
    # The list was read to its end, and lacks it all the same.
    assert of_agent(made)["unknown"]["tenant_wide"] == "inconsistent"


def test_an_agent_of_a_blueprint_that_no_list_has_may_have_what_any_blueprint_holds() -> None:
    made = inventory(role("Directory.ReadWrite.All", tier=0)) | {"blueprint": NOBODY}
    assert of_agent(made)["unknown"]["tier0"] == "inconsistent"
    first = TABLES["blueprint"].listed_by[0]
    short = [*(each for each in READ if each.operation != first), refused(TENANT, first, Reason.PERMISSION)]
    assert of_agent(made, short)["unknown"]["tier0"] == "permission"
    assert of_agent(inventory() | {"blueprint": NOBODY})["tier0"] is False


@pytest.mark.parametrize(
    ("reason", "is_blueprint", "named_by_agent", "maybe"),
    [
        (Reason.BAD_VALUE, False, APP, False),
        # A type that nobody knows may be a new kind of agent.
        (Reason.UNRECOGNISED, False, APP, True),
        (Reason.BAD_VALUE, Reason.BAD_VALUE, APP, True),
        # Two lists contradict each other.
        (Reason.BAD_VALUE, False, "plain", True),
    ],
)
def test_a_principal_without_a_type_is_no_agent_where_its_application_is_no_blueprint(
    reason: Reason, is_blueprint: object, named_by_agent: str, *, maybe: bool
) -> None:
    made = inventory(role("Mail.Read", "s9", tier=1), child=agent(named_by_agent)) | {
        "service_principal": [*principals(), principal("s9", app_id="PLAIN", agent_type=reason)],
        "application": [application(APP, agent_blueprint=True), application("plain", agent_blueprint=is_blueprint)],
    }
    # A blueprint has what its agents have, and this may be one of them.
    found: Any = derive("application", made, READ)[f"{TENANT.id}/applications/{APP}"]
    assert found["unknown"].get("app_roles") == (reason if maybe else None)


def test_a_blueprints_credentials_open_what_its_agents_have() -> None:
    made = inventory(role("Directory.ReadWrite.All", AGENT, tier=0))
    assert only("application", made, READ)["tier0"] is True
    assert only("blueprint", made, READ)["tier0"] is True
    held = made | {"credential": [credential("k", holder=APP)]}
    assert only("credential", held, READ)["holder_tier0"] is True
    # The principal of the blueprint was granted nothing itself.
    assert derive("service_principal", made, READ)[f"{TENANT.id}/serviceprincipals/{BLUEPRINT}"]["tier0"] is False


def test_an_agent_whose_blueprint_is_unknown_may_be_of_any_and_of_nothing_else() -> None:
    made = inventory(role("Directory.ReadWrite.All", AGENT, tier=0), child=agent(Reason.BAD_VALUE))
    made["application"] += [application("b0", agent_blueprint=False), application("b2", agent_blueprint=Reason.DNS)]
    found = {str(each["app_id"]): each for each in derive("application", made, READ).values()}
    told = {name: (each["tier0"], each["unknown"].get("tier0")) for name, each in found.items()}
    assert told == {"b0": (False, None), APP: (None, "bad_value"), "b2": (None, "bad_value")}


def test_app_roles_of_an_agent_that_were_not_read_are_missing_of_its_blueprint() -> None:
    unread = principal(AGENT, app_id=AGENT, agent_type="agent-identity", home="none", app_roles_listed=Reason.DNS)
    made = inventory() | {"service_principal": [unread, principals()[1]]}
    found: Any = only("application", made, READ)
    assert (found["tenant_wide"], found["unknown"]["tenant_wide"]) == (None, "dns")
    assert only("application", inventory(), READ)["tenant_wide"] is False


def test_an_agent_may_have_app_roles_of_any_blueprint_if_the_principal_of_its_own_is_unknown() -> None:
    another = principal("bp2", app_id="b2", agent_type="blueprint-principal", app_roles_listed=Reason.DNS)
    made = inventory(parent=blueprint(principal_id=Reason.BAD_ITEM, inheritable_roles=[f"{API}/*"]))
    made["service_principal"].append(another)
    found: Any = only("application", made, READ)
    assert (found["tenant_wide"], found["unknown"]["tenant_wide"]) == (None, "dns")
    # Nothing can be inherited, whichever it is.
    nothing = made | {"blueprint": [blueprint(principal_id=Reason.BAD_ITEM)]}
    assert only("application", nothing, READ)["tenant_wide"] is False
    made["service_principal"][-1] = principal("bp2", app_id="b2", agent_type="blueprint-principal")
    assert only("application", made, READ)["tenant_wide"] is False


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
    found: Any = only("blueprint", made, READ)
    assert found["credential_admins"] == admins
    assert found["unknown"].get("credential_admins") == (given if isinstance(given, Reason) else None)


def test_an_agent_is_of_a_publisher_only_where_the_blueprint_is_anothers() -> None:
    foreign = blueprint(home="foreign", publisher="t2")
    assert of_agent(inventory(parent=foreign))["blueprint_publisher"] == "t2"
    assert of_agent(inventory())["blueprint_publisher"] is None
    assert of_agent(inventory(child=agent(Reason.BAD_VALUE)))["unknown"]["blueprint_publisher"] == "bad_value"
    for unread in (blueprint(home="foreign", publisher=Reason.DNS), blueprint(home=Reason.DNS)):
        assert of_agent(inventory(parent=unread))["unknown"]["blueprint_publisher"] == "dns"


def of_the_agent(
    *grants: Row, parent: Row | None = None, child: Row | None = None, who: Row | None = None, coverage: list[Coverage] = READ
) -> tuple[dict[str, object], Any]:
    """The derived columns of the agent's row, and what is unknown of it."""
    made = inventory(*grants, parent=parent, child=child)
    if who is not None:
        made["service_principal"] = [who, made["service_principal"][1]]
    found = only("agent", made, coverage)
    return {column.name: found.get(column.name) for column in TABLES["agent"].derived}, found["unknown"]


def test_an_agent_shows_its_blueprint_its_own_state_and_what_it_inherits() -> None:
    given = [
        grant("Mail.Read", to=BLUEPRINT, api_id=GRAPH),
        grant("User.Read", to=BLUEPRINT, api_id=GRAPH),
        # Of the same name, and with nothing behind it that is of the whole tenant.
        role("Mail.Send"),
        consent("Mail.Read"),
        grant("Files.Read.All", kind="delegated", to=BLUEPRINT, api_id=GRAPH, on_behalf_of="everyone"),
        grant("Mail.ReadWrite", kind="delegated", to=BLUEPRINT, api_id=GRAPH, on_behalf_of="one user"),
        grant("Sites.Read.All", kind="directory-role", to=BLUEPRINT, api_id=GRAPH),
    ]
    every = [f"{api}/*" for api in (API, GRAPH)]
    parent = blueprint(name="Helper", home="foreign", publisher="t2", inheritable_roles=every, inheritable_scopes=every)
    who = principals()[0] | {"enabled": False, "owner_ids": ["u1", "u2"]}
    found, unknown = of_the_agent(*given, parent=parent, who=who)
    assert found == {
        "blueprint_name": "Helper",
        "blueprint_home": "foreign",
        "publisher": "t2",
        "enabled": False,
        "owner_count": None,
        "inherited": ["Files.Read.All", "Mail.Read", "Mail.Send", "User.Read"],
        "inherited_wide": ["Files.Read.All", "Mail.Read"],
    }
    assert not set(found) & set(unknown)
    rows = only("agent", inventory() | {"service_principal": [who]}, READ)
    assert (rows["owner_count_min"], rows["owner_count_max"]) == (2, 2)
    assert (of_the_agent()[0]["inherited"], of_the_agent()[0]["inherited_wide"]) == ([], [])
    missing = only("agent", inventory() | {"service_principal": principals()[1:]}, READ)
    assert (missing["owner_count_min"], missing["owner_count_max"]) == (0, None)


OF_BLUEPRINT = ("blueprint_name", "blueprint_home", "publisher")
OF_PRINCIPAL = ("enabled", "owner_count")
INHERITED = ("inherited", "inherited_wide")


def lost(operation: str, reason: Reason = Reason.PERMISSION) -> list[Coverage]:
    return [*(each for each in READ if each.operation != operation), refused(TENANT, operation, reason)]


@pytest.mark.parametrize(
    ("given", "made", "unknown"),
    [
        ([], {"child": agent("gone")}, dict.fromkeys(OF_BLUEPRINT, "inconsistent")),
        ([], {"child": agent("gone"), "coverage": lost("application.list")}, dict.fromkeys(OF_BLUEPRINT, "permission")),
        ([], {"child": agent(Reason.BAD_VALUE)}, dict.fromkeys(OF_BLUEPRINT, "bad_value")),
        ([], {"parent": blueprint(name=Reason.BAD_ITEM)}, {"blueprint_name": "bad_item"}),
        ([], {"parent": blueprint(home=Reason.BAD_ITEM)}, {"blueprint_home": "bad_item"}),
        ([], {"parent": blueprint(publisher=Reason.BAD_ITEM)}, {"publisher": "bad_item"}),
        ([], {"who": principals()[0] | {"enabled": None, "unknown": {"enabled": "dns"}}}, {"enabled": "dns"}),
        ([], {"who": principals()[0] | {"owner_ids": None, "unknown": {"owner_ids": "dns"}}}, {"owner_count": "dns"}),
        ([], {"who": principal("other", app_id="other")}, dict.fromkeys((*OF_PRINCIPAL, *INHERITED), "inconsistent")),
        (
            [],
            {"who": principal("other", app_id="other"), "coverage": lost("service_principal.list")},
            dict.fromkeys((*OF_PRINCIPAL, *INHERITED), "permission"),
        ),
        ([], {"coverage": lost("delegated_grant.list")}, dict.fromkeys(INHERITED, "permission")),
        ([consent("Mail.Read")], {"parent": blueprint(inheritable_scopes=Reason.DNS)}, dict.fromkeys(INHERITED[:1], "dns")),
        (
            [grant("Mail.Read", to=BLUEPRINT, api_id=GRAPH)],
            {"parent": blueprint(inheritable_roles=Reason.DNS)},
            dict.fromkeys(INHERITED, "dns"),
        ),
        (
            [grant(Reason.DNS, to=BLUEPRINT, api_id=GRAPH)],
            {"parent": blueprint(inheritable_roles=[f"{GRAPH}/*"])},
            dict.fromkeys(INHERITED, "dns"),
        ),
        (
            [grant(Reason.DNS, to=BLUEPRINT, api_id=GRAPH), role(Reason.BAD_ITEM)],
            {"parent": blueprint(inheritable_roles=[f"{GRAPH}/*", f"{API}/*"])},
            dict.fromkeys(INHERITED, "bad_item"),
        ),
        (
            [grant("Mail.Read", kind="delegated", to=BLUEPRINT, api_id=GRAPH, on_behalf_of=Reason.DNS)],
            {"parent": blueprint(inheritable_scopes=[f"{GRAPH}/*"])},
            dict.fromkeys(INHERITED, "dns"),
        ),
    ],
)
def test_what_was_not_read_makes_of_an_agent_unknown_what_rests_on_it_and_nothing_else(
    given: list[Row], made: dict[str, Any], unknown: dict[str, str]
) -> None:
    found, why = of_the_agent(*given, **made)
    assert {name: why[name] for name in found if name in why} == unknown
    assert [name for name in unknown if found[name] is not None] == []


AGENT_ADMIN = ADDS_AGENT_CREDENTIALS[0]
ADDS = ADDS_AGENT_CREDENTIALS[1].name


def admin(to: str, **values: Any) -> Row:
    return grant(
        AGENT_ADMIN.name, kind="directory-role", to=to, **({"role_id": AGENT_ADMIN.id, "agent_credentials": True} | values)
    )


def of_the_blueprint(
    *grants: Row, coverage: list[Coverage] = READ, others: list[Row] = NOBODY, **values: Any
) -> tuple[object, object]:
    """The blueprint's `credential_admins`, and why they are unknown."""
    made = inventory(*grants, parent=blueprint(**values))
    made["principal"] = others
    found: Any = only("blueprint", made, coverage)
    return found["credential_admins"], found["unknown"].get("credential_admins")


def test_who_may_add_credentials_is_named_once_by_each_way_that_works_now() -> None:
    elsewhere, here = (f"{TENANT.id}/directoryobjects/{each}" for each in ("another", APP))
    given = [
        admin("u1"),
        grant(ADDS, to="u1", api_id=GRAPH),
        admin("u2", scope=here, scope_kind="object"),
        grant(ADDS, to="robot", api_id=GRAPH),
        admin("u3", scope=elsewhere, scope_kind="object"),
        admin("u4", standing=False),
        grant(AGENT_ADMIN.name, kind="azure-role", to="u5", role_id=AGENT_ADMIN.id),
        grant(ADDS, to="u6", api_id=API),
        grant("User.Read.All", to="u7", api_id=GRAPH),
    ]
    known = [named("u1", "user", name="Ann"), named("u2", "user", name="Bob")]
    assert of_the_blueprint(*given, others=known) == (["Ann", "Bob", "robot"], None)
    for home in ("foreign", "microsoft"):
        assert of_the_blueprint(*given, home=home) == (None, None)


@pytest.mark.parametrize(
    ("given", "made", "reason"),
    [
        ([], {"home": Reason.DNS}, "dns"),
        ([], {"coverage": lost("directory_role.assignments")}, "permission"),
        ([], {"coverage": lost("service_principal.app_roles_of")}, "permission"),
        ([grant(Reason.DNS, api_id=GRAPH)], {}, "dns"),
        ([grant(ADDS, api_id=Reason.DNS)], {}, "dns"),
        ([grant("Other", api_id=Reason.DNS)], {}, None),
        ([admin("u1", role_id=Reason.DNS, agent_credentials=Reason.DNS)], {}, "dns"),
        ([admin("u1", scope_kind=Reason.DNS)], {}, "dns"),
        ([admin("u1", scope_kind="object", scope=Reason.DNS)], {}, "dns"),
        ([admin("u1", agent_credentials=False, scope_kind="object", scope=Reason.DNS)], {}, None),
    ],
)
def test_who_may_add_credentials_is_unknown_where_a_way_was_not_read(
    given: list[Row], made: dict[str, Any], reason: str | None
) -> None:
    found, why = of_the_blueprint(*given, **made)
    assert (found is None, why) == (reason is not None, reason)


@pytest.mark.parametrize(
    ("of", "coverage", "expected"),
    [
        ([APP, APP, "other"], READ, (2, 2, None)),
        ([], READ, (0, 0, None)),
        ([APP, Reason.BAD_VALUE], READ, (1, 2, "bad_value")),
        ([APP], lost("agent.list"), (1, None, "permission")),
    ],
)
def test_the_agents_of_a_blueprint_are_counted(
    of: list[str | Reason], coverage: list[Coverage], expected: tuple[object, ...]
) -> None:
    agents = [agent(each) | {"id": f"agent {at}", "object_id": f"a{at}"} for at, each in enumerate(of)]
    found: Any = only("blueprint", inventory() | {"agent": agents}, coverage)
    assert (found["agents_min"], found["agents_max"], found["unknown"].get("agents")) == expected


@pytest.mark.parametrize("unread", [0, 1])
def test_app_roles_of_an_agent_or_of_its_blueprints_principal_are_missing_of_the_blueprint(unread: int) -> None:
    made = inventory()
    made["service_principal"][unread] |= {"app_roles_listed": None, "unknown": {"app_roles_listed": Reason.DNS}}
    found: Any = only("blueprint", made, READ)
    assert (found["tenant_wide"], found["unknown"].get("tenant_wide")) == (None, "dns")
    assert only("blueprint", inventory(), READ)["tenant_wide"] is False


@pytest.mark.parametrize(("listed", "reason"), [("bad_item", "bad_item"), (None, None)])
def test_what_is_inherited_from_a_principal_that_was_not_listed_is_unknown(listed: str | None, reason: str | None) -> None:
    lost = [refused(TENANT, "service_principal.list", Reason(listed))] if listed else []
    coverage = [*(each for each in READ if not lost or each.operation != "service_principal.list"), *lost]
    unread = blueprint(inheritable_roles=[f"{API}/*"], principal_id=Reason.BAD_ITEM if listed else BLUEPRINT)
    made = inventory(role("Mail.Read"), parent=unread)
    made["service_principal"] = principals()[: 1 if listed else 2]
    found: Any = only("agent", made, coverage)
    assert (found["inherited"], found["unknown"].get("inherited")) == (None if listed else ["Mail.Read"], reason)


@pytest.mark.parametrize(
    ("holder", "inheritable", "tier", "signer", "outsiders"),
    [
        (BLUEPRINT, [f"{API}/*"], 0, AGENT, (0, 0, None)),
        (BLUEPRINT, [], 0, AGENT, (1, 1, None)),
        (BLUEPRINT, [f"{API}/*"], Reason.DNS, AGENT, (0, 1, "dns")),
        (BLUEPRINT, [], Reason.DNS, AGENT, (1, 1, None)),
        # A blueprint's principal opens what its agents have.
        (AGENT, [], 0, BLUEPRINT, (0, 0, None)),
        (AGENT, [], Reason.DNS, BLUEPRINT, (0, 1, "dns")),
    ],
)
def test_an_agent_that_inherits_control_of_the_tenant_is_no_outsider(
    holder: str, inheritable: list[str], tier: Any, signer: str, outsiders: object
) -> None:
    held = role("RoleManagement.ReadWrite.Directory", holder, tier=tier)
    rows = inventory(held, parent=blueprint(inheritable_roles=inheritable)) | {
        "certificate": [certificate()],
        "principal": [named(AGENT), named(BLUEPRINT)],
    }
    rows["grant"].append(reach_grant(signer, "sign"))
    found = min(derive_reach("certificate", rows, "outsiders_signing", coverage=READ).values(), key=str)
    assert bounds(found, "outsiders_signing") == outsiders


def alone(**values: Any) -> dict[str, list[Row]]:
    """A single-instance agent: it has the client id of its blueprint, which has no principal."""
    made = inventory(role("Mail.Read", AGENT, tier=1), parent=blueprint(**{"principal_id": None} | values))
    return made | {"service_principal": [principal(AGENT, app_id=APP, agent_type="agent-identity", home="own")]}


def test_a_single_instance_agent_needs_no_principal_of_its_blueprint() -> None:
    for inheritable in ([], [f"{API}/*"], Reason.OTHER_TENANT):
        found = of_agent(alone(inheritable_roles=inheritable))
        assert (found["app_roles"], found["app_role_count_max"], found["tier0"]) == (["Mail.Read"], 1, False)
        assert not {"app_roles", "tenant_wide", "tier0"} & found["unknown"].keys()
        agents: Any = only("agent", alone(inheritable_roles=inheritable), READ)
        assert (agents["inherited"], "inherited" in agents["unknown"]) == ([], False)


def test_the_permissions_of_a_single_instance_agent_count_once_for_its_blueprint() -> None:
    for table in ("application", "blueprint"):
        found: Any = only(table, alone(), READ)
        assert (found["tenant_wide"], found["tier0"]) == (True, False)
    counted: Any = only("application", alone(), READ)
    assert (counted["app_role_count_min"], counted["app_role_count_max"]) == (1, 1)
    unread = alone() | {"agent": [agent(Reason.BAD_VALUE)]}
    counted = only("application", unread, READ)
    assert (counted["app_role_count_min"], counted["app_role_count_max"]) == (1, 1)


def test_consents_of_a_principal_that_was_not_listed_may_be_inherited_where_some_are_inheritable() -> None:
    first = TABLES["service_principal"].listed_by[0]
    short = [*(each for each in READ if each.operation != first), refused(TENANT, first, Reason.PERMISSION)]
    unlisted = {"service_principal": principals()[:1]}
    for scopes, expected in ([f"{API}/*"], "permission"), ([], None):
        parent = blueprint(principal_id=Reason.PERMISSION, inheritable_scopes=scopes)
        made = inventory(consent("Mail.Read"), parent=parent) | unlisted
        found: Any = only("agent", made, short)
        assert (found["inherited"] or [], found["unknown"].get("inherited")) == ([], expected)
        assert of_agent(made, short)["unknown"].get("delegated_for_everyone") == expected
