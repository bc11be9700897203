"""Runs the commands on the generated logs as a user or a pipeline would."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

from keyaudit.cli.app import run
from tests.intrusions.attacks import ANNOUNCED, Scenario
from tests.intrusions.company import FIRST, LEARNED, Company
from tests.intrusions.written import write_company

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
    """A company's logs of some days, imported, with what is usual learned from the last ones before the intrusions."""

    def __init__(
        self, company: Company, events: Sequence[Scenario], days: int, folder: Path, *, learned: int = LEARNED
    ) -> None:
        self.folder, self.events, self.days = folder, events, days
        self.logs, self.normal, self.announced = folder / "uses", folder / "normal", folder / "announced.yaml"
        write_company(company, days, events, folder / "logs")
        self.announced.write_text(ANNOUNCED, encoding="utf-8")
        self.imported = command("usage", "import", folder / "logs", "--out", self.logs)
        self.learned = self.learn(self.normal, LEARNED - learned, LEARNED - 1)

    def learn(self, into: Path, first: int, last: int, *more: str | Path) -> tuple[int, str]:
        days = ("--first-day", date(first), "--last-day", date(last))
        return command("usage", "learn", self.logs, *days, "--out", into, *more)

    def check(self, first: int, last: int, *more: str | Path, normal: Path | None = None) -> dict[str, Any]:
        """The result of `usage check` for the days from `first` to `last`, both included."""
        days = ("--first-day", date(first), "--last-day", date(last), "--accept", self.announced)
        code, text = command("usage", "check", self.logs, "--baseline", normal or self.normal, *days, "-o", "json", *more)
        result: dict[str, Any] = json.loads(text)
        assert code == result["verdict"]["exit"]
        return result

    def daily(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each day after the baseline, for a pipeline that reports a new application once and knows the announcements."""
        for day in range(LEARNED, self.days):
            yield day, self.check(day, day, "--reported", self.folder / "reported")

    def worst(self, event: Scenario, day: int | None = None, *, normal: Path | None = None) -> str | None:
        """The highest severity of an unannounced finding about what was done in an event, on one of its days or on all."""
        days = (event.first, event.first + event.days - 1) if day is None else (event.first + day, event.first + day)
        return worst(self.check(*days, normal=normal)["findings"], event)


def worst(findings: Sequence[dict[str, Any]], event: Scenario) -> str | None:
    """Of an event of several applications: that of any that reads mail."""
    named = "app_id" if event.app else "operation"
    levels = [each["severity"] for each in findings if each[named] == (event.app or "read-mail")]
    return max(levels, key=ORDER.index, default=None)


def stops(result: dict[str, Any]) -> list[str]:
    """The findings that make a pipeline fail, by application and operation."""
    return [
        f"{each['app_name'] or each['app_id']} {each['operation']}"
        for each in result["findings"]
        if ORDER.index(each["severity"]) >= ORDER.index("high")
        and not any(each.get(name) for name in ("accepted", "reported_until", "part_of"))
    ]
