"""Collects a busy tenant against the documented limits, at real rates, with and without Retry-After."""

import json
from pathlib import Path
from typing import Any

from keyaudit.cloud.pacing import LIMITS, Limit
from keyaudit.model.operations import Throttle
from keyaudit.model.reasons import Reason
from tests.bench.child import Took, measure
from tests.bench.served import PYTHON, asked, environ, say, served

CONCURRENCY = 64
LATENCY = 0.020
PACED = {
    "vault": Throttle.VAULT,
    "arm": Throttle.ARM_SUBSCRIPTION,
    "graph": Throttle.GRAPH,
    "key_credentials": Throttle.GRAPH_KEY_CREDENTIALS,
    "resource_graph": Throttle.RESOURCE_GRAPH,
}
"""By the simulator's name of a limit, the name under which it is paced."""


def throttled(folder: Path, share: float) -> None:
    """Print both runs at a share of each limit."""
    for said, name in ((1.0, "with"), (0.0, "without")):
        out = folder / f"throttled-{share}-{name}"
        with served("busy", LATENCY, said) as (access, server):
            command = [PYTHON, "-m", "tests.bench.collecting", str(out), str(CONCURRENCY), str(share)]
            took = measure(command, environ(access))
            seen = asked(server, folder / "throttled.json")
        _report(f"{share:g} of the limits, {name} Retry-After", took, access["rows"], seen, share)


def _report(what: str, took: Took, rows: dict[str, int], seen: dict[str, Any], share: float) -> None:
    inside = json.loads(took.out)
    bounds = [
        (_bound(LIMITS[PACED[limit]], units, share), limit, seconds)
        for limit, units, seconds in seen["charged"]
        if limit in PACED
    ]
    sent = sum(count for name, count in seen["calls"].items() if name != "challenge")
    lost = sum(count - inside["rows"].get(table, 0) for table, count in rows.items())
    say(f"{what}: requests", f"{sent:,}", "")
    # The slowest domain of each limit.
    for limit, (bound, _, seconds) in {limit: max(one for one in bounds if one[1] == limit) for limit in PACED}.items():
        say(f"   bound by the limit {limit}", f"{bound:.1f} s", f"its last request after {seconds:.1f} s")
    slowest = max(bounds)[0]
    say("   time taken", f"{inside['wall']:.1f} s", f"{inside['wall'] / slowest:.2f} of the bound, at most 1.15")
    say("   CPU, the simulated tenant on the same machine", f"{took.cpu:.1f} s", "")
    say("   retries", f"{seen['throttled']:,}", f"{100 * seen['throttled'] / sent:.1f} % of requests, at most 10 %")
    gaps = sum(count for reason, count in inside["gaps"].items() if reason != Reason.FIREWALL)
    say("   records lost, lists not read", f"{lost:,}, {gaps:,}", "none")


def _bound(limit: Limit, units: int, share: float) -> float:
    """Seconds that so many units take at least at a share of a limit, one window being available at once."""
    return max(0.0, units / (limit.units * share) - 1) * limit.window
