"""Collects a busy tenant against the documented limits, at real rates, with and without Retry-After."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from keyaudit.cloud.limits.pacing import LIMITS
from keyaudit.model import operations
from keyaudit.model.reasons import Reason
from keyaudit.simulator.throttle import Throttle, Window
from tests.bench.child import Took, measure
from tests.bench.served import PYTHON, asked, environ, say, served

CONCURRENCY = 64
LATENCY = 0.020
DOCUMENTED = Throttle.documented()
PACED = {
    "vault": operations.Throttle.VAULT,
    "vault_hsm": operations.Throttle.VAULT,
    "arm": operations.Throttle.ARM_SUBSCRIPTION,
    "graph": operations.Throttle.GRAPH,
    "key_credentials": operations.Throttle.GRAPH_KEY_CREDENTIALS,
    "resource_graph": operations.Throttle.RESOURCE_GRAPH,
}
"""By the simulator's name of a limit, the name under which it is paced."""

_CLOSED = (Reason.FIREWALL, Reason.PARENT_NOT_ASSESSED)
"""Why a list of a vault behind a firewall is not read."""


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
    bounds = _bounds(seen["charged"], share)
    sent = sum(count for name, count in seen["calls"].items() if name != "challenge")
    lost = sum(count - inside["rows"].get(table, 0) for table, count in rows.items())
    say(f"{what}: requests", f"{sent:,}", "")
    for limit, (bound, seconds) in bounds.items():
        say(f"   bound by the limit {limit}", f"{bound:.1f} s", f"its last request after {seconds:.1f} s")
    slowest = max(bounds.values())[0]
    say("   time taken", f"{inside['wall']:.1f} s", f"{inside['wall'] / slowest:.2f} of the bound, at most 1.15")
    say("   CPU, the simulated tenant on the same machine", f"{took.cpu:.1f} s", "")
    say("   retries", f"{seen['throttled']:,}", f"{100 * seen['throttled'] / sent:.1f} % of requests, at most 10 %")
    gaps = sum(count for reason, count in inside["gaps"].items() if reason not in _CLOSED)
    say("   records lost, lists not read", f"{lost:,}, {gaps:,}", "none")


def _bounds(charged: list[tuple[str, str, int, float]], share: float) -> dict[str, tuple[float, float]]:
    """By limit the seconds that its slowest domain takes at least, and those until that domain's last request.

    At least: at our share of the limit, one window being available at once, and with a service that allows no more than its own
    limit in a window.
    """
    domains: dict[tuple[operations.Throttle, str], list[tuple[int, float, float]]] = defaultdict(list)
    for name, domain, units, last in charged:
        if name in PACED:
            documented = getattr(DOCUMENTED, name)
            least = (units - 1) // documented.limit * documented.seconds if isinstance(documented, Window) else 0.0
            domains[PACED[name], domain].append((units, least, last))
    found: dict[str, tuple[float, float]] = {}
    for (throttle, _), parts in domains.items():
        limit, units = LIMITS[throttle], sum(part[0] for part in parts)
        ours = max(0.0, units / (limit.units * share) - 1) * limit.window
        bound = (max(ours, *(part[1] for part in parts)), max(part[2] for part in parts))
        found[throttle] = max(found.get(throttle, bound), bound)
    return found
