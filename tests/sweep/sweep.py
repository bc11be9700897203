"""All of it for one process: the estate, an audit without a fault, and the faults."""

import contextlib
from types import TracebackType
from typing import Self

from tests.sweep.allowed import believed
from tests.sweep.audited import Auditor
from tests.sweep.compare import Effect, Judge
from tests.sweep.estate import ESTATE, EVIDENCE
from tests.sweep.faults import Fault, Meddling, all_faults
from tests.sweep.tenant import Answers


class Sweep:
    """Use it in `with`."""

    def __init__(self) -> None:
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.auditor = self._opened.enter_context(Auditor(Answers(ESTATE), EVIDENCE))
        self.base = self.auditor.base()
        self.judge = Judge(self.base, believed)
        self.faults = all_faults(self.base.calls, self.judge.weigh)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.close()

    def tried(self, *faults: Fault) -> Effect:
        """What these faults, all at once, do."""
        return self.judge.effect(faults[0], self.auditor.run(Meddling(*faults)))
