"""The examples of applications, service principals and their privileges."""

from tests.plan.configuration import Resource, resource
from tests.plan.terms import ref

_NOBODY = "00000000-0000-0000-0000-000000000000"
_GRAPH = "00000003-0000-0000-c000-000000000000"
_REGISTRATION = resource("azuread_application_registration.example", display_name="example")
_APPLICATION = resource("azuread_application.example", display_name="example")
_PRINCIPAL = resource("azuread_service_principal.example", client_id=ref("azuread_application.example.client_id"))
_OWNERS = [ref("data.azuread_client_config.current.object_id")]
_CERTIFICATE = {"type": "AsymmetricX509Cert", "value": "-----BEGIN CERTIFICATE-----", "end_date": "2021-05-01T01:02:03Z"}
ENTRA: tuple[tuple[str, tuple[Resource, ...]], ...] = (
    (
        "azuread_application",
        (
            resource("data.azuread_client_config.current"),
            resource(
                "azuread_application.example",
                display_name="example",
                identifier_uris=["api://example-app"],
                owners=_OWNERS,
                sign_in_audience="AzureADMultipleOrgs",
                api=[
                    {
                        "mapped_claims_enabled": True,
                        "requested_access_token_version": 2,
                        "oauth2_permission_scope": [
                            {
                                "id": "96183846-204b-4b43-82e1-5d2222eb4b9b",
                                "admin_consent_display_name": "Access example",
                                "enabled": True,
                                "type": "User",
                                "value": "user_impersonation",
                            }
                        ],
                    }
                ],
                app_role=[
                    {
                        "allowed_member_types": ["User", "Application"],
                        "description": "Admins can manage roles and perform all task actions",
                        "display_name": "Admin",
                        "id": "1b19509b-32b1-4e9f-b71d-4992aa991967",
                        "value": "admin",
                    }
                ],
                feature_tags=[{"enterprise": True, "gallery": True}],
                optional_claims=[{"access_token": [{"name": "myclaim"}, {"name": "otherclaim"}]}],
            ),
        ),
    ),
    (
        "azuread_application_registration",
        (
            resource(
                "azuread_application_registration.example",
                display_name="Example Application",
                description="My example application",
                sign_in_audience="AzureADMyOrg",
                homepage_url="https://app.example.com/",
                logout_url="https://app.example.com/logout",
            ),
        ),
    ),
    (
        "azuread_application_password",
        (
            _REGISTRATION,
            resource("azuread_application_password.example", application_id=ref("azuread_application_registration.example.id")),
        ),
    ),
    (
        "azuread_application_certificate",
        (
            _REGISTRATION,
            resource(
                "azuread_application_certificate.example",
                application_id=ref("azuread_application_registration.example.id"),
                **_CERTIFICATE,
            ),
        ),
    ),
    (
        "azuread_application_federated_identity_credential",
        (
            _REGISTRATION,
            resource(
                "azuread_application_federated_identity_credential.example",
                application_id=ref("azuread_application_registration.example.id"),
                display_name="my-repo-deploy",
                description="Deployments for my-repo",
                audiences=["api://AzureADTokenExchange"],
                issuer="https://token.actions.githubusercontent.com",
                subject="repo:my-organization/my-repo:environment:prod",
            ),
        ),
    ),
    (
        "azuread_service_principal",
        (
            resource("data.azuread_client_config.current"),
            _APPLICATION,
            resource(
                "azuread_service_principal.example",
                client_id=ref("azuread_application.example.client_id"),
                app_role_assignment_required=False,
                owners=_OWNERS,
            ),
        ),
    ),
    (
        "azuread_service_principal_password",
        (
            _APPLICATION,
            _PRINCIPAL,
            resource(
                "azuread_service_principal_password.example",
                service_principal_id=ref("azuread_service_principal.example.id"),
            ),
        ),
    ),
    (
        "azuread_service_principal_certificate",
        (
            _APPLICATION,
            _PRINCIPAL,
            resource(
                "azuread_service_principal_certificate.example",
                service_principal_id=ref("azuread_service_principal.example.id"),
                **_CERTIFICATE,
            ),
        ),
    ),
    (
        "azuread_service_principal_token_signing_certificate",
        (
            _APPLICATION,
            _PRINCIPAL,
            resource(
                "azuread_service_principal_token_signing_certificate.example",
                service_principal_id=ref("azuread_service_principal.example.id"),
            ),
        ),
    ),
    (
        "azuread_app_role_assignment",
        (
            resource("azuread_service_principal.msgraph", client_id=_GRAPH, use_existing=True),
            _APPLICATION,
            _PRINCIPAL,
            resource(
                "azuread_app_role_assignment.example",
                app_role_id=ref('azuread_service_principal.msgraph.app_role_ids["User.Read.All"]'),
                principal_object_id=ref("azuread_service_principal.example.object_id"),
                resource_object_id=ref("azuread_service_principal.msgraph.object_id"),
            ),
        ),
    ),
    ("azuread_directory_role", (resource("azuread_directory_role.example", display_name="Printer administrator"),)),
    (
        "azuread_directory_role_assignment",
        (
            resource("azuread_directory_role.example", display_name="Security administrator"),
            resource(
                "azuread_directory_role_assignment.example",
                role_id=ref("azuread_directory_role.example.template_id"),
                principal_object_id=_NOBODY,
            ),
        ),
    ),
)
