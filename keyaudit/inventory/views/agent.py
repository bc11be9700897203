"""The view of agent identities."""

from keyaudit.inventory.facts.fact import Derived, sized
from keyaudit.inventory.facts.relation import Rows, one, unread
from keyaudit.inventory.facts.sql import Sources, Wanted
from keyaudit.inventory.facts.view import view as view_of
from keyaudit.inventory.views.agents import blueprint_of, parents, principal_of
from keyaudit.inventory.views.privileges import grants_of


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    rows = Rows(sources, "agent")
    scope = f"{rows.alias}.scope_id"
    blueprint = blueprint_of(rows["blueprint_app_id"], sources, scope)
    who = principal_of(rows["object_id"], sources, "who", scope)
    parent = parents(sources)
    # Every service principal that may be an agent has one.
    listed = one(parent, key=rows["object_id"], by=parent["object_id"], missing=who.missing)
    consented = unread("consented", ("delegated_grant.list",), scope=scope)
    held = grants_of(rows["object_id"], sources).lacking(
        listed["inherited_listed"].why | listed["consents_listed"].why | consented
    )
    permission, inherited = held.rows["permission"], held.rows.flag("inherited")
    facts: dict[str, Derived] = {
        "blueprint_name": blueprint["name"],
        "blueprint_home": blueprint["home"],
        "publisher": blueprint["publisher"],
        "enabled": who["enabled"],
        "owner_count": sized(who["owner_ids"], sources.sql.size),
        "inherited": held.items_of("inherited", permission, inherited),
        "inherited_wide": held.items_of("inherited_wide", permission, inherited & held.rows.flag("ranked")),
    }
    return view_of("agent", sources, facts, wanted)
