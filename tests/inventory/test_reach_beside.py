"""What else rests on who reaches what: whose home is elsewhere, who keeps what he uses, and who lacks control of the tenant."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.model.tables.grant import HSM_ADMINISTRATOR
from keyaudit.model.values.times import DAY
from tests.inventory.sample import (
    AS_OF,
    RUN,
    TENANT,
    Row,
    application,
    assessed,
    credential,
    fetch,
    in_memory,
    key,
    refused,
    row,
    vault_scope,
)
from tests.inventory.sample import vault as plain_vault
from tests.inventory.test_reach import HOME, HSM, KV, LOCAL, RBAC, SUBSCRIPTION, bounds, grant, group, who

PRINCIPALS = ("service_principal.list", "directory_role.assignments", "application.list")
READ = assessed(
    TENANT, "subscription.list", "vault.query", "vault.list", "role_assignment.query", "principal.lookup", *PRINCIPALS
)
CROSSED = ("environments_opened", "environment_crossings", "holders_named", "places_named")
SIGNERS = ("signer_environments", "signers_named", "signing_weight")
TAGGED: dict[str, Any] = {**RBAC, "tags": {"env": "Prod"}}


def service(object_id: str, *tags: str, **values: Any) -> Row:
    made = {"app_id": f"app-{object_id}", "app_tags": list(tags), "app_roles_listed": True, "scope_id": TENANT.id} | values
    return row("service_principal", f"{TENANT.id}/serviceprincipals/{object_id}", **made)


def directory_role(object_id: str, *, tier: Any = 0, standing: bool = True) -> Row:
    values = {"principal_id": object_id, "kind": "directory-role", "scope_kind": "tenant", "scope": "/", "tier": tier}
    return row("grant", f"/roles/{object_id}/{tier}/{standing}", allows=[], standing=standing, scope_id=TENANT.id, **values)


def derive(
    table: str,
    rows: dict[str, list[Row]],
    *columns: str,
    of: dict[str, Any] = TAGGED,
    coverage: list[Coverage] = READ,
    local: list[Coverage] | None = None,
    rules: tuple[EnvironmentRule, ...] = (),
) -> dict[str, Row]:
    """The rows of a view, by id. `columns`: the derived ones that are looked at."""
    tables = {"vault": [plain_vault(**of)], "key": [key("1", name="a", tags=None)], "subscription": [HOME], **rows}
    by_scope = {TENANT: coverage, vault_scope("kv"): assessed(vault_scope("kv"), *LOCAL) if local is None else local}
    run = replace(RUN, environment_rules=rules)
    with in_memory(tables, by_scope, table, reach=table != "principal", columns={table: columns}, run=run) as connection:
        return {str(found["id"]): found for found in fetch(connection, f'SELECT * FROM "{table}"')}


def only(found: dict[str, Row]) -> Row:
    [each] = found.values()
    return each


def told(found: Row, name: str) -> tuple[object, object]:
    unknown: Any = found["unknown"]
    return found[name], unknown.get(name)


@pytest.mark.parametrize(
    ("tags", "environment", "reason"),
    [
        (["env:Test"], "test", None),
        (["HideApp", "environment=dev"], "dev", None),
        (["env:test", "ENV:TEST"], "test", None),
        (["env:test", "env:prod"], None, "bad_value"),
        (["environmental:test", "env"], None, None),
        (Reason.PERMISSION, None, "permission"),
    ],
)
def test_a_service_principal_is_at_home_where_its_tag_says(tags: Any, environment: str | None, reason: str | None) -> None:
    rows = {"service_principal": [service("robot", app_tags=tags)], "principal": [who("robot", "service-principal")]}
    assert told(only(derive("principal", rows, "environment")), "environment") == (environment, reason)


@pytest.mark.parametrize(
    ("kind", "listed", "reason"),
    [
        ("user", True, None),
        ("service-principal", True, "not_visible"),
        ("managed-identity", True, "not_visible"),
        ("managed-identity", False, "throttled"),
        (Reason.PERMISSION, False, "throttled"),
        (Reason.PERMISSION, True, None),
    ],
)
def test_who_is_no_service_principal_has_no_home(kind: Any, listed: bool, reason: str | None) -> None:
    lost = [each for each in READ if each.operation != PRINCIPALS[0]] + [refused(TENANT, PRINCIPALS[0], Reason.THROTTLED)]
    found = derive("principal", {"principal": [who("a", kind)]}, "environment", coverage=READ if listed else lost)
    assert told(only(found), "environment") == (None, reason)


def test_where_the_list_of_service_principals_was_never_begun_a_home_is_unknown() -> None:
    coverage = [each for each in READ if each.operation != PRINCIPALS[0]]
    found = derive("principal", {"principal": [who("a", "service-principal")]}, "environment", coverage=coverage)
    assert told(only(found), "environment") == (None, "interrupted")


def test_a_grant_crosses_from_where_its_holders_are_at_home_into_what_it_opens() -> None:
    people = [who(name, "service-principal") for name in ("tests", "own", "wild")]
    services = [service("tests", "env:test"), service("own", "env:prod"), service("wild", "env:a", "env:b")]
    grants = [grant("team", "sign"), grant("own", "sign"), grant("wild", "sign"), grant("tests", "grant")]
    team = group("team", "tests", "own")
    rows = {
        "grant": [*grants, grant("wild", "sign", scope=f"{KV}x", vault_id=f"{KV}x")],
        "principal": [*people, team[0]],
        "membership": team[1:],
        "service_principal": services,
    }
    found = {(each["principal_id"], each["scope"], *each["allows"]): each for each in derive("grant", rows, *CROSSED).values()}  # type: ignore[misc]
    crossed = {name[0::2]: told(each, "environment_crossings") for name, each in found.items() if name[1] == KV}
    assert crossed == {
        ("team", "sign"): (["test->prod"], None),
        ("own", "sign"): ([], None),
        ("wild", "sign"): (None, "bad_value"),
        # It opens nothing itself.
        ("tests", "grant"): ([], None),
    }
    assert told(found["team", KV, "sign"], "environments_opened") == (["prod"], None)
    # Where it opens nothing, it does not matter where its holder is at home.
    assert told(found["wild", f"{KV}x", "sign"], "environments_opened") == ([], None)
    assert told(found["wild", f"{KV}x", "sign"], "environment_crossings") == ([], None)


@pytest.mark.parametrize(
    ("scope", "of", "coverage", "opened", "reason"),
    [
        (KV, {**RBAC, "tags": None}, READ, [], None),
        (KV, {**RBAC, "tags": Reason.BAD_VALUE}, READ, None, "bad_value"),
        (KV, {**TAGGED, "access_model": Reason.BAD_VALUE}, READ, None, "bad_value"),
        # A vault's own grants need no other vault to be seen; those above it do.
        (KV, TAGGED, [refused(TENANT, "vault.query", Reason.PERMISSION)], ["prod"], None),
        (SUBSCRIPTION, TAGGED, [refused(TENANT, "vault.query", Reason.PERMISSION)], None, "permission"),
        (SUBSCRIPTION, TAGGED, READ, ["prod"], None),
    ],
)
def test_what_a_grant_opens_is_known_where_every_vault_in_its_scope_is(
    scope: str, of: dict[str, Any], coverage: list[Coverage], opened: object, reason: object
) -> None:
    rows = {"grant": [grant("a", "sign", scope=scope)], "principal": [who("a")]}
    read = [each for each in READ if each.operation not in {one.operation for one in coverage}] + coverage
    found = only(derive("grant", rows, "environments_opened", of=of, coverage=read))
    assert told(found, "environments_opened") == (opened, reason)


def test_a_key_knows_where_those_who_sign_are_at_home_and_what_they_weigh() -> None:
    rows = {
        "grant": [
            grant("tests", "sign"),
            grant("own", "backup"),
            grant("alice", "sign"),
            grant("idle", "sign", standing=False),
        ],
        "principal": [*(who(name, "service-principal") for name in ("tests", "own", "idle")), who("alice")],
        "service_principal": [service("tests", "env:test"), service("own", "env:prod"), service("idle", "env:dev")],
    }
    found = only(derive("key", rows, *SIGNERS))
    assert told(found, "signer_environments") == (["test"], None)
    assert bounds(found, "signing_weight") == (3, 3, None)
    rows["grant"].append(grant("who", "sign"))
    rows["principal"].append(who("who", Reason.PERMISSION, Reason.PERMISSION))
    found = only(derive("key", rows, *SIGNERS))
    assert bounds(found, "signing_weight") == (3, None, "permission")
    assert told(found, "signer_environments") == (None, "permission")


@pytest.mark.parametrize(
    ("home", "kind", "named"),
    [
        ("own", "service-principal", (False, None)),
        ("foreign", "service-principal", (False, None)),
        # Nothing of Azure's own belongs to an environment, nor does a person.
        ("microsoft", "service-principal", (True, None)),
        (None, "user", (True, None)),
    ],
)
def test_a_holder_whose_environment_nothing_names_is_told_apart_from_one_who_has_none(
    home: str | None, kind: str, named: tuple[object, object]
) -> None:
    services = [service("a", home=home)] if home else []
    rows = {"grant": [grant("a", "sign")], "principal": [who("a", kind)], "service_principal": services}
    (of_grant,) = derive("grant", rows, *CROSSED).values()
    assert told(of_grant, "holders_named") == named
    assert told(of_grant, "places_named") == (True, None)
    assert told(of_grant, "environment_crossings") == ([], None)
    (of_key,) = derive("key", rows, *SIGNERS).values()
    assert told(of_key, "signers_named") == named
    assert told(of_key, "signer_environments") == ([], None)


OF_OTHERS = (EnvironmentRule(of="principal", pattern="another", environment="test"),)


def test_with_rules_for_environments_one_that_nothing_names_is_not_configured() -> None:
    rows = {
        "grant": [grant("a", "sign")],
        "principal": [who("a", "service-principal")],
        "service_principal": [service("a", home="own")],
    }
    (of_grant,) = derive("grant", rows, *CROSSED, rules=OF_OTHERS).values()
    assert told(of_grant, "holders_named") == (None, "not_configured")
    assert told(of_grant, "places_named") == (True, None)
    (of_key,) = derive("key", rows, *SIGNERS, rules=OF_OTHERS).values()
    assert told(of_key, "signers_named") == (None, "not_configured")
    (of_grant,) = derive("grant", rows, *CROSSED, of={**RBAC, "tags": None}, rules=OF_OTHERS).values()
    assert told(of_grant, "places_named") == (None, "not_configured")
    # Both are of one environment.
    rows["service_principal"] = [service("a", "env:prod")]
    (of_grant,) = derive("grant", rows, *CROSSED, rules=OF_OTHERS).values()
    assert [told(of_grant, name) for name in CROSSED] == [(["prod"], None), ([], None), (True, None), (True, None)]


def test_whether_a_holder_has_an_environment_is_unknown_with_its_tags() -> None:
    rows = {
        "grant": [grant("a", "sign")],
        "principal": [who("a", "service-principal")],
        "service_principal": [service("a", app_tags=Reason.DNS)],
    }
    (of_grant,) = derive("grant", rows, *CROSSED).values()
    assert told(of_grant, "holders_named") == (None, "dns")


def test_one_member_without_an_environment_leaves_what_the_others_cross() -> None:
    team = group("team", "tests", "bare")
    rows = {
        "grant": [grant("team", "sign")],
        "principal": [team[0], *(who(name, "service-principal") for name in ("tests", "bare"))],
        "membership": team[1:],
        "service_principal": [service("tests", "env:test"), service("bare")],
    }
    (found,) = derive("grant", rows, *CROSSED).values()
    assert told(found, "environment_crossings") == (["test->prod"], None)
    assert told(found, "holders_named") == (False, None)


def test_a_vault_whose_environment_nothing_names_is_said_of_what_opens_it() -> None:
    rows = {"grant": [grant("a", "sign"), grant("a", "grant")], "principal": [who("a")]}
    found = {each["allows"][0]: each for each in derive("grant", rows, *CROSSED, of={**RBAC, "tags": None}).values()}  # type: ignore[index]
    assert told(found["sign"], "places_named") == (False, None)
    assert told(found["grant"], "places_named") == (True, None)


def test_a_member_who_may_be_a_user_weighs_one_or_two() -> None:
    team = group("team", "x")
    rows = {"grant": [grant("team", "sign")], "principal": [team[0], who("x", "agent")], "membership": team[1:]}
    assert bounds(only(derive("key", rows, *SIGNERS)), "signing_weight") == (1, 2, "unrecognised")


def test_who_uses_keys_and_gives_access_is_counted_once() -> None:
    team = group("team", "both", "user")
    rows = {
        "grant": [grant("team", "wrap"), grant("both", "grant"), grant("officer", "grant", "backup")],
        "principal": [team[0], *(who(name) for name in ("both", "user", "officer"))],
        "membership": team[1:],
    }
    assert bounds(only(derive("vault", rows, "principals_using_and_granting")), "principals_using_and_granting") == (1, 1, None)
    team = group("team", "both", listed=Reason.PERMISSION)
    rows |= {"principal": [team[0], who("both"), who("officer")], "membership": team[1:]}
    assert bounds(only(derive("vault", rows, "principals_using_and_granting")), "principals_using_and_granting") == (
        1,
        None,
        "permission",
    )


def test_the_administrators_of_an_hsm_are_those_that_hold_the_role() -> None:
    of = HSM
    team = group("team", "b", "c")
    # Members of a group with another role do not matter.
    held = (
        ("a", HSM_ADMINISTRATOR),
        ("team", HSM_ADMINISTRATOR),
        ("c", HSM_ADMINISTRATOR),
        ("d", "another-role"),
        ("closed", "another-role"),
    )
    rows = {
        "grant": [grant(name, "grant", kind="hsm-role", role_id=role, scope_kind="hsm") for name, role in held],
        "principal": [team[0], *(who(name) for name in ("a", "b", "c", "d")), *group("closed", listed=Reason.PERMISSION)],
        "membership": team[1:],
    }
    assert bounds(only(derive("vault", rows, "administrators", of=of)), "administrators") == (3, 3, None)
    lost = [refused(vault_scope("kv"), LOCAL[0], Reason.PERMISSION), *assessed(vault_scope("kv"), *LOCAL[1:])]
    found = only(derive("vault", rows, "administrators", of=of, local=lost))
    assert bounds(found, "administrators") == (3, None, "permission")
    rows["principal"][0] = group("team", listed=Reason.TRUNCATED)[0]
    found = only(derive("vault", rows, "administrators", of=of))
    assert bounds(found, "administrators") == (3, None, "truncated")
    rows["grant"] = [each for each in rows["grant"] if each["role_id"] != HSM_ADMINISTRATOR]
    assert bounds(only(derive("vault", rows, "administrators", of=of)), "administrators") == (0, 0, None)


def certificate(**values: Any) -> Row:
    place = "https://kv.vault.azure.net/certificates/login"
    made = {"certificate_id": place, "vault_id": KV, "public_key_sha256": "KEY", "thumbprint": "THUMB"} | values
    return row("certificate", f"{place}/1", scope_id=vault_scope("kv").id, **made)


def path_to_tier0(
    *more: Row, role: Row | None = None, app: Row | None = None, coverage: list[Coverage] = READ, **values: Any
) -> Row:
    """A certificate of an application that controls the tenant; `values` of its credential."""
    made: dict[str, Any] = {"kind": "certificate", "public_key_sha256": "KEY", "expires_on": AS_OF + DAY} | values
    rows = {
        "grant": [
            role or directory_role("app"),
            grant("user", "sign"),
            grant("admin", "sign", "read-private"),
            directory_role("admin"),
        ],
        "principal": [who("user"), who("admin"), who("app", "service-principal")],
        "service_principal": [app or service("app")],
        "application": [application("app-app")],
        "credential": [credential("c", holder="app-app", **made)],
        "certificate": [certificate()],
    }
    for each in more:
        name = "grant" if "allows" in each else "membership" if "member_id" in each else "principal"
        rows.setdefault(name, []).append(each)
    read = ("authenticates_tier0", "outsiders_signing", "outsiders_reading_private")
    return only(derive("certificate", rows, *read, coverage=coverage))


@pytest.mark.parametrize(
    ("values", "opens", "reason"),
    [
        ({}, True, None),
        ({"expires_on": AS_OF}, False, None),
        ({"expires_on": None}, True, None),
        ({"expires_on": Reason.BAD_VALUE}, None, "bad_value"),
        ({"public_key_sha256": "ANOTHER"}, False, None),
        # Who adds a credential chooses its thumbprint, which says nothing of the key that is not shown.
        *(
            ({"public_key_sha256": Reason.BAD_VALUE, "thumbprint": each}, None, "bad_value")
            for each in ("THUMB", "ANOTHER", None)
        ),
        ({"kind": "symmetric-key", "public_key_sha256": None, "thumbprint": "THUMB"}, False, None),
        ({"kind": "password", "public_key_sha256": None}, False, None),
        # A credential of an unknown kind says nothing about other keys than its own.
        ({"kind": Reason.UNRECOGNISED, "public_key_sha256": "ANOTHER"}, False, None),
        ({"kind": Reason.UNRECOGNISED}, None, "unrecognised"),
        ({"kind": Reason.UNRECOGNISED, "public_key_sha256": Reason.BAD_VALUE}, None, "bad_value"),
    ],
)
def test_a_certificate_authenticates_tier_0_while_a_credential_on_its_key_lives(
    values: dict[str, Any], opens: object, reason: object
) -> None:
    assert told(path_to_tier0(**values), "authenticates_tier0") == (opens, reason)


def test_a_certificate_may_authenticate_tier_0_while_it_is_open_whether_its_application_controls_the_tenant() -> None:
    nothing = directory_role("app", tier=None)
    assert told(path_to_tier0(role=nothing), "authenticates_tier0") == (False, None)
    unlisted = service("app", app_roles_listed=Reason.DNS)
    hidden = (directory_role("team"), *group("team", listed=Reason.THROTTLED))
    never_begun = [each for each in READ if each.operation != PRINCIPALS[1]]
    lost = [*never_begun, refused(TENANT, PRINCIPALS[1], Reason.PERMISSION)]
    unread = directory_role("app") | {"scope_kind": None, "unknown": {"scope_kind": "bad_value"}}
    for found, reason in (
        (path_to_tier0(role=directory_role("app", tier=Reason.BAD_ITEM)), "bad_item"),
        (path_to_tier0(role=unread), "bad_value"),
        (path_to_tier0(role=nothing, app=unlisted), "dns"),
        (path_to_tier0(*hidden, role=nothing), "throttled"),
        (path_to_tier0(role=nothing, coverage=lost), "permission"),
        (path_to_tier0(role=nothing, coverage=never_begun), "interrupted"),
    ):
        assert told(found, "authenticates_tier0") == (None, reason)


def test_who_controls_the_tenant_is_no_outsider() -> None:
    team = group("team", "member")
    more = (grant("team", "sign"), *team, who("member"), directory_role("team"), grant("soon", "sign"), who("soon"))
    found = path_to_tier0(*more, directory_role("soon", standing=False))
    assert bounds(found, "outsiders_signing") == (1, 1, None)
    assert bounds(found, "outsiders_reading_private") == (0, 0, None)
    found = path_to_tier0(directory_role("user", tier=Reason.PERMISSION))
    assert bounds(found, "outsiders_signing") == (0, 1, "permission")


@pytest.mark.parametrize(
    ("readers", "held", "expected"),
    [
        # Its own reader has the key anyway; any other reader counts, even if it is the only one.
        (("own",), {}, (0, 0, None)),
        (("other",), {}, (1, 1, None)),
        (("own", "other"), {}, (1, 1, None)),
        (("own",), {"public_key_sha256": "BB"}, (1, 1, None)),
        (("own",), {"expires_on": AS_OF}, (1, 1, None)),
        (("own",), {"usage": "Sign"}, (1, 1, None)),
        (("own",), {"public_key_sha256": Reason.NOT_VISIBLE}, (0, 1, "not_visible")),
        (("own",), {"expires_on": Reason.BAD_VALUE}, (0, 1, "bad_value")),
        (("own",), {"usage": Reason.BAD_VALUE}, (0, 1, "bad_value")),
        (("own",), {"kind": Reason.UNRECOGNISED}, (0, 1, "unrecognised")),
        (("own",), {"app_id": Reason.BAD_VALUE}, (0, 1, "bad_value")),
    ],
)
def test_of_those_who_read_a_private_key_only_who_signs_in_with_it_is_not_another(
    readers: tuple[str, ...], held: dict[str, Any], expected: object
) -> None:
    assert others_reading(readers, held) == expected


def test_its_own_reader_is_perhaps_another_if_the_key_of_a_certificate_was_not_read() -> None:
    assert others_reading(("own",), {}, Reason.BAD_ITEM) == (0, 1, "bad_item")


def test_a_reader_of_unknown_client_id_may_be_who_signs_in_with_the_key() -> None:
    assert others_reading(("own",), {}, home=Reason.BAD_ITEM) == (0, 1, "bad_item")


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        # The application that holds it is none of the others', and no managed identity's: client ids are unique.
        ({"on": "application", "app_id": Reason.BAD_ITEM}, (2, 3, "bad_item")),
        ({"on": "application", "app_id": Reason.BAD_ITEM, "public_key_sha256": Reason.PERMISSION}, (2, 3, "permission")),
        ({"on": "application", "app_id": Reason.BAD_ITEM, "public_key_sha256": "BB"}, (3, 3, None)),
        ({"on": "application", "app_id": "app-web"}, (2, 2, None)),
        # What a service principal holds itself names it.
        ({"on": "service_principal", "holder": "web", "app_id": Reason.BAD_ITEM}, (2, 2, None)),
        ({"on": "service_principal", "holder": "elsewhere", "app_id": Reason.BAD_ITEM}, (3, 3, None)),
    ],
)
def test_a_credential_of_an_unread_application_is_of_no_reader_with_another_application(
    held: dict[str, Any], expected: object
) -> None:
    place = {"scope_id": f"{KV}", "vault_id": KV, "certificate_id": "https://kv.vault.azure.net/certificates/a"}
    shown: dict[str, Any] = {"public_key_sha256": "AA", "enabled": True, "versions_listed": True}
    signs_in: dict[str, Any] = {"kind": "certificate", "usage": "Verify", "public_key_sha256": "AA", "expires_on": AS_OF + DAY}
    readers = ("web", "machine", "free")
    rows = {
        "certificate": [row("certificate", f"{place['certificate_id']}/1", **place, **shown)],
        "grant": [grant(name, "read-private") for name in readers],
        "principal": [who(name, "service-principal") for name in readers],
        "service_principal": [
            service(name, principal_type="ManagedIdentity" if name == "machine" else "Application") for name in readers
        ],
        "application": [application("web", app_id="app-web")],
        "credential": [credential("k", **signs_in | held)],
    }
    found = only(derive("certificate", rows, "others_reading_private"))
    assert bounds(found, "others_reading_private") == expected


def test_without_the_members_of_a_group_there_is_no_upper_bound() -> None:
    assert others_reading(("own", "other"), {}, team=Reason.PERMISSION) == (1, None, "permission")


def others_reading(
    readers: tuple[str, ...], held: dict[str, Any], digest: str = "AA", team: object = None, home: object = "app-own"
) -> object:
    """The bounds of `others_reading_private` of a certificate with that key; `held`: columns of the credential of `own`, whose
    service principal has the client id `home`; `team`: why the members of a group of readers are unknown.
    """
    place = {"scope_id": f"{KV}", "vault_id": KV, "certificate_id": "https://kv.vault.azure.net/certificates/a"}
    shown: dict[str, Any] = {"public_key_sha256": digest, "enabled": True, "versions_listed": True}
    certificate = row("certificate", f"{place['certificate_id']}/1", **place, **shown)
    signs_in: dict[str, Any] = {
        "kind": "certificate",
        "usage": "Verify",
        "public_key_sha256": "AA",
        "expires_on": AS_OF + DAY,
    } | held
    rows = {
        "certificate": [certificate],
        "grant": [grant(name, "read-private") for name in readers],
        "principal": [who(name, "service-principal") for name in readers],
        "service_principal": [service(name, **({"app_id": home} if name == "own" else {})) for name in readers],
        "credential": [credential("k", **{"app_id": "app-own", **signs_in})],
    }
    if team:
        rows["grant"].append(grant("team", "read-private"))
        rows["principal"].append(who("team", "group", members_listed=team))
    return bounds(only(derive("certificate", rows, "others_reading_private")), "others_reading_private")
