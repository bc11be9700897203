"""What principals may do, and when things were last used: certain only where all that it rests on was read."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.directory.tiers import GRAPH
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY, HOUR
from tests.inventory.sample import AS_OF, TENANT, Found, Row, application, assessed, credential, refused, row
from tests.inventory.test_views import only

ME, GROUP, APP = "s1", "g1", "a"
OPERATIONS = (
    "application.list",
    "service_principal.list",
    "service_principal.app_roles",
    "delegated_grant.list",
    "directory_role.assignments",
    "directory_role.definitions",
    "principal.lookup",
    "role_assignment.query",
    "vault.query",
    "sign_in_activity.list",
    "credential_activity.list",
    *(f"{holder}.federated{each}" for holder in ("application", "service_principal") for each in ("", "_of")),
    "managed_identity.query",
    "managed_identity.federated_of",
    "conditional_access.list",
    "named_location.list",
)
READ = assessed(TENANT, *OPERATIONS, "subscription.list")
PERMISSION, BAD, THROTTLED = Reason.PERMISSION, Reason.BAD_VALUE, Reason.THROTTLED
LISTS = (
    "app_roles",
    "tenant_wide_app_roles",
    "delegated_for_everyone",
    "delegated_control",
    "delegated_data",
    "directory_roles",
    "tenant_wide_directory_roles",
    "tier0_roles",
    "wide_azure_roles",
    "policy_vaults",
)


def without(operation: str, reason: Reason = PERMISSION) -> list[Coverage]:
    return [*(record for record in READ if record.operation != operation), refused(TENANT, operation, reason)]


def principal(object_id: str = ME, **values: Any) -> Row:
    id_ = f"{TENANT.id}/serviceprincipals/{object_id}"
    return row("service_principal", id_, **({"scope_id": TENANT.id, "app_id": APP, "app_roles_listed": True} | values))


def grant(name: str | Reason, *, kind: str = "app-role", to: str = ME, **values: Any) -> Row:
    where = {"scope_kind": "tenant" if kind == "directory-role" else "api", "standing": True, "scope_id": TENANT.id}
    made = where | {"name": name, "kind": kind, "principal_id": to} | values
    return row("grant", f"{to}/{kind}/{name}/{values}", **made)


def role(name: str | Reason = "Global Administrator", **values: Any) -> Row:
    return grant(name, kind="directory-role", **({"tier": 0} | values))


def consent(name: str, whose: str | Reason = "everyone") -> Row:
    return grant(name, kind="delegated", on_behalf_of=whose)


def for_everyone(name: str, **values: Any) -> Row:
    return grant(name, kind="delegated", **({"on_behalf_of": "everyone", "api_id": GRAPH} | values))


def named(object_id: str, kind: str | Reason = "service-principal", **values: Any) -> Row:
    return row("principal", f"{TENANT.id}/principals/{object_id}", object_id=object_id, kind=kind, **values)


def group(listed: bool | Reason = True) -> Row:
    return named(GROUP, "group", members_listed=listed)


def member(of: str = GROUP, who: str = ME) -> Row:
    return row("membership", f"{of}/{who}", group_id=of, member_id=who)


def derived(grants: list[Row], coverage: list[Coverage] = READ, **rows: list[Row]) -> Found:
    """The service principal as its view has it. Who holds roles is known to be what he is, unless `principal` says so."""
    held = {str(each["principal_id"]) for each in grants} - {GROUP}
    made = {"service_principal": [principal()], "grant": grants, "principal": [named(each) for each in sorted(held)]} | rows
    return only("service_principal", made, coverage)


def reasons(found: Found) -> dict[str, str]:
    """Why columns are unknown, but for those of last use."""
    return {name: reason for name, reason in found["unknown"].items() if not name.startswith("last_")}


def test_who_was_granted_nothing_has_nothing() -> None:
    found = derived([grant("Mail.Read", to="other", tier=1), role(to="other")])
    assert reasons(found) == {}
    assert [found[name] for name in LISTS] == [[]] * len(LISTS)
    assert [found[name] for name in ("tier0", "tenant_wide", "opens_subscriptions", "directory_sync")] == [False] * 4
    assert found["unprivileged"] is True
    counts = ("app_role_count", "directory_role_count")
    assert [(found[f"{name}_min"], found[f"{name}_max"]) for name in counts] == [(0, 0), (0, 0)]


def test_what_was_granted_is_named_and_ranked() -> None:
    grants = [
        grant("Mail.Read", tier=1),
        grant("Orders.Read", role_id="r1"),
        grant("Orders.Read", role_id="r2"),
        row("grant", "nameless", **(grant("x") | {"id": "nameless", "name": None, "role_id": "r3"})),
        consent("User.Read"),
        consent("Mail.Send", "somebody"),
        role("Directory Readers", tier=None, scope_kind="administrative-unit"),
    ]
    found = derived(grants)
    assert reasons(found) == {}
    assert found["app_roles"] == ["Mail.Read", "Orders.Read", "r3"]
    assert (found["app_role_count_min"], found["app_role_count_max"]) == (4, 4)
    assert found["tenant_wide_app_roles"] == ["Mail.Read"]
    assert found["delegated_for_everyone"] == ["User.Read"]
    assert found["directory_roles"] == ["Directory Readers"]
    assert found["tier0"] is False


NAMELESS: list[tuple[list[Row], dict[str, str]]] = [
    ([grant(BAD, tier=1)], dict.fromkeys(("app_roles", "tenant_wide_app_roles"), "bad_value")),
    ([grant(BAD, tier=None)], {"app_roles": "bad_value"}),
    ([role(BAD, tier=None)], {"directory_roles": "bad_value"}),
    ([grant("x", kind="delegated", on_behalf_of=BAD)], dict.fromkeys(("delegated_for_everyone", "unprivileged"), "bad_value")),
    ([for_everyone("Mail.Read", api_id=BAD)], dict.fromkeys(("delegated_control", "delegated_data"), "bad_value")),
    ([grant(BAD, kind="delegated", on_behalf_of="somebody")], {}),
    # Of several reasons, the first in alphabetical order.
    (
        [grant("x", tier=PERMISSION), grant("y", tier=BAD)],
        dict.fromkeys(("tenant_wide_app_roles", "tenant_wide", "tier0", "tier0_roles", "manages_owned"), "bad_value"),
    ),
]


@pytest.mark.parametrize(("grants", "unknown"), NAMELESS)
def test_a_grant_without_a_known_name_is_missing_in_its_own_lists(grants: list[Row], unknown: dict[str, str]) -> None:
    assert reasons(derived(grants)) == unknown


def test_a_principal_stays_where_no_list_of_grants_was_begun() -> None:
    found = derived([], [])
    assert {reasons(found)[name] for name in ("delegated_for_everyone", "directory_roles", "tier0")} == {"interrupted"}


CONTROL: list[tuple[list[Row], object, object]] = [
    ([grant("RoleManagement.ReadWrite.Directory", tier=0)], True, None),
    ([role()], True, None),
    ([role(standing=False)], False, None),
    ([role(scope_kind="administrative-unit")], False, None),
    ([role(scope_kind="directory-object")], False, None),
    ([role(scope_kind=BAD)], None, "bad_value"),
    ([role(scope_kind=BAD, tier=None)], False, None),
    ([role(BAD, tier=PERMISSION)], None, "permission"),
    ([role(tier=PERMISSION, scope_kind="administrative-unit")], False, None),
    ([grant(BAD, tier=PERMISSION)], None, "permission"),
    ([grant(BAD, tier=PERMISSION), role()], True, None),
    ([consent("Directory.AccessAsUser.All")], False, None),
]


@pytest.mark.parametrize(("grants", "tier0", "reason"), CONTROL)
def test_control_of_the_tenant_is_certain_unknown_or_none(grants: list[Row], tier0: object, reason: object) -> None:
    found = derived(grants)
    assert (found["tier0"], reasons(found).get("tier0")) == (tier0, reason)


WIDE: list[tuple[list[Row], object, object]] = [
    ([grant("Mail.Read", tier=1)], True, None),
    ([grant("RoleManagement.ReadWrite.Directory", tier=0), grant("Orders.Read"), role()], False, None),
    ([role("Exchange Administrator", tier=1)], True, None),
    ([role("Exchange Administrator", tier=1, scope_kind="administrative-unit")], False, None),
    ([role("Exchange Administrator", tier=1, standing=False)], False, None),
    ([role("Exchange Administrator", tier=1, standing=BAD)], None, "bad_value"),
    ([grant(BAD, tier=PERMISSION)], None, "permission"),
    ([grant(BAD, tier=PERMISSION), grant("Mail.Read", tier=1)], True, None),
]


@pytest.mark.parametrize(("grants", "wide", "reason"), WIDE)
def test_reach_over_the_whole_tenant_is_certain_unknown_or_none(grants: list[Row], wide: object, reason: object) -> None:
    found = derived(grants)
    assert (found["tenant_wide"], reasons(found).get("tenant_wide")) == (wide, reason)


GROUPS: list[tuple[list[Row], list[Row], object, object, object]] = [
    # The group as it is known, who is in it; the roles and tier0 of the principal, and why they are unknown.
    ([group()], [member()], ["Global Administrator"], True, None),
    ([group()], [member(who="other")], [], False, None),
    ([group(PERMISSION)], [], None, None, "permission"),
    # A known member holds the role, even if other members are unknown; it may have it twice.
    ([group(PERMISSION)], [member()], ["Global Administrator"], True, "permission"),
    ([named(GROUP, THROTTLED)], [], None, None, "throttled"),
    ([], [], None, None, "interrupted"),
]


@pytest.mark.parametrize(("principals", "members", "roles", "tier0", "reason"), GROUPS)
def test_a_groups_directory_role_is_its_members(
    principals: list[Row], members: list[Row], roles: object, tier0: object, reason: object
) -> None:
    found = derived([role(to=GROUP)], principal=principals, membership=members)
    assert (found["directory_roles"], found["tier0"]) == (roles, tier0)
    assert reasons(found).get("directory_roles") == reason
    assert reasons(found).get("tier0") == (None if tier0 else reason)
    assert found["directory_role_count_min"] == len(members) - (members == [member(who="other")])
    # The group has one role, which is counted once more if it may have other members.
    assert found["directory_role_count_max"] == found["directory_role_count_min"] + (1 if reason else 0)


def test_a_group_whose_role_is_harmless_hides_no_control_of_the_tenant() -> None:
    found = derived([role("Directory Readers", to=GROUP, tier=None)], principal=[group(PERMISSION)])
    assert found["tier0"] is False
    assert reasons(found) == dict.fromkeys(("directory_roles", "directory_role_count", "unprivileged"), "permission")


def test_a_groups_app_role_is_not_its_members() -> None:
    found = derived([grant("Mail.Read", to=GROUP, tier=0)], principal=[group()], membership=[member()])
    assert (found["app_roles"], found["tier0"]) == ([], False)


CONSENTS = ("delegated_for_everyone", "delegated_control", "delegated_data", "unprivileged")
BOTH = ("tenant_wide", "tier0", "tier0_roles", "manages_owned", "unprivileged")
ASSIGNED = ("directory_roles", "directory_role_count", "tenant_wide_directory_roles", *BOTH)
GRANTED = ("app_roles", "app_role_count", "tenant_wide_app_roles", *BOTH, "directory_sync")
GAPS: list[tuple[list[Coverage], dict[str, Reason], tuple[str, ...]]] = [
    (without("delegated_grant.list"), {}, CONSENTS),
    (without("directory_role.assignments"), {}, ASSIGNED),
    (
        without("role_assignment.query"),
        {},
        ("wide_azure_roles", "opens_subscriptions", "opens_vaults", "opens_signing", "policy_vaults"),
    ),
    (without("service_principal.app_roles"), {"app_roles_listed": PERMISSION}, GRANTED),
]


@pytest.mark.parametrize(("coverage", "values", "expected"), GAPS)
def test_what_was_not_read_makes_unknown_what_rests_on_it(
    coverage: list[Coverage], values: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = derived([], coverage, service_principal=[principal(**values)])
    assert {"permission"} == set(reasons(found).values())
    assert reasons(found).keys() - {"app_roles_listed"} == set(expected)
    assert all(found.get(name) is None for name in expected)


def test_app_roles_that_are_known_count_where_others_may_be_missing() -> None:
    some = [principal(app_roles_listed=THROTTLED)]
    found = derived([grant("Mail.Read", tier=0)], service_principal=some)
    assert (found["app_role_count_min"], found["app_role_count_max"], found["tier0"]) == (1, None, True)
    assert reasons(found).get("tier0") is None
    assert reasons(found)["app_roles"] == "throttled"


def test_a_consent_for_everyone_is_ranked_by_its_api_and_name() -> None:
    grants = [
        for_everyone("Directory.AccessAsUser.All"),
        for_everyone("application.readwrite.all"),
        for_everyone("Mail.Read"),
        for_everyone("User.Read.All"),
        for_everyone("Sites.ReadWrite.All", api_id="another API"),
        for_everyone("RoleManagement.ReadWrite.Directory", on_behalf_of="somebody"),
    ]
    found = derived(grants)
    assert found["delegated_control"] == ["Directory.AccessAsUser.All", "application.readwrite.all"]
    assert found["delegated_data"] == ["Mail.Read"]
    assert reasons(found) == {}


SYNCHRONIZES = grant("ADSynchronization.ReadWrite.All", tier=0, api_id="6bf85cfa-ac8a-4be5-b5de-425a0d0dc016")
OWNER_OF_ALL = grant("Owner", kind="azure-role", scope_kind="subscription", allows=["grant"], tier=None)
SYNCHRONIZING: list[tuple[list[Row], object, object]] = [
    ([SYNCHRONIZES], True, None),
    ([SYNCHRONIZES, consent("User.Read")], True, None),
    ([SYNCHRONIZES, grant("User.Read.All", api_id="other")], False, None),
    ([SYNCHRONIZES, role("Directory Readers", tier=None)], False, None),
    ([SYNCHRONIZES, OWNER_OF_ALL], False, None),
    ([grant("ADSynchronization.ReadWrite.All", api_id="other")], False, None),
    ([SYNCHRONIZES, grant("x", api_id=BAD)], None, "bad_value"),
]


@pytest.mark.parametrize(("grants", "synchronizes", "reason"), SYNCHRONIZING)
def test_entra_connect_is_known_by_its_app_roles_and_by_nothing_beside_them(
    grants: list[Row], synchronizes: object, reason: object
) -> None:
    found = derived(grants)
    assert (found["directory_sync"], reasons(found).get("directory_sync")) == (synchronizes, reason)


def test_an_azure_role_over_a_subscription_is_told_of_the_application_too() -> None:
    rows = {"application": [application(APP)], "service_principal": [principal()], "grant": [OWNER_OF_ALL]}
    found = only("application", rows | {"principal": [named(ME)]}, READ)
    assert (found["opens_subscriptions"], found["wide_azure_roles"]) == (True, ["Owner"])


def on_vault(allows: list[str] | Reason, kind: str = "azure-role", **values: Any) -> Row:
    return grant("r", kind=kind, **({"scope_kind": "vault", "allows": allows} | values))


@pytest.mark.parametrize(
    ("grants", "opens"),
    [
        ([on_vault(["sign", "wrap"])], (True, True)),
        ([on_vault(["wrap"])], (True, False)),
        ([on_vault([])], (False, False)),
        ([on_vault(["sign"], standing=False)], (False, False)),
        ([on_vault(["sign"], to="other")], (False, False)),
        ([on_vault(["sign"], to=GROUP)], (True, True)),
        ([on_vault(["sign"], "access-policy")], (True, True)),
        ([on_vault(["read-private"], "hsm-role")], (True, False)),
        ([on_vault(PERMISSION)], (None, None)),
        ([on_vault(["wrap"]), on_vault(PERMISSION, "access-policy")], (True, None)),
        ([on_vault(["sign"], to=PERMISSION)], (None, None)),
    ],
)
def test_what_grants_on_vaults_open_is_told_of_members_of_groups_too(grants: list[Row], opens: object) -> None:
    found = derived(grants, principal=[named(ME), named("other"), group()], membership=[member()])
    assert (found["opens_vaults"], found["opens_signing"]) == opens


@pytest.mark.parametrize("operation", ["vault.query", "hsm.role_assignment.list", "role_assignment.query", "subscription.list"])
def test_grants_on_vaults_that_were_not_listed_may_be_anybodys(operation: str) -> None:
    found = derived([], without(operation))
    assert (found["opens_vaults"], found["opens_signing"]) == (None, None)
    assert reasons(found)["opens_signing"] == PERMISSION


def test_a_group_of_another_tenant_gives_its_azure_role_to_nobody_here() -> None:
    partners = named(GROUP, "foreign-group", members_listed=Reason.NOT_VISIBLE)
    owner = row("grant", "partners", **(OWNER_OF_ALL | {"id": "partners", "principal_id": GROUP}))
    found = derived([owner], principal=[partners, named(ME)])
    assert (found["opens_subscriptions"], found["wide_azure_roles"], reasons(found)) == (False, [], {})


def test_what_signs_in_is_counted_with_the_credentials_of_the_application() -> None:
    later = AS_OF + DAY
    held = [
        credential("1", kind="password", app_id=APP.upper(), expires_on=later),
        credential("2", kind="password", app_id=APP, expires_on=AS_OF),
        credential("3", kind="password", app_id="other", expires_on=later),
        credential("4", kind="certificate", app_id=APP, expires_on=None, usage="Verify"),
        credential("5", kind="certificate", app_id=APP, expires_on=later, usage="Sign"),
        credential("6", kind="federated", app_id=APP, expires_on=None),
    ]
    found = derived([], credential=held)
    names = ("live_secrets", "live_certificates", "federated_credentials")
    assert [(found[f"{name}_min"], found[f"{name}_max"]) for name in names] == [(1, 1), (1, 1), (1, 1)]
    of_either_case = only("service_principal", {"service_principal": [principal(app_id=APP.upper())], "credential": held}, READ)
    assert [of_either_case[f"{name}_max"] for name in names] == [1, 1, 1]
    unread = derived([], without("application.federated"), credential=held)
    assert (unread["federated_credentials_max"], unread["live_secrets_max"]) == (None, 1)
    unlisted = derived([], without("application.list"), credential=held)
    assert [(unlisted[f"{name}_min"], unlisted[f"{name}_max"]) for name in names] == [(1, None)] * 3


def test_an_application_has_the_privileges_of_its_service_principal() -> None:
    rows = {
        "application": [application(APP)],
        "service_principal": [principal(app_id=APP.upper()), principal("s2", app_id="b")],
        "grant": [grant("Mail.Read", tier=1), role(), role("Other", to="s2")],
        "principal": [named(ME), named("s2")],
    }
    found = only("application", rows, READ)
    assert (found["app_roles"], found["directory_roles"], found["tier0"]) == (["Mail.Read"], ["Global Administrator"], True)


NONE_HERE: list[tuple[list[Row], list[Coverage], object]] = [
    ([], READ, None),
    ([principal(app_id="b")], READ, None),
    # It may be that one's.
    ([principal(app_id=BAD)], READ, "bad_value"),
    ([], without("service_principal.list"), "permission"),
]


@pytest.mark.parametrize(("principals", "coverage", "reason"), NONE_HERE)
def test_an_application_without_a_service_principal_was_granted_nothing(
    principals: list[Row], coverage: list[Coverage], reason: object
) -> None:
    rows = {"application": [application(APP)], "service_principal": principals}
    found = only("application", rows, coverage)
    flags = ("tier0", "manages_owned", "tenant_wide", "opens_subscriptions", "directory_sync")
    assert [found[name] for name in LISTS] == [None if reason else []] * len(LISTS)
    assert [found[name] for name in flags] == [None if reason else False] * len(flags)
    assert (found["app_role_count_min"], found["app_role_count_max"]) == (0, None if reason else 0)
    names = {*LISTS, *flags, "unprivileged", "app_role_count", "directory_role_count", "user_owners", "indirect_user_owners"}
    names |= {"opens_vaults", "opens_signing", "owners_gaining", "owners_outside"}
    assert reasons(found) == (dict.fromkeys(names, reason) if reason else {})


@pytest.mark.parametrize(("age", "reason"), [(-60, "inconsistent"), (HOUR - 1, "inconsistent"), (HOUR, None)])
def test_a_new_application_may_have_got_its_service_principal_after_these_were_listed(age: int, reason: str | None) -> None:
    new = application(APP, created_on=AS_OF - age)
    found: Any = only("application", {"application": [new]}, READ)
    assert [found["unknown"].get(name) for name in ("app_roles", "tier0")] == [reason] * 2
    # With a service principal in the list its permissions are known.
    there = {"application": [new], "service_principal": [principal()], "grant": [grant("Mail.Read", tier=1)]}
    listed: Any = only("application", there, READ)
    assert (listed["app_roles"], listed["tier0"]) == (["Mail.Read"], False)


def sign_in(number: int, app_id: str | Reason = APP, **values: Any) -> Row:
    return row("sign_in_activity", f"{TENANT.id}/{number}", app_id=app_id, **values)


SIGN_INS: list[tuple[list[Row], list[Coverage], object, object]] = [
    ([], READ, None, None),
    ([sign_in(1, last_sign_in_on=AS_OF), sign_in(2, "b", last_sign_in_on=AS_OF + DAY)], READ, AS_OF, None),
    ([sign_in(1, last_sign_in_on=AS_OF), sign_in(2, last_sign_in_on=AS_OF - DAY)], READ, AS_OF, None),
    ([sign_in(1, last_sign_in_on=AS_OF), sign_in(2, last_sign_in_on=BAD)], READ, None, "bad_value"),
    # The report has one record of each application.
    ([sign_in(1, last_sign_in_on=AS_OF)], without("sign_in_activity.list", THROTTLED), AS_OF, None),
    ([sign_in(1, "b", last_sign_in_on=AS_OF)], without("sign_in_activity.list", THROTTLED), None, "throttled"),
    ([], without("sign_in_activity.list", Reason.NOT_LICENSED), None, "not_licensed"),
    ([], without("sign_in_activity.list", Reason.NOT_IN_CLOUD), None, "not_in_cloud"),
]


@pytest.mark.parametrize(("records", "coverage", "last", "reason"), SIGN_INS)
def test_the_last_sign_in_is_the_latest_of_all_or_unknown(
    records: list[Row], coverage: list[Coverage], last: object, reason: object
) -> None:
    found = derived([], coverage, sign_in_activity=records, service_principal=[principal(app_id=APP.upper())])
    assert (found["last_sign_in_on"], found["unknown"].get("last_sign_in_on")) == (last, reason)


def use(number: int, key_id: object = "k", **values: Any) -> Row:
    return row("credential_activity", f"{TENANT.id}/{number}", **({"app_id": APP, "key_id": key_id} | values))


USES: list[tuple[Row, list[Row], list[Coverage], object, object]] = [
    (credential("K"), [], READ, None, None),
    (credential("K"), [use(1, last_used_on=AS_OF - DAY), use(2, last_used_on=AS_OF)], READ, AS_OF, None),
    (credential("K"), [use(1, last_used_on=AS_OF), use(2, last_used_on=BAD)], READ, None, "bad_value"),
    (credential("K"), [use(1, last_used_on=AS_OF - DAY), use(2, BAD, last_used_on=AS_OF)], READ, None, "bad_value"),
    # Another application may hold a credential of the same id.
    (credential("K"), [use(1, app_id="b", last_used_on=AS_OF), use(2, "other", last_used_on=AS_OF)], READ, None, None),
    (credential("K"), [use(1, last_used_on=AS_OF)], without("credential_activity.list"), None, "permission"),
    ({**credential("K"), "key_id": None, "unknown": {"key_id": BAD}}, [use(1, last_used_on=AS_OF)], READ, None, "bad_value"),
    # The report knows secrets and certificates only.
    (credential("K", kind="federated", issuer="i", audiences=[]), [], without("credential_activity.list"), None, None),
]


@pytest.mark.parametrize(("held", "uses", "coverage", "last", "reason"), USES)
def test_a_credentials_last_use_is_the_latest_for_any_resource_or_unknown(
    held: Row, uses: list[Row], coverage: list[Coverage], last: object, reason: object
) -> None:
    found = only("credential", {"credential": [held], "credential_activity": uses}, coverage)
    assert (found["last_used_on"], found["unknown"].get("last_used_on")) == (last, reason)
