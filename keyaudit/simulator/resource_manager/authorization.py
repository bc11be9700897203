"""Role assignments and what goes with them: rows of Resource Graph, and the lists of Resource Manager."""

from collections.abc import Iterator, Sequence

from keyaudit.simulator.estate import DenyAssignment, Eligibility, Role, RoleAssignment, Subscription
from keyaudit.simulator.resource_manager.answers import answer
from keyaudit.simulator.roles import BUILT_IN
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request, iso

ResourceRow = dict[str, object]

_AUTHORIZATION = "subscriptions/*/providers/microsoft.authorization"
GROUP = "/providers/microsoft.management/managementgroups/"
_EVERYONE = "00000000-0000-0000-0000-000000000000"


def routes(directory: Directory) -> Sequence[Route]:
    """The paths of Resource Manager that are served here."""

    def eligible(_request: Request, stars: list[str]) -> Answer:
        found = [one for one in directory.estate.eligibilities if touches(directory, one.scope, stars[0])]
        return answer({"value": [_eligibility(directory, stars[0], one) for one in found]})

    def denials(_request: Request, stars: list[str]) -> Answer:
        found = [one for one in directory.estate.deny_assignments if touches(directory, one.scope, stars[0])]
        return answer({"value": [_denial(stars[0], one) for one in found]})

    return (
        Route("role_eligibility.list", f"{_AUTHORIZATION}/roleeligibilityscheduleinstances", eligible),
        Route("deny_assignment.list", f"{_AUTHORIZATION}/denyassignments", denials),
    )


def roles(directory: Directory) -> tuple[Role, ...]:
    """Every role of the tenant."""
    return (*BUILT_IN, *directory.estate.roles)


def definition(directory: Directory, role: Role, *, home: str = "", data_actions: bool = True) -> dict[str, object]:
    """A role definition. `home`: the subscription that its id begins with; `data_actions`: whether they are shown."""
    top = f"/providers/Microsoft.Management/managementGroups/{directory.tenant_id}" if role.custom else "/"
    permission = {"actions": list(role.actions), "notActions": list(role.not_actions)}
    if data_actions:
        permission |= {"dataActions": list(role.data_actions), "notDataActions": list(role.not_data_actions)}
    return {
        "properties": {
            "roleName": role.name,
            "type": "CustomRole" if role.custom else "BuiltInRole",
            "description": "",
            "assignableScopes": [top],
            "permissions": [permission],
            "createdOn": "0001-01-01T08:00:00.0000000Z",
            "updatedOn": "2021-11-11T20:14:30.2541210Z",
            "createdBy": None,
            "updatedBy": None,
        },
        "id": f"{home}/providers/Microsoft.Authorization/roleDefinitions/{role.id}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.id,
    }


def touches(directory: Directory, scope: str, subscription: str) -> bool:
    """Whether a scope is a subscription, in it, or above it."""
    lowered, home = scope.lower(), f"/subscriptions/{subscription.lower()}"
    if lowered.startswith(GROUP):
        return lowered.removeprefix(GROUP) in above(directory, subscription.lower())
    return lowered in ("/", home) or lowered.startswith(f"{home}/")


def above(directory: Directory, subscription: str) -> list[str]:
    """The management groups above a subscription, in lower case and the nearest first; none for an unknown one."""
    found = directory.subscriptions.get(subscription)
    return [] if found is None else [name.lower() for name in _groups_above(directory, found)]


def assignment_rows(directory: Directory) -> Iterator[ResourceRow]:
    """The role assignments, as the table authorizationresources has them."""
    for one in directory.estate.role_assignments:
        yield _authorization_row("roleassignments", _place(one.scope), _assignment(directory, one), directory)


def delegation_rows(directory: Directory) -> Iterator[ResourceRow]:
    """What is delegated to other tenants, as the table managedservicesresources has it: definitions, and their assignments.

    https://learn.microsoft.com/azure/templates/microsoft.managedservices/registrationdefinitions
    """
    definitions: set[str] = set()
    for one in directory.estate.delegations:
        place = f"/subscriptions/{_place(one.scope)}"
        definition_id = f"{place}/providers/Microsoft.ManagedServices/registrationDefinitions/{one.id}"
        properties: dict[str, object] = {
            "registrationDefinitionName": one.name,
            "managedByTenantId": one.tenant,
            "managedByTenantName": one.name,
            "manageeTenantId": directory.tenant_id,
            "authorizations": list(one.roles),
            "provisioningState": "Succeeded",
        }
        if one.eligible is not None:
            properties["eligibleAuthorizations"] = list(one.eligible)
        assigned = {"registrationDefinitionId": definition_id, "provisioningState": "Succeeded"}
        assignment_id = f"{one.scope}/providers/Microsoft.ManagedServices/registrationAssignments/{one.id}"
        for kind, id_, members in (("definitions", definition_id, properties), ("assignments", assignment_id, assigned)):
            found: dict[str, object] = {"id": id_, "name": one.id, "properties": members}
            row = _authorization_row("", _place(one.scope), found, directory)
            # A definition may have several assignments.
            if id_ not in definitions:
                yield {**row, "type": f"microsoft.managedservices/registration{kind}"}
        definitions.add(definition_id)


def definition_rows(directory: Directory) -> Iterator[ResourceRow]:
    """The role definitions, as the same table has them."""
    for role in roles(directory):
        found = definition(directory, role)
        yield _authorization_row("roledefinitions", "", found, directory)


def subscription_rows(directory: Directory) -> Iterator[ResourceRow]:
    """The subscriptions, as the table resourcecontainers has them."""
    for one in directory.estate.subscriptions:
        yield {
            "id": f"/subscriptions/{one.id}",
            "name": one.name,
            "type": "microsoft.resources/subscriptions",
            "tenantId": directory.tenant_id,
            "subscriptionId": one.id.lower(),
            "properties": {
                "managementGroupAncestorsChain": _chain(directory, one),
                "managedByTenants": [],
                "subscriptionPolicies": {
                    "locationPlacementId": "Public_2014-09-01",
                    "quotaId": "EnterpriseAgreement_2014-09-01",
                    "spendingLimit": "Off",
                },
                "state": one.state,
            },
            "tags": {},
        }


def _groups_above(directory: Directory, subscription: Subscription) -> tuple[str, ...]:
    """The management groups above a subscription, up to the root group, which has the tenant's id for a name."""
    return (*subscription.management_groups, directory.tenant_id)


def _chain(directory: Directory, subscription: Subscription) -> list[dict[str, str]]:
    groups = _groups_above(directory, subscription)
    return [{"displayName": "Tenant Root Group" if name == groups[-1] else name, "name": name} for name in groups]


def _place(scope: str) -> str:
    """The subscription that a row is listed under; empty above subscriptions."""
    parts = scope.lower().split("/")
    return parts[2] if parts[1] == "subscriptions" else ""


def _authorization_row(kind: str, subscription: str, found: dict[str, object], directory: Directory) -> ResourceRow:
    return {
        "id": found["id"],
        "name": found["name"],
        "type": f"microsoft.authorization/{kind}",
        "tenantId": directory.tenant_id,
        "kind": "",
        "location": "global",
        "resourceGroup": "",
        "subscriptionId": subscription,
        "managedBy": "",
        "sku": None,
        "plan": None,
        "properties": found["properties"],
        "tags": None,
        "identity": None,
        "zones": None,
        "extendedLocation": None,
    }


def _role_id(directory: Directory, role: str, scope: str) -> str:
    """Also for an assignment above subscriptions; it names a subscription or none."""
    subscription = _place(scope) or directory.estate.subscriptions[0].id
    return f"/subscriptions/{subscription}/providers/Microsoft.Authorization/RoleDefinitions/{role}"


def _assignment(directory: Directory, one: RoleAssignment) -> dict[str, object]:
    return {
        "id": f"{one.scope.rstrip('/')}/providers/Microsoft.Authorization/RoleAssignments/{one.id}",
        "name": one.id,
        "properties": assignment_properties(directory, one, _role_id(directory, one.role, one.scope)),
    }


def assignment_properties(directory: Directory, one: RoleAssignment, role_id: str) -> dict[str, object]:
    """The properties of a role assignment; Resource Graph and Resource Manager spell the role's id differently."""
    made = iso(one.created if one.created is not None else directory.estate.tenant_created).replace("Z", ".4639810Z")
    return {
        "roleDefinitionId": role_id,
        "principalId": one.principal,
        "principalType": one.principal_type,
        "scope": one.scope,
        "condition": one.condition,
        "conditionVersion": "2.0" if one.condition else None,
        "createdOn": made,
        "updatedOn": made,
        "createdBy": directory.guid("creator"),
        "updatedBy": directory.guid("creator"),
        "delegatedManagedIdentityResourceId": None,
        "description": None,
    }


def _eligibility(directory: Directory, subscription: str, one: Eligibility) -> dict[str, object]:
    scope = one.scope.rstrip("/")
    properties: dict[str, object] = {
        "roleEligibilityScheduleId": f"{scope}/providers/Microsoft.Authorization/RoleEligibilitySchedules/{one.id}",
        "scope": one.scope,
        "roleDefinitionId": f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{one.role}",
        "principalId": one.principal,
        "principalType": one.principal_type,
        "status": "Provisioned",
        "startDateTime": iso(one.start),
        "endDateTime": None if one.end is None else iso(one.end),
        "memberType": "Direct",
        "createdOn": iso(one.start),
        "condition": None,
        "conditionVersion": None,
    }
    name = directory.guid("eligible", one.id)
    return {
        "properties": properties,
        "name": name,
        "id": f"{scope}/providers/Microsoft.Authorization/RoleEligibilityScheduleInstances/{name}",
        "type": "Microsoft.Authorization/RoleEligibilityScheduleInstances",
    }


def _denial(subscription: str, one: DenyAssignment) -> dict[str, object]:
    everyone = [{"id": _EVERYONE, "type": "SystemDefined"}]
    return {
        "properties": {
            "denyAssignmentName": one.name,
            "description": "",
            "permissions": [
                {
                    "actions": list(one.actions),
                    "notActions": list(one.not_actions),
                    "dataActions": list(one.data_actions),
                    "notDataActions": list(one.not_data_actions),
                }
            ],
            "scope": one.scope,
            "doNotApplyToChildScopes": one.here_alone,
            "principals": [{"id": who, "type": "User"} for who in one.principals] or everyone,
            "excludePrincipals": [{"id": who, "type": "User"} for who in one.excluded],
            "isSystemProtected": True,
        },
        "id": f"/subscriptions/{subscription}/providers/Microsoft.Authorization/denyAssignments/{one.id}",
        "type": "Microsoft.Authorization/denyAssignments",
        "name": one.id,
    }
