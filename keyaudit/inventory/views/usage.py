"""The view of uses: whether each was to be expected, and what else the inventory and the other uses say of it."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Iterator

from keyaudit.inventory.load import quoted
from keyaudit.inventory.usage.facets import changes, target_of, who_of
from keyaudit.inventory.usage.severity import OF_A_DAY
from keyaudit.inventory.views import versions
from keyaudit.inventory.views.logged import whole
from keyaudit.inventory.views.service_principal import environments
from keyaudit.inventory.views.sql import Sources, extended, gap, read_to_the_end, stored
from keyaudit.inventory.views.unshown import unshown
from keyaudit.model.first_party import FIRST_PARTY
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.usage import MAIL_LOG, SIGN_IN_LOGS
from keyaudit.model.times import DAY

_MICROSOFTS = ", ".join(map(quoted, FIRST_PARTY))
_OWN_APP = f"coalesce({{0}} IN ({_MICROSOFTS}), false)"
"""To be formatted with an application's id."""
_KEY = "stored.target_kind = 'key'"
_HELD = "stored.operation IN ('add-credential', 'remove-credential', 'add-service-principal')"
_ADDED = "stored.operation = 'add-credential'"
_MAIL = "operation = 'read-mail' AND target_kind = 'mailbox'"
_NOT_SHOWN = f"'{Reason.NOT_SUPPLIED}'"


def prepare(sources: Sources, *, baseline: bool) -> Iterator[str]:
    """Makes the tables that `view` rests on: what is looked up for each of millions of uses is worked out once."""
    yield f"CREATE TABLE mail_day AS {_mailboxes(sources)}"
    if baseline:
        yield f"CREATE TABLE use_known AS {_known(sources)}"
        yield f"""CREATE TABLE mail_usual AS SELECT coalesce(app_id, '') AS app, sum(mailboxes)::BIGINT AS mailboxes
            FROM {sources["usage_baseline"]} WHERE operation = 'read-mail' GROUP BY ALL"""


def view(sources: Sources, scope_id: str, as_of: int, *, baseline: bool) -> str:
    """SQL over `sources`: the stored columns, the derived ones, and the reasons of what is unknown; and what no log shows.

    Without a `baseline` what is usual is unknown. `scope_id`: the tenant's.
    """
    columns = _COLUMNS | (_HELD_AGAINST if baseline else _UNHELD)
    doubts = _DOUBTS | (_HELD_AGAINST_DOUBTS if baseline else _UNHELD_DOUBTS)
    return f"""
        SELECT {stored("usage", "stored")}, {", ".join(f"{sql} AS {name}" for name, sql in columns.items())},
            {extended(doubts)}
        FROM {sources["usage"]} AS stored
        LEFT JOIN ({_versions(sources)}) AS version ON version.id = stored.target_id
        LEFT JOIN ({environments(sources)}) AS by_object ON by_object.object_id = stored.principal_id
        LEFT JOIN ({environments(sources)}) AS by_app ON by_app.app_id = stored.actor_app_id
        LEFT JOIN (SELECT split_part(id, '/', -1) AS object_id, home, unknown['home'] AS doubt
            FROM {sources["service_principal"]}) AS holder ON holder.object_id = stored.target_id
        LEFT JOIN ({_sign_ins(sources)}) AS own ON own.credential_key_id = stored.credential_key_id
        -- The record of the sign-in does not tell the credential: it may be any.
        LEFT JOIN ({_sign_ins(sources)}) AS untold ON untold.credential_key_id IS NULL
        LEFT JOIN (SELECT min(since) AS since FROM ({whole(sources, SIGN_IN_LOGS[0])})) AS sign_ins ON true
        LEFT JOIN (SELECT min(since) AS since FROM ({whole(sources, MAIL_LOG)})) AS mail ON true
        LEFT JOIN mail_day AS reading ON reading.id = stored.id
        LEFT JOIN ({read_to_the_end(("service_principal.list",))}) AS principals ON true
        {_USUAL if baseline else ""}
        UNION ALL BY NAME {unshown(sources, scope_id, as_of)}"""


_SAME = " AND ".join(
    f"held.{column} IS NOT DISTINCT FROM {of}"
    for column, of in {
        "source": "stored.source",
        "operation": "stored.operation",
        "target_kind": "stored.target_kind",
        "target_class": target_of("stored"),
        "app_id": f"nullif({who_of('stored')}, '')",
        "client_app_id": "stored.client_app_id",
    }.items()
)
_USUAL = f"""LEFT JOIN use_known AS held ON {_SAME}
        LEFT JOIN mail_usual AS usual ON reading.id IS NOT NULL AND usual.app = coalesce(stored.actor_app_id, '')"""


_FOUND = "by_object.object_id IS NOT NULL"
_ACTOR_HOME_DOUBT = f"""CASE WHEN NOT {_KEY} THEN NULL
    WHEN {_FOUND} THEN CASE WHEN by_object.unnamed THEN '{Reason.NOT_CONFIGURED}' ELSE by_object.doubt END
    WHEN stored.actor_app_id IN ({_MICROSOFTS}) THEN NULL
    WHEN by_app.app_id IS NOT NULL THEN CASE WHEN by_app.unnamed THEN '{Reason.NOT_CONFIGURED}' ELSE by_app.doubt END
    ELSE coalesce(stored.unknown['principal_id'], stored.unknown['actor_app_id'], {gap("principals")},
        '{Reason.NOT_VISIBLE}') END"""
_SINCE = "(sign_ins.since IS NULL OR sign_ins.since > stored.used_on)"
_SIGNED_IN = f"{_ADDED} AND coalesce(own.used >= stored.used_on, false)"
_SIGNED_IN_DOUBT = f"""CASE WHEN NOT {_ADDED} OR {_SIGNED_IN} THEN NULL
    WHEN stored.unknown['credential_key_id'] IS NOT NULL THEN stored.unknown['credential_key_id']
    WHEN {_SINCE} OR greatest(own.perhaps, untold.used, untold.perhaps) >= stored.used_on THEN {_NOT_SHOWN} END"""
_OPEN = "(mail.since IS NULL OR mail.since > stored.used_on)"
# Whose it was the log does not say: it counts for none, and may have been anybody's.
_BY_SOMEBODY = (
    "CASE WHEN stored.operation = 'read-mail' AND stored.target_kind = 'mailbox' THEN stored.unknown['actor_app_id'] END"
)
_NOT_ALL = f"reading.id IS NOT NULL AND ({_OPEN} OR reading.certain <> reading.possible)"

_COLUMNS = {
    "environment": f"CASE WHEN {_KEY} THEN version.environment END",
    "actor_environment": f"""CASE WHEN {_KEY} THEN CASE WHEN {_FOUND} THEN by_object.environment
        WHEN stored.actor_app_id IN ({_MICROSOFTS}) THEN NULL ELSE by_app.environment END END""",
    "superseded_on": f"CASE WHEN {_KEY} AND version.newer_doubt IS NULL THEN version.newer_on END",
    "signed_in_with": f"CASE WHEN {_SIGNED_IN_DOUBT} IS NULL THEN {_SIGNED_IN} END",
    "target_home": f"CASE WHEN {_HELD} THEN CASE stored.target_kind WHEN 'application' THEN 'own' ELSE holder.home END END",
    "mailboxes_read_min": "coalesce(reading.certain, 0)",
    "mailboxes_read_max": f"""CASE WHEN {_BY_SOMEBODY} IS NOT NULL THEN NULL WHEN reading.id IS NULL THEN 0
        WHEN NOT {_OPEN} THEN reading.possible END""",
}
_DOUBTS = {
    "environment": f"""CASE WHEN {_KEY} THEN CASE WHEN version.id IS NULL
        THEN coalesce(stored.unknown['target_id'], '{Reason.NOT_VISIBLE}') ELSE version.environment_doubt END END""",
    "actor_environment": _ACTOR_HOME_DOUBT,
    "superseded_on": f"""CASE WHEN {_KEY} THEN CASE WHEN version.id IS NULL
        THEN coalesce(stored.unknown['target_id'], '{Reason.NOT_VISIBLE}') ELSE version.newer_doubt END END""",
    "signed_in_with": _SIGNED_IN_DOUBT,
    "target_home": f"""CASE WHEN {_HELD} AND stored.target_kind = 'service-principal' AND holder.home IS NULL
        THEN coalesce(holder.doubt, stored.unknown['target_id'], {gap("principals")}, '{Reason.NOT_VISIBLE}') END""",
    "mailboxes_read": f"coalesce({_BY_SOMEBODY}, CASE WHEN {_NOT_ALL} THEN {_NOT_SHOWN} END)",
}


def _versions(sources: Sources) -> str:
    """Each version of a key: its environment, and when the first enabled one was made that came after it."""
    whole_key = "(PARTITION BY stored.key_id)"
    later = "(PARTITION BY stored.key_id ORDER BY stored.created_on RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
    unknown = "stored.unknown"
    # One without a date was made before the service kept dates.
    dated = f"min(stored.created_on) FILTER (stored.enabled) OVER {whole_key}"
    doubt = f"""coalesce(CASE WHEN stored.versions_listed IS NOT TRUE
        THEN coalesce({unknown}['versions_listed'], '{Reason.TRUNCATED}') END, {unknown}['enabled'], {unknown}['created_on'])"""
    return f"""
        SELECT stored.id, {versions.ENVIRONMENT} AS environment, {versions.REASONS["environment"]} AS environment_doubt,
            CASE WHEN stored.created_on IS NULL THEN {dated}
                ELSE min(stored.created_on) FILTER (stored.enabled) OVER {later} END AS newer_on,
            min({doubt}) OVER {whole_key} AS newer_doubt
        FROM {sources["key"]} AS stored {versions.relations(sources, "key", "key_id")["vault"]}"""


def _sign_ins(sources: Sources) -> str:
    """The last sign-in with each credential, and the last that may have been one."""
    return f"""
        SELECT credential_key_id, max(used_on) FILTER (succeeded) AS used, max(used_on) FILTER (succeeded IS NULL) AS perhaps
        FROM {sources["usage"]} WHERE operation = 'sign-in' AND succeeded IS NOT FALSE
            AND (credential_key_id IS NOT NULL OR unknown['credential_key_id'] IS NOT NULL)
        GROUP BY credential_key_id"""


def _mailboxes(sources: Sources) -> str:
    """By application and day the first use that read mail, and of how many mailboxes the day's uses did."""
    days = f"coalesce(actor_app_id, '') AS app, used_on // {DAY} AS day"
    uses = f"""{sources["usage"]}
            WHERE {_MAIL} AND succeeded IS NOT FALSE AND unknown['actor_app_id'] IS NULL GROUP BY ALL"""
    # Grouped twice, which takes a third of the time that counting what is distinct does.
    return f"""
        SELECT id, certain, possible
        FROM (SELECT {days}, arg_min(id, (succeeded IS NULL, used_on, id)) AS id FROM {uses})
        JOIN (
            SELECT app, day, count(*) FILTER (mailbox IS NOT NULL AND read) AS certain,
                count(mailbox) + coalesce(sum(uses) FILTER (mailbox IS NULL), 0)::BIGINT AS possible
            FROM (SELECT {days}, target_id AS mailbox, coalesce(bool_or(succeeded), false) AS read, count(*) AS uses
                FROM {uses})
            GROUP BY app, day
        ) USING (app, day)"""


def _known(sources: Sources) -> str:
    """By class, application and caller that occur: whether the baseline knows these, there or where it knows no such target."""
    classes = ("operation", "target_kind", "target_class")

    def known(name: str, *columns: str, where: str = "true") -> str:
        """What the baseline has in these columns, joined to what occurs."""
        same = " AND ".join(f"{name}.{column} IS NOT DISTINCT FROM used.{column}" for column in columns)
        return f"""LEFT JOIN (SELECT DISTINCT {", ".join(columns)}, true AS known FROM {sources["usage_baseline"]}
            WHERE {where}) AS {name} ON {same}"""

    called, alone = "client_app_id IS NOT NULL", "client_app_id IS NULL"
    return f"""
        SELECT used.*, elsewhere.known AS app_elsewhere,
            done.known IS NOT NULL OR source IN (SELECT source FROM {sources["usage_log"]} WHERE learned) AS told,
            {_OWN_APP.format("used.app_id")} OR app.known IS NOT NULL
                OR target.known IS NULL AND elsewhere.known IS NOT NULL AS app_known,
            used.{alone} OR coalesce(used.client_app_id IN ({_MICROSOFTS}), false) OR client.known IS NOT NULL
                OR target.known IS NULL AND client_elsewhere.known IS NOT NULL AS client_known
        FROM (SELECT DISTINCT source, operation, target_kind, {target_of("stored")} AS target_class,
            nullif({who_of("stored")}, '') AS app_id,
            client_app_id FROM {sources["usage"]} AS stored) AS used
        {known("app", *classes, "app_id", where=alone)}
        {known("target", *classes)}
        {known("done", *classes[:2])}
        {known("elsewhere", *classes[:2], "app_id", where=alone)}
        {known("client", *classes, "app_id", "client_app_id", where=called)}
        {known("client_elsewhere", *classes[:2], "app_id", "client_app_id", where=called)}"""


_EXPECTED_DOUBT = f"""CASE WHEN stored.unknown['actor_app_id'] IS NOT NULL THEN stored.unknown['actor_app_id']
    WHEN stored.actor_app_id IS NULL AND {changes("stored")} AND stored.unknown['principal_id'] IS NOT NULL
    THEN stored.unknown['principal_id']
    WHEN stored.unknown['target_id'] IS NOT NULL AND app_elsewhere AND NOT {changes("stored")}
        AND NOT {_OWN_APP.format("stored.actor_app_id")} THEN stored.unknown['target_id']
    WHEN app_known THEN stored.unknown['client_app_id'] WHEN NOT told THEN {_NOT_SHOWN} END"""
# More than several times what is usual: of the mailboxes that it read for certain, and of all that it may have read.
_SURELY, _PERHAPS = (f"reading.{bound} > {OF_A_DAY} * coalesce(usual.mailboxes, 0)" for bound in ("certain", "possible"))

_HELD_AGAINST = {
    "expected": f"CASE WHEN {_EXPECTED_DOUBT} IS NULL THEN app_known AND client_known END",
    "mail_beyond_usual": f"""CASE WHEN {_BY_SOMEBODY} IS NOT NULL THEN NULL WHEN reading.id IS NULL THEN false
        WHEN NOT told THEN NULL WHEN {_SURELY} THEN true WHEN NOT {_OPEN} AND NOT {_PERHAPS} THEN false END""",
}
_HELD_AGAINST_DOUBTS = {
    "expected": _EXPECTED_DOUBT,
    "mail_beyond_usual": f"""coalesce({_BY_SOMEBODY},
        CASE WHEN reading.id IS NOT NULL AND (NOT told OR NOT {_SURELY} AND ({_OPEN} OR {_PERHAPS})) THEN {_NOT_SHOWN} END)""",
}
_UNHELD = {
    "expected": "NULL::BOOLEAN",
    "mail_beyond_usual": f"CASE WHEN {_BY_SOMEBODY} IS NULL AND reading.id IS NULL THEN false END",
}
_UNHELD_DOUBTS = {
    "expected": _NOT_SHOWN,
    "mail_beyond_usual": f"coalesce({_BY_SOMEBODY}, CASE WHEN reading.id IS NOT NULL THEN {_NOT_SHOWN} END)",
}
