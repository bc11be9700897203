"""A tenant of a few service principals, with every kind of privilege that one can have."""

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    Application,
    AppRole,
    AppRoleGrant,
    Consent,
    CredentialUse,
    DirectoryRole,
    DirectoryRoleGrant,
    FederatedCredential,
    ManagedIdentity,
    ServicePrincipal,
    SignIn,
)
from tests.collect.estate import AS_OF, DAY, ESTATE, MICROSOFT, SUBSCRIPTION, TENANT

PRINCIPAL = "50000000-0000-4000-8000-0000000001{:02}"
CLIENT = "a1000000-0000-4000-8000-0000000001{:02}"
USER = "0a000000-0000-4000-8000-000000000900"
UNIT = "0b000000-0000-4000-8000-000000000001"
MAIL, ASSIGNS = "e2a3a72e-5f79-4c64-b1b1-878b674786c9", "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"
OWN_ROLE, LOST_ROLE, NO_ROLE = (f"c1000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
GLOBAL, READER, CUSTOM = (
    "62e90394-69f5-4237-9190-012177145e10",
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    "d1000000-0000-4000-8000-000000000001",
)

GRAPH = ServicePrincipal(
    id=PRINCIPAL.format(1),
    app_id="00000003-0000-0000-c000-000000000000",
    name="Microsoft Graph",
    created=AS_OF - 900 * DAY,
    home_tenant=MICROSOFT,
    app_roles=(AppRole(id=MAIL, value="Mail.ReadWrite"), AppRole(id=ASSIGNS, value="RoleManagement.ReadWrite.Directory")),
)
OWN_API = ServicePrincipal(
    id=PRINCIPAL.format(2),
    app_id=CLIENT.format(2),
    name="orders",
    created=AS_OF - 900 * DAY,
    home_tenant=TENANT,
    assignment_required=True,
    app_roles=(AppRole(id=OWN_ROLE, value="Orders.Approve"), AppRole(id=NO_ROLE, value="User", members=("User",))),
)
POWERFUL = ServicePrincipal(
    id=PRINCIPAL.format(3),
    app_id=CLIENT.format(3),
    name="provisioner",
    created=AS_OF - 900 * DAY,
    home_tenant=TENANT,
    tags=("HideApp",),
    created_by_app=CLIENT.format(9),
)
IDENTITY = ServicePrincipal(
    id=PRINCIPAL.format(4),
    app_id=CLIENT.format(4),
    name="id-pod",
    created=AS_OF - 900 * DAY,
    type="ManagedIdentity",
    alternative_names=(
        "isExplicit=True",
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/Rg-Main/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-Pod",
    ),
    federated=(FederatedCredential(id="f0000000-0000-4000-8000-000000000101", name="pod", issuer="https://i", subject="s"),),
)
LACKING = ServicePrincipal(
    id=PRINCIPAL.format(5),
    app_id=CLIENT.format(5),
    name="idle",
    created=AS_OF - 900 * DAY,
    home_tenant=TENANT,
    verified_publisher="Fabrikam",
)

APPLICATION = Application(
    id="a0000000-0000-4000-8000-000000000103",
    app_id=CLIENT.format(3),
    name="provisioner",
    created=AS_OF - 900 * DAY,
    lock={
        "isEnabled": True,
        "allProperties": False,
        "credentialsWithUsageVerify": True,
        "credentialsWithUsageSign": True,
        "tokenEncryptionKeyId": False,
    },
    created_by_app=CLIENT.format(9),
    preauthorized=(CLIENT.format(8), CLIENT.format(7)),
    scopes=("Orders.Read",),
    roles=("Orders.Approve",),
    accepts_mapped_claims=True,
    public_client=True,
    token_version=None,
    verified_publisher="Fabrikam",
    federated=(
        FederatedCredential(id="f0000000-0000-4000-8000-000000000102", name="main", issuer="https://i", subject="s"),
        FederatedCredential(
            id="f0000000-0000-4000-8000-000000000103",
            name="any",
            issuer="https://i",
            subject=None,
            claims_expression="claims['sub'] matches 'repo:o/*'",
        ),
    ),
)

PRIVILEGED = replace(
    ESTATE,
    vaults=(),
    applications=(APPLICATION,),
    service_principals=(GRAPH, OWN_API, POWERFUL, IDENTITY, LACKING),
    identities=(
        ManagedIdentity(
            name="id-Pod",
            subscription=SUBSCRIPTION,
            resource_group="Rg-Main",
            principal_id=IDENTITY.id,
            client_id=IDENTITY.app_id,
            # Graph does not show the second and the third yet.
            federated=(
                FederatedCredential(id="", name="Pod", issuer="https://i", subject="s"),
                FederatedCredential(id="", name="Second", issuer="https://i", subject="t"),
                FederatedCredential(
                    id="",
                    name="Third",
                    issuer="https://token.actions.githubusercontent.com",
                    subject=None,
                    claims_expression="claims['sub'] matches 'repo:o/r:ref:refs/heads/*' and claims['repository_id'] eq '22'",
                ),
            ),
        ),
    ),
    app_role_grants=(
        AppRoleGrant(principal_id=POWERFUL.id, resource_id=GRAPH.id, role_id=MAIL, created=AS_OF - 10 * DAY),
        AppRoleGrant(principal_id=POWERFUL.id, resource_id=GRAPH.id, role_id=ASSIGNS),
        AppRoleGrant(principal_id=IDENTITY.id, resource_id=OWN_API.id, role_id=OWN_ROLE),
        AppRoleGrant(principal_id=IDENTITY.id, resource_id=OWN_API.id, role_id=LOST_ROLE),
        AppRoleGrant(principal_id=LACKING.id, resource_id=OWN_API.id, role_id="00000000-0000-0000-0000-000000000000"),
        # As many as a list shows: whether there are more, only a question about this one principal tells.
        *(
            AppRoleGrant(principal_id=OWN_API.id, resource_id=GRAPH.id, role_id=f"c2000000-0000-4000-8000-0000000000{n:02}")
            for n in range(25)
        ),
    ),
    consents=(
        Consent(client_id=POWERFUL.id, resource_id=GRAPH.id, permissions=("User.Read", "Mail.Read")),
        Consent(client_id=POWERFUL.id, resource_id=GRAPH.id, permissions=("User.Read",), user=USER),
    ),
    directory_roles=(
        DirectoryRole(id=GLOBAL, name="Global Administrator"),
        DirectoryRole(id=READER, name="Directory Readers"),
        DirectoryRole(
            id=CUSTOM, name="app keeper", built_in=False, actions=("microsoft.directory/applications/credentials/update",)
        ),
    ),
    directory_role_grants=(
        DirectoryRoleGrant(principal_id=POWERFUL.id, role_id=GLOBAL),
        DirectoryRoleGrant(principal_id=OWN_API.id, role_id=READER, scope=f"/administrativeUnits/{UNIT}"),
        DirectoryRoleGrant(principal_id=OWN_API.id, role_id=CUSTOM, scope=f"/{APPLICATION.id}"),
        DirectoryRoleGrant(principal_id=USER, role_id=GLOBAL, eligible=True, start=AS_OF - DAY, end=AS_OF + DAY),
    ),
    sign_ins=(
        SignIn(app_id=POWERFUL.app_id, delegated=AS_OF - 9 * DAY, app_only=AS_OF - 5 * DAY, resource=AS_OF - DAY),
        SignIn(app_id=OWN_API.app_id, resource=AS_OF - 2 * DAY),
    ),
    credential_uses=tuple(
        CredentialUse(
            key_id="c0000000-0000-4000-8000-000000000101", app_id=POWERFUL.app_id, last=AS_OF - days * DAY, resource_id=resource
        )
        for days, resource in ((7, GRAPH.app_id), (3, OWN_API.app_id))
    ),
)
