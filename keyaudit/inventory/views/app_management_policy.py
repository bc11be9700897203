"""The view of app management policies.

A restriction that a custom policy does not define falls back to the default policy:
https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Mapping

from msgspec import Struct

from keyaudit.inventory.facts.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason

_TARGETS = "SELECT 'applications' AS target UNION ALL SELECT 'service-principals' AS target"
"""The kinds of objects: the default policy has a part for each, and a custom policy can be assigned to both."""

_URIS = ("uri_addition_blocked", "unique_uris_only")
_RESTRICTIONS = (
    *("password_blocked", "password_lifetime", "custom_password_blocked", "symmetric_key_blocked", "symmetric_key_lifetime"),
    *("certificate_lifetime", *_URIS),
)
"""The columns of restrictions. Each has a second column, with the date from which it holds."""


class _Derived(Struct, frozen=True):
    """SQL of a value over a row of `_in_effect`, and why it is unknown."""

    value: str
    doubt: str


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    limits, flags = {}, {}
    for prefix, new in (("", False), ("new_", True)):
        limits[f"{prefix}secret_limit"] = _secret_limit(new=new)
        limits[f"{prefix}certificate_limit"] = _lifetime("certificate_lifetime", new=new)
        flags[f"{prefix}custom_secrets_blocked"] = _any_blocked("custom_password_blocked", new=new)
        flags[f"{prefix}uris_restricted"] = _any_blocked(*_URIS, new=new)
    derived = ", ".join(f"{each.value} AS {name}, {each.doubt} AS {name}_doubt" for name, each in (limits | flags).items())
    weakest = [*(_weakest_limit(name) for name in limits), *(_weakest_flag(name) for name in flags)]
    names = (*limits, *flags)
    # A custom policy for service principals alone restricts no identifier URIs.
    shown = dict.fromkeys(limits, "{}") | dict.fromkeys(flags, "coalesce({}, CASE WHEN stored.kind = 'custom' THEN false END)")
    return f"""
        SELECT {stored("app_management_policy", "stored")},
            {", ".join(f"CASE WHEN {name}_doubt IS NULL THEN {shown[name].format(name)} END AS {name}" for name in names)},
            {extended(sources.sql, {name: f"{name}_doubt" for name in names})}
        FROM {sources["app_management_policy"]} AS stored
        JOIN (
            SELECT of_id, {", ".join(weakest)}
            FROM (SELECT of_id, kinds_doubt, {derived} FROM ({_in_effect(sources)}) WHERE meant) GROUP BY of_id
        ) AS weakest ON weakest.of_id = stored.id"""


def _secret_limit(*, new: bool) -> _Derived:
    """If secrets are blocked, their lifetime does not matter."""
    blocked, lifetime = _any_blocked("password_blocked", new=new), _lifetime("password_lifetime", new=new)
    return _Derived(
        f"CASE WHEN {blocked.value} THEN 0 ELSE {lifetime.value} END",
        f"CASE WHEN {blocked.value} THEN NULL ELSE coalesce({blocked.doubt}, {lifetime.doubt}) END",
    )


def _lifetime(column: str, *, new: bool) -> _Derived:
    if new:
        return _Derived(column, f"{column}_doubt")
    return _Derived(
        f"CASE WHEN {column}_from IS NULL THEN {column} END",
        f"coalesce({column}_doubt, CASE WHEN {column} IS NOT NULL THEN {column}_from_doubt END)",
    )


def _any_blocked(*columns: str, new: bool) -> _Derived:
    """Whether one of these restrictions holds for objects made now, or for those of any age."""
    every = "" if new else " AND {0}_from IS NULL AND {0}_from_doubt IS NULL"
    dated = "{0}_doubt" if new else "coalesce({0}_doubt, CASE WHEN {0} THEN {0}_from_doubt END)"
    value = " OR ".join(f"({column}{every.format(column)})" for column in columns)
    return _Derived(
        f"({value})", f"CASE WHEN {value} THEN NULL ELSE coalesce({', '.join(map(dated.format, columns))}, NULL) END"
    )


def _weakest_limit(name: str) -> str:
    none = f"bool_or({name} IS NULL AND {name}_doubt IS NULL)"
    return f"CASE WHEN NOT {none} THEN max({name}) END AS {name}, {_doubt(name, none, absent='none')}"


def _weakest_flag(name: str) -> str:
    return f"bool_and({name}) AS {name}, {_doubt(name, f'bool_or(NOT {name} AND {name}_doubt IS NULL)')}"


def _doubt(name: str, weakest: str, *, absent: str | None = None) -> str:
    """Why the aggregate `name` over the kinds of objects of one policy is unknown.

    `weakest`: whether one has the weakest value that there is. If the kinds are unknown, so is a value that differs by kind.
    `absent`: what an absent value counts as; None: kinds without a value do not count.
    """
    value = f"coalesce({name}_doubt, CAST({name} AS STRING), {'NULL' if absent is None else quoted(absent)})"
    differs = f"count(DISTINCT {value}) > 1"
    return f"""CASE WHEN {differs} AND min(kinds_doubt) IS NOT NULL THEN min(kinds_doubt)
        WHEN {weakest} IS NOT TRUE THEN min({name}_doubt) END AS {name}_doubt"""


def _in_effect(sources: Sources) -> str:
    """A row for each policy and each kind of objects that it is for, with the restrictions that hold for these.

    `of_id`: the policy; `target`: the kind; `assigned_to`; `meant`: whether it is assigned to such objects, true if that is
    unknown; `kinds_doubt`: why. Each column of `_RESTRICTIONS`, and its date, has another with the reason why it is unknown.
    """
    restrictions = ", ".join(
        f"{each.value} AS {column}, {each.doubt} AS {column}_doubt"
        for restriction in _RESTRICTIONS
        for column in (restriction, f"{restriction}_from")
        for each in (_after_fallback(restriction, column),)
    )
    policies = sources["app_management_policy"]
    kinds = sources.sql.size("own.assigned_kinds")
    return f"""
        SELECT own.id AS of_id, targets.target, own.assigned_to, own.unknown['assigned_kinds'] AS kinds_doubt,
            own.assigned_kinds IS NULL OR {kinds} = 0 OR array_contains(own.assigned_kinds, targets.target) AS meant,
            {restrictions}
        FROM {policies} AS own JOIN ({_TARGETS}) AS targets ON own.applies_to IN (targets.target, 'assigned')
        LEFT JOIN {policies} AS base ON own.kind = 'custom' AND base.applies_to = targets.target
        LEFT JOIN ({read_to_the_end(("app_management.default",))}) AS defaults ON defaults.scope_id = own.scope_id"""


def _after_fallback(restriction: str, column: str) -> _Derived:
    """`column` of the policy `own`, or of the default policy `base` if `own` leaves the restriction to that."""
    left = f"array_contains(own.left_to_default, {quoted(restriction)})"
    missing = f"CASE WHEN base.id IS NULL THEN coalesce({gap('defaults')}, '{Reason.NOT_VISIBLE}') END"
    of_base = f"coalesce({missing}, base.unknown['{column}'])"
    # Graph does not say whether a custom policy that is off frees its objects from the default one, or leaves them to it.
    untold = (
        f"(own.kind = 'custom' AND NOT own.enabled AND (own.{column} IS DISTINCT FROM base.{column} OR {of_base} IS NOT NULL))"
    )
    value = f"CASE WHEN {left} THEN base.{column} ELSE own.{column} END"
    doubt = f"""coalesce(own.unknown['{column}'],
        CASE WHEN {untold} THEN '{Reason.NOT_STATED}' WHEN {left} THEN {of_base} END)"""
    if restriction not in _URIS:
        return _Derived(value, doubt)
    of_applications = "CASE WHEN targets.target = 'applications' THEN {} END"
    return _Derived(of_applications.format(value), of_applications.format(doubt))


class InForce(Struct, frozen=True):
    """The policy in force for a credential: the limit, why it may be unknown, and the joins that both need."""

    limit: str
    doubt: str
    joins: Mapping[str, str]


# By kind of credential, the columns that say whether it can be added, and its maximum lifetime.
_RULES = {
    "password": ("password_blocked", "password_lifetime"),
    "symmetric-key": ("symmetric_key_blocked", "symmetric_key_lifetime"),
    "certificate": (None, "certificate_lifetime"),
}


def in_force(sources: Sources, made: str, made_doubt: str) -> InForce:
    """For `stored`, a credential whose holder was created at `made`; `made_doubt`: why that is unknown."""

    def holds(name: str) -> tuple[str, str]:
        """SQL: whether an enabled restriction applies to this holder, and why that is unknown."""
        since = f"rule.{name}_from"
        undated = f"CASE WHEN {since} IS NOT NULL AND {made} IS NULL THEN coalesce({made_doubt}, '{Reason.NOT_VISIBLE}') END"
        return f"({since} IS NULL OR {made} >= {since})", f"coalesce(rule.{name}_from_doubt, {undated})"

    (blocks, blocks_doubt), (limits, limits_doubt) = holds("blocked"), holds("lifetime")
    # The first of two restrictions decides if it certainly applies.
    blocked_doubt = f"coalesce(rule.blocked_doubt, CASE WHEN rule.blocked THEN {blocks_doubt} END)"
    lifetime_doubt = f"coalesce(rule.lifetime_doubt, CASE WHEN rule.lifetime IS NOT NULL THEN {limits_doubt} END)"
    blocked = f"({blocked_doubt} IS NULL AND rule.blocked AND {blocks})"
    unassigned = f"CASE WHEN assigned.object_id IS NULL THEN coalesce({gap('customs')}, unsure.doubt, {gap('defaults')}) END"
    doubt = f"""CASE WHEN stored.kind = 'federated' THEN NULL ELSE coalesce(stored.unknown['kind'], {unassigned},
        CASE WHEN rule.kind IS NULL OR {blocked} THEN NULL ELSE coalesce({blocked_doubt}, {lifetime_doubt}) END) END"""
    policies = sources["app_management_policy"]
    joins = {
        "assigned": f"""
        LEFT JOIN (SELECT DISTINCT {sources.sql.lower("object_id")} AS object_id
            FROM (SELECT {sources.sql.each("assigned_to")} AS object_id FROM {policies})) AS assigned
            ON assigned.object_id = split_part(stored.holder_id, '/', -1)""",
        "rule": f"""
        LEFT JOIN ({_rules(sources)}) AS rule ON rule.kind = stored.kind
            AND rule.whose = coalesce(assigned.object_id, {quoted(_EVERYBODY)})
            AND rule.target = CASE stored.holder_kind WHEN 'application' THEN 'applications'
                WHEN 'service_principal' THEN 'service-principals' END""",
        "unsure": f"CROSS JOIN (SELECT min(unknown['assigned_to']) AS doubt FROM {policies}) AS unsure",
        "customs": f"""
        LEFT JOIN ({read_to_the_end(("app_management.list",))}) AS customs ON customs.scope_id = stored.scope_id""",
        "defaults": f"""
        LEFT JOIN ({read_to_the_end(("app_management.default",))}) AS defaults ON defaults.scope_id = stored.scope_id""",
    }
    limit = f"""CASE WHEN {doubt} IS NOT NULL THEN NULL WHEN {blocked} THEN 0 WHEN {limits} THEN rule.lifetime END"""
    return InForce(limit, doubt, joins)


_EVERYBODY = "default"


def _rules(sources: Sources) -> str:
    """A row per kind of credential, kind of object, and object with a custom policy, or `_EVERYBODY` for all others."""
    kinds = " UNION ALL ".join(f"SELECT {quoted(kind)} AS kind" for kind in _RULES)
    whose = sources.sql.each(f"coalesce(assigned_to, {sources.sql.items(quoted(_EVERYBODY))})")
    columns = ", ".join(
        f"{_by_kind(number, suffix, nothing)} AS {name}{suffix}"
        for number, (name, nothing) in enumerate((("blocked", "false"), ("lifetime", "NULL")))
        for suffix, nothing in (("", nothing), ("_doubt", "NULL"), ("_from", "NULL"), ("_from_doubt", "NULL"))
    )
    return f"""
        SELECT kinds.kind, rule.target, {sources.sql.lower("rule.whose")} AS whose, {columns}
        FROM (SELECT *, {whose} AS whose FROM ({_in_effect(sources)})) AS rule CROSS JOIN ({kinds}) AS kinds"""


def _by_kind(number: int, suffix: str, nothing: str) -> str:
    cases = (f"WHEN {quoted(kind)} THEN rule.{both[number]}{suffix}" for kind, both in _RULES.items() if both[number])
    return f"CASE kinds.kind {' '.join(cases)} ELSE {nothing} END"
