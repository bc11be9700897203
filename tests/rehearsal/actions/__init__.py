"""The action of a cause, taken in the simulated tenant itself: no single command does all of it, or az cannot do it there."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_der_x509_certificate
from msgspec.structs import replace

from keyaudit.simulator import certificates, x509
from keyaudit.simulator.estate import (
    AccessPolicy,
    Application,
    Estate,
    Key,
    KeyVersion,
    Resource,
    RotationPolicy,
    ServicePrincipal,
    Vault,
)
from keyaudit.simulator.estates import estate as made
from keyaudit.simulator.estates.log_plans import setting
from tests.rehearsal.stage import Finding

Action = Callable[[Estate, str], Estate]
"""Takes the tenant and the id of the object of a cause."""
DAY = 86_400


def _keys_off(tenant: Estate, account: str) -> Estate:
    return _with_resource(tenant, account, lambda one: {**one.properties, "allowSharedKeyAccess": False})


def _limited(tenant: Estate, _: str) -> Estate:
    """The app management policies of a tenant that sets every limit, without exemptions."""
    strict = made("hardened", tenant.as_of).posture
    policies = tuple(replace(one, restrictions=strict.for_applications) for one in tenant.posture.policies)
    for_all = {name: getattr(strict, name) for name in ("default_enabled", "for_applications", "for_service_principals")}
    return replace(tenant, posture=replace(tenant.posture, policies=policies, **for_all))


def _no_registrations(tenant: Estate, _: str) -> Estate:
    return replace(tenant, posture=replace(tenant.posture, users_register_apps=False, consent_policies=()))


def _new_certificate(tenant: Estate, certificate: str) -> Estate:
    """A version for servers alone, on a key of its own that stays in the HSM and renews; the older ones are disabled."""
    vault, name, new = _vault_of(certificate), certificate.rsplit("/", 1)[1].lower(), "0" * 32

    def backing(one: Any, **changed: Any) -> Any:
        if not one.managed or one.name.lower() != name:
            return one
        old = next(each for each in one.versions if each.version == current.version)
        made = replace(old, version=new, created=tenant.as_of, nbf=tenant.as_of, exp=tenant.as_of + 180 * DAY, **changed)
        return replace(one, versions=(*(replace(each, enabled=False) for each in one.versions), made))

    box = next(one for one in tenant.vaults if one.name.lower() == vault)
    found = next(one for one in box.certificates if one.name.lower() == name)
    current = next(one for one in found.versions if one.version == found.current)
    old = tuple(replace(one, enabled=False, made_as=one.made_as or found) for one in found.versions)
    issued = replace(current, version=new, created=tenant.as_of, nbf=tenant.as_of, exp=tenant.as_of + 180 * DAY)
    # A CA that Key Vault cannot ask never renews it.
    issuer = next(iter(certificates.issuers(box)), "Self") if found.policy.issuer == "Unknown" else found.policy.issuer
    policy = {"kty": "RSA-HSM", "key_size": 3072, "exportable": False, "reuse_key": False, "validity_months": 6}
    changed = replace(
        found,
        versions=(*old, issued),
        current=new,
        digest="sha256",
        ekus=("1.3.6.1.5.5.7.3.1",),
        policy=replace(found.policy, **policy, issuer=issuer, renew_days=30, updated=tenant.as_of),
    )
    key = {"kty": "RSA-HSM", "key_size": 3072, "exportable": False, "hsm_platform": "2"}
    keys = tuple(replace(made, current=new) if (made := backing(one, **key)) is not one else one for one in box.keys)
    kept = replace(
        box,
        keys=keys,
        secrets=tuple(map(backing, box.secrets)),
        certificates=tuple(changed if one is found else one for one in box.certificates),
    )
    return _with_vault(tenant, lambda one: one is box, lambda _: kept)


def _without_credential(tenant: Estate, credential: str) -> Estate:
    id_ = credential.rsplit("/", 1)[1]

    def without(one: Any) -> Any:
        keys, passwords = (tuple(each for each in some if each.key_id.lower() != id_) for some in (one.keys, one.passwords))
        return replace(one, keys=keys, passwords=passwords)

    return replace(
        tenant,
        applications=tuple(map(without, tenant.applications)),
        service_principals=tuple(map(without, tenant.service_principals)),
    )


def _without_grant(tenant: Estate, grant: str) -> Estate:
    _, kind, id_ = grant.rsplit("/", 2)
    if kind == "roleassignments":

        def kept(some: Iterable[Any]) -> Any:
            return tuple(one for one in some if one.id.lower() != id_)

        hsms = tuple(replace(one, assignments=kept(one.assignments)) for one in tenant.hsms)
        return replace(tenant, role_assignments=kept(tenant.role_assignments), hsms=hsms)
    vault, _, entry = grant.partition("/accesspolicies/")
    return _with_vault(
        tenant,
        lambda one: one.name.lower() == vault.rsplit("/", 1)[1],
        lambda one: replace(one, access_policies=tuple(each for each in one.access_policies if _entry(each) != entry)),
    )


def _entry(policy: AccessPolicy) -> str:
    """An access policy's principal, and the application that it is used through."""
    return "/".join(filter(None, (policy.principal, policy.application))).lower()


def _inherits_nothing(tenant: Estate, blueprint: str) -> Estate:
    return _with_application(tenant, blueprint, lambda one: replace(one, inheritable=()))


def _one_environment(tenant: Estate, key: str) -> Estate:
    """No principal has a role on the key's vault alone, or an access policy."""
    vault = _vault_of(key)
    kept = tuple(one for one in tenant.role_assignments if f"/vaults/{vault}" not in one.scope.lower())
    return _with_vault(
        replace(tenant, role_assignments=kept),
        lambda one: one.name.lower() == vault,
        lambda one: replace(one, access_policies=()),
    )


def _new_version(tenant: Estate, key: str) -> Estate:
    """A rotation policy, and a version in an HSM with limited operations and an end; the older ones are disabled."""

    def rotated(one: Key) -> Key:
        old = next(each for each in one.versions if each.version == one.current)
        new = replace(
            old,
            version="0" * 32,
            kty=old.kty.removesuffix("-HSM") + "-HSM",
            key_ops=("sign", "verify") if "sign" in old.key_ops else old.key_ops,
            key_size=3072 if old.key_size else None,
            crv="P-256" if old.crv == "P-256K" else old.crv,
            created=tenant.as_of,
            updated=tenant.as_of,
            nbf=None,
            exp=tenant.as_of + 730 * DAY,
            exportable=False,
            release_policy_immutable=None,
            hsm_platform="2",
            # Only a job outside Azure rotates an external key.
            tags={**(old.tags or {}), "keyaudit:rotator": "job"} if old.external_key else old.tags,
        )
        policy = RotationPolicy(rotate_after="P365D", expiry_time="P730D", created=tenant.as_of)
        versions = (*(replace(each, enabled=False) for each in one.versions), new)
        return replace(one, versions=versions, current=new.version, rotation=policy)

    return _with_key(tenant, key, rotated)


def _current_alone(tenant: Estate, key: str) -> Estate:
    def off(one: KeyVersion, current: str) -> KeyVersion:
        return one if one.version == current else replace(one, enabled=False)

    return _with_key(tenant, key, lambda one: replace(one, versions=tuple(off(each, one.current) for each in one.versions)))


def _without_permissions(tenant: Estate, principal: str) -> Estate:
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


def _exact_addresses(tenant: Estate, application: str) -> Estate:
    url = f"https://app.{next(one.name for one in tenant.domains if one.default)}/signed-in"
    return _with_application(tenant, application, lambda one: replace(one, reply_urls=(url,), spa_urls=(), native_urls=()))


def _without_certificates(tenant: Estate, principal: str) -> Estate:
    """A Microsoft application without the certificates that were added in this tenant."""
    id_ = principal.rsplit("/", 1)[1]
    return replace(
        tenant,
        service_principals=tuple(
            replace(one, keys=()) if id_ in (one.id.lower(), one.app_id.lower()) else one for one in tenant.service_principals
        ),
    )


def _data_by_role_alone(tenant: Estate, subscription: str) -> Estate:
    """Every vault of the subscription is on Azure RBAC, and nobody has a role that grants on all of them."""
    id_ = subscription.rsplit("/", 1)[-1].lower()
    granting = {_OWNER, _CONTRIBUTOR, _USER_ACCESS_ADMINISTRATOR, _KEY_VAULT_CONTRIBUTOR}
    kept = tuple(
        one
        for one in tenant.role_assignments
        if one.role not in granting or "/resourcegroups/" in one.scope.lower() or id_ not in one.scope.lower()
    )
    return _with_vault(
        replace(tenant, role_assignments=kept),
        lambda one: one.subscription.lower() == id_,
        lambda one: replace(one, rbac=True, access_policies=()),
    )


# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
_OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
_KEY_VAULT_CONTRIBUTOR = "f25e0fa2-a7c8-4377-a976-54943a77a395"


def _this_tenant_alone(tenant: Estate, application: str) -> Estate:
    return _with_application(tenant, application, lambda one: replace(one, audience="AzureADMyOrg"))


def _new_value(tenant: Estate, secret: str) -> Estate:
    """A version with an end; a private key is taken away, since its certificate is elsewhere by then."""
    vault, name = _vault_of(secret), secret.rsplit("/", 1)[1].lower()

    def changed(one: Vault) -> Vault:
        kept = []
        for each in one.secrets:
            last = max(each.versions, key=lambda version: version.created or 0)
            if each.name.lower() != name or each.managed:
                kept.append(each)
            elif "pkcs12" not in (last.content_type or "") and "pem" not in (last.content_type or ""):
                new = replace(last, version="0" * 32, created=tenant.as_of, exp=tenant.as_of + 180 * DAY)
                kept.append(replace(each, versions=(*(replace(old, enabled=False) for old in each.versions), new)))
        return replace(one, secrets=tuple(kept))

    return _with_vault(tenant, lambda one: one.name.lower() == vault, changed)


def _unpinned(tenant: Estate, service: str) -> Estate:
    """A disk encryption set that follows its key, whose current version it uses now."""
    account, _, key = service.partition("/encryption/")
    vault, name = key.split("/")
    found = next(one for box in tenant.vaults if f"{box.name}.vault.azure.net" == vault for one in box.keys if one.name == name)
    url = f"https://{vault}/keys/{name}/{found.current}"
    changed = {"activeKey": {"keyUrl": url}, "rotationToLatestKeyVersionEnabled": True}
    return _with_resource(tenant, account, lambda one: {**one.properties, **changed})


def _own_keys(tenant: Estate, key: str) -> Estate:
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


def _new_signing_certificate(tenant: Estate, certificate: str) -> Estate:
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


def _searchable(tenant: Estate, vault: str) -> Estate:
    workspace = tenant.logs.workspaces[0]
    group = f"/subscriptions/{workspace.subscription}/resourcegroups/{workspace.resource_group}"
    place = f"{group}/providers/microsoft.operationalinsights/workspaces/{workspace.name}"
    new = setting(f"{vault}/providers/microsoft.insights", "key-audit", groups=("audit",), workspace=place, dedicated=True)
    return _with_vault(
        tenant,
        lambda one: one.name.lower() == vault.rsplit("/", 1)[1],
        lambda one: replace(one, diagnostic_settings=(*one.diagnostic_settings, new)),
    )


def _private(tenant: Estate, vault: str) -> Estate:
    return _with_vault(
        tenant,
        lambda one: one.name.lower() == vault.rsplit("/", 1)[1],
        lambda one: replace(one, endpoints=("Approved",), public_network_access="Disabled", default_action="Deny"),
    )


ACTIONS: Mapping[str, Action] = {
    "account-keys": _keys_off,
    "app-management-policy": _limited,
    "authorization-policy": _no_registrations,
    "certificate": _new_certificate,
    "credential": _without_credential,
    "grant": _without_grant,
    "inherited-permissions": _inherits_nothing,
    "key-signers": _one_environment,
    "key-version": _new_version,
    "old-key-versions": _current_alone,
    "platform-certificates": _without_certificates,
    "principal": _without_permissions,
    "redirect-uris": _exact_addresses,
    "secret": _new_value,
    "service-key": _unpinned,
    "shared-key": _own_keys,
    "sign-in-audience": _this_tenant_alone,
    "signing-certificate": _new_signing_certificate,
    "subscription-roles": _data_by_role_alone,
    "vault-audit-log": _searchable,
    "vault-network": _private,
}
"""By kind of cause."""


def acted(tenant: Estate, findings: Iterable[Finding]) -> Estate:
    """The tenant after the action of each cause that several of these findings share."""
    causes = {(each["cause"]["kind"], each["cause"]["object"]) for each in findings if each["cause"]}
    for kind, object_ in sorted(causes):
        if kind in ACTIONS:
            tenant = ACTIONS[kind](tenant, object_)
    return tenant


def _public_key(certificate: bytes) -> str:
    public = load_der_x509_certificate(certificate).public_key()
    encoded = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(encoded).hexdigest().upper()


def _vault_of(url: str) -> str:
    return url.removeprefix("https://").partition(".")[0].lower()


def _with_vault(tenant: Estate, which: Callable[[Vault], bool], changed: Callable[[Vault], Vault]) -> Estate:
    return replace(tenant, vaults=tuple(changed(one) if which(one) else one for one in tenant.vaults))


def _with_key(tenant: Estate, url: str, changed: Callable[[Key], Key]) -> Estate:
    name = url.rsplit("/", 1)[1].lower()

    def keys(box: Any) -> Any:
        if box.name.lower() != _vault_of(url):
            return box
        return replace(box, keys=tuple(changed(one) if one.name.lower() == name else one for one in box.keys))

    return replace(tenant, vaults=tuple(map(keys, tenant.vaults)), hsms=tuple(map(keys, tenant.hsms)))


def _with_application(tenant: Estate, id_: str, changed: Callable[[Application], Application]) -> Estate:
    wanted = id_.rsplit("/", 1)[-1]
    return replace(
        tenant, applications=tuple(changed(one) if wanted in (one.id, one.app_id) else one for one in tenant.applications)
    )


def _with_resource(tenant: Estate, id_: str, properties: Callable[[Resource], dict[str, Any]]) -> Estate:
    return replace(
        tenant,
        resources=tuple(replace(one, properties=properties(one)) if one.id.lower() == id_ else one for one in tenant.resources),
    )
