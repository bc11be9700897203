"""All of it for one process: the estate, an audit without a fault, and the faults."""

import contextlib
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.sweep.allowed import believed
from tests.sweep.audited import Auditor
from tests.sweep.compare import Effect, Judge, Wrong
from tests.sweep.estate import ESTATE
from tests.sweep.evidence import evidence
from tests.sweep.faults import TYPE, Fault, Meddling, all_faults
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
        self.faults = [*all_faults(self.base.calls, self.judge.fails), *self.moments.faults(self.base.calls)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.close()

    def tried(self, *faults: Fault) -> Effect:
        """What these faults, all at once, do."""
        [first, *others] = faults
        member = (first.operation, first.member)
        if not others and first.member and member in self._unread:
            return Effect(unknown=0, others=0)
        for fault in faults:
            self.moments.learn(fault, self.auditor)
        came = self.auditor.run(Meddling(*faults))
        if first.kind == TYPE and first.everywhere and came is self.auditor.undisturbed:
            self._unread.add(member)
        return self.judge.effect(came, *faults)

    def _believed(self, fault: Fault, wrong: Wrong) -> str:
        """Why this change is right; empty where it is not."""
        return believed(fault, wrong) or self.moments.believed(fault, wrong)
