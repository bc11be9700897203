"""The tables of agent identities and of the blueprints that they are made from (Microsoft Entra Agent ID)."""

from keyaudit.model.schema.columns import Area, Table, Where, count, flag, mapping, text, texts, time, where_found
from keyaudit.model.schema.opens import ALWAYS, RIGHTS
from keyaudit.model.severity import Opens

_AGENT = ("agent.list",)
_SHOWN = ("service_principal.list", *_AGENT)
_SPONSORS = ("agent.sponsors",)
_USERS = ("agent_user.list",)
_LISTS = ("application.list", "service_principal.list")
_BLUEPRINT_SPONSORS = ("blueprint.sponsors_of", "blueprint.principal_sponsors_of")
_INHERITABLE = ("blueprint.inheritable_of",)
_NOT_OWN = (Where("home", ("microsoft", "foreign")),)


AGENT = Table(
    name="agent",
    order=102,
    area=Area.APPLICATIONS,
    noun="agent identity",
    plural="agent identities",
    meaning="an agent identity: a service principal that signs in with its blueprint's credentials and has no credentials of "
        "its own",
    added_by=_SHOWN,
    row_for_each=_AGENT,
    opens={Opens.WIDE: "not covers([], inherited_wide)", Opens.ONE: ALWAYS},
    columns=(
        *where_found(*_SHOWN, wire="displayName"),
        text("object_id", "its object id, in lower case; its client id as well, unless it shares that of its blueprint"),
        time("created_on", "when it was created", _SHOWN, absent="Graph has no date", past=True, wire="createdDateTime"),
        text("blueprint_app_id", "agentIdentityBlueprintId: the client id of its blueprint, in lower case", _AGENT),
        flag("sponsored", "it has a sponsor, who is accountable for it", _SPONSORS),
        texts("sponsor_ids", "object ids of its sponsors, sorted", _SPONSORS),
        texts("user_ids", "object ids of the agent users that it can act as, sorted", _USERS),
        mapping("user_names", "the display names of these users, by object id; users without a name are left out", _USERS),
        text("blueprint_name", "the display name of its blueprint",
            absent="its blueprint has no name", derived=True),
        text("blueprint_home", "the blueprint's owner: this tenant, Microsoft, or another tenant",
            values=("own", "microsoft", "foreign"), derived=True),
        text("publisher", "the tenant that owns its blueprint",
            absent="the blueprint is this tenant's own", derived=True),
        flag("enabled", "accountEnabled: it may sign in", absent="Graph holds no value", derived=True),
        count("owner_count", "its owners, users and service principals", derived=True),
        texts("inherited", "application permissions, and delegated permissions for every user, that it has from its "
            "blueprint's principal, sorted", partial=True, derived=True),
        texts("inherited_wide", "the permissions among them that give control of the tenant or access to all of one kind of "
            "its data, as the agent itself or as the user it acts for; sorted", partial=True, derived=True),
    ),
)

BLUEPRINT = Table(
    name="blueprint",
    order=101,
    area=Area.APPLICATIONS,
    noun="agent identity blueprint",
    plural="agent identity blueprints",
    meaning="the template of agent identities: its credentials sign in all of them; for another tenant's blueprint, only the "
        "local principal is visible",
    added_by=_LISTS,
    opens=RIGHTS,
    columns=(
        *where_found(*_LISTS, wire="displayName"),
        text("app_id", "the application (client) id, in lower case", _LISTS),
        text("home", "the blueprint's owner: this tenant, Microsoft, or another tenant", _LISTS,
            values=("own", "microsoft", "foreign")),
        text("publisher", "the tenant that owns it", _LISTS, absent="it is this tenant's own"),
        text("principal_id", "object id of its principal in this tenant, in lower case", ("service_principal.list",),
            absent="no principal here: no agent can be created from it, or it belongs to a single agent"),
        flag("sponsored", "it has a sponsor, who is accountable for its agents; for another tenant's blueprint, the sponsor "
            "of its principal here", _BLUEPRINT_SPONSORS),
        texts("sponsor_ids", "object ids of these sponsors, sorted", _BLUEPRINT_SPONSORS),
        texts("inheritable_scopes",
            "delegated permissions that its agents inherit if its principal has them: API/PERMISSION, by the API's client id; "
            "API/* for all permissions of that API; sorted", _INHERITABLE),
        texts("inheritable_roles", "application permissions that they inherit, in the same form; sorted", _INHERITABLE),
        count("agents", "its agent identities in this tenant", derived=True),
        flag("client_secret", "it has a client secret, which can sign in as each of its agents; unknown for an external "
            "blueprint, because only its publisher's tenant can see it",
            absent="it belongs to this tenant: its application shows it",
                absent_where=(Where("home", ("own",)),), derived=True),
        flag("tier0", "it or an agent of it controls the whole tenant, by an app role or a directory role", derived=True),
        flag("tenant_wide", "an app role of it or of an agent, or a directory role over the whole tenant, reaches all of one "
            "kind of data, such as every mailbox", derived=True),
        texts("credential_admins",
            "principals that may add a credential to it now, by a role for agents or a Microsoft Graph permission, besides "
            "its owners and the tenant's administrators; sorted", partial=True,
            absent="its publisher's tenant decides", absent_where=_NOT_OWN, derived=True),
    ),
)
