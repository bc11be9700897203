"""The columns with the directory permissions of a service principal, or of an application through its service principal."""

from keyaudit.model.columns import Column, RestsOn, count, flag, texts

APP_ROLES = ("service_principal.app_roles", "service_principal.app_roles_of")
DIRECTORY_ROLES = ("directory_role.assignments",)
AZURE_ROLES = ("role_assignment.query",)
THROUGH_GROUPS = ("principal.kind", "principal.members_listed", "membership.member_id")
"""The operations for grants of groups, which count as grants of their members."""


_AZURE = ("grant.name", "grant.allows", "grant.scope_kind")

# An agent has what its blueprint lets it inherit, and the credentials of a blueprint open its agents.
_INHERITED = (
    "agent.blueprint_app_id",
    "blueprint.principal_id",
    "blueprint.inheritable_scopes",
    "blueprint.inheritable_roles",
)


def privileges(*, listed: tuple[str, ...], through: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """Each rests on the whole list, since a grant to an unknown principal may be to any.

    `listed`: columns that show whether its app roles are complete; `through`: operations that list service principals.
    """
    inherited = (*_INHERITED, "agent_blueprint" if through else "agent_type")
    return (
        texts("app_roles", "the app roles that it was granted itself, inherits as an agent or, as a blueprint, has by its "
            "agents, sorted; one that its API does not publish is an id",
            partial=True, rests_on=RestsOn.LIST,
            derived_from=(*listed, *inherited, "grant.api"), rows_of=(*through, *APP_ROLES)),
        count("app_role_count", "those app roles, each API's on its own",
            rests_on=RestsOn.LIST, derived_from=(*listed, *inherited, "grant.principal_id"), rows_of=(*through, *APP_ROLES)),
        texts("tenant_wide_app_roles",
            "those of its app roles that reach all of one kind of data, such as every mailbox (tier 1), sorted",
            partial=True, rests_on=RestsOn.LIST,
            derived_from=(*listed, *inherited, "grant.api"), rows_of=(*through, *APP_ROLES)),
        texts("tenant_wide_directory_roles",
            "those of its directory roles over the whole tenant that reach all of one kind of data, such as every mailbox "
            "(tier 1), sorted",
            partial=True, rests_on=RestsOn.LIST,
            derived_from=(*listed[:-1], *inherited, "grant.tier", *THROUGH_GROUPS), rows_of=(*through, *DIRECTORY_ROLES)),
        flag("tenant_wide", "an app role, or a directory role over the whole tenant, reaches all of one kind of data, such as "
            "every mailbox (tier 1)",
            rests_on=RestsOn.LIST,
            derived_from=(*listed, *inherited, "grant.tier", *THROUGH_GROUPS),
            rows_of=(*through, *APP_ROLES, *DIRECTORY_ROLES)),
        texts("delegated_for_everyone", "delegated permissions that an administrator consented to for every user, sorted",
            partial=True, rests_on=RestsOn.LIST,
            derived_from=(*listed[:-1], *inherited, "grant.on_behalf_of"), rows_of=(*through, "delegated_grant.list")),
        *(
            texts(name, f"those of them that {told}, sorted",
                partial=True, rests_on=RestsOn.LIST,
                derived_from=(*listed[:-1], *inherited, "grant.on_behalf_of", "grant.api_id", "grant.name"),
                rows_of=(*through, "delegated_grant.list"))
            for name, told in (
                ("delegated_control", "control the tenant when an administrator signs in"),
                ("delegated_data", "reach all of one kind of data that the user can reach, such as mail"),
            )
        ),
        texts("directory_roles",
            "its active directory roles, direct or through groups, at any scope, sorted",
            partial=True, rests_on=RestsOn.LIST,
            derived_from=(*listed[:-1], *inherited, "grant.tier", *THROUGH_GROUPS), rows_of=(*through, *DIRECTORY_ROLES)),
        count("directory_role_count",
            "assignments of directory roles that hold for it now, its own and those of groups that it is in",
            rests_on=RestsOn.LIST,
            derived_from=(*listed[:-1], *inherited, "grant.principal_id", *THROUGH_GROUPS),
            rows_of=(*through, *DIRECTORY_ROLES)),
        flag("tier0", "an app role, or a directory role over the whole tenant, leads to control of the whole tenant",
            rests_on=RestsOn.LIST,
            derived_from=(*listed, *inherited, "grant.tier", *THROUGH_GROUPS),
            rows_of=(*through, *APP_ROLES, *DIRECTORY_ROLES)),
        texts("tier0_roles", "those app roles and directory roles, sorted", partial=True, rests_on=RestsOn.LIST,
            derived_from=(*listed, *inherited, "grant.tier", *THROUGH_GROUPS),
            rows_of=(*through, *APP_ROLES, *DIRECTORY_ROLES)),
        texts("wide_azure_roles", "the Azure roles over a subscription, a management group or everything by which it can give "
            "itself access to keys, such as Owner, Contributor and User Access Administrator: its own and those of its "
            "groups, sorted", partial=True, rests_on=RestsOn.LIST,
            derived_from=(*listed[:-1], *_AZURE, *THROUGH_GROUPS), rows_of=(*through, *AZURE_ROLES)),
        flag("opens_subscriptions", "it has such an Azure role", rests_on=RestsOn.LIST,
            derived_from=(*listed[:-1], *_AZURE, *THROUGH_GROUPS), rows_of=(*through, *AZURE_ROLES)),
        flag("unprivileged", "it has no app role, directory role or consent for every user",
            rests_on=RestsOn.LIST,
            derived_from=(*listed, *inherited, "grant.on_behalf_of", *THROUGH_GROUPS),
            rows_of=(*through, *APP_ROLES, *DIRECTORY_ROLES, "delegated_grant.list")),
        flag("directory_sync", "it has app roles that Entra Connect Sync signs in for, and no other app role, directory "
            "role or such Azure role",
            rests_on=RestsOn.LIST,
            derived_from=(*listed, *inherited, *_AZURE, *THROUGH_GROUPS),
            rows_of=(*through, *APP_ROLES, *DIRECTORY_ROLES, *AZURE_ROLES)),
    )
