"""Conditions of role assignments by the names of secrets, in the forms of Microsoft's examples.

https://learn.microsoft.com/azure/key-vault/general/rbac-abac
"""

import pytest

from keyaudit.model.conditions import GET_SECRET, lets_through

GUARD = f"!(ActionMatches{{'{GET_SECRET}'}})"
NAME, VAULT = "@Resource[Microsoft.KeyVault/vaults/secrets:name]", "@Resource[Microsoft.KeyVault/vaults:name]"
WRITE = "@Request[Microsoft.KeyVault/vaults/secrets:name]"
SET = "!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/setSecret/action'})"


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        (f"(({GUARD}) OR ({NAME} StringEquals 'etl-client'))", True),
        (f"(({GUARD}) OR ({NAME} StringEquals 'other'))", False),
        # Names count with their case.
        (f"(({GUARD}) OR ({NAME} StringEquals 'ETL-client'))", False),
        (f"(({GUARD}) OR ({NAME} StringEqualsIgnoreCase 'ETL-client'))", True),
        (f"(({GUARD}) OR ({NAME} StringStartsWith 'etl-'))", True),
        (f"(({GUARD}) OR ({NAME} StringNotStartsWith 'etl-'))", False),
        (f"(({GUARD}) OR ({NAME} StringLike 'etl*'))", True),
        (f"(({GUARD}) OR ({NAME} StringLike '[e]tl-client'))", False),
        (f"(\n (\n  {GUARD}\n )\n OR \n (\n  {NAME} StringEquals 'a'\n  OR\n  {NAME} StringEquals 'etl-client'\n )\n)", True),
        (f"(({GUARD} AND {SET}) OR ({NAME} StringEquals 'b'))", False),
        # It guards another action alone.
        (f"(({SET}) OR ({WRITE} StringEquals 'b'))", True),
        (f"(({SET}) OR ({WRITE} StringEquals 'b')) AND (({GUARD}) OR ({NAME} StringEquals 'b'))", False),
        (f"{VAULT} StringEquals 'kv-data-prod'", True),
        (f"{VAULT} StringEquals 'kv-other'", False),
        ("!(ActionMatches{'Microsoft.KeyVault/vaults/secrets/*'}) OR (" + NAME + " StringEquals 'b')", False),
        ("(!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR (@Request[x:y] StringEquals 'b')", True),
        # Nothing says what these come to.
        (f"(({GUARD}) OR (@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:a] StringEquals 'b'))", None),
        (f"(({GUARD}) OR ({NAME} ForAnyOfAnyValues:StringEquals {{'b', 'c'}}))", None),
        (f"(({GUARD}) OR ({NAME} StringEquals 'b')", None),
        (f"(({GUARD}) OR ({NAME} StringEquals 'b')))", None),
        (f"({GUARD}) OR", None),
        ("what is this", None),
        ("", None),
    ],
)
def test_a_condition_lets_through_the_secrets_that_it_names(condition: str, met: bool | None) -> None:
    assert lets_through(condition, GET_SECRET, vault="kv-data-prod", secret="etl-client") is met
