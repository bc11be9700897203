"""SQL for uses of a window outside the baseline, shared by `usage check` and the policies."""

# ruff: noqa: S608 - every name and literal in this SQL is our own

from collections.abc import Iterator

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.inventory.logs.groups import FACETS, KEYS, OF_USERS, first_rows, within
from keyaudit.inventory.usage.facets import counting, days_of, same
from keyaudit.inventory.usage.recurrence import FEW_VALUES, LONG, arrivals, of_exchange, spans
from keyaudit.inventory.usage.severity import BURST, FEW, FLOOR, OF_A_DAY, OFTEN, SLOW, severity
from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.usage import PRIVILEGED, Facet, Kind, Window
from keyaudit.model.values.times import DAY

_MUCH = 2
"""A multiple of the usual number of uses of a day."""


def signs(window: Window, groups: str) -> str:
    """A query over `reasons`, `app` and `groups`: the new networks of applications from which something else is unusual too.

    It is an operation that the application never did, a credential that it never signed in with, a program that is new; several
    keys or secrets; or a day with far more uses than usual.
    """
    used = f"(SELECT * FROM {groups} WHERE told AND {within(window)} AND network <> '' AND app <> '')"
    from_network = f"""(SELECT {KEYS}, value FROM reasons
        WHERE kind = '{Kind.NEW_NETWORK}' AND few_values AND app <> '' AND target_kind <> 'mailbox')"""
    day = f"(SELECT {KEYS}, day, sum(uses) AS that_day FROM {used} AS used GROUP BY {KEYS}, day)"
    return f"""SELECT DISTINCT app, '{Facet.NETWORK}' AS facet, value, true AS confirmed FROM (
        SELECT used.app, used.network AS value FROM {used} AS used JOIN reasons AS sign ON {same("used", "sign")}
            AND (sign.facet = '{Facet.APP}' AND kind IN ('{Kind.NEW_OPERATION}', '{Kind.NEW_APP}')
                OR sign.facet = '{Facet.CLIENT}' AND kind = '{Kind.NEW_CLIENT}' AND sign.value = used.client
                OR sign.facet = '{Facet.KEY}' AND kind = '{Kind.NEW_KEY}' AND sign.value = used.key
                    AND sign.operation = 'sign-in')
        UNION ALL SELECT app, value FROM {from_network} AS found GROUP BY app, value HAVING count(DISTINCT target) >= {FEW}
        UNION ALL SELECT found.app, value FROM {from_network} AS found
            JOIN {used} AS used ON {same("found", "used")} AND used.network = value
            JOIN {day} AS busy ON {same("found", "busy")} AND busy.day = used.day
            JOIN app ON {same("found", "app")} WHERE that_day > {_MUCH} * usual_uses)"""


_FEW = 5
"""The number of new values named for each reason."""
MOST = 10_000
"""The maximum number of reasons, the most severe kinds first; more mean that the baseline does not belong to these logs."""
_SUPERSEDED = 30 * DAY
"""Days of use of a newer key after the last use of an old one, after which the old one counts as replaced."""
_OVERLAP = 7 * DAY
"""Days of overlap during a rollover. Keys that alternate for longer are used together on purpose."""
_PRODUCES = ("sign", "encrypt", "wrap", "sign-in")
"""Operations that need the newest key. Old ones still decrypt, unwrap and verify existing data."""

_OF = "CASE operation WHEN 'sign-in' THEN '' ELSE target END"
"""Where a key replaces another: versions of one key, or credentials of one application."""
_ODD = f"{KEYS}, facet, value, kind, elsewhere, steady, mailboxes, usual"
"""The columns of the table `odd`, without `busiest`, the day that a reason is about."""
_VALUE = " ".join(f"WHEN '{facet}' THEN {column}" for facet, column in FACETS.items())
GROUPS = f"{KEYS}, kind, elsewhere"
"""The columns that identify a row of `unusual`."""


def statements(
    window: Window,
    *,
    groups: str = "groups",
    mailboxes: str = "mailboxes",
    belongs: str = "belongs",
    sql: DuckDB = DUCKDB,
    unusual: bool = True,
) -> Iterator[str]:
    """The statements that make the tables `seen`, `odd` and, if wanted, `unusual`, whose rows are reasons with their uses.

    `groups`, `mailboxes`: relations with the columns of `logs.groups.GROUP` and `MAILBOXES`. `belongs`: one with the
    baseline's columns.
    """
    yield from counting(window, groups, mailboxes, sql=sql)
    yield sql.table("busy", _busy(window, mailboxes))
    # A database computes a named part of a query wherever it is read, and this one is read a dozen times.
    yield sql.table("app", _apps(sql, belongs))
    yield sql.table("reasons", _reasons(sql, belongs))
    yield sql.table("odd", _odd(sql, window, groups, mailboxes))
    if unusual:
        yield sql.table("unusual", _unusual(sql, window, groups))


def _busy(window: Window, mailboxes: str) -> str:
    """SQL: by class, operation, application, facet and value the days that may have too many mailboxes, reads or calls."""
    return f"""SELECT {KEYS}, facet, value, day AS busiest, max(reads) AS that_often, max_by(box, (reads, box)) AS box,
            CAST(CASE facet WHEN '{Facet.HOUR}' THEN max(boxes) ELSE sum(boxes) END AS BIGINT) AS that_many
        FROM {mailboxes} WHERE {within(window)} AND boxes > 0 GROUP BY {KEYS}, facet, value, day
        HAVING sum(boxes) >= {FEW} OR max(reads) >= {OFTEN}"""


def _apps(sql: DuckDB, belongs: str) -> str:
    """SQL: the applications of the baseline, by class and operation."""
    return f"""SELECT {KEYS}, uses * 1.0 / nullif(days, 0) AS usual_uses,
            {sql.quotient("last_on", DAY)} - {sql.quotient("first_on", DAY)} + 1 AS observed
        FROM {belongs} WHERE facet = '{Facet.APP}'"""


def _reasons(sql: DuckDB, belongs: str) -> str:
    """SQL: rows of `seen`, with what the baseline knows of each, and the kind of reason for which one alone is outside it."""
    return f"""
        WITH key AS (SELECT target_kind, operation, app, {_OF} AS of, facet, value, min(first_on) AS first_on,
                max(last_on) AS last_on
            FROM {belongs} WHERE facet = '{Facet.KEY}' AND operation IN {_PRODUCES} GROUP BY ALL),
        superseded AS (SELECT {sql.excluding("first_on", "last_on")}, last_on AS replaced FROM key AS old
            WHERE EXISTS (SELECT 1 FROM key AS new
            WHERE new.target_kind = old.target_kind AND new.operation = old.operation AND new.app = old.app AND new.of = old.of
                AND new.first_on >= old.last_on - {_OVERLAP} AND new.last_on >= old.last_on + {_SUPERSEDED})),
        vaults AS (SELECT DISTINCT app AS vault_app, {sql.part("target", "/", 3)} AS vault, true AS vault_known FROM app
            WHERE target_kind IN ('key', 'secret', 'certificate')),
        exported AS (SELECT DISTINCT {_secret_of("target")} AS secret, true AS exports
            FROM (SELECT target_kind, target FROM app UNION ALL SELECT target_kind, target FROM seen)
            WHERE target_kind IN ('key', 'certificate')),
        elsewhere AS (SELECT DISTINCT target_kind, operation, facet, value AS new FROM {belongs} WHERE facet <> '{Facet.APP}'
            UNION SELECT target_kind, operation, '{Facet.APP}', app FROM app),
        judged AS (SELECT {sql.excluding("new", "of", of="seen")}, coalesce(app_known, false) AS app_known,
                coalesce(done, false) AS done, coalesce(done_at_all, false) AS done_at_all,
                coalesce(target_known, false) AS target_known, coalesce(known, false) AS known,
                coalesce(vault_known, false) AS vault_known, coalesce(exports, false) AS exports,
                coalesce(last_on > replaced, false) AS superseded, coalesce(usual, 0) AS usual,
                coalesce(elsewhere, anywhere, facet = '{Facet.CLIENT_APP}' AND value IN {tuple(FIRST_PARTY)}) AS elsewhere,
                coalesce({FEW_VALUES}, false) AS few_values, coalesce({FEW_VALUES} AND {LONG}, false) AS steady,
                app IN {tuple(FIRST_PARTY)} AS own, coalesce(usual_new, 0) AS usual_new,
                coalesce(usual_reads, 0) AS usual_reads, coalesce(came, 0) AS came,
                allowed, most_new, ended, later
            FROM (SELECT *, CASE facet WHEN '{Facet.APP}' THEN app ELSE value END AS new, {_OF} AS of FROM seen) AS seen
            LEFT JOIN (SELECT {KEYS}, facet, coalesce(came, 0) AS came, usual_new, coalesce(most_new, 0) AS most_new
                FROM (SELECT DISTINCT {KEYS}, facet FROM seen) LEFT JOIN ({arrivals(belongs, sql)}) USING ({KEYS}, facet))
                USING ({KEYS}, facet)
            CROSS JOIN ({spans(belongs)}) AS span
            LEFT JOIN (SELECT {KEYS}, observed, true AS app_known FROM app) USING ({KEYS})
            LEFT JOIN (SELECT DISTINCT target_kind, target, operation, true AS done FROM app)
                USING (target_kind, target, operation)
            LEFT JOIN (SELECT DISTINCT target_kind, operation, true AS done_at_all FROM app) USING (target_kind, operation)
            LEFT JOIN (SELECT DISTINCT target_kind, target, true AS target_known FROM app) USING (target_kind, target)
            LEFT JOIN vaults ON vault_app = seen.app AND vault = {sql.part("seen.target", "/", 3)}
            LEFT JOIN exported ON secret = seen.target
            LEFT JOIN (SELECT {KEYS}, facet, value, mailboxes AS usual, reads AS usual_reads, true AS known
                FROM {belongs})
                USING ({KEYS}, facet, value)
            LEFT JOIN superseded USING (target_kind, operation, app, of, facet, value)
            LEFT JOIN (SELECT *, true AS elsewhere FROM elsewhere) USING (target_kind, operation, facet, new)
            LEFT JOIN (SELECT DISTINCT facet, value, true AS anywhere FROM {belongs}
                WHERE facet = '{Facet.NETWORK}' AND operation NOT IN {OF_USERS}) USING (facet, value))
        SELECT *, CASE
                WHEN facet = '{Facet.APP}' AND NOT app_known THEN CASE
                    WHEN NOT done AND (target_known OR NOT done_at_all) THEN '{Kind.NEW_OPERATION}'
                    WHEN NOT done AND elsewhere THEN CASE
                        WHEN operation <> 'read-secret' OR vault_known THEN '{Kind.NEW_TARGET}'
                        WHEN exports THEN '{Kind.CERTIFICATE_OF_NEW_VAULT}' ELSE '{Kind.READ_OF_NEW_VAULT}' END
                    ELSE '{Kind.NEW_APP}' END
                WHEN superseded THEN '{Kind.RETURNED_KEY}'
                WHEN facet NOT IN ('{Facet.APP}', '{Facet.HOUR}') AND app_known AND NOT known THEN 'new-' || facet
                END AS kind FROM judged"""


def _odd(sql: DuckDB, window: Window, groups: str, mailboxes: str) -> str:
    """SQL: rows of `seen` outside the baseline, with the kind of reason.

    For an application that is new to a target, only that is reported, and how much mail it reads.
    """
    often = _reason(Kind.MAILBOX_OFTEN, value="box", mailboxes="that_often", usual="usual_reads")
    several = f"NOT known AND NOT coalesce(elsewhere, false) AND that_many >= {FEW} AND that_many > usual_new"
    usual_new = {"mailboxes": "that_many", "usual": "usual_new"}
    apart = f"""facet = '{Facet.NETWORK}' AND operation = 'read-mail' AND app_known AND NOT known
            AND NOT coalesce(elsewhere, false) AND NOT steady AND later > 0 AND NOT {of_exchange("value", sql)}"""
    # Networks that came since the baseline's last day are used again, and are still new to it.
    come = f"{OF_A_DAY} * most_new + came * greatest(0, busiest - ended / {DAY}) / nullif(later, 0)"
    return f"""
        WITH slow AS (SELECT {KEYS}, facet, value, count(DISTINCT box) AS in_all, max(of_day) AS that_many FROM (
                SELECT *, sum(boxes) OVER (PARTITION BY {KEYS}, facet, value, day) AS of_day FROM {mailboxes}
                WHERE {within(window)} AND facet = '{Facet.NETWORK}' AND operation = 'read-mail' AND boxes > 0)
            GROUP BY {KEYS}, facet, value),
        busy_days AS (SELECT * FROM reasons JOIN busy USING ({KEYS}, facet, value)),
        apart AS (SELECT *, count(*) OVER (PARTITION BY {KEYS}, busiest) AS networks FROM reasons
            JOIN (SELECT DISTINCT {KEYS}, facet, value, day AS busiest FROM {mailboxes} WHERE {within(window)} AND boxes > 0)
            USING ({KEYS}, facet, value) WHERE {apart})
        SELECT {_reason("kind", steady="(steady OR few_values AND confirmed IS NOT NULL)")}, CAST(NULL AS BIGINT) AS busiest
        FROM reasons LEFT JOIN ({signs(window, groups)}) USING (app, facet, value) WHERE kind IS NOT NULL
        UNION ALL SELECT {_reason(Kind.PRIVILEGED)}, CAST(NULL AS BIGINT) FROM reasons
        WHERE facet = '{Facet.APP}' AND target = '{PRIVILEGED}'
        UNION ALL SELECT {_reason(Kind.CREDENTIAL_FROM_NETWORK)}, CAST(NULL AS BIGINT)
        FROM ({_from_new_network(window, groups)})
        UNION ALL SELECT {_reason(Kind.MANY_MAILBOXES, mailboxes="that_many")}, busiest FROM busy_days
        WHERE facet = '{Facet.APP}' AND that_many >= {FLOOR} AND that_many > {OF_A_DAY} * usual
        UNION ALL SELECT {_reason(Kind.MANY_IN_AN_HOUR, mailboxes="that_many")}, busiest FROM busy_days
        WHERE facet = '{Facet.HOUR}' AND that_many >= {BURST} AND that_many > {OF_A_DAY} * usual
        UNION ALL SELECT {often}, busiest FROM busy_days
        WHERE facet = '{Facet.APP}' AND that_often >= {OFTEN} AND that_often > {OF_A_DAY} * usual_reads
        UNION ALL SELECT {_reason(Kind.MAILBOXES_FROM_NETWORK, **usual_new)}, busiest FROM busy_days
        WHERE facet = '{Facet.NETWORK}' AND operation NOT IN {OF_USERS} AND (own OR app_known) AND NOT steady
            AND NOT {of_exchange("value", sql)} AND {several}
        UNION ALL SELECT {_reason(Kind.MAILBOXES_FROM_NETWORK, mailboxes="in_all", usual="usual_new")}, CAST(NULL AS BIGINT)
        FROM reasons JOIN slow USING ({KEYS}, facet, value)
        WHERE (own OR app_known) AND NOT steady AND NOT known AND NOT coalesce(elsewhere, false)
            AND NOT {of_exchange("value", sql)} AND NOT ({several}) AND in_all >= {SLOW} AND in_all > {OF_A_DAY} * usual_new
        UNION ALL SELECT {_reason(Kind.USERS_FROM_NETWORK, **usual_new)}, busiest FROM busy_days
        WHERE facet = '{Facet.NETWORK}' AND operation IN {OF_USERS} AND app_known AND NOT steady AND {several}
        UNION ALL SELECT {_reason(Kind.MAILBOXES_WITH_PROGRAM, **usual_new)}, busiest FROM busy_days
        WHERE facet = '{Facet.CLIENT}' AND app_known AND {several}
        UNION ALL SELECT {_reason(Kind.MANY_NETWORKS, mailboxes="networks", usual="most_new")}, busiest FROM apart
        WHERE networks >= {FLOOR} AND networks > {come}"""


def _secret_of(target: str) -> str:
    """SQL: the secret that contains the private key of a certificate, or of the certificate that a key belongs to.

    All three have one name: https://learn.microsoft.com/azure/key-vault/certificates/about-certificates#composition-of-a-certificate
    """
    return f"replace(replace({target}, '/keys/', '/secrets/'), '/certificates/', '/secrets/')"


def _from_new_network(window: Window, groups: str) -> str:
    """SQL over `reasons`: rows of new networks from which an application signs in with a credential that the baseline does not
    know, each network once: of the application that it reached first."""
    return f"""SELECT reasons.* FROM reasons JOIN (
            SELECT app, value, min_by(target, (first_on, target)) AS target FROM (
                SELECT used.app, used.network AS value, used.target, used.first_on FROM {groups} AS used
                JOIN (SELECT DISTINCT app, value AS new_key FROM reasons WHERE operation = 'sign-in'
                    AND facet = '{Facet.KEY}' AND NOT known AND NOT coalesce(elsewhere, false)) AS fresh
                    ON fresh.app = used.app AND new_key = used.key
                WHERE told AND {within(window)} AND operation = 'sign-in' AND succeeded IS NOT FALSE)
            GROUP BY app, value) AS first USING (app, value, target)
        WHERE operation = 'sign-in' AND facet = '{Facet.NETWORK}' AND NOT known AND NOT coalesce(elsewhere, false)
            AND came <= allowed AND app IN (SELECT app FROM app WHERE operation = 'sign-in')"""


def _reason(kind: str, **columns: str) -> str:
    """The columns of `odd` for a reason; `columns`: those with another value than in `reasons`."""
    given = {"kind": f"'{kind}'" if kind in list(Kind) else kind, **columns}
    return ", ".join(f"{given[name]} AS {name}" if name in given else name for name in _ODD.split(", "))


def _unusual(sql: DuckDB, window: Window, groups: str) -> str:
    """SQL: by application, operation, target and kind of reason, the new values, the uses, and the first few of them.

    `uses`, `refused`: those that are known; `uncounted`, `unsettled`: there may be more. `rank` is the highest that is
    possible, `least_rank` the lowest, where the log does not show whether uses were refused.
    """
    rank, least_rank = (
        severity("kind", "operation", "app", target="target", elsewhere="elsewhere", steady="steady", refused=refused)
        for refused in ("barred", "perhaps_barred")
    )
    columns = f"""{", ".join(f"odd.{name}" for name in KEYS.split(", "))}, kind, elsewhere,
                CAST(sum(used.uses) AS BIGINT) AS uses,
                CAST(coalesce(sum(used.uses) FILTER (WHERE NOT succeeded), 0) AS BIGINT) AS refused,
                bool_or(used.uses IS NULL) AS uncounted,
                bool_or(succeeded IS NULL OR NOT succeeded AND used.uses IS NULL) AS unsettled,
                bool_and(succeeded IS FALSE) AS barred, bool_and(succeeded IS NOT TRUE) AS perhaps_barred,
                {days_of(window, sql)} AS days, min(first_on) AS first_on, max(last_on) AS last_on, min(source) AS source,
                {first_rows("evidence", sql)} AS evidence"""
    return f"""
        WITH new AS (SELECT {GROUPS}, count(*) AS values, {sql.least("value", _FEW)} AS few,
                max(mailboxes) AS mailboxes, max(usual) AS usual, bool_and(steady) AS steady
            FROM (SELECT {GROUPS}, value, max(mailboxes) AS mailboxes, max(usual) AS usual, bool_and(steady) AS steady
                FROM odd GROUP BY {GROUPS}, value) GROUP BY {GROUPS}
            ORDER BY array_position({sql.texts(list(map(str, Kind)))}, kind), elsewhere, {KEYS} LIMIT {MOST}),
        uses AS (SELECT {columns}
            FROM (SELECT * FROM {groups} WHERE told AND {within(window)}) AS used JOIN odd ON {same("used", "odd")}
                AND (odd.facet = '{Facet.APP}' OR odd.value = CASE odd.facet {_VALUE} END)
                AND (busiest IS NULL OR busiest = day)
            GROUP BY ALL
            UNION ALL SELECT {columns} FROM (SELECT * FROM {groups} WHERE told AND {within(window)}) AS used
            JOIN odd ON {" AND ".join(f"used.{name} = odd.{name}" for name in ("target_kind", "operation", "app"))}
                AND odd.facet = '{Facet.HOUR}' AND busiest = day
            GROUP BY ALL)
        SELECT {GROUPS}, values, few, mailboxes, usual, uses, refused, days, first_on, last_on, evidence, source,
            CAST({rank} AS INTEGER) AS rank, CAST({least_rank} AS INTEGER) AS least_rank, uncounted, unsettled
        FROM new JOIN uses USING ({GROUPS})"""
