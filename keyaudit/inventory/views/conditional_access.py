"""Conditional Access for workload identities: what a policy leaves free, and whether one limits a service principal."""

from keyaudit.inventory.facts.fact import ABSENT, Derived, Doubt, Fact, Items, Truth, case, known, unknown
from keyaudit.inventory.facts.groups import Groups, groups
from keyaudit.inventory.facts.relation import Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.model.reasons import Reason

_POLICIES = ("conditional_access.list",)
_LOCATIONS = ("named_location.list",)
_EVERY_OWN = "ServicePrincipalsInMyTenant"


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns of policies."""
    rows = Rows(sources, "conditional_access_policy")
    return {"free_everywhere": _free(rows)}


def _free(rows: Rows) -> Items:
    """Excluded locations that have every address: one of them is known to be one from its own row alone."""
    sql, every = rows.sources.sql, known("every one")
    place = Rows(rows.sources, "named_location", "place")
    unlisted = unread("places_listed", _LOCATIONS, scope=f"{rows.alias}.scope_id")
    of = groups(place, "places", by=every, key=every, missing=unlisted)
    held = of.items_of("everywhere", place["location_id"], place.flag("everywhere"))
    named = rows["locations_excluded"].map(lambda names: sql.chosen(names, "name", "name NOT IN ('All', 'AllTrusted')"))
    found = sql.chosen(named.value, "name", sql.has(f"coalesce({held.known}, {sql.texts(())})", sql.lower("name")))
    rest = Doubt((f"CASE WHEN {sql.size(found)} < {sql.size(named.value)} THEN {held.doubt.sql} END",), held.everything)
    doubt = named.why | rest
    shown = Fact(f"CASE WHEN {sql.size(found)} > 0 OR {doubt.sql} IS NULL THEN {found} END")
    return Items(shown.value, doubt, named.reads | held.reads | doubt.reads)


def of_principal(rows: Rows, object_id: Fact) -> dict[str, Derived]:
    """Of a service principal, whether an enforced policy limits where it signs in from, and whose accounts it accepts."""
    policy = Rows(rows.sources, "conditional_access_policy", "policy")
    every = known("every one")
    unlisted = unread("access_listed", _POLICIES, scope=f"{rows.alias}.scope_id")
    of = groups(policy, "access", by=every, key=every, missing=unlisted)
    size = rows.sources.sql.size
    limits = (
        policy["state"].eq("enabled")
        & policy.flag("for_workloads")
        & policy["locations"].told(lambda places: f"{size(places)} > 0")
    )
    app_id = rows["app_id"].map(rows.sources.sql.lower)
    application = Rows(rows.sources, "application", "registered")
    unregistered = unread("registrations", ("application.list",), scope=f"{rows.alias}.scope_id")
    registered = one(application, key=app_id, by=application["app_id"].map(rows.sources.sql.lower), missing=unregistered)
    return {
        "limits_exist": of.any_of("any", policy.flag("for_workloads")),
        "location_limited": _limited(of, policy, limits, object_id),
        "audience": case(
            (rows["home"].among(("microsoft", "foreign", "none")).certainly & ~registered.found, ABSENT),
            otherwise=registered["audience"],
        ),
    }


def _limited(of: Groups, policy: Rows, limits: Truth, object_id: Fact) -> Truth:
    """Whether one of the policies in `limits` includes it. A filter by attributes may leave it out, and another may not."""
    named = of.items_of("named", policy["included"], limits & ~policy.flag("filtered"), in_list=True)
    whole = limits & ~policy.flag("filtered") & policy["included"].has(_EVERY_OWN)
    spared = of.items_of("spared", policy["excluded"], whole, in_list=True).has(object_id)
    any_whole = of.any_of("whole", whole)
    several = of.count_of("wholes", whole).exceeds(known(1))
    filtered = of.any_of("filtered", limits & policy.flag("filtered"))
    certain = named.has(object_id) | any_whole & ~spared
    # Of several policies that each leave some out, one may still include it.
    untold = filtered | any_whole & several
    return certain | untold & unknown(because(Reason.UNRECOGNISED)).truth()
