"""Prints what keyaudit says of each footprint, and the counts by severity beside those of the same objects stripped of it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from keyaudit.cli.clock import SystemClock
from keyaudit.simulator.estate import Estate
from tests.cli.tenants import running
from tests.ordinary.expected import FOOTPRINTS
from tests.ordinary.stripped import stripped
from tests.ordinary.verdicts import SEVERITIES, counts, of_abuse, of_footprint
from tests.simulator.estates import estate


def _findings(tenant: Estate) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder, running(tenant) as simulated:
        path = Path(folder) / "report.json"
        command = [sys.executable, "-m", "keyaudit", "report", "--auth", "env", "--quiet", "--export", f"json={path}"]
        subprocess.run(command, env={**os.environ, **simulated.environ}, stdout=subprocess.DEVNULL, check=False)
        found: list[dict[str, Any]] = msgspec.json.decode(path.read_bytes())["findings"]
        return found


def main() -> None:
    """Prints both tables."""
    kinds = ("ordinary", "ordinary-abused")
    tenants = {name: estate(name, SystemClock().now()) for name in kinds}
    tenants |= {f"{name}, stripped": stripped(tenants[name]) for name in kinds}
    found = {name: _findings(tenant) for name, tenant in tenants.items()}
    for each in FOOTPRINTS:
        wrong = of_footprint(each, found["ordinary"], tenants["ordinary"])
        abused = of_abuse(each, found["ordinary-abused"], tenants["ordinary-abused"], found["ordinary-abused, stripped"])
        print(f"{each.row:7} {each.says} {each.severity}: {'; '.join(wrong) or 'as wanted'}")
        if each.abuse:
            print(f"{'':7} abused: {'; '.join(abused) or 'as wanted'}")
    for name, findings in found.items():
        tally = counts(findings)
        print(f"{name:28}", *(f"{kind} {tally[kind]}" for kind in (*reversed(SEVERITIES), "unknown")))


main()
