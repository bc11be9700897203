"""Finds the causes of the open failures, in DuckDB: a failure is in the cause that the first matching arm of its policy names.

A failure whose object is absent or unknown, or whose conditions are not certain, is a cause by itself.
"""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import groupby
from operator import itemgetter

import duckdb
from msgspec import Struct, field

from keyaudit.model.causes import MANY, Cause, Causes, Member
from keyaudit.model.columns import Table
from keyaudit.model.findings import PolicyText, Severity, Tally
from keyaudit.model.rows import view_name
from keyaudit.model.tables import TABLES
from keyaudit.policy.bind import Bound
from keyaudit.policy.definition import Policy
from keyaudit.policy.ordered import Evaluated, arm_of
from keyaudit.policy.queries import DIALECT, can_blank, writer_of
from keyaudit.policy.sql import UNKNOWN, read
from keyaudit.policy.verdict import FAIL, KNOWN

_SEVERITIES = tuple(Severity)
_ORDER = "rank DESC, policy, id"


class Place(Enum):
    """The place of a failure in its cause."""

    HEAD = auto()
    BESIDE = auto()
    """About the same row as the head."""
    APART = auto()


BY_ITSELF = (None, Place.HEAD)
"""The cause and place of a failure that shares its cause with no other."""


class Grouping(Struct, frozen=True):
    """The causes; and by policy and row, the cause that a failure shares with others, with its place there."""

    causes: Causes = field(default_factory=Causes)
    shared: Mapping[tuple[str, str], tuple[Cause, Place]] = field(default_factory=dict)


def grouping(connection: duckdb.DuckDBPyConnection, tables: Sequence[Evaluated], tallies: Sequence[Tally]) -> Grouping:
    """The causes of the open failures in the tables. `tallies`: the counts of these failures, by policy."""
    failing = {tally.policy.id for tally in tallies if any(tally.failed.values())}
    policies = sorted(
        (bound.policy for table in tables for bound in table.bounds if bound.policy.text.id in failing), key=_place
    )
    numbers = {policy.text.id: number for number, policy in enumerate(policies)}
    if not policies:
        return Grouping()
    having = [table for table in tables if any(bound.policy.text.id in numbers for bound in table.bounds)]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE failures AS {' UNION ALL '.join(_failures(table, numbers) for table in having)}")
        shared: dict[tuple[str, str], tuple[Cause, Place]] = {}
        for key, found in groupby(cursor.execute(_SHARED).fetchall(), key=itemgetter(0)):
            shared |= _cause(key, [(policies[number].text, subject, id_) for _, number, subject, id_ in found])
        heads = cursor.execute(_HEADS).fetchall()
    open_: Counter[str] = Counter()
    alike: Counter[tuple[str, str, str]] = Counter()
    for number, rank, arm, count in heads:
        policy, severity = policies[number], _SEVERITIES[rank].value
        open_[severity] += count
        alike[policy.text.id, severity, policy.commands[arm]] += count
    return Grouping(Causes(open_, {key: count for key, count in alike.items() if count > MANY}), shared)


def _cause(key: str, found: Sequence[tuple[PolicyText, str, str]]) -> dict[tuple[str, str], tuple[Cause, Place]]:
    """A cause by its failures, each with policy, subject and row: the head first."""
    kind, _, of = key.partition(" ")
    table, first = found[0][0].table, found[0][2]
    head, *also = (
        Member(policy.id, subject, policy.problem, (policy.table, id_) == (table, first)) for policy, subject, id_ in found
    )
    cause = Cause(kind=kind, object=of, head=head, also=tuple(also))
    places = [Place.HEAD, *(Place.BESIDE if each.beside else Place.APART for each in also)]
    return {(policy.id, id_): (cause, place) for (policy, _, id_), place in zip(found, places, strict=True)}


def _place(policy: Policy) -> tuple[int, bool, str]:
    """The order of equally severe failures of one cause: its head is of the policy that is more severe by itself.

    Then of one that always has this cause.
    """
    always = any(arm.condition is None for arm in policy.causes[:1])
    return -policy.text.severity.rank, not always, policy.text.id


def _failures(table: Evaluated, numbers: Mapping[str, int]) -> str:
    """The open failures in a table: number of the policy, key of the cause, rank, number of the message, subject, row's id."""
    failing = [(number, bound) for number, bound in enumerate(table.bounds) if bound.policy.text.id in numbers]
    fails = " OR ".join(f"code{number} >= {FAIL} AND code{number} < {KNOWN}" for number, _ in failing)
    source = f"(SELECT {', '.join(_columns(TABLES[table.table.name], dict(failing)))} FROM {table.relation} WHERE {fails})"
    lists = {
        "policy": [str(numbers[bound.policy.text.id]) for _, bound in failing],
        "code": [f"code{number}" for number, _ in failing],
        "key": [_key(number, bound, table.as_of) for number, bound in failing],
        "arm": [arm_of(number, bound, table.as_of) for number, bound in failing],
        "subject": [DIALECT.name(bound.policy.subject) for _, bound in failing],
    }
    members = ", ".join(f"unnest([{', '.join(values)}]) AS {name}" for name, values in lists.items())
    return (
        f"SELECT policy, key, CAST(code % 5 AS INTEGER) AS rank, arm, subject, id FROM (SELECT id, {members} FROM {source})"
        f" WHERE code >= {FAIL} AND code < {KNOWN}"
    )


def _columns(table: Table, numbered: Mapping[int, Bound]) -> Iterator[str]:
    """The columns that are read, and no others, since most of the work is planning. Unknown values are NULL, except counts."""
    policies = [bound.policy for bound in numbered.values()]
    causal = dict.fromkeys(name for policy in policies for name in (*policy.columns_of_causes, *policy.columns_of_arms))
    for name in causal:
        column = table.by_name[name]
        if can_blank(table, name) and (column.operations or column.derived_from):
            yield f"{read(DIALECT, name)} AS {DIALECT.name(name)}"
        else:
            yield from map(DIALECT.name, view_name(column))
    subjects = dict.fromkeys(("id", *(policy.subject for policy in policies)))
    yield from (DIALECT.name(name) for name in subjects if name not in causal)
    yield UNKNOWN
    yield from (f"code{number}" for number in numbered)
    yield from (f"class{number}" for number, bound in numbered.items() if bound.classes)


def _key(number: int, bound: Bound, as_of: int) -> str:
    """SQL: kind and object of the cause, NULL if it is a cause by itself."""
    arms = bound.policy.causes
    keys = [f"{DIALECT.text(f'{arm.kind} ')} || {DIALECT.name(arm.object)}" for arm in arms]
    if not any(arm.condition for arm in arms):
        return keys[0] if keys else "CAST(NULL AS VARCHAR)"
    writer = writer_of(number, bound, as_of)
    held = (writer.write(arm.condition.tree) if arm.condition else "TRUE" for arm in arms)
    return f"CASE {' '.join(f'WHEN {holds} THEN {key}' for holds, key in zip(held, keys, strict=True))} END"


_SHARED = f"""
    SELECT key, policy, subject, id FROM failures
    WHERE key IS NOT NULL QUALIFY count(*) OVER (PARTITION BY key) > 1 ORDER BY key, {_ORDER}"""
_HEADS = f"""
    SELECT policy, rank, arm, count(*) FROM (
        SELECT *, key IS NULL OR row_number() OVER (PARTITION BY key ORDER BY {_ORDER}) = 1 AS leads FROM failures
    ) WHERE leads GROUP BY policy, rank, arm"""
