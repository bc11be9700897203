"""Progress at a terminal: one bar with the current step, and messages about long steps without a bar."""

import io
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from keyaudit import audit
from keyaudit.cli.options import Live
from keyaudit.cli.sources import live
from keyaudit.cli.terminal import progress
from keyaudit.cli.terminal.progress import Bars, Lines, told_if_long
from keyaudit.model.forecast import Forecast
from keyaudit.model.operations import Throttle


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


def test_a_slow_sign_in_and_slow_writing_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said, told = [], threading.Event()

    def tell(message: str) -> None:
        said.append(message)
        told.set()

    async def collect(*_: object, announce: Callable[[object], None], **__: object) -> object:
        assert told.wait(60)
        told.clear()
        announce(SimpleNamespace(simulated=False, environment="public", tenant_id="t", identity="somebody"))
        told.clear()
        return SimpleNamespace(failures=())

    def finish(_: object) -> str:
        assert told.wait(60)
        return "written"

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "LONG", 0.0)
    for module in (progress, live):
        monkeypatch.setattr(module, "tell", tell)
    monkeypatch.setattr(audit, "collect", collect)
    monkeypatch.setattr(audit, "finish", finish)
    assert str(live.collected(Live(), tmp_path / "out", resume=False, kept="")) == "written"
    assert said == ["signing in", "reading tenant t, Azure public cloud, as somebody", "writing what was read"]


def _forecast(seconds: float, share: float = 0.5, **others: Any) -> Forecast:
    members = {
        "surface": "public keys",
        "throttle": Throttle.GRAPH_KEY_CREDENTIALS,
        "noun": "applications",
        "requests": 10_000,
        "units": 150,
        "window": 60,
    }
    return Forecast(seconds=seconds, share=share, **{**members, **others})


def test_a_forecast_says_how_long_and_what_would_shorten_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "tell", said.append)
    Lines().foretell(_forecast(59))
    assert said == []
    Lines().foretell(_forecast(7_940))
    [told] = said
    assert told == (
        "10,000 applications with certificates have to be read one by one, because Graph's lists omit certificates. Graph "
        "allows 150 such requests in 60 seconds, and this run uses 50% of that: it takes about 2 hours and 12 minutes. To "
        "shorten it: a larger --share; --copy-from or --keep, which copy certificates that seem unchanged; --budget MINUTES, "
        "which leaves the rest to the next run. After Ctrl-C, collect and --keep keep everything read so far."
    )
    # A run that uses all of the limit cannot use more.
    Lines().foretell(_forecast(3_600, share=1.0))
    assert "uses all of that: it takes about 1 hour. To shorten it: --copy-from" in said[1]


def test_each_limit_is_foretold_once_and_says_whose_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "tell", said.append)
    lines = Lines()
    of_arm: dict[str, Any] = {
        "throttle": Throttle.ARM_SUBSCRIPTION,
        "noun": "databases of SQL servers",
        "units": 250,
        "window": 10,
    }
    for seconds in (59, 310, 400):
        lines.foretell(_forecast(seconds, surface="consumers", place="Production", requests=4_000, **of_arm))
    lines.foretell(_forecast(7_940))
    assert said[0] == (
        "Reading the databases of SQL servers and everything before them takes 4,000 requests in subscription Production. "
        "Azure Resource Manager allows 250 requests in 10 seconds for each subscription, and this run uses 50% of that: it "
        "takes about 5 minutes. To shorten it: a larger --share; --subscription or --source, to leave out what you do not "
        "need. After Ctrl-C, collect and --keep keep everything read so far."
    )
    assert [each.split()[0] for each in said] == ["Reading", "10,000"]


def test_a_step_that_was_foretold_has_a_bar_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "tell", lambda _: None)
    with Progress(console=Console(file=io.StringIO())) as bars:
        shown = Bars(bars, 4)
        shown.foretell(_forecast(7_940))
        shown.update("public keys", 2_500, 10_000)
        assert [(" ".join(task.description.split()), task.percentage) for task in bars.tasks][1:] == [
            ("public keys 2,500 of 10,000", 25.0)
        ]
