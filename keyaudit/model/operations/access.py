"""Reads of who can reach keys: role assignments and definitions, deny assignments, eligibility, group members."""

from keyaudit.model.operations.kinds import Paging, arm, resource_graph

_AUTHORIZATION = "/subscriptions/{subscription}/providers/Microsoft.Authorization"

DECLARED = (
    resource_graph("role_assignment.query", "role assignments (Resource Graph)"),
    resource_graph("role_definition.query", "role definitions (Resource Graph)"),
    resource_graph("subscription.query", "management groups of subscriptions (Resource Graph)"),
    arm(
        "role_definition.get",
        "a role definition",
        "/providers/Microsoft.Authorization/roleDefinitions/{role}",
        version="2022-04-01",
    ),
    arm(
        "role_eligibility.list",
        "eligible roles",
        _AUTHORIZATION + "/roleEligibilityScheduleInstances",
        version="2020-10-01",
        paging=Paging.NEXT_LINK,
    ),
    arm(
        "deny_assignment.list",
        "deny assignments",
        _AUTHORIZATION + "/denyAssignments",
        version="2022-04-01",
        paging=Paging.NEXT_LINK,
    ),
)
