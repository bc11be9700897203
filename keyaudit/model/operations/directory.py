"""Reads of the directory: the tenant, its domains, applications and service principals, their owners and credentials."""

from keyaudit.model.operations.about import HOLDER, ITSELF, RELATED, Named
from keyaudit.model.operations.kinds import ADVANCED, AZURE_CLI, Family, Paging, Recording, Throttle, graph, graph_right

_APPLICATION_FIELDS = (
    "id,appId,displayName,createdDateTime,signInAudience,identifierUris,api,appRoles,keyCredentials,passwordCredentials,"
    "isFallbackPublicClient,servicePrincipalLockConfiguration,disabledByMicrosoftStatus,web,spa,publicClient,"
    "applicationTemplateId"
)
PRINCIPAL_FIELDS = (
    "id,appId,displayName,createdDateTime,accountEnabled,servicePrincipalType,appOwnerOrganizationId,"
    "preferredSingleSignOnMode,appRoleAssignmentRequired,tags,alternativeNames,servicePrincipalNames,disabledByMicrosoftStatus"
)
"""The members of a service principal that its row is filled from, in every cloud."""
_WITH_CREDENTIALS = f"{PRINCIPAL_FIELDS},preferredTokenSigningKeyThumbprint,keyCredentials,passwordCredentials,appRoles"
# Selecting a member that a cloud's Graph does not have returns a 400 and no list. Outside the global cloud its metadata
# lacks these: github.com/microsoftgraph/msgraph-metadata, schemas/v1.0-Fairfax.csdl and v1.0-Mooncake.csdl
GLOBAL_FIELDS = ",verifiedPublisher,createdByAppId"
"""Those that the global cloud alone has, of applications too."""

FAMILY = Family("applications and service principals", order=80)

DECLARED = (
    graph(
        "organization.get",
        "the tenant",
        "/v1.0/organization",
        query=(("$select", "id,displayName,createdDateTime"),),
        right=graph_right("Organization.Read.All"),
        never_empty="the tenant itself is in it",
    ),
    graph(
        "domain.list",
        "domains",
        "/v1.0/domains",
        query=(("$select", "id,authenticationType,isDefault,isVerified"),),
        right=graph_right("Domain.Read.All"),
        never_empty="every tenant has the domain that it was made with",
    ),
    graph(
        "application.list",
        "applications",
        "/v1.0/applications",
        query=(("$select", _APPLICATION_FIELDS + GLOBAL_FIELDS), ("$top", "999")),
        query_elsewhere=(("$select", _APPLICATION_FIELDS), ("$top", "999")),
        throttle=Throttle.GRAPH_KEY_CREDENTIALS,
        cost=2,
    ),
    # A list may leave out certificates: then each object with certificates is read separately.
    graph(
        "application.get",
        "the public keys of an application",
        "/v1.0/applications/{id}",
        query=(("$select", "id,keyCredentials"),),
        paging=Paging.NONE,
        throttle=Throttle.GRAPH_KEY_CREDENTIALS,
        after=("application.list",),
        about=ITSELF,
    ),
    graph(
        "application.owners",
        "owners of applications",
        "/v1.0/applications",
        query=(("$select", "id"), ("$expand", "owners($select=id)"), ("$top", "999")),
        cost=3,
    ),
    # $expand returns about 20 related objects at most, without a link to the rest: an object with 20 is read separately.
    graph(
        "application.owners_of",
        "owners of an application with many owners",
        "/v1.0/applications/{id}/owners",
        query=(("$select", "id"), ("$top", "999")),
        after=("application.owners",),
        about=RELATED,
    ),
    graph(
        "application.federated",
        "applications with federated credentials",
        "/v1.0/applications",
        query=(
            ("$filter", "federatedIdentityCredentials/$count ne 0"),
            ("$count", "true"),
            ("$select", "id"),
            ("$top", "999"),
        ),
        headers=ADVANCED,
        cost=2,
    ),
    graph(
        "application.federated_of",
        "an application's federated credentials",
        "/v1.0/applications/{id}/federatedIdentityCredentials",
        after=("application.federated",),
        about=HOLDER,
    ),
    # v1.0 does not return claims-matching expressions: sent for each application that has a credential without a subject.
    graph(
        "application.expressions_of",
        "an application's claims-matching expressions",
        "/beta/applications/{id}/federatedIdentityCredentials",
        after=("application.federated_of",),
        about=HOLDER,
    ),
    graph(
        "service_principal.list",
        "service principals",
        "/v1.0/servicePrincipals",
        query=(("$select", _WITH_CREDENTIALS + GLOBAL_FIELDS), ("$top", "999")),
        query_elsewhere=(("$select", _WITH_CREDENTIALS), ("$top", "999")),
        # Recorded answers of v1.0 have it, its metadata does not: github.com/microsoftgraph/msgraph-metadata,
        # schemas/v1.0-Prod.csdl
        dispensable=("createdDateTime",),
        throttle=Throttle.GRAPH_KEY_CREDENTIALS,
        cost=2,
        never_empty="every tenant has service principals of Microsoft's own applications",
    ),
    graph(
        "service_principal.get",
        "the public keys of a service principal",
        "/v1.0/servicePrincipals/{id}",
        query=(("$select", "id,keyCredentials"),),
        paging=Paging.NONE,
        throttle=Throttle.GRAPH_KEY_CREDENTIALS,
        after=("service_principal.list",),
        about=ITSELF,
    ),
    graph(
        "service_principal.owners",
        "owners of service principals",
        "/v1.0/servicePrincipals",
        query=(("$select", "id"), ("$expand", "owners($select=id)"), ("$top", "999")),
        cost=3,
    ),
    graph(
        "service_principal.owners_of",
        "owners of a service principal with many owners",
        "/v1.0/servicePrincipals/{id}/owners",
        query=(("$select", "id"), ("$top", "999")),
        after=("service_principal.owners",),
        about=RELATED,
    ),
    # Graph has no list of all app role assignments of a tenant. Read per API, this would be one list for each API with app
    # roles, and a tenant can have thousands. Expanded into the list of principals, it takes one request per page, and one more
    # for each principal with many assignments.
    graph(
        "service_principal.app_roles",
        "app roles granted to service principals",
        "/v1.0/servicePrincipals",
        query=(
            ("$select", "id"),
            ("$expand", "appRoleAssignments($select=appRoleId,principalId,resourceId,createdDateTime)"),
            ("$top", "999"),
        ),
        cost=3,
    ),
    graph(
        "service_principal.app_roles_of",
        "app roles granted to a service principal with many app roles",
        "/v1.0/servicePrincipals/{id}/appRoleAssignments",
        query=(("$top", "999"),),
        cost=2,
        after=("service_principal.app_roles",),
        about=Named("principalId", "{id}"),
    ),
    graph(
        "service_principal.federated",
        "service principals with federated credentials",
        "/v1.0/servicePrincipals",
        query=(
            ("$filter", "federatedIdentityCredentials/$count ne 0"),
            ("$count", "true"),
            ("$select", "id"),
            ("$top", "999"),
        ),
        headers=ADVANCED,
        cost=2,
    ),
    graph(
        "service_principal.federated_of",
        "a service principal's federated credentials",
        "/v1.0/servicePrincipals/{id}/federatedIdentityCredentials",
        after=("service_principal.federated",),
        about=HOLDER,
    ),
    graph(
        "service_principal.expressions_of",
        "a service principal's claims-matching expressions",
        "/beta/servicePrincipals/{id}/federatedIdentityCredentials",
        after=("service_principal.federated_of",),
        about=HOLDER,
    ),
)

RECORDED = {
    "application.list": Recording(AZURE_CLI, "test_app_credential", 2022, kept=True),
    "application.get": Recording(AZURE_CLI, "test_app_credential", 2022, kept=True),
    "application.owners_of": Recording(AZURE_CLI, "test_app_owner", 2022),
    "application.expressions_of": Recording(AZURE_CLI, "test_app_federated_credential", 2022, kept=True),
    "service_principal.list": Recording(AZURE_CLI, "test_sp_credential", 2022, kept=True),
    "service_principal.get": Recording(AZURE_CLI, "test_sp_credential", 2022, kept=True),
}
