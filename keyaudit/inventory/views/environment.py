"""Environments from [environments] rules, where no tag exists: the functions `environment_of` for the views."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

import re
from collections.abc import Iterator, Sequence

from keyaudit.inventory.dialect import DuckDB
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


def of_vault(sql: DuckDB, vault: str) -> str:
    """SQL: the environment of a vault, a relation with the columns of `BY_RULE`: from its tag first."""
    return f"CASE WHEN {vault}.unknown['tags'] IS NULL THEN coalesce({tag(sql, vault)}, {BY_RULE.format(vault)}) END"


def of_vault_doubt(sql: DuckDB, vault: str) -> str:
    """SQL: why that environment is unknown."""
    unruled = f"{tag(sql, vault)} IS NULL AND {BY_RULE.format(vault)} IS NULL"
    return f"coalesce({vault}.unknown['tags'], CASE WHEN {unruled} THEN {DOUBT.format(vault)} END)"


def functions(sql: DuckDB, rules: Sequence[EnvironmentRule]) -> Iterator[str]:
    """The statements that create them. Rules about vaults come before those about subscriptions; the first match of each kind
    counts.
    """
    principals = [rule for rule in rules if rule.of == "principal"]
    vaults = [rule for rule in rules if rule.of == "vault"]
    subscriptions = [rule for rule in rules if rule.of == "subscription"]
    cases = [_case(sql, rule, "vault_id", "vault_name") for rule in vaults]
    cases += [_case(sql, rule, "subscription_id", "subscription_name") for rule in subscriptions]
    of_vault = ("vault_id", "vault_name", "subscription_id", "subscription_name")
    yield sql.function("environment_of", of_vault, "VARCHAR", _first(cases))
    cases = [_case(sql, rule, "split_part(principal_id, '/', -1)", "app_id", "principal_name") for rule in principals]
    of_principal = ("principal_id", "app_id", "principal_name")
    yield sql.function("environment_of_principal", of_principal, "VARCHAR", _first(cases))
    yield sql.function("environment_by_subscription", (), "BOOLEAN", "true" if subscriptions else "false")


def _first(cases: Sequence[str]) -> str:
    return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS STRING)"


def named(sql: DuckDB, vaults: str) -> str:
    """The statement that creates `environment_named`, a view of the vaults with a known environment."""
    return sql.view("environment_named", f"SELECT id FROM {vaults} AS vault WHERE {of_vault(sql, 'vault')} IS NOT NULL")


def _case(sql: DuckDB, rule: EnvironmentRule, *columns: str) -> str:
    pattern = sql.text(f"(?s){_expression(rule.pattern.lower())}")
    fits = " OR ".join(sql.matches(sql.lower(column), pattern) for column in columns)
    return f"WHEN {fits} THEN {sql.text(rule.environment)}"


def _expression(glob: str) -> str:
    """A glob as a regular expression."""
    return "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in glob)
