"""The uses of old and new versions that the logs show, and the days on which they show all."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; ids are parameters

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from keyaudit.inventory.usage.complete_days import LONG_ENOUGH, REMOVALS, covered
from keyaudit.inventory.views.logs.recorded_uses import USES
from keyaudit.model.tables.usage import KEY_VAULT_LOG, SIGN_IN_LOGS
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY
from keyaudit.questions.blast_radius.evidence.graph import rows
from keyaudit.questions.rotation.answer import Logged, State, Why
from keyaudit.questions.rotation.evidence.views import Views

SIGN_INS = SIGN_IN_LOGS[0]
_READS = (*USES, "read-secret")
"""The operations that need a version. A certificate is read as the secret of its name."""


class Use(Struct, frozen=True, kw_only=True):
    """The uses of one version by one actor. Ids are in lower case."""

    app: str | None
    principal: str | None
    version: str
    """Empty if the log names none."""
    last_on: int


def uses_of(views: Views, object_: str, since: int) -> list[Use]:
    """The uses of an object of a vault since then, refused ones too: a caller that was refused has not moved.

    `object_`: HOST/NAME, since its key, secret and certificate are one.
    """
    if views.uses is None:
        return []
    query = f"""
        SELECT actor_app_id AS app, principal_id AS principal, coalesce(split_part(target_id, '/', 6), '') AS version,
            max(used_on) AS last_on
        FROM {views.uses}
        WHERE target_kind IN ('key', 'secret', 'certificate') AND list_contains($operations, operation) AND used_on >= $since
            AND split_part(target_id, '/', 3) || '/' || split_part(target_id, '/', 5) = $object
        GROUP BY ALL ORDER BY ALL"""
    values = {"operations": list(_READS), "since": since, "object": object_}
    return [Use(**row) for row in rows(views.connection, query, values)]


def sign_ins(views: Views, credentials: Collection[str]) -> dict[str, int]:
    """The last sign-in with each of these credentials, by key id in lower case. A refused one is one, too."""
    if views.uses is None:
        return {}
    query = f"""
        SELECT credential_key_id AS key, max(used_on) AS last_on FROM {views.uses}
        WHERE operation = 'sign-in' AND list_contains($keys, credential_key_id) GROUP BY ALL"""
    return {row["key"]: row["last_on"] for row in rows(views.connection, query, {"keys": sorted(credentials)})}


def of_vault(views: Views, vault_id: str, host: str, begun_on: int | None) -> Logged:
    """What the log of a vault covers since `begun_on`, when the new version was made."""
    nameless = f"source = '{KEY_VAULT_LOG}' AND target_id IS NULL AND list_contains({list(_READS)}, operation)"
    covered = _covered(views, KEY_VAULT_LOG, (vault_id.lower(), f"https://{host}"))
    return _logged(views, KEY_VAULT_LOG, covered, begun_on, _Nameless(nameless))


def of_tenant(views: Views, apps: Collection[str], begun_on: int | None) -> Logged:
    """What the log of sign-ins covers since `begun_on`: a record without a credential may be one of these applications."""
    nameless = f"""source = '{SIGN_INS}' AND operation = 'sign-in' AND credential_key_id IS NULL
        AND (actor_app_id IS NULL OR list_contains($apps, actor_app_id))"""
    covered = _covered(views, SIGN_INS, ())
    return _logged(views, SIGN_INS, covered, begun_on, _Nameless(nameless, {"apps": sorted(apps)}))


class _Nameless(Struct, frozen=True):
    """An SQL condition for records that do not name what was used, with its parameters."""

    condition: str
    values: Mapping[str, list[str]] = {}


def _logged(views: Views, log: str, covered: Window | None, begun_on: int | None, nameless: _Nameless) -> Logged:
    if covered is None or begun_on is None or covered.until - max(covered.since, begun_on) < LONG_ENOUGH:
        return Logged(log=log, covered=covered, enough=False)
    query = f"SELECT 1 FROM {views.uses} WHERE ({nameless.condition}) AND used_on >= $since LIMIT 1"
    unnamed = rows(views.connection, query, {**nameless.values, "since": covered.until - LONG_ENOUGH})
    return Logged(log=log, covered=covered, enough=not unnamed)


def _covered(views: Views, log: str, resources: Sequence[str]) -> Window | None:
    """The days on which that log of a resource, or of the tenant, is complete until now."""
    if views.uses is None:
        return None
    query = "SELECT lower(logged_id) AS logged_id, last_on, whole_since FROM usage_log WHERE source = $log"
    found = rows(views.connection, query, {"log": log})
    logs = ((row["whole_since"], row["last_on"]) for row in found if not resources or row["logged_id"] in resources)
    return covered(logs, _removed(views), resources, views.as_of)


def _removed(views: Views) -> Sequence[tuple[str, int]]:
    """The settings and destinations of logs that were removed, with the last time."""
    query = f"""
        SELECT lower(coalesce(target_id, '')) AS target, max(used_on) AS used_on FROM {views.uses}
        WHERE succeeded IS NOT FALSE AND operation IN {REMOVALS} GROUP BY ALL"""
    return [(row["target"], row["used_on"]) for row in rows(views.connection, query, {})]


def recent(logged: Logged | None, begun_on: int | None, as_of: int) -> int:
    """Since when a use of an old version counts: since the new one was made, but for as long as complete logs have to be."""
    until = logged.covered.until if logged is not None and logged.covered is not None else as_of
    return max(begun_on or 0, until - LONG_ENOUGH)


def judged(last_old: int | None, last_new: int | None, since: int) -> tuple[State, Why] | None:
    """Where a consumer is by its last uses of an old and of the new version; None if the old one was not used since then.

    A consumer that used the new version a day or more after the old one may have moved: jobs that use both are seen again.
    """
    if last_old is None or last_old < since:
        return None
    if last_new is not None and last_new >= last_old + DAY:
        return State.UNKNOWN, Why.USED_BOTH
    return State.NOT_MOVED, Why.USED_OLD
