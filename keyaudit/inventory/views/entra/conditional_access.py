"""Conditional Access for workload identities: whom, for which resources, at which risk and from where a policy blocks.

A policy blocks a sign-in that meets all of its conditions, and leaves free each location that it excludes:
https://learn.microsoft.com/entra/identity/conditional-access/workload-identity and
https://learn.microsoft.com/graph/api/resources/conditionalaccessconditionset
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import ABSENT, Count, Derived, Doubt, Fact, Items, Truth, case, known, strict, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.prepared import Prepared, shared
from keyaudit.inventory.facts.relation import Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason

_POLICIES = ("conditional_access.list",)
_LOCATIONS = ("named_location.list",)
_EVERY_OWN = "ServicePrincipalsInMyTenant"
_FILTERED = unknown(because(Reason.UNRECOGNISED)).truth()
"""What a filter by custom security attributes selects: these attributes are not read."""


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns of policies."""
    policy = Rows(sources, "conditional_access_policy")
    free = _free_everywhere(policy)
    return {"free_everywhere": free, "blocks_nowhere": _blocks_nowhere(policy, free)}


def _free_everywhere(policy: Rows) -> Items:
    """The named locations that a policy excludes, by id or as trusted ones, and that are everywhere."""
    sql, every, excluded = policy.sources.sql, known("every one"), policy["locations_excluded"]
    place = Rows(policy.sources, "named_location", "place")
    unlisted = unread("places_listed", _LOCATIONS, scope=f"{policy.alias}.scope_id")
    of = groups(place, "places", by=every, key=every, missing=unlisted)
    everywhere, none = place.flag("everywhere"), sql.texts(())
    whole = of.items_of("everywhere", place["location_id"], everywhere)
    bounded = of.items_of("bounded", place["location_id"], ~everywhere)
    trusted = of.items_of("trusted", place["location_id"], everywhere & place.flag("trusted"))
    every_trusted = sql.has(excluded.value, quoted("AllTrusted"))
    names = (f"coalesce({items.known}, {none})" for items in (whole, bounded, trusted))
    of_whole, of_bounded, of_trusted = names
    left_out = f"{sql.has(excluded.value, 'name')} OR ({every_trusted} AND {sql.has(of_trusted, 'name')})"
    found = sql.chosen(of_whole, "name", left_out)
    # An id that no named location has may be of a location that Graph does not list.
    unread_one = f"name NOT IN ('All', 'AllTrusted') AND NOT {sql.has(of_whole, 'name')} AND NOT {sql.has(of_bounded, 'name')}"
    by_id = f"{sql.size(sql.chosen(excluded.value, 'name', unread_one))} > 0"
    why = f"coalesce({whole.doubt.sql}, {quoted(Reason.INCONSISTENT)})"
    reasons = (f"CASE WHEN {by_id} THEN {why} END", f"CASE WHEN {every_trusted} THEN {trusted.doubt.sql} END")
    reads = whole.everything | bounded.everything | trusted.everything | excluded.reads
    doubt = excluded.why | Doubt(reasons, reads)
    return Items(f"CASE WHEN {sql.size(found)} > 0 OR {doubt.sql} IS NULL THEN {found} END", doubt, reads)


def _blocks_nowhere(policy: Rows, free: Items) -> Truth:
    """Whether it excludes every location, or each that it includes."""
    sql, included, excluded = policy.sources.sql, policy["locations"], policy["locations_excluded"]
    size = sql.size(free.known)
    some = Count(f"coalesce({size}, 0)", f"CASE WHEN {free.doubt.sql} IS NULL THEN {size} END", free.doubt, free.reads)
    covered = strict(lambda every, each: f"({sql.size(each)} > 0 AND {sql.covers(every, each)})", excluded, included)
    return excluded.has("All") | covered.truth() | some.exceeds(known(0))


def _limits(policy: Rows) -> Truth:
    """Whether it blocks those that it includes from everywhere but some locations: for all resources, and at every risk."""
    size = policy.sources.sql.size
    every_resource = policy["target_resources"].has("All") & policy["target_resources_excluded"].told(
        lambda resources: f"{size(resources)} = 0"
    )
    # Without a condition on locations, or on risk, a policy applies in all of them.
    every_risk = policy["risk_levels"].told(lambda levels: f"{size(levels)} = 0")
    every_location = policy["locations"].told(lambda places: f"{size(places)} = 0") | policy["locations"].has("All")
    return (
        policy["state"].eq("enabled")
        & policy.flag("for_workloads")
        & policy.flag("blocks")
        & every_resource
        & (~policy.flag("target_resources_filtered") | _FILTERED)
        & every_risk
        & every_location
        & ~_blocks_nowhere(policy, _free_everywhere(policy))
    )


def _pairs(sources: Sources) -> Prepared:
    """Each policy for workload identities with each service principal, whose object id is `principal_id`."""
    policy = Rows(sources, "conditional_access_policy", "policy")
    conditions = {name: policy[name] for name in ("for_workloads", "included", "excluded", "filtered")}
    made = shared(sources, {**conditions, "limits": _limits(policy)}, policy.sql, policy.alias)
    principals = f"SELECT split_part(id, '/', -1) AS principal_id FROM {sources['service_principal']}"
    pairs = f"SELECT made.*, principals.principal_id FROM {made.sql.rpartition(' AS ')[0]} AS made"
    return made.under("policy", f"({pairs} CROSS JOIN ({principals}) AS principals WHERE made.for_workloads IS NOT FALSE)")


def of_principal(rows: Rows, object_id: Fact) -> dict[str, Derived]:
    """Of a service principal, whether an enforced policy limits where it signs in from, and whose accounts it accepts."""
    policy, has = _pairs(rows.sources), rows.sources.sql.has
    unlisted = unread("access_listed", _POLICIES, scope=f"{rows.alias}.scope_id")
    of = groups(policy, "access", by=Fact(f"{policy.alias}.principal_id"), key=object_id, missing=unlisted)
    by_id, spared = (
        policy[name].told(lambda ids: has(ids, f"{policy.alias}.principal_id")) for name in ("included", "excluded")
    )
    included = by_id | policy["included"].has(_EVERY_OWN)
    # A filter may leave out one that is included, and include another.
    reached = case((policy.flag("filtered"), _FILTERED), otherwise=included).truth() & ~spared
    app_id = rows["app_id"].map(rows.sources.sql.lower)
    application = Rows(rows.sources, "application", "registered")
    unregistered = unread("registrations", ("application.list",), scope=f"{rows.alias}.scope_id")
    registered = one(application, key=app_id, by=application["app_id"].map(rows.sources.sql.lower), missing=unregistered)
    return {
        "limits_exist": of.any_of("any", policy.flag("for_workloads")),
        "location_limited": of.any_of("limited", policy.flag("limits") & reached),
        "audience": case(
            (rows["home"].among(("microsoft", "foreign", "none")).certainly & ~registered.found, ABSENT),
            otherwise=registered["audience"],
        ),
    }
