"""Who can reach a vault or key: each principal once, by every way, with bounds wherever something was not read."""

from typing import Any

import pytest

from keyaudit.inventory.naming import Named, Noun
from keyaudit.model.conditions import GET_SECRET
from keyaudit.model.coverage import Coverage, Scope, ScopeKind, State
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.reach import ACTIONS, WHO
from keyaudit.questions.access.evidence import TABLES_ASKED, who_reaches
from tests.inventory.sample import TENANT, Found, Row, assessed, fetch, in_memory, key, refused, row, seen, vault, vault_scope

SUBSCRIPTION = "/subscriptions/22222222-2222-4222-8222-222222222222"
KV = vault_scope("kv").id
GROUP = KV.partition("/providers/")[0]
OTHER = "/subscriptions/33333333-2222-4222-8222-222222222222"
ROOT = "/providers/microsoft.management/managementgroups/root"
READ = assessed(TENANT, "subscription.list", "vault.query", "role_assignment.query", "key.list")
RBAC: dict[str, Any] = {"access_model": "rbac", "subscription_id": SUBSCRIPTION.rpartition("/")[2], "access_policies": 0}
POLICY: dict[str, Any] = {**RBAC, "access_model": "access-policy"}
HOME = row("subscription", SUBSCRIPTION, scope_id=TENANT.id, management_groups=[ROOT])


def grant(who: str, *allows: str, scope: str = KV, kind: str = "azure-role", **values: Any) -> Row:
    scopes = {"/": "root", ROOT: "management-group", SUBSCRIPTION: "subscription", GROUP: "resource-group"}
    in_vault = scope.startswith(KV)
    defaults: Row = {
        "kind": kind,
        "principal_id": who,
        "principal_type": None,
        "scope": scope,
        "scope_kind": scopes.get(scope, "vault" if scope == KV else "object"),
        "vault_id": KV if in_vault else None,
        "allows": list(allows),
        "standing": True,
        "scope_id": TENANT.id,
    }
    made = defaults | values
    return row("grant", f"{scope}/{kind}/{who}/{made['standing']}/{allows}", **made)


def who(object_id: str, kind: Any = "user", home: Any = "own", **values: Any) -> Row:
    id_ = f"{TENANT.id}/principals/{object_id}"
    return row("principal", id_, object_id=object_id, kind=kind, home=home, scope_id=TENANT.id, **values)


def group(object_id: str, *members: str, listed: Any = True) -> list[Row]:
    return [who(object_id, "group", members_listed=listed), *(_member(object_id, member) for member in members)]


def _member(group_id: str, member_id: str) -> Row:
    id_ = f"{TENANT.id}/groups/{group_id}/members/{member_id}"
    return row("membership", id_, group_id=group_id, member_id=member_id, scope_id=TENANT.id)


def derive(
    rows: list[Row],
    *,
    of: dict[str, Any] = RBAC,
    table: str = "vault",
    coverage: list[Coverage] = READ,
) -> dict[str, Found]:
    """The rows of a view, by id, of one vault of that kind with two keys; `rows` tell their table by what they hold."""
    tables: dict[str, list[Row]] = {
        "vault": [vault(**of)],
        "key": [key("1", name="a"), key("1", name="b")],
        "subscription": [HOME],
    }
    for each in rows:
        name = (
            "grant"
            if "allows" in each
            else "membership"
            if "member_id" in each
            else "principal"
            if "object_id" in each
            else "subscription"
        )
        tables.setdefault(name, []).append(each)
    if any(each["id"] == SUBSCRIPTION for each in rows):
        tables["subscription"] = [each for each in tables["subscription"] if each is not HOME]
    by_scope = {scope: [record for record in coverage if record.scope == scope] for scope in (TENANT, vault_scope("kv"))}
    return {found["id"]: found for found in seen(table, tables, by_scope, reach=True)}


def bounds(found: Found, name: str) -> tuple[object, object, object]:
    unknown: Any = found["unknown"]
    return found[f"{name}_min"], found[f"{name}_max"], unknown.get(name)


def signing(rows: list[Row], *, of: dict[str, Any] = RBAC, coverage: list[Coverage] = READ) -> tuple[object, object, object]:
    return bounds(derive(rows, of=of, coverage=coverage)[KV], "principals_signing")


def test_a_subscription_that_was_not_listed_hides_nobody_who_reaches_a_vault_of_another() -> None:
    others = assessed(TENANT, "vault.query", "role_assignment.query", "key.list")
    part = [*others, refused(TENANT, "subscription.list", Reason.BAD_ITEM, State.PARTIAL)]
    rows = [grant("alice", "sign"), who("alice")]
    assert signing(rows, coverage=part) == (1, 1, None)
    elsewhere = {**RBAC, "subscription_id": OTHER.rpartition("/")[2]}
    assert signing(rows, of=elsewhere, coverage=part) == (1, None, "bad_item")
    assert signing(rows, of=elsewhere) == (1, 1, None)


def test_each_principal_is_counted_once_by_however_many_ways() -> None:
    ways = [grant("alice", "sign", scope=scope) for scope in ("/", ROOT, SUBSCRIPTION, GROUP, KV)]
    people = [who("alice"), who("bob"), who("robot", "managed-identity", "none"), who("guest", home="foreign")]
    rows = [*ways, *people, grant("team", "sign"), *group("team", "alice", "bob", "robot"), grant("guest", "sign", "decrypt")]
    found = derive(rows)[KV]
    assert [bounds(found, f"{each}_signing") for each in WHO] == [(4, 4, None), (3, 3, None), (1, 1, None), (1, 1, None)]
    assert bounds(found, "foreign_decrypting") == (1, 1, None)


def test_every_action_has_its_column() -> None:
    allows = ("sign", "wrap", "read-private", "backup", "grant")
    rows = [each for nth, allow in enumerate(allows) for each in (grant(f"u{nth}", allow), who(f"u{nth}"))]
    found = derive(rows)[KV]
    assert [bounds(found, f"principals_{action}") for action in ACTIONS] == [(1, 1, None)] * 5


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        # https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security
        ([("sign", "00482a5a-887f-4fb3-b363-3b7fe8e74483"), ("sign", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603")], (0, 0, None)),
        ([("sign", "12338af0-0e69-4776-bea7-57ae8d297424")], (1, 1, None)),
        ([("sign", "00482a5a-887f-4fb3-b363-3b7fe8e74483"), ("sign", "12338af0-0e69-4776-bea7-57ae8d297424")], (1, 1, None)),
        ([("decrypt", "12338af0-0e69-4776-bea7-57ae8d297424")], (0, 0, None)),
        ([("sign", Reason.INCONSISTENT)], (0, 1, "inconsistent")),
        ([(Reason.PERMISSION, "12338af0-0e69-4776-bea7-57ae8d297424")], (0, 1, "permission")),
    ],
)
def test_the_role_of_a_key_administrator_makes_nobody_another_signer(ways: list[Any], expected: object) -> None:
    rows = [grant("a", role_id=role) | {"id": str(nth)} for nth, (_, role) in enumerate(ways)]
    for made, (allows, _) in zip(rows, ways, strict=True):
        made.update({"allows": None, "unknown": {"allows": allows}} if isinstance(allows, Reason) else {"allows": [allows]})
    found = derive([*rows, who("a", "service-principal")], table="key")
    assert [bounds(each, "others_signing") for each in found.values()] == [expected] * 2


def test_an_access_policy_that_allows_to_sign_makes_another_signer() -> None:
    found = derive([grant("a", "sign", "manage", kind="access-policy"), who("a")], of=POLICY, table="key")
    assert [bounds(each, "others_signing") for each in found.values()] == [(1, 1, None)] * 2


def test_nobody_is_counted_where_nobody_can() -> None:
    found = derive([])[KV]
    assert all(bounds(found, f"{each}_{action}") == (0, 0, None) for each in WHO for action in ACTIONS)


@pytest.mark.parametrize(
    "rows",
    [
        [grant("a", "sign", standing=False)],
        [grant("a", "release", "import", "manage", "purge")],
        [grant("a", "sign", scope=OTHER, scope_kind="subscription")],
        [grant("a", "sign", scope=f"{GROUP}x", scope_kind="resource-group")],
        [grant("a", "sign", scope=f"{ROOT}x", scope_kind="management-group")],
        [grant("a", "sign", kind="access-policy")],
    ],
)
def test_what_is_no_way_to_sign_is_not_counted(rows: list[Row]) -> None:
    assert signing([*rows, who("a")]) == (0, 0, None)


@pytest.mark.parametrize("kind", ["deleted", "device", "contact"])
def test_who_cannot_sign_in_is_not_counted(kind: str) -> None:
    rows = [grant("a", "sign"), who("a", kind), grant("team", "sign"), *group("team", "d"), who("d", kind)]
    assert signing(rows) == (0, 0, None)


def test_a_vault_under_access_policies_ignores_roles_but_not_who_can_change_them() -> None:
    rows = [
        grant("policy", "sign", kind="access-policy"),
        grant("role", "sign", "grant"),
        grant("setter", "set-policy"),
        *(who(name) for name in ("policy", "role", "setter")),
    ]
    found = derive(rows, of=POLICY)[KV]
    assert (bounds(found, "principals_signing"), bounds(found, "principals_granting")) == ((1, 1, None), (2, 2, None))
    found = derive(rows)[KV]
    assert (bounds(found, "principals_signing"), bounds(found, "principals_granting")) == ((1, 1, None), (1, 1, None))


def test_a_vault_that_does_not_say_how_it_goes_may_go_either_way() -> None:
    rows = [grant("a", "sign", "grant"), who("a"), grant("b", "sign", kind="access-policy"), who("b")]
    found = derive(rows, of={**RBAC, "access_model": Reason.BAD_VALUE})[KV]
    assert bounds(found, "principals_signing") == (0, 2, "bad_value")
    assert bounds(found, "principals_granting") == (1, 1, None)


def test_an_empty_group_counts_nobody() -> None:
    [found] = derive([grant("team", "sign"), *group("team")], table="grant").values()
    assert [bounds(found, name) for name in ("principals", "humans")] == [(0, 0, None)] * 2


@pytest.mark.parametrize("listed", [Reason.PERMISSION, Reason.TRUNCATED])
def test_a_group_that_was_not_read_through_leaves_no_upper_bound(listed: Reason) -> None:
    rows = [grant("team", "sign"), *group("team", "a", listed=listed), who("a"), grant("b", "backup"), who("b")]
    found = derive(rows)[KV]
    assert bounds(found, "principals_signing") == (1, None, listed)
    assert bounds(found, "foreign_signing") == (0, None, listed)
    # What that group has no hand in stays certain.
    assert bounds(found, "principals_backing_up") == (1, 1, None)


@pytest.mark.parametrize("kind", ["everyone", "agent"])
def test_who_may_stand_for_many_leaves_no_upper_bound(kind: str) -> None:
    assert signing([grant("x", "sign", principal_type=kind)]) == (0, None, "unrecognised")


def test_who_was_not_looked_up_may_stand_for_many_for_that_reason() -> None:
    assert signing([grant("x", "sign")]) == (0, None, "parent_not_assessed")


def test_a_group_of_another_tenant_counts_as_one_principal() -> None:
    partners = who("partners", "foreign-group", "foreign", members_listed=Reason.NOT_VISIBLE, name=Reason.NOT_VISIBLE)
    rows = [grant("partners", "sign", principal_type="foreign-group"), partners, grant("b", "backup"), who("b")]
    found = derive(rows)[KV]
    assert bounds(found, "principals_signing") == (1, 1, None)
    assert bounds(found, "foreign_signing") == (1, 1, None)
    assert bounds(found, "humans_signing") == (0, 1, "not_visible")
    assert bounds(found, "principals_backing_up") == (1, 1, None)
    # That it is one, only the directory proves.
    unread = who("partners", Reason.PERMISSION, Reason.PERMISSION)
    assert bounds(derive([*rows[:1], unread])[KV], "principals_signing") == (0, 1, "permission")


def test_who_is_not_known_may_be_what_the_grant_says_or_deleted() -> None:
    unread = who("a", Reason.PERMISSION, Reason.PERMISSION)
    found = derive([grant("a", "sign", principal_type="user"), unread])[KV]
    assert bounds(found, "humans_signing") == (0, 1, "permission")
    assert bounds(found, "foreign_signing") == (0, 1, "permission")
    found = derive([grant("a", "sign"), unread])[KV]
    assert bounds(found, "principals_signing") == (0, None, "permission")


def test_a_member_of_a_new_kind_may_be_anybody() -> None:
    found = derive([grant("team", "sign"), *group("team", "x"), who("x", "agent")])[KV]
    assert bounds(found, "principals_signing") == (1, 1, None)
    assert bounds(found, "humans_signing") == (0, 1, "unrecognised")


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("principal_id", (0, None, "inconsistent")),
        ("standing", (0, 1, "inconsistent")),
        ("scope", (0, 1, "inconsistent")),
        # Its scope shows what it is.
        ("scope_kind", (1, 1, None)),
        ("vault_id", (1, 1, None)),
    ],
)
def test_a_grant_counts_for_all_that_it_may_mean(column: str, expected: object) -> None:
    """Two copies of one grant that differ in a column make it unknown."""
    told = grant("a", "sign", principal_type="user") | {column: None, "unknown": {column: "inconsistent"}}
    assert signing([told, who("a")]) == expected
    wide = grant("a", "sign", scope=SUBSCRIPTION, principal_type="user") | {column: None, "unknown": {column: "inconsistent"}}
    assert signing([wide, who("a")]) == expected


def test_a_grant_on_an_object_of_a_vault_that_was_not_read_counts_for_that_object() -> None:
    told = grant("a", "sign", scope=f"{KV}/keys/a") | {"vault_id": None, "unknown": {"vault_id": "inconsistent"}}
    found = derive([told, who("a")], table="key")
    assert sorted(bounds(each, "principals_signing") for each in found.values()) == [(0, 0, None), (1, 1, None)]


def test_a_role_that_could_not_be_read_may_allow_anything() -> None:
    found = derive([grant("a", allows=Reason.PERMISSION), who("a")])[KV]
    assert {action: bounds(found, f"principals_{action}") for action in ACTIONS} == dict.fromkeys(ACTIONS, (0, 1, "permission"))


def test_management_groups_that_do_not_show_may_be_above() -> None:
    lost = row("subscription", SUBSCRIPTION, scope_id=TENANT.id, management_groups=Reason.NOT_VISIBLE)
    rows = [grant("a", "sign", scope=ROOT), who("a"), grant("b", "sign"), who("b"), lost]
    assert signing(rows) == (1, 2, "not_visible")


def test_management_groups_may_be_above_a_vault_of_a_subscription_that_is_not_listed() -> None:
    elsewhere = {**RBAC, "subscription_id": OTHER.rpartition("/")[2]}
    rows = [grant("a", "sign", scope=ROOT), who("a"), grant("b", "sign"), who("b")]
    assert signing(rows, of=elsewhere) == (1, 2, "parent_not_assessed")


def test_role_assignments_that_were_not_read_leave_only_what_a_vault_itself_says() -> None:
    lost = [*assessed(TENANT, "subscription.list", "vault.query"), refused(TENANT, "role_assignment.query", Reason.THROTTLED)]
    rows = [grant("a", "sign", kind="access-policy"), who("a")]
    assert signing(rows, coverage=lost) == (0, None, "throttled")
    found = derive(rows, of=POLICY, coverage=lost)[KV]
    assert bounds(found, "principals_signing") == (1, 1, None)
    assert bounds(found, "principals_granting") == (0, None, "throttled")


def test_access_policies_that_were_not_read_leave_no_upper_bound() -> None:
    unread = {**POLICY, "access_policies": Reason.BAD_ITEM}
    found = derive([grant("a", "grant"), who("a")], of=unread)[KV]
    assert bounds(found, "principals_signing") == (0, None, "bad_item")
    assert bounds(found, "principals_granting") == (1, 1, None)
    assert signing([], of={**RBAC, "access_policies": Reason.BAD_ITEM}) == (0, 0, None)


@pytest.mark.parametrize("kind", ["access-policy", "hsm-role"])
def test_a_grant_to_an_unknown_principal_leaves_no_upper_bound_where_it_holds(kind: str) -> None:
    model = {"access-policy": POLICY, "hsm-role": {**RBAC, "access_model": "hsm-local"}}[kind]
    rows = [grant("a", "sign", kind=kind), who("a"), grant("", "sign", kind=kind, principal_id=Reason.INCONSISTENT)]
    local = assessed(vault_scope("kv"), "hsm.role_assignment.list", "hsm.role_assignment.of_keys", "hsm.key.list",
        "hsm.role_assignment.of_key", "hsm.role_definition.list")  # fmt: skip
    found = derive(rows, of=model, coverage=[*READ, *local])[KV]
    assert bounds(found, "principals_signing") == (1, None, "inconsistent")
    assert bounds(found, "principals_backing_up") == (0, 0, None)
    unknown = next(each for each in derive(rows, of=model, table="grant").values() if each["principal_id"] is None)
    assert [bounds(unknown, each)[:2] for each in WHO] == [(0, None)] * len(WHO)


def test_who_reaches_a_vault_by_a_grant_to_nobody_known_is_said_to_be_unknown() -> None:
    rows = {
        "vault": [vault(**POLICY)],
        "subscription": [HOME],
        "grant": [
            grant("a", "sign", kind="access-policy"),
            grant("", "sign", kind="access-policy", principal_id=Reason.BAD_ITEM),
        ],
        "principal": [who("a")],
    }
    with in_memory(rows, {TENANT: READ}, *TABLES_ASKED, reach=True, prepared=True) as connection:
        found = who_reaches(connection, Named(Noun.VAULT, KV, "kv", KV))
    assert [each.who.id for each in found.reaches] == ["a"]
    assert found.reasons == {Reason.BAD_ITEM}


def test_a_condition_by_the_names_of_secrets_limits_who_reads_a_certificates_key() -> None:
    named = "(!(ActionMatches{{'{}'}})) OR (@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals '{}')"
    other, own = (named.format(GET_SECRET, name) for name in ("Other", "Client"))
    rows = {
        "vault": [vault(**RBAC)],
        "subscription": [HOME],
        "grant": [
            grant("a", "read-private", condition=own),
            grant("b", "read-private", condition=other),
            # No condition limits who signs, and one that cannot be told limits nobody.
            grant("c", "sign", "read-private", condition=other),
            grant("d", "read-private", condition="@Principal[x:y] StringEquals 'z'"),
        ],
        "principal": [who(name) for name in "abcd"],
    }
    with in_memory(rows, {TENANT: READ}, *TABLES_ASKED, reach=True, prepared=True) as connection:
        found = who_reaches(connection, Named(Noun.CERTIFICATE, f"{KV}/certificates/client", "kv/Client", KV, "client"))
        whole = who_reaches(connection, Named(Noun.VAULT, KV, "kv", KV))
    assert {each.who.id: each.way.allows for each in found.reaches} == {
        "a": ("read-private",),
        "c": ("sign",),
        "d": ("read-private",),
    }
    # Of the vault each of them reads some secret.
    assert {each.who.id for each in whole.reaches} == set("abcd")


def test_a_grant_on_one_key_reaches_that_key_and_its_vault() -> None:
    rows = [
        grant("a", "sign", scope=f"{KV}/keys/a"),
        who("a"),
        grant("b", "sign"),
        who("b"),
        grant("s", "sign", scope=f"{KV}/secrets/a"),
        who("s"),
    ]
    found = derive(rows, table="key")
    assert {id_[-3:]: bounds(each, "principals_signing") for id_, each in found.items()} == {
        "a/1": (2, 2, None),
        "b/1": (1, 1, None),
    }
    assert signing(rows) == (3, 3, None)


def test_a_key_has_the_reasons_of_its_vault() -> None:
    rows = [grant("team", "sign"), *group("team", listed=Reason.PERMISSION)]
    for found in derive(rows, table="key").values():
        assert bounds(found, "principals_signing") == (0, None, "permission")
        assert "principals_reading_private" not in set(found["unknown"])


def test_a_grant_says_who_has_it_and_whether_it_works() -> None:
    rows = [
        grant("team", "sign"),
        *group("team", "a", "robot"),
        who("a", home="foreign"),
        who("robot", "service-principal"),
        grant("gone", "sign", kind="access-policy"),
        who("gone", "deleted", "none", name=None),
        grant("x", "sign", scope=OTHER, scope_kind="subscription"),
        grant("app", kind="app-role", scope="api"),
    ]
    found = {str(each["principal_id"]): each for each in derive(rows, table="grant").values()}
    team = found["team"]
    assert [bounds(team, each) for each in WHO] == [(2, 2, None), (1, 1, None), (1, 1, None), (1, 1, None)]
    assert (team["principal_kind"], team["effective"]) == ("group", True)
    assert (found["gone"]["principal_kind"], found["gone"]["effective"]) == ("deleted", False)
    assert (found["x"]["effective"], found["app"]["effective"]) == (False, True)
    assert found["x"]["unknown"]["principal_kind"] == "parent_not_assessed"
    unread = [who(name, kind=reason, home=reason) for name, reason in (("c", Reason.THROTTLED), ("d", Reason.PERMISSION))]
    [some] = derive([grant("team", "sign"), *group("team", "c", "d"), *unread], table="grant").values()
    # Of several reasons, the first in alphabetical order.
    assert bounds(some, "workloads") == (0, 2, "permission")


def test_that_no_vault_honours_a_grant_needs_every_vault() -> None:
    lost = [*assessed(TENANT, "subscription.list", "role_assignment.query"), refused(TENANT, "vault.query", Reason.PERMISSION)]
    [found] = derive([grant("a", "sign", kind="access-policy"), who("a")], table="grant", coverage=lost).values()
    assert (found["effective"], found["unknown"]["effective"]) == (None, "permission")


@pytest.mark.parametrize("kind", ["azure-role", "access-policy"])
def test_a_vault_of_an_unread_access_model_may_honour_a_grant(kind: str) -> None:
    unread = {**RBAC, "access_model": Reason.BAD_VALUE}
    [found] = derive([grant("a", "sign", kind=kind), who("a")], of=unread, table="grant").values()
    assert (found["effective"], found["unknown"]["effective"]) == (None, "bad_value")


def test_that_no_vault_honours_a_grant_needs_every_list_in_its_scope() -> None:
    lists = {each: Scope(each, each, ScopeKind.SUBSCRIPTION) for each in (SUBSCRIPTION, OTHER)}
    scopes = (KV, GROUP, SUBSCRIPTION, ROOT, "/")
    tables = {
        "vault": [vault(**POLICY)],
        "subscription": [HOME],
        "grant": [grant(who, allows, scope=scope) for scope in scopes for who, allows in (("a", "sign"), ("b", "grant"))],
        "principal": [who("a"), who("b")],
    }

    def found(records: dict[Scope, list[Coverage]]) -> dict[str, dict[object, object]]:
        with in_memory(tables, {TENANT: READ, **records}, "grant", reach=True) as connection:
            grants = fetch(connection, 'SELECT principal_id, scope, effective, unknown FROM "grant"')
        said: dict[str, dict[object, object]] = {"a": {}, "b": {}}
        for each in grants:
            said[str(each["principal_id"])][each["scope"]] = each["unknown"].get("effective", each["effective"])  # type: ignore[attr-defined]
        return said

    read = {each: assessed(each, "vault.list") for each in lists.values()}
    # A permission that one vault honours counts, independent of other vaults.
    works = dict.fromkeys(scopes, True)
    assert found(read) == {"a": dict.fromkeys(scopes, False), "b": works}
    # Roles in another subscription are not in the scope of what is below this one.
    for lost, in_scope in ((SUBSCRIPTION, scopes), (OTHER, (ROOT, "/"))):
        missing = found({**read, lists[lost]: [refused(lists[lost], "vault.list", Reason.THROTTLED)]})
        assert missing == {"a": {scope: "throttled" if scope in in_scope else False for scope in scopes}, "b": works}


def test_where_nobody_reads_them_they_are_not_worked_out() -> None:
    with in_memory({"vault": [vault(**RBAC)], "key": [key("1")]}, {TENANT: READ}, "vault") as connection:
        [found] = fetch(connection, "SELECT * FROM vault")
        assert bounds(found, "principals_signing") == (None, None, None)
        assert not connection.execute(
            "FROM duckdb_tables() WHERE table_name LIKE 'reach%' AND database_name = current_database()"
        ).fetchall()
    with in_memory({"grant": [grant("a", "sign")]}, {TENANT: READ}, "grant") as connection:
        [found] = fetch(connection, 'SELECT * FROM "grant"')
    assert (found["principal_id"], found["effective"], found["unknown"]) == ("a", None, {})


HSM: dict[str, Any] = {**RBAC, "access_model": "hsm-local", "access_policies": None}
LOCAL = ("hsm.role_assignment.list", "hsm.role_assignment.of_keys", "hsm.role_assignment.of_key")


def test_a_managed_hsm_goes_by_its_own_roles_alone() -> None:
    rows = [
        grant("local", "sign", kind="hsm-role"),
        grant("keys", "sign", kind="hsm-role", scope=f"{KV}/keys"),
        grant("one", "sign", kind="hsm-role", scope=f"{KV}/keys/a"),
        grant("owner", "grant", "set-policy", "sign"),
        *(who(name) for name in ("local", "keys", "one", "owner")),
    ]
    read = [*assessed(TENANT, "subscription.list", "vault.query"), *assessed(vault_scope("kv"), *LOCAL)]
    found = derive(rows, of=HSM, table="key", coverage=read)
    counted = [bounds(found[id_], "principals_signing") for id_ in sorted(found)]
    assert counted == [(3, 3, None), (2, 2, None)]
    assert [bounds(each, "principals_granting") for each in found.values()] == [(0, 0, None)] * 2


@pytest.mark.parametrize("of", [RBAC, POLICY])
def test_a_role_of_unread_permissions_may_let_its_holder_grant_access(of: dict[str, Any]) -> None:
    found = derive([grant("a", allows=Reason.DNS), who("a")], of=of)[KV]
    assert bounds(found, "principals_granting") == (0, 1, "dns")


def test_a_local_role_with_an_unread_scope_may_be_for_the_vault_that_has_it() -> None:
    read = [*assessed(TENANT, "subscription.list", "vault.query"), *assessed(vault_scope("kv"), *LOCAL)]
    unread = grant("a", "sign", kind="hsm-role") | {"scope": None, "unknown": {"scope": "dns"}}
    assert signing([unread, who("a")], of=HSM, coverage=read) == (0, 1, "dns")
    elsewhere = unread | {"vault_id": vault_scope("other").id}
    assert signing([elsewhere, who("a")], of=HSM, coverage=read) == (0, 0, None)


def test_local_roles_that_were_not_read_leave_no_upper_bound() -> None:
    lost = [*assessed(TENANT, "subscription.list"), refused(vault_scope("kv"), LOCAL[0], Reason.PERMISSION)]
    assert signing([], of=HSM, coverage=lost) == (0, None, "permission")


def test_a_grant_names_the_subscription_that_is_its_scope() -> None:
    named = {**HOME, "name": "contoso-prod"}
    rows = [named, grant("a", scope=SUBSCRIPTION), grant("b"), grant("c", scope=OTHER, scope_kind="subscription")]
    rows.append(grant("d", scope=OTHER, scope_kind=Reason.DNS))

    def names(coverage: list[Coverage]) -> dict[object, tuple[object, object]]:
        found = derive(rows, table="grant", coverage=coverage).values()
        return {each["principal_id"]: (each["scope_name"], each["unknown"].get("scope_name")) for each in found}

    known = {"a": ("contoso-prod", None), "b": (None, None), "d": (None, "dns")}
    assert names(READ) == {**known, "c": (None, "not_visible")}
    part = [*READ[1:], refused(TENANT, "subscription.list", Reason.BAD_ITEM, State.PARTIAL)]
    assert names(part) == {**known, "c": (None, "bad_item")}
