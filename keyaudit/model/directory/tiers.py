"""Which permissions and roles lead to control of the whole tenant (tier 0), or to all of one kind of its data (tier 1).

Permissions and roles that are not here have no tier. Names and ids are Microsoft's; the sources describe the path to control.
"""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
SHAREPOINT = "00000003-0000-0ff1-ce00-000000000000"
_SYNCHRONIZATION = "6bf85cfa-ac8a-4be5-b5de-425a0d0dc016"
_PASSWORD_RESET = ("93625bc8-bfe2-437a-97e0-3d0060024faa", "2e5ecfc8-ea79-48bd-8140-c19324acb278")
"""Microsoft's password reset service, and the one of Azure Government."""

_PERMISSIONS = "https://learn.microsoft.com/graph/permissions-reference"
_PATHS = "https://github.com/emiliensocchi/azure-tiering/tree/main/Microsoft%20Graph%20application%20permissions"
_CLASSES = "https://github.com/Cloud-Architekt/AzurePrivilegedIAM/blob/main/Classification/Classification_MsGraphAppRoles.json"
_ROLES = "https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"
_ROLE_PATHS = "https://github.com/emiliensocchi/azure-tiering/tree/main/Entra%20roles"
_ACTIONS = "https://learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions"
_EWS = "https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth"
_EXCHANGE_APP_ONLY = "https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2"
_CONNECT = "https://learn.microsoft.com/entra/identity/hybrid/connect/authenticate-application-id"
_SHAREPOINT_APP_ONLY = "https://learn.microsoft.com/sharepoint/dev/solution-guidance/security-apponly-azuread"


class Ranked(Struct, frozen=True):
    """A permission or role and its tier. `id` is empty where only the name is known."""

    name: str
    id: str
    tier: int
    why: str
    source: str


_ASSIGNS = "it can give anyone any directory role"
_GROUPS = "it can add anyone to a group that holds a directory role, or rights over Azure resources with such identities"
_SIGNS_IN_AS_ANYONE = "it can create a way to sign in as anyone"
_SYNCHRONIZES = "it can change every synchronized user, including administrators"
_WRITES_PASSWORDS = "it controls where new passwords of synchronized users are written"

_WRITEBACK = (
    Ranked("PasswordWriteback.RefreshClient.All", "fc7e8088-95b5-453e-8bef-b17ecfec5ba3", 0, _WRITES_PASSWORDS, _CONNECT),
    Ranked(
        "PasswordWriteback.RegisterClientVersion.All", "e006e431-a65b-4f3e-8808-77d29d4c5f1a", 0, _WRITES_PASSWORDS, _CONNECT
    ),
    Ranked("PasswordWriteback.OffboardClient.All", "69201c67-737b-4a20-8f16-e0c8c64e0b0e", 0, _WRITES_PASSWORDS, _CONNECT),
)

PERMISSIONS: dict[str, Sequence[Ranked]] = {
    GRAPH: (
        Ranked("RoleManagement.ReadWrite.Directory", "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8", 0, _ASSIGNS, _PATHS),
        Ranked("RoleAssignmentSchedule.ReadWrite.Directory", "dd199f4a-f148-40a4-a2ec-f0069cc799ec", 0, _ASSIGNS, _PATHS),
        Ranked("RoleEligibilitySchedule.ReadWrite.Directory", "fee28b28-e1f3-4841-818e-2704dc62245f", 0, _ASSIGNS, _PATHS),
        Ranked(
            "RoleManagementPolicy.ReadWrite.Directory",
            "31e08e0a-d3f7-4ca2-ac39-7343fb83e8ad",
            0,
            "it can remove the conditions for activating a directory role",
            _PATHS,
        ),
        Ranked(
            "AppRoleAssignment.ReadWrite.All",
            "06b708a9-e830-4db3-a914-8e69da51d44f",
            0,
            "it can grant itself any application permission, without consent",
            _PATHS,
        ),
        Ranked(
            "Policy.ReadWrite.PermissionGrant",
            "a402ca1c-2696-4531-972d-6e5ee4aa11ea",
            0,
            "it can have any application permission granted to itself",
            _PATHS,
        ),
        Ranked(
            "Application.ReadWrite.All",
            "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
            0,
            "it can add a credential to any application, and act as the most powerful one",
            _PATHS,
        ),
        Ranked("Directory.ReadWrite.All", "19dbc75e-c2e2-444c-a770-ec69d8559fc7", 0, _GROUPS, _PATHS),
        Ranked("Group.ReadWrite.All", "62a82d76-70ea-41e2-9197-370581804d09", 0, _GROUPS, _PATHS),
        Ranked("GroupMember.ReadWrite.All", "dbaae8cf-10b5-4b86-a4a1-f871c94c6695", 0, _GROUPS, _PATHS),
        Ranked("PrivilegedAccess.ReadWrite.AzureADGroup", "2f6817f8-7b12-4f0f-bc18-eeaf60705a9e", 0, _GROUPS, _PATHS),
        Ranked(
            "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
            "41202f2c-f7ab-45be-b001-85c9728b9d69",
            0,
            _GROUPS,
            _PATHS,
        ),
        Ranked(
            "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
            "618b6020-bca8-4de6-99f6-ef445fa4d857",
            0,
            _GROUPS,
            _PATHS,
        ),
        Ranked(
            "RoleManagementPolicy.ReadWrite.AzureADGroup",
            "b38dcc4d-a239-4ed6-aa84-6c65b284f97c",
            0,
            "it can remove the conditions for activating membership of a privileged group",
            _PATHS,
        ),
        Ranked(
            "EntitlementManagement.ReadWrite.All",
            "9acd699f-1e81-4958-b001-93b1d2506e19",
            0,
            "it can open an access package that gives a directory role",
            _PATHS,
        ),
        Ranked(
            "UserAuthenticationMethod.ReadWrite.All",
            "50483e42-d915-4231-9639-7fdb7fd190e5",
            0,
            _SIGNS_IN_AS_ANYONE,
            _PATHS,
        ),
        Ranked("Domain.ReadWrite.All", "7e05723c-0bb0-42da-be95-ae9f08a6e53c", 0, _SIGNS_IN_AS_ANYONE, _PATHS),
        Ranked(
            "Domain-InternalFederation.ReadWrite.All",
            "64d40371-8d58-4270-bc8a-b4a66de36b9a",
            0,
            _SIGNS_IN_AS_ANYONE,
            _CLASSES,
        ),
        Ranked(
            "PublicKeyInfrastructure.ReadWrite.All",
            "a2b63618-5350-462d-b1b3-ba6eb3684e26",
            0,
            _SIGNS_IN_AS_ANYONE,
            _CLASSES,
        ),
        Ranked("Organization.ReadWrite.All", "292d869f-3427-49a8-9dab-8c70152b74e9", 0, _SIGNS_IN_AS_ANYONE, _CLASSES),
        Ranked("Mail.Read", "810c84a8-4a9e-49e6-bf7d-12d183f40d01", 1, "every mailbox", _PERMISSIONS),
        Ranked("Mail.ReadWrite", "e2a3a72e-5f79-4c64-b1b1-878b674786c9", 1, "every mailbox", _PERMISSIONS),
        Ranked("Mail.Send", "b633e1c5-b582-4048-a93e-9f11b44c7e96", 1, "mail as anyone", _PERMISSIONS),
        Ranked("MailboxItem.ImportExport.All", "76577085-e73d-4f1d-b26a-85fb33892327", 1, "every mailbox", _PERMISSIONS),
        Ranked("MailboxSettings.ReadWrite", "6931bccd-447a-43d1-b442-00a195474933", 1, "every mailbox's rules", _PERMISSIONS),
        Ranked("Files.Read.All", "01d4889c-1287-42c6-ac1f-5d1e02578ef6", 1, "every file", _PERMISSIONS),
        Ranked("Files.ReadWrite.All", "75359482-378d-4052-8f01-80520e7db3cd", 1, "every file", _PERMISSIONS),
        Ranked("Sites.Read.All", "332a536c-c7ef-4017-ab91-336970924f0d", 1, "every site", _PERMISSIONS),
        Ranked("Sites.ReadWrite.All", "9492366f-7969-46a4-8d15-ed1a20078fff", 1, "every site", _PERMISSIONS),
        Ranked("Sites.Manage.All", "0c0bf378-bf22-4481-8f81-9e89a9b4960a", 1, "every site", _PERMISSIONS),
        Ranked("Sites.FullControl.All", "a82116e5-55eb-4c41-a434-62fe8a61c773", 1, "every site", _PERMISSIONS),
        Ranked("Notes.Read.All", "3aeca27b-ee3a-4c2b-8ded-80376e2134a4", 1, "every notebook", _PERMISSIONS),
        Ranked("Notes.ReadWrite.All", "0c458cef-11f3-48c2-a568-c66751c238c0", 1, "every notebook", _PERMISSIONS),
        Ranked("Chat.Read.All", "6b7d71aa-70aa-4810-a8d9-5d9fb2830017", 1, "every chat", _PERMISSIONS),
        Ranked("Chat.ReadWrite.All", "", 1, "every chat", _PERMISSIONS),
        Ranked("eDiscovery.Read.All", "50180013-6191-4d1e-a373-e590ff4e66af", 1, "all data that a case collects", _PERMISSIONS),
        Ranked(
            "eDiscovery.ReadWrite.All", "b2620db1-3bf7-4c5b-9cb9-576d29eac736", 1, "all data that a case collects", _PERMISSIONS
        ),
        Ranked("User.ReadWrite.All", "741f803b-c850-494e-b5df-cde7c675a1ca", 1, "every user's profile", _PERMISSIONS),
    ),
    EXCHANGE: (
        Ranked("full_access_as_app", "dc890d15-9560-4a4c-9b7f-a736ec74ec40", 1, "every mailbox", _EWS),
        Ranked("Exchange.ManageAsApp", "dc50a0fb-09a3-484d-be87-e023b12c6440", 1, "Exchange itself", _EXCHANGE_APP_ONLY),
        Ranked("Mail.Read", "", 1, "every mailbox", _EWS),
        Ranked("Mail.ReadWrite", "", 1, "every mailbox", _EWS),
        Ranked("Mail.Send", "", 1, "mail as anyone", _EWS),
    ),
    SHAREPOINT: (
        Ranked("Sites.FullControl.All", "678536fe-1083-478a-9c59-b99265e6b0d3", 1, "every site", _SHAREPOINT_APP_ONLY),
        Ranked("Sites.Manage.All", "", 1, "every site", _SHAREPOINT_APP_ONLY),
        Ranked("Sites.ReadWrite.All", "", 1, "every site", _SHAREPOINT_APP_ONLY),
        Ranked("Sites.Read.All", "", 1, "every site", _SHAREPOINT_APP_ONLY),
    ),
    _SYNCHRONIZATION: (
        Ranked("ADSynchronization.ReadWrite.All", "ab43b826-2c7a-4aff-9ecd-d0629d0ca6a9", 0, _SYNCHRONIZES, _CONNECT),
    ),
    **dict.fromkeys(_PASSWORD_RESET, _WRITEBACK),
}
"""Application permissions by the client id of the API that publishes them."""

OF_DIRECTORY_SYNC = frozenset(f"{api}/{one.name}" for api in (_SYNCHRONIZATION, *_PASSWORD_RESET) for one in PERMISSIONS[api])
"""The permissions that Entra Connect Sync signs in for, as API/PERMISSION; it needs no other:
https://learn.microsoft.com/entra/identity/hybrid/connect/authenticate-application-id
"""

MANAGES_OWNED = "18a4783c-866b-4cc7-a460-3d5e5662c884"
"""The id of Microsoft Graph's Application.ReadWrite.OwnedBy, the least that an application needs to manage what it owns:
https://learn.microsoft.com/graph/permissions-reference and https://learn.microsoft.com/graph/api/application-addpassword
"""

_AZURE = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
DELEGATED_CONTROL = frozenset(
    {
        *(
            f"{GRAPH}/{name}".lower()
            for name in (
                "Application.ReadWrite.All",
                "AppRoleAssignment.ReadWrite.All",
                "DelegatedPermissionGrant.ReadWrite.All",
                "Directory.AccessAsUser.All",
                "Directory.ReadWrite.All",
                "Domain.ReadWrite.All",
                "Policy.ReadWrite.ConditionalAccess",
                "Policy.ReadWrite.PermissionGrant",
                "PrivilegedAccess.ReadWrite.AzureADGroup",
                "RoleAssignmentSchedule.ReadWrite.Directory",
                "RoleEligibilitySchedule.ReadWrite.Directory",
                "RoleManagement.ReadWrite.Directory",
                "UserAuthenticationMethod.ReadWrite.All",
            )
        ),
        f"{_AZURE}/user_impersonation",
    }
)
"""Delegated permissions, as API/PERMISSION in lower case, that control the tenant when an administrator signs in: they act with
the rights of the user. Their names: https://learn.microsoft.com/graph/permissions-reference
"""
_DATA = (
    "(?:mail[.]|mailboxsettings[.]readwrite$|ews[.]accessasuser[.]all$|imap[.]|pop[.]|smtp[.]"
    "|files[.].*[.]all$|sites[.].*[.]all$|chat[.]|group[.]readwrite[.]all$|user[.]readwrite[.]all$"
    "|devicemanagement.*[.]readwrite[.]all$)"
)
DELEGATED_DATA = f"^(?:{GRAPH}|{EXCHANGE}|{SHAREPOINT})/{_DATA}"
"""A regular expression of those, in lower case, that reach all of one kind of data that a user can reach."""
DELEGATED_DATA_NAMES = re.compile(_DATA)
"""The same for their names alone, from the first character."""

_AS_AN_APPLICATION = "it can add a credential to any application, and act as the most powerful one"
_FEDERATES = "it can add a federated domain whose tokens sign in as anyone"
_RESETS = "it can take over users who own applications or are in privileged groups"
_MEMBERS = "it can add itself to groups with rights over Azure resources"

DIRECTORY_ROLES: Sequence[Ranked] = (
    Ranked("Global Administrator", "62e90394-69f5-4237-9190-012177145e10", 0, "it is control of the tenant", _ROLES),
    Ranked("Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814", 0, _ASSIGNS, _ROLE_PATHS),
    Ranked(
        "Privileged Authentication Administrator",
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
        0,
        _SIGNS_IN_AS_ANYONE,
        _ROLE_PATHS,
    ),
    Ranked("Application Administrator", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", 0, _AS_AN_APPLICATION, _ROLE_PATHS),
    Ranked("Cloud Application Administrator", "158c047a-c907-4556-b7ef-446551a6b5f7", 0, _AS_AN_APPLICATION, _ROLE_PATHS),
    Ranked("Partner Tier1 Support", "4ba39ca4-527c-499a-b93d-d9b492c50246", 0, _AS_AN_APPLICATION, _ROLE_PATHS),
    Ranked("Partner Tier2 Support", "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8", 0, _SIGNS_IN_AS_ANYONE, _ROLE_PATHS),
    Ranked("Domain Name Administrator", "8329153b-31d0-4727-b945-745eb3bc5f31", 0, _FEDERATES, _ROLE_PATHS),
    Ranked("External Identity Provider Administrator", "be2f45a1-457d-42af-a067-6ec1fa63bc45", 0, _FEDERATES, _ROLE_PATHS),
    Ranked("Hybrid Identity Administrator", "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", 0, _FEDERATES, _ROLE_PATHS),
    Ranked(
        "Conditional Access Administrator",
        "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",
        0,
        "it can lock everyone out, and let anyone in without a second factor",
        _ROLE_PATHS,
    ),
    Ranked(
        "Security Administrator",
        "194ae4cb-b126-40b2-bd5b-6091b380977d",
        0,
        "it can lock everyone out, and let anyone in without a second factor",
        _ROLE_PATHS,
    ),
    Ranked(
        "Identity Governance Administrator",
        "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e",
        0,
        "it can open an access package that gives a directory role",
        _ROLE_PATHS,
    ),
    Ranked(
        "Intune Administrator",
        "3a2c62db-5318-420d-8d74-23affee5d9d5",
        0,
        "it can run commands on the devices of administrators",
        _ROLE_PATHS,
    ),
    Ranked("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1", 1, _RESETS, _ROLE_PATHS),
    Ranked("Authentication Administrator", "c4e39bd9-1100-46d3-8c65-fb160da0071f", 1, _RESETS, _ROLE_PATHS),
    Ranked("Helpdesk Administrator", "729827e3-9c14-49f7-bb1b-9608f156bbb8", 1, _RESETS, _ROLE_PATHS),
    Ranked("Password Administrator", "966707d0-3269-4727-9be2-8c3a10f19b9d", 1, _RESETS, _ROLE_PATHS),
    Ranked("Groups Administrator", "fdd7a751-b60b-444a-984c-02652fe8fa1c", 1, _MEMBERS, _ROLE_PATHS),
    Ranked("Directory Writers", "9360feb5-f418-4baa-8175-e2a00bac4301", 1, _MEMBERS, _ROLE_PATHS),
    Ranked("Lifecycle Workflows Administrator", "59d46f88-662b-457b-bceb-5c3809e5908f", 1, _MEMBERS, _ROLE_PATHS),
    Ranked("Exchange Administrator", "29232cdf-9323-42fd-ade2-1d097af3e4de", 1, "every mailbox", _ROLE_PATHS),
    Ranked("SharePoint Administrator", "f28a1f50-f6e7-4571-818b-6a12f2af6b6c", 1, "every site", _ROLE_PATHS),
    Ranked("Teams Administrator", "69091246-20e8-4a56-aa4d-066075b2a7a8", 1, "every team", _ROLE_PATHS),
)
"""Built-in directory roles, by the id of their template."""

_CONTROL = "its holder can add a credential to an application, or grant rights"

ACTIONS: Sequence[Ranked] = tuple(
    Ranked(f"microsoft.directory/{name}", "", 0, _CONTROL, _ACTIONS)
    for name in (
        "applications/allProperties/update",
        "applications/allProperties/allTasks",
        "applications/credentials/update",
        "applications/owners/update",
        "servicePrincipals/allProperties/update",
        "servicePrincipals/allProperties/allTasks",
        "servicePrincipals/credentials/update",
        "servicePrincipals/owners/update",
        "servicePrincipals/appRoleAssignedTo/update",
        "roleAssignments/allProperties/allTasks",
        "roleAssignments/allProperties/update",
        "groupsAssignableToRoles/allProperties/update",
        "groupsAssignableToRoles/members/update",
        "domains/federation/update",
    )
)
"""The actions that make a custom role one of tier 0."""

_AGENTS = "it can add a credential to a blueprint, and sign in as each of its agents"
_AGENT_PERMISSIONS = "https://learn.microsoft.com/graph/api/agentidentityblueprint-addpassword"

ADDS_AGENT_CREDENTIALS: Sequence[Ranked] = (
    Ranked("Agent ID Administrator", "db506228-d27e-4b7d-95e5-295956d6615f", 0, _AGENTS, _ROLES),
    Ranked("AgentIdentityBlueprint.AddRemoveCreds.All", "", 0, _AGENTS, _AGENT_PERMISSIONS),
    Ranked("AgentIdentityBlueprint.ReadWrite.All", "", 0, _AGENTS, _AGENT_PERMISSIONS),
)
"""Directory roles, and permissions of Microsoft Graph (without an id), that are worth as much as the agents of the tenant."""

_ADDING_ACTION = re.compile(
    r"microsoft\.directory/agentidentityblueprints/(?:credentials/|allproperties/)?(?:update|alltasks)", re.ASCII
)

_BY_PERMISSION = {
    (api, key.lower()): ranked.tier
    for api, permissions in PERMISSIONS.items()
    for ranked in permissions
    for key in (ranked.id, ranked.name)
    if key
}
_BY_ROLE = {ranked.id: ranked.tier for ranked in DIRECTORY_ROLES}
_BY_ACTION = {ranked.name.lower(): ranked.tier for ranked in ACTIONS}


def tier_of_permission(api_id: str, permission_id: str, name: str | None) -> int | None:
    """The tier of an application permission, by its id or name on that API; None: no tier."""
    tier = _BY_PERMISSION.get((api_id.lower(), permission_id.lower()))
    return tier if tier is not None else _BY_PERMISSION.get((api_id.lower(), (name or "").lower()))


def tier_of_role(template_id: str) -> int | None:
    """The tier of a built-in directory role; None: no tier."""
    return _BY_ROLE.get(template_id.lower())


def adds_agent_credentials(role_id: str, actions: Iterable[str]) -> bool:
    """Whether a directory role, custom or built-in, can add a credential to blueprints. `actions`: those of its definition.

    https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference#agent-id-administrator
    """
    named = any(role.id == role_id.lower() for role in ADDS_AGENT_CREDENTIALS)
    return named or any(_ADDING_ACTION.fullmatch(action.lower()) for action in actions)


def tier_of_actions(actions: Sequence[str]) -> int | None:
    """The tier of a custom directory role, by its actions; None: no tier."""
    return min((tier for action in actions if (tier := _BY_ACTION.get(action.lower())) is not None), default=None)
