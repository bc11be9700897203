"""What [environments] records as in an environment for tests: never by a tag, and not where another environment uses it."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage
from keyaudit.model.reasons import Reason
from keyaudit.model.scope.environments import EnvironmentRule, harmless
from tests.inventory.sample import TENANT, Row, key, refused, row, vault
from tests.inventory.test_environment_rules import rule
from tests.inventory.test_reach import KV, RBAC, SUBSCRIPTION, grant, who
from tests.inventory.test_reach_beside import READ, derive, only, service, told

BY_VAULT = (rule("vault", "*/vaults/kv", "development"),)
BY_NAME = (rule("subscription", "lab-*", "test"),)
PLACE: dict[str, Any] = {**RBAC, "tags": None, "subscription_name": "Lab-EU"}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((), set()),
        (BY_VAULT, {"dev"}),
        (BY_NAME, {"test"}),
        ((rule("vault", "*", "staging"),), set()),
        # The name of another environment, as the settings have it, says what an environment is.
        ((rule("vault", "*", "blue"), rule("name", "dev", "blue")), {"blue"}),
        ((rule("vault", "*", "dev"), rule("name", "dev", "prod")), set()),
        ((rule("vault", "*", "test"), rule("name", "live", "test")), set()),
        ((rule("principal", "*", "test"),), set()),
    ],
)
def test_a_closed_list_of_names_says_which_environments_are_for_tests(
    rules: tuple[EnvironmentRule, ...], expected: set[str]
) -> None:
    assert harmless(rules) == expected


@pytest.mark.parametrize(
    ("rules", "values", "expected"),
    [
        (BY_VAULT, {}, (True, None)),
        (BY_NAME, {}, (True, None)),
        # A tag neither makes it one nor hides that it is recorded as one.
        (BY_VAULT, {"tags": {"env": "prod"}}, (True, None)),
        ((), {"tags": {"env": "test"}}, (False, None)),
        ((*BY_NAME, rule("vault", "*/vaults/kv", "prod")), {}, (False, None)),
        (BY_NAME, {"tags": {"env": "test"}, "subscription_name": "Production"}, (False, None)),
        (BY_NAME, {"subscription_name": Reason.PERMISSION}, (None, "permission")),
        (BY_VAULT, {"subscription_name": Reason.PERMISSION}, (True, None)),
        ((), {"subscription_name": Reason.PERMISSION}, (False, None)),
    ],
)
def test_a_vault_is_in_test_by_the_record_alone(rules: tuple[EnvironmentRule, ...], values: Any, expected: object) -> None:
    found = only(derive("vault", {}, "in_test", of=PLACE | values, rules=rules))
    assert told(found, "in_test") == expected


def test_a_secret_is_in_test_with_its_vault_and_an_account_key_with_its_subscription() -> None:
    secret = row("secret", f"{KV}/s/1", secret_id=f"{KV}/s", vault_id=KV, tags={"env": "prod"}, scope_id=KV)
    lost = row("secret", f"{KV}/t/1", secret_id=f"{KV}/t", vault_id="another", scope_id=KV)
    found = derive("secret", {"secret": [secret, lost]}, "in_test", of=PLACE, rules=BY_VAULT)
    assert [told(each, "in_test") for each in found.values()] == [(True, None), (None, "parent_not_assessed")]
    found = derive("secret", {"secret": [lost]}, "in_test", of=PLACE)
    assert told(only(found), "in_test") == (False, None)
    account = row("account_key", "a", scope_id=TENANT.id, tags={"env": "test"}, subscription_name="Lab-EU")
    assert told(only(derive("account_key", {"account_key": [account]}, "in_test", rules=BY_NAME)), "in_test") == (True, None)
    assert told(only(derive("account_key", {"account_key": [account]}, "in_test", rules=BY_VAULT)), "in_test") == (False, None)


ROBOT: dict[str, list[Row]] = {"grant": [grant("robot", "sign")], "principal": [who("robot", "service-principal")]}


def without(operation: str) -> list[Coverage]:
    return [*(each for each in READ if each.operation != operation), refused(TENANT, operation, Reason.PERMISSION)]


NO_ROLES = without("role_assignment.query")
OF_PRODUCTION = (*BY_VAULT, rule("principal", "app-robot", "prod"))


@pytest.mark.parametrize(
    ("rows", "rules", "coverage", "expected"),
    [
        ({}, BY_VAULT, READ, (True, None)),
        (ROBOT | {"service_principal": [service("robot")]}, BY_VAULT, READ, (True, None)),
        (ROBOT | {"service_principal": [service("robot", "env:development")]}, BY_VAULT, READ, (True, None)),
        (ROBOT | {"service_principal": [service("robot", "env:prod")]}, BY_VAULT, READ, (False, None)),
        (ROBOT | {"service_principal": [service("robot", "env:test")]}, BY_VAULT, READ, (False, None)),
        # By a tag, nobody makes a principal of production one of the vault's environment.
        (ROBOT | {"service_principal": [service("robot")]}, OF_PRODUCTION, READ, (False, None)),
        (ROBOT | {"service_principal": [service("robot", "env:dev")]}, OF_PRODUCTION, READ, (False, None)),
        (ROBOT | {"service_principal": [service("robot", app_tags=Reason.PERMISSION)]}, BY_VAULT, READ, (None, "permission")),
        ({}, BY_VAULT, NO_ROLES, (None, "permission")),
        ({}, (), NO_ROLES, (False, None)),
    ],
)
def test_a_key_that_another_environment_uses_is_not_in_test(
    rows: dict[str, list[Row]], rules: tuple[EnvironmentRule, ...], coverage: Any, expected: object
) -> None:
    tables = {"key": [key("1", name="a", tags={"env": "prod"}, key_ops=["sign"])], **rows}
    found = only(derive("key", tables, "in_test", of=PLACE, coverage=coverage, rules=rules))
    assert told(found, "in_test") == expected


@pytest.mark.parametrize(
    ("made", "rules", "values", "coverage", "expected"),
    [
        (grant("robot", "sign"), BY_VAULT, {}, READ, (True, None)),
        (grant("robot", "sign", scope=SUBSCRIPTION), BY_VAULT, {}, READ, (True, None)),
        (grant("robot", "sign"), BY_VAULT, {"access_model": "access-policy"}, READ, (False, None)),
        (grant("robot", "sign", kind="app-role"), BY_VAULT, {}, READ, (False, None)),
        (grant("robot", "sign"), (), {}, READ, (False, None)),
        (grant("robot", "sign"), BY_NAME, {"subscription_name": Reason.THROTTLED}, READ, (None, "throttled")),
        # There may be a vault in its scope that is in no such environment.
        (grant("robot", "sign", scope=SUBSCRIPTION), BY_VAULT, {},
         without("vault.query"), (None, "permission")),
    ],
)  # fmt: skip
def test_a_grant_is_in_test_with_all_that_it_opens(
    made: Row, rules: tuple[EnvironmentRule, ...], values: Any, coverage: Any, expected: object
) -> None:
    found = derive("grant", {"grant": [made]}, "in_test", of=PLACE | values, coverage=coverage, rules=rules)
    assert told(only(found), "in_test") == expected


def test_a_grant_is_not_in_test_that_opens_another_vault_too() -> None:
    rows = {"vault": [vault(**PLACE), vault("live", **PLACE)]}
    found = derive("grant", rows | {"grant": [grant("robot", "sign", scope=SUBSCRIPTION)]}, "in_test", rules=BY_VAULT)
    assert told(only(found), "in_test") == (False, None)
