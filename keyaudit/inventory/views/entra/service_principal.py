"""The view of service principals."""

from keyaudit.inventory.facts.fact import ABSENT, Derived, Doubt, Fact, case, unknown
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.prepared import Prepared, shared
from keyaudit.inventory.facts.relation import Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.views.entra import agents, conditional_access
from keyaudit.inventory.views.entra.agents import object_id
from keyaudit.inventory.views.entra.privileges import facts as privileges
from keyaudit.inventory.views.entra.privileges import grants_of, unassigned
from keyaudit.inventory.views.environment import BY_PRINCIPAL, called
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES

_ACTIVITY = TABLES["sign_in_activity"].listed_by
_CREDENTIALS = (*TABLES["application"].listed_by, *TABLES["service_principal"].listed_by)
_FEDERATED = tuple(f"{holder}.federated{each}" for holder in ("application", "service_principal") for each in ("", "_of"))
_OF_IDENTITIES = ("subscription.list", "managed_identity.query", "managed_identity.federated_of")

_TAG = "^env(?:ironment)?[:=]"
_TAGGED = rf"{_TAG}([^\n]*)\z"


def facts(sources: Sources, as_of: int) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "service_principal")
    scope = f"{rows.alias}.scope_id"
    unlisted = rows["app_roles_listed"].doubt
    doubts = unassigned(scope)
    publisher = ABSENT
    if not agents.none(sources):
        row = agents.parents(sources)
        # There is none for what is certainly no agent.
        parent = one(row, key=object_id(rows), by=row["object_id"])
        unlisted |= parent["inherited_listed"].why
        doubts["consents"] |= parent["consents_listed"].why
        publisher = parent["publisher"]
    granted = grants_of(object_id(rows), sources)
    return {
        **privileges(granted, {"roles": unlisted, **doubts}),
        **_sign_in(rows, as_of),
        "environment": _environment(rows, _recorded(rows)),
        "blueprint_publisher": publisher,
        **_last_used(rows, scope),
        **conditional_access.of_principal(rows, object_id(rows)),
    }


def _sign_in(rows: Rows, as_of: int) -> dict[str, Derived]:
    """What signs it in: unexpired credentials of it and of its application, which are listed with them."""
    credential = Rows(rows.sources, "credential", "credential")
    kind, lower = credential["kind"], rows.sources.sql.lower
    of = groups(
        credential,
        "signs_in",
        by=credential["app_id"].map(lower),
        key=rows["app_id"].map(lower),
        missing=unread("signs_in_listed", _CREDENTIALS, scope=f"{rows.alias}.scope_id"),
    )
    live = credential["expires_on"].told(lambda end: f"{end} > {as_of}", absent=True) & ~credential["usage"].eq("Sign")
    scope = f"{rows.alias}.scope_id"
    of_identity = unread("identities_listed", _OF_IDENTITIES, scope=scope).where(rows["principal_type"].eq("ManagedIdentity"))
    federated = of.lacking(unread("trusts_listed", _FEDERATED, scope=scope) | of_identity)
    return {
        "live_secrets": of.count_of("secrets", live & kind.eq("password")),
        "live_certificates": of.count_of("certificates", live & kind.eq("certificate")),
        "federated_credentials": federated.count_of("federated", kind.eq("federated")),
    }


def _last_used(rows: Rows, scope: str) -> dict[str, Derived]:
    used = Rows(rows.sources, "sign_in_activity", "used")
    unreported = unread("report", _ACTIVITY, scope=scope)
    app_id = rows["app_id"].map(rows.sources.sql.lower)
    # The report has one record of an application: https://learn.microsoft.com/graph/api/resources/serviceprincipalsigninactivity
    of = groups(used, "records", by=used["app_id"], key=app_id, missing=unreported, single=True)
    return {name: of.latest(name, used[name]) for name in ("last_sign_in_on", "last_client_sign_in_on")}


def _subscription(rows: Rows) -> Fact:
    """The subscription that a managed identity is in."""
    return rows["arm_id"].map(lambda id_: f"nullif(regexp_extract({id_}, '^/subscriptions/([^/]+)', 1), '')", absent=True)


def _environment(rows: Rows, recorded: Fact) -> Fact:
    """Its own tag first; two tags with different environments leave it unknown. Then what `_recorded` says."""
    sql = rows.sources.sql

    def tagged(tags: str) -> str:
        """Entra's tags have no values, so teams write one after a colon."""
        tag = sql.lower("tag")
        chosen = sql.chosen(tags, "tag", sql.found(tag, _TAG))
        name = called(rows.sources, sql.trimmed(sql.extracted(tag, _TAGGED)))
        return f"array_distinct({sql.mapped(chosen, 'tag', name)})"

    tags = rows["app_tags"]
    number = tags.map(lambda value: sql.size(tagged(value)))
    return case(
        (number.eq(0), recorded),
        (number.eq(1), tags.map(lambda value: sql.item(tagged(value), 1))),
        otherwise=unknown(because(Reason.BAD_VALUE)),
    )


def _recorded(rows: Rows) -> Fact:
    """What [environments] says of it, or, of a managed identity, of its subscription."""
    return _by_rule(rows).or_else(_of_subscription(rows))


def _by_rule(rows: Rows) -> Fact:
    rule = BY_PRINCIPAL.format(rows.alias)
    by_name = (rows["app_id"].doubt | rows["name"].doubt).sql
    return Fact(rule, Doubt((f"CASE WHEN {rule} IS NULL AND environment_by_principal() THEN {by_name} END",)), absent=True)


def _of_subscription(rows: Rows) -> Fact:
    """Of a managed identity; a rule can match its subscription by name, which is unknown if the identity cannot see it."""
    subscription = _subscription(rows)
    places = Rows(rows.sources, "subscription", "place")
    name = one(places, key=subscription, by=places["subscription_id"], missing=because(Reason.NOT_VISIBLE))["name"]
    rule = f"environment_of(NULL, NULL, {subscription.value}, {name.value})"
    unseen = Doubt((f"CASE WHEN {rule} IS NULL AND environment_by_subscription() THEN {name.why.sql} END",), name.everything)
    return Fact(rule, unseen, absent=True, reads=name.reads).where(subscription.present)


def environments(sources: Sources) -> Prepared:
    """The environment of every service principal, by `object_id`, and its `app_id` in lower case.

    `unnamed`: it has no configured environment, and is not known to be a Microsoft service, which has none. `recorded`:
    what [environments] alone says. `subscription`: that of a managed identity.
    """
    rows = Rows(sources, "service_principal")
    recorded = _recorded(rows)
    facts: dict[str, Derived] = {
        "object_id": object_id(rows),
        "app_id": rows["app_id"].map(sources.sql.lower),
        "home": rows["home"],
        "listed": rows.flag("app_roles_listed"),
        "environment": _environment(rows, recorded),
        "recorded": recorded,
        "subscription": _subscription(rows),
    }
    homes = shared(sources, facts, rows.sql, "home")
    unnamed = (~homes["environment"].present).certainly & ~homes["home"].eq("microsoft").certainly
    shown = ("object_id", "app_id", "listed", "environment", "recorded", "subscription")
    return shared(sources, {**{name: homes[name] for name in shown}, "unnamed": unnamed}, homes.sql, homes.alias)
