"""Holds a window of logs against a baseline: what does not belong, how grave that is, and the rows that show it."""

# ruff: noqa: S608 - every name and literal in this SQL is our own

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.facets import FACETS, KEYS, VERSION, count, days_of, rows, same
from keyaudit.inventory.usage.learn import one, same_tenant
from keyaudit.inventory.usage.severity import FLOOR, OF_A_DAY, severity
from keyaudit.inventory.usage.unseen import damaged, days_with_events, in_order, missing_days, new_sources, not_learned
from keyaudit.model.findings import Severity
from keyaudit.model.first_party import FIRST_PARTY
from keyaudit.model.reasons import Reason
from keyaudit.model.times import DAY
from keyaudit.model.usage import Accepted, Blind, Facet, Kind, Unseen, Unusual, UsageCheck, Use, Why, Window

_EVIDENCE = 3
"""Rows shown of each reason."""
_FEW = 5
"""New values named of each reason."""
_MOST = 10_000
"""Reasons told, the gravest; more of them say that the baseline is not one of these logs."""
_SUPERSEDED = 30 * DAY
"""A newer key was in use for so long after the last use of an old one: it had taken its place."""
_OVERLAP = 7 * DAY
"""While a fleet moves from one key to the next, both are in use. Keys that are in turn for longer belong together."""
_PRODUCES = ("sign", "encrypt", "wrap", "sign-in")
"""What is done with the newest key. Old ones still decrypt, unwrap and verify what was made with them."""

_OF = "CASE operation WHEN 'sign-in' THEN '' ELSE target END"
"""What a key takes the place of another in: a version in its key, a credential in its application, wherever that signs in."""
_ODD = f"{KEYS}, facet, value, kind, elsewhere, mailboxes, usual"
"""The columns of the table `odd`, but for `busiest`, the one day that a reason is about."""
_VALUE = " ".join(f"WHEN '{facet}' THEN {column}" for facet, column in FACETS.items())


def check(
    connection: duckdb.DuckDBPyConnection,
    tenant_id: str | None,
    window: Window,
    baseline: Baseline | None,
    *,
    accepted: Sequence[Accepted] = (),
    fail_on: Severity = Severity.HIGH,
) -> UsageCheck:
    """What does not belong in the window, and what cannot be told. `connection` has the view and tables of the log store.

    Without a baseline nothing can be told. An announcement is unused only where nothing is unseen: else nobody knows. Raises
    UnsafeError where the baseline is another tenant's.
    """
    days = days_with_events(connection, window)
    unseen = list(damaged(connection, window))
    findings: list[Unusual] = []
    bounds = [window.since, window.until]
    if baseline is None:
        unseen.append(Unseen(blind=Blind.NO_BASELINE, subject="", reason=Reason.NOT_SUPPLIED))
    else:
        same_tenant(tenant_id, baseline)
        baseline.copy_into(connection)
        count(connection, window)
        unseen += [
            *missing_days(days, window, baseline.rhythm),
            *new_sources(days, baseline),
            *not_learned(connection, window, baseline),
        ]
        findings = _unusual(connection, window, accepted)
        besides = one(connection, f"SELECT count(*) FROM (SELECT DISTINCT {KEYS}, kind, elsewhere FROM odd)") - _MOST
        if besides > 0:
            unseen.append(Unseen(blind=Blind.TOO_MANY, subject="", reason=Reason.TOO_LARGE, count=besides))
    covering = {found.accepted for found in findings}
    return UsageCheck(
        tenant_id=tenant_id,
        window=window,
        learned=baseline.learned if baseline else (),
        uses=one(connection, "SELECT count(*) FROM usage WHERE used_on >= ? AND used_on < ?", bounds),
        findings=findings,
        unseen=in_order(unseen),
        unused=() if unseen else tuple(each for each in accepted if each not in covering),
        fail_on=fail_on,
    )


def _unusual(connection: duckdb.DuckDBPyConnection, window: Window, accepted: Sequence[Accepted]) -> list[Unusual]:
    _odd(connection)
    found: dict[tuple[str, str, str, str], list[Why]] = defaultdict(list)
    grouped = _grouped(connection, window)
    evidence = _evidence(connection, window)
    for row in grouped:
        found[row[:4]].append(_why(row, evidence))
    findings = []
    for (kind, target, operation, app), reasons in found.items():
        why = sorted(reasons, key=lambda each: (-each.severity.rank, list(Kind).index(each.kind), each.elsewhere))
        made = Unusual(
            target_kind=kind, target=target, operation=operation, app_id=app, app_name=FIRST_PARTY.get(app, ""), why=why
        )
        findings.append(dataclasses.replace(made, accepted=_covering(made, accepted)))
    return sorted(
        findings, key=lambda each: (each.accepted is not None, -each.severity.rank, each.operation, each.target, each.app_id)
    )


def _covering(found: Unusual, accepted: Sequence[Accepted]) -> Accepted | None:
    """What was announced of it. Who announces an application announces neither mass reading nor a key that comes back."""
    if any(why.kind in (Kind.MANY_MAILBOXES, Kind.RETURNED_KEY) for why in found.why):
        return None
    done = (found.app_id, found.operation)
    for each in accepted:
        if (each.app_id, each.operation) == done and found.last_on < each.ends and each.target.matches(found.target):
            return each
    return None


def _odd(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the table `odd`: what is in `seen` and does not belong, with the kind of reason.

    Of an application that is new to a target everything is, which is said once. Only operations in the table `told` are judged.
    """
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE odd AS
        WITH app AS (SELECT {KEYS} FROM belongs WHERE facet = '{Facet.APP}'),
        key AS (SELECT target_kind, operation, app, {_OF} AS of, facet, value, min(first_on) AS first_on,
                max(last_on) AS last_on
            FROM belongs WHERE facet = '{Facet.KEY}' AND operation IN {_PRODUCES} GROUP BY ALL),
        superseded AS (SELECT * EXCLUDE (first_on, last_on), last_on AS replaced FROM key AS old WHERE EXISTS (FROM key AS new
            WHERE new.target_kind = old.target_kind AND new.operation = old.operation AND new.app = old.app AND new.of = old.of
                AND new.first_on >= old.last_on - {_OVERLAP} AND new.last_on >= old.last_on + {_SUPERSEDED})),
        elsewhere AS (SELECT DISTINCT target_kind, operation, facet, value AS new FROM belongs WHERE facet <> '{Facet.APP}'
            UNION SELECT target_kind, operation, '{Facet.APP}', app FROM app),
        judged AS (SELECT seen.* EXCLUDE (new, of), coalesce(app_known, false) AS app_known,
                coalesce(target_known, false) AS target_known, coalesce(known, false) AS known,
                coalesce(last_on > replaced, false) AS superseded, coalesce(usual, 0) AS usual,
                coalesce(elsewhere, anywhere, facet = '{Facet.CLIENT_APP}' AND value IN {tuple(FIRST_PARTY)}) AS elsewhere
            FROM (SELECT *, CASE facet WHEN '{Facet.APP}' THEN app ELSE value END AS new, {_OF} AS of FROM seen) AS seen
            JOIN told USING (target_kind, operation)
            LEFT JOIN (SELECT *, true AS app_known FROM app) USING ({KEYS})
            LEFT JOIN (SELECT DISTINCT target_kind, target, operation, true AS target_known FROM app)
                USING (target_kind, target, operation)
            LEFT JOIN (SELECT {KEYS}, facet, value, mailboxes AS usual, true AS known FROM belongs)
                USING ({KEYS}, facet, value)
            LEFT JOIN superseded USING (target_kind, operation, app, of, facet, value)
            LEFT JOIN (SELECT *, true AS elsewhere FROM elsewhere) USING (target_kind, operation, facet, new)
            LEFT JOIN (SELECT DISTINCT facet, value, true AS anywhere FROM belongs WHERE facet = '{Facet.NETWORK}')
                USING (facet, value)),
        reasons AS (SELECT *, CASE
                WHEN facet = '{Facet.APP}' AND NOT app_known AND NOT target_known AND elsewhere THEN '{Kind.NEW_TARGET}'
                WHEN facet = '{Facet.APP}' AND NOT app_known THEN '{Kind.NEW_APP}'
                WHEN superseded THEN '{Kind.RETURNED_KEY}'
                WHEN facet <> '{Facet.APP}' AND app_known AND NOT known THEN 'new-' || facet END AS kind FROM judged)
        SELECT {_ODD}, NULL AS busiest FROM reasons WHERE kind IS NOT NULL
        UNION ALL SELECT {_ODD}, busiest FROM (SELECT * EXCLUDE (kind), '{Kind.MANY_MAILBOXES}' AS kind FROM reasons)
        WHERE facet = '{Facet.APP}' AND mailboxes >= {FLOOR} AND mailboxes > {OF_A_DAY} * usual"""
    )


def _grouped(connection: duckdb.DuckDBPyConnection, window: Window) -> list[tuple[Any, ...]]:
    """By application, operation, target and kind of reason: what is new, its uses, and the ids of the first few."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE shown AS
        WITH new AS (SELECT {KEYS}, kind, elsewhere, count(*) AS values, min(value, {_FEW}) AS few,
                max(mailboxes) AS mailboxes, max(usual) AS usual FROM odd GROUP BY {KEYS}, kind, elsewhere
            ORDER BY list_position({list(map(str, Kind))}, kind), elsewhere, {KEYS} LIMIT {_MOST}),
        uses AS (SELECT {", ".join(f"odd.{name}" for name in KEYS.split(", "))}, kind, elsewhere, count(*) AS uses,
                count(*) FILTER (NOT succeeded) AS refused, {days_of(window)} AS days, min(used_on) AS first_on,
                max(used_on) AS last_on, min_by(id, (used_on, id), {_EVIDENCE}) AS ids
            FROM ({rows(window)}) AS used JOIN odd ON {same("used", "odd")}
                AND (odd.facet = '{Facet.APP}' OR odd.value = CASE odd.facet {_VALUE} END)
                AND (busiest IS NULL OR busiest = day)
            GROUP BY ALL)
        SELECT {KEYS}, kind, elsewhere, values, few, mailboxes, usual, uses, refused, days, first_on, last_on, ids
        FROM new JOIN uses USING ({KEYS}, kind, elsewhere)"""
    )
    return connection.execute(f"FROM shown ORDER BY {KEYS}, kind, elsewhere").fetchall()


def _evidence(connection: duckdb.DuckDBPyConnection, window: Window) -> dict[str, Use]:
    """The rows that `shown` names, by id."""
    found = connection.execute(
        f"""SELECT id, used_on, target_id, client_app_id, principal_id, network, client, succeeded, source, source_url,
            coalesce(credential_key_id, nullif({VERSION}, ''))
        FROM usage WHERE used_on >= {window.since} AND used_on < {window.until} AND id IN (SELECT unnest(ids) FROM shown)"""
    )
    names = [field.name for field in dataclasses.fields(Use)]
    return {row[0]: Use(**dict(zip(names, row, strict=True))) for row in found.fetchall()}


def _why(row: tuple[Any, ...], rows_by_id: Mapping[str, Use]) -> Why:
    _, _, operation, app, kind, elsewhere, values, few, mailboxes, usual, *rest = row
    uses, refused, days, first_on, last_on, ids = rest
    found = Kind(kind)
    many = found is Kind.MANY_MAILBOXES
    return Why(
        kind=found,
        severity=severity(found, operation, app, elsewhere=elsewhere, refused=refused == uses),
        count=mailboxes if many else values,
        values=() if found in (Kind.NEW_APP, Kind.NEW_TARGET, Kind.MANY_MAILBOXES) else tuple(few),
        elsewhere=elsewhere,
        usual=usual,
        uses=uses,
        refused=refused,
        days=days,
        first_on=first_on,
        last_on=last_on,
        evidence=tuple(rows_by_id[each] for each in ids),
    )
