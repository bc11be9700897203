"""Asks for the page of a stolen key in a large tenant, against the documented limits, and says how long it takes to come.

`python -m tests.bench emergency`. The tenant has 20,000 applications, 60,000 service principals and 200 vaults with
50 keys each. Seconds of waiting, for answers and for limits, are counted by a loop whose time passes only while nothing is
left to do; the work of the machine is added as processor seconds of the whole command.
"""

import asyncio
import io
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from keyaudit import ask, audit
from keyaudit.cli.terminal.progress import progress
from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.cloud.network import Network
from keyaudit.collect.evidence import NONE
from keyaudit.collect.focus import Focus
from keyaudit.questions.incident.evidence.operations import needed
from keyaudit.questions.incident.json import render
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import serve
from keyaudit.simulator.throttle import Throttle
from tests.bench.child import measure
from tests.bench.served import KEYAUDIT, environ, say, served
from tests.bench.server import WITHOUT_KEYS, directory
from tests.bench.virtual import VirtualClock, VirtualLoop

BAR = 60
_CASES: tuple[tuple[str, float, Sequence[Fault]], ...] = (
    ("each answer takes 0.1 s", 0.1, ()),
    ("each answer takes 0.3 s", 0.3, ()),
    ("each answer takes 0.3 s, and lists leave the certificates out", 0.3, WITHOUT_KEYS),
)


class Asked(Struct, frozen=True):
    """How long a page waited, with how many requests, how many of them refused, and the gaps that it says."""

    seconds: float
    requests: int
    refused: int
    said: Sequence[str]


def emergency(folder: Path) -> None:
    """Print requests and seconds until the page of an application, a thumbprint, a key id and a key is there."""
    of = directory(int(time.time()))  # noqa: TID251 - as a command that starts now
    with served("directory", 0) as (access, _):
        command = [
            *KEYAUDIT,
            "incident",
            access["named"]["a key id"],
            "--auth",
            "env",
            "--quiet",
            "--out",
            str(folder / "p.json"),
        ]
        cpu = measure(command, environ(access)).cpu
    say("processor time of the whole command", f"{cpu:.1f} s", "")
    for what, latency, faults in _CASES:
        print(what)
        for kind, name in named(of):
            found = waited(of, name, latency, faults, folder / f"{latency}-{len(faults)}-{kind}")
            say(
                f"   {kind}: waiting, and with the processor",
                f"{found.seconds:.1f}, {found.seconds + cpu:.1f} s",
                f"at most {BAR} s",
            )
            say("      requests, refused ones", f"{found.requests:,}, {found.refused:,}", "; ".join(found.said))


def named(of: Estate) -> Iterator[tuple[str, str]]:
    """One name of each kind: those of an application with a certificate, and of a key."""
    holder = next(each for each in of.applications if each.keys)
    yield "an application", holder.app_id
    yield "a thumbprint", str(holder.keys[0].thumbprint)
    yield "a key id", holder.keys[0].key_id
    yield "a key", f"{of.vaults[0].name}/{of.vaults[0].keys[0].name}"


def waited(of: Estate, name: str, latency: float, faults: Sequence[Fault], folder: Path) -> Asked:
    """What the page of that name takes of the tenant."""

    async def run() -> tuple[float, int, int, audit.Collected]:
        async with serve(of, latency=latency, throttle=Throttle.documented(), faults=faults) as simulator:
            source = audit.Source(
                environment=ENVIRONMENTS["public"],
                auth="env",
                tenant=None,
                network=Network(proxy=simulator.proxy, ca_file=simulator.ca_file),
                environ=simulator.environ,
            )
            clock = VirtualClock(of.as_of)
            with progress(quiet=True) as shown:
                taken = await audit.collect(
                    source,
                    folder,
                    resume=False,
                    clock=clock,
                    progress=shown,
                    prompt=print,
                    announce=lambda _: None,
                    evidence=NONE,
                    focus=Focus(name, needed(name)),
                )
            sent = sum(count for call, count in simulator.calls.items() if call != "challenge")
            return clock.monotonic(), sent, simulator.throttled, taken

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        seconds, sent, refused, taken = runner.run(run())
    found = ask.incident(audit.finish(taken), name, as_of=of.as_of, logs=None, usual=None, since=None)
    out = io.StringIO()
    render(found, out)
    gaps = json.loads(out.getvalue())["gaps"]
    return Asked(seconds, sent, refused, sorted({f"{', '.join(each['operations'])}: {each['reason']}" for each in gaps}))
