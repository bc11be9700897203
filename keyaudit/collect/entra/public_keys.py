"""The public keys of applications and service principals, read one by one where the list left them out.

Graph's documentation contradicts itself on whether a list returns certificates, or only a single object does:
https://learn.microsoft.com/graph/api/application-list and https://learn.microsoft.com/graph/api/resources/keycredential

Graph allows few of these reads a minute, and a large tenant has thousands. So they come last: those whose holder has privileges
first, then those that no run has read, then those that were read longest ago. They are read in small parts, so that a stopped
run loses no more than one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, structs

from keyaudit.collect.calls import Calls, not_assessed
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.entra.applications import ApplicationItem, application_credentials, application_holder
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.keys.deferred_keys import Note, notes
from keyaudit.collect.entra.keys.key_material import Keyed, Keys, listed_keys, names_of, shown
from keyaudit.collect.entra.privileged_holders import Powerful
from keyaudit.collect.entra.relations import AT_ONCE
from keyaudit.collect.entra.reuse import NEEDED, Rows, copied, lacking
from keyaudit.collect.entra.service_principals import PrincipalItem, principal_credentials, principal_holder
from keyaudit.collect.focus import LEFT_OUT, MOST
from keyaudit.collect.places import source
from keyaudit.collect.reading import Reading
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope, State
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.results.run import Copied

T = TypeVar("T")

OPERATIONS = ("application.get", "service_principal.get")

_PART = 32
"""The number of objects that are read before their rows are kept."""
_COPIED_AT_ONCE = 1_000
_LATER = Refusal(Reason.NEXT_RUN)


class _Kind(Struct, frozen=True):
    """How the credentials of a kind of object become rows."""

    item: type[Keyed]
    describe: Callable[[Any, str, str, str], Holder]
    rows: Callable[[Any, Holder, Keys], Iterator[tuple[str, Mapping[str, object]]]]


_KINDS = {
    "application": _Kind(ApplicationItem, application_holder, application_credentials),
    "service_principal": _Kind(PrincipalItem, principal_holder, principal_credentials),
}


class _Object(Struct, frozen=True):
    """One object, with its answers of the list: several if copies of it differ."""

    kind: str
    id: str
    notes: Sequence[Note]
    powerful: bool
    read_on: int
    """When an earlier run read the certificate that may be copied; 0: none did."""


class Outcome(Struct, frozen=True):
    """The note on how one object was read: why it was not, or when an earlier run read what was copied."""

    kind: str
    reason: Reason | None = None
    detail: str = ""
    read_on: int | None = None


_ENCODER = msgspec.json.Encoder()
_OUTCOMES = msgspec.json.Decoder(Outcome)


def outcomes(spool: Spool) -> Iterator[Outcome]:
    """How each object was read that was put off, by closed units."""
    return map(_OUTCOMES.decode, spool.lines("read_later"))


async def collect_public_keys(reading: Reading, unit: Unit, scope: Scope) -> Sequence[Coverage]:
    """Write the rows of every credential that was put off, and of those that Entra signs with. Returns the coverage of
    `OPERATIONS`.
    """
    del unit
    await _PublicKeys(reading, scope).collect()
    calls = {f"{kind}.get": Calls(scope, f"{kind}.get", per_object=True) for kind in _KINDS}
    for outcome in outcomes(reading.spool):
        call = calls[f"{outcome.kind}.get"]
        if outcome.reason is None:
            call.answered()
        else:
            call.refused(Refusal(outcome.reason, outcome.detail))
    listed = {record.operation: record for record in reading.spool.coverage() if record.scope == scope}
    return [record for kind in _KINDS for record in _after(listed.get(f"{kind}.list"), calls[f"{kind}.get"])]


def copies(spool: Spool) -> Copied | None:
    """What was copied from an earlier run; None if nothing was."""
    read_on = [outcome.read_on for outcome in outcomes(spool) if outcome.read_on is not None]
    return Copied(objects=len(read_on), oldest=min(read_on)) if read_on else None


def to_read(reading: Reading, scope: Scope) -> int:
    """The number of objects that have to be read one by one, even if none has privileges."""
    left, _ = _PublicKeys(reading, scope).planned(None)
    return len(left)


def _after(listed: Coverage | None, calls: Calls) -> Sequence[Coverage]:
    """The coverage of reads that are sent for the objects of a list, which may have been left out on purpose."""
    reason = None if listed is None or listed.state is not State.NOT_ASSESSED else listed.reason
    if reason in OPTIONAL or reason is Reason.NOT_ASKED:
        return not_assessed(calls.scope, (calls.id,), reason)
    return [calls.coverage(listed)]


class _PublicKeys:
    def __init__(self, reading: Reading, scope: Scope) -> None:
        self._reading, self._scope, self._spool = reading, scope, reading.spool
        self._tenant_id = reading.connection.identity.tenant_id
        self._parts = sum(1 for _ in self._spool.lines("read_later"))
        self._others = 0

    async def collect(self) -> None:
        left, taken = self.planned(Powerful(self._spool, self._scope))
        for part in _parts(taken, _COPIED_AT_ONCE):
            with self._part() as unit:
                for note, rows, oldest in part:
                    unit.settle(note.name, _ENCODER.encode(Outcome(note.kind, read_on=oldest)), rows)
        done = 0

        async def one(unit: Unit, each: _Object) -> None:
            nonlocal done
            await self._read(unit, each)
            done += 1
            self._reading.seen(done, len(left))

        self._reading.seen(0, len(left))
        for objects in _parts(left, _PART):
            with self._part() as unit:
                await for_each(objects, partial(one, unit), limit=AT_ONCE)

    @contextmanager
    def _part(self) -> Iterator[Unit]:
        """A unit for some objects, closed unless it is stopped. It has no operations: how each was read is in its notes."""
        self._parts += 1
        unit = self._spool.unit(f"public keys, part {self._parts}", self._scope, ())
        yield unit
        unit.close(())

    def planned(self, powerful: Powerful | None) -> tuple[Sequence[_Object], Sequence[tuple[Note, Rows, int]]]:
        """The objects to read, in order; and the notes of all others, with the rows that are copied from the earlier run and
        when the oldest was read. `powerful`: None while nobody knows who has privileges.
        """
        earlier = self._reading.earlier
        known = earlier.credentials(NEEDED) if earlier else {}
        by_object: dict[tuple[str, str], list[Note]] = {}
        for note in notes(self._spool):
            by_object.setdefault((note.kind, note.id.lower()), []).append(note)
        left: list[_Object] = []
        taken: list[tuple[Note, Rows, int]] = []
        for (kind, id_), several in by_object.items():
            copies = [self._copied(note, known) for note in several] if known else []
            whole = [copy for copy in copies if copy is not None] if all(copies) else []
            read_on = min((oldest for _, oldest in whole), default=0)
            has = powerful is not None and powerful.has(id_, several[0].app_id)
            if whole and earlier and not has and self._spool.run.as_of - read_on < earlier.reread:
                taken += [(note, *copy) for note, copy in zip(several, whole, strict=True)]
            else:
                left.append(_Object(kind, id_, several, has, read_on))
        return sorted(left, key=lambda each: (not each.powerful, each.read_on, each.kind, each.id)), taken

    def _copied(self, note: Note, known: Mapping[str, Mapping[str, object]]) -> tuple[Rows, int] | None:
        assert self._reading.earlier is not None  # noqa: S101 - rows are known
        item, holder, keys = self._of(note)
        rows = list(_KINDS[note.kind].rows(item, holder, keys))
        return copied(rows, known, self._reading.earlier.as_of) if lacking(rows) else None

    def _of(self, note: Note) -> tuple[Keyed, Holder, Keys]:
        kind = _KINDS[note.kind]
        item = note.item(kind.item)
        url, version = source(self._reading.connection.environment, f"{note.kind}.list")
        return item, kind.describe(item, self._tenant_id, url, version), listed_keys(item)

    async def _read(self, unit: Unit, each: _Object) -> None:
        """Read one object, and write its rows."""
        answer = await self._answer(each)
        for note in each.notes:
            item, holder, keys = self._of(note)
            if isinstance(answer, Refusal):
                keys, outcome = structs.replace(keys, hidden=answer), Outcome(each.kind, answer.reason, answer.detail)
            else:
                keys, outcome = shown(keys, answer.key_credentials), Outcome(each.kind)
            unit.settle(note.name, _ENCODER.encode(outcome), _KINDS[each.kind].rows(item, holder, keys))

    async def _answer(self, each: _Object) -> Keyed | Refusal:
        focus = self._reading.confines.focus
        if focus is not None:
            _, holder, keys = self._of(each.notes[0])
            if not focus.meant(names_of(holder, keys)):
                self._others += 1
                if self._others > MOST:
                    return LEFT_OUT
        if self._reading.time_left() <= 0:
            return _LATER
        return await self._reading.connection.gateway.get(f"{each.kind}.get", Keyed, id=each.id)


def _parts(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (things[start : start + size] for start in range(0, len(things), size))
