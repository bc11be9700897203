"""Changes of vaults, Managed HSMs, Cloud HSMs and role assignments, in Azure Resource Manager."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import AccessPolicy, ManagedHsm
from keyaudit.simulator.resource_manager import other_services, resources
from keyaudit.simulator.resource_manager.answers import HEADERS, KEY_VAULT_HEADERS, answer, no_resource
from keyaudit.simulator.resource_manager.hsm_resources import hsm_resource
from keyaudit.simulator.resource_manager.role_lists import ASSIGNMENTS
from keyaudit.simulator.service import Directory, Route
from keyaudit.simulator.wire import Answer, Request
from tests.simulator.writes import May, WriteError, body_of, part_of
from tests.simulator.writes.allowed import Write, allowed

_GROUP = "subscriptions/*/resourcegroups/*/providers"
_KINDS = ("keys", "secrets", "certificates")


def writes(directory: Directory, may: May) -> Sequence[Route]:
    """The whole of a vault or HSM is put, as az does; a role assignment is deleted at the scope that it is for."""
    places: tuple[tuple[str, str, str, str, Write], ...] = (
        ("vault.put", "PUT", f"{_GROUP}/microsoft.keyvault/vaults/*", "Microsoft.KeyVault/vaults/write", _vault),
        ("hsm.put", "PUT", f"{_GROUP}/microsoft.keyvault/managedhsms/*", "Microsoft.KeyVault/managedHSMs/write", _hsm),
        (
            "hsm_device.put",
            "PUT",
            f"{_GROUP}/{other_services.CLUSTERS}/*",
            "Microsoft.HardwareSecurityModules/cloudHsmClusters/write",
            _cluster,
        ),
        *(
            ("role_assignment.delete", "DELETE", path, "Microsoft.Authorization/roleAssignments/delete", _assignment)
            for path in ASSIGNMENTS
        ),
    )
    return tuple(
        Route(name, path, allowed(directory, may, right, write), method) for name, method, path, right, write in places
    )


def _vault(directory: Directory, request: Request, stars: list[str]) -> Answer:
    """An existing vault; no command that is printed makes one."""
    found = directory.vaults.get(stars[2].lower())
    if found is None or [found.subscription.lower(), found.resource_group.lower()] != [star.lower() for star in stars[:2]]:
        return no_resource("Microsoft.KeyVault/vaults", *stars[1:])
    asked = part_of(body_of(request), "properties")
    _require_irreversible(asked)
    rules = part_of(asked, "networkAcls")
    changed = replace(
        found,
        default_action=rules.get("defaultAction", found.default_action),
        ip_rules=tuple(str(each["value"]) for each in rules.get("ipRules") or ()),
        subnet_rules=tuple(str(each["id"]) for each in rules.get("virtualNetworkRules") or ()),
        rbac=asked.get("enableRbacAuthorization", found.rbac),
        purge_protection=asked.get("enablePurgeProtection", found.purge_protection),
        soft_delete=asked.get("enableSoftDelete", found.soft_delete),
        public_network_access=asked.get("publicNetworkAccess", found.public_network_access),
        access_policies=_policies(directory, asked),
    )
    directory.change_vault(changed)
    version = request.query.get("api-version", "")
    return answer(resources.vault_resource(directory, changed, version), KEY_VAULT_HEADERS)


def _policies(directory: Directory, asked: Mapping[str, Any]) -> tuple[AccessPolicy, ...]:
    """The access policies that are put. That of the audited identity is not in the estate."""
    return tuple(
        AccessPolicy(
            principal=str(each["objectId"]),
            application=each.get("applicationId"),
            **{kind: tuple(each["permissions"].get(kind) or ()) for kind in _KINDS},
            storage=tuple(each["permissions"]["storage"]) if each["permissions"].get("storage") is not None else None,
        )
        for each in asked.get("accessPolicies") or ()
        if each["objectId"] != directory.object_id
    )


def _hsm(directory: Directory, request: Request, stars: list[str]) -> Answer:
    found = directory.hsms.get(stars[2].lower())
    if found is None or [found.subscription.lower(), found.resource_group.lower()] != [star.lower() for star in stars[:2]]:
        return no_resource("Microsoft.KeyVault/managedHSMs", *stars[1:])
    asked = part_of(body_of(request), "properties")
    changed: ManagedHsm = replace(
        found,
        purge_protection=asked.get("enablePurgeProtection", found.purge_protection),
        public_network_access=asked.get("publicNetworkAccess", found.public_network_access),
        default_action=part_of(asked, "networkAcls").get("defaultAction", found.default_action),
    )
    hsms = tuple(changed if one is found else one for one in directory.estate.hsms)
    directory.change(replace(directory.estate, hsms=hsms))
    return answer(hsm_resource(directory, changed), KEY_VAULT_HEADERS)


def _cluster(directory: Directory, request: Request, stars: list[str]) -> Answer:
    found = other_services.cluster(directory, stars)
    if found is None:
        return no_resource("Microsoft.HardwareSecurityModules/cloudHsmClusters", *stars[1:])
    changed = replace(found, properties={**found.properties, **part_of(body_of(request), "properties")})
    others = tuple(changed if one is found else one for one in directory.estate.resources)
    directory.change(replace(directory.estate, resources=others))
    return answer(other_services.resource(changed))


def _require_irreversible(asked: Mapping[str, Any]) -> None:
    """https://github.com/Azure/azure-cli/issues/29115: false is refused, also where it was never on."""
    if asked.get("enablePurgeProtection") is False:
        message = (
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an '
            "irreversible action."
        )
        raise WriteError(400, "BadRequest", message)


def _assignment(directory: Directory, request: Request, stars: list[str]) -> Answer:
    """Deletes an assignment, or answers 204: https://learn.microsoft.com/rest/api/authorization/role-assignments/delete."""
    estate = directory.estate
    scope = "/".join(("", *request.segments[:-4])).lower()
    kept = tuple(
        one for one in estate.role_assignments if (one.scope.lower().rstrip("/"), one.id.lower()) != (scope, stars[-1].lower())
    )
    if len(kept) == len(estate.role_assignments):
        return Answer(204, b"", HEADERS)
    directory.change(replace(estate, role_assignments=kept))
    return answer({})
