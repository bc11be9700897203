"""Acts that touch keys, credentials or their logs and that no reader makes a use of: a day with one is not known to be quiet.

Each list says what is harmless; everything else about keys is unread.
"""

import re
from functools import lru_cache

from keyaudit.logs.formats.values import operation_name

# https://learn.microsoft.com/azure/key-vault/general/logging#operation-names-table. Secrets that are read, and lists, are uses.
_OF_VAULTS = frozenset(
    {
        *("authentication", "certificatecontactsset", "certificatecontactsdelete", "certificatecontactsget"),
        *("vaultget", "vaultlist", "vaultlistdeleted", "keyget", "certificateget", "certificatepolicyget"),
        *("certificatependingget", "certificateissuerget", "certificateissuerslist", "keyrotationpolicyget"),
        *(f"{kind}getdeleted" for kind in ("vault", "key", "secret", "certificate")),
        *(
            f"{kind}{event}eventgridnotification"
            for kind in ("key", "secret", "certificate")
            for event in ("nearexpiry", "expired")
        ),
        "vaultaccesspolicychangedeventgridnotification",
    }
)
# https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations: every operation of these providers
# concerns keys, identities, roles or logs, and of the others what its name says.
_PROVIDERS = ("microsoft.keyvault", "microsoft.managedidentity", "microsoft.authorization", "microsoft.insights")
_ABOUT_KEYS = re.compile(
    r"diagnosticsettings|key|secret|credential|certificate|token|publishxml|accountsas|servicesas|federated|workspaces/purge"
)
_DONE = ("/write", "/action", "/delete")
_VERBS = ("write", "delete")
_OF_AZURE = frozenset(
    {
        *(f"{provider}/{verb}/action" for provider in _PROVIDERS for verb in ("register", "unregister")),
        *(f"microsoft.keyvault/vaults/eventgridfilters/{verb}" for verb in _VERBS),
        "microsoft.keyvault/vaults/accesspolicies/delete",
        # Who may connect is not who may use a key.
        *(
            f"microsoft.keyvault/{kind}/privateendpointconnection{end}"
            for kind in ("vaults", "managedhsms")
            for end in ("s/write", "s/delete", "sapproval/action", "proxies/write", "proxies/delete", "proxies/validate/action")
        ),
        *(f"microsoft.managedidentity/userassignedidentities/{name}" for name in _VERBS),
        "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/delete",
        "microsoft.managedidentity/userassignedidentities/listassociatedresources/action",
        *(f"microsoft.authorization/{name}/delete" for name in ("roleassignments", "roledefinitions", "classicadministrators")),
        *(f"microsoft.authorization/{name}/write" for name in ("denyassignments", "locks")),
        # Activating a role with them writes a role assignment, which is read.
        "microsoft.authorization/roleassignmentschedulerequests/write",
        *(f"microsoft.authorization/role{of}schedulerequests/cancel/action" for of in ("assignment", "eligibility")),
        *(f"microsoft.compute/sshpublickeys/{verb}" for verb in _VERBS),
    }
)
# Azure Policy evaluates and deploys under these, and Insights has alerts, autoscaling and applications beside the settings of
# logs. The deletion of an alert rule is read.
_TYPES_OF_AZURE = re.compile(
    r"microsoft\.authorization/polic[a-z]+/.*"
    r"|microsoft\.insights/(?:autoscalesettings|metricalerts|activitylogalerts|alertrules|scheduledqueryrules|actiongroups|metrics"
    r"|webtests|(?:my)?workbook(?:s|templates)|datacollectionendpoints|tenantactiongroups|notificationstatus"
    r"|createnotifications|components(?!/(?:apikeys|purge|exportconfiguration)))/.*"
    r"|microsoft\.insights/datacollectionruleassociations/write"
)
# https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities: the categories of users, devices,
# groups and their sign-ins. A name in these that is about applications, keys, roles or domains is unread all the same.
_CATEGORIES_OF_ENTRA = frozenset(
    {
        *("administrativeunit", "agreement", "attributemanagement", "authentication", "contact", "label", "other"),
        *("device", "deviceconfiguration", "devicemanagement", "devicetemplate", "groupmanagement", "usermanagement"),
        *("entitlementmanagement", "externaluserprofile", "pendingexternaluserprofile", "identityprotection", "policy"),
        *("objectmanagement", "policymanagement", "privateendpoint", "privatelinkresource", "provisioningmanagement"),
        *("taskmanagement", "workflowmanagement", "microsoftsupportaccessmanagement"),
    }
)
_IN_ENTRA = re.compile(
    r"credential|certificate|secret|\bkeys?\b|federat|service principal|application|consent|permission|\brole\b|owner|domain"
)
_MEMBERS, _LASTING = ("member", "eligible member"), ("permanent", "timebound", "renew")
_OF_ENTRA = frozenset(
    {
        # A domain opens nothing until its sign-in changes, which is read.
        *("add unverified domain", "add verified domain", "verify domain", "verify email verified domain"),
        *("remove unverified domain", "remove verified domain", "delete kerberos domain", "convert federated user to managed"),
        # What applications lose.
        *("delete application", "hard delete application", "remove service principal", "hard delete service principal"),
        *(f"remove owner from {what}" for what in ("application", "service principal", "policy", "group")),
        *(f"remove app role assignment from {what}" for what in ("service principal", "user", "group")),
        *("remove delegated permission grant", "delete v2 application", "delete v2 application permission grant"),
        *("set verified publisher", "unset verified publisher", "delete permission grant policy", "delete policy key"),
        *(f"{verb} application collection" for verb in ("create", "update", "delete")),
        *("update application collection order", "update preview settings"),
        *(f"{how} application update {when} safe rollout" for how, when in (("cancel", "with"), ("complete", "after"))),
        # Roles that people lose or ask for; one that they get is a use.
        *(f"remove {member} from role" for member in (*_MEMBERS, "scoped member")),
        "remove member from role scoped over restricted management administrative unit",
        *("delete role definition", "remove role assignment from role definition", "add role from template"),
        "remove eligibleroleassignment from roledefinition",
        *(
            f"{verb} {member} {to} role in pim {stage} ({lasting})"
            for verb, to, stages in (("add", "to", ("requested", "canceled")), ("remove", "from", ("requested", "completed")))
            for member in _MEMBERS
            for stage in stages
            for lasting in _LASTING
        ),
        *(
            f"add member to role {stage} (pim activation)"
            for stage in ("requested", "canceled", "approval requested", "request approved", "request denied")
        ),
        *("remove member from role (pim activation expired)", "pim activation request expired"),
        *(f"remove member from role {stage} (pim deactivate)" for stage in ("requested", "completed")),
        *(f"remove permanent {kind} role assignment" for kind in ("direct", "eligible")),
        *(f"update {member} in pim {stage} (extend)" for member in _MEMBERS for stage in ("requested", "canceled")),
        *("update member in pim denied by admin (extend/renew)", "resource updated", "process request", "remove request"),
        *(f"cancel request{of}" for of in ("", " for role removal", " for role update")),
        *(f"process role {kind} request" for kind in ("removal", "update")),
        *(f"{verb} pim alert" for verb in ("triggered", "refresh", "resolve", "deactivate", "enable")),
        *("onboarded resource to pim", "onboarded resource from pim"),
        # What people sign in with, and their devices and groups.
        *(
            f"{verb} {credential}"
            for verb in ("add", "delete")
            for credential in (
                *("fido2 security key", "windows hello for business credential", "platform credential", "bitlocker key"),
                "passwordless phone sign-in credential",
            )
        ),
        *("delete fido2 security key(s)", "read bitlocker key", "register totp secret", "delete application password for user"),
        *(f"{verb} hardware oath token" for verb in ("assign", "bulk upload", "create", "delete", "update")),
        *(
            f"authentication strength {kind} {verb}"
            for kind in ("combination configuration", "policy")
            for verb in ("create", "update", "delete")
        ),
        "patch userauthmethod.patchsigninpreferencesasync",
        *("add owner to group", "group_addowner", "group_getowners", "group_removeowner", "delete consent"),
        *(f"{verb} registered owner {to} device" for verb, to in (("add", "to"), ("remove", "from"))),
        # Sign-ins to B2C.
        *(f"issue {what} to the application" for what in ("a saml assertion", "an access token", "an id_token")),
        *(
            "issue an authorization code to the application",
            "validate client credentials",
            "federate with an identity provider",
        ),
        # The tenant's lists, recommendations and settings of users.
        *(
            f"{what} - finished (bulk)"
            for what in (
                *(f"download {of}" for of in ("devices", "users", "service principals", "role assignments")),
                *("download user registration details", "download registration and reset events", "export summary data"),
                *("bulk download hardware tokens", "export summary data new"),
            )
        ),
        *("started (bulk)", "dismiss recommendation", "mark recommendation as complete", "postpone recommendation"),
        *("create program", "link program control", "unlink program control", "set password policy", "delete subscription"),
        *(f"{verb} company settings" for verb in ("create", "update", "delete")),
        *(f"{verb} password writeback for directory" for verb in ("enable", "disable")),
        *("set accidental deletion threshold", "set company allowed data location", "delete company allowed data location"),
    }
)
_READS = ("get ", "retrieve ", "dsr ")
"""B2C records what is read of its settings, and MFA what is exported or deleted for a person's rights."""


@lru_cache(maxsize=1_024)
def in_vault(name: str) -> bool:
    """Whether an operation in the log of a vault or HSM that no use is made of may touch keys."""
    return name.replace(" ", "").casefold() not in _OF_VAULTS


@lru_cache(maxsize=1_024)
def in_azure(name: str) -> bool:
    """Whether an operation in the activity log that no use is made of may touch keys."""
    folded = name.casefold()
    if not folded.endswith(_DONE) or folded in _OF_AZURE or _TYPES_OF_AZURE.fullmatch(folded):
        return False
    return folded.partition("/")[0] in _PROVIDERS or _ABOUT_KEYS.search(folded) is not None


@lru_cache(maxsize=1_024)
def in_entra(name: str, category: str | None) -> bool:
    """Whether a change in Entra's log that no use is made of may touch keys; without a category its name decides."""
    folded = operation_name(name)
    if folded in _OF_ENTRA or folded.startswith(_READS):
        return False
    concerned = category is not None and category.casefold() not in _CATEGORIES_OF_ENTRA
    return concerned or _IN_ENTRA.search(folded) is not None
