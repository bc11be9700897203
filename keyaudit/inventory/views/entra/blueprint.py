"""The view of blueprints of agent identities: what their credentials open, and who can add some."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import Derived, Fact, Items, strict
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra.agents import object_id
from keyaudit.inventory.views.entra.privileges import privileges
from keyaudit.model.directory.tiers import ADDS_AGENT_CREDENTIALS, GRAPH
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.entra.privileges import APP_ROLES, DIRECTORY_ROLES

_AGENTS = TABLES["agent"].listed_by
_ASSIGNED = ("directory_role.assignments",)
_GRANTED = ("service_principal.app_roles", "service_principal.app_roles_of")
_NAMES = [role.name for role in ADDS_AGENT_CREDENTIALS if not role.id]


_UNSEEN = Fact("CAST(NULL AS BOOLEAN)", because(Reason.PUBLISHER_ONLY))


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows, agent = Rows(sources, "blueprint"), Rows(sources, "agent", "agent")
    unlisted = unread("listed", _AGENTS, scope=f"{rows.alias}.scope_id")
    of = groups(agent, "counted", by=agent["blueprint_app_id"], key=rows["app_id"], missing=unlisted)
    granted = privileges(rows["app_id"], sources)
    return {
        "agents": of.count_of("agents"),
        "client_secret": _UNSEEN.where(~rows["home"].eq("own")),
        "tier0": granted["tier0"],
        "tenant_wide": granted["tenant_wide"],
        "credential_admins": _admins(rows),
    }


def _admins(rows: Rows) -> Items:
    """The names of who may add a credential to it now. Whom a list does not name is called by the object id."""
    sources, scope = rows.sources, f"{rows.alias}.scope_id"
    pairs = f"""
        (SELECT granted.*, blueprint.id AS blueprint_id FROM {sources["grant"]} AS granted
        CROSS JOIN {sources["blueprint"]} AS blueprint WHERE granted.kind IN ('app-role', 'directory-role'))"""
    way = Rows(sources, "grant", "way", relation=pairs)
    blueprint_id = Fact("way.blueprint_id")
    role = way["kind"].eq("directory-role") & way.flag("standing") & way["agent_credentials"].truth()
    permission = way["kind"].eq("app-role") & way["api_id"].eq(GRAPH) & way["name"].among(_NAMES)
    # A role may be given over the one application alone.
    itself = blueprint_id.map(lambda id_: f"replace({id_}, '/applications/', '/directoryobjects/')")
    alone = strict(lambda scope, itself: f"{scope} = {itself}", way["scope"], itself).truth()
    able = (role | permission) & (way["scope_kind"].among(("tenant", "api")) | alone)
    unread_grants = unread("assigned", _ASSIGNED, scope=scope) | unread("granted", _GRANTED, scope=scope)
    of = groups(way, "ways", by=blueprint_id, key=rows["id"], missing=unread_grants)
    of = of.counting("grant", *APP_ROLES, *DIRECTORY_ROLES).counting("principal", *APP_ROLES, *DIRECTORY_ROLES)
    principal, application = Rows(sources, "principal", "who"), Rows(sources, "service_principal", "what")
    name = one(principal, key=way["principal_id"], by=principal["object_id"])["name"]
    name = name.or_else(one(application, key=way["principal_id"], by=object_id(application))["name"])
    admins = of.items_of("admins", name.or_else(way["principal_id"]), able)
    return admins.where(rows["home"].eq("own"))
