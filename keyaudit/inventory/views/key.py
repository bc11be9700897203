"""The view of keys, by version."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterable

from keyaudit.inventory.load import quoted
from keyaudit.inventory.views import sql, versions
from keyaudit.inventory.views.sql import Sources, Wanted, gap, read_to_the_end
from keyaudit.model.algorithms import BY_CURVE, BY_SIZE
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.services import SERVICES_FOUND

_PURPOSES = {
    "sign": ("sign",),
    # A key with import alone is a key exchange key, which unwraps what is imported:
    # https://learn.microsoft.com/azure/key-vault/keys/byok-specification
    "wrap": ("decrypt", "unwrapKey", "secureUnwrapKey", "import"),
    "public": ("verify", "encrypt", "wrapKey", "secureWrapKey"),
}
"""By purpose, the operations that show it."""
_SIGNING = versions.Counted("signing_enabled", "oldest_signing_on", "enabled AND array_contains(key_ops, 'sign')", "key_ops")


def view(sources: Sources, wanted: Wanted) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    unlisted = gap("listed")
    doubts = {
        **versions.reasons(sources.sql),
        **_SIGNING.reasons,
        "purpose": f"coalesce(stored.unknown['key_ops'], CASE WHEN {_purpose()} IS NULL THEN '{Reason.UNRECOGNISED}' END)",
        "certificate_id": "stored.unknown['managed']",
        "strength": _strength_doubt(),
        "rotates_on": _rotation_doubt(),
        "used_by": f"coalesce({unlisted}, nameless.doubt)",
        "pinned_by": f"coalesce({unlisted}, nameless.doubt, pins.doubt)",
    }
    columns = {
        **versions.columns(sources.sql),
        **_SIGNING.columns,
        "purpose": f"{_purpose()} AS purpose",
        "strength": f"{_strength()} AS strength",
        "certificate_id": f"{versions.certificate_of('key_id')} AS certificate_id",
        "rotates_on": f"CASE WHEN {_rotation_doubt()} IS NULL THEN {_rotation()} END AS rotates_on",
        "used_by": f"""coalesce(users.consumers, 0) AS used_by_min,
            CASE WHEN {unlisted} IS NULL THEN coalesce(users.consumers, 0) + nameless.consumers END AS used_by_max""",
        "pinned_by": f"""coalesce(pins.certain, 0) AS pinned_by_min,
            CASE WHEN {unlisted} IS NULL THEN coalesce(pins.possible, 0) + nameless.consumers END AS pinned_by_max""",
    }
    uses = sources["key_use"]
    joins = {
        **versions.relations(sources, "key", "key_id", _SIGNING),
        "users": f"""
            LEFT JOIN (SELECT key_id, count(DISTINCT consumer_id) AS consumers FROM {uses} GROUP BY key_id) AS users
            ON users.key_id = stored.key_id""",
        "pins": f"LEFT JOIN ({_pins(sources)}) AS pins ON pins.id = stored.id",
        "nameless": f"""CROSS JOIN (
            SELECT count(DISTINCT consumer_id) AS consumers, min(unknown['key_id']) AS doubt FROM {uses} WHERE key_id IS NULL
        ) AS nameless""",
        "listed": f"LEFT JOIN ({read_to_the_end(SERVICES_FOUND)}) AS listed ON true",
    }
    return sql.view("key", sources, columns=columns, doubts=doubts, joins=joins, wanted=wanted)


def _pins(sources: Sources) -> str:
    """Versions with the services pinned to them, certainly and possibly."""
    return f"""
        SELECT key_id || '/' || version AS id, count(DISTINCT consumer_id) FILTER (WHERE pinned) AS certain,
            count(DISTINCT consumer_id) FILTER (WHERE pinned IS NOT FALSE) AS possible, min(unknown['pinned']) AS doubt
        FROM {sources["key_use"]} WHERE version IS NOT NULL GROUP BY ALL"""


def _rotation() -> str:
    first = "least(stored.created_on + stored.rotates_after, stored.expires_on - stored.rotates_before_expiry)"
    return f"CAST({versions.bounded(first)} AS BIGINT)"


def _rotation_doubt() -> str:
    """Each date matters only for the action that depends on it."""
    unknown = "stored.unknown"
    return (
        f"coalesce({unknown}['rotates_after'], {unknown}['rotates_before_expiry'],"
        f" CASE WHEN stored.rotates_after IS NOT NULL THEN {unknown}['created_on'] END,"
        f" CASE WHEN stored.rotates_before_expiry IS NOT NULL THEN {unknown}['expires_on'] END)"
    )


def _purpose() -> str:
    """The first purpose that an operation shows. NULL if none does, and if deriveKey or export stand beside public ones."""
    known = {op for ops in _PURPOSES.values() for op in ops}
    others = [op for op in TABLES["key"].by_name["key_ops"].values if op not in known]
    return (
        f"CASE WHEN {_any_of(_PURPOSES['sign'])} THEN 'sign' WHEN {_any_of(_PURPOSES['wrap'])} THEN 'wrap'"
        f" WHEN {_any_of(others)} THEN NULL WHEN {_any_of(_PURPOSES['public'])} THEN 'public' END"
    )


def _any_of(operations: Iterable[str]) -> str:
    return " OR ".join(f"array_contains(stored.key_ops, {quoted(each)})" for each in operations)


def _strength() -> str:
    sizes = " ".join(f"WHEN stored.key_size >= {size} THEN {bits}" for size, bits in BY_SIZE.items())
    curves = " ".join(f"WHEN '{curve}' THEN {bits}" for curve, bits in BY_CURVE.items())
    strength = f"CASE {sizes} WHEN stored.key_size IS NOT NULL THEN 0 ELSE CASE stored.curve {curves} END END"
    return f"CAST({strength} AS BIGINT)"


def _strength_doubt() -> str:
    unknown, curves = "stored.unknown", ", ".join(map(quoted, BY_CURVE))
    return (
        f"coalesce({unknown}['key_size'], {unknown}['curve'],"
        f" CASE WHEN stored.curve NOT IN ({curves}) THEN '{Reason.UNRECOGNISED}' END)"
    )
