"""Asks for the page of a stolen key in a large tenant, against the documented limits, and says how long it takes to come.

`python -m tests.bench emergency`. The tenant has 20,000 applications, 60,000 service principals and 200 vaults with
50 keys each.
"""

import json
from pathlib import Path

from tests.bench.child import measure
from tests.bench.served import KEYAUDIT, asked, environ, say, served

_KINDS = ("an application", "a thumbprint", "a key id", "a key")
BAR = "at most 60 s"
_CASES = (
    ("lists have the certificates", "directory", 0.020),
    ("the same, each answer takes 0.3 s", "directory", 0.300),
    ("lists leave the certificates out", "directory-without-keys", 0.020),
)


def emergency(folder: Path) -> None:
    """Print requests and seconds until the page of an application, a thumbprint, a key id and a key is there."""
    for what, tenant, latency in _CASES:
        print(what)
        for kind in _KINDS:
            # A tenant for each, whose limits nobody has used yet.
            with served(tenant, latency, 0.5) as (access, server):
                out = folder / "page.json"
                command = [*KEYAUDIT, "incident", access["named"][kind], "--auth", "env", "--quiet", "--out", str(out)]
                took = measure(command, environ(access))
                seen = asked(server, folder / "asked.json")
            sent = sum(count for call, count in seen["calls"].items() if call != "challenge")
            left = sum(gap["reason"] == "not_asked" for gap in json.loads(out.read_text(encoding="utf-8"))["gaps"])
            say(f"   {kind}: time taken", f"{took.wall:.1f} s", BAR)
            say("      requests, refused ones, lists said to be left out", f"{sent:,}, {seen['throttled']:,}, {left:,}", "")
