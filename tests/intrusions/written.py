"""The logs of a company as files, as a folder of exports has them: one file of JSON lines for each log."""

import json
from collections.abc import Iterable
from pathlib import Path

from tests.intrusions.attacks import LAST, Scenario, scenarios
from tests.intrusions.company import Company
from tests.intrusions.records import Line


def write(lines: Iterable[Line], folder: Path) -> None:
    """Into a new folder."""
    folder.mkdir(parents=True)
    by_log: dict[str, list[str]] = {}
    for log, record in lines:
        by_log.setdefault(log, []).append(json.dumps(record, ensure_ascii=False))
    for log, texts in by_log.items():
        (folder / f"{log}.json").write_text("\n".join(texts) + "\n", encoding="utf-8")


def company_with_intrusions(seed: int, folder: Path) -> list[Scenario]:
    """Writes all days of a company, and returns what was done to it, with the forged tokens."""
    company, events = Company(seed), scenarios()
    lines = list(company.lines(0, LAST))
    for event in events:
        lines += event.lines(company)
    write(lines, folder)
    return events
