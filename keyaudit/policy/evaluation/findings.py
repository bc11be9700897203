"""Streams findings in order: rows stay in their database until a batch of them is needed."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct

from keyaudit.inventory.owners import owner_of
from keyaudit.inventory.reader import Reader
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.reasons import ADVICE, Reason, unknown_columns
from keyaudit.model.results.causes import Cause
from keyaudit.model.results.expiring import NOT_ASKED, Owner
from keyaudit.model.results.findings import Finding, Judged, Outcome, Value
from keyaudit.model.rows import Decoder
from keyaudit.model.severity import Severity
from keyaudit.policy.conditions.types import Kind
from keyaudit.policy.definition import Arm, Fix
from keyaudit.policy.evaluation.binding import Bound
from keyaudit.policy.evaluation.causes import BY_ITSELF, Place
from keyaudit.policy.evaluation.counts import reason_of
from keyaudit.policy.evaluation.lazy import Deferred, DeferredSequence
from keyaudit.policy.evaluation.queries import opens_columns
from keyaudit.policy.evaluation.row_order import BEFORE, Evaluated, count_slices, in_order, slices
from keyaudit.policy.evaluation.rulings import rulings
from keyaudit.policy.evaluation.verdict import FAIL, KNOWN, PASS, UNKNOWN_VIOLATION, WAIVED, least_of, outcome_of, severity_of
from keyaudit.policy.templates import UNKNOWN, Template, filled, show

_SLICE = 50_000
"""The number of rows sorted at once, about 50 MB. DuckDB sorts in memory, and fails if the rows do not fit."""
Shared = Mapping[tuple[str, str], tuple[Cause, Place]]
"""By policy and row, the cause that a failure shares with others, with its place there."""
NO_CAUSES: Shared = {}
Pair = tuple[Owner, Finding]


class _Judged:
    """One policy of a table, with the positions of its results in a row of `in_order`."""

    def __init__(
        self, bound: Bound, *, code: int, parts: int, rungs: int, in_class: int | None, arm: int | None, opens: slice
    ) -> None:
        policy = bound.policy
        self.bound, self.policy, self.id = bound, policy, policy.text.id
        self.read = bound.columns_read
        self.code = code
        self.parts = tuple((part.key, parts + number) for number, part in enumerate(policy.parts))
        self.rungs = slice(rungs, rungs + len(policy.trees.rungs))
        self._in_class, self._arm, self._opens = in_class, arm, opens
        self._indexes = tuple(sorted(set(policy.indexes.values())))
        self._commands = policy.commands
        self._said: dict[object, str] = {}

    def in_class(self, cells: Sequence[Any]) -> int | None:
        """The number of a row's class, 0 for none; None if unknown."""
        found: int | None = 0 if self._in_class is None else cells[self._in_class]
        return found

    def arm(self, cells: Sequence[Any]) -> Arm | None:
        """The step of `message_when` that applies to a row; None: none of them."""
        number = self._number(cells)
        return self.policy.message_when[number] if number < len(self.policy.message_when) else None

    def command(self, cells: Sequence[Any]) -> str:
        """The commands of the fix of a row, before values are filled in."""
        return self._commands[self._number(cells)]

    def _number(self, cells: Sequence[Any]) -> int:
        found: int = len(self.policy.message_when) if self._arm is None else cells[self._arm]
        return found

    def judged(self, row: "_Row") -> Judged:
        """The two facts behind the severity of a row."""
        opened = row.cells[self._opens] if self.policy.trees.opens else ()
        return rulings(self.policy, row.cells[self.rungs], opened, _reasons(row, row.reasons))

    def parameter(self, name: str, row: "_Row") -> str:
        """A parameter in words, with its value for this row."""
        return self._same(name, row, lambda in_class: self.bound.shown(name, row.values, in_class))

    def expected(self, row: "_Row") -> str:
        """The limits in words, with their values for this row."""
        return self._same("", row, lambda in_class: self.bound.expected(row.values, in_class))

    def _same(self, name: str, row: "_Row", make: Callable[[int | None], str]) -> str:
        """A text that depends on nothing but the class of a row, and the columns that parameters are looked up by."""
        in_class = self.in_class(row.cells)
        key: object = name
        if self._indexes or in_class != 0:
            looked_up = [row.values.get(column) for column in self._indexes]
            # There are as many texts as numbers, and too many to keep.
            if any(isinstance(each, int) for each in looked_up):
                return make(in_class)
            key = (name, in_class, *looked_up)
        found = self._said.get(key)
        if found is None:
            found = self._said[key] = make(in_class)
        return found


class _Row(Struct, frozen=True):
    """One evaluated row: its columns, the reasons of unknown ones with those of single policies, and all of its cells."""

    values: Mapping[str, Value]
    reasons: Mapping[str, str]
    cells: Sequence[Any]
    owner: Owner
    now: int
    """The time of evaluation."""
    explained: bool
    """Whether its findings have evidence, limits and fixes."""


class _Thing(Struct, frozen=True):
    """All evaluated rows of one resource, ordered by `place`."""

    place: tuple[int, str, str]
    rows: Sequence[_Row]
    policies: Sequence[_Judged]
    """The policies of its table."""


def stream(
    reader: Reader,
    tables: Iterable[Evaluated],
    *,
    passes: bool,
    called: Mapping[str, str] | None = None,
    causes: Shared = NO_CAUSES,
) -> Iterator[Pair]:
    """The findings of all tables by resource: the most severe first, then by weakness and what it opens, by name and by id.

    `called`: the names of `owners.called`, with which each finding has the owner of its resource; None: owners are not asked
    for. `causes`: those that its findings share.
    """
    for thing in _merged(reader, tables, passes=passes, called=called):
        yield from of_thing(thing, causes, passes=passes)


def _merged(reader: Reader, tables: Iterable[Evaluated], *, passes: bool, called: Mapping[str, str] | None) -> Iterator[_Thing]:
    """The resources of all tables in order."""
    return merge(*(_things(reader, evaluated, passes=passes, called=called) for evaluated in tables), key=_place)


def _place(thing: _Thing) -> tuple[int, str, str]:
    return thing.place


def _things(reader: Reader, evaluated: Evaluated, *, passes: bool, called: Mapping[str, str] | None) -> Iterator[_Thing]:
    with reader.apart() as own:
        rows = _rows(own, evaluated, passes=passes, owned=called is not None)
        yield from grouped(rows, evaluated, evaluated.bounds, called)


def grouped(
    found: Iterable[tuple[Any, ...]], evaluated: Evaluated, bounds: Sequence[Bound], called: Mapping[str, str] | None
) -> Iterator[_Thing]:
    """Groups the rows of `in_order` by resource. `bounds`: the policies that they have verdicts of."""
    values = Decoder(evaluated.table, BEFORE, evaluated.lacking)
    policies, after = _positions(bounds, values.after)
    for (urgency, label, thing), cells in groupby(found, key=itemgetter(*range(BEFORE))):
        rows = []
        for row in cells:
            unknown, reasons, *own = row[after:]
            owner = owner_of(called, *own) if called is not None else NOT_ASKED
            rows.append(_Row(values.row(row, unknown), reasons or {}, row, owner, evaluated.as_of, evaluated.explained))
        yield _Thing((-urgency, label, thing), rows, policies)


def _positions(bounds: Sequence[Bound], first: int) -> tuple[list[_Judged], int]:
    """The policies with the positions of their results, which begin at `first`; and the position after the last result."""
    parts = first + len(bounds)
    rungs = parts + sum(len(bound.policy.parts) for bound in bounds)
    classes = rungs + sum(len(bound.policy.trees.rungs) for bound in bounds)
    arms = classes + sum(bool(bound.classes) for bound in bounds)
    opened = arms + sum(bool(bound.policy.message_when) for bound in bounds)
    opens = slice(opened, opened + len(opens_columns(bounds)))
    found = []
    for code, bound in enumerate(bounds, first):
        having, telling = bool(bound.classes), bool(bound.policy.message_when)
        in_class, arm = classes if having else None, arms if telling else None
        found.append(_Judged(bound, code=code, parts=parts, rungs=rungs, in_class=in_class, arm=arm, opens=opens))
        parts += len(bound.policy.parts)
        rungs += len(bound.policy.trees.rungs)
        classes += having
        arms += telling
    return found, opens.stop


def _rows(reader: Reader, evaluated: Evaluated, *, passes: bool, owned: bool) -> Iterator[tuple[Any, ...]]:
    """The rows in order: all at once where they are few, otherwise by slices, so that at most a slice is sorted."""
    least = PASS if passes else WAIVED
    if evaluated.small:
        yield from reader.rows(in_order(evaluated, None, least=least, owned=owned), types=evaluated.types)
        return
    places = reader.keep("places", slices(evaluated, least=least, size=_SLICE))
    ((count,),) = reader.rows(count_slices(places))
    for number in range(count):
        yield from reader.rows(in_order(evaluated, number, least=least, owned=owned, places=places), types=evaluated.types)


def of_thing(thing: _Thing, causes: Shared, *, passes: bool) -> Iterator[Pair]:
    least = PASS if passes else WAIVED
    codes = slice(thing.policies[0].code, thing.policies[-1].code + 1)
    found = [
        (-severity_of(code).rank if code >= FAIL else 1, judged.id, str(row.values["id"]), code, judged, row)
        for row in thing.rows
        for judged, code in zip(thing.policies, row.cells[codes], strict=True)
        if code >= least
    ]
    found.sort(key=itemgetter(0, 1, 2))
    for *_, code, judged, row in found:
        yield row.owner, _finding(judged, code, row, causes)


def _finding(judged: _Judged, code: int, row: _Row, causes: Shared) -> Finding:
    policy = judged.policy
    outcome = outcome_of(code)
    subject = str(row.values[policy.subject])
    severity = policy.text.severity if outcome is Outcome.PASS else severity_of(code)
    texts = _Texts(judged, row, row.values)
    other = _otherwise(judged, outcome, row) if judged.parts else {}
    cause, place = causes.get((judged.id, str(row.values["id"])), BY_ITSELF)
    known = KNOWN <= code < UNKNOWN_VIOLATION
    named = _said(judged, row) if row.explained and PASS < code < UNKNOWN_VIOLATION else None
    return Finding(
        policy=policy.text,
        outcome=outcome,
        severity=severity,
        subject=subject,
        message=_message(judged, code, row, texts),
        row=row.values,
        unknown=_reasons(row, judged.read),
        evidence=Deferred(partial(_evidence, judged, texts)) if row.explained else {},
        expected=judged.expected(row) if row.explained else "",
        fix=Deferred(partial(_fix, judged, row, texts)) if row.explained else {},
        steps=DeferredSequence(partial(_steps, judged, row, texts)) if row.explained else (),
        times=Deferred(partial(named.times, texts)) if named else {},
        durations=Deferred(partial(named.durations, texts)) if named else {},
        least=least_of(code) if outcome is not Outcome.PASS and least_of(code) is not severity else None,
        judged=partial(judged.judged, row) if outcome is not Outcome.PASS else None,
        known=known,
        beside=frozenset(other),
        otherwise={key: answer for key, answer in other.items() if answer is not Outcome.NOT_APPLICABLE},
        elsewhere=judged.bound.elsewhere,
        waiver=_waiver(judged.bound, str(row.values["id"]), subject, severity) if outcome is Outcome.WAIVED else None,
        cause=cause,
        leads=place is Place.HEAD,
        beside_head=place is Place.BESIDE,
        command=judged.command(row.cells) if outcome is Outcome.FAIL else "",
        reworded=partial(_reworded, judged, code, row) if row.explained else None,
    )


def _reasons(row: _Row, columns: Iterable[str]) -> dict[str, Reason]:
    """The unknown ones of these columns, with their reasons."""
    return {name: reason_of(row.reasons[name]) for name in columns if name in row.reasons} if row.reasons else {}


def _otherwise(judged: _Judged, outcome: Outcome, row: _Row) -> dict[tuple[str, str], Outcome]:
    """The controls with another answer than the policy. A pass of the policy does not imply a pass of a stricter control."""
    answers = {key: outcome_of(row.cells[position]) for key, position in judged.parts}
    return {key: answer for key, answer in answers.items() if answer is not outcome}


def _evidence(judged: _Judged, texts: "_Texts") -> Mapping[str, Value]:
    return {name: texts.value(name) for name in judged.read if texts.known(name)}


def _fix(judged: _Judged, row: _Row, texts: "_Texts") -> Mapping[str, str]:
    return filled(_how(judged, row).kinds, texts)


def _steps(judged: _Judged, row: _Row, texts: "_Texts") -> Sequence[Mapping[str, str]]:
    return [filled(step, texts) for step in _how(judged, row).steps]


def _how(judged: _Judged, row: _Row) -> Fix:
    return (judged.arm(row.cells) or judged.policy).how or judged.policy.how


def _reworded(
    judged: _Judged, code: int, row: _Row, values: Mapping[str, Value]
) -> tuple[str, Mapping[str, str], Sequence[Mapping[str, str]]]:
    """The message, the fix and its steps, with the row's columns from `values`."""
    texts = _Texts(judged, row, values)
    return _message(judged, code, row, texts), _fix(judged, row, texts), _steps(judged, row, texts)


def _waiver(bound: Bound, row: str, subject: str, severity: Severity) -> Waiver:
    """The first waiver that covers it; one exists, because the query used the same pattern."""
    critical = severity is Severity.CRITICAL
    return next(each for each in bound.waivers if each.waives(bound.policy.text.id, row, subject, critical=critical))


def _said(judged: _Judged, row: _Row) -> Template:
    """The template of the message of a failure."""
    return (judged.arm(row.cells) or judged.policy).message


def _message(judged: _Judged, code: int, row: _Row, texts: "_Texts") -> str:
    if code == PASS:
        return judged.policy.text.title
    if code < UNKNOWN_VIOLATION:
        return _said(judged, row).fill(texts) + _severity_in_doubt(judged, code, row)
    causes = _reasons(row, judged.bound.causes(code))
    # Only configuration can supply it, so no gap of the run names the fix.
    remedy = f"; {ADVICE[Reason.NOT_CONFIGURED].remedy}" if Reason.NOT_CONFIGURED in causes.values() else ""
    return f"unknown: {unknown_columns(causes) or 'a value is missing for an unrecorded reason'}{remedy}"


def _severity_in_doubt(judged: _Judged, code: int, row: _Row) -> str:
    """The ending of a message whose severity is the highest of several possible ones; empty if it is certain."""
    least, most = least_of(code), severity_of(code)
    if least is most:
        return ""
    causes = unknown_columns(judged.judged(row).unknown)
    return f"; severity {least} or {most}, depending on unknown values:  {causes or 'a value'}"


class _Texts:
    """The texts of a row's columns and a policy's parameters."""

    __slots__ = ("_judged", "_row", "_values")

    def __init__(self, judged: _Judged, row: _Row, values: Mapping[str, Value]) -> None:
        self._judged = judged
        self._row = row
        self._values = values

    @property
    def now(self) -> int:
        """The time of evaluation."""
        return self._row.now

    def known(self, column: str) -> bool:
        """Whether the column has a value or is absent; a count with bounds has one."""
        return column not in self._row.reasons or isinstance(self._row.values[column], tuple)

    def of(self, names: Sequence[str]) -> dict[str, str]:
        """The text of each column."""
        return {name: self._text(name) for name in names}

    def parameter(self, name: str) -> str:
        """A parameter in words, with its value for this row."""
        return self._judged.parameter(name, self._row)

    def setting(self, name: str) -> Collection[object]:
        """The items of a list parameter, with its value for this row."""
        value = self._judged.bound.value(name, self._judged.in_class(self._row.cells))
        return value if isinstance(value, tuple) else ()

    def value(self, column: str) -> Value:
        """The displayed value of a known column."""
        return self._values[column]

    def items(self, column: str) -> Sequence[str]:
        """The displayed items that a list certainly has."""
        value = self._values[column]
        whole = self.known(column) or self._judged.policy.table.by_name[column].partial
        return value if whole and isinstance(value, list) else ()

    def _text(self, column: str) -> str:
        kind = Kind(self._judged.policy.table.by_name[column].type.value)
        return show(self._values[column], kind) if self.known(column) else UNKNOWN
