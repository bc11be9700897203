"""The table of service principals."""

import re

from keyaudit.model.columns import Area, Table, Where, count, flag, text, texts, time, where_found
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.privileges import privileges
from keyaudit.model.wire import At, Unreadable

_PRINCIPAL = ("service_principal.list",)

MICROSOFT_TENANTS = (
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
    "cdc5aeea-15c5-4db6-b079-fcadd2505dc2",
    "33e01921-4d64-4f8c-a055-5bdaffd5e33d",
    "975f013f-7f24-47e8-a7d3-abc4752bf346",
)
"""Home tenants of first-party applications: the first of Microsoft's services, the others of Microsoft the company.

https://github.com/MicrosoftDocs/entra-docs/blob/main/.docutune/dictionaries/known-guids.json
The list is not complete. A tenant that no page of Microsoft names is left out, so its applications count as external.
"""

WITHOUT_OWNER = ("ManagedIdentity", "Legacy", "SocialIdp", "ServiceIdentity")
"""The values of servicePrincipalType that need no owning tenant: every Application has one."""

_ARM_ID = re.compile(r"/subscriptions/[^/]+/(?:[^/]+/)+[^/]+", re.ASCII | re.IGNORECASE)


def _arm_id(names: list[str]) -> str | None:
    """The names of a managed identity are isExplicit=True or False, and its ARM id."""
    ids = {name.lower() for name in names if _ARM_ID.fullmatch(name)}
    if len(ids) > 1:
        raise Unreadable(Reason.UNRECOGNISED)
    return ids.pop() if ids else None


SERVICE_PRINCIPAL = Table(
    name="service_principal",
    order=100,
    area=Area.APPLICATIONS,
    noun="service principal",
    plural="service principals",
    meaning="an application's identity in the tenant",
    added_by=_PRINCIPAL,
    row_for_each=_PRINCIPAL,
    columns=(
        *where_found(*_PRINCIPAL, wire="displayName"),
        text("app_id", "the application (client) id", _PRINCIPAL, guid=True, wire="appId"),
        time("created_on", "when it was made", _PRINCIPAL, absent="Graph has no date", past=True, wire="createdDateTime"),
        flag("enabled", "accountEnabled: it may sign in", _PRINCIPAL, absent="Graph holds no value", wire="accountEnabled"),
        text("principal_type", "servicePrincipalType", _PRINCIPAL,
            values=("Application", "ManagedIdentity", "Legacy", "SocialIdp", "ServiceIdentity"), wire="servicePrincipalType"),
        text("agent_type", "what it is among agents: an agent identity, or the local principal of a blueprint",
            (*_PRINCIPAL, "agent.get"),
            absent="it has nothing to do with agents", values=("agent-identity", "blueprint-principal")),
        text("home_tenant", "appOwnerOrganizationId: the tenant that owns the application", _PRINCIPAL, guid=True,
            absent="it has no application elsewhere (a managed identity, a legacy principal)",
            absent_where=(Where("principal_type", WITHOUT_OWNER),)),
        text("home", "whose application it is: this tenant's, Microsoft's, another's, or nobody's", _PRINCIPAL,
            values=("own", "microsoft", "foreign", "none")),
        text("sso_mode", "preferredSingleSignOnMode", _PRINCIPAL, absent="single sign-on is not set up",
            values=("saml", "password", "oidc", "notSupported"), wire="preferredSingleSignOnMode"),
        text("arm_id",
            "ARM id, in lower case, of a user-assigned identity, or of the resource that a system-assigned one is of",
            _PRINCIPAL,
            absent="it is no managed identity of an Azure resource", wire=At("alternativeNames", list[str], _arm_id)),
        texts("app_tags", "tags: HideApp hides it from users", _PRINCIPAL, wire="tags"),
        flag("assignment_required", "appRoleAssignmentRequired: only who is assigned to it gets tokens for it", _PRINCIPAL,
            wire="appRoleAssignmentRequired"),
        text("verified_publisher", "the name of its application's verified publisher", _PRINCIPAL,
            absent="the publisher is not verified"),
        text("created_by_app", "createdByAppId: the app id of the application that made it", _PRINCIPAL,
            absent="Graph names none"),
        text("disabled_by_microsoft", "disabledByMicrosoftStatus", _PRINCIPAL,
            absent="Microsoft did not disable it", wire="disabledByMicrosoftStatus"),
        flag("app_roles_listed", "every app role that it was granted was listed; true, or unknown with the reason",
            ("service_principal.app_roles", "service_principal.app_roles_of")),
        *privileges(),
        count("live_secrets", "unexpired client secrets of it and of its application in this tenant", derived=True),
        count("live_certificates", "unexpired certificates of it and of its application in this tenant, by which it signs in",
            derived=True),
        count("federated_credentials", "federated credentials of it and of its application in this tenant", derived=True),
        text("blueprint_publisher",
            "of an agent identity: the other tenant that owns its blueprint, whose credentials sign it in",
            absent="it is no agent, or its blueprint is this tenant's own or Microsoft's", derived=True),
        time("last_sign_in_on",
            "the last sign-in that the report knows: as a client or as the API that was called, with or without a user",
            absent="the report has nothing of it, which is no proof that it is not used", derived=True),
        time("last_client_sign_in_on", "the last time that the report has it signing in itself, with or without a user",
            absent="the report has nothing of it, which is no proof that it is not used", derived=True),
        text("environment", "its application's tag env:NAME or environment:NAME, in lower case; else what [environments] says "
            "of it or, for a managed identity, of its subscription",
            absent="no such tag, and nothing said", derived=True),
        texts("owner_ids", "object ids of its owners, sorted", ("service_principal.owners", "service_principal.owners_of")),
        text("audience", "signInAudience of its application in this tenant", absent="no application of this tenant",
            values=("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"),
            derived=True),
        flag("limits_exist", "the tenant has a Conditional Access policy for workload identities", derived=True),
        flag("location_limited", "an enforced Conditional Access policy blocks it from everywhere but some locations, for all "
            "resources and at every level of risk", derived=True),
    ),
)
