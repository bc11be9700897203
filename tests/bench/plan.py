"""A plan with many resources: seconds and memory of `keyaudit gate --plan`, as `python -m tests.bench.plan [RESOURCES]`."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.plan.small import Resource, key, plan, vault

_OF_VAULT = 49


def written(resources: int, path: Path) -> None:
    """A plan with so many vaults, keys and role assignments in a file."""
    found: list[Resource] = []
    for number in range(resources // (_OF_VAULT + 1)):
        address = f"azurerm_key_vault.v{number}"
        found.append(vault(f"kv-{number}", address))
        found += [key(f"k{each}", f"{address}.id", f"azurerm_key_vault_key.v{number}k{each}") for each in range(_OF_VAULT)]
    path.write_text(json.dumps(plan(*found)), encoding="utf-8")


def main() -> None:
    """Prints what one run takes."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        written(count, path)
        started = time.monotonic()
        ran = subprocess.run(
            [sys.executable, "-m", "keyaudit", "gate", "--plan", str(path), "-q"], capture_output=True, text=True, check=False
        )
        wall, used = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        size = path.stat().st_size / 1024 / 1024
    cpu, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(f"{count:,} resources, {size:.0f} MB: {wall:.1f} s, {cpu:.1f} CPU-s, {memory:.0f} MB, exit {ran.returncode}")


if __name__ == "__main__":
    main()
