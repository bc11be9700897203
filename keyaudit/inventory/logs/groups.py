"""The reduction of uses to groups, as SQL over a relation with the columns of `usage`.

A group is one day of one log: one operation by one application on one class of targets, with its caller, network, client,
principal, and key, and whether it succeeded. It has the number of uses, the first and last time, and the first few rows.
A row of `usage` may stand for several equal uses of its day. Everything that is learned or checked is computed from groups. A
larger set of groups is the union of smaller ones: the sum of their counts, the earliest and latest time, and the earliest rows.

A class is a group of targets that share one baseline. For keys, secrets and certificates it is the object without its version,
because rotation creates new versions. For mailboxes it is the domain of the address: an application that may read mail may read
all mailboxes, and a class for each mailbox would make every new employee unusual. For sign-ins it is the application signed in
to. Changes of credentials, federation or logging affect a different object each time, but usually by the same actor, so all
changes of a kind are one class; the actor is the application, or else the user or service principal, because Entra's logs often
omit the application. Networks are /24 and /48, because providers reassign addresses inside them; clients are families of
programs, without versions.
"""

# ruff: noqa: S608 - every name and literal in this SQL is our own

from keyaudit.inventory.load import quoted
from keyaudit.model.times import DAY
from keyaudit.model.usage import ANY, Facet, Window

EVIDENCE = 3
"""The number of rows that are named for each group, and shown for each reason."""

KEYS = "target_kind, target, operation, app"
"""The columns that identify what an application does with a class of targets."""

_JUDGED = ("actor_app_id", "client_app_id", "network", "client", "credential_key_id", "target_id")
"""The columns by which uses are compared."""


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

# Not counted as a principal: a service principal that signs in, because it is the application itself, and users in their own
# mailboxes, because every mailbox has one.
_PRINCIPAL = f"""CASE WHEN operation = 'sign-in' OR target_kind = 'mailbox' AND principal_id = target_id
    OR {changes("usage")} AND actor_app_id IS NULL THEN '' ELSE principal_id END"""

TOLD = "(cardinality(unknown) = 0 OR (unknown['actor_app_id'] IS NULL AND unknown['target_id'] IS NULL))"
"""SQL: whether actor and target are known; other uses are only counted."""

LEARNED = "operation <> 'saml-sign-in'"
"""Sign-ins of users are not learned: each new employee and each journey would be unusual."""

FACETS = {
    Facet.CLIENT_APP: "client_app",
    Facet.NETWORK: "network",
    Facet.CLIENT: "client",
    Facet.KEY: "key",
    Facet.PRINCIPAL: "principal",
}
"""By facet the column of `rows` and of groups that has its value."""

GROUP = {
    "source": "VARCHAR",
    "day": "BIGINT",
    **dict.fromkeys(KEYS.split(", "), "VARCHAR"),
    **dict.fromkeys(FACETS.values(), "VARCHAR"),
    "succeeded": "BOOLEAN",
    "told": "BOOLEAN",
    "lacking": "VARCHAR[]",
    "uses": "BIGINT",
    "first_on": "BIGINT",
    "last_on": "BIGINT",
    "evidence": "STRUCT(used_on BIGINT, id VARCHAR)[]",
}
"""The columns of groups, with their SQL types.

`day`: in days since 1970. `told`: whether these uses are learned and compared; all others are only counted, without class and
facets. `lacking`: the columns of `usage` that the log does not tell, out of those by which uses are compared. `evidence`: the
first rows by time and id.
"""
MAILBOXES = {
    "source": "VARCHAR",
    "day": "BIGINT",
    **dict.fromkeys(KEYS.split(", "), "VARCHAR"),
    "boxes": "BIGINT",
    "let_in": "BIGINT",
}
"""The columns of counts of mailboxes: on one day in one log, read by one application. `let_in`: those read with success.

Only one log records that mail is read, so that the counts of several logs add up.
"""
_BY = tuple(GROUP)[: tuple(GROUP).index("uses")]
"""The columns that identify a group."""
ORDER = ", ".join(_BY)
MAILBOX_ORDER = f"source, day, {KEYS}"
"""Total orders of groups, and of counts of mailboxes, as SQL."""


def within(window: Window, column: str = "day") -> str:
    """SQL: whether a day, in days since 1970, is in the window."""
    return f"({column} >= {window.since // DAY} AND {column} < {window.until // DAY})"


def rows(window: Window, uses: str = "usage", condition: str = "true") -> str:
    """A query over `uses`: each use in the window with known actor and target, with its class and facets.

    A value that the log does not have is an empty text; an unknown client application is NULL.
    """
    timely = f"used_on >= {window.since} AND used_on < {window.until}"
    return _classified(uses, f"{timely} AND {TOLD} AND {LEARNED} AND {condition}")


def single(uses: str, condition: str = "true") -> str:
    """A query over `uses`: the same as `grouped`, with a group for each row."""
    return f"""SELECT {ORDER}, uses, used_on AS first_on, used_on AS last_on, [{_ROW}] AS evidence
        FROM ({_told(uses, condition)})"""


def grouped(uses: str, condition: str = "true") -> str:
    """A query over `uses`: their groups, with the columns of `GROUP`."""
    by = ORDER
    return f"""SELECT {by}, sum(uses)::BIGINT AS uses, min(used_on) AS first_on, max(used_on) AS last_on,
            min({_ROW}, {EVIDENCE}) AS evidence
        FROM ({_told(uses, condition)}) GROUP BY {by}"""


def merged(groups: str, condition: str = "true") -> str:
    """A query over `groups`, which may have a group several times: each group once."""
    return f"""SELECT {ORDER}, sum(uses)::BIGINT AS uses, min(first_on) AS first_on, max(last_on) AS last_on,
            {first_rows("evidence")} AS evidence
        FROM {groups} WHERE {condition} GROUP BY {ORDER}"""


def mailboxes(uses: str, condition: str = "true") -> str:
    """A query over `uses`: how many mailboxes were read, with the columns of `MAILBOXES`."""
    by = MAILBOX_ORDER
    return f"""SELECT {by}, count(*) AS boxes, count(*) FILTER (succeeded) AS let_in
        FROM (SELECT source, (used_on // {DAY})::BIGINT AS day, target_kind, {target_of("usage")} AS target, operation,
                {who_of("usage")} AS app, target_id AS mailbox, bool_or(coalesce(succeeded, false)) AS succeeded
            FROM {uses} AS usage
            WHERE operation = 'read-mail' AND target_kind = 'mailbox' AND {TOLD} AND {condition} GROUP BY ALL)
        GROUP BY {by}"""


def first_rows(evidence: str) -> str:
    """SQL, an aggregate: the first rows of several groups, by time and id."""
    # Each of them is in one of the groups with the earliest first rows.
    return f"list_slice(list_sort(flatten(min_by({evidence}, {evidence}[1], {EVIDENCE}))), 1, {EVIDENCE})"


_ROW = "{'used_on': used_on, 'id': id}"
_LACKING = f"""CASE WHEN cardinality(unknown) = 0 THEN []::VARCHAR[] ELSE list_sort(list_filter(map_keys(unknown), lambda name:
    list_contains([{", ".join(map(quoted, _JUDGED))}], name) AND (name <> 'credential_key_id' OR operation = 'sign-in'))) END"""


def _told(uses: str, condition: str) -> str:
    """Uses with their class and facets, where these are learned and compared."""
    blank = ("target", "app", *FACETS.values())
    masked = ", ".join(f"CASE WHEN told THEN {name} ELSE '' END AS {name}" for name in blank)
    return f"""SELECT * REPLACE ({masked}) FROM ({_classified(uses, condition)})"""


def _classified(uses: str, condition: str) -> str:
    return f"""SELECT target_kind, {target_of("usage")} AS target, operation, {who_of("usage")} AS app,
        {_CLIENT_APP}, coalesce({_NETWORK}, '') AS network, coalesce({_CLIENT}, '') AS client,
        coalesce({_KEY}, '') AS key, coalesce({_PRINCIPAL}, '') AS principal,
        used_on, (used_on // {DAY})::BIGINT AS day, succeeded, source, id, uses,
        {TOLD} AND {LEARNED} AS told, {_LACKING} AS lacking
        FROM {uses} AS usage WHERE {condition}"""
