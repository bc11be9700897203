"""Log stores for tests: of a few uses that a test names, or of the records of the simulated year."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from keyaudit.inventory.logs import FileRead, LogStore, SourceRead, Use
from keyaudit.logs.files.read import read_logs
from keyaudit.logs.storing.write import Import, write_logs
from keyaudit.model.values.times import DAY, parse_date
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.logs.year import Line, Year

TENANT = "7b8e1c52-0000-4000-8000-000000000001"
START = parse_date("2025-01-06")
"""A Monday."""
YEAR = Year(ground=Ground(2023, 0, "contoso.example"), first=parse_date("2025-01-01"))


def use(day: int, app: str = "app", **columns: Any) -> Use:
    """Somebody signs with a key at noon, unless it says otherwise; `day` from START."""
    given: dict[str, Any] = {
        "source": "AZKVAuditLogs",
        "operation": "sign",
        "target_kind": "key",
        "target_id": "https://v.vault.azure.net/keys/k/" + "a" * 32,
        "succeeded": True,
        "network": "10.0.0.1",
        "client": "sdk/1.0",
        **columns,
    }
    return Use(used_on=START + day * DAY + DAY // 2, actor_app_id=app, mark=str(sorted(given.items())), **given)


def mail(day: int, app: str = "app", mailbox: str = "a@contoso.example", **columns: Any) -> Use:
    """Somebody reads a mailbox."""
    given = {"source": "OfficeActivity", "operation": "read-mail", "target_kind": "mailbox", "target_id": mailbox, **columns}
    return use(day, app, **given)


def store(
    folder: Path, uses: Iterable[Use], *, tenant: str | None = TENANT, complete: bool = True, quarantined: int = 0
) -> LogStore:
    """A store of one file that holds these uses."""
    known = Import(tenant_id=tenant)
    sources: dict[str, SourceRead] = {}

    def records() -> Iterator[Use | FileRead]:
        for each in uses:
            known.days[each.source][each.resource_id or ""].add(each.used_on - each.used_on % DAY)
            _counted(sources, each.source, each.used_on).kept += 1
            yield each
        if quarantined:
            next(iter(sources.values())).quarantined = quarantined
        yield FileRead(file="log.jsonl", size=1, sha256="0" * 64, form="lines", complete=complete, sources=sources)

    return write_logs(folder, records(), known)


def imported(folder: Path, lines: Iterable[Line]) -> LogStore:
    """A store of records of the simulated year, by way of files."""
    files = folder.with_name(f"{folder.name}-files")
    files.mkdir()
    write(lines, files)
    known = Import()
    return write_logs(folder, read_logs([files], known), known)


def write(lines: Iterable[Line], folder: Path) -> list[Path]:
    """Write each log to a file of JSON lines in `folder`, as people export them; returns the files by name."""
    texts: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        texts[line.log].append(line.text)
    paths = []
    for log in sorted(texts):
        path = folder / f"{log}.jsonl"
        path.write_text("\n".join(texts[log]) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def _counted(sources: dict[str, SourceRead], source: str, on: int) -> SourceRead:
    found = sources.setdefault(source, SourceRead(first_on=on, last_on=on))
    found.received += 1
    found.first_on, found.last_on = min(found.first_on or on, on), max(found.last_on or on, on)
    return found
