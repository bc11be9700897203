"""Actions in Entra ID."""

import hashlib
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_der_x509_certificate
from msgspec.structs import replace

from keyaudit.simulator import x509
from keyaudit.simulator.estate import Estate, ServicePrincipal
from keyaudit.simulator.estates import estate as made
from tests.rehearsal.actions.edits import DAY, with_application


def limited(tenant: Estate, _: str) -> Estate:
    """The app management policies of a tenant that sets every limit, without exemptions."""
    strict = made("hardened", tenant.as_of).posture
    policies = tuple(replace(one, restrictions=strict.for_applications) for one in tenant.posture.policies)
    for_all = {name: getattr(strict, name) for name in ("default_enabled", "for_applications", "for_service_principals")}
    return replace(tenant, posture=replace(tenant.posture, policies=policies, **for_all))


def no_registrations(tenant: Estate, _: str) -> Estate:
    return replace(tenant, posture=replace(tenant.posture, users_register_apps=False, consent_policies=()))


def without_credential(tenant: Estate, credential: str) -> Estate:
    id_ = credential.rsplit("/", 1)[1]

    def without(one: Any) -> Any:
        keys, passwords = (tuple(each for each in some if each.key_id.lower() != id_) for some in (one.keys, one.passwords))
        return replace(one, keys=keys, passwords=passwords)

    return replace(
        tenant,
        applications=tuple(map(without, tenant.applications)),
        service_principals=tuple(map(without, tenant.service_principals)),
    )


def inherits_nothing(tenant: Estate, blueprint: str) -> Estate:
    return with_application(tenant, blueprint, lambda one: replace(one, inheritable=()))


def without_permissions(tenant: Estate, principal: str) -> Estate:
    """A principal of a retired service is disabled, too: nobody uses it."""
    id_ = principal.rsplit("/", 1)[1]
    return replace(
        tenant,
        service_principals=tuple(
            replace(one, enabled=False) if one.id.lower() == id_ and one.type == "Legacy" else one
            for one in tenant.service_principals
        ),
        app_role_grants=tuple(one for one in tenant.app_role_grants if one.principal_id.lower() != id_),
        directory_role_grants=tuple(one for one in tenant.directory_role_grants if one.principal_id.lower() != id_),
        role_assignments=tuple(one for one in tenant.role_assignments if one.principal.lower() != id_),
        consents=tuple(one for one in tenant.consents if one.client_id.lower() != id_),
    )


def exact_addresses(tenant: Estate, application: str) -> Estate:
    url = f"https://app.{next(one.name for one in tenant.domains if one.default)}/signed-in"
    return with_application(tenant, application, lambda one: replace(one, reply_urls=(url,), spa_urls=(), native_urls=()))


def without_certificates(tenant: Estate, principal: str) -> Estate:
    """A Microsoft application without the certificates that were added in this tenant."""
    id_ = principal.rsplit("/", 1)[1]
    return replace(
        tenant,
        service_principals=tuple(
            replace(one, keys=()) if id_ in (one.id.lower(), one.app_id.lower()) else one for one in tenant.service_principals
        ),
    )


def this_tenant_alone(tenant: Estate, application: str) -> Estate:
    return with_application(tenant, application, lambda one: replace(one, audience="AzureADMyOrg"))


def own_keys(tenant: Estate, key: str) -> Estate:
    """Each holder of a certificate on a public key without it."""

    def without(one: Any) -> Any:
        shared = [each for each in one.keys if each.certificate and _public_key(each.certificate) == key]
        sets = {each.thumbprint for each in shared}
        return (
            replace(
                one,
                keys=tuple(each for each in one.keys if each.thumbprint not in sets),
                passwords=tuple(each for each in one.passwords if each.thumbprint not in sets or each.thumbprint is None),
            )
            if shared
            else one
        )

    return replace(
        tenant,
        applications=tuple(map(without, tenant.applications)),
        service_principals=tuple(map(without, tenant.service_principals)),
    )


def new_signing_certificate(tenant: Estate, certificate: str) -> Estate:
    """The holder signs with a certificate of a year; the old one is gone."""
    holder, _, thumbprint = certificate.partition("/signingcertificates/")
    kind, name = holder.rsplit("/", 2)[1:]
    new = x509.certificate(f"CN={name}", key_name=f"new of {name}", start=tenant.as_of - DAY, end=tenant.as_of + 365 * DAY)
    if kind == "domains":
        return replace(
            tenant,
            domains=tuple(
                replace(one, federation=replace(one.federation, certificate=new, next_certificate=None))
                if one.federation and one.name == name
                else one
                for one in tenant.domains
            ),
        )

    def signing(one: ServicePrincipal) -> ServicePrincipal:
        if one.id.lower() != name:
            return one
        mine = {each.thumbprint for each in one.keys if (each.thumbprint or "").lower() == thumbprint}
        old, other = ([each for each in one.keys if (each.thumbprint in mine) is old] for old in (True, False))
        times = {"start": tenant.as_of - DAY, "end": tenant.as_of + 365 * DAY, "thumbprint": x509.thumbprint(new)}
        keys = tuple(replace(each, certificate=new if each.certificate else None, **times) for each in old)
        secrets = tuple(replace(each, **times) if each.thumbprint in mine else each for each in one.passwords)
        return replace(one, keys=(*other, *keys), passwords=secrets, preferred_thumbprint=x509.thumbprint(new))

    return replace(tenant, service_principals=tuple(map(signing, tenant.service_principals)))


def _public_key(certificate: bytes) -> str:
    public = load_der_x509_certificate(certificate).public_key()
    encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(encoded).hexdigest().upper()
