"""Progress on stderr, for a person at a terminal; anything else sees none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from keyaudit.cli.streams import coloured

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Silent:
    """Shows nothing."""

    def update(self, surface: str, done: int, total: int | None) -> None:
        """Nothing."""


class Bars:
    """One line for each surface that has begun."""

    def __init__(self, bars: "Progress") -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def update(self, surface: str, done: int, total: int | None) -> None:
        """Move the surface's bar to `done` of `total`; without a total it only shows that something happens."""
        if surface not in self._tasks:
            self._tasks[surface] = self._bars.add_task(surface, total=total)
        self._bars.update(self._tasks[surface], completed=done, total=total)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Silent | Bars]:
    """What a collection tells how far it is."""
    if quiet or not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console  # noqa: PLC0415 - heavy, and only a terminal needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, no_color=not coloured(sys.stderr)), transient=True) as bars:
        yield Bars(bars)
