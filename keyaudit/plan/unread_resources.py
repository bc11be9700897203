"""Resources of a plan that nothing here reads: what is on no list of harmless types may make what the policies are about.

The lists that would hold what they make are then not whole, so that no policy passes for want of it. What only uses a key or
secret of a vault is unknown by itself. Types: see harmless.txt, and docs/resources of microsoft/terraform-provider-msgraph.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Raw

from keyaudit.collect.services.items import KINDS
from keyaudit.model.consumers import DECLARED, KEY, QUERY, SECRET
from keyaudit.model.values.text import listed
from keyaudit.plan.addresses import in_values, named_in_vaults
from keyaudit.plan.answers import Aside, Origin
from keyaudit.plan.document.harmless import Type, harmless, speaks_to_azure
from keyaudit.plan.document.resources import AFTER_APPLY, Planned
from keyaudit.plan.resources import (
    access,
    applications,
    consumers,
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
from keyaudit.plan.resources.azapi import body_of, member, type_of, within
from keyaudit.plan.scopes import Ground

_ASSIGNED = ("role_assignment.query",)
_ELIGIBLE = ("role_eligibility.list",)
_SERVICES = ("service.query",)
_HOSTS = ("host.query",)
_ALERTS = ("alert_rule.query", "sentinel_rule.list")
_EVENTS = ("event_topic.query", "event_topic.subscriptions", "event_topic.vault_subscriptions")
_WORKSPACES = ("workspace.get", "workspace.table")
_ANYTHING = (
    *("vault.list", "hsm.list", "managed_identity.query", QUERY, "delegation.query"),
    *(*_SERVICES, *_ASSIGNED, *_ELIGIBLE, *logs.OPERATIONS, *_HOSTS, *_ALERTS, *_EVENTS, *_WORKSPACES),
)
"""The lists that a template of Resource Manager, or a resource of a type that is not known, may add to."""
_APPLICATIONS, _PRINCIPALS = ("application.list",), ("service_principal.list",)
_MEMBERS = ("group.members",)
_ROLES = ("directory_role.assignments", "directory_role.eligibilities")
_CONSENTS = ("delegated_grant.list",)
_ACCESS = ("conditional_access.list", "named_location.list")
_POLICIES = ("claims_mapping.list", "token_lifetime.list", "token_issuance.list", "app_management.list")
_DIRECTORY = (
    *(*_APPLICATIONS, *_PRINCIPALS, *_MEMBERS, *_ROLES, *_CONSENTS, *_ACCESS, *_POLICIES),
    *("service_principal.app_roles", "entra_log.list", "cross_tenant.partners"),
)
"""The lists of Microsoft Graph that a resource of a type that is not known may add to."""
_DEFENDER = ("defender.plan",)
ONLY_SEEN_IN_THE_TENANT = frozenset((*_HOSTS, *_ALERTS, *_EVENTS, *_WORKSPACES, *_DEFENDER))
"""Lists whose rows only ever let a policy pass. A plan alone does not show that one has none, so nothing is evaluated by it."""
_PROTECTING = frozenset({"entra_log.list", "conditional_access.list"})
"""Lists from which nothing may go without a policy that asks whether it was the last."""
_TYPES: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(
        (
            *("azurerm_arc_kubernetes_cluster", "azurerm_arc_kubernetes_provisioned_cluster", "azurerm_ai_services"),
            *("azurerm_redhat_openshift_cluster", "azurerm_kubernetes_automatic_cluster"),
            "azurerm_mssql_managed_instance_transparent_data_encryption",
        ),
        _SERVICES,
    ),
    **dict.fromkeys(
        (
            *(f"azurerm_{system}_{kind}" for system in ("linux", "windows") for kind in ("web_app", "function_app")),
            *(f"azurerm_{system}_{kind}_app_slot" for system in ("linux", "windows") for kind in ("web", "function")),
            *("azurerm_function_app_flex_consumption", "azurerm_logic_app_standard", "azurerm_static_web_app"),
            *("azurerm_cdn_endpoint", "azurerm_cdn_frontdoor_endpoint", "azurerm_frontdoor", "azurerm_spring_cloud_app"),
            *("azurerm_public_ip", "azurerm_traffic_manager_profile"),
        ),
        _HOSTS,
    ),
    **dict.fromkeys(
        (
            *("azurerm_monitor_activity_log_alert", "azurerm_monitor_scheduled_query_rules_alert"),
            *("azurerm_monitor_scheduled_query_rules_alert_v2", "azurerm_monitor_scheduled_query_rules_log"),
            *("azurerm_monitor_alert_processing_rule_suppression", "azurerm_monitor_alert_processing_rule_action_group"),
            "azurerm_sentinel_log_analytics_workspace_onboarding",
            *(f"azurerm_sentinel_alert_rule_{each}" for each in ("anomaly_built_in", "anomaly_duplicate", "fusion", "nrt")),
            *(f"azurerm_sentinel_alert_rule_{each}" for each in ("scheduled", "threat_intelligence")),
            "azurerm_sentinel_alert_rule_machine_learning_behavior_analytics",
            "azurerm_sentinel_alert_rule_ms_security_incident",
        ),
        _ALERTS,
    ),
    **dict.fromkeys(
        (
            *("azurerm_log_analytics_workspace", "azurerm_log_analytics_workspace_table"),
            *(f"azurerm_log_analytics_workspace_table_{each}" for each in ("custom_log", "microsoft")),
        ),
        _WORKSPACES,
    ),
    **dict.fromkeys(
        (
            *("azurerm_eventgrid_system_topic", "azurerm_eventgrid_system_topic_event_subscription"),
            "azurerm_eventgrid_event_subscription",
        ),
        _EVENTS,
    ),
    "azurerm_security_center_subscription_pricing": _DEFENDER,
    "azurerm_monitor_aad_diagnostic_setting": ("entra_log.list",),
    "azurerm_dedicated_hardware_security_module": ("hsm_device.query",),
    "azurerm_key_vault_managed_storage_account": ("secret.list",),
    "azurerm_key_vault_managed_storage_account_sas_token_definition": ("secret.list",),
    **dict.fromkeys(
        # They run any command as the identities that they are given.
        (f"azurerm_resource_deployment_script_azure_{each}" for each in ("cli", "power_shell")),
        (*_ANYTHING, *_DIRECTORY),
    ),
    "azurerm_app_service_certificate_order": ("secret_use.query",),
    "azurerm_pim_active_role_assignment": _ASSIGNED,
    "azurerm_pim_eligible_role_assignment": _ELIGIBLE,
    "azurerm_role_management_policy": _ELIGIBLE,
    "azurerm_management_group": _ASSIGNED,
    "azurerm_management_group_subscription_association": _ASSIGNED,
    "azurerm_lighthouse_assignment": ("delegation.query",),
    "azurerm_lighthouse_definition": ("delegation.query",),
    "azuread_application_from_template": (*_APPLICATIONS, *_PRINCIPALS),
    "azuread_synchronization_secret": _PRINCIPALS,
    **dict.fromkeys(
        (
            "azuread_privileged_access_group_eligibility_schedule",
            *("azuread_access_package_resource_catalog_association", "azuread_access_package_resource_package_association"),
            *("azuread_access_package_assignment_policy", "azuread_group_role_management_policy"),
        ),
        (*_MEMBERS, *_ROLES),
    ),
    **dict.fromkeys(
        (
            *("azuread_administrative_unit", "azuread_administrative_unit_member"),
            "azuread_access_package_catalog_role_assignment",
        ),
        ("directory_role.assignments",),
    ),
    "azuread_directory_role_eligibility_schedule_request": ("directory_role.eligibilities",),
    "azuread_service_principal_delegated_permission_grant": _CONSENTS,
    "azuread_claims_mapping_policy": ("claims_mapping.list",),
    "azuread_service_principal_claims_mapping_policy_assignment": ("claims_mapping.list",),
    "azuread_conditional_access_policy": ("conditional_access.list",),
    "azuread_authentication_strength_policy": ("conditional_access.list",),
    "azuread_named_location": _ACCESS,
}
_BY_ITSELF: Mapping[str, tuple[str, frozenset[str]]] = {
    **dict.fromkeys(
        (
            f"azuread_application_{each}"
            for each in (
                *("app_role", "fallback_public_client", "identifier_uri", "known_clients", "permission_scope"),
                "pre_authorized",
            )
        ),
        ("sets a part of an application, which keyaudit does not read", frozenset({"application"})),
    ),
    "azuread_administrative_unit_role_member": (
        "gives a directory role over the members of an administrative unit, which keyaudit does not read",
        frozenset({"service_principal", "credential"}),
    ),
}
"""Types that leave one thing unknown, with the tables that policies about it are of."""
_OF_ARM: Sequence[tuple[str, Sequence[str]]] = (
    ("microsoft.keyvault/vaults/keys", ("key.list",)),
    ("microsoft.keyvault/vaults/secrets", ("secret.list",)),
    ("microsoft.keyvault/vaults/certificates", ("certificate.list",)),
    ("microsoft.keyvault/vaults", ("vault.list",)),
    ("microsoft.keyvault/", ("hsm.list", "hsm.key.list")),
    ("microsoft.authorization/roleeligib", _ELIGIBLE),
    ("microsoft.authorization/role", _ASSIGNED),
    ("microsoft.managedidentity/", ("managed_identity.query", "managed_identity.federated_of")),
    ("microsoft.insights/diagnosticsettings", logs.OPERATIONS),
    ("microsoft.insights/activitylogalerts", _ALERTS),
    ("microsoft.insights/scheduledqueryrules", _ALERTS),
    ("microsoft.securityinsights/", _ALERTS),
    ("microsoft.operationalinsights/workspaces", _WORKSPACES),
    ("microsoft.eventgrid/systemtopics", _EVENTS),
    ("microsoft.security/pricings", _DEFENDER),
    ("microsoft.aadiam/diagnosticsettings", ("entra_log.list",)),
    ("microsoft.managedservices/registration", ("delegation.query",)),
    *((each, _HOSTS) for each in ("microsoft.web/sites", "microsoft.cdn/profiles/", "microsoft.network/frontdoors")),
    *((f"microsoft.network/{each}", _HOSTS) for each in ("publicipaddresses", "trafficmanagerprofiles")),
    ("microsoft.certificateregistration/", ("secret_use.query",)),
    ("microsoft.sql/servers/encryptionprotector", _SERVICES),
    ("microsoft.sql/managedinstances/encryptionprotector", _SERVICES),
)
"""By the beginning of a type of Resource Manager in lower case; the first one counts."""
_OF_GRAPH: Sequence[tuple[str, Sequence[str]]] = (
    ("applications", (*_APPLICATIONS, *_PRINCIPALS)),
    ("applicationtemplates", (*_APPLICATIONS, *_PRINCIPALS)),
    ("serviceprincipals", (*_PRINCIPALS, "service_principal.app_roles", *_CONSENTS)),
    ("oauth2permissiongrants", _CONSENTS),
    ("groups", (*_MEMBERS, "service_principal.app_roles", *_ROLES)),
    ("identitygovernance/privilegedaccess/group", _MEMBERS),
    ("rolemanagement/directory", _ROLES),
    ("directoryroles", _ROLES),
    ("identity/conditionalaccess", _ACCESS),
)
"""By the beginning of a path of Microsoft Graph in lower case; the first one counts."""
_HARMLESS_IN_GRAPH = frozenset({"contacts", "devices", "places", "sites", "teams"})
"""The first segments of paths below which nothing has credentials, roles or members with rights."""
_CONSUMERS = frozenset(each.type.lower() for each in DECLARED)
_USES = {KEY: "key_use", SECRET: "secret_use"}
_MAPPED = frozenset(
    (
        *(vaults.VAULT, vaults.POLICY, vaults.ENDPOINT, objects.KEY, objects.CERTIFICATE, objects.SECRET),
        *(access.ASSIGNMENT, access.DEFINITION, identities.IDENTITY, identities.FEDERATED, logs.SETTING),
        *(hsms.HSM, hsms.KEY, hsms.ROTATION, hsms.ASSIGNMENT, hsms.DEFINITION),
        *(applications.APPLICATION, applications.REGISTRATION, applications.PRINCIPAL, *applications.BESIDE),
        *(permissions.APP_ROLE, *permissions.ROLES, permissions.CUSTOM, *groups.READ, redirects.RESOURCE),
        *services.KINDS,
        *services.APART,
        *consumers.TYPES,
    )
)


def note_unread(ground: Ground, read: Collection[str]) -> None:
    """Note which lists of the answers are not whole. `read`: addresses of resources of azapi that are read.

    What a plan leaves as it is counts, too: it will be there.
    """
    for planned in ground.resources.managed():
        if planned.address not in read:
            _note(ground, planned, gone=False)
    for planned in ground.resources.deleted():
        _note(ground, planned, gone=True)


def _note(ground: Ground, planned: Planned, *, gone: bool) -> None:
    if planned.type in _BY_ITSELF and not gone:
        ground.answers.asides.append(Aside(planned.address, planned.changes, *_BY_ITSELF[planned.type]))
    if planned.type in _MAPPED or planned.type in _BY_ITSELF or not speaks_to_azure(planned.type):
        return
    operations = tuple(_lists(planned))
    if operations and not gone:
        # The queries ask the subscriptions that are known.
        ground.subscription(planned)
    for operation in operations:
        origin = Origin(planned.address, gone or planned.changes, gone=gone and operation not in _PROTECTING)
        ground.answers.unread.setdefault(operation, []).append(origin)
    if not gone and QUERY not in operations and (names := _uses(planned)):
        what = f"uses {listed(sorted(f'a {each}' for each in names))} of a vault in a way that keyaudit does not read"
        tables = frozenset(_USES[each] for each in names)
        ground.answers.asides.append(Aside(planned.address, planned.changes, what, tables))


def _lists(planned: Planned) -> Sequence[str]:
    """The lists that hold what a resource makes."""
    type_ = planned.type.lower()
    if type_.startswith("azapi_"):
        return _of_azapi(planned)
    if type_.startswith("msgraph_"):
        return _of_graph(planned)
    if _is_harmless(planned, harmless(type_)):
        return ()
    if type_.endswith("_template_deployment"):
        # A template may have resources of Microsoft Graph: https://learn.microsoft.com/graph/templates/reference/overview
        content = planned.text("template_content")
        return _ANYTHING if content and "graph" not in content.lower() else (*_ANYTHING, *_DIRECTORY)
    return _TYPES.get(type_) or (_DIRECTORY if type_.startswith("azuread_") else _ANYTHING)


def _is_harmless(planned: Planned, found: Type | None) -> bool:
    return found is not None and not any(any(planned.parts(each)) for each in found.unless)


def _of_azapi(planned: Planned) -> Sequence[str]:
    type_ = type_of(planned)
    for beginning, operations in _OF_ARM:
        if type_.startswith(beginning):
            return operations
    if type_ in KINDS:
        return _SERVICES
    return () if type_ in _CONSUMERS or harmless(type_) else _ANYTHING


def _of_graph(planned: Planned) -> Sequence[str]:
    path = (planned.text("url") or planned.text("resource_url") or "").strip("/").lower()
    for beginning, operations in _OF_GRAPH:
        if path == beginning or path.startswith(f"{beginning}/"):
            return operations
    return () if path.partition("/")[0] in _HARMLESS_IN_GRAPH else _DIRECTORY


def _uses(planned: Planned) -> frozenset[str]:
    """Whether a resource names keys or secrets of vaults, or may."""
    if planned.type.startswith("azapi_"):
        return frozenset(_in_body(planned))
    found = harmless(planned.type.lower())
    return frozenset(named_in_vaults(planned, found.naming if found else frozenset()))


def _in_body(planned: Planned) -> Iterator[str]:
    """The same of what is sent, by the members in which services of its type name something."""
    declared = [each for each in DECLARED if each.type.lower() == type_of(planned)]
    body = body_of(planned)
    properties = AFTER_APPLY if body is None else member(body, "properties")
    for each in declared:
        if not each.children:
            path = each.at.partition("[]")[0] or each.url or each.resource or each.vault
            found = within(properties, *path.split("."), absent=None)
            if found and (each.names == KEY or not each.url or _marked(found) or any(in_values(found))):
                yield each.names
    yield from named_in_vaults(planned, ()) if declared else ()


def _marked(part: object) -> bool:
    """Whether anything of it is known after apply."""
    if isinstance(part, dict):
        return any(map(_marked, part.values()))
    return any(map(_marked, part)) if isinstance(part, list) else isinstance(part, Raw)
