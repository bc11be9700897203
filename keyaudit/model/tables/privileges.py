"""The columns with the directory permissions of a service principal, or of an application through its service principal."""

from keyaudit.model.columns import Column, RestsOn, count, flag, texts

APP_ROLES = ("service_principal.app_roles", "service_principal.app_roles_of")
DIRECTORY_ROLES = ("directory_role.assignments",)
THROUGH_GROUPS = ("principal.kind", "principal.members_listed", "membership.member_id")
"""The operations for grants of groups, which count as grants of their members."""


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
        flag("tenant_wide",
            "one of those app roles reaches all of one kind of data, such as every mailbox (tier 1)",
            rests_on=RestsOn.LIST, derived_from=(*listed, *inherited, "grant.tier"), rows_of=(*through, *APP_ROLES)),
        texts("delegated_for_everyone", "delegated permissions that an administrator consented to for every user, sorted",
            partial=True, rests_on=RestsOn.LIST,
            derived_from=(*listed[:-1], *inherited, "grant.on_behalf_of"), rows_of=(*through, "delegated_grant.list")),
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
    )
