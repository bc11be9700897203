"""The table of service principals."""

import re

from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Area, Table, Where, count, flag, text, texts, time, where_found
from keyaudit.model.schema.opens import CONTROL, DATA, recent
from keyaudit.model.schema.wire import At, Unreadable
from keyaudit.model.severity import Opens
from keyaudit.model.tables.entra.privileges import privileges

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
    # A disabled one is refused its sign-in.
    opens={
        Opens.TENANT: f"(enabled is None or enabled) and ({CONTROL})",
        Opens.WIDE: f"(enabled is None or enabled) and ({DATA})",
        Opens.ONE: f"(enabled is None or enabled) and (not unprivileged or opens_vaults or ({recent('last_sign_in_on')}))",
    },
    columns=(
        *where_found(*_PRINCIPAL, wire="displayName"),
        text("app_id", "the application (client) id", _PRINCIPAL, guid=True, wire="appId"),
        time("created_on", "when it was created", _PRINCIPAL, absent="Graph has no date", past=True, wire="createdDateTime"),
        flag("enabled", "accountEnabled: it may sign in", _PRINCIPAL, absent="Graph holds no value", wire="accountEnabled"),
        text("principal_type", "servicePrincipalType", _PRINCIPAL,
            values=("Application", "ManagedIdentity", "Legacy", "SocialIdp", "ServiceIdentity"), wire="servicePrincipalType"),
        text("agent_type", "its agent kind: an agent identity, or the local principal of a blueprint",
            (*_PRINCIPAL, "agent.get"),
            absent="it is not related to agents", values=("agent-identity", "blueprint-principal")),
        text("home_tenant", "appOwnerOrganizationId: the tenant that owns the application", _PRINCIPAL, guid=True,
            absent="no application belongs to it (a managed identity, a legacy principal)",
            absent_where=(Where("principal_type", WITHOUT_OWNER),)),
        text("home", "the owner of its application: this tenant, Microsoft, another tenant, or nobody", _PRINCIPAL,
            values=("own", "microsoft", "foreign", "none")),
        text("sso_mode", "preferredSingleSignOnMode", _PRINCIPAL, absent="single sign-on is not set up",
            values=("saml", "password", "oidc", "notSupported"), wire="preferredSingleSignOnMode"),
        text("arm_id",
            "ARM id, in lower case, of a user-assigned identity, or of the resource with the system-assigned identity",
            _PRINCIPAL,
            absent="it is no managed identity of an Azure resource", wire=At("alternativeNames", list[str], _arm_id)),
        texts("app_tags", "tags: HideApp hides it from users", _PRINCIPAL, wire="tags"),
        flag("assignment_required", "appRoleAssignmentRequired: only assigned principals get tokens for it", _PRINCIPAL,
            wire="appRoleAssignmentRequired"),
        text("verified_publisher", "the name of its application's verified publisher", _PRINCIPAL,
            absent="the publisher is not verified"),
        text("created_by_app", "createdByAppId: the app id of the application that created it", _PRINCIPAL,
            absent="Graph names none"),
        text("disabled_by_microsoft", "disabledByMicrosoftStatus", _PRINCIPAL,
            absent="Microsoft did not disable it", wire="disabledByMicrosoftStatus"),
        flag("app_roles_listed", "every app role that it was granted was listed; true, or unknown with the reason",
            ("service_principal.app_roles", "service_principal.app_roles_of")),
        *privileges(),
        count("live_secrets", "its unexpired client secrets, including those of its application in this tenant", derived=True),
        count("live_certificates", "its unexpired sign-in certificates, including those of its application in this tenant",
            derived=True),
        count("federated_credentials", "its federated credentials, including those of its application in this tenant",
            derived=True),
        text("blueprint_publisher",
            "for an agent identity: the other tenant that owns the blueprint whose credentials sign it in",
            absent="it is not an agent, or its blueprint belongs to this tenant or Microsoft", derived=True),
        time("last_sign_in_on",
            "the last sign-in in the report: as a client or as the called API, with or without a user",
            absent="the report does not list it, which does not prove that it is unused", derived=True),
        time("last_client_sign_in_on", "the last sign-in of the application itself in the report, with or without a user",
            absent="the report does not list it, which does not prove that it is unused", derived=True),
        text("environment", "its application's tag env:NAME or environment:NAME, in lower case; else its environment in "
            "[environments] or, for a managed identity, that of its subscription",
            absent="no such tag, and no matching setting", derived=True),
        texts("owner_ids", "object ids of its owners, sorted", ("service_principal.owners", "service_principal.owners_of")),
        text("audience", "signInAudience of its application in this tenant", absent="no application of this tenant",
            values=("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"),
            derived=True),
        flag("limits_exist", "the tenant has a Conditional Access policy for workload identities", derived=True),
        flag("location_limited", "an enforced Conditional Access policy blocks it everywhere except some locations, for all "
            "resources and at every risk level", derived=True),
    ),
)
