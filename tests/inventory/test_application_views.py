"""The view of applications, for owners and active credentials: certain, bounded, or unknown with a reason."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.directory.tiers import GRAPH, MANAGES_OWNED
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Row, application, assessed, credential, refused, row, unread_credential
from tests.inventory.test_views import only

READ = assessed(TENANT, "application.list", "service_principal.list")
NO_PRINCIPALS = [*assessed(TENANT, "application.list"), refused(TENANT, "service_principal.list", Reason.PERMISSION)]
NO_APPLICATIONS = [refused(TENANT, "application.list", Reason.PERMISSION), *assessed(TENANT, "service_principal.list")]
GRANTS_READ = assessed(
    TENANT, "application.list", "service_principal.list", "principal.lookup", "directory_role.definitions",
    "service_principal.app_roles", "directory_role.assignments"
)  # fmt: skip
BAD, THROTTLED = Reason.BAD_VALUE, Reason.THROTTLED
SOON, LATER = AS_OF + 5 * DAY, AS_OF + 50 * DAY


def principal(object_id: str = "s1", **values: Any) -> Row:
    id_ = f"{TENANT.id}/serviceprincipals/{object_id}"
    return row("service_principal", id_, **({"scope_id": TENANT.id, "app_id": "a"} | values))


OWNERS: list[tuple[object, list[Row], list[Coverage], object, object, object]] = [
    ([], [principal()], READ, (0, 0), (0, 0), None),
    (["u1", "U2"], [principal()], READ, (2, 2), (2, 2), None),
    # A service principal is no user, and one who owns both is one.
    (["u1", "P1"], [principal(owner_ids=["U1"]), principal("p1", app_id="b")], READ, (2, 2), (1, 1), None),
    # Owners of the service principal can add a credential, too; owners of another application's do not count.
    ([], [principal(app_id="A", owner_ids=["u1"]), principal("s2", app_id="b", owner_ids=["u2"])], READ, (0, 0), (1, 1), None),
    (BAD, [principal(owner_ids=["u1"])], READ, (0, None), (1, None), "bad_value"),
    (["u1"], [principal(owner_ids=THROTTLED)], READ, (1, 1), (1, None), "throttled"),
    (["u1"], [principal(app_id=BAD)], READ, (1, 1), (1, None), "bad_value"),
    # Any of them may be a service principal that was not listed.
    (["u1"], [], NO_PRINCIPALS, (1, 1), (0, None), "permission"),
    (["u1"], [principal()], NO_PRINCIPALS, (1, 1), (0, None), "permission"),
    ([], [principal()], NO_PRINCIPALS, (0, 0), (0, 0), None),
    # Its own service principal was found: one without an app id belongs to another application.
    (["u1"], [principal(), principal("s2", app_id=BAD, owner_ids=["u2"])], READ, (1, 1), (1, 1), None),
]


@pytest.mark.parametrize(("owners", "principals", "coverage", "counted", "users", "reason"), OWNERS)
def test_owners_are_counted_and_those_that_are_users_by_what_they_are_not(
    owners: object,
    principals: list[Row],
    coverage: list[Coverage],
    counted: object,
    users: object,
    reason: object,
) -> None:
    rows = {"application": [application("a", owner_ids=owners)], "service_principal": principals}
    found = only("application", rows, coverage)
    assert (found["owner_count_min"], found["owner_count_max"]) == counted
    assert (found["user_owners_min"], found["user_owners_max"]) == users
    assert found["unknown"].get("user_owners") == reason


def person(object_id: str, **values: Any) -> Row:
    about = {"kind": "user", "user_type": "Member", "enabled": True} | values
    return row("principal", f"{TENANT.id}/principals/{object_id}", object_id=object_id, **about)


def controls(to: str, **values: Any) -> Row:
    about = {"kind": "directory-role", "scope_kind": "tenant", "tier": 0, "standing": True, "principal_id": to} | values
    return row("grant", f"{TENANT.id}/grants/{to}", scope_id=TENANT.id, **about)


@pytest.mark.parametrize(
    ("rows", "gaining", "outside"),
    [
        ({"principal": [person("u1"), person("u2")]}, (2, 2), (0, 0)),
        ({"principal": [person("u1", user_type="Guest"), person("u2", enabled=False)]}, (2, 2), (2, 2)),
        # Who controls the tenant, or may, gains nothing.
        ({"principal": [person("u1", user_type="Guest"), person("u2")], "grant": [controls("u1")]}, (1, 1), (0, 0)),
        ({"principal": [person("u1"), person("u2")], "grant": [controls("u1", standing=False)]}, (1, 1), (0, 0)),
        (
            {
                "principal": [person("u1"), person("u2")],
                "grant": [controls("g")],
                "membership": [row("membership", "g/u2", group_id="g", member_id="u2")],
            },
            (1, 1),
            (0, 0),
        ),
        ({"principal": [person("u1"), person("u2")], "grant": [controls("u1", tier=1)]}, (2, 2), (0, 0)),
        ({"principal": [person("u1", user_type=BAD), person("u2", user_type="Guest")]}, (2, 2), (1, None)),
        ({"principal": [person("u1")]}, (2, 2), (0, None)),
    ],
)
def test_owners_that_gain_are_told_from_those_that_control_the_tenant_already(
    rows: dict[str, list[Row]], gaining: object, outside: object
) -> None:
    made = {"application": [application("a", owner_ids=["u1", "u2"])], "service_principal": [principal()]} | rows
    found = only("application", made, READ)
    assert (found["owners_gaining_min"], found["owners_gaining_max"]) == gaining
    assert (found["owners_outside_min"], found["owners_outside_max"]) == outside


def owned(number: int, *owners: str, listed: object = True, **values: Any) -> dict[str, Row]:
    """An application and its service principal, with these owners."""
    return {
        "application": application(f"app{number}", owner_ids=list(owners), **values),
        "service_principal": principal(f"p{number}", app_id=f"app{number}", app_roles_listed=listed),
    }


def granted(number: int, role_id: str = MANAGES_OWNED, **values: Any) -> Row:
    """An app role of Microsoft Graph that the service principal of an application was granted."""
    role = {"kind": "app-role", "api_id": GRAPH, "scope_kind": "api", "standing": True, "role_id": role_id}
    return row("grant", f"p{number}/{role_id}", scope_id=TENANT.id, principal_id=f"p{number}", **role | values)


def directory_role(number: int, **values: Any) -> Row:
    role: dict[str, Any] = {"kind": "directory-role", "scope_kind": "tenant", "tier": 0, "api_id": None, "role_id": "r"}
    return granted(number, **role | values)


MANAGERS = [granted(number) for number in range(3)]
# An application can add a credential to what it owns only with Application.ReadWrite.OwnedBy or more:
# https://learn.microsoft.com/graph/api/application-addpassword
RIGHTS: list[tuple[dict[str, Row], list[Row], list[Coverage], object, object]] = [
    (owned(1, "u1"), [], GRANTS_READ, (0, 0), None),
    (owned(1, "u1"), [granted(0)], GRANTS_READ, (0, 0), None),
    (owned(1, "u1"), [granted(1)], GRANTS_READ, (1, 1), None),
    (owned(1, "u1"), [granted(1, "other", tier=1)], GRANTS_READ, (0, 0), None),
    (owned(1, "u1"), [granted(1, "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", tier=0)], GRANTS_READ, (1, 1), None),
    (owned(1, "u1"), [granted(1, api_id="another")], GRANTS_READ, (0, 0), None),
    (owned(1, "u1"), [directory_role(1)], GRANTS_READ, (1, 1), None),
    (owned(1, "u1"), [directory_role(1, tier=1)], GRANTS_READ, (0, 0), None),
    # It may be a role over the owned application alone; no application is in an administrative unit.
    (owned(1, "u1"), [directory_role(1, scope_kind="directory-object")], GRANTS_READ, (0, None), "unrecognised"),
    (owned(1, "u1"), [directory_role(1, scope_kind="administrative-unit")], GRANTS_READ, (0, 0), None),
    # What it was granted was not read.
    (owned(1, "u1", listed=THROTTLED), [], GRANTS_READ, (0, None), "throttled"),
    (owned(1, "u1", listed=THROTTLED), [granted(1)], GRANTS_READ, (1, 1), None),
    (owned(1, listed=THROTTLED), [], GRANTS_READ, (0, 0), None),
    (owned(1, "u1"), [], [*GRANTS_READ[:-1], refused(TENANT, "directory_role.assignments", BAD)], (0, None), "bad_value"),
]


@pytest.mark.parametrize(("owner", "grants", "coverage", "users", "reason"), RIGHTS)
def test_an_application_that_cannot_manage_what_it_owns_leads_nobody_there(
    owner: dict[str, Row], grants: list[Row], coverage: list[Coverage], users: object, reason: object
) -> None:
    every = [owned(0, "p1"), owner]
    rows = {name: [each[name] for each in every] for name in ("application", "service_principal")}
    who = [row("principal", f"p{number}", object_id=f"p{number}", kind="service-principal") for number in range(2)]
    found = only("application", {**rows, "grant": grants, "principal": who}, coverage)
    assert (found["indirect_user_owners_min"], found["indirect_user_owners_max"]) == users
    assert found["unknown"].get("indirect_user_owners") == reason


def test_a_user_counts_who_has_one_certain_way_and_every_owner_on_it_must_be_able() -> None:
    def users(*every: dict[str, Row], grants: list[Row]) -> tuple[object, object]:
        rows = {name: [each[name] for each in every] for name in ("application", "service_principal")}
        found = only("application", {**rows, "grant": grants}, GRANTS_READ)
        return found["indirect_user_owners_min"], found["indirect_user_owners_max"]

    unread = owned(2, "u1", listed=THROTTLED)
    assert users(owned(0, "p1", "p2"), owned(1, "u1"), unread, grants=[granted(1)]) == (1, 1)
    assert users(owned(0, "p1", "p2"), owned(1, "u2"), unread, grants=[granted(1)]) == (1, None)
    chain = (owned(0, "p1"), owned(1, "p2"), owned(2, "u1"))
    assert users(*chain, grants=[granted(1), granted(2)]) == (1, 1)
    assert users(*chain, grants=[granted(1)]) == (0, 0)
    assert users(*chain, grants=[granted(2)]) == (0, 0)


WAYS: list[tuple[list[dict[str, Row]], object, object]] = [
    ([owned(0, "u1")], (0, 0), None),
    ([owned(0, "P1"), owned(1, "u1", "u2")], (2, 2), None),
    ([owned(0, "P1"), owned(1)], (0, 0), None),
    ([owned(0, "p1"), owned(1, "p2"), owned(2, "u1")], (1, 1), None),
    # A circle ends, and a person counts once.
    ([owned(0, "p1", "p2"), owned(1, "p0", "p2", "u1"), owned(2, "p1", "u1")], (1, 1), None),
    ([owned(0), owned(1, "u1")], (0, 0), None),
    ([owned(0, "p1"), {**owned(1), "application": application("app1", owner_ids=THROTTLED)}], (0, None), "throttled"),
    ([owned(0), {**owned(1), "application": application("app1", owner_ids=THROTTLED)}], (0, 0), None),
    # One whose application id was not read may be the owner.
    ([owned(0, "p1"), owned(1), owned(2, "u1", app_id=BAD)], (0, None), "bad_value"),
    ([owned(0), owned(1), owned(2, "u1", app_id=BAD)], (0, 0), None),
]


@pytest.mark.parametrize(("every", "users", "reason"), WAYS)
def test_users_count_that_own_an_owner_through_other_applications(
    every: list[dict[str, Row]], users: object, reason: object
) -> None:
    rows = {name: [each[name] for each in every] for name in ("application", "service_principal")}
    found = only("application", {**rows, "grant": MANAGERS}, READ)
    assert (found["indirect_user_owners_min"], found["indirect_user_owners_max"]) == users
    assert found["unknown"].get("indirect_user_owners") == reason


LIVE: list[tuple[list[Row], list[Coverage], object, object, object]] = [
    ([], READ, (0, 0), None, None),
    ([credential("1", expires_on=AS_OF)], READ, (0, 0), None, None),
    ([credential("1", expires_on=SOON), credential("2", expires_on=LATER)], READ, (2, 2), LATER, None),
    ([credential("1", expires_on=SOON, kind="certificate")], READ, (0, 0), SOON, None),
    ([credential("1", expires_on=SOON), credential("2", kind="federated", issuer="i", audiences=[])], READ, (1, 1), SOON, None),
    ([credential("1", expires_on=SOON), credential("2", expires_on=None)], READ, (2, 2), None, None),
    ([credential("1", expires_on=SOON), credential("2", expires_on=BAD)], READ, (1, 2), None, "bad_value"),
    ([credential("1", expires_on=None), credential("2", expires_on=BAD)], READ, (1, 2), None, None),
    ([credential("1", expires_on=SOON, kind=BAD)], READ, (0, 1), None, "bad_value"),
    ([credential("1", expires_on=SOON)], NO_APPLICATIONS, (1, 1), SOON, None),
    ([credential("1", expires_on=SOON), unread_credential()], READ, (1, None), None, "bad_item"),
    ([credential("1", expires_on=SOON), unread_credential("b")], READ, (1, 1), SOON, None),
]


@pytest.mark.parametrize(("credentials", "coverage", "secrets", "until", "reason"), LIVE)
def test_live_secrets_and_the_end_of_the_last_credential(
    credentials: list[Row], coverage: list[Coverage], secrets: object, until: object, reason: object
) -> None:
    rows = {"application": [application("a")], "credential": credentials}
    found = only("application", rows, coverage)
    assert (found["live_secrets_min"], found["live_secrets_max"]) == secrets
    # A count without a certain value has its reason.
    assert ("live_secrets" in found["unknown"]) is (found["live_secrets_min"] != found["live_secrets_max"])
    assert (found["live_until"], found["unknown"].get("live_until")) == (until, reason)


ONLY: list[tuple[list[Row], object, object]] = [
    ([], None, None),
    ([credential("1", expires_on=SOON)], "1", "1"),
    ([credential("1", expires_on=SOON), credential("2", expires_on=AS_OF)], "1", "1"),
    ([credential("1", expires_on=None), credential("2", expires_on=LATER)], None, None),
    ([credential("1", expires_on=SOON, kind="certificate")], None, "1"),
    ([credential("1", expires_on=SOON), credential("2", expires_on=SOON, kind="certificate")], "1", None),
    ([credential("1", expires_on=SOON), credential("2", kind="federated", issuer="i", audiences=[])], "1", "1"),
    # It may be a second one.
    ([credential("1", expires_on=SOON), credential("2", expires_on=BAD)], BAD, BAD),
    ([credential("1", expires_on=SOON), credential("2", expires_on=SOON, kind=BAD)], BAD, BAD),
    ([credential("1", expires_on=SOON), unread_credential()], Reason.BAD_ITEM, Reason.BAD_ITEM),
    # Whether a certificate has expired says nothing of secrets.
    ([credential("1", expires_on=SOON), credential("2", expires_on=BAD, kind="certificate")], "1", BAD),
    # Two are several, with or without the third.
    ([credential(name, expires_on=BAD if name == "3" else SOON) for name in "123"], None, None),
]


@pytest.mark.parametrize(("credentials", "secret", "any_kind"), ONLY)
def test_the_only_unexpired_credential_is_named(credentials: list[Row], secret: object, any_kind: object) -> None:
    rows = {"application": [application("a")], "credential": credentials}
    found = only("application", rows, READ)
    for column, expected in (("only_secret_id", secret), ("only_credential_id", any_kind)):
        unknown = found["unknown"].get(column)
        named = str(found[column]).rpartition("/")[2] if found[column] else None
        assert (named, unknown) == ((None, expected) if isinstance(expected, Reason) else (expected, None)), column


def use(number: int, app_id: object, last_used_on: object) -> Row:
    return row("credential_activity", f"{TENANT.id}/{number}", app_id=app_id, last_used_on=last_used_on, scope_id=TENANT.id)


REPORT_READ = [*READ, *assessed(TENANT, "credential_activity.list")]
USES: list[tuple[list[Row], list[Coverage], object, object]] = [
    ([use(1, "a", SOON), use(2, "a", LATER), use(3, "b", LATER + DAY)], REPORT_READ, LATER, None),
    ([use(1, "b", SOON)], REPORT_READ, None, None),
    ([use(1, "a", SOON), use(2, "a", BAD)], REPORT_READ, None, "bad_value"),
    ([], [*READ, refused(TENANT, "credential_activity.list", Reason.NOT_LICENSED)], None, "not_licensed"),
]


@pytest.mark.parametrize(("uses", "coverage", "last", "reason"), USES)
def test_the_last_use_of_any_credential(uses: list[Row], coverage: list[Coverage], last: object, reason: object) -> None:
    found = only("application", {"application": [application("a")], "credential_activity": uses}, coverage)
    assert (found["credential_last_used_on"], found["unknown"].get("credential_last_used_on")) == (last, reason)
