"""The columns with the directory permissions of a service principal, or of an application through its service principal."""

from keyaudit.model.schema.columns import Column, count, flag, texts

APP_ROLES = ("service_principal.app_roles", "service_principal.app_roles_of")
DIRECTORY_ROLES = ("directory_role.assignments",)
AZURE_ROLES = ("role_assignment.query",)
"""The operations that list grants of each kind that are in force."""


def privileges() -> tuple[Column, ...]:
    """Each rests on the whole list, since a grant to an unknown principal may be to any."""
    return (
        texts("app_roles", "the app roles granted to it, inherited as an agent, or held by its agents if it is a blueprint, "
            "sorted; an app role that its API does not publish appears as an id",
            partial=True, derived=True),
        count("app_role_count", "the same app roles, grouped by API", derived=True),
        texts("tenant_wide_app_roles",
            "its app roles that reach all of one kind of data, such as every mailbox (tier 1), sorted",
            partial=True, derived=True),
        texts("tenant_wide_directory_roles",
            "its tenant-wide directory roles that reach all of one kind of data, such as every mailbox (tier 1), sorted",
            partial=True, derived=True),
        flag("tenant_wide", "an app role, or a directory role over the whole tenant, reaches all of one kind of data, such as "
            "every mailbox (tier 1)", derived=True),
        texts("delegated_for_everyone", "delegated permissions with administrator consent for every user, sorted",
            partial=True, derived=True),
        *(
            texts(name, f"those of them that {told}, sorted",
                partial=True, derived=True)
            for name, told in (
                ("delegated_control", "control the tenant when an administrator signs in"),
                ("delegated_data", "reach all of one kind of data that the user can reach, such as mail"),
            )
        ),
        texts("directory_roles",
            "its active directory roles, direct or through groups, at any scope, sorted",
            partial=True, derived=True),
        count("directory_role_count",
            "its active directory role assignments, direct and through groups", derived=True),
        flag("tier0", "an app role, or a directory role over the whole tenant, leads to control of the whole tenant",
            derived=True),
        texts("tier0_roles", "these app roles and directory roles, sorted", partial=True, derived=True),
        flag("manages_owned", "it can add a credential to the applications that it owns: it has Application.ReadWrite.OwnedBy, "
            "or control of the whole tenant", derived=True),
        texts("wide_azure_roles", "its Azure roles over a subscription, a management group or the root that may assign roles "
            "or write vaults, such as Owner, Contributor and User Access Administrator, direct and through groups, sorted",
            partial=True, derived=True),
        flag("opens_subscriptions", "with such a role it can give itself access to keys: it may assign roles, or write a "
            "vault under access policies", derived=True),
        texts("policy_vaults", "the vaults under access policies that it may write with such a role, sorted",
            absent="it may assign roles over a subscription or more, and so give itself access to every vault there",
            partial=True, derived=True),
        flag("opens_vaults", "an active role or access policy, direct or through groups, gives it a permission on keys, "
            "secrets or certificates of a vault or HSM", derived=True),
        flag("opens_signing", "such a role or policy lets it sign with keys", derived=True),
        flag("unprivileged", "it has no app role, directory role or consent for every user", derived=True),
        flag("directory_sync", "it has app roles of Entra Connect Sync, and no other app role, directory role or such Azure "
            "role", derived=True),
    )
