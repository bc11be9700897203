"""Actions in Azure: vaults, what is in them, and services that use it."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import AccessPolicy, Estate, Key, KeyVersion, RoleAssignment, RotationPolicy, Vault
from keyaudit.simulator.estates.log_plans import setting
from keyaudit.simulator.key_vault import certificates
from tests.rehearsal.actions.edits import DAY, vault_of, with_key, with_resource, with_vault


def keys_off(tenant: Estate, account: str) -> Estate:
    return with_resource(tenant, account, lambda one: {**one.properties, "allowSharedKeyAccess": False})


def new_certificate(tenant: Estate, certificate: str) -> Estate:
    """A version for servers alone, on a key of its own that stays in the HSM and renews; the older ones are disabled."""
    vault, name, new = vault_of(certificate), certificate.rsplit("/", 1)[1].lower(), "0" * 32

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
    return with_vault(tenant, lambda one: one is box, lambda _: kept)


def without_grant(tenant: Estate, grant: str) -> Estate:
    _, kind, id_ = grant.rsplit("/", 2)
    if kind == "roleassignments":

        def kept(some: Iterable[Any]) -> Any:
            return tuple(one for one in some if one.id.lower() != id_)

        hsms = tuple(replace(one, assignments=kept(one.assignments)) for one in tenant.hsms)
        return replace(tenant, role_assignments=kept(tenant.role_assignments), hsms=hsms)
    vault, _, entry = grant.partition("/accesspolicies/")
    return with_vault(
        tenant,
        lambda one: one.name.lower() == vault.rsplit("/", 1)[1],
        lambda one: replace(one, access_policies=tuple(each for each in one.access_policies if _entry(each) != entry)),
    )


def _entry(policy: AccessPolicy) -> str:
    """An access policy's principal, and the application that it is used through."""
    return "/".join(filter(None, (policy.principal, policy.application))).lower()


def one_environment(tenant: Estate, key: str) -> Estate:
    """No principal has a role on the key's vault alone, or an access policy."""
    vault = vault_of(key)
    kept = tuple(one for one in tenant.role_assignments if f"/vaults/{vault}" not in one.scope.lower())
    return with_vault(
        replace(tenant, role_assignments=kept),
        lambda one: one.name.lower() == vault,
        lambda one: replace(one, access_policies=()),
    )


def new_version(tenant: Estate, key: str) -> Estate:
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

    return with_key(tenant, key, rotated)


def current_alone(tenant: Estate, key: str) -> Estate:
    def off(one: KeyVersion, current: str) -> KeyVersion:
        return one if one.version == current else replace(one, enabled=False)

    return with_key(tenant, key, lambda one: replace(one, versions=tuple(off(each, one.current) for each in one.versions)))


def data_by_role_alone(tenant: Estate, subscription: str) -> Estate:
    """Every vault of the subscription is on Azure RBAC, and nobody has a role that grants on all of them."""
    id_ = subscription.rsplit("/", 1)[-1].lower()
    granting = {_OWNER, _CONTRIBUTOR, _USER_ACCESS_ADMINISTRATOR, _KEY_VAULT_CONTRIBUTOR}
    kept = tuple(
        one
        for one in tenant.role_assignments
        if one.role not in granting or "/resourcegroups/" in one.scope.lower() or id_ not in one.scope.lower()
    )
    return with_vault(
        replace(tenant, role_assignments=kept),
        lambda one: one.subscription.lower() == id_,
        lambda one: replace(one, rbac=True, access_policies=()),
    )


# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
_OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
_KEY_VAULT_CONTRIBUTOR = "f25e0fa2-a7c8-4377-a976-54943a77a395"


def new_value(tenant: Estate, secret: str) -> Estate:
    """A version with an end; a private key is taken away, since its certificate is elsewhere by then."""
    vault, name = vault_of(secret), secret.rsplit("/", 1)[1].lower()

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

    return with_vault(tenant, lambda one: one.name.lower() == vault, changed)


def unpinned(tenant: Estate, service: str) -> Estate:
    """A disk encryption set that follows its key, whose current version it uses now."""
    account, _, key = service.partition("/encryption/")
    vault, name = key.split("/")
    found = next(one for box in tenant.vaults if f"{box.name}.vault.azure.net" == vault for one in box.keys if one.name == name)
    url = f"https://{vault}/keys/{name}/{found.current}"
    changed = {"activeKey": {"keyUrl": url}, "rotationToLatestKeyVersionEnabled": True}
    return with_resource(tenant, account, lambda one: {**one.properties, **changed})


def searchable(tenant: Estate, vault: str) -> Estate:
    workspace = tenant.logs.workspaces[0]
    group = f"/subscriptions/{workspace.subscription}/resourcegroups/{workspace.resource_group}"
    place = f"{group}/providers/microsoft.operationalinsights/workspaces/{workspace.name}"
    new = setting(f"{vault}/providers/microsoft.insights", "key-audit", groups=("audit",), workspace=place, dedicated=True)
    return with_vault(
        tenant,
        lambda one: one.name.lower() == vault.rsplit("/", 1)[1],
        lambda one: replace(one, diagnostic_settings=(*one.diagnostic_settings, new)),
    )


def private(tenant: Estate, vault: str) -> Estate:
    return with_vault(
        tenant,
        lambda one: one.name.lower() == vault.rsplit("/", 1)[1],
        lambda one: replace(one, endpoints=("Approved",), public_network_access="Disabled", default_action="Deny"),
    )


def without_delegation(tenant: Estate, definition: str) -> Estate:
    id_ = definition.rsplit("/", 1)[1]
    return replace(tenant, delegations=tuple(one for one in tenant.delegations if one.id.lower() != id_))


def without_readers(tenant: Estate, vault: str) -> Estate:
    """Nobody has a role or an access policy on the vault, nor a role above it."""
    return with_vault(
        replace(tenant, role_assignments=tuple(one for one in tenant.role_assignments if not _above(one, vault))),
        lambda one: one.name.lower() == vault.rsplit("/", 1)[1],
        lambda one: replace(one, access_policies=()),
    )


def without_workloads(tenant: Estate, box: str) -> Estate:
    """No workload has a role on the vault or HSM, or above it, or a local role of the HSM; nor do groups."""
    people = {one.id for one in tenant.users}
    hsms = tuple(
        replace(one, assignments=tuple(each for each in one.assignments if each.principal in people))
        if one.name.lower() == box.rsplit("/", 1)[1]
        else one
        for one in tenant.hsms
    )
    kept = tuple(one for one in tenant.role_assignments if one.principal in people or not _above(one, box))
    return replace(tenant, role_assignments=kept, hsms=hsms)


def _above(assignment: RoleAssignment, id_: str) -> bool:
    """Whether an assignment is for that object or for something that it is in; a management group counts."""
    scope = assignment.scope.lower().rstrip("/")
    return f"{id_}/".startswith(f"{scope}/") or "/managementgroups/" in scope
