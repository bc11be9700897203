"""Counts uses by class of target, operation and application, and within these by each facet.

A class is a group of targets that share one baseline. For keys, secrets and certificates it is the object without its version,
because rotation creates new versions. For mailboxes it is the domain of the address: an application that may read mail may read
all mailboxes, and a class for each mailbox would make every new employee unusual. For sign-ins it is the application signed in
to. Changes of credentials, federation or logging affect a different object each time, but usually by the same actor, so all
changes of a kind are one class; the actor is the application, or else the user or service principal, because Entra's logs often
omit the application. Networks are /24 and /48, because providers reassign addresses inside them; clients are families of
programs, without versions.
"""

# ruff: noqa: S608 - every name and literal in this SQL is our own

from collections.abc import Iterator

from keyaudit.model.errors import UsageError
from keyaudit.model.times import DAY, iso_date
from keyaudit.model.usage import ANY, Facet, Window

MOST_DAYS = 3_660
"""The maximum days of a window: each group counts its days with one bit each."""

COLUMNS = {
    "target_kind": "VARCHAR",
    "target": "VARCHAR",
    "operation": "VARCHAR",
    "app": "VARCHAR",
    "facet": "VARCHAR",
    "value": "VARCHAR",
    "uses": "BIGINT",
    "days": "BIGINT",
    "first_on": "BIGINT",
    "last_on": "BIGINT",
    "mailboxes": "BIGINT",
}
"""The learned columns. `mailboxes`: the most that the application read in one day; 0 except in its own row for mail."""
KEYS = "target_kind, target, operation, app"


def target_of(relation: str) -> str:
    """The class of a use's target, as SQL over a relation with the columns of `usage`."""
    kind, id_ = f"{relation}.target_kind", f"{relation}.target_id"
    return f"""coalesce(nullif(CASE
    WHEN {kind} IN ('key', 'secret', 'certificate') THEN array_to_string(list_slice(string_split({id_}, '/'), 1, 5), '/')
    WHEN {kind} = 'mailbox' THEN CASE WHEN contains({id_}, '@') THEN lower(split_part({id_}, '@', -1)) END
    WHEN {relation}.operation = 'sign-in' THEN {id_} ELSE '{ANY}' END, ''), '(not named)')"""


def changes(relation: str) -> str:
    """SQL: whether a use is a change, for which the changed object does not matter."""
    held = f"{relation}.target_kind IN ('key', 'secret', 'certificate', 'mailbox')"
    return f"(NOT {held} AND {relation}.operation NOT IN ('sign-in', 'saml-sign-in'))"


def who_of(relation: str) -> str:
    """SQL: the actor: the application, or for changes without one the principal; an empty text if none is named."""
    return f"coalesce({relation}.actor_app_id, CASE WHEN {changes(relation)} THEN {relation}.principal_id END, '')"


TARGET, WHO = target_of("usage"), who_of("usage")

VERSION = "CASE WHEN target_kind = 'key' THEN split_part(target_id, '/', 6) END"
"""The version of the key, as SQL over `usage`; empty where none is named. Its id is https://HOST/keys/NAME/VERSION."""

_KEY = f"CASE WHEN operation = 'sign-in' THEN credential_key_id ELSE {VERSION} END"

_SIXES = """CASE WHEN contains(network, '::') THEN
        string_split(split_part(network, '::', 1), ':')
        || list_resize([]::VARCHAR[], greatest(0, 8 - length(network) + length(replace(network, ':', ''))), '0')
        || string_split(split_part(network, '::', 2), ':')
    ELSE string_split(network, ':') END"""

_NETWORK = rf"""CASE
    WHEN regexp_matches(network, '^(\d{{1,3}}\.){{3}}\d{{1,3}}$')
    THEN regexp_extract(network, '^\d+\.\d+\.\d+') || '.0/24'
    WHEN regexp_matches(lower(network), '^::ffff:(\d{{1,3}}\.){{3}}\d{{1,3}}$')
    THEN regexp_extract(network, '(\d+\.\d+\.\d+)\.\d+$', 1) || '.0/24'
    WHEN contains(network, ':')
    THEN list_aggregate(list_transform(list_slice({_SIXES}, 1, 3),
        lambda part: coalesce(nullif(ltrim(lower(part), '0'), ''), '0')), 'string_agg', ':') || '::/48'
    ELSE network END"""

_CLIENT = r"left(trim(regexp_replace(lower(client), '/[^ ;,]*|\([^()]*\)|\s+v?\d[\d.]*', '', 'g')), 120)"

_CLIENT_APP = (
    "CASE WHEN cardinality(unknown) = 0 OR unknown['client_app_id'] IS NULL THEN coalesce(client_app_id, '') END AS client_app"
)
TOLD = "(cardinality(unknown) = 0 OR (unknown['actor_app_id'] IS NULL AND unknown['target_id'] IS NULL))"
"""SQL: whether actor and target are known; other uses are only counted."""

# Not counted as a principal: a service principal that signs in, because it is the application itself, and users in their own
# mailboxes, because every mailbox has one.
_PRINCIPAL = f"""CASE WHEN operation = 'sign-in' OR target_kind = 'mailbox' AND principal_id = target_id
    OR {changes("usage")} AND actor_app_id IS NULL THEN '' ELSE principal_id END"""

FACETS = {
    Facet.CLIENT_APP: "client_app",
    Facet.NETWORK: "network",
    Facet.CLIENT: "client",
    Facet.KEY: "key",
    Facet.PRINCIPAL: "principal",
}
"""By facet the column of `rows` that has its value."""

_SETS = ", ".join(f"({KEYS}{column})" for column in ("", *(f", {column}" for column in FACETS.values())))
_FACET = " ".join(f"WHEN grouping({column}) = 0 THEN '{facet}'" for facet, column in FACETS.items())
_VALUE = " ".join(f"WHEN grouping({column}) = 0 THEN {column}" for column in FACETS.values())


LEARNED = "operation <> 'saml-sign-in'"
"""Sign-ins of users are not learned: each new employee and each journey would be unusual."""


def rows(window: Window, uses: str = "usage", condition: str = "true") -> str:
    """A query over `uses`, a relation with the columns of `usage`: each use in the window with known actor and target, with its
    class and facets.

    A value that the log does not have is an empty text; an unknown client application is NULL.
    """
    return f"""SELECT target_kind, {TARGET} AS target, operation, {WHO} AS app,
        {_CLIENT_APP}, coalesce({_NETWORK}, '') AS network, coalesce({_CLIENT}, '') AS client,
        coalesce({_KEY}, '') AS key, coalesce({_PRINCIPAL}, '') AS principal,
        used_on, (used_on // {DAY})::BIGINT AS day, succeeded, source, id
        FROM {uses} AS usage WHERE used_on >= {window.since} AND used_on < {window.until} AND {TOLD} AND {LEARNED}
        AND {condition}"""


def days_of(window: Window) -> str:
    """SQL over `day`: the number of days with uses of a group."""
    return f"bit_count(bitstring_agg(day, {window.since // DAY}::BIGINT, {window.until // DAY}::BIGINT))"


def counting(window: Window, uses: str = "usage", condition: str = "true") -> Iterator[str]:
    """The statements that create the table `seen` of the uses in the window.

    It has COLUMNS, `refused`, and `busiest`, the day of most mailboxes.
    """
    yield f"""CREATE OR REPLACE TABLE mail_read AS SELECT {KEYS}, '{Facet.APP}' AS facet, max(boxes) AS mailboxes,
            max_by(day, (boxes, -day)) AS busiest FROM (
        SELECT {KEYS}, day, count(*) AS boxes FROM (
            SELECT DISTINCT target_kind, {TARGET} AS target, operation, {WHO} AS app,
                used_on // {DAY} AS day, target_id AS mailbox
            FROM {uses} AS usage WHERE used_on >= {window.since} AND used_on < {window.until}
                AND operation = 'read-mail' AND target_kind = 'mailbox' AND {TOLD} AND {condition})
        GROUP BY {KEYS}, day) GROUP BY {KEYS}"""
    yield f"""CREATE OR REPLACE TABLE seen AS SELECT {KEYS}, facet, value, uses, refused, days, first_on, last_on,
        coalesce(mailboxes, 0) AS mailboxes, busiest FROM (
            SELECT {KEYS}, CASE {_FACET} ELSE '{Facet.APP}' END AS facet, CASE {_VALUE} ELSE '' END AS value,
                count(*) AS uses,
                count(*) FILTER (NOT succeeded) AS refused, {days_of(window)} AS days,
                min(used_on) AS first_on, max(used_on) AS last_on
            FROM ({rows(window, uses, condition)}) GROUP BY GROUPING SETS ({_SETS}))
        LEFT JOIN mail_read USING ({KEYS}, facet)
        WHERE value <> '' OR (value = '' AND facet IN ('{Facet.APP}', '{Facet.CLIENT_APP}'))"""


def refuse_too_long(window: Window) -> None:
    """Raises UsageError for a window with too many days."""
    if len(window.days) > MOST_DAYS:
        what = f"{len(window.days):,} days, from {iso_date(window.since)}"
        raise UsageError("the window", what, f"{MOST_DAYS:,} are the most; name one with --first-day and --last-day")


def same(left: str, right: str) -> str:
    """SQL: whether rows of two relations have the same class, operation and application."""
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in KEYS.split(", "))
