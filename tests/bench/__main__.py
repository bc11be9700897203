"""`python -m tests.bench`: every measurement in one run, beside the bar it is held to.

`python -m tests.bench large` collects a large tenant instead, which takes some minutes, and says what that took of Azure.
`python -m tests.bench throttled` collects a busy tenant against the documented limits, at half of them and at all of them.
`python -m tests.bench emergency` asks a large tenant for the page of a stolen key, and holds it to a minute.
`python -m tests.bench directory` collects a large directory twice, and says what the second run saves, with the waits counted.
`python -m tests.bench consumers` says what the services add that use keys, certificates and secrets, in 60 subscriptions.
`python -m tests.bench.spark 1 4` imports so many million log records on one machine and with Spark, which takes Java.
`python -m tests.bench.judged 10` judges ten million key versions with Spark, as DuckDB judges one million of them.
`python -m tests.bench agree` judges 200,000 rows by the SQL and by a plain reading of policies, and stops where they differ.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from keyaudit.policy.load import load
from tests.bench.child import fastest, measure
from tests.bench.consumers import added
from tests.bench.directory import twice
from tests.bench.emergency import emergency
from tests.bench.served import KEYAUDIT, PYTHON, asked, environ, say, served
from tests.bench.throttled import CONCURRENCY, LATENCY, throttled
from tests.policy.test_differential import agreed

ESTATE = "sized:20x50"
LARGE = "sized:100x1000x1x100000"
AGREED = 200_000
IMPORTED = 1_000_000


def _large(folder: Path) -> None:
    """100,000 keys and 100,000 applications: requests by operation, time and memory."""
    with served(LARGE, 0) as (access, server):
        command = [PYTHON, "-m", "tests.bench.collecting", str(folder / "large"), str(CONCURRENCY), "1"]
        took = measure(command, environ(access))
        calls = asked(server, folder / "asked.json")["calls"]
    inside = json.loads(took.out)
    say(f"{LARGE}: rows", f"{sum(inside['rows'].values()):,}", "")
    say("wall, the simulated tenant on the same machine", f"{took.wall:.0f} s", "")
    say("CPU", f"{took.cpu:.0f} s", "")
    say("peak memory", f"{took.peak:.0f} MB", "")
    for operation, count in sorted(calls.items(), key=lambda item: -item[1]):
        say(f"   {operation}", f"{count:,}", "")


def _collecting(folder: Path) -> None:
    with served(ESTATE, LATENCY) as (access, server):
        led = environ(access)
        runs, bares = [], []
        for attempt in range(3):
            command = [PYTHON, "-m", "tests.bench.collecting", str(folder / f"live-{attempt}"), str(CONCURRENCY), "1"]
            took = measure(command, led)
            runs.append((json.loads(took.out), took))
            asked(server, folder / "requests.json")
            bare = measure(
                [PYTHON, "-m", "tests.bench.bare", json.dumps(access), str(folder / "requests.json"), str(CONCURRENCY)]
            )
            bares.append(json.loads(bare.out))
            asked(server, folder / "discarded.json")
        whole = min(
            (measure([*KEYAUDIT, "report", "--auth", "env", "--quiet", "--share", "1"], led) for _ in range(3)),
            key=lambda took: took.wall,
        )
    inside = min(runs, key=lambda run: run[0]["wall"])[0]
    floor = min(bare["wall"] for bare in bares)
    say("collect: requests", f"{inside['requests']:,} ({sum(inside['rows'].values()):,} rows)", "")
    say("collect: wall, collection phase", f"{inside['wall']:.2f} s", "")
    say("collect: bare aiohttp loop over the same requests", f"{floor:.2f} s", "")
    say("collect: ratio", f"{inside['wall'] / floor:.2f}", "at most 1.3")
    say("report, live, whole command: wall", f"{whole.wall:.2f} s", "at most 3.12 s (1/6 of 18.7 s)")
    say("report, live, whole command: peak memory", f"{whole.peak:.0f} MB", "at most 170 MB")


def _million(folder: Path) -> None:
    wrote = measure([PYTHON, "-m", "tests.bench.rows", str(folder / "million"), "1000000"])
    say("1,000,000 records to Parquet: CPU", f"{wrote.cpu:.1f} s", "")
    say("1,000,000 records to Parquet: peak memory", f"{wrote.peak:.0f} MB", "at most 300 MB")
    judged = fastest([PYTHON, "-m", "tests.bench.judge", str(folder / "million")], 3)
    counts = json.loads(judged.out)
    say("1,000,000 key versions x all policies: CPU", f"{judged.cpu:.2f} s", "at most 4 s")
    say("1,000,000 key versions x all policies: peak memory", f"{judged.peak:.0f} MB", "at most 300 MB")
    say("   results", f"{counts['failed']:,} f {counts['unknown']:,} u", f"{counts['passed']:,} passed")
    gate = fastest([*KEYAUDIT, "gate", "--from", str(folder / "million")], 3)
    say("gate --from the same: CPU against judging", f"{gate.cpu / judged.cpu:.2f} x", "at most 2 x")


def _listed(folder: Path) -> None:
    stored = str(folder / "listed")
    measure([PYTHON, "-m", "tests.bench.rows", stored, "100000"])
    counts = json.loads(measure([PYTHON, "-m", "tests.bench.judge", stored]).out)
    found = counts["failed"] + counts["unknown"]
    took = fastest([*KEYAUDIT, "report", "--full", "--from", stored], 3)
    say(
        f"report --full, {found:,} findings of 100,000 keys: CPU a finding", f"{took.cpu / found * 1e6:.0f} us", "at most 40 us"
    )


def _two_millions(folder: Path) -> None:
    measure([PYTHON, "-m", "tests.bench.rows", str(folder / "millions"), "1000000", "1000000", "20000"])
    judged = fastest([PYTHON, "-m", "tests.bench.judge", str(folder / "millions")], 3)
    counts = json.loads(judged.out)
    say("1,000,000 each of keys and credentials, 20,000 grants: CPU", f"{judged.cpu:.2f} s", "at most 10 s")
    say("the same: peak memory", f"{judged.peak:.0f} MB", "at most 800 MB")
    say("   results", f"{counts['failed']:,} f {counts['unknown']:,} u", f"{counts['passed']:,} passed")


def _usage(folder: Path) -> None:
    measure([PYTHON, "-m", "tests.bench.usage", "make", str(folder / "logs"), str(IMPORTED)])
    took = measure([PYTHON, "-m", "tests.bench.usage", str(folder / "logs"), str(folder / "uses")])
    kept = json.loads(took.out)["kept"]
    say(f"{kept:,} log records imported: CPU a record", f"{took.cpu / kept * 1e6:.1f} us", "at most 20 us")
    say(f"{kept:,} log records imported: peak memory", f"{took.peak:.0f} MB", "at most 300 MB")


def _learning(folder: Path) -> None:
    logs, usual = folder / "uses-10m", folder / "usual"
    measure([PYTHON, "-m", "tests.bench.uses", str(logs), "10000000"])
    learned = measure([*KEYAUDIT, "usage", "learn", str(logs), "--last-day", "2025-11-30", "--out", str(usual)])
    checked = measure([*KEYAUDIT, "usage", "check", str(logs), "--baseline", str(usual)])
    say("10,000,000 uses learned on eleven months: CPU", f"{learned.cpu:.1f} s", "")
    say("   checked on the last: CPU", f"{checked.cpu:.1f} s", f"both {learned.cpu + checked.cpu:.0f} s, at most 60 s")
    say("   peak memory", f"{max(learned.peak, checked.peak):.0f} MB", "at most 1,000 MB")


def _small(folder: Path) -> None:
    measure([PYTHON, "-m", "tests.bench.rows", str(folder / "small"), "200"])
    gate = fastest([*KEYAUDIT, "gate", "--from", str(folder / "small")], 7)
    bare = fastest([PYTHON, "-c", "pass"], 15)
    say("gate --from 200 keys: CPU against python -c pass", f"{gate.cpu / bare.cpu:.0f} x", "at most 60 x")
    demo = fastest([*KEYAUDIT, "report", "--demo"], 3)
    say("report --demo: CPU against python -c pass", f"{demo.cpu / bare.cpu:.0f} x", "at most 260 x")
    for flag, bar in (("--version", 6), ("--help", 15)):
        took = fastest([*KEYAUDIT, flag], 15)
        say(f"{flag}: CPU against python -c pass", f"{took.cpu / bare.cpu:.1f} x", f"at most {bar} x")


def _agree() -> None:
    """Rows near the examples of every policy; each is judged under two profiles."""
    shipped = load()
    each = -(-AGREED // len(shipped))
    for policy in shipped:
        agreed(policy, each)
    say("rows on which the SQL and a plain reading agree", f"{each * len(shipped):,}", f"{len(shipped)} policies")


def _throttled(folder: Path) -> None:
    for share in (0.5, 1.0):
        throttled(folder, share)


ALONE: Mapping[str, Callable[[Path], None]] = {
    "large": _large,
    "throttled": _throttled,
    "emergency": emergency,
    "directory": twice,
    "consumers": added,
}
"""The measurements that are taken by their name alone."""


def main() -> None:
    """Print every measurement, or that of the name."""
    parser = argparse.ArgumentParser(
        "python -m tests.bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("name", nargs="?", choices=[*ALONE, "agree"])
    name = parser.parse_args().name
    if name == "agree":
        _agree()
        return
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {ESTATE} at {LATENCY * 1000:.0f} ms")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if name is not None:
            ALONE[name](folder)
            return
        _small(folder)
        _collecting(folder)
        _million(folder)
        _listed(folder)
        _two_millions(folder)
        _usage(folder)
        _learning(folder)
        throttled(folder, 0.5)


if __name__ == "__main__":
    main()
