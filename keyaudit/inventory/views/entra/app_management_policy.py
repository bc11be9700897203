"""The view of app management policies.

A restriction that a custom policy does not define falls back to the default policy:
https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.facts.fact import (
    ABSENT,
    FALSE,
    Count,
    Derived,
    Doubt,
    Fact,
    Truth,
    any_of,
    case,
    known,
    strict,
    unknown,
)
from keyaudit.inventory.facts.groups import Groups, groups
from keyaudit.inventory.facts.joins import joined
from keyaudit.inventory.facts.prepared import Prepared, shared
from keyaudit.inventory.facts.relation import Rows, because, one, unread
from keyaudit.inventory.facts.sql import Sources, no_rows
from keyaudit.inventory.load import quoted
from keyaudit.inventory.rows import stored_types
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.app_management_policy import APP_MANAGEMENT_POLICY
from keyaudit.model.values.times import MAX_TIME

_TARGETS = "SELECT 'applications' AS target UNION ALL SELECT 'service-principals' AS target"
"""The kinds of objects: the default policy has a part for each, and a custom policy can be assigned to both."""

_URIS = ("uri_addition_blocked", "unique_uris_only")
_RESTRICTIONS = (
    *("password_blocked", "password_lifetime", "custom_password_blocked", "symmetric_key_blocked", "symmetric_key_lifetime"),
    *("certificate_lifetime", *_URIS),
)
"""The columns of restrictions. Each has a second column, with the date from which it holds."""

_DEFAULT = ("app_management.default",)
_TYPES = stored_types(APP_MANAGEMENT_POLICY)
_ENDLESS = MAX_TIME + 1
"""Longer than every limit: where `Groups.greatest` has a row without one."""


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows = Rows(sources, "app_management_policy")
    effect = _of_target(sources)
    of = groups(effect, "targets", by=effect["id"], key=rows["id"], each=effect.flag("meant").possibly, own=True)
    kinds = rows["assigned_kinds"]
    made: dict[str, Derived] = {}
    # A custom policy for service principals alone restricts no identifier URIs.
    for_applications = effect["target"].eq("applications") & effect.flag("meant")
    of_principals = rows["applies_to"].eq("service-principals")
    for prefix in ("", "new_"):
        for name in (f"{prefix}secret_limit", f"{prefix}certificate_limit"):
            made[name] = _weakest_limit(of, name, kinds)
        made[f"{prefix}custom_secrets_blocked"] = _weakest_flag(of, f"{prefix}custom_secrets_blocked", kinds)
        name = f"{prefix}uris_restricted"
        made[name] = case((of_principals, ABSENT), otherwise=of.any_of(name, effect.flag(name) & for_applications))
    return made


def prepare(sources: Sources) -> str:
    """The statement that creates the table of restrictions in effect, which this view and that of credentials read."""
    return _in_effect(sources).empty if no_rows(sources, "app_management_policy") else _in_effect(sources).created


def _weakest_limit(of: Groups, name: str, kinds: Fact) -> Fact:
    """The longest limit of the kinds of objects that a policy is for; absent if one of them has none. If the kinds are unknown,
    so is a limit that differs by kind.
    """
    limit = of.rows[name]
    shortest = of.least(f"shortest_{name}", limit.total(lambda sql: f"coalesce({sql}, {_ENDLESS})"))
    longest = of.greatest(name, limit, absent_last=True)
    settled = kinds.is_known | ~longest.exceeds(shortest)
    return case((settled, of.latest(name, limit, absent_last=True)), otherwise=unknown(kinds.doubt))


def _weakest_flag(of: Groups, name: str, kinds: Fact) -> Truth:
    """Whether it is true of all kinds of objects that a policy is for."""
    flag = of.rows.flag(name)
    every, some = ~of.any_of(f"not_{name}", ~flag), of.any_of(name, flag)
    return case((kinds.is_known | every | ~some, every), otherwise=unknown(kinds.doubt)).truth()


def _of_target(sources: Sources) -> Prepared:
    """What holds for each kind of objects of each policy, rows of `_in_effect`: for objects of any age, and for new ones."""
    effect = _in_effect(sources)
    facts: dict[str, Derived] = {name: effect[name] for name in ("id", "target", "meant")}
    for prefix, new in (("", False), ("new_", True)):
        blocked, lifetime = _blocked(effect, "password_blocked", new=new), _lifetime(effect, "password_lifetime", new=new)
        facts[f"{prefix}secret_limit"] = case((blocked, known(0)), otherwise=lifetime)
        facts[f"{prefix}certificate_limit"] = _lifetime(effect, "certificate_lifetime", new=new)
        facts[f"{prefix}custom_secrets_blocked"] = _blocked(effect, "custom_password_blocked", new=new)
        facts[f"{prefix}uris_restricted"] = any_of(*(_blocked(effect, column, new=new) for column in _URIS))
    return shared(sources, facts, effect.sql, effect.alias)


def _lifetime(effect: Prepared, column: str, *, new: bool) -> Fact:
    lifetime = effect[column]
    return lifetime if new else lifetime.where(lifetime.present & ~effect[f"{column}_from"].present)


def _blocked(effect: Prepared, column: str, *, new: bool) -> Truth:
    return effect.flag(column) if new else effect.flag(column) & ~effect[f"{column}_from"].present


def _in_effect(sources: Sources) -> Prepared:
    """The table with a row for each policy and each kind of objects that it is for, with the restrictions that hold for these.

    `id`: the policy; `target`: the kind; `meant`: whether it is assigned to such objects.
    """
    both = _with_default(sources)
    left: dict[str, Derived] = {}
    for name in _RESTRICTIONS:
        # Where neither has the restriction, it does not matter which of them holds.
        left[f"left_{name}"] = both["left"].has(name) & ~(_free(both, name) & _free(both, f"default_{name}"))
    made = shared(sources, {name: both[name] for name in both.facts} | left, both.sql, both.alias)
    facts: dict[str, Derived] = {name: made[name] for name in ("id", "target", "meant", "assigned_to")}
    for restriction in _RESTRICTIONS:
        for column in (restriction, f"{restriction}_from"):
            in_effect = case((made.flag(f"left_{restriction}"), made[f"default_{column}"]), otherwise=made[column])
            facts[column] = in_effect.truth() if _TYPES[column] == "BOOLEAN" else in_effect
    types = {name: _TYPES.get(name, "VARCHAR") for name in facts}
    return Prepared(sources, "app_management_effect", facts, made.sql, "effect", types=types)


def _free(both: Prepared, restriction: str) -> Truth:
    """Whether a policy certainly does not have it."""
    it = both[restriction]
    return (~(it.truth() if _TYPES[restriction.removeprefix("default_")] == "BOOLEAN" else it.present)).certainly


def _with_default(sources: Sources) -> Prepared:
    """A row for each policy and each kind of objects that it is for, with the restrictions of the default policy for these;
    `left`: the restrictions that it leaves to that.
    """
    policies, sql = sources["app_management_policy"], sources.sql
    unread_default = unread("defaults", _DEFAULT, scope="policy.scope_id") | because(Reason.NOT_VISIBLE)
    of_each = f"""
        SELECT policy.*, targets.target, {unread_default.sql} AS unread_default FROM {policies} AS policy
        JOIN ({_TARGETS}) AS targets ON policy.applies_to IN (targets.target, 'assigned') {joined(unread_default.reads)}"""
    own = Rows(sources, "app_management_policy", "own", relation=f"({of_each})")
    default = Rows(sources, "app_management_policy", "base", relation=f"(SELECT * FROM {policies} WHERE kind = 'default')")
    unseen = Doubt((f"{own.alias}.unread_default",), always=True)
    target = Fact(f"{own.alias}.target")
    base = one(default, key=target, by=default["applies_to"], missing=unseen)
    # Graph does not say whether a custom policy that is off frees its objects from the default one, or leaves them to it.
    left = case((own.flag("enabled"), own["left_to_default"]), otherwise=unknown(because(Reason.NOT_STATED)))
    facts: dict[str, Derived] = {
        "id": own["id"],
        "target": target,
        "meant": own["assigned_kinds"].told(
            lambda kinds: f"{sql.size(kinds)} = 0 OR array_contains({kinds}, {target.value})", absent=True
        ),
        "assigned_to": own["assigned_to"],
        "left": case((own["kind"].eq("custom"), left), otherwise=Fact(sql.texts(()))),
    }
    for restriction in _RESTRICTIONS:
        for column in (restriction, f"{restriction}_from"):
            facts[column], facts[f"default_{column}"] = own[column], base[column]
    return shared(sources, facts, own.sql, own.alias)


_RULES = {
    "password": ("password_blocked", "password_lifetime"),
    "symmetric-key": ("symmetric_key_blocked", "symmetric_key_lifetime"),
    "certificate": (None, "certificate_lifetime"),
}
"""By kind of credential, the columns that say whether it can be added, and its maximum lifetime."""
_EVERYBODY = "default"


def limit(rows: Rows) -> Fact:
    """The lifetime that the policy in force allows each of `rows`, which are credentials; 0 where none can be added."""
    limits = _of_holders(rows)
    of_holder = strict(lambda kind, holder: f"{kind} || ' ' || {holder}", rows["kind"], rows["holder_id"])
    return one(limits, key=of_holder, by=limits["key"])["longest"].where(~rows["kind"].eq("federated"))


def _of_holders(rows: Rows) -> Prepared:
    """A row per kind of credential and holder: what limits such a credential, by `key`."""
    sources, kind, scope = rows.sources, Fact("holder.kind"), "holder.scope_id"
    kinds = ", ".join(map(quoted, _RULES))
    holders = f"""
        (SELECT DISTINCT kind, holder_kind, holder_id, scope_id, split_part(holder_id, '/', -1) AS object_id,
            CASE holder_kind WHEN 'application' THEN 'applications' ELSE 'service-principals' END AS target
        FROM {sources["credential"]} WHERE kind IN ({kinds})) AS holder"""
    object_id, unlimited = Fact("holder.object_id"), because(Reason.INCONSISTENT)
    policies = _assigned(object_id, sources)
    facts: dict[str, Derived] = {
        "key": Fact("holder.kind || ' ' || holder.holder_id"),
        "kind": kind,
        "target": Fact("holder.target"),
        "scope_id": Fact(scope),
        "made": _made(sources),
        # An object has one policy at most: https://learn.microsoft.com/graph/api/appmanagementpolicy-post-appliesto
        "whose": case(
            (policies.exceeds(known(1)).certainly, unknown(unlimited)),
            (policies.exceeds(known(0)), object_id),
            otherwise=known(_EVERYBODY),
        ),
    }
    held = shared(sources, facts, holders, "holder")
    rules = _rules(sources)
    key = strict(lambda *parts: " || ' ' || ".join(parts), held["kind"], held["target"], held["whose"])
    rule = one(rules, key=key, by=rules["key"], missing=unread("defaults", _DEFAULT, scope=scope))
    of_rule = {name: rule[name] for name in ("blocked", "blocked_from", "lifetime", "lifetime_from")}
    ruled = shared(sources, {"key": held["key"], "made": held["made"], **of_rule}, held.sql, held.alias)

    def holds(name: str) -> Truth:
        since = ruled[f"{name}_from"]
        return ~since.present | strict(lambda made, since: f"{made} >= {since}", ruled["made"], since).truth()

    lifetime = ruled["lifetime"]
    limited = lifetime.where(lifetime.present & holds("lifetime"))
    blocked = ruled["blocked"].truth() & holds("blocked")
    made = {"key": ruled["key"], "longest": case((blocked, known(0)), otherwise=limited)}
    return shared(sources, made, ruled.sql, "limits")


def _made(sources: Sources) -> Fact:
    """When the holder of a credential was created."""
    unseen, key = because(Reason.NOT_VISIBLE), Fact("holder.holder_id")
    application, principal = (
        one(Rows(sources, table, table), key=key, missing=unseen)["created_on"].or_else(unknown(unseen))
        for table in ("application", "service_principal")
    )
    return case((Fact("holder.holder_kind").eq("application"), application), otherwise=principal)


def _assigned(object_id: Fact, sources: Sources) -> Count:
    """The custom policies of an object."""
    custom = f"(SELECT * FROM {sources['app_management_policy']} WHERE kind = 'custom')"
    policies = Rows(sources, "app_management_policy", "custom", relation=custom)
    unseen = unread("customs", ("app_management.list",), scope="holder.scope_id")
    by = policies["assigned_to"].map(lambda ids: sources.sql.mapped(ids, "id", sources.sql.lower("id")))
    return groups(policies, "assigned", by=by, key=object_id, missing=unseen, in_list=True).count_of("policies")


def _rules(sources: Sources) -> Prepared:
    """A row per kind of credential, kind of object, and object with a custom policy, or `_EVERYBODY` for all others."""
    effect, sql = _in_effect(sources), sources.sql
    assigned_to = effect["assigned_to"]
    of_each = f"""
        SELECT *, {sql.each(f"coalesce({assigned_to.value}, {sql.items(quoted(_EVERYBODY))})")} AS whose
        FROM {effect.sql} WHERE {assigned_to.why.sql} IS NULL"""
    kinds = " UNION ALL ".join(f"SELECT {quoted(kind)} AS kind" for kind in _RULES)
    of_kinds = f"(SELECT * FROM ({of_each}) CROSS JOIN ({kinds}) AS kinds)"
    effect = effect.under("effect", of_kinds)
    kind = Fact("effect.kind")

    def by_kind(number: int, suffix: str, otherwise: Fact) -> Fact:
        columns = {name: columns[number] for name, columns in _RULES.items()}
        return case(
            *((kind.eq(name), effect[f"{column}{suffix}"]) for name, column in columns.items() if column), otherwise=otherwise
        )

    facts: dict[str, Derived] = {
        "key": Fact(f"effect.kind || ' ' || effect.target || ' ' || {sql.lower('effect.whose')}"),
        "blocked": by_kind(0, "", FALSE).truth(),
        "blocked_from": by_kind(0, "_from", ABSENT),
        "lifetime": by_kind(1, "", ABSENT),
        "lifetime_from": by_kind(1, "_from", ABSENT),
    }
    return shared(sources, facts, effect.sql, "rule")
