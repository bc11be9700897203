"""A simulated tenant in a process of its own, which says what it was asked."""

import asyncio
import json
import sys
import time
from pathlib import Path

from keyaudit.simulator.estates import estate
from keyaudit.simulator.serve import serve


async def _serve(name: str, latency: float) -> None:
    async with serve(estate(name, int(time.time())), latency=latency) as simulator:  # noqa: TID251 - a process of its own
        access = {
            "proxy": simulator.proxy,
            "ca_file": str(simulator.ca_file),
            "tenant": simulator.estate.tenant_id,
            "client": simulator.client_id,
            "secret": simulator.client_secret,
        }
        print(json.dumps(access), flush=True)
        loop = asyncio.get_running_loop()
        # One line asks for what was requested since the last; the end of input ends the server.
        while (line := await loop.run_in_executor(None, sys.stdin.readline)).strip():
            asked = {"requests": list(simulator.requests), "calls": dict(simulator.calls)}
            Path(line.strip()).write_text(json.dumps(asked), encoding="utf-8")
            simulator.requests.clear()
            simulator.calls.clear()
            print("written", flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2])))
