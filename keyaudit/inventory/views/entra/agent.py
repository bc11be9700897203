"""The view of agent identities."""

from keyaudit.inventory.facts.fact import Derived, Doubt, sized
from keyaudit.inventory.facts.relation import Rows, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra.agents import blueprint_of, inheritance, parents, principal_of
from keyaudit.inventory.views.entra.privileges import grants_of
from keyaudit.model.tables.entra.privileges import APP_ROLES

_CONSENTS = ("delegated_grant.list",)


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "agent")
    scope = f"{rows.alias}.scope_id"
    blueprint = blueprint_of(rows["blueprint_app_id"], sources, scope)
    who = principal_of(rows["object_id"], sources, "who", scope)
    parent = parents(sources)
    # Every service principal that may be an agent has one.
    listed = one(parent, key=rows["object_id"], by=parent["object_id"], missing=who.missing)
    consented = unread("consented", _CONSENTS, scope=scope)
    held = grants_of(rows["object_id"], sources).lacking(
        listed["inherited_listed"].why | listed["consents_listed"].why | consented | Doubt(reads=inheritance(sources))
    )
    held = held.counting("grant", *APP_ROLES, *_CONSENTS)
    permission, inherited = held.rows["permission"], held.rows.flag("inherited")
    return {
        "blueprint_name": blueprint["name"],
        "blueprint_home": blueprint["home"],
        "publisher": blueprint["publisher"],
        "enabled": who["enabled"],
        "owner_count": sized(who["owner_ids"], sources.sql.size),
        "inherited": held.items_of("inherited", permission, inherited),
        "inherited_wide": held.items_of("inherited_wide", permission, inherited & held.rows.flag("ranked")),
    }
