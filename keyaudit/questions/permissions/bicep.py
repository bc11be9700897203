"""The permissions as a Bicep file, deployed at each subscription: az deployment sub create --template-file FILE."""

from collections.abc import Iterator

from keyaudit.model.operations import Rights
from keyaudit.model.results.fixes import AZ_KEYVAULT
from keyaudit.questions.permissions.az import GRAPH
from keyaudit.questions.permissions.needs import Needed
from keyaudit.questions.permissions.notes import by_hand, head, note
from keyaudit.report.grants import permission_flags
from keyaudit.report.lines import joined

# https://learn.microsoft.com/graph/templates/bicep/whats-new
_EXTENSION = "br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0"

# The same in every cloud. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
_ROLES = {
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Key Vault Reader": "21090545-7ca7-4776-b22c-e363652d74d2",
    "Log Analytics Reader": "73c42c96-874c-492b-b04d-ab87d138a893",
}


def render(needed: Needed) -> str:
    """A file for Bicep 0.36.1 or later."""
    return joined(_lines(needed))


def _lines(needed: Needed) -> Iterator[str]:
    permissions = needed.of(Rights.GRAPH)
    yield from head(needed, "//")
    yield "// az deployment sub create --location LOCATION --template-file FILE --parameters principalId=OBJECT_ID"
    if permissions:
        yield from ("", f"extension '{_EXTENSION}'")
    yield from ("", "targetScope = 'subscription'", "")
    yield "@description('The identity that runs keyaudit: the object id of a service principal or managed identity.')"
    yield "param principalId string"
    for need in needed.roles():
        yield ""
        yield from note(need, needed, "//")
        yield from _assignment(need.right.name)
    if permissions:
        yield from ("", "var permissions = [")
        for need in permissions:
            yield from note(need, needed, "//", "  ")
            yield f"  '{need.right.name}'"
        yield "]"
        yield from _CONSENT.splitlines()
    allowed = needed.access_policies()
    if allowed:
        yield from ("", "// On each vault under access policies, instead of a role:", f"// {AZ_KEYVAULT}")
        yield f"// az keyvault set-policy --name VAULT --object-id OBJECT_ID {permission_flags(allowed)}"
    yield from by_hand(needed, "//")


def _assignment(role: str) -> Iterator[str]:
    words = role.split()
    name = words[0].lower() + "".join(words[1:])
    id_ = _ROLES[role]
    yield f"resource {name} 'Microsoft.Authorization/roleAssignments@2022-04-01' = {{"
    yield f"  name: guid(subscription().id, principalId, '{id_}')"
    yield "  properties: {"
    yield "    principalId: principalId"
    yield "    principalType: 'ServicePrincipal'"
    yield f"    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{id_}')"
    yield "  }"
    yield "}"


# Permissions are looked up by name, so that no id has to be trusted.
_CONSENT = f"""
resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {{
  appId: '{GRAPH}'
}}

resource consents 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for permission in permissions: {{
  appRoleId: filter(graph.appRoles, role => role.value == permission && contains(role.allowedMemberTypes, 'Application'))[0].id
  principalId: principalId
  resourceId: graph.id
}}]"""
