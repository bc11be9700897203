"""The columns with the directory permissions of a service principal, or of an application through its service principal."""

from keyaudit.model.columns import Column, count, flag, texts

APP_ROLES = ("service_principal.app_roles", "service_principal.app_roles_of")
DIRECTORY_ROLES = ("directory_role.assignments",)
AZURE_ROLES = ("role_assignment.query",)
"""The operations that list grants of each kind that are in force."""


def privileges() -> tuple[Column, ...]:
    """Each rests on the whole list, since a grant to an unknown principal may be to any."""
    return (
        texts("app_roles", "the app roles that it was granted itself, inherits as an agent or, as a blueprint, has by its "
            "agents, sorted; one that its API does not publish is an id",
            partial=True, derived=True),
        count("app_role_count", "those app roles, each API's on its own", derived=True),
        texts("tenant_wide_app_roles",
            "those of its app roles that reach all of one kind of data, such as every mailbox (tier 1), sorted",
            partial=True, derived=True),
        texts("tenant_wide_directory_roles",
            "those of its directory roles over the whole tenant that reach all of one kind of data, such as every mailbox "
            "(tier 1), sorted",
            partial=True, derived=True),
        flag("tenant_wide", "an app role, or a directory role over the whole tenant, reaches all of one kind of data, such as "
            "every mailbox (tier 1)", derived=True),
        texts("delegated_for_everyone", "delegated permissions that an administrator consented to for every user, sorted",
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
            "assignments of directory roles that hold for it now, its own and those of groups that it is in", derived=True),
        flag("tier0", "an app role, or a directory role over the whole tenant, leads to control of the whole tenant",
            derived=True),
        texts("tier0_roles", "those app roles and directory roles, sorted", partial=True, derived=True),
        flag("manages_owned", "it can add a credential to the applications that it owns: it has Application.ReadWrite.OwnedBy, "
            "or control of the whole tenant", derived=True),
        texts("wide_azure_roles", "the Azure roles over a subscription, a management group or everything that may assign "
            "roles or write vaults, such as Owner, Contributor and User Access Administrator: its own and those of its "
            "groups, sorted", partial=True, derived=True),
        flag("opens_subscriptions", "by such a role it can give itself access to keys: it may assign roles, or write a vault "
            "under access policies", derived=True),
        texts("policy_vaults", "the vaults under access policies that it may write by such a role, sorted",
            absent="it may assign roles over a subscription or more, and so give itself access to every vault there",
            partial=True, derived=True),
        flag("opens_vaults", "by an active role or access policy, its own or through groups, it can do something with keys, "
            "secrets or certificates of a vault or HSM", derived=True),
        flag("opens_signing", "such a role or policy lets it sign with keys", derived=True),
        flag("unprivileged", "it has no app role, directory role or consent for every user", derived=True),
        flag("directory_sync", "it has app roles that Entra Connect Sync signs in for, and no other app role, directory "
            "role or such Azure role", derived=True),
    )
