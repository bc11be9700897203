"""The logs of a company as files, as a folder of exports has them: one file of JSON lines for each log."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.intrusions.attacks import Scenario
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


def write_company(company: Company, days: int, events: Sequence[Scenario], folder: Path) -> None:
    """Writes the company's first days with what was done to it; the events then know their forged tokens."""
    lines = list(company.lines(0, days))
    for event in events:
        lines += event.lines(company)
    write(lines, folder)
