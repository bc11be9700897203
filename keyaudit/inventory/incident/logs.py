"""Log evidence about a key: who used it, and what the actors outside the baseline did next."""

# ruff: noqa: S608 - every name in this SQL is declared in this program; ids are parameters

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import duckdb
from msgspec import structs

from keyaudit.inventory.incident.subject import About
from keyaudit.inventory.logs.groups import FACETS, LEARNED, rows
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.facets import refuse_too_long, same
from keyaudit.inventory.usage.learn import same_tenant
from keyaudit.inventory.usage.odd import statements
from keyaudit.inventory.usage.unseen import damaged, days_with_events, in_order, missing_days, rhythm
from keyaudit.model.first_party import FIRST_PARTY
from keyaudit.model.incident import Act, Actor, Count, Observed, about_log
from keyaudit.model.tables.usage import DIRECTORY_LOG, KEY_VAULT_LOG, MAIL_LOG, SHOWN_BY, SIGN_IN_LOGS, USER_SIGN_IN_LOG
from keyaudit.model.usage import Blind, Facet, Unseen, Window

_FEW = 5
_RECORDS = 100
_DEEPEST = 5
"""How many times the chain of added credentials is followed."""
_LOST = (Blind.MISSING_DAYS, Blind.ABSENT_SOURCE, Blind.INCOMPLETE_FILE, Blind.BAD_LINES)
"""The gaps of a log that may hide records."""
_VALUE = " ".join(f"WHEN '{facet}' THEN {column}" for facet, column in FACETS.items())
_FOLLOWED = (
    "privileged",
    "new-operation",
    "new-app",
    "new-client-app",
    "new-principal",
    "new-api",
    "new-target",
    "returned-key",
    "many-mailboxes",
    "mailbox-read-often",
    "mailboxes-from-new-network",
    "mailboxes-with-new-program",
    "new-network",
)
"""The reasons for which an actor is followed, or an act is listed; a new program or key version alone is not enough."""


def observed(
    connection: duckdb.DuckDBPyConnection,
    about: About,
    window: Window,
    baseline: Baseline | None,
    tenant_id: str | None,
    *,
    unrecorded: bool,
) -> Observed:
    """The evidence about the subject in the window, from the connection of a log store.

    Without a baseline all users of the key are followed. `unrecorded`: it may be used without a record. Raises UnsafeError for
    a baseline of another tenant, UsageError for a window with too many days.
    """
    refuse_too_long(window)
    if baseline is not None:
        same_tenant(tenant_id, baseline)
        baseline.create_view(connection)
        for statement in statements(window):
            connection.execute(statement)
    days = days_with_events(connection, window)
    known = baseline.rhythm if baseline is not None else rhythm(days, window)
    unseen = [*missing_days(days, window, known), *damaged(connection, window)]
    absent = [log for log in dict.fromkeys(SHOWN_BY.values()) if log not in days and log != USER_SIGN_IN_LOG]
    uses = _acts(connection, window, *_uses_of(about), by_network=True, held=baseline is not None)
    timeline = _next(connection, about, window, uses, held=baseline is not None)
    logs = [KEY_VAULT_LOG] * bool(about.key_ids)
    logs += [SIGN_IN_LOGS[0]] * bool(about.credentials or about.app_id)
    vault_logged = _vault_logged(connection, window, about)
    # Who the actors are depends on the logs of the key, and on the chain of added credentials.
    followed = (MAIL_LOG, *logs, SIGN_IN_LOGS[0], DIRECTORY_LOG)
    gaps = vault_logged is False or any(log in absent or _lacks(unseen, log) for log in followed)
    throttled = {each.subject for each in unseen if each.blind is Blind.THROTTLED}
    open_ended = unrecorded or not logs or gaps
    return Observed(
        window=window,
        learned_until=None if baseline is None else baseline.until,
        uses=uses,
        timeline=timeline,
        mailboxes=_mailboxes(connection, window, about, [*uses, *timeline], None if open_ended else len(throttled)),
        unrecorded=unrecorded,
        logs=logs,
        unseen=in_order([each for each in unseen if each.blind is not Blind.ABSENT_SOURCE]),
        absent=absent,
        vault_logged=vault_logged,
    )


def named(found: Observed, names: Mapping[str, str]) -> Observed:
    """The evidence with names of the actors, by their ids in lower case."""

    def with_name(act: Act) -> Act:
        ids = [each for each in (act.actor.app_id, act.actor.principal_id) if each]
        name = next((names[each] for each in ids if each in names), "") or FIRST_PARTY.get(act.actor.app_id or "", "")
        return structs.replace(act, actor=structs.replace(act.actor, name=name))

    return structs.replace(found, uses=[*map(with_name, found.uses)], timeline=[*map(with_name, found.timeline)])


def _uses_of(about: About) -> tuple[str, dict[str, Any]]:
    """The SQL condition on `usage` for uses of the subject, and its parameters."""
    of_key = "array_to_string(list_slice(string_split(target_id, '/'), 1, 5), '/')"
    key = f"""target_kind IN ('key', 'certificate')
        AND list_contains($key_ids, replace({of_key}, '/certificates/', '/keys/'))
        AND ($version = '' OR split_part(target_id, '/', 6) IN ('', $version))"""
    sign_in = "operation = 'sign-in' AND (list_contains($credentials, credential_key_id) OR actor_app_id = $app_id)"
    values = {"key_ids": sorted(about.key_ids), "version": about.version}
    return f"(({key}) OR ({sign_in}))", {**values, "credentials": sorted(about.credentials), "app_id": about.app_id}


def _acts(
    connection: duckdb.DuckDBPyConnection,
    window: Window,
    condition: str,
    values: Mapping[str, Any],
    *,
    by_network: bool,
    held: bool,
    because: str = "",
) -> list[Act]:
    """The uses in the window that match a condition, grouped, and compared with a baseline if `held`."""
    network = "act.network" if by_network else "''"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE act AS {rows(window, condition=condition)}", dict(values))
    order = "ORDER BY usage.used_on, usage.id"
    found = connection.execute(
        f"""SELECT usage.actor_app_id, CASE WHEN act.target_kind = 'mailbox' THEN NULL ELSE usage.principal_id END AS principal,
            act.operation, act.target_kind, act.target, usage.client_app_id, usage.credential_key_id, {network} AS near,
            coalesce(reasons.outside, []) AS outside,
            list_sort(list(DISTINCT usage.network) FILTER (usage.network IS NOT NULL)) AS networks,
            list_sort(list(DISTINCT usage.client) FILTER (usage.client IS NOT NULL)) AS clients,
            list_sort(list(DISTINCT usage.target_id) FILTER (usage.target_id IS NOT NULL)) AS objects,
            min(usage.used_on), max(usage.used_on), sum(usage.uses)::BIGINT,
            coalesce(sum(usage.uses) FILTER (NOT usage.succeeded), 0)::BIGINT,
            list_slice(list(coalesce(usage.name, usage.id) {order}), 1, {_RECORDS})
        FROM act JOIN usage USING (id) LEFT JOIN ({reasons(held=held)}) AS reasons USING (id)
        WHERE usage.used_on >= {window.since} AND usage.used_on < {window.until}
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY min(usage.used_on), 1, 2, 3, 5, 8"""
    ).fetchall()
    return [_act(row, held=held, because=because) for row in found]


def reasons(*, held: bool) -> str:
    """A query over `act`, uses of the window: those outside the baseline by `id`, with the reasons. Empty if none is `held`."""
    if not held:
        return "SELECT NULL::VARCHAR AS id, NULL::VARCHAR[] AS outside WHERE false"
    return f"""SELECT act.id, list_sort(list(DISTINCT odd.kind)) AS outside FROM act JOIN odd ON {same("act", "odd")}
        AND (odd.facet = '{Facet.APP}' OR odd.value = CASE odd.facet {_VALUE} END)
        AND (busiest IS NULL OR busiest = day) AND odd.kind IN {_FOLLOWED} GROUP BY act.id"""


def _act(row: tuple[Any, ...], *, held: bool, because: str) -> Act:
    """An act from a row of that query."""
    app, principal, operation, kind, target, caller, credential, _, outside, networks, clients, objects, *rest = row
    first, last, count, refused, records = rest
    return Act(
        actor=Actor(app_id=app, principal_id=principal, name=""),
        operation=operation,
        target_kind=kind,
        target=target,
        caller=None if caller == app else caller,
        credential=credential,
        networks=(networks or [])[:_FEW],
        clients=(clients or [])[:_FEW],
        objects=(objects or [])[:_FEW],
        objects_count=len(objects or []),
        first_on=first,
        last_on=last,
        count=count,
        refused=refused,
        outside=tuple(outside) if held else None,
        because=because,
        records=records,
    )


def _next(connection: duckdb.DuckDBPyConnection, about: About, window: Window, uses: Sequence[Act], *, held: bool) -> list[Act]:
    """The acts of key users outside the baseline, and of applications to which they added a credential that was used."""
    of_subject, values = _uses_of(about)
    followed = {_who(act): "" for act in uses if not held or act.outside}
    found: list[Act] = []
    told: set[tuple[str, str]] = set()
    for _ in range(_DEEPEST):
        waiting = [who for who in followed if who not in told and who != ("", "")]
        if not waiting:
            break
        told.update(waiting)
        for app, principal in waiting:
            who = "(actor_app_id = $app OR $app = '') AND (principal_id = $principal OR $principal = '')"
            given = {**values, "app": app, "principal": principal}
            because = followed[app, principal]
            acts = _acts(connection, window, f"{who} AND NOT {of_subject}", given, by_network=False, held=held, because=because)
            acts = [act for act in acts if not held or act.outside]
            found += acts
            added = {act.credential for act in acts if act.operation == "add-credential" and act.credential}
            for other, credential in _signed_in_with(connection, window, added):
                followed.setdefault((other, ""), f"signed in with credential {credential}, which {app or principal} added")
    return sorted(found, key=lambda act: (act.first_on, act.operation, act.target))


def _who(act: Act) -> tuple[str, str]:
    """The id by which an actor is followed: the application, or the principal for Microsoft's programs and without an
    application.
    """
    app, principal = act.actor.app_id or "", act.actor.principal_id or ""
    return ("", principal) if principal and (not app or app in FIRST_PARTY) else (app, "")


def _signed_in_with(
    connection: duckdb.DuckDBPyConnection, window: Window, credentials: Collection[str]
) -> list[tuple[str, str]]:
    query = f"""
        SELECT DISTINCT actor_app_id, credential_key_id FROM usage
        WHERE operation = 'sign-in' AND list_contains($credentials, credential_key_id) AND actor_app_id IS NOT NULL
            AND used_on >= {window.since} AND used_on < {window.until} ORDER BY ALL"""
    return connection.execute(query, {"credentials": sorted(credentials)}).fetchall() if credentials else []


def _lacks(unseen: Sequence[Unseen], log: str) -> bool:
    """Whether that log may have records that were not read, or that do not name who acted, which for mail is counted."""
    lost = _LOST if log == MAIL_LOG else (*_LOST, Blind.NOT_TOLD)
    return any(each.blind in lost and about_log(each, log) for each in unseen)


def _mailboxes(
    connection: duckdb.DuckDBPyConnection, window: Window, about: About, acts: Sequence[Act], throttled: int | None
) -> Count:
    """The number of mailboxes that followed actors read: at least as logged, at most those that any user of the key or its
    applications read, since a thief may look like a usual one, and those that were `throttled`. If that is None, nothing bounds
    it.
    """
    apps = sorted({act.actor.app_id or "" for act in acts if act.operation == "read-mail"})
    perhaps = sorted({*about.apps, *(act.actor.app_id or "" for act in acts)})
    query = f"""
        SELECT count(DISTINCT target_id) FILTER (list_contains($apps, coalesce(actor_app_id, '')) AND succeeded),
            count(DISTINCT target_id) FILTER (list_contains($perhaps, coalesce(actor_app_id, '')) AND succeeded IS NOT FALSE
                OR unknown['actor_app_id'] IS NOT NULL),
            coalesce(sum(uses) FILTER (target_id IS NULL), 0)::BIGINT
        FROM usage WHERE operation = 'read-mail' AND used_on >= {window.since} AND used_on < {window.until} AND {LEARNED}"""
    [(least, most, nameless)] = connection.execute(query, {"apps": apps, "perhaps": perhaps}).fetchall()
    return Count(least=least, most=None if throttled is None else most + nameless + throttled)


def _vault_logged(connection: duckdb.DuckDBPyConnection, window: Window, about: About) -> bool | None:
    if not about.vault_id and not about.key_ids:
        return None
    hosts = sorted({about.vault_id.lower(), *("/".join(each.split("/")[:3]) for each in about.key_ids)} - {""})
    query = """
        SELECT count(*) FROM written WHERE source = $log AND list_contains($hosts, lower(resource_id))
            AND day >= $first AND day < $last"""
    values = {"log": KEY_VAULT_LOG, "hosts": hosts, "first": window.since, "last": window.until}
    [(days,)] = connection.execute(query, values).fetchall()
    return bool(days)
