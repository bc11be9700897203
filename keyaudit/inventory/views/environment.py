"""Environments from [environments] rules, where no tag exists: the functions `environment_of` for the views."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

import re
from collections.abc import Iterator, Sequence

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.facts.fact import FALSE, Doubt, Fact, Truth
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources
from keyaudit.model.reasons import Reason
from keyaudit.model.scope.environments import EnvironmentRule, assigning

BY_RULE = "environment_of({0}.id, {0}.name, {0}.subscription_id, {0}.subscription_name)"
"""SQL: the environment of a vault; to be formatted with a relation that has these columns."""

BY_SUBSCRIPTION = "environment_of(NULL, NULL, {0}.subscription_id, {0}.subscription_name)"
"""SQL: the environment of other resources in a subscription."""

BY_PRINCIPAL = "environment_of_principal({0}.id, {0}.app_id, {0}.name)"
"""SQL: the environment of a service principal."""

NAMELESS = f"CASE WHEN environments_named() THEN '{Reason.NOT_CONFIGURED}' END"
"""SQL: why the environment of something that nothing names is unknown. Without such rules it has none."""

DOUBT = "CASE WHEN environment_by_subscription() THEN {0}.unknown['subscription_name'] END"
"""SQL: why a rule about subscriptions may not have matched."""


def called(sources: Sources, environment: str) -> str:
    """SQL of an environment by the name that is shown; `environment` is SQL of any name of it, in lower case."""
    sql = sources.sql
    cases = " ".join(f"WHEN {sql.text(other)} THEN {sql.text(name)}" for other, name in sorted(sources.environments.items()))
    return f"CASE {environment} {cases} ELSE {environment} END" if cases else environment


def tagged(rows: Rows) -> Fact:
    """The environment in the tags of a row, in lower case; absent without such a tag."""
    lower = rows.sources.sql.lower
    return rows["tags"].map(
        lambda tags: called(rows.sources, lower(f"coalesce({tags}['env'], {tags}['environment'])")), absent=True
    )


def of_vault(rows: Rows) -> Fact:
    """The environment of a row of the table `vault`: from its tag first."""
    found = BY_RULE.format(rows.alias)
    doubt = Doubt((f"CASE WHEN {found} IS NULL THEN {DOUBT.format(rows.alias)} END",))
    return tagged(rows).or_else(Fact(found, doubt, absent=True))


def no_tests(sources: Sources) -> bool:
    """Whether [environments] names no environment for tests, so that nothing need be planned to find what is in one."""
    return sources.tests is not None and not sources.tests


def in_test(rows: Rows, by_rule: str = BY_RULE) -> Truth:
    """Whether [environments] puts a row into an environment for tests. No tag counts, because others choose it."""
    if no_tests(rows.sources):
        return FALSE
    found, named = by_rule.format(rows.alias), ", ".join(map(rows.sources.sql.text, sorted(rows.sources.tests or ("",))))
    doubt = Doubt((f"CASE WHEN {found} IS NULL THEN {DOUBT.format(rows.alias)} END",), rows["subscription_name"].doubt.reads)
    value = f"(CASE WHEN {found} IN ({named}) THEN true WHEN {doubt.sql} IS NULL THEN false END)"
    return Truth(value, doubt, exact=False, reads=doubt.reads)


def functions(sql: DuckDB, rules: Sequence[EnvironmentRule]) -> Iterator[str]:
    """The statements that create them. Rules about vaults come before those about subscriptions; the first match of each kind
    counts.
    """
    rules = assigning(rules)
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
    yield sql.function("environment_by_principal", (), "BOOLEAN", "true" if principals else "false")
    yield sql.function("environment_by_subscription", (), "BOOLEAN", "true" if subscriptions else "false")
    yield sql.function("environments_named", (), "BOOLEAN", "true" if rules else "false")


def _first(cases: Sequence[str]) -> str:
    return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS STRING)"


NAMED = "environment_named"
"""The view of the vaults with a known environment."""


def named(sources: Sources) -> str:
    """The statement that creates the view `NAMED`."""
    vaults = Rows(sources, "vault", "vault")
    return sources.sql.view(NAMED, f"SELECT id FROM {vaults.sql} WHERE {of_vault(vaults).value} IS NOT NULL")


def _case(sql: DuckDB, rule: EnvironmentRule, *columns: str) -> str:
    pattern = sql.text(f"(?s){_expression(rule.pattern.lower())}")
    fits = " OR ".join(sql.matches(sql.lower(column), pattern) for column in columns)
    return f"WHEN {fits} THEN {sql.text(rule.environment)}"


def _expression(glob: str) -> str:
    """A glob as a regular expression."""
    return "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in glob)
