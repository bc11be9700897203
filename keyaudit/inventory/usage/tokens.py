"""Whether tokens that were used have a sign-in record, and how many of each class do.

The absence of a record says something only where all logs that would have it are complete around the time of issue, and where
nearly all other tokens of the same class have one, in days that nobody examines.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program; ids are parameters

from collections.abc import Collection, Iterator

import duckdb

from keyaudit.inventory.rows import no_rows
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.rates import BY_CLASS, CLASS, RATES, added
from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.tokens import (
    APP,
    APP_LOGS,
    ARM,
    GRAPH,
    ISSUED,
    LATE,
    LEAST,
    LONGEST,
    MICROSOFT_LOG,
    MISSING,
    NEAR,
    SIGNED_IN,
    USER,
    USER_LOGS,
    Doubt,
    Issue,
    Rate,
    Token,
    Tokens,
    Uncalibrated,
)
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY

MOST = 1_000
"""The number of tokens that are named."""
_AT_ONCE = 500_000
"""The number of rows that are compared at once."""
_HOUR = 3_600
_ORDINARY = 0.05
_KNOWN = 20
"""The number of other such hours from which their silence says what is usual."""
_SAME_CLASS = " AND ".join(f"judged.{name} IS NOT DISTINCT FROM rate.{name}" for name in CLASS)


def learn_rates(connection: duckdb.DuckDBPyConnection, window: Window) -> None:
    """Creates the table `rate`: the rates of each class among the tokens that were issued in the window.

    `connection` has the tables of a log store, with tokens. Costs as much as the tokens of the window.
    """
    _prepare(connection)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE part ({', '.join(f'{name} {type_}' for name, type_ in RATES.items())})")
    for since, until in _slices(connection, window):
        issues = f"near >= {since - DAY} AND near < {until + DAY}"
        _judge(connection, f"near >= {since} AND near < {until} AND issued_on IS NOT NULL", issues, {})
        connection.execute(
            f"""INSERT INTO part SELECT {BY_CLASS}, count(DISTINCT token),
                count(DISTINCT token) FILTER (issue = '{Issue.LISTED}'),
                count(DISTINCT token) FILTER (issue = '{Issue.DIFFERS}')
            FROM judged WHERE doubt IS NULL AND token IS NOT NULL GROUP BY ALL"""
        )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE rate AS {added('part')}")


def tokens_of(
    connection: duckdb.DuckDBPyConnection,
    window: Window,
    baseline: Baseline | None,
    *,
    apps: Collection[str],
    principals: Collection[str],
) -> Tokens:
    """The tokens of these applications and principals (ids in lower case) that were used in the window.

    `connection` has the tables of a log store, with tokens, of all days. Without a baseline no class is known.
    """
    _prepare(connection)
    used = f"""day >= {window.since // DAY} AND day < {window.until // DAY}
        AND (list_contains($apps, app) OR list_contains($principals, principal) OR list_contains($principals, object_id))"""
    _judge(connection, used, "true", {"apps": sorted(apps), "principals": sorted(principals)})
    if baseline is None:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW rate AS {no_rows(RATES)}")
    else:
        baseline.create_rates(connection)
    untold = Doubt.NO_BASELINE if baseline is None else Doubt.CLASS
    enough = f"coalesce(rate.ids >= {LEAST} AND (rate.ids - rate.listed) * {MISSING} <= rate.ids, false)"
    few = f"coalesce(rate.differing * {MISSING} <= rate.ids, true)"
    # A small class says nothing of clocks that are wrong for all.
    everywhere = f"(SELECT coalesce(sum(differing) * {MISSING} <= sum(ids), true) FROM rate)"
    differs = f"({few} AND (coalesce(rate.ids >= {LEAST}, false) OR {everywhere}))"
    unsure = f"(issue = '{Issue.NOT_LISTED}' AND NOT {enough} OR issue = '{Issue.DIFFERS}' AND NOT {differs})"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE result AS SELECT judged.* REPLACE (
                CASE WHEN issue = '{Issue.NOT_LISTED}' AND (doubt IS NOT NULL OR NOT {enough}) OR {unsure}
                    THEN '{Issue.UNKNOWN}' ELSE issue END AS issue,
                CASE WHEN issue = '{Issue.NOT_LISTED}' THEN coalesce(doubt, CASE WHEN {unsure} THEN '{untold}' END)
                    WHEN {unsure} THEN '{untold}' END AS doubt),
            coalesce(rate.ids, 0) AS ids, coalesce(rate.listed, 0) AS listed
        FROM judged LEFT JOIN rate ON {_SAME_CLASS}"""
    )
    number = f"count(DISTINCT token) + count(*) FILTER (issue = '{Issue.NO_ID}')"
    counts = connection.execute(f"SELECT issue, {number} FROM result GROUP BY ALL ORDER BY ALL").fetchall()
    doubts = connection.execute(
        "SELECT doubt, count(DISTINCT token) FROM result WHERE doubt IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return Tokens(
        found=list(_found(connection)),
        counts={Issue(issue): count for issue, count in counts},
        doubts={Doubt(doubt): count for doubt, count in doubts},
        uncalibrated=list(_uncalibrated(connection)),
    )


def _found(connection: duckdb.DuckDBPyConnection) -> Iterator[Token]:
    named = (Issue.DIFFERS, Issue.OVER_AGE, Issue.NOT_LISTED)
    rows = connection.execute(
        f"""SELECT source, service, kind, external, app, principal, issued_on, first_on, last_on, record, odd, issue, ids,
            listed
        FROM result WHERE issue IN {tuple(map(str, named))}
        ORDER BY first_on, record, source, app, principal LIMIT {MOST}"""
    ).fetchall()
    for log, service, kind, external, app, principal, *times, record, odd, issue, ids, listed in rows:
        issued_on, first_on, last_on = times
        yield Token(
            log=log,
            service=service,
            kind=kind,
            external=external,
            app_id=app,
            principal_id=principal,
            issued_on=issued_on,
            first_on=first_on,
            last_on=last_on,
            record=record,
            odd=odd,
            issue=Issue(issue),
            rate=Rate(ids=ids, listed=listed),
        )


def _uncalibrated(connection: duckdb.DuckDBPyConnection) -> Iterator[Uncalibrated]:
    rows = connection.execute(
        f"""SELECT service, kind, external, app, count(DISTINCT token) AS number, any_value(ids), any_value(listed)
        FROM result WHERE doubt = '{Doubt.CLASS}' GROUP BY service, kind, external, app
        ORDER BY number DESC, service, app, kind, external"""
    ).fetchall()
    for service, kind, external, app, number, ids, listed in rows:
        rate = Rate(ids=ids, listed=listed)
        yield Uncalibrated(service=service, kind=kind, external=external, app_id=app, tokens=number, rate=rate)


def _slices(connection: duckdb.DuckDBPyConnection, window: Window) -> Iterator[tuple[int, int]]:
    """Days of the window, as many at once as have few rows."""
    query = f"""SELECT near // {DAY} * {DAY}, count(*) FROM tokens
        WHERE near >= {window.since} AND near < {window.until} GROUP BY 1 ORDER BY 1"""
    since, held = window.since, 0
    for day, count in connection.execute(query).fetchall():
        if held and held + count > _AT_ONCE:
            yield since, day
            since, held = day, 0
        held += count
    if held:
        yield since, window.until


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the tables that tokens are compared with.

    `around`: the hours of each sign-in log that are whole, as are the one before and the one after: they have records, all with
    the ids of tokens, or belong to an ordinary silence; `span`: its first and last hour with records; `abroad`: the users of
    other tenants; `party`: all users and applications.
    """
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE told AS SELECT source, hour, bool_and(named) AS named FROM hours GROUP BY ALL"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE span AS SELECT source, min(hour) AS first, max(hour) AS last,
            min(hour) FILTER (named) AS first_named, max(hour) FILTER (named) AS last_named FROM told GROUP BY source"""
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE whole AS {_whole()}")
    near = " ".join(
        f"SEMI JOIN (SELECT source, hour {shift} AS hour FROM whole) USING (source, hour)" for shift in ("- 1", "+ 1")
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE around AS SELECT source, hour FROM whole {near}")
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE abroad AS SELECT DISTINCT object_id FROM tokens
        WHERE issue AND external AND object_id IS NOT NULL"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE party AS SELECT DISTINCT kind, object_id FROM tokens
        WHERE issue AND object_id IS NOT NULL"""
    )


def _whole() -> str:
    """SQL: the hours of each log that lack nothing, as far as can be known.

    Small tenants have hours without a sign-in, above all at night. A silence of several hours is ordinary if it has a chance
    of more than one in twenty, by how often the log is silent in such hours otherwise: at that time of a weekday or a weekend.
    """
    return f"""
        WITH every AS (SELECT source, unnest(range(first, last + 1)) AS hour FROM span),
        hours AS (SELECT *, hour % 24 AS time, (hour // 24 + 3) % 7 > 4 AS weekend, named IS NULL AS silent
            FROM every LEFT JOIN told USING (source, hour)),
        usual AS (SELECT source, time, weekend, count(*) AS hours, count(*) FILTER (silent) AS silent FROM hours GROUP BY ALL),
        silences AS (SELECT *, hour - row_number() OVER (PARTITION BY source ORDER BY hour) AS silence FROM hours WHERE silent),
        chances AS (SELECT source, silence, count(*) AS own, any_value(usual.hours) - own AS others,
                any_value(usual.silent) - own AS others_silent
            FROM silences JOIN usual USING (source, time, weekend) GROUP BY source, silence, time, weekend),
        ordinary AS (SELECT source, silence FROM chances GROUP BY ALL
            HAVING min(others) >= {_KNOWN} AND sum(own * ln((others_silent + 1) / (others + 2))) > ln({_ORDINARY}))
        SELECT source, hour FROM told WHERE named
        UNION ALL SELECT source, hour FROM silences JOIN ordinary USING (source, silence)"""


def _judge(connection: duckdb.DuckDBPyConnection, used: str, issued: str, values: dict[str, list[str]]) -> None:
    """Creates the table `judged`: each used token once for each log, with its class, what the sign-in logs say of it, and why
    that may be unknown.

    `used`, `issued`: conditions on `tokens` for the uses, and for the sign-ins that they are compared with.
    """
    # Some logs do not say whose token it is; the sign-ins do, by the principal.
    kind = " ".join(
        f"WHEN object_id IN (SELECT object_id FROM party WHERE kind = '{each}') THEN '{each}'" for each in (USER, APP)
    )
    kind = f"coalesce(tokens.kind, CASE {kind} END)"
    foreign = "coalesce(external, false) OR coalesce(object_id IN (FROM abroad), false)"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE used AS
        SELECT service, source, token, odd, issued_on, expires_on, {kind} AS kind, app, client, resource, object_id,
            CASE WHEN token IS NULL THEN principal END AS alone, min_by(principal, (first_on, principal)) AS principal,
            bool_or({foreign}) AS external, min(first_on) AS first_on, max(last_on) AS last_on,
            min_by(record, (first_on, record)) AS record
        FROM tokens WHERE NOT issue AND {used} GROUP BY ALL""",
        values,
    )
    signed_in = f"used.issued_on + {SIGNED_IN}"
    time = f"used.issued_on IS NULL OR {signed_in} BETWEEN issued.first_on - {NEAR} AND issued.last_on + {NEAR}"
    agree = " AND ".join(
        f"coalesce(used.{name} = issued.{other}, true)"
        for name, other in (("client", "client"), ("object_id", "object_id"), ("resource", "resource"))
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE compared AS
        SELECT used.rowid AS row, bool_or(coalesce(issued.succeeded, false)) AS succeeded,
            bool_or(coalesce(issued.succeeded, false) AND ({time}) AND {agree}) AS agrees
        FROM used JOIN (FROM tokens WHERE issue AND {issued}) AS issued USING (token) GROUP BY used.rowid"""
    )
    # A request to Azure Resource Manager may take days, and its end is logged with the token of its beginning.
    used_on = f"CASE service WHEN '{GRAPH}' THEN last_on WHEN '{ARM}' THEN first_on END"
    over = f"({used_on} > issued_on + {LONGEST} OR expires_on - issued_on > {LONGEST})"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE judged AS SELECT used.*,
            CASE WHEN token IS NULL THEN '{Issue.NO_ID}' WHEN succeeded AND NOT agrees THEN '{Issue.DIFFERS}'
                WHEN {over} THEN '{Issue.OVER_AGE}' WHEN agrees THEN '{Issue.LISTED}' ELSE '{Issue.NOT_LISTED}' END AS issue,
            CASE WHEN token IS NULL THEN NULL WHEN issued_on IS NULL THEN '{Doubt.NO_TIME}' ELSE
                coalesce({_doubt()}, CASE WHEN NOT succeeded THEN '{Doubt.FAILED}' END) END AS doubt
        FROM used LEFT JOIN compared ON compared.row = used.rowid"""
    )


def _doubt() -> str:
    """SQL: why the sign-in logs that would list a token of `used` do not prove anything."""
    hour = f"((issued_on + {SIGNED_IN}) // {_HOUR})"
    first_party = ", ".join(f"'{app}'" for app in FIRST_PARTY)
    needs = {
        **dict.fromkeys(USER_LOGS, f"kind IS DISTINCT FROM '{APP}'"),
        **dict.fromkeys(APP_LOGS, f"kind IS DISTINCT FROM '{USER}'"),
        MICROSOFT_LOG: f"kind IS DISTINCT FROM '{USER}' AND app IN ({first_party})",
    }
    of = {log: f"(SELECT {{}} FROM span WHERE source = '{log}')" for log in ISSUED}
    lists = (
        (Doubt.NO_TABLE, {log: f"{of[log].format('first')} IS NULL" for log in (*USER_LOGS, *APP_LOGS)}),
        (Doubt.NO_IDS, {log: f"{of[log].format('first_named')} IS NULL" for log in (*USER_LOGS, *APP_LOGS)}),
        (Doubt.MICROSOFT, {MICROSOFT_LOG: f"{of[MICROSOFT_LOG].format('first_named')} IS NULL"}),
        (Doubt.NOT_COVERED, {log: f"{hour} <= {of[log].format('first_named')}" for log in ISSUED}),
        (Doubt.RECENT, {log: f"issued_on + {LATE} > {of[log].format('last_named')} * {_HOUR} + {_HOUR}" for log in ISSUED}),
        (Doubt.GAP, {log: f"{hour} NOT IN (SELECT hour FROM around WHERE source = '{log}')" for log in ISSUED}),
    )
    arms = (
        f"WHEN {' OR '.join(f'({needs[log]}) AND {lacks}' for log, lacks in by_log.items())} THEN '{doubt}'"
        for doubt, by_log in lists
    )
    return f"CASE {' '.join(arms)} END"
