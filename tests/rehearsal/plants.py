"""Contoso with more findings beside those that it plants one by one, so that a cause has several of them.

An object has the new defect beside one that it had; ids are made up, and no other test sees this tenant.
"""

from collections.abc import Callable, Collection
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import (
    AccessPolicy,
    AppRoleGrant,
    Certificate,
    Estate,
    HsmAssignment,
    HsmRole,
    Key,
    Resource,
    RoleAssignment,
)

DAY = 86_400
_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
"""Key Vault Administrator: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security."""
_HSM = "hsm-contoso-trust"
_CUSTODIAN = "5d2f8c11-6f1e-4a43-9c0e-0f4a9b7c2d10"


def planted(tenant: Estate) -> Estate:
    """The tenant with all of them; empty estates of other names have no such objects, and stay as they are."""
    if tenant.name != "contoso":
        return tenant
    for plant in (
        _addresses,
        _legacy_principal,
        _keys,
        _connects_and_assigns,
        _databricks,
        _signs_for_long,
        _renewed_after_years,
        _certificates,
        _through_application,
        _networks,
        _never_changed,
        _deleted_twice,
        _delegated_twice,
    ):
        tenant = plant(tenant)
    return tenant


def _addresses(tenant: Estate) -> Estate:
    """One application with every kind of redirect URI that is a finding."""
    every = [one for one in tenant.applications if one.reply_urls]
    hosts = ("//*.previews.", ".azurewebsites.net/")
    bad = tuple(url for one in every for url in one.reply_urls if any(host in url for host in hosts))
    insecure = next(one for one in every if any(url.startswith("http://reports.") for url in one.reply_urls))
    changed = replace(insecure, reply_urls=(*insecure.reply_urls, *bad))
    return replace(tenant, applications=tuple(changed if one is insecure else one for one in tenant.applications))


def _legacy_principal(tenant: Estate) -> Estate:
    """A principal of Azure ACS with a permission that controls the tenant."""
    legacy = next(one for one in tenant.service_principals if one.type == "Legacy" and one.passwords)
    other = next(one for one in tenant.service_principals if one.name == "logic-invoice-intake")
    held = tuple(
        AppRoleGrant(principal_id=legacy.id, resource_id=one.resource_id, role_id=one.role_id)
        for one in tenant.app_role_grants
        if one.principal_id == other.id
    )
    return replace(tenant, app_role_grants=(*tenant.app_role_grants, *held))


def _keys(tenant: Estate) -> Estate:
    """Keys with a second thing that only a new version corrects."""
    in_software = {"fraud-model-signing", "points-ledger-signing", "digital-asset-pilot"}

    def changed(one: Key) -> Key:
        if one.name in in_software:
            return replace(
                one,
                versions=tuple(replace(each, kty=each.kty.removesuffix("-HSM"), hsm_platform="0") for each in one.versions),
            )
        if one.name == "clean-room-wrap":
            return replace(one, versions=tuple(replace(each, hsm_platform="1") for each in one.versions))
        return one

    vaults = tuple(replace(one, keys=tuple(map(changed, one.keys))) for one in tenant.vaults)
    return replace(tenant, vaults=vaults)


def _connects_and_assigns(tenant: Estate) -> Estate:
    """A workload with a local role on one key that assigns roles, and may also configure the external key manager."""
    role = HsmRole(
        id=_CUSTODIAN,
        name="Key Custodian",
        data_actions=("ekm/write/action", "roleAssignments/write/action", "keys/sign/action"),
    )
    applications = {one.id for one in tenant.service_principals}

    def changed(one: Any) -> Any:
        if one.name != _HSM:
            return one
        workload = next(each.principal for each in one.assignments if each.principal in applications)
        own = HsmAssignment(
            id="7f0d9a52-1f64-4b05-8a55-93d2b0c4e611", role=role.id, principal=workload, scope=f"/keys/{one.keys[0].name}"
        )
        return replace(one, roles=(*one.roles, role), assignments=(*one.assignments, own))

    return replace(tenant, hsms=tuple(map(changed, tenant.hsms)))


def _databricks(tenant: Estate) -> Estate:
    """Databricks with a role on the data of every vault of a resource group, where it had one on a vault."""
    databricks = next(one for one in tenant.service_principals if one.name == "AzureDatabricks")
    vault = next(one.scope for one in tenant.role_assignments if one.principal == databricks.id)
    own = RoleAssignment(
        id="3c1b5e0f-7a0b-4f5e-8b0a-5d0c6b9f1e27",
        role=_ADMINISTRATOR,
        principal=databricks.id,
        principal_type="ServicePrincipal",
        scope=vault.partition("/providers/")[0],
    )
    return replace(tenant, role_assignments=(*tenant.role_assignments, own))


def _signs_for_long(tenant: Estate) -> Estate:
    """SAML certificates that expired or soon will, and were valid for long."""

    def changed(one: Any) -> Any:
        keys = tuple(replace(each, start=each.end - 2000 * DAY) if _soon(tenant, each.end) else each for each in one.keys)
        return replace(one, keys=keys) if one.preferred_thumbprint else one

    return replace(tenant, service_principals=tuple(map(changed, tenant.service_principals)))


def _soon(tenant: Estate, end: int | None) -> bool:
    return end is not None and end < tenant.as_of + 60 * DAY


def _certificates(tenant: Estate) -> Estate:
    """Expired certificates whose policy keeps the key when it renews them."""
    kept: Collection[str] = {"legacy-portal-tls", "pos-updates-tls"}
    change: Callable[[Any], Any] = lambda one: (  # noqa: E731
        replace(one, policy=replace(one.policy, reuse_key=True)) if one.name in kept else one
    )
    vaults = tuple(replace(one, certificates=tuple(map(change, one.certificates))) for one in tenant.vaults)
    return replace(tenant, vaults=vaults)


def _renewed_after_years(tenant: Estate) -> Estate:
    """Certificates that Key Vault renewed and that are still accepted, made for three years."""
    renewed = ("b127fcde", "d9a1d8d4")

    def changed(one: Any) -> Any:
        keys = tuple(
            replace(each, start=each.end - 1000 * DAY) if each.key_id.startswith(renewed) else each for each in one.keys
        )
        return replace(one, keys=keys)

    return replace(tenant, applications=tuple(map(changed, tenant.applications)))


def _through_application(tenant: Estate) -> Estate:
    """A vault's access policy for a user through one application."""
    own = AccessPolicy(principal=tenant.users[0].id, application=tenant.applications[0].app_id, keys=("all",))
    vaults = tuple(
        replace(one, access_policies=(*one.access_policies, own)) if one.name == "kv-loyalty-prod" else one
        for one in tenant.vaults
    )
    return replace(tenant, vaults=vaults)


def _networks(tenant: Estate) -> Estate:
    """A virtual network with a subnet for private endpoints beside each vault that has none."""
    made = tuple(
        Resource(
            type="Microsoft.Network/virtualNetworks",
            name=f"vnet-{one.name}",
            subscription=one.subscription,
            resource_group=one.resource_group,
            location=one.location,
            properties={"subnets": [{"name": "endpoints"}]},
        )
        for one in tenant.vaults
        if not one.endpoints
    )
    return replace(tenant, resources=(*tenant.resources, *made))


def _never_changed(tenant: Estate) -> Estate:
    """A certificate whose policy is that of all its versions, so that a first audit knows how each was made."""

    def changed(one: Certificate) -> Certificate:
        if one.name != "etl-client":
            return one
        return replace(one, policy=replace(one.policy, updated=min(each.created for each in one.versions)))

    vaults = tuple(replace(one, certificates=tuple(map(changed, one.certificates))) for one in tenant.vaults)
    return replace(tenant, vaults=vaults)


def _deleted_twice(tenant: Estate) -> Estate:
    """Two deleted keys in each vault and HSM that had one."""

    def changed(one: Any) -> Any:
        again = tuple(replace(each, key=replace(each.key, name=f"{each.key.name}-2")) for each in one.deleted_keys)
        return replace(one, deleted_keys=(*one.deleted_keys, *again))

    return replace(tenant, vaults=tuple(map(changed, tenant.vaults)), hsms=tuple(map(changed, tenant.hsms)))


def _delegated_twice(tenant: Estate) -> Estate:
    """A definition of Azure Lighthouse that is assigned to a second resource group."""
    one = next(each for each in tenant.delegations if "/resourcegroups/" in each.scope.lower())
    other = next(
        f"/subscriptions/{each.subscription}/resourceGroups/{each.resource_group}"
        for each in tenant.vaults
        if each.subscription in one.scope and not one.scope.lower().endswith(each.resource_group.lower())
    )
    return replace(tenant, delegations=(*tenant.delegations, replace(one, scope=other)))
