"""Adds log evidence to keys, the tenant and signing certificates: certain if a record shows it, or if the log is complete.

A log that is complete from some day until now proves that something was not done; any other log only proves what was done.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Callable, Mapping

from keyaudit.inventory.facts.sql import Sources, extended
from keyaudit.inventory.load import quoted
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.usage import KEY_VAULT_LOG, REACHES, USER_SIGN_IN_LOG
from keyaudit.model.times import DAY

USES = ("sign", "verify", "encrypt", "decrypt", "wrap", "unwrap", "release")
"""The operations that use a version. Copying it is not a use."""
_SIGNING = 30 * DAY
_NOT_SHOWN = f"'{Reason.NOT_SUPPLIED}'"
"""The relevant part of the log was not supplied."""

_OWN = ("log_used", "log_perhaps", "log_since", "log_apps", "log_apps_most")
_LAST = "greatest(log_used, log_perhaps)"


def whole(sources: Sources, log: str, as_of: int | None = None) -> str:
    """By resource and for the tenant, since when a log is complete; with `as_of`, only logs that continue until then."""
    ends = "" if as_of is None else f" AND last_on >= {as_of - REACHES - DAY}"
    return f"""SELECT logged_id, min(whole_since) AS since FROM {sources["usage_log"]}
        WHERE source = {quoted(log)} AND whole_since IS NOT NULL{ends} GROUP BY logged_id"""


def _keys(query: str, sources: Sources, as_of: int) -> str:
    names = ", ".join(map(quoted, USES))
    done = f"target_kind = 'key' AND operation IN ({names}) AND succeeded IS NOT FALSE"
    uses = f"""SELECT target_id AS id, max(used_on) FILTER (WHERE succeeded) AS used,
            max(used_on) FILTER (WHERE succeeded IS NULL) AS perhaps
        FROM {sources["usage"]} WHERE {done} GROUP BY target_id"""
    # Records without an application may each be of another one.
    told = "unknown['actor_app_id'] IS NULL"
    sql = sources.sql
    key_id = sql.joined(sql.first_items(sql.divided("target_id", "/"), 5), "/")
    apps = f"""SELECT {key_id} AS key_id,
            count(DISTINCT coalesce(actor_app_id, '')) FILTER (WHERE succeeded AND {told}) AS certain,
            count(DISTINCT coalesce(actor_app_id, '')) FILTER (WHERE {told})
                + CAST(coalesce(sum(uses) FILTER (WHERE NOT {told}), 0) AS BIGINT) AS possible
        FROM {sources["usage"]} WHERE {done} AND operation = 'sign' AND used_on >= {as_of - _SIGNING} GROUP BY ALL"""
    logs = whole(sources, KEY_VAULT_LOG, as_of)
    shown = f"""
        SELECT each.*, own.used AS log_used, greatest(own.perhaps, unnamed.used, unnamed.perhaps) AS log_perhaps,
            least(by_id.since, by_address.since) AS log_since, coalesce(apps.certain, 0) AS log_apps,
            coalesce(apps.possible, 0) AS log_apps_most
        FROM ({query}) AS each
        LEFT JOIN ({uses}) AS own ON own.id = each.id
        -- The record names no version: it may be any.
        LEFT JOIN ({uses}) AS unnamed ON unnamed.id = each.key_id
        LEFT JOIN ({apps}) AS apps ON apps.key_id = each.key_id
        LEFT JOIN ({logs}) AS by_id ON by_id.logged_id = each.vault_id
        LEFT JOIN ({logs}) AS by_address ON by_address.logged_id = 'https://' || split_part(each.key_id, '/', 3)"""
    made = "coalesce(log_used, created_on)"
    last = f"""CASE WHEN log_perhaps > coalesce(log_used, log_perhaps - 1) OR log_since IS NULL THEN {_NOT_SHOWN}
        WHEN {made} IS NULL THEN coalesce(stored.unknown['created_on'], {_NOT_SHOWN})
        WHEN log_since > {made} THEN {_NOT_SHOWN} END"""
    unused = f"CASE WHEN log_since IS NULL THEN {_NOT_SHOWN} END"
    expired = f"""CASE WHEN stored.unknown['expires_on'] IS NOT NULL THEN stored.unknown['expires_on']
        WHEN expires_on IS NULL OR log_used > expires_on THEN NULL
        WHEN log_perhaps > expires_on OR log_since IS NULL OR log_since > expires_on THEN {_NOT_SHOWN} END"""
    many = f"""CASE WHEN log_since IS NULL OR log_since > {as_of - _SIGNING} OR log_apps <> log_apps_most
        THEN {_NOT_SHOWN} END"""
    doubts = {"last_used_on": last, "unused_since": unused, "used_after_expiry": expired, "signing_apps": many}
    return f"""
        SELECT {sql.excluding("unknown", *_OWN, of="stored")},
            CASE WHEN {last} IS NULL THEN log_used END AS last_used_on,
            CASE WHEN {unused} IS NULL THEN greatest(log_since, {_LAST}, created_on) END AS unused_since,
            CASE WHEN {expired} IS NULL THEN coalesce(log_used > expires_on, false) END AS used_after_expiry,
            log_apps AS signing_apps_min,
            CASE WHEN log_since <= {as_of - _SIGNING} THEN log_apps_most END AS signing_apps_max,
            {extended(sources.sql, doubts)}
        FROM ({shown}) AS stored"""


def _tenant(query: str, sources: Sources, _: int) -> str:
    return f"SELECT *, (SELECT max(learned_until) FROM {sources['usage_baseline']}) AS appid_baseline_on FROM ({query})"


def _signing_certificates(query: str, sources: Sources, as_of: int) -> str:
    uses = f"""SELECT target_id AS app_id, max(used_on) FILTER (WHERE succeeded) AS used,
            max(used_on) FILTER (WHERE succeeded IS NULL) AS perhaps
        FROM {sources["usage"]} WHERE operation = 'saml-sign-in' AND succeeded IS NOT FALSE GROUP BY target_id"""
    shown = f"""
        SELECT each.*, own.used AS log_used, greatest(own.perhaps, unnamed.used, unnamed.perhaps) AS log_perhaps,
            log.since AS log_since
        FROM ({query}) AS each
        LEFT JOIN ({uses}) AS own ON own.app_id = {sources.sql.lower("each.app_id")}
        -- The record names no application: it may be any.
        LEFT JOIN ({uses}) AS unnamed ON unnamed.app_id IS NULL
        LEFT JOIN (SELECT min(since) AS since FROM ({whole(sources, USER_SIGN_IN_LOG, as_of)})) AS log ON true"""
    idle = "kind <> 'saml' OR NOT active OR expires_on IS NULL AND stored.unknown['expires_on'] IS NULL"
    unread = ", ".join(f"stored.unknown['{name}']" for name in ("kind", "active", "expires_on", "app_id"))
    doubt = f"""CASE WHEN {idle} THEN NULL WHEN coalesce({unread}) IS NOT NULL THEN coalesce({unread})
        WHEN log_used > expires_on THEN NULL
        WHEN log_perhaps > expires_on OR log_since IS NULL OR log_since > expires_on THEN {_NOT_SHOWN} END"""
    return f"""
        SELECT {sources.sql.excluding("unknown", "log_used", "log_perhaps", "log_since", of="stored")},
            CASE WHEN {idle} THEN false WHEN {doubt} IS NULL THEN coalesce(log_used > expires_on, false) END
                AS used_after_expiry,
            {extended(sources.sql, {"used_after_expiry": doubt})}
        FROM ({shown}) AS stored"""


EXTENDED: Mapping[str, Callable[[str, Sources, int], str]] = {
    "key": _keys,
    "tenant": _tenant,
    "signing_certificate": _signing_certificates,
}
"""By table, the function that adds the columns from logs to its view query, given the sources and `as_of`."""
