"""Collects from the tenant that the environment leads to, and times the collection phase alone."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

from keyaudit import audit
from keyaudit.__main__ import collect_cycles_later
from keyaudit.cli.clock import SystemClock
from keyaudit.cli.terminal.progress import progress
from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.cloud.network import Network
from keyaudit.collect.evidence import NONE


async def _main(folder: Path, concurrency: int, share: float) -> None:
    source = audit.Source(
        environment=ENVIRONMENTS["public"],
        auth="env",
        tenant=None,
        network=Network.from_environ(os.environ),
        environ=os.environ,
        share=share,
        concurrency=concurrency,
    )
    begun = 0.0

    def announce(run: object) -> None:
        nonlocal begun
        begun = time.perf_counter()

    with progress(quiet=True) as shown:
        taken = await audit.collect(
            source, folder, resume=False, clock=SystemClock(), progress=shown, prompt=print, evidence=NONE, announce=announce
        )
    wall = time.perf_counter() - begun
    snapshot = audit.finish(taken)
    gaps = Counter(each.reason for each in snapshot.coverage if each.reason is not None)
    print(json.dumps({"wall": wall, "rows": snapshot.run.rows, "requests": taken.requests, "gaps": gaps}))


if __name__ == "__main__":
    collect_cycles_later()
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
