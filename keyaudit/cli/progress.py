"""Progress on stderr: bars for a person at a terminal; anything else is told of long waits alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from keyaudit.cli.streams import coloured, tell
from keyaudit.model.reasons import Reason

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


# Why a request is sent again.
_WHY = {
    Reason.THROTTLED: "throttled",
    Reason.SERVICE_ERROR: "answers with errors",
    Reason.TIMEOUT: "no answer in time",
    Reason.BAD_BODY: "the answer broke off",
    Reason.DNS: "its name does not resolve",
    Reason.UNREACHABLE: "no connection",
}


def wait_text(host: str, reason: Reason, seconds: float) -> str:
    """What is waited for, on one line."""
    return f"{host}: {_WHY.get(reason, reason)}; waiting for {seconds:.0f} s"


class Silent:
    """Shows nothing."""

    def update(self, surface: str, done: int, total: int | None) -> None:
        """Nothing."""

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """Nothing."""


class Lines(Silent):
    """Tells of waits, once of each host and reason: a log that a pipeline keeps shows why it took so long."""

    def __init__(self) -> None:
        self._told: set[tuple[str, Reason]] = set()

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """One line on stderr."""
        if (host, reason) not in self._told:
            self._told.add((host, reason))
            tell(wait_text(host, reason, seconds))


class Bars:
    """One line for each surface that has begun."""

    def __init__(self, bars: "Progress") -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._waits: dict[str, tuple[TaskID, float]] = {}

    def update(self, surface: str, done: int, total: int | None) -> None:
        """Move the surface's bar to `done` of `total`; without a total it only shows that something happens."""
        if surface not in self._tasks:
            self._tasks[surface] = self._bars.add_task(surface, total=total)
        self._bars.update(self._tasks[surface], completed=done, total=total)
        self._forget_waits()

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """A line of its own for as long as the wait lasts, with the time that has passed of it."""
        self._forget_waits()
        if host in self._waits:
            self._bars.remove_task(self._waits[host][0])
        self._waits[host] = (self._bars.add_task(wait_text(host, reason, seconds), total=None), seconds)

    def _forget_waits(self) -> None:
        elapsed = {task.id: task.elapsed or 0.0 for task in self._bars.tasks}
        for host, (task, seconds) in tuple(self._waits.items()):
            if elapsed[task] > seconds:
                self._bars.remove_task(task)
                del self._waits[host]


@contextmanager
def progress(*, quiet: bool) -> Iterator[Silent | Bars]:
    """What a collection tells how far it is."""
    if quiet or not sys.stderr.isatty():
        yield Silent() if quiet else Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, no_color=not coloured(sys.stderr)), transient=True) as bars:
        yield Bars(bars)
