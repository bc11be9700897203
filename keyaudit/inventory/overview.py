"""The overview of the inventory: expiration dates, custody, and the keys that most principals can use."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

import duckdb

from keyaudit.inventory.expiring import endings, prepare
from keyaudit.inventory.load import quoted
from keyaudit.inventory.owners import called, owner_of
from keyaudit.inventory.part import EVERYTHING, Within
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Bounds
from keyaudit.model.results.overview import HORIZON, SPANS, Calendar, Custody, Due, Reach, Span
from keyaudit.model.tables.reach import OF_KEYS, WHO
from keyaudit.model.tables.vaults.key import KEY
from keyaudit.model.values import times

_MOST_ENDINGS = 100
_MOST_REACHED = 20
_FEW = 6
_BATCH = 1_024
_COUNTED = tuple(f"{who}_{action}" for action in OF_KEYS for who in WHO)
_KNOWN = {str(reason): reason for reason in Reason}
# Keys that are or may be in use.
_IN_USE = "enabled IS NOT FALSE AND is_current IS NOT FALSE"


def calendar(
    connection: duckdb.DuckDBPyConnection,
    as_of: int,
    *,
    complete: bool,
    supplied: Collection[str],
    limits: Within = EVERYTHING,
) -> Calendar:
    """The rows that expire within the horizon after `as_of`.

    `complete`: whether all required operations were read. `supplied`: the evidence that the snapshot has. `limits`, here and
    below: only rows within.
    """
    found = prepare(connection, as_of, as_of + HORIZON, limits)
    upto = " ".join(f"WHEN expires_on <= {as_of + last} THEN {quoted(span)}" for span, last in SPANS.items())
    counts: dict[Owner, dict[Span, int]] = defaultdict(dict)
    called_ = called(connection)
    for names, source, doubt, span, count in connection.execute(
        f"""SELECT owner, source, doubt, CASE {upto} ELSE {quoted(Span.UNKNOWN)} END AS span, count(*)
        FROM ending WHERE NOT retired GROUP BY ALL ORDER BY ALL"""
    ).fetchall():
        counts[owner_of(called_, names, source, doubt)][Span(span)] = count
    days = connection.execute(
        f"""SELECT expires_on // {times.DAY} AS day, count(*) FROM ending
        WHERE NOT retired AND expires_on > {as_of} GROUP BY day ORDER BY day"""
    ).fetchall()
    months: dict[str, int] = defaultdict(int)
    for day, count in days:
        months[times.iso_date(day * times.DAY)[:7]] += count
    soonest = [
        each for each in endings(connection, supplied, _MOST_ENDINGS) if each.expires_on is not None and not each.retired
    ]
    return Calendar(
        owners=sorted((Due(owner, spans) for owner, spans in counts.items()), key=_urgency),
        months=dict(months),
        soonest=sorted(soonest, key=lambda each: (each.expires_on or 0, each.table, str(each.row["id"]))),
        retired=found.retired,
        complete=complete,
    )


def custody(connection: duckdb.DuckDBPyConnection, limits: Within = EVERYTHING) -> list[Custody]:
    """The custody of keys that are or may be in use, by environment."""
    found = connection.execute(
        f"""SELECT environment, unknown['environment'] AS doubt, custody, count(*)
        FROM {limits.rows(KEY)} AS key WHERE {_IN_USE}
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    return [
        Custody(environment=environment, environment_unknown=_reason(doubt), custody=custody, count=count)
        for environment, doubt, custody, count in found
    ]


def widest(connection: duckdb.DuckDBPyConnection, limits: Within = EVERYTHING) -> tuple[list[Reach], int]:
    """The keys in use, or possibly in use, that most principals can sign with, then decrypt with; and the number of others.

    Among keys with the same minimum, those without an upper bound come first.
    """
    bounds = ", ".join(f"{name}_min, {name}_max" for name in _COUNTED)
    order = ", ".join(f"{name}_min DESC NULLS LAST, {name}_max DESC NULLS FIRST" for name in _COUNTED)
    answer = connection.execute(
        f"""SELECT vault_name, count(DISTINCT key_id) AS keys, min(DISTINCT coalesce(name, ''), {_FEW}) AS names, {bounds}
        FROM {limits.rows(KEY)} AS key WHERE {_IN_USE} GROUP BY ALL ORDER BY {order}, vault_name"""
    )
    found = [
        Reach(vault=vault, keys=keys, names=names, counts=dict(zip(_COUNTED, _pairs(cells), strict=True)))
        for vault, keys, names, *cells in answer.fetchmany(_MOST_REACHED)
    ]
    left_out = 0
    while more := answer.fetchmany(_BATCH):
        left_out += sum(keys for _, keys, *_ in more)
    return found, left_out


def _pairs(cells: Sequence[int | None]) -> Iterator[Bounds | None]:
    for least, most in zip(cells[::2], cells[1::2], strict=True):
        yield None if least is None else (least, most)


def _urgency(due: Due) -> tuple[object, ...]:
    counts = (-due.counts.get(span, 0) for span in Span)
    return (*counts, due.owner.names, due.owner.source, str(due.owner.reason))


def _reason(text: str | None) -> Reason | None:
    return None if text is None else _KNOWN.get(text, Reason.UNRECOGNISED)
