"""Log evidence about a key: who used it, and what the actors outside the baseline did next."""

# ruff: noqa: S608 - every name in this SQL is declared in this program; ids are parameters

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from msgspec import structs

from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.deviations import statements
from keyaudit.inventory.usage.facets import refuse_too_long
from keyaudit.inventory.usage.learn import same_tenant
from keyaudit.inventory.usage.log_gaps import damaged, days_with_events, in_order, missing_days, rhythm
from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.tables.usage import DIRECTORY_LOG, KEY_VAULT_LOG, MAIL_LOG, SHOWN_BY, SIGN_IN_LOGS, USER_SIGN_IN_LOG
from keyaudit.model.usage import Blind, Kind, Unseen, Window
from keyaudit.questions.incident.answer import LIKELY, Act, Count, Link, Observed, SamlSignIns, about_log
from keyaudit.questions.incident.evidence.actors import followed
from keyaudit.questions.incident.evidence.acts import RECORDS, acts, prepare
from keyaudit.questions.incident.evidence.subject import About

_LOST = (Blind.MISSING_DAYS, Blind.ABSENT_SOURCE, Blind.INCOMPLETE_FILE, Blind.BAD_LINES)
"""The gaps of a log that may hide records."""
_FEW_ROWS = 250_000
"""Rows of `usage` that fit in memory."""


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
        same_tenant(tenant_id, baseline.tenant_id)
        baseline.create_view(connection)
        for statement in statements(window, unusual=False):
            connection.execute(statement)
    _materialize(connection, window)
    days = days_with_events(connection, window)
    known = baseline.rhythm if baseline is not None else rhythm(days, window)
    unseen = [*missing_days(days, window, known), *damaged(connection, window)]
    held = baseline is not None
    of_subject = _uses_of(about)
    prepare(connection)
    uses = acts(connection, window, *of_subject, by_network=True, held=held)
    apps = {app: "" if app == about.app_id else "has the key" for app in sorted(about.apps)}
    timeline = followed(connection, of_subject, window, uses, apps=apps, changes=_changes(about, uses), held=held)
    logs = [KEY_VAULT_LOG] * bool(about.key_ids or about.secret_ids)
    logs += [SIGN_IN_LOGS[0]] * bool(about.credentials or about.app_id)
    needed = dict.fromkeys(log for log in SHOWN_BY.values() if log != USER_SIGN_IN_LOG or about.signs_for)
    absent = [log for log in needed if log not in days]
    together = _together(connection, window, about, held=held)
    vault_logged = _vault_logged(connection, window, about)
    # Who the actors are depends on the logs of the key, and on the chain of added credentials.
    rests_on = (MAIL_LOG, *logs, SIGN_IN_LOGS[0], DIRECTORY_LOG)
    gaps = vault_logged is False or any(log in absent or _lacks(unseen, log) for log in rests_on)
    throttled = {each.subject for each in unseen if each.blind is Blind.THROTTLED}
    # One who came as others may have come as more of them.
    open_ended = unrecorded or not logs or gaps or any(act.link in LIKELY for act in timeline)
    return Observed(
        window=window,
        learned_until=None if baseline is None else baseline.until,
        uses=uses,
        timeline=sorted([*timeline, *together], key=lambda act: (act.first_on, act.operation, act.target)),
        causes=_causes(connection, window, about, [*uses, *timeline], held=held),
        saml=_saml(connection, window, about),
        domains=sorted(about.domains),
        mailboxes=_mailboxes(connection, window, about, [*uses, *timeline], None if open_ended else len(throttled)),
        unrecorded=unrecorded,
        logs=logs,
        unseen=in_order([each for each in unseen if each.blind is not Blind.ABSENT_SOURCE]),
        absent=absent,
        vault_logged=vault_logged,
    )


def _materialize(connection: duckdb.DuckDBPyConnection, window: Window) -> None:
    """Replaces the view `usage` by a table of the window, if it has few rows: each actor that is followed reads it again."""
    of_window = f"FROM usage WHERE used_on >= {window.since} AND used_on < {window.until}"
    [(rows,)] = connection.execute(f"SELECT count(*) {of_window}").fetchall()
    if rows <= _FEW_ROWS:
        place = "scope_id, resource_id, source_url, source_version"
        connection.execute(f"CREATE TEMP TABLE usage AS SELECT * EXCLUDE ({place}) {of_window}")


def earlier(connection: duckdb.DuckDBPyConnection, about: About, found: Observed) -> Observed:
    """The evidence with the causes of the days before its window, from a connection to all days of the log store."""
    prepare(connection)
    before = Window(since=0, until=found.window.since)
    causes = _causes(connection, before, about, [*found.uses, *found.timeline], held=False)
    return structs.replace(found, causes=[*causes, *found.causes])


def named(found: Observed, names: Mapping[str, str]) -> Observed:
    """The evidence with names of the actors, by their ids in lower case."""

    def with_name(act: Act) -> Act:
        ids = [each for each in (act.actor.app_id, act.actor.principal_id) if each]
        name = next((names[each] for each in ids if each in names), "") or FIRST_PARTY.get(act.actor.app_id or "", "")
        because = act.because
        for each in act.mentioned:
            because = because.replace(each, f"{names[each]} ({each})") if each in names else because
        return structs.replace(act, actor=structs.replace(act.actor, name=name), because=because)

    def of_app(app_id: str | None) -> str:
        return names.get(app_id or "", "") or FIRST_PARTY.get(app_id or "", "")

    tokens = found.tokens and structs.replace(
        found.tokens,
        found=[structs.replace(each, name=of_app(each.app_id)) for each in found.tokens.found],
        uncalibrated=[structs.replace(each, name=of_app(each.app_id)) for each in found.tokens.uncalibrated],
    )
    return structs.replace(
        found,
        tokens=tokens,
        uses=[*map(with_name, found.uses)],
        timeline=[*map(with_name, found.timeline)],
        causes=[*map(with_name, found.causes)],
    )


def _uses_of(about: About) -> tuple[str, dict[str, Any]]:
    """The SQL condition on `usage` for uses of the subject, and its parameters."""
    object_ = "array_to_string(list_slice(string_split(target_id, '/'), 1, 5), '/')"
    key = f"""list_contains($object_ids, replace({object_}, '/certificates/', '/keys/'))
        AND ($version = '' OR split_part(target_id, '/', 6) IN ('', $version))"""
    sign_in = "list_contains($credentials, credential_key_id) OR actor_app_id = $app_id"
    values = {"object_ids": sorted(about.key_ids | about.secret_ids), "version": about.version}
    # CASE computes each only for the rows that it is about: ids of objects are long.
    cases = f"WHEN target_kind IN ('key', 'certificate', 'secret') THEN {key} WHEN operation = 'sign-in' THEN {sign_in}"
    return f"coalesce(CASE {cases} END, false)", {
        **values,
        "credentials": sorted(about.credentials),
        "app_id": about.app_id,
    }


def _lacks(unseen: Sequence[Unseen], log: str) -> bool:
    """Whether that log may have records that were not read, or that do not name who acted, which for mail is counted."""
    lost = _LOST if log == MAIL_LOG else (*_LOST, Blind.NOT_TOLD)
    return any(each.blind in lost and about_log(each, log) for each in unseen)


def _causes(
    connection: duckdb.DuckDBPyConnection, window: Window, about: About, found: Sequence[Act], *, held: bool
) -> list[Act]:
    """The changes that added the credentials in question, or any to the subject, or changed the federation of its domain."""
    return acts(connection, window, *_changes(about, found), held=held, link=Link.CAUSE)


def _changes(about: About, found: Sequence[Act]) -> tuple[str, dict[str, Any]]:
    """The SQL condition on `usage` for these changes, and its parameters. `found` has the credentials that signed in."""
    signed_in = {act.credential for act in found if act.operation == "sign-in" and act.credential}
    condition = """(operation = 'add-credential'
            AND (list_contains($credentials, credential_key_id) OR list_contains($objects, target_id))
        OR operation = 'change-federation' AND target_kind = 'domain' AND list_contains($domains, target_id))"""
    values = {
        "credentials": sorted({*about.credentials, *signed_in}),
        "objects": sorted(about.objects),
        "domains": sorted(about.domains),
    }
    return condition, values


def _saml(connection: duckdb.DuckDBPyConnection, window: Window, about: About) -> list[SamlSignIns]:
    """The SAML sign-ins to the applications that the subject signs for. The log does not name the certificate."""
    query = f"""
        SELECT target_id, sum(uses)::BIGINT, count(DISTINCT principal_id),
            coalesce(sum(uses) FILTER (NOT succeeded), 0)::BIGINT, min(used_on), max(used_on),
            list_slice(list(coalesce(name, id) ORDER BY used_on, id), 1, {RECORDS})
        FROM usage WHERE operation = 'saml-sign-in' AND list_contains($apps, target_id)
            AND used_on >= {window.since} AND used_on < {window.until} GROUP BY 1 ORDER BY 1"""
    names = ("count", "users", "refused", "first_on", "last_on", "records")
    rows = connection.execute(query, {"apps": sorted(about.signs_for)}).fetchall()
    found = {app: dict(zip(names, row, strict=True)) for app, *row in rows}
    return [
        SamlSignIns(app_id=app, name=each.name, active=each.active, **found.get(app, {}))
        for app, each in sorted(about.signs_for.items())
    ]


def _together(connection: duckdb.DuckDBPyConnection, window: Window, about: About, *, held: bool) -> list[Act]:
    """The SAML sign-ins to those applications from a network that the baseline does not know: of several users, or, where all
    users come from few networks, of any.
    """
    if not (held and about.signs_for):
        return []
    condition, values = "operation = 'saml-sign-in' AND list_contains($apps, target_id)", {"apps": sorted(about.signs_for)}
    because = "signed in by SAML from a network that the baseline does not know"
    kinds = (Kind.USERS_FROM_NETWORK, Kind.NEW_NETWORK)
    how: dict[str, Any] = {"held": True, "by_network": True, "because": because, "kinds": kinds, "strange": True}
    found = acts(connection, window, condition, values, link=Link.CAUSE, **how)
    return [structs.replace(act, link=Link.NETWORK) for act in found]


def _mailboxes(
    connection: duckdb.DuckDBPyConnection, window: Window, about: About, found: Sequence[Act], throttled: int | None
) -> Count:
    """The number of mailboxes that followed actors read: at least as listed, at most those that any user of the key or its
    applications read, since a thief may look like a usual one, and those that were `throttled`. If that is None, nothing bounds
    it.
    """
    perhaps = sorted({*about.apps, *(act.actor.app_id or "" for act in found if act.link not in LIKELY)})
    query = f"""
        SELECT count(DISTINCT target_id) FILTER (id IN (SELECT id FROM taken WHERE usual IS NULL) AND succeeded),
            count(DISTINCT target_id) FILTER (list_contains($perhaps, coalesce(actor_app_id, '')) AND succeeded IS NOT FALSE
                OR unknown['actor_app_id'] IS NOT NULL),
            coalesce(sum(uses) FILTER (target_id IS NULL), 0)::BIGINT
        FROM usage WHERE operation = 'read-mail' AND used_on >= {window.since} AND used_on < {window.until}"""
    [(least, most, nameless)] = connection.execute(query, {"perhaps": perhaps}).fetchall()
    # On a day on which an application read too many mailboxes, as many as it ever read on one day may be its usual ones.
    busy = """
        SELECT coalesce(max(boxes - usual), 0) FROM (
            SELECT count(DISTINCT target_id) AS boxes, max(taken.usual) AS usual FROM usage JOIN taken USING (id)
            WHERE operation = 'read-mail' AND succeeded GROUP BY app, target, day)"""
    [(too_many,)] = connection.execute(busy).fetchall()
    return Count(least=max(least, too_many), most=None if throttled is None else most + nameless + throttled)


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
