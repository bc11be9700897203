"""The view of keys, by version."""

from collections.abc import Iterable

from keyaudit.inventory.facts.extremes import least_of
from keyaudit.inventory.facts.fact import Derived, Fact, Truth, strict
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Relation, Rows, unread
from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.vaults import versions
from keyaudit.model.algorithms import BY_CURVE, BY_SIZE
from keyaudit.model.tables import TABLES
from keyaudit.model.tables.vaults.key_use import USES_FOUND

_PURPOSES = {
    "sign": ("sign",),
    # A key with import alone is a key exchange key, which unwraps what is imported:
    # https://learn.microsoft.com/azure/key-vault/keys/byok-specification
    "wrap": ("decrypt", "unwrapKey", "secureUnwrapKey", "import"),
    "public": ("verify", "encrypt", "wrapKey", "secureWrapKey"),
}
"""By purpose, the operations that show it."""


def facts(sources: Sources) -> dict[str, Derived]:
    """The derived columns."""
    rows, uses = Rows(sources, "key"), Rows(sources, "key_use", "use")
    of_object = versions.of_object(rows, "key_id")
    unlisted = unread("listed", USES_FOUND)
    consumer = uses["consumer_id"]
    users = groups(uses, "users", by=uses["key_id"], key=rows["key_id"], missing=unlisted)
    version = strict(lambda key_id, version: f"{key_id} || '/' || {version}", uses["key_id"], uses["version"])
    pinned = groups(uses, "pins", by=version, key=rows["id"], missing=unlisted)
    return {
        **versions.facts(rows, of_object, "sku"),
        **versions.counted(of_object, "signing_enabled", "oldest_signing_on", _signing),
        "purpose": rows["key_ops"].recognised(_purpose),
        "strength": rows["key_size"].map(_by_size).or_else(rows["curve"].recognised(_by_curve)),
        "certificate_id": versions.certificate_of(rows, "key_id"),
        "rotates_on": _rotation(rows),
        "third_left_on": versions.third_left(rows, rows["activates_on"].or_else(rows["created_on"]), rows["expires_on"]),
        "used_by": users.count_of("consumers", different=consumer),
        "pinned_by": pinned.count_of("pinned", uses.flag("pinned"), different=consumer),
    }


def _signing(version: Relation) -> Truth:
    return version.flag("enabled") & version["key_ops"].has("sign")


def _rotation(rows: Rows) -> Fact:
    """When its policy makes a new version. Each date matters only for the action that counts from it."""
    after = strict(lambda after, made: f"({made} + {after})", rows["rotates_after"], rows["created_on"])
    before = strict(lambda before, end: f"({end} - {before})", rows["rotates_before_expiry"], rows["expires_on"])
    return least_of(after, before).map(lambda first: f"CAST({versions.bounded(first)} AS BIGINT)")


def _purpose(key_ops: str) -> str:
    """The first purpose that an operation shows. NULL if none does, and if deriveKey or export stand beside public ones."""
    known = {op for ops in _PURPOSES.values() for op in ops}
    others = [op for op in TABLES["key"].by_name["key_ops"].values if op not in known]

    def any_of(operations: Iterable[str]) -> str:
        return " OR ".join(f"array_contains({key_ops}, {quoted(each)})" for each in operations)

    return (
        f"CASE WHEN {any_of(_PURPOSES['sign'])} THEN 'sign' WHEN {any_of(_PURPOSES['wrap'])} THEN 'wrap'"
        f" WHEN {any_of(others)} THEN NULL WHEN {any_of(_PURPOSES['public'])} THEN 'public' END"
    )


def _by_size(size: str) -> str:
    sizes = " ".join(f"WHEN {size} >= {least} THEN {bits}" for least, bits in BY_SIZE.items())
    return f"CAST(CASE {sizes} WHEN {size} IS NOT NULL THEN 0 END AS BIGINT)"


def _by_curve(curve: str) -> str:
    curves = " ".join(f"WHEN '{name}' THEN {bits}" for name, bits in BY_CURVE.items())
    return f"CAST(CASE {curve} {curves} END AS BIGINT)"
