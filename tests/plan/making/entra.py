"""Applications, their credentials and privileges, as hashicorp/terraform-provider-azuread makes them."""

from base64 import b64decode
from datetime import timedelta
from typing import Any

from cryptography import x509 as parser
from msgspec.structs import replace

from keyaudit.model.values.times import HOUR
from keyaudit.simulator import x509
from keyaudit.simulator.estate import (
    Application,
    AppRole,
    AppRoleGrant,
    DirectoryRole,
    DirectoryRoleGrant,
    FederatedCredential,
    KeyCredential,
    PasswordCredential,
    ServicePrincipal,
)
from tests.plan.instances import Instance, Values
from tests.plan.making import Maker, Remover
from tests.plan.making.key_vault import seconds
from tests.plan.terms import UNKNOWN
from tests.plan.world import DAY, World, found, put

_TWO_YEARS, _THREE_YEARS = 730 * DAY, 1_095 * DAY
"""Without an end, Graph gives a secret two years and a token signing certificate three:
https://learn.microsoft.com/graph/api/application-addpassword, https://learn.microsoft.com/graph/api/serviceprincipal-addtokensigningcertificate
"""


def _application(world: World, instance: Instance, values: Values) -> Values:
    id_ = world.guid("application", instance.address)
    api, web = _first(values.get("api")), _first(values.get("web"))
    spa, native = _first(values.get("single_page_application")), _first(values.get("public_client"))
    held = [each for each in world.estate.applications if each.id == id_]
    settings: dict[str, Any] = {
        "name": values["display_name"],
        "audience": values["sign_in_audience"],
        "identifier_uris": tuple(values.get("identifier_uris") or ()),
        "scopes": tuple(each["value"] for each in api.get("oauth2_permission_scope") or ()),
        "roles": tuple(each["value"] for each in values.get("app_role") or ()),
        "owners": tuple(values.get("owners") or ()),
        "accepts_mapped_claims": api.get("mapped_claims_enabled"),
        "public_client": values.get("fallback_public_client_enabled"),
        "token_version": api.get("requested_access_token_version", 1),
        "reply_urls": tuple(web.get("redirect_uris") or ()),
        "spa_urls": tuple(spa.get("redirect_uris") or ()),
        "native_urls": tuple(native.get("redirect_uris") or ()),
    }
    if held:
        made = replace(held[0], **settings)
    else:
        app_id = world.guid("client", instance.address)
        # The tenant is audited hours later: what a new application holds is unknown for an hour.
        made = Application(id=id_, app_id=app_id, created=world.made_on - 2 * HOUR, **settings)
    roles = {each["value"]: each["id"] for each in values.get("app_role") or ()}
    world.put_application(made)
    return {"id": f"/applications/{id_}", "object_id": id_, "client_id": made.app_id, "app_role_ids": roles}


def _remove_application(world: World, values: Values) -> None:
    id_ = values["object_id"]
    world.change(applications=tuple(each for each in world.estate.applications if each.id != id_))


def _principal(world: World, instance: Instance, values: Values) -> Values:
    there = [each for each in world.estate.service_principals if each.app_id == values["client_id"]]
    if there and values["use_existing"]:
        return _shown(there[0])
    applications = [each for each in world.estate.applications if each.app_id == values["client_id"]]
    id_ = world.guid("principal", instance.address)
    settings: dict[str, Any] = {
        "enabled": values["account_enabled"],
        "owners": tuple(values["owners"] or ()),
        "assignment_required": bool(values["app_role_assignment_required"]),
        "sso_mode": values["preferred_single_sign_on_mode"],
    }
    held = [each for each in world.estate.service_principals if each.id == id_]
    if held:
        made = replace(held[0], **settings)
    else:
        published = tuple(AppRole(id=world.guid("role", instance.address, role), value=role) for role in applications[0].roles)
        made = ServicePrincipal(
            id=id_,
            app_id=values["client_id"],
            name=applications[0].name,
            created=world.made_on,
            home_tenant=world.estate.tenant_id,
            app_roles=published,
            **settings,
        )
    world.put_principal(made)
    return _shown(made)


def _shown(principal: ServicePrincipal) -> Values:
    return {
        "id": f"/servicePrincipals/{principal.id}",
        "object_id": principal.id,
        "display_name": principal.name,
        "app_role_ids": {each.value: each.id for each in principal.app_roles},
    }


def _remove_principal(world: World, values: Values) -> None:
    id_ = values["object_id"]
    world.change(service_principals=tuple(each for each in world.estate.service_principals if each.id != id_))


def _password_of(world: World, instance: Instance, values: Values) -> PasswordCredential:
    start = world.made_on if values["start_date"] is UNKNOWN else seconds(values["start_date"])
    assert start is not None
    end = start + _TWO_YEARS if values["end_date"] is UNKNOWN else seconds(values["end_date"])
    if values.get("end_date_relative"):
        end = start + _duration(values["end_date_relative"])
    name = values["display_name"]
    return PasswordCredential(
        key_id=world.guid("password", instance.address), start=start, end=end, display_name=None if name is UNKNOWN else name
    )


def _duration(text: str) -> int:
    """A duration of Go's, in whole hours."""
    return int(timedelta(hours=int(text.removesuffix("h"))).total_seconds())


def _application_password(world: World, instance: Instance, values: Values) -> Values:
    application = world.application(values["application_id"])
    made = _password_of(world, instance, values)
    world.put_application(replace(application, passwords=put(application.passwords, made, lambda each: each.key_id)))
    return {"id": f"{application.id}/password/{made.key_id}", "key_id": made.key_id}


def _principal_password(world: World, instance: Instance, values: Values) -> Values:
    principal = world.principal(values["service_principal_id"])
    made = _password_of(world, instance, values)
    world.put_principal(replace(principal, passwords=put(principal.passwords, made, lambda each: each.key_id)))
    return {"id": f"{principal.id}/password/{made.key_id}", "key_id": made.key_id}


def _remove_application_password(world: World, values: Values) -> None:
    application = world.application(values["application_id"])
    kept = tuple(each for each in application.passwords if each.key_id != values["key_id"])
    world.put_application(replace(application, passwords=kept))


def _certificate_of(world: World, instance: Instance, values: Values) -> KeyCredential:
    text = values["value"]
    der = bytes.fromhex(text) if values["encoding"] == "hex" else b64decode(text)
    certificate = parser.load_der_x509_certificate(der)
    # Graph takes the certificate's own dates where none are given: https://learn.microsoft.com/graph/api/resources/keycredential
    start, end = values["start_date"], values["end_date"]
    return KeyCredential(
        key_id=world.guid("certificate", instance.address),
        start=int(certificate.not_valid_before_utc.timestamp()) if start is UNKNOWN else seconds(start),
        end=int(certificate.not_valid_after_utc.timestamp()) if end is UNKNOWN else seconds(end),
        thumbprint=x509.thumbprint(der),
        certificate=der,
        display_name=certificate.subject.rfc4514_string(),
    )


def _application_certificate(world: World, instance: Instance, values: Values) -> Values:
    application = world.application(values["application_id"])
    made = _certificate_of(world, instance, values)
    world.put_application(replace(application, keys=put(application.keys, made, lambda each: each.key_id)))
    return {"id": f"{application.id}/certificate/{made.key_id}", "key_id": made.key_id}


def _principal_certificate(world: World, instance: Instance, values: Values) -> Values:
    principal = world.principal(values["service_principal_id"])
    made = _certificate_of(world, instance, values)
    world.put_principal(replace(principal, keys=put(principal.keys, made, lambda each: each.key_id)))
    return {"id": f"{principal.id}/certificate/{made.key_id}", "key_id": made.key_id}


def _signing_certificate(world: World, instance: Instance, values: Values) -> Values:
    """Two key credentials and a client secret with one identifier, as Graph makes them."""
    principal = world.principal(values["service_principal_id"])
    name = values["display_name"]
    subject = "CN=Microsoft Azure Federated SSO Certificate" if name in (None, UNKNOWN) else name
    end = world.made_on + _THREE_YEARS if values["end_date"] is UNKNOWN else seconds(values["end_date"])
    assert end is not None
    # https://learn.microsoft.com/graph/api/serviceprincipal-addtokensigningcertificate
    assert end <= world.made_on + _THREE_YEARS, "Graph refuses more than three years"
    der = x509.certificate(subject, key_name=f"{principal.id} {instance.address}", start=world.made_on, end=end)
    print_ = x509.thumbprint(der)
    signing, verifying = world.guid("sign", instance.address), world.guid("verify", instance.address)
    common: dict[str, Any] = {"start": world.made_on, "end": end, "thumbprint": print_, "display_name": subject}
    made = (
        KeyCredential(key_id=signing, usage="Sign", type="X509CertAndPassword", certificate=der, **common),
        KeyCredential(key_id=verifying, usage="Verify", certificate=der, **common),
    )
    password = PasswordCredential(key_id=signing, start=world.made_on, end=end, thumbprint=print_)
    changed = replace(principal, keys=(*principal.keys, *made), passwords=(*principal.passwords, password))
    # Neither Graph nor the provider makes it the preferred one.
    world.put_principal(changed)
    return {"id": f"{principal.id}/tokenSigningCertificate/{verifying}", "key_id": verifying, "thumbprint": print_}


def _federated(world: World, instance: Instance, values: Values) -> Values:
    application = world.application(values["application_id"])
    made = FederatedCredential(
        id=world.guid("federated", instance.address),
        name=values["display_name"],
        issuer=values["issuer"],
        subject=values["subject"],
        audiences=tuple(values["audiences"]),
    )
    world.put_application(replace(application, federated=put(application.federated, made, lambda each: each.id)))
    return {"id": f"{application.id}/federatedIdentityCredential/{made.id}", "credential_id": made.id}


def _app_role(world: World, instance: Instance, values: Values) -> Values:
    grant = AppRoleGrant(
        principal_id=values["principal_object_id"],
        resource_id=values["resource_object_id"],
        role_id=values["app_role_id"],
        created=world.made_on,
    )
    grants = put(world.estate.app_role_grants, grant, lambda each: f"{each.principal_id} {each.resource_id} {each.role_id}")
    world.change(app_role_grants=grants)
    return {"id": f"{grant.resource_id}/appRoleAssignment/{world.guid('grant', instance.address)}"}


def _remove_app_role(world: World, values: Values) -> None:
    gone = (values["principal_object_id"], values["resource_object_id"], values["app_role_id"])
    kept = [each for each in world.estate.app_role_grants if (each.principal_id, each.resource_id, each.role_id) != gone]
    world.change(app_role_grants=tuple(kept))


def _directory_role(world: World, instance: Instance, values: Values) -> Values:
    """Activates a role that every tenant has the template of."""
    role = found(_TEMPLATES, lambda each: each.name == values["display_name"])
    world.change(directory_roles=put(world.estate.directory_roles, role, lambda each: each.id))
    return {
        "id": world.guid("directory role", role.id),
        "template_id": role.id,
        "object_id": world.guid("directory role", role.id),
    }


_TEMPLATES = (
    DirectoryRole(id="9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", name="Application Administrator"),
    DirectoryRole(id="88d8e3e3-8f55-4a1e-953a-9b9898b8876b", name="Directory Readers"),
)
"""https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"""


def _directory_grant(world: World, instance: Instance, values: Values) -> Values:
    scope = values["directory_scope_id"]
    grant = DirectoryRoleGrant(
        principal_id=values["principal_object_id"], role_id=values["role_id"], scope="/" if scope is UNKNOWN else scope
    )
    kept = [each for each in world.estate.directory_role_grants if each != grant]
    world.change(directory_role_grants=(*kept, grant))
    return {"id": world.guid("directory grant", instance.address), "directory_scope_id": grant.scope}


def _first(blocks: Any) -> Values:
    return dict(blocks[0]) if isinstance(blocks, list) and blocks else {}


MAKERS: dict[str, Maker] = {
    "azuread_application": _application,
    "azuread_application_registration": _application,
    "azuread_application_password": _application_password,
    "azuread_application_certificate": _application_certificate,
    "azuread_application_federated_identity_credential": _federated,
    "azuread_service_principal": _principal,
    "azuread_service_principal_password": _principal_password,
    "azuread_service_principal_certificate": _principal_certificate,
    "azuread_service_principal_token_signing_certificate": _signing_certificate,
    "azuread_app_role_assignment": _app_role,
    "azuread_directory_role": _directory_role,
    "azuread_directory_role_assignment": _directory_grant,
}
REMOVERS: dict[str, Remover] = {
    "azuread_application": _remove_application,
    "azuread_application_password": _remove_application_password,
    "azuread_service_principal": _remove_principal,
    "azuread_app_role_assignment": _remove_app_role,
}
