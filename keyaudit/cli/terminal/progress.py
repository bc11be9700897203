"""Progress on stderr: a bar and the current step at a terminal; elsewhere only long waits."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from keyaudit.cli.terminal.streams import coloured, tell
from keyaudit.model.forecast import Forecast
from keyaudit.model.operations import Throttle
from keyaudit.model.reasons import Reason
from keyaudit.model.values.text import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


LONG = 2.0
"""Seconds after which a message about a step without progress is printed."""
FORETOLD = 60.0
"""Seconds from which a forecast is printed."""
_STEP = 36
"""Columns for the name of a step and its numbers, so that the bar does not move."""

# Why a request is sent again.
_WHY = {
    Reason.THROTTLED: "throttled",
    Reason.SERVICE_ERROR: "answers with errors",
    Reason.TIMEOUT: "the request timed out",
    Reason.BAD_BODY: "the connection broke while the response arrived",
    Reason.DNS: "its name does not resolve",
    Reason.UNREACHABLE: "no connection",
}


def wait_text(host: str, reason: Reason, seconds: float) -> str:
    """The message about a wait, on one line."""
    return f"{host}: {_WHY.get(reason, reason)}; waiting for {seconds:.0f} s"


_LIMITED = {
    Throttle.VAULT: "Key Vault",
    Throttle.ARM_SUBSCRIPTION: "Azure Resource Manager",
    Throttle.RESOURCE_GRAPH: "Azure Resource Graph",
}
"""The services, by limit. The others are limits of Microsoft Graph."""


def forecast_text(forecast: Forecast) -> str:
    """What takes long, why, how long, and what would shorten it."""
    if forecast.throttle is not Throttle.GRAPH_KEY_CREDENTIALS:
        return _of_lists(forecast)
    allowed = f"{forecast.units:,.0f} such requests in {forecast.window:,.0f} seconds"
    used = "all" if forecast.share >= 1 else f"{forecast.share:.0%}"
    shorter = "" if forecast.share >= 1 else "a larger --share; "
    return (
        f"{forecast.requests:,} applications with certificates have to be read one by one, because Graph's lists omit "
        f"certificates. Graph allows {allowed}, and this run uses {used} of that: it takes about {_about(forecast.seconds)}. "
        f"To shorten it: {shorter}--copy-from or --keep, which copy certificates that seem unchanged; --budget MINUTES, which "
        "leaves the rest to the next run. After Ctrl-C, collect and --keep keep everything read so far."
    )


def _of_lists(forecast: Forecast) -> str:
    service = _LIMITED.get(forecast.throttle, "Microsoft Graph")
    kind = "vault" if forecast.throttle is Throttle.VAULT else "subscription"
    where = f" in {kind} {one_line(forecast.place)}" if forecast.place else ""
    each = f" for each {kind}" if forecast.place else ""
    used = "all" if forecast.share >= 1 else f"{forecast.share:.0%}"
    shorter = "" if forecast.share >= 1 else "a larger --share; "
    filters = f"--{kind} or --source" if forecast.place else "--source"
    return (
        f"Reading the {forecast.noun} and everything before them takes {forecast.requests:,} requests{where}. {service} allows "
        f"{forecast.units:,.0f} requests in {forecast.window:,.0f} seconds{each}, and this run uses {used} of that: it takes "
        f"about {_about(forecast.seconds)}. To shorten it: {shorter}{filters}, to leave out what you do not need. After "
        "Ctrl-C, collect and --keep keep everything read so far."
    )


def _about(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    shown = [plural for count, plural in ((hours, _plural(hours, "hour")), (rest, _plural(rest, "minute"))) if count]
    return " and ".join(shown)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


class Silent:
    """Shows nothing."""

    def update(self, surface: str, done: int, total: int | None) -> None:
        """Nothing."""

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """Nothing."""

    def foretell(self, forecast: Forecast) -> None:
        """Nothing."""


class Lines(Silent):
    """Prints waits, once for each host and reason, so that a pipeline's log shows why it took long."""

    def __init__(self) -> None:
        self._told: set[tuple[str, Reason]] = set()
        self._foretold: set[Throttle] = set()

    def foretell(self, forecast: Forecast) -> None:
        """One line on stderr for each limit under which a run takes long enough to wonder about."""
        if forecast.seconds >= FORETOLD and forecast.throttle not in self._foretold:
            self._foretold.add(forecast.throttle)
            tell(forecast_text(forecast))

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """One line on stderr."""
        if (host, reason) not in self._told:
            self._told.add((host, reason))
            tell(wait_text(host, reason, seconds))


class Bars:
    """One bar for the whole collection, with the current step."""

    def __init__(self, bars: "Progress", steps: int | None) -> None:
        self._bars, self._steps = bars, steps
        self._task = bars.add_task("connecting", total=steps)
        self._done: dict[str, float] = {}
        self._foretold: dict[str, TaskID] = {}
        self._limits: set[Throttle] = set()
        self._waits: dict[str, tuple[TaskID, float]] = {}

    def update(self, surface: str, done: int, total: int | None) -> None:
        """The step `surface` is at `done` of `total`. Every step counts the same."""
        self._done[surface] = 1.0 if done == total else done / total if total else 0.0
        step = f"{surface} {done:,}" if total is None else f"{surface} {done:,} of {total:,}"
        completed = None if self._steps is None else sum(self._done.values())
        if surface in self._foretold:
            self._bars.update(self._foretold[surface], description=f"{step:<{_STEP}}", completed=done, total=total)
        else:
            self._bars.update(self._task, description=f"{step:<{_STEP}}", completed=completed)
        self._forget_waits()

    def foretell(self, forecast: Forecast) -> None:
        """The forecast above the bars, once for each limit, if it takes long, and a bar of its own for that step."""
        if forecast.seconds >= FORETOLD and forecast.throttle not in self._limits:
            self._limits.add(forecast.throttle)
            tell(forecast_text(forecast))
            name = f"{forecast.surface:<{_STEP}}"
            self._foretold[forecast.surface] = self._bars.add_task(name, total=forecast.requests)

    def waits(self, host: str, reason: Reason, seconds: float) -> None:
        """A separate line while the wait lasts, with the time that has passed."""
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
def progress(*, quiet: bool, steps: int | None = None) -> Iterator[Silent | Bars]:
    """The progress display for a collection of `steps`, or None if their number is unknown."""
    if quiet or not sys.stderr.isatty():
        yield Silent() if quiet else Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, no_color=not coloured(sys.stderr)), transient=True) as bars:
        yield Bars(bars, steps)


@contextmanager
def told_if_long(doing: str, *, quiet: bool) -> Iterator[None]:
    """Print what a command is `doing`, in one line, if the block takes longer than `LONG` seconds."""
    if quiet:
        yield
        return
    timer = threading.Timer(LONG, tell, [doing])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
