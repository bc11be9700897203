"""App registrations and service principals: their credentials, privileges and settings."""

from base64 import b64encode
from typing import Any

from keyaudit.simulator import x509
from tests.clock import COLLECTED
from tests.plan.configuration import Resource, resource
from tests.plan.plans.described import ALICE, Plan, configuration, good_vault, results
from tests.plan.terms import joined, ref
from tests.plan.world import DAY

_GRAPH = "00000003-0000-0000-c000-000000000000"


def _application(name: str, **arguments: Any) -> Resource:
    return resource("azuread_application.main", display_name=name, owners=[ALICE], **arguments)


def _principal(**arguments: Any) -> Resource:
    return resource("azuread_service_principal.main", client_id=ref("azuread_application.main.client_id"), **arguments)


def _graph() -> Resource:
    return resource("azuread_service_principal.msgraph", client_id=_GRAPH, use_existing=True)


def _app_role(role: str) -> Resource:
    return resource(
        "azuread_app_role_assignment.main",
        app_role_id=ref(f'azuread_service_principal.msgraph.app_role_ids["{role}"]'),
        principal_object_id=ref("azuread_service_principal.main.object_id"),
        resource_object_id=ref("azuread_service_principal.msgraph.object_id"),
    )


def _password(name: str, **arguments: Any) -> Resource:
    return resource(
        f"azuread_application_password.{name}",
        application_id=ref("azuread_application.main.id"),
        display_name=name,
        **arguments,
    )


def _federated(name: str, subject: str, issuer: str = "https://token.actions.githubusercontent.com") -> Resource:
    return resource(
        f"azuread_application_federated_identity_credential.{name}",
        application_id=ref("azuread_application.main.id"),
        display_name=name,
        audiences=["api://AzureADTokenExchange"],
        issuer=issuer,
        subject=subject,
    )


def _encoded(subject: str, days: int) -> str:
    """A certificate that is valid for so many days, in Base64."""
    der = x509.certificate(f"CN={subject}", key_name=subject, start=COLLECTED - DAY, end=COLLECTED + (days - 1) * DAY)
    return b64encode(der).decode()


PLANS = (
    Plan(
        # Without an end, Graph decides: the plan does not show it.
        name="app-secret-default",
        after=configuration(
            "app-secret-default", _application("Planned Default"), _password("default"), _principal(owners=[ALICE])
        ),
        fails=results(
            "app-secret-exists: app registration Planned Default",
            "app-secret-too-long: app registration Planned Default, client secret default",
        ),
        unknown=results(
            "app-secret-too-long app-credential-never-expires: app registration Planned Default, client secret default",
            "app-secret-exists app-credential-expiring-soon: app registration Planned Default",
        ),
    ),
    Plan(
        name="app-secrets",
        after=configuration(
            "app-secrets",
            _application("Planned Secrets"),
            _password("short", start_date="2026-11-24T00:00:00Z", end_date="2027-02-24T00:00:00Z"),
            _password("long", start_date="2026-11-24T00:00:00Z", end_date="2028-11-24T00:00:00Z"),
            _password("eternal", start_date="2026-11-24T00:00:00Z", end_date="2099-01-01T00:00:00Z"),
            _password("computed", end_date=ref("time_offset.quarter.rfc3339")),
            resource("time_offset.quarter", offset_days=90),
        ),
        fails=results(
            "app-secret-exists app-many-live-credentials: app registration Planned Secrets",
            "app-secret-too-long: app registration Planned Secrets, client secret long",
            "app-secret-too-long app-credential-never-expires: app registration Planned Secrets, client secret eternal",
        ),
        unknown=results(
            "app-secret-too-long app-credential-never-expires: app registration Planned Secrets, client secret computed"
        ),
    ),
    Plan(
        name="app-certificates",
        after=configuration(
            "app-certificates",
            _application("Planned Certificates"),
            *(
                resource(
                    f"azuread_application_certificate.{name}",
                    application_id=ref("azuread_application.main.id"),
                    type="AsymmetricX509Cert",
                    encoding="base64",
                    value=_encoded(f"plan-{name}", days),
                )
                for name, days in (("short", 180), ("long", 1_000))
            ),
        ),
        fails=results("app-cert-too-long: app registration Planned Certificates, certificate CN=plan-long"),
        unknown=results(
            "app-cert-too-long: app registration Planned Certificates, certificate CN=plan-long",
            "app-cert-too-long: app registration Planned Certificates, certificate CN=plan-short",
        ),
    ),
    Plan(
        # One certificate of a vault, on two applications: its bytes are known only after apply, the relation before.
        name="app-certificate-of-vault",
        after=configuration(
            "app-certificate-of-vault",
            *good_vault("kv-app-certificate"),
            resource(
                "azurerm_key_vault_certificate.client",
                name="client",
                key_vault_id=ref("azurerm_key_vault.main.id"),
                certificate_policy=[
                    {
                        "issuer_parameters": [{"name": "Self"}],
                        "key_properties": [{"key_type": "RSA-HSM", "key_size": 3072, "exportable": False, "reuse_key": False}],
                        "lifetime_action": [
                            {"action": [{"action_type": "AutoRenew"}], "trigger": [{"lifetime_percentage": 80}]}
                        ],
                        "secret_properties": [{"content_type": "application/x-pkcs12"}],
                        "x509_certificate_properties": [
                            {
                                "subject": "CN=planned-client",
                                "key_usage": ["digitalSignature"],
                                "extended_key_usage": ["1.3.6.1.5.5.7.3.2"],
                                "validity_in_months": 6,
                            }
                        ],
                    }
                ],
            ),
            *(
                each
                for name in ("one", "two")
                for each in (
                    resource(f"azuread_application.{name}", display_name=f"Planned Vault {name.title()}", owners=[ALICE]),
                    resource(
                        f"azuread_application_certificate.{name}",
                        application_id=ref(f"azuread_application.{name}.id"),
                        type="AsymmetricX509Cert",
                        encoding="hex",
                        value=ref("azurerm_key_vault_certificate.client.certificate_data"),
                        end_date="2027-05-01T00:00:00Z",
                    ),
                )
            ),
        ),
        fails=results(
            "kv-no-private-endpoint: kv-app-certificate",
            "combo-one-cert-many-identities kv-cert-self-signed-auth: kv-app-certificate/certificates/client",
            "sp-same-credential-on-several: app registration Planned Vault One, certificate CN=planned-client",
            "sp-same-credential-on-several: app registration Planned Vault Two, certificate CN=planned-client",
        ),
    ),
    Plan(
        name="app-federated",
        after=configuration(
            "app-federated",
            _application("Planned Federation"),
            _federated("exact", "repo:contoso@87654/shop@123456:environment:production"),
            _federated("pulls", "repo:contoso/shop:pull_request"),
            _federated("stranger", "foo", issuer="https://issuer.example"),
        ),
        fails=results(
            "fed-fic-broad-subject fed-fic-mutable-subject: app registration Planned Federation, federated credential pulls",
            "fed-fic-unknown-issuer: app registration Planned Federation, federated credential stranger",
        ),
    ),
    Plan(
        name="app-without-owner",
        after=configuration(
            "app-without-owner", resource("azuread_application_registration.main", display_name="Planned Orphan")
        ),
        fails=results("app-no-owner: app registration Planned Orphan"),
        unknown=results("app-no-owner: app registration Planned Orphan"),
    ),
    Plan(
        name="app-settings",
        after=configuration(
            "app-settings",
            _application(
                "Planned Settings",
                sign_in_audience="AzureADMultipleOrgs",
                api=[{"mapped_claims_enabled": True, "requested_access_token_version": 2}],
                web=[
                    {
                        "redirect_uris": [
                            "http://settings.trust.contoso.example/callback",
                            "https://*.trust.contoso.example/callback",
                        ]
                    }
                ],
            ),
            # Entra asks multi-tenant applications for a URI of a verified domain, and not these.
            resource(
                "azuread_application.legacy",
                display_name="Planned Legacy",
                owners=[ALICE],
                identifier_uris=["api://planned-legacy"],
                api=[{"oauth2_permission_scope": [{"id": "96183846-204b-4b43-82e1-5d2222eb4b9b", "value": "Settings.Read"}]}],
            ),
        ),
        fails=results(
            "app-audience-multi-tenant app-instance-lock-off app-publisher-unverified app-mapped-claims-multitenant"
            " app-redirect-insecure app-redirect-wildcard: app registration Planned Settings",
            "app-identifier-uri-not-unique: app registration Planned Legacy",
        ),
        unknown=results("app-instance-lock-off app-publisher-unverified: app registration Planned Settings"),
    ),
    Plan(
        name="principal-with-secret",
        after=configuration(
            "principal-with-secret",
            _application("Planned Principal"),
            _principal(owners=[ALICE]),
            resource(
                "azuread_service_principal_password.main",
                service_principal_id=ref("azuread_service_principal.main.id"),
                display_name="hidden",
                start_date="2026-11-24T00:00:00Z",
                end_date="2027-02-24T00:00:00Z",
            ),
            resource(
                "azuread_service_principal_certificate.main",
                service_principal_id=ref("azuread_service_principal.main.id"),
                encoding="base64",
                value=_encoded("plan-principal", 180),
            ),
        ),
        fails=results(
            "sp-credential-on-service-principal: service principal Planned Principal, client secret hidden",
            "sp-credential-on-service-principal: service principal Planned Principal, certificate CN=plan-principal",
        ),
    ),
    Plan(
        # It may give itself every role of Entra.
        name="app-takes-tenant",
        after=configuration(
            "app-takes-tenant",
            _application("Planned Takeover"),
            _password("takeover", start_date="2026-11-24T00:00:00Z", end_date="2027-02-24T00:00:00Z"),
            _principal(owners=[ALICE]),
            _graph(),
            _app_role("RoleManagement.ReadWrite.Directory"),
        ),
        fails=results(
            "app-secret-exists app-privileged-with-user-owner: app registration Planned Takeover",
            "sp-tier0-with-secret: app registration Planned Takeover, client secret takeover",
            "sp-can-take-over-tenant: service principal Planned Takeover",
        ),
    ),
    Plan(
        name="app-reads-users",
        after=configuration(
            "app-reads-users",
            _application("Planned Reader"),
            _federated("exact", "repo:contoso@87654/shop@123456:environment:production"),
            _principal(owners=[ALICE]),
            _graph(),
            _app_role("User.Read.All"),
        ),
    ),
    Plan(
        name="app-administrator",
        after=configuration(
            "app-administrator",
            _application("Planned Administrator"),
            _federated("exact", "repo:contoso@87654/shop@123456:environment:production"),
            _principal(owners=[ALICE]),
            resource("azuread_directory_role.main", display_name="Application Administrator"),
            resource(
                "azuread_directory_role_assignment.main",
                role_id=ref("azuread_directory_role.main.template_id"),
                principal_object_id=ref("azuread_service_principal.main.object_id"),
            ),
        ),
        fails=results(
            "app-privileged-with-user-owner: app registration Planned Administrator",
            "sp-can-take-over-tenant: service principal Planned Administrator",
        ),
    ),
    Plan(
        name="app-opens-subscription",
        after=configuration(
            "app-opens-subscription",
            _application("Planned Deployer"),
            _password("deploy", start_date="2026-11-24T00:00:00Z", end_date="2027-02-24T00:00:00Z"),
            _principal(owners=[ALICE]),
            resource(
                "azurerm_role_assignment.deploy",
                scope=joined("/subscriptions/{}", "data.azurerm_client_config.current.subscription_id"),
                role_definition_name="Owner",
                principal_id=ref("azuread_service_principal.main.object_id"),
            ),
        ),
        fails=results(
            "app-secret-exists app-privileged-with-user-owner: app registration Planned Deployer",
            "sp-privileged-with-secret: app registration Planned Deployer, client secret deploy",
        ),
    ),
    Plan(
        # One certificate ends when Graph says, one in a month, and nothing follows it.
        name="saml",
        after=configuration(
            "saml",
            *(
                each
                for name, ends in (("portal", {}), ("shop", {"end_date": "2026-12-20T00:00:00Z"}))
                for each in (
                    resource(f"azuread_application.{name}", display_name=f"Planned {name.title()}", owners=[ALICE]),
                    resource(
                        f"azuread_service_principal.{name}",
                        client_id=ref(f"azuread_application.{name}.client_id"),
                        owners=[ALICE],
                        preferred_single_sign_on_mode="saml",
                    ),
                    resource(
                        f"azuread_service_principal_token_signing_certificate.{name}",
                        service_principal_id=ref(f"azuread_service_principal.{name}.id"),
                        display_name=f"CN=planned-{name}",
                        **ends,
                    ),
                )
            ),
        ),
        fails=results(
            "fed-saml-cert-expiring-no-successor: service principal Planned Shop, SAML certificate CN=planned-shop",
        ),
        unknown=results(
            "fed-saml-cert-lifetime fed-saml-cert-expiring-no-successor fed-saml-cert-expired-preferred:"
            " service principal Planned Portal, SAML certificate CN=planned-portal",
            "fed-saml-cert-lifetime fed-saml-cert-expiring-no-successor fed-saml-cert-expired-preferred:"
            " service principal Planned Shop, SAML certificate CN=planned-shop",
        ),
    ),
)
