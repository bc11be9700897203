"""What a credential says of its holder: what that may do, whose accounts it takes, when it signed in, and what limits it."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Row, application, assessed, credential, fetch, in_memory, refused, row
from tests.inventory.test_application_views import principal
from tests.inventory.test_privilege_views import grant, named, role
from tests.inventory.test_views import only

READ = assessed(
    TENANT,
    "application.list",
    "service_principal.list",
    "delegated_grant.list",
    "directory_role.assignments",
    "principal.lookup",
    "sign_in_activity.list",
    "credential_activity.list",
    "app_management.default",
    "app_management.list",
)
PERMISSION, BAD, HIDDEN = Reason.PERMISSION, Reason.BAD_VALUE, Reason.NOT_VISIBLE
HALF_A_YEAR, SINCE = 181 * DAY, AS_OF - 400 * DAY
POWERS = ("holder_tier0", "holder_tenant_wide")
OLD, NEW = {"created_on": SINCE - 1}, {"created_on": SINCE}


def without(operation: str) -> list[Coverage]:
    return [*(record for record in READ if record.operation != operation), refused(TENANT, operation, PERMISSION)]


def held(
    rows: dict[str, list[Row]], *columns: str, coverage: list[Coverage] = READ, on: str = "application", **values: Any
) -> dict[str, Any]:
    """The one credential, with these derived columns; each its value or the reason why it is unknown.

    It is on the application `a`, or on its service principal.
    """
    made = credential("k", on=on, **({"holder": "s1" if on == "service_principal" else "a", "app_id": "A"} | values))
    found = only("credential", {"credential": [made], **rows}, coverage)
    return {**found, **found["unknown"]}


HOLDERS = {"application": [application("a", audience="AzureADMultipleOrgs")], "service_principal": [principal()]}


@pytest.mark.parametrize("on", ["application", "service_principal"])
def test_an_application_and_its_service_principal_have_the_same_powers(on: str) -> None:
    grants = [grant("Mail.Read", tier=1), role()]
    found = held({**HOLDERS, "grant": grants, "principal": [named("s1")]}, *POWERS, "holder_audience", on=on)
    assert (found["holder_tier0"], found["holder_tenant_wide"]) == (True, True)
    assert found["holder_audience"] == "AzureADMultipleOrgs"


def test_who_was_granted_nothing_has_no_power() -> None:
    found = held({**HOLDERS, "grant": [grant("Mail.Read", to="other", tier=0)]}, *POWERS)
    assert (found["holder_tier0"], found["holder_tenant_wide"]) == (False, False)


SEEN: list[tuple[list[Row], list[Coverage], Any, str, object]] = [
    (HOLDERS["application"], READ, {}, "holder_audience", "AzureADMultipleOrgs"),
    ([], READ, {}, "holder_audience", None),
    ([application("a", audience=BAD)], READ, {}, "holder_audience", "bad_value"),
    ([application("b", app_id=BAD)], READ, {}, "holder_audience", "bad_value"),
    ([], without("application.list"), {}, "holder_audience", "permission"),
    (HOLDERS["application"], READ, {"app_id": BAD}, "holder_audience", "bad_value"),
    (HOLDERS["application"], READ, {"app_id": "elsewhere"}, "holder_audience", "not_visible"),
    (HOLDERS["application"], without("directory_role.assignments"), {}, "holder_tier0", "permission"),
    (HOLDERS["application"], READ, {"app_id": BAD}, "holder_tenant_wide", "bad_value"),
]


@pytest.mark.parametrize(("applications", "coverage", "values", "column", "expected"), SEEN)
def test_what_was_not_read_of_a_holder_is_unknown(
    applications: list[Row], coverage: list[Coverage], values: Any, column: str, expected: object
) -> None:
    rows = {"application": applications, "service_principal": [principal()]}
    assert held(rows, column, coverage=coverage, **values)[column] == expected


@pytest.mark.parametrize(("home", "expected"), [(BAD, "permission"), ("own", "permission"), ("foreign", None)])
def test_a_holder_that_may_be_of_this_tenant_may_have_an_application_that_was_not_listed(home: Any, expected: object) -> None:
    rows, coverage = {"service_principal": [principal(home=home)]}, without("application.list")
    found = held(rows, "holder_audience", coverage=coverage, on="service_principal", holder_home=home)
    assert found["holder_audience"] == expected


def test_a_service_principal_that_was_not_listed_may_have_any_power() -> None:
    found = held({"application": HOLDERS["application"]}, *POWERS, coverage=without("service_principal.list"))
    assert (found["holder_tier0"], found["holder_tenant_wide"]) == ("permission", "permission")
    # This one was found, although others were not.
    found = held(HOLDERS, *POWERS, coverage=without("service_principal.list"))
    assert (found["holder_tier0"], found["holder_tenant_wide"]) == (False, False)


def sign_in(number: int, **values: Any) -> Row:
    return row("sign_in_activity", f"{TENANT.id}/{number}", **({"app_id": "a", "scope_id": TENANT.id} | values))


SIGN_INS: list[tuple[list[Row], list[Coverage], object]] = [
    ([], READ, None),
    ([sign_in(1, last_client_sign_in_on=AS_OF - DAY), sign_in(2, last_client_sign_in_on=AS_OF)], READ, AS_OF),
    # Being called as an API is no use of a secret.
    ([sign_in(1, last_sign_in_on=AS_OF)], READ, None),
    ([sign_in(1, app_id="b", last_client_sign_in_on=AS_OF)], READ, None),
    ([sign_in(1, last_client_sign_in_on=AS_OF), sign_in(2, last_client_sign_in_on=BAD)], READ, "bad_value"),
    # The report has one record of each application.
    ([sign_in(1, last_client_sign_in_on=AS_OF)], without("sign_in_activity.list"), AS_OF),
    ([sign_in(1, app_id="b", last_client_sign_in_on=AS_OF)], without("sign_in_activity.list"), "permission"),
    # A record of an unknown application may be of this one, unless it has one.
    ([sign_in(1, app_id=BAD, last_client_sign_in_on=AS_OF)], READ, "bad_value"),
    ([sign_in(1, app_id=BAD, last_client_sign_in_on=AS_OF), sign_in(2, last_client_sign_in_on=AS_OF - DAY)], READ, AS_OF - DAY),
]


@pytest.mark.parametrize(("records", "coverage", "expected"), SIGN_INS)
def test_the_holders_last_sign_in(records: list[Row], coverage: list[Coverage], expected: object) -> None:
    found = held({**HOLDERS, "sign_in_activity": records}, "holder_last_sign_in_on", coverage=coverage)
    assert found["holder_last_sign_in_on"] == expected


_OFF = {
    "password_blocked": False,
    "custom_password_blocked": False,
    "symmetric_key_blocked": False,
    "trusted_authorities_only": False,
    "enabled": True,
}


def default(applies_to: str = "applications", **values: Any) -> Row:
    id_ = f"{TENANT.id}/appManagementPolicies/default/{applies_to}"
    return row("app_management_policy", id_, **({**_OFF, "kind": "default", "applies_to": applies_to} | values))


def custom(assigned_to: object, **values: Any) -> Row:
    id_ = f"{TENANT.id}/appManagementPolicies/{assigned_to}"
    assigned = {"assigned_to": assigned_to, "assigned_kinds": []}
    made = {**_OFF, "kind": "custom", "applies_to": "assigned", "scope_id": TENANT.id, **assigned} | values
    return row("app_management_policy", id_, **made)


LIMITED = default(password_lifetime=HALF_A_YEAR, certificate_lifetime=366 * DAY, symmetric_key_blocked=True)
DATED = default(password_lifetime=HALF_A_YEAR, password_lifetime_from=SINCE)
RULES: list[tuple[list[Row], Any, Any, object]] = [
    ([default()], OLD, {}, None),
    ([LIMITED], OLD, {}, HALF_A_YEAR),
    ([LIMITED], OLD, {"kind": "certificate"}, 366 * DAY),
    ([LIMITED], OLD, {"kind": "symmetric-key"}, 0),
    ([LIMITED], OLD, {"kind": "federated", "issuer": "i", "audiences": []}, None),
    ([LIMITED], OLD, {"kind": BAD}, "bad_value"),
    ([LIMITED, default("service-principals")], OLD, {"on": "service_principal"}, None),
    ([default(), default("service-principals", password_blocked=True)], OLD, {"on": "service_principal"}, 0),
    # It holds for what was made from then on.
    ([default(password_lifetime=HALF_A_YEAR, password_lifetime_from=SINCE)], OLD, {}, None),
    ([default(password_lifetime=HALF_A_YEAR, password_lifetime_from=SINCE)], NEW, {}, HALF_A_YEAR),
    ([default(password_lifetime=HALF_A_YEAR, password_lifetime_from=SINCE)], {"created_on": BAD}, {}, "bad_value"),
    ([default(password_lifetime=HALF_A_YEAR, password_lifetime_from=SINCE)], {"created_on": None}, {}, "not_visible"),
    (
        [default(), default("service-principals", password_lifetime=HALF_A_YEAR, password_lifetime_from=SINCE)],
        {"created_on": BAD},
        {"on": "service_principal"},
        "bad_value",
    ),
    ([default(password_lifetime=HALF_A_YEAR)], {"created_on": BAD}, {}, HALF_A_YEAR),
    ([default(password_blocked=True, password_blocked_from=SINCE, password_lifetime=HALF_A_YEAR)], OLD, {}, HALF_A_YEAR),
    ([default(password_blocked=True, password_blocked_from=SINCE, password_lifetime=HALF_A_YEAR)], NEW, {}, 0),
    ([default(password_blocked=True, password_blocked_from=SINCE, password_lifetime=1)], {"created_on": BAD}, {}, "bad_value"),
    ([default(password_blocked=True, password_blocked_from=BAD, password_lifetime=1)], OLD, {}, "bad_value"),
    ([default(password_blocked=False, password_blocked_from=BAD, password_lifetime=1)], OLD, {}, 1),
    ([default(password_blocked=True, password_lifetime=BAD)], OLD, {}, 0),
    ([default(password_blocked=BAD, password_lifetime=HALF_A_YEAR)], OLD, {}, "bad_value"),
    ([default(password_blocked=False, password_lifetime=BAD)], OLD, {}, "bad_value"),
    # A restriction that a custom policy defines takes precedence, also a disabled one. What it does not define falls back to
    # the default policy: https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
    ([LIMITED, custom(["A"], password_lifetime=731 * DAY)], OLD, {}, 731 * DAY),
    ([LIMITED, custom(["A"])], OLD, {}, None),
    ([LIMITED, custom(["A"], left_to_default=["password_blocked", "password_lifetime"])], OLD, {}, HALF_A_YEAR),
    ([LIMITED, custom(["A"], left_to_default=["password_lifetime"], password_blocked=True)], OLD, {}, 0),
    ([LIMITED, custom(["A"], left_to_default=["certificate_lifetime"])], OLD, {}, None),
    ([default(), custom(["A"], left_to_default=["password_blocked", "password_lifetime"])], OLD, {}, None),
    ([DATED, custom(["A"], left_to_default=["password_lifetime"])], OLD, {}, None),
    ([DATED, custom(["A"], left_to_default=["password_lifetime"])], NEW, {}, HALF_A_YEAR),
    ([default(password_lifetime=BAD), custom(["A"], left_to_default=["password_lifetime"])], OLD, {}, "bad_value"),
    ([default(password_lifetime=BAD), custom(["A"], password_lifetime=DAY)], OLD, {}, DAY),
    ([LIMITED, custom(["A"], left_to_default=["password_lifetime"], password_blocked=BAD)], OLD, {}, "bad_value"),
    (
        [LIMITED, default("service-principals", password_blocked=True), custom(["s1"], left_to_default=["password_blocked"])],
        OLD,
        {"on": "service_principal"},
        0,
    ),
    # It says nothing of a custom policy that is off: its objects may be free, or under the default policy.
    ([LIMITED, custom(["A"], enabled=False)], OLD, {}, "not_stated"),
    ([default(), custom(["A"], enabled=False)], OLD, {}, None),
    ([LIMITED, custom(["A"], enabled=BAD)], OLD, {}, "bad_value"),
    ([LIMITED, custom(["A"], left_to_default=BAD)], OLD, {}, "bad_value"),
    # Both say the same, so it does not matter which of them holds.
    ([default(), custom(["A"], left_to_default=BAD)], OLD, {}, None),
    # An object has one at most.
    ([LIMITED, custom(["A"], password_lifetime=DAY), custom(["a", "b"], password_blocked=True)], OLD, {}, "inconsistent"),
    ([LIMITED, custom(["b"], password_blocked=True)], OLD, {}, HALF_A_YEAR),
    # It may be assigned to this one.
    ([LIMITED, custom(BAD)], OLD, {}, "bad_value"),
    ([LIMITED, custom(BAD), custom(["a"], password_blocked=True)], OLD, {}, 0),
]


@pytest.mark.parametrize(("policies", "made", "values", "expected"), RULES)
def test_the_policy_in_force_limits_a_credential(policies: list[Row], made: Any, values: Any, expected: object) -> None:
    rows = {
        "application": [application("a", **made)],
        "service_principal": [principal(**made)],
        "app_management_policy": policies,
    }
    assert held(rows, "policy_limit", **values)["policy_limit"] == expected


def test_when_a_holder_was_created_is_known_by_its_id() -> None:
    rows = {**HOLDERS, "application": [application("a", **NEW)], "app_management_policy": [DATED]}
    assert held(rows, "policy_limit", app_id=BAD)["policy_limit"] == HALF_A_YEAR


def test_a_policy_with_unknown_objects_does_not_double_a_credential() -> None:
    rows = {**HOLDERS, "credential": [credential("k", holder="a", app_id="A")]}
    counts = []
    for policies in ([LIMITED], [LIMITED, custom(BAD)]):
        with in_memory({**rows, "app_management_policy": policies}, {TENANT: READ}, "credential") as connection:
            counts.append(len(fetch(connection, "SELECT policy_limit FROM credential")))
    assert counts == [1, 1]


@pytest.mark.parametrize("operation", ["app_management.default", "app_management.list"])
def test_a_policy_that_was_not_read_may_limit_it(operation: str) -> None:
    rows = {**HOLDERS, "app_management_policy": [custom(["x"])]}
    assert held(rows, "policy_limit", coverage=without(operation))["policy_limit"] == "permission"
    federated: Any = {"kind": "federated", "issuer": "i", "audiences": []}
    assert held(rows, "policy_limit", coverage=without(operation), **federated)["policy_limit"] is None


@pytest.mark.parametrize(("left", "expected"), [([], 0), (["password_lifetime"], 0), (["password_blocked"], "permission")])
def test_a_custom_policy_needs_the_default_policy_only_for_what_it_leaves_to_that(left: list[str], expected: object) -> None:
    blocked = "password_blocked" not in left
    rows = {**HOLDERS, "app_management_policy": [custom(["a"], password_blocked=blocked, left_to_default=left)]}
    assert held(rows, "policy_limit", coverage=without("app_management.default"))["policy_limit"] == expected


@pytest.mark.parametrize("name", ["kind", "app_id", "key_id"])
def test_when_a_credential_was_used_last_is_unknown_while_it_cannot_be_found_in_the_report(name: str) -> None:
    made = credential("k", app_id="A") | {name: None, "unknown": {name: BAD}}
    found = only("credential", {"credential": [made], **HOLDERS}, READ)
    assert (found["last_used_on"], found["unknown"]["last_used_on"]) == (None, "bad_value")
