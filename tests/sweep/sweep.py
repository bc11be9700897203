"""All of it for one process: the estate, an audit without a fault, and the faults."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.sweep.allowed import believed
from tests.sweep.audited import Audited, Auditor, Stopped
from tests.sweep.compare import Effect, Judge, Wrong
from tests.sweep.estate import ESTATE
from tests.sweep.evidence import evidence
from tests.sweep.faults import REFUSED, TYPE, Fault, Meddling, all_faults
from tests.sweep.moments import Moments
from tests.sweep.tenant import Answers


class Sweep:
    """Use it in `with`."""

    def __init__(self) -> None:
        self._opened = contextlib.ExitStack()
        self._unread: set[tuple[str, str]] = set()
        """Members that nobody reads: nothing changes where all of them are of another type."""
        self.moments = Moments(ESTATE)

    def __enter__(self) -> Self:
        folder = Path(self._opened.enter_context(tempfile.TemporaryDirectory(prefix="sweep-")))
        self.auditor = self._opened.enter_context(Auditor(Answers(ESTATE), evidence(ESTATE, folder / "logs")))
        self.base = self.auditor.base()
        self.judge = Judge(self.base, self._believed)
        calls = {**self.base.calls, **self.auditor.calls(Meddling(REFUSED))}
        self.faults = [*all_faults(calls, self.judge.fails), *self.moments.faults(calls)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.close()

    def tried(self, *faults: Fault) -> Effect:
        """What these faults, all at once, do."""
        [first, *others] = faults
        member = (first.operation, first.member)
        if not others and first.member and member in self._unread:
            return Effect(unknown=0, others=0)
        came = self._came(faults)
        if first.kind == TYPE and first.everywhere and came is self.auditor.undisturbed:
            self._unread.add(member)
        return self.judge.effect(came, *faults)

    def wrong(self, faults: Sequence[Fault]) -> Iterator[tuple[Fault, Effect]]:
        """Tries single objects' faults all at once, and the halves of what is not clean, to each fault that is not.

        A result that one fault makes unknown hides what another would do to it. So it takes faults of distant objects
        (`distant`), and is for finding much soon: what is clean together is proven alone by `tried`.
        """
        left = [fault for fault in faults if (fault.operation, fault.member) not in self._unread]
        if not left:
            return
        effect = self.tried(*left) if len(left) == 1 else self.judge.effect(self._came(left), *left, near=True)
        if not (effect.silent or effect.losses or effect.bugs):
            return
        if len(left) == 1:
            yield left[0], effect
            return
        middle = len(left) // 2
        yield from self.wrong(left[:middle])
        yield from self.wrong(left[middle:])

    def _came(self, faults: Sequence[Fault]) -> Audited | Stopped:
        for fault in faults:
            self.moments.learn(fault, self.auditor)
        return self.auditor.run(Meddling(*faults))

    def _believed(self, fault: Fault, wrong: Wrong) -> str:
        """Why this change is right; empty where it is not."""
        return believed(fault, wrong) or self.moments.believed(fault, wrong)


def distant(faults: Sequence[Fault], together: int) -> list[list[Fault]]:
    """The faults of single objects at one address in groups of about that size: none has two of one operation or object."""
    by_operation: dict[str, list[Fault]] = {}
    for fault in faults:
        if fault.single and fault.at is not None and not fault.also:
            by_operation.setdefault(fault.operation, []).append(fault)
    most = max(map(len, by_operation.values()), default=0)
    groups: list[list[Fault]] = [[] for _ in range(max(most, sum(map(len, by_operation.values())) // together))]
    named: list[set[str]] = [set() for _ in groups]
    at = 0
    for of_operation in sorted(by_operation.values(), key=len, reverse=True):
        taken: set[int] = set()
        for fault in of_operation:
            places = [(at + step) % len(groups) for step in range(len(groups))]
            place = next((each for each in places if each not in taken and named[each].isdisjoint(fault.about)), None)
            if place is None:
                groups.append([])
                named.append(set())
                place = len(groups) - 1
            groups[place].append(fault)
            named[place].update(fault.about)
            taken.add(place)
            at = place + 1
    return [group for group in groups if group]
