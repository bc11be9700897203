"""The columns of a credential about its holder: permissions, last sign-in, and the policies that apply to it."""

from keyaudit.model.schema.columns import duration, flag, text, texts, time

POWERS = (
    flag("tier0", "its application controls the whole tenant (tier 0)", derived=True),
    flag("tenant_wide", "an app role of its application, or a directory role over the whole tenant, reaches all of one kind of "
        "data, such as every mailbox (tier 1)", derived=True),
)
"""The columns of an observation about an application, by its app_id."""

HOLDER = (
    flag("holder_tier0",
        "tier0 of its holder (for an application, of its service principal): it controls the whole tenant",
        derived=True),
    flag("holder_tenant_wide", "tenant_wide of its holder: an app role, or a directory role over the whole tenant, reaches all "
        "of one kind of data, such as every mailbox", derived=True),
    flag("holder_opens_subscriptions", "opens_subscriptions of its holder: with an Azure role at a subscription or above, it "
        "can give itself access to keys", derived=True),
    texts("holder_policy_vaults", "policy_vaults of its holder: the vaults under access policies that it may write with such "
        "a role", absent="it may assign roles over a subscription or more, and so give itself access to every vault there",
        partial=True, derived=True),
    flag("holder_directory_sync", "directory_sync of its holder: it has the app roles of Entra Connect Sync and no other "
        "privileges",
        derived=True),
    flag("holder_opens_vaults", "opens_vaults of its holder: it has permissions on the content of a vault or HSM",
        derived=True),
    flag("holder_opens_signing", "opens_signing of its holder: it can sign with keys of a vault or HSM", derived=True),
    flag("holder_unprivileged", "its holder has no app role, directory role or consent for every user", derived=True),
    time("holder_last_sign_in_on", "the last sign-in of its holder itself in the report, with or without a user",
        absent="the report does not list it, which does not prove that it is unused", derived=True),
    text("holder_audience", "signInAudience of the application that holds it, directly or through its service principal",
        absent="no application of this tenant",
        values=("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"),
        derived=True),
    duration("policy_limit", "the lifetime limit in the effective app management policy of its holder: a new credential of "
        "this kind must have a shorter lifetime; 0 if none can be added. Callers that are exempt by a custom security "
        "attribute may still add others",
        absent="no policy limits it, or it is federated", derived=True),
)
