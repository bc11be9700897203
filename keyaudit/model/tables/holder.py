"""The columns of a credential about its holder: permissions, last sign-in, and the policies that apply to it."""

from keyaudit.model.columns import RestsOn, duration, flag, text, time
from keyaudit.model.tables.privileges import APP_ROLES, AZURE_ROLES, DIRECTORY_ROLES, THROUGH_GROUPS

_PRINCIPALS = ("service_principal.list",)
_AGENTS = ("application.agent_blueprint", "agent.blueprint_app_id", "blueprint.inheritable_roles")
_GRANTED = (*_AGENTS, "app_id", "service_principal.app_id", "service_principal.app_roles_listed", "grant.tier")
_LIMITED = ("kind", "holder_kind", "holder_id", "application.created_on", "service_principal.created_on")
_RULES = tuple(
    f"app_management_policy.{name}"
    for name in (
        "enabled",
        "assigned_to",
        "left_to_default",
        "password_blocked",
        "password_blocked_from",
        "password_lifetime",
        "password_lifetime_from",
        "symmetric_key_blocked",
        "symmetric_key_blocked_from",
        "symmetric_key_lifetime",
        "symmetric_key_lifetime_from",
        "certificate_lifetime",
        "certificate_lifetime_from",
    )
)

POWERS = (
    flag("tier0", "its application controls the whole tenant (tier 0)",
        rests_on=RestsOn.LIST, derived_from=(*_GRANTED, *THROUGH_GROUPS), rows_of=(*_PRINCIPALS, *APP_ROLES, *DIRECTORY_ROLES)),
    flag("tenant_wide", "an app role of its application, or a directory role over the whole tenant, reaches all of one kind of "
        "data, such as every mailbox (tier 1)",
        rests_on=RestsOn.LIST, derived_from=(*_GRANTED, *THROUGH_GROUPS), rows_of=(*_PRINCIPALS, *APP_ROLES, *DIRECTORY_ROLES)),
)
"""The columns of an observation about an application, by its app_id."""

HOLDER = (
    flag("holder_tier0",
        "tier0 of its holder, which for an application is that of its service principal: it controls the whole tenant",
        rests_on=RestsOn.LIST, derived_from=(*_GRANTED, *THROUGH_GROUPS), rows_of=(*_PRINCIPALS, *APP_ROLES, *DIRECTORY_ROLES)),
    flag("holder_tenant_wide", "tenant_wide of its holder: an app role, or a directory role over the whole tenant, reaches all "
        "of one kind of data, such as every mailbox",
        rests_on=RestsOn.LIST, derived_from=(*_GRANTED, *THROUGH_GROUPS), rows_of=(*_PRINCIPALS, *APP_ROLES, *DIRECTORY_ROLES)),
    flag("holder_opens_subscriptions", "opens_subscriptions of its holder: by an Azure role over a subscription or more it can "
        "give itself access to keys",
        rests_on=RestsOn.LIST, derived_from=(*_GRANTED, "grant.allows", "grant.scope_kind", *THROUGH_GROUPS),
        rows_of=(*_PRINCIPALS, *AZURE_ROLES)),
    flag("holder_directory_sync", "directory_sync of its holder: it has the app roles of Entra Connect Sync and no other power",
        rests_on=RestsOn.LIST, derived_from=(*_GRANTED, "grant.allows", "grant.scope_kind", *THROUGH_GROUPS),
        rows_of=(*_PRINCIPALS, *APP_ROLES, *DIRECTORY_ROLES, *AZURE_ROLES)),
    flag("holder_unprivileged", "its holder has no app role, directory role or consent for every user",
        rests_on=RestsOn.LIST,
        derived_from=(*_GRANTED, "grant.on_behalf_of", *THROUGH_GROUPS),
        rows_of=(*_PRINCIPALS, *APP_ROLES, *DIRECTORY_ROLES, "delegated_grant.list")),
    time("holder_last_sign_in_on", "the last time that the report has its holder signing in itself, with or without a user",
        absent="the report has nothing of it, which is no proof that it is not used",
        rests_on=RestsOn.LIST, derived_from=("app_id", "sign_in_activity.app_id", "sign_in_activity.last_client_sign_in_on")),
    text("holder_audience", "signInAudience of the application that holds it, or whose service principal holds it",
        absent="no application of this tenant",
        values=("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"),
        rests_on=RestsOn.PARENT, derived_from=("app_id", "application.app_id", "application.audience")),
    duration("policy_limit", "what the app management policy in force for its holder asks: one of its kind that is added now "
        "has to live less than this; 0 where none can be added. Who is exempt by an attribute of his own may add others "
        "all the same",
        absent="no policy limits it, or it is federated", rests_on=RestsOn.LIST, derived_from=(*_LIMITED, *_RULES)),
)
