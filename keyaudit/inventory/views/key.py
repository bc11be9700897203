"""The view of keys, by version."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views import versions
from keyaudit.inventory.views.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.model.tables.services import SERVICES_FOUND


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    unlisted = gap("listed")
    reasons = {
        **versions.REASONS,
        "purpose": "CASE WHEN stored.key_ops IS NULL THEN stored.unknown['key_ops'] END",
        "certificate_id": "stored.unknown['managed']",
        "rotates_on": _rotation_doubt(),
        "used_by": f"coalesce({unlisted}, nameless.doubt)",
        "pinned_by": f"coalesce({unlisted}, nameless.doubt, pins.doubt)",
    }
    return f"""
        SELECT {stored("key", "stored")}, {versions.COLUMNS},
            {_purpose()} AS purpose,
            {versions.certificate_of("key_id")} AS certificate_id,
            CASE WHEN {_rotation_doubt()} IS NULL THEN {_rotation()} END AS rotates_on,
            coalesce(users.consumers, 0) AS used_by_min,
            CASE WHEN {unlisted} IS NULL THEN coalesce(users.consumers, 0) + nameless.consumers END AS used_by_max,
            coalesce(pins.certain, 0) AS pinned_by_min,
            CASE WHEN {unlisted} IS NULL THEN coalesce(pins.possible, 0) + nameless.consumers END AS pinned_by_max,
            {extended(reasons)}
        FROM {versions.relations(sources, "key", "key_id")}
        LEFT JOIN (SELECT key_id, count(DISTINCT consumer_id) AS consumers FROM {sources["key_use"]} GROUP BY key_id) AS users
            ON users.key_id = stored.key_id
        LEFT JOIN ({_pins(sources)}) AS pins ON pins.id = stored.id
        CROSS JOIN (
            SELECT count(DISTINCT consumer_id) AS consumers, min(unknown['key_id']) AS doubt FROM {sources["key_use"]}
            WHERE key_id IS NULL
        ) AS nameless
        LEFT JOIN ({read_to_the_end(SERVICES_FOUND)}) AS listed ON true"""


def _pins(sources: Sources) -> str:
    """Versions with the services that stay with them, for certain and perhaps."""
    return f"""
        SELECT key_id || '/' || version AS id, count(DISTINCT consumer_id) FILTER (pinned) AS certain,
            count(DISTINCT consumer_id) FILTER (pinned IS NOT FALSE) AS possible, min(unknown['pinned']) AS doubt
        FROM {sources["key_use"]} WHERE version IS NOT NULL GROUP BY ALL"""


def _rotation() -> str:
    # Two times at the bound would leave 64 bits, and end the query.
    return versions.bounded(
        "least(stored.created_on::HUGEINT + stored.rotates_after, stored.expires_on::HUGEINT - stored.rotates_before_expiry)"
    )


def _rotation_doubt() -> str:
    """Each date matters only to the action that counts from it."""
    unknown = "stored.unknown"
    return (
        f"coalesce({unknown}['rotates_after'], {unknown}['rotates_before_expiry'],"
        f" CASE WHEN stored.rotates_after IS NOT NULL THEN {unknown}['created_on'] END,"
        f" CASE WHEN stored.rotates_before_expiry IS NOT NULL THEN {unknown}['expires_on'] END)"
    )


def _purpose() -> str:
    ops = "stored.key_ops"
    return (
        f"CASE WHEN {ops} IS NULL THEN NULL WHEN list_contains({ops}, 'sign') THEN 'sign'"
        f" WHEN list_has_any({ops}, ['decrypt', 'unwrapKey']) THEN 'wrap' ELSE 'public' END"
    )
