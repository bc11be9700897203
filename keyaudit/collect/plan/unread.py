"""Resources of a plan that nothing here reads, although they make what the policies are about.

The lists that would hold what they make are then not whole, so that no policy passes for want of it. Types:
website/docs/r of hashicorp/terraform-provider-azurerm, docs/resources of hashicorp/terraform-provider-azuread, of
microsoft/terraform-provider-msgraph and of Azure/terraform-provider-azapi.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from keyaudit.collect.plan import (
    access,
    applications,
    groups,
    hsms,
    identities,
    logs,
    objects,
    permissions,
    redirects,
    services,
    vaults,
)
from keyaudit.collect.plan.answers import Origin
from keyaudit.collect.plan.azapi import RESOURCE, type_of
from keyaudit.collect.plan.ground import Ground
from keyaudit.collect.plan.resources import Planned
from keyaudit.collect.services.items import KINDS
from keyaudit.model.consumers import DECLARED, QUERY

_ANYTHING = ("vault.list", "hsm.list", "role_assignment.query", "managed_identity.query", "service.query", QUERY)
"""The lists that a template of Resource Manager, or a resource of a type that is not known, may add to."""
_DIRECTORY = ("application.list", "service_principal.list")
_GRAPH = (*_DIRECTORY, "directory_role.assignments", "delegated_grant.list")
_DEPLOYMENTS = tuple(
    f"azurerm_{scope}_template_deployment" for scope in ("resource_group", "subscription", "management_group", "tenant")
)
_TYPES: Mapping[str, Sequence[str]] = {
    **dict.fromkeys((*_DEPLOYMENTS, "azurerm_template_deployment"), _ANYTHING),
    **dict.fromkeys(
        (
            "azurerm_arc_kubernetes_cluster",
            "azurerm_arc_kubernetes_provisioned_cluster",
            "azurerm_redhat_openshift_cluster",
            "azurerm_ai_services",
            "azurerm_mssql_managed_instance_transparent_data_encryption",
        ),
        ("service.query",),
    ),
    "azurerm_pim_active_role_assignment": ("role_assignment.query",),
    "azurerm_pim_eligible_role_assignment": ("role_eligibility.list",),
    "azurerm_lighthouse_assignment": ("delegation.query",),
    "azuread_application_from_template": _DIRECTORY,
    "azuread_directory_role_eligibility_schedule_request": ("directory_role.eligibilities",),
    "azuread_service_principal_delegated_permission_grant": ("delegated_grant.list",),
    "azuread_claims_mapping_policy": ("claims_mapping.list",),
    **dict.fromkeys(
        ("msgraph_resource", "msgraph_update_resource", "msgraph_resource_action", "msgraph_resource_collection"), _GRAPH
    ),
    # A script runs any command as the identities that it is given.
    **dict.fromkeys(
        (f"azurerm_resource_deployment_script_azure_{each}" for each in ("cli", "power_shell")), (*_ANYTHING, *_GRAPH)
    ),
}
_AZAPI = frozenset((RESOURCE, *(f"azapi_{each}" for each in ("update_resource", "data_plane_resource", "resource_action"))))
_OF_ARM: Sequence[tuple[str, Sequence[str]]] = (
    ("microsoft.keyvault/vaults/keys", ("key.list",)),
    ("microsoft.keyvault/vaults/secrets", ("secret.list",)),
    ("microsoft.keyvault/vaults/certificates", ("certificate.list",)),
    ("microsoft.keyvault/vaults", ("vault.list",)),
    ("microsoft.keyvault/", ("hsm.list", "hsm.key.list")),
    ("microsoft.authorization/roleeligib", ("role_eligibility.list",)),
    ("microsoft.authorization/role", ("role_assignment.query",)),
    ("microsoft.managedidentity/", ("managed_identity.query", "managed_identity.federated_of")),
    ("microsoft.insights/diagnosticsettings", logs.OPERATIONS),
    ("microsoft.managedservices/registration", ("delegation.query",)),
    ("microsoft.resources/deployment", _ANYTHING),
    ("microsoft.sql/servers/encryptionprotector", ("service.query",)),
    ("microsoft.sql/managedinstances/encryptionprotector", ("service.query",)),
)
"""By the beginning of a type of Resource Manager in lower case; the first one counts."""
_CONSUMERS = frozenset(each.type.lower() for each in DECLARED)
_KEY_NAMES = re.compile(r"(?:key_vault|managed_hsm)_(?:key|secret|certificate)|customer_managed_key|_encryption_key(?:_|$)")
_REFERENCE = "@microsoft.keyvault("
"""The beginning of a setting whose value is in a vault: https://learn.microsoft.com/azure/app-service/app-service-key-vault-references"""
_MAPPED = frozenset(
    (
        *(vaults.VAULT, vaults.POLICY, vaults.ENDPOINT, objects.KEY, objects.CERTIFICATE, objects.SECRET),
        *(access.ASSIGNMENT, access.DEFINITION, identities.IDENTITY, identities.FEDERATED, logs.SETTING),
        *(hsms.HSM, hsms.KEY, hsms.ROTATION, hsms.ASSIGNMENT, hsms.DEFINITION),
        *(applications.APPLICATION, applications.REGISTRATION, applications.PRINCIPAL),
        *(permissions.APP_ROLE, *permissions.ROLES),
        *(*groups.READ, redirects.RESOURCE),
        *services.KINDS,
        *services.APART,
    )
)


def note_unread(ground: Ground, read: Collection[str]) -> None:
    """Note which lists of the answers are not whole. `read`: addresses of resources of azapi that are read.

    What a plan leaves as it is counts, too: it will be there.
    """
    for planned in ground.resources.managed():
        if planned.address in read or planned.type in _MAPPED:
            continue
        operations = tuple(_lists(planned))
        if operations:
            # The queries ask the subscriptions that are known.
            ground.subscription(planned)
        for operation in operations:
            ground.answers.unread.setdefault(operation, []).append(Origin(planned.address, planned.changes))


def _lists(planned: Planned) -> Iterator[str]:
    """The lists that hold what a resource makes."""
    if planned.type in _TYPES:
        yield from _TYPES[planned.type]
    elif planned.type in _AZAPI:
        yield from _of_azapi(planned)
    elif planned.type.startswith("azurerm_") and _names_key(planned):
        yield QUERY


def _of_azapi(planned: Planned) -> Sequence[str]:
    type_ = type_of(planned)
    if not type_:
        return _ANYTHING
    for beginning, operations in _OF_ARM:
        if type_.startswith(beginning):
            return operations
    found = ("service.query",) if type_ in KINDS else ()
    return (*found, QUERY) if type_ in _CONSUMERS and _may_name_vault(planned) else found


def _may_name_vault(planned: Planned) -> bool:
    """Whether a body names a vault, or may: something of it is known after apply."""
    body, unknown = planned.parts("body")
    return planned.is_set("sensitive_body") or "vault" in str(body).lower() or _marked(unknown)


def _names_key(planned: Planned) -> bool:
    """Whether an attribute names something in a vault."""
    for name in planned.names:
        value, unknown = planned.parts(name)
        if _KEY_NAMES.search(name) and (value or (unknown is True and planned.is_set(name))):
            return True
        if _within(value) or _within(unknown):
            return True
    return False


def _within(part: object) -> bool:
    if isinstance(part, dict):
        return any((_KEY_NAMES.search(str(name)) and each) or _within(each) for name, each in part.items())
    if isinstance(part, list):
        return any(map(_within, part))
    return isinstance(part, str) and part.lstrip()[: len(_REFERENCE)].lower() == _REFERENCE


def _marked(part: object) -> bool:
    if isinstance(part, dict):
        return any(map(_marked, part.values()))
    return any(map(_marked, part)) if isinstance(part, list) else part is True
