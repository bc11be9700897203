"""Streams findings in order: rows stay in DuckDB until a batch of them is needed."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from heapq import merge
from itertools import chain, groupby, islice
from typing import Any

import duckdb
from msgspec import Struct

from keyaudit.inventory.scores import SCALES
from keyaudit.model.findings import Finding, Outcome, Severity, Value
from keyaudit.model.reasons import ADVICE, Reason, unknown_columns
from keyaudit.model.rows import decoded, view_names
from keyaudit.model.waivers import Waiver
from keyaudit.policy.bind import Bound
from keyaudit.policy.counts import reason_of
from keyaudit.policy.definition import Arm, Policy
from keyaudit.policy.ordered import Evaluated, count_slices, in_order, slices, worst_rows
from keyaudit.policy.queries import Scoring
from keyaudit.policy.scores import score_of
from keyaudit.policy.templates import QUOTING, UNKNOWN, Template, show
from keyaudit.policy.types import Kind, columns_read
from keyaudit.policy.verdict import FAIL, KNOWN, PASS, UNKNOWN_VIOLATION, WAIVED, in_play, outcome_of, severity_of

_BATCH = 1_024
_SLICE = 50_000
"""The number of rows sorted at once, about 50 MB. DuckDB sorts in memory, and fails if the rows do not fit."""


class _Row(Struct, frozen=True):
    """One evaluated row: its columns, its unknown map, and the reasons with those of single policies."""

    values: Mapping[str, Value]
    reasons: Mapping[str, str]
    codes: Sequence[int]
    parts: Mapping[tuple[str, str, str], int]
    """The verdicts for controls, by policy, framework and control."""
    rungs: Mapping[str, Sequence[bool | None]]
    """The state of each severity rung, by policy."""
    score: Mapping[str, Any] | None
    """The explanation of its score, if requested."""
    classes: Mapping[str, int | None]
    """The number of its class, by the id of each policy with classes; None if unknown."""
    arms: Mapping[str, int]
    """The number of its message, by the id of each policy with several."""
    now: int
    """The time of evaluation."""

    def message(self, policy: Policy) -> Template:
        """The message for this row."""
        arm = self._arm(policy)
        return arm.message if arm else policy.message

    def fix(self, policy: Policy) -> Mapping[str, Template]:
        """The fix for this row."""
        arm = self._arm(policy)
        return (arm.fix if arm else None) or policy.fix

    def _arm(self, policy: Policy) -> Arm | None:
        number = self.arms.get(policy.text.id, 0)
        return policy.message_when[number] if number < len(policy.message_when) else None


class _Thing(Struct, frozen=True):
    """All evaluated rows of one resource, ordered by `place`."""

    place: tuple[int, int, int, str, str]
    rows: Sequence[_Row]
    bounds: Sequence[Bound]
    """The policies of its table, in the order of each row's codes."""


def stream(connection: duckdb.DuckDBPyConnection, tables: Iterable[Evaluated], *, passes: bool) -> Iterator[Finding]:
    """The findings of all tables by resource: the most severe first, then by name and id.

    With scores, by row: by upper bound, then by lower bound, then as above.
    """
    for thing in _merged(connection, tables, passes=passes):
        yield from _of_thing(thing, passes=passes)


def _merged(connection: duckdb.DuckDBPyConnection, tables: Iterable[Evaluated], *, passes: bool) -> Iterator[_Thing]:
    """The resources of all tables in order. Tables without scores, which are last in an order by score, are queried last."""
    first: list[Iterator[_Thing]] = []
    last: list[Iterator[_Thing]] = []
    for evaluated in tables:
        later = evaluated.scoring is Scoring.ORDER and evaluated.table.name not in SCALES
        (last if later else first).append(_things(connection, evaluated, passes=passes))
    merged: Iterator[_Thing] = merge(*first, key=_place)
    for thing in merged:
        if thing.place[0] == 0:
            merged = chain([thing], merged)
            break
        yield thing
    yield from merge(merged, *last, key=_place)


def _place(thing: _Thing) -> tuple[int, int, int, str, str]:
    return thing.place


def worst(
    connection: duckdb.DuckDBPyConnection,
    tables: Iterable[Evaluated],
    *,
    least: Severity,
    known: bool,
    most: int,
    failing: Collection[str],
) -> list[Finding]:
    """The `most` worst findings of failing rows with severity `least` or above; those in the baseline only if `known`.

    `failing`: the ids of policies that may have such a finding; others are skipped. Each table is read once, and at most `most`
    rows are fetched. They have no scores.
    """
    found: list[tuple[tuple[int, str, str, str, str], Finding]] = []
    for evaluated in tables:
        numbered = {number: bound for number, bound in enumerate(evaluated.bounds) if bound.policy.text.id in failing}
        if not numbered:
            continue
        query = worst_rows(evaluated, numbered, least=least, known=known, most=most)
        with connection.cursor() as cursor:
            rows = cursor.execute(query).fetchall()
            for thing in _grouped(rows, evaluated, list(numbered.values())):
                *_, label, of = thing.place
                for finding in _of_thing(thing, passes=False):
                    if finding.outcome is Outcome.FAIL and finding.severity.rank >= least.rank and (known or not finding.known):
                        key = (-finding.severity.rank, label, of, finding.policy.id, str(finding.row["id"]))
                        found.append((key, finding))
    found.sort(key=lambda each: each[0])
    return [finding for _, finding in found[:most]]


def _things(connection: duckdb.DuckDBPyConnection, evaluated: Evaluated, *, passes: bool) -> Iterator[_Thing]:
    # A separate cursor, because another query on the connection would silently end this result.
    with connection.cursor() as cursor:
        yield from _grouped(_rows(cursor, evaluated, passes=passes), evaluated, evaluated.bounds)


def _grouped(found: Iterable[tuple[Any, ...]], evaluated: Evaluated, bounds: Sequence[Bound]) -> Iterator[_Thing]:
    """Groups the rows of `in_order` by resource. `bounds`: the policies that they have verdicts of."""
    table = evaluated.table
    width = len(view_names(table))
    parts = [(bound.policy.text.id, *part.key) for bound in bounds for part in bound.policy.parts]
    codes = 5 + width + len(bounds)
    graded = codes + len(parts)
    rungs = [(bound.policy.text.id, len(bound.policy.trees.rungs)) for bound in bounds]
    after = graded + sum(count for _, count in rungs)
    having = [bound.policy.text.id for bound in bounds if bound.classes]
    telling = [bound.policy.text.id for bound in bounds if bound.policy.message_when]
    arms = after + len(having)
    for (high, low, top_severity, label, thing), rows in groupby(found, key=lambda row: row[:5]):
        of_thing = [
            _Row(
                values=decoded(table, row[5 : 5 + width], row[-2], evaluated.lacking),
                reasons=row[-1] or {},
                codes=row[5 + width : codes],
                parts=dict(zip(parts, row[codes:graded], strict=True)),
                rungs=_shared_out(rungs, row[graded:after]),
                score=row[-3],
                classes=dict(zip(having, row[after:arms], strict=True)),
                arms=dict(zip(telling, row[arms:-3], strict=True)),
                now=evaluated.as_of,
            )
            for row in rows
        ]
        yield _Thing((-high, -low, -top_severity, label, thing), of_thing, bounds)


def _shared_out(counts: Sequence[tuple[str, int]], values: Sequence[bool | None]) -> dict[str, Sequence[bool | None]]:
    """Distributes consecutive values to names by their counts."""
    left = iter(values)
    return {name: tuple(islice(left, count)) for name, count in counts}


def _rows(cursor: duckdb.DuckDBPyConnection, evaluated: Evaluated, *, passes: bool) -> Iterator[tuple[Any, ...]]:
    """The rows in order: all at once where they are few, otherwise by slices, so that at most a slice is sorted."""
    least = PASS if passes else WAIVED
    numbers: Iterable[int | None] = [None]
    if not evaluated.small:
        cursor.execute(slices(evaluated, least=least, size=_SLICE))
        ((count,),) = cursor.execute(count_slices()).fetchall()
        numbers = range(count)
    for number in numbers:
        answer = cursor.execute(in_order(evaluated, number, least=least))
        while rows := answer.fetchmany(_BATCH):
            yield from rows


def _of_thing(thing: _Thing, *, passes: bool) -> Iterator[Finding]:
    least = PASS if passes else WAIVED
    found = [
        (-(code % 5) if code >= FAIL else 1, bound.policy.text.id, str(row.values["id"]), code, bound, row)
        for row in thing.rows
        for bound, code in zip(thing.bounds, row.codes, strict=True)
        if code >= least
    ]
    found.sort(key=lambda item: item[:3])
    for *_, code, bound, row in found:
        yield _finding(bound, code, row)


def _finding(bound: Bound, code: int, row: _Row) -> Finding:
    policy = bound.policy
    outcome = outcome_of(code)
    unknown = {name: reason_of(row.reasons[name]) for name in bound.columns_read if name in row.reasons}
    texts = _Texts(bound, row, row.values)
    message, fix = _worded(bound, code, row, row.values)
    subject = str(row.values[policy.subject])
    severity = policy.text.severity if outcome is Outcome.PASS else severity_of(code)
    # A pass of the policy does not imply a pass of a stricter control.
    aside = set(Outcome) - {Outcome.PASS} if outcome is Outcome.PASS else {Outcome.NOT_APPLICABLE, Outcome.PASS}
    return Finding(
        policy=policy.text,
        outcome=outcome,
        severity=severity,
        subject=subject,
        message=message,
        row=row.values,
        unknown=unknown,
        evidence={name: row.values[name] for name in bound.columns_read if texts.known(name)},
        expected=bound.expected(row.values, row.classes.get(policy.text.id, 0)),
        fix=fix,
        known=KNOWN <= code < UNKNOWN_VIOLATION,
        beside=frozenset(part.key for part in policy.parts if outcome_of(row.parts[policy.text.id, *part.key]) in aside),
        score=score_of(policy.table.name, row.score, row.reasons, texts.of) if row.score else None,
        waiver=_waiver(bound, str(row.values["id"]), subject, severity) if outcome is Outcome.WAIVED else None,
        reworded=partial(_worded, bound, code, row),
    )


def _worded(bound: Bound, code: int, row: _Row, values: Mapping[str, Value]) -> tuple[str, Mapping[str, str]]:
    """The message and the fix, with the row's columns from `values`."""
    texts = _Texts(bound, row, values)
    fix = {kind: template.fill(texts, QUOTING[kind]) for kind, template in row.fix(bound.policy).items()}
    return _message(bound, code, row, texts), fix


def _waiver(bound: Bound, row: str, subject: str, severity: Severity) -> Waiver:
    """The first waiver that covers it; one exists, because the query used the same pattern."""
    critical = severity is Severity.CRITICAL
    return next(each for each in bound.waivers if each.waives(bound.policy.text.id, row, subject, critical=critical))


def _message(bound: Bound, code: int, row: _Row, texts: "_Texts") -> str:
    outcome = outcome_of(code)
    if outcome is Outcome.PASS:
        return bound.policy.text.title
    if outcome in (Outcome.FAIL, Outcome.WAIVED):
        return row.message(bound.policy).fill(texts) + _severity_in_doubt(bound, row)
    causes = {name: reason_of(row.reasons[name]) for name in bound.causes(code) if name in row.reasons}
    # Only configuration can supply it, so no gap of the run names the fix.
    remedy = f"; {ADVICE[Reason.NOT_CONFIGURED].remedy}" if Reason.NOT_CONFIGURED in causes.values() else ""
    return f"unknown: {unknown_columns(causes) or 'a value is missing for an unrecorded reason'}{remedy}"


def _severity_in_doubt(bound: Bound, row: _Row) -> str:
    """The ending of a message whose severity is the highest of several possible ones; empty if it is certain."""
    trees, holding = bound.policy.trees, row.rungs[bound.policy.text.id]
    levels = sorted(set(in_play(trees, holding)), key=lambda level: level.rank)
    if len(levels) == 1:
        return ""
    read = columns_read(*(tree for (_, tree), holds in zip(trees.rungs, holding, strict=True) if holds is None))
    causes = unknown_columns({name: reason_of(row.reasons[name]) for name in read if name in row.reasons})
    return f"; severity {' or '.join(levels)}, depending on what is not known: {causes or 'a value'}"


class _Texts:
    """The texts of a row's columns and a policy's parameters."""

    __slots__ = ("_bound", "_row", "_values", "now")

    def __init__(self, bound: Bound, row: _Row, values: Mapping[str, Value]) -> None:
        self._bound = bound
        self._row = row
        self._values = values
        self.now = row.now

    def known(self, column: str) -> bool:
        """Whether the column has a value or is absent; a count with bounds has one."""
        return column not in self._row.reasons or isinstance(self._row.values[column], tuple)

    def of(self, names: Sequence[str]) -> dict[str, str]:
        """The text of each column."""
        return {name: self._text(name) for name in names}

    def parameter(self, name: str) -> str:
        """A parameter in words, with its value for this row."""
        return self._bound.shown(name, self._row.values, self._row.classes.get(self._bound.policy.text.id, 0))

    def setting(self, name: str) -> Collection[object]:
        """The items of a list parameter, with its value for this row."""
        value = self._bound.value(name, self._row.classes.get(self._bound.policy.text.id, 0))
        return value if isinstance(value, tuple) else ()

    def value(self, column: str) -> Value:
        """The displayed value of a known column."""
        return self._values[column]

    def _text(self, column: str) -> str:
        kind = Kind(self._bound.policy.table.by_name[column].type.value)
        return show(self._values[column], kind) if self.known(column) else UNKNOWN
