"""Collects a large directory twice against the documented limits, and says what each run takes and what the second one saves.

`python -m tests.bench directory`. The tenant has 20,000 applications, 2,000 of them with a certificate that Graph's lists leave
out, 60,000 service principals, and 200 vaults with 50 keys each in 60 subscriptions. Waiting, for answers and for limits, is
counted as `tests.bench.virtual` does; the processor's time and the memory are those of this process, which holds the tenant.
"""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, structs

from keyaudit import audit
from keyaudit.cli.terminal.progress import Silent
from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.cloud.network import Network
from keyaudit.collect.evidence import NONE
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.forecast import Forecast
from keyaudit.model.values.times import DAY
from keyaudit.simulator.estate import Application, Estate, Subscription, Vault
from keyaudit.simulator.serve import serve
from keyaudit.simulator.throttle import Throttle
from keyaudit.simulator.x509 import certificate
from tests.bench.served import say
from tests.bench.server import WITHOUT_KEYS, directory
from tests.bench.virtual import VirtualClock, VirtualLoop

SUBSCRIPTIONS, HOLDERS = 60, 2_000
LATENCY = 0.1
_READS = ("application.get", "service_principal.get")
_SHOWN = 12


class _Told(Silent):
    """Keeps the last forecast of each limit."""

    def __init__(self) -> None:
        self.forecasts: dict[str, Forecast] = {}

    def foretell(self, forecast: Forecast) -> None:
        self.forecasts[forecast.throttle] = forecast


def tenant(as_of: int) -> Estate:
    """The tenant: that of `directory`, with fewer certificates and more subscriptions."""
    large = spread(directory(as_of))
    with_keys = [one.id for one in large.applications if one.keys]
    numbers = {id_: nth for nth, id_ in enumerate(with_keys[:HOLDERS])}
    applications = tuple(_with_certificate(one, numbers.get(one.id), as_of) for one in large.applications)
    return structs.replace(large, applications=applications)


def spread(of: Estate) -> Estate:
    """The tenant with its vaults in 60 subscriptions."""
    first, *_ = of.subscriptions
    places = [structs.replace(first, id=f"{nth:08x}{first.id[8:]}", name=f"sub-{nth}") for nth in range(SUBSCRIPTIONS)]
    vaults = tuple(_moved(vault, places[nth % SUBSCRIPTIONS]) for nth, vault in enumerate(of.vaults))
    return structs.replace(of, subscriptions=tuple(places), vaults=vaults)


def _moved(vault: Vault, to: Subscription) -> Vault:
    return structs.replace(vault, subscription=to.id)


def _with_certificate(one: Application, number: int | None, as_of: int) -> Application:
    """The application with a certificate of that number: those of large simulated tenants have no content. None: without."""
    if number is None:
        return structs.replace(one, keys=())
    made = certificate(f"CN=client-{number}", key_name=f"client-{number % 4}", start=as_of - DAY, end=as_of + 90 * DAY)
    return structs.replace(one, keys=(structs.replace(one.keys[0], certificate=made),))


def twice(folder: Path) -> None:
    """Print requests, seconds and memory of a first run, of the next one, and of one that reads every certificate again."""
    of = tenant(int(time.time()))  # noqa: TID251 - as a command that starts now
    first = _run(of, folder / "first", None, "first run")
    _run(of, folder / "next", first, "the next run, --since")
    _run(of, folder / "whole", first, "the next run, --since --reread 0", reread=0)


class Read(Struct, frozen=True):
    """What a run took: seconds of waiting, requests by operation, and how many were refused; its forecasts by limit."""

    seconds: float
    calls: Counter[str]
    refused: int
    taken: audit.Collected
    forecasts: Mapping[str, Forecast]


def read(of: Estate, out: Path, *, since: Snapshot | None = None, reread: int = 7 * DAY) -> Read:
    """Read the tenant against the documented limits, with lists that leave certificates out."""
    told = _Told()

    async def run() -> Read:
        async with serve(of, latency=LATENCY, throttle=Throttle.documented(), faults=WITHOUT_KEYS) as simulator:
            source = audit.Source(
                environment=ENVIRONMENTS["public"],
                auth="env",
                tenant=None,
                network=Network(proxy=simulator.proxy, ca_file=simulator.ca_file),
                environ=simulator.environ,
            )
            clock = VirtualClock(of.as_of)
            taken = await audit.collect(
                source,
                out,
                resume=False,
                since=since,
                clock=clock,
                progress=told,
                prompt=print,
                announce=lambda _: None,
                evidence=NONE,
                reread=reread,
            )
            calls = Counter(simulator.calls)
            del calls["challenge"]
            return Read(clock.monotonic(), calls, simulator.throttled, taken, told.forecasts)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


def _run(of: Estate, out: Path, since: Snapshot | None, what: str, reread: int = 7 * DAY) -> Snapshot:
    began = time.process_time()
    found = read(of, out, since=since, reread=reread)
    snapshot, calls = audit.finish(found.taken), found.calls
    print(what)
    say("   requests, refused ones", f"{calls.total():,}, {found.refused:,}", "")
    say("   of them for single public keys", f"{sum(calls[each] for each in _READS):,}", "")
    say("   waiting", f"{found.seconds:,.0f} s", "")
    for throttle, forecast in found.forecasts.items():
        say(f"   forecast, {throttle}", f"{forecast.requests:,} in {forecast.seconds:,.0f} s", "")
    say("   processor, the simulated tenant included", f"{time.process_time() - began:,.0f} s", "")
    say(
        "   peak memory, the simulated tenant included",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB",
        "",
    )
    for operation, count in calls.most_common(_SHOWN):
        say(f"      {operation}", f"{count:,}", "")
    return snapshot
