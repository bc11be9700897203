"""How many of an ordinary tenant's objects each policy finds. `python -m tests.ordinary.fractions` prints it.

A rule that finds more than half of what it looks at tells nobody where to begin.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

FEW = 4
"""Up to so many objects a fraction says nothing."""

EXPECTED: Mapping[str, str] = {
    "account-key-too-old": "both keys of an account are one cause; keys that nobody changes are what it looks for",
    "kv-key-no-auto-rotation": "with the next two one cause for each key, which the portal makes without a rotation policy",
    "kv-key-no-expiry": "the CIS benchmark asks for an end of every key, and the portal sets none; one cause for each key",
    "kv-key-software-protected": "low for a key that a service encrypts with, which is software by default; the same cause",
    "pqc-quantum-vulnerable-long-lived": "low, and of the same cause: a key without an end outlives its algorithm",
    "sp-first-party-with-credential": "it looks only at credentials on Microsoft's applications: each is confirmed by hand",
}
"""The policies that find more than half all the same, and why."""


class Fraction(Struct, frozen=True):
    """One policy: how many objects fail, of how many it passed or failed, by severity."""

    policy: str
    failed: int
    evaluated: int
    severities: Mapping[str, int]

    @property
    def many(self) -> bool:
        """Whether it finds more than half of more than a few."""
        return self.evaluated > FEW and 2 * self.failed > self.evaluated


def fractions(policies: Iterable[Mapping[str, Any]]) -> list[Fraction]:
    """Of the member `policies` of a report in JSON; those that failed nowhere are left out, and so is information: it asks
    nobody to begin anywhere.
    """
    found = []
    for each in policies:
        severities = {name: count for name, count in each["failed"].items() if count}
        every = sum(severities.values())
        failed = every - severities.get("info", 0)
        if failed:
            found.append(Fraction(each["id"], failed, every + each["passed"], severities))
    return sorted(found, key=lambda one: (-one.failed / one.evaluated, one.policy))


def main() -> None:
    """Print the fractions of the estate `ordinary`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        command = [sys.executable, "-m", "keyaudit", "report", "--demo", "--estate", "ordinary", "--quiet"]
        subprocess.run([*command, "--export", f"json={path}"], stdout=subprocess.DEVNULL, check=False)
        found = fractions(msgspec.json.decode(path.read_bytes())["policies"])
    for one in found:
        told = ", ".join(f"{count} {severity}" for severity, count in one.severities.items())
        print(f"{one.policy:44}{one.failed:4} of {one.evaluated:<4} {told}{'  (expected)' if one.many else ''}")


if __name__ == "__main__":
    main()
