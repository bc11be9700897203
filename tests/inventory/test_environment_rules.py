"""Environments that no tag names: what the run's own rules say, and what they leave unknown."""

from typing import Any, Literal

import pytest
from msgspec.structs import replace

from keyaudit.model.reasons import Reason
from keyaudit.model.scope.environments import EnvironmentRule, other_names
from keyaudit.model.tables.vaults.key_use import USES_FOUND
from tests.inventory.sample import RUN, TENANT, Row, assessed, fetch, in_memory, key, row, seen, vault, vault_scope

KV = vault_scope("kv")
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
COVERAGE = {TENANT: assessed(TENANT, *USES_FOUND), KV: assessed(KV, "key.list", "key.versions")}


def rule(of: Literal["vault", "principal", "subscription", "name"], pattern: str, environment: str) -> EnvironmentRule:
    return EnvironmentRule(of=of, pattern=pattern, environment=environment)


def environments(rules: tuple[EnvironmentRule, ...], **of_vault: Any) -> dict[str, object]:
    """Of the vault, its key and an account of its subscription: the environment, or why it is unknown."""
    place = {"subscription_id": SUBSCRIPTION, "subscription_name": "Production-EU"} | of_vault
    account = {name: value for name, value in place.items() if name.startswith("subscription")}
    rows: dict[str, list[Row]] = {
        "vault": [vault(**place) | {"name": "KV"}],
        "key": [key("1", is_current=True)],
        "account_key": [row("account_key", "a", scope_id=TENANT.id, **account)],
    }
    with in_memory(
        rows, COVERAGE, *rows, run=replace(RUN, environment_rules=rules), columns=dict.fromkeys(rows, ("environment",))
    ) as connection:
        found = {name: fetch(connection, f"SELECT environment, unknown FROM {name}")[0] for name in rows}
    return {name: each["unknown"].get("environment", each["environment"]) for name, each in found.items()}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rules", "of_vault", "of_account"),
    [
        ((), None, None),
        ((rule("vault", "kv", "lab"),), "lab", None),
        ((rule("vault", "K?", "lab"),), "lab", None),
        ((rule("vault", "v", "lab"),), None, None),
        ((rule("vault", KV.id.upper(), "lab"),), "lab", None),
        ((rule("vault", "*/vaults/kv", "lab"),), "lab", None),
        ((rule("subscription", "production-*", "prod"),), "prod", "prod"),
        ((rule("subscription", SUBSCRIPTION, "prod"),), "prod", "prod"),
        ((rule("subscription", "production-*", "prod"), rule("vault", "kv", "lab")), "lab", "prod"),
        ((rule("subscription", "*", "first"), rule("subscription", "production-eu", "second")), "first", "first"),
        ((rule("subscription", "production.eu", "prod"), rule("vault", "[k]v", "x")), None, None),
        ((rule("vault", "k'v", "it's"), rule("vault", "kv", "it's")), "it's", None),
    ],
)
def test_a_rule_names_what_no_tag_does(rules: tuple[EnvironmentRule, ...], of_vault: object, of_account: object) -> None:
    assert environments(rules) == {"vault": of_vault, "key": of_vault, "account_key": of_account}


SAME = (rule("name", "production", "prod"), rule("name", "prd", "prod"))


@pytest.mark.parametrize(
    ("tag", "shown"),
    [("Production", "prod"), ("PRD", "prod"), ("prod", "prod"), ("preprod", "preprod"), ("production-2", "production-2")],
)
def test_names_of_one_environment_are_shown_as_one_and_no_other_is(tag: str, shown: str) -> None:
    found = environments(SAME, tags={"env": tag})
    assert (found["vault"], found["key"]) == (shown, shown)
    assert environments((), tags={"env": tag})["vault"] == shown


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ((), {"production": "prod", "prd": "prod", "live": "prod", "development": "dev", "tst": "test"}),
        ((("prd", "production"),), {"prd": "production", "prod": "production", "live": "production"}),
        ((("prod", "p1"),), {"prod": "p1", "production": "p1", "prd": "p1", "live": "p1"}),
        ((("live", "live"),), {"live": "live", "production": "prod", "prd": "prod"}),
        ((("prod", "prod"),), {"prod": "prod", "prd": "production", "live": "production"}),
        ((("prd", "prod"), ("blue", "live")), {"prd": "prod", "blue": "live", "production": "prod"}),
    ],
)
def test_settings_override_what_names_usually_mean(rules: tuple[tuple[str, str], ...], names: dict[str, str]) -> None:
    usual = {"development": "dev", "tst": "test"}
    assert other_names(rule("name", other, name) for other, name in rules) == usual | names


def test_names_of_stages_before_production_are_not_one() -> None:
    assert not {"qa", "uat", "staging", "stage", "preprod"} & {*other_names(())}


def test_a_rule_may_use_any_of_the_names() -> None:
    rules = (*SAME, rule("subscription", "production-*", "production"))
    assert environments(rules) == dict.fromkeys(("vault", "key", "account_key"), "prod")


def test_names_alone_give_nothing_an_environment_and_hide_nothing_unknown() -> None:
    assert environments(SAME) == dict.fromkeys(("vault", "key", "account_key"))
    assert environments(SAME, tags=Reason.PERMISSION)["vault"] == "permission"


def of_principal(rows: dict[str, list[Row]], rules: tuple[EnvironmentRule, ...]) -> object:
    """The environment of the one service principal, or why it is unknown."""
    [found] = seen("service_principal", rows, COVERAGE, run=replace(RUN, environment_rules=rules))
    return found["unknown"].get("environment", found["environment"])


@pytest.mark.parametrize(
    ("tags", "shown"),
    [
        (["env:production"], "prod"),
        (["env:production", "env:prod"], "prod"),
        (["env:production", "env:test"], "bad_value"),
        ([], None),
        (Reason.PERMISSION, "permission"),
    ],
)
def test_a_principal_with_two_names_of_one_environment_is_in_it(tags: Any, shown: object) -> None:
    rows: dict[str, list[Row]] = {"service_principal": [row("service_principal", "p", scope_id=TENANT.id, app_tags=tags)]}
    assert of_principal(rows, SAME) == shown


def test_a_tag_counts_more_than_a_rule() -> None:
    rules = (rule("vault", "kv", "lab"),)
    assert environments(rules, tags={"env": "Prod"})["vault"] == "prod"
    assert environments(rules, tags=Reason.PERMISSION)["vault"] == "permission"


def test_a_rule_about_a_name_that_is_unknown_leaves_the_environment_unknown() -> None:
    rules = (rule("subscription", "production-eu", "prod"),)
    nameless = {"subscription_name": Reason.BAD_VALUE}
    assert environments(rules, **nameless) == dict.fromkeys(("vault", "key", "account_key"), "bad_value")
    by_id = (rule("subscription", SUBSCRIPTION, "prod"),)
    assert environments(by_id, **nameless) == dict.fromkeys(("vault", "key", "account_key"), "prod")
    assert environments((), **nameless) == dict.fromkeys(("vault", "key", "account_key"))


def of_identity(rules: tuple[EnvironmentRule, ...], arm_id: object, *subscriptions: Row) -> object:
    rows: dict[str, list[Row]] = {
        "service_principal": [row("service_principal", "p", scope_id=TENANT.id, arm_id=arm_id)],
        "subscription": list(subscriptions),
    }
    return of_principal(rows, rules)


ARM_ID = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.managedidentity/userassignedidentities/i"
BY_NAME, BY_ID = (rule("subscription", "production-*", "prod"),), (rule("subscription", SUBSCRIPTION, "prod"),)


@pytest.mark.parametrize(
    ("rules", "arm_id", "name", "expected"),
    [
        (BY_NAME, ARM_ID, "Production-EU", "prod"),
        (BY_ID, ARM_ID, Reason.BAD_VALUE, "prod"),
        (BY_ID, ARM_ID, None, "prod"),
        (BY_NAME, ARM_ID, "Lab", None),
        (BY_NAME, ARM_ID, Reason.BAD_VALUE, "bad_value"),
        # A subscription that the identity does not see may have any name.
        (BY_NAME, ARM_ID, None, "not_visible"),
        ((), ARM_ID, None, None),
        ((rule("vault", "*", "prod"),), ARM_ID, "Lab", None),
        (BY_NAME, None, "Production-EU", None),
        ((rule("subscription", "*", "prod"),), None, "Production-EU", None),
        (BY_NAME, Reason.BAD_VALUE, "Production-EU", "bad_value"),
    ],
)
def test_a_managed_identity_is_of_its_subscriptions_environment(
    rules: tuple[EnvironmentRule, ...], arm_id: object, name: object, expected: object
) -> None:
    seen = [] if name is None else [row("subscription", "s", scope_id=TENANT.id, subscription_id=SUBSCRIPTION, name=name)]
    assert of_identity(rules, arm_id, *seen) == expected


@pytest.mark.parametrize(
    ("rules", "tags", "expected"),
    [
        ((rule("principal", "orders-*", "prod"),), [], "prod"),
        ((rule("principal", "0B1C-OBJECT", "prod"),), [], "prod"),
        ((rule("principal", "app-id", "prod"),), [], "prod"),
        ((rule("principal", "orders", "prod"),), [], None),
        ((rule("vault", "*", "lab"),), [], None),
        # The tag counts more, and a rule does not settle what two tags contradict.
        ((rule("principal", "*", "prod"),), ["env:test"], "test"),
        ((rule("principal", "*", "prod"),), ["env:test", "env:dev"], "bad_value"),
        ((rule("principal", "*", "prod"),), Reason.PERMISSION, "permission"),
    ],
)
def test_a_rule_names_a_principal_that_no_tag_does(rules: tuple[EnvironmentRule, ...], tags: Any, expected: object) -> None:
    values = {"app_id": "app-id", "name": "Orders-API", "app_tags": tags}
    robot = row("service_principal", "/tenants/t/serviceprincipals/0b1c-object", scope_id=TENANT.id, **values)
    rows = {"service_principal": [robot]}
    assert of_principal(rows, rules) == expected


def test_a_rule_about_a_principal_comes_before_one_about_its_subscription() -> None:
    seen = row("subscription", "s", scope_id=TENANT.id, subscription_id=SUBSCRIPTION, name="Production-EU")
    assert of_identity((rule("subscription", "*", "prod"), rule("principal", "p", "lab")), ARM_ID, seen) == "lab"
