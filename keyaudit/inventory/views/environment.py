"""Environments from [environments] rules, where no tag exists: the macros `environment_of` for the views."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

import re
from collections.abc import Sequence

import duckdb

from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.sql import tag
from keyaudit.model.environments import EnvironmentRule

BY_RULE = "environment_of({0}.id, {0}.name, {0}.subscription_id, {0}.subscription_name)"
"""SQL: the environment of a vault; to be formatted with a relation that has these columns."""

BY_SUBSCRIPTION = "environment_of(NULL, NULL, {0}.subscription_id, {0}.subscription_name)"
"""SQL: the environment of other resources in a subscription."""

BY_PRINCIPAL = "environment_of_principal({0}.id, {0}.app_id, {0}.name)"
"""SQL: the environment of a service principal."""

DOUBT = "CASE WHEN environment_by_subscription() THEN {0}.unknown['subscription_name'] END"
"""SQL: why a rule about subscriptions may not have matched."""

_UNRULED = f"{tag('{0}')} IS NULL AND {BY_RULE} IS NULL"
OF_VAULT = f"CASE WHEN {{0}}.unknown['tags'] IS NULL THEN coalesce({tag('{0}')}, {BY_RULE}) END"
OF_VAULT_DOUBT = f"coalesce({{0}}.unknown['tags'], CASE WHEN {_UNRULED} THEN {DOUBT} END)"
"""SQL: the environment of a vault, from its tag first, and why it is unknown; to be formatted as `BY_RULE`."""


def create(connection: duckdb.DuckDBPyConnection, rules: Sequence[EnvironmentRule]) -> None:
    """Creates the macros. Rules about vaults come before those about subscriptions; the first match of each kind counts."""
    principals = [rule for rule in rules if rule.of == "principal"]
    vaults = [rule for rule in rules if rule.of == "vault"]
    subscriptions = [rule for rule in rules if rule.of == "subscription"]
    cases = [_case(rule, "vault_id", "vault_name") for rule in vaults]
    cases += [_case(rule, "subscription_id", "subscription_name") for rule in subscriptions]
    connection.execute(
        f"CREATE MACRO environment_of(vault_id, vault_name, subscription_id, subscription_name) AS {_first(cases)}"
    )
    cases = [_case(rule, "split_part(principal_id, '/', -1)", "app_id", "principal_name") for rule in principals]
    connection.execute(f"CREATE MACRO environment_of_principal(principal_id, app_id, principal_name) AS {_first(cases)}")
    connection.execute(f"CREATE MACRO environment_by_subscription() AS {'true' if subscriptions else 'false'}")


def _first(cases: Sequence[str]) -> str:
    return f"CASE {' '.join(cases)} END" if cases else "NULL::VARCHAR"


def named(vaults: str) -> str:
    """The statement that creates `environment_named`, a view of the vaults with a known environment."""
    return f"CREATE VIEW environment_named AS SELECT id FROM {vaults} AS vault WHERE {OF_VAULT.format('vault')} IS NOT NULL"


def _case(rule: EnvironmentRule, *columns: str) -> str:
    pattern = quoted(f"(?s){_expression(rule.pattern.lower())}")
    fits = " OR ".join(f"regexp_full_match(lower({column}), {pattern})" for column in columns)
    return f"WHEN {fits} THEN {quoted(rule.environment)}"


def _expression(glob: str) -> str:
    """A glob as an RE2 regular expression."""
    return "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in glob)
