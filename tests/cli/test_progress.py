"""Progress at a terminal: one bar with the current step, and messages about long steps without a bar."""

import io
import threading

import pytest
from rich.console import Console
from rich.progress import Progress

from keyaudit.cli import progress
from keyaudit.cli.progress import Bars, told_if_long


def _shown(*updates: tuple[str, int, int | None], steps: int | None) -> tuple[int, str, float]:
    """How many bars there are, what the first is of, and how far it is."""
    with Progress(console=Console(file=io.StringIO())) as bars:
        shown = Bars(bars, steps)
        for update in updates:
            shown.update(*update)
        return len(bars.tasks), " ".join(bars.tasks[0].description.split()), bars.tasks[0].percentage


def test_one_bar_counts_the_steps_and_names_the_current_one() -> None:
    assert _shown(("vaults", 4, 4), ("keys", 0, 4), ("keys", 2, 4), steps=3) == (1, "keys 2 of 4", 50.0)
    assert _shown(("service principals", 1_200, None), steps=3) == (1, "service principals 1,200", 0.0)
    # A place that holds nothing is read, too.
    assert _shown(("Managed HSMs", 0, 0), steps=2) == (1, "Managed HSMs 0 of 0", 50.0)
    assert _shown(("uses", 7, None), steps=None)[:2] == (1, "uses 7")


def test_what_takes_long_is_told_and_what_does_not_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    said, told = [], threading.Event()

    def tell(message: str) -> None:
        said.append(message)
        told.set()

    monkeypatch.setattr(progress, "tell", tell)
    with told_if_long("reading", quiet=False):
        pass
    monkeypatch.setattr(progress, "LONG", 0.0)
    with told_if_long("quiet", quiet=True), told_if_long("evaluating 134 policies", quiet=False):
        assert told.wait(60)
    assert said == ["evaluating 134 policies"]
