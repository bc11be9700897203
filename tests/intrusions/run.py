"""Runs the commands on the generated logs as a pipeline would, a day at a time."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

from keyaudit.cli.app import run
from tests.intrusions.attacks import ANNOUNCED, LAST, Scenario
from tests.intrusions.company import FIRST, LEARNED
from tests.intrusions.written import company_with_intrusions

ORDER = ("info", "low", "medium", "high", "critical")


def date(day: int) -> str:
    return (FIRST + timedelta(days=day)).date().isoformat()


def command(*arguments: str | Path) -> tuple[int, str]:
    """The exit code and what is printed on stdout."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = run([str(each) for each in arguments])
    return code, out.getvalue()


class Ran:
    """A company's logs, imported, with what is usual learned from its first days."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.folder = folder
        self.events: Sequence[Scenario] = company_with_intrusions(seed, folder / "logs")
        self.logs, self.normal = folder / "uses", folder / "normal"
        self.imported = command("usage", "import", folder / "logs", "--out", self.logs)
        self.learned = command("usage", "learn", self.logs, "--last-day", date(LEARNED - 1), "--out", self.normal)
        (folder / "announced.yaml").write_text(ANNOUNCED, encoding="utf-8")

    def check(self, first: int, last: int, *more: str | Path) -> dict[str, Any]:
        """The result of `usage check` for the days from `first` to `last`, both included."""
        days = ("--first-day", date(first), "--last-day", date(last))
        code, text = command("usage", "check", self.logs, "--baseline", self.normal, *days, "-o", "json", *more)
        result: dict[str, Any] = json.loads(text)
        assert code == result["verdict"]["exit"]
        return result

    def daily(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each day after the baseline, for a pipeline that reports a new application once and knows the announcements."""
        for day in range(LEARNED, LAST):
            yield day, self.check(day, day, "--accept", self.folder / "announced.yaml", "--reported", self.folder / "reported")


def worst(findings: Sequence[dict[str, Any]], event: Scenario) -> str | None:
    """The highest severity of the findings about what was done in an event."""
    levels = [each["severity"] for each in findings if not event.app or each["app_id"] == event.app]
    return max(levels, key=ORDER.index, default=None)
