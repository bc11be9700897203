"""Finds the causes of the open failures: a failure is in the cause that the first matching arm of its policy names.

A failure whose object is absent or unknown, or whose conditions are not certain, is a cause by itself.
"""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from enum import Enum, auto
from functools import cached_property
from itertools import groupby
from operator import itemgetter

from msgspec import Struct

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.reader import Reader
from keyaudit.model.results.causes import MANY, Cause, Causes, Member
from keyaudit.model.results.findings import PolicyText, Tally
from keyaudit.model.rows import view_name
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.policy.conditions.sql import UNKNOWN, read
from keyaudit.policy.conditions.types import columns_read
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation.binding import Bound
from keyaudit.policy.evaluation.queries import OPENED, can_blank, rung_columns, writer_of
from keyaudit.policy.evaluation.row_order import Evaluated, arm_of, urgency
from keyaudit.policy.evaluation.verdict import FAIL, KNOWN, rank_in

MOST = 60
"""The maximum number of causes on any first page."""
LEAST = Severity.MEDIUM
"""The lowest severity on a first page."""

# The order in which an architect acts: the most urgent first, then the oldest. A name decides nothing.
_FIRST_ORDER = "urgency DESC, began NULLS LAST, id, policy"
_ALIKE = "PARTITION BY policy, urgency, arm"


def first(heads: str, most: int) -> str:
    """Of the relation `heads` of `causes.Grouping`, the first causes in order: number of the policy, row's id, key of the
    cause, and the number of causes like it.

    Causes that differ in their object alone are one, at the place of the first, if they are more than `MANY`.
    """
    return f"""
        SELECT policy, id, key, CASE WHEN times > {MANY} THEN times ELSE 1 END FROM (
            SELECT *, count(*) OVER ({_ALIKE}) AS times, row_number() OVER ({_ALIKE} ORDER BY {_FIRST_ORDER}) AS nth
            FROM {heads} WHERE rank >= {LEAST.rank}
        ) WHERE nth = 1 OR times <= {MANY} ORDER BY {_FIRST_ORDER} LIMIT {most}"""


_SEVERITIES = tuple(Severity)
_BEGAN = ("created_on", "starts_on", "used_on", "detected_on")
"""Columns since when a row is as it is, in this order: a table has its first."""
_ORDER = "urgency DESC, policy, id"


class Place(Enum):
    """The place of a failure in its cause."""

    HEAD = auto()
    BESIDE = auto()
    """About the same row as the head."""
    APART = auto()


BY_ITSELF = (None, Place.HEAD)
"""The cause and place of a failure that shares its cause with no other."""


class Head(Struct, frozen=True, kw_only=True):
    """A cause that the first page may show."""

    policy: str
    table: str
    row: str
    """The id of the row of its most severe failure."""
    cause: Cause | None
    """None: it is a cause by itself."""
    times: int
    """The number of causes that it stands for, which differ from it in their object alone; 1: itself."""


class Grouping:
    """The causes of the open failures in some tables; each part is found in their database when it is first asked for.

    `tallies`: the counts of these failures, by policy. Valid while the connection is open.
    """

    def __init__(self, reader: Reader, tables: Sequence[Evaluated], tallies: Sequence[Tally]) -> None:
        self._reader, self._open = reader, ExitStack()
        failing = {tally.policy.id for tally in tallies if any(tally.failed.values())}
        self._policies = sorted(
            (bound.policy for table in tables for bound in table.bounds if bound.policy.text.id in failing), key=_place
        )
        self._numbers = {policy.text.id: number for number, policy in enumerate(self._policies)}
        self._tables = [table for table in tables if any(bound.policy.text.id in self._numbers for bound in table.bounds)]

    @cached_property
    def _found(self) -> tuple[Reader, str, str]:
        """A reader, with its relations of the failures, and of those that head a cause."""
        reader = self._open.enter_context(self._reader.apart())
        failures = reader.keep("failures", " UNION ALL ".join(_failures(table, self._numbers) for table in self._tables))
        return reader, failures, reader.keep("heads", _leading(failures, reader.sql))

    @cached_property
    def causes(self) -> Causes:
        """Their numbers."""
        open_: Counter[str] = Counter()
        alike: Counter[tuple[str, str, str]] = Counter()
        for number, rank, arm, count in self._counted() if self._tables else ():
            policy, severity = self._policies[number], _SEVERITIES[rank].value
            open_[severity] += count
            alike[policy.text.id, severity, policy.commands[arm]] += count
        return Causes(open_, {key: count for key, count in alike.items() if count > MANY})

    def _counted(self) -> Iterator[tuple[int, int, int, int]]:
        reader, _, heads = self._found
        yield from reader.rows(f"SELECT policy, rank, arm, count(*) FROM {heads} GROUP BY policy, rank, arm")

    @cached_property
    def shared(self) -> Mapping[tuple[str, str], tuple[Cause, Place]]:
        """By policy and row, the cause that a failure shares with others, with its place there."""
        if not self._tables:
            return {}
        # Everything else first: nothing is read from the tables after this, and they may be large.
        _ = self.causes, self.heads
        found = self._shared("TRUE")
        self._open.close()
        return found

    @cached_property
    def heads(self) -> Sequence[Head]:
        """The causes of the first page in the order of choice: of two, a shorter page shows the first."""
        if not self._tables:
            return ()
        reader, _, heads = self._found
        chosen = [*reader.rows(first(heads, MOST))]
        shared: dict[tuple[str, str], tuple[Cause, Place]] = {}
        if keys := [key for _, _, key, *_ in chosen if key is not None]:
            shared = self._shared(f"key IN ({', '.join(map(reader.sql.text, keys))})")
        found = []
        for number, row, _, times in chosen:
            text = self._policies[number].text
            cause, _ = shared.get((text.id, row), BY_ITSELF)
            found.append(Head(policy=text.id, table=text.table, row=row, cause=cause, times=times))
        return found

    def _shared(self, which: str) -> dict[tuple[str, str], tuple[Cause, Place]]:
        """Of causes whose keys meet the condition `which`."""
        shared: dict[tuple[str, str], tuple[Cause, Place]] = {}
        reader, failures, _ = self._found
        for key, found in groupby(reader.rows(_of_causes(failures, which)), key=itemgetter(0)):
            shared |= _cause(key, [(self._policies[number].text, subject, id_) for _, number, subject, id_ in found])
        return shared


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


def _place(policy: Policy) -> tuple[int, bool, bool, str]:
    """The order of equally urgent failures of one cause: its head is of the policy that can be more severe.

    Then of one whose condition is about what the resource opens, and not only about its dates; then of one that always has
    this cause.
    """
    opening = not {*policy.columns_of_opens}.isdisjoint(columns_read(policy.violated_when.tree))
    always = any(arm.condition is None for arm in policy.causes[:1])
    return -policy.text.severity.rank, not opening, not always, policy.text.id


def _failures(table: Evaluated, numbers: Mapping[str, int]) -> str:
    """The open failures in a table: number of the policy, key of the cause, rank, number of the first message with the same
    commands, subject, urgency, row's id, and the date since when it is as it is, NULL without one.
    """
    failing = [(number, bound) for number, bound in enumerate(table.bounds) if bound.policy.text.id in numbers]
    fails = " OR ".join(f"code{number} >= {FAIL} AND code{number} < {KNOWN}" for number, _ in failing)
    source = f"(SELECT {', '.join(_columns(table, dict(failing)))} FROM {table.relation} WHERE {fails})"
    lists = {
        "policy": [str(numbers[bound.policy.text.id]) for _, bound in failing],
        "code": [f"code{number}" for number, _ in failing],
        "key": [_key(table, number) for number, _ in failing],
        "arm": [_commands(table, number) for number, _ in failing],
        "subject": [table.sql.name(bound.policy.subject) for _, bound in failing],
        "urgency": [urgency(number, bound) for number, bound in failing],
    }
    return (
        f"SELECT policy, key, {rank_in('code')} AS rank, arm, subject, urgency, id, began"
        f" FROM (SELECT id, began, {table.sql.side_by_side(lists)} FROM {source})"
        f" WHERE code >= {FAIL} AND code < {KNOWN}"
    )


def _columns(evaluated: Evaluated, numbered: Mapping[int, Bound]) -> Iterator[str]:
    """The columns that are read, and no others, since most of the work is planning. Unknown values are NULL, except counts."""
    sql, table = evaluated.sql, TABLES[evaluated.table.name]
    policies = [bound.policy for bound in numbered.values()]
    causal = dict.fromkeys(name for policy in policies for name in (*policy.columns_of_causes, *policy.columns_of_arms))
    for name in causal:
        column = table.by_name[name]
        if can_blank(table, name) and (column.operations or column.derived):
            yield f"{read(sql, name)} AS {sql.name(name)}"
        else:
            yield from map(sql.name, view_name(column))
    subjects = dict.fromkeys(("id", *(policy.subject for policy in policies)))
    yield from (sql.name(name) for name in subjects if name not in causal)
    yield UNKNOWN
    began = next((name for name in _BEGAN if name in table.by_name), None)
    yield f"{sql.name(began) if began else 'CAST(NULL AS BIGINT)'} AS began"
    if any(policy.trees.opens for policy in policies):
        yield OPENED
    yield from rung_columns(numbered)
    yield from (f"code{number}" for number in numbered)
    yield from (f"class{number}" for number, bound in numbered.items() if bound.classes)


def _commands(table: Evaluated, number: int) -> str:
    """SQL: the number of the first message with the same commands."""
    commands = table.bounds[number].policy.commands
    numbers = [commands.index(each) for each in commands]
    arm = arm_of(table, number)
    return arm if numbers == list(range(len(numbers))) else table.sql.item(table.sql.items(*map(str, numbers)), f"{arm} + 1")


def _key(table: Evaluated, number: int) -> str:
    """SQL: kind and object of the cause, NULL if it is a cause by itself."""
    sql, bound = table.sql, table.bounds[number]
    arms = bound.policy.causes
    keys = [f"{sql.text(f'{arm.kind} ')} || {sql.name(arm.object)}" for arm in arms]
    if not any(arm.condition for arm in arms):
        return keys[0] if keys else "CAST(NULL AS VARCHAR)"
    writer = writer_of(number, bound, table.as_of, sql=sql)
    held = (writer.write(arm.condition.tree) if arm.condition else "TRUE" for arm in arms)
    return f"CASE {' '.join(f'WHEN {holds} THEN {key}' for holds, key in zip(held, keys, strict=True))} END"


def _of_causes(failures: str, which: str) -> str:
    """The failures that share a cause whose key meets a condition, by cause: the head first."""
    return f"""
        SELECT key, policy, subject, id FROM (
            SELECT *, count(*) OVER (PARTITION BY key) AS sharing FROM {failures} WHERE key IS NOT NULL AND {which}
        ) WHERE sharing > 1 ORDER BY key, {_ORDER}"""


def _leading(failures: str, sql: DuckDB) -> str:
    """The failures that head a cause."""
    return f"""
        SELECT {sql.excluding("leads")} FROM (
            SELECT *, TRUE AS leads FROM {failures} WHERE key IS NULL
            UNION ALL
            SELECT *, row_number() OVER (PARTITION BY key ORDER BY {_ORDER}) = 1 FROM {failures} WHERE key IS NOT NULL
        ) WHERE leads"""
