"""Log records as files of JSON lines, as people export them: one file for each log."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from keyaudit.simulator.estates.logs.year import Line


def write(lines: Iterable[Line], folder: Path) -> list[Path]:
    """Write each log to a file in `folder`, which must exist; returns the files by name."""
    texts: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        texts[line.log].append(line.text)
    paths = []
    for log in sorted(texts):
        path = folder / f"{log}.jsonl"
        path.write_text("\n".join(texts[log]) + "\n", encoding="utf-8")
        paths.append(path)
    return paths
