"""What a row opens to anyone who has it (`Table.opens`), as conditions over its columns, in the language of policies.

The first that holds counts; where none holds, the row opens little. A column that was not read keeps its level possible. They
rest on what Entra, ARM, Key Vault or the settings state, and never on a name or tag that somebody in the tenant chooses.
"""

from collections.abc import Mapping

from keyaudit.model.severity import Opens

ALWAYS = ""
Rules = Mapping[Opens, str]
"""Conditions in descending order of what is opened, which is the order of `Opens` from above."""

TENANT: Rules = {Opens.TENANT: ALWAYS}
WIDE: Rules = {Opens.WIDE: ALWAYS}
ONE: Rules = {Opens.ONE: ALWAYS}
UNLESS_IN_TEST: Rules = {Opens.ONE: "not in_test"}
RIGHTS: Rules = {Opens.TENANT: "tier0", Opens.WIDE: "tenant_wide", Opens.ONE: ALWAYS}

CONTROL = "tier0 or not covers([], delegated_control)"
DATA = "tenant_wide or not covers([], delegated_data) or opens_subscriptions or opens_signing"
"""The conditions of applications and their service principals."""


def recent(column: str) -> str:
    """The condition that the time in a column is in the last 90 days."""
    return f"{column} is not None and now - {column} <= days(90)"
