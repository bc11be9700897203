"""The reduction of uses to groups, as SQL over a relation with the columns of `usage`.

A group is one day of one log: one operation by one application on one class of targets, with its caller, network, client,
principal, key, and API, and whether it succeeded. It has the number of uses, the first and last time, and the first few rows.
A row of `usage` may stand for several equal uses of its day. Everything that is learned or checked is computed from groups. A
larger set of groups is the union of smaller ones: the sum of their counts, the earliest and latest time, and the earliest rows.

A class is a group of targets that share one baseline. For keys, secrets and certificates it is the object without its version,
because rotation creates new versions; where objects are created or changed it is the vault. For mailboxes it is the domain of
the address: an application that may read mail may read all mailboxes, and a class for each mailbox would make every new
employee unusual. For sign-ins it is the application signed in to; sign-ins of users are one class. Changes of credentials,
federation or logging affect a different object each time, but usually by the same actor, so all changes of a kind are one
class; the actor is the application, or else the user or service principal, because Entra's logs often omit the application.
Privileged changes are a class of their own, permissions that only sign users in are another, where the actor is the application
that got them, and federated credentials are one
for each issuer. Networks are /24 and /48,
because providers reassign addresses inside them; clients are families of programs, without versions.
"""

# ruff: noqa: S608 - every name and literal in this SQL is our own

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.model.usage import ANY, PRIVILEGED, SIGN_IN, SIGN_IN_SCOPES, Facet, Window
from keyaudit.model.values.times import DAY

EVIDENCE = 3
"""The number of rows that are named for each group, and shown for each reason."""

OF_USERS = ("saml-sign-in", "device-code-sign-in")
"""Sign-ins of users."""
KEYS = "target_kind, target, operation, app"
"""The columns that identify what an application does with a class of targets."""

_JUDGED = ("actor_app_id", "client_app_id", "network", "client", "credential_key_id", "target_id")
"""The columns by which uses are compared."""


def target_of(relation: str, sql: DuckDB = DUCKDB) -> str:
    """The class of a use's target, as SQL over a relation with the columns of `usage`."""
    kind, id_ = f"{relation}.target_kind", f"{relation}.target_id"
    scopes = sql.divided(sql.lower(f"{relation}.permission"), " ")
    others = sql.chosen(scopes, "scope", f"scope NOT IN {SIGN_IN_SCOPES}")
    return f"""coalesce(nullif(CASE
    WHEN {relation}.operation IN ('create', 'update') THEN {sql.joined(sql.first_items(sql.divided(id_, "/"), 3), "/")}
    WHEN {kind} IN ('key', 'secret', 'certificate') THEN {sql.joined(sql.first_items(sql.divided(id_, "/"), 5), "/")}
    WHEN {kind} = 'mailbox' THEN CASE WHEN contains({id_}, '@') THEN {sql.lower(sql.part(id_, "@", -1))} END
    WHEN {relation}.operation = 'sign-in' THEN {id_}
    WHEN {relation}.privileged THEN '{PRIVILEGED}'
    WHEN {relation}.operation = 'grant-permission' AND {relation}.permission <> '' AND {sql.size(others)} = 0 THEN '{SIGN_IN}'
    ELSE coalesce({relation}.issuer, '{ANY}') END, ''), '(not named)')"""


def changes(relation: str) -> str:
    """SQL: whether a use is a change, for which the changed object does not matter."""
    held = f"{relation}.target_kind IN ('key', 'secret', 'certificate', 'mailbox')"
    opens = f"{relation}.operation = 'grant-mailbox-access'"
    return f"(({opens} OR NOT {held}) AND {relation}.operation NOT IN {('sign-in', *OF_USERS)})"


def who_of(relation: str) -> str:
    """SQL: the actor: the application, or for changes without one the principal; an empty text if none is named."""
    return f"coalesce({relation}.actor_app_id, CASE WHEN {changes(relation)} THEN {relation}.principal_id END, '')"


VERSION = "CASE WHEN target_kind = 'key' THEN split_part(target_id, '/', 6) END"
"""The version of the key, as SQL over `usage`; empty where none is named. Its id is https://HOST/keys/NAME/VERSION."""

_KEY = f"CASE WHEN operation = 'sign-in' THEN credential_key_id ELSE {VERSION} END"

_V4 = r"(\d{1,3}\.){3}\d{1,3}\z"
_BEGINS_V4 = r"^(\d+\.\d+\.\d+)"
_ENDS_V4 = r"(\d+\.\d+\.\d+)\.\d+\z"


def _network(sql: DuckDB) -> str:
    missing = "greatest(0, 8 - length(network) + length(replace(network, ':', '')))"
    before, after = (sql.divided(sql.part("network", "::", number), ":") for number in (1, 2))
    sixes = f"""CASE WHEN contains(network, '::') THEN
            {sql.concatenated(before, sql.repeated("0", missing), after)}
        ELSE {sql.divided("network", ":")} END"""
    part = f"coalesce(nullif({sql.trimmed_left(sql.lower('part'), '0')}, ''), '0')"
    return f"""CASE
        WHEN {sql.found("network", f"^{_V4}")}
        THEN {sql.extracted("network", _BEGINS_V4)} || '.0/24'
        WHEN {sql.found(sql.lower("network"), f"^::ffff:{_V4}")}
        THEN {sql.extracted("network", _ENDS_V4)} || '.0/24'
        WHEN contains(network, ':')
        THEN {sql.joined(sql.mapped(sql.first_items(sixes, 3), "part", part), ":")} || '::/48'
        ELSE network END"""


def _client(sql: DuckDB) -> str:
    named = sql.without(sql.lower("client"), r"/[^ ;,]*|\([^()]*\)|[\t\n\f\r ]+v?\d[\d.]*")
    return f"left({sql.trimmed(named)}, 120)"


NETWORK, CLIENT = _network(DUCKDB), _client(DUCKDB)
"""SQL over a relation with the columns `network` and `client` of `usage`: the class of a network, and of a program."""


def _known(column: str, sql: DuckDB) -> str:
    """SQL: whether a column of `usage` is not unknown."""
    return f"{sql.entry(sql.name('unknown'), sql.text(column))} IS NULL"


def _all_known(sql: DuckDB) -> str:
    """SQL: whether no column of `usage` is unknown."""
    return f"cardinality({sql.name('unknown')}) = 0"


# Not counted as a principal: a service principal that signs in, because it is the application itself, and users in their own
# mailboxes, because every mailbox has one.
_PRINCIPAL = f"""CASE WHEN operation = 'sign-in' OR target_kind = 'mailbox' AND principal_id = target_id
    OR {changes("usage")} AND actor_app_id IS NULL THEN '' ELSE principal_id END"""


def told(sql: DuckDB = DUCKDB) -> str:
    """SQL over `usage`: whether actor and target are known as far as its class and its reasons need them; other uses are only
    counted. The class of a change needs no target, and a privileged one is reported regardless of who made it.
    """
    actor = f"({_known('actor_app_id', sql)} OR coalesce(usage.privileged, false))"
    return f"({_all_known(sql)} OR ({actor} AND ({_known('target_id', sql)} OR {changes('usage')})))"


TOLD = told()
_AS_LOGGED = (
    "name, actor_app_id, client_app_id, principal_id, credential_key_id, target_id, network AS address, client AS program"
)
"""SQL: the columns of `usage` beside the classes and facets of a use."""
_OF_PEOPLE = f"operation IN {OF_USERS}"
"""Sign-ins of users are compared by network, and those by device code by application: each new employee and each browser would
be unusual.
"""

FACETS = {
    Facet.CLIENT_APP: "client_app",
    Facet.NETWORK: "network",
    Facet.CLIENT: "client",
    Facet.KEY: "key",
    Facet.PRINCIPAL: "principal",
    Facet.API: "api",
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
    "facet": "VARCHAR",
    "value": "VARCHAR",
    "boxes": "BIGINT",
    "let_in": "BIGINT",
    "reads": "BIGINT",
    "reads_let_in": "BIGINT",
    "box": "VARCHAR",
}
"""The columns of counts of mailboxes: on one day in one log, read by one application; of them, those from one network, and
those with one program. `boxes`: how many; `reads`: how often `box` was read, the one that was read most. `let_in`,
`reads_let_in`: only what was read with success. Of sign-ins of users, `boxes` are the users from one network. Of BURSTS,
`boxes` is the number of calls in the busiest hour of the day, and the target any.

Only one log records that mail is read, and only one that users sign in, so that the counts of several logs add up.
"""
BURSTS = ("read-secret", "list")
"""Operations whose calls are counted by the hour."""
READ_BY = (Facet.APP, Facet.NETWORK, Facet.CLIENT)
"""The facets by which mailboxes are counted."""
_BY = tuple(GROUP)[: tuple(GROUP).index("uses")]
"""The columns that identify a group."""
ORDER = ", ".join(_BY)
MAILBOX_ORDER = f"source, day, {KEYS}, facet, value"
"""Total orders of groups, and of counts of mailboxes, as SQL."""


def within(window: Window, column: str = "day") -> str:
    """SQL: whether a day, in days since 1970, is in the window."""
    return f"({column} >= {window.since // DAY} AND {column} < {window.until // DAY})"


def rows(window: Window, uses: str = "usage", condition: str = "true") -> str:
    """A query over `uses`: each use in the window that is compared, with its class and facets, and its columns in the log, but
    for sign-ins of users.

    A value that the log does not have is an empty text; an unknown client application is NULL.
    """
    timely = f"used_on >= {window.since} AND used_on < {window.until}"
    return _classified(uses, f"{timely} AND {TOLD} AND NOT {_OF_PEOPLE} AND {condition}")


def every(window: Window, condition: str = "true") -> str:
    """A query over `usage`: the same for all uses in the window, also sign-ins of users, and those that are only counted."""
    return _classified("usage", f"used_on >= {window.since} AND used_on < {window.until} AND {condition}")


def single(uses: str, condition: str = "true", sql: DuckDB = DUCKDB) -> str:
    """A query over `uses`: the same as `grouped`, with a group for each row."""
    evidence = sql.items(sql.row("used_on", "id"))
    return f"""SELECT {ORDER}, uses, used_on AS first_on, used_on AS last_on, {evidence} AS evidence
        FROM ({_told(uses, condition, sql)})"""


def grouped(uses: str, condition: str = "true", sql: DuckDB = DUCKDB) -> str:
    """A query over `uses`: their groups, with the columns of `GROUP`."""
    by = ORDER
    return f"""SELECT {by}, CAST(sum(uses) AS BIGINT) AS uses, min(used_on) AS first_on, max(used_on) AS last_on,
            {sql.least(sql.row("used_on", "id"), EVIDENCE)} AS evidence
        FROM ({_told(uses, condition, sql)}) GROUP BY {by}"""


def merged(groups: str, condition: str = "true") -> str:
    """A query over `groups`, which may have a group several times: each group once."""
    return f"""SELECT {ORDER}, sum(uses)::BIGINT AS uses, min(first_on) AS first_on, max(last_on) AS last_on,
            {first_rows("evidence")} AS evidence
        FROM {groups} WHERE {condition} GROUP BY {ORDER}"""


def mailboxes(uses: str, condition: str = "true", sql: DuckDB = DUCKDB) -> str:
    """A query over `uses`: how many mailboxes were read, how many users signed in, and the calls of BURSTS, with the columns
    of `MAILBOXES`.
    """
    by, read = MAILBOX_ORDER, f"(operation = 'read-mail' AND target_kind = 'mailbox' OR {_OF_PEOPLE})"
    value = f"CASE facet WHEN '{Facet.NETWORK}' THEN network WHEN '{Facet.CLIENT}' THEN client ELSE '' END"
    facets = ", ".join(f"('{facet}')" for facet in READ_BY)
    hour = sql.quotient("used_on", 3_600)
    bursts = ", ".join(f"'{operation}'" for operation in BURSTS)
    return f"""SELECT source, day, target_kind, '{ANY}' AS target, operation, app, '{Facet.HOUR}' AS facet, '' AS value,
            max(calls) AS boxes, max(let_in) AS let_in, CAST(0 AS BIGINT) AS reads, CAST(0 AS BIGINT) AS reads_let_in, '' AS box
        FROM (SELECT source, day, target_kind, operation, app, {hour} AS hour,
                CAST(coalesce(sum(uses), 0) AS BIGINT) AS calls,
                CAST(coalesce(sum(uses) FILTER (WHERE succeeded), 0) AS BIGINT) AS let_in
            FROM ({_classified(uses, f"operation IN ({bursts}) AND {condition}", sql)}) WHERE told
            GROUP BY source, day, target_kind, operation, app, {hour})
        GROUP BY source, day, target_kind, operation, app
        UNION ALL SELECT {by}, count(*) AS boxes, count(*) FILTER (WHERE let_in > 0) AS let_in, max(uses) AS reads,
            max(let_in) AS reads_let_in, max_by(counted, (uses, counted)) AS box
        FROM (SELECT {by}, counted, CAST(coalesce(sum(uses), 0) AS BIGINT) AS uses,
                CAST(coalesce(sum(uses) FILTER (WHERE succeeded), 0) AS BIGINT) AS let_in
            FROM (SELECT *, {value} AS value FROM ({_classified(uses, f"{read} AND {condition}", sql)})
                CROSS JOIN (VALUES {facets}) AS facets(facet) WHERE told)
            WHERE (facet = '{Facet.APP}' OR value <> '') AND (facet = '{Facet.NETWORK}' OR NOT {_OF_PEOPLE})
            GROUP BY {by}, counted)
        GROUP BY {by}"""


def first_rows(evidence: str, sql: DuckDB = DUCKDB) -> str:
    """SQL, an aggregate: the first rows of several groups, by time and id."""
    # Each of them is in one of the groups with the earliest first rows.
    return sql.first_items(f"array_sort(flatten({sql.first_by(evidence, sql.item(evidence, 1), EVIDENCE)}))", EVIDENCE)


def _lacking(sql: DuckDB) -> str:
    names = sql.chosen(
        f"map_keys({sql.name('unknown')})",
        "name",
        f"{sql.has(sql.texts(_JUDGED), 'name')} AND (name <> 'credential_key_id' OR operation = 'sign-in')",
    )
    return f"CASE WHEN {_all_known(sql)} THEN {sql.texts(())} ELSE {names} END"


def _told(uses: str, condition: str, sql: DuckDB = DUCKDB) -> str:
    """Uses with their class and facets, where these are learned and compared."""
    blank = ("target", "app", *FACETS.values())
    alone = ("client_app", "client", "principal")
    masked = sql.replacing(
        {name: f"CASE WHEN told{f' AND NOT {_OF_PEOPLE}' * (name in alone)} THEN {name} ELSE '' END" for name in blank}
    )
    return f"SELECT {masked} FROM ({_classified(uses, condition, sql)})"


def _classified(uses: str, condition: str, sql: DuckDB = DUCKDB) -> str:
    target = target_of("usage", sql)
    # Users consent one by one, and to the same application.
    consents = f"operation = 'grant-permission' AND actor_app_id IS NULL AND {target} = '{SIGN_IN}'"
    return f"""SELECT target_kind, {target} AS target, operation,
        CASE WHEN {consents} THEN coalesce(granted_to, principal_id, '') ELSE {who_of("usage")} END AS app,
        CASE WHEN {_all_known(sql)} OR {_known("client_app_id", sql)}
            THEN coalesce(nullif(client_app_id, actor_app_id), '') END AS client_app,
        coalesce({_network(sql)}, '') AS network, coalesce({_client(sql)}, '') AS client,
        coalesce({_KEY}, '') AS key, coalesce({_PRINCIPAL}, '') AS principal, coalesce(api_app_id, '') AS api,
        CASE WHEN target_kind = 'mailbox' THEN target_id WHEN {_OF_PEOPLE} THEN principal_id END AS counted,
        used_on, {sql.quotient("used_on", DAY)} AS day, succeeded, source, id, uses, {_AS_LOGGED},
        {told(sql)} AS told, {_lacking(sql)} AS lacking
        FROM {uses} AS usage WHERE {condition}"""
