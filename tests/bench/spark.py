"""`python -m tests.bench.spark MILLIONS... [--in DIR]`: what an import of so many records takes on one machine, and with Spark.

The records of each number are spread over the same days, and are the same ones again with other times, ids and networks:
files of 50,000 in gzip, which take some 40 MB a million. Spark runs as `local[2]`, with a heap of 1 GB for its driver, which is
also the executor. CPU and memory are those of all processes that a command starts, by kind.
"""

import argparse
import datetime
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
from msgspec import Struct

from keyaudit.inventory.load import parquet
from keyaudit.inventory.logs import LogStore, open_logs
from tests.bench.usage import KINDS
from tests.collect.usage import made

DAYS = 120
_OF_A_FILE = 50_000
_NETWORKS = 8
_SETTINGS = (
    "spark.driver.memory 1g\nspark.eventLog.enabled true\nspark.eventLog.compress false\nspark.eventLog.rolling.enabled false\n"
    "spark.eventLog.dir file://{}\n"
)
_CORES = 64
_BILLION = 1_000_000_000


class Took(Struct, frozen=True):
    """What a command took. `peak`: by kind of process the most memory of one of them, in MB."""

    wall: float
    cpu: Mapping[str, float]
    peak: Mapping[str, float]


class Process(Struct):
    """A process as it was last seen: CPU seconds, and the most memory it held, in MB."""

    kind: str
    cpu: float
    peak: float


def make(folder: Path, rows: int) -> None:
    """Files of logs as diagnostic settings and the Management API write them, one record a line."""
    folder.mkdir()
    kinds = [[_template(shape(event)) for event in events() if _is_used(event)] for events, shape in KINDS.values()]
    for first in range(0, rows, _OF_A_FILE):
        templates = kinds[first // _OF_A_FILE % len(kinds)]
        with gzip.open(folder / f"{first:012}.json.gz", "wb", compresslevel=1) as file:
            file.writelines(_lines(templates, range(first, min(first + _OF_A_FILE, rows)), rows))


def _is_used(event: made.Event) -> bool:
    return event.get("operation") not in ("Authentication", "Send")


def _template(record: made.Event) -> bytes:
    """A record with places for its time, id and network."""
    record = json.loads(json.dumps(record).replace("%", "%%"))
    where = record["properties"] if "signInEventTypes" in record.get("properties", {}) else record
    for place, names in (
        ("%(time)s", ("time", "createdDateTime", "CreationTime")),
        ("%(id)s", ("id", "correlationId", "Id")),
        ("%(network)s", ("callerIpAddress", "ipAddress", "ClientIPAddress")),
    ):
        for each in (record, where):
            each.update({name: place for name in names if name in each})
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _lines(templates: Sequence[bytes], numbers: range, rows: int) -> Iterator[bytes]:
    for number in numbers:
        on = made.START + datetime.timedelta(microseconds=number * DAYS * 86_400_000_000 // rows)
        mixed = number * 2_654_435_761 >> 8
        yield templates[mixed % len(templates)] % {
            b"time": on.strftime("%Y-%m-%dT%H:%M:%S").encode(),
            b"id": b"00000063-0000-4000-8000-%012x" % number,
            b"network": b"198.51.%d.%d" % (mixed % _NETWORKS, number % 250),
        }


def watched(command: Sequence[str], environ: Mapping[str, str]) -> Took:
    """Runs a command to its end, and watches every process that it starts."""
    seen: dict[int, Process] = {}
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as said, subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=said, env={**os.environ, **environ}, start_new_session=True
    ) as running:  # fmt: skip
        while running.poll() is None:
            _look(running.pid, seen)
            time.sleep(0.1)
        if running.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(command)}: exit {running.returncode}\n{said.read().decode()}")
    cpu, peak = defaultdict[str, float](float), defaultdict[str, float](float)
    for process in seen.values():
        cpu[process.kind] += process.cpu
        peak[process.kind] = max(peak[process.kind], process.peak)
    return Took(time.perf_counter() - begun, cpu, peak)


def _look(session: int, seen: dict[int, Process]) -> None:
    tick = os.sysconf("SC_CLK_TCK")
    for of in Path("/proc").glob("[0-9]*"):
        try:
            stat = (of / "stat").read_text().rpartition(")")[2].split()
            if int(stat[3]) != session:
                continue
            command = (of / "cmdline").read_bytes()
            status = dict(line.split(":", 1) for line in (of / "status").read_text().splitlines())
        except (FileNotFoundError, ProcessLookupError):
            continue
        kind = "worker" if b"pyspark.daemon" in command else "JVM" if b"java" in command.split(b"\0")[0] else "keyaudit"
        # A process that has ended has no memory any more.
        before = seen.get(int(of.name), Process(kind, 0.0, 0.0))
        peak = int(status.get("VmHWM", "0 kB").split()[0]) / 1024
        cpu = (int(stat[11]) + int(stat[12])) / tick
        seen[int(of.name)] = Process(kind if command else before.kind, max(cpu, before.cpu), max(peak, before.peak))


def shuffled(events: Path) -> tuple[float, float]:
    """MB that were written for shuffles, and that tasks spilled to disk, by Spark's log of events."""
    written = spilled = 0
    for path in events.rglob("*"):
        for line in path.open(encoding="utf-8") if path.is_file() else ():
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd" and "Task Metrics" in event:
                metrics = event["Task Metrics"]
                written += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                spilled += metrics["Disk Bytes Spilled"]
    return written / 1e6, spilled / 1e6


def _groups(store: LogStore) -> int:
    with duckdb.connect() as connection:
        paths = [store.folder / each.groups.path for each in store.manifest.reduced]
        row = connection.execute(f"SELECT count(*) FROM {parquet(*paths)}").fetchone()
        assert row is not None
        return int(row[0])


def _said(name: str, rows: int, took: Took, besides: str) -> float:
    """A line of the table. Returns the CPU seconds."""
    cpu = sum(took.cpu.values())
    by = ", ".join(f"{kind} {seconds:.0f} s {took.peak[kind]:.0f} MB" for kind, seconds in sorted(took.cpu.items()))
    each = f"{cpu / rows * 1e6:.1f} us each"
    print(f"{rows / 1e6:>5g} M  {name:<9} {took.wall:>6.0f} s wall {cpu:>7.1f} CPU-s  {each}  ({by})  {besides}", flush=True)
    return cpu


def compare(folder: Path, rows: int) -> tuple[float, float]:
    """Imports so many records both ways, and returns the CPU seconds of both. The groups of both are the same bytes."""
    logs, settings, events = folder / "logs", folder / "settings", folder / "events"
    make(logs, rows)
    for each in (settings, events):
        each.mkdir()
    (settings / "spark-defaults.conf").write_text(_SETTINGS.format(events))
    size = sum(path.stat().st_size for path in logs.iterdir())
    print(f"{rows / 1e6:>5g} M  {len(list(logs.iterdir()))} files, {size / 1e6:.0f} MB", flush=True)
    command = [sys.executable, "-m", "keyaudit", "usage", "import"]
    took = watched([*command, str(logs), "--out", str(folder / "duckdb")], {})
    one = open_logs(folder / "duckdb")
    alone = _said("duckdb", rows, took, f"{_groups(one):,} groups")
    took = watched(
        [*command, "--engine", "spark", "--master", "local[2]", "--logs", str(logs), "--out", str(folder / "spark")],
        {"SPARK_CONF_DIR": str(settings)},
    )
    other = open_logs(folder / "spark")
    assert one.manifest.reduced == other.manifest.reduced
    assert one.manifest.days == other.manifest.days
    megabytes, spilled = shuffled(events)
    together = _said(
        "local[2]", rows, took, f"{_groups(other):,} groups, {megabytes:.0f} MB shuffled, {spilled:.0f} MB spilled"
    )
    return alone, together


def main() -> None:
    """Print a line for each engine and number of records, and what more would take by the difference between the last two."""
    given = argparse.ArgumentParser(prog="python -m tests.bench.spark")
    given.add_argument("millions", nargs="+", type=float)
    given.add_argument("--in", dest="folder", type=Path)
    asked = given.parse_args()
    found = []
    for millions in asked.millions:
        with tempfile.TemporaryDirectory(dir=asked.folder) as name:
            found.append((int(millions * 1e6), *compare(Path(name), int(millions * 1e6))))
    if len(found) > 1:
        (few, _, less), (many, _, more) = found[-2:]
        each = (more - less) / (many - few)
        print(f"local[2]: {each * 1e6:.1f} us for each more, and {more - each * many:.0f} CPU-s besides")
        for billions in (1, 10):
            hours = each * billions * _BILLION / 3600
            print(f"   by that, {billions} billion: {hours:.0f} core-hours, {hours / _CORES:.1f} h on {_CORES} cores")


if __name__ == "__main__":
    main()
