"""Policies over service principals judge agent identities, or another policy does in their place."""

from typing import Any

import pytest

from keyaudit.model.tables import TABLES
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.examples.samples import NOW
from keyaudit.policy.load import load
from tests.policy.interpreter import Interpreter
from tests.policy.test_differential import plain

IN_ITS_PLACE = {
    "sp-mi-overprivileged": "agent-overprivileged",
    "sp-foreign-tenant-privileged": "agent-foreign-privileged",
}
"""Policies that do not judge agents, and those that do."""
NOT_OF_AGENTS = {
    "sp-acs-credential-left": "about principals of the type Legacy",
    "sp-conditional-access-missing": "about credentials of registrations; an agent's are on its blueprint",
}
AGENT: dict[str, Any] = {
    "principal_type": "ServiceIdentity",
    "agent_type": "agent-identity",
    "home": "none",
    "home_tenant": None,
    "blueprint_publisher": "22222222-2222-4222-8222-222222222222",
    "enabled": True,
    "created_on": NOW - 400 * 86_400,
    "app_role_count": (1, 1),
}


def policies(table: str) -> list[Policy]:
    return [policy for policy in load() if policy.table.name == table]


def applies(policy: Policy, row: dict[str, Any]) -> bool | None:
    absent: dict[str, Any] = dict.fromkeys(TABLES[policy.table.name].by_name)
    [bound] = bind([policy], "default", {})
    return Interpreter(absent | row, {}, plain(bound.values), NOW).holds(policy.applies_to.text) if policy.applies_to else True


@pytest.mark.parametrize(
    "policy",
    [policy for policy in policies("service_principal") if policy.text.id not in NOT_OF_AGENTS],
    ids=lambda policy: policy.text.id,
)
def test_no_policy_over_service_principals_passes_agents_by(policy: Policy) -> None:
    judging = next((each for each in policies("service_principal") if each.text.id == IN_ITS_PLACE.get(policy.text.id)), policy)
    assert applies(judging, AGENT) is True
    assert (applies(policy, AGENT) is False) == (policy.text.id in IN_ITS_PLACE)


def test_a_credential_of_an_agent_is_judged_by_the_policies_over_those_of_service_principals() -> None:
    held = {"holder_kind": "service_principal", "holder_home": "none", "expires_on": NOW + 86_400, "policy_limit": 86_400}
    for kind, usage in (("password", None), ("certificate", "Verify"), ("federated", None)):
        ordinary, agents = (
            held | {"holder_type": type_, "kind": kind, "usage": usage} for type_ in ("Application", "ServiceIdentity")
        )
        judging = [policy for policy in policies("credential") if applies(policy, ordinary)]
        assert judging
        assert [policy.text.id for policy in judging if not applies(policy, agents)] == []
