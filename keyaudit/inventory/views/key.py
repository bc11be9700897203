"""The view of keys, by version."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.sql import Sources, extended, gap, read_to_the_end, stored, tag
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.services import SERVICES_FOUND
from keyaudit.model.times import MAX_TIME


def view(sources: Sources) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown."""
    # Aggregated over a few columns and joined back: a window would carry every column of every version through its sort.
    #   superseded  surely enabled and not the current one; NULL: perhaps
    #   doubt       why a version is only perhaps one
    versions = f"""
        SELECT key_id, vault_id, superseded, created_on,
            CASE WHEN superseded IS NULL THEN coalesce(unknown['enabled'], unknown['is_current']) END AS doubt,
            CASE WHEN created_on IS NULL THEN unknown['created_on'] END AS undated,
            CASE WHEN versions_listed THEN NULL ELSE coalesce(unknown['versions_listed'], '{Reason.TRUNCATED}') END AS unlisted
        FROM (
            SELECT key_id, vault_id, created_on, versions_listed, unknown, enabled AND NOT is_current AS superseded
            FROM {sources["key"]}
        )"""
    groups = f"""
        SELECT key_id,
            count(*) FILTER (superseded) AS certain,
            count(*) FILTER (superseded IS NOT FALSE) AS possible,
            min(unlisted) AS unlisted,
            min(doubt) AS doubt,
            min(created_on) FILTER (superseded) AS oldest,
            coalesce(bool_or(superseded AND created_on IS NULL AND undated IS NULL), false) AS dateless,
            min(undated) FILTER (superseded) AS undated,
            min(coalesce(created_on, {-MAX_TIME})) FILTER (superseded IS NULL) AS oldest_in_doubt
        FROM ({versions}) GROUP BY key_id"""
    # A version without a date was made before the service kept dates, so that the oldest then is one that has none.
    oldest_doubt = """coalesce(groups.unlisted, groups.undated,
        CASE WHEN groups.oldest IS NULL OR groups.oldest_in_doubt < groups.oldest THEN groups.doubt END)"""
    unlisted = gap("listed")
    return f"""
        SELECT {stored("key", "stored")},
            CASE WHEN stored.unknown['tags'] IS NULL THEN coalesce({tag("stored")}, vault.environment) END AS environment,
            {_purpose()} AS purpose,
            groups.certain AS superseded_enabled_min,
            CASE WHEN groups.unlisted IS NULL THEN groups.possible END AS superseded_enabled_max,
            CASE WHEN {oldest_doubt} IS NULL AND NOT groups.dateless THEN groups.oldest END AS oldest_superseded_on,
            CASE WHEN {_rotation_doubt()} IS NULL THEN {_rotation()} END AS rotates_on,
            coalesce(users.consumers, 0) AS used_by_min,
            CASE WHEN {unlisted} IS NULL THEN coalesce(users.consumers, 0) + nameless.consumers END AS used_by_max,
            coalesce(pins.certain, 0) AS pinned_by_min,
            CASE WHEN {unlisted} IS NULL THEN coalesce(pins.possible, 0) + nameless.consumers END AS pinned_by_max,
            {
        extended(
            {
                "environment": f"coalesce(stored.unknown['tags'], {_vault_doubt()})",
                "purpose": "CASE WHEN stored.key_ops IS NULL THEN stored.unknown['key_ops'] END",
                "superseded_enabled": "coalesce(groups.unlisted, groups.doubt)",
                "oldest_superseded_on": oldest_doubt,
                "rotates_on": _rotation_doubt(),
                "used_by": f"coalesce({unlisted}, nameless.doubt)",
                "pinned_by": f"coalesce({unlisted}, nameless.doubt, pins.doubt)",
            }
        )
    }
        FROM {sources["key"]} AS stored
        JOIN ({groups}) AS groups ON groups.key_id = stored.key_id
        LEFT JOIN (
            SELECT id, {tag("vault")} AS environment, unknown['tags'] AS doubt FROM {sources["vault"]} AS vault
        ) AS vault ON vault.id = stored.vault_id
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


def _vault_doubt() -> str:
    missing = f"CASE WHEN vault.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE vault.doubt END"
    return f"CASE WHEN {tag('stored')} IS NULL THEN {missing} END"


def _rotation() -> str:
    # Two times at the bound would leave 64 bits, and end the query: beyond it, all dates are alike.
    first = (
        "least(stored.created_on::HUGEINT + stored.rotates_after, stored.expires_on::HUGEINT - stored.rotates_before_expiry)"
    )
    return (
        f"(CASE WHEN {first} > {MAX_TIME} THEN {MAX_TIME} WHEN {first} < -{MAX_TIME} THEN -{MAX_TIME} ELSE {first} END)::BIGINT"
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
